//! What a case cannot do, whoever wrote it: a stranger's file may be run like any other.
//!
//! - It names no file, no process, no descriptor and no setting that is not its own.
//! - It asks for no more time, memory, rows or processes than the limits of the language allow.
//! - What it does to the network it does in a namespace of its own. Where it would have to share
//!   the machine's, only cases that keep to their own ports on loopback run; the others are
//!   skipped. No netlink message is sent, whatever socket it has.

#[expect(dead_code, reason = "the tests of the command line use more of it")]
#[path = "cli/support.rs"]
mod support;
#[path = "trials.rs"]
mod trials;

use std::process::{Command, ExitCode};
use support::{Folder, NOTHING, PROGRAM, is_root, json, stderr, stdout};

fn main() -> ExitCode {
    let namespaces = || (!support::namespaces()).then(|| "it needs network namespaces".to_owned());
    let root = || (!is_root()).then(|| "it needs root, for a network of its own".to_owned());
    let tools = || trials::without(&[("unshare", "util-linux"), ("ip", "iproute2")]);
    trials::run(vec![
        ("bad_case_is_refused", None, bad_case_is_refused),
        ("bomb_is_refused_at_once", None, bomb_is_refused_at_once),
        ("shared_loopback_is_kept", root().or_else(tools), shared_loopback_is_kept),
        ("kernel_gets_no_message", namespaces(), kernel_gets_no_message),
        ("nobody_else_is_reached", namespaces(), nobody_else_is_reached),
        ("suite_leaves_the_network", namespaces().or_else(root).or_else(tools), network_is_left),
        ("suite_leaves_the_files", namespaces(), files_are_left),
    ])
}

/// Steps, or keys above them, and what is said of them.
const REFUSED: &[(&str, &str)] = &[
    ("settings: {linux: {kernel.hostname: x}}\nsteps: [pause: 1ms]", "a setting of the network"),
    ("steps:\n  - host.sysctl: {vm.drop_caches: 3}", "expected a setting of the network"),
    ("steps:\n  - host.sysctl: {net.ipv4...kernel: 1}", "expected a setting of the network"),
    ("steps:\n  - host.sysctl: {net/../kernel/hostname: x}", "expected a setting of the network"),
    ("steps:\n  - init.kill: SIGKILL", "unknown process `init`"),
    ("steps:\n  - 1.kill: SIGKILL", "1.kill"),
    ("processes: {worker: [a]}\nsteps:\n  - worker.kill: 9999", "kill"),
    ("steps:\n  - a.close: {fd: 3}", "may be the harness's own"),
    ("steps:\n  - a.recv: {fd: 0, len: 9}", "may be the harness's own"),
    ("steps:\n  - a.socket: unix-stream\n  - a.bind: /etc/passwd", "is no address"),
    ("steps:\n  - a.socket: unix-stream\n  - a.bind: ../../passwd", "is no address"),
    ("steps:\n  - a.socket: unix-dgram\n  - a.sendto: {len: 1, to: /run/log}", "is no address"),
    ("steps:\n  - a.socket: tcp\n  - a.send: 10000000000", "is out of bounds"),
    ("steps:\n  - a.socket: tcp\n  - a.recv: {len: 9999999999}", "is out of bounds"),
    ("steps:\n  - a.socket: {type: tcp, times: 1000000000}", "is out of bounds"),
    ("steps:\n  - a.socket: tcp\n  - a.writev: {len: 1, iov: 1000000}", "is out of bounds"),
    (
        "steps:\n  - a.socket: tcp\n  - a.setsockopt: {level: 1, option: 32, value: 2147483647}",
        "is out of bounds",
    ),
    (
        "steps:\n  - a.socket: udp\n  - a.setsockopt: {level: 0, option: 64, value: {len: 96}}",
        "expected a number",
    ),
    ("steps:\n  - a.socket: tcp\n  - a.drop: capabilities", "unknown process `a`"),
    ("steps:\n  - pause: 999999min", "is too long"),
    ("deadline: 99999min\nsteps:\n  - pause: 1ms", "is too long"),
];

fn bad_case_is_refused() {
    for (text, told) in REFUSED {
        refused(&format!("about: x\n{text}\n"), told);
    }
    let many = |count: usize, each: &str| each.repeat(count);
    let steps = format!("about: x\nsteps:\n{}", many(65, "  - pause: 1ms\n"));
    refused(&steps, "64");
    let values = "1,".repeat(64);
    let rows = format!("matrix: {{a: [{values}], b: [{values}], c: [1, 2]}}");
    refused(&format!("about: x\n{rows}\nsteps:\n  - a.socket: tcp\n"), "4096 runs");
    let edge = format!("matrix: {{a: [{}]}}", "1,".repeat(4097));
    refused(&format!("about: x\n{edge}\nsteps:\n  - a.socket: tcp\n"), "4096 runs");
    let names: String = (0..17).map(|n| format!("p{n}: [], ")).collect();
    refused(&format!("about: x\nprocesses: {{{names}}}\nsteps:\n  - pause: 1ms\n"), "at most 16");
    refused(&format!("about: {}\nsteps:\n  - pause: 1ms\n", many(1 << 20, "x")), "1 MiB");
}

/// Small files that would take all memory or all time.
fn bomb_is_refused_at_once() {
    let levels = (1..9).map(|n| format!("l{n}: &l{n} [{}]\n", format!("*l{}, ", n - 1).repeat(9)));
    let aliases: String = std::iter::once("l0: &l0 [x]\n".to_owned()).chain(levels).collect();
    refused(&format!("about: x\n{aliases}steps:\n  - pause: 1ms\n"), "case.yaml:");
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let deep = open.repeat(9_000) + &close.repeat(9_000);
        refused(&format!("about: x\nsteps: {deep}\n"), "case.yaml:");
    }
    refused(&format!("about: x\nsteps: {}\n", "[".repeat(500_000)), "case.yaml:");
    let long = format!("about: x\nsteps:\n  - a.socket: {}\n", "9".repeat(900_000));
    refused(&long, "case.yaml:");
}

/// The case is a bad one, and why is told. (The program itself has a time limit.)
fn refused(text: &str, told: &str) {
    let folder = Folder::new();
    folder.write("case.yaml", text);
    let run = folder.sockdiff("run case.yaml").assert().code(2);
    let says = stderr(&run);
    let head: String = text.chars().take(200).collect();
    assert!(says.contains(told) && says.len() < 2_000, "{head}\n{says}");
}

/// Cases for which the machine's own loopback is not the place.
const NOT_SHARED: &[&str] = &[
    "steps:\n  - a.socket: tcp\n  - a.connect: {addr: loopback, port: 22}",
    "steps:\n  - a.socket: tcp\n  - a.bind: {addr: any, port: 80}",
    "steps:\n  - a.socket: udp\n  - a.sendto: {len: 1, to: \"198.51.100.1:9\"}",
    "steps:\n  - a.socket: tcp\n  - a.connect: \"127.0.0.1:22\"",
    "steps:\n  - a.socket: {domain: AF_INET, type: SOCK_RAW, protocol: 6}",
    "steps:\n  - a.socket: {domain: AF_INET, type: 3, protocol: 255}",
    "steps:\n  - a.socket: {domain: 16, type: 3, protocol: 0}",
    "steps:\n  - a.socket: {domain: 17, type: 3, protocol: 768}",
    "steps:\n  - a.socket: udp\n  - a.setsockopt: {SO_BINDTODEVICE: eth0}",
    "steps:\n  - a.socket: udp\n  - a.setsockopt: {level: 0, option: 50, value: 2}",
    "steps:\n  - a.socket: udp\n  - a.setsockopt: {level: 1, option: 62, value: 2}",
    "settings: {linux: {net.ipv4.tcp_sack: 0}}\nsteps:\n  - pause: 1ms",
    "steps:\n  - host.sysctl: {net.ipv4.ip_forward: 1}",
    "steps:\n  - host.route: {to: 0.0.0.0/0, type: blackhole}",
    "steps:\n  - host.link: down",
    "given: listen\nsteps:\n  - host.firewall: {reject: drop, at: in}",
    "given: established\nsteps:\n  - host.destroy: client",
    "topology: wire\nsteps:\n  - peer.send: {flags: S, to: closed-port}",
];

fn shared_loopback_is_kept() {
    let folder = Folder::new();
    for (nth, text) in NOT_SHARED.iter().enumerate() {
        folder.write(&format!("shared/c{nth}.yaml"), format!("about: x\n{text}\n"));
    }
    // In a network of its own, should any of them do something after all.
    let script = format!("ip link set lo up; exec {PROGRAM} run --isolation shared --json shared");
    let mut run = Command::new("unshare");
    run.args(["--net", "sh", "-c", &script]);
    let output = run.current_dir(folder.path()).output().expect("unshare");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let results = told["results"].as_array().expect("a list");
    assert_eq!(results.len(), NOT_SHARED.len(), "{told}");
    for result in results {
        assert_eq!(result["status"], "skipped", "{result}");
        assert_eq!(result["transcript"], "", "{result}");
    }
}

/// Neither netlink nor what leads out of a virtual machine.
fn kernel_gets_no_message() {
    let folder = Folder::new();
    let steps = "  - a.socket: {domain: 16, type: 3, protocol: 0}\n  - a.send: 16\n";
    folder.write("case.yaml", format!("about: x\nsteps:\n{steps}  - a.write: \"x\"\n"));
    let run = folder.sockdiff("run case.yaml").assert().success();
    let why = "only sockets of the internet and AF_UNIX send";
    let told = format!("a.send(16) not issued: {why}\na.write(\"x\") not issued: {why}\n");
    assert!(stdout(&run).ends_with(&told), "{}", stdout(&run));
}

/// A namespace has no way out: neither to the machine nor to the world.
fn nobody_else_is_reached() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
    let port = port.local_addr().expect("an address").port();
    let folder = Folder::new();
    let steps = format!(
        "  - a.socket: tcp\n  - a.connect: {{addr: loopback, port: {port}}}\n  - b.socket: udp\n  \
         - b.sendto: {{len: 1, to: \"198.51.100.1:9\"}}\n"
    );
    folder.write("case.yaml", format!("about: x\nsteps:\n{steps}"));
    let run = folder.sockdiff("run case.yaml").assert().success();
    let told = stdout(&run);
    assert!(
        told.contains(") = -1 ECONNREFUSED\n") && told.contains(") = -1 ENETUNREACH\n"),
        "{told}"
    );
}

/// The whole suite, firewalls and routes and all, in a network that is looked at before and after.
fn network_is_left() {
    let look = "ip -d addr; ip -d -6 route show table all; ip route show table all; ip rule; \
                find /proc/sys/net -type f -readable -exec grep -H '' {} + 2> /dev/null \
                | grep -v nf_conntrack_count | sort; nft list ruleset 2> /dev/null; true";
    let script = format!(
        "ip link set lo up; ({look}) > before; {PROGRAM} run --cases cases --expected expected \
         --update no > told 2>&1; ({look}) > after; exec cmp before after"
    );
    let folder = Folder::of_suite();
    let mut run = Command::new("unshare");
    run.args(["--net", "sh", "-c", &script]);
    let output = run.current_dir(folder.path()).output().expect("unshare");
    let told = folder.read("told");
    assert!(output.status.success(), "{}\n{told}", String::from_utf8_lossy(&output.stdout));
    assert!(folder.read("before").lines().count() > 100, "hardly anything was looked at");
    assert!(told.contains(" same"), "{told}");
}

fn files_are_left() {
    let folder = Folder::of_suite();
    let before = folder.files();
    let run = folder.sockdiff("run --update no --json unix rst/server-dies").assert();
    let told = json(&run);
    assert!(told["results"].as_array().is_some_and(|results| results.len() > 4), "{told}");
    assert_eq!(folder.touched(&before), NOTHING);
}
