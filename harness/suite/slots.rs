//! Places on CPUs. A run keeps its CPU from beginning to end, because loopback delivers in order
//! only on one CPU; it gives its place back while it waits.

use crate::run::Slot;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The places of a machine.
pub struct Slots {
    places: Mutex<Vec<Place>>,
    changed: Condvar,
}

/// The places on one CPU.
struct Place {
    cpu: usize,
    free: usize,
    /// Runs that belong to this CPU, working or waiting.
    runs: usize,
}

impl Slots {
    /// So many places on these CPUs, spread evenly; at least one.
    pub fn new(cpus: &[usize], jobs: usize) -> Arc<Slots> {
        let jobs = jobs.max(1);
        let used = cpus.len().min(jobs).max(1);
        let share = |index: usize| jobs / used + usize::from(index < jobs % used);
        let cpus = if cpus.is_empty() { &[0] } else { cpus };
        let places = cpus.iter().take(used).enumerate();
        let places = places.map(|(index, cpu)| Place { cpu: *cpu, free: share(index), runs: 0 });
        Arc::new(Slots { places: Mutex::new(places.collect()), changed: Condvar::new() })
    }

    /// Waits for a free place, on the CPU with the fewest runs.
    pub fn take(self: &Arc<Slots>) -> CpuSlot {
        let mut places = self.lock();
        loop {
            let free = places.iter_mut().filter(|place| place.free > 0);
            if let Some(place) = free.min_by_key(|place| place.runs) {
                place.free -= 1;
                place.runs += 1;
                return CpuSlot { slots: Arc::clone(self), cpu: place.cpu, held: true };
            }
            places = self.changed.wait(places).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, cpu: usize, act: impl FnOnce(&mut Place)) {
        if let Some(place) = self.lock().iter_mut().find(|place| place.cpu == cpu) {
            act(place);
        }
        self.changed.notify_all();
    }
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
            self.slots.change(self.cpu, |place| place.free += 1);
        }
    }

    fn take_again(&mut self) {
        let mut places = self.slots.lock();
        while !self.held {
            let own = places.iter_mut().find(|place| place.cpu == self.cpu && place.free > 0);
            if let Some(place) = own {
                place.free -= 1;
                self.held = true;
            } else {
                let changed = &self.slots.changed;
                places = changed.wait(places).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Drop for CpuSlot {
    fn drop(&mut self) {
        self.give_back();
        self.slots.change(self.cpu, |place| place.runs -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_spread_over_the_cpus() {
        let slots = Slots::new(&[2, 5], 4);
        let taken: Vec<CpuSlot> = (0..4).map(|_| slots.take()).collect();
        let mut cpus: Vec<_> = taken.iter().map(Slot::cpu).collect();
        cpus.sort_unstable();
        assert_eq!(cpus, [Some(2), Some(2), Some(5), Some(5)]);
    }

    #[test]
    fn waiting_run_leaves_its_place_and_comes_back_to_its_cpu() {
        let slots = Slots::new(&[0], 1);
        let mut waiting = slots.take();
        waiting.give_back();
        let working = slots.take();
        assert_eq!(working.cpu(), Some(0));
        drop(working);
        waiting.take_again();
        assert_eq!(waiting.cpu(), Some(0));
    }

    #[test]
    fn fewer_jobs_than_cpus_use_fewer_cpus() {
        let slots = Slots::new(&[0, 1, 2, 3], 1);
        assert_eq!(slots.lock().len(), 1);
    }
}
