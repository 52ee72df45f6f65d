//! The words of the wire: what peers do, and what happens to the machine.

use super::{DATA, Form, Key, TIMED, TIMES, Verb, key, words};
use crate::model::host::{FirewallAt, FirewallVerdict, LIFTED, RouteKind};
use crate::model::limits::{LINK_MTU_MIN, PACKET_BYTES_MAX};
use crate::model::peer::Checksum;

const U16_MAX: i64 = u16::MAX as i64;
const MTU_MIN: i64 = LINK_MTU_MIN as i64;
const PACKET_MAX: i64 = PACKET_BYTES_MAX as i64;

/// Keys of all that a peer sends, and of what it waits for.
const OF_SENDS: &[Key] = &[TIMED, TIMES];
const OF_RECV: &[Key] = &[TIMED];

const fn verb(
    name: &'static str,
    doc: &'static str,
    needs: &'static [&'static str],
    keys: &'static [Key],
    common: &'static [Key],
) -> Verb {
    Verb { name, doc, needs, keys, common }
}

const TO: Key = key(
    "to",
    Form::LocalEnd,
    "The local end: NAME (a socket), closed-port, \"192.0.2.255\"; the connection's unless given.",
);
const TO_HOST: Key = key("to", Form::Host, "A broadcast, another host: \"192.0.2.255\".");
const FROM: Key = key(
    "from",
    Form::Sender,
    "Another sender: peer2, router. Whom it claims to be: NAME (a socket), \"192.0.2.77\".",
);
const FRAGMENT: Key = key(
    "fragment",
    Form::Cut,
    "IP fragments: of so many bytes (a multiple of 8), or these in this order: [0-24, 16-40].",
);
const BAD: Key = key("bad", Form::Word(&["checksum"]), "checksum: a wrong one.");
const TTL: Key = key("ttl", Form::Int(0, 255), "TTL or hop limit; 64.");
const TOS: Key = key("tos", Form::Int(0, 255), "Type of service or traffic class; 0.");

/// The variables of the receiver that `seq` counts from.
pub(in crate::parse) const SEQ_BASES: &[&str] = &["nxt", "wnd"];
/// The variables of the receiver that `ack` counts from.
pub(in crate::parse) const ACK_BASES: &[&str] = &["nxt", "una"];
/// Protocols of a packet that a peer waits for.
pub(in crate::parse) const PROTOCOLS: &[&str] = &["tcp", "udp", "icmp", "any"];
/// The options of a segment, by the words that they begin with.
pub(in crate::parse) const TCP_OPTIONS: &[&str] =
    &["mss", "wscale", "sackOK", "sack", "ts", "nop", "eol", "raw"];

/// What a peer sends: a segment, a datagram, an ICMP error, an echo request or a packet of any
/// protocol, told apart by the one key that each needs.
pub(in crate::parse) const SENDS: &[Verb] = &[
    verb(
        "send",
        "A segment: flags, or a map. What is absent follows the peer's own connection.",
        &["flags"],
        &[
            key("flags", Form::Flags, "TCP flags, letters of FSRP.UEWe: S., R, FP, none."),
            key("seq", Form::Number(SEQ_BASES), "N, nxt+100, wnd-1, {abs: N}."),
            key("ack", Form::Number(ACK_BASES), "N, nxt+1, una-1, {abs: N}."),
            key("len", Form::Int(0, PACKET_MAX), "That many bytes."),
            DATA,
            key("win", Form::Int(0, U16_MAX), "The window, unscaled."),
            key("urg", Form::Int(0, U16_MAX), "The urgent pointer."),
            key(
                "options",
                Form::TcpOptions,
                "mss 1460, wscale 7, sackOK, sack 1-100, ts 100 0, nop, eol, raw 1e03aa.",
            ),
            BAD,
            key("offset", Form::Int(0, 15), "The data offset in words, in place of the right one."),
            key(
                "reserved",
                Form::Int(0, 15),
                "The four bits behind the data offset; 1 is the flag e (AE).",
            ),
            TTL,
            TOS,
            FRAGMENT,
            TO,
            FROM,
        ],
        OF_SENDS,
    ),
    verb(
        "send",
        "A UDP datagram.",
        &["udp"],
        &[
            key("udp", Form::Payload, "A length, or text in quotes."),
            key("length", Form::Int(0, U16_MAX), "The length field, in place of the right one."),
            key("bad", Form::Word(BAD_DATAGRAM), "checksum: a wrong one; no-checksum: 0."),
            TTL,
            TOS,
            FRAGMENT,
            TO,
            FROM,
        ],
        OF_SENDS,
    ),
    verb(
        "send",
        "An ICMP echo request (under IPv6: ICMPv6).",
        &["echo"],
        &[
            key("echo", Form::Payload, "A length, or text in quotes."),
            BAD,
            TTL,
            TOS,
            FRAGMENT,
            TO_HOST,
            FROM,
        ],
        OF_SENDS,
    ),
    verb(
        "send",
        "An ICMP error (under IPv6: ICMPv6) that quotes a packet.",
        &["icmp"],
        &[
            key("icmp", Form::Icmp, "The message, or its numbers: type 3 code 16."),
            key(
                "quote",
                Form::Int(0, PACKET_MAX),
                "So many bytes of the packet behind its IP header.",
            ),
            key("of", Form::Socket, "Quotes this socket's last packet."),
            key(
                "seq",
                Form::Number(ACK_BASES),
                "The quoted segment's sequence number in place of its own: nxt+1, una-1, N.",
            ),
            key("sport", Form::Int(0, U16_MAX), "The quoted packet's source port."),
            key("dport", Form::Int(0, U16_MAX), "The quoted packet's destination port."),
            key("mtu", Form::Int(0, U16_MAX), "For fragmentation-needed."),
            key("gateway", Form::Host, "For redirects: the better one, \"192.0.2.77\"."),
            BAD,
            TTL,
            FROM,
        ],
        OF_SENDS,
    ),
    verb(
        "send",
        "An IP packet of any protocol.",
        &["proto"],
        &[
            key("proto", Form::Int(0, 255), "The protocol number; under IPv6 the next header."),
            key("len", Form::Int(0, PACKET_MAX), "That many bytes."),
            DATA,
            key("raw", Form::Text, "These bytes behind the IP header: \"3b00c004\"."),
            TTL,
            TOS,
            FRAGMENT,
            TO_HOST,
            FROM,
        ],
        OF_SENDS,
    ),
];

/// What else a peer does.
pub(in crate::parse) const RECV: &Verb = &verb(
    "recv",
    "Takes the oldest packet that matches and was not taken yet, or finds that none came.",
    &[],
    &[
        key("flags", Form::Flags, "A segment with exactly these flags."),
        key("proto", Form::Word(PROTOCOLS), "Any packet of this protocol."),
        key("len", Form::Int(0, PACKET_MAX), "A segment of this length."),
        key("within", Form::Time, "How long to wait; not at all unless given."),
    ],
    OF_RECV,
);
/// What `forget` is for.
pub(in crate::parse) const FORGET: &str = "Loses all memory of its connection, as by a reboot.";
/// The names of the verbs of a peer.
pub(in crate::parse) const PEER_VERBS: &[&str] = &["send", "recv", "forget"];
/// Peers that editors propose.
pub(in crate::parse) const USUAL_PEERS: &[&str] = &["peer", "peer2", "router"];

const BAD_DATAGRAM: &[&str] = &words(&Checksum::BAD);

const FIREWALL: &[&str] = &{
    let [reset, port, admin, host, drop] = words(&FirewallVerdict::ALL);
    [reset, port, admin, host, drop, LIFTED]
};
const PLACES: &[&str] = &words(&FirewallAt::ALL);
const ROUTES: &[&str] = &words(&RouteKind::ALL);

/// What can happen to the machine around a run.
pub(in crate::parse) const HOST_VERBS: &[Verb] = &[
    verb(
        "firewall",
        "From now on packets are refused: {reject: tcp-reset, at: in, port: server}.",
        &["reject"],
        &[
            key("reject", Form::Word(FIREWALL), "The refusal; none lifts all at its place."),
            key(
                "at",
                Form::Word(PLACES),
                "in (unless given) or out of this machine, or on the path to the peer.",
            ),
            key("port", Form::PortHolder, "Only packets to this socket's or peer's port."),
        ],
        &[],
    ),
    verb(
        "route",
        "A route: {to: peer, type: unreachable}.",
        &["to"],
        &[
            key("to", Form::Text, "peer, default, \"192.0.2.7\", \"192.0.2.0/24\"."),
            key("type", Form::Word(ROUTES), "unreachable unless given; none removes it."),
        ],
        &[],
    ),
    verb(
        "link",
        "The wire's link (on loopback: lo) goes down or comes up, or has another MTU.",
        &["state", "mtu"],
        &[
            key("state", Form::Word(&["down", "up"]), "down or up."),
            key("mtu", Form::Int(MTU_MIN, U16_MAX), "Bytes of the longest packet."),
        ],
        &[],
    ),
    verb("sysctl", "Settings of the network change: {net.ipv4.tcp_retries2: 3}.", &[], &[], &[]),
    verb(
        "destroy",
        "The socket's connection is aborted from outside, as by ss -K.",
        &["socket"],
        &[
            key("socket", Form::Socket, "The socket."),
            key("far", Form::PortHolder, "Of a listener: the far end of a handshake that waits."),
        ],
        &[],
    ),
];
