//! What `given` means: the steps that bring the state about, and how it is known to have come.
//!
//! On loopback both ends are local sockets. On the wire every state is reached with real segments,
//! and the local end closes with shutdown(SHUT_WR): it sends the FIN of a close(), and the socket
//! keeps its name. In SYN-SENT, and in SYN-RECEIVED by a simultaneous open, `client` does not
//! block: a connect() that did would belong to the record.

use super::conductor::Conductor;
use super::log::{CallLog, StepLog};
use crate::model::call::{Domain, How, Kind, SocketSpec};
use crate::model::case::{By, State};
use crate::model::option;
use crate::model::peer::{Base, Number, PacketSpec, PeerVerb, SegmentSpec};
use crate::model::transcript::Fate;
use crate::model::{
    Action, AddrBase, AddrExpr, Answer, BadArgs, Call, CallSpec, Given, Name, OptionRef, Outcome,
    Step, Times, Topology,
};
use crate::sys::Trouble;

/// Pending connections that the listener of `given` takes.
const BACKLOG: i32 = 8;
/// The peer of `given`.
const PEER: &str = "peer";

impl Conductor<'_> {
    /// Brings the state about, before the recording.
    ///
    /// # Errors
    /// The state that was not reached.
    pub(super) fn bring_about(&mut self, given: &Given) -> Result<Vec<StepLog>, Trouble> {
        let mut logs = Vec::new();
        for step in steps(given, self.case.topology) {
            self.hesitate()?;
            let log = self.step(None, &step)?;
            let mut calls = log.calls.iter().chain(&log.completed);
            if let Some(call) = calls.find(|call| !went_well(call)) {
                let (verb, fate) = (call.spec.call.verb(), &call.fate);
                let what = format!("given: {}.{verb} did not succeed: {fate:?}", call.subject);
                return Err(Trouble::Failed(what));
            }
            logs.push(log);
        }
        if let Some(pending) = self.pending.first() {
            let (subject, verb) = (&pending.log.subject, pending.log.spec.call.verb());
            let what = format!("given: {subject}.{verb} has not returned");
            return Err(Trouble::Failed(what));
        }
        if self.case.topology == Topology::Wire {
            self.check_reached(given)?;
        }
        if let Some(peers) = &mut self.peers {
            peers.take_all();
        }
        Ok(logs)
    }

    fn check_reached(&mut self, given: &Given) -> Result<(), Trouble> {
        let failed = |what: String| Err(Trouble::Failed(format!("given: {what}")));
        let socket = match (given.state, given.by) {
            (State::Closed | State::Listen, _) => return Ok(()),
            (State::SynReceived, By::Accept) => {
                let peer = Name::new(PEER);
                let answered = self.peers.as_ref().is_some_and(|peers| peers.is_answered(&peer));
                return if answered {
                    Ok(())
                } else {
                    failed("the listener did not answer the peer's SYN".to_owned())
                };
            }
            (_, By::Connect) => "client",
            (_, By::Accept) => "conn",
        };
        let Some(option) = option::find("TCP_INFO") else {
            return Ok(());
        };
        let ask = Call::Getsockopt { option: OptionRef::Known(option), fields: Vec::new() };
        let log = self.step(None, &step(socket, ask))?;
        let returned = log.calls.first().map(|call| &call.fate);
        let wanted = words(given.state);
        match returned {
            Some(Fate::Returned(Outcome { answer: Answer::Word(word), .. }))
                if !wanted.contains(&word.as_str()) =>
            {
                failed(format!("{socket} is {word}, not {}", wanted.join(" or ")))
            }
            _ => Ok(()),
        }
    }
}

/// The words of TCP_INFO for a state.
fn words(state: State) -> &'static [&'static str] {
    match state {
        State::Closed => &["CLOSE"],
        State::Listen => &["LISTEN"],
        State::SynSent => &["SYN_SENT"],
        State::SynReceived => &["SYN_RECV"],
        State::Established => &["ESTABLISHED"],
        State::FinWait1 => &["FIN_WAIT1"],
        State::FinWait2 => &["FIN_WAIT2"],
        State::CloseWait => &["CLOSE_WAIT"],
        State::Closing => &["CLOSING"],
        State::LastAck => &["LAST_ACK"],
        // Linux keeps TIME-WAIT apart from the socket.
        State::TimeWait => &["TIME_WAIT", "CLOSE"],
    }
}

fn went_well(call: &CallLog) -> bool {
    match &call.fate {
        Fate::Returned(outcome) | Fate::Completed(outcome) => match outcome.errno() {
            None => true,
            Some(errno) => {
                // The second on Windows.
                let begun = ["EINPROGRESS", "EAGAIN"].contains(&errno.name());
                begun && matches!(call.spec.call, Call::Connect(_))
            }
        },
        Fate::Pending => true,
        Fate::StillBlocked | Fate::NotIssued(_) => false,
    }
}

/// The steps before the first.
fn steps(given: &Given, topology: Topology) -> Vec<Step> {
    match topology {
        Topology::Loopback => on_loopback(given.state),
        Topology::Wire => on_wire(given),
    }
}

/// `server` listening, an unconnected `client`, and for `established` both ends of a connection.
fn on_loopback(state: State) -> Vec<Step> {
    let mut steps = Vec::new();
    if matches!(state, State::Listen | State::Established) {
        steps.extend(listener(AddrBase::Loopback));
        steps.push(step("client", Call::Socket(tcp(false))));
    }
    if state == State::Established {
        let server = AddrBase::Socket(Name::new("server"));
        steps.push(step("client", Call::Connect(address(server))));
        steps.push(accept());
    }
    steps
}

fn on_wire(given: &Given) -> Vec<Step> {
    let mut steps = match (given.state, given.by) {
        (State::Closed, _) => Vec::new(),
        (_, By::Accept) | (State::Listen, _) => listener(AddrBase::Local).to_vec(),
        (state, By::Connect) => {
            let half_open = matches!(state, State::SynSent | State::SynReceived);
            let peer = address(AddrBase::Peer(Name::new(PEER)));
            let connect = step("client", Call::Connect(peer));
            let blocks = !half_open;
            vec![step("client", Call::Socket(tcp(half_open))), Step { blocks, ..connect }]
        }
    };
    match (given.state, given.by) {
        (State::Closed | State::Listen | State::SynSent, _) => return steps,
        (State::SynReceived, _) => {
            steps.push(syn("S", given));
            return steps;
        }
        (_, By::Accept) => steps.extend([syn("S", given), segment(".", None), accept()]),
        (_, By::Connect) => steps.push(syn("S.", given)),
    }
    let socket = match given.by {
        By::Connect => "client",
        By::Accept => "conn",
    };
    steps.extend(closing(given.state, socket));
    steps
}

/// From an established connection to a later state.
fn closing(state: State, socket: &str) -> Vec<Step> {
    let fin = || step(socket, Call::Shutdown(How::Wr));
    // The peer's FIN crosses ours: it acknowledges all but that.
    let una = Number::Relative { base: Base::Una, offset: 0 };
    match state {
        State::FinWait1 => vec![fin()],
        State::FinWait2 => vec![fin(), segment(".", None)],
        State::Closing => vec![fin(), segment("F.", Some(una))],
        State::TimeWait => vec![fin(), segment(".", None), segment("F.", None)],
        State::CloseWait => vec![segment("F.", None)],
        State::LastAck => vec![segment("F.", None), fin()],
        _ => Vec::new(),
    }
}

fn listener(address_of: AddrBase) -> [Step; 3] {
    [
        step("server", Call::Socket(tcp(false))),
        step("server", Call::Bind(address(address_of))),
        step("server", Call::Listen(BACKLOG)),
    ]
}

fn accept() -> Step {
    let accept = Call::Accept { name: Name::new("conn"), flags: Vec::new(), show_address: false };
    step("server", accept)
}

/// The peer's SYN.
fn syn(flags: &str, given: &Given) -> Step {
    sent(SegmentSpec { options: given.options.clone(), ..spec(flags) })
}

fn segment(flags: &str, ack: Option<Number>) -> Step {
    sent(SegmentSpec { ack, ..spec(flags) })
}

fn spec(flags: &str) -> SegmentSpec {
    let flags = flags.parse().expect("flags in tcpdump's letters");
    SegmentSpec { flags, ..SegmentSpec::default() }
}

fn sent(spec: SegmentSpec) -> Step {
    let verb = PeerVerb::Send(PacketSpec::Tcp(spec));
    of(Action::Peer { peer: Name::new(PEER), verb })
}

fn step(subject: &str, call: Call) -> Step {
    let spec = CallSpec { call, bad: BadArgs::default() };
    of(Action::Calls { subject: Name::new(subject), calls: vec![spec] })
}

fn of(action: Action) -> Step {
    Step { line: 0, action, blocks: false, timed: false, times: Times::Count(1), patience: None }
}

fn tcp(nonblock: bool) -> SocketSpec {
    SocketSpec {
        word: Some("tcp"),
        domain: Domain::OfRun,
        kind: Kind::Stream,
        protocol: 0,
        nonblock,
    }
}

fn address(base: AddrBase) -> AddrExpr {
    AddrExpr { base, port: None }
}
