//! Waiting for descriptors.

use std::os::fd::RawFd;
use std::time::Duration;

/// Waits until one of them can be read, at most that long, and tells which of them can, in their
/// order. One that has failed can be read: reading tells why.
pub fn readable(fds: &[RawFd], limit: Duration) -> Vec<bool> {
    let polled = |fd: &RawFd| libc::pollfd { fd: *fd, events: libc::POLLIN, revents: 0 };
    let mut polled: Vec<libc::pollfd> = fds.iter().map(polled).collect();
    let limit = libc::timespec {
        tv_sec: limit.as_secs() as libc::time_t,
        tv_nsec: limit.subsec_nanos() as libc::c_long,
    };
    let (pointer, count) = (polled.as_mut_ptr(), polled.len() as libc::nfds_t);
    // SAFETY: the pointers are to `count` entries and a time that outlive the call; a null mask
    // leaves the signals as they are.
    let found = unsafe { libc::ppoll(pointer, count, &raw const limit, std::ptr::null()) };
    // What a signal interrupted says nothing of any of them.
    polled.iter().map(|polled| found < 0 || polled.revents != 0).collect()
}
