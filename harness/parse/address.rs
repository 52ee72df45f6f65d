//! Addresses and ports.

use super::error::{Read, unknown};
use super::language::ADDRESS_WORDS;
use super::packet::{self, is_peer};
use super::scope::Scope;
use super::tree::{Kind, Node};
use crate::model::limits::UNIX_NAME_BYTES_MAX;
use crate::model::{AddrBase, AddrExpr, Capability, Name, PortExpr, Topology};
use std::net::{IpAddr, SocketAddr};

const EXPECTED: &str = "an address: loopback, any, closed-port, a socket's name, \"127.0.0.2\"";

/// An address: a word, a socket, a literal, or a map of `addr` and `port`.
pub(super) fn read(node: &Node, scope: &mut Scope<'_>) -> Read<AddrExpr> {
    if !matches!(node.kind, Kind::Map(_)) {
        return Ok(AddrExpr { base: read_base(node, scope)?, port: None });
    }
    node.keys(EXPECTED, &["addr", "port"])?;
    let addr = node.get("addr").ok_or_else(|| node.fault("`addr` is missing"))?;
    let base = read_base(addr, scope)?;
    let port = node.get("port").map(|port| read_port(port, scope)).transpose()?;
    join(node, base, port)
}

/// Puts a port to an address that can have one.
pub(super) fn join(node: &Node, base: AddrBase, port: Option<PortExpr>) -> Read<AddrExpr> {
    let port_taken = match &base {
        AddrBase::ClosedPort | AddrBase::Unspec | AddrBase::Bad => true,
        AddrBase::Literal(text) => text.parse::<IpAddr>().is_err(),
        _ => false,
    };
    if port_taken && port.is_some() {
        return Err(node.fault("a `port` beside an address that cannot take one"));
    }
    Ok(AddrExpr { base, port })
}

/// The first half of an address.
pub(super) fn read_base(node: &Node, scope: &mut Scope<'_>) -> Read<AddrBase> {
    let text = node.text(EXPECTED)?;
    Ok(match text {
        "loopback" => AddrBase::Loopback,
        "any" => AddrBase::Any,
        far if scope.topology == Topology::Loopback && (far == "local" || is_peer(far)) => {
            return Err(node.fault(format!("`{far}` needs `topology: wire`")));
        }
        "local" => AddrBase::Local,
        name if is_peer(name) => {
            AddrBase::Peer(packet::peer(name).map_err(|message| node.fault(message))?)
        }
        "closed-port" => AddrBase::ClosedPort,
        "unspec" => AddrBase::Unspec,
        "bad" => AddrBase::Bad,
        name if Name::is_valid(name) => socket_base(node, name, scope)?,
        literal => read_literal(node, literal, scope)?,
    })
}

fn socket_base(node: &Node, name: &str, scope: &Scope<'_>) -> Read<AddrBase> {
    scope.socket(name).map(AddrBase::Socket).map_err(|_| {
        let words = ADDRESS_WORDS.iter().map(|(word, _)| *word);
        let sockets = scope.sockets.iter().map(Name::as_str);
        node.fault(unknown("address", name, words.chain(sockets)))
    })
}

/// An IP address with or without a port, or an AF_UNIX name.
fn read_literal(node: &Node, text: &str, scope: &mut Scope<'_>) -> Read<AddrBase> {
    let socket = text.parse::<SocketAddr>().ok();
    let host = text.parse::<IpAddr>().ok().or(socket.map(|addr| addr.ip()));
    if let Some(host) = host {
        // A port that others may hold, and a host that is not this one: both need a network of
        // the case's own.
        // `::ffff:127.0.0.1` is as much this host as `127.0.0.1`.
        let canonical = host.to_canonical();
        let own = canonical.is_loopback() || canonical.is_unspecified();
        if !own || socket.is_some_and(|addr| addr.port() != 0) {
            scope.needs.insert(Capability::Namespace);
        }
        return Ok(AddrBase::Literal(text.to_owned()));
    }
    if is_unix_name(text) {
        return Ok(AddrBase::Literal(text.to_owned()));
    }
    Err(node.fault(format!(
        "`{}` is no address, expected {}, a socket's name, \"127.0.0.2\", \"127.0.0.2:80\", \
         \"[::1]:80\", \"@abstract\" or \"name.sock\"",
        super::error::shortened(text),
        ADDRESS_WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "),
    )))
}

/// `@abstract`, or a file name with a dot in it: never a path, a case stays in its own folder.
fn is_unix_name(text: &str) -> bool {
    let rest = text.strip_prefix('@');
    let name = rest.unwrap_or(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let first_is_letter = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (rest.is_some() || (first_is_letter && name.ends_with(".sock")))
        && name.len() <= UNIX_NAME_BYTES_MAX
        && !name.contains("..")
        && name.chars().all(plain)
}

/// A port: a socket's, a number, or one that nobody listens on.
pub(super) fn read_port(node: &Node, scope: &mut Scope<'_>) -> Read<PortExpr> {
    match &node.kind {
        Kind::Str(text) if text == "closed-port" => Ok(PortExpr::Closed),
        Kind::Str(_) => Ok(PortExpr::Of(scope.socket_at(node)?)),
        _ => {
            let expected = "a port: a socket's name, closed-port, or 0 to 65535";
            let port = node.int(&(0..=65535), expected)?;
            if port != 0 {
                scope.needs.insert(Capability::Namespace);
            }
            Ok(PortExpr::Literal(u16::try_from(port).unwrap_or(0)))
        }
    }
}
