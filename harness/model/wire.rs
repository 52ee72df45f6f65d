//! The addresses of the wire: networks that RFC 5737 and RFC 3849 keep for documentation, so that
//! nothing of a case could ever be meant for a real machine.

use super::case::Family;
use super::limits::PEERS_MAX;
use super::name::Name;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who has an address on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// This machine.
    Local,
    /// The scripted peer, and further peers (at other ports).
    Peer,
    /// A third party that sends ICMP errors.
    Router,
}

/// Bytes of the longest packet, without Ethernet's own header.
pub const MTU: u16 = 1500;

/// The name under which a case pins ip-route(8)'s attribute `quickack` of the route to the peer: 0
/// leaves to the stack when it acknowledges.
pub const QUICKACK: &str = "route.quickack";

/// Bits of the wire's network: IPv4, IPv6.
pub const PREFIX_V4: u8 = 24;
/// Bits of the wire's network under IPv6.
pub const PREFIX_V6: u8 = 64;

/// The address of an end.
pub fn address(end: End, family: Family) -> IpAddr {
    let last: u8 = match end {
        End::Local => 1,
        End::Peer => 2,
        End::Router => 254,
    };
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)),
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(last))),
    }
}

/// Whether an address is of the wire's network.
pub fn is_on(ip: IpAddr) -> bool {
    let family = if ip.is_ipv4() { Family::V4 } else { Family::V6 };
    match (ip, address(End::Local, family)) {
        (IpAddr::V4(ip), IpAddr::V4(ours)) => {
            (ip.to_bits() ^ ours.to_bits()) >> (32 - PREFIX_V4) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(ours)) => {
            (ip.to_bits() ^ ours.to_bits()) >> (128 - PREFIX_V6) == 0
        }
        _ => false,
    }
}

/// Before the ports of the peers, which are outside every system's ephemeral range.
const PEER_PORT_BASE: u16 = 7000;

/// The port of a peer, 7001 for `peer`, 7002 for `peer2`; none for any other name.
pub fn peer_port(name: &Name) -> Option<u16> {
    let nth = match name.as_str().strip_prefix("peer")? {
        "" => 1,
        digits => digits.parse().ok()?,
    };
    (1..=PEERS_MAX).contains(&nth).then(|| PEER_PORT_BASE + nth as u16)
}

/// The name of the nth peer: `peer`, `peer2`, …
pub fn nth_peer(nth: u32) -> Name {
    match nth {
        0 | 1 => Name::new("peer"),
        nth => Name::new(&format!("peer{nth}")),
    }
}

/// The peer that has a port.
pub fn peer_at(port: u16) -> Option<Name> {
    let nth = u32::from(port.checked_sub(PEER_PORT_BASE)?);
    (1..=PEERS_MAX).contains(&nth).then(|| nth_peer(nth))
}

#[cfg(test)]
mod tests {
    use super::is_on;
    use rstest::rstest;

    #[rstest]
    #[case("192.0.2.1", true)]
    #[case("192.0.2.254", true)]
    #[case("192.0.3.1", false)]
    #[case("127.0.0.1", false)]
    #[case("2001:db8::2", true)]
    #[case("2001:db8:0:1::2", false)]
    #[case("fe80::1", false)]
    fn the_wire_has_two_networks(#[case] ip: &str, #[case] on_wire: bool) {
        assert_eq!(is_on(ip.parse().unwrap()), on_wire);
    }
}
