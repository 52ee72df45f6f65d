//! The transcripts held against an independent witness: tcpdump captures in the very namespace of
//! each run, tshark takes the packets apart, and both must tell the same ones, in the same order.
//!
//! `SOCKDIFF_ORACLE_CASES` names other cases than the twenty below; `ci/oracle CASE…` sets it.

#[path = "oracle/seen.rs"]
mod seen;
#[expect(dead_code, reason = "the tests of the command line use more of it")]
#[path = "cli/support.rs"]
mod support;
#[path = "oracle/told.rs"]
mod told;

use libtest_mimic::{Arguments, Failed, Trial};
use seen::Seen;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use support::{Folder, PROGRAM, ROOT, until};

/// Handshakes, closes, resets, half closes, datagrams, ICMP, IPv6, and a peer that forges.
const CASES: [&str; 20] = [
    "accept/rst-before-accept",
    "close/close-after-rst",
    "close/peer-data-after-full-close",
    "close/shut-wr-twice",
    "close/shutdown-rdwr-after-peer-fin",
    "connect/refused-nonblock-poll",
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
    "rst/send-to-closed-peer",
    "seg/fin-wait-1",
    "udp/refused-server-keeps-working",
    "udp/unconnected-refused",
];

fn main() -> ExitCode {
    let lack = lack();
    let asked = std::env::var("SOCKDIFF_ORACLE_CASES").unwrap_or_default();
    let cases: Vec<String> = match asked.split_whitespace().collect::<Vec<_>>().as_slice() {
        [] => CASES.iter().map(|case| (*case).to_owned()).collect(),
        asked => asked.iter().map(|case| (*case).to_owned()).collect(),
    };
    // A witness sees the device of the wire only where it is a tun, which may be root's alone.
    let no_tun =
        lack.is_none().then(|| watched("about: x\ntopology: wire\nsteps:\n  - pause: 1ms\n"));
    let no_tun = no_tun.and_then(Result::err);
    let lack_of = |case: &str| {
        let is_wire = text_of(case).is_ok_and(|text| text.contains("\ntopology: wire\n"));
        lack.clone().or_else(|| no_tun.clone().filter(|_| is_wire))
    };
    let trial = |case: String| match lack_of(&case) {
        // Decided while listing: decided later it would count as passed.
        Some(lack) => Trial::test(case, || Ok(()))
            .with_kind(format!("skipped: {lack}"))
            .with_ignored_flag(true),
        None => Trial::test(case.clone(), move || agrees(&case).map_err(Failed::from)),
    };
    let trials = cases.into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
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
    let told = watched("about: x\nsteps:\n  - a.socket: tcp\n");
    told.err().map(|why| format!("tcpdump does not work in the namespace of a run: {why}"))
}

fn text_of(case: &str) -> Result<String, String> {
    std::fs::read_to_string(Path::new(ROOT).join(format!("cases/{case}.yaml")))
        .map_err(|error| format!("{case}: {error}"))
}

/// Runs the case with a witness in each namespace, and compares.
fn agrees(case: &str) -> Result<(), String> {
    let text = text_of(case)?;
    let (transcript, seen) = watched(&text)?;
    let families = if text.contains("\nfamily: [4, 6]") { 2 } else { 1 };
    let given = text.lines().find_map(|line| line.strip_prefix("given: "));
    let given = !matches!(given, None | Some("closed" | "listen"));
    let runs = told::runs(&transcript, families);
    compare(&runs, seen, given).map_err(|why| format!("{why}\n\n{transcript}"))
}

/// The transcript of a case, and what the witness in each of its namespaces has seen.
fn watched(case: &str) -> Result<(String, Vec<Vec<Seen>>), String> {
    let folder = Folder::new();
    // What a run leaves open it closes at its end, and that sends packets, which nobody tells.
    folder.write("case.yaml", case.to_owned() + "  - pause: 200ms\n");
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
    let told: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let result = &told["results"][0];
    let transcript = result["transcript"].as_str().unwrap_or_default();
    if transcript.is_empty() {
        return Err(format!("no transcript: {} {}", result["status"], result["reason"]));
    }
    let seen: Result<Vec<_>, _> =
        witnesses.iter().map(|witness| seen::read(&witness.file)).collect();
    Ok((transcript.to_owned(), seen?))
}

/// Every run has one witness that saw just this; several that saw the same may stand for each
/// other.
fn compare(runs: &[Vec<String>], mut seen: Vec<Vec<Seen>>, given: bool) -> Result<(), String> {
    if runs.len() != seen.len() {
        return Err(format!("{} runs told, {} namespaces seen", runs.len(), seen.len()));
    }
    for run in runs {
        let verdicts: Vec<_> = seen.iter().map(|seen| told::same(run, seen, given)).collect();
        let Some(found) = verdicts.iter().position(Result::is_ok) else {
            let whys: Vec<_> = verdicts.into_iter().filter_map(Result::err).collect();
            return Err(format!("nobody saw {run:#?}\n{}", whys.join("\n")));
        };
        seen.remove(found);
    }
    Ok(())
}

/// A tcpdump in the namespace of a run.
struct Witness {
    process: String,
    file: PathBuf,
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
