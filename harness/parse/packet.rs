//! The parts of a packet that a peer sends: flags, numbers, options, ends.

use super::error::{Fault, Read, shortened, unknown};
use super::language::wire::TCP_OPTIONS;
use super::scope::Scope;
use super::tree::{Kind, Node};
use crate::model::call::Payload;
use crate::model::limits::{
    FRAGMENT_UNIT_BYTES, FRAGMENTS_MAX, PACKET_BYTES_MAX, PEERS_MAX, TCP_OPTIONS_BYTES_MAX,
};
use crate::model::peer::{Base, Cut, LocalEnd, Number, Source, TcpOption};
use crate::model::{Name, TcpFlags, Topology, icmp};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

/// How far apart two sequence numbers can be.
const DISTANCE_MAX: i64 = u32::MAX as i64;

/// TCP flags: `S.`, `none`.
pub(super) fn read_flags(node: &Node) -> Read<TcpFlags> {
    let text = node.text("TCP flags: S., R, none")?;
    if text.is_empty() {
        return Err(node.expected("TCP flags: S., R, none"));
    }
    text.parse().map_err(|message: String| node.fault(message))
}

/// A socket, or on the wire a peer.
pub(super) fn read_port_holder(node: &Node, scope: &Scope<'_>) -> Read<Name> {
    match node.text("a socket's name, or peer")? {
        text if is_peer(text) && scope.topology == Topology::Loopback => {
            Err(node.fault(format!("`{text}` needs `topology: wire`")))
        }
        text if is_peer(text) => peer(text).map_err(|message| node.fault(message)),
        _ => scope.socket_at(node),
    }
}

/// A sequence or acknowledgment number that may count from `bases`.
pub(super) fn read_number(node: &Node, bases: &'static [&'static str]) -> Read<Number> {
    let expected = || number_in_words(bases);
    match &node.kind {
        Kind::Int(_) => {
            // Before the initial number or, where no SYN was seen, an absolute one.
            let low = i64::from(i32::MIN);
            Ok(Number::Shown(node.int(&(low..=DISTANCE_MAX), "")?))
        }
        Kind::Map(_) => {
            node.keys("{abs: N}", &["abs"])?;
            let number = node.get("abs").ok_or_else(|| node.expected("{abs: N}"))?;
            let number = number.int(&(0..=DISTANCE_MAX), "a number")?;
            Ok(Number::Absolute(u32::try_from(number).unwrap_or(0)))
        }
        Kind::Str(text) => {
            let end = text.find(['+', '-']).unwrap_or(text.len());
            let (base, distance) = text.split_at(end);
            if !Name::is_valid(base) {
                return Err(node.expected(&expected()));
            }
            let word = bases.iter().find(|word| **word == base);
            let known = Base::ALL.iter().find(|(_, word)| *word == base);
            let (Some(_), Some((base, _))) = (word, known) else {
                let words = bases.iter().copied();
                return Err(node.fault(unknown("variable", base, words)));
            };
            let offset = match distance {
                "" => 0,
                signed => signed
                    .strip_prefix('+')
                    .map_or_else(|| whole(signed), |digits| whole(digits).filter(|d| *d >= 0))
                    .filter(|offset| (-DISTANCE_MAX..=DISTANCE_MAX).contains(offset))
                    .ok_or_else(|| node.expected(&expected()))?,
            };
            Ok(Number::Relative { base: *base, offset })
        }
        _ => Err(node.expected(&expected())),
    }
}

/// What a number may be, as the middle of a sentence.
pub(super) fn number_in_words(bases: &[&str]) -> String {
    let forms: Vec<String> = bases.iter().map(|base| format!("{base}+1")).collect();
    format!("a number, {} or {{abs: N}}", forms.join(", "))
}

/// Digits, with a minus before them or not.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// A number of this form, unless it is beyond 64 bits.
fn whole(text: &str) -> Option<i64> {
    is_whole(text).then(|| text.parse().ok()).flatten()
}

/// What the message of an ICMP error may be, as the middle of a sentence.
pub(super) const ICMP: &str = "a message (host-unreachable, type 3 code 16)";

/// The message of an ICMP error: a word, or its numbers as they print.
pub(super) fn read_icmp(node: &Node) -> Read<String> {
    let text = node.text(ICMP)?;
    if icmp::ERRORS.contains(&text) || icmp::in_numbers(text).is_some() {
        return Ok(text.to_owned());
    }
    // RFC 4443 has another name for what RFC 1191 had before it.
    Err(node.fault(match text {
        "packet-too-big" => {
            "`packet-too-big` is `fragmentation-needed` under both families".to_owned()
        }
        _ => unknown("message", text, icmp::ERRORS),
    }))
}

/// `[mss 1460, nop, raw 1e03aa]`
pub(super) fn read_options(node: &Node) -> Read<Vec<TcpOption>> {
    let list = node.list("a list of TCP options: [mss 1460, nop]")?;
    let options = list.iter().map(read_option).collect::<Read<Vec<_>>>()?;
    let len: usize = options.iter().map(option_len).sum();
    if len > TCP_OPTIONS_BYTES_MAX {
        return Err(node.fault(format!(
            "options of {len} bytes, a segment has room for {TCP_OPTIONS_BYTES_MAX}"
        )));
    }
    Ok(options)
}

fn read_option(node: &Node) -> Read<TcpOption> {
    let text = node.text("a TCP option: mss 1460, nop, raw 1e03aa")?;
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or("");
    let values: Vec<&str> = words.collect();
    let option = Written { node, text, name };
    Ok(match (name, values.as_slice()) {
        ("mss", [size]) => TcpOption::Mss(option.field(size, u16::MAX)?),
        ("wscale", [shift]) => TcpOption::WindowScale(option.field(shift, u8::MAX)?),
        ("ts", [value, reply]) => {
            TcpOption::Timestamps(option.field(value, u32::MAX)?, option.field(reply, u32::MAX)?)
        }
        ("sack", blocks) if !blocks.is_empty() => {
            let blocks = blocks.iter().map(|block| option.sack_block(block));
            TcpOption::Sack(blocks.collect::<Read<_>>()?)
        }
        ("sackOK", []) => TcpOption::SackPermitted,
        ("nop", []) => TcpOption::Nop,
        ("eol", []) => TcpOption::End,
        ("raw", [digits]) => TcpOption::Raw(read_hex(node, digits, usual_form("raw"))?),
        _ if TCP_OPTIONS.contains(&name) => return Err(option.wrong()),
        _ => return Err(unknown_option(node, name)),
    })
}

/// A TCP option as a case writes it.
struct Written<'n> {
    node: &'n Node,
    text: &'n str,
    name: &'n str,
}

impl Written<'_> {
    /// It has not its usual form.
    fn wrong(&self) -> Fault {
        let (text, form) = (shortened(self.text), usual_form(self.name));
        self.node.fault(format!("`{text}` is no TCP option, expected `{form}`"))
    }

    fn number(&self, digits: &str, range: &RangeInclusive<i64>) -> Read<i64> {
        if !is_whole(digits) {
            return Err(self.wrong());
        }
        whole(digits).filter(|number| range.contains(number)).ok_or_else(|| {
            let (name, digits) = (self.name, shortened(digits));
            let (low, high) = (range.start(), range.end());
            let message = format!("`{name}`: {digits} is out of bounds, expected {low} to {high}");
            self.node.fault(message)
        })
    }

    fn field<T: TryFrom<i64> + Into<i64> + Default>(&self, digits: &str, most: T) -> Read<T> {
        let number = self.number(digits, &(0..=most.into()))?;
        Ok(T::try_from(number).unwrap_or_default())
    }

    /// `1-100`: both as the transcript prints them, so the first may be negative.
    fn sack_block(&self, block: &str) -> Read<(i64, i64)> {
        let hyphen = block.get(1..).and_then(|rest| rest.find('-')).ok_or_else(|| self.wrong())?;
        let edge = |digits| self.number(digits, &(i64::from(i32::MIN)..=DISTANCE_MAX));
        Ok((edge(&block[..=hyphen])?, edge(&block[hyphen + 2..])?))
    }
}

/// Bytes in hexadecimal digits, two for each; `form` is what they look like.
pub(super) fn read_hex(node: &Node, digits: &str, form: &str) -> Read<Vec<u8>> {
    if let Some(c) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
        return Err(node.fault(format!("`{c}` is no hexadecimal digit, expected `{form}`")));
    }
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        let digits = shortened(digits);
        let what = format!("`{digits}` has an odd number of digits, expected two for each byte");
        return Err(node.fault(format!("{what}: `{form}`")));
    }
    let digit = |c: u8| char::from(c).to_digit(16).unwrap_or(0);
    let bytes = pairs.iter().map(|[high, low]| digit(*high) * 16 + digit(*low));
    Ok(bytes.map(|byte| u8::try_from(byte).unwrap_or(0)).collect())
}

fn unknown_option(node: &Node, name: &str) -> Fault {
    node.fault(unknown("TCP option", name, TCP_OPTIONS.iter().copied()))
}

/// The form of an option that stands without its values, or with values that it does not take.
pub(super) fn usual_form(name: &str) -> &str {
    match name {
        "mss" => "mss 1460",
        "wscale" => "wscale 7",
        "ts" => "ts 100 0",
        "sack" => "sack 1-100",
        "raw" => "raw 1e03aa",
        alone => alone,
    }
}

fn number<T: TryFrom<i64>>(digits: &str) -> Option<T> {
    T::try_from(whole(digits)?).ok()
}

/// Bytes on the wire.
pub(super) fn option_len(option: &TcpOption) -> usize {
    match option {
        TcpOption::Mss(_) => 4,
        TcpOption::WindowScale(_) => 3,
        TcpOption::SackPermitted => 2,
        TcpOption::Sack(blocks) => 2 + 8 * blocks.len(),
        TcpOption::Timestamps(..) => 10,
        TcpOption::Nop | TcpOption::End => 1,
        TcpOption::Raw(bytes) => bytes.len(),
    }
}

/// A length, or text.
pub(super) fn read_payload(node: &Node) -> Read<Payload> {
    let text = match &node.kind {
        Kind::Str(text) => text,
        _ => {
            let len = node.int(&(0..=PACKET_BYTES_MAX as i64), "a length, or text in quotes")?;
            return Ok(Payload::Len(usize::try_from(len).unwrap_or(0)));
        }
    };
    check_text(node, text)?;
    Ok(Payload::Text(text.clone()))
}

/// Text that fits a packet.
pub(super) fn check_text(node: &Node, text: &str) -> Read<()> {
    match text.len() {
        0..=PACKET_BYTES_MAX => Ok(()),
        len => {
            Err(node
                .fault(format!("{len} bytes of text, a packet has room for {PACKET_BYTES_MAX}")))
        }
    }
}

/// A socket, `closed-port`, or an IP address.
pub(super) fn read_local_end(node: &Node, scope: &Scope<'_>) -> Read<LocalEnd> {
    let text = node.text("a socket's name, closed-port, or an IP address")?;
    if text == "closed-port" {
        return Ok(LocalEnd::ClosedPort);
    }
    without_port(node, text)?;
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(LocalEnd::Host(address)),
        Err(_) => scope.socket_at(node).map(LocalEnd::Socket).map_err(|fault| {
            let or = "; or closed-port, or an address in quotes";
            Fault { message: format!("{}{or}", fault.message), ..fault }
        }),
    }
}

/// Both ends of a packet have ports of their own, which an address does not change.
fn without_port(node: &Node, text: &str) -> Read<()> {
    match text.parse::<SocketAddr>() {
        Ok(end) => {
            let expected = format!("expected an address alone: \"{}\"", end.ip());
            Err(node.fault(format!("`{text}` has a port, {expected}")))
        }
        Err(_) => Ok(()),
    }
}

/// Whether `text` is meant to be one of the peers, or the router.
pub(super) fn is_peer(text: &str) -> bool {
    let number = text.strip_prefix("peer");
    text == "router" || number.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

/// `peer`, `peer2`, …: a peer's name.
pub(super) fn peer(text: &str) -> Result<Name, String> {
    let number = text.strip_prefix("peer").filter(|rest| !rest.starts_with('0'));
    let number = number.and_then(|rest| match rest {
        "" => Some(1),
        digits => digits.parse().ok().filter(|number| *number > 1),
    });
    match number.filter(|number| *number <= PEERS_MAX) {
        Some(_) => Ok(Name::new(text)),
        None => Err(format!(
            "`{}` is no peer, expected peer, peer2, … peer{PEERS_MAX}",
            shortened(text)
        )),
    }
}

/// A sender besides `peer`, or whom `peer` claims to be.
pub(super) enum Sender {
    /// Another peer, or the router.
    Other(Name),
    /// Somebody whose packets are not the case's to send.
    Claimed(Source),
}

/// `peer2`, `router`, a socket or an IP address.
pub(super) fn read_sender(node: &Node, scope: &Scope<'_>) -> Read<Sender> {
    match node.text(SENDER)? {
        "router" => Ok(Sender::Other(Name::new("router"))),
        text if is_peer(text) => match peer(text) {
            Ok(name) => Ok(Sender::Other(name)),
            Err(message) => Err(node.fault(message + ", or router")),
        },
        text => {
            without_port(node, text)?;
            match text.parse::<IpAddr>() {
                Ok(address) => Ok(Sender::Claimed(Source::Host(address))),
                Err(_) => scope.socket_at(node).map(|name| Sender::Claimed(Source::Socket(name))),
            }
        }
    }
}

/// What a sender may be, as the middle of a sentence.
pub(super) const SENDER: &str = "peer2, router, a socket's name, or an IP address";

/// `24`, or `[0-24, 16-40]`.
pub(super) fn read_cut(node: &Node) -> Read<Cut> {
    let Kind::List(pieces) = &node.kind else {
        let unit = FRAGMENT_UNIT_BYTES;
        let len = node.int(&(unit.into()..=FRAGMENT_MAX), CUT)?;
        return match u16::try_from(len).unwrap_or(0) {
            len if len.is_multiple_of(unit) => Ok(Cut::Every(len)),
            _ => Err(node.fault("`fragment` is a multiple of 8 (RFC 791 §3.2)")),
        };
    };
    match (pieces.first(), pieces.get(FRAGMENTS_MAX)) {
        (None, _) => Err(node.expected(CUT)),
        (_, Some(more)) => {
            Err(more.fault(format!("a fragment too many, expected at most {FRAGMENTS_MAX}")))
        }
        _ => pieces.iter().map(read_piece).collect::<Read<_>>().map(Cut::Pieces),
    }
}

/// What `fragment` may be, as the middle of a sentence.
pub(super) const CUT: &str = "a number of bytes, or a list of ranges: [0-24, 16-40]";

/// The last offset that can be told.
const FRAGMENT_MAX: i64 = 65_528;

fn read_piece(node: &Node) -> Read<(u16, u16)> {
    let range = "a range of bytes: 0-24";
    let (start, end) = node.text(range)?.split_once('-').ok_or_else(|| node.expected(range))?;
    let both = number::<u16>(start).zip(number::<u16>(end));
    let (start, end) = both.ok_or_else(|| node.expected(range))?;
    if !start.is_multiple_of(FRAGMENT_UNIT_BYTES) {
        return Err(node.fault("a fragment begins at a multiple of 8 (RFC 791 §3.2)"));
    }
    match start < end {
        true => Ok((start, end)),
        false => {
            let some = start.saturating_add(FRAGMENT_UNIT_BYTES);
            Err(node.fault(format!("a fragment of no bytes, expected {start}-{some}")))
        }
    }
}
