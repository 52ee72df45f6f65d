//! From a call as the case writes it to a request that a system understands.

use super::names::{AddressKind, Names, Socket, Unusable};
use crate::model::call::{Domain, Payload, SocketSpec};
use crate::model::wire::{self, End, peer_port};
use crate::model::{
    AddrBase, AddrExpr, Address, BadArgs, Call, CallSpec, Family, Name, PortExpr, Topology,
};
use crate::sys::{AddressPlace, Beside, Buffer, Fd, Flags, Ground, Request, Target, Trouble};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// What a call needs to be resolved.
pub struct Resolver<'a> {
    /// The sockets so far.
    pub names: &'a mut Names,
    /// Where ports and paths come from.
    pub ground: &'a mut dyn Ground,
    /// The family of the run.
    pub family: Family,
    /// What is at the far end.
    pub topology: Topology,
    /// The port that nobody listens on, once it has been asked for.
    pub closed_port: &'a mut Option<u16>,
}

/// Why a call is not made.
pub enum Refusal {
    /// The transcript says so and the case goes on: `no conn`.
    NotIssued(String),
    /// The run cannot go on.
    Trouble(Trouble),
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Refusal {
        Refusal::Trouble(trouble)
    }
}

/// What an address is for: the harness chooses a port only for what is bound.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A socket's own address.
    Own,
    /// The far end's.
    Far,
}

impl Resolver<'_> {
    /// The request, and the process in which it is made.
    pub fn request(
        &mut self,
        subject: &Name,
        spec: &CallSpec,
    ) -> Result<(Request, Option<Name>), Refusal> {
        let home = self.names.home(subject).cloned();
        if let Call::Socket(_) | Call::EpollCreate = &spec.call {
            self.alive(home.as_ref())?;
        }
        match &spec.call {
            Call::Socket(socket) => return Ok((self.socket(socket), home)),
            Call::EpollCreate => return Ok((Request::EpollCreate, home)),
            _ => {}
        }
        let socket = match (self.usable(subject), spec.bad.fd) {
            (Err(Refusal::NotIssued(_)), Some(fd)) => self.stranger(fd, home.as_ref()),
            (socket, _) => socket?,
        };
        let (fd, process) = self.descriptor(subject, &socket, spec)?;
        let request = self.on_descriptor(subject, &socket, fd, spec)?;
        Ok((request, process))
    }

    fn socket(&self, spec: &SocketSpec) -> Request {
        let domain = match (spec.domain, self.family) {
            (Domain::OfRun, Family::V4) => Domain::Inet,
            (Domain::OfRun, Family::V6) => Domain::Inet6,
            (domain, _) => domain,
        };
        let (kind, protocol, nonblock) = (spec.kind, spec.protocol, spec.nonblock);
        Request::Socket { domain, kind, protocol, nonblock }
    }

    /// Refuses calls in a process that has ended: nobody is there to make them.
    fn alive(&self, process: Option<&Name>) -> Result<(), Refusal> {
        match process.filter(|process| self.names.ended.contains(process)) {
            Some(process) => Err(Refusal::NotIssued(format!("{process} has ended"))),
            None => Ok(()),
        }
    }

    fn usable(&self, name: &Name) -> Result<Socket, Refusal> {
        self.names.usable(name).cloned().map_err(|unusable| {
            Refusal::NotIssued(match unusable {
                Unusable::NotMade => format!("no {name}"),
                Unusable::Reused => "descriptor reused".to_owned(),
            })
        })
    }

    /// What a descriptor number of the case's own stands for.
    fn stranger(&self, fd: Fd, process: Option<&Name>) -> Socket {
        let kind = match self.family {
            Family::V4 => AddressKind::V4,
            Family::V6 => AddressKind::V6,
        };
        Socket::new(fd, process, kind)
    }

    /// The descriptor to use. A socket that is accepted or duplicated into another process is
    /// made there, through a copy of the listener such as fork() would have left.
    fn descriptor(
        &mut self,
        subject: &Name,
        socket: &Socket,
        spec: &CallSpec,
    ) -> Result<(Fd, Option<Name>), Refusal> {
        let made_in = spec.call.makes().and_then(|made| self.names.home(made));
        let process = made_in.or(socket.process.as_ref()).cloned();
        self.alive(socket.process.as_ref())?;
        self.alive(process.as_ref())?;
        if process == socket.process || socket.closed {
            return Ok((spec.bad.fd.unwrap_or(socket.fd), socket.process.clone()));
        }
        let (None, Some(process)) = (&socket.process, process) else {
            let why = format!("{subject} lives in another process");
            return Err(Refusal::NotIssued(why));
        };
        let key = (subject.clone(), process.clone());
        let fd = match self.names.shared.get(&key) {
            Some(fd) => *fd,
            None => {
                let fd = self.ground.share(&process, socket.fd)?;
                self.names.shared.insert(key, fd);
                fd
            }
        };
        Ok((spec.bad.fd.unwrap_or(fd), Some(process)))
    }

    fn on_descriptor(
        &mut self,
        subject: &Name,
        socket: &Socket,
        fd: Fd,
        spec: &CallSpec,
    ) -> Result<Request, Refusal> {
        let bad = &spec.bad;
        match &spec.call {
            Call::Bind(to) => {
                let to = self.target(subject, socket, to, Purpose::Own, bad)?;
                Ok(Request::Bind { fd, to })
            }
            Call::Connect(to) => {
                let to = self.target(subject, socket, to, Purpose::Far, bad)?;
                Ok(Request::Connect { fd, to })
            }
            // A netlink socket would carry it to the kernel, a socket of a hypervisor out of the
            // machine: no namespace keeps that inside.
            Call::Send { .. } if socket.kind == AddressKind::Other && bad.fd.is_none() => {
                let why = "only sockets of the internet and AF_UNIX send";
                Err(Refusal::NotIssued(why.to_owned()))
            }
            Call::Send { form, payload, flags, to, fds } => {
                let to = to.as_ref().map(|to| self.target(subject, socket, to, Purpose::Far, bad));
                let (form, flags, to) = (*form, all(flags, bad), to.transpose()?);
                let (data, iov) = (buffer(payload, bad), bad.iov);
                let fds = fds.iter().map(|name| self.beside(socket, name).map(|other| other.fd));
                let fds = fds.collect::<Result<_, Refusal>>()?;
                Ok(Request::Send { fd, form, data, iov, flags, to, fds })
            }
            Call::EpollCtl { op, target, events } => {
                let watched = self.beside(socket, target)?;
                let (token, events) = (self.names.token(target), owned(events));
                Ok(Request::EpollCtl { fd, op: *op, target: watched.fd, token, events })
            }
            Call::Chmod(mode) => match self.address_of(subject)? {
                Address::UnixPath(path) => Ok(Request::Chmod { path, mode: *mode }),
                _ => Err(Refusal::NotIssued(format!("{subject} has no path"))),
            },
            call => plain(fd, call, bad).ok_or_else(|| {
                let what = format!("{} does not work on a descriptor", call.verb());
                Refusal::Trouble(Trouble::Failed(what))
            }),
        }
    }

    /// Another socket that a call in this one's process can name.
    fn beside(&self, socket: &Socket, other: &Name) -> Result<Socket, Refusal> {
        let named = self.usable(other)?;
        match named.process == socket.process {
            true => Ok(named),
            false => Err(Refusal::NotIssued(format!("{other} lives in another process"))),
        }
    }

    fn target(
        &mut self,
        subject: &Name,
        socket: &Socket,
        expr: &AddrExpr,
        purpose: Purpose,
        bad: &BadArgs,
    ) -> Result<Target, Refusal> {
        let address = match &expr.base {
            AddrBase::Bad => None,
            AddrBase::Unspec => Some(Address::Unspec),
            _ if socket.kind == AddressKind::Unix => {
                Some(self.unix_address(subject, expr, purpose)?)
            }
            _ => Some(self.inet_address(socket, expr, purpose)?),
        };
        Ok(Target { address, len: bad.addrlen })
    }

    fn unix_address(
        &mut self,
        subject: &Name,
        expr: &AddrExpr,
        purpose: Purpose,
    ) -> Result<Address, Refusal> {
        match &expr.base {
            AddrBase::Socket(name) => self.address_of(name),
            AddrBase::Literal(text) => match text.strip_prefix('@') {
                Some(name) => Ok(self.ground.unix_abstract(name)),
                None => Ok(self.ground.unix_name(text)?),
            },
            AddrBase::Loopback if purpose == Purpose::Own => {
                Ok(self.ground.unix_name(subject.as_str())?)
            }
            _ => Ok(self.ground.unix_name("closed-port")?),
        }
    }

    fn inet_address(
        &mut self,
        socket: &Socket,
        expr: &AddrExpr,
        purpose: Purpose,
    ) -> Result<Address, Refusal> {
        let six = match socket.kind {
            AddressKind::V4 => false,
            AddressKind::V6 => true,
            _ => self.family == Family::V6,
        };
        let (ip, port) = match &expr.base {
            AddrBase::Any => (wildcard(six), None),
            AddrBase::ClosedPort if self.topology == Topology::Wire => {
                (on_wire(End::Peer, six), Some(self.closed_port()?))
            }
            AddrBase::ClosedPort => (loopback(six), Some(self.closed_port()?)),
            AddrBase::Socket(name) => match self.address_of(name)? {
                // A far end cannot be a wildcard on every system; the nearest real one is meant.
                Address::Inet(addr) if purpose == Purpose::Far && addr.ip().is_unspecified() => {
                    (loopback(six), Some(addr.port()))
                }
                Address::Inet(addr) => (addr.ip(), Some(addr.port())),
                other => return Ok(other),
            },
            AddrBase::Literal(text) => literal(text)?,
            AddrBase::Loopback => (loopback(six), None),
            AddrBase::Local | AddrBase::Peer(_) if self.topology == Topology::Loopback => {
                return Err(Refusal::NotIssued("no wire".to_owned()));
            }
            AddrBase::Local => (on_wire(End::Local, six), None),
            AddrBase::Peer(name) => (on_wire(End::Peer, six), peer_port(name)),
            AddrBase::Unspec | AddrBase::Bad => {
                return Err(Refusal::NotIssued("no address of this family".to_owned()));
            }
        };
        let port = match (&expr.port, port) {
            (Some(expr), _) => self.port(expr)?,
            (None, Some(port)) => port,
            (None, None) if purpose == Purpose::Own => self.ground.port()?,
            (None, None) => 0,
        };
        Ok(Address::Inet(SocketAddr::new(ip, port)))
    }

    fn port(&mut self, expr: &PortExpr) -> Result<u16, Refusal> {
        match expr {
            PortExpr::Literal(port) => Ok(*port),
            PortExpr::Closed => self.closed_port(),
            PortExpr::Of(name) => match self.address_of(name)? {
                Address::Inet(addr) => Ok(addr.port()),
                _ => Err(Refusal::NotIssued(format!("{name} has no port"))),
            },
        }
    }

    /// A port that nobody listens on.
    pub fn closed_port(&mut self) -> Result<u16, Refusal> {
        if let Some(port) = *self.closed_port {
            return Ok(port);
        }
        let port = self.ground.port()?;
        *self.closed_port = Some(port);
        Ok(port)
    }

    /// The own address of a socket.
    pub fn address_of(&self, name: &Name) -> Result<Address, Refusal> {
        let Some(socket) = self.names.get(name) else {
            return Err(Refusal::NotIssued(format!("no {name}")));
        };
        let none = || Refusal::NotIssued(format!("{name} has no address"));
        socket.address.clone().ok_or_else(none)
    }
}

/// A call that needs nothing but its descriptor and its own arguments.
fn plain(fd: Fd, call: &Call, bad: &BadArgs) -> Option<Request> {
    let told = matches!(call, Call::Accept { show_address: true, .. });
    let place = AddressPlace { bad: bad.buf, len: bad.addrlen, len_told: bad.addrlen_told, told };
    Some(match call {
        Call::Listen(backlog) => Request::Listen { fd, backlog: *backlog },
        Call::Accept { flags, .. } => Request::Accept { fd, place, flags: all(flags, bad) },
        Call::Close => Request::Close { fd },
        Call::Dup(_) => Request::Dup { fd },
        Call::Fcntl(op) => Request::Fcntl { fd, op: *op },
        Call::Recv { form, len, flags, show_control, fds, .. } => Request::Recv {
            fd,
            form: *form,
            len: *len,
            bad: bad.buf,
            iov: bad.iov,
            flags: all(flags, bad),
            beside: Beside { told: *show_control, fds: fds.as_ref().map(|names| names.len()) },
        },
        Call::Setsockopt { option, value } => {
            Request::Setsockopt { fd, option: *option, value: value.clone(), bad: bad.buf }
        }
        Call::Getsockopt { option, fields } => {
            let fields = fields.iter().map(|field| (*field).to_owned()).collect();
            Request::Getsockopt { fd, option: *option, fields, bad: bad.buf }
        }
        Call::Getsockname => Request::Getsockname { fd, place },
        Call::Getpeername => Request::Getpeername { fd, place },
        Call::Shutdown(how) => Request::Shutdown { fd, how: *how },
        Call::Poll { events, timeout } => {
            let usual: &[&'static str] = &["POLLIN", "POLLOUT"];
            let events = if events.is_empty() { owned(usual) } else { owned(events) };
            Request::Poll { fd, events, timeout_ms: millis(*timeout) }
        }
        Call::Select { timeout } => Request::Select { fd, timeout_ms: millis(*timeout) },
        Call::EpollWait { timeout } => Request::EpollWait { fd, timeout_ms: millis(*timeout) },
        Call::Ioctl(request) => Request::Ioctl { fd, request: (*request).to_owned() },
        _ => return None,
    })
}

fn on_wire(end: End, six: bool) -> IpAddr {
    wire::address(end, if six { Family::V6 } else { Family::V4 })
}

fn loopback(six: bool) -> IpAddr {
    if six { IpAddr::V6(Ipv6Addr::LOCALHOST) } else { IpAddr::V4(Ipv4Addr::LOCALHOST) }
}

fn wildcard(six: bool) -> IpAddr {
    if six { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) }
}

fn literal(text: &str) -> Result<(IpAddr, Option<u16>), Refusal> {
    if let Ok(addr) = SocketAddr::from_str(text) {
        return Ok((addr.ip(), Some(addr.port())));
    }
    let ip = IpAddr::from_str(text.trim_start_matches('[').trim_end_matches(']'));
    match ip {
        Ok(ip) => Ok((ip, None)),
        Err(_) => Err(Refusal::NotIssued(format!("{text} is no IP address"))),
    }
}

fn buffer(payload: &Payload, bad: &BadArgs) -> Buffer {
    if bad.buf { Buffer::Bad(payload.len()) } else { Buffer::Bytes(payload.bytes()) }
}

fn all(flags: &[&'static str], bad: &BadArgs) -> Flags {
    Flags { names: owned(flags), bits: bad.flags }
}

fn owned(words: &[&'static str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A timeout as poll() takes it: none does not wait at all.
fn millis(timeout: Option<Duration>) -> i32 {
    timeout.map_or(0, |timeout| i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX))
}
