//! ICMP and ICMPv6: one word for a message of either version.

use super::decode::{body_protocol, is_later_fragment};
pub use crate::model::icmp::WORDS;
use crate::model::icmp::{Row, TypeCode};
use crate::model::packet::{Icmp, Quoted};
use etherparse::{LaxIpSlice, ip_number};

/// Bytes before the packet that an error quotes.
const HEADER_LEN: usize = 8;

/// Reads an ICMP message.
pub(super) fn icmp_v4(bytes: &[u8]) -> Option<Icmp> {
    // Destination unreachable, source quench, redirect, time exceeded, parameter problem.
    read(bytes, |(_, v4, _)| v4, |kind| matches!(kind, 3 | 4 | 5 | 11 | 12))
}

/// Reads an ICMPv6 message.
pub(super) fn icmp_v6(bytes: &[u8]) -> Option<Icmp> {
    // RFC 4443 §2.1: errors have a zero in the high bit of their type.
    read(bytes, |(_, _, v6)| v6, |kind| kind < 128)
}

fn read(
    bytes: &[u8],
    version: impl Fn(Row) -> Option<TypeCode>,
    is_error: impl Fn(u8) -> bool,
) -> Option<Icmp> {
    let (&kind, &code) = (bytes.first()?, bytes.get(1)?);
    let body = bytes.get(HEADER_LEN..);
    let known = WORDS.iter().find(|row| version(**row) == Some((kind, code)));
    Some(Icmp {
        word: known
            .map_or_else(|| format!("type {kind} code {code}"), |(word, ..)| (*word).to_owned()),
        quoted: body.filter(|_| is_error(kind)).and_then(quoted),
        len: body.filter(|_| !is_error(kind)).map(<[u8]>::len),
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
    let has_ports = matches!(payload.ip_number, ip_number::TCP | ip_number::UDP)
        && !is_later_fragment(&ip, bytes);
    Some(Quoted {
        source: ip.source_addr(),
        destination: ip.destination_addr(),
        protocol: body_protocol(payload.ip_number.0, ip.source_addr().is_ipv6()),
        ports: if has_ports { port(0).zip(port(2)) } else { None },
    })
}
