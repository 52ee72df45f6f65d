//! SIGPIPE as part of the answer, where it is sent to the process.
//!
//! Which thread it becomes pending for does not depend on whose call raised it, and sigpending()
//! tells of the calling thread alone (XNU, kern_sig.c: `get_signalthread()`, `sigpending()`). But a
//! kqueue is told of every signal to the process, blocked or not, before the call returns:
//! EVFILT_SIGNAL in kqueue(2).

use crate::sys::unix::aside;
use libc::{kevent, timespec};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

/// The signal is that of any call of the process.
pub const SIGPIPE_OF_PROCESS: bool = true;

/// Whether a SIGPIPE has been sent to this process since this was last asked.
pub fn take_sigpipe() -> bool {
    static QUEUE: OnceLock<OwnedFd> = OnceLock::new();
    let queue = QUEUE.get_or_init(|| open().expect("a process may have one kqueue"));
    let mut told = sigpipe(0);
    let at_once = timespec { tv_sec: 0, tv_nsec: 0 };
    let (fd, told, at_once) = (queue.as_raw_fd(), &raw mut told, &raw const at_once);
    // SAFETY: nothing is changed, and there is room for one event, which outlives the call as does
    // the time.
    unsafe { libc::kevent(fd, null(), 0, told, 1, at_once) == 1 }
}

/// A queue that is told of SIGPIPE from now on.
fn open() -> io::Result<OwnedFd> {
    // SAFETY: there is no pointer.
    let queue = match unsafe { libc::kqueue() } {
        -1 => return Err(io::Error::last_os_error()),
        // SAFETY: the descriptor was made just now.
        made => aside(unsafe { OwnedFd::from_raw_fd(made) }),
    };
    let wanted = sigpipe(libc::EV_ADD);
    let (fd, wanted) = (queue.as_raw_fd(), &raw const wanted);
    // SAFETY: the pointer is to one change that outlives the call; there is no room for events, and
    // without it the call does not wait.
    match unsafe { libc::kevent(fd, wanted, 1, null_mut(), 0, null()) } {
        0 => Ok(queue),
        _ => Err(io::Error::last_os_error()),
    }
}

fn sigpipe(flags: u16) -> kevent {
    let (ident, filter) = (libc::SIGPIPE as usize, libc::EVFILT_SIGNAL);
    kevent { ident, filter, flags, fflags: 0, data: 0, udata: null_mut() }
}
