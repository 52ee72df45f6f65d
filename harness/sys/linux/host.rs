//! What happens to the machine around a run, in the run's own namespace.

use super::link::{self, Link};
use super::network::{self, LOOPBACK_INDEX, Loopback};
use super::route::{self, Network};
use super::settings::View;
use super::sockdiag::{self, Entry};
use super::{firewall, modules};
use crate::model::capability::Lack;
use crate::model::host::LinkChange;
use crate::sys::unix::errno;
use crate::sys::{Acted, Fd, HostAct, Trouble};
use socket2::SockRef;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{BorrowedFd, RawFd};

/// The interfaces of a run's namespace.
#[derive(Clone, Copy)]
pub struct Links {
    /// The wire, if the run has one.
    pub wire: Option<Link>,
    /// How `lo` was brought up.
    pub loopback: Loopback,
    /// Whether it has `::1`.
    pub ipv6: bool,
}

impl Links {
    /// Does it; settings are written through the run's own view of them.
    ///
    /// # Errors
    /// The machine lacks the means, or refuses.
    pub fn carry_out(&self, act: &HostAct, view: &View) -> Result<Acted, Trouble> {
        let failed = |error: &dyn std::fmt::Display| Trouble::Failed(error.to_string());
        match act {
            HostAct::Firewall { verdict, incoming, port } => {
                firewall::refuse(*verdict, *incoming, *port).map_err(Trouble::Lacks)?;
            }
            HostAct::Lift { incoming } => firewall::lift(*incoming).map_err(Trouble::Lacks)?,
            HostAct::Route { to, kind } => {
                let network = Network::parse(to);
                let network = network.ok_or_else(|| failed(&format!("no network: {to}")))?;
                route::set(network, *kind).map_err(|refused| match refused.errno {
                    libc::EOPNOTSUPP => Trouble::Lacks(Lack::new("this kernel sets no routes")),
                    _ => failed(&refused),
                })?;
            }
            HostAct::Link(change) => self.link(*change)?,
            HostAct::Sysctl(pairs) => pairs.iter().try_for_each(|(name, value)| {
                view.write(name, value).map_err(|error| no_setting(name, value, &error))
            })?,
            HostAct::Destroy { fd, far, handshake } => return destroy(*fd, *far, *handshake),
        }
        Ok(Acted::Done)
    }

    fn link(&self, change: LinkChange) -> Result<(), Trouble> {
        let index = self.wire.map_or(LOOPBACK_INDEX, |wire| wire.index);
        let done = match (&self.wire, change) {
            (Some(wire), LinkChange::Up) => wire.up(),
            (None, LinkChange::Up) => network::bring_up(self.loopback, self.ipv6),
            (_, LinkChange::Down) => link::down(index),
            (_, LinkChange::Mtu(bytes)) => link::set_mtu(index, bytes),
        };
        done.map_err(|refused| match (refused.errno, change) {
            (libc::EOPNOTSUPP, LinkChange::Mtu(_)) => {
                Trouble::Lacks(Lack::new("this kernel changes no link's MTU"))
            }
            _ => Trouble::Failed(refused.to_string()),
        })
    }
}

/// The kernel has no such setting, or takes no such value.
pub fn no_setting(name: &str, value: &str, error: &std::io::Error) -> Trouble {
    Trouble::Lacks(Lack::new(match error.kind() {
        std::io::ErrorKind::NotFound => format!("this kernel has no {name} in a namespace"),
        _ => format!("this kernel refuses {value} for {name}: {error}"),
    }))
}

/// Aborts the connection of this descriptor of this process, or a handshake that waits at this
/// listener.
fn destroy(fd: Fd, far: Option<SocketAddr>, handshake: bool) -> Result<Acted, Trouble> {
    let failed =
        |error: &dyn std::fmt::Display| Trouble::Failed(format!("the socket to abort: {error}"));
    let own = Own::of(fd as RawFd).map_err(|error| failed(&error))?;
    let entries = sockdiag::entries(own.protocol, own.address).map_err(|error| failed(&error))?;
    let found = if handshake { own.handshake(&entries, far) } else { own.find(&entries, far) };
    let Some(entry) = found else {
        return Ok(Acted::NotIssued("no connection to abort".to_owned()));
    };
    match sockdiag::destroy(own.protocol, entry) {
        Ok(()) => Ok(Acted::Done),
        // Where others can be aborted this is what the stack does with this one: in TIME-WAIT it
        // was refused once, and between two questions a connection may end.
        Err(refused) if [libc::EOPNOTSUPP, libc::ENOENT].contains(&refused.errno) => {
            Ok(Acted::NotIssued(errno::name(refused.errno).to_string()))
        }
        Err(refused) if [libc::EPERM, libc::EINVAL].contains(&refused.errno) => {
            Err(Trouble::Lacks(cannot_destroy()))
        }
        Err(refused) => Err(failed(&refused)),
    }
}

/// Whether connections can be aborted, tried in the namespace of the calling thread.
///
/// # Errors
/// The kernel does not.
pub fn try_to_destroy() -> Result<(), Lack> {
    let tried = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| {
        use std::os::fd::AsRawFd;
        let own = Own::of(listener.as_raw_fd())?;
        let entries = sockdiag::entries(own.protocol, own.address)?;
        let entry = own.find(&entries, None);
        Ok(entry.is_some_and(|entry| sockdiag::destroy(own.protocol, entry).is_ok()))
    });
    match tried {
        Ok(true) => Ok(()),
        _ => Err(cannot_destroy()),
    }
}

fn cannot_destroy() -> Lack {
    match modules::has_netlink(libc::NETLINK_SOCK_DIAG, "sock_diag", "tcp_diag") {
        Ok(()) => {
            Lack::new("the kernel aborts no connections (built without CONFIG_INET_DIAG_DESTROY)")
        }
        Err(lack) => lack,
    }
}

/// What tells a socket's entry in the kernel's tables from others.
struct Own {
    protocol: u8,
    address: SocketAddr,
    /// Given once in a kernel's life, socket(7) SO_COOKIE.
    cookie: u64,
}

impl Own {
    fn of(fd: RawFd) -> std::io::Result<Own> {
        // SAFETY: an open socket of this process, asked for three things, during which the case
        // makes no call that could close it.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        let socket = SockRef::from(&fd);
        let none = || std::io::Error::other("it has no address");
        Ok(Own {
            protocol: socket.protocol()?.map_or(libc::IPPROTO_TCP, i32::from) as u8,
            address: socket.local_addr()?.as_socket().ok_or_else(none)?,
            cookie: socket.cookie()?,
        })
    }

    /// What has its port.
    fn port<'a>(&self, entries: &'a [Entry]) -> impl Iterator<Item = &'a Entry> {
        let port = self.address.port();
        entries.iter().filter(move |entry| entry.source.port() == port)
    }

    /// Of a listener's handshakes that are not done the one with `far`.
    fn handshake<'a>(&self, entries: &'a [Entry], far: Option<SocketAddr>) -> Option<&'a Entry> {
        self.port(entries).find(|entry| entry.is_handshake() && Some(entry.destination) == far)
    }

    /// Its entry. What is in TIME-WAIT is a remnant without a descriptor: the only one at the
    /// address, or the one with the far end.
    fn find<'a>(&self, entries: &'a [Entry], far: Option<SocketAddr>) -> Option<&'a Entry> {
        let own = self.port(entries).find(|entry| entry.cookie == self.cookie);
        own.or_else(|| {
            let is_far = |entry: &&Entry| far.is_none_or(|far| entry.destination == far);
            let mut remnants = self.port(entries).filter(|e| e.is_time_wait()).filter(is_far);
            remnants.next().filter(|_| remnants.next().is_none())
        })
    }
}
