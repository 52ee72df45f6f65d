//! What the stamps of packets tell of when they were sent.

use super::log::StepLog;
use std::time::Duration;

/// What the stamps of packets tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// When they were sent: the system captures them.
    WhenSent,
    /// When the run read them off its wire, as soon as it had put a peer's packet there.
    AtOnce,
    /// When the run read them off its wire, some time after a peer's packet: it waits for quiet.
    WhenQuiet,
}

/// The last moment in which one of the step's packets had certainly not been sent yet. On the wire
/// there may be a gap between that and the moment in which it is read: then its cause tells.
pub fn sent_after(step: &StepLog, index: usize, seen: Seen) -> Duration {
    let at = step.packets[index].at;
    let by_peer = |index| step.sent.iter().any(|sent| sent.index == index);
    if seen == Seen::WhenSent || by_peer(index) {
        return at;
    }
    let peers = (0..index).rev().find(|index| by_peer(*index)).map(|sent| step.packets[sent].at);
    let calls = step.calls.iter().map(|call| call.began).filter(|began| *began <= at);
    calls.chain(peers).max().unwrap_or(step.began)
}

/// How long after the peer's last packet this one came, in a step that is over with what that
/// packet causes.
pub fn after_sent(step: &StepLog, index: usize) -> Option<Duration> {
    let is_over = step.awaited.is_none() && step.calls.is_empty();
    let sent = step.sent.iter().rev().find(|sent| sent.index < index).filter(|_| is_over)?;
    Some(step.packets[index].at.saturating_sub(step.packets[sent.index].at))
}
