//! Flags and numbers by name. A name that this system lacks is told as such, never guessed.

use crate::model::call::{Domain, How, Kind};
use crate::model::option::Level;
use crate::sys::Flags;
use crate::sys::calls::{NotHere, find, lacking};
use windows_sys::Win32::Networking::WinSock as ws;

/// The flags of the sending and receiving calls, or-ed together.
pub fn message_flags(flags: &Flags) -> Result<i32, NotHere> {
    flags.names.iter().try_fold(flags.bits as i32, |flags, name| {
        Ok(flags | find(MESSAGE_FLAGS, name).ok_or_else(|| lacking(name))?)
    })
}

const MESSAGE_FLAGS: &[(&str, i32)] = &[
    ("MSG_OOB", ws::MSG_OOB),
    ("MSG_PEEK", ws::MSG_PEEK),
    ("MSG_DONTROUTE", ws::MSG_DONTROUTE),
    ("MSG_WAITALL", ws::MSG_WAITALL),
];

/// The flags of a received message that say something about it.
pub fn received_flags(flags: u32) -> Vec<String> {
    let told = [("MSG_TRUNC", ws::MSG_TRUNC), ("MSG_CTRUNC", ws::MSG_CTRUNC)];
    let told = told.iter().filter(|(_, flag)| flags & flag != 0);
    told.map(|(name, _)| (*name).to_owned()).collect()
}

/// What a case asks of `WSAPoll`, in the order in which events are printed. POLLIN is both kinds of
/// readable data here and POLLOUT is POLLWRNORM, so an answer can be told only by what was asked.
pub const POLL_ASKED: &[(&str, i16)] = &[
    ("POLLIN", ws::POLLIN),
    ("POLLPRI", ws::POLLPRI),
    ("POLLOUT", ws::POLLOUT),
    ("POLLRDNORM", ws::POLLRDNORM),
    ("POLLRDBAND", ws::POLLRDBAND),
    ("POLLWRNORM", ws::POLLWRNORM),
    ("POLLWRBAND", ws::POLLWRBAND),
];

/// What `WSAPoll` tells unasked; as input the flags are refused with EINVAL.
pub const POLL_UNASKED: &[(&str, i16)] =
    &[("POLLERR", ws::POLLERR), ("POLLHUP", ws::POLLHUP), ("POLLNVAL", ws::POLLNVAL)];

/// Requests of `ioctlsocket`.
pub const IOCTLS: &[(&str, i32)] = &[("FIONREAD", ws::FIONREAD), ("SIOCATMARK", ws::SIOCATMARK)];

/// The states of `SIO_TCP_INFO`, `TCPSTATE`, in the spelling of the other systems.
pub const TCP_STATES: &[&str] = &[
    "CLOSE",
    "LISTEN",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "CLOSE_WAIT",
    "CLOSING",
    "LAST_ACK",
    "TIME_WAIT",
];

/// The name of `SIO_TCP_INFO`'s question in the language: an ioctl here, an option elsewhere.
pub const TCP_INFO: &str = "TCP_INFO";

/// Socket options: level and number.
pub const OPTIONS: &[(&str, i32, i32)] = &[
    ("SO_REUSEADDR", ws::SOL_SOCKET, ws::SO_REUSEADDR),
    ("SO_EXCLUSIVEADDRUSE", ws::SOL_SOCKET, ws::SO_EXCLUSIVEADDRUSE),
    ("SO_LINGER", ws::SOL_SOCKET, ws::SO_LINGER),
    ("SO_KEEPALIVE", ws::SOL_SOCKET, ws::SO_KEEPALIVE),
    ("SO_BROADCAST", ws::SOL_SOCKET, ws::SO_BROADCAST),
    ("SO_OOBINLINE", ws::SOL_SOCKET, ws::SO_OOBINLINE),
    ("SO_DONTROUTE", ws::SOL_SOCKET, ws::SO_DONTROUTE),
    ("SO_RCVBUF", ws::SOL_SOCKET, ws::SO_RCVBUF),
    ("SO_SNDBUF", ws::SOL_SOCKET, ws::SO_SNDBUF),
    ("SO_RCVLOWAT", ws::SOL_SOCKET, ws::SO_RCVLOWAT),
    ("SO_SNDLOWAT", ws::SOL_SOCKET, ws::SO_SNDLOWAT),
    ("SO_RCVTIMEO", ws::SOL_SOCKET, ws::SO_RCVTIMEO),
    ("SO_SNDTIMEO", ws::SOL_SOCKET, ws::SO_SNDTIMEO),
    ("SO_ERROR", ws::SOL_SOCKET, ws::SO_ERROR),
    ("SO_TYPE", ws::SOL_SOCKET, ws::SO_TYPE),
    ("SO_ACCEPTCONN", ws::SOL_SOCKET, ws::SO_ACCEPTCONN),
    ("SO_TIMESTAMP", ws::SOL_SOCKET, ws::SO_TIMESTAMP as i32),
    ("SO_USELOOPBACK", ws::SOL_SOCKET, ws::SO_USELOOPBACK),
    ("TCP_NODELAY", ws::IPPROTO_TCP, ws::TCP_NODELAY),
    ("TCP_MAXSEG", ws::IPPROTO_TCP, ws::TCP_MAXSEG),
    ("TCP_KEEPIDLE", ws::IPPROTO_TCP, ws::TCP_KEEPIDLE),
    ("TCP_KEEPALIVE", ws::IPPROTO_TCP, ws::TCP_KEEPALIVE),
    ("TCP_KEEPINTVL", ws::IPPROTO_TCP, ws::TCP_KEEPINTVL),
    ("TCP_KEEPCNT", ws::IPPROTO_TCP, ws::TCP_KEEPCNT),
    ("TCP_MAXRT", ws::IPPROTO_TCP, ws::TCP_MAXRT),
    ("TCP_FASTOPEN", ws::IPPROTO_TCP, ws::TCP_FASTOPEN),
    ("IP_TTL", ws::IPPROTO_IP, ws::IP_TTL),
    ("IP_TOS", ws::IPPROTO_IP, ws::IP_TOS),
    ("IP_RECVTTL", ws::IPPROTO_IP, ws::IP_RECVTTL),
    ("IP_RECVTOS", ws::IPPROTO_IP, ws::IP_RECVTOS),
    ("IP_MULTICAST_TTL", ws::IPPROTO_IP, ws::IP_MULTICAST_TTL),
    ("IP_MULTICAST_LOOP", ws::IPPROTO_IP, ws::IP_MULTICAST_LOOP),
    ("IP_RECVERR", ws::IPPROTO_IP, ws::IP_RECVERR),
    ("IP_MTU", ws::IPPROTO_IP, ws::IP_MTU),
    ("IP_MTU_DISCOVER", ws::IPPROTO_IP, ws::IP_MTU_DISCOVER),
    ("IP_PKTINFO", ws::IPPROTO_IP, ws::IP_PKTINFO),
    // The others' IP_DONTFRAG, with two letters more.
    ("IP_DONTFRAG", ws::IPPROTO_IP, ws::IP_DONTFRAGMENT),
    ("IPV6_V6ONLY", ws::IPPROTO_IPV6, ws::IPV6_V6ONLY),
    ("IPV6_UNICAST_HOPS", ws::IPPROTO_IPV6, ws::IPV6_UNICAST_HOPS),
    ("IPV6_TCLASS", ws::IPPROTO_IPV6, ws::IPV6_TCLASS),
    ("IPV6_RECVTCLASS", ws::IPPROTO_IPV6, ws::IPV6_RECVTCLASS),
    ("IPV6_MULTICAST_HOPS", ws::IPPROTO_IPV6, ws::IPV6_MULTICAST_HOPS),
    ("IPV6_MULTICAST_LOOP", ws::IPPROTO_IPV6, ws::IPV6_MULTICAST_LOOP),
    ("IPV6_RECVHOPLIMIT", ws::IPPROTO_IPV6, ws::IPV6_HOPLIMIT),
    ("IPV6_RECVERR", ws::IPPROTO_IPV6, ws::IPV6_RECVERR),
    ("IPV6_MTU_DISCOVER", ws::IPPROTO_IPV6, ws::IPV6_MTU_DISCOVER),
    ("IPV6_RECVPKTINFO", ws::IPPROTO_IPV6, ws::IPV6_PKTINFO),
    ("IPV6_DONTFRAG", ws::IPPROTO_IPV6, ws::IPV6_DONTFRAG),
];

/// The address family. `OfRun` has been resolved above; taken literally it is AF_INET.
pub fn domain(domain: Domain) -> i32 {
    match domain {
        Domain::OfRun | Domain::Inet => i32::from(ws::AF_INET),
        Domain::Inet6 => i32::from(ws::AF_INET6),
        Domain::Unix => i32::from(ws::AF_UNIX),
        Domain::Number(number) => number,
    }
}

/// The socket type.
pub fn kind(kind: Kind) -> i32 {
    match kind {
        Kind::Stream => ws::SOCK_STREAM,
        Kind::Dgram => ws::SOCK_DGRAM,
        Kind::Seqpacket => ws::SOCK_SEQPACKET,
        Kind::Raw => ws::SOCK_RAW,
        Kind::Number(number) => number,
    }
}

/// The level of a socket option.
pub fn level(level: Level) -> i32 {
    match level {
        Level::Socket => ws::SOL_SOCKET,
        Level::Number(number) => number,
    }
}

/// The argument of `shutdown`.
pub fn how(how: How) -> i32 {
    match how {
        How::Rd => ws::SD_RECEIVE,
        How::Wr => ws::SD_SEND,
        How::Rdwr => ws::SD_BOTH,
        How::Number(number) => number,
    }
}
