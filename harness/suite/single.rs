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
use std::sync::atomic::{AtomicU32, Ordering};
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
    /// Runs that were not on their CPU in time, and were made again.
    pub again: u32,
    /// What each run saw; empty unless the session keeps it.
    pub logs: Vec<RunLog>,
}

/// What the thread is for that runs a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Thread {
    /// It ends with the case, so a case with a single run needs no other one.
    OfCase,
    /// It goes on with something else, in the namespace and with the descriptors that it has.
    Kept,
}

/// How often a run that was not on its CPU in time is made again, the last time without any that
/// begins beside it. Its own clock says so, whatever the stack has answered; a machine that does it
/// three times over is too busy to be asked.
const AGAIN_MAX: u32 = 2;

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
    thread: Thread,
) -> Result<Ran, Trouble> {
    let began = Instant::now();
    let runs: Vec<(usize, Family)> = (0..case.rows.len())
        .flat_map(|row| case.families.iter().map(move |family| (row, *family)))
        .collect();
    let again = AtomicU32::new(0);
    let one = |(row, family): &(usize, Family)| {
        let seed = conditions.seed.wrapping_add(*row as u64);
        let conditions = Conditions { seed, ..conditions.clone() };
        let once = |mut slot| execute(case, *row, *family, stack, &conditions, &mut slot);
        let mut log = once(slots.take());
        for time in 1..=AGAIN_MAX {
            if !matches!(log, Err(Trouble::Starved(_))) {
                break;
            }
            again.fetch_add(1, Ordering::Relaxed);
            log = once(if time < AGAIN_MAX { slots.take() } else { slots.take_apart() });
        }
        log
    };
    let mut logs: Vec<Option<Result<RunLog, Trouble>>> = runs.iter().map(|_| None).collect();
    match &runs[..] {
        [run] if thread == Thread::OfCase => logs[0] = Some(one(run)),
        _ => pool::each(&runs, stack.runs_at_once(), one, |index, log| logs[index] = Some(log)),
    }
    let lost = || Err(Trouble::Failed("a run ended without a word: it panicked".to_owned()));
    let logs: Result<Vec<RunLog>, Trouble> =
        logs.into_iter().map(|log| log.unwrap_or_else(lost)).collect();
    let logs = logs?;
    let transcript = transcript(case, &logs);
    let body = render::text(&transcript);
    let settled = logs.iter().all(|log| log.settled);
    let again = again.into_inner();
    Ok(Ran { transcript, body, duration: began.elapsed(), settled, again, logs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CaseId;
    use crate::parse::parse_case;
    use crate::sys::Request;
    use crate::sys::fake::{Fake, Scripted, World};
    use crate::wire::{Captured, CapturedBytes};
    use rstest::rstest;
    use std::path::Path;
    use std::time::{SystemTime, UNIX_EPOCH};

    /// What comes of a case whose first runs are put aside while a timer sends something.
    fn ran(put_aside: u32) -> Result<Ran, Trouble> {
        let mut left = put_aside;
        let script = move |request: &Request, world: &mut World| {
            if matches!(request, Request::Send { .. }) && left > 0 {
                left -= 1;
                let [timer, time] = [200, 300].map(Duration::from_millis);
                let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + timer;
                world.packets.push(Captured { at, bytes: CapturedBytes::Ip(Vec::new()) });
                std::thread::sleep(time);
            }
            Scripted::Plain
        };
        let text = "about: a test\ngiven: established\nsteps:\n  - client.send: 1\n";
        let case = parse_case(CaseId("t/t".to_owned()), Path::new("t.yaml"), text.as_bytes());
        let slots = Slots::new(&[0], 1, 1);
        ran_here(&case.unwrap(), &Fake::new(script), &Conditions::default(), &slots, Thread::Kept)
    }

    #[rstest]
    #[case::once(1)]
    #[case::as_often_as_that(AGAIN_MAX)]
    fn run_that_was_put_aside_is_made_again_and_counted(#[case] times: u32) {
        let ran = ran(times).unwrap();
        assert_eq!((ran.again, ran.body.lines().count()), (times, 1), "{}", ran.body);
    }

    #[test]
    fn machine_that_is_too_busy_is_told() {
        assert!(matches!(ran(AGAIN_MAX + 1), Err(Trouble::Starved(_))));
    }
}
