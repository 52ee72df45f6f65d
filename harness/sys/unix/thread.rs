//! A watched thread, where the system does not tell whether it sleeps: then time decides.

use super::dialect;
use libc::{c_int, pid_t};
use std::time::Duration;

/// A thread that has been inside a call for that long is taken to be asleep.
const ASLEEP_AFTER: Duration = Duration::from_millis(50);

/// A thread whose calls are watched.
pub struct Thread {
    /// None: a thread of another process, which only the process itself can wake.
    own: Option<libc::pthread_t>,
    process: pid_t,
}

// SAFETY: `pthread_t` is a handle that any thread may use, whatever type it has.
unsafe impl Send for Thread {}
// SAFETY: as for Send.
unsafe impl Sync for Thread {}

impl Thread {
    /// The calling thread.
    pub fn current() -> Thread {
        // SAFETY: there is no pointer.
        let (own, process) = unsafe { (libc::pthread_self(), libc::getpid()) };
        Thread { own: Some(own), process }
    }

    /// The number under which other processes know the calling thread: none here.
    pub fn current_id() -> pid_t {
        0
    }

    /// A thread of another process.
    pub fn of(process: pid_t, _: pid_t) -> Thread {
        Thread { own: None, process }
    }

    /// Whether it has been inside for long enough.
    pub fn sleeps(&self, inside_for: Duration) -> bool {
        inside_for > ASLEEP_AFTER
    }

    /// Ends its call with EINTR.
    pub fn wake_up(&self) {
        let signal: c_int = dialect::wake_up_signal();
        // SAFETY: there is no pointer, and the signal has a handler in the processes of a case; the
        // thread is inside a call, so its handle is valid.
        unsafe {
            match self.own {
                Some(thread) => libc::pthread_kill(thread, signal),
                None => libc::kill(self.process, signal),
            };
        }
    }
}
