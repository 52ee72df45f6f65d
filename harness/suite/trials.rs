//! The cases as libtest trials: the same suite under `cargo test` and cargo-nextest.

use super::discover::{Bad, Found};
use super::outcome::Judge;
use super::session::{Gathered, Session};
use super::single::{Thread, why_skipped};
use crate::model::Case;
use crate::snapshot::Status;
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;
use std::sync::Arc;

/// Everything that a trial needs, for the life of the process.
pub struct Bench {
    /// Runs cases.
    pub session: Session<'static>,
    /// Holds them against the records.
    pub judge: Judge<'static>,
}

/// Runs the cases as trials, with as many threads as there are trials or may run at once: a waiting
/// case must not keep others from running, and places on CPUs are given out below.
pub fn run(mut arguments: Arguments, found: Found, bench: Arc<Bench>) -> ExitCode {
    let most = bench.session.stack.runs_at_once();
    let good = found.cases.into_iter().map(|case| trial(case, &bench));
    let trials: Vec<Trial> = good.chain(found.bad.into_iter().map(bad_trial)).collect();
    arguments.test_threads = Some(trials.len().clamp(1, most));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A skip is decided here, while listing: decided later it would count as passed.
fn trial(case: Case, bench: &Arc<Bench>) -> Trial {
    let name = case.id.0.clone();
    let skipped = why_skipped(&case, bench.session.stack);
    let Some(lack) = skipped else {
        let bench = Arc::clone(bench);
        return Trial::test(name, move || one(&case, &bench));
    };
    // The reason is part of the trial's kind, which runners print beside the name.
    let reason = lack.reason;
    Trial::test(name, || Ok(())).with_kind(format!("skipped: {reason}")).with_ignored_flag(true)
}

fn one(case: &Case, bench: &Bench) -> Result<(), Failed> {
    let gathered = Gathered::of(bench.session.once(case, 0, Thread::Kept));
    if let Some(lack) = &gathered.lack {
        return Err(Failed::from(format!("not run, which was not known before: {lack}")));
    }
    let result = bench.judge.judge(case, gathered);
    if result.again > 0 {
        // A runner shows it beside a trial that fails, or where it is told to show output.
        eprintln!("{}: made again, not on its CPU in time: {}", case.id, result.again);
    }
    match result.status {
        Status::Same | Status::SameCallsOnly | Status::Skipped => Ok(()),
        status => {
            let reason = result.reason.map_or(String::new(), |reason| format!(": {reason}"));
            let story = result.story.unwrap_or_default();
            Err(Failed::from(format!("{status}{reason}\n{story}")))
        }
    }
}

fn bad_trial(bad: Bad) -> Trial {
    Trial::test(bad.id, move || Err(Failed::from(bad.message)))
}
