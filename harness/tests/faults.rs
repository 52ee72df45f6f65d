//! The machine fails in the middle: no half-written answer, no wrong one, nothing left behind, and
//! the next run is right.
//!
//! `SOCKDIFF_KILLS=200` says how often the program is killed; `ci/faults` sets it.

#[path = "faults/blocking.rs"]
mod blocking;
#[expect(dead_code, reason = "the tests of the command line use more of it")]
#[path = "cli/support.rs"]
mod support;
#[path = "trials.rs"]
mod trials;

use std::path::Path;
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};
use support::{CLOSED_PORT, Folder, NOTHING, PROGRAM, until};

/// Calls, packets, a process of the case's own, rows and IPv6.
const HANDFUL: [&str; 4] =
    ["rst/close-unread-data", "rst/server-dies", "udp/refused-server-keeps-working", CLOSED_PORT];
/// How often the program is killed unless the environment says.
const KILLS: u32 = 20;
/// How often it is stopped and continued.
const STOPS: u32 = 200;

fn main() -> ExitCode {
    let namespaces = || (!support::namespaces()).then(|| "it needs network namespaces".to_owned());
    let prlimit = || trials::without(&[("prlimit", "util-linux")]);
    let mount = || {
        let lack = || (!support::is_root()).then(|| "it needs root, to mount".to_owned());
        lack().or_else(|| trials::without(&[("unshare", "util-linux"), ("mount", "mount")]))
    };
    trials::run(vec![
        ("blocking_calls_end_with_the_case", namespaces(), blocking::calls_end_with_the_case),
        ("descriptors_run_out", namespaces().or_else(prlimit), descriptors_run_out),
        ("memory_runs_out", namespaces().or_else(prlimit), memory_runs_out),
        ("threads_run_out", namespaces().or_else(prlimit), threads_run_out),
        ("disk_is_full", namespaces().or_else(mount), disk_is_full),
        ("tree_is_read_only", namespaces().or_else(mount), tree_is_read_only),
        ("killed_at_any_time", namespaces(), killed_at_any_time),
        ("stopped_and_continued", namespaces(), stopped_and_continued),
        ("put_aside_while_timers_run", namespaces(), put_aside_while_timers_run),
        ("put_aside_while_a_call_blocks", namespaces(), put_aside_while_a_call_blocks),
    ])
}

/// The suite's handful in a folder of its own, one answer missing, so that there is one to write.
fn handful() -> Folder {
    let folder = Folder::of_suite();
    folder.remove(&format!("expected/{CLOSED_PORT}/linux.snap"));
    folder
}

fn limited(folder: &Folder, limit: &str) -> Output {
    let run = Command::new("prlimit").args([limit, PROGRAM, "run"]).args(HANDFUL).output_in(folder);
    run.expect("prlimit")
}

trait OutputIn {
    fn output_in(&mut self, folder: &Folder) -> std::io::Result<Output>;
}

impl OutputIn for Command {
    fn output_in(&mut self, folder: &Folder) -> std::io::Result<Output> {
        self.current_dir(folder.path()).env_remove("CI").output()
    }
}

/// Whatever came of it, no wrong answer was given and none was stored.
fn nothing_wrong(folder: &Folder, before: &support::Files, output: &Output, what: &str) {
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(!told.lines().any(|line| line.starts_with("differs")), "{what}: {told}");
    assert!(!told.lines().any(|line| line.starts_with("flaky")), "{what}: {told}");
    let pending = format!("expected/{CLOSED_PORT}/linux.snap.new");
    for path in folder.touched(before) {
        assert_eq!(path, pending, "{what}: {told}");
        let right = Path::new(support::ROOT).join(format!("expected/{CLOSED_PORT}/linux.snap"));
        let right = std::fs::read_to_string(right).expect("the recorded answer");
        let body = |text: &str| text.split_once("\n---\n").map(|(_, body)| body.to_owned());
        let here = folder.read(&path);
        let here = here.rsplit_once("\n---\n").map(|(_, body)| body.to_owned());
        assert_eq!(here, body(&right), "{what}: {told}");
    }
    // A pending answer goes when the answer is the recorded one again.
    let right = Path::new(support::ROOT).join(format!("expected/{CLOSED_PORT}/linux.snap"));
    folder.write(&format!("expected/{CLOSED_PORT}/linux.snap"), std::fs::read(right).expect("it"));
    let run = folder.sockdiff(&format!("run {}", HANDFUL.join(" "))).assert().success();
    assert!(support::stdout(&run).ends_with("\n4 same\n"), "{what}: {}", support::stdout(&run));
}

fn descriptors_run_out() {
    for most in [4, 8, 16, 32, 63, 64, 72, 80, 96, 128] {
        let folder = handful();
        let before = folder.files();
        let output = limited(&folder, &format!("--nofile={most}"));
        nothing_wrong(&folder, &before, &output, &format!("{most} descriptors"));
    }
}

fn memory_runs_out() {
    const MIB: u64 = 1 << 20;
    for most_mib in [16, 64, 128, 256, 512, 1024] {
        let folder = handful();
        let before = folder.files();
        let output = limited(&folder, &format!("--as={}", most_mib * MIB));
        nothing_wrong(&folder, &before, &output, &format!("{most_mib} MiB"));
    }
}

/// The limit counts a user's threads on the whole machine, and does not bind root.
fn threads_run_out() {
    let Some(_) = support::unprivileged("list") else { return };
    for most in [1, 3, 5, 8, 20] {
        let folder = handful();
        let before = folder.files();
        let limit = format!("--nproc={most}");
        let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "prlimit", &limit];
        let mut command = match support::is_root() {
            true => {
                let mut command = Command::new("setpriv");
                command.args(user);
                command
            }
            false => {
                let mut command = Command::new("prlimit");
                command.arg(limit);
                command
            }
        };
        command.args([PROGRAM, "run", "--update", "no"]).args(HANDFUL);
        let output = command.output_in(&folder).expect("prlimit");
        nothing_wrong(&folder, &before, &output, &format!("{most} threads"));
    }
}

/// Runs a shell script in a mount namespace, in which the folder's `expected` is another file
/// system; `before` and `after` are what it holds.
fn mounted(folder: &Folder, mount: &str, then: &str) -> Output {
    let look = "(cd expected && find . -type f -exec cksum {} + | sort)";
    let script = format!("set -e; {mount}; {look} > before; set +e; {then}; {look} > after");
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "sh", "-c", &script]).output_in(folder).expect("unshare")
}

/// A file system of ten pages, filled to the last one.
const FULL: &str = "mkdir full && cp -r expected/ledger expected/udp full \
    && mount -t tmpfs -o size=200k none expected && cp -r full/* expected \
    && (cat /dev/zero > expected/filler 2> filled || true)";

fn disk_is_full() {
    for (then, told) in [
        (format!("{PROGRAM} run {CLOSED_PORT}"), "cannot be written (No space left"),
        (format!("{PROGRAM} run {CLOSED_PORT} --update always"), "cannot be written (No space"),
        (
            format!("{PROGRAM} run udp/emsgsize --update no --out expected/result.json"),
            "cannot be written (No space left",
        ),
        (
            format!(
                "{PROGRAM} run {CLOSED_PORT} --update no --out result.json; {PROGRAM} record \
                 --accept result.json"
            ),
            "cannot be written (No space left",
        ),
    ] {
        let folder = Folder::of_suite();
        let output = mounted(&folder, FULL, &then);
        let says = [output.stdout, output.stderr].concat();
        let says = String::from_utf8_lossy(&says).into_owned();
        assert!(says.contains(told), "{then}: {says}");
        assert_eq!(folder.read("before"), folder.read("after"), "{then}: {says}");
    }
}

fn tree_is_read_only() {
    let folder = handful();
    let mount = "mount --bind expected expected && mount -o remount,ro,bind expected";
    let output = mounted(&folder, mount, &format!("{PROGRAM} run {}", HANDFUL.join(" ")));
    let says = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(says.contains("cannot be written (Read-only file system"), "{says}");
    assert!(says.contains("\n3 same, 1 error"), "{says}");
    assert_eq!(folder.read("before"), folder.read("after"));
}

fn started(folder: &Folder, arguments: &str) -> Child {
    let mut command = Command::new(PROGRAM);
    command.args(arguments.split(' ')).current_dir(folder.path()).env_remove("CI");
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts")
}

/// Processes that run in the folder: what the program started, or the program itself.
fn left(folder: &Folder) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("/proc");
    let here = processes.filter_map(|entry| {
        let path = entry.ok()?.path();
        let inside = std::fs::read_link(path.join("cwd")).ok()? == folder.path();
        inside.then(|| path.display().to_string())
    });
    here.collect()
}

fn killed_at_any_time() {
    let kills = std::env::var("SOCKDIFF_KILLS").ok().and_then(|text| text.parse().ok());
    let folder = Folder::of_suite();
    let run = format!("run --update always {}", HANDFUL.join(" "));
    let answers = HANDFUL.map(|case| format!("expected/{case}/linux.snap"));
    answers.iter().for_each(|answer| folder.remove(answer));
    let began = Instant::now();
    started(&folder, &run).wait().expect("it ends");
    let whole = began.elapsed();
    let all = folder.files();
    // Golden-section steps spread over the whole run, and never the same way twice.
    let mut part: f64 = 0.5;
    for _ in 0..kills.unwrap_or(KILLS) {
        answers.iter().filter(|answer| folder.exists(answer)).for_each(|a| folder.remove(a));
        let mut program = started(&folder, &run);
        part = (part + 0.618_033_988_75).fract();
        std::thread::sleep(whole.mul_f64(part));
        program.kill().expect("ours");
        program.wait().expect("it is gone");
        until("its processes end", || left(&folder).is_empty().then_some(()));
        // What it has written it has written whole; what it was writing has another name, which
        // is no answer's.
        for path in folder.touched(&all).into_iter().filter(|path| folder.exists(path)) {
            assert!(
                path.contains("/.") && path.ends_with(".tmp"),
                "{path}: {}",
                folder.read(&path)
            );
            folder.remove(&path);
        }
        let check = folder.sockdiff("check").output().expect("it runs");
        let says = String::from_utf8_lossy(&check.stdout).into_owned();
        assert!(check.status.success() || !says.contains("truncated"), "{says}");
    }
    started(&folder, &run).wait().expect("it ends");
    assert_eq!(folder.touched(&all), NOTHING);
    assert!(started(&folder, &run).wait().expect("it ends").success());
}

/// What a run told that was stopped for so long again and again, and went on for so long in
/// between: what was recorded, or why it cannot tell.
fn interrupted(folder: &Folder, arguments: &str, [stopped, goes_on]: [Duration; 2]) -> String {
    let mut program = started(folder, &format!("run {arguments}"));
    let process = program.id().to_string();
    let signal = |name: &str| Command::new("kill").args([name, &process]).status();
    for _ in 0..STOPS {
        if program.try_wait().expect("ours").is_some() {
            break;
        }
        signal("-STOP").expect("kill");
        std::thread::sleep(stopped);
        signal("-CONT").expect("kill");
        std::thread::sleep(goes_on);
    }
    let output = program.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in told.lines().filter(|line| !line.starts_with("same  ")) {
        let why = ["the run did not get its CPU", "somebody stopped the process"];
        let excused = line.starts_with("error") && why.iter().any(|why| line.contains(why));
        let summary = line.ends_with(" same") || line.contains(" error (");
        assert!(excused || summary, "{told}");
    }
    told
}

/// A run that hardly ever gets its CPU: the kernel's timers go on, the run does not. What came when
/// is then chance, and no answer.
fn put_aside_while_timers_run() {
    let folder = Folder::of_suite();
    let before = folder.files();
    let cases = "io/rcvtimeo timer/data-schedule timer/syn-schedule rst/connect-silent-host";
    let told = interrupted(&folder, cases, [1_200, 40].map(Duration::from_millis));
    let noticed = ["did not get its CPU", "had not got its CPU", "had not got their CPU"];
    assert!(noticed.iter().any(|note| told.contains(note)), "{told}");
    assert_eq!(folder.touched(&before), NOTHING);
}

/// A call that blocks through later steps, and whose time is told: whoever is stopped and goes on
/// wakes it, and its descriptor is closed by then.
fn put_aside_while_a_call_blocks() {
    let folder = Folder::of_suite();
    let before = folder.files();
    let told = interrupted(&folder, "io/close-while-poll", [600, 700].map(Duration::from_millis));
    assert!(told.contains("did not get its CPU"), "{told}");
    assert_eq!(folder.touched(&before), NOTHING);
}

/// Stopping ends some calls with EINTR although nobody handles a signal (signal(7)): that is no
/// answer of the stack's.
fn stopped_and_continued() {
    let folder = Folder::of_suite();
    let before = folder.files();
    let cases = format!("io/rcvtimeo rst/connect-sndtimeo-late-synack {}", HANDFUL.join(" "));
    interrupted(&folder, &format!("--repeat 3 {cases}"), [2, 5].map(Duration::from_millis));
    assert_eq!(folder.touched(&before), NOTHING);
}
