//! A packet as it was on the wire, taken apart, nothing interpreted.

use super::flags::TcpFlags;
use std::net::IpAddr;
use std::time::Duration;

/// One packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// When the kernel saw it: time since an arbitrary beginning that is the same for the run.
    pub at: Duration,
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Time to live or hop limit, where the capture has it.
    pub ttl: Option<u8>,
    /// Type of service or traffic class, where the capture has it: the last two bits are ECN's (RFC
    /// 3168 §5).
    pub tos: Option<u8>,
    /// Don't-fragment, where there is such a bit (IPv4).
    pub dont_fragment: Option<bool>,
    /// What it carries.
    pub body: PacketBody,
    /// The whole packet from its IP header, or from its transport header where the capture gives
    /// no more (IPv6 raw sockets).
    pub bytes: Vec<u8>,
    /// The packets that were on the wire in its place, where a scripted peer cut it.
    pub fragments: Vec<Vec<u8>>,
}

/// What a packet carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PacketBody {
    /// A TCP segment.
    Tcp(TcpSegment),
    /// A UDP datagram.
    Udp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
        /// Payload in bytes.
        len: usize,
    },
    /// An ICMP or ICMPv6 message.
    Icmp(Icmp),
    /// Any other protocol by number, or a header that could not be read.
    Other {
        /// The IP protocol number.
        protocol: u8,
    },
}

/// A TCP segment; numbers as on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TcpSegment {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Flags.
    pub flags: TcpFlags,
    /// The bits beside them that nobody has named yet, at their places in the nibble behind the
    /// data offset, whose lowest is the flag AE: 0, 2, … 14.
    pub reserved: u8,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number (a field, whatever the flags say).
    pub ack: u32,
    /// Window, unscaled.
    pub window: u16,
    /// The urgent pointer (a field, whatever the flags say).
    pub urgent: u16,
    /// Payload in bytes.
    pub len: usize,
    /// Options in their order.
    pub options: Vec<SeenOption>,
}

/// An option of a segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SeenOption {
    /// As tcpdump names it, without a value that differs from run to run: `mss 65495`, `sackOK`,
    /// `nop`, `wscale 7`, `tfo cookie`.
    Word(String),
    /// The blocks of a selective acknowledgment: first number, and the one behind the last.
    Sack(Vec<(u32, u32)>),
    /// Timestamps.
    Timestamps {
        /// The sender's clock.
        value: u32,
        /// The far end's clock that is echoed.
        reply: u32,
    },
}

/// An ICMP message of either version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Icmp {
    /// One word where both versions mean the same: `port-unreachable`, `host-unreachable`, …;
    /// otherwise `type 13 code 0`.
    pub word: String,
    /// The packet quoted by an error.
    pub quoted: Option<Quoted>,
    /// Bytes behind the header of what quotes none: an echo's payload.
    pub len: Option<usize>,
}

/// The packet that an ICMP error quotes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quoted {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// `tcp`, `udp`, or the protocol's number.
    pub protocol: String,
    /// Source and destination port, if quoted and if the protocol has ports.
    pub ports: Option<(u16, u16)>,
}
