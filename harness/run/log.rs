//! What one run saw, before names and relative numbers are put in place.

use crate::model::call::CallSpec;
use crate::model::case::Family;
use crate::model::name::Name;
use crate::model::transcript::Fate;
use crate::model::{Address, Packet};
use crate::wire::relative::Told;
use std::net::SocketAddr;
use std::time::Duration;

/// One run: one matrix row under one address family.
#[derive(Clone, PartialEq, Debug)]
pub struct RunLog {
    /// Which row of the case.
    pub row: usize,
    /// The address family.
    pub family: Family,
    /// What was done to bring about the given state. Not printed; gives the initial sequence
    /// numbers and the names.
    pub given: Vec<StepLog>,
    /// The steps that were begun, in order.
    pub steps: Vec<StepLog>,
    /// Calls that had not returned at the end, in the order of their beginnings.
    pub blocked: Vec<CallLog>,
    /// The run was ended at this deadline.
    pub deadline: Option<Duration>,
    /// Packets were captured (else their absence means nothing).
    pub captured: bool,
    /// Every step came to rest, and at the end everything was acknowledged and nothing half closed.
    pub settled: bool,
    /// The names behind the tokens of `epoll_wait`.
    pub tokens: Vec<Name>,
}

/// One step.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StepLog {
    /// Which step of the row; none for what `given` did.
    pub index: Option<usize>,
    /// Its line in the case file.
    pub line: u32,
    /// When it began: time since the Unix epoch.
    pub began: Duration,
    /// A step without a call, as it is printed.
    pub note: Option<String>,
    /// For that long nothing was to be sent (`silence`).
    pub silence: Option<Duration>,
    /// The calls of the step, in order, with what came of them until the step had settled.
    pub calls: Vec<CallLog>,
    /// Packets seen until the step had settled, in the order of their stamps.
    pub packets: Vec<Packet>,
    /// The packets that a peer sent in this step.
    pub sent: Vec<Sent>,
    /// What a peer waited for in this step.
    pub awaited: Option<Awaited>,
    /// Calls of earlier steps that returned, in the order of their beginnings.
    pub completed: Vec<CallLog>,
    /// Addresses that sockets were found to hold after the step.
    pub holders: Vec<Holder>,
    /// The step is timed.
    pub timed: bool,
}

/// A packet that a peer sent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sent {
    /// Which of the step's packets it is.
    pub index: usize,
    /// It is a SYN inside a connection that goes on: numbers do not count from it until the far end
    /// accepts it.
    pub aside: bool,
    /// It claims to be somebody else's: the end of the connection whose numbers it has.
    pub like: Option<SocketAddr>,
    /// What is told of its numbers.
    pub told: Told,
}

/// What came of a peer's waiting.
#[derive(Clone, PartialEq, Debug)]
pub struct Awaited {
    /// The packet that it took, of this or an earlier step.
    pub taken: Option<Packet>,
    /// How long it would have waited.
    pub within: Option<Duration>,
}

/// One call.
#[derive(Clone, PartialEq, Debug)]
pub struct CallLog {
    /// The socket.
    pub subject: Name,
    /// The call as the case wrote it.
    pub spec: CallSpec,
    /// How far it got, in this step.
    pub fate: Fate,
    /// Among the pending calls of this subject and verb it is this one, counted from 1.
    pub nth_pending: u32,
    /// When it was begun: time since the Unix epoch.
    pub began: Duration,
    /// How long it took, once it has returned.
    pub took: Option<Duration>,
}

/// A socket holds an address.
#[derive(Clone, PartialEq, Debug)]
pub struct Holder {
    /// The socket.
    pub name: Name,
    /// Its own address.
    pub address: Address,
    /// It is a datagram socket: a TCP and a UDP socket may hold one port, and are two names.
    pub is_datagram: bool,
    /// The listener that accepted it: packets carry the listener's name.
    pub accepted_by: Option<Name>,
}
