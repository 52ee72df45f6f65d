//! `--wire`: both devices give the recorded transcripts.

use super::support::{Folder, met, namespaces, sockdiff, stderr};
use rstest::rstest;
use std::fs::OpenOptions;

/// A refusal, a forged reset, a rebooted peer, a path that refuses, and IPv6.
const HANDFUL: [&str; 4] = [
    "rst/half-open-syn-from-rebooted-peer",
    "rst/injected-triple-gfw",
    "rst/path-firewall-reject",
    "seg/closed",
];

#[rstest]
#[case::tun("tun")]
#[case::veth("veth")]
fn both_devices_give_the_recorded_transcripts(#[case] device: &str) {
    let tun = || OpenOptions::new().read(true).write(true).open("/dev/net/tun").is_ok();
    if !namespaces() || !met(device, device != "tun" || tun()) {
        return;
    }
    let run = format!("run --wire {device} --update no {}", HANDFUL.join(" "));
    let mut expected: String =
        HANDFUL.iter().map(|id| format!("same              {id}\n")).collect();
    expected.push_str("4 same\n");
    let run = sockdiff(&run).assert().success();
    assert_eq!(stderr(&run), "");
    run.stdout_eq(expected);
}

#[test]
fn waiting_that_the_deadline_ends_is_no_answer() {
    if !namespaces() {
        return;
    }
    let folder = Folder::new();
    let text = "about: x\ntopology: wire\ngiven: established\ndeadline: 300ms\nsteps:\n  \
                - peer.recv: {flags: ., within: 3s}\n";
    folder.write("x.yaml", text);
    let run = folder.sockdiff("run x.yaml").assert().success();
    run.stdout_eq("peer.recv(.) ...\ndeadline 300ms\n");
}
