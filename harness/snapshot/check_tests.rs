//! Folders with one thing wrong in each.

use super::super::header::Header;
use super::super::testing::{Folder, HASH, header, snap};
use super::*;
use rstest::rstest;

fn cases() -> Vec<(CaseId, String)> {
    ["rst/closed", "rst/other"].map(|id| (CaseId(id.to_owned()), HASH.to_owned())).to_vec()
}

fn ledger(cases: &str) -> String {
    format!(
        "release: \"6.18\"\narch: x86_64\ndate: 2026-11-20\ncapture: raw sockets\nwire: tun\n\
         settings: \"cbf29ce484222325\"\nfamilies: [4, 6]\ncases:\n{cases}"
    )
}

/// A folder in which nothing is wrong.
fn good() -> Folder {
    let folder = Folder::new();
    folder.write("rst/closed/linux.snap", snap("6.18", "a() = 0"));
    folder.write("rst/other/linux.snap", snap("6.18", "b() = 0"));
    let lines = format!("  rst/closed: \"{HASH}\"\n  rst/other: \"{HASH}\"\n");
    folder.write("ledger/linux-6.18.yaml", ledger(&lines));
    folder.write("LICENSE", "CC0");
    folder.write("NOTES.md", "a note");
    folder
}

fn found(folder: &Folder) -> Vec<String> {
    let root = format!("{}/", folder.path().display()).replace('\\', "/");
    let tell = |finding: &Finding| {
        let mark = if finding.fault { "fault" } else { "note" };
        format!("{mark} {}", finding.to_string().replace('\\', "/").replace(&root, ""))
    };
    check(&folder.store(), &cases()).iter().map(tell).collect()
}

#[test]
fn nothing_is_wrong() {
    assert_eq!(found(&good()), [""; 0]);
}

#[rstest]
#[case::orphan("rst/gone/linux.snap", "fault rst/gone/linux.snap: there is no case rst/gone")]
#[case::stray("rst/closed/notes.txt", "fault rst/closed/notes.txt: neither an expected file")]
#[case::at_the_root("linux.snap", "fault linux.snap: neither")]
#[case::among_ledgers("ledger/linux.snap", "fault ledger/linux.snap: neither")]
#[case::draft("rst/closed/.linux.snap.1.tmp", "fault rst/closed/.linux.snap.1.tmp: neither")]
#[case::licence_of_a_case("rst/closed/LICENSE", "fault rst/closed/LICENSE: 'L' in the name")]
#[case::capitals("rst/closed/Linux.snap", "fault rst/closed/Linux.snap: 'L' in the name")]
#[case::device("rst/closed/nul.snap", "fault rst/closed/nul.snap: `nul` is a device")]
#[case::no_name("rst/closed/linux-6x-.snap", "fault rst/closed/linux-6x-.snap: no platform")]
#[case::pending("rst/closed/linux.snap.new", "note rst/closed/linux.snap.new: waits for review")]
#[case::neighbours(
    "rst/closed/linux-6.12.snap",
    "fault rst/closed/linux-6.12.snap: the same answer as the next release's (linux.snap)"
)]
fn file_too_many(#[case] file: &str, #[case] wanted: &str) {
    let folder = good();
    if !folder.takes(file, snap("6.12", "a() = 0")) {
        eprintln!("skipped: this file system has no place for {file} beside the others");
        return;
    }
    let found = found(&folder);
    assert!(found[0].starts_with(wanted), "{found:?}");
}

#[test]
fn long_names() {
    assert!(unportable(&"a".repeat(65)).is_some_and(|what| what.contains("at most 64")));
    assert!(unportable(&"a/".repeat(81)).is_some_and(|what| what.contains("at most 160")));
}

#[test]
fn broken_file_has_its_line() {
    let folder = good();
    folder.write("rst/closed/linux.snap", snap("6.18", "a() = 0\n>>>>>>> theirs"));
    let found = found(&folder);
    assert!(found[0].starts_with("fault rst/closed/linux.snap:10: a merge conflict"), "{found:?}");
}

#[test]
fn newest_has_the_plain_name() {
    let folder = good();
    folder.write("rst/closed/gvisor-20240729.snap", {
        let header = Header { recorded_on: "gvisor 20240729 x86_64".to_owned(), ..header("6.18") };
        header.file_text("a() = 0")
    });
    assert_eq!(
        found(&folder),
        [
            "fault rst/closed/gvisor-20240729.snap: the newest answer, but not called \
             gvisor.snap: rename it",
            "note ledger: answers of gvisor, but no ledger: use `sockdiff record`",
        ]
    );
}

#[test]
fn header_must_fit() {
    let folder = good();
    folder.write("rst/closed/macos.snap", snap("6.18", "a() = 0"));
    let found = found(&folder);
    let wanted = "fault rst/closed/macos.snap: recorded on linux, which is another platform";
    assert_eq!(found[0], wanted);
}

#[test]
fn ledger_is_held_against_the_cases() {
    let folder = good();
    let lines = format!("  rst/closed: \"{}\"\n  rst/gone: \"{HASH}\"\n", "f".repeat(16));
    folder.write("ledger/linux-6.18.yaml", ledger(&lines));
    assert_eq!(
        found(&folder),
        [
            "fault ledger/linux-6.18.yaml:10: there is no case rst/gone: delete its line",
            "note ledger/linux-6.18.yaml: 1 stale: rst/closed",
            "note ledger/linux-6.18.yaml: 1 not recorded: rst/other",
        ]
    );
}

#[test]
fn skips_are_told_apart_from_what_nobody_asked() {
    let folder = good();
    let lines = "skipped:\n  rst/closed: \"no nft\"\n  rst/gone: \"no nft\"\n";
    folder.write("ledger/linux-6.18.yaml", ledger(lines));
    assert_eq!(
        found(&folder),
        [
            "fault ledger/linux-6.18.yaml:11: there is no case rst/gone: delete its line",
            "note ledger/linux-6.18.yaml: 1 skipped there: rst/closed",
            "note ledger/linux-6.18.yaml: 1 not recorded: rst/other",
        ]
    );
}

#[rstest]
#[case::one(1, "1 not recorded: c/0")]
#[case::as_many_as_are_named(8, "8 not recorded: c/0, c/1, c/2, c/3, c/4, c/5, c/6, c/7")]
#[case::more(10, "10 not recorded: c/0, c/1, c/2, c/3, c/4, c/5, c/6, c/7 and 2 more")]
fn many_missing_cases_are_counted(#[case] count: usize, #[case] told: &str) {
    let folder = Folder::new();
    folder.write("ledger/linux-6.18.yaml", ledger(""));
    let cases: Vec<_> = (0..count).map(|at| (CaseId(format!("c/{at}")), String::new())).collect();
    let found = check(&folder.store(), &cases);
    assert!(found.iter().any(|finding| finding.what == told), "{found:?}");
}

#[test]
fn what_is_entered_must_exist() {
    let folder = good();
    std::fs::remove_file(folder.path().join("rst/other/linux.snap")).expect("removable");
    assert_eq!(
        found(&folder),
        ["fault ledger/linux-6.18.yaml: rst/other is entered, but there is no answer: record it"]
    );
}

#[test]
fn cases_have_portable_names() {
    let cases = ["ledger/a", "rst/aux", "rst/Up"].map(|id| (CaseId(id.to_owned()), String::new()));
    let folder = Folder::new();
    let found = check(&folder.store(), &cases);
    let told: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
    assert!(told[0].starts_with("`ledger` is the folder"), "{told:?}");
    assert!(told[1].starts_with("`aux` is a device"), "{told:?}");
    assert!(told[2].starts_with("case names are lower-case"), "{told:?}");
}
