//! Settling by quiet.
//!
//! How long it has been quiet is told by the stamps of the packets, where the system has stamped
//! them: on a loaded machine whoever waits is woken late, and what has come after the quiet was
//! over belongs to what is done next.

use super::Tap;
use crate::sys::Trouble;
use crate::sys::clock::now;
use crate::wire::Captured;
use std::time::{Duration, Instant};

/// Longer than the longest delayed ACK of Linux (48.3 ms measured).
pub const LINUX: Duration = Duration::from_millis(100);
/// Longer than gVisor's.
pub const GVISOR: Duration = Duration::from_millis(50);
/// Longer than FreeBSD's (`net.inet.tcp.delacktime`, 100 ms at most by default).
pub const FREEBSD: Duration = Duration::from_millis(150);
/// Longer than macOS's (100 ms).
pub const MACOS: Duration = Duration::from_millis(150);
/// Longer than that of Windows (200 ms).
pub const WINDOWS: Duration = Duration::from_millis(300);

/// A stack that is still sending by then does not settle.
const SETTLES_WITHIN: Duration = Duration::from_secs(3);

/// Settles when nothing of the run's own has come for so long.
#[derive(Debug)]
pub struct Quiet {
    quiet: Duration,
    /// Packets that came when it had been quiet.
    later: Vec<Captured>,
    over: Option<Duration>,
}

impl Quiet {
    /// Longer than the stack delays an acknowledgment.
    pub fn of(quiet: Duration) -> Quiet {
        Quiet { quiet, later: Vec::new(), over: None }
    }

    /// When the last quiet was over, in the system clock's time since the Unix epoch; none where
    /// stamps do not tell it.
    pub fn over(&self) -> Option<Duration> {
        self.over
    }

    /// Takes packets until none of the run's own has come for long enough, and adds the run's own
    /// to `packets`.
    ///
    /// # Errors
    /// Packets were lost, or the run does not come to rest.
    pub fn settle(
        &mut self,
        tap: &mut (impl Tap + ?Sized),
        is_own: impl Fn(&Captured) -> bool,
        packets: &mut Vec<Captured>,
    ) -> Result<(), Trouble> {
        let began = Instant::now();
        let mut last = now();
        let mut seen = Vec::new();
        packets.append(&mut self.later);
        loop {
            // Before the look: what comes between the two is found by the next one.
            let looked = now();
            tap.drain(&mut seen)?;
            seen.retain(&is_own);
            let stamped = tap.stamps();
            if stamped {
                let within = self.until_quiet(&mut seen, &mut last);
                packets.extend(seen.drain(..within));
            } else if !seen.is_empty() {
                packets.append(&mut seen);
                last = now();
            }
            let over = last + self.quiet;
            if looked >= over || !seen.is_empty() {
                self.later = seen;
                self.over = stamped.then_some(over);
                return Ok(());
            }
            // Not for one that was put aside for that long, and has still to look again.
            let comes = now() < over;
            if comes && began.elapsed() > SETTLES_WITHIN {
                return Err(restless());
            }
            // A clock that is set back makes no wait longer.
            tap.wait(over.saturating_sub(looked).min(self.quiet));
        }
    }

    /// How many of these packets, once they are in their order, came before it had been quiet.
    fn until_quiet(&self, seen: &mut [Captured], last: &mut Duration) -> usize {
        seen.sort_by_key(|packet| packet.at);
        let is_late = |packet: &Captured| {
            let late = packet.at > *last + self.quiet;
            if !late {
                *last = packet.at.max(*last);
            }
            late
        };
        seen.iter().position(is_late).unwrap_or(seen.len())
    }
}

/// The run does not come to rest.
pub fn restless() -> Trouble {
    let limit_s = SETTLES_WITHIN.as_secs();
    Trouble::Failed(format!("the wire did not settle within {limit_s} s"))
}
