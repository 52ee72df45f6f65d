//! `cases/ARTICLES.md` held against the cases and the records, both ways: every situation of the
//! articles has a case, every case that covers a situation is listed, and every verdict is the one
//! that the recorded answers give. `cases/PROOFS.md` quotes records: they say what it quotes.

use sockdiff::model::{Case, CaseId, Platform};
use sockdiff::report::claims::{Verdict, concerns, judge};
use sockdiff::snapshot::{Answer, Expected, SnapName, Standing, Store};
use sockdiff::suite::Corpus;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Each article's letter, its name in the `source` of a claim, and how many situations it numbers.
const ARTICLES: [(char, &str, u32); 6] = [
    ('A', "TCP协议的RST标志", 17),
    ('B', "TCP的异常终止与RST报文", 8),
    ('C', "接收RST回应的几种情况", 7),
    ('D', "TCP的RST报文", 5),
    ('E', "the article with three tcpdump traces", 4),
    ('T', "the articles on RST", 11),
];

/// The platform whose verdicts the table shows.
const PLATFORM: &str = "linux";

/// One row of a table: `| A1 | what is said | [rst/a](rst/a.yaml) | holds |`.
struct Row {
    line: usize,
    situation: String,
    cases: Vec<CaseId>,
    verdict: String,
}

impl Row {
    fn read(line: usize, text: &str) -> Option<Row> {
        let cells: Vec<&str> = text.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [situation, _, cases, verdict] = cells.as_slice() else {
            panic!("cases/ARTICLES.md:{line}: four cells expected");
        };
        if !situations().contains(*situation) {
            return None;
        }
        let cases = cases.split(", ").map(|link| {
            let id = link.trim_start_matches('[').split(']').next().unwrap_or_default();
            let expected = format!("[{id}]({id}.yaml)");
            assert_eq!(link, expected, "cases/ARTICLES.md:{line}: a link to a case");
            CaseId(id.to_owned())
        });
        Some(Row {
            line,
            situation: (*situation).to_owned(),
            cases: cases.collect(),
            verdict: (*verdict).to_owned(),
        })
    }
}

fn situations() -> BTreeSet<String> {
    let numbered = |(letter, _, count): &(char, &str, u32)| {
        let letter = *letter;
        (1..=*count).map(move |number| format!("{letter}{number}"))
    };
    ARTICLES.iter().flat_map(numbered).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rows() -> Vec<Row> {
    let path = root().join("cases/ARTICLES.md");
    let text = std::fs::read_to_string(path).expect("cases/ARTICLES.md can be read");
    let lines = text.lines().enumerate();
    lines.filter_map(|(at, line)| Row::read(at + 1, line)).collect()
}

fn cases() -> BTreeMap<CaseId, Case> {
    let found = Corpus::Folder(root().join("cases")).read();
    assert_eq!(found.bad, [], "cases that cannot be read");
    found.cases.into_iter().map(|case| (case.id.clone(), case)).collect()
}

/// The newest record of a case, if it answers the question as it stands.
fn recorded(store: &Store, case: &Case) -> Option<(Platform, Answer)> {
    let ledgers = store.ledgers().iter().map(|ledger| ledger.platform());
    let newest = ledgers
        .filter(|platform| platform.id == PLATFORM)
        .max_by(|a, b| a.release.cmp(&b.release))?;
    if store.standing(&newest, &case.id, &case.hash) != Standing::Recorded {
        return None;
    }
    let answers = store.answers(&case.id).expect("expected files can be read");
    let answer = answers.into_iter().find(|answer| answer.name == SnapName::plain(PLATFORM))?;
    Some((newest, answer))
}

/// What the records say of a row: of the claims that its cases quote from the article.
fn verdict(row: &Row, cases: &BTreeMap<CaseId, Case>, store: &Store) -> &'static str {
    let letter = row.situation.chars().next();
    let title =
        ARTICLES.iter().find(|(l, ..)| Some(*l) == letter).map_or("", |(_, title, _)| title);
    let source = format!("{title}, {}", row.situation);
    let mut verdicts = Vec::new();
    for case in row.cases.iter().filter_map(|id| cases.get(id)) {
        let record = recorded(store, case);
        for claim in case.claims.iter().filter(|claim| claim.source == source) {
            match &record {
                Some((platform, answer)) if concerns(claim, platform) => {
                    verdicts.push(judge(claim, &answer.body, answer.header.captured()));
                }
                Some(_) => {}
                None => verdicts.push(Verdict::NotRecorded),
            }
        }
    }
    if verdicts.contains(&Verdict::Refuted) {
        "refuted"
    } else if verdicts.is_empty() || verdicts.contains(&Verdict::NotRecorded) {
        "not recorded"
    } else {
        "holds"
    }
}

#[test]
fn every_situation_has_a_case() {
    let listed: BTreeSet<String> = rows().into_iter().map(|row| row.situation).collect();
    let missing: Vec<String> = situations().difference(&listed).cloned().collect();
    assert!(missing.is_empty(), "not in cases/ARTICLES.md: {missing:?}");
    let cases = cases();
    for row in rows() {
        for id in &row.cases {
            let covers = cases.get(id).is_some_and(|case| case.covers.contains(&row.situation));
            let (line, situation) = (row.line, &row.situation);
            assert!(covers, "cases/ARTICLES.md:{line}: {id} does not cover {situation}");
        }
    }
}

#[test]
fn every_case_that_covers_a_situation_is_listed() {
    let rows = rows();
    for (id, case) in cases() {
        for situation in case.covers.iter().filter(|covered| !covered.contains('/')) {
            assert!(situations().contains(situation), "{id} covers {situation}, which is nothing");
            let mut of_situation = rows.iter().filter(|row| row.situation == *situation);
            let listed = of_situation.any(|row| row.cases.contains(&id));
            assert!(listed, "cases/ARTICLES.md: {id} covers {situation}, list it there");
        }
    }
}

#[test]
fn every_verdict_is_the_recorded_one() {
    let cases = cases();
    let store = Store::open(Expected::Folder(root().join("expected"))).expect("it can be read");
    let wrong: Vec<String> = rows()
        .iter()
        .filter_map(|row| {
            let right = verdict(row, &cases, &store);
            let (line, situation) = (row.line, &row.situation);
            (row.verdict != right).then(|| {
                format!(
                    "cases/ARTICLES.md:{line}: {situation} says `{}`, not `{right}`",
                    row.verdict
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "the records say otherwise:\n{}", wrong.join("\n"));
}

/// Each proof names its case in a line of its own, `[rst/a](rst/a.yaml)`, and then quotes pieces of
/// its record, with `…` between them.
#[test]
fn every_proof_is_what_is_recorded() {
    let page = std::fs::read_to_string(root().join("cases/PROOFS.md")).expect("it can be read");
    let (cases, store) = (cases(), Store::open(Expected::Folder(root().join("expected"))));
    let store = store.expect("it can be read");
    let proofs: Vec<&str> = page.split("\n## ").skip(1).collect();
    assert_eq!(proofs.len(), 10);
    for proof in proofs {
        let title = proof.lines().next().unwrap_or_default();
        let link = proof.lines().find_map(|line| line.strip_prefix('[')?.strip_suffix(".yaml)"));
        let (id, path) = link.and_then(|link| link.split_once("](")).expect("a case on its line");
        assert_eq!(id, path, "{title}");
        let case = cases.get(&CaseId(id.to_owned())).expect("a case of the suite");
        let (_, answer) = recorded(&store, case).expect("a record of the question as it stands");
        let quoted = proof.split("```\n").nth(1).expect("a quotation");
        for piece in quoted.split("…\n") {
            let piece = piece.trim_end();
            assert!(answer.body.contains(piece), "{title}: {id} has no\n{piece}");
        }
    }
}
