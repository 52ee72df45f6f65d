//! Socket options by name, and the kind of value that each one takes.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// An option as a case asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum OptionRef {
    /// By its name.
    Known(SocketOption),
    /// By number, which may be nobody's. Its value is an `int`.
    Number {
        /// The level.
        level: Level,
        /// The option's number in that level: the system's own.
        option: i32,
    },
}

impl OptionRef {
    /// The kind of its value.
    pub fn kind(self) -> OptionKind {
        match self {
            OptionRef::Known(option) => option.kind,
            OptionRef::Number { .. } => OptionKind::Int,
        }
    }
}

/// The level of an option. That of a protocol is the protocol's number, on every system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Level {
    /// SOL_SOCKET, whose number is the system's own.
    Socket,
    /// Any other.
    Number(i32),
}

impl Level {
    /// The levels that have a name.
    pub const NAMED: [(Level, &'static str); 5] = [
        (Level::Socket, "SOL_SOCKET"),
        (Level::Number(0), "IPPROTO_IP"),
        (Level::Number(6), "IPPROTO_TCP"),
        (Level::Number(17), "IPPROTO_UDP"),
        (Level::Number(41), "IPPROTO_IPV6"),
    ];
}

/// A socket option that a case may name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SocketOption {
    /// `SO_REUSEADDR`, as the headers spell it.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: OptionKind,
}

impl Serialize for SocketOption {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for SocketOption {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SocketOption, D::Error> {
        let name = String::deserialize(deserializer)?;
        find(&name).ok_or_else(|| D::Error::custom(format!("no option {name}")))
    }
}

/// What the value of an option is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OptionKind {
    /// An `int`.
    Int,
    /// `struct linger`.
    Linger,
    /// `struct timeval`; `DWORD` milliseconds on Windows.
    Time,
    /// An `int` that counts milliseconds (TCP_USER_TIMEOUT).
    Millis,
    /// An `int` that counts seconds (TCP_KEEPIDLE).
    Seconds,
    /// An errno, read only (SO_ERROR).
    Error,
    /// Text (TCP_CONGESTION).
    Text,
    /// `struct tcp_info`, of which the connection state is shown.
    TcpInfo,
}

/// A value to set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum OptionValue {
    /// A number. For [`OptionKind::Linger`] and [`OptionKind::Time`] it is handed over as an `int`,
    /// which most systems refuse.
    Int(i64),
    /// `struct linger`; `linger` in seconds.
    Linger {
        /// Whether close() lingers at all.
        onoff: i32,
        /// For how long, in seconds; 0 asks for an abort.
        linger: i32,
    },
    /// A span of time, in the unit that the option takes.
    Time(Duration),
    /// `struct timeval` as it stands, which may be no span of time.
    Timeval {
        /// `tv_sec`
        sec: i64,
        /// `tv_usec`
        usec: i64,
    },
    /// Text, handed over without a terminating zero.
    Text(String),
    /// This many zero bytes: an option length of the case's own choosing.
    Zeros(u32),
}

const fn option(name: &'static str, kind: OptionKind) -> SocketOption {
    SocketOption { name, kind }
}

/// Every option that the language knows. Which of them a system has is the business of `sys`.
pub const OPTIONS: &[SocketOption] = &[
    option("SO_REUSEADDR", OptionKind::Int),
    option("SO_REUSEPORT", OptionKind::Int),
    option("SO_REUSEPORT_LB", OptionKind::Int),
    option("SO_EXCLUSIVEADDRUSE", OptionKind::Int),
    option("SO_LINGER", OptionKind::Linger),
    option("SO_KEEPALIVE", OptionKind::Int),
    option("SO_BROADCAST", OptionKind::Int),
    option("SO_OOBINLINE", OptionKind::Int),
    option("SO_DONTROUTE", OptionKind::Int),
    option("SO_BINDTODEVICE", OptionKind::Text),
    option("SO_RCVBUF", OptionKind::Int),
    option("SO_SNDBUF", OptionKind::Int),
    option("SO_RCVLOWAT", OptionKind::Int),
    option("SO_SNDLOWAT", OptionKind::Int),
    option("SO_RCVTIMEO", OptionKind::Time),
    option("SO_SNDTIMEO", OptionKind::Time),
    option("SO_ERROR", OptionKind::Error),
    option("SO_TYPE", OptionKind::Int),
    option("SO_PROTOCOL", OptionKind::Int),
    option("SO_DOMAIN", OptionKind::Int),
    option("SO_ACCEPTCONN", OptionKind::Int),
    option("SO_TIMESTAMP", OptionKind::Int),
    option("SO_TIMESTAMPNS", OptionKind::Int),
    option("SO_RXQ_OVFL", OptionKind::Int),
    option("SO_PRIORITY", OptionKind::Int),
    option("SO_MARK", OptionKind::Int),
    option("SO_NOSIGPIPE", OptionKind::Int),
    option("SO_USELOOPBACK", OptionKind::Int),
    option("SO_PASSCRED", OptionKind::Int),
    option("SO_INCOMING_CPU", OptionKind::Int),
    option("SO_BUSY_POLL", OptionKind::Int),
    option("SO_ZEROCOPY", OptionKind::Int),
    option("SO_PEEK_OFF", OptionKind::Int),
    option("TCP_NODELAY", OptionKind::Int),
    option("TCP_MAXSEG", OptionKind::Int),
    option("TCP_CORK", OptionKind::Int),
    option("TCP_NOPUSH", OptionKind::Int),
    option("TCP_KEEPIDLE", OptionKind::Seconds),
    option("TCP_KEEPALIVE", OptionKind::Seconds),
    option("TCP_KEEPINTVL", OptionKind::Seconds),
    option("TCP_KEEPCNT", OptionKind::Int),
    option("TCP_KEEPINIT", OptionKind::Seconds),
    option("TCP_SYNCNT", OptionKind::Int),
    option("TCP_LINGER2", OptionKind::Seconds),
    option("TCP_DEFER_ACCEPT", OptionKind::Seconds),
    option("TCP_WINDOW_CLAMP", OptionKind::Int),
    option("TCP_QUICKACK", OptionKind::Int),
    option("TCP_CONGESTION", OptionKind::Text),
    option("TCP_USER_TIMEOUT", OptionKind::Millis),
    option("TCP_CONNECTIONTIMEOUT", OptionKind::Seconds),
    option("TCP_MAXRT", OptionKind::Seconds),
    option("TCP_FASTOPEN", OptionKind::Int),
    option("TCP_FASTOPEN_CONNECT", OptionKind::Int),
    option("TCP_NOTSENT_LOWAT", OptionKind::Int),
    option("TCP_TIMESTAMP", OptionKind::Int),
    option("TCP_INQ", OptionKind::Int),
    option("TCP_SAVE_SYN", OptionKind::Int),
    option("TCP_ULP", OptionKind::Text),
    option("TCP_INFO", OptionKind::TcpInfo),
    option("TCP_RTO_MAX_MS", OptionKind::Millis),
    option("IP_TTL", OptionKind::Int),
    option("IP_TOS", OptionKind::Int),
    option("IP_RECVTTL", OptionKind::Int),
    option("IP_RECVTOS", OptionKind::Int),
    option("IP_MINTTL", OptionKind::Int),
    option("IP_MULTICAST_TTL", OptionKind::Int),
    option("IP_MULTICAST_LOOP", OptionKind::Int),
    option("IP_RECVERR", OptionKind::Int),
    option("IP_MTU", OptionKind::Int),
    option("IP_MTU_DISCOVER", OptionKind::Int),
    option("IP_FREEBIND", OptionKind::Int),
    option("IP_TRANSPARENT", OptionKind::Int),
    option("IP_BIND_ADDRESS_NO_PORT", OptionKind::Int),
    option("IP_PKTINFO", OptionKind::Int),
    option("IP_DONTFRAG", OptionKind::Int),
    option("IPV6_V6ONLY", OptionKind::Int),
    option("IPV6_UNICAST_HOPS", OptionKind::Int),
    option("IPV6_TCLASS", OptionKind::Int),
    option("IPV6_RECVHOPLIMIT", OptionKind::Int),
    option("IPV6_RECVTCLASS", OptionKind::Int),
    option("IPV6_MINHOPCOUNT", OptionKind::Int),
    option("IPV6_MULTICAST_HOPS", OptionKind::Int),
    option("IPV6_MULTICAST_LOOP", OptionKind::Int),
    option("IPV6_MTU", OptionKind::Int),
    option("IPV6_RECVERR", OptionKind::Int),
    option("IPV6_MTU_DISCOVER", OptionKind::Int),
    option("IPV6_RECVPKTINFO", OptionKind::Int),
    option("IPV6_DONTFRAG", OptionKind::Int),
    option("UDP_SEGMENT", OptionKind::Int),
    option("UDP_GRO", OptionKind::Int),
];

/// Fields of `struct tcp_info` (`<linux/tcp.h>`, `<netinet/tcp.h>`) that a case may ask for. Times
/// and rates are none of them: they are others in each run.
pub const TCP_INFO_FIELDS: &[&str] = &[
    "tcpi_ca_state",
    "tcpi_retransmits",
    "tcpi_probes",
    "tcpi_backoff",
    "tcpi_options",
    "tcpi_snd_mss",
    "tcpi_rcv_mss",
    "tcpi_unacked",
    "tcpi_sacked",
    "tcpi_lost",
    "tcpi_retrans",
    "tcpi_pmtu",
    "tcpi_snd_ssthresh",
    "tcpi_snd_cwnd",
    "tcpi_advmss",
    "tcpi_reordering",
    "tcpi_total_retrans",
    "tcpi_bytes_acked",
    "tcpi_bytes_received",
    "tcpi_segs_out",
    "tcpi_segs_in",
    "tcpi_notsent_bytes",
    "tcpi_data_segs_in",
    "tcpi_data_segs_out",
    "tcpi_delivered",
    "tcpi_delivered_ce",
    "tcpi_bytes_sent",
    "tcpi_bytes_retrans",
    "tcpi_dsack_dups",
    "tcpi_reord_seen",
    "tcpi_rcv_ooopack",
];

/// The level that an option has by the custom of names, for one that has no name here.
pub fn usual_level(name: &str) -> &'static str {
    let levels = [
        ("SO_", "SOL_SOCKET"),
        ("TCP_", "IPPROTO_TCP"),
        ("UDP_", "IPPROTO_UDP"),
        ("IPV6_", "IPPROTO_IPV6"),
    ];
    let found = levels.iter().find(|(start, _)| name.starts_with(start));
    found.map_or("IPPROTO_IP", |(_, level)| level)
}

/// The option of this name.
pub fn find(name: &str) -> Option<SocketOption> {
    OPTIONS.iter().copied().find(|option| option.name == name)
}
