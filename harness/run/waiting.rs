//! Everything in which the conductor waits: for a call, for its consequences, for time to pass.
//!
//! Where there is a wire it waits in slices, in which packets are taken off the device: they are
//! stamped when they come, and what refuses packets on the path refuses them then.

use super::conductor::{Conductor, Pending, SLOT_HELD};
use super::lanes::Lane;
use super::log::StepLog;
use super::peer::Peers;
use crate::sys::clock::now;
use crate::sys::{Reply, Trouble};
use crate::wire;
use std::time::{Duration, Instant};

/// How long the conductor steps aside for a thread that has not gone to sleep yet.
const BEFORE_SLEEP: Duration = Duration::from_micros(100);
/// How long the conductor steps aside for a thread that was woken.
const STEP_ASIDE: Duration = Duration::from_micros(50);
/// How long threads that were woken by a step may take to reach their next sleep.
const WOKEN_MAX: Duration = Duration::from_secs(2);
/// The longest wait between two looks at the clock.
const LOOK: Duration = Duration::from_millis(100);
/// The longest wait between two looks at the wire.
pub(super) const SLICE: Duration = Duration::from_millis(5);
/// How often the path answers before the step must have come to rest.
const ANSWERS_MAX: usize = 64;

impl Conductor<'_> {
    /// Waits for a call to return or, if it may block, for its thread to sleep in the kernel.
    pub(super) fn await_reply(
        &mut self,
        lane: &Lane,
        blocks: bool,
        patience: Duration,
    ) -> Result<Option<Reply>, Trouble> {
        let limit = patience.min(self.until.saturating_duration_since(Instant::now()));
        // Of a call that is to block it is found out at once whether it does.
        let at_first = if blocks { BEFORE_SLEEP } else { SLOT_HELD };
        let mut reply = lane.wait(at_first.min(limit))?;
        if reply.is_none() && !blocks {
            self.slot.give_back();
            let left = limit.saturating_sub(SLOT_HELD);
            self.punctual.waits_in_slices(now() + left);
            let came = self.await_long(lane, left);
            self.punctual.has_waited();
            self.take_slot();
            reply = came?;
        }
        if reply.is_none() {
            // Patience is for a call that sleeps, not for one that has not got as far.
            let more = if blocks { limit } else { WOKEN_MAX };
            reply = self.until_asleep(lane, more)?;
        }
        self.deadline_hit |= reply.is_none() && Instant::now() >= self.until;
        Ok(reply)
    }

    fn await_long(&mut self, lane: &Lane, limit: Duration) -> Result<Option<Reply>, Trouble> {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let reply = if self.peers.is_some() {
                self.pass(left.min(SLICE))?;
                lane.wait(Duration::ZERO)?
            } else {
                self.punctual.works(now());
                let due = now() + left.min(LOOK);
                let reply = lane.wait(left.min(LOOK))?;
                self.punctual.goes_on(due.min(now()), now());
                reply
            };
            if reply.is_some() || left.is_zero() {
                return Ok(reply);
            }
        }
    }

    fn until_asleep(&mut self, lane: &Lane, limit: Duration) -> Result<Option<Reply>, Trouble> {
        let until = Instant::now() + limit;
        loop {
            self.take_packets()?;
            if let Some(reply) = lane.wait(Duration::ZERO)? {
                return Ok(Some(reply));
            }
            if lane.asleep() || self.is_stopped(lane) || Instant::now() >= until {
                return Ok(None);
            }
            if let Some(reply) = lane.wait(BEFORE_SLEEP)? {
                return Ok(Some(reply));
            }
        }
    }

    /// Waits until all that the step caused has happened: packets are delivered, and every pending
    /// call has either returned or sleeps. If one does neither, the record says that it has not
    /// settled.
    pub(super) fn settle(&mut self, log: &mut StepLog) -> Result<(), Trouble> {
        let until = Instant::now() + WOKEN_MAX;
        loop {
            self.take_packets()?;
            let mut at_rest = true;
            let mut index = 0;
            while index < self.pending.len() {
                match self.woken(&self.pending[index].lane, &mut at_rest)? {
                    Some(reply) => {
                        at_rest = false;
                        let Pending { lane, log: call, timed } = self.pending.remove(index);
                        self.is_on_time(&lane, &reply, timed || log.timed, None)?;
                        let process = lane.process.clone();
                        let call = self.returned(call, reply, process.as_ref(), true)?;
                        log.completed.push(call);
                        self.idle.push(lane);
                    }
                    None => index += 1,
                }
            }
            if at_rest || Instant::now() >= until {
                self.settled &= at_rest;
                self.punctual.works(now());
                log.completed.sort_by_key(|call| call.began);
                return Ok(());
            }
        }
    }

    /// What a pending call has returned, if it has. A thread that neither has nor sleeps was woken,
    /// so the step is not at rest; it gets the time to go on.
    fn woken(&self, lane: &Lane, at_rest: &mut bool) -> Result<Option<Reply>, Trouble> {
        match lane.wait(Duration::ZERO)? {
            None if !lane.asleep() && !self.is_stopped(lane) => {
                *at_rest = false;
                lane.wait(STEP_ASIDE)
            }
            reply => Ok(reply),
        }
    }

    /// Takes the packets that have come, once all that are on their way have.
    pub(super) fn take_packets(&mut self) -> Result<(), Trouble> {
        let waits = self.ground.waits_to_settle();
        if waits {
            self.slot.give_back();
        }
        let began = Instant::now();
        let looked = self.look();
        // It may have turned to waiting for quiet just now.
        if self.ground.waits_to_settle() {
            // How a stack is found to be at rest is no time of the case's own: 100 calls would be
            // told of where a sentinel crosses, and 33 of them where each waits for 300 ms.
            let more = began.elapsed().min(self.quiet_left);
            self.until += more;
            self.quiet_left -= more;
            self.punctual.excuse(self.ground.settled_at().unwrap_or_else(now));
            self.punctual.works(now());
        }
        if waits {
            self.take_slot();
        }
        looked
    }

    fn look(&mut self) -> Result<(), Trouble> {
        for _ in 0..ANSWERS_MAX {
            let captured = self.ground.settle()?;
            let from = self.packets.len();
            self.packets.extend(captured.iter().map(wire::decode));
            let Some(peers) = &mut self.peers else {
                return Ok(());
            };
            let new = self.packets[from..].iter();
            let answers: Vec<Vec<u8>> = new.filter_map(|packet| peers.see(packet)).collect();
            if answers.is_empty() {
                return Ok(());
            }
            for answer in answers {
                self.inject(answer, None)?;
            }
        }
        Ok(())
    }

    /// Lets time pass without keeping a place on the CPU.
    pub(super) fn rest(&mut self, time: Duration) -> Result<(), Trouble> {
        let is_timed = self.pending.iter().any(|pending| pending.timed);
        self.rest_in(time, if is_timed { LOOK } else { time })
    }

    /// Lets time pass in which the stamps of packets matter: had it been put aside as one came, it
    /// would be read, and stamped, late.
    pub(super) fn watch(&mut self, time: Duration) -> Result<(), Trouble> {
        self.rest_in(time, SLICE)
    }

    /// Lets time pass in slices: that it was put aside meanwhile it notices only where one ends.
    fn rest_in(&mut self, time: Duration, slice: Duration) -> Result<(), Trouble> {
        let left = self.until.saturating_duration_since(Instant::now());
        self.deadline_hit |= time >= left;
        self.slot.give_back();
        let passed = self.pass_in(time.min(left), slice);
        self.take_slot();
        passed
    }

    fn pass_in(&mut self, time: Duration, slice: Duration) -> Result<(), Trouble> {
        if slice >= time {
            // It may itself be a slice of a longer wait.
            return self.pass(time);
        }
        let until = Instant::now() + time;
        self.punctual.waits_in_slices(now() + time);
        let mut left = time;
        while !left.is_zero() {
            self.pass(left.min(slice))?;
            left = until.saturating_duration_since(Instant::now());
        }
        self.punctual.has_waited();
        Ok(())
    }

    /// Lets time pass. Something on the path acts when its packets come, not when it is over.
    fn pass(&mut self, time: Duration) -> Result<(), Trouble> {
        // What it waits for begins now: until now it worked.
        self.punctual.works(now());
        let due = now() + time;
        self.pass_until_over(time)?;
        self.punctual.goes_on(due, now());
        Ok(())
    }

    fn pass_until_over(&mut self, time: Duration) -> Result<(), Trouble> {
        if !self.peers.as_ref().is_some_and(Peers::acts_by_itself) {
            self.ground.pass(time);
            return Ok(());
        }
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.ground.pass(left.min(SLICE));
            self.look()?;
        }
    }

    /// Comes back to the CPU. That others were there is no time of the case's own.
    pub(super) fn take_slot(&mut self) {
        let asked = Instant::now();
        self.slot.take();
        self.until += asked.elapsed();
        self.punctual.works(now());
    }
}
