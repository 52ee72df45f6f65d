//! What macOS and FreeBSD have in common in numbers.

use crate::model::outcome::Outcome;
use crate::sys::Request;
use crate::sys::calls::{Call, NotHere, lacking};
use crate::sys::unix::errno::numbers;
use libc::{c_int, c_short, c_ulong};

/// Error numbers beyond the common ones.
pub const ERRNOS: &[(&str, i32)] = numbers![
    EAUTH EBADRPC EFTYPE ENEEDAUTH ENOATTR EPROCLIM EPROCUNAVAIL EPROGMISMATCH EPROGUNAVAIL
    ERPCMISMATCH
];

/// Flags of a received message beyond the common ones.
pub const RECEIVED_FLAGS: &[(&str, c_int)] = &[];

/// Events of `poll` beyond the common ones.
pub const POLL_EVENTS: &[(&str, c_short)] = &[];

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

/// The signal that ends a blocked call: one that nobody else uses.
pub fn wake_up_signal() -> c_int {
    libc::SIGUSR2
}

/// There is no `epoll`.
///
/// # Errors
/// Always.
pub fn epoll(_: &mut Call<'_>, _: &Request) -> Result<Outcome, NotHere> {
    Err(lacking("epoll"))
}
