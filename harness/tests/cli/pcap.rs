//! `run --pcap`: the packets of a case, as other programs read them.

use super::support::{Folder, met, namespaces, stderr, stdout};
use snapbox::cmd::Command;

const CASE: &str = "rst/close-unread-data";
const OUTSIDE: &str = "about: of my own\ngiven: established\nsteps:\n  - client.close\n";

/// What a program says of a file; none where it is not installed, which is told.
fn read_by(folder: &Folder, program: &str, arguments: &[&str]) -> Option<String> {
    met(program, which::which(program).is_ok()).then(|| {
        let command = Command::new(program).args(arguments).current_dir(folder.path());
        stdout(&command.assert().success())
    })
}

#[test]
fn other_programs_read_the_packets() {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_suite();
    folder.sockdiff(&format!("run --pcap deep/er {CASE}")).assert().success();
    let file = format!("deep/er/{CASE}.pcapng");
    assert!(folder.exists(&file));
    if let Some(text) = read_by(&folder, "tcpdump", &["-nr", &file]) {
        let resets = |family| {
            let of_family = move |line: &&str| line.contains(family) && line.contains("[R.]");
            text.lines().filter(of_family).count()
        };
        // One in each of three rows.
        assert_eq!([resets(" IP "), resets(" IP6 ")], [3, 3], "{text}");
        assert!(!text.contains("bad") && !text.contains("truncated"), "{text}");
    }
    let fields = ["-r", &file, "-T", "fields", "-e", "ipv6.dst", "-e", "frame.comment"];
    if let Some(text) = read_by(&folder, "tshark", &fields) {
        let (step, run) = ("::1\tstep 5, line ", ": conn.close() [sizes=[5000,4096] ipv6]");
        let is_close = |line: &str| line.starts_with(step) && line.ends_with(run);
        assert!(text.lines().any(is_close), "{text}");
    }
}

#[test]
fn cases_outside_the_suite_leave_their_packets_too() {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_cases(&[]);
    folder.write("mine.yaml", OUTSIDE);
    folder.sockdiff("run mine.yaml --pcap .").assert().success();
    if let Some(text) = read_by(&folder, "tcpdump", &["-nr", "mine.pcapng"]) {
        assert!(text.contains("[F.]"), "{text}");
    }
}

#[test]
fn unwritable_folder_is_an_error_of_the_case() {
    let folder = Folder::of_cases(&[]);
    folder.write("mine.yaml", OUTSIDE);
    folder.write("file", "");
    let run = folder.sockdiff("run mine.yaml --pcap file").assert().failure();
    let text = stderr(&run);
    assert!(text.contains("mine.pcapng: cannot be written"), "{text}");
}
