//! The object of a verb -> values, by the verb's table.

use super::address;
use super::error::{Fault, Read, unknown};
use super::language::{Form, Verb};
use super::packet;
use super::scope::Scope;
use super::tree::{Kind, Node};
use crate::model::call::Payload;
use crate::model::limits::PASSED_MAX;
use crate::model::option::{self, SocketOption};
use crate::model::peer::{Cut, LocalEnd, Number, Source, TcpOption};
use crate::model::{AddrBase, AddrExpr, Name, PortExpr, TcpFlags};
use packet::Sender;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What an `int` of the system can be.
pub(super) const INT: RangeInclusive<i64> = i32::MIN as i64..=i32::MAX as i64;

/// The keys of an option that is set by number.
pub(super) const BY_NUMBER: [&str; 3] = ["level", "option", "value"];

/// What stood after a key.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Base(AddrBase),
    Address(AddrExpr),
    Port(PortExpr),
    Name(Name),
    Names(Vec<Name>),
    Int(i64),
    Text(String),
    Flag(bool),
    Time(Duration),
    Word(&'static str),
    Words(Vec<&'static str>),
    Bits(Vec<&'static str>, u32),
    Option(SocketOption),
    Flags(TcpFlags),
    Number(Number),
    TcpOptions(Vec<TcpOption>),
    Payload(Payload),
    LocalEnd(LocalEnd),
    Host(IpAddr),
    Source(Source),
    Cut(Cut),
}

/// The values of a step, by key.
pub(super) struct Args<'n> {
    /// The node to blame for what is missing.
    blamed: u32,
    /// The object, if there is one.
    pub object: Option<&'n Node>,
    values: Vec<(&'static str, Value)>,
}

impl<'n> Args<'n> {
    /// Reads the object of a verb. `blamed` is the node that a missing key is told at.
    pub fn read(
        verb: &Verb,
        object: Option<&'n Node>,
        blamed: u32,
        scope: &mut Scope<'_>,
    ) -> Read<Args<'n>> {
        let mut args = Args { object, ..Args::none(blamed) };
        match object.map(|node| (node, &node.kind)) {
            None => {}
            Some((_, Kind::Map(entries))) => {
                for (key, value) in entries {
                    let known = || verb.keys.iter().chain(verb.common);
                    let found = known().find(|known| known.name == key.text);
                    if found.is_none() && verb.takes_options() {
                        continue;
                    }
                    let Some(known) = found else {
                        let words = known().map(|known| known.name);
                        let what = format!("key of {}", verb.name);
                        return Err(key.fault(unknown(&what, &key.text, words)));
                    };
                    args.values.push((known.name, read_form(value, known.form, scope)?));
                }
            }
            Some(_) if verb.takes_options() => {}
            Some((node, _)) => {
                let key = verb.short_keys().find(|key| takes(key.form, node));
                let key = key.ok_or_else(|| node.expected(&short_forms(verb)))?;
                args.values.push((key.name, read_form(node, key.form, scope)?));
            }
        }
        args.check_needs(verb)?;
        Ok(args)
    }

    /// No arguments.
    pub fn none(blamed: u32) -> Args<'n> {
        Args { blamed, object: None, values: Vec::new() }
    }

    fn check_needs(&self, verb: &Verb) -> Read<()> {
        let given: Vec<&str> =
            verb.needs.iter().copied().filter(|key| self.get(key).is_some()).collect();
        match (verb.needs, given.as_slice()) {
            ([], _) | (_, [_]) => Ok(()),
            (_, []) if self.object.is_none() => {
                Err(self.fault(format!("{} needs {}", verb.name, short_forms(verb))))
            }
            (needs, []) => {
                Err(self.fault(format!("{} needs the key {}", verb.name, needs.join(" or "))))
            }
            (_, several) => {
                Err(self.fault(format!("{} takes only one of {}", verb.name, several.join(", "))))
            }
        }
    }

    /// A mistake of the whole object.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { id: self.object.map_or(self.blamed, |node| node.id), message: message.into() }
    }

    /// A mistake in what stands after a key.
    pub fn fault_at(&self, key: &str, message: &str) -> Fault {
        let node = self.object.and_then(|object| object.get(key));
        node.map_or_else(|| self.fault(message), |node| node.fault(message))
    }

    /// What stood after a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// A number.
    pub fn int(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// A number that the table keeps within the bounds of its type.
    pub fn number<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        T::try_from(self.int(key)?).ok()
    }

    /// A word.
    pub fn word(&self, key: &str) -> Option<&'static str> {
        match self.get(key)? {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Words; none if the key is not there.
    pub fn words(&self, key: &str) -> Vec<&'static str> {
        match self.get(key) {
            Some(Value::Words(words) | Value::Bits(words, _)) => words.clone(),
            _ => Vec::new(),
        }
    }

    /// What flags have beyond words; 0 if the key is not there.
    pub fn bits(&self, key: &str) -> u32 {
        match self.get(key) {
            Some(Value::Bits(_, bits)) => *bits,
            _ => 0,
        }
    }

    /// Text.
    pub fn text(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// A flag; false if the key is not there.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Value::Flag(true)))
    }

    /// A duration.
    pub fn time(&self, key: &str) -> Option<Duration> {
        match self.get(key)? {
            Value::Time(time) => Some(*time),
            _ => None,
        }
    }

    /// A socket's name.
    pub fn name(&self, key: &str) -> Option<Name> {
        match self.get(key)? {
            Value::Name(name) => Some(name.clone()),
            _ => None,
        }
    }

    /// Sockets' names.
    pub fn names(&self, key: &str) -> Option<Vec<Name>> {
        match self.get(key)? {
            Value::Names(names) => Some(names.clone()),
            _ => None,
        }
    }

    /// An option.
    pub fn option(&self, key: &str) -> Option<SocketOption> {
        match self.get(key)? {
            Value::Option(option) => Some(*option),
            _ => None,
        }
    }

    /// TCP flags.
    pub fn flags(&self, key: &str) -> Option<TcpFlags> {
        match self.get(key)? {
            Value::Flags(flags) => Some(*flags),
            _ => None,
        }
    }

    /// A sequence or acknowledgment number.
    pub fn sequence_number(&self, key: &str) -> Option<Number> {
        match self.get(key)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Options of a segment.
    pub fn tcp_options(&self, key: &str) -> Option<Vec<TcpOption>> {
        match self.get(key)? {
            Value::TcpOptions(options) => Some(options.clone()),
            _ => None,
        }
    }

    /// A payload.
    pub fn payload(&self, key: &str) -> Option<Payload> {
        match self.get(key)? {
            Value::Payload(payload) => Some(payload.clone()),
            _ => None,
        }
    }

    /// A local end.
    pub fn local_end(&self, key: &str) -> Option<LocalEnd> {
        match self.get(key)? {
            Value::LocalEnd(end) => Some(end.clone()),
            _ => None,
        }
    }

    /// The address of a host.
    pub fn host(&self, key: &str) -> Option<IpAddr> {
        match self.get(key)? {
            Value::Host(address) => Some(*address),
            _ => None,
        }
    }

    /// Whom a sender claims to be.
    pub fn source(&self, key: &str) -> Option<Source> {
        match self.get(key)? {
            Value::Source(source) => Some(source.clone()),
            _ => None,
        }
    }

    /// Fragments.
    pub fn cut(&self, key: &str) -> Option<Cut> {
        match self.get(key)? {
            Value::Cut(cut) => Some(cut.clone()),
            _ => None,
        }
    }

    /// A word as what stands beside it in a table.
    pub fn one_of<T: Copy>(&self, key: &str, table: &[(T, &'static str)]) -> Option<T> {
        let word = self.word(key)?;
        table.iter().find(|(_, w)| *w == word).map(|(value, _)| *value)
    }

    /// A whole address under one key.
    pub fn address(&self, key: &str) -> Option<AddrExpr> {
        match self.get(key)? {
            Value::Address(address) => Some(address.clone()),
            _ => None,
        }
    }

    /// The address whose halves are the keys `addr` and `port`.
    pub fn own_address(&self) -> Read<AddrExpr> {
        let (Some(Value::Base(base)), Some(object)) = (self.get("addr"), self.object) else {
            return Err(self.fault("`addr` is missing"));
        };
        let port = match self.get("port") {
            Some(Value::Port(port)) => Some(port.clone()),
            _ => None,
        };
        address::join(object, base.clone(), port)
    }

    /// A value that the verb cannot do without.
    pub fn needed<T>(&self, key: &str, value: Option<T>) -> Read<T> {
        value.ok_or_else(|| self.fault(format!("`{key}` is missing")))
    }
}

/// Whether a value that is no map may be that of a key.
fn takes(form: Form, node: &Node) -> bool {
    match (form, &node.kind) {
        (Form::Int(..), Kind::Int(_)) | (Form::WordOrInt(..), Kind::Int(_) | Kind::Str(_)) => true,
        (Form::Words(_) | Form::Bits(_), Kind::Str(_) | Kind::List(_)) => true,
        // `udp` and `any` are other words; `none` is no flag at all, and `e` is one.
        (Form::Flags, Kind::Str(text)) => {
            text == "none" || !text.starts_with(|c: char| c.is_ascii_lowercase() && c != 'e')
        }
        (Form::NewNames | Form::Sockets | Form::Cut, _) => false,
        (Form::Int(..) | Form::Flag | Form::Number(_) | Form::TcpOptions, _) => false,
        (_, kind) => matches!(kind, Kind::Str(_)),
    }
}

/// What a verb's object may be, in words.
fn short_forms(verb: &Verb) -> String {
    let mut forms: Vec<String> = verb.short_keys().map(|key| in_words(key.form)).collect();
    if forms.is_empty() && verb.needs.is_empty() {
        let keys = verb.keys.iter().chain(verb.common).map(|key| key.name);
        let keys: Vec<&str> = keys.collect();
        return format!("nothing, or a map of {}", keys.join(", "));
    }
    forms.push("a map".to_owned());
    forms.join(" or ")
}

/// What a form wants, as the middle of a sentence.
pub(super) fn in_words(form: Form) -> String {
    match form {
        Form::Base | Form::Address => "an address (loopback, any, a socket's name)".to_owned(),
        Form::Port => "a port".to_owned(),
        Form::NewName | Form::Socket => "a socket's name".to_owned(),
        Form::NewNames | Form::Sockets => "a list of sockets' names".to_owned(),
        Form::PortHolder => "a socket's name, or peer".to_owned(),
        Form::Int(low, high) if low <= i64::from(i32::MIN) && high >= i64::from(i32::MAX) => {
            "a number".to_owned()
        }
        Form::Int(low, high) => format!("a number from {low} to {high}"),
        Form::Text => "text in quotes".to_owned(),
        Form::Icmp => packet::ICMP.to_owned(),
        Form::Flag => "`true` or `false`".to_owned(),
        Form::Time => "a duration (300ms, 2s, 1min)".to_owned(),
        Form::Word(words) => format!("a word: {}", words.join(", ")),
        Form::Words(words) => format!("words: {}", words.join(", ")),
        Form::Bits(words) => format!("words or numbers: {}", words.join(", ")),
        Form::WordOrInt(words, ..) => format!("a number or a word: {}", words.join(", ")),
        Form::Option => "the name of a socket option (SO_ERROR)".to_owned(),
        Form::Flags => "TCP flags (S., R, none)".to_owned(),
        Form::Number(bases) => packet::number_in_words(bases),
        Form::TcpOptions => "a list of TCP options: [mss 1460, nop]".to_owned(),
        Form::Payload => "a length, or text in quotes".to_owned(),
        Form::LocalEnd => "a socket's name, closed-port, or an IP address".to_owned(),
        Form::Host => "an IP address".to_owned(),
        Form::Sender => packet::SENDER.to_owned(),
        Form::Cut => packet::CUT.to_owned(),
    }
}

fn read_form(node: &Node, form: Form, scope: &mut Scope<'_>) -> Read<Value> {
    let expected = || in_words(form);
    Ok(match form {
        Form::Base => Value::Base(address::read_base(node, scope)?),
        Form::Address => Value::Address(address::read(node, scope)?),
        Form::Port => Value::Port(address::read_port(node, scope)?),
        Form::NewName => {
            let text = node.text(&expected())?;
            Value::Name(scope.new_name(text).map_err(|message| node.fault(message))?)
        }
        Form::Socket => Value::Name(scope.socket_at(node)?),
        Form::NewNames => {
            let new = |node: &Node| {
                let text = node.text("a socket's name")?;
                scope.new_name(text).map_err(|message| node.fault(message))
            };
            Value::Names(read_names(node, new)?)
        }
        Form::Sockets => Value::Names(read_names(node, |node| scope.socket_at(node))?),
        Form::PortHolder => Value::Name(packet::read_port_holder(node, scope)?),
        Form::Int(low, high) => Value::Int(node.int(&(low..=high), &expected())?),
        Form::Text => Value::Text(node.text(&expected())?.to_owned()),
        Form::Icmp => Value::Text(packet::read_icmp(node)?),
        Form::Flag => Value::Flag(node.boolean()?),
        Form::Time => Value::Time(node.duration()?),
        Form::Word(words) => Value::Word(read_word(node, node.text(&expected())?, words)?),
        Form::Words(words) => Value::Words(read_words(node, words)?),
        Form::Bits(words) => {
            let (words, bits) = read_bits(node, words)?;
            Value::Bits(words, bits)
        }
        Form::WordOrInt(words, low, high) => match &node.kind {
            Kind::Str(text) => Value::Word(read_word(node, text, words)?),
            _ => Value::Int(node.int(&(low..=high), &expected())?),
        },
        Form::Option => match node.kind {
            Kind::Int(_) => Value::Int(node.int(&INT, &expected())?),
            _ => Value::Option(read_option(node)?),
        },
        Form::Flags => Value::Flags(packet::read_flags(node)?),
        Form::Number(bases) => Value::Number(packet::read_number(node, bases)?),
        Form::TcpOptions => Value::TcpOptions(packet::read_options(node)?),
        Form::Payload => Value::Payload(packet::read_payload(node)?),
        Form::LocalEnd => Value::LocalEnd(packet::read_local_end(node, scope)?),
        Form::Host => match node.text(&expected())?.parse() {
            Ok(address) => Value::Host(address),
            Err(_) => return Err(node.expected(&expected())),
        },
        Form::Sender => match packet::read_sender(node, scope)? {
            Sender::Other(name) => Value::Name(name),
            Sender::Claimed(source) => Value::Source(source),
        },
        Form::Cut => Value::Cut(packet::read_cut(node)?),
    })
}

/// A list of names, each read by `one`.
fn read_names(node: &Node, one: impl Fn(&Node) -> Read<Name>) -> Read<Vec<Name>> {
    let list = node.list(&in_words(Form::Sockets))?;
    match list.get(PASSED_MAX) {
        Some(more) => Err(more.fault(format!("a name too many, expected at most {PASSED_MAX}"))),
        None => list.iter().map(one).collect(),
    }
}

fn read_word(node: &Node, text: &str, words: &'static [&'static str]) -> Read<&'static str> {
    let found = words.iter().find(|word| **word == text);
    found.copied().ok_or_else(|| node.fault(unknown("word", text, words.iter().copied())))
}

fn read_words(node: &Node, words: &'static [&'static str]) -> Read<Vec<&'static str>> {
    let one = |node: &Node| -> Read<Vec<&'static str>> {
        let text = node.text(&in_words(Form::Words(words)))?;
        text.split('|').map(|word| read_word(node, word.trim(), words)).collect()
    };
    let found = match &node.kind {
        Kind::List(nodes) => nodes.iter().map(one).collect::<Read<Vec<_>>>()?.concat(),
        _ => one(node)?,
    };
    // Asked for in another order or twice it is the same call, so it prints the same.
    Ok(words.iter().copied().filter(|word| found.contains(word)).collect())
}

/// Words as [`read_words`] takes them, and numbers among them (`0x80` in text): or-ed together.
fn read_bits(node: &Node, words: &'static [&'static str]) -> Read<(Vec<&'static str>, u32)> {
    let nodes = match &node.kind {
        Kind::List(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let (mut found, mut bits) = (Vec::new(), 0);
    for node in nodes {
        match &node.kind {
            Kind::Int(_) => {
                let number = node.int(&(1..=i64::from(u32::MAX)), "a number")?;
                bits |= u32::try_from(number).unwrap_or(0);
            }
            Kind::Str(text) => {
                for part in text.split('|').map(str::trim) {
                    match part.strip_prefix("0x").map(|digits| u32::from_str_radix(digits, 16)) {
                        Some(Ok(number)) if number != 0 => bits |= number,
                        _ => found.push(read_word(node, part, words)?),
                    }
                }
            }
            _ => return Err(node.expected(&in_words(Form::Bits(words)))),
        }
    }
    Ok((words.iter().copied().filter(|word| found.contains(word)).collect(), bits))
}

/// The name of a socket option.
pub(super) fn read_option(node: &Node) -> Read<SocketOption> {
    let text = node.text(&in_words(Form::Option))?;
    find_option(text).map_err(|message| node.fault(message))
}

/// The option of this name, or what was probably meant.
pub(super) fn find_option(name: &str) -> Result<SocketOption, String> {
    let names = option::OPTIONS.iter().map(|option| option.name);
    option::find(name).ok_or_else(|| {
        let unknown = unknown("option", name, names.chain(BY_NUMBER));
        let level = option::usual_level(name);
        format!("{unknown} (what has no name here: {{level: {level}, option: 12}})")
    })
}
