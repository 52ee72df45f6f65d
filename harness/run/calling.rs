//! One call: handed to a lane, awaited, and its consequences for the names.

use super::conductor::{Conductor, Pending, SLOT_HELD, says_something};
use super::lanes::Lane;
use super::log::{CallLog, StepLog};
use super::names::{AddressKind, Socket};
use super::resolve::{Refusal, Resolver};
use super::trust;
use crate::model::call::{Domain, Kind};
use crate::model::transcript::Fate;
use crate::model::{Answer, Call, CallSpec, Family, Name, Outcome, Step};
use crate::sys::clock::now;
use crate::sys::{Reply, Trouble};
use std::time::Duration;

impl Conductor<'_> {
    /// Makes a call once. None: it is pending, its head line is in the log.
    pub(super) fn call(
        &mut self,
        subject: &Name,
        spec: &CallSpec,
        step: &Step,
        log: &mut StepLog,
    ) -> Result<Option<CallLog>, Trouble> {
        let mut call = CallLog {
            subject: subject.clone(),
            spec: spec.clone(),
            fate: Fate::Pending,
            nth_pending: 1,
            began: now(),
            took: None,
        };
        let (request, process) = match self.resolver().request(subject, spec) {
            Ok(resolved) => resolved,
            Err(Refusal::NotIssued(why)) => {
                call.fate = Fate::NotIssued(why);
                return Ok(Some(call));
            }
            Err(Refusal::Trouble(trouble)) => return Err(trouble),
        };
        call.nth_pending = self.nth_pending(subject, spec);
        let lane = self.lane(process.as_ref())?;
        self.punctual.works(now());
        lane.begin(request.clone())?;
        let patience = step.patience.unwrap_or(self.case.patience);
        match self.await_reply(&lane, step.blocks, patience)? {
            Some(reply) => {
                self.is_on_time(&lane, &reply, step.timed, Some(call.began))?;
                self.idle.push(lane);
                self.returned(call, reply, process.as_ref(), false).map(Some)
            }
            None => {
                if !step.blocks {
                    self.punctual.waits();
                }
                log.calls.push(call.clone());
                self.pending.push(Pending { lane, log: call, timed: step.timed });
                Ok(None)
            }
        }
    }

    /// Notes when a call began and ended, and how much of its time it was ready to run and did not;
    /// `handed`: when it was handed over, if the run has waited for it since.
    ///
    /// # Errors
    /// Its time is told, and would be another one.
    pub(super) fn is_on_time(
        &mut self,
        lane: &Lane,
        reply: &Reply,
        timed: bool,
        handed: Option<Duration>,
    ) -> Result<(), Trouble> {
        let Reply::Done { began, took, .. } = reply else { return Ok(()) };
        let (ended, now) = (*began + *took, now());
        match handed {
            Some(handed) => {
                self.punctual.goes_on(handed, *began);
                self.punctual.goes_on(ended, now);
            }
            // It may have ended while the run waited for something else.
            None => self.punctual.looks_at(ended, now),
        }
        if *took <= SLOT_HELD {
            lane.was_short(ended);
            return Ok(());
        }
        self.punctual.held_up(lane.was_held_up(), ended, *took, timed)
    }

    pub(super) fn resolver(&mut self) -> Resolver<'_> {
        Resolver {
            names: &mut self.names,
            ground: &mut *self.ground,
            family: self.family,
            topology: self.case.topology,
            closed_port: &mut self.closed_port,
        }
    }

    /// Notes what a call returned, and what it made or closed.
    ///
    /// # Errors
    /// It is not the stack that answered.
    pub(super) fn returned(
        &mut self,
        mut call: CallLog,
        reply: Reply,
        process: Option<&Name>,
        later: bool,
    ) -> Result<CallLog, Trouble> {
        let outcome = match reply {
            Reply::NotHere(why) => {
                call.fate = Fate::NotIssued(why);
                return Ok(call);
            }
            Reply::Done { outcome, began, took } => {
                call.began = began;
                call.took = Some(took);
                outcome
            }
        };
        let is_full = outcome.errno().is_some_and(|errno| errno.name() == "EMFILE");
        if !is_full || !self.limits(process) {
            trust::is_the_stacks(&call, &outcome, self.signals(process))?;
        }
        self.follow(&call, &outcome, process);
        call.fate = if later { Fate::Completed(outcome) } else { Fate::Returned(outcome) };
        Ok(call)
    }

    fn follow(&mut self, call: &CallLog, outcome: &Outcome, process: Option<&Name>) {
        let made = call.spec.call.makes();
        match (&call.spec.call, &outcome.answer) {
            (Call::Socket(spec), Answer::Fd(fd)) => {
                let kind = match (spec.domain, self.family) {
                    (Domain::Inet, _) | (Domain::OfRun, Family::V4) => AddressKind::V4,
                    (Domain::Inet6, _) | (Domain::OfRun, Family::V6) => AddressKind::V6,
                    (Domain::Unix, _) => AddressKind::Unix,
                    (Domain::Number(_), _) => AddressKind::Other,
                };
                let is_datagram = spec.kind == Kind::Dgram;
                let socket = Socket { is_datagram, ..Socket::new(*fd, process, kind) };
                self.names.put(&call.subject, socket);
            }
            (Call::EpollCreate, Answer::Fd(fd)) => {
                self.names.put(&call.subject, Socket::new(*fd, process, AddressKind::None));
            }
            (_, Answer::Fd(fd) | Answer::Accepted { fd, .. }) => {
                let parent = self.names.get(&call.subject).cloned();
                let (Some(made), Some(parent)) = (made, parent) else {
                    return;
                };
                let mut new = Socket::new(*fd, process, parent.kind);
                new.is_datagram = parent.is_datagram;
                if matches!(call.spec.call, Call::Accept { .. }) {
                    new.accepted_by = Some(call.subject.clone());
                } else {
                    new.accepted_by = parent.accepted_by;
                    new.address = parent.address;
                }
                self.names.put(made, new);
            }
            (Call::Send { fds, .. }, Answer::Value(_)) => self.names.pass(fds),
            (Call::Recv { fds: Some(names), .. }, Answer::Received { fds, .. }) => {
                for (name, fd) in names.iter().zip(fds) {
                    let at = self.ground.address(process, *fd).filter(says_something);
                    self.names.arrive(name, *fd, process, at.as_ref());
                }
            }
            (_, Answer::Died(_)) => self.names.ended.extend(process.cloned()),
            (Call::Listen(_), Answer::Value(0)) => {
                if let Some(socket) = self.names.get_mut(&call.subject) {
                    socket.listens = true;
                }
            }
            (Call::Close, answer) => {
                // Linux and the BSDs release the descriptor whatever close() returns, but for
                // EBADF.
                let released = !matches!(answer, Answer::Error(errno) if errno.name() == "EBADF");
                if let Some(socket) = self.names.get_mut(&call.subject)
                    && released
                    && call.spec.bad.fd.is_none()
                {
                    socket.closed = true;
                }
            }
            _ => {}
        }
    }

    pub(super) fn lane(&mut self, process: Option<&Name>) -> Result<Lane, Trouble> {
        match self.idle.iter().position(|lane| lane.process.as_ref() == process) {
            Some(index) => Ok(self.idle.swap_remove(index)),
            None => Lane::start(&mut *self.ground, process),
        }
    }

    fn nth_pending(&self, subject: &Name, spec: &CallSpec) -> u32 {
        let same = |pending: &&Pending| {
            pending.log.subject == *subject && pending.log.spec.call.verb() == spec.call.verb()
        };
        let taken: Vec<u32> =
            self.pending.iter().filter(same).map(|pending| pending.log.nth_pending).collect();
        (1..).find(|n| !taken.contains(n)).unwrap_or(1)
    }
}
