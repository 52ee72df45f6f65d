//! Which descriptor a name stands for.

use crate::model::{Address, Case, Name};
use crate::sys::Fd;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// The sockets of a run by name.
pub struct Names {
    sockets: BTreeMap<Name, Socket>,
    /// Which process each socket lives in, as the case says.
    homes: BTreeMap<Name, Name>,
    /// Copies of descriptors that other processes were given: (socket, process) to number.
    pub shared: BTreeMap<(Name, Name), Fd>,
    /// Processes that have ended.
    pub ended: BTreeSet<Name>,
    /// Processes that were sent SIGSTOP: they answer nothing until SIGCONT.
    pub stopped: BTreeSet<Name>,
    /// Sockets whose descriptors were sent in messages, as they were then.
    pub passed: Vec<(Name, Socket)>,
    /// Names by token, for epoll.
    pub tokens: Vec<Name>,
}

/// One socket.
#[derive(Clone, Debug)]
pub struct Socket {
    /// Its descriptor; after close() the number that it had.
    pub fd: Fd,
    /// The process that it lives in; none: the harness's own.
    pub process: Option<Name>,
    /// Whether close() has been called on it.
    pub closed: bool,
    /// Whether listen() has been called on it.
    pub listens: bool,
    /// What kind of addresses it takes.
    pub kind: AddressKind,
    /// Whether it was made with SOCK_DGRAM.
    pub is_datagram: bool,
    /// Its own address, as last seen.
    pub address: Option<Address>,
    /// Whose name its packets carry: of the listener that accepted it, of the socket whose
    /// descriptor came in a message.
    pub accepted_by: Option<Name>,
    /// On the wire, the far end of what a listener accepted, and the peer that connect() turned to:
    /// all that tells its packets from those of others with the same port.
    pub far: Option<Address>,
}

impl Socket {
    /// A socket just made.
    pub fn new(fd: Fd, process: Option<&Name>, kind: AddressKind) -> Socket {
        Socket {
            fd,
            process: process.cloned(),
            closed: false,
            listens: false,
            kind,
            is_datagram: false,
            address: None,
            accepted_by: None,
            far: None,
        }
    }
}

/// What kind of addresses a socket takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressKind {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// AF_UNIX.
    Unix,
    /// Something else.
    Other,
    /// No socket at all.
    None,
}

impl AddressKind {
    /// The kind of a socket that has this address.
    fn of(address: Option<&Address>) -> AddressKind {
        match address {
            Some(Address::Inet(SocketAddr::V4(_))) => AddressKind::V4,
            Some(Address::Inet(SocketAddr::V6(_))) => AddressKind::V6,
            Some(Address::UnixPath(_) | Address::UnixAbstract(_)) => AddressKind::Unix,
            _ => AddressKind::Other,
        }
    }
}

/// Why a name cannot be used now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unusable {
    /// No step has made it yet: `no conn`.
    NotMade,
    /// It was closed and its number belongs to another socket now.
    Reused,
}

impl Names {
    /// The names of a case before its first step.
    pub fn new(case: &Case) -> Names {
        let homes = case.processes.iter().flat_map(|(process, sockets)| {
            sockets.iter().map(move |socket| (socket.clone(), process.clone()))
        });
        Names {
            sockets: BTreeMap::new(),
            homes: homes.collect(),
            shared: BTreeMap::new(),
            ended: BTreeSet::new(),
            stopped: BTreeSet::new(),
            passed: Vec::new(),
            tokens: Vec::new(),
        }
    }

    /// The process in which a socket of this name is made.
    pub fn home(&self, name: &Name) -> Option<&Name> {
        self.homes.get(name)
    }

    /// Whether nobody in this process makes a call or answers now.
    pub fn silent(&self, process: Option<&Name>) -> bool {
        process.is_some_and(|name| self.ended.contains(name) || self.stopped.contains(name))
    }

    /// The socket of this name, open or closed, as long as its number is nobody else's.
    pub fn usable(&self, name: &Name) -> Result<&Socket, Unusable> {
        let socket = self.sockets.get(name).ok_or(Unusable::NotMade)?;
        let reused = socket.closed
            && self.sockets.iter().any(|(other_name, other)| {
                other_name != name
                    && !other.closed
                    && other.fd == socket.fd
                    && other.process == socket.process
            });
        if reused { Err(Unusable::Reused) } else { Ok(socket) }
    }

    /// The socket of this name, whatever its state.
    pub fn get(&self, name: &Name) -> Option<&Socket> {
        self.sockets.get(name)
    }

    /// The socket of this name, to change it.
    pub fn get_mut(&mut self, name: &Name) -> Option<&mut Socket> {
        self.sockets.get_mut(name)
    }

    /// Their descriptors have been sent in a message.
    pub fn pass(&mut self, names: &[Name]) {
        let sent = names.iter().filter_map(|name| Some((name.clone(), self.get(name)?.clone())));
        self.passed.extend(sent.collect::<Vec<_>>());
    }

    /// A descriptor has come in a message: of the socket that was sent with this own address, the
    /// first one if several had it.
    pub fn arrive(&mut self, name: &Name, fd: Fd, process: Option<&Name>, at: Option<&Address>) {
        let sent = self.passed.iter().find(|(_, sent)| sent.address.as_ref() == at);
        let new = match sent {
            Some((first, sent)) => Socket {
                accepted_by: sent.accepted_by.clone().or_else(|| Some(first.clone())),
                listens: sent.listens,
                is_datagram: sent.is_datagram,
                ..Socket::new(fd, process, sent.kind)
            },
            None => Socket::new(fd, process, AddressKind::of(at)),
        };
        self.put(name, new);
    }

    /// From now on this name stands for this socket.
    pub fn put(&mut self, name: &Name, socket: Socket) {
        self.sockets.insert(name.clone(), socket);
    }

    /// Every socket that is still open.
    pub fn open(&self) -> impl Iterator<Item = (&Name, &Socket)> {
        self.sockets.iter().filter(|(_, socket)| !socket.closed)
    }

    /// The other sockets that have the address of this one, or had it.
    pub fn sharing(&self, name: &Name) -> Vec<&Socket> {
        let inet = |socket: &Socket| socket.address.as_ref().and_then(Address::inet);
        let Some((own, at)) = self.get(name).and_then(|own| Some((own, inet(own)?))) else {
            return Vec::new();
        };
        let is_alike = |other: SocketAddr| {
            let is_any = at.ip().is_unspecified() || other.ip().is_unspecified();
            other.port() == at.port() && (other.ip() == at.ip() || is_any)
        };
        let others = self.sockets.iter().filter(|(other, _)| *other != name);
        let others = others.map(|(_, other)| other).filter(|other| {
            other.is_datagram == own.is_datagram && inet(other).is_some_and(is_alike)
        });
        others.collect()
    }

    /// The only socket of the case that is like this; none if there are several.
    pub fn only(&self, is_wanted: impl Fn(&Socket) -> bool) -> Option<&Socket> {
        let mut found = self.open().map(|(_, socket)| socket).filter(|s| is_wanted(s));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// The token that stands for a name in epoll events.
    pub fn token(&mut self, name: &Name) -> u64 {
        let known = self.tokens.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.tokens.push(name.clone());
            self.tokens.len() - 1
        });
        index as u64
    }
}
