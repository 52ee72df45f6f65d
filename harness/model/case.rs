//! A case: one question, as the sequence of steps that asks it.

use super::call::CallSpec;
use super::capability::Capability;
use super::claim::Claim;
use super::host::HostVerb;
use super::name::Name;
use super::peer::{PeerVerb, TcpOption};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A case's path below `cases/` without its extension: `rst/close-unread-data`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CaseId(pub String);

impl CaseId {
    /// The folder: `rst`, or nothing for a case outside any.
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One question.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// The file that it was read from, as it should be shown to a person.
    pub path: PathBuf,
    /// The question, in words.
    pub about: String,
    /// References: `RFC 9293 §3.10.7.1`.
    pub spec: Vec<String>,
    /// Catalogue entries and article situations that it answers.
    pub covers: Vec<String>,
    /// Words to select cases by.
    pub tags: Vec<String>,
    /// What is at the far end.
    pub topology: Topology,
    /// The address families to run under, in the order written; never empty.
    pub families: Vec<Family>,
    /// What the machine must be able to do beyond what the topology needs.
    pub needs: Vec<Capability>,
    /// Processes, each with the sockets that live in it.
    pub processes: Vec<(Name, Vec<Name>)>,
    /// What the transcript shows beyond the usual, or leaves out.
    pub show: Show,
    /// How long a call without `blocks: true` may stay inside.
    pub patience: Duration,
    /// How long a run may take.
    pub deadline: Duration,
    /// What somebody says happens.
    pub claims: Vec<Claim>,
    /// The rows of the matrix; a case without a matrix has one row with an empty name.
    pub rows: Vec<Row>,
    /// The hash of the question (everything but about, spec, covers, tags, claims and comments):
    /// 16 hexadecimal digits.
    pub hash: String,
}

/// One combination of the matrix, with `$how` replaced.
#[derive(Clone, Debug)]
pub struct Row {
    /// `[("how", "rd")]`: the name and the value as the transcript prints it.
    pub at: Vec<(String, String)>,
    /// The state before recording starts.
    pub given: Given,
    /// Settings to pin, by platform.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// What is at the far end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topology {
    /// Both ends are sockets of this machine.
    Loopback,
    /// The far end is the scripted peer.
    Wire,
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Topology::Loopback => "loopback",
            Topology::Wire => "wire",
        })
    }
}

/// The address family of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::V4 => "ipv4",
            Family::V6 => "ipv6",
        })
    }
}

/// The state brought about before recording starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// The state of the connection.
    pub state: State,
    /// Whether the local socket connected (then it is `client`) or accepted (`conn`). On loopback
    /// both ends exist and this has no meaning.
    pub by: By,
    /// The options of the peer's SYN, on the wire; none: those of any other SYN.
    pub options: Option<Vec<TcpOption>>,
}

impl Given {
    /// Nothing is brought about.
    pub const CLOSED: Given = Given { state: State::Closed, by: By::Connect, options: None };
}

/// Which call made the local socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// connect().
    Connect,
    /// accept().
    Accept,
}

/// The connection states of RFC 9293 §3.3.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the RFC's own")]
pub enum State {
    Closed,
    Listen,
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
}

impl State {
    /// Every state with the word that a case writes.
    pub const ALL: [(State, &'static str); 11] = [
        (State::Closed, "closed"),
        (State::Listen, "listen"),
        (State::SynSent, "syn-sent"),
        (State::SynReceived, "syn-received"),
        (State::Established, "established"),
        (State::FinWait1, "fin-wait-1"),
        (State::FinWait2, "fin-wait-2"),
        (State::CloseWait, "close-wait"),
        (State::Closing, "closing"),
        (State::LastAck, "last-ack"),
        (State::TimeWait, "time-wait"),
    ];
}

/// What the transcript shows beyond the usual, or leaves out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Show {
    /// Packet fields: `options`, `window`, `ttl`, `tos`, `df`.
    pub fields: Vec<ShowField>,
    /// Keep only the lines of these calls: (subject, verb).
    pub calls: Option<Vec<(Name, String)>>,
}

/// A packet field that is shown only on request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the header fields'")]
pub enum ShowField {
    Options,
    Window,
    Ttl,
    Tos,
    Df,
}

impl ShowField {
    /// Every field with the word that a case writes.
    pub const ALL: [(ShowField, &'static str); 5] = [
        (ShowField::Options, "options"),
        (ShowField::Window, "window"),
        (ShowField::Ttl, "ttl"),
        (ShowField::Tos, "tos"),
        (ShowField::Df, "df"),
    ];
}

/// One step.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Line of the case file; 1 is the first, 0 unknown.
    pub line: u32,
    /// What it does.
    pub action: Action,
    /// The call belongs to a second thread: the case goes on as soon as it sleeps in the kernel.
    pub blocks: bool,
    /// Durations are part of the record, in bands.
    pub timed: bool,
    /// How often.
    pub times: Times,
    /// In place of the case's patience.
    pub patience: Option<Duration>,
}

/// How often a step's call is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Times {
    /// That often; usually once.
    Count(u32),
    /// Until it fails, at most [`super::limits::UNTIL_ERROR_MAX`] times.
    UntilError,
}

/// What a step does.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// One call, or several of a kind in the order written (`setsockopt` with several options).
    Calls {
        /// The socket.
        subject: Name,
        /// The calls.
        calls: Vec<CallSpec>,
    },
    /// Something is done to a process of the case.
    Process {
        /// The process.
        process: Name,
        /// What.
        verb: ProcessVerb,
    },
    /// A peer of the wire does something.
    Peer {
        /// `peer`, `peer2`, … or `router`.
        peer: Name,
        /// What.
        verb: PeerVerb,
    },
    /// Something is done to the machine around the run.
    Host(HostVerb),
    /// The thread that is inside a call of this socket is sent a signal whose handler does nothing.
    Signal {
        /// The socket; of several calls inside, the one begun last.
        to: Name,
        /// The handler was installed with SA_RESTART.
        restart: bool,
    },
    /// Time passes.
    Pause(Duration),
    /// Time passes, and that nothing was sent (or what was) is recorded.
    Silence(Duration),
}

/// What can be done to a process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProcessVerb {
    /// Send it a signal, `SIGKILL`; the step ends when the process is gone (if the signal ends it).
    Kill(String),
    /// From now on it cannot make descriptors of this number and above: the soft limit
    /// RLIMIT_NOFILE.
    Setrlimit(u32),
    /// It gives up its capabilities, for good.
    Drop,
    /// It becomes the user `nobody`, for good.
    Setuid,
    /// It calls exit(0).
    Exit,
    /// Its end is awaited and told.
    Wait,
}
