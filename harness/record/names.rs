//! Which name an address has at a moment of the run.

use crate::model::Address;
use crate::model::case::Family;
use crate::model::limits::PEERS_MAX;
use crate::model::name::Name;
use crate::model::wire::{End, address, nth_peer, peer_at, peer_port};
use crate::render::quoted;
use crate::run::log::Holder;
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a port is called that no socket of the case held.
const CLOSED_PORT: &str = "closed-port";
/// What a sender of ICMP is called that is no end of the packet it complains about.
const ROUTER: &str = "router";

/// An end of a packet. TCP and UDP have ports of their own: one number may be two sockets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct PacketEnd {
    /// Address and port.
    pub at: SocketAddr,
    /// It is a port of UDP.
    pub is_datagram: bool,
}

/// The names of a run.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The addresses that sockets of the case held, in the order in which they were first held.
    held: Vec<Held>,
    /// The sockets that were datagram sockets when they last held an address.
    datagrams: BTreeSet<Name>,
    /// Ends known by their packets alone. They name no address in an answer: answers have to read
    /// the same on a machine that sees no packets.
    seen: HashMap<PacketEnd, String>,
    /// Connections of sockets that share their address with another (Linux lends a busy ephemeral
    /// port to a connect() with a different far end): the near and the far end, and the socket.
    flows: HashMap<(PacketEnd, PacketEnd), String>,
    /// The far ports to which sockets have turned.
    turned_to: HashMap<Name, u16>,
    /// Ports that the case writes as numbers: of the wire's peer they print as it wrote them.
    written: BTreeSet<u16>,
}

/// An address and its name.
#[derive(Debug)]
struct Held {
    address: Address,
    is_datagram: bool,
    /// What packets carry: the first socket that held it, for accepted sockets the listener.
    shown: String,
    /// The sockets that hold it now. The name outlives them, until another socket takes the
    /// address.
    holders: Vec<Name>,
}

impl Names {
    /// The names of the wire's peers, who hold their addresses from the beginning. `written` are
    /// the ports that the case writes as numbers.
    pub fn with_peers(family: Family, written: BTreeSet<u16>) -> Names {
        let mut names = Names { written, ..Names::default() };
        let kinds = [false, true].into_iter();
        let peers = (1..=PEERS_MAX).map(nth_peer);
        for (name, is_datagram) in
            peers.flat_map(|name| kinds.clone().map(move |k| (name.clone(), k)))
        {
            let port = peer_port(&name).unwrap_or_default();
            let address = SocketAddr::new(address(End::Peer, family), port);
            names.held.push(Held {
                address: Address::Inet(address),
                is_datagram,
                shown: name.to_string(),
                holders: vec![name],
            });
        }
        names
    }

    /// A socket was found to hold an address.
    pub fn hold(&mut self, holder: &Holder) {
        let (address, is_datagram) = (canonical(&holder.address), holder.is_datagram);
        let is_it = |held: &Held| held.address == address && held.is_datagram == is_datagram;
        for held in self.held.iter_mut().filter(|held| !is_it(held)) {
            held.holders.retain(|name| *name != holder.name);
        }
        match is_datagram {
            true => self.datagrams.insert(holder.name.clone()),
            false => self.datagrams.remove(&holder.name),
        };
        if !is_nameable(&address) {
            return;
        }
        if is_wildcard(&address) {
            // It takes the port from sockets that are gone, on whichever address they were.
            let taken = port(&address);
            let is_other =
                |held: &Held| held.is_datagram != is_datagram || port(&held.address) != taken;
            self.held.retain(|held| is_it(held) || is_other(held) || !held.holders.is_empty());
        }
        // A listener bound to a wildcard already answers for what it accepts.
        let is_answered_for =
            holder.accepted_by.is_some() && self.at(&address, is_datagram).is_some();
        let shown = holder.accepted_by.as_ref().unwrap_or(&holder.name);
        match self.held.iter_mut().find(|held| is_it(held)) {
            Some(held) => {
                if held.holders.is_empty() && holder.accepted_by.is_none() {
                    held.shown = shown.to_string();
                }
                if !held.holders.contains(&holder.name) {
                    held.holders.push(holder.name.clone());
                }
            }
            None if is_answered_for => {}
            None => self.held.push(Held {
                address,
                is_datagram,
                shown: shown.to_string(),
                holders: vec![holder.name.clone()],
            }),
        }
    }

    /// A socket turns to a far port, by which it is told from others that share its address. The
    /// case says so, not a packet: answers have to read the same where no packets are seen.
    pub fn turn_to(&mut self, socket: &Name, far_port: u16) {
        self.turned_to.insert(socket.clone(), far_port);
    }

    /// The port that a socket holds.
    pub fn port_of(&self, socket: &Name) -> Option<u16> {
        let held = self.held.iter().find(|held| held.holders.contains(socket));
        held.and_then(|held| port(&held.address))
    }

    /// A socket is gone, its name stays.
    pub fn close(&mut self, name: &Name) {
        for held in &mut self.held {
            held.holders.retain(|holder| holder != name);
        }
    }

    /// The name of a packet's end: of the socket that held it, exactly or by a wildcard of its own
    /// family or the other one, else what it was called before, else of a socket of the other kind
    /// (a datagram for a port where TCP listens).
    pub fn of_end(&self, end: PacketEnd) -> Option<&str> {
        let address = Address::Inet(end.at);
        let seen = || self.seen.get(&end).map(String::as_str);
        let router = || on_wire(end.at.ip()).filter(|word| *word == ROUTER);
        self.at(&address, end.is_datagram)
            .or_else(seen)
            .or_else(|| self.at(&address, !end.is_datagram))
            .or_else(router)
    }

    /// The name of an end that nobody is known to hold: of the socket that must have used it, the
    /// peer's with the port that the case wrote, or `closed-port`.
    pub fn name_end(&mut self, end: PacketEnd, socket: Option<&Name>) -> String {
        if let Some(name) = self.of_end(end) {
            return name.to_owned();
        }
        let far = on_wire(end.at.ip()).filter(|_| self.written.contains(&end.at.port()));
        let name = match (socket, far) {
            (Some(socket), _) => socket.to_string(),
            (None, Some(far)) => format!("{far}:{}", end.at.port()),
            (None, None) if self.is_peers(end) => self.of_unheld(end.at, end.is_datagram),
            (None, None) => CLOSED_PORT.to_owned(),
        };
        self.seen.insert(end, name.clone());
        name
    }

    /// Whether an end has a port of the peers: somebody claims to be another host.
    fn is_peers(&self, end: PacketEnd) -> bool {
        let peer = peer_at(end.at.port());
        let holds = |held: &Held| Some(held.shown.as_str()) == peer.as_ref().map(Name::as_str);
        self.held.iter().any(holds)
    }

    /// A socket sends the first packet to a far end. If it shares its address with others, this
    /// connection is its own.
    pub fn begin_flow(&mut self, near: PacketEnd, far: PacketEnd, socket: &Name) {
        if self.flows.contains_key(&(near, far)) || self.flows.contains_key(&(far, near)) {
            return;
        }
        let shared = self
            .exactly(&Address::Inet(near.at), near.is_datagram)
            .filter(|held| held.holders.len() > 1 && held.holders.contains(socket));
        if shared.is_some() {
            self.flows.insert((near, far), socket.to_string());
        }
    }

    /// The name of one end of a connection.
    pub fn name_in_flow(
        &mut self,
        end: PacketEnd,
        other: PacketEnd,
        socket: Option<&Name>,
    ) -> String {
        let turned = || self.turned(end, other).map(Name::to_string);
        match self.flows.get(&(end, other)).cloned().or_else(turned) {
            Some(name) => name,
            None => self.name_end(end, socket),
        }
    }

    /// The datagram socket of several with one address that has turned to this far end.
    fn turned(&self, end: PacketEnd, other: PacketEnd) -> Option<&Name> {
        let held = self.exactly(&Address::Inet(end.at), true).filter(|_| end.is_datagram)?;
        held.holders.iter().find(|holder| self.turned_to.get(*holder) == Some(&other.at.port()))
    }

    /// The name of a datagram's sender: as its packet shows it, so a socket bound to a wildcard has
    /// its own name.
    pub fn of_sender(&self, asker: &Name, address: &Address) -> String {
        let is_mapped = canonical(address) != *address;
        match self.at(address, self.datagrams.contains(asker)) {
            Some(name) if !is_mapped => name.to_owned(),
            _ => self.of_answer(asker, address),
        }
    }

    /// The name of an address that a call of `asker` returned.
    pub fn of_answer(&self, asker: &Name, address: &Address) -> String {
        self.told(asker, address, |_| false)
    }

    /// The name of an address that `asker` was told to be its own. Its own name is true of any, so
    /// a host that is not the usual one is told as well.
    pub fn of_own(&self, asker: &Name, address: &Address) -> String {
        self.told(asker, address, |ip| !matches!(&*ip_word(ip), "loopback" | "local"))
    }

    fn told(&self, asker: &Name, address: &Address, tells: impl Fn(IpAddr) -> bool) -> String {
        let canon = canonical(address);
        let is_datagram = self.datagrams.contains(asker);
        let held = self.exactly(&canon, is_datagram).or_else(|| self.exactly(&canon, !is_datagram));
        let text = match (&canon, held) {
            (Address::Inet(addr), Some(held)) if tells(addr.ip()) => {
                format!("{}:{}", ip_word(addr.ip()), self.shown_to(asker, held))
            }
            (_, Some(held)) => self.shown_to(asker, held).to_owned(),
            (Address::Inet(addr), None) => self.of_unheld(*addr, is_datagram),
            (Address::UnixUnnamed, None) => "unnamed".to_owned(),
            (Address::UnixPath(path), None) => quoted(path.as_bytes()),
            (Address::UnixAbstract(name), None) => quoted(format!("@{name}").as_bytes()),
            (Address::Unspec, None) => "unspec".to_owned(),
            (Address::Other(family), None) => format!("family {family}"),
        };
        let is_mapped = |addr: SocketAddr| addr.is_ipv6() && addr.ip().to_canonical().is_ipv4();
        if address.inet().is_some_and(is_mapped) { format!("mapped:{text}") } else { text }
    }

    /// The name of an address that several sockets may share: `asker` itself, or the one that has
    /// turned to it.
    fn shown_to<'a>(&self, asker: &Name, held: &'a Held) -> &'a str {
        let own_port = self.port_of(asker);
        let is_meant = |holder: &&Name| match self.turned_to.get(*holder) {
            Some(_) if held.holders.contains(asker) => *holder == asker,
            Some(far_port) => own_port == Some(*far_port),
            None => false,
        };
        let sharing = held.holders.iter().filter(|_| held.holders.len() > 1);
        sharing.clone().find(is_meant).map_or(held.shown.as_str(), Name::as_str)
    }

    fn exactly(&self, address: &Address, is_datagram: bool) -> Option<&Held> {
        self.held.iter().find(|held| held.address == *address && held.is_datagram == is_datagram)
    }

    fn at(&self, address: &Address, is_datagram: bool) -> Option<&str> {
        let of_ip = |ip: IpAddr| {
            let port = port(address)?;
            self.exactly(&Address::Inet(SocketAddr::new(ip, port)), is_datagram)
        };
        let is_v4 = address.inet().is_some_and(|addr| addr.is_ipv4());
        let held = self
            .exactly(address, is_datagram)
            .or_else(|| of_ip(Ipv4Addr::UNSPECIFIED.into()).filter(|_| is_v4))
            .or_else(|| of_ip(Ipv6Addr::UNSPECIFIED.into()));
        held.map(|held| held.shown.as_str())
    }

    /// An IP address and the name of its port.
    fn of_unheld(&self, addr: SocketAddr, is_datagram: bool) -> String {
        let same = |held: &&Held| port(&held.address) == Some(addr.port());
        let own = |held: &&Held| held.is_datagram == is_datagram && same(held);
        let held = self.held.iter().find(own).or_else(|| self.held.iter().find(same));
        let is_written = on_wire(addr.ip()).is_some() && self.written.contains(&addr.port());
        let number = addr.port().to_string();
        let port = match held {
            _ if addr.port() == 0 => "0",
            Some(held) => &held.shown,
            None if is_written => &number,
            None => CLOSED_PORT,
        };
        match ip_word(addr.ip()) {
            word if word == "loopback" && port == CLOSED_PORT => port.to_owned(),
            word => format!("{word}:{port}"),
        }
    }
}

/// The sender of an ICMP message: the far end of the packet that it quotes, or another host, which
/// is this one where its own firewall complains.
pub(super) fn icmp_sender(source: IpAddr, quoted_destination: IpAddr, far_end: &str) -> String {
    if source == quoted_destination { far_end.to_owned() } else { ip_word(source) }
}

/// An IP address in a case's words.
pub(super) fn ip_word(ip: IpAddr) -> String {
    match ip {
        ip if ip.is_unspecified() => "any".to_owned(),
        IpAddr::V4(Ipv4Addr::LOCALHOST) | IpAddr::V6(Ipv6Addr::LOCALHOST) => "loopback".to_owned(),
        ip => on_wire(ip).map_or_else(|| quoted(ip.to_string().as_bytes()), str::to_owned),
    }
}

/// The word for an address of the wire.
fn on_wire(ip: IpAddr) -> Option<&'static str> {
    let family = if ip.is_ipv4() { Family::V4 } else { Family::V6 };
    let words = [(End::Local, "local"), (End::Peer, "peer"), (End::Router, ROUTER)];
    let mut words = words.into_iter();
    words.find(|(end, _)| address(*end, family) == ip).map(|(_, word)| word)
}

/// IPv4 inside IPv6 is IPv4 on the wire. Flow label and scope are no part of a name.
fn canonical(address: &Address) -> Address {
    match address {
        Address::Inet(addr) => {
            Address::Inet(SocketAddr::new(addr.ip().to_canonical(), addr.port()))
        }
        other => other.clone(),
    }
}

fn port(address: &Address) -> Option<u16> {
    address.inet().map(|addr| addr.port())
}

fn is_wildcard(address: &Address) -> bool {
    address.inet().is_some_and(|addr| addr.ip().is_unspecified())
}

/// Whether an address can be told from another by a name.
fn is_nameable(address: &Address) -> bool {
    match address {
        Address::Inet(addr) => addr.port() != 0,
        Address::UnixPath(_) | Address::UnixAbstract(_) => true,
        Address::UnixUnnamed | Address::Unspec | Address::Other(_) => false,
    }
}
