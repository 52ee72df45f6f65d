//! Makes the table of everything that is compared, from `expected/` and result files.
//!
//! An answer from `expected/` counts only if the release's ledger holds the case with the hash of
//! the question as it stands; a result counts with the hash that it carries, and all of them must
//! be the same question.

use super::workspace::Workspace;
use crate::model::{Case, CaseId};
use crate::report::matrix::{Column, Found, Matrix, Question, Record, Row, lay};
use crate::snapshot::{
    Answer, CaseResult, Header, Ledger, ResultFile, SnapshotError, Standing, Status, Store,
};
use crate::suite::select::select;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

mod words;

pub use words::{columns, unknown};

/// Cases named in a message.
const NAMED_MAX: usize = 5;

/// Where a column comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// What is recorded for a release.
    Ledger(Ledger),
    /// A run, told in a file.
    Results(PathBuf, ResultFile),
}

/// Why there is no table.
#[derive(Debug)]
pub enum TableError {
    /// The command line, or what it names, cannot be compared.
    Usage(String),
    /// A file is wrong or cannot be read.
    File(SnapshotError),
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableError::Usage(what) => f.write_str(what),
            TableError::File(error) => error.fmt(f),
        }
    }
}

impl From<SnapshotError> for TableError {
    fn from(error: SnapshotError) -> TableError {
        TableError::File(error)
    }
}

/// Lays the columns side by side, for the cases that `which` names (none: all). With result files
/// among the columns only what they hold is compared.
///
/// # Errors
/// A case, a word of `which` or an expected file is wrong, or the results answer other questions.
pub fn table(
    workspace: &Workspace,
    store: &Store,
    sources: &[Source],
    which: &[String],
) -> Result<Matrix, TableError> {
    let selection = select(&workspace.corpus, which).map_err(TableError::Usage)?;
    let bad: Vec<&str> = selection.ours.bad.iter().map(|bad| bad.message.as_str()).collect();
    if !bad.is_empty() {
        return Err(TableError::Usage(bad.join("\n")));
    }
    let cases: BTreeMap<&str, &Case> =
        selection.ours.cases.iter().map(|case| (case.id.0.as_str(), case)).collect();
    let results: Vec<Results> = sources.iter().filter_map(Results::of).collect();
    let ids = ids(&cases, &results, which);
    let recorded = sources.iter().any(|source| matches!(source, Source::Ledger(_)));
    same_questions(&ids, &cases, &results, recorded)?;
    let mut kernels = vec![None; sources.len()];
    let mut asked = Vec::new();
    for id in ids {
        let question = question(workspace, cases.get(id).copied(), id, &results);
        let found = found(store, sources, &results, &question.row, &mut kernels)?;
        asked.push((question, found));
    }
    let mut columns: Vec<Column> = sources.iter().zip(kernels).map(column).collect();
    words::tell_apart(&mut columns, sources);
    Ok(lay(columns, asked))
}

/// A result file, by case.
struct Results<'a> {
    /// What it is called in messages.
    shown: String,
    /// What it is called in reports.
    file: String,
    by_case: BTreeMap<&'a str, &'a CaseResult>,
    captured: bool,
}

impl<'a> Results<'a> {
    fn of(source: &'a Source) -> Option<Results<'a>> {
        let Source::Results(path, file) = source else {
            return None;
        };
        Some(Results {
            shown: path.display().to_string(),
            file: words::short(path),
            by_case: file.results.iter().map(|result| (result.id.as_str(), result)).collect(),
            captured: file.platform.capture != "none",
        })
    }

    fn hash(&self, id: &str) -> Option<&'a str> {
        let result = self.by_case.get(id).filter(|result| result.answered());
        result.map(|result| result.case_hash.as_str())
    }
}

/// The cases to compare, sorted.
fn ids<'a>(
    cases: &BTreeMap<&'a str, &'a Case>,
    results: &[Results<'a>],
    which: &[String],
) -> BTreeSet<&'a str> {
    if results.is_empty() {
        return cases.keys().copied().collect();
    }
    let told = results.iter().flat_map(|results| results.by_case.keys().copied());
    told.filter(|id| which.is_empty() || cases.contains_key(id)).collect()
}

/// Results that answer other questions than the rest cannot be compared with it.
fn same_questions(
    ids: &BTreeSet<&str>,
    cases: &BTreeMap<&str, &Case>,
    results: &[Results<'_>],
    recorded: bool,
) -> Result<(), TableError> {
    let mut others: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for id in ids {
        let mut asked = results.iter().filter_map(|one| Some((one.shown.as_str(), one.hash(id)?)));
        let ours = cases.get(id).filter(|_| recorded).map(|case| ("cases/", case.hash.as_str()));
        let Some((first, hash)) = ours.or_else(|| asked.next()) else {
            continue;
        };
        for (other, _) in asked.filter(|(_, other)| *other != hash) {
            others.entry((first, other)).or_default().push(id);
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let told = others.iter().map(|((first, other), ids)| {
        let named = ids.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
        let more = ids.len().saturating_sub(NAMED_MAX);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!(
            "{other}: not the same cases as in {first}: another version of {named}{more} was asked"
        )
    });
    let told: Vec<String> = told.collect();
    let help = "run both with the same cases, or name the cases that are the same with --case";
    Err(TableError::Usage(format!("{}\n{help}", told.join("\n"))))
}

/// The question that the answers are to; without its words if only a result file knows it.
fn question(
    workspace: &Workspace,
    case: Option<&Case>,
    id: &str,
    results: &[Results<'_>],
) -> Question {
    let asked = results.iter().find_map(|results| results.hash(id));
    match case {
        Some(case) if asked.is_none_or(|hash| hash == case.hash) => {
            Question::of(case, workspace.text(case).unwrap_or_default())
        }
        _ => {
            let id = CaseId(id.to_owned());
            let (folder, hash) = (id.folder().to_owned(), asked.unwrap_or_default().to_owned());
            Question { row: Row { id: id.0, folder, hash, ..Row::default() }, claims: Vec::new() }
        }
    }
}

/// What the columns have for a case, and on the way which kernels the ledgers' answers are from.
fn found(
    store: &Store,
    sources: &[Source],
    results: &[Results<'_>],
    row: &Row,
    kernels: &mut [Option<Answer>],
) -> Result<Vec<Found>, SnapshotError> {
    let case = CaseId(row.id.clone());
    let recorded = sources.iter().any(|source| matches!(source, Source::Ledger(_)));
    let answers = if recorded { store.answers(&case)? } else { Vec::new() };
    let mut results = results.iter();
    let mut all = Vec::new();
    for (source, kernel) in sources.iter().zip(kernels) {
        all.push(match source {
            Source::Ledger(ledger) => {
                let name = store.name_for(&case, &ledger.platform());
                let answer = answers.iter().find(|answer| Some(&answer.name) == name);
                let count = ledger.release.0.len();
                let own =
                    |answer: &&Answer| answer.recorded_on(count) == Some(ledger.release.clone());
                if kernel.is_none() {
                    *kernel = answer.filter(own).cloned();
                }
                in_ledger(ledger, &case, &row.hash, answer)
            }
            Source::Results(..) => results.next().map_or_else(nothing, |one| in_results(one, row)),
        });
    }
    Ok(all)
}

fn nothing() -> Found {
    Found::NotRecorded(String::new())
}

fn in_ledger(ledger: &Ledger, case: &CaseId, hash: &str, answer: Option<&Answer>) -> Found {
    let standing = ledger.standing(case, hash);
    match (standing, answer, ledger.skipped.get(case)) {
        (Standing::Recorded, Some(answer), _) => Found::Answer(Record {
            body: answer.body.clone(),
            captured: answer.header.captured(),
            file: format!("expected/{case}/{}", answer.name),
        }),
        (_, _, Some(reason)) => Found::Skipped(reason.clone()),
        (Standing::Stale, ..) => Found::Stale,
        _ => nothing(),
    }
}

fn in_results(results: &Results<'_>, row: &Row) -> Found {
    let Some(result) = results.by_case.get(row.id.as_str()) else {
        return nothing();
    };
    if result.answered() {
        return Found::Answer(Record {
            body: result.transcript.trim_end().replace("\r\n", "\n"),
            captured: results.captured,
            file: results.file.clone(),
        });
    }
    match result.status {
        Status::Skipped => Found::Skipped(result.reason.clone()),
        status => Found::NotRecorded(format!("{status}: {}", result.reason)),
    }
}

/// A column without its cells. The kernel of a ledger that does not tell it is that of an answer
/// which this very release has given.
fn column((source, answer): (&Source, Option<Answer>)) -> Column {
    match source {
        Source::Ledger(ledger) => {
            let told = answer.map(|answer| answer.header);
            let word = |header: &Header| {
                header.recorded_on.split(' ').nth(1).unwrap_or_default().to_owned()
            };
            let kernel = told.as_ref().map_or(String::new(), word);
            let isolation = told.map_or(String::new(), |header| header.isolation);
            let known = |own: &str, other: String| match own.is_empty() {
                true => other,
                false => own.to_owned(),
            };
            Column {
                key: ledger.platform().to_string(),
                id: ledger.platform.clone(),
                release: ledger.release.to_string(),
                kernel: known(&ledger.kernel, kernel),
                arch: ledger.arch.clone(),
                date: ledger.date.clone(),
                capture: ledger.capture.clone(),
                wire: ledger.wire.clone(),
                isolation: known(&ledger.isolation, isolation),
                fingerprint: ledger.settings.clone(),
                families: ledger.families.clone(),
                source: format!("expected/{}", ledger.file()),
                asked: ledger.cases.len(),
                ..Column::default()
            }
        }
        Source::Results(path, file) => {
            let origin = &file.platform;
            Column {
                key: origin.platform().to_string(),
                id: origin.id.clone(),
                release: origin.release.clone(),
                kernel: origin.kernel.clone(),
                arch: origin.arch.clone(),
                date: String::new(),
                capture: origin.capture.clone(),
                wire: origin.wire.clone(),
                isolation: origin.isolation.clone(),
                settings: origin.settings.clone(),
                fingerprint: origin.header(true).settings,
                families: origin.families.clone(),
                source: words::short(path),
                asked: file.results.iter().filter(|result| result.answered()).count(),
            }
        }
    }
}
