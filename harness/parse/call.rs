//! The arguments of a verb -> the calls of the model.

use super::args::{Args, BY_NUMBER, INT, find_option};
use super::error::{Fault, Read, unknown};
use super::language::{COMMON, Key as Known, Verb};
use super::scope::Scope;
use super::tree::{Key, Kind, Node};
use crate::model::call::{Domain, Kind as Type, Payload};
use crate::model::option::{Level, OptionKind, OptionRef, SocketOption};
use crate::model::{
    BadArgs, Call, CallSpec, Capability, EpollOp, FcntlOp, How, Name, OptionValue, PortExpr,
    RecvForm, SendForm, SocketSpec, limits,
};
use std::collections::BTreeSet;

/// The calls of one step: one, or for `setsockopt` one for each option.
pub(super) fn read(verb: &Verb, args: &Args<'_>, scope: &mut Scope<'_>) -> Read<Vec<CallSpec>> {
    let calls = match build(verb.name, args)? {
        Some(call) => vec![call],
        None => read_setsockopt(args)?,
    };
    for call in &calls {
        scope.needs.extend(implied(call));
    }
    for key in ["addrlen", "buf"] {
        if args.get(key).is_some() && !calls.iter().all(|call| has_argument(call, key)) {
            let what = format!("`{key}` is no argument of {}, leave it out", verb.name);
            return Err(args.fault(what));
        }
    }
    if let Some(fd) = args.int("fd").filter(|fd| (0..limits::FD_MIN).contains(fd)) {
        let least = limits::FD_MIN;
        let what = format!("descriptor {fd} may be the harness's own, expected {least} or more");
        return Err(args.fault(what));
    }
    let bad = BadArgs {
        fd: args.int("fd"),
        addrlen: args.number("addrlen"),
        addrlen_told: args.word("show") == Some("addrlen")
            || args.words("show").contains(&"addrlen"),
        buf: args.word("buf").is_some(),
        iov: args.number("iov"),
        flags: args.bits("flags"),
    };
    Ok(calls.into_iter().map(|call| CallSpec { call, bad: bad.clone() }).collect())
}

/// Whether there is something to be wrong in a call: an address, or a buffer.
fn has_argument(call: &Call, key: &str) -> bool {
    match call {
        Call::Bind(_) | Call::Connect(_) => key == "addrlen",
        // The data is in a file.
        Call::Send { form: SendForm::Sendfile, .. } => false,
        Call::Send { to, .. } => key == "buf" || to.is_some(),
        Call::Accept { .. } | Call::Getsockname | Call::Getpeername => true,
        Call::Recv { .. } | Call::Setsockopt { .. } | Call::Getsockopt { .. } => key == "buf",
        _ => false,
    }
}

/// What a call needs of a machine.
fn implied(call: &Call) -> Option<Capability> {
    match call {
        Call::Socket(spec) => match (spec.domain, spec.kind) {
            // What is no socket of TCP, UDP or AF_UNIX could reach others' traffic.
            (Domain::Number(_), _) | (_, Type::Raw | Type::Number(_)) => {
                Some(Capability::Namespace)
            }
            (Domain::Inet6, _) => Some(Capability::Ipv6),
            (Domain::Unix, _) => Some(Capability::AfUnix),
            _ => None,
        },
        // To bind, port 0 means any. As a far end it is a port like others, and on a shared
        // loopback nobody knows whose packets go there.
        Call::Connect(to) | Call::Send { to: Some(to), .. }
            if to.port == Some(PortExpr::Literal(0)) =>
        {
            Some(Capability::Namespace)
        }
        Call::Setsockopt { option: OptionRef::Number { option, .. }, .. }
            if *option < limits::OPTION_ANYWHERE_MIN =>
        {
            Some(Capability::Namespace)
        }
        // Packets to loopback's addresses would leave by the device.
        Call::Setsockopt { option: OptionRef::Known(option), .. }
            if option.name == "SO_BINDTODEVICE" =>
        {
            Some(Capability::Namespace)
        }
        Call::EpollCreate | Call::EpollCtl { .. } | Call::EpollWait { .. } => {
            Some(Capability::Epoll)
        }
        _ => None,
    }
}

/// The call of a verb; none for `setsockopt`, which is several.
fn build(verb: &str, args: &Args<'_>) -> Read<Option<Call>> {
    let number = |key| args.needed(key, args.number(key));
    let word = |key| args.needed(key, args.word(key));
    let timeout = args.time("timeout");
    if let Some((form, _)) = SendForm::ALL.iter().find(|(_, word)| *word == verb) {
        return Ok(Some(Call::Send {
            form: *form,
            payload: match args.text("data") {
                Some(text) => Payload::Text(text),
                None => Payload::Len(number("len")?),
            },
            flags: args.words("flags"),
            to: args.address("to"),
            fds: args.names("fds").unwrap_or_default().into(),
        }));
    }
    if let Some((form, _)) = RecvForm::ALL.iter().find(|(_, word)| *word == verb) {
        return Ok(Some(Call::Recv {
            form: *form,
            len: number("len")?,
            flags: args.words("flags"),
            show_data: args.word("show").is_some() || args.words("show").contains(&"data"),
            show_control: args.words("show").contains(&"control"),
            fds: read_room(args)?.map(Vec::into_boxed_slice),
        }));
    }
    Ok(Some(match verb {
        "socket" => Call::Socket(read_socket(args)?),
        "bind" => Call::Bind(args.own_address()?),
        "listen" => Call::Listen(args.needed("backlog", args.number("backlog"))?),
        "connect" => Call::Connect(args.own_address()?),
        "accept" => Call::Accept {
            name: args.name("name").unwrap_or_else(|| Name::new("conn")),
            flags: args.words("flags"),
            show_address: args.words("show").contains(&"address"),
        },
        "shutdown" => Call::Shutdown(match args.word("how") {
            Some("rd") => How::Rd,
            Some("wr") => How::Wr,
            Some(_) => How::Rdwr,
            None => How::Number(args.needed("how", args.number("how"))?),
        }),
        "close" => Call::Close,
        "dup" => Call::Dup(args.needed("name", args.name("name"))?),
        "fcntl" => Call::Fcntl(value_of(&FcntlOp::ALL, word("cmd")?, args)?),
        "chmod" => Call::Chmod(read_mode(args)?),
        "ioctl" => Call::Ioctl(word("request")?),
        "getsockopt" => read_getsockopt(args)?,
        "getsockname" => Call::Getsockname,
        "getpeername" => Call::Getpeername,
        "poll" => Call::Poll { events: args.words("events"), timeout },
        "select" => Call::Select { timeout },
        "epoll_create" => Call::EpollCreate,
        "epoll_ctl" => read_epoll_ctl(args)?,
        "epoll_wait" => Call::EpollWait { timeout },
        _ => return Ok(None),
    }))
}

/// Who may read, write and execute.
fn read_mode(args: &Args<'_>) -> Read<u32> {
    let text = args.needed("mode", args.text("mode"))?;
    let is_mode = text.len() == 3 && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    let mode = u32::from_str_radix(&text, 8).ok().filter(|_| is_mode);
    let expected = || args.fault("expected a mode, three octal digits in quotes: \"600\"");
    mode.ok_or_else(expected)
}

/// Names for what comes along: each for one descriptor.
fn read_room(args: &Args<'_>) -> Read<Option<Vec<Name>>> {
    let names = args.names("fds");
    let mut seen = BTreeSet::new();
    let twice = names.iter().flatten().find(|name| !seen.insert(*name));
    match twice {
        Some(name) => Err(args.fault(format!("`{name}` cannot stand for two descriptors"))),
        None => Ok(names),
    }
}

fn value_of<T: Copy>(table: &[(T, &'static str)], word: &str, args: &Args<'_>) -> Read<T> {
    let found = table.iter().find(|(_, w)| *w == word).map(|(value, _)| *value);
    args.needed(word, found)
}

fn read_epoll_ctl(args: &Args<'_>) -> Read<Call> {
    let asked =
        EpollOp::ALL.iter().find_map(|(op, word)| args.name(word).map(|target| (*op, target)));
    let (op, target) = args.needed("add", asked)?;
    Ok(Call::EpollCtl { op, target, events: args.words("events") })
}

/// A short word, or a domain, a type and a protocol.
fn read_socket(args: &Args<'_>) -> Read<SocketSpec> {
    let short = args.word("type").and_then(|word| Some((word, short_socket(word)?)));
    let domain = match args.word("domain") {
        Some("AF_INET") => Some(Domain::Inet),
        Some("AF_INET6") => Some(Domain::Inet6),
        Some(_) => Some(Domain::Unix),
        None => args.number("domain").map(Domain::Number),
    };
    let own_domain = short.filter(|(_, (own, _))| *own != Domain::OfRun);
    if let (Some((word, _)), Some(_)) = (own_domain, domain) {
        return Err(args.fault(format!("`{word}` has a domain of its own")));
    }
    let kind = match (short, args.word("type")) {
        (Some((_, (_, kind))), _) => kind,
        (None, Some("SOCK_STREAM")) => Type::Stream,
        (None, Some("SOCK_DGRAM")) => Type::Dgram,
        (None, Some("SOCK_SEQPACKET")) => Type::Seqpacket,
        (None, Some(_)) => Type::Raw,
        (None, None) => Type::Number(args.needed("type", args.number("type"))?),
    };
    Ok(SocketSpec {
        // With a domain or a protocol beside it the word no longer says it all.
        word: short
            .filter(|_| domain.is_none() && args.int("protocol").is_none())
            .map(|(word, _)| word),
        domain: domain.or(short.map(|(_, (own, _))| own)).unwrap_or(Domain::OfRun),
        kind,
        protocol: args.number("protocol").unwrap_or(0),
        nonblock: args.flag("nonblock"),
    })
}

/// What a short word for a socket stands for.
fn short_socket(word: &str) -> Option<(Domain, Type)> {
    Some(match word {
        "tcp" => (Domain::OfRun, Type::Stream),
        "tcp4" => (Domain::Inet, Type::Stream),
        "tcp6" => (Domain::Inet6, Type::Stream),
        "udp" => (Domain::OfRun, Type::Dgram),
        "udp4" => (Domain::Inet, Type::Dgram),
        "udp6" => (Domain::Inet6, Type::Dgram),
        "unix-stream" => (Domain::Unix, Type::Stream),
        "unix-dgram" => (Domain::Unix, Type::Dgram),
        "unix-seqpacket" => (Domain::Unix, Type::Seqpacket),
        _ => return None,
    })
}

/// The options of `setsockopt`: a name or a list of names (each is set to 1), or a map.
fn read_setsockopt(args: &Args<'_>) -> Read<Vec<Call>> {
    let expected = "socket options: {SO_REUSEADDR: 1}, a name, or a list of names";
    let object = args.object.ok_or_else(|| args.fault(format!("setsockopt needs {expected}")))?;
    let set = |option, value| Call::Setsockopt { option: OptionRef::Known(option), value };
    let one =
        |node: &Node| super::args::read_option(node).map(|option| set(option, OptionValue::Int(1)));
    let calls = match &object.kind {
        Kind::Map(entries) if BY_NUMBER.iter().any(|key| args.get(key).is_some()) => {
            vec![read_numbered(args, entries)?]
        }
        Kind::Map(entries) => {
            let known = |key: &Key| COMMON.iter().any(|known: &Known| known.name == key.text);
            let options = entries.iter().filter(|(key, _)| !known(key));
            options
                .map(|(key, value)| {
                    let option = find_option(&key.text).map_err(|message| key.fault(message))?;
                    Ok(set(option, read_value(option, value)?))
                })
                .collect::<Read<Vec<Call>>>()?
        }
        Kind::List(names) => names.iter().map(one).collect::<Read<Vec<Call>>>()?,
        Kind::Str(_) => vec![one(object)?],
        _ => return Err(object.expected(expected)),
    };
    if calls.is_empty() {
        return Err(object.fault(format!("setsockopt needs {expected}")));
    }
    Ok(calls)
}

/// Fields belong to TCP_INFO.
fn read_getsockopt(args: &Args<'_>) -> Read<Call> {
    let (option, fields) = (read_asked(args)?, args.words("show"));
    if fields.is_empty() || option.kind() == OptionKind::TcpInfo {
        return Ok(Call::Getsockopt { option, fields });
    }
    Err(args.fault("`show` names fields of TCP_INFO"))
}

/// The option of `getsockopt`: a name, or a number in a level.
fn read_asked(args: &Args<'_>) -> Read<OptionRef> {
    let level = match args.word("level") {
        Some(word) => Some(value_of(&Level::NAMED, word, args)?),
        None => args.number("level").map(Level::Number),
    };
    match (level, args.option("option"), args.number("option")) {
        (Some(level), _, Some(option)) => Ok(OptionRef::Number { level, option }),
        (None, Some(option), _) => Ok(OptionRef::Known(option)),
        (Some(_), Some(option), _) => {
            Err(args.fault(format!("{} has a level of its own, leave it out", option.name)))
        }
        (None, None, Some::<i32>(option)) => {
            Err(args.fault(format!("option {option} needs a level: SOL_SOCKET, IPPROTO_TCP, 6")))
        }
        (_, None, None) => args.needed("option", None),
    }
}

/// The one option that `setsockopt` sets by number.
fn read_numbered(args: &Args<'_>, entries: &[(Key, Node)]) -> Read<Call> {
    let own = |key: &Key| BY_NUMBER.contains(&&*key.text);
    let common = |key: &Key| COMMON.iter().any(|known: &Known| known.name == key.text);
    if let Some((key, _)) = entries.iter().find(|(key, _)| !own(key) && !common(key)) {
        let known = BY_NUMBER.into_iter().chain(COMMON.iter().map(|known| known.name));
        return Err(key.fault(unknown("key of an option by number:", &key.text, known)));
    }
    match read_asked(args)? {
        OptionRef::Known(option) => {
            let name = option.name;
            Err(args.fault(format!("an option with a name is set by it: {{{name}: 1}}")))
        }
        option => {
            let value = args.needed("value", args.int("value"))?;
            Ok(Call::Setsockopt { option, value: OptionValue::Int(value) })
        }
    }
}

/// The value of an option, in the form that its kind takes.
fn read_value(option: SocketOption, node: &Node) -> Read<OptionValue> {
    let name = option.name;
    if node.get("len").is_some() {
        node.keys("{len: N}", &["len"])?;
        let len = node.get("len").map(|len| len.int(&(0..=4096), "a number of bytes"));
        return Ok(OptionValue::Zeros(u32::try_from(len.transpose()?.unwrap_or(0)).unwrap_or(0)));
    }
    let fault = |example: &str| node.expected(&format!("the value of {name}: {example}"));
    match (option.kind, &node.kind) {
        (_, Kind::Int(_)) => Ok(OptionValue::Int(node.int(&INT, "a number")?)),
        (OptionKind::Linger, Kind::Map(_)) => read_linger(node),
        (OptionKind::Linger, _) => Err(fault("{onoff: 1, linger: 0}, or a number")),
        (OptionKind::Time, Kind::Map(_)) => read_timeval(node),
        (OptionKind::Text, Kind::Str(text)) => Ok(OptionValue::Text(text.clone())),
        (OptionKind::Text, _) => Err(fault("text")),
        (OptionKind::Time | OptionKind::Millis | OptionKind::Seconds, Kind::Str(text)) => {
            let time = node.any_duration()?;
            if option.kind == OptionKind::Seconds && time.subsec_millis() != 0 {
                return Err(node.fault(format!("{name} counts whole seconds")));
            }
            if time.as_millis() > i32::MAX as u128 {
                return Err(node.fault(format!("`{text}` is too long for {name}")));
            }
            Ok(OptionValue::Time(time))
        }
        (OptionKind::Time, _) => Err(fault("a duration (100ms), {sec: 0, usec: 1}, or a number")),
        (OptionKind::Millis | OptionKind::Seconds, _) => {
            Err(fault("a duration (100ms), or a number"))
        }
        _ => Err(fault("a number")),
    }
}

/// Whatever numbers it has: which of them are no time, is for the system to say.
fn read_timeval(node: &Node) -> Read<OptionValue> {
    let example = "{sec: 0, usec: 1}";
    node.keys(example, &["sec", "usec"])?;
    let part = |key: &str| -> Result<i64, Fault> {
        let value = node.get(key).ok_or_else(|| node.expected(example))?;
        value.int(&(i64::MIN..=i64::MAX), "a number")
    };
    Ok(OptionValue::Timeval { sec: part("sec")?, usec: part("usec")? })
}

fn read_linger(node: &Node) -> Read<OptionValue> {
    let example = "{onoff: 1, linger: 0}";
    node.keys(example, &["onoff", "linger"])?;
    let part = |key: &str| -> Result<i32, Fault> {
        let value = node.get(key).ok_or_else(|| node.expected(example))?;
        let value = value.int(&INT, "a number")?;
        Ok(i32::try_from(value).unwrap_or(0))
    };
    Ok(OptionValue::Linger { onoff: part("onoff")?, linger: part("linger")? })
}
