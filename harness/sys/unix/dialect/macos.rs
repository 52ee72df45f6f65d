//! macOS: numbers that only it has.

use crate::model::outcome::Outcome;
use crate::sys::Request;
use crate::sys::unix::bsd::sysctl;
use crate::sys::unix::calls::Call;
use crate::sys::unix::errno::numbers;
use crate::sys::unix::machine::{Uname, numbers};
use crate::sys::unix::names::{NotHere, lacking};
use libc::{c_int, c_short, c_ulong, sockaddr, socklen_t};

pub use crate::sys::unix::thread::Thread;

/// Error numbers beyond the common ones.
pub const ERRNOS: &[(&str, i32)] = numbers![];

/// Flags of the sending and receiving calls beyond the common ones.
pub const MESSAGE_FLAGS: &[(&str, c_int)] =
    &[("MSG_NOSIGNAL", 0x80000), ("MSG_EOF", libc::MSG_EOF)];

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

/// Socket options: level and number.
pub const OPTIONS: &[(&str, c_int, c_int)] = &[
    ("SO_REUSEADDR", libc::SOL_SOCKET, libc::SO_REUSEADDR),
    ("SO_REUSEPORT", libc::SOL_SOCKET, libc::SO_REUSEPORT),
    ("SO_LINGER", libc::SOL_SOCKET, libc::SO_LINGER),
    ("SO_KEEPALIVE", libc::SOL_SOCKET, libc::SO_KEEPALIVE),
    ("SO_BROADCAST", libc::SOL_SOCKET, libc::SO_BROADCAST),
    ("SO_OOBINLINE", libc::SOL_SOCKET, libc::SO_OOBINLINE),
    ("SO_DONTROUTE", libc::SOL_SOCKET, libc::SO_DONTROUTE),
    ("SO_RCVBUF", libc::SOL_SOCKET, libc::SO_RCVBUF),
    ("SO_SNDBUF", libc::SOL_SOCKET, libc::SO_SNDBUF),
    ("SO_RCVLOWAT", libc::SOL_SOCKET, libc::SO_RCVLOWAT),
    ("SO_SNDLOWAT", libc::SOL_SOCKET, libc::SO_SNDLOWAT),
    ("SO_RCVTIMEO", libc::SOL_SOCKET, libc::SO_RCVTIMEO),
    ("SO_SNDTIMEO", libc::SOL_SOCKET, libc::SO_SNDTIMEO),
    ("SO_ERROR", libc::SOL_SOCKET, libc::SO_ERROR),
    ("SO_TYPE", libc::SOL_SOCKET, libc::SO_TYPE),
    ("SO_ACCEPTCONN", libc::SOL_SOCKET, libc::SO_ACCEPTCONN),
    ("SO_TIMESTAMP", libc::SOL_SOCKET, libc::SO_TIMESTAMP),
    ("SO_USELOOPBACK", libc::SOL_SOCKET, libc::SO_USELOOPBACK),
    ("SO_NOSIGPIPE", libc::SOL_SOCKET, libc::SO_NOSIGPIPE),
    ("TCP_NODELAY", libc::IPPROTO_TCP, libc::TCP_NODELAY),
    ("TCP_MAXSEG", libc::IPPROTO_TCP, libc::TCP_MAXSEG),
    ("TCP_NOPUSH", libc::IPPROTO_TCP, libc::TCP_NOPUSH),
    ("TCP_KEEPALIVE", libc::IPPROTO_TCP, libc::TCP_KEEPALIVE),
    ("TCP_KEEPINTVL", libc::IPPROTO_TCP, libc::TCP_KEEPINTVL),
    ("TCP_KEEPCNT", libc::IPPROTO_TCP, libc::TCP_KEEPCNT),
    ("TCP_CONNECTIONTIMEOUT", libc::IPPROTO_TCP, 0x20),
    ("TCP_FASTOPEN", libc::IPPROTO_TCP, libc::TCP_FASTOPEN),
    ("TCP_NOTSENT_LOWAT", libc::IPPROTO_TCP, 0x201),
    ("TCP_INFO", libc::IPPROTO_TCP, libc::TCP_CONNECTION_INFO),
    ("IP_TTL", libc::IPPROTO_IP, libc::IP_TTL),
    ("IP_TOS", libc::IPPROTO_IP, libc::IP_TOS),
    ("IP_PKTINFO", libc::IPPROTO_IP, libc::IP_PKTINFO),
    ("IP_DONTFRAG", libc::IPPROTO_IP, libc::IP_DONTFRAG),
    ("IPV6_V6ONLY", libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
    ("IPV6_UNICAST_HOPS", libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS),
    ("IPV6_TCLASS", libc::IPPROTO_IPV6, 36),
    ("IPV6_RECVPKTINFO", libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    ("IPV6_DONTFRAG", libc::IPPROTO_IPV6, 62),
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

/// Platform and release key: macOS's own version, `15`, which `uname` does not tell.
pub fn platform(_: &Uname) -> (String, String) {
    let version = sysctl::text("kern.osproductversion").unwrap_or_default();
    ("macos".to_owned(), numbers(&version).key(1).to_string())
}
