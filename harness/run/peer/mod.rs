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
mod quote;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_numbers;

pub(super) use path::PathRule;
use quote::Flow;
pub(super) use quote::Sender;

use crate::model::packet::{Packet, PacketBody};
use crate::model::peer::{DatagramSpec, EchoSpec, LocalEnd, OtherSpec, SegmentSpec, Wanted};
use crate::model::wire::{End, address, nth_peer, peer_at, peer_port};
use crate::model::{Family, Name, TcpFlags};
use crate::wire::build::{self, Ends};
use crate::wire::relative::Told;
use crate::wire::timestamps;
use connection::Connection;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

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
    /// Both ends of the last segment that such a host has sent in one of them.
    stranger_at: BTreeMap<IpAddr, Ends>,
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
            stranger_at: BTreeMap::new(),
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
            let far = SocketAddr::new(packet.destination, far);
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
        let is_own = ends.source == like;
        let is_strangers = !is_own && self.is_strangers(ends, spec);
        let (connection, iss) = if is_strangers {
            let key = (ends.source, local.port());
            (self.strangers.entry(key).or_insert_with(|| Connection::new(INITIAL)), INITIAL)
        } else {
            let peer = self.peer(&owner);
            let iss = peer.iss;
            let connection = peer.connections.entry(local.port());
            (connection.or_insert_with(|| Connection::new(iss)), iss)
        };
        let fields = connection.fields(spec, iss)?;
        let is_forged = !is_own && !is_strangers;
        let aside = !is_forged && connection.is_aside(spec, &fields);
        let told = connection.told(spec, &fields, aside);
        if !is_forged {
            connection.sent(spec, &fields, aside);
        }
        if is_strangers {
            self.stranger_at.insert(ends.source.ip(), ends);
        } else if is_own && spec.flags.has(TcpFlags::SYN) {
            self.turn(owner, spec, local);
        }
        let bytes = build::segment(ends, spec, &fields);
        Ok(Sending { bytes, aside, like: is_forged.then_some(like), told })
    }

    /// A peer's SYN turns it to a local end, unless it asks a closed port beside a connection that
    /// goes on.
    fn turn(&mut self, name: Name, spec: &SegmentSpec, local: SocketAddr) {
        let own = address(End::Local, self.family);
        let peer = self.peer(&name);
        if spec.to == Some(LocalEnd::ClosedPort) && peer.current.is_some() {
            return;
        }
        peer.current = Some(match spec.to {
            // A broadcast is no end of a connection.
            Some(LocalEnd::Host(_)) => SocketAddr::new(own, local.port()),
            _ => local,
        });
        self.newest = Some(name);
    }

    /// Whether a segment of another host is of a connection between that host and the local stack:
    /// it has begun one, or does so now.
    fn is_strangers(&self, ends: Ends, spec: &SegmentSpec) -> bool {
        let begins = spec.flags.has(TcpFlags::SYN) && !spec.flags.has(TcpFlags::ACK);
        // One whose SYN could not be issued has begun nothing.
        let has_begun = self.stranger_at.contains_key(&ends.source.ip());
        begins || has_begun && self.strangers.contains_key(&(ends.source, ends.destination.port()))
    }

    /// The local end that another host has a connection with: the router, or whom a peer claims to
    /// be.
    pub fn strangers_end(&self, name: &Name, source: Option<SocketAddr>) -> Option<SocketAddr> {
        let ip = source.map_or_else(|| self.ip_of(name), |source| source.ip());
        self.stranger_at.get(&ip).map(|ends| ends.destination)
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
        // The router keeps to that of its own connection.
        let own = peer_port(name).is_none().then(|| self.stranger_at.get(&self.ip_of(name)));
        let of_owner = || peer_port(&self.owner(name)).unwrap_or_default();
        own.flatten().map_or_else(of_owner, |ends| ends.source.port())
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

/// Whether a packet from this address is of neighbour discovery and the like (RFC 4861), which no
/// case is about.
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
