//! What happens to the machine around a run, in the run's own namespace.

use super::link::{self, Link};
use super::network::{self, LOOPBACK_INDEX, Loopback};
use super::route::{self, Network};
use super::{firewall, modules, settings, sockdiag};
use crate::model::capability::Lack;
use crate::sys::shared::flow::Flow;
use crate::sys::{Fd, HostAct, Trouble};
use socket2::SockRef;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
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
    /// Does it.
    ///
    /// # Errors
    /// The machine lacks the means, or refuses.
    pub fn carry_out(&self, act: &HostAct) -> Result<(), Trouble> {
        let failed = |error: &dyn std::fmt::Display| Trouble::Failed(error.to_string());
        match act {
            HostAct::Firewall { verdict, incoming, port } => {
                firewall::refuse(*verdict, *incoming, *port).map_err(Trouble::Lacks)
            }
            HostAct::Lift { incoming } => firewall::lift(*incoming).map_err(Trouble::Lacks),
            HostAct::Route { to, kind } => {
                let network = Network::parse(to);
                let network = network.ok_or_else(|| failed(&format!("no network: {to}")))?;
                route::set(network, *kind).map_err(|refused| match refused.errno {
                    libc::EOPNOTSUPP => Trouble::Lacks(Lack::new("this kernel sets no routes")),
                    _ => failed(&refused),
                })
            }
            HostAct::Link { up } => self.link(*up),
            HostAct::Sysctl(pairs) => pairs.iter().try_for_each(|(name, value)| {
                settings::write(name, value).map_err(|error| no_setting(name, value, &error))
            }),
            HostAct::Destroy { fd } => destroy(*fd),
        }
    }

    fn link(&self, up: bool) -> Result<(), Trouble> {
        let done = match (&self.wire, up) {
            (Some(wire), true) => wire.up(),
            (Some(wire), false) => wire.down(),
            (None, true) => network::bring_up(self.loopback, self.ipv6),
            (None, false) => link::down(LOOPBACK_INDEX),
        };
        done.map_err(|refused| Trouble::Failed(refused.to_string()))
    }
}

/// The kernel has no such setting, or takes no such value.
pub fn no_setting(name: &str, value: &str, error: &std::io::Error) -> Trouble {
    Trouble::Lacks(Lack::new(format!("this kernel refuses {value} for {name}: {error}")))
}

/// Aborts the connection of this descriptor of this process.
fn destroy(fd: Fd) -> Result<(), Trouble> {
    let flow = flow_of(fd as RawFd)
        .map_err(|error| Trouble::Failed(format!("the socket to abort: {error}")))?;
    sockdiag::destroy(&flow).map_err(|refused| match refused.errno {
        libc::EOPNOTSUPP | libc::EPERM | libc::EINVAL => Trouble::Lacks(cannot_destroy()),
        _ => Trouble::Failed(refused.to_string()),
    })
}

/// Whether connections can be aborted, tried in the namespace of the calling thread.
///
/// # Errors
/// The kernel does not.
pub fn try_to_destroy() -> Result<(), Lack> {
    let tried = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| {
        use std::os::fd::AsRawFd;
        flow_of(listener.as_raw_fd()).map(|flow| sockdiag::destroy(&flow).is_ok())
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

/// The ends of a socket; a listener's far end is no address and port 0.
fn flow_of(fd: RawFd) -> std::io::Result<Flow> {
    // SAFETY: an open socket of this process, asked for three things, during which the case makes
    // no call that could close it.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    let socket = SockRef::from(&fd);
    let none = || std::io::Error::other("it has no address");
    let source = socket.local_addr()?.as_socket().ok_or_else(none)?;
    let nobody = match source {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let peer = socket.peer_addr().ok().and_then(|peer| peer.as_socket());
    let protocol = socket.protocol()?.map_or(libc::IPPROTO_TCP, i32::from);
    Ok(Flow {
        protocol: protocol as u8,
        source,
        destination: peer.unwrap_or(SocketAddr::new(nobody, 0)),
    })
}
