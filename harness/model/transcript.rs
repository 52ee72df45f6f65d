//! What happened: the body of a snapshot, still in parts. `render` gives each part its one
//! spelling.

use super::call::CallSpec;
use super::case::Family;
use super::flags::TcpFlags;
use super::name::Name;
use super::outcome::Outcome;
use std::time::Duration;

/// What one case did: a section for each matrix row and family that has something of its own to
/// say.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Transcript {
    /// In the order of the matrix.
    pub sections: Vec<Section>,
}

/// One run.
#[derive(Clone, PartialEq, Debug)]
pub struct Section {
    /// The matrix row, `[("how", "rd")]`.
    pub at: Vec<(String, String)>,
    /// The address family of the run.
    pub family: Family,
    /// The steps in order; the last may belong to no step (calls that never returned).
    pub steps: Vec<StepRecord>,
}

/// What one step did.
#[derive(Clone, PartialEq, Debug)]
pub struct StepRecord {
    /// Which step, counted from 0; none for what is told after the last step.
    pub step: Option<usize>,
    /// Its line in the case file.
    pub line: u32,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// One line of a transcript (or several equal ones).
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A call: begun, returned, or not issued.
    Call(CallEvent),
    /// A packet.
    Packet(PacketEvent),
    /// A step without a call, printed as it is: `pause 300ms`, `worker.kill(SIGKILL)`,
    /// `worker.wait() = killed by SIGPIPE`.
    Note(String),
    /// Nothing was sent for that long.
    Nothing(Duration),
    /// The run was ended at its deadline.
    Deadline(Duration),
}

/// A call in a transcript.
#[derive(Clone, PartialEq, Debug)]
pub struct CallEvent {
    /// The socket.
    pub subject: Name,
    /// The call as the case wrote it.
    pub spec: CallSpec,
    /// How far it got.
    pub fate: Fate,
    /// Which of several pending calls of one name this is: 1 prints as nothing, 2 as `#2`.
    pub nth_pending: u32,
    /// How often in a row.
    pub count: u32,
    /// How long it took, where the step is timed: a band.
    pub band: Option<&'static str>,
    /// The outcome with names in place of addresses: what stands behind `= `. Empty unless the
    /// call returned.
    pub returned: String,
}

/// How far a call got in the step that this event belongs to.
#[derive(Clone, PartialEq, Debug)]
pub enum Fate {
    /// It returned in its own step.
    Returned(Outcome),
    /// It is still inside: `server.accept() ...`
    Pending,
    /// It returned in a later step: `... server.accept() = fd conn`
    Completed(Outcome),
    /// It had not returned when the case ended: `... server.accept() still blocked`
    StillBlocked,
    /// It could not be made: `conn.recv(128) not issued: no conn`
    NotIssued(String),
}

/// A packet in a transcript.
#[derive(Clone, PartialEq, Debug)]
pub struct PacketEvent {
    /// Its sender's name.
    pub from: String,
    /// Its receiver's name.
    pub to: String,
    /// What it is.
    pub what: PacketWhat,
    /// Numbers that are printed as the case wrote them.
    pub forms: NumberForms,
    /// Shown on request, in this order: `win 512`, `options [mss 65495,sackOK]`, `ttl 64`,
    /// `tos 2 ECT(0)`, `df`.
    pub extras: Vec<String>,
    /// How often in a row.
    pub count: u32,
    /// Time since the line before, where the step is timed: a band.
    pub band: Option<&'static str>,
    /// The bytes, as hexadecimal digits (for `--json`).
    pub hex: String,
}

/// How a case wrote the numbers of a segment that a peer sent, `nxt+100`: printed in place of the
/// numbers themselves, which depend on the system's window and initial number.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NumberForms {
    /// For the sequence number.
    pub seq: Option<String>,
    /// For the acknowledgment number, where the segment has the ACK flag.
    pub ack: Option<String>,
}

/// What a packet is, with relative numbers.
#[derive(Clone, PartialEq, Debug)]
pub enum PacketWhat {
    /// A TCP segment.
    Tcp {
        /// Flags.
        flags: TcpFlags,
        /// Sequence number, relative to the sender's initial one.
        seq: i64,
        /// Acknowledgment number, relative to the initial number of the far end; none without ACK.
        ack: Option<i64>,
        /// Payload in bytes.
        len: usize,
        /// The window, unscaled. Zero is always shown, any other value only on request.
        window: u16,
        /// The urgent pointer, where the flag URG says that it means something.
        urgent: Option<u16>,
        /// Reserved bits, as [`super::packet::TcpSegment`] has them; shown where there are any.
        reserved: u8,
    },
    /// A UDP datagram.
    Udp {
        /// Payload in bytes.
        len: usize,
    },
    /// An ICMP or ICMPv6 error.
    Icmp {
        /// `port-unreachable` …
        word: String,
        /// `client > peer udp`: the packet it quotes.
        quoted: Option<String>,
        /// Payload bytes of what quotes none, an echo.
        len: Option<usize>,
    },
    /// Anything else, by IP protocol number.
    Other {
        /// The number.
        protocol: u8,
    },
}
