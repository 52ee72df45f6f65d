//! A case that hangs in each call that can wait: it ends at its deadline, and keeps nobody else.

use super::support::{Folder, json, until};
use std::time::{Duration, Instant};

/// A call that waits longer than its case may take, and the last line but one that tells it.
const HANGS: [(&str, &str, &str); 12] = [
    ("accept", "given: listen\nsteps:\n  - server.accept", "server.accept()"),
    (
        "connect",
        "topology: wire\nsteps:\n  - a.socket: tcp\n  - a.connect: peer",
        "a.connect(peer)",
    ),
    ("recv", "given: established\nsteps:\n  - client.recv: 1", "client.recv(1)"),
    (
        "recvfrom",
        "steps:\n  - a.socket: udp\n  - a.bind: loopback\n  - a.recvfrom: 1",
        "a.recvfrom(1)",
    ),
    (
        "send",
        "given: established\nsteps:\n  - client.setsockopt: {SO_SNDBUF: 4096}\n  \
         - client.send: 1048576",
        "client.send(1048576)",
    ),
    (
        "poll",
        "given: established\nsteps:\n  - client.poll: {events: POLLIN, timeout: 50s}",
        "client.poll",
    ),
    ("select", "given: listen\nsteps:\n  - server.select: 50s", "server.select(50s)"),
    (
        "epoll",
        "given: established\nsteps:\n  - ep.epoll_create\n  \
         - ep.epoll_ctl: {add: client, events: EPOLLIN}\n  - ep.epoll_wait: 50s",
        "ep.epoll_wait(50s)",
    ),
    (
        "linger",
        "topology: wire\ngiven: established\nsteps:\n  \
         - client.setsockopt: {SO_LINGER: {onoff: 1, linger: 50}}\n  - client.send: 10\n  \
         - client.close",
        "client.close()",
    ),
    (
        "unix",
        "steps:\n  - a.socket: unix-stream\n  - a.bind: \"@a\"\n  - a.listen: 1\n  - a.accept",
        "a.accept()",
    ),
    (
        "wait",
        "given: listen\nprocesses: {worker: [server]}\nsteps:\n  - worker.wait",
        "worker.wait() = still running",
    ),
    (
        "inside",
        "given: listen\nprocesses: {worker: [server]}\nsteps:\n  - server.accept",
        "server.accept()",
    ),
];
/// How long one of them may take.
const DEADLINE: &str = "patience: 20s\ndeadline: 1s\n";
/// All of them together: they wait side by side, whatever else the machine does.
const TOGETHER_MAX: Duration = Duration::from_secs(20);

pub fn calls_end_with_the_case() {
    let cases: Vec<(String, String)> = HANGS
        .iter()
        .map(|(name, steps, _)| {
            let (head, steps) = steps.split_once("steps:").expect("steps");
            (format!("hang/{name}.yaml"), format!("about: x\n{head}{DEADLINE}steps:{steps}\n"))
        })
        .collect();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let folder = Folder::of_cases(&cases);
    let began = Instant::now();
    let run = folder.sockdiff("run --json --update no").assert();
    let took = began.elapsed();
    let told = json(&run);
    let results = told["results"].as_array().expect("a list");
    assert_eq!(results.len(), HANGS.len(), "{}", super::support::stderr(&run));
    for (name, _, call) in HANGS {
        let id = format!("hang/{name}");
        let result = results.iter().find(|result| result["id"] == id).expect("its result");
        let transcript = result["transcript"].as_str().expect("text");
        let ended = ["still blocked", "still running"].iter().any(|end| transcript.contains(end));
        assert!(transcript.contains(call) && ended, "{name}:\n{transcript}");
    }
    assert!(took < TOGETHER_MAX, "{took:?}");
    until("no process is left", || super::left(&folder).is_empty().then_some(()));
}
