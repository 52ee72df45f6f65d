//! Floor 3: makes the steps of a case, one after another, on a [`Ground`](crate::sys::Ground), and
//! keeps a log of what it saw.
//!
//! **One call at a time.** Every call is made by a *lane*, a thread that does nothing else, while
//! the conductor (the thread that calls [`execute`]) waits for its end. Then the wire settles, then
//! comes the next step: a case is one thread's program. The exception is a call that blocks: once
//! its thread sleeps in the kernel the conductor goes on with another lane, and looks after each
//! later step whether the sleeper has returned.
//!
//! ```text
//!   conductor   step 1 ──────► settle   step 2 ─────► settle   …   finish, release
//!   lane 1              call ▲                call ▲
//!   lane 2                      accept() zzz ………………… returns in the step that woke it
//! ```

mod around;
mod calling;
mod conductor;
mod gaps;
mod given;
mod handover;
mod jitter;
mod lanes;
pub mod log;
mod names;
mod peer;
mod punctual;
mod resent;
mod resolve;
mod stamps;
#[cfg(test)]
mod tests;
mod trust;
mod waiting;

use crate::model::host::{FirewallAt, HostVerb};
use crate::model::{Action, Case, Family, Step, Topology};
use crate::sys::{Plan, Stack, Trouble};
use log::RunLog;
use std::time::Duration;

/// What a run may be told besides its case.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Sleep a random time up to this between steps: finds what a record wrongly depends on.
    pub jitter: Option<Duration>,
    /// Where the random times come from.
    pub seed: u64,
}

/// A place on a CPU, given back while the run only waits, so that a hundred waiting runs do not
/// keep one that could work from working.
pub trait Slot {
    /// The CPU of this place, the same for the whole run; none: any.
    fn cpu(&self) -> Option<usize>;
    /// The run will wait.
    fn give_back(&mut self);
    /// The run's ground is open, or the run wants to go on.
    fn take(&mut self);
}

/// A slot without a CPU, for a run that has the machine to itself.
#[derive(Debug, Default)]
pub struct AnyCpu;

impl Slot for AnyCpu {
    fn cpu(&self) -> Option<usize> {
        None
    }
    fn give_back(&mut self) {}
    fn take(&mut self) {}
}

/// Runs one row of a case under one family. The calling thread must be the run's own: it may end
/// up in a namespace that it cannot leave.
///
/// # Errors
/// The harness or the machine is at fault; what the stack answered is never an error.
pub fn execute(
    case: &Case,
    row: usize,
    family: Family,
    stack: &dyn Stack,
    conditions: &Conditions,
    slot: &mut dyn Slot,
) -> Result<RunLog, Trouble> {
    let settings = case.rows[row].settings.get(&stack.machine().platform);
    let plan = Plan {
        family,
        settings: settings.cloned().unwrap_or_default(),
        cpu: slot.cpu(),
        wire: case.topology == Topology::Wire,
        firewall: case.rows[row].steps.iter().any(sets_firewall),
        processes: case.processes.iter().map(|(name, _)| name.clone()).collect(),
    };
    let ground = stack.open(&plan)?;
    slot.take();
    let captured = stack.machine().captures();
    conductor::Conductor::new(case, row, family, ground, conditions, slot).run(captured)
}

/// Whether the step has the machine refuse packets, or no longer; on the path the scripted peer
/// does.
fn sets_firewall(step: &Step) -> bool {
    match &step.action {
        Action::Host(HostVerb::Firewall { at, .. } | HostVerb::Lift(at)) => *at != FirewallAt::Path,
        _ => false,
    }
}
