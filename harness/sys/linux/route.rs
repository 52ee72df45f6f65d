//! Routes that a case sets or takes away.

use super::netlink::{Batch, Refused, carry_out};
use super::network::LOOPBACK_INDEX;
use crate::model::Family;
use crate::model::host::RouteKind;
use crate::model::wire::{self, End};
use std::net::IpAddr;

/// A destination in CIDR form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

impl Network {
    /// `192.0.2.0/24`, or an address alone.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(all);
        (length <= all).then_some(Network { address, length })
    }

    /// The network of the wire in which it is.
    fn of_wire(self) -> Option<Network> {
        let family = if self.address.is_ipv4() { Family::V4 } else { Family::V6 };
        let (length, kept) = match family {
            Family::V4 => (wire::PREFIX_V4, 3),
            Family::V6 => (wire::PREFIX_V6, 8),
        };
        let (own, mut octets) = (octets(wire::address(End::Local, family)), octets(self.address));
        octets[kept..].fill(0);
        let is_there = octets[..kept] == own[..kept] && self.length > length;
        let address = match family {
            Family::V4 => IpAddr::from(<[u8; 4]>::try_from(octets).ok()?),
            Family::V6 => IpAddr::from(<[u8; 16]>::try_from(octets).ok()?),
        };
        is_there.then_some(Network { address, length })
    }
}

/// Sets the route, in place of one to the same destination. `none` takes it away; if there is none
/// to that destination, the wire's own, so that nothing leads there.
///
/// # Errors
/// The request that the kernel refused.
pub fn set(to: Network, kind: RouteKind) -> Result<(), Refused> {
    let replace = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
    let kind = match kind {
        RouteKind::Unreachable => libc::RTN_UNREACHABLE,
        RouteKind::Blackhole => libc::RTN_BLACKHOLE,
        RouteKind::Prohibit => libc::RTN_PROHIBIT,
        RouteKind::None => {
            return match (take_away(to), to.of_wire()) {
                (Err(refused), Some(network)) if refused.errno == libc::ESRCH => take_away(network),
                (done, _) => done,
            };
        }
    };
    // The kernel's own route to ::1 is not replaced but joined.
    if to.address.is_ipv6() && to.address.is_loopback() {
        let _ = take_away(to);
    }
    let mut batch = Batch::default();
    request(&mut batch, (libc::RTM_NEWROUTE, replace), to, (libc::RT_SCOPE_UNIVERSE, kind));
    if to.address.is_ipv6() {
        batch.attribute(libc::RTA_OIF, &LOOPBACK_INDEX.to_ne_bytes());
    }
    carry_out(batch)
}

fn take_away(to: Network) -> Result<(), Refused> {
    let mut batch = Batch::default();
    request(&mut batch, (libc::RTM_DELROUTE, 0), to, (libc::RT_SCOPE_NOWHERE, libc::RTN_UNSPEC));
    carry_out(batch)
}

/// `struct rtmsg` and the destination.
fn request(batch: &mut Batch, (kind, flags): (u16, i32), to: Network, (scope, route): (u8, u8)) {
    let family = if to.address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // The kernel asks the table of its own addresses before the main one.
    let table = match to.address.is_loopback() {
        true => libc::RT_TABLE_LOCAL,
        false => libc::RT_TABLE_MAIN,
    };
    let origin = match kind {
        libc::RTM_NEWROUTE => libc::RTPROT_STATIC,
        _ => libc::RTPROT_UNSPEC,
    };
    let header = [family as u8, to.length, 0, 0, table, origin, scope, route, 0, 0, 0, 0];
    batch.message("a route", kind, flags, &header);
    if to.length > 0 {
        batch.attribute(libc::RTA_DST, &octets(to.address));
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::Network;
    use rstest::rstest;

    #[rstest]
    #[case::cidr("192.0.2.2/32", Some("192.0.2.0/24"))]
    #[case::alone("2001:db8::2", Some("2001:db8::/64"))]
    #[case::elsewhere("198.51.100.1", None)]
    #[case::itself("192.0.2.0/24", None)]
    #[case::all("0.0.0.0/0", None)]
    fn the_wire_s_network_is_found(#[case] text: &str, #[case] network: Option<&str>) {
        let found = Network::parse(text).unwrap().of_wire();
        assert_eq!(found, network.and_then(Network::parse));
    }

    #[rstest]
    #[case::name("peer")]
    #[case::too_long("192.0.2.2/33")]
    fn what_is_no_network_is_refused(#[case] text: &str) {
        assert_eq!(Network::parse(text), None);
    }
}
