//! `--isolation shared`: the machine's own loopback, with and without the right to see packets.

use super::support::{Folder, is_root, met, namespaces, sockdiff, stderr, stdout, unprivileged};
use snapbox::str;

/// Every case that the machine's own loopback can answer gives the answer that a namespace gave,
/// also to two processes at once.
#[test]
fn shared_loopback_gives_the_recorded_packets() {
    if !namespaces() || !met("root", is_root()) {
        return;
    }
    std::thread::scope(|scope| {
        scope.spawn(suite_on_shared_loopback);
        scope.spawn(suite_on_shared_loopback);
    });
}

fn suite_on_shared_loopback() {
    let run = sockdiff("run --isolation shared --topology loopback --update no");
    let run = run.assert().success();
    let (text, told) = (stdout(&run), stderr(&run));
    assert!(told.is_empty(), "{told}");
    let statuses = text.lines().filter(|line| line.contains('/'));
    let other: Vec<&str> = statuses
        .filter(|line| !line.starts_with("same  ") && !line.contains("need a namespace"))
        .collect();
    assert!(other.is_empty(), "{other:#?}");
    let same = text.matches("\nsame  ").count();
    assert!(same >= 40, "only {same} cases ran:\n{text}");
}

/// Refusals, resets, datagrams, a blocked call, a matrix and IPv6.
const HANDFUL: [&str; 6] = [
    "close/shut-wr-twice",
    "rst/close-unread-data",
    "rst/connect-closed-port",
    "rst/linger0-close",
    "udp/refused-server-keeps-working",
    "unix/shutdown-after-peer-close",
];

#[test]
fn shared_loopback_without_rights_compares_calls_only() {
    if !namespaces() {
        return;
    }
    let run =
        format!("run --isolation shared --update no unix/dgram-backlog {}", HANDFUL.join(" "));
    let Some(command) = unprivileged(&run) else {
        return;
    };
    let same = command.assert().success();
    assert_eq!(stderr(&same), "");
    same.stdout_eq(str![[r#"
same (calls only)  close/shut-wr-twice  (this machine sees no packets)
same (calls only)  rst/close-unread-data  (this machine sees no packets)
same (calls only)  rst/connect-closed-port  (this machine sees no packets)
same (calls only)  rst/linger0-close  (this machine sees no packets)
same (calls only)  udp/refused-server-keeps-working  (this machine sees no packets)
skipped           unix/dgram-backlog  (pinned settings need a namespace: runs share the loopback)
same (calls only)  unix/shutdown-after-peer-close  (this machine sees no packets)
6 calls only (this machine sees no packets), 1 skipped ([..])

"#]]);
    let Some(command) = unprivileged(&format!("{run} --require-all")) else {
        return;
    };
    command.assert().code(3);
}

#[test]
fn calls_only_finds_differing_calls_and_no_others() {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_suite();
    let answer = "expected/rst/connect-closed-port/linux.snap";
    folder.edit(answer, "ack 1 win 0", "ack 1 win 77");
    let run = "run --isolation shared --update no rst/connect-closed-port";
    let Some(command) = unprivileged(run) else {
        return;
    };
    command.current_dir(folder.path()).assert().success();

    folder.edit(answer, "POLLOUT|POLLHUP", "POLLHUP");
    let Some(command) = unprivileged(run) else {
        return;
    };
    let run = command.current_dir(folder.path()).assert().code(1);
    let text = stdout(&run);
    assert!(text.contains("    - client.poll() = POLLHUP\n"), "{text}");
    assert!(text.contains(", happened (calls only)\n") && !text.contains("seq"), "{text}");
}
