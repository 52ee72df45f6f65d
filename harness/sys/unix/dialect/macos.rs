//! macOS: numbers that only it has.

use crate::sys::unix::bsd::file::counted;
use crate::sys::unix::machine::{Uname, numbers};
use libc::{c_int, c_short, sockaddr, socklen_t};
use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::ptr::null_mut;

pub use crate::sys::macos::SYSTEM;
pub use crate::sys::macos::sigpipe::{SIGPIPE_OF_PROCESS, take_sigpipe};
pub use crate::sys::macos::thread::{Thread, ThreadId};
pub use crate::sys::unix::bsd::file::file_of;
pub use crate::sys::unix::bsd::numbers::{
    ABSTRACT_NAMES, BSD_OPTIONS, ERRNOS, IOCTLS, READS_CONTROL, RECEIVED_FLAGS, TCP_STATES,
    control, epoll, give_up, harmless_signals,
};

/// Flags of the sending and receiving calls beyond the common ones.
pub const MESSAGE_FLAGS: &[(&str, c_int)] =
    &[("MSG_NOSIGNAL", libc::MSG_NOSIGNAL), ("MSG_EOF", libc::MSG_EOF)];

/// `struct tcp_connection_info` counts in fields of its own.
pub const TCP_INFO_FIELDS: &[(&str, Range<usize>)] = &[];

/// Events of `poll` beyond the common ones.
pub const POLL_EVENTS: &[(&str, c_short)] = &[];

/// Socket options beyond the common ones: level and number.
pub const OPTIONS: &[(&str, c_int, c_int)] = &[
    ("TCP_KEEPALIVE", libc::IPPROTO_TCP, libc::TCP_KEEPALIVE),
    ("TCP_CONNECTIONTIMEOUT", libc::IPPROTO_TCP, 0x20),
    ("TCP_NOTSENT_LOWAT", libc::IPPROTO_TCP, 0x201),
    ("TCP_INFO", libc::IPPROTO_TCP, libc::TCP_CONNECTION_INFO),
    ("IP_PKTINFO", libc::IPPROTO_IP, libc::IP_PKTINFO),
    ("IPV6_RECVHOPLIMIT", libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT),
    ("IPV6_RECVTCLASS", libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS),
    ("IPV6_TCLASS", libc::IPPROTO_IPV6, 36),
    ("IPV6_DONTFRAG", libc::IPPROTO_IPV6, 62),
];

/// `socket(2)` takes no flags here.
pub const SOCK_NONBLOCK: Option<c_int> = None;

/// There is no `accept4`.
pub const ACCEPT_FLAGS: &[(&str, c_int)] = &[];

/// Never called, because no flag is known.
///
/// # Safety
/// As for `accept(2)`: the pointers are null, to a storage and its length, or bad on purpose.
pub unsafe fn accept4(fd: c_int, address: *mut sockaddr, len: *mut socklen_t, _: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { libc::accept(fd, address, len) }
}

/// The user and the group `nobody`, who own nothing: -2.
pub const NOBODY: libc::uid_t = libc::uid_t::MAX - 1;

/// `sendfile(2)`: so many bytes of a file, from its beginning.
pub fn sendfile(socket: c_int, file: &File, len: usize) -> i64 {
    // How many are wanted, and then how many were sent.
    let mut sent = len as libc::off_t;
    let count = &raw mut sent;
    // SAFETY: the pointers are null, or to a number that outlives the call; whatever the
    // descriptor is, only a file of our own is read.
    let returned = unsafe { libc::sendfile(file.as_raw_fd(), socket, 0, count, null_mut(), 0) };
    counted(returned, sent)
}

/// Platform and release key: macOS's version by that of its kernel. What the system tells a program
/// as its own version depends on the SDK that it was linked with (10.16 for 11, 16 for 26).
pub fn platform(uname: &Uname) -> (String, String) {
    let release = match numbers(&uname.release).0.first() {
        Some(darwin @ 20..=24) => (darwin - 9).to_string(),
        Some(darwin @ 25..) => (darwin + 1).to_string(),
        _ => "unknown".to_owned(),
    };
    ("macos".to_owned(), release)
}
