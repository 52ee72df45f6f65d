//! What takes a run's worth away although nothing failed: somebody interfered from outside, and
//! what was recorded is no longer the stack's answer to the case.

use super::log::CallLog;
use crate::model::{Answer, Outcome};
use crate::sys::Trouble;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The system clock orders packets. Set by less than this it may still be off by a reading's blur;
/// daemons that keep time set it only when it is off by more, and else let it run faster or slower.
const SET_BY_MIN: Duration = Duration::from_millis(20);
/// One part in so many is the most by which a clock is made to run faster or slower.
const SLEWED_PART: u32 = 8;
/// Two readings of the steady clock this close together have the system clock's exactly between.
const TIGHT: Duration = Duration::from_micros(50);
/// How often a thread that is put aside in the middle of a reading tries again.
const READINGS_MAX: usize = 8;

/// The system clock and the steady one, read at the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    wall: Duration,
    steady: Instant,
    /// How long the reading took.
    blur: Duration,
}

impl Clocks {
    /// Both clocks, now.
    pub fn read() -> Clocks {
        let reading = || {
            let steady = Instant::now();
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Clocks { wall, steady, blur: steady.elapsed() }
        };
        let mut best = reading();
        for _ in 1..READINGS_MAX {
            if best.blur <= TIGHT {
                break;
            }
            let again = reading();
            best = if again.blur < best.blur { again } else { best };
        }
        best
    }

    /// Whether the system clock was set between two readings.
    ///
    /// # Errors
    /// By how much: packets of that time can be in any order, and waits of any length.
    pub fn unset_until(self, later: Clocks) -> Result<(), Trouble> {
        let nanos = |time: Duration| time.as_nanos().cast_signed();
        let passed = later.steady.saturating_duration_since(self.steady);
        let apart = nanos(later.wall) - nanos(self.wall) - nanos(passed);
        let apart = Duration::from_nanos(apart.unsigned_abs().try_into().unwrap_or(u64::MAX));
        let limit = SET_BY_MIN + passed / SLEWED_PART + self.blur + later.blur;
        if apart <= limit {
            return Ok(());
        }
        Err(Trouble::Failed(format!(
            "the system clock was set by {apart:.1?} during the run, or the machine slept: its \
             packets cannot be put in order, run it again"
        )))
    }
}

/// Whether what a call returned is the stack's answer. `signalled`: the case itself sends signals
/// to the caller's process.
///
/// # Errors
/// What interfered.
pub fn is_the_stacks(call: &CallLog, outcome: &Outcome, signalled: bool) -> Result<(), Trouble> {
    let Answer::Error(errno) = &outcome.answer else {
        return Ok(());
    };
    let why = match errno.name() {
        "EMFILE" => "this process may not open more descriptors; raise ulimit -n",
        "ENFILE" => "this machine has no more descriptors; close some, or raise fs.file-max",
        "EINTR" if !signalled => {
            "somebody stopped the process or sent it a signal in the middle of the call; run it \
             again"
        }
        _ => return Ok(()),
    };
    let (subject, verb, errno) = (&call.subject, call.spec.call.verb(), errno.name());
    Err(Trouble::Failed(format!("{subject}.{verb} ended with {errno}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::steady(1_000, 1_000, true)]
    #[case::slewed(10_900, 10_000, true)]
    #[case::nudged(1_015, 1_000, true)]
    #[case::forwards(1_500, 1_000, false)]
    #[case::backwards(0, 1_000, false)]
    #[case::far_backwards(-3_600_000, 10, false)]
    #[case::slept(3_600_000, 10, false)]
    fn clock_that_was_set_is_noticed(#[case] wall: i64, #[case] steady: u64, #[case] kept: bool) {
        let start = Duration::from_secs(1_000_000);
        let before = Clocks { wall: start, steady: Instant::now(), blur: Duration::ZERO };
        let wall = start.as_millis() as i64 + wall;
        let later = Clocks {
            wall: Duration::from_millis(wall as u64),
            steady: before.steady + Duration::from_millis(steady),
            blur: Duration::ZERO,
        };
        assert_eq!(before.unset_until(later).is_ok(), kept);
    }

    #[test]
    fn slow_reading_is_no_setting() {
        let before = Clocks::read();
        let blur = Duration::from_secs(2);
        let late = Clocks { wall: before.wall + blur, steady: before.steady, blur };
        assert!(before.unset_until(late).is_ok());
    }
}
