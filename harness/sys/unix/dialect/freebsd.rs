//! FreeBSD: numbers that only it has, and `accept4`.

use crate::sys::unix::bsd::file::counted;
use crate::sys::unix::machine::{Uname, numbers};
use libc::{c_int, c_short};
use std::fs::File;
use std::mem::offset_of;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::ptr::null_mut;

pub use crate::sys::freebsd::SYSTEM;
pub use crate::sys::freebsd::thread::{Thread, ThreadId};
pub use crate::sys::unix::accept4::{ACCEPT_FLAGS, SOCK_NONBLOCK, accept4};
pub use crate::sys::unix::bsd::file::file_of;
pub use crate::sys::unix::bsd::numbers::{
    ABSTRACT_NAMES, BSD_OPTIONS, ERRNOS, IOCTLS, READS_CONTROL, RECEIVED_FLAGS, TCP_STATES,
    control, epoll, give_up, harmless_signals,
};
pub use crate::sys::unix::sigpipe::{SIGPIPE_OF_PROCESS, take_sigpipe};

/// Flags of the sending and receiving calls beyond the common ones.
pub const MESSAGE_FLAGS: &[(&str, c_int)] = &[
    ("MSG_NOSIGNAL", libc::MSG_NOSIGNAL),
    ("MSG_EOF", libc::MSG_EOF),
    ("MSG_CMSG_CLOEXEC", libc::MSG_CMSG_CLOEXEC),
];

/// A field of `struct tcp_info` and its bytes.
macro_rules! field {
    ($name:ident) => {{
        let at = offset_of!(libc::tcp_info, $name);
        (stringify!($name), at..at + size_of::<u32>())
    }};
}

/// Fields of `struct tcp_info` that a case may ask for: those that FreeBSD fills. The others have
/// names that begin with two underscores.
pub const TCP_INFO_FIELDS: &[(&str, Range<usize>)] = &[
    field!(tcpi_snd_mss),
    field!(tcpi_rcv_mss),
    field!(tcpi_snd_ssthresh),
    field!(tcpi_snd_cwnd),
    field!(tcpi_rcv_ooopack),
];

/// Events of `poll` beyond the common ones: since 13.1.
pub const POLL_EVENTS: &[(&str, c_short)] = &[("POLLRDHUP", libc::POLLRDHUP)];

/// Socket options beyond the common ones: level and number.
pub const OPTIONS: &[(&str, c_int, c_int)] = &[
    ("SO_REUSEPORT_LB", libc::SOL_SOCKET, libc::SO_REUSEPORT_LB),
    ("SO_PROTOCOL", libc::SOL_SOCKET, libc::SO_PROTOCOL),
    ("SO_DOMAIN", libc::SOL_SOCKET, libc::SO_DOMAIN),
    ("TCP_KEEPIDLE", libc::IPPROTO_TCP, libc::TCP_KEEPIDLE),
    ("TCP_KEEPINIT", libc::IPPROTO_TCP, libc::TCP_KEEPINIT),
    ("TCP_CONGESTION", libc::IPPROTO_TCP, libc::TCP_CONGESTION),
    ("TCP_INFO", libc::IPPROTO_TCP, libc::TCP_INFO),
    ("IP_MINTTL", libc::IPPROTO_IP, libc::IP_MINTTL),
    ("IPV6_TCLASS", libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
    ("IPV6_RECVHOPLIMIT", libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT),
    ("IPV6_RECVTCLASS", libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS),
    ("IPV6_DONTFRAG", libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG),
];

/// The user and the group `nobody`, who own nothing.
pub const NOBODY: libc::uid_t = 65_534;

/// `sendfile(2)`: so many bytes of a file, from its beginning.
pub fn sendfile(socket: c_int, file: &File, len: usize) -> i64 {
    let mut sent = 0;
    let count = &raw mut sent;
    // SAFETY: the pointers are null, or to a number that outlives the call; whatever the
    // descriptor is, only a file of our own is read.
    let returned =
        unsafe { libc::sendfile(file.as_raw_fd(), socket, 0, len, null_mut(), count, 0) };
    counted(returned, sent)
}

/// Platform and release key: `14.3` of `14.3-RELEASE-p2`.
pub fn platform(uname: &Uname) -> (String, String) {
    let release = numbers(&uname.release).key(2);
    ("freebsd".to_owned(), release.to_string())
}
