//! ICMP and ICMPv6: one word for a message of either version.

use super::decode::body_protocol;
use crate::model::packet::{Icmp, Quoted};
use etherparse::{LaxIpSlice, ip_number};

/// A message's type and code.
type TypeCode = (u8, u8);

/// A word, and the message that it stands for in ICMP (RFC 792, RFC 1812) and in ICMPv6 (RFC 4443,
/// RFC 4861). Messages that correspond share a word, so that a case can say the same under both
/// families.
pub const WORDS: [(&str, Option<TypeCode>, Option<TypeCode>); 24] = [
    ("net-unreachable", Some((3, 0)), Some((1, 0))),
    ("host-unreachable", Some((3, 1)), Some((1, 3))),
    ("protocol-unreachable", Some((3, 2)), Some((4, 1))),
    ("port-unreachable", Some((3, 3)), Some((1, 4))),
    ("fragmentation-needed", Some((3, 4)), Some((2, 0))),
    ("source-route-failed", Some((3, 5)), None),
    ("net-unknown", Some((3, 6)), None),
    ("host-unknown", Some((3, 7)), None),
    ("net-prohibited", Some((3, 9)), None),
    ("host-prohibited", Some((3, 10)), None),
    ("admin-prohibited", Some((3, 13)), Some((1, 1))),
    ("beyond-scope", None, Some((1, 2))),
    ("policy-failed", None, Some((1, 5))),
    ("reject-route", None, Some((1, 6))),
    ("source-quench", Some((4, 0)), None),
    ("ttl-exceeded", Some((11, 0)), Some((3, 0))),
    ("reassembly-exceeded", Some((11, 1)), Some((3, 1))),
    ("parameter-problem", Some((12, 0)), Some((4, 0))),
    ("echo-request", Some((8, 0)), Some((128, 0))),
    ("echo-reply", Some((0, 0)), Some((129, 0))),
    ("router-solicitation", Some((10, 0)), Some((133, 0))),
    ("router-advertisement", Some((9, 0)), Some((134, 0))),
    ("neighbor-solicitation", None, Some((135, 0))),
    ("neighbor-advertisement", None, Some((136, 0))),
];

/// Bytes before the packet that an error quotes.
const HEADER_LEN: usize = 8;

/// Reads an ICMP message.
pub(super) fn icmp_v4(bytes: &[u8]) -> Option<Icmp> {
    // Destination unreachable, source quench, redirect, time exceeded, parameter problem.
    read(
        bytes,
        |(_, v4, _)| v4,
        |kind| matches!(kind, 3 | 4 | 5 | 11 | 12),
    )
}

/// Reads an ICMPv6 message.
pub(super) fn icmp_v6(bytes: &[u8]) -> Option<Icmp> {
    // RFC 4443 §2.1: errors have a zero in the high bit of their type.
    read(bytes, |(_, _, v6)| v6, |kind| kind < 128)
}

fn read(
    bytes: &[u8],
    version: impl Fn((&str, Option<TypeCode>, Option<TypeCode>)) -> Option<TypeCode>,
    is_error: impl Fn(u8) -> bool,
) -> Option<Icmp> {
    let (&kind, &code) = (bytes.first()?, bytes.get(1)?);
    let known = WORDS
        .iter()
        .find(|row| version(**row) == Some((kind, code)));
    Some(Icmp {
        word: known.map_or_else(
            || format!("type {kind} code {code}"),
            |(word, ..)| (*word).to_owned(),
        ),
        quoted: bytes
            .get(HEADER_LEN..)
            .filter(|_| is_error(kind))
            .and_then(quoted),
    })
}

/// The packet that an error quotes; usually only its beginning is there.
fn quoted(bytes: &[u8]) -> Option<Quoted> {
    let (ip, _) = LaxIpSlice::from_slice(bytes).ok()?;
    let payload = ip.payload();
    let port = |at: usize| {
        let bytes = payload.payload.get(at..at + 2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let has_ports = matches!(payload.ip_number, ip_number::TCP | ip_number::UDP);
    Some(Quoted {
        source: ip.source_addr(),
        destination: ip.destination_addr(),
        protocol: body_protocol(payload.ip_number.0),
        ports: if has_ports {
            port(0).zip(port(2))
        } else {
            None
        },
    })
}
