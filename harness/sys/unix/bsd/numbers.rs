//! What macOS and FreeBSD have in common in numbers.

use crate::model::control::Control;
use crate::model::outcome::Outcome;
use crate::sys::Request;
use crate::sys::calls::{Call, NotHere, lacking};
use crate::sys::unix::errno::numbers;
use libc::{c_int, c_ulong};
use std::io;

/// Error numbers beyond the common ones.
pub const ERRNOS: &[(&str, i32)] = numbers![
    EAUTH EBADRPC EFTYPE ENEEDAUTH ENOATTR EPROCLIM EPROCUNAVAIL EPROGMISMATCH EPROGUNAVAIL
    ERPCMISMATCH
];

// `<sys/errno.h>` of XNU and of FreeBSD: what is told of non-blocking calls, arguments and
// connections has one order on both, from 35 on. Linux begins it at 114, and EAGAIN is 11 there.
const _: () = {
    const FIRST: i32 = 35;
    let in_order = [
        libc::EAGAIN,
        libc::EINPROGRESS,
        libc::EALREADY,
        libc::ENOTSOCK,
        libc::EDESTADDRREQ,
        libc::EMSGSIZE,
        libc::EPROTOTYPE,
        libc::ENOPROTOOPT,
        libc::EPROTONOSUPPORT,
        libc::ESOCKTNOSUPPORT,
        libc::ENOTSUP,
        libc::EPFNOSUPPORT,
        libc::EAFNOSUPPORT,
        libc::EADDRINUSE,
        libc::EADDRNOTAVAIL,
        libc::ENETDOWN,
        libc::ENETUNREACH,
        libc::ENETRESET,
        libc::ECONNABORTED,
        libc::ECONNRESET,
        libc::ENOBUFS,
        libc::EISCONN,
        libc::ENOTCONN,
        libc::ESHUTDOWN,
        libc::ETOOMANYREFS,
        libc::ETIMEDOUT,
        libc::ECONNREFUSED,
        libc::ELOOP,
        libc::ENAMETOOLONG,
        libc::EHOSTDOWN,
        libc::EHOSTUNREACH,
    ];
    let mut at = 0;
    while at < in_order.len() {
        assert!(in_order[at] == FIRST + at as i32);
        at += 1;
    }
};

/// Flags of a received message beyond the common ones.
pub const RECEIVED_FLAGS: &[(&str, c_int)] = &[];

/// Whether AF_UNIX has names that begin with a zero byte. What these systems tell of a socket that
/// has no name are 16 bytes, all zero behind the family (`sun_noname` in the kernels).
pub const ABSTRACT_NAMES: bool = false;

/// Requests of `ioctl`: `_IOR('f', 127, int)` and `_IOR('s', 7, int)`.
pub const IOCTLS: &[(&str, c_ulong)] = &[("FIONREAD", 0x4004_667f), ("SIOCATMARK", 0x4004_7307)];

/// `TCP_INFO`'s states, `<netinet/tcp_fsm.h>`, in the spelling of the other systems.
pub const TCP_STATES: &[&str] = &[
    "CLOSE",
    "LISTEN",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "CLOSE_WAIT",
    "FIN_WAIT1",
    "CLOSING",
    "LAST_ACK",
    "FIN_WAIT2",
    "TIME_WAIT",
];

/// Socket options of both: level and number.
pub const BSD_OPTIONS: &[(&str, c_int, c_int)] = &[
    ("SO_USELOOPBACK", libc::SOL_SOCKET, libc::SO_USELOOPBACK),
    ("SO_NOSIGPIPE", libc::SOL_SOCKET, libc::SO_NOSIGPIPE),
    ("TCP_NOPUSH", libc::IPPROTO_TCP, libc::TCP_NOPUSH),
    ("IP_DONTFRAG", libc::IPPROTO_IP, libc::IP_DONTFRAG),
];

/// Two signals that nobody else uses.
pub fn harmless_signals() -> [c_int; 2] {
    [libc::SIGUSR2, libc::SIGUSR1]
}

/// There are no capabilities to give up.
///
/// # Errors
/// Always.
pub fn give_up() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// There is no `epoll`.
///
/// # Errors
/// Always.
pub fn epoll(_: &mut Call<'_>, _: &Request) -> Result<Outcome, NotHere> {
    Err(lacking("epoll"))
}

/// Whether [`control`] knows control messages.
pub const READS_CONTROL: bool = false;

/// Control messages are not read.
pub fn control(_: &libc::msghdr) -> Vec<Control> {
    Vec::new()
}
