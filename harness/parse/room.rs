//! Whether what a peer sends fits the wire.

use super::args::Args;
use super::error::Read;
use super::packet::option_len;
use super::scope::Scope;
use crate::model::limits::FRAGMENT_UNIT_BYTES;
use crate::model::peer::{
    Cut, DatagramSpec, EchoSpec, IcmpSpec, OtherSpec, SegmentSpec, TcpOption,
};
use crate::model::{Family, Name, TcpFlags};

/// Bytes of an IPv4 header without options, and of an IPv6 header.
const IP_BYTES: (usize, usize) = (20, 40);
/// Bytes of a TCP header without options, and of the headers of UDP and ICMP.
const TCP_BYTES: usize = 20;
const UDP_BYTES: usize = 8;
const ICMP_BYTES: usize = 8;
/// Bytes of the extension header that makes an IPv6 packet a fragment.
const FRAGMENT_BYTES: usize = 8;
/// The options of a SYN that names none: an MSS.
const SYN_OPTIONS_BYTES: usize = 4;
/// Timestamps, filled up to whole words.
const STAMPS_BYTES: usize = 12;

/// A segment, whole or in fragments.
pub(super) fn check_segment(
    args: &Args<'_>,
    peer: &Name,
    segment: &SegmentSpec,
    scope: &mut Scope<'_>,
) -> Read<()> {
    let is_syn = segment.flags.has(TcpFlags::SYN);
    let is_stamp = |option: &TcpOption| matches!(option, TcpOption::Timestamps(..));
    if is_syn && segment.options.iter().flatten().any(is_stamp) {
        scope.stamped.insert(peer.clone());
    }
    let options = match &segment.options {
        Some(options) => options.iter().map(option_len).sum::<usize>().next_multiple_of(4),
        None if is_syn => SYN_OPTIONS_BYTES,
        None if segment.flags.has(TcpFlags::RST) || !scope.stamped.contains(peer) => 0,
        None => STAMPS_BYTES,
    };
    let headers = TCP_BYTES + options;
    let len = segment.payload.as_ref().map_or(0, |payload| payload.len());
    let key = if args.get("data").is_some() { "data" } else { "len" };
    check_cut(args, (key, len), headers, segment.fragment.as_ref(), scope)
}

/// A datagram, whole or in fragments.
pub(super) fn check_datagram(
    args: &Args<'_>,
    datagram: &DatagramSpec,
    scope: &Scope<'_>,
) -> Read<()> {
    let len = datagram.payload.len();
    check_cut(args, ("udp", len), UDP_BYTES, datagram.fragment.as_ref(), scope)
}

/// An echo request, whole or in fragments.
pub(super) fn check_echo(args: &Args<'_>, echo: &EchoSpec, scope: &Scope<'_>) -> Read<()> {
    let len = echo.payload.len();
    check_cut(args, ("echo", len), ICMP_BYTES, echo.fragment.as_ref(), scope)
}

/// A packet of any protocol, whole or in fragments.
pub(super) fn check_other(args: &Args<'_>, other: &OtherSpec, scope: &Scope<'_>) -> Read<()> {
    let key = ["len", "data", "raw"].into_iter().find(|key| args.get(key).is_some());
    let content = (key.unwrap_or("proto"), other.payload.len());
    check_cut(args, content, 0, other.fragment.as_ref(), scope)
}

/// What follows headers of so many bytes, whole or in fragments.
fn check_cut(
    args: &Args<'_>,
    (key, len): (&str, usize),
    headers: usize,
    cut: Option<&Cut>,
    scope: &Scope<'_>,
) -> Read<()> {
    let (whole, room) = (headers + len, room(scope));
    let six = scope.families.contains(&Family::V6);
    let unit = usize::from(FRAGMENT_UNIT_BYTES);
    let of_piece = (room - if six { FRAGMENT_BYTES } else { 0 }) / unit * unit;
    let longest = match cut {
        None => return check(args, scope, (key, len), room - headers, ", or `fragment`"),
        // What is shorter than one fragment is cut no further.
        Some(Cut::Every(piece)) => usize::from(*piece).min(whole),
        Some(Cut::Pieces(pieces)) => {
            let ends = pieces.iter().map(|(_, end)| usize::from(*end));
            if let Some(end) = ends.max().filter(|end| *end > whole) {
                let what = format!("a packet of {whole} bytes behind its IP header, not {end}");
                return Err(args.fault_at("fragment", &what));
            }
            pieces.iter().map(|(start, end)| usize::from(end - start)).max().unwrap_or(0)
        }
    };
    check(args, scope, ("fragment", longest), of_piece, "")
}

/// An ICMP error that quotes a packet with its IP header. Without a number it takes what the
/// standards ask for, which is less.
pub(super) fn check_error(args: &Args<'_>, error: &IcmpSpec, scope: &Scope<'_>) -> Read<()> {
    let len = error.quote.unwrap_or(0);
    check(args, scope, ("quote", len), room(scope) - ICMP_BYTES - ip_bytes(scope), "")
}

/// Bytes behind the IP header that are left in every family of the case.
fn room(scope: &Scope<'_>) -> usize {
    usize::from(scope.mtu) - ip_bytes(scope)
}

fn ip_bytes(scope: &Scope<'_>) -> usize {
    if scope.families.contains(&Family::V6) { IP_BYTES.1 } else { IP_BYTES.0 }
}

fn check(
    args: &Args<'_>,
    scope: &Scope<'_>,
    (key, len): (&str, usize),
    room: usize,
    or: &str,
) -> Read<()> {
    if len <= room {
        return Ok(());
    }
    let six = scope.families.len() > 1 && scope.families.contains(&Family::V6);
    let under = if six { " under ipv6" } else { "" };
    let most = format!("expected at most {room}{under}{or}");
    Err(args.fault_at(key, &format!("{len} bytes do not fit a packet of the wire, {most}")))
}
