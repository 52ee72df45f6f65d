//! Places on CPUs. A run keeps its CPU from beginning to end, because loopback delivers in order
//! only on one CPU; it gives its place back while it waits.

use crate::run::Slot;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Runs begun and not ended, working or waiting.
const BEGUN_MAX: usize = 256;

/// The places of a machine. A place that becomes free is handed to one waiting run and wakes only
/// that one; runs that have begun come before new ones, so that few are begun at a time.
pub struct Slots {
    state: Mutex<State>,
}

struct State {
    places: Vec<Place>,
    /// Runs that have not begun.
    new: VecDeque<Arc<Ticket>>,
    begun_max: usize,
}

/// The places on one CPU.
struct Place {
    cpu: usize,
    free: usize,
    /// Runs that belong to this CPU, working or waiting.
    runs: usize,
    /// Runs that belong here and want to go on.
    returning: VecDeque<Arc<Ticket>>,
}

/// A waiting run: the CPU of its place, once it has one.
#[derive(Default)]
struct Ticket {
    cpu: Mutex<Option<usize>>,
    granted: Condvar,
}

impl Ticket {
    fn grant(&self, cpu: usize) {
        *lock(&self.cpu) = Some(cpu);
        self.granted.notify_one();
    }

    fn wait(&self) -> usize {
        let mut cpu = lock(&self.cpu);
        loop {
            if let Some(cpu) = *cpu {
                return cpu;
            }
            cpu = self.granted.wait(cpu).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Slots {
    /// So many places on these CPUs, spread evenly, at least one; and at most so many runs begun
    /// and not ended, but never more than 256.
    pub fn new(cpus: &[usize], jobs: usize, begun_max: usize) -> Arc<Slots> {
        let jobs = jobs.max(1);
        let used = cpus.len().min(jobs).max(1);
        let share = |index: usize| jobs / used + usize::from(index < jobs % used);
        let cpus = if cpus.is_empty() { &[0] } else { cpus };
        let place = |(index, cpu): (usize, &usize)| Place {
            cpu: *cpu,
            free: share(index),
            runs: 0,
            returning: VecDeque::new(),
        };
        let places = cpus.iter().take(used).enumerate().map(place).collect();
        let state =
            State { places, new: VecDeque::new(), begun_max: begun_max.clamp(1, BEGUN_MAX) };
        Arc::new(Slots { state: Mutex::new(state) })
    }

    /// Waits for a free place, on the CPU with the fewest runs.
    pub fn take(self: &Arc<Slots>) -> CpuSlot {
        let ticket = Arc::new(Ticket::default());
        let mut state = lock(&self.state);
        state.new.push_back(Arc::clone(&ticket));
        state.admit();
        drop(state);
        CpuSlot { slots: Arc::clone(self), cpu: ticket.wait(), held: true }
    }

    /// Takes a place on this CPU again.
    fn take_on(&self, cpu: usize) {
        let mut state = lock(&self.state);
        let Some(place) = state.place(cpu) else { return };
        if place.free > 0 {
            place.free -= 1;
            return;
        }
        let ticket = Arc::new(Ticket::default());
        place.returning.push_back(Arc::clone(&ticket));
        drop(state);
        ticket.wait();
    }

    /// Hands a place on this CPU to whoever has waited longest.
    fn leave(&self, cpu: usize) {
        let mut state = lock(&self.state);
        let Some(place) = state.place(cpu) else { return };
        match place.returning.pop_front() {
            Some(ticket) => ticket.grant(cpu),
            None => {
                place.free += 1;
                state.admit();
            }
        }
    }

    /// A run has ended.
    fn end(&self, cpu: usize) {
        let mut state = lock(&self.state);
        if let Some(place) = state.place(cpu) {
            place.runs -= 1;
        }
        state.admit();
    }
}

impl State {
    fn place(&mut self, cpu: usize) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| place.cpu == cpu)
    }

    /// Lets new runs begin, as far as there are places.
    fn admit(&mut self) {
        while self.places.iter().map(|place| place.runs).sum::<usize>() < self.begun_max {
            let free = self.places.iter_mut().filter(|place| place.free > 0);
            let Some(place) = free.min_by_key(|place| place.runs) else { return };
            let Some(ticket) = self.new.pop_front() else { return };
            place.free -= 1;
            place.runs += 1;
            ticket.grant(place.cpu);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place on one CPU.
pub struct CpuSlot {
    slots: Arc<Slots>,
    cpu: usize,
    held: bool,
}

impl Slot for CpuSlot {
    fn cpu(&self) -> Option<usize> {
        Some(self.cpu)
    }

    fn give_back(&mut self) {
        if std::mem::replace(&mut self.held, false) {
            self.slots.leave(self.cpu);
        }
    }

    fn take_again(&mut self) {
        if !std::mem::replace(&mut self.held, true) {
            self.slots.take_on(self.cpu);
        }
    }
}

impl Drop for CpuSlot {
    fn drop(&mut self) {
        self.give_back();
        self.slots.end(self.cpu);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_spread_over_the_cpus() {
        let slots = Slots::new(&[2, 5], 4, BEGUN_MAX);
        let taken: Vec<CpuSlot> = (0..4).map(|_| slots.take()).collect();
        let mut cpus: Vec<_> = taken.iter().map(Slot::cpu).collect();
        cpus.sort_unstable();
        assert_eq!(cpus, [Some(2), Some(2), Some(5), Some(5)]);
    }

    #[test]
    fn waiting_run_leaves_its_place_and_comes_back_to_its_cpu() {
        let slots = Slots::new(&[0], 1, BEGUN_MAX);
        let mut waiting = slots.take();
        waiting.give_back();
        let working = slots.take();
        assert_eq!(working.cpu(), Some(0));
        drop(working);
        waiting.take_again();
        assert_eq!(waiting.cpu(), Some(0));
    }

    #[test]
    fn no_more_runs_are_begun_than_allowed() {
        let slots = Slots::new(&[0], 2, 1);
        let mut first = slots.take();
        first.give_back();
        let ticket = Arc::new(Ticket::default());
        lock(&slots.state).new.push_back(Arc::clone(&ticket));
        lock(&slots.state).admit();
        assert_eq!(*lock(&ticket.cpu), None);
        drop(first);
        assert_eq!(*lock(&ticket.cpu), Some(0));
    }

    #[test]
    fn fewer_jobs_than_cpus_use_fewer_cpus() {
        let slots = Slots::new(&[0, 1, 2, 3], 1, BEGUN_MAX);
        assert_eq!(lock(&slots.state).places.len(), 1);
    }
}
