//! What all hosts without namespaces do alike: a run has ports of its own on the machine's own
//! loopback, of the packets there it takes those of its ports, and a step has settled when the
//! loopback has been quiet for longer than the stack delays an acknowledgment.
//!
//! macOS, FreeBSD and Windows have nothing else; on Linux it is `--isolation shared`. A back end
//! supplies a [`Tap`], which sees packets, and [`Callers`], which make calls.

pub mod bpf;
pub mod flow;
pub mod folder;
mod ground;
mod machine;
pub mod ports;
pub mod quiet;
pub mod start;
#[cfg(test)]
mod tests;

pub use ground::{Callers, Settling, SharedGround};
pub use machine::machine;

use super::{Plan, Trouble};
use crate::model::capability::Lack;
use crate::wire::Captured;
use std::collections::BTreeSet;
use std::net::{Ipv6Addr, UdpSocket};
use std::time::Duration;

/// Sees packets: all of the loopback interface, whoever they belong to, and those of the wire, if
/// the run has one.
pub trait Tap {
    /// Takes what has been seen and adds it to `packets`, in any order.
    ///
    /// # Errors
    /// [`Trouble::CaptureOverflow`] if packets were lost, or the system's error.
    fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble>;

    /// Whether the system has stamped what was taken, so that stamps tell when a packet came
    /// and not when it was read.
    fn stamps(&self) -> bool {
        false
    }

    /// Packets of these ports are all that the run wants to see, besides errors and the wire. Where
    /// the system picks them out, those of others take no room.
    ///
    /// # Errors
    /// The system's error, after which it might pick out the wrong ones.
    fn watch(&mut self, _ports: &BTreeSet<u16>) -> Result<(), Trouble> {
        Ok(())
    }

    /// Waits until there may be something to take, at most that long.
    fn wait(&mut self, limit: Duration);

    /// Puts a packet on the wire.
    ///
    /// # Errors
    /// The run has none, or the device refuses the packet.
    fn inject(&mut self, _packet: &[u8]) -> Result<(), Trouble> {
        Err(no_wire())
    }
}

/// Runs that may be under way for each CPU. A run that settles by quiet sleeps in every step; were
/// too many begun, those that wake would wait for their CPU longer than their cases wait for timers
/// of the stack, the more so beside other processes of this program.
const RUNS_PER_CPU: usize = 16;

/// How many runs that settle by quiet may be under way at a time.
pub fn runs_at_once() -> usize {
    start::cpus().len() * RUNS_PER_CPU
}

/// Whether there is `::1`.
pub fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// Refuses a run that would change the whole machine.
///
/// # Errors
/// What the run wants a namespace for.
pub fn refuse_changes(plan: &Plan) -> Result<(), Trouble> {
    if !plan.settings.is_empty() {
        return Err(needs_namespace("settings need"));
    }
    if plan.firewall {
        return Err(needs_namespace("a firewall needs"));
    }
    Ok(())
}

/// A packet is to be put on the wire of a run that has none.
pub fn no_wire() -> Trouble {
    Trouble::Failed("this run has no wire".to_owned())
}

/// A shared host cannot do it: `what` says what needs more, as in `settings need`.
pub fn needs_namespace(what: &str) -> Trouble {
    Trouble::Lacks(Lack::new(format!("{what} a namespace of the run's own")))
}
