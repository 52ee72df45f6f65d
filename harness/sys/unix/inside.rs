//! Whether a thread is inside its call, and since when.

use crate::sys::clock::now;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Set directly before a call and cleared directly after it.
#[derive(Debug, Default)]
pub struct Inside {
    /// Nanoseconds since the Unix epoch; 0 outside.
    since_ns: AtomicU64,
}

impl Inside {
    /// The next thing that the thread does is the call.
    pub fn enter(&self) {
        let now_ns = u64::try_from(now().as_nanos()).unwrap_or(u64::MAX);
        self.since_ns.store(now_ns.max(1), Ordering::SeqCst);
    }

    /// The call has returned.
    pub fn leave(&self) {
        self.since_ns.store(0, Ordering::SeqCst);
    }

    /// For how long the thread has been inside.
    pub fn time(&self) -> Option<Duration> {
        match self.since_ns.load(Ordering::SeqCst) {
            0 => None,
            since_ns => Some(now().saturating_sub(Duration::from_nanos(since_ns))),
        }
    }
}
