//! What the records rest on, taken away one at a time: either the transcript stays as it is, or the
//! run says why it cannot be trusted. No switch in the program helps; the world around it changes.

#[expect(dead_code, reason = "the tests of the command line use more of it")]
#[path = "cli/support.rs"]
mod support;
#[path = "trials.rs"]
mod trials;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use support::{Folder, NOTHING, PROGRAM, ROOT};

/// Cases with a say in every one of the guarantees.
const HANDFUL: [&str; 6] = [
    "close/shut-wr-twice",
    "rst/close-unread-data",
    "rst/connect-closed-port",
    "rst/linger0-close",
    "rst/send-to-closed-peer",
    "udp/unconnected-refused",
];

/// The one of them that waits for an ICMP error.
const ASKS_FOR_ICMP: &str = "udp/unconnected-refused";

/// A case with more answers than a kernel gives in half a second, unless its limits are lifted.
const LIMITED: &str = "timewait/segments";

/// Settings of another distribution, or of somebody who hardens or tunes.
const OTHER_SETTINGS: &str = "sysctl -qw net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0 \
    net.ipv4.tcp_window_scaling=0 net.ipv4.tcp_ecn=1 net.ipv4.tcp_syncookies=0 \
    net.ipv4.tcp_abort_on_overflow=1 net.ipv4.tcp_fin_timeout=5 net.ipv4.tcp_rfc1337=1 \
    net.ipv4.tcp_rmem='4096 8192 16384' net.ipv4.icmp_ratelimit=10000";

/// Nobody reaches anybody on this network.
const FIREWALL: &str = "nft 'add table inet x; add chain inet x i { type filter hook input \
    priority 0; policy drop; }'";

/// Datagrams and connections by others, as fast as a shell makes them.
const FLOOD: &str = "for n in 1 2; do (while :; do echo x > /dev/udp/127.0.0.1/9; \
    (: > /dev/tcp/127.0.0.1/9) 2> /dev/null; done) & flood=\"$flood $!\"; done";

fn main() -> ExitCode {
    let namespaces = || (!support::namespaces()).then(|| "it needs network namespaces".to_owned());
    let cc = || trials::without(&[("cc", "gcc")]);
    let outer = || {
        let lack = || (!support::is_root()).then(|| "it needs root, for a network".to_owned());
        let tools = [("unshare", "util-linux"), ("ip", "iproute2"), ("sysctl", "procps")];
        namespaces().or_else(lack).or_else(|| trials::without(&tools))
    };
    let nft = || trials::without(&[("nft", "nftables")]);
    let bash = || trials::without(&[("bash", "bash")]);
    trials::run(vec![
        ("jitter", namespaces(), jitter),
        ("quickack_not_heeded", namespaces().or_else(cc), quickack_not_heeded),
        ("capture_overflows", namespaces().or_else(cc), capture_overflows),
        ("clock_is_set", namespaces().or_else(cc), clock_is_set),
        ("settings_of_the_host", namespaces(), settings_of_the_host),
        ("other_settings_outside", outer(), other_settings_outside),
        ("firewall_outside", outer().or_else(nft), firewall_outside),
        ("other_settings_shared", outer(), other_settings_shared),
        ("firewall_shared", outer().or_else(nft), firewall_shared),
        ("neighbour_floods", outer().or_else(bash), neighbour_floods),
    ])
}

/// What a run in a folder of the suite's own says, case by case.
struct Told {
    lines: Vec<(String, String, String)>,
    text: String,
}

impl Told {
    fn of(command: &mut Command, folder: &Folder) -> Told {
        let before = folder.files();
        let output = command.current_dir(folder.path()).env_remove("CI").output().expect("it runs");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let results = json["results"].as_array().cloned().unwrap_or_default();
        let lines =
            results.iter().map(|r| (word(&r["id"]), word(&r["status"]), word(&r["reason"])));
        let told = Told { lines: lines.collect(), text: format!("{output:?}") };
        assert_eq!(folder.touched(&before), NOTHING, "{}", told.text);
        assert!(!told.lines.is_empty(), "{}", told.text);
        told
    }

    /// Every case is as recorded, or its status is one of these, with a reason that has this text.
    fn is_same_or(&self, statuses: &[&str], reason: &str) -> usize {
        let excuses: Vec<_> = statuses.iter().map(|status| (*status, reason)).collect();
        self.is_same_or_any(&excuses)
    }

    /// Every case is as recorded, or has one of these statuses and reasons: how many have.
    fn is_same_or_any(&self, excuses: &[(&str, &str)]) -> usize {
        let others = self.lines.iter().filter(|(_, status, _)| status != "same");
        let others: Vec<_> = others.collect();
        for (id, status, why) in &others {
            let excused = excuses.iter().any(|(one, reason)| status == one && why.contains(reason));
            assert!(excused, "{id}: {status} ({why})\n{}", self.text);
        }
        others.len()
    }
}

fn arguments(more: &str) -> String {
    format!("run --update no --json {more} {}", HANDFUL.join(" "))
}

/// The program under a library that takes something away.
fn spoiled(what: &str, more: &str) -> Told {
    let folder = Folder::of_suite();
    let library = library(&folder);
    let mut command = Command::new(PROGRAM);
    command.args(arguments(more).split_whitespace());
    Told::of(command.env("LD_PRELOAD", library).env("SOCKDIFF_SPOIL", what), &folder)
}

fn library(folder: &Folder) -> PathBuf {
    let library = folder.path().join("spoil.so");
    let source = Path::new(ROOT).join("harness/tests/guarantees/spoil.c");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library).arg(source);
    let output = cc.arg("-ldl").output().expect("cc");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}

/// The program in a network that was prepared by a shell script.
fn inside(prepared: &str, more: &str, after: &str) -> Told {
    let folder = Folder::of_suite();
    let run = format!("{PROGRAM} {}", arguments(more));
    let script = format!("ip link set lo up; {prepared}; {run}; code=$?; {after} exit $code");
    let mut unshare = Command::new("unshare");
    Told::of(unshare.args(["--net", "bash", "-c", &script]), &folder)
}

fn jitter() {
    let folder = Folder::of_suite();
    let mut command = Command::new(PROGRAM);
    command.args(arguments("--repeat 10 --jitter 60").split_whitespace());
    assert_eq!(Told::of(&mut command, &folder).is_same_or(&[], ""), 0);
}

/// With jitter a delayed acknowledgment would come in another step: the harness has to notice that
/// the attribute does nothing, and to wait.
fn quickack_not_heeded() {
    let told = spoiled("quickack", "--repeat 2 --jitter 60");
    assert_eq!(told.is_same_or(&[], ""), 0, "{}", told.text);
}

fn capture_overflows() {
    let told = spoiled("buffer", "");
    let lost = told.is_same_or(&["error"], "capture overflowed");
    assert!(lost > 0, "nothing was lost in such a buffer: {}", told.text);
}

/// Jitter makes the runs last until the clock is set.
fn clock_is_set() {
    let told = spoiled("clock", "--jitter 400 --seed 1");
    let spoiled = told.is_same_or(&["error"], "the system clock was set by");
    assert!(spoiled > 0, "no run was under way: {}", told.text);
}

/// Nothing is pinned: what differs says so. Repeated answers to wrong segments are limited then.
fn settings_of_the_host() {
    let folder = Folder::of_suite();
    let mut command = Command::new(PROGRAM);
    command.args(arguments(&format!("--settings host {LIMITED}")).split_whitespace());
    let told = Told::of(&mut command, &folder);
    let differing = told.is_same_or(&["differs"], "settings are not pinned here");
    assert!(differing > 0, "as if they were pinned: {}", told.text);
}

/// One case more: with the kernel's own limits its answers would be fewer.
fn other_settings_outside() {
    assert_eq!(inside(OTHER_SETTINGS, LIMITED, "").is_same_or(&[], ""), 0);
}

fn firewall_outside() {
    assert_eq!(inside(FIREWALL, "", "").is_same_or(&[], ""), 0);
}

fn other_settings_shared() {
    let told = inside(OTHER_SETTINGS, "--isolation shared", "");
    let differing = told.is_same_or(&["differs"], "settings are not pinned here");
    assert!(differing > 0, "ECN alone changes every SYN: {}", told.text);
}

/// Whether what goes through a firewall of the machine's is told apart from the stack's answer
/// depends on the reader: a difference says that the loopback was shared.
fn firewall_shared() {
    let told = inside(FIREWALL, "--isolation shared", "");
    told.is_same_or(&["differs", "error"], "");
    let differs = told.lines.iter().filter(|(_, status, _)| status == "differs");
    assert!(differs.clone().count() > 0, "{}", told.text);
    assert!(differs.clone().all(|(_, _, why)| why.contains("isolation shared")), "{}", told.text);
}

/// The flood takes the CPU, the room for packets, and the ICMP errors that the kernel sends in a
/// second (net.ipv4.icmp_msgs_per_sec counts all of them): who waits for one says that the loopback
/// was shared. Nobody else may answer otherwise.
fn neighbour_floods() {
    let told = inside(FLOOD, "--isolation shared", "kill $flood;");
    let lost = ["capture overflowed", "did not get its CPU"].map(|reason| ("error", reason));
    let others = told.is_same_or_any(&[&lost[..], &[("differs", "isolation shared")]].concat());
    assert!(others < told.lines.len(), "every run lost packets: {}", told.text);
    let mut differing = told.lines.iter().filter(|(_, status, _)| status == "differs");
    assert!(differing.all(|(id, _, _)| id == ASKS_FOR_ICMP), "{}", told.text);
}
