//! Files that are no cases: each is told with its place and what was expected, the others run, and
//! nothing is written for it.

use super::support::{Folder, ROOT, stderr, stdout};
use rstest::rstest;
use snapbox::{Assert, Data};
use std::path::Path;

/// A case that runs everywhere.
const GOOD: &str = "about: x\nsteps: [s.socket: tcp]\n";

/// A file below `bad/` of these tests, as a case `mixed/bad` beside a good one; its neighbour
/// `NAME.stderr` is what the program has to say, to the letter.
#[rstest]
#[case("alias-bomb")]
#[case("duplicate-key")]
#[case("large-send")]
#[case("list-for-text")]
#[case("malformed")]
#[case("never-created")]
#[case("no-about")]
#[case("unclosed-map")]
#[case("unknown-errno")]
#[case("unknown-key")]
#[case("unknown-option")]
#[case("unknown-socket")]
#[case("unknown-variable")]
#[case("unknown-verb")]
#[case("wrong-type")]
fn mistake_is_told_and_the_others_run(#[case] name: &str) {
    let fixtures = Path::new(ROOT).join("harness/tests/cli/bad");
    let bad = std::fs::read(fixtures.join(name).with_extension("yaml")).expect("the fixture");
    let told = told_of(&bad);
    let expected = Data::read_from(&fixtures.join(name).with_extension("stderr"), None);
    Assert::new().action_env("SNAPSHOTS").eq(told, expected);
}

#[test]
fn every_fixture_is_tested() {
    let here = include_str!("bad_input.rs");
    let fixtures = std::fs::read_dir(Path::new(ROOT).join("harness/tests/cli/bad"));
    for entry in fixtures.expect("the fixtures") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_str().expect("UTF-8");
        assert!(here.contains(&format!("#[case(\"{name}\")]")), "{}", path.display());
    }
}

#[rstest]
#[case::latin_1(
    b"about: \"caf\xe9\"\nsteps: [s.socket: tcp]\n",
    "1:12: byte 11 is not UTF-8, save the file as UTF-8"
)]
#[case::nul(b"about: \"\0\"\nsteps: [s.socket: tcp]\n", "1:")]
#[case::empty(b"", "1:1: the file is empty, expected a case: at least `about` and `steps`")]
#[case::ten_megabytes(&[b'#'; 10 << 20], "1:1: larger than 1 MiB, which no case is")]
#[case::deep(&[b'['; 9_000], "1:")]
fn unreadable_file_is_told(#[case] bad: &[u8], #[case] expected: &str) {
    let told = told_of(bad);
    let expected = format!("cases/mixed/bad.yaml:{expected}");
    assert!(told.starts_with(&expected), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

/// Runs a folder with a bad case and a good one, and returns what is said of the bad one.
fn told_of(bad: &[u8]) -> String {
    let folder = Folder::of_cases(&[("mixed/good.yaml", GOOD)]);
    folder.write("cases/mixed/bad.yaml", bad);
    let before = folder.files();
    let run = folder.sockdiff("run mixed --platform plan9-4").assert().code(2);
    assert_eq!(
        stdout(&run),
        "skipped           mixed/good  (no answers recorded for plan9 yet)\n\
         1 skipped (no answers recorded for plan9 yet), 1 bad case\n"
    );
    let pending = "expected/mixed/good/plan9.snap.new";
    assert_eq!(folder.touched(&before), [pending]);
    assert!(folder.read(pending).contains("s.socket(tcp) = fd s"));
    stderr(&run)
}

#[test]
fn two_files_with_one_id_are_both_refused() {
    let folder = Folder::of_cases(&[("good.yaml", GOOD), ("a.yaml", GOOD), ("a.yml", GOOD)]);
    let run = folder.sockdiff("run --update no").assert().code(2);
    assert!(stdout(&run).contains("1 bad case\n") && !stdout(&run).contains("  a\n"));
    assert_eq!(
        stderr(&run),
        "cases/a.yml:1:1: cases/a.yaml has the id a too, expected one file a case: rename one\n"
    );
}

#[test]
fn folder_or_name_that_cannot_be_is_told() {
    let folder = Folder::of_cases(&[("good.yaml", GOOD), ("Bad_Name.yaml", GOOD)]);
    let run = folder.sockdiff("list").assert().code(2);
    let told = stderr(&run);
    assert!(told.starts_with("cases/Bad_Name.yaml: no name for a case, expected "), "{told}");
    let run = folder.sockdiff("list --cases nowhere").assert().code(2);
    assert!(stderr(&run).starts_with("nowhere: cannot be read: "), "{}", stderr(&run));
}

#[test]
fn bad_file_outside_is_told_and_the_other_runs() {
    let folder = Folder::new();
    folder.write("good.yaml", GOOD);
    folder.write("bad.yaml", "about: x\n");
    let run = folder.sockdiff("run bad.yaml good.yaml").assert().code(2);
    assert_eq!(stderr(&run), "bad.yaml:1:1: `steps` is missing\n");
    run.stdout_eq("s.socket(tcp) = fd s\n");
}
