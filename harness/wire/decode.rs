//! Takes a captured packet apart. Never fails: what cannot be read stays [`PacketBody::Other`].

use super::icmp::{icmp_v4, icmp_v6};
use super::{Captured, CapturedBytes};
use crate::model::TcpFlags;
use crate::model::packet::{Packet, PacketBody, SeenOption, TcpSegment};
use etherparse::{IpNumber, LaxIpSlice, TcpOptionElement, TcpSlice, ip_number};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// The protocol of a packet whose IP header could not be read: reserved by IANA.
const PROTOCOL_UNREADABLE: u8 = 255;

/// In the byte of the data offset: the flag AE, and the bits that are still reserved.
const AE: u8 = 0x01;
const RESERVED: u8 = 0x0e;

/// Bytes of a TCP header without options, and of a UDP header.
const TCP_HEADER_BYTES: usize = 20;
const UDP_HEADER_BYTES: usize = 8;

/// Takes a packet apart.
pub fn decode(captured: &Captured) -> Packet {
    match &captured.bytes {
        CapturedBytes::Ip(bytes) => from_ip(captured.at, bytes),
        CapturedBytes::Transport { source, destination, protocol, ttl, tos, bytes } => Packet {
            at: captured.at,
            source: *source,
            destination: *destination,
            ttl: *ttl,
            tos: *tos,
            dont_fragment: None,
            body: body(IpNumber(*protocol), source.is_ipv6(), bytes, 0),
            bytes: bytes.clone(),
            fragments: Vec::new(),
        },
    }
}

fn from_ip(at: Duration, bytes: &[u8]) -> Packet {
    let mut packet = Packet {
        at,
        source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        destination: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        ttl: None,
        tos: None,
        dont_fragment: None,
        body: PacketBody::Other { protocol: PROTOCOL_UNREADABLE },
        bytes: bytes.to_vec(),
        fragments: Vec::new(),
    };
    let Ok((ip, _)) = LaxIpSlice::from_slice(bytes) else {
        return packet;
    };
    packet.source = ip.source_addr();
    packet.destination = ip.destination_addr();
    let whole_len = match &ip {
        LaxIpSlice::Ipv4(v4) => {
            packet.ttl = Some(v4.header().ttl());
            packet.tos = Some(v4.header().slice()[1]);
            packet.dont_fragment = Some(v4.header().dont_fragment());
            usize::from(v4.header().total_len())
        }
        LaxIpSlice::Ipv6(v6) => {
            packet.ttl = Some(v6.header().hop_limit());
            packet.tos = Some(v6.header().traffic_class());
            v6.header().slice().len() + usize::from(v6.header().payload_length())
        }
    };
    let payload = ip.payload();
    packet.body = if is_later_fragment(&ip, bytes) {
        PacketBody::Other { protocol: payload.ip_number.0 }
    } else {
        let missing = whole_len.saturating_sub(bytes.len());
        body(payload.ip_number, packet.source.is_ipv6(), payload.payload, missing)
    };
    packet
}

/// Whether a packet from its IP header on is a fragment that does not hold the transport header.
pub fn is_headless(packet: &[u8]) -> bool {
    LaxIpSlice::from_slice(packet).is_ok_and(|(ip, _)| is_later_fragment(&ip, packet))
}

/// The same of a packet that has been taken apart.
pub(super) fn is_later_fragment(ip: &LaxIpSlice<'_>, bytes: &[u8]) -> bool {
    match ip {
        LaxIpSlice::Ipv4(v4) => v4.header().fragments_offset().value() != 0,
        LaxIpSlice::Ipv6(v6) => {
            let behind = bytes.get(v6.header().slice().len()..).unwrap_or_default();
            is_later_fragment_six(v6.header().next_header(), behind)
        }
    }
}

/// The same for IPv6: follows the extension headers (RFC 8200 §4). Not by etherparse's iterator,
/// which reads beyond the packet where an extension is cut off.
fn is_later_fragment_six(mut kind: IpNumber, mut bytes: &[u8]) -> bool {
    while let [next, len, high, low, ..] = *bytes {
        let len = usize::from(len);
        let len = match kind {
            ip_number::IPV6_FRAG => return u16::from_be_bytes([high, low]) >> 3 != 0,
            ip_number::AUTH => (len + 2) * 4,
            ip_number::IPV6_HOP_BY_HOP
            | ip_number::IPV6_ROUTE
            | ip_number::IPV6_DEST_OPTIONS
            | ip_number::MOBILITY
            | ip_number::HIP
            | ip_number::SHIM6 => (len + 1) * 8,
            _ => return false,
        };
        kind = IpNumber(next);
        bytes = bytes.get(len..).unwrap_or_default();
    }
    false
}

/// Reads what an IP packet carries; its last `missing` bytes were not captured. Either version of
/// IP has an ICMP of its own.
fn body(protocol: IpNumber, six: bool, bytes: &[u8], missing: usize) -> PacketBody {
    let read = match protocol {
        ip_number::TCP => tcp(bytes, missing).map(PacketBody::Tcp),
        ip_number::UDP => udp(bytes, missing),
        ip_number::ICMP if !six => icmp_v4(bytes).map(PacketBody::Icmp),
        ip_number::IPV6_ICMP if six => icmp_v6(bytes).map(PacketBody::Icmp),
        _ => None,
    };
    read.unwrap_or(PacketBody::Other { protocol: protocol.0 })
}

fn tcp(bytes: &[u8], missing: usize) -> Option<TcpSegment> {
    let fixed = bytes.first_chunk::<TCP_HEADER_BYTES>()?;
    let [a, b, c, d, s0, s1, s2, s3, a0, a1, a2, a3, offset, flags, w0, w1, _, _, u0, u1] = *fixed;
    let header_len = usize::from(offset >> 4) * 4;
    // Behind a header whose length cannot be right nobody knows where the payload begins: like
    // tcpdump, told as an option that cannot be, and no length.
    let rest = (TCP_HEADER_BYTES..=bytes.len()).contains(&header_len);
    let (options, payload) = if rest {
        (options(&bytes[TCP_HEADER_BYTES..header_len]), &bytes[header_len..])
    } else {
        (vec![SeenOption::Word("bad hdr length".to_owned())], &[][..])
    };
    let missing = if rest { missing } else { 0 };
    Some(TcpSegment {
        source_port: u16::from_be_bytes([a, b]),
        destination_port: u16::from_be_bytes([c, d]),
        flags: TcpFlags(u16::from(offset & AE) << 8 | u16::from(flags)),
        reserved: offset & RESERVED,
        seq: u32::from_be_bytes([s0, s1, s2, s3]),
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        window: u16::from_be_bytes([w0, w1]),
        urgent: u16::from_be_bytes([u0, u1]),
        len: payload.len() + missing,
        options,
    })
}

fn udp(bytes: &[u8], missing: usize) -> Option<PacketBody> {
    let [s0, s1, d0, d1, l0, l1, _, _] = *bytes.first_chunk::<UDP_HEADER_BYTES>()?;
    let came = bytes.len() + missing;
    // A length that cannot be right tells nothing: all that came is told. A first fragment's is
    // that of the whole datagram, and in an IPv6 jumbogram it is 0 (RFC 2675 §4).
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    let len = if (UDP_HEADER_BYTES..=came).contains(&len) { len } else { came };
    Some(PacketBody::Udp {
        source_port: u16::from_be_bytes([s0, s1]),
        destination_port: u16::from_be_bytes([d0, d1]),
        len: len - UDP_HEADER_BYTES,
    })
}

/// TCP options, in tcpdump's words.
fn options(mut bytes: &[u8]) -> Vec<SeenOption> {
    let word = |word: &str| SeenOption::Word(word.to_owned());
    let mut seen = Vec::new();
    while let Some((&kind, rest)) = bytes.split_first() {
        if kind == 0 {
            seen.push(word("eol"));
            break;
        }
        if kind == 1 {
            seen.push(word("nop"));
            bytes = rest;
            continue;
        }
        let len = rest.first().map_or(0, |len| usize::from(*len));
        let (Some(option), 2..) = (bytes.get(..len), len) else {
            seen.push(word("bad opt"));
            break;
        };
        seen.push(match option {
            [2, _, high, low] => word(&format!("mss {}", u16::from_be_bytes([*high, *low]))),
            [3, _, shift] => word(&format!("wscale {shift}")),
            [4, _] => word("sackOK"),
            [5, _, edges @ ..] => blocks(edges).map_or_else(|| word("sack"), SeenOption::Sack),
            [8, _, v0, v1, v2, v3, r0, r1, r2, r3] => SeenOption::Timestamps {
                value: u32::from_be_bytes([*v0, *v1, *v2, *v3]),
                reply: u32::from_be_bytes([*r0, *r1, *r2, *r3]),
            },
            // RFC 7413 §4.1.1: without a cookie it asks for one. The cookie is a secret.
            [34, _] => word("tfo cookiereq"),
            [34, ..] => word("tfo cookie"),
            _ => word(&format!("unknown-{kind}")),
        });
        bytes = &bytes[len..];
    }
    seen
}

/// The edges of a selective acknowledgment (RFC 2018 §3); none if they are not whole.
fn blocks(edges: &[u8]) -> Option<Vec<(u32, u32)>> {
    let (blocks, rest) = edges.as_chunks::<8>();
    let block = |[a, b, c, d, e, f, g, h]: &[u8; 8]| {
        (u32::from_be_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*e, *f, *g, *h]))
    };
    rest.is_empty().then(|| blocks.iter().map(block).collect())
}

/// An IP protocol as a transcript names it: tcpdump's word for those without a name here.
pub(super) fn body_protocol(protocol: u8, six: bool) -> String {
    match IpNumber(protocol) {
        ip_number::TCP => "tcp".to_owned(),
        ip_number::UDP => "udp".to_owned(),
        ip_number::ICMP if !six => "icmp".to_owned(),
        ip_number::IPV6_ICMP if six => "icmp".to_owned(),
        _ => format!("ip-proto-{protocol}"),
    }
}

/// Value and echo reply of the timestamps option of a packet from its IP header on.
pub fn timestamps(packet: &[u8]) -> Option<(u32, u32)> {
    let (ip, _) = LaxIpSlice::from_slice(packet).ok()?;
    let tcp = TcpSlice::from_slice(ip.payload().payload).ok()?;
    tcp.options_iterator().find_map(|option| match option {
        Ok(TcpOptionElement::Timestamp(value, reply)) => Some((value, reply)),
        _ => None,
    })
}
