//! The transcripts held against an independent witness: tcpdump captures in the very namespace of
//! each run, tshark takes the packets apart, and both must tell the same ones, in the same order.
//!
//! `SOCKDIFF_ORACLE_CASES` names other cases than the twenty below, or folders of them, and all if
//! it is empty; `ci/oracle` sets it.

#[path = "oracle/asked.rs"]
mod asked;
#[path = "oracle/fit.rs"]
mod fit;
#[path = "oracle/names.rs"]
mod names;
#[path = "oracle/seen.rs"]
mod seen;
#[expect(dead_code, reason = "the tests of the command line use more of it")]
#[path = "cli/support.rs"]
mod support;
#[path = "oracle/told.rs"]
mod told;

use asked::Asked;
use fit::Testimony;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::UNIX_EPOCH;
use support::{Folder, PROGRAM, ROOT, until};

/// Handshakes, closes, resets, half closes, datagrams, fragments, ICMP, IPv6, options, a name that
/// another socket takes, and a peer that forges.
const CASES: [&str; 20] = [
    "accept/rst-before-accept",
    "close/peer-data-after-full-close",
    "close/shutdown-rdwr-after-peer-fin",
    "connect/refused-nonblock-poll",
    "icmp/syn-sent-v6-only",
    "io/data-then-rst",
    "rst/close-unread-data",
    "rst/close-unread-data-wire",
    "rst/connect-closed-port",
    "rst/connect-timewait-same-tuple",
    "rst/firewall-reject",
    "rst/half-open-syn-from-rebooted-peer",
    "rst/injected-rst",
    "rst/linger0-close",
    "rst/segment-to-closed-port",
    "seg/fin-wait-1",
    "seg/rst-header-fields",
    "timewait/connect-same-tuple",
    "udp/fragments",
    "udp/refused-server-keeps-working",
];

/// Cases whose packets cannot be held against a witness, and why.
const BEYOND: [(&str, &str); 6] = [
    (
        "udp/emsgsize-ipv6",
        "its datagrams cross lo in fragments, and there the harness sees them put together again",
    ),
    ("icmp/echo-fragments", CUT),
    ("icmp/protocol-unreachable", CUT),
    ("seg/beyond-window", CUT),
    ("seg/fragment-overlap", CUT),
    ("udp/fragment-overlap", CUT),
];
const CUT: &str = "its peer sends fragments, which are told as the packet that was cut";

fn main() -> ExitCode {
    let asked = std::env::var("SOCKDIFF_ORACLE_CASES");
    let asked = asked.unwrap_or_else(|_| CASES.join(" "));
    let cases = match listed(&asked) {
        Ok(cases) => cases,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let lack = lack();
    // A witness sees the device of the wire only where it is a tun, which may be root's alone.
    let no_tun = lack.is_none().then(|| watched(&Asked::nothing("wire"))).and_then(Result::err);
    let trial = |case: Case| {
        let no_tun = no_tun.clone().filter(|_| case.is_wire);
        let beyond = BEYOND.iter().find(|(id, _)| *id == case.id).map(|(_, why)| (*why).to_owned());
        match lack.clone().or(case.reason).or(no_tun).or(beyond) {
            // Decided while listing: decided later it would count as passed.
            Some(lack) => {
                let kind = format!("skipped: {lack}");
                let refuse = || Err(Failed::from(lack));
                Trial::test(case.id, refuse).with_kind(kind).with_ignored_flag(true)
            }
            None => Trial::test(case.id.clone(), move || agrees(&case.id).map_err(Failed::from)),
        }
    };
    let trials = cases.into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A case as `sockdiff list` tells it.
struct Case {
    id: String,
    is_wire: bool,
    /// Why it cannot run here.
    reason: Option<String>,
}

/// The cases of these ids and folders, all of them if there are none.
///
/// # Errors
/// There is no such case; told as sockdiff does.
fn listed(asked: &str) -> Result<Vec<Case>, String> {
    let mut list = Command::new(PROGRAM);
    list.args(["list", "--json"]).args(asked.split_whitespace()).current_dir(ROOT);
    let output = list.output().map_err(|error| error.to_string())?;
    let told: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).trim().to_owned())?;
    let cases = told.as_array().into_iter().flatten();
    let text = |case: &Value, field: &str| case[field].as_str().map(str::to_owned);
    let case = |case: &Value| Case {
        id: text(case, "id").unwrap_or_default(),
        is_wire: case["topology"] == "wire",
        reason: text(case, "reason"),
    };
    Ok(cases.map(case).collect())
}

/// What this machine lacks for a witness.
fn lack() -> Option<String> {
    if !cfg!(target_env = "gnu") || !Path::new("/proc/self/ns/net").exists() {
        return Some("it needs Linux and a program that can be preloaded into".to_owned());
    }
    let missing = ["tcpdump", "tshark", "cc"].into_iter().find(|tool| which::which(tool).is_err());
    if let Some(tool) = missing {
        let package = if tool == "cc" { "gcc" } else { tool };
        return Some(format!("it needs {tool} (apt-get install {package})"));
    }
    if !support::namespaces() {
        return Some("it needs network namespaces".to_owned());
    }
    // A profile of AppArmor's may keep tcpdump from watching what is not root's.
    let told = watched(&Asked::nothing("loopback"));
    told.err().map(|why| format!("tcpdump does not work in the namespace of a run: {why}"))
}

/// Runs the case with a witness in each namespace, and compares.
fn agrees(id: &str) -> Result<(), String> {
    let case = Asked::of_id(ROOT, id)?;
    let Watched { transcript, again, witnesses } = watched(&case)?;
    let runs = told::runs(&transcript, case.families());
    compare(&runs, again, &witnesses, &case).map_err(|why| format!("{why}\n\n{transcript}"))
}

/// A case that was run.
struct Watched {
    transcript: String,
    /// Runs that were made again: they had namespaces, too, and nothing is told of them.
    again: usize,
    /// What the witness in each of its namespaces has seen.
    witnesses: Vec<Testimony>,
}

/// Runs a case with a witness in each of its namespaces.
fn watched(case: &Asked) -> Result<Watched, String> {
    let folder = Folder::new();
    folder.write("case.yaml", case.text());
    folder.write("seen/readme", "");
    let attach = preload(&folder)?;
    let output = Command::new(PROGRAM)
        .args(["run", "case.yaml", "--json", "--wire", "tun"])
        .current_dir(folder.path())
        .env("LD_PRELOAD", attach)
        .env("SOCKDIFF_ORACLE", folder.path().join("seen"))
        .output()
        .map_err(|error| error.to_string())?;
    let witnesses = witnesses(&folder);
    witnesses.iter().try_for_each(dismiss)?;
    let told: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let result = &told["results"][0];
    let transcript = result["transcript"].as_str().unwrap_or_default();
    if transcript.is_empty() {
        return Err(format!("no transcript: {} {}", result["status"], result["reason"]));
    }
    let again = result["made_again"].as_u64().unwrap_or_default() as usize;
    let told: Result<_, _> = witnesses.iter().map(Witness::testimony).collect();
    Ok(Watched { transcript: transcript.to_owned(), again, witnesses: told? })
}

/// Every run has a witness of its own that saw just this. Several may have seen the same: so not
/// the first that fits is taken, but one for each.
fn compare(
    runs: &[told::Run],
    again: usize,
    seen: &[Testimony],
    case: &Asked,
) -> Result<(), String> {
    if runs.len() + again != seen.len() {
        let made = format!("{} runs told, {again} made again", runs.len());
        return Err(format!("{made}, {} namespaces seen", seen.len()));
    }
    let verdicts = |run| seen.iter().map(|seen| fit::same(run, seen, case)).collect();
    let verdicts: Vec<Vec<_>> = runs.iter().map(verdicts).collect();
    let mut run_of = vec![None; seen.len()];
    for (nth, run) in runs.iter().enumerate() {
        if !give(nth, &verdicts, &mut run_of, &mut vec![false; seen.len()]) {
            let whys: Vec<_> = verdicts[nth].iter().filter_map(|fit| fit.clone().err()).collect();
            return Err(format!("nobody saw {:#?}\n{}", run.lines, whys.join("\n")));
        }
    }
    Ok(())
}

/// Gives a run a witness; whoever has had it takes another one.
fn give(
    run: usize,
    verdicts: &[Vec<Result<(), String>>],
    run_of: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for witness in 0..run_of.len() {
        if verdicts[run][witness].is_err() || std::mem::replace(&mut tried[witness], true) {
            continue;
        }
        if run_of[witness].is_none_or(|other| give(other, verdicts, run_of, tried)) {
            run_of[witness] = Some(run);
            return true;
        }
    }
    false
}

/// A tcpdump in the namespace of a run.
struct Witness {
    process: String,
    file: PathBuf,
}

impl Witness {
    fn testimony(&self) -> Result<Testimony, String> {
        let created = std::fs::metadata(&self.file).and_then(|file| file.created());
        let created = created.map_err(|error| format!("{}: {error}", self.file.display()))?;
        let began = created.duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
        Ok(Testimony { began: began.as_secs_f64(), seen: seen::read(&self.file)? })
    }
}

fn witnesses(folder: &Folder) -> Vec<Witness> {
    let files = folder.files().into_keys().filter_map(|name| {
        let process = name.strip_prefix("seen/")?.strip_suffix(".pcap")?.to_owned();
        Some(Witness { process, file: folder.path().join(&name) })
    });
    files.collect()
}

/// Ends a witness as soon as it sleeps: then it has written everything that it was given.
///
/// # Errors
/// It is gone already.
fn dismiss(witness: &Witness) -> Result<(), String> {
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", witness.process)).ok()?;
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next())
    };
    until("tcpdump has read all", || matches!(state(), Some('S') | None).then_some(()));
    let kill = |signal: &str| Command::new("kill").args([signal, &witness.process]).status();
    if !kill("-INT").is_ok_and(|status| status.success()) {
        return Err("it ended before its time".to_owned());
    }
    until("tcpdump ends", || matches!(state(), None | Some('Z')).then_some(()));
    Ok(())
}

/// The library that starts the witnesses.
fn preload(folder: &Folder) -> Result<PathBuf, String> {
    let library = folder.path().join("attach.so");
    let source = Path::new(ROOT).join("harness/tests/oracle/attach.c");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library).arg(source);
    let output = cc.arg("-ldl").output().map_err(|error| format!("cc: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(library) } else { Err(told) }
}
