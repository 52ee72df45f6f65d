//! ICMP errors, and the packets that they quote.

use super::{Peers, Sending, ports};
use crate::model::Name;
use crate::model::packet::{Packet, PacketBody};
use crate::model::peer::{IcmpSpec, Number};
use crate::model::wire::{End, address, peer_at};
use crate::wire::build::{self, IcmpError};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The local port and the far end of packets from the local stack.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Flow {
    pub is_datagram: bool,
    pub local: u16,
    pub far: SocketAddr,
}

/// Whose packets: a local socket's.
#[derive(Clone, Debug)]
pub(in crate::run) struct Sender {
    /// Of UDP, else of TCP.
    pub is_datagram: bool,
    /// Its port.
    pub local: u16,
    /// Its far end, where its own address does not tell it from others: a listener accepted both,
    /// or both were bound to one address.
    pub far: Option<SocketAddr>,
    /// The far ends of those others.
    pub others: Vec<SocketAddr>,
}

impl Peers {
    /// An ICMP error about the last packet of a socket (none: of all), or why there is none.
    /// `source` is whose it claims to be.
    pub fn icmp(
        &self,
        name: &Name,
        about: Option<Sender>,
        spec: &IcmpSpec,
        source: Option<IpAddr>,
    ) -> Result<Sending, String> {
        let offender = match about {
            Some(sender) => self.last_from(sender),
            None => self.last.as_ref(),
        };
        let offender = offender.ok_or("no packet to quote")?;
        let quoted = self.quoted(offender, spec)?;
        let IcmpSpec { word, quote, mtu, gateway, bad_checksum, ttl, .. } = spec;
        let field = mtu.or(gateway.map(Ipv4Addr::to_bits)).unwrap_or(0);
        let (quote, bad_checksum, ttl) = (*quote, *bad_checksum, *ttl);
        let mtu = self.mtu;
        let error = IcmpError { word, field, offender: &quoted, quote, mtu, bad_checksum, ttl };
        let source = source.unwrap_or_else(|| self.ip_of(name));
        let bytes = build::icmp(source, offender.source, &error);
        let none = || format!("{} has no {word}", self.family);
        bytes.map(Sending::from).ok_or_else(none)
    }

    /// The last packet of a socket.
    fn last_from(&self, sender: Sender) -> Option<&Packet> {
        let own = |flow: &Flow| {
            flow.is_datagram == sender.is_datagram
                && flow.local == sender.local
                && sender.far.map_or(!sender.others.contains(&flow.far), |far| far == flow.far)
        };
        let flows = self.last_of.iter().filter(|(flow, _)| own(flow));
        flows.map(|(_, packet)| packet).max_by_key(|packet| packet.at)
    }

    /// The offending packet with what the case writes in place of its own fields.
    fn quoted<'p>(&self, offender: &'p Packet, spec: &IcmpSpec) -> Result<Cow<'p, [u8]>, String> {
        let ports = [(0, spec.source_port), (2, spec.destination_port)];
        let ports = ports.into_iter().filter_map(|(at, port)| Some((at, port?)));
        let mut fields: Vec<_> =
            ports.map(|(at, port)| (at, port.to_be_bytes().to_vec())).collect();
        if !fields.is_empty() && self::ports(offender).is_none() {
            return Err("the packet to quote has no ports".to_owned());
        }
        if let Some(number) = spec.seq {
            fields.push((4, self.quoted_number(offender, number)?.to_be_bytes().to_vec()));
        }
        let mut quoted = Cow::Borrowed(&offender.bytes[..]);
        for (at, field) in fields {
            let bytes = build::overwritten(&quoted, at, &field);
            quoted = Cow::Owned(bytes.ok_or("the packet to quote is too short")?);
        }
        Ok(quoted)
    }

    /// A number that a segment is to be quoted with, which counts like those of its connection.
    fn quoted_number(&self, segment: &Packet, number: Number) -> Result<u32, String> {
        let PacketBody::Tcp(tcp) = &segment.body else {
            return Err("the packet to quote has no sequence number".to_owned());
        };
        let far = SocketAddr::new(segment.destination, tcp.destination_port);
        let is_peer = far.ip() == address(End::Peer, self.family);
        let peer = peer_at(far.port()).filter(|_| is_peer).and_then(|name| self.peers.get(&name));
        let connection = match peer {
            Some(peer) => peer.connections.get(&tcp.source_port),
            None => self.strangers.get(&(far, tcp.source_port)),
        };
        connection.ok_or("no connection yet")?.local_number(number)
    }
}
