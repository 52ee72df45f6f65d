//! The loopback interface of a fresh namespace: up, and with routes that acknowledge at once.
//!
//! The route attribute `quickack 1` removes the delayed ACK, whose timing would otherwise decide
//! which segments a step shows.

use super::metrics::Metrics;
use super::netlink::{Batch, Refused, carry_out};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `lo` is the first interface of every namespace.
pub const LOOPBACK_INDEX: u32 = 1;

/// How the loopback interface of a namespace is set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loopback {
    /// Not at all.
    AsIs,
    /// It is brought up.
    Up,
    /// It is brought up, and its routes get the attribute.
    Quickack(Metrics),
}

impl Loopback {
    /// The metrics of the routes; none: the kernel makes routes by itself.
    pub fn metrics(self) -> Option<Metrics> {
        match self {
            Loopback::Quickack(metrics) => Some(metrics),
            Loopback::AsIs | Loopback::Up => None,
        }
    }

    /// The same with these metrics, if its routes have any.
    pub fn with(self, metrics: Metrics) -> Loopback {
        self.metrics().map_or(self, |_| Loopback::Quickack(metrics))
    }
}

/// Sets up `lo` in the namespace of the calling thread.
///
/// # Errors
/// The request that the kernel refused.
pub fn bring_up(loopback: Loopback, ipv6: bool) -> Result<(), Refused> {
    if loopback == Loopback::AsIs {
        return Ok(());
    }
    let mut batch = Batch::default();
    let up = libc::IFF_UP as u32;
    let link = [0, LOOPBACK_INDEX, up, up].map(u32::to_ne_bytes).concat();
    batch.message("lo up", libc::RTM_NEWLINK, 0, &link);
    let Some(metrics) = loopback.metrics() else {
        return carry_out(batch);
    };
    // The routes of the kernel's own making, replaced in place: 127.0.0.2 has its own by the
    // second one.
    let replace = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
    for (length, destination) in [(32, Ipv4Addr::LOCALHOST), (8, Ipv4Addr::new(127, 0, 0, 0))] {
        let what = "quickack route for 127.0.0.0/8";
        let destination = IpAddr::V4(destination);
        route(&mut batch, what, libc::RTM_NEWROUTE, replace, (destination, length));
        batch.attribute(libc::RTA_METRICS, &metrics.attribute());
    }
    if ipv6 {
        // Here `replace` would only add a second route, without effect (measured).
        let what = "quickack route for ::1";
        let host = (IpAddr::V6(Ipv6Addr::LOCALHOST), 128);
        route(&mut batch, what, libc::RTM_DELROUTE, 0, host);
        route(&mut batch, what, libc::RTM_NEWROUTE, libc::NLM_F_CREATE, host);
        batch.attribute(libc::RTA_METRICS, &metrics.attribute());
    }
    carry_out(batch)
}

/// One request about a local route through `lo`.
fn route(batch: &mut Batch, what: &'static str, kind: u16, flags: i32, to: (IpAddr, u8)) {
    let (destination, length) = to;
    let (family, octets) = match destination {
        IpAddr::V4(addr) => (libc::AF_INET, addr.octets().to_vec()),
        IpAddr::V6(addr) => (libc::AF_INET6, addr.octets().to_vec()),
    };
    let scope = match destination {
        IpAddr::V4(_) => libc::RT_SCOPE_HOST,
        IpAddr::V6(_) => libc::RT_SCOPE_UNIVERSE,
    };
    let table = libc::RT_TABLE_LOCAL;
    let header = [
        family as u8,
        length,
        0,
        0,
        table,
        libc::RTPROT_KERNEL,
        scope,
        libc::RTN_LOCAL,
        0,
        0,
        0,
        0,
    ];
    batch.message(what, kind, flags, &header);
    batch.attribute(libc::RTA_DST, &octets);
    batch.attribute(libc::RTA_OIF, &LOOPBACK_INDEX.to_ne_bytes());
    if destination.is_ipv4() && kind == libc::RTM_NEWROUTE {
        batch.attribute(libc::RTA_PREFSRC, &Ipv4Addr::LOCALHOST.octets());
    }
}
