//! The wire's link, by rtnetlink: made, addressed, given a route that acknowledges at once, and
//! silent unless a case speaks.
//!
//! A link without IPv6 sends nothing of itself. With it, no link-local address means no router
//! solicitation, `nodad` no probe for the address, and `noarp` no neighbour discovery and no
//! report of a multicast group of its own: nothing has to be filtered out.

use super::metrics::Metrics;
use super::netlink::{Batch, Refused, carry_out, nested};
use super::settings::View;
use crate::model::Family;
use crate::model::wire::{self, End};
use std::ffi::CString;
use std::io;
use std::net::IpAddr;

/// The wire, on this machine's side.
pub const NAME: &str = "wire";
/// The far end, where it is a device too.
const FAR_NAME: &str = "far";
/// The longest packet in bytes, which both kinds of device have from the start.
pub const MTU: usize = wire::MTU as usize;
/// The address of this machine's side, where links have such a thing: a locally administered one.
pub const ETHER: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// Numbers of the two ends of a veth pair, above those that a fresh namespace gives by itself.
const NEAR_INDEX: u32 = 100;
const FAR_INDEX: u32 = 101;

/// `<linux/veth.h>`, `<linux/rtnetlink.h>`, `<linux/if_addr.h>`; the libc crate lacks them.
const VETH_INFO_PEER: u16 = 1;
const TC_H_ROOT: u32 = u32::MAX;
const IFA_F_NOPREFIXROUTE: u32 = 0x200;

/// One end of a link, in the namespace of the thread that made it.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The interface's number.
    pub index: u32,
    family: Family,
    /// Those of its route; none: the kernel knows none, and makes the route by itself.
    metrics: Option<Metrics>,
}

/// Makes new links of the namespace come without IPv6, so that none speaks before it is told to.
pub fn silence_new_links(view: &View) -> io::Result<()> {
    set_if_there(view, "net.ipv6.conf.default.disable_ipv6", "1")
}

impl Link {
    /// The link named [`NAME`], which exists already.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn find(family: Family, metrics: Option<Metrics>) -> io::Result<Link> {
        let name = CString::new(NAME)?;
        // SAFETY: the name ends with a zero and outlives the call.
        match unsafe { libc::if_nametoindex(name.as_ptr()) } {
            0 => Err(io::Error::last_os_error()),
            index => Ok(Link { index, family, metrics }),
        }
    }

    /// Makes a veth pair, whose far end is up, and returns this machine's side and the number of
    /// the other.
    ///
    /// # Errors
    /// The request that the kernel refused.
    pub fn pair(family: Family, metrics: Option<Metrics>) -> Result<(Link, u32), Refused> {
        let mut peer = link_header(FAR_INDEX, 0, 0);
        peer.extend(nested(libc::IFLA_IFNAME, format!("{FAR_NAME}\0").as_bytes()));
        let mut info = nested(libc::IFLA_INFO_KIND, b"veth");
        info.extend(nested(libc::IFLA_INFO_DATA, &nested(VETH_INFO_PEER, &peer)));
        let silent = libc::IFF_NOARP as u32;
        let create = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let near = link_header(NEAR_INDEX, silent, silent);
        let mut batch = Batch::default();
        batch.message("a veth pair", libc::RTM_NEWLINK, create, &near);
        batch.attribute(libc::IFLA_IFNAME, format!("{NAME}\0").as_bytes());
        batch.attribute(libc::IFLA_ADDRESS, &ETHER);
        batch.attribute(libc::IFLA_LINKINFO, &info);
        let up = libc::IFF_UP as u32;
        let far = link_header(FAR_INDEX, up, up);
        batch.message("the far end up", libc::RTM_NEWLINK, 0, &far);
        carry_out(batch)?;
        Ok((Link { index: NEAR_INDEX, family, metrics }, FAR_INDEX))
    }

    /// Prepares the link and brings it up.
    ///
    /// # Errors
    /// What was tried, and the system's error.
    pub fn open(&self, view: &View) -> Result<(), String> {
        if self.family == Family::V6 {
            let set = |name: &str, value| {
                let name = format!("net.ipv6.conf.{NAME}.{name}");
                set_if_there(view, &name, value).map_err(|error| format!("{name}: {error}"))
            };
            // 1: no address is made from the link's own.
            set("addr_gen_mode", "1")?;
            set("disable_ipv6", "0")?;
        }
        self.up().map_err(|refused| refused.to_string())
    }

    /// Brings the link up, with its address and its route.
    ///
    /// # Errors
    /// The request that the kernel refused.
    pub fn up(&self) -> Result<(), Refused> {
        let mut batch = Batch::default();
        if self.metrics.is_some() {
            // Packets leave at once, whatever queue this machine gives to new links.
            let queue = [0, self.index, 0, TC_H_ROOT, 0].map(u32::to_ne_bytes).concat();
            let replace = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
            batch.message("no queue", libc::RTM_NEWQDISC, replace, &queue);
            batch.attribute(libc::TCA_KIND, b"noqueue\0");
        }
        let up = libc::IFF_UP as u32;
        let link = link_header(self.index, up, up);
        batch.message("the wire up", libc::RTM_NEWLINK, 0, &link);
        if self.metrics.is_none() {
            // gVisor's links are up from the start, and it refuses to be told.
            let _ = carry_out(std::mem::take(&mut batch));
        }
        self.address(&mut batch);
        if let Some(metrics) = self.metrics {
            self.route(&mut batch, metrics);
        }
        carry_out(batch)
    }

    fn address(&self, batch: &mut Batch) {
        let (family, length, octets) = ends(End::Local, self.family);
        let index = self.index.to_ne_bytes();
        let header = [[family, length, 0, 0], index].concat();
        let replace = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
        batch.message("the wire's address", libc::RTM_NEWADDR, replace, &header);
        batch.attribute(libc::IFA_LOCAL, &octets);
        batch.attribute(libc::IFA_ADDRESS, &octets);
        if self.metrics.is_some() {
            let flags = libc::IFA_F_NODAD | IFA_F_NOPREFIXROUTE;
            batch.attribute(libc::IFA_FLAGS, &flags.to_ne_bytes());
        }
    }

    /// The route to the wire's network. Under IPv6 also that to the own address, because the
    /// kernel gets round to making it some time after the address has been set.
    fn route(&self, batch: &mut Batch, metrics: Metrics) {
        let (family, length, octets) = ends(End::Local, self.family);
        let scope = match self.family {
            Family::V4 => libc::RT_SCOPE_LINK,
            Family::V6 => libc::RT_SCOPE_UNIVERSE,
        };
        let (table, kind) = (libc::RT_TABLE_MAIN, libc::RTN_UNICAST);
        self.new_route(batch, [family, length, table, scope, kind], &network(&octets, length));
        if self.family == Family::V4 {
            batch.attribute(libc::RTA_PREFSRC, &octets);
        }
        batch.attribute(libc::RTA_METRICS, &metrics.attribute());
        if self.family == Family::V6 {
            let (table, kind) = (libc::RT_TABLE_LOCAL, libc::RTN_LOCAL);
            self.new_route(batch, [family, 128, table, scope, kind], &octets);
        }
    }

    /// `struct rtmsg`, where to, and through which interface.
    fn new_route(&self, batch: &mut Batch, fields: [u8; 5], to: &[u8]) {
        let [family, length, table, scope, kind] = fields;
        let origin = libc::RTPROT_KERNEL;
        let header = [family, length, 0, 0, table, origin, scope, kind, 0, 0, 0, 0];
        let replace = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
        batch.message("the wire's route", libc::RTM_NEWROUTE, replace, &header);
        batch.attribute(libc::RTA_DST, to);
        batch.attribute(libc::RTA_OIF, &self.index.to_ne_bytes());
    }
}

/// Lets any link's packets have at most so many bytes.
///
/// # Errors
/// The request that the kernel refused.
pub fn set_mtu(index: u32, bytes: u16) -> Result<(), Refused> {
    let mut batch = Batch::default();
    batch.message("the link's MTU", libc::RTM_NEWLINK, 0, &link_header(index, 0, 0));
    batch.attribute(libc::IFLA_MTU, &u32::from(bytes).to_ne_bytes());
    carry_out(batch)
}

/// Takes any link down. The kernel forgets its routes.
///
/// # Errors
/// The request that the kernel refused.
pub fn down(index: u32) -> Result<(), Refused> {
    let mut batch = Batch::default();
    let header = link_header(index, 0, libc::IFF_UP as u32);
    batch.message("the link down", libc::RTM_NEWLINK, 0, &header);
    carry_out(batch)
}

/// `struct ifinfomsg`: these flags, of those in the mask.
fn link_header(index: u32, flags: u32, mask: u32) -> Vec<u8> {
    [0, index, flags, mask].map(u32::to_ne_bytes).concat()
}

/// An address family, the bits of the wire's network, and the octets of an end's address.
fn ends(end: End, family: Family) -> (u8, u8, Vec<u8>) {
    match wire::address(end, family) {
        IpAddr::V4(addr) => (libc::AF_INET as u8, wire::PREFIX_V4, addr.octets().to_vec()),
        IpAddr::V6(addr) => (libc::AF_INET6 as u8, wire::PREFIX_V6, addr.octets().to_vec()),
    }
}

/// The address of the network of so many bits, a multiple of eight, in which an address is.
fn network(octets: &[u8], length: u8) -> Vec<u8> {
    let kept = usize::from(length / 8);
    let part = |(at, octet): (usize, &u8)| if at < kept { *octet } else { 0 };
    octets.iter().enumerate().map(part).collect()
}

/// Writes a setting; a kernel without IPv6 has none of its settings.
fn set_if_there(view: &View, name: &str, value: &str) -> io::Result<()> {
    match view.write(name, value) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn a_network_ends_in_zeroes() {
        assert_eq!(network(&[192, 0, 2, 1], 24), [192, 0, 2, 0]);
    }
}
