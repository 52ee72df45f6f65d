//! Calls in strace's form, socket first.

use super::peer::content;
use crate::model::Name;
use crate::model::address::{AddrBase, AddrExpr, PortExpr};
use crate::model::call::{
    BadArgs, Call, CallSpec, Domain, EpollOp, FcntlOp, How, Kind, SocketSpec, word_of,
};
use crate::model::option::{Level, OptionRef, OptionValue};
use crate::model::time::Shown;
use std::time::Duration;

/// `client.send(256)`: a call without what came of it.
pub fn head(subject: &Name, spec: &CallSpec) -> String {
    let arguments = arguments(spec).join(", ");
    format!("{subject}.{}({arguments})", spec.call.verb())
}

/// The arguments, those that are wrong on purpose last.
pub(super) fn arguments(spec: &CallSpec) -> Vec<String> {
    let BadArgs { fd, addrlen, buf, iov, flags, .. } = &spec.bad;
    let mut arguments = right_arguments(&spec.call, *flags);
    arguments.extend(iov.map(|count| format!("iov {count}")));
    arguments.extend(fd.map(|fd| format!("fd {fd}")));
    arguments.extend(addrlen.map(|len| format!("addrlen {len}")));
    arguments.extend(buf.then(|| "buf bad".to_owned()));
    arguments
}

/// The arguments of the call itself, and what `bits` its flags have beyond those with a name.
fn right_arguments(call: &Call, bits: u32) -> Vec<String> {
    match call {
        Call::Socket(spec) => socket(spec),
        Call::Bind(to) | Call::Connect(to) => vec![address(to)],
        Call::Listen(backlog) => vec![backlog.to_string()],
        Call::Accept { flags, .. } => flags_with(flags, bits).into_iter().collect(),
        Call::Close | Call::Dup(_) | Call::Getsockname | Call::Getpeername | Call::EpollCreate => {
            Vec::new()
        }
        Call::Fcntl(op) => vec![word_of(&FcntlOp::ALL, *op).to_owned()],
        Call::Send { payload, flags, to, fds, .. } => {
            let mut arguments = vec![content("", payload)];
            arguments.extend(flags_with(flags, bits));
            arguments.extend(to.as_ref().map(address));
            arguments.extend((!fds.is_empty()).then(|| passed(fds)));
            arguments
        }
        Call::Recv { len, flags, fds, .. } => {
            let mut arguments = vec![len.to_string()];
            arguments.extend(flags_with(flags, bits));
            arguments.extend(fds.as_deref().map(passed));
            arguments
        }
        Call::Setsockopt { option, value } => {
            let mut arguments = socket_option(*option);
            arguments.push(option_value(value));
            arguments
        }
        Call::Getsockopt { option, .. } => socket_option(*option),
        Call::Shutdown(how) => vec![match how {
            How::Rd => "SHUT_RD".to_owned(),
            How::Wr => "SHUT_WR".to_owned(),
            How::Rdwr => "SHUT_RDWR".to_owned(),
            How::Number(number) => number.to_string(),
        }],
        Call::Poll { events, timeout } => {
            let mut arguments = joined(events);
            arguments.extend(shown(*timeout));
            arguments
        }
        Call::Select { timeout } | Call::EpollWait { timeout } => {
            shown(*timeout).into_iter().collect()
        }
        Call::EpollCtl { op, target, events } => {
            let mut arguments = vec![format!("{} {target}", word_of(&EpollOp::ALL, *op))];
            arguments.extend(joined(events));
            arguments
        }
        Call::Chmod(mode) => vec![format!("{mode:03o}")],
        Call::Ioctl(request) => vec![(*request).to_owned()],
    }
}

/// `fds [client, server]`: descriptors in a message.
pub(super) fn passed(names: &[Name]) -> String {
    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
    format!("fds [{}]", names.join(", "))
}

/// A word says it all; beside a domain or a protocol of the case's own there is none. A domain that
/// the case did not name is the run's, and is not printed.
fn socket(spec: &SocketSpec) -> Vec<String> {
    let mut arguments = Vec::new();
    if let Some(word) = spec.word {
        arguments.push(word.to_owned());
    } else {
        arguments.extend(match spec.domain {
            Domain::OfRun => None,
            Domain::Inet => Some("AF_INET".to_owned()),
            Domain::Inet6 => Some("AF_INET6".to_owned()),
            Domain::Unix => Some("AF_UNIX".to_owned()),
            Domain::Number(number) => Some(number.to_string()),
        });
        arguments.push(match spec.kind {
            Kind::Stream => "SOCK_STREAM".to_owned(),
            Kind::Dgram => "SOCK_DGRAM".to_owned(),
            Kind::Seqpacket => "SOCK_SEQPACKET".to_owned(),
            Kind::Raw => "SOCK_RAW".to_owned(),
            Kind::Number(number) => number.to_string(),
        });
        arguments.push(spec.protocol.to_string());
    }
    arguments.extend(spec.nonblock.then(|| "nonblock".to_owned()));
    arguments
}

/// An address as a case writes it: `server`, `any:server`, `"127.0.0.2":8888`.
fn address(expr: &AddrExpr) -> String {
    let base = match &expr.base {
        AddrBase::Loopback => "loopback".to_owned(),
        AddrBase::Any => "any".to_owned(),
        AddrBase::Local => "local".to_owned(),
        AddrBase::ClosedPort => "closed-port".to_owned(),
        AddrBase::Socket(name) | AddrBase::Peer(name) => name.to_string(),
        AddrBase::Literal(text) => quoted(text.as_bytes()),
        AddrBase::Unspec => "unspec".to_owned(),
        AddrBase::Bad => "bad".to_owned(),
    };
    match &expr.port {
        None => base,
        Some(PortExpr::Of(name)) => format!("{base}:{name}"),
        Some(PortExpr::Literal(port)) => format!("{base}:{port}"),
        Some(PortExpr::Closed) => format!("{base}:closed-port"),
    }
}

/// `SO_ERROR`, which tells its level; by number, `SOL_SOCKET, 7777`.
fn socket_option(option: OptionRef) -> Vec<String> {
    match option {
        OptionRef::Known(option) => vec![option.name.to_owned()],
        OptionRef::Number { level, option } => vec![
            match (level, word_of(&Level::NAMED, level)) {
                (Level::Number(level), "") => level.to_string(),
                (_, word) => word.to_owned(),
            },
            option.to_string(),
        ],
    }
}

fn option_value(value: &OptionValue) -> String {
    match value {
        OptionValue::Int(number) => number.to_string(),
        OptionValue::Linger { onoff, linger } => format!("{{onoff: {onoff}, linger: {linger}}}"),
        OptionValue::Time(time) => Shown(*time).to_string(),
        OptionValue::Timeval { sec, usec } => format!("{{sec: {sec}, usec: {usec}}}"),
        OptionValue::Text(text) => quoted(text.as_bytes()),
        OptionValue::Zeros(len) => format!("{{len: {len}}}"),
    }
}

/// Flags as one argument, or none.
fn joined(flags: &[&str]) -> Vec<String> {
    if flags.is_empty() {
        return Vec::new();
    }
    vec![flags.join("|")]
}

/// Flags as one argument, those without a name last: `MSG_DONTWAIT|0x8000000`.
fn flags_with(names: &[&str], bits: u32) -> Option<String> {
    let bits = (bits != 0).then(|| format!("{bits:#x}"));
    let all: Vec<&str> = names.iter().copied().chain(bits.as_deref()).collect();
    (!all.is_empty()).then(|| all.join("|"))
}

fn shown(timeout: Option<Duration>) -> Option<String> {
    timeout.map(|timeout| Shown(timeout).to_string())
}

/// Bytes in quotes, unprintable ones escaped as Rust does.
pub fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                // Needs an escape only between single quotes.
                '\'' => text.push(c),
                c => text.extend(c.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            text.extend(std::ascii::escape_default(*byte).map(char::from));
        }
    }
    text.push('"');
    text
}
