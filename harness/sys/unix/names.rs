//! Flags and numbers by name. A name that this system lacks is told as such, never guessed.

use super::dialect;
use crate::model::call::{Domain, How, Kind};
use crate::model::option::Level;
use crate::sys::Flags;
use crate::sys::calls::{NotHere, find, lacking};
use libc::{c_int, c_short};

/// The flags of the sending and receiving calls, or-ed together.
pub fn message_flags(flags: &Flags) -> Result<c_int, NotHere> {
    flags.names.iter().try_fold(flags.bits as c_int, |flags, name| {
        let flag = find(MESSAGE_FLAGS, name).or_else(|| find(dialect::MESSAGE_FLAGS, name));
        Ok(flags | flag.ok_or_else(|| lacking(name))?)
    })
}

const MESSAGE_FLAGS: &[(&str, c_int)] = &[
    ("MSG_OOB", libc::MSG_OOB),
    ("MSG_PEEK", libc::MSG_PEEK),
    ("MSG_DONTROUTE", libc::MSG_DONTROUTE),
    ("MSG_WAITALL", libc::MSG_WAITALL),
    ("MSG_DONTWAIT", libc::MSG_DONTWAIT),
    ("MSG_TRUNC", libc::MSG_TRUNC),
    ("MSG_EOR", libc::MSG_EOR),
];

/// The flags of `msg_flags` that say something about the message received.
pub fn received_flags(flags: c_int) -> Vec<String> {
    let told = [
        ("MSG_OOB", libc::MSG_OOB),
        ("MSG_TRUNC", libc::MSG_TRUNC),
        ("MSG_CTRUNC", libc::MSG_CTRUNC),
        ("MSG_EOR", libc::MSG_EOR),
    ];
    let told = told.iter().chain(dialect::RECEIVED_FLAGS);
    told.filter(|(_, flag)| flags & flag != 0).map(|(name, _)| (*name).to_owned()).collect()
}

/// The events of `poll`, or-ed together.
pub fn poll_events(names: &[String]) -> Result<c_short, NotHere> {
    names.iter().try_fold(0, |events, name| {
        let event = find(POLL_EVENTS, name).or_else(|| find(dialect::POLL_EVENTS, name));
        Ok(events | event.ok_or_else(|| lacking(name))?)
    })
}

/// The names of events, in the order of [`crate::model::call::POLL_EVENTS`].
pub fn poll_names(events: c_short) -> Vec<String> {
    let known = POLL_EVENTS.iter().chain(dialect::POLL_EVENTS);
    known.filter(|(_, event)| events & event != 0).map(|(name, _)| (*name).to_owned()).collect()
}

const POLL_EVENTS: &[(&str, c_short)] = &[
    ("POLLIN", libc::POLLIN),
    ("POLLPRI", libc::POLLPRI),
    ("POLLOUT", libc::POLLOUT),
    ("POLLRDNORM", libc::POLLRDNORM),
    ("POLLRDBAND", libc::POLLRDBAND),
    ("POLLWRNORM", libc::POLLWRNORM),
    ("POLLWRBAND", libc::POLLWRBAND),
    ("POLLERR", libc::POLLERR),
    ("POLLHUP", libc::POLLHUP),
    ("POLLNVAL", libc::POLLNVAL),
];

/// The address family. `OfRun` has been resolved above; taken literally it is AF_INET.
pub fn domain(domain: Domain) -> c_int {
    match domain {
        Domain::OfRun | Domain::Inet => libc::AF_INET,
        Domain::Inet6 => libc::AF_INET6,
        Domain::Unix => libc::AF_UNIX,
        Domain::Number(number) => number,
    }
}

/// The socket type.
pub fn kind(kind: Kind) -> c_int {
    match kind {
        Kind::Stream => libc::SOCK_STREAM,
        Kind::Dgram => libc::SOCK_DGRAM,
        Kind::Seqpacket => libc::SOCK_SEQPACKET,
        Kind::Raw => libc::SOCK_RAW,
        Kind::Number(number) => number,
    }
}

/// The level of a socket option.
pub fn level(level: Level) -> c_int {
    match level {
        Level::Socket => libc::SOL_SOCKET,
        Level::Number(number) => number,
    }
}

/// The argument of `shutdown`.
pub fn how(how: How) -> c_int {
    match how {
        How::Rd => libc::SHUT_RD,
        How::Wr => libc::SHUT_WR,
        How::Rdwr => libc::SHUT_RDWR,
        How::Number(number) => number,
    }
}

/// A signal's number.
pub fn signal(name: &str) -> Option<c_int> {
    find(SIGNALS, name)
}

/// A signal's name.
pub fn signal_name(number: c_int) -> String {
    let known = SIGNALS.iter().find(|(_, signal)| *signal == number);
    known.map_or_else(|| format!("signal {number}"), |(name, _)| (*name).to_owned())
}

/// The signals that a case may send, and those that a call may raise.
pub const SIGNALS: &[(&str, c_int)] = &[
    ("SIGKILL", libc::SIGKILL),
    ("SIGTERM", libc::SIGTERM),
    ("SIGSEGV", libc::SIGSEGV),
    ("SIGBUS", libc::SIGBUS),
    ("SIGINT", libc::SIGINT),
    ("SIGABRT", libc::SIGABRT),
    ("SIGHUP", libc::SIGHUP),
    ("SIGQUIT", libc::SIGQUIT),
    ("SIGSTOP", libc::SIGSTOP),
    ("SIGCONT", libc::SIGCONT),
    ("SIGPIPE", libc::SIGPIPE),
];
