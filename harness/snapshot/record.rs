//! Takes result files into `expected/`: pending answers, names that move, and the ledgers.
//!
//! The only thing that renames expected files. [`plan`] looks and decides, [`Recording::apply`]
//! writes.

use super::error::SnapshotError;
use super::filename::SnapName;
use super::ledger::{Ledger, Standing, one_line};
use super::pending::{pending_path, write_file, write_snapshot, writing};
use super::plan::{self, Change, Fresh, Known};
use super::results::{CaseResult, Origin, ResultFile, Status};
use super::store::{Expected, Store};
use crate::model::{CaseId, Platform, Release};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// What results change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recording {
    /// The changes to expected files, in the order in which they are made.
    pub changes: Vec<(CaseId, Change)>,
    /// The ledgers that get new text.
    pub ledgers: Vec<Ledger>,
    /// The answers that these ledgers vouch for.
    pub entered: Vec<(Platform, CaseId)>,
    /// The results that are not taken.
    pub refused: Vec<Refusal>,
}

/// A result that is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Whose result.
    pub platform: Platform,
    /// For which case.
    pub case: CaseId,
    /// A lower-case fragment.
    pub reason: String,
}

/// How results are taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Write what is new or differs at once, instead of leaving it for review.
    pub accept: bool,
    /// The date for the ledgers: [`today`].
    pub date: String,
}

/// Plans what results change. `cases` are all cases with the present hashes of their questions.
///
/// # Errors
/// An expected file of one of these cases cannot be read.
pub fn plan(
    store: &Store,
    results: &[ResultFile],
    cases: &[(CaseId, String)],
    terms: &Terms,
) -> Result<Recording, SnapshotError> {
    let mut recording = Recording::default();
    let fresh = collect(results, cases, &mut recording.refused);
    let platforms: BTreeSet<&str> = results.iter().map(|r| r.platform.id.as_str()).collect();
    for platform in platforms {
        for (case, hash) in cases {
            let fresh = fresh.get(&(platform, case));
            let fresh = fresh.map_or(&[][..], Vec::as_slice);
            one_case(store, platform, (case, hash), fresh, terms, &mut recording)?;
        }
    }
    recording.ledgers = ledgers(store, results, cases, &mut recording, &terms.date);
    Ok(recording)
}

type Collected<'a> = BTreeMap<(&'a str, &'a CaseId), Vec<Fresh>>;

/// The answers that count, by platform and case, the oldest release first.
fn collect<'a>(
    results: &'a [ResultFile],
    cases: &'a [(CaseId, String)],
    refused: &mut Vec<Refusal>,
) -> Collected<'a> {
    let cases: BTreeMap<&str, (&CaseId, &str)> =
        cases.iter().map(|(case, hash)| (case.0.as_str(), (case, hash.as_str()))).collect();
    let mut collected = Collected::new();
    for file in results {
        let platform = file.platform.platform();
        for result in file.results.iter().filter(|result| !result.transcript.trim().is_empty()) {
            let known = cases.get(result.id.as_str());
            let taken = asked(result, known.map(|(_, hash)| *hash)).and_then(|()| {
                let Some((case, _)) = known else {
                    return Ok(());
                };
                let same = collected.entry((&file.platform.id, case)).or_default();
                add(same, fresh(&file.platform, &platform.release, result))
            });
            if let Err(reason) = taken {
                let (platform, case) = (platform.clone(), result.case());
                refused.push(Refusal { platform, case, reason });
            }
        }
    }
    for answers in collected.values_mut() {
        answers.sort_by(|a, b| a.release.cmp(&b.release));
    }
    collected
}

/// Whether a result answers a question that is asked here.
fn asked(result: &CaseResult, hash: Option<&str>) -> Result<(), String> {
    if !result.answered() {
        return Err(format!("no settled answer: {}", result.reason));
    }
    match hash {
        None => Err("no such case here".to_owned()),
        Some(hash) if hash != result.case_hash => {
            Err("recorded for another version of the question: run it again".to_owned())
        }
        Some(_) => Ok(()),
    }
}

fn fresh(origin: &Origin, release: &Release, result: &CaseResult) -> Fresh {
    Fresh {
        release: release.clone(),
        header: origin.header(result.settled),
        body: result.transcript.clone(),
    }
}

/// Of two answers of one release the one with packets counts; else they must be equal.
fn add(answers: &mut Vec<Fresh>, new: Fresh) -> Result<(), String> {
    let Some(old) = answers.iter_mut().find(|old| old.release == new.release) else {
        answers.push(new);
        return Ok(());
    };
    match (old.header.captured(), new.header.captured()) {
        (false, true) => *old = new,
        (true, false) => {}
        _ if old.body.trim_end() == new.body.trim_end() => {}
        _ => return Err("two results of this release disagree: the first one counts".to_owned()),
    }
    Ok(())
}

fn one_case(
    store: &Store,
    platform: &str,
    (case, hash): (&CaseId, &str),
    fresh: &[Fresh],
    terms: &Terms,
    recording: &mut Recording,
) -> Result<(), SnapshotError> {
    let whole = |release: Release| Platform { id: platform.to_owned(), release };
    let refuse = |new: &Fresh, reason: String| Refusal {
        platform: whole(new.release.clone()),
        case: case.clone(),
        reason,
    };
    if let Some(waiting) = waiting(store, case, platform, fresh)? {
        let reason = format!("{waiting}.new waits for review: accept or reject it first");
        let refused = fresh.iter().map(|new| refuse(new, reason.clone()));
        recording.refused.extend(refused);
        return Ok(());
    }
    let answers = store.answers_of(case, platform)?;
    let of_platform = store.ledgers().iter().filter(|ledger| ledger.platform == platform);
    let asked = of_platform.filter_map(|ledger| {
        let asked = ledger.cases.get(case)?;
        Some((ledger.release.clone(), asked == hash))
    });
    let known = Known {
        platform,
        files: &answers.iter().collect::<Vec<_>>(),
        asked: &asked.collect::<Vec<_>>(),
    };
    let mut planned = plan::plan(&known, fresh, terms.accept);
    let stays = |name: &&SnapName| {
        let same = |c: &Change| matches!(c, Change::Pending { name: new, .. } if new == *name);
        !planned.changes.iter().any(same)
    };
    let outdated = store.pending(case, platform).filter(stays).cloned();
    let withdrawn: Vec<_> = outdated.map(|name| Change::Withdraw { name }).collect();
    planned.changes.extend(withdrawn);
    let changes = planned.changes.into_iter().map(|change| (case.clone(), change));
    recording.changes.extend(changes);
    let entered = planned.entered.into_iter().map(|r| (whole(r), case.clone()));
    recording.entered.extend(entered);
    let kept = fresh.iter().filter(|new| planned.kept.contains(&new.release));
    let reason = "calls only, and what is recorded has packets";
    recording.refused.extend(kept.map(|new| refuse(new, reason.to_owned())));
    Ok(())
}

/// A pending answer of a release of which there is nothing fresh. The files around it were arranged
/// for its acceptance, so nothing is moved until somebody has decided.
fn waiting<'a>(
    store: &'a Store,
    case: &CaseId,
    platform: &str,
    fresh: &[Fresh],
) -> Result<Option<&'a SnapName>, SnapshotError> {
    for name in store.pending(case, platform) {
        let pending = store.pending_answer(case, name)?;
        let is_its = |new: &Fresh| {
            let release = pending.recorded_on(new.release.0.len());
            name.upto.as_ref().or(release.as_ref()) == Some(&new.release)
        };
        if !fresh.iter().any(is_its) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The ledgers of the results' releases, where something is entered.
fn ledgers(
    store: &Store,
    results: &[ResultFile],
    cases: &[(CaseId, String)],
    recording: &mut Recording,
    date: &str,
) -> Vec<Ledger> {
    let mut ledgers: BTreeMap<String, Ledger> = BTreeMap::new();
    for file in results {
        let platform = file.platform.platform();
        let written = ledgers.get(&platform.to_string());
        let present = written.or_else(|| store.ledger(&platform)).cloned();
        if let Some(ledger) = ledger(present, file, cases, recording, date) {
            ledgers.insert(platform.to_string(), ledger);
        }
    }
    let changed = |ledger: &Ledger| {
        let present = store.ledger(&ledger.platform()).cloned();
        let redated = present.map(|present| Ledger { date: date.to_owned(), ..present });
        redated.as_ref() != Some(ledger)
    };
    ledgers.into_values().filter(changed).collect()
}

/// The ledger of one release after a result file. A ledger has seen packets or it has not: calls
/// confirmed without packets do not enter one that has, and those in a calls-only ledger are
/// forgotten when packets are seen at last.
fn ledger(
    present: Option<Ledger>,
    file: &ResultFile,
    cases: &[(CaseId, String)],
    recording: &mut Recording,
    date: &str,
) -> Option<Ledger> {
    let platform = file.platform.platform();
    let of_file: BTreeSet<&str> = file.results.iter().map(|r| r.id.as_str()).collect();
    let ours = |(entered, case): &(Platform, CaseId)| {
        *entered == platform && of_file.contains(case.0.as_str())
    };
    let mut ledger = blank(&file.platform, date);
    let blind = |ledger: &Ledger| ledger.capture == "none";
    match present {
        Some(present) if blind(&ledger) && !blind(&present) => {
            // What it vouches for already, it vouches for with packets.
            let vouched = |entry: &CaseId| {
                cases.iter().any(|(case, hash)| {
                    case == entry && present.standing(case, hash) == Standing::Recorded
                })
            };
            let new = |entry: &mut (Platform, CaseId)| ours(entry) && !vouched(&entry.1);
            let refused = recording.entered.extract_if(.., new);
            recording.refused.extend(refused.map(|(platform, case)| Refusal {
                platform,
                case,
                reason: "calls only, and the ledger of this release has packets".to_owned(),
            }));
            return None;
        }
        Some(present) if blind(&ledger) == blind(&present) => {
            ledger.families.extend(present.families);
            ledger.families.sort_unstable();
            ledger.families.dedup();
            ledger.cases = present.cases;
            ledger.skipped = present.skipped;
        }
        _ => {}
    }
    let entered: BTreeSet<&CaseId> =
        recording.entered.iter().filter(|entry| ours(entry)).map(|(_, case)| case).collect();
    if entered.is_empty() && ledger.cases.is_empty() {
        return None;
    }
    let asked = cases.iter().filter(|(case, _)| entered.contains(case)).cloned();
    ledger.cases.extend(asked);
    enter_skips(&mut ledger, file, cases);
    Some(ledger)
}

/// Enters what could not be asked, and why. An answer to the question as it stands outranks a skip,
/// whichever came first: another machine with this release was able to ask.
fn enter_skips(ledger: &mut Ledger, file: &ResultFile, cases: &[(CaseId, String)]) {
    let present: BTreeMap<&str, &str> =
        cases.iter().map(|(case, hash)| (case.0.as_str(), hash.as_str())).collect();
    for result in &file.results {
        let untold = result.transcript.trim().is_empty() && !result.reason.trim().is_empty();
        if result.status == Status::Skipped && untold && present.contains_key(result.id.as_str()) {
            ledger.skipped.insert(result.case(), one_line(&result.reason));
        }
    }
    let answered = |case: &CaseId| {
        let hash = present.get(case.0.as_str());
        hash.is_some_and(|hash| ledger.standing(case, hash) == Standing::Recorded)
    };
    let outranked: Vec<CaseId> =
        ledger.skipped.keys().filter(|case| answered(case)).cloned().collect();
    outranked.iter().for_each(|case| drop(ledger.skipped.remove(case)));
}

fn blank(origin: &Origin, date: &str) -> Ledger {
    let platform = origin.platform();
    Ledger {
        platform: platform.id,
        release: platform.release,
        kernel: origin.kernel.clone(),
        arch: origin.arch.clone(),
        date: date.to_owned(),
        capture: origin.capture.clone(),
        wire: origin.wire.clone(),
        isolation: origin.isolation.clone(),
        settings: origin.header(true).settings,
        families: origin.families.clone(),
        cases: BTreeMap::new(),
        skipped: BTreeMap::new(),
    }
}

impl Recording {
    /// Makes the changes.
    ///
    /// # Errors
    /// The store is part of the binary, or a file cannot be written. What was written before stays.
    pub fn apply(&self, store: &Store) -> Result<(), SnapshotError> {
        let Expected::Folder(root) = store.expected() else {
            let what = "the answers in the binary cannot change: name a folder with --expected";
            return Err(SnapshotError::bad(&store.expected().path(""), 0, what));
        };
        for (case, change) in &self.changes {
            let file = |name: &SnapName| root.join(&case.0).join(name.to_string());
            match change {
                Change::Rename { from, to } => rename(&file(from), &file(to))?,
                Change::Write { name, header, body } => {
                    write_snapshot(&file(name), header, body)?;
                }
                Change::Withdraw { name } => remove(&pending_path(&file(name)))?,
                Change::Delete { name } => remove(&file(name))?,
                Change::Pending { name, header, body } => {
                    write_snapshot(&pending_path(&file(name)), header, body)?;
                }
            }
        }
        for ledger in &self.ledgers {
            write_file(&root.join(ledger.file()), ledger.text().as_bytes())?;
        }
        Ok(())
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), SnapshotError> {
    let _lock = writing();
    fs::rename(from, to).map_err(|error| SnapshotError::write(to, error))
}

fn remove(path: &Path) -> Result<(), SnapshotError> {
    let _lock = writing();
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SnapshotError::write(path, error))
        }
        _ => Ok(()),
    }
}

/// Today's date in the Gregorian calendar, by UTC: `2026-11-20`.
pub fn today() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(now.as_secs() / 86_400)
}

/// The date that is so many days after 1970-01-01.
fn date(mut days: u64) -> String {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
