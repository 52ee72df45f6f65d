//! Settling by quiet.

use super::Tap;
use crate::sys::Trouble;
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

/// Takes packets until none of the run's own has come for `quiet`, and adds the run's own to
/// `packets`.
///
/// # Errors
/// Packets were lost, or the run does not come to rest.
pub fn settle(
    tap: &mut (impl Tap + ?Sized),
    quiet: Duration,
    is_own: impl Fn(&Captured) -> bool,
    packets: &mut Vec<Captured>,
) -> Result<(), Trouble> {
    let began = Instant::now();
    let mut last = began;
    let mut seen = Vec::new();
    loop {
        tap.drain(&mut seen)?;
        let before = packets.len();
        packets.extend(seen.drain(..).filter(&is_own));
        if packets.len() > before {
            last = Instant::now();
        }
        let left = quiet.saturating_sub(last.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        if began.elapsed() > SETTLES_WITHIN {
            return Err(restless());
        }
        tap.wait(left);
    }
}

/// The run does not come to rest.
pub fn restless() -> Trouble {
    let limit_s = SETTLES_WITHIN.as_secs();
    Trouble::Failed(format!("the wire did not settle within {limit_s} s"))
}
