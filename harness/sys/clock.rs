//! The clock by which everything in a run is stamped.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The system clock's time since the Unix epoch: that of packets that the system captures, too.
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
