//! One run as a section of the transcript.

use super::collapse::collapse;
use super::extras::Extras;
use super::names::{Names, PacketEnd, icmp_sender, ip_word};
use crate::model::case::Row;
use crate::model::packet::{Icmp, PacketBody, Quoted};
use crate::model::peer::{PacketSpec, PeerVerb};
use crate::model::time::band;
use crate::model::transcript::{
    CallEvent, Event, Fate, PacketEvent, PacketWhat, Section, StepRecord,
};
use crate::model::wire::peer_port;
use crate::model::{
    Action, AddrBase, AddrExpr, Address, Answer, Call, Case, Errno, Name, Outcome, Packet,
    PortExpr, ProcessVerb, Step, TcpFlags, Topology,
};
use crate::render::{Naming, answer, number_forms, peer_answer};
use crate::run::log::{CallLog, RunLog, Sent, StepLog};
use crate::wire::relative::Relative;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Makes the section of one run.
pub(super) fn section(case: &Case, log: &RunLog) -> Section {
    let row = case.rows.get(log.row);
    let mut recorder = Recorder {
        case,
        row,
        log,
        names: match case.topology {
            Topology::Loopback => Names::default(),
            Topology::Wire => Names::with_peers(log.family, row.map_or_else(BTreeSet::new, ports)),
        },
        shown: Vec::new(),
        relative: Relative::default(),
        extras: Extras::new(&case.show),
        pending: Vec::new(),
    };
    for step in &log.given {
        recorder.step(step);
    }
    let mut steps: Vec<StepRecord> = log.steps.iter().map(|step| recorder.step(step)).collect();
    steps.push(recorder.end());
    if let Some(calls) = &case.show.calls {
        for step in &mut steps {
            step.events.retain(|event| is_chosen(event, calls));
        }
    }
    steps.retain(|step| !step.events.is_empty());
    Section { at: row.map(|row| row.at.clone()).unwrap_or_default(), family: log.family, steps }
}

/// Whether `show: {calls: …}` keeps an event. A deadline is kept: without it half a record would
/// look like a whole one.
fn is_chosen(event: &Event, calls: &[(Name, String)]) -> bool {
    match event {
        Event::Call(call) => {
            calls.iter().any(|(name, verb)| *name == call.subject && verb == call.spec.call.verb())
        }
        Event::Deadline(_) => true,
        Event::Packet(_) | Event::Note(_) | Event::Nothing(_) => false,
    }
}

/// What is known at a moment of the run.
struct Recorder<'a> {
    case: &'a Case,
    row: Option<&'a Row>,
    log: &'a RunLog,
    names: Names,
    relative: Relative,
    extras: Extras<'a>,
    /// What has been told of the packets that a peer may take, on the wire.
    shown: Vec<(&'a Packet, PacketEvent)>,
    /// Calls that have not returned, and whether their step is timed.
    pending: Vec<(&'a CallLog, bool)>,
}

impl<'a> Recorder<'a> {
    fn step(&mut self, step: &'a StepLog) -> StepRecord {
        self.note_ends(step);
        for holder in &step.holders {
            self.names.hold(holder);
        }
        for call in &step.calls {
            self.note_turn(call);
        }
        let packets = self.packets(step);
        let heads = step.calls.iter().map(|call| self.call(call, step.timed));
        let mut events: Vec<Event> = self.note(step).map(Event::Note).into_iter().collect();
        events.extend(collapse(heads.collect(), false));
        events.extend(packets);
        let is_silent = step.packets.is_empty() && self.log.captured;
        events.extend(step.silence.filter(|_| is_silent).map(Event::Nothing));
        for call in &step.completed {
            let timed = self.forget(call) || step.timed;
            events.push(self.call(call, timed));
        }
        let begun = step.calls.iter().filter(|call| call.fate == Fate::Pending);
        self.pending.extend(begun.map(|call| (call, step.timed)));
        StepRecord { step: step.index, line: step.line, events }
    }

    /// What is told after the last step.
    fn end(&self) -> StepRecord {
        let blocked = self.log.blocked.iter().map(|call| {
            let call = CallLog { fate: Fate::StillBlocked, ..call.clone() };
            self.call(&call, false)
        });
        StepRecord {
            step: None,
            line: 0,
            events: blocked.chain(self.log.deadline.map(Event::Deadline)).collect(),
        }
    }

    /// A socket that turned to another one.
    fn note_turn(&mut self, call: &CallLog) {
        let (Call::Connect(to) | Call::Send { to: Some(to), .. }) = &call.spec.call else {
            return;
        };
        let port = match (&to.port, &to.base) {
            (Some(PortExpr::Of(socket)), _) | (None, AddrBase::Socket(socket)) => {
                self.names.port_of(socket)
            }
            (None, AddrBase::Peer(peer)) => peer_port(peer),
            _ => written_port(to),
        };
        if let Some(port) = port {
            self.names.turn_to(&call.subject, port);
        }
    }

    /// Sockets that the step closed, by close() or with their process.
    fn note_ends(&mut self, step: &StepLog) {
        for call in step.calls.iter().chain(&step.completed) {
            let (Fate::Returned(outcome) | Fate::Completed(outcome)) = &call.fate else {
                continue;
            };
            if matches!(outcome.answer, Answer::Died(_)) {
                let host = self.case.processes.iter();
                let host = host.filter(|(_, sockets)| sockets.contains(&call.subject));
                let dead = host.flat_map(|(_, sockets)| sockets).cloned().collect();
                self.close_all(dead);
            }
            if is_close(call, outcome) {
                self.names.close(&call.subject);
            }
        }
        if let Some(Action::Process { process, verb }) = self.action(step)
            && matches!(verb, ProcessVerb::Kill(_) | ProcessVerb::Exit)
        {
            let host = self.case.processes.iter().find(|(name, _)| name == process);
            self.close_all(host.map(|(_, sockets)| sockets.clone()).unwrap_or_default());
        }
    }

    fn close_all(&mut self, sockets: Vec<Name>) {
        for socket in &sockets {
            self.names.close(socket);
        }
    }

    /// Takes a call that has returned off the pending ones; tells whether it is timed.
    fn forget(&mut self, call: &CallLog) -> bool {
        let is_it = |pending: &&CallLog| {
            pending.subject == call.subject
                && pending.nth_pending == call.nth_pending
                && pending.spec == call.spec
        };
        let at = self.pending.iter().position(|(pending, _)| is_it(pending));
        at.is_some_and(|at| self.pending.remove(at).1)
    }

    fn call(&self, call: &CallLog, timed: bool) -> Event {
        let returned = match &call.fate {
            Fate::Returned(outcome) | Fate::Completed(outcome) => {
                let asked = Asked { recorder: self, asker: &call.subject };
                answer(&call.subject, &call.spec.call, outcome, &asked)
            }
            Fate::Pending | Fate::StillBlocked | Fate::NotIssued(_) => String::new(),
        };
        Event::Call(CallEvent {
            subject: call.subject.clone(),
            spec: call.spec.clone(),
            fate: call.fate.clone(),
            nth_pending: call.nth_pending,
            count: 1,
            band: call.took.filter(|_| timed && !returned.is_empty()).map(band),
            returned,
        })
    }

    /// The head line of a step without a call.
    fn note(&self, step: &StepLog) -> Option<String> {
        let note = step.note.as_ref()?;
        let Some(awaited) = &step.awaited else {
            return Some(note.clone());
        };
        let is_it = |packet: &Packet| awaited.taken.as_ref() == Some(packet);
        let taken = self.shown.iter().find(|(packet, _)| is_it(packet));
        let answer = peer_answer(taken.map(|(_, event)| event), awaited.within);
        Some(format!("{note} = {answer}"))
    }

    fn packets(&mut self, step: &'a StepLog) -> Vec<Event> {
        let mut before = step.calls.first().map_or(step.began, |call| call.began);
        let mut events = Vec::with_capacity(step.packets.len());
        for (index, packet) in step.packets.iter().enumerate() {
            let passed = packet.at.saturating_sub(before);
            before = packet.at;
            let sent = step.sent.iter().find(|sent| sent.index == index).copied();
            let event = self.packet(packet, step, sent, passed);
            if self.case.topology == Topology::Wire {
                let band = None;
                self.shown.push((packet, PacketEvent { band, ..event.clone() }));
            }
            events.push(Event::Packet(event));
        }
        collapse(events, step.calls.len() > 1 || step.sent.len() > 1)
    }

    /// What the case does in this step; none for what `given` does.
    fn action(&self, step: &StepLog) -> Option<&'a Action> {
        Some(&self.row?.steps.get(step.index?)?.action)
    }

    fn packet(
        &mut self,
        packet: &Packet,
        step: &StepLog,
        sent: Option<Sent>,
        passed: Duration,
    ) -> PacketEvent {
        let (from, to, what) = match &packet.body {
            PacketBody::Tcp(tcp) => {
                let source = SocketAddr::new(packet.source, tcp.source_port);
                let destination = SocketAddr::new(packet.destination, tcp.destination_port);
                let mut numbers = match sent {
                    Some(Sent { aside: true, .. }) => {
                        self.relative.numbers_aside(source, destination, tcp)
                    }
                    Some(Sent { like: Some(like), .. }) => {
                        self.relative.numbers_like(like, source, destination, tcp)
                    }
                    Some(_) => self.relative.numbers(source, destination, tcp),
                    None => self.relative.numbers_unscripted(source, destination, tcp),
                };
                if let Some(Sent { told, .. }) = sent {
                    self.relative.tell(source, destination, tcp, told, &mut numbers);
                }
                let (from, to) = self.ends((source, destination), false, step);
                let what = PacketWhat::Tcp {
                    flags: tcp.flags,
                    seq: numbers.seq,
                    ack: numbers.ack,
                    len: tcp.len,
                    window: tcp.window,
                    urgent: tcp.flags.has(TcpFlags::URG).then_some(tcp.urgent),
                    reserved: tcp.reserved,
                };
                (from, to, what)
            }
            PacketBody::Udp { source_port, destination_port, len } => {
                let source = SocketAddr::new(packet.source, *source_port);
                let destination = SocketAddr::new(packet.destination, *destination_port);
                let (from, to) = self.ends((source, destination), true, step);
                (from, to, PacketWhat::Udp { len: *len })
            }
            PacketBody::Icmp(icmp) => self.icmp(packet, icmp),
            PacketBody::Other { protocol } => {
                let what = PacketWhat::Other { protocol: *protocol };
                (ip_word(packet.source), ip_word(packet.destination), what)
            }
        };
        let action = sent.and_then(|_| self.action(step));
        PacketEvent {
            from,
            to,
            what,
            forms: action.map(number_forms).unwrap_or_default(),
            extras: self.extras.of(packet, sent.map(|sent| sent.told), &self.relative),
            count: 1,
            band: step.timed.then(|| band(passed)),
            hex: hex(&packet.bytes),
        }
    }

    /// The names of both ends; names what nobody held.
    fn ends(
        &mut self,
        (source, destination): (SocketAddr, SocketAddr),
        is_datagram: bool,
        step: &StepLog,
    ) -> (String, String) {
        let [source, destination] = [source, destination].map(|at| PacketEnd { at, is_datagram });
        let sender = self.sender(step).cloned();
        // Not only connect() begins a connection, but sendto() with MSG_FASTOPEN, too.
        let turns = |call: &&CallLog| match &call.spec.call {
            Call::Connect(_) => true,
            Call::Send { to, .. } => to.is_some() && !is_datagram,
            _ => false,
        };
        if let Some(call) = step.calls.iter().find(turns) {
            self.names.begin_flow(source, destination, &call.subject);
        }
        (
            self.names.name_in_flow(source, destination, sender.as_ref()),
            self.names.name_in_flow(destination, source, None),
        )
    }

    /// The socket whose call made a packet of an unknown sender.
    fn sender<'b>(&'b self, step: &'b StepLog) -> Option<&'b Name> {
        let pending = self.pending.iter().map(|(call, _)| *call);
        let mut made = step
            .calls
            .iter()
            .chain(pending)
            .filter(|call| !matches!(call.fate, Fate::NotIssued(_)));
        made.find(|call| matches!(call.spec.call, Call::Connect(_) | Call::Send { .. }))
            .map(|call| &call.subject)
    }

    fn icmp(&mut self, packet: &Packet, icmp: &Icmp) -> (String, String, PacketWhat) {
        let what = |quoted| PacketWhat::Icmp { word: icmp.word.clone(), quoted, len: icmp.len };
        let Some(quoted) = &icmp.quoted else {
            return (ip_word(packet.source), ip_word(packet.destination), what(None));
        };
        let (near, far) = self.quoted_ends(quoted);
        let from = icmp_sender(packet.source, quoted.destination, &far);
        let text = format!("{near} > {far} {}", quoted.protocol);
        (from, near, what(Some(text)))
    }

    fn quoted_ends(&mut self, quoted: &Quoted) -> (String, String) {
        let Some((source_port, destination_port)) = quoted.ports else {
            return (ip_word(quoted.source), ip_word(quoted.destination));
        };
        let end = |ip, port| PacketEnd {
            at: SocketAddr::new(ip, port),
            is_datagram: quoted.protocol == "udp",
        };
        let near = end(quoted.source, source_port);
        let far = end(quoted.destination, destination_port);
        (self.names.name_in_flow(near, far, None), self.names.name_in_flow(far, near, None))
    }
}

/// The names in the answer to one socket's call.
struct Asked<'a> {
    recorder: &'a Recorder<'a>,
    asker: &'a Name,
}

impl Naming for Asked<'_> {
    fn address(&self, address: &Address) -> String {
        self.recorder.names.of_answer(self.asker, address)
    }

    fn own(&self, address: &Address) -> String {
        self.recorder.names.of_own(self.asker, address)
    }

    fn sender(&self, address: &Address) -> String {
        self.recorder.names.of_sender(self.asker, address)
    }

    fn host(&self, ip: IpAddr) -> String {
        ip_word(ip)
    }

    fn token(&self, token: u64) -> String {
        let tokens = &self.recorder.log.tokens;
        let name = usize::try_from(token).ok().and_then(|at| tokens.get(at));
        name.map_or_else(|| format!("token {token}"), ToString::to_string)
    }
}

/// The ports that the steps of a row write as numbers.
fn ports(row: &Row) -> BTreeSet<u16> {
    let of_call = |call: &Call| match call {
        Call::Bind(to) | Call::Connect(to) | Call::Send { to: Some(to), .. } => written_port(to),
        _ => None,
    };
    let of_step = |step: &Step| match &step.action {
        Action::Calls { calls, .. } => {
            calls.iter().filter_map(|spec| of_call(&spec.call)).collect::<Vec<u16>>()
        }
        Action::Peer { verb: PeerVerb::Send(PacketSpec::Icmp(error)), .. } => {
            [error.source_port, error.destination_port].into_iter().flatten().collect()
        }
        _ => Vec::new(),
    };
    row.steps.iter().flat_map(of_step).collect()
}

/// The port of an address that is written as a number.
fn written_port(to: &AddrExpr) -> Option<u16> {
    match (&to.port, &to.base) {
        (Some(PortExpr::Literal(port)), _) => Some(*port),
        (_, AddrBase::Literal(text)) => text.parse::<SocketAddr>().ok().map(|addr| addr.port()),
        _ => None,
    }
}

/// Whether the call has given up its socket: a close() that fails has done so too, unless there was
/// nothing to close.
fn is_close(call: &CallLog, outcome: &Outcome) -> bool {
    call.spec.call == Call::Close
        && call.spec.bad.fd.is_none()
        && outcome.errno() != Some(&Errno::named("EBADF"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
