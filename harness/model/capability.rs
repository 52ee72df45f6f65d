//! What a machine may or may not be able to do. Logic asks for these, never for a system's name.

use std::fmt;

/// Something that a case needs beyond what its topology needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Capability {
    /// A fresh network namespace for every run.
    Namespace,
    /// Packets on the loopback interface can be seen.
    Capture,
    /// A device whose far end the harness plays.
    Wire,
    /// AF_INET6 sockets and `::1`.
    Ipv6,
    /// AF_UNIX sockets.
    AfUnix,
    /// Processes of the case's own.
    Fork,
    /// Settings of the network stack can be changed for one run alone.
    Sysctl,
    /// A firewall tool that works inside the run's own namespace.
    Firewall,
    /// ICMP errors can be injected.
    IcmpInject,
    /// Connections can be aborted from outside (SOCK_DESTROY, tcpdrop).
    Destroy,
    /// `epoll`.
    Epoll,
    /// There are signals: for a thread that is inside a call, and for a process besides those that
    /// end it anywhere.
    Signal,
    /// What a process may have at most can be set: `setrlimit`.
    Rlimit,
    /// What a process may do beyond others is split up, and can be given up: `capabilities(7)`.
    Capabilities,
    /// A process of the case can become another user.
    OtherUser,
}

impl Capability {
    /// Every capability with the word that a case writes under `needs`.
    pub const ALL: [(Capability, &'static str); 15] = [
        (Capability::Namespace, "namespace"),
        (Capability::Capture, "capture"),
        (Capability::Wire, "wire"),
        (Capability::Ipv6, "ipv6"),
        (Capability::AfUnix, "af-unix"),
        (Capability::Fork, "fork"),
        (Capability::Sysctl, "sysctl"),
        (Capability::Firewall, "firewall"),
        (Capability::IcmpInject, "icmp-inject"),
        (Capability::Destroy, "destroy"),
        (Capability::Epoll, "epoll"),
        (Capability::Signal, "signal"),
        (Capability::Rlimit, "rlimit"),
        (Capability::Capabilities, "capabilities"),
        (Capability::OtherUser, "other-user"),
    ];

    /// The capability that a case calls `word`.
    pub fn from_word(word: &str) -> Option<Capability> {
        Capability::ALL.iter().find(|(_, w)| *w == word).map(|(c, _)| *c)
    }

    /// The word that a case writes.
    pub fn word(self) -> &'static str {
        Capability::ALL.iter().find(|(c, _)| *c == self).map_or("", |(_, word)| word)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why this machine cannot do something, and the one command or change that would help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lack {
    /// A lower-case fragment: `user namespaces are refused`.
    pub reason: String,
    /// The remedy, `sysctl kernel.…=0`; none where nothing helps.
    pub remedy: Option<String>,
}

impl Lack {
    /// A lack without a remedy.
    pub fn new(reason: impl Into<String>) -> Lack {
        Lack { reason: reason.into(), remedy: None }
    }

    /// The same, with a remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Lack {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.remedy {
            Some(remedy) => write!(f, "{}: {}", self.reason, remedy),
            None => f.write_str(&self.reason),
        }
    }
}
