//! What the scripted peer of the wire does: packets as a case writes them.

use super::call::Payload;
use super::flags::TcpFlags;
use super::name::Name;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// What a peer does in a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PeerVerb {
    /// Puts a packet on the wire.
    Send(PacketSpec),
    /// Takes the oldest packet that matches and has not been taken yet, or finds that none came.
    Recv {
        /// What it waits for.
        wanted: Wanted,
        /// How long it waits; none: not at all, what has arrived is there.
        within: Option<Duration>,
    },
    /// Loses all memory of its connection, as by a reboot; the next SYN has another initial number.
    Forget,
}

/// A packet to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PacketSpec {
    /// A TCP segment.
    Tcp(SegmentSpec),
    /// A UDP datagram.
    Udp(DatagramSpec),
    /// An ICMP error (ICMPv6 under IPv6).
    Icmp(IcmpSpec),
    /// An ICMP echo request (ICMPv6 under IPv6).
    Echo(EchoSpec),
    /// A packet of any protocol.
    Other(OtherSpec),
}

/// A UDP datagram.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DatagramSpec {
    /// What it carries.
    pub payload: Payload,
    /// The length field, which counts its own header too, instead of the right one.
    pub length: Option<u16>,
    /// Its checksum.
    pub checksum: Checksum,
    /// Time to live or hop limit; none: 64.
    pub ttl: Option<u8>,
    /// Type of service or traffic class; none: 0.
    pub tos: Option<u8>,
    /// Cut into IP fragments.
    pub fragment: Option<Cut>,
    /// The local end; none: the one that the peer has to do with.
    pub to: Option<LocalEnd>,
    /// Whose it claims to be; none: the sender's.
    pub source: Option<Source>,
}

impl DatagramSpec {
    /// A datagram that is right in everything.
    pub fn new(payload: Payload) -> DatagramSpec {
        DatagramSpec {
            payload,
            length: None,
            checksum: Checksum::Right,
            ttl: None,
            tos: None,
            fragment: None,
            to: None,
            source: None,
        }
    }
}

/// An ICMP echo request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EchoSpec {
    /// What it carries.
    pub payload: Payload,
    /// A checksum that is wrong.
    pub bad_checksum: bool,
    /// Time to live or hop limit; none: 64.
    pub ttl: Option<u8>,
    /// Type of service or traffic class; none: 0.
    pub tos: Option<u8>,
    /// Cut into IP fragments.
    pub fragment: Option<Cut>,
    /// Where to, which has no port; none: this machine's address on the wire.
    pub to: Option<IpAddr>,
    /// Whose it claims to be; none: the sender's.
    pub source: Option<Source>,
}

impl EchoSpec {
    /// An echo request that is right in everything.
    pub fn new(payload: Payload) -> EchoSpec {
        EchoSpec {
            payload,
            bad_checksum: false,
            ttl: None,
            tos: None,
            fragment: None,
            to: None,
            source: None,
        }
    }
}

/// An IP packet with whatever behind its header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtherSpec {
    /// The protocol number, under IPv6 the next header.
    pub protocol: u8,
    /// What follows the IP header.
    pub payload: Payload,
    /// Time to live or hop limit; none: 64.
    pub ttl: Option<u8>,
    /// Type of service or traffic class; none: 0.
    pub tos: Option<u8>,
    /// Cut into IP fragments.
    pub fragment: Option<Cut>,
    /// Where to; none: this machine's address on the wire.
    pub to: Option<IpAddr>,
    /// Whose it claims to be; none: the sender's.
    pub source: Option<Source>,
}

impl OtherSpec {
    /// A packet with nothing out of the ordinary in its IP header.
    pub fn new(protocol: u8, payload: Payload) -> OtherSpec {
        OtherSpec {
            protocol,
            payload,
            ttl: None,
            tos: None,
            fragment: None,
            to: None,
            source: None,
        }
    }
}

/// What stands in the source address and port of a packet whose sender claims to be somebody else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A local socket's address: with the same socket for its destination, a LAND attack.
    Socket(Name),
    /// That host, at the peer's port.
    Host(IpAddr),
}

/// How a packet is cut into IP fragments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cut {
    /// Into fragments of so many bytes of its payload, a multiple of 8, in order.
    Every(u16),
    /// Into these ranges of bytes of its payload, sent in this order: with gaps, overlaps and
    /// repetitions. Each begins at a multiple of 8; the one that ends where the packet ends is
    /// the last one, whenever it is sent.
    Pieces(Vec<(u16, u16)>),
}

/// An ICMP error, and the packet that it quotes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IcmpSpec {
    /// `host-unreachable`, …: the words of [`super::icmp`], or `type 3 code 16`.
    pub word: String,
    /// Which host it claims to be from, where that is no end of the wire.
    pub source: Option<Source>,
    /// How many bytes of the offending packet behind its IP header are quoted; none: what the
    /// standards ask for.
    pub quote: Option<usize>,
    /// The local socket whose last packet is quoted; none: the last packet of all.
    pub of: Option<Name>,
    /// The sequence number of the segment as it is quoted, in place of its own: what a forger who
    /// has not seen the segment writes there (RFC 5927 §4.1).
    pub seq: Option<Number>,
    /// The source port of the packet as it is quoted, in place of its own.
    pub source_port: Option<u16>,
    /// The destination port of the packet as it is quoted, in place of its own.
    pub destination_port: Option<u16>,
    /// The next hop's MTU, for `fragmentation-needed`.
    pub mtu: Option<u32>,
    /// The better gateway, for redirects.
    pub gateway: Option<Ipv4Addr>,
    /// A checksum that is wrong.
    pub bad_checksum: bool,
    /// Time to live or hop limit; none: 64.
    pub ttl: Option<u8>,
}

/// The checksum of a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checksum {
    /// That of its bytes.
    Right,
    /// Another one.
    Wrong,
    /// 0: IPv4 takes it for none (RFC 768), IPv6 for a mistake (RFC 8200 §8.1).
    Absent,
}

impl Checksum {
    /// What is wrong with a checksum, with the word that a case writes.
    pub const BAD: [(Checksum, &'static str); 2] =
        [(Checksum::Wrong, "checksum"), (Checksum::Absent, "no-checksum")];
}

/// A TCP segment; what is absent follows the peer's own connection.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SegmentSpec {
    /// The flags.
    pub flags: TcpFlags,
    /// Sequence number.
    pub seq: Option<Number>,
    /// Acknowledgment number, written into the field whatever the flags say.
    pub ack: Option<Number>,
    /// What it carries.
    pub payload: Option<Payload>,
    /// The window field, unscaled.
    pub window: Option<u16>,
    /// The urgent pointer.
    pub urgent: Option<u16>,
    /// Options, in this order; none: an MSS on SYNs, nothing otherwise.
    pub options: Option<Vec<TcpOption>>,
    /// A checksum that is wrong.
    pub bad_checksum: bool,
    /// The data offset field, in 32-bit words, instead of the right one.
    pub data_offset: Option<u8>,
    /// The nibble behind the data offset, 0 to 15: RFC 9293 §3.1 reserves it, RFC 9768 has since
    /// named its lowest bit, the flag AE.
    pub reserved: u8,
    /// Time to live or hop limit; none: 64.
    pub ttl: Option<u8>,
    /// Type of service or traffic class; none: 0.
    pub tos: Option<u8>,
    /// Cut into IP fragments.
    pub fragment: Option<Cut>,
    /// The local end; none: the connection's, else the listener's.
    pub to: Option<LocalEnd>,
    /// Whose it claims to be; none: the sender's.
    pub source: Option<Source>,
}

/// A local end of the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LocalEnd {
    /// The address of that socket.
    Socket(Name),
    /// A port that nobody listens on.
    ClosedPort,
    /// This address, at the port of the connection or the listener, else at a closed one: a
    /// broadcast, another host's.
    Host(IpAddr),
}

/// A sequence or acknowledgment number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Number {
    /// As the transcript prints it: relative to the initial number of the side that it counts.
    Shown(i64),
    /// As it is on the wire.
    Absolute(u32),
    /// Relative to a variable of the receiver, and printed in that form: `nxt+100`.
    Relative {
        /// The variable.
        base: Base,
        /// The distance.
        offset: i64,
    },
}

/// A variable of the receiver (RFC 9293 §3.3.1): for `seq` of its receiving half, for `ack` of its
/// sending half.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    /// RCV.NXT or SND.NXT.
    Nxt,
    /// SND.UNA.
    Una,
    /// RCV.NXT + RCV.WND, the right edge of the window that it has offered.
    Wnd,
}

impl Base {
    /// Every variable with the word that a case writes.
    pub const ALL: [(Base, &'static str); 3] =
        [(Base::Nxt, "nxt"), (Base::Una, "una"), (Base::Wnd, "wnd")];
}

/// A TCP option, written as a transcript prints it: `mss 1460`, `nop`, `raw 1e03aa`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TcpOption {
    /// `mss 1460`
    Mss(u16),
    /// `wscale 7`
    WindowScale(u8),
    /// `sackOK`
    SackPermitted,
    /// `sack 1-100`: blocks of numbers as the transcript prints them.
    Sack(Vec<(i64, i64)>),
    /// `ts 100 0`: value and echo reply.
    Timestamps(u32, u32),
    /// `nop`
    Nop,
    /// `eol`
    End,
    /// `raw 1e03aa`: these bytes, right or wrong.
    Raw(Vec<u8>),
}

/// What `peer.recv` waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A segment with exactly these flags.
    Tcp {
        /// The flags; none: any.
        flags: Option<TcpFlags>,
        /// Its length in bytes; none: any.
        len: Option<usize>,
    },
    /// A UDP datagram.
    Udp,
    /// An ICMP message.
    Icmp,
    /// Anything.
    Any,
}
