//! Result files are taken into a folder, one after another.

use super::super::results::Status;
use super::super::testing::{Folder, HASH, results, snap};
use super::*;
use rstest::rstest;

const CASE: &str = "rst/closed";

fn cases() -> Vec<(CaseId, String)> {
    vec![(CaseId(CASE.to_owned()), HASH.to_owned())]
}

fn record(folder: &Folder, results: &[ResultFile], accept: bool) -> Recording {
    let store = folder.store();
    let terms = Terms { accept, date: "2026-11-20".to_owned() };
    let recording = plan(&store, results, &cases(), &terms).expect("readable");
    recording.apply(&store).expect("writable");
    recording
}

fn files(folder: &Folder) -> Vec<String> {
    let store = folder.store();
    store.files().to_vec()
}

#[test]
fn first_record_is_pending_then_accepted_then_entered() {
    let folder = Folder::new();
    let answers = [results("6.18", &[(CASE, "a() = 0\n")])];
    record(&folder, &answers, false);
    assert_eq!(files(&folder), ["rst/closed/linux.snap.new"]);
    let pending = folder.path().join("rst/closed/linux.snap.new");
    fs::rename(&pending, pending.with_extension("")).expect("accepted");
    let again = record(&folder, &answers, false);
    assert_eq!(again.changes, []);
    assert_eq!(files(&folder), ["ledger/linux-6.18.yaml", "rst/closed/linux.snap"]);
    assert!(folder.read("ledger/linux-6.18.yaml").contains(HASH));
    let third = record(&folder, &answers, false);
    assert_eq!(third.ledgers, [], "nothing new, nothing written");
}

#[test]
fn newer_release_moves_the_old_answer() {
    let folder = Folder::new();
    record(&folder, &[results("6.12", &[(CASE, "a() = 0")])], true);
    record(&folder, &[results("6.18", &[(CASE, "a() = 1")])], true);
    assert_eq!(
        files(&folder),
        [
            "ledger/linux-6.12.yaml",
            "ledger/linux-6.18.yaml",
            "rst/closed/linux-6.12.snap",
            "rst/closed/linux.snap"
        ]
    );
    assert!(folder.read("rst/closed/linux-6.12.snap").contains("a() = 0"));
    assert!(folder.read("rst/closed/linux.snap").contains("a() = 1"));
}

#[test]
fn what_waits_for_review_is_decided_first() {
    let folder = Folder::new();
    let of = |release, answer| [results(release, &[(CASE, answer)])];
    record(&folder, &of("6.18", "a() = 0"), true);
    record(&folder, &of("6.19", "a() = 1"), false);
    let arranged =
        ["ledger/linux-6.18.yaml", "rst/closed/linux-6.18.snap", "rst/closed/linux.snap.new"];
    assert_eq!(files(&folder), arranged);
    let recording = record(&folder, &of("6.18", "a() = 0"), true);
    assert_eq!(
        recording.refused[0].reason,
        "linux.snap.new waits for review: accept or reject it first"
    );
    assert_eq!(files(&folder), arranged);
    record(&folder, &of("6.19", "a() = 0"), false);
    assert_eq!(
        files(&folder),
        ["ledger/linux-6.18.yaml", "ledger/linux-6.19.yaml", "rst/closed/linux.snap"],
        "the release has changed its mind"
    );
}

#[test]
fn several_releases_at_once() {
    let folder = Folder::new();
    let releases = [("6.18", "a() = 1"), ("5.10", "a() = 0"), ("6.12", "a() = 1")];
    let results = releases.map(|(release, answer)| results(release, &[(CASE, answer)]));
    let recording = record(&folder, &results, true);
    assert_eq!(recording.entered.len(), 3);
    assert!(folder.exists("rst/closed/linux-5.10.snap"));
    assert!(folder.exists("rst/closed/linux.snap"));
    assert_eq!(files(&folder).len(), 5);
}

#[rstest]
#[case::other_question("case_hash", "recorded for another version of the question: run it again")]
#[case::no_such_case("id", "no such case here")]
#[case::flaky("status", "no settled answer: differs from itself")]
fn refused(#[case] what: &str, #[case] reason: &str) {
    let folder = Folder::new();
    let mut file = results("6.18", &[(CASE, "a() = 0")]);
    let result = &mut file.results[0];
    match what {
        "case_hash" => result.case_hash = "f".repeat(16),
        "id" => result.id = "rst/other".to_owned(),
        _ => {
            result.status = Status::Flaky;
            result.reason = "differs from itself".to_owned();
        }
    }
    let recording = record(&folder, &[file], true);
    assert_eq!(recording.refused[0].reason, reason);
    assert_eq!(files(&folder), [""; 0]);
}

#[test]
fn results_of_one_release_must_agree() {
    let folder = Folder::new();
    let first = results("6.18", &[(CASE, "a() = 0")]);
    let second = results("6.18", &[(CASE, "a() = 1")]);
    let recording = record(&folder, &[first, second], true);
    assert!(recording.refused[0].reason.contains("disagree"));
    assert!(folder.read("rst/closed/linux.snap").contains("a() = 0"));
}

#[test]
fn calls_only_does_not_enter_a_ledger_with_packets() {
    let folder = Folder::new();
    let full = results("6.18", &[(CASE, "a() = 0\n    a > b [S]")]);
    record(&folder, std::slice::from_ref(&full), true);
    let mut blind = results("6.18", &[(CASE, "a() = 1")]);
    blind.platform.capture = "none".to_owned();
    let recording = record(&folder, &[blind.clone()], true);
    assert!(recording.refused[0].reason.contains("what is recorded has packets"));
    assert!(folder.read("rst/closed/linux.snap").contains("[S]"));
    blind.results[0].transcript = "a() = 0".to_owned();
    let recording = record(&folder, &[blind.clone()], true);
    assert_eq!((recording.ledgers.len(), recording.refused.len()), (0, 0), "known already");
    let ledger = folder.read("ledger/linux-6.18.yaml");
    folder.write("ledger/linux-6.18.yaml", ledger.replace(HASH, "ffffffffffffffff"));
    let recording = record(&folder, &[blind], true);
    assert!(recording.refused[0].reason.contains("the ledger of this release has packets"));
    assert_eq!((recording.ledgers.len(), recording.entered.len()), (0, 0));
}

#[test]
fn calls_only_ledger_begins_anew_with_packets() {
    let folder = Folder::new();
    let mut blind = results("6.18", &[(CASE, "a() = 0")]);
    blind.platform.capture = "none".to_owned();
    record(&folder, &[blind], true);
    assert!(folder.read("ledger/linux-6.18.yaml").contains("capture: none"));
    record(&folder, &[results("6.18", &[(CASE, "a() = 0\n    a > b [S]")])], true);
    assert!(folder.read("ledger/linux-6.18.yaml").contains("capture: raw sockets"));
    assert!(folder.read("rst/closed/linux.snap").contains("[S]"));
}

/// A result of the one case that could not be asked.
fn skipped(release: &str) -> ResultFile {
    let mut file = results(release, &[(CASE, "")]);
    file.results[0].status = Status::Skipped;
    file.results[0].reason = "needs \"nft\"".to_owned();
    file
}

#[test]
fn skips_are_entered_until_there_is_an_answer() {
    let folder = Folder::new();
    record(&folder, &[skipped("6.18")], true);
    assert_eq!(files(&folder), [""; 0], "a release without answers has no ledger");
    let other = CaseId("rst/other".to_owned());
    let both = [cases(), vec![(other, HASH.to_owned())]].concat();
    let mut file = skipped("6.18");
    file.results.extend(results("6.18", &[("rst/other", "a() = 0")]).results);
    let terms = Terms { accept: true, date: today() };
    let take = |file: &ResultFile| {
        let store = folder.store();
        let plan = plan(&store, std::slice::from_ref(file), &both, &terms).expect("readable");
        plan.apply(&store).expect("writable");
        folder.read("ledger/linux-6.18.yaml")
    };
    let entry = "\nskipped:\n  rst/closed: \"needs 'nft'\"\n";
    assert!(take(&file).ends_with(entry));
    let answered = take(&results("6.18", &[(CASE, "a() = 0")]));
    assert!(!answered.contains("skipped") && answered.contains("  rst/closed: \""), "{answered}");
    assert!(!take(&skipped("6.18")).contains("skipped"), "an answer outranks a skip");
}

#[test]
fn broken_expected_file_stops_everything() {
    let folder = Folder::new();
    folder.write("rst/closed/linux.snap", snap("6.18", "<<<<<<< HEAD"));
    let terms = Terms { accept: true, date: today() };
    let results = [results("6.18", &[(CASE, "a() = 0")])];
    let error = plan(&folder.store(), &results, &cases(), &terms).expect_err("broken");
    assert!(error.to_string().contains("merge conflict"), "{error}");
}

#[rstest]
#[case(0, "1970-01-01")]
#[case(58, "1970-02-28")]
#[case(11_016, "2000-02-29")]
#[case(11_017, "2000-03-01")]
#[case(20_777, "2026-11-20")]
#[case(47_541, "2100-03-01")]
fn dates(#[case] days: u64, #[case] wanted: &str) {
    assert_eq!(date(days), wanted);
}
