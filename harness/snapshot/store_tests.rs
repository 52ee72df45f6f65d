//! Which file a release uses, and what cannot be read.

use super::super::testing::{Folder, snap};
use super::*;
use rstest::rstest;

fn case() -> CaseId {
    CaseId("rst/closed".to_owned())
}

fn platform(id: &str, release: &str) -> Platform {
    Platform { id: id.to_owned(), release: Release::parse(release).expect("a release") }
}

fn folder(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    for (name, body) in files {
        folder.write(&format!("rst/closed/{name}"), snap("6.18", body));
    }
    folder
}

#[rstest]
#[case("5.10", Some("linux-6.1.snap"))]
#[case("6.1", Some("linux-6.1.snap"))]
#[case("6.1.55", Some("linux-6.1.snap"))]
#[case("6.2", Some("linux-6.12.snap"))]
#[case("6.12", Some("linux-6.12.snap"))]
#[case("6.13", Some("linux.snap"))]
#[case("7.0", Some("linux.snap"))]
fn release_uses_lowest_not_below(#[case] release: &str, #[case] file: Option<&str>) {
    let files = ["linux.snap", "linux-6.12.snap", "linux-6.1.snap", "rhel-9.snap"];
    let folder = folder(&files.map(|file| (file, "a() = 0")));
    let store = folder.store();
    let name = store.name_for(&case(), &platform("linux", release));
    assert_eq!(name.map(SnapName::to_string).as_deref(), file);
}

#[test]
fn stable_update_may_have_its_own_file() {
    let folder = folder(&[("linux-6.1.55.snap", "a() = 0"), ("linux-6.1.snap", "a() = 1")]);
    let store = folder.store();
    let found = |release| store.find(&case(), &platform("linux", release)).expect("readable");
    assert_eq!(found("6.1.54").expect("a file").body, "a() = 0");
    assert_eq!(found("6.1.56").expect("a file").body, "a() = 1");
    assert_eq!(found("6.2"), None);
}

#[test]
fn vendor_is_a_platform_of_its_own() {
    let folder = folder(&[("rhel-9.snap", "a() = 9"), ("rhel-9-5.14.snap", "a() = 5")]);
    let store = folder.store();
    let found = |id, release| store.find(&case(), &platform(id, release)).expect("readable");
    assert_eq!(found("rhel-9", "5.14").expect("a file").body, "a() = 5");
    assert_eq!(found("rhel-9", "6.12").expect("a file").body, "a() = 9");
    assert_eq!(found("rhel", "8"), None);
    assert!(store.has_platform("rhel-9"));
    assert!(!store.has_platform("rhel"));
}

#[test]
fn no_fallback_between_systems() {
    let store_folder = folder(&[("linux.snap", "a() = 0")]);
    let store = store_folder.store();
    assert_eq!(store.find(&case(), &platform("macos", "15")).expect("readable"), None);
    assert!(!store.has_platform("macos"));
}

#[test]
fn equal_answers_are_named() {
    let folder = folder(&[
        ("linux.snap", "a() = 0"),
        ("linux-6.12.snap", "a() = 1\n    a > b [S]"),
        ("gvisor.snap", "a() = 1\n    a > b [S]"),
    ]);
    let store = folder.store();
    let equal = |body, captured| store.equal_to(&case(), "linux", body, captured);
    assert_eq!(
        equal("a() = 1\n    a > b [S]\n", true).expect("readable"),
        ["linux-6.12", "gvisor"]
    );
    assert_eq!(equal("a() = 1", false).expect("readable"), ["linux-6.12", "gvisor"]);
    assert_eq!(equal("a() = 1", true).expect("readable"), [""; 0]);
}

/// An answer that is to be reviewed must not take the place of a newer release's.
#[rstest]
#[case::newest("linux.snap", "6.18", "linux.snap")]
#[case::newer("linux.snap", "6.19", "linux.snap")]
#[case::older_than_the_header("linux.snap", "6.12", "linux-6.12.snap")]
#[case::older_than_a_file("linux-6.15.snap", "6.12", "linux-6.12.snap")]
#[case::newer_than_a_file("linux-6.15.snap", "6.16", "linux.snap")]
#[case::first("gvisor.snap", "6.12", "linux.snap")]
fn pending_file_is_called(#[case] file: &str, #[case] release: &str, #[case] wanted: &str) {
    let folder = folder(&[(file, "a() = 0")]);
    let name = folder.store().pending_name(&case(), &platform("linux", release));
    assert_eq!(name.expect("readable").to_string(), wanted);
}

#[test]
fn embedded_answers_are_found() {
    let text: &'static str = Box::leak(snap("6.18", "a() = 0").into_boxed_str());
    let files: &'static [_] = Box::leak(Box::new([("rst/closed/linux.snap", text)]));
    let store = Store::open(Expected::Embedded(files)).expect("a store");
    let found = store.find(&case(), &platform("linux", "6.12")).expect("readable");
    assert_eq!(found.expect("a file").body, "a() = 0");
}

#[test]
fn broken_files_name_file_and_line() {
    let folder = folder(&[]);
    folder.write("rst/closed/linux.snap", b"---\ninfo:\n  a\xff: b\n");
    let error = folder.store().find(&case(), &platform("linux", "6.18"));
    let message = error.expect_err("not UTF-8").to_string();
    assert!(message.contains("linux.snap:3: not UTF-8"), "{message}");
}

#[test]
fn missing_folder_is_an_empty_store() {
    let folder = Folder::new();
    let store = Store::open(Expected::Folder(folder.path().join("none"))).expect("a store");
    assert!(store.cases().is_empty());
}

/// A later run under other settings confirms an answer without rewriting its file.
#[rstest]
#[case::as_confirmed("520c33fabc819be6", true)]
#[case::otherwise("0123456789abcdef", false)]
fn ledger_tells_what_was_pinned(#[case] fingerprint: &str, #[case] confirmed: bool) {
    let folder = folder(&[("linux.snap", "a() = 0"), ("linux-6.12.snap", "a() = 1")]);
    let ledger = |release: &str, settings: &str| {
        format!(
            "release: \"{release}\"\nkernel: \"{release}.1\"\narch: x86_64\ndate: 2026-11-20\n\
             capture: raw sockets\nwire: tun\nisolation: netns\nsettings: \"{settings}\"\n\
             families: [4]\ncases:\n  rst/closed: \"4b0ada320405ffe3\"\nskipped:\n"
        )
    };
    folder.write("ledger/linux-6.18.yaml", ledger("6.18", "520c33fabc819be6"));
    folder.write("ledger/linux-6.12.yaml", ledger("6.12", "0123456789abcdef"));
    let store = folder.store();
    let name = store.name_for(&case(), &platform("linux", "6.18")).expect("a file");
    assert_eq!(store.is_confirmed_under(&case(), name, fingerprint), confirmed);
}
