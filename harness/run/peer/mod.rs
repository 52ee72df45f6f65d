//! The scripted far ends of the wire: what they have seen, what they remember, and the packets
//! that a case lets them send.
//!
//! A peer sees every packet, can send any, and answers nothing by itself. For what a case leaves
//! out of a segment it keeps the state that a TCP would keep:
//! - `seq`: what comes after everything sent in order. Of a SYN that nobody has acknowledged its
//!   initial number, again and again. Of a RST from a peer that knows no connection what RFC 9293
//!   §3.10.7.1 says: the acknowledgment that it was sent, else 0. Before the peer's SYN: 0.
//! - `ack`: with the ACK flag what comes after everything received in order, without it 0.
//! - `win`: 65535.
//! - `options`: of a SYN `mss 1460`. Otherwise none, but timestamps (without RSTs) where both SYNs
//!   had them; the peer's clock stands still, but where the case moves it on.
//! - `to`: the connection whose SYN was seen or sent last, else the only listener.
//!
//! Written numbers count as the transcript prints them, or from a variable of the local stack as
//! far as its packets tell:
//!
//! | | `seq` | `ack` |
//! |---|---|---|
//! | `nxt` | RCV.NXT: its highest acknowledgment | SND.NXT: the end of all it has sent |
//! | `una` | – | SND.UNA: the highest good acknowledgment it was sent |
//! | `wnd` | RCV.NXT + RCV.WND: by its last window | – |
//!
//! What was damaged on purpose (checksum, data offset) counts as lost: the next segment has the
//! same number again. A segment that the case numbers itself does not move the peer's own next
//! number unless it is just that number, or the local stack acknowledges what comes after it. A
//! segment of the router takes its numbers and its port from the newest connection, one that claims
//! to be somebody else's from the peer's: neither notices. A SYN begins a connection of that host's
//! own.

mod connection;
mod path;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_numbers;

pub(super) use path::PathRule;

use crate::model::packet::{Packet, PacketBody};
use crate::model::peer::{
    DatagramSpec, EchoSpec, IcmpSpec, LocalEnd, Number, OtherSpec, SegmentSpec, Wanted,
};
use crate::model::wire::{End, address, nth_peer, peer_at, peer_port};
use crate::model::{Family, Name, TcpFlags};
use crate::wire::build::{self, Ends, IcmpError};
use crate::wire::relative::Told;
use crate::wire::timestamps;
use connection::Connection;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The initial number of `peer`; `peer2` has twice this, and so on.
const INITIAL: u32 = 1_000_000_000;
/// How much later the initial number is after each `forget`.
const FORGOTTEN: u32 = 100_000_000;

/// All peers of a run.
pub(super) struct Peers {
    family: Family,
    peers: BTreeMap<Name, Peer>,
    /// Whose connection was begun last.
    newest: Option<Name>,
    /// Connections of other hosts, the router's among them, by their end and the local port.
    strangers: BTreeMap<(SocketAddr, u16), Connection>,
    /// What the local stack has sent and no `recv` has taken, in the order of arrival.
    inbox: Vec<Packet>,
    /// The last packet of each flow.
    last_of: BTreeMap<Flow, Packet>,
    /// The last packet of all.
    last: Option<Packet>,
    rules: Vec<PathRule>,
    /// Bytes that the link takes at once, where the case has changed them.
    mtu: Option<u16>,
}

/// One peer.
#[derive(Debug)]
struct Peer {
    /// The initial number of its connections.
    iss: u32,
    /// By local port.
    connections: BTreeMap<u16, Connection>,
    /// The local end of the newest connection.
    current: Option<SocketAddr>,
    /// The local end of the last datagram.
    datagrams_from: Option<SocketAddr>,
}

/// Both ports of packets from the local stack.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Flow {
    is_datagram: bool,
    local: u16,
    far: u16,
}

/// Whose packets: a local socket's.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    /// Of UDP, else of TCP.
    pub is_datagram: bool,
    /// Its port.
    pub local: u16,
    /// The far end's port, where others share its own: of what a listener accepted, and of what was
    /// bound to one address.
    pub far: Option<u16>,
    /// The far ends' ports of those others.
    pub others: Vec<u16>,
}

/// A packet that a peer puts on the wire.
#[derive(Debug)]
pub(super) struct Sending {
    /// The whole packet.
    pub bytes: Vec<u8>,
    /// A SYN inside a connection that goes on: numbers keep counting from the one before, until the
    /// far end accepts it.
    pub aside: bool,
    /// Somebody else's: the end of the connection whose numbers it has.
    pub like: Option<SocketAddr>,
    /// What is told of its numbers.
    pub told: Told,
}

impl From<Vec<u8>> for Sending {
    fn from(bytes: Vec<u8>) -> Sending {
        Sending { bytes, aside: false, like: None, told: Told::default() }
    }
}

impl Peers {
    /// The far ends of one run.
    pub fn new(family: Family) -> Peers {
        Peers {
            family,
            peers: BTreeMap::new(),
            newest: None,
            strangers: BTreeMap::new(),
            inbox: Vec::new(),
            last_of: BTreeMap::new(),
            last: None,
            rules: Vec::new(),
            mtu: None,
        }
    }

    /// A packet came out of the local stack. Returns what the path answers.
    pub fn see(&mut self, packet: &Packet) -> Option<Vec<u8>> {
        let [local, peer, router] =
            [End::Local, End::Peer, End::Router].map(|end| address(end, self.family));
        let is_incoming = packet.destination == local || [peer, router].contains(&packet.source);
        if is_incoming || is_of_link(packet.source) {
            return None;
        }
        // RFC 1122 §3.2.2: of an ICMP error nobody complains.
        if !matches!(&packet.body, PacketBody::Icmp(icmp) if icmp.quoted.is_some()) {
            self.last = Some(packet.clone());
        }
        if let Some((local, far)) = ports(packet) {
            let is_datagram = matches!(packet.body, PacketBody::Udp { .. });
            self.last_of.insert(Flow { is_datagram, local, far }, packet.clone());
        }
        let rule = self.rules.iter().find(|rule| rule.meets(packet)).copied();
        let arrives = rule.is_none();
        self.learn(packet, arrives);
        if arrives {
            self.inbox.push(packet.clone());
        }
        rule.and_then(|rule| rule.answer(packet, router, self.mtu))
    }

    fn learn(&mut self, packet: &Packet, arrives: bool) {
        let Some((local, far)) = ports(packet) else {
            return;
        };
        let is_peer = packet.destination == address(End::Peer, self.family);
        let from = SocketAddr::new(packet.source, local);
        if let (PacketBody::Tcp(tcp), false) = (&packet.body, is_peer) {
            let key = (SocketAddr::new(packet.destination, far), local);
            if let Some(connection) = self.strangers.get_mut(&key) {
                connection.see(tcp, timestamps(&packet.bytes), INITIAL, arrives);
            }
        }
        let Some(name) = peer_at(far).filter(|_| is_peer) else {
            return;
        };
        let peer = self.peer(&name);
        match &packet.body {
            PacketBody::Tcp(tcp) => {
                let iss = peer.iss;
                let connection = peer.connections.entry(local);
                let connection = connection.or_insert_with(|| Connection::new(iss));
                if connection.see(tcp, timestamps(&packet.bytes), iss, arrives)
                    || peer.current.is_none()
                {
                    peer.current = Some(from);
                    self.newest = Some(name);
                }
            }
            _ => peer.datagrams_from = Some(from),
        }
    }

    /// The oldest packet for this peer that is wanted and was not taken before.
    pub fn take(&mut self, peer: &Name, wanted: &Wanted) -> Option<Packet> {
        let own = peer_port(peer);
        let is_wanted = |packet: &Packet| {
            let is_own =
                ports(packet).is_none_or(|(_, to)| peer_at(to).is_none() || own == Some(to));
            is_own && matches(packet, wanted)
        };
        let found = self.inbox.iter().position(is_wanted)?;
        Some(self.inbox.remove(found))
    }

    /// What came so far is nothing that a `recv` waits for.
    pub fn take_all(&mut self) {
        self.inbox.clear();
    }

    /// The peer loses all memory of its connections; what the local stack is known to expect stays
    /// known to the case.
    pub fn forget(&mut self, name: &Name) {
        let peer = self.peer(name);
        peer.iss = peer.iss.wrapping_add(FORGOTTEN);
        for connection in peer.connections.values_mut() {
            connection.forget(peer.iss);
        }
    }

    /// From now on the link takes so many bytes at once.
    pub fn has_mtu(&mut self, bytes: u16) {
        self.mtu = Some(bytes);
    }

    /// From now on the path refuses these packets.
    pub fn refuse(&mut self, rule: PathRule) {
        self.rules.push(rule);
    }

    /// From now on the path lets everything pass.
    pub fn lift(&mut self) {
        self.rules.clear();
    }

    /// Whether packets have to be looked at as soon as they come.
    pub fn acts_by_itself(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The local end that this peer has a connection with.
    pub fn connected(&self, name: &Name) -> Option<SocketAddr> {
        self.peers.get(&self.owner(name))?.current
    }

    /// The local end that this peer had a datagram from.
    pub fn datagrams_from(&self, name: &Name) -> Option<SocketAddr> {
        self.peers.get(name)?.datagrams_from
    }

    /// Whether the local stack has answered the SYN of the peer's connection.
    pub fn is_answered(&self, name: &Name) -> bool {
        let connection = self.connected(name).and_then(|local| {
            let peer = self.peers.get(name)?;
            peer.connections.get(&local.port())
        });
        connection.is_some_and(Connection::is_answered)
    }

    /// A segment to a local address, or why there is no such segment. `source` is whose it claims
    /// to be.
    pub fn segment(
        &mut self,
        name: &Name,
        spec: &SegmentSpec,
        local: SocketAddr,
        source: Option<SocketAddr>,
    ) -> Result<Sending, String> {
        let owner = self.owner(name);
        let ends = self.ends(name, local, source);
        let like = self.ends(&owner, local, None).source;
        if ends.source != like && self.is_strangers(ends, spec) {
            return self.strangers_segment(ends, spec);
        }
        let own = address(End::Local, self.family);
        let peer = self.peer(&owner);
        let iss = peer.iss;
        let connection = peer.connections.entry(local.port());
        let connection = connection.or_insert_with(|| Connection::new(iss));
        let fields = connection.fields(spec, iss)?;
        let is_own = ends.source == like;
        let aside = is_own && connection.is_aside(spec, &fields);
        let told = connection.told(spec, &fields, aside);
        if is_own {
            connection.sent(spec, &fields, aside);
        }
        // A SYN to a closed port is a question beside the connection that goes on.
        let is_beside = spec.to == Some(LocalEnd::ClosedPort) && peer.current.is_some();
        if is_own && spec.flags.has(TcpFlags::SYN) && !is_beside {
            peer.current = Some(match spec.to {
                // A broadcast is no end of a connection.
                Some(LocalEnd::Host(_)) => SocketAddr::new(own, local.port()),
                _ => local,
            });
            self.newest = Some(owner);
        }
        let bytes = build::segment(ends, spec, &fields);
        Ok(Sending { bytes, aside, like: (!is_own).then_some(like), told })
    }

    /// Whether a segment of another host is of a connection between that host and the local stack:
    /// it has begun one, or does so now.
    fn is_strangers(&self, ends: Ends, spec: &SegmentSpec) -> bool {
        let begins = spec.flags.has(TcpFlags::SYN) && !spec.flags.has(TcpFlags::ACK);
        begins || self.strangers.contains_key(&(ends.source, ends.destination.port()))
    }

    fn strangers_segment(&mut self, ends: Ends, spec: &SegmentSpec) -> Result<Sending, String> {
        let key = (ends.source, ends.destination.port());
        let new = || Connection::new(INITIAL);
        let connection = self.strangers.entry(key).or_insert_with(new);
        let fields = connection.fields(spec, INITIAL)?;
        let aside = connection.is_aside(spec, &fields);
        let told = connection.told(spec, &fields, aside);
        connection.sent(spec, &fields, aside);
        Ok(Sending { bytes: build::segment(ends, spec, &fields), aside, like: None, told })
    }

    /// A datagram to a local address. `source` is whose it claims to be.
    pub fn datagram(
        &self,
        name: &Name,
        spec: &DatagramSpec,
        local: SocketAddr,
        source: Option<SocketAddr>,
    ) -> Sending {
        build::datagram(self.ends(name, local, source), spec).into()
    }

    /// An echo request to a local address. `source` is whose it claims to be.
    pub fn echo(
        &self,
        name: &Name,
        spec: &EchoSpec,
        local: IpAddr,
        source: Option<SocketAddr>,
    ) -> Sending {
        let ends = self.ends(name, SocketAddr::new(local, 0), source);
        build::echo(ends.source.ip(), local, spec).into()
    }

    /// A packet of any protocol to a local address. `source` is whose it claims to be.
    pub fn other(
        &self,
        name: &Name,
        spec: &OtherSpec,
        local: IpAddr,
        source: Option<SocketAddr>,
    ) -> Sending {
        let ends = self.ends(name, SocketAddr::new(local, 0), source);
        build::other(ends.source.ip(), local, spec).into()
    }

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
        let peer = peer_at(tcp.destination_port).and_then(|name| self.peers.get(&name));
        let connection = peer.and_then(|peer| peer.connections.get(&tcp.source_port));
        connection.ok_or("no connection yet")?.local_number(number)
    }

    /// Whose connection a sender's segments belong to.
    fn owner(&self, name: &Name) -> Name {
        match &self.newest {
            Some(newest) if peer_port(name).is_none() => newest.clone(),
            _ if peer_port(name).is_none() => nth_peer(1),
            _ => name.clone(),
        }
    }

    /// From a sender to a local address; `source` is whose the packet claims to be.
    fn ends(&self, name: &Name, local: SocketAddr, source: Option<SocketAddr>) -> Ends {
        let own = || SocketAddr::new(self.ip_of(name), self.port_of(name));
        Ends { source: source.unwrap_or_else(own), destination: local }
    }

    /// The port that a sender's packets come from.
    pub fn port_of(&self, name: &Name) -> u16 {
        peer_port(&self.owner(name)).unwrap_or_default()
    }

    fn ip_of(&self, name: &Name) -> IpAddr {
        let end = if peer_port(name).is_some() { End::Peer } else { End::Router };
        address(end, self.family)
    }

    fn peer(&mut self, name: &Name) -> &mut Peer {
        let nth = peer_port(name).map_or(0, |port| u32::from(port - 7000));
        self.peers.entry(name.clone()).or_insert_with(|| Peer {
            iss: INITIAL.wrapping_mul(nth),
            connections: BTreeMap::new(),
            current: None,
            datagrams_from: None,
        })
    }
}

/// Whether an address is one that hosts of a link settle among themselves what they need with.
fn is_of_link(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_unicast_link_local(),
    }
}

/// Source and destination port.
fn ports(packet: &Packet) -> Option<(u16, u16)> {
    match &packet.body {
        PacketBody::Tcp(tcp) => Some((tcp.source_port, tcp.destination_port)),
        PacketBody::Udp { source_port, destination_port, .. } => {
            Some((*source_port, *destination_port))
        }
        PacketBody::Icmp(_) | PacketBody::Other { .. } => None,
    }
}

fn matches(packet: &Packet, wanted: &Wanted) -> bool {
    match (wanted, &packet.body) {
        (Wanted::Any, _) | (Wanted::Udp, PacketBody::Udp { .. }) => true,
        (Wanted::Icmp, PacketBody::Icmp(_)) => true,
        (Wanted::Tcp { flags, len }, PacketBody::Tcp(tcp)) => {
            flags.is_none_or(|flags| flags == tcp.flags) && len.is_none_or(|len| len == tcp.len)
        }
        _ => false,
    }
}
