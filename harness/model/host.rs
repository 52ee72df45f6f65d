//! What happens to the machine around a run: its own namespace's firewall, routes and links.

use super::name::Name;

/// What a `host.` step does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HostVerb {
    /// From now on packets are refused.
    Firewall {
        /// What becomes of them.
        verdict: FirewallVerdict,
        /// Where they are met.
        at: FirewallAt,
        /// Which packets: those to the port of this socket; none: every packet of the case.
        port: Option<Name>,
    },
    /// What was refused there is refused no longer.
    Lift(FirewallAt),
    /// A route.
    Route {
        /// Where to: an address or a network in CIDR form, `peer`, or `default`.
        to: String,
        /// What for: `unreachable`, `blackhole`, `prohibit`, or `none` (taken away).
        kind: RouteKind,
    },
    /// The wire's link (or `lo`) changes.
    Link(LinkChange),
    /// Settings change in the middle of the run.
    Sysctl(Vec<(String, String)>),
    /// A connection is aborted from outside (SOCK_DESTROY, `ss -K`, tcpdrop(8)).
    Destroy {
        /// Its socket, or the listener at which its handshake has begun.
        socket: Name,
        /// The far end of that handshake.
        far: Option<Name>,
    },
}

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words of the case language: tcp-reset, icmp-port, …")]
pub enum FirewallVerdict {
    TcpReset,
    IcmpPort,
    IcmpAdmin,
    IcmpHost,
    Drop,
}

impl FirewallVerdict {
    /// Every verdict with its word.
    pub const ALL: [(FirewallVerdict, &'static str); 5] = [
        (FirewallVerdict::TcpReset, "tcp-reset"),
        (FirewallVerdict::IcmpPort, "icmp-port"),
        (FirewallVerdict::IcmpAdmin, "icmp-admin"),
        (FirewallVerdict::IcmpHost, "icmp-host"),
        (FirewallVerdict::Drop, "drop"),
    ];
}

/// What becomes of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkChange {
    /// It comes up.
    Up,
    /// It goes down.
    Down,
    /// Its packets have at most so many bytes from now on, their IP header included.
    Mtu(u16),
}

/// The word in a verdict's place that lifts a firewall.
pub const LIFTED: &str = "none";

/// Where a firewall meets packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FirewallAt {
    /// On their way in to this machine.
    In,
    /// On their way out of it.
    Out,
    /// On the wire: the scripted peer's side answers or swallows them.
    Path,
}

impl FirewallAt {
    /// Every place with its word.
    pub const ALL: [(FirewallAt, &'static str); 3] =
        [(FirewallAt::In, "in"), (FirewallAt::Out, "out"), (FirewallAt::Path, "path")];
}

/// What a route is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words of ip-route(8)")]
pub enum RouteKind {
    Unreachable,
    Blackhole,
    Prohibit,
    None,
}

impl RouteKind {
    /// Every kind with its word.
    pub const ALL: [(RouteKind, &'static str); 4] = [
        (RouteKind::Unreachable, "unreachable"),
        (RouteKind::Blackhole, "blackhole"),
        (RouteKind::Prohibit, "prohibit"),
        (RouteKind::None, "none"),
    ];
}
