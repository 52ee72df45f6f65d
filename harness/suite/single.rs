//! One case, all its rows and families.

use super::pool;
use super::slots::Slots;
use crate::model::capability::Lack;
use crate::model::{Capability, Case, Family, Row, Topology, Transcript};
use crate::record::transcript;
use crate::render;
use crate::run::log::RunLog;
use crate::run::{Conditions, execute};
use crate::sys::{Stack, Trouble};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What came of a case.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What happened.
    pub transcript: Transcript,
    /// The same as text: the body of a snapshot.
    pub body: String,
    /// From the first row's beginning to the last one's end.
    pub duration: Duration,
    /// Nothing was left half closed or unacknowledged at the end of any row.
    pub settled: bool,
    /// What each run saw; empty unless the session keeps it.
    pub logs: Vec<RunLog>,
}

/// Why the case cannot be run here; none if it can.
pub fn why_skipped(case: &Case, stack: &dyn Stack) -> Option<Lack> {
    let wire = (case.topology == Topology::Wire).then_some(Capability::Wire);
    // Settings for other platforms ask nothing of this one.
    let platform = &stack.machine().platform;
    let pins = |row: &Row| row.settings.get(platform).is_some_and(|pins| !pins.is_empty());
    let sysctl = case.rows.iter().any(pins).then_some(Capability::Sysctl);
    let needs = wire.iter().chain(&sysctl).chain(&case.needs);
    let lack = needs.map(|need| stack.can(*need)).find_map(Result::err);
    let settings = case.rows.iter().filter_map(|row| row.settings.get(platform));
    lack.or_else(|| {
        settings.flat_map(BTreeMap::keys).find_map(|name| stack.has_setting(name).err())
    })
}

/// Runs every row under every family.
///
/// # Errors
/// The harness or the machine is at fault.
pub fn ran_here(
    case: &Case,
    stack: &dyn Stack,
    conditions: &Conditions,
    slots: &Arc<Slots>,
) -> Result<Ran, Trouble> {
    let began = Instant::now();
    let runs: Vec<(usize, Family)> = (0..case.rows.len())
        .flat_map(|row| case.families.iter().map(move |family| (row, *family)))
        .collect();
    let one = |(row, family): &(usize, Family)| {
        let mut slot = slots.take();
        let seed = conditions.seed.wrapping_add(*row as u64);
        let conditions = Conditions { seed, ..conditions.clone() };
        execute(case, *row, *family, stack, &conditions, &mut slot)
    };
    let mut logs: Vec<Option<Result<RunLog, Trouble>>> = runs.iter().map(|_| None).collect();
    pool::each(&runs, stack.runs_at_once(), one, |index, log| logs[index] = Some(log));
    let lost = || Err(Trouble::Failed("a run ended without a word: it panicked".to_owned()));
    let logs: Result<Vec<RunLog>, Trouble> =
        logs.into_iter().map(|log| log.unwrap_or_else(lost)).collect();
    let logs = logs?;
    let transcript = transcript(case, &logs);
    let body = render::text(&transcript);
    let settled = logs.iter().all(|log| log.settled);
    Ok(Ran { transcript, body, duration: began.elapsed(), settled, logs })
}
