//! Steps of a peer: what it sends, what it waits for, and that it forgets.

use super::args::Args;
use super::error::{Read, unknown};
use super::language::Verb;
use super::language::wire::{PEER_VERBS, RECV, SENDS};
use super::packet;
use super::room;
use super::scope::Scope;
use super::step::Parts;
use super::tree::{Kind, Node};
use crate::model::call::Payload;
use crate::model::icmp;
use crate::model::peer::{
    Checksum, DatagramSpec, EchoSpec, IcmpSpec, LocalEnd, Number, OtherSpec, PacketSpec, PeerVerb,
    SegmentSpec, Source, Wanted,
};
use crate::model::{Action, Family, Name, Step, TcpFlags, Times, Topology};
use std::net::IpAddr;

/// Bytes of a TCP header up to the end of its ports and its sequence number; UDP has its ports at
/// the same place.
const SPORT_ENDS: usize = 2;
const DPORT_ENDS: usize = 4;
const SEQ_ENDS: usize = 8;

/// What `raw` looks like.
const RAW: &str = "raw: \"3b00c004\"";

/// Reads a step of `peer`, `peer2`, … or `router`.
pub(super) fn read(
    parts: &Parts<'_>,
    subject: &str,
    verb: &str,
    scope: &mut Scope<'_>,
) -> Read<Step> {
    if scope.topology == Topology::Loopback {
        return Err(parts.fault(format!("`{subject}` needs `topology: wire`")));
    }
    let mut peer = match subject {
        "router" => Name::new(subject),
        _ => packet::peer(subject).map_err(|message| parts.fault(message))?,
    };
    if !PEER_VERBS.contains(&verb) {
        let what = format!("verb of `{subject}`:");
        return Err(parts.fault(unknown(&what, verb, PEER_VERBS.iter().copied())));
    }
    if subject == "router" && verb != "send" {
        return Err(parts.fault("the router only sends, expected router.send"));
    }
    let args = match (verb, parts.object) {
        ("send", object) => Args::read(sent(object)?, object, parts.id, scope)?,
        ("recv", object) => Args::read(RECV, object, parts.id, scope)?,
        (_, None) => Args::none(parts.id),
        (_, Some(object)) => return Err(object.expected("no argument")),
    };
    if args.get("from").is_some() && subject != "peer" {
        return Err(args.fault(format!("`from` beside `{subject}`, expected peer.send")));
    }
    peer = args.name("from").unwrap_or(peer);
    if args.word("times").is_some() {
        return Err(args.fault("no error ends a peer's step, expected a number of times"));
    }
    let times = args.number("times").unwrap_or(1);
    let verb = match verb {
        "send" => PeerVerb::Send(read_packet(&args, scope)?),
        "recv" => PeerVerb::Recv { wanted: read_wanted(&args)?, within: args.time("within") },
        _ => PeerVerb::Forget,
    };
    let to = match &verb {
        PeerVerb::Send(
            PacketSpec::Tcp(SegmentSpec { to, .. }) | PacketSpec::Udp(DatagramSpec { to, .. }),
        ) => to,
        _ => &Some(LocalEnd::ClosedPort),
    };
    if to.is_none() && scope.sockets.is_empty() {
        return Err(args.fault("no earlier step makes a socket, expected {…, to: closed-port}"));
    }
    if let PeerVerb::Send(packet) = &verb {
        check_packet(&args, &peer, packet, scope)?;
    }
    Ok(Step {
        timed: args.flag("timed"),
        times: Times::Count(times),
        ..parts.step(Action::Peer { peer, verb })
    })
}

/// Whether there can be such a packet.
fn check_packet(
    args: &Args<'_>,
    peer: &Name,
    packet: &PacketSpec,
    scope: &mut Scope<'_>,
) -> Read<()> {
    check_hosts(args, packet, scope)?;
    match packet {
        PacketSpec::Tcp(segment) => {
            check_connection(args, peer, segment, scope)?;
            room::check_segment(args, peer, segment, scope)
        }
        PacketSpec::Udp(datagram) => room::check_datagram(args, datagram, scope),
        PacketSpec::Echo(echo) => room::check_echo(args, echo, scope),
        PacketSpec::Icmp(error) => {
            check_quote(args, error, scope)?;
            room::check_error(args, error, scope)
        }
        PacketSpec::Other(other) => room::check_other(args, other, scope),
    }
}

/// Hosts have addresses of every family that the case runs under.
fn check_hosts(args: &Args<'_>, packet: &PacketSpec, scope: &Scope<'_>) -> Read<()> {
    let local = |end: &Option<LocalEnd>| match end {
        Some(LocalEnd::Host(ip)) => Some(*ip),
        _ => None,
    };
    let (to, source) = match packet {
        PacketSpec::Tcp(segment) => (local(&segment.to), &segment.source),
        PacketSpec::Udp(datagram) => (local(&datagram.to), &datagram.source),
        PacketSpec::Echo(echo) => (echo.to, &echo.source),
        PacketSpec::Icmp(error) => (None, &error.source),
        PacketSpec::Other(other) => (other.to, &other.source),
    };
    let from = match source {
        Some(Source::Host(ip)) => Some(*ip),
        _ => None,
    };
    for (key, ip) in [("to", to), ("from", from)] {
        let Some(ip) = ip else { continue };
        let own = if ip.is_ipv4() { Family::V4 } else { Family::V6 };
        if let Some(family) = scope.families.iter().find(|family| **family != own) {
            return Err(args.fault_at(key, &format!("{ip} is no address under {family}")));
        }
    }
    Ok(())
}

/// A number that counts from a variable of the receiver needs a connection that has variables.
fn check_connection(
    args: &Args<'_>,
    peer: &Name,
    segment: &SegmentSpec,
    scope: &mut Scope<'_>,
) -> Read<()> {
    // The router has none of its own: it counts as the peers do.
    let met = match peer.as_str() {
        "router" => !scope.met.is_empty(),
        _ => scope.met.contains(peer),
    };
    for (key, number) in [("seq", segment.seq), ("ack", segment.ack)] {
        if matches!(number, Some(Number::Relative { .. })) && !met {
            let message = format!(
                "no earlier step begins a connection with `{peer}`, expected a number or {{abs: N}}"
            );
            return Err(args.fault_at(key, &message));
        }
    }
    if segment.flags.has(TcpFlags::SYN) {
        scope.met.insert(peer.clone());
    }
    Ok(())
}

/// The number of a quoted segment lies in bytes 4 to 7 of its header, and may count from a variable
/// of a connection that there has to be.
fn check_quote(args: &Args<'_>, error: &IcmpSpec, scope: &Scope<'_>) -> Read<()> {
    let fields = [
        ("sport", error.source_port.is_some(), SPORT_ENDS),
        ("dport", error.destination_port.is_some(), DPORT_ENDS),
        ("seq", error.seq.is_some(), SEQ_ENDS),
    ];
    for (key, _, end) in fields.into_iter().filter(|(_, is_given, _)| *is_given) {
        if error.quote.is_some_and(|len| len < end) {
            let what = format!("`{key}` lies in the first {end} bytes, expected quote: {end}");
            return Err(args.fault(what));
        }
    }
    let Some(seq) = error.seq else { return Ok(()) };
    match seq {
        Number::Relative { .. } if scope.met.is_empty() => {
            Err(args.fault("no earlier step begins a connection, expected a number or {abs: N}"))
        }
        _ => Ok(()),
    }
}

/// The form of the packet, by the key that only one of them has.
fn sent(object: Option<&Node>) -> Read<&'static Verb> {
    let Some(object) = object else {
        return Ok(&SENDS[0]);
    };
    let is_given = |form: &&Verb| form.needs.iter().any(|key| object.get(key).is_some());
    let mut forms = SENDS.iter().filter(is_given);
    match (forms.next(), forms.next()) {
        (_, Some(_)) => {
            Err(object.fault("a packet has only one of the keys flags, udp, echo, icmp, proto"))
        }
        (Some(form), None) => Ok(form),
        (None, None) if matches!(object.kind, Kind::Map(_)) => {
            Err(object.fault("a packet needs one of the keys flags, udp, echo, icmp, proto"))
        }
        (None, None) => Ok(&SENDS[0]),
    }
}

fn read_packet(args: &Args<'_>, scope: &Scope<'_>) -> Read<PacketSpec> {
    if let Some(payload) = args.payload("udp") {
        let checksum = args.one_of("bad", &Checksum::BAD).unwrap_or(Checksum::Right);
        return Ok(PacketSpec::Udp(DatagramSpec {
            payload,
            length: args.number("length"),
            checksum,
            ttl: args.number("ttl"),
            tos: args.number("tos"),
            fragment: args.cut("fragment"),
            to: args.local_end("to"),
            source: args.source("from"),
        }));
    }
    if let Some(payload) = args.payload("echo") {
        return Ok(PacketSpec::Echo(EchoSpec {
            payload,
            bad_checksum: args.word("bad").is_some(),
            ttl: args.number("ttl"),
            tos: args.number("tos"),
            fragment: args.cut("fragment"),
            to: args.host("to"),
            source: args.source("from"),
        }));
    }
    if let Some(protocol) = args.number("proto") {
        return Ok(PacketSpec::Other(OtherSpec {
            protocol,
            payload: read_content(args)?.unwrap_or(Payload::Len(0)),
            ttl: args.number("ttl"),
            tos: args.number("tos"),
            fragment: args.cut("fragment"),
            to: args.host("to"),
            source: args.source("from"),
        }));
    }
    match args.text("icmp") {
        Some(word) => read_error(args, &word, scope).map(PacketSpec::Icmp),
        None => read_segment(args).map(PacketSpec::Tcp),
    }
}

fn read_error(args: &Args<'_>, word: &str, scope: &Scope<'_>) -> Read<IcmpSpec> {
    for family in scope.families {
        if icmp::message(word, *family).is_none() {
            return Err(args.fault(format!("`{word}` is no message under {family}")));
        }
    }
    let source = args.source("from");
    if let Some(Source::Socket(_)) = source {
        let expected = "expected from: router, or an address in quotes";
        return Err(args.fault(format!("an ICMP error comes from a host, {expected}")));
    }
    let mtu = args.number("mtu");
    if mtu.is_some() && word != "fragmentation-needed" {
        return Err(args.fault("`mtu` belongs to fragmentation-needed"));
    }
    let gateway = args.host("gateway").and_then(|gateway| match gateway {
        IpAddr::V4(gateway) => Some(gateway),
        IpAddr::V6(_) => None,
    });
    match (icmp::is_redirect(word), gateway) {
        (true, None) => return Err(args.fault(format!("`{word}` needs a `gateway` of IPv4"))),
        (false, Some(_)) => return Err(args.fault("`gateway` belongs to redirects")),
        _ => {}
    }
    Ok(IcmpSpec {
        word: word.to_owned(),
        source,
        quote: args.number("quote"),
        of: args.name("of"),
        seq: args.sequence_number("seq"),
        source_port: args.number("sport"),
        destination_port: args.number("dport"),
        mtu,
        gateway,
        bad_checksum: args.word("bad").is_some(),
        ttl: args.number("ttl"),
    })
}

fn read_segment(args: &Args<'_>) -> Read<SegmentSpec> {
    Ok(SegmentSpec {
        flags: args.needed("flags", args.flags("flags"))?,
        seq: args.sequence_number("seq"),
        ack: args.sequence_number("ack"),
        payload: read_content(args)?,
        window: args.number("win"),
        urgent: args.number("urg"),
        options: args.tcp_options("options"),
        bad_checksum: args.word("bad").is_some(),
        data_offset: args.number("offset"),
        reserved: args.number("reserved").unwrap_or(0),
        ttl: args.number("ttl"),
        tos: args.number("tos"),
        fragment: args.cut("fragment"),
        to: args.local_end("to"),
        source: args.source("from"),
    })
}

/// What a packet carries: `len`, `data` or `raw`.
fn read_content(args: &Args<'_>) -> Read<Option<Payload>> {
    let node = |key| args.object.and_then(|object| object.get(key));
    let (len, text, digits) = (args.number("len"), args.text("data"), args.text("raw"));
    if usize::from(len.is_some()) + usize::from(text.is_some()) + usize::from(digits.is_some()) > 1
    {
        return Err(args.fault("send takes only one of len, data, raw"));
    }
    if let (Some(text), Some(node)) = (text, node("data")) {
        packet::check_text(node, &text)?;
        return Ok(Some(Payload::Text(text)));
    }
    if let (Some(digits), Some(node)) = (digits, node("raw")) {
        return packet::read_hex(node, &digits, RAW).map(Payload::Raw).map(Some);
    }
    Ok(len.map(Payload::Len))
}

fn read_wanted(args: &Args<'_>) -> Read<Wanted> {
    let (flags, len) = (args.flags("flags"), args.number("len"));
    let of_tcp = flags.is_some() || len.is_some();
    match args.word("proto") {
        Some("tcp") => Ok(Wanted::Tcp { flags, len }),
        Some(word) if of_tcp => {
            let message = format!("`flags` and `len` are those of a segment, not of `{word}`");
            Err(args.fault(message))
        }
        Some("udp") => Ok(Wanted::Udp),
        Some("icmp") => Ok(Wanted::Icmp),
        None if of_tcp => Ok(Wanted::Tcp { flags, len }),
        Some(_) | None => Ok(Wanted::Any),
    }
}
