//! What the three Unixes share: a [`super::Request`] as one system call, addresses, error numbers,
//! and the processes of a case. What differs between them stands in one `dialect` each.

#[cfg(not(target_os = "macos"))]
mod accept4;
pub mod address;
#[cfg(not(target_os = "linux"))]
pub mod bsd;
pub mod calls;
#[cfg(target_os = "linux")]
mod capabilities;
pub mod channel;
pub mod child;
#[cfg(target_os = "linux")]
mod control;
pub mod ctrl_c;
pub mod direct;
#[cfg(target_os = "linux")]
mod epoll;
pub mod errno;
mod inside;
pub mod machine;
pub mod names;
pub mod native;
pub mod process;
mod rights;
pub mod signal;
#[cfg(not(target_os = "macos"))]
mod sigpipe;
pub mod spawn;
#[cfg(target_os = "linux")]
mod tcp_info;

#[cfg(target_os = "freebsd")]
#[path = "dialect/freebsd.rs"]
pub mod dialect;
#[cfg(target_os = "linux")]
#[path = "dialect/linux.rs"]
pub mod dialect;
#[cfg(target_os = "macos")]
#[path = "dialect/macos.rs"]
pub mod dialect;

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Descriptors that the harness makes in the middle of a run have numbers from here on. With the
/// next free number they could take that of a recorded socket which has been closed, and the
/// second close() that a case asks about would hit them instead of failing with EBADF.
///
/// A run's table of descriptors stays as small as that of a small process, 256, because Linux's
/// select() ignores the numbers for which the table has no room (select(2), BUGS).
const HARNESS_FD_MIN: libc::c_int = 200;

/// Moves a descriptor out of the way of recorded ones; where there is no room it stays.
pub fn aside(fd: OwnedFd) -> OwnedFd {
    // SAFETY: there is no pointer.
    match unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, HARNESS_FD_MIN) } {
        -1 => fd,
        // SAFETY: the descriptor was made just now.
        moved => unsafe { OwnedFd::from_raw_fd(moved) },
    }
}
