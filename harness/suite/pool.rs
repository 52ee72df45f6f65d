//! Many things at once, each on a thread of its own.

use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex, PoisonError};

/// Stack of a run's thread in bytes.
const STACK_BYTES: usize = 1 << 20;
/// Threads at work or waiting at one time: each may have a namespace of its own.
const BEGUN_MAX: usize = 256;

/// Does `work` for every item, each on a thread of its own, at most `most` at a time, and hands
/// the results to `done` on the calling thread in the order in which they come.
pub fn each<T: Sync, R: Send>(
    items: &[T],
    most: usize,
    work: impl Fn(&T) -> R + Sync,
    mut done: impl FnMut(usize, R),
) {
    let gate = Gate { most: most.clamp(1, BEGUN_MAX), ..Gate::default() };
    let (sender, results) = channel();
    std::thread::scope(|scope| {
        let (gate, work) = (&gate, &work);
        let begin = move || {
            for (index, item) in items.iter().enumerate() {
                gate.enter();
                let sender = sender.clone();
                let run = move || {
                    let _pass = Pass(gate);
                    // Nobody listens any more only if the caller is panicking already.
                    let _ = sender.send((index, work(item)));
                };
                let begun = gate.begin(|| {
                    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
                    thread.spawn_scoped(scope, run.clone()).is_ok()
                });
                if !begun {
                    // Not even one: what has no result is missed by the caller.
                    return;
                }
            }
            // The results end when nobody is left to send one.
            drop(sender);
        };
        // Where none has to wait for another to end, nobody is needed who waits.
        if items.len() <= gate.most {
            begin();
        } else {
            scope.spawn(begin);
        }
        for (index, result) in results {
            done(index, result);
        }
    });
}

/// Counts the threads that are begun.
#[derive(Default)]
struct Gate {
    most: usize,
    begun: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    fn enter(&self) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        while *begun >= self.most {
            begun = self.changed.wait(begun).unwrap_or_else(PoisonError::into_inner);
        }
        *begun += 1;
    }

    /// Starts a thread. Where the system has none left, the next one that ends makes room.
    fn begin(&self, start: impl Fn() -> bool) -> bool {
        loop {
            let others = *self.begun.lock().unwrap_or_else(PoisonError::into_inner);
            if start() {
                return true;
            }
            let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
            while *begun >= others && *begun > 1 {
                begun = self.changed.wait(begun).unwrap_or_else(PoisonError::into_inner);
            }
            if *begun <= 1 && others <= 1 {
                return false;
            }
        }
    }
}

/// Leaves the gate however the thread ends.
struct Pass<'a>(&'a Gate);

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.0.begun.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    // Miri takes a second for a hundred threads.
    #[case::more_than_begin_at_once(if cfg!(miri) { 100 } else { 2_000 })]
    #[case::all_begin_at_once(8)]
    #[case::none(0)]
    fn every_item_is_done_once(#[case] count: usize) {
        let items: Vec<usize> = (0..count).collect();
        let mut seen = vec![0; items.len()];
        each(
            &items,
            8,
            |item| item * 2,
            |index, result| {
                assert_eq!(result, index * 2);
                seen[index] += 1;
            },
        );
        assert!(seen.iter().all(|count| *count == 1));
    }

    #[test]
    fn thread_that_cannot_be_had_is_awaited() {
        let gate = Gate { most: 2, ..Gate::default() };
        gate.enter();
        gate.enter();
        let alone = || *gate.begun.lock().unwrap() == 1;
        std::thread::scope(|scope| {
            scope.spawn(|| drop(Pass(&gate)));
            assert!(gate.begin(alone));
        });
        assert!(!gate.begin(|| false));
    }
}
