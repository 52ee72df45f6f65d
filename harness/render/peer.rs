//! What a peer of the wire does, and what happens to the machine: the head lines of steps without
//! a call.

use super::packet;
use super::quoted;
use crate::model::Name;
use crate::model::call::{Payload, word_of};
use crate::model::case::Action;
use crate::model::host::{FirewallAt, FirewallVerdict, HostVerb, LIFTED, LinkChange, RouteKind};
use crate::model::peer::{
    Base, Checksum, Cut, DatagramSpec, EchoSpec, IcmpSpec, LocalEnd, Number, OtherSpec, PacketSpec,
    PeerVerb, SegmentSpec, Source, TcpOption, Wanted,
};
use crate::model::time::Shown;
use crate::model::transcript::{NumberForms, PacketEvent};
use std::time::Duration;

/// `peer.send(S.)`, `peer.recv(S)`, `peer.forget()`: what a peer does, without what came of it.
pub fn peer_head(peer: &Name, verb: &PeerVerb) -> String {
    let (verb, arguments) = match verb {
        PeerVerb::Send(spec) => ("send", packet_arguments(spec)),
        PeerVerb::Recv { wanted, .. } => ("recv", wanted_arguments(wanted)),
        PeerVerb::Forget => ("forget", Vec::new()),
    };
    format!("{peer}.{verb}({})", arguments.join(", "))
}

/// What stands behind `peer.recv(S) = `: the packet that was taken, or that none came.
pub fn peer_answer(taken: Option<&PacketEvent>, within: Option<Duration>) -> String {
    match (taken, within) {
        (Some(event), _) => packet::line(event),
        (None, Some(time)) => format!("nothing within {}", Shown(time)),
        (None, None) => "nothing".to_owned(),
    }
}

/// `host.firewall(reject tcp-reset in server)`: the line of a step that changes the machine.
pub fn host_note(verb: &HostVerb) -> String {
    let (name, arguments) = match verb {
        HostVerb::Firewall { verdict, at, port } => {
            let mut words = match verdict {
                FirewallVerdict::Drop => vec![],
                _ => vec!["reject"],
            };
            words.push(word_of(&FirewallVerdict::ALL, *verdict));
            words.push(word_of(&FirewallAt::ALL, *at));
            words.extend(port.as_ref().map(Name::as_str));
            ("firewall", words.join(" "))
        }
        HostVerb::Lift(at) => ("firewall", format!("{LIFTED} {}", word_of(&FirewallAt::ALL, *at))),
        HostVerb::Route { to, kind } => {
            let kind = word_of(&RouteKind::ALL, *kind);
            ("route", format!("{kind} {to}"))
        }
        HostVerb::Link(LinkChange::Up) => ("link", "up".to_owned()),
        HostVerb::Link(LinkChange::Down) => ("link", "down".to_owned()),
        HostVerb::Link(LinkChange::Mtu(bytes)) => ("link", format!("mtu {bytes}")),
        HostVerb::Sysctl(settings) => {
            let settings = settings.iter().map(|(key, value)| format!("{key} {value}"));
            ("sysctl", settings.collect::<Vec<_>>().join(", "))
        }
        HostVerb::Destroy { socket, far: None } => ("destroy", socket.to_string()),
        HostVerb::Destroy { socket, far: Some(far) } => ("destroy", format!("{socket}, far {far}")),
    };
    format!("host.{name}({arguments})")
}

/// The numbers of a packet that are printed as the case wrote them.
pub fn number_forms(action: &Action) -> NumberForms {
    let Action::Peer { verb: PeerVerb::Send(PacketSpec::Tcp(spec)), .. } = action else {
        return NumberForms::default();
    };
    let form = |number: &Option<Number>| match number {
        Some(number @ Number::Relative { .. }) => Some(shown(*number)),
        _ => None,
    };
    NumberForms { seq: form(&spec.seq), ack: form(&spec.ack) }
}

fn packet_arguments(spec: &PacketSpec) -> Vec<String> {
    match spec {
        PacketSpec::Tcp(segment) => segment_arguments(segment),
        PacketSpec::Udp(datagram) => datagram_arguments(datagram),
        PacketSpec::Echo(echo) => echo_arguments(echo),
        PacketSpec::Icmp(error) => error_arguments(error),
        PacketSpec::Other(other) => other_arguments(other),
    }
}

fn datagram_arguments(spec: &DatagramSpec) -> Vec<String> {
    let mut arguments = vec![carried("udp", &spec.payload)];
    let mut add = |argument: Option<String>| arguments.extend(argument);
    let bad = Checksum::BAD.iter().find(|(bad, _)| *bad == spec.checksum);
    add(spec.length.map(|length| format!("length {length}")));
    add(bad.map(|(_, word)| format!("bad {word}")));
    let way = (spec.ttl, spec.tos, spec.fragment.as_ref());
    arguments.extend(on_the_way(way, spec.to.as_ref(), spec.source.as_ref()));
    arguments
}

fn echo_arguments(spec: &EchoSpec) -> Vec<String> {
    let mut arguments = vec![carried("echo", &spec.payload)];
    let mut add = |argument: Option<String>| arguments.extend(argument);
    add(spec.bad_checksum.then(|| "bad checksum".to_owned()));
    let (way, to) = ((spec.ttl, spec.tos, spec.fragment.as_ref()), spec.to.map(LocalEnd::Host));
    arguments.extend(on_the_way(way, to.as_ref(), spec.source.as_ref()));
    arguments
}

fn other_arguments(spec: &OtherSpec) -> Vec<String> {
    let mut arguments = vec![format!("proto {}", spec.protocol)];
    arguments.extend((!spec.payload.is_empty()).then(|| content("len ", &spec.payload)));
    let (way, to) = ((spec.ttl, spec.tos, spec.fragment.as_ref()), spec.to.map(LocalEnd::Host));
    arguments.extend(on_the_way(way, to.as_ref(), spec.source.as_ref()));
    arguments
}

fn error_arguments(spec: &IcmpSpec) -> Vec<String> {
    let mut arguments = vec![format!("icmp {}", spec.word)];
    let mut add = |argument: Option<String>| arguments.extend(argument);
    add(spec.quote.map(|len| format!("quote {len}")));
    add(spec.of.as_ref().map(|socket| format!("of {socket}")));
    add(spec.seq.map(|seq| format!("seq {}", shown(seq))));
    add(spec.source_port.map(|port| format!("sport {port}")));
    add(spec.destination_port.map(|port| format!("dport {port}")));
    add(spec.mtu.map(|mtu| format!("mtu {mtu}")));
    add(spec.gateway.map(|gateway| format!("gateway \"{gateway}\"")));
    add(spec.bad_checksum.then(|| "bad checksum".to_owned()));
    add(spec.ttl.map(|ttl| format!("ttl {ttl}")));
    add(spec.source.as_ref().map(source));
    arguments
}

/// What every packet may say of its way: TTL, type of service and fragments, and its ends.
fn on_the_way(
    (ttl, tos, fragment): (Option<u8>, Option<u8>, Option<&Cut>),
    to: Option<&LocalEnd>,
    forged: Option<&Source>,
) -> impl Iterator<Item = String> {
    let ttl = ttl.map(|ttl| format!("ttl {ttl}"));
    let tos = tos.map(|tos| format!("tos {tos}"));
    let ends = [to.map(local_end), forged.map(source)];
    [ttl, tos, fragment.map(cut)].into_iter().chain(ends).flatten()
}

/// Only what the case gave, in the order of the header, then what is wrong on purpose.
fn segment_arguments(spec: &SegmentSpec) -> Vec<String> {
    let mut arguments = vec![spec.flags.to_string()];
    let mut add = |argument: Option<String>| arguments.extend(argument);
    add(spec.seq.map(|seq| format!("seq {}", shown(seq))));
    add(spec.ack.map(|ack| format!("ack {}", shown(ack))));
    add(spec.payload.as_ref().map(|payload| content("len ", payload)));
    add(spec.window.map(|window| format!("win {window}")));
    add(spec.urgent.map(|pointer| format!("urg {pointer}")));
    add(spec.options.as_ref().map(|options| {
        let options: Vec<String> = options.iter().map(option).collect();
        format!("options [{}]", options.join(","))
    }));
    add(spec.data_offset.map(|words| format!("offset {words}")));
    add((spec.reserved != 0).then(|| format!("reserved {}", spec.reserved)));
    add(spec.bad_checksum.then(|| "bad checksum".to_owned()));
    let way = (spec.ttl, spec.tos, spec.fragment.as_ref());
    arguments.extend(on_the_way(way, spec.to.as_ref(), spec.source.as_ref()));
    arguments
}

fn wanted_arguments(wanted: &Wanted) -> Vec<String> {
    match wanted {
        Wanted::Tcp { flags, len } => {
            let mut arguments = vec![flags.map_or("tcp".to_owned(), |flags| flags.to_string())];
            arguments.extend(len.map(|len| format!("len {len}")));
            arguments
        }
        Wanted::Udp => vec!["udp".to_owned()],
        Wanted::Icmp => vec!["icmp".to_owned()],
        Wanted::Any => vec!["any".to_owned()],
    }
}

fn carried(word: &str, payload: &Payload) -> String {
    format!("{word} {}", content("", payload))
}

/// What is sent: bytes of a pattern by their number, which stands behind `unit`.
pub(super) fn content(unit: &str, payload: &Payload) -> String {
    match payload {
        Payload::Len(len) => format!("{unit}{len}"),
        Payload::Text(text) => quoted(text.as_bytes()),
        Payload::Raw(bytes) => raw(bytes),
    }
}

fn raw(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    format!("raw {}", digits.collect::<String>())
}

fn cut(cut: &Cut) -> String {
    match cut {
        Cut::Every(len) => format!("fragment {len}"),
        Cut::Pieces(pieces) => {
            let pieces = pieces.iter().map(|(start, end)| format!("{start}-{end}"));
            format!("fragment [{}]", pieces.collect::<Vec<_>>().join(","))
        }
    }
}

fn source(source: &Source) -> String {
    match source {
        Source::Socket(name) => format!("from {name}"),
        Source::Host(address) => format!("from \"{address}\""),
    }
}

fn local_end(end: &LocalEnd) -> String {
    match end {
        LocalEnd::Socket(name) => format!("to {name}"),
        LocalEnd::ClosedPort => "to closed-port".to_owned(),
        LocalEnd::Host(address) => format!("to \"{address}\""),
    }
}

/// A number in the form in which the case wrote it: `nxt+100`.
fn shown(number: Number) -> String {
    match number {
        Number::Shown(number) => number.to_string(),
        Number::Absolute(number) => format!("{{abs: {number}}}"),
        Number::Relative { base, offset: 0 } => word_of(&Base::ALL, base).to_owned(),
        Number::Relative { base, offset } => format!("{}{offset:+}", word_of(&Base::ALL, base)),
    }
}

fn option(option: &TcpOption) -> String {
    match option {
        TcpOption::Mss(size) => format!("mss {size}"),
        TcpOption::WindowScale(shift) => format!("wscale {shift}"),
        TcpOption::SackPermitted => "sackOK".to_owned(),
        TcpOption::Sack(blocks) => {
            let blocks = blocks.iter().map(|(start, end)| format!(" {start}-{end}"));
            format!("sack{}", blocks.collect::<String>())
        }
        TcpOption::Timestamps(value, reply) => format!("ts {value} {reply}"),
        TcpOption::Nop => "nop".to_owned(),
        TcpOption::End => "eol".to_owned(),
        TcpOption::Raw(bytes) => raw(bytes),
    }
}
