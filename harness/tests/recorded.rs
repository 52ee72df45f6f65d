//! The answers that have really been recorded, and the rule by which a release finds its own.

use rstest::rstest;
use sockdiff::model::{CaseId, Release};
use sockdiff::snapshot::record::{Terms, plan};
use sockdiff::snapshot::{CaseResult, Expected, Ledger, Origin, ResultFile, Status, Store};
use std::path::Path;

fn store() -> Store {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected");
    Store::open(Expected::Folder(folder)).expect("readable")
}

/// What the release of a ledger would send in if it still answered as the files say.
fn results(store: &Store, ledger: &Ledger) -> ResultFile {
    let result = |(case, hash): (&CaseId, &String)| {
        let answer = store.find(case, &ledger.platform()).expect("readable");
        CaseResult {
            id: case.0.clone(),
            status: Status::Same,
            reason: String::new(),
            duration_ms: 0,
            case_hash: hash.clone(),
            transcript: answer.expect("what is in a ledger has an answer").body,
            events: serde_json::Value::Null,
            settled: true,
            made_again: 0,
        }
    };
    ResultFile {
        format: 1,
        platform: Origin {
            id: ledger.platform.clone(),
            release: ledger.release.to_string(),
            kernel: ledger.kernel.clone(),
            arch: ledger.arch.clone(),
            capture: ledger.capture.clone(),
            wire: ledger.wire.clone(),
            isolation: ledger.isolation.clone(),
            settings: std::collections::BTreeMap::new(),
            families: ledger.families.clone(),
        },
        cases_hash: None,
        results: ledger.cases.iter().map(result).collect(),
    }
}

/// The files are the fewest from which every release finds what its ledger vouches for: to record
/// that again changes none of them, and refuses nothing.
#[test]
fn recording_the_same_again_changes_nothing() {
    let store = store();
    for ledger in store.ledgers() {
        let results = [results(&store, ledger)];
        let cases: Vec<_> = ledger.cases.clone().into_iter().collect();
        let terms = Terms { accept: false, date: ledger.date.clone() };
        let recording = plan(&store, &results, &cases, &terms).expect("readable");
        assert_eq!(recording.refused, [], "{}", ledger.file());
        assert_eq!(recording.changes, [], "{}", ledger.file());
        assert_eq!(recording.entered.len(), ledger.cases.len(), "{}", ledger.file());
    }
}

/// Where Linux has changed its mind: the lines that only releases after this one have.
#[rstest]
#[case::rst_not_exact(
    "seg/syn-received",
    "    peer > server [R] seq nxt+100\n    server > peer [.] seq 1 ack 1\n",
    "6.1"
)]
#[case::ack_of_the_future(
    "seg/established",
    "    peer > client [.] seq 1 ack nxt+1\n    client > peer [.] seq 1 ack 1\n",
    "6.12"
)]
#[case::data_of_the_future(
    "rst/data-wrong-number",
    "ack nxt+100000 len 100\n    client > peer [.] seq 1 ack 1\n",
    "6.12"
)]
fn linux_has_changed(#[case] case: &str, #[case] lines: &str, #[case] last_without: &str) {
    let store = store();
    let case = CaseId(case.to_owned());
    let last_without = Release::parse(last_without).expect("a release");
    let (mut with, mut without) = (0, 0);
    for ledger in store.ledgers().iter().filter(|ledger| ledger.platform == "linux") {
        if !ledger.cases.contains_key(&case) {
            continue;
        }
        let answer = store.find(&case, &ledger.platform()).expect("readable").expect("recorded");
        let has = answer.body.contains(lines);
        assert_eq!(has, ledger.release > last_without, "{case} on {}", ledger.release);
        *(if has { &mut with } else { &mut without }) += 1;
    }
    assert!(with > 0 && without > 0, "{case}: {with} releases with, {without} without");
}
