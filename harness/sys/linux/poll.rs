//! Waiting for descriptors.

use libc::pollfd;
use std::os::fd::RawFd;
use std::time::Duration;

/// That it can be read is what is asked about this descriptor.
pub fn interest(fd: RawFd) -> pollfd {
    pollfd { fd, events: libc::POLLIN, revents: 0 }
}

/// Waits until one of them can be read, at most that long; then [`is_ready`] tells of each.
pub fn ask(polled: &mut [pollfd], limit: Duration) {
    let limit = libc::timespec {
        tv_sec: limit.as_secs() as libc::time_t,
        tv_nsec: limit.subsec_nanos() as libc::c_long,
    };
    let (pointer, count) = (polled.as_mut_ptr(), polled.len() as libc::nfds_t);
    // SAFETY: the pointers are to `count` entries and a time that outlive the call; a null mask
    // leaves the signals as they are.
    if unsafe { libc::ppoll(pointer, count, &raw const limit, std::ptr::null()) } < 0 {
        // What a signal interrupted says nothing of any of them.
        polled.iter_mut().for_each(|polled| polled.revents = libc::POLLIN);
    }
}

/// Whether it can be read. One that has failed can: reading tells why.
pub fn is_ready(polled: &pollfd) -> bool {
    polled.revents != 0
}

/// Waits until one of these descriptors can be read, at most that long.
pub fn await_any(fds: impl IntoIterator<Item = RawFd>, limit: Duration) {
    let mut polled: Vec<pollfd> = fds.into_iter().map(interest).collect();
    ask(&mut polled, limit);
}
