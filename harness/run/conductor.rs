//! The conductor: takes the steps of a run one after another and writes the log.

use super::jitter::Jitter;
use super::lanes::Lane;
use super::log::{CallLog, Holder, RunLog, StepLog};
use super::names::Names;
use super::peer::Peers;
use super::punctual::Punctuality;
use super::stamps::Seen;
use super::trust::Clocks;
use super::{Conditions, Slot};
use crate::model::address::{AddrBase, AddrExpr};
use crate::model::transcript::Fate;
use crate::model::{
    Action, Address, Answer, Call, CallSpec, Case, Family, Name, Packet, ProcessVerb, Row, Step,
    Times, Topology, limits, time,
};
use crate::sys::clock::now;
use crate::sys::{Fd, Ground, ProcessAct, Request, Trouble};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A call that takes longer than this gives its place on the CPU to another run.
pub(super) const SLOT_HELD: Duration = Duration::from_millis(2);
/// Takes one run from its beginning to its end.
pub struct Conductor<'a> {
    pub(super) case: &'a Case,
    row: &'a Row,
    row_index: usize,
    pub(super) family: Family,
    pub(super) ground: Box<dyn Ground + 'a>,
    pub(super) slot: &'a mut dyn Slot,
    jitter: Option<Jitter>,
    pub(super) names: Names,
    pub(super) closed_port: Option<u16>,
    pub(super) idle: Vec<Lane>,
    pub(super) pending: Vec<Pending>,
    pub(super) until: Instant,
    /// By how much the deadline may still be put off for waits for quiet.
    pub(super) quiet_left: Duration,
    pub(super) deadline_hit: bool,
    /// Every step has come to rest so far.
    pub(super) settled: bool,
    /// The far ends, where there is a wire.
    pub(super) peers: Option<Peers>,
    /// Packets of the step in progress.
    pub(super) packets: Vec<Packet>,
    /// The clocks at the end of the step before.
    clocks: Clocks,
    /// Whether the run was on time.
    pub(super) punctual: Punctuality,
}

/// A call that has not returned.
pub(super) struct Pending {
    pub(super) lane: Lane,
    pub(super) log: CallLog,
    /// How long it takes will be told.
    pub(super) timed: bool,
}

impl<'a> Conductor<'a> {
    /// A run of `case`'s row with this index, on a fresh ground.
    pub fn new(
        case: &'a Case,
        row_index: usize,
        family: Family,
        ground: Box<dyn Ground + 'a>,
        conditions: &Conditions,
        slot: &'a mut dyn Slot,
    ) -> Conductor<'a> {
        Conductor {
            case,
            row: &case.rows[row_index],
            row_index,
            family,
            ground,
            slot,
            jitter: conditions.jitter.map(|most| Jitter::new(most, conditions.seed)),
            names: Names::new(case),
            closed_port: None,
            idle: Vec::new(),
            pending: Vec::new(),
            until: Instant::now() + case.deadline,
            quiet_left: limits::QUIET_MAX,
            deadline_hit: false,
            settled: true,
            peers: (case.topology == Topology::Wire).then(|| Peers::new(family)),
            packets: Vec::new(),
            clocks: Clocks::read(),
            punctual: Punctuality::begin(now()),
        }
    }

    /// Runs `given` and the steps, ends the recording, and lets go of everything.
    pub fn run(mut self, captured: bool) -> Result<RunLog, Trouble> {
        let mut log = RunLog {
            row: self.row_index,
            family: self.family,
            given: Vec::new(),
            steps: Vec::new(),
            blocked: Vec::new(),
            deadline: None,
            captured,
            settled: true,
            tokens: Vec::new(),
        };
        let done = self.record(&mut log);
        self.release();
        done.map(|()| log)
    }

    fn record(&mut self, log: &mut RunLog) -> Result<(), Trouble> {
        log.given = self.bring_about(&self.row.given)?;
        self.until = Instant::now() + self.case.deadline;
        for (index, step) in self.row.steps.iter().enumerate() {
            self.hesitate()?;
            if !self.late() {
                let done = self.step(Some(index), step);
                log.steps.push(done.map_err(|trouble| trouble.at_line(step.line))?);
            }
            if self.deadline_hit {
                log.deadline = Some(self.case.deadline);
                break;
            }
        }
        log.settled = self.come_to_rest() && self.settled;
        log.blocked = self.pending.iter().map(|pending| pending.log.clone()).collect();
        for blocked in &mut log.blocked {
            blocked.fate = Fate::StillBlocked;
        }
        log.tokens = self.names.tokens.clone();
        Ok(())
    }

    /// With jitter: waits a chance time, as if the machine were busy.
    pub(super) fn hesitate(&mut self) -> Result<(), Trouble> {
        let time = self.jitter.as_mut().map(Jitter::next);
        time.map_or(Ok(()), |time| self.rest(time))
    }

    /// The end of the recording: what comes now is told by nobody, so that others work meanwhile.
    fn come_to_rest(&mut self) -> bool {
        self.slot.give_back();
        self.ground.finish()
    }

    pub(super) fn step(&mut self, index: Option<usize>, step: &Step) -> Result<StepLog, Trouble> {
        let mut log = StepLog {
            index,
            line: step.line,
            began: now(),
            timed: step.timed,
            ..StepLog::default()
        };
        match &step.action {
            Action::Calls { subject, calls } => {
                for spec in calls {
                    self.repeat(subject, spec, step, &mut log)?;
                }
            }
            Action::Pause(time) => {
                log.note = Some(format!("pause {}", time::Shown(*time)));
                self.punctual.waits();
                self.rest(*time)?;
            }
            Action::Silence(time) => {
                log.note = Some(format!("silence {}", time::Shown(*time)));
                log.silence = Some(*time);
                self.punctual.waits();
                match step.timed {
                    true => self.watch(*time)?,
                    false => self.rest(*time)?,
                }
                // Nobody knows what the rest of it would have brought.
                log.silence = log.silence.filter(|_| !self.deadline_hit);
            }
            Action::Process { process, verb } => {
                log.note = Some(self.process(process, verb)?);
            }
            Action::Peer { peer, verb } => self.peer_repeats(peer, verb, step.times, &mut log)?,
            Action::Host(verb) => log.note = Some(self.host(verb)?),
            Action::Signal { to, restart } => log.note = Some(self.signal(to, *restart)?),
        }
        self.settle(&mut log)?;
        self.learn_addresses(&mut log);
        self.log_packets(&mut log);
        self.punctual.judge(&log, self.seen())?;
        let clocks = Clocks::read();
        self.clocks.unset_until(clocks)?;
        self.clocks = clocks;
        Ok(log)
    }

    /// What the stamps of this run's packets tell.
    fn seen(&self) -> Seen {
        match self.case.topology {
            Topology::Loopback => Seen::WhenSent,
            Topology::Wire if self.ground.waits_to_settle() => Seen::WhenQuiet,
            Topology::Wire => Seen::AtOnce,
        }
    }

    /// Makes a call as often as the step says.
    fn repeat(
        &mut self,
        subject: &Name,
        spec: &CallSpec,
        step: &Step,
        log: &mut StepLog,
    ) -> Result<(), Trouble> {
        let (most, until_error) = match step.times {
            Times::Count(count) => (count, false),
            Times::UntilError => (limits::UNTIL_ERROR_MAX, true),
        };
        for time in 0..most {
            if time > 0 {
                self.settle(log)?;
                if self.late() {
                    return Ok(());
                }
            }
            let Some(call) = self.call(subject, spec, step, log)? else {
                return Ok(());
            };
            let failed = !succeeded(&call.fate);
            log.calls.push(call);
            if self.deadline_hit || (until_error && failed) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The peers that the step's connect() turned sockets to.
    fn learn_far_ends(&mut self, log: &StepLog) {
        // What is connected already stays so.
        let is_refused = |call: &&CallLog| match &call.fate {
            Fate::Returned(outcome) | Fate::Completed(outcome) => {
                outcome.errno().is_some_and(|errno| ["EISCONN", "EALREADY"].contains(&errno.name()))
            }
            _ => false,
        };
        for call in log.calls.iter().filter(|call| !is_refused(call)) {
            let far = match &call.spec.call {
                Call::Connect(AddrExpr { base: AddrBase::Peer(peer), port: None }) => {
                    self.address_of(peer).ok().map(Address::Inet)
                }
                Call::Connect(_) | Call::Listen(_) => None,
                _ => continue,
            };
            if let Some(socket) = self.names.get_mut(&call.subject) {
                socket.far = far;
            }
        }
    }

    /// Asks for the own addresses of the sockets that the step may have given one.
    fn learn_addresses(&mut self, log: &mut StepLog) {
        self.learn_far_ends(log);
        let calls = log.calls.iter().chain(&log.completed);
        let subjects = calls.flat_map(|call| {
            let gives = may_give_address(&call.spec.call);
            let subject = gives.then(|| (call.subject.clone(), is_exclusive(&call.spec.call)));
            let (made, brought) = (call.spec.call.makes(), call.spec.call.brings());
            let new = made.into_iter().chain(brought).map(|made| (made.clone(), false));
            subject.into_iter().chain(new)
        });
        let mut asked: Vec<(Name, bool)> = subjects.collect();
        let pending = self.pending.iter().map(|pending| pending.log.subject.clone());
        asked.extend(pending.map(|subject| (subject, false)));
        for (name, exclusive) in asked {
            let Some(socket) = self.names.get(&name).filter(|socket| !socket.closed) else {
                continue;
            };
            if self.names.silent(socket.process.as_ref()) {
                continue;
            }
            let (fd, process) = (socket.fd, socket.process.clone());
            if self.peers.is_some() && socket.accepted_by.is_some() && socket.far.is_none() {
                let far = self.ground.far_address(process.as_ref(), fd);
                self.names.get_mut(&name).expect("it was there a line above").far = far;
            }
            let address = self.ground.address(process.as_ref(), fd);
            let Some(address) = address.filter(says_something) else {
                continue;
            };
            let socket = self.names.get_mut(&name).expect("it was there a line above");
            if socket.address.as_ref() != Some(&address) {
                socket.address = Some(address.clone());
                // UDP lends a port to nobody else, whoever found it.
                if let (true, Some(inet)) = (exclusive || socket.is_datagram, address.inet()) {
                    self.ground.holds(inet.port());
                }
                let (accepted_by, is_datagram) = (socket.accepted_by.clone(), socket.is_datagram);
                log.holders.push(Holder { name, address, is_datagram, accepted_by });
            }
        }
    }

    fn process(&mut self, process: &Name, verb: &ProcessVerb) -> Result<String, Trouble> {
        let (act, shown) = match verb {
            ProcessVerb::Kill(signal) => {
                (ProcessAct::Kill(signal.clone()), format!("{process}.kill({signal})"))
            }
            ProcessVerb::Setrlimit(most) => {
                (ProcessAct::Limit(*most), format!("{process}.setrlimit(RLIMIT_NOFILE, {most})"))
            }
            ProcessVerb::Drop => (ProcessAct::Drop, format!("{process}.drop(capabilities)")),
            ProcessVerb::Setuid => (ProcessAct::Setuid, format!("{process}.setuid(nobody)")),
            ProcessVerb::Exit => (ProcessAct::Exit, format!("{process}.exit()")),
            ProcessVerb::Wait => return self.await_process(process),
        };
        if self.names.ended.contains(process) {
            return Ok(format!("{shown} not issued: {process} has ended"));
        }
        if matches!(act, ProcessAct::Limit(_)) {
            // Afterwards no thread of it could be reached for the first time.
            let lane = self.lane(Some(process))?;
            self.idle.push(lane);
        }
        self.ground.process(process, &act)?;
        self.punctual.excuse(now());
        match &act {
            ProcessAct::Limit(_) | ProcessAct::Drop | ProcessAct::Setuid => {}
            ProcessAct::Kill(signal) if signal == "SIGSTOP" => {
                self.names.stopped.insert(process.clone());
            }
            ProcessAct::Kill(signal) if signal == "SIGCONT" => {
                self.names.stopped.remove(process);
            }
            // Other signals wait until it goes on.
            ProcessAct::Kill(signal)
                if signal != "SIGKILL" && self.names.stopped.contains(process) => {}
            _ => {
                self.names.ended.insert(process.clone());
            }
        }
        Ok(shown)
    }

    /// Sends a signal to the thread that is inside a socket's call.
    fn signal(&mut self, to: &Name, restart: bool) -> Result<String, Trouble> {
        // What came before belongs before it.
        self.take_packets()?;
        let shown = format!("signal {to}{}", if restart { " SA_RESTART" } else { "" });
        let mut inside = self.pending.iter().rev();
        let inside = inside.find(|pending| pending.log.subject == *to);
        Ok(match inside {
            Some(pending) if pending.lane.signal(restart) => shown,
            Some(_) => format!("{shown} not issued: the call has returned"),
            None => format!("{shown} not issued: no call of {to} is inside"),
        })
    }

    /// Whether the case sends signals to this process, or to a thread of it.
    pub(super) fn signals(&self, process: Option<&Name>) -> bool {
        self.row.steps.iter().any(|step| match &step.action {
            Action::Process { process: target, verb: ProcessVerb::Kill(_) } => {
                Some(target) == process
            }
            Action::Signal { to, .. } => self.names.home(to) == process,
            _ => false,
        })
    }

    /// Whether the case limits what this process may open.
    pub(super) fn limits(&self, process: Option<&Name>) -> bool {
        self.row.steps.iter().any(|step| match &step.action {
            Action::Process { process: target, verb: ProcessVerb::Setrlimit(_) } => {
                Some(target) == process
            }
            _ => false,
        })
    }

    /// Whether a lane's thread stands still without sleeping in its call.
    pub(super) fn is_stopped(&self, lane: &Lane) -> bool {
        let process = lane.process.as_ref();
        process.is_some_and(|process| self.names.stopped.contains(process))
    }

    fn await_process(&mut self, process: &Name) -> Result<String, Trouble> {
        let left = self.until.saturating_duration_since(Instant::now());
        let act = ProcessAct::Wait(self.case.patience.min(left));
        self.slot.give_back();
        let told = self.ground.process(process, &act);
        self.punctual.excuse(now());
        self.take_slot();
        let told = told?;
        if told.is_empty() {
            return Ok(format!("{process}.wait() = still running"));
        }
        self.names.ended.insert(process.clone());
        Ok(format!("{process}.wait() = {told}"))
    }

    /// Whether the deadline has passed: a call begun after it would be told as one that blocks.
    pub(super) fn late(&mut self) -> bool {
        self.deadline_hit |= Instant::now() >= self.until;
        self.deadline_hit
    }

    /// After the recording: ends blocked calls and closes what is open. Both send packets, which
    /// is why nobody looks any more.
    fn release(mut self) {
        for pending in std::mem::take(&mut self.pending) {
            if pending.lane.interrupt() {
                self.idle.push(pending.lane);
            } else {
                pending.lane.abandon();
            }
        }
        let open: Vec<Fd> = self
            .names
            .open()
            .filter(|(_, socket)| socket.process.is_none())
            .map(|(_, socket)| socket.fd)
            .collect();
        for fd in open {
            let Ok(lane) = self.lane(None) else { return };
            if lane.begin(Request::Close { fd }).is_err() {
                return;
            }
            // close() lingers only where a case asked for it.
            match lane.wait(SLOT_HELD) {
                Ok(Some(_)) => self.idle.push(lane),
                _ if lane.interrupt() => self.idle.push(lane),
                _ => lane.abandon(),
            }
        }
    }
}

pub(super) fn succeeded(fate: &Fate) -> bool {
    match fate {
        Fate::Returned(outcome) | Fate::Completed(outcome) => {
            outcome.errno().is_none() && !matches!(outcome.answer, Answer::Died(_))
        }
        _ => false,
    }
}

fn may_give_address(call: &Call) -> bool {
    matches!(
        call,
        Call::Bind(_) | Call::Connect(_) | Call::Listen(_) | Call::Send { .. } | Call::Getsockname
    )
}

/// Whether a port that the system finds for the call is the socket's alone.
fn is_exclusive(call: &Call) -> bool {
    matches!(call, Call::Bind(_) | Call::Listen(_) | Call::Send { .. })
}

/// An address with port 0 is that of a socket nobody can reach yet.
pub(super) fn says_something(address: &Address) -> bool {
    match address {
        Address::Inet(SocketAddr::V4(addr)) => addr.port() != 0,
        Address::Inet(SocketAddr::V6(addr)) => addr.port() != 0,
        Address::UnixPath(_) | Address::UnixAbstract(_) => true,
        _ => false,
    }
}
