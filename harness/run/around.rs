//! Steps that are no calls: what the peers of the wire do, and what happens to the machine.

use super::conductor::Conductor;
use super::log::{Awaited, Sent, StepLog};
use super::names::Socket;
use super::peer::{PathRule, Sender, Sending};
use super::resolve::Refusal;
use super::waiting::SLICE;
use crate::model::case::Family;
use crate::model::host::{FirewallAt, HostVerb, LinkChange};
use crate::model::packet::PacketBody;
use crate::model::peer::{Cut, LocalEnd, PacketSpec, PeerVerb, Source, Wanted};
use crate::model::wire::{End, address, peer_port};
use crate::model::{Address, Name, Packet, Times};
use crate::render::{host_note, peer_head};
use crate::sys::clock::now;
use crate::sys::{Acted, HostAct, Trouble};
use crate::wire::build::fragments;
use crate::wire::{Captured, CapturedBytes, decode, due};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::{Duration, Instant};

impl Conductor<'_> {
    /// A peer's step, as often as the case says.
    pub(super) fn peer_repeats(
        &mut self,
        peer: &Name,
        verb: &PeerVerb,
        times: Times,
        log: &mut StepLog,
    ) -> Result<(), Trouble> {
        // A peer's step does not fail, so it cannot be repeated until it does.
        let Times::Count(times) = times else { return self.peer_acts(peer, verb, log) };
        let mut done = 0;
        while done < times {
            if done > 0 {
                self.settle(log)?;
                if self.late() {
                    break;
                }
            }
            self.peer_acts(peer, verb, log)?;
            done += 1;
        }
        if let (Some(note), true) = (&mut log.note, done > 1) {
            note.push_str(&format!(" x{done}"));
        }
        Ok(())
    }

    fn peer_acts(
        &mut self,
        peer: &Name,
        verb: &PeerVerb,
        log: &mut StepLog,
    ) -> Result<(), Trouble> {
        // What came before belongs before it.
        self.take_packets()?;
        let mut note = peer_head(peer, verb);
        match verb {
            PeerVerb::Send(spec) => match self.packet(peer, spec) {
                Ok(sending) => self.send(sending, spec, log)?,
                Err(Refusal::NotIssued(why)) => note = format!("{note} not issued: {why}"),
                Err(Refusal::Trouble(trouble)) => return Err(trouble),
            },
            PeerVerb::Recv { wanted, within } => {
                let within = *within;
                match self.peer_receives(peer, wanted, within.unwrap_or_default())? {
                    // It waits still, as a call does that has not returned.
                    None if self.deadline_hit && within.is_some() => note.push_str(" ..."),
                    taken => log.awaited = Some(Awaited { taken, within }),
                }
            }
            PeerVerb::Forget => {
                if let Some(peers) = &mut self.peers {
                    peers.forget(peer);
                }
            }
        }
        log.note = Some(note);
        Ok(())
    }

    /// The packet that a case describes.
    fn packet(&mut self, peer: &Name, spec: &PacketSpec) -> Result<Sending, Refusal> {
        let sending = match spec {
            PacketSpec::Tcp(segment) => {
                let source = self.source(peer, segment.source.as_ref())?;
                let known = self.peers()?.strangers_end(peer, source);
                let local = match known.filter(|_| segment.to.is_none()) {
                    Some(local) => local,
                    None => self.local_end(peer, segment.to.as_ref(), false)?,
                };
                self.peers()?.segment(peer, segment, local, source)
            }
            PacketSpec::Udp(datagram) => {
                let local = self.local_end(peer, datagram.to.as_ref(), true)?;
                let source = self.source(peer, datagram.source.as_ref())?;
                Ok(self.peers()?.datagram(peer, datagram, local, source))
            }
            PacketSpec::Echo(echo) => {
                let local = echo.to.unwrap_or(address(End::Local, self.family));
                let source = self.source(peer, echo.source.as_ref())?;
                Ok(self.peers()?.echo(peer, echo, local, source))
            }
            PacketSpec::Other(other) => {
                let local = other.to.unwrap_or(address(End::Local, self.family));
                let source = self.source(peer, other.source.as_ref())?;
                Ok(self.peers()?.other(peer, other, local, source))
            }
            PacketSpec::Icmp(error) => {
                let about = error.of.as_ref().map(|name| self.sender(name)).transpose()?;
                let source = self.source(peer, error.source.as_ref())?;
                self.peers()?.icmp(peer, about, error, source.map(|at| at.ip()))
            }
        };
        sending.map_err(Refusal::NotIssued)
    }

    fn peers(&mut self) -> Result<&mut super::peer::Peers, Refusal> {
        let none = || Refusal::NotIssued("no wire".to_owned());
        self.peers.as_mut().ok_or_else(none)
    }

    fn send(
        &mut self,
        sending: Sending,
        spec: &PacketSpec,
        log: &mut StepLog,
    ) -> Result<(), Trouble> {
        let Sending { bytes, aside, like, told } = sending;
        let cut = match spec {
            PacketSpec::Tcp(segment) => segment.fragment.as_ref(),
            PacketSpec::Udp(datagram) => datagram.fragment.as_ref(),
            PacketSpec::Echo(echo) => echo.fragment.as_ref(),
            PacketSpec::Icmp(_) => None,
            PacketSpec::Other(other) => other.fragment.as_ref(),
        };
        let index = self.packets.len();
        log.sent.push(Sent { index, aside, like, told });
        self.inject(bytes, cut)?;
        if let (PacketSpec::Other(_), Some(packet)) = (spec, self.packets.last_mut()) {
            packet.body = without_ends(&packet.body);
        }
        Ok(())
    }

    /// Puts a packet on the wire, whole or cut, and logs it whole.
    pub(super) fn inject(&mut self, bytes: Vec<u8>, cut: Option<&Cut>) -> Result<(), Trouble> {
        let at = now();
        let fragments = cut.map(|cut| fragments(&bytes, cut)).unwrap_or_default();
        if cut.is_none() {
            self.ground.inject(&bytes)?;
        }
        for fragment in &fragments {
            self.ground.inject(fragment)?;
        }
        let mut packet = decode(&Captured { at, bytes: CapturedBytes::Ip(bytes) });
        if cut.is_some() {
            // None of its pieces has the bit.
            packet.dont_fragment = packet.dont_fragment.and(Some(false));
        }
        self.packets.push(Packet { fragments, ..packet });
        Ok(())
    }

    /// Hands the packets of a step to its log, in the order of their stamps; where the stack may
    /// have delayed acknowledgments, in the order in which they were due.
    pub(super) fn log_packets(&mut self, log: &mut StepLog) {
        let packets = std::mem::take(&mut self.packets);
        let mut ordered: Vec<(usize, Packet)> = packets.into_iter().enumerate().collect();
        ordered.sort_by_key(|(_, packet)| packet.at);
        if self.ground.waits_to_settle() {
            due::put_back(&mut ordered, |(_, packet)| packet);
        }
        for sent in &mut log.sent {
            let at = ordered.iter().position(|(index, _)| *index == sent.index);
            sent.index = at.unwrap_or_default();
        }
        log.packets = ordered.into_iter().map(|(_, packet)| packet).collect();
    }

    fn peer_receives(
        &mut self,
        peer: &Name,
        wanted: &Wanted,
        within: Duration,
    ) -> Result<Option<Packet>, Trouble> {
        let until = Instant::now() + within;
        self.punctual.waits();
        self.punctual.waits_in_slices(now() + within);
        loop {
            let taken = self.peers.as_mut().and_then(|peers| peers.take(peer, wanted));
            let left = until.saturating_duration_since(Instant::now());
            if taken.is_some() || left.is_zero() || self.deadline_hit {
                self.punctual.has_waited();
                return Ok(taken);
            }
            self.rest(left.min(SLICE))?;
            self.take_packets()?;
        }
    }

    /// The local address that a peer's packet goes to.
    fn local_end(
        &mut self,
        peer: &Name,
        to: Option<&LocalEnd>,
        is_datagram: bool,
    ) -> Result<SocketAddr, Refusal> {
        let local = address(End::Local, self.family);
        let port = match to {
            Some(LocalEnd::Socket(name)) => {
                let own = self.resolver().address_of(name)?.inet();
                let own = own.ok_or_else(|| Refusal::NotIssued(format!("{name} has no port")))?;
                let is_any = own.ip().is_unspecified() || own.ip().is_ipv4() != local.is_ipv4();
                let ip = if is_any { local } else { own.ip() };
                return Ok(SocketAddr::new(ip, own.port()));
            }
            Some(LocalEnd::ClosedPort) => self.resolver().closed_port()?,
            Some(LocalEnd::Host(ip)) => {
                let port = match self.known_end(peer, is_datagram) {
                    Err(Refusal::NotIssued(_)) => self.resolver().closed_port()?,
                    known => known?.port(),
                };
                return Ok(SocketAddr::new(*ip, port));
            }
            None => return self.known_end(peer, is_datagram),
        };
        Ok(SocketAddr::new(local, port))
    }

    /// The address that a packet claims to come from, in place of the peer's own.
    fn source(
        &mut self,
        peer: &Name,
        source: Option<&Source>,
    ) -> Result<Option<SocketAddr>, Refusal> {
        Ok(match source {
            None => None,
            Some(Source::Host(ip)) => Some(SocketAddr::new(*ip, self.peers()?.port_of(peer))),
            Some(Source::Socket(name)) => {
                Some(self.local_end(peer, Some(&LocalEnd::Socket(name.clone())), false)?)
            }
        })
    }

    /// The local end that a peer has to do with: of its connection or datagrams, else of the only
    /// socket that it could mean.
    fn known_end(&mut self, peer: &Name, is_datagram: bool) -> Result<SocketAddr, Refusal> {
        let peers = self.peers()?;
        let known = if is_datagram { peers.datagrams_from(peer) } else { peers.connected(peer) };
        if let Some(known) = known {
            return Ok(known);
        }
        let local = address(End::Local, self.family);
        let port = |address: &Address| address.inet().map(|addr| addr.port());
        let only = self.names.only(|socket| {
            let has_port = socket.address.as_ref().and_then(port).is_some();
            has_port && if is_datagram { socket.is_datagram } else { socket.listens }
        });
        let only = only.and_then(|socket| socket.address.as_ref()).and_then(port);
        let none = match is_datagram {
            true => "no datagram came, and not one socket takes any",
            false => "no connection, and not one listener",
        };
        let none = || Refusal::NotIssued(none.to_owned());
        only.map(|port| SocketAddr::new(local, port)).ok_or_else(none)
    }

    /// Whose packets are those of a socket.
    fn sender(&mut self, name: &Name) -> Result<Sender, Refusal> {
        let local = self.port_of(name)?;
        let socket = self.names.get(name);
        let is_datagram = socket.is_some_and(|socket| socket.is_datagram);
        let far = |socket: &Socket| socket.far.as_ref().and_then(Address::inet);
        let sharing = self.names.sharing(name);
        let is_accepted = socket.is_some_and(|socket| socket.accepted_by.is_some());
        let own = socket.filter(|_| is_accepted || !sharing.is_empty()).and_then(far);
        let others = sharing.into_iter().filter_map(far).collect();
        Ok(Sender { is_datagram, local, far: own, others })
    }

    /// The port of a peer or a socket.
    fn port_of(&mut self, name: &Name) -> Result<u16, Refusal> {
        self.address_of(name).map(|address| address.port())
    }

    /// The address of a peer or a socket.
    pub(super) fn address_of(&mut self, name: &Name) -> Result<SocketAddr, Refusal> {
        if let Some(port) = peer_port(name) {
            return Ok(SocketAddr::new(address(End::Peer, self.family), port));
        }
        let inet = self.resolver().address_of(name)?.inet();
        inet.ok_or_else(|| Refusal::NotIssued(format!("{name} has no port")))
    }

    /// A step that changes the machine; returns its note.
    pub(super) fn host(&mut self, verb: &HostVerb) -> Result<String, Trouble> {
        self.take_packets()?;
        let note = host_note(verb);
        match self.host_acts(verb) {
            Ok(Acted::Done) => Ok(note),
            Ok(Acted::NotIssued(why)) => Ok(format!("{note} not issued: {why}")),
            Err(Refusal::NotIssued(why)) => Ok(format!("{note} not issued: {why}")),
            Err(Refusal::Trouble(trouble)) => Err(trouble),
        }
    }

    fn host_acts(&mut self, verb: &HostVerb) -> Result<Acted, Refusal> {
        let act = match verb {
            HostVerb::Firewall { verdict, at, port } => {
                let port = port.as_ref().map(|name| self.port_of(name)).transpose()?;
                let verdict = *verdict;
                if *at == FirewallAt::Path {
                    self.peers()?.refuse(PathRule { verdict, port });
                    return Ok(Acted::Done);
                }
                HostAct::Firewall { verdict, incoming: *at == FirewallAt::In, port }
            }
            HostVerb::Lift(FirewallAt::Path) => {
                self.peers()?.lift();
                return Ok(Acted::Done);
            }
            HostVerb::Lift(at) => HostAct::Lift { incoming: *at == FirewallAt::In },
            HostVerb::Route { to, kind } => {
                HostAct::Route { to: network(to, self.family), kind: *kind }
            }
            HostVerb::Link(change) => HostAct::Link(*change),
            HostVerb::Sysctl(settings) => HostAct::Sysctl(settings.clone()),
            HostVerb::Destroy { socket, far } => {
                let handshake = far.is_some();
                let far = far.as_ref().map(|far| self.address_of(far)).transpose()?;
                let open = self.names.get(socket).filter(|socket| !socket.closed);
                let own = open.filter(|socket| socket.process.is_none());
                let none = || Refusal::NotIssued(format!("no {socket} that is open here"));
                let own = own.ok_or_else(none)?;
                let far = far.or(own.far.as_ref().and_then(Address::inet));
                HostAct::Destroy { fd: own.fd, far, handshake }
            }
        };
        let done = self.ground.host(&act);
        self.punctual.excuse(now());
        let done = done?;
        if let (HostAct::Link(LinkChange::Mtu(bytes)), Some(peers)) = (&act, &mut self.peers) {
            peers.has_mtu(*bytes);
        }
        Ok(done)
    }
}

/// What is told of bytes that no connection of a peer knows of: no ports and no numbers.
fn without_ends(body: &PacketBody) -> PacketBody {
    match body {
        PacketBody::Tcp(_) => PacketBody::Other { protocol: TCP },
        PacketBody::Udp { .. } => PacketBody::Other { protocol: UDP },
        PacketBody::Icmp(_) | PacketBody::Other { .. } => body.clone(),
    }
}

/// Protocol numbers (RFC 9293 §3.1, RFC 768).
const TCP: u8 = 6;
const UDP: u8 = 17;

/// A destination in CIDR form.
fn network(to: &str, family: Family) -> String {
    let host = |ip: IpAddr| format!("{ip}/{}", if ip.is_ipv4() { 32 } else { 128 });
    match (to, family) {
        ("default", Family::V4) => "0.0.0.0/0".to_owned(),
        ("default", Family::V6) => "::/0".to_owned(),
        ("peer", _) => host(address(End::Peer, family)),
        _ => IpAddr::from_str(to).map_or_else(|_| to.to_owned(), host),
    }
}
