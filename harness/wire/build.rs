//! Builds packets from their IP header on: right in everything that is not asked to be wrong.

use crate::model::case::Family;
use crate::model::icmp::message;
use crate::model::limits::FRAGMENT_UNIT_BYTES;
use crate::model::packet::{Packet, PacketBody};
use crate::model::peer::{
    Checksum, Cut, DatagramSpec, EchoSpec, OtherSpec, SegmentSpec, TcpOption,
};
use etherparse::checksum::Sum16BitWords;
use etherparse::{
    IpDscp, IpEcn, IpFragOffset, IpNumber, Ipv4Header, Ipv6FragmentHeader, Ipv6Header, ip_number,
};
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

/// The time to live of packets that do not say another.
pub const TTL: u8 = 64;
/// Bytes of an ICMP error with its IP header (RFC 1812 §4.3.2.3) and of an ICMPv6 error (RFC 4443
/// §2.4): as much of the offending packet is quoted as fits.
const ERROR_BYTES_MAX: (usize, usize) = (576, 1280);
/// Bytes of an ICMP header.
const ICMP_HEADER_BYTES: usize = 8;
/// Bytes of an IPv4 header without options, and of an IPv6 header.
const IP_HEADER_BYTES: (usize, usize) = (20, 40);
/// Bytes of the extension header that makes an IPv6 packet a fragment.
const FRAGMENT_HEADER_BYTES: usize = 8;
/// The identification of fragments; zero would say that the packet is whole.
const IDENTIFICATION: u16 = 0x5d1f;

/// Where a packet comes from and goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    /// Source address and port.
    pub source: SocketAddr,
    /// Destination address and port.
    pub destination: SocketAddr,
}

/// What a segment needs besides what its [`SegmentSpec`] fixes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fields {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number.
    pub ack: u32,
    /// Window, unscaled.
    pub window: u16,
    /// Options, in this order.
    pub options: Vec<TcpOption>,
    /// What the numbers of SACK blocks count from.
    pub sack_base: u32,
}

/// A TCP segment in one packet, however the case wants it cut.
pub fn segment(ends: Ends, spec: &SegmentSpec, fields: &Fields) -> Vec<u8> {
    let options = padded(fields);
    let offset = spec.data_offset.unwrap_or(data_offset(fields));
    let mut bytes = Vec::new();
    bytes.extend(ends.source.port().to_be_bytes());
    bytes.extend(ends.destination.port().to_be_bytes());
    bytes.extend(fields.seq.to_be_bytes());
    bytes.extend(fields.ack.to_be_bytes());
    let [high, low] = spec.flags.0.to_be_bytes();
    bytes.extend([offset << 4 | (spec.reserved | high) & 0x0f, low]);
    bytes.extend(fields.window.to_be_bytes());
    bytes.extend([0; 2]);
    bytes.extend(spec.urgent.unwrap_or(0).to_be_bytes());
    bytes.extend(options);
    bytes.extend(spec.payload.iter().flat_map(|payload| payload.bytes()));
    let checksum = maybe_bad(spec.bad_checksum, checksum(ends, ip_number::TCP, &bytes));
    bytes[16..18].copy_from_slice(&checksum.to_be_bytes());
    ip(ends, ip_number::TCP, Marks::of(spec.ttl, spec.tos), &bytes)
}

/// The data offset of a segment whose header is right, in words.
pub fn data_offset(fields: &Fields) -> u8 {
    (TCP_HEADER_WORDS + padded(fields).len() / 4) as u8
}

/// The options of a segment: RFC 9293 §3.1 has zeros fill the header up to whole words.
fn padded(fields: &Fields) -> Vec<u8> {
    let mut options = Vec::new();
    for option in &fields.options {
        write_option(&mut options, option, fields.sack_base);
    }
    options.resize(options.len().next_multiple_of(4), 0);
    options
}

/// A UDP datagram.
pub fn datagram(ends: Ends, spec: &DatagramSpec) -> Vec<u8> {
    let length = spec.length.unwrap_or(8 + spec.payload.len() as u16);
    let mut bytes = Vec::new();
    bytes.extend(ends.source.port().to_be_bytes());
    bytes.extend(ends.destination.port().to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend([0; 2]);
    bytes.extend(spec.payload.bytes().iter());
    // What lies behind the end that the length field tells is no part of the datagram; 0 tells
    // that there is more than the field can (RFC 2675 §4).
    let told = if length == 0 { bytes.len() } else { usize::from(length) };
    let summed = &bytes[..bytes.len().min(told)];
    let right = checksum_of(ends, ip_number::UDP, told as u32, summed);
    let checksum = match (spec.checksum, right) {
        (Checksum::Absent, _) => 0,
        // RFC 768: zero would say that there is none.
        (Checksum::Right, 0) => u16::MAX,
        (Checksum::Right, right) => right,
        // Neither the right one nor zero, which is none; its complement is never itself.
        (Checksum::Wrong, 0 | u16::MAX) => 1,
        (Checksum::Wrong, right) => !right,
    };
    bytes[6..8].copy_from_slice(&checksum.to_be_bytes());
    ip(ends, ip_number::UDP, Marks::of(spec.ttl, spec.tos), &bytes)
}

/// What an ICMP or ICMPv6 message says.
#[derive(Clone, Copy, Debug, Default)]
pub struct IcmpError<'a> {
    /// One of [`crate::model::icmp::WORDS`], or its numbers: `type 3 code 16`.
    pub word: &'a str,
    /// What stands before the quoted packet: the next hop's MTU for `fragmentation-needed`, the
    /// gateway's address for redirects, else 0.
    pub field: u32,
    /// The offending packet, from its IP header on.
    pub offender: &'a [u8],
    /// How many bytes behind its IP header are quoted; none: what the standards ask for.
    pub quote: Option<usize>,
    /// Bytes that the link takes at once; none: more than the standards ask for.
    pub mtu: Option<u16>,
    /// A checksum that is wrong.
    pub bad_checksum: bool,
    /// Time to live or hop limit; none: [`TTL`].
    pub ttl: Option<u8>,
}

/// An ICMP error; none if this family has no message of that word.
pub fn icmp(source: IpAddr, destination: IpAddr, error: &IcmpError<'_>) -> Option<Vec<u8>> {
    let six = source.is_ipv6();
    let (kind, code) = message(error.word, if six { Family::V6 } else { Family::V4 })?;
    let header_len = ip_header_len(error.offender)?;
    let (own_header, error_max) = if six {
        (IP_HEADER_BYTES.1, ERROR_BYTES_MAX.1)
    } else {
        (IP_HEADER_BYTES.0, ERROR_BYTES_MAX.0)
    };
    let quoted = match error.quote {
        Some(len) => header_len + len,
        None => {
            let most = error.mtu.map_or(error_max, |mtu| error_max.min(usize::from(mtu)));
            most - own_header - ICMP_HEADER_BYTES
        }
    };
    let quoted = &error.offender[..quoted.min(error.offender.len())];
    let mut bytes = vec![kind, code, 0, 0];
    // RFC 1191 §4 has the MTU in the lower half of the field, RFC 4443 §3.2 in all of it.
    bytes.extend(error.field.to_be_bytes());
    bytes.extend(quoted);
    let marks = Marks::of(error.ttl, None);
    Some(checked_icmp(source, destination, marks, error.bad_checksum, bytes))
}

/// Words of a TCP header without options.
const TCP_HEADER_WORDS: usize = 5;

/// The identifier of echo requests, which ping sockets are told by.
const ECHO_IDENTIFIER: u16 = 0x5d1f;

/// An ICMP echo request.
pub fn echo(source: IpAddr, destination: IpAddr, spec: &EchoSpec) -> Vec<u8> {
    let family = if source.is_ipv6() { Family::V6 } else { Family::V4 };
    let (kind, code) = message("echo-request", family).expect("both versions have it");
    let mut bytes = vec![kind, code, 0, 0];
    bytes.extend(ECHO_IDENTIFIER.to_be_bytes());
    bytes.extend(1_u16.to_be_bytes());
    bytes.extend(spec.payload.bytes().iter());
    checked_icmp(source, destination, Marks::of(spec.ttl, spec.tos), spec.bad_checksum, bytes)
}

/// An IP packet with whatever behind its header.
pub fn other(source: IpAddr, destination: IpAddr, spec: &OtherSpec) -> Vec<u8> {
    let ends =
        Ends { source: SocketAddr::new(source, 0), destination: SocketAddr::new(destination, 0) };
    let marks = Marks::of(spec.ttl, spec.tos);
    ip(ends, IpNumber(spec.protocol), marks, &spec.payload.bytes())
}

/// The packet around an ICMP message whose checksum is still 0.
fn checked_icmp(
    source: IpAddr,
    destination: IpAddr,
    marks: Marks,
    is_bad: bool,
    mut bytes: Vec<u8>,
) -> Vec<u8> {
    let six = source.is_ipv6();
    let (protocol, ends) = (
        if six { ip_number::IPV6_ICMP } else { ip_number::ICMP },
        Ends { source: SocketAddr::new(source, 0), destination: SocketAddr::new(destination, 0) },
    );
    let checksum = if six {
        checksum(ends, protocol, &bytes)
    } else {
        Sum16BitWords::new().add_slice(&bytes).ones_complement().to_be()
    };
    bytes[2..4].copy_from_slice(&maybe_bad(is_bad, checksum).to_be_bytes());
    ip(ends, protocol, marks, &bytes)
}

/// A packet from its IP header on. Captures of IPv6 raw sockets begin behind it: one is made from
/// what they tell beside the packet, with a hop limit of 0 if they do not tell it.
pub fn with_ip_header(packet: &Packet) -> Cow<'_, [u8]> {
    let Packet { source, destination, bytes, .. } = packet;
    let has_header = Ipv6Header::from_slice(bytes).is_ok_and(|(header, _)| {
        IpAddr::from(header.source) == *source && IpAddr::from(header.destination) == *destination
    });
    if source.is_ipv4() || has_header {
        return Cow::Borrowed(bytes);
    }
    let protocol = match &packet.body {
        PacketBody::Tcp(_) => ip_number::TCP,
        PacketBody::Udp { .. } => ip_number::UDP,
        PacketBody::Icmp(_) => ip_number::IPV6_ICMP,
        PacketBody::Other { protocol } => IpNumber(*protocol),
    };
    let (source, destination) = (SocketAddr::new(*source, 0), SocketAddr::new(*destination, 0));
    let marks = Marks { ttl: packet.ttl.unwrap_or(0), tos: packet.tos.unwrap_or(0) };
    Cow::Owned(ip(Ends { source, destination }, protocol, marks, bytes))
}

/// The same packet with other bytes at that distance behind its IP header; none if it is too short
/// for them. Its checksum stays: that of a packet quoted in part cannot be checked.
pub fn overwritten(packet: &[u8], at: usize, field: &[u8]) -> Option<Vec<u8>> {
    let at = ip_header_len(packet)? + fragment_header_len(packet) + at;
    let mut bytes = packet.to_vec();
    bytes.get_mut(at..at + field.len())?.copy_from_slice(field);
    Some(bytes)
}

/// Bytes between the headers of an IPv6 packet that make it a fragment.
fn fragment_header_len(packet: &[u8]) -> usize {
    let header = Ipv6Header::from_slice(packet).map(|(header, _)| header);
    match header.is_ok_and(|header| header.next_header == ip_number::IPV6_FRAG) {
        true => FRAGMENT_HEADER_BYTES,
        false => 0,
    }
}

/// Cuts a packet into IP fragments, in the order in which they are sent.
pub fn fragments(packet: &[u8], cut: &Cut) -> Vec<Vec<u8>> {
    let Some(header_len) = ip_header_len(packet) else {
        return vec![packet.to_vec()];
    };
    let payload = &packet[header_len..];
    let unit = usize::from(FRAGMENT_UNIT_BYTES);
    // Pieces that a peer sends in several steps are to be put together, those of two peers are not:
    // both have one address. TCP and UDP begin with the source port.
    let port = payload.first_chunk().map_or(0, |port| u16::from_be_bytes(*port));
    let identification = IDENTIFICATION.wrapping_add(port);
    let pieces = match cut {
        Cut::Every(len) => {
            let len = usize::from(*len).max(unit) / unit * unit;
            // One of nothing is a fragment, too.
            let starts = (0..payload.len().max(1)).step_by(len);
            starts.map(|start| (start, start + len)).collect()
        }
        Cut::Pieces(pieces) => {
            let pieces = pieces.iter().map(|(start, end)| (usize::from(*start), usize::from(*end)));
            pieces.collect::<Vec<_>>()
        }
    };
    let whole = pieces.into_iter().map(|(start, end)| {
        let end = end.min(payload.len());
        let piece = payload.get(start..end).unwrap_or_default();
        fragment(packet, piece, identification, start / unit, end < payload.len())
    });
    whole.collect()
}

fn fragment(
    packet: &[u8],
    piece: &[u8],
    identification: u16,
    offset: usize,
    more: bool,
) -> Vec<u8> {
    let offset = IpFragOffset::try_new(offset as u16).unwrap_or(IpFragOffset::ZERO);
    if let Ok((mut header, _)) = Ipv4Header::from_slice(packet) {
        header.identification = identification;
        header.dont_fragment = false;
        header.more_fragments = more;
        header.fragment_offset = offset;
        header.total_len = (header.header_len() + piece.len()) as u16;
        header.header_checksum = header.calc_header_checksum();
        return [&header.to_bytes()[..], piece].concat();
    }
    let Ok((mut header, _)) = Ipv6Header::from_slice(packet) else {
        return packet.to_vec();
    };
    let extension = Ipv6FragmentHeader {
        next_header: header.next_header,
        fragment_offset: offset,
        more_fragments: more,
        identification: u32::from(identification),
    }
    .to_bytes();
    header.next_header = ip_number::IPV6_FRAGMENTATION_HEADER;
    header.payload_length = (extension.len() + piece.len()) as u16;
    [&header.to_bytes()[..], &extension, piece].concat()
}

fn write_option(bytes: &mut Vec<u8>, option: &TcpOption, sack_base: u32) {
    match option {
        TcpOption::Mss(size) => {
            bytes.extend([2, 4]);
            bytes.extend(size.to_be_bytes());
        }
        TcpOption::WindowScale(shift) => bytes.extend([3, 3, *shift]),
        TcpOption::SackPermitted => bytes.extend([4, 2]),
        TcpOption::Sack(blocks) => {
            bytes.extend([5, (2 + 8 * blocks.len()) as u8]);
            for edge in blocks.iter().flat_map(|(left, right)| [left, right]) {
                bytes.extend(sack_base.wrapping_add(*edge as u32).to_be_bytes());
            }
        }
        TcpOption::Timestamps(value, reply) => {
            bytes.extend([8, 10]);
            bytes.extend(value.to_be_bytes());
            bytes.extend(reply.to_be_bytes());
        }
        TcpOption::Nop => bytes.push(1),
        TcpOption::End => bytes.push(0),
        TcpOption::Raw(raw) => bytes.extend(raw),
    }
}

/// The checksum of TCP, UDP and ICMPv6: over a pseudo header and the bytes, whose own field is 0.
fn checksum(ends: Ends, protocol: IpNumber, bytes: &[u8]) -> u16 {
    checksum_of(ends, protocol, bytes.len() as u32, bytes)
}

/// The same where the pseudo header has another length than there are bytes.
fn checksum_of(ends: Ends, protocol: IpNumber, len: u32, bytes: &[u8]) -> u16 {
    let mut sum = match (ends.source.ip(), ends.destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            Sum16BitWords::new().add_4bytes(source.octets()).add_4bytes(destination.octets())
        }
        (source, destination) => {
            Sum16BitWords::new().add_16bytes(six(source)).add_16bytes(six(destination))
        }
    };
    sum = sum.add_4bytes(len.to_be_bytes());
    sum = sum.add_2bytes([0, protocol.0]).add_slice(bytes);
    // etherparse sums in the machine's order.
    sum.ones_complement().to_be()
}

/// A checksum, or a wrong one: one more or one less is never the same in one's complement.
fn maybe_bad(is_bad: bool, checksum: u16) -> u16 {
    checksum ^ u16::from(is_bad)
}

/// What an IP header says besides where to and what.
#[derive(Clone, Copy)]
struct Marks {
    ttl: u8,
    tos: u8,
}

impl Marks {
    fn of(ttl: Option<u8>, tos: Option<u8>) -> Marks {
        Marks { ttl: ttl.unwrap_or(TTL), tos: tos.unwrap_or(0) }
    }
}

fn ip(ends: Ends, protocol: IpNumber, Marks { ttl, tos }: Marks, payload: &[u8]) -> Vec<u8> {
    let len = payload.len() as u16;
    match (ends.source.ip(), ends.destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut header = Ipv4Header {
                dscp: IpDscp::try_new(tos >> 2).unwrap_or_default(),
                ecn: IpEcn::try_new(tos & 3).unwrap_or_default(),
                total_len: IP_HEADER_BYTES.0 as u16 + len,
                dont_fragment: true,
                time_to_live: ttl,
                protocol,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv4Header::default()
            };
            header.header_checksum = header.calc_header_checksum();
            [&header.to_bytes()[..], payload].concat()
        }
        (source, destination) => {
            let header = Ipv6Header {
                traffic_class: tos,
                payload_length: len,
                next_header: protocol,
                hop_limit: ttl,
                source: six(source),
                destination: six(destination),
                ..Ipv6Header::default()
            };
            [&header.to_bytes()[..], payload].concat()
        }
    }
}

fn six(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// Bytes of a packet's IP header; extension headers count as what it carries.
fn ip_header_len(packet: &[u8]) -> Option<usize> {
    let len = match packet.first()? >> 4 {
        4 => usize::from(packet[0] & 0x0f) * 4,
        6 => IP_HEADER_BYTES.1,
        _ => return None,
    };
    (len <= packet.len()).then_some(len)
}
