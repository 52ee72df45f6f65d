//! Steps of the host: what happens to the machine around a run.

use super::args::Args;
use super::error::{Read, unknown};
use super::language::wire::HOST_VERBS;
use super::packet::is_peer;
use super::scope::Scope;
use super::settings;
use super::step::Parts;
use crate::model::host::{FirewallAt, FirewallVerdict, HostVerb, LinkChange, RouteKind};
use crate::model::limits::{LINK_MTU_MIN, LINK_MTU_MIN_V6};
use crate::model::{Action, Capability, Family, Step, Topology, wire};
use std::net::IpAddr;

/// Reads a step of `host`.
pub(super) fn read(parts: &Parts<'_>, verb: &str, scope: &mut Scope<'_>) -> Read<Step> {
    let Some(verb) = HOST_VERBS.iter().find(|known| known.name == verb) else {
        let words = HOST_VERBS.iter().map(|known| known.name);
        return Err(parts.fault(unknown("verb of `host`:", verb, words)));
    };
    let action = if verb.name == "sysctl" {
        read_sysctl(parts)?
    } else {
        let args = Args::read(verb, parts.object, parts.id, scope)?;
        match verb.name {
            "firewall" => read_firewall(&args, scope)?,
            "route" => read_route(&args, scope)?,
            "link" => HostVerb::Link(read_link(&args, scope)?),
            _ => HostVerb::Destroy {
                socket: args.needed("socket", args.name("socket"))?,
                far: args.name("far"),
            },
        }
    };
    scope.needs.extend(implied(&action));
    Ok(parts.step(Action::Host(action)))
}

/// What a step needs of a machine.
fn implied(verb: &HostVerb) -> Option<Capability> {
    match verb {
        // The scripted peer's side of the wire does it.
        HostVerb::Firewall { at: FirewallAt::Path, .. } | HostVerb::Lift(FirewallAt::Path) => None,
        HostVerb::Firewall { .. } | HostVerb::Lift(_) => Some(Capability::Firewall),
        HostVerb::Route { .. } | HostVerb::Link { .. } => Some(Capability::Namespace),
        HostVerb::Sysctl(_) => Some(Capability::Sysctl),
        HostVerb::Destroy { .. } => Some(Capability::Destroy),
    }
}

fn read_firewall(args: &Args<'_>, scope: &Scope<'_>) -> Read<HostVerb> {
    let at = args.one_of("at", &FirewallAt::ALL).unwrap_or(FirewallAt::In);
    if at == FirewallAt::Path && scope.topology == Topology::Loopback {
        return Err(args.fault("`at: path` needs `topology: wire`"));
    }
    let port = args.name("port");
    if let Some(name) = port.as_ref().filter(|name| at == FirewallAt::In && is_peer(name.as_str()))
    {
        let expected = "expected a socket, to whose port packets come in";
        return Err(args.fault(format!("`{name}` has a port to which packets go out, {expected}")));
    }
    match (args.one_of("reject", &FirewallVerdict::ALL), port) {
        (Some(verdict), port) => Ok(HostVerb::Firewall { verdict, at, port }),
        (None, None) => Ok(HostVerb::Lift(at)),
        (None, Some(_)) => {
            Err(args.fault("`none` lifts all that is refused at its place, leave `port` out"))
        }
    }
}

fn read_link(args: &Args<'_>, scope: &mut Scope<'_>) -> Read<LinkChange> {
    if let Some(word) = args.word("state") {
        return Ok(if word == "up" { LinkChange::Up } else { LinkChange::Down });
    }
    let low = if scope.families.contains(&Family::V6) { LINK_MTU_MIN_V6 } else { LINK_MTU_MIN };
    let high = match scope.topology {
        Topology::Wire => wire::MTU,
        Topology::Loopback => u16::MAX,
    };
    let bytes: u16 = args.needed("mtu", args.number("mtu"))?;
    if !(low..=high).contains(&bytes) {
        let what = format!("{bytes} is out of bounds here, expected {low} to {high}");
        return Err(args.fault_at("mtu", &what));
    }
    scope.mtu = bytes.min(wire::MTU);
    Ok(LinkChange::Mtu(bytes))
}

fn read_route(args: &Args<'_>, scope: &Scope<'_>) -> Read<HostVerb> {
    let to = args.needed("to", args.text("to"))?;
    match to.as_str() {
        "peer" if scope.topology == Topology::Loopback => {
            return Err(args.fault("`peer` needs `topology: wire`"));
        }
        "peer" | "default" => {}
        literal if is_network(literal) => {}
        _ => {
            let message = "expected where the route leads: peer, default, \"192.0.2.0/24\"";
            return Err(args.fault(message));
        }
    }
    let kind = args.one_of("type", &RouteKind::ALL);
    Ok(HostVerb::Route { to, kind: kind.unwrap_or(RouteKind::Unreachable) })
}

/// An IP address, or a network in CIDR form.
fn is_network(text: &str) -> bool {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    address.parse::<IpAddr>().is_ok_and(|address| {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        prefix.is_none_or(|prefix| prefix.parse::<u8>().is_ok_and(|len| len <= bits))
    })
}

fn read_sysctl(parts: &Parts<'_>) -> Read<HostVerb> {
    let object = parts.object;
    let object = object.ok_or_else(|| parts.fault("sysctl needs {net.ipv4.tcp_retries2: 3}"))?;
    let values = settings::read_values(object)?;
    if values.is_empty() {
        return Err(object.fault("no settings, expected {net.ipv4.tcp_retries2: 3}"));
    }
    Ok(HostVerb::Sysctl(values))
}
