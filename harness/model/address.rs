//! Addresses: as a case writes them, and as a system gives them.

use super::name::Name;
use std::net::SocketAddr;

/// An address as a case writes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddrExpr {
    /// Which host, or which socket's whole address.
    pub base: AddrBase,
    /// The port, where the case names one; otherwise the harness chooses, or the base has one.
    pub port: Option<PortExpr>,
}

/// The first half of an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AddrBase {
    /// 127.0.0.1 or ::1; for an AF_UNIX socket a path that the harness chooses.
    Loopback,
    /// 0.0.0.0 or ::.
    Any,
    /// Our own address on the wire.
    Local,
    /// The address and port of that peer on the wire: `peer`, `peer2`, …
    Peer(Name),
    /// Loopback (wire: the peer), at a port that nobody listens on: never one just freed, outside
    /// the ephemeral range.
    ClosedPort,
    /// The own address of that socket.
    Socket(Name),
    /// An address in quotes: an IP address with or without a port, or an AF_UNIX name.
    Literal(String),
    /// AF_UNSPEC: dissolves the association of a connected datagram socket (POSIX `connect`).
    Unspec,
    /// An unmapped address.
    Bad,
}

/// A port as a case writes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PortExpr {
    /// The port of that socket.
    Of(Name),
    /// A number. 0 asks the system to choose; any other needs a namespace of the case's own.
    Literal(u16),
    /// A port that nobody listens on.
    Closed,
}

/// An address as a system gives or takes it.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
pub enum Address {
    /// AF_INET or AF_INET6.
    Inet(SocketAddr),
    /// AF_UNIX without a name.
    UnixUnnamed,
    /// AF_UNIX, a path in the file system.
    UnixPath(String),
    /// AF_UNIX, an abstract name (Linux: the leading zero byte is not part of the text).
    UnixAbstract(String),
    /// AF_UNSPEC.
    Unspec,
    /// Any other family, by its number.
    Other(i32),
}

impl Address {
    /// The IP address and port, if it is one.
    pub fn inet(&self) -> Option<SocketAddr> {
        match self {
            Address::Inet(addr) => Some(*addr),
            _ => None,
        }
    }
}
