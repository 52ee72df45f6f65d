//! Places on CPUs. A run keeps its CPU from beginning to end, because loopback delivers in order
//! only on one CPU; it gives its place back while it waits.

use crate::run::Slot;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Runs begun and not ended, working or waiting.
const BEGUN_MAX: usize = 256;

/// Runs on one CPU that are opening their ground, or wait for a place. Opening sleeps in the kernel
/// more than it works, so it takes no place; were many at it, they would keep the others from their
/// CPU, which becomes no faster by more places.
const OPENING_MAX: usize = 2;

/// The places of a machine. A place that becomes free is handed to one waiting run and wakes only
/// that one: first those that were there before, because their stack's timers go on, then those
/// whose ground is open. A new run begins where nobody is kept waiting by it.
pub struct Slots {
    state: Mutex<State>,
}

struct State {
    places: Vec<Place>,
    /// Runs that have not begun.
    new: VecDeque<Arc<Ticket>>,
    /// Those of them that are to have more of the machine: they go first.
    apart: VecDeque<Arc<Ticket>>,
    /// Such runs that have not ended: no other one begins beside them.
    apart_left: usize,
    begun_max: usize,
}

/// The places on one CPU.
struct Place {
    cpu: usize,
    free: usize,
    /// Runs that belong to this CPU, in whatever stage.
    runs: usize,
    /// Those of them that are opening their ground.
    opening: usize,
    /// Those whose ground is open, before their first step.
    opened: VecDeque<Arc<Ticket>>,
    /// Those that want to go on.
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
            opening: 0,
            opened: VecDeque::new(),
            returning: VecDeque::new(),
        };
        let places = cpus.iter().take(used).enumerate().map(place).collect();
        let state = State {
            places,
            new: VecDeque::new(),
            apart: VecDeque::new(),
            apart_left: 0,
            begun_max: begun_max.clamp(1, BEGUN_MAX),
        };
        Arc::new(Slots { state: Mutex::new(state) })
    }

    /// Waits until a run may begin, on the CPU with the fewest runs. It has no place there before
    /// its ground is open.
    pub fn take(self: &Arc<Slots>) -> CpuSlot {
        self.begin(false)
    }

    /// The same for a run that goes first, and beside which no other one begins: those that have
    /// begun mostly wait before long, and the machine is its own.
    pub fn take_apart(self: &Arc<Slots>) -> CpuSlot {
        self.begin(true)
    }

    fn begin(self: &Arc<Slots>, apart: bool) -> CpuSlot {
        let ticket = Arc::new(Ticket::default());
        let mut state = lock(&self.state);
        state.apart_left += usize::from(apart);
        let queue = if apart { &mut state.apart } else { &mut state.new };
        queue.push_back(Arc::clone(&ticket));
        state.admit();
        drop(state);
        let slots = Arc::clone(self);
        CpuSlot { slots, cpu: ticket.wait(), stage: Stage::Opening, apart }
    }

    /// Takes a place on this CPU.
    fn take_on(&self, cpu: usize, from: Stage) {
        let mut state = lock(&self.state);
        let Some(place) = state.place(cpu) else { return };
        place.opening -= usize::from(from == Stage::Opening);
        let ticket = Arc::new(Ticket::default());
        match from {
            Stage::Opening => place.opened.push_back(Arc::clone(&ticket)),
            _ => place.returning.push_back(Arc::clone(&ticket)),
        }
        place.grant();
        state.admit();
        drop(state);
        ticket.wait();
    }

    /// Hands a place on this CPU to whoever comes next.
    fn leave(&self, cpu: usize) {
        let mut state = lock(&self.state);
        let Some(place) = state.place(cpu) else { return };
        place.free += 1;
        place.grant();
        state.admit();
    }

    /// A run has ended.
    fn end(&self, cpu: usize, stage: Stage, apart: bool) {
        let mut state = lock(&self.state);
        state.apart_left -= usize::from(apart);
        if let Some(place) = state.place(cpu) {
            place.runs -= 1;
            place.opening -= usize::from(stage == Stage::Opening);
        }
        state.admit();
    }
}

impl Place {
    /// Hands out what is free.
    fn grant(&mut self) {
        while self.free > 0 {
            let next = self.returning.pop_front().or_else(|| self.opened.pop_front());
            let Some(ticket) = next else { return };
            self.free -= 1;
            ticket.grant(self.cpu);
        }
    }

    /// Whether a new run would keep nobody waiting.
    fn has_room(&self) -> bool {
        let waiting = self.opened.len() + self.returning.len();
        self.opening + waiting < OPENING_MAX
    }
}

impl State {
    fn place(&mut self, cpu: usize) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| place.cpu == cpu)
    }

    /// Lets new runs begin, as far as there is room.
    fn admit(&mut self) {
        while self.places.iter().map(|place| place.runs).sum::<usize>() < self.begun_max {
            let free = self.places.iter_mut().filter(|place| place.has_room());
            let Some(place) = free.min_by_key(|place| place.runs) else { return };
            let alone = self.apart_left > 0;
            let next = self.apart.pop_front();
            let next = next.or_else(|| if alone { None } else { self.new.pop_front() });
            let Some(ticket) = next else { return };
            place.opening += 1;
            place.runs += 1;
            ticket.grant(place.cpu);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It opens its ground, without a place.
    Opening,
    /// It works, and has a place.
    Working,
    /// It waits, without a place.
    Waiting,
}

/// A place on one CPU, while the run has it.
pub struct CpuSlot {
    slots: Arc<Slots>,
    cpu: usize,
    stage: Stage,
    /// No other run begins before it has ended.
    apart: bool,
}

impl Slot for CpuSlot {
    fn cpu(&self) -> Option<usize> {
        Some(self.cpu)
    }

    fn give_back(&mut self) {
        if self.stage == Stage::Working {
            self.stage = Stage::Waiting;
            self.slots.leave(self.cpu);
        }
    }

    fn take(&mut self) {
        if self.stage != Stage::Working {
            self.slots.take_on(self.cpu, self.stage);
            self.stage = Stage::Working;
        }
    }
}

impl Drop for CpuSlot {
    fn drop(&mut self) {
        self.give_back();
        self.slots.end(self.cpu, self.stage, self.apart);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// A run that has had a place, and waits.
    fn opened(slots: &Arc<Slots>) -> CpuSlot {
        let mut slot = slots.take();
        slot.take();
        slot.give_back();
        slot
    }

    /// A run that waits to begin.
    fn queued(slots: &Slots) -> Arc<Ticket> {
        let ticket = Arc::new(Ticket::default());
        let mut state = lock(&slots.state);
        state.new.push_back(Arc::clone(&ticket));
        state.admit();
        ticket
    }

    fn granted(ticket: &Ticket) -> Option<usize> {
        *lock(&ticket.cpu)
    }

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
        let [mut waiting, mut working] = [(); 2].map(|()| opened(&slots));
        working.take();
        assert_eq!(working.cpu(), Some(0));
        working.give_back();
        waiting.take();
        assert_eq!(waiting.cpu(), Some(0));
    }

    #[rstest]
    #[case::a_place_for_each_cpu(1)]
    #[case::many_places(32)]
    fn grounds_are_opened_beside_a_run_that_works(#[case] jobs: usize) {
        let slots = Slots::new(&[0], jobs, BEGUN_MAX);
        let mut working = slots.take();
        working.take();
        let opening: Vec<CpuSlot> = (0..OPENING_MAX).map(|_| slots.take()).collect();
        let next = queued(&slots);
        assert_eq!(granted(&next), None, "not too many at a time");
        drop(opening);
        assert_eq!(granted(&next), Some(0), "the others could not be opened");
    }

    /// Its stack's timers go on.
    #[test]
    fn run_that_was_there_before_goes_first() {
        let slots = Slots::new(&[0], 1, BEGUN_MAX);
        let [mut working, waiting] = [(); 2].map(|()| opened(&slots));
        working.take();
        let opening = slots.take();
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let queues = || {
                let state = lock(&slots.state);
                (state.places[0].opened.len(), state.places[0].returning.len())
            };
            let order = &order;
            let go_on = move |stage: &'static str, mut run: CpuSlot| {
                run.take();
                lock(order).push(stage);
            };
            scope.spawn(move || go_on("opened", opening));
            while queues() != (1, 0) {
                std::thread::yield_now();
            }
            scope.spawn(move || go_on("returning", waiting));
            while queues() != (1, 1) {
                std::thread::yield_now();
            }
            working.give_back();
        });
        assert_eq!(*lock(&order), ["returning", "opened"]);
    }

    #[test]
    fn no_more_runs_are_begun_than_allowed() {
        let slots = Slots::new(&[0], 2, 1);
        let first = opened(&slots);
        let next = queued(&slots);
        assert_eq!(granted(&next), None);
        drop(first);
        assert_eq!(granted(&next), Some(0));
    }

    #[test]
    fn nothing_begins_beside_a_run_that_is_to_have_the_machine() {
        let slots = Slots::new(&[0], 2, BEGUN_MAX);
        let _before = opened(&slots);
        let first = slots.take_apart();
        let second = slots.take_apart();
        let next = queued(&slots);
        for run in [first, second] {
            assert_eq!(granted(&next), None);
            drop(run);
        }
        assert_eq!(granted(&next), Some(0));
    }

    #[test]
    fn fewer_jobs_than_cpus_use_fewer_cpus() {
        let slots = Slots::new(&[0, 1, 2, 3], 1, BEGUN_MAX);
        assert_eq!(lock(&slots.state).places.len(), 1);
    }
}
