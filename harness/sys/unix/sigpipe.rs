//! SIGPIPE as part of the answer, where it is sent to the thread whose call raised it.

use super::signal;
use libc::sigset_t;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// The signal is the calling thread's.
pub const SIGPIPE_OF_PROCESS: bool = false;

/// Takes a pending SIGPIPE from the calling thread, in which it is blocked. The signal is
/// synchronous, so asking right after the call tells whether the call raised it.
pub fn take_sigpipe() -> bool {
    let mut pending = MaybeUninit::uninit();
    // SAFETY: sigpending initialises the set; sigismember reads it; sigwait returns at once
    // because the signal is pending and blocked, and no other thread can take it.
    unsafe {
        libc::sigpending(pending.as_mut_ptr());
        if libc::sigismember(pending.as_ptr(), libc::SIGPIPE) != 1 {
            return false;
        }
        let mut signal = 0;
        libc::sigwait(&raw const *set_of_sigpipe(), &raw mut signal) == 0
    }
}

fn set_of_sigpipe() -> &'static sigset_t {
    static SET: OnceLock<sigset_t> = OnceLock::new();
    SET.get_or_init(|| signal::set(&[libc::SIGPIPE]))
}
