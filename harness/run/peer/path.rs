//! Something between the peers and the local stack that refuses packets.

use super::ports;
use crate::model::TcpFlags;
use crate::model::host::FirewallVerdict;
use crate::model::packet::{Packet, PacketBody};
use crate::model::peer::SegmentSpec;
use crate::wire::build::{self, Ends, Fields, IcmpError};
use crate::wire::is_headless;
use std::net::{IpAddr, SocketAddr};

/// A rule of `host.firewall: {at: path}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::run) struct PathRule {
    /// What becomes of the packets.
    pub verdict: FirewallVerdict,
    /// Those from or to this port; none: all.
    pub port: Option<u16>,
}

impl PathRule {
    /// Whether a packet of the local stack is refused. A firewall that rejects with a RST lets
    /// pass what is not TCP.
    pub fn meets(&self, packet: &Packet) -> bool {
        let is_tcp = matches!(packet.body, PacketBody::Tcp(_));
        let of_port = self
            .port
            .is_none_or(|port| ports(packet).is_some_and(|(from, to)| from == port || to == port));
        of_port && (is_tcp || self.verdict != FirewallVerdict::TcpReset)
    }

    /// What the sender of a refused packet gets back: a RST in the far end's name, or an ICMP
    /// error in the router's own, as far as its link takes one at once.
    pub fn answer(&self, packet: &Packet, router: IpAddr, mtu: Option<u16>) -> Option<Vec<u8>> {
        let word = match self.verdict {
            FirewallVerdict::Drop => return None,
            FirewallVerdict::TcpReset => return reset(packet),
            FirewallVerdict::IcmpPort => "port-unreachable",
            FirewallVerdict::IcmpAdmin => "admin-prohibited",
            FirewallVerdict::IcmpHost => "host-unreachable",
        };
        // RFC 1122 §3.2.2: never an ICMP error about one, nor about a later fragment.
        let is_later = packet.source.is_ipv4() && is_headless(&packet.bytes);
        if matches!(packet.body, PacketBody::Icmp(_)) || is_later {
            return None;
        }
        let error = IcmpError { word, offender: &packet.bytes, mtu, ..IcmpError::default() };
        build::icmp(router, packet.source, &error)
    }
}

/// The RST of a closed port (RFC 9293 §3.10.7.1).
fn reset(packet: &Packet) -> Option<Vec<u8>> {
    let PacketBody::Tcp(tcp) = &packet.body else {
        return None;
    };
    let has = |flag| tcp.flags.has(flag);
    if has(TcpFlags::RST) {
        return None;
    }
    let mut spec = SegmentSpec { flags: TcpFlags::RST, ..SegmentSpec::default() };
    let mut fields = Fields::default();
    if has(TcpFlags::ACK) {
        fields.seq = tcp.ack;
    } else {
        spec.flags = TcpFlags::RST | TcpFlags::ACK;
        let controls = u32::from(has(TcpFlags::SYN)) + u32::from(has(TcpFlags::FIN));
        fields.ack = tcp.seq.wrapping_add(tcp.len as u32 + controls);
    }
    let ends = Ends {
        source: SocketAddr::new(packet.destination, tcp.destination_port),
        destination: SocketAddr::new(packet.source, tcp.source_port),
    };
    Some(build::segment(ends, &spec, &fields))
}
