//! Values handed from one thread to another, one at a time.
//!
//! A channel of the standard library wakes its receiver while it holds a lock of its own. Both
//! threads keep to one CPU, so that the one that was woken runs at once and stumbles over it: two
//! more switches for every call. Here the lock is free by then.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Makes the two ends.
pub fn handover<T>() -> (Giver<T>, Taker<T>) {
    let shared = Arc::new(Shared { state: Mutex::new(State::default()), changed: Condvar::new() });
    (Giver(Arc::clone(&shared)), Taker(shared))
}

/// The other end is gone.
#[derive(PartialEq, Eq, Debug)]
pub struct Gone;

/// The end that hands over.
pub struct Giver<T>(Arc<Shared<T>>);

/// The end that is handed to.
pub struct Taker<T>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    value: Option<T>,
    /// The taker sleeps, or is about to.
    waits: bool,
    /// One of the ends is gone.
    closed: bool,
}

impl<T> Default for State<T> {
    fn default() -> State<T> {
        State { value: None, waits: false, closed: false }
    }
}

impl<T> State<T> {
    /// Nothing has come yet, and may still.
    fn is_empty(&self) -> bool {
        self.value.is_none() && !self.closed
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes the taker if it sleeps.
    fn change(&self, change: impl FnOnce(&mut State<T>)) {
        let mut state = self.lock();
        change(&mut state);
        let waits = state.waits;
        drop(state);
        if waits {
            self.changed.notify_one();
        }
    }
}

impl<T> Giver<T> {
    /// Hands over a value; the one before has been taken.
    ///
    /// # Errors
    /// Nobody is left to take it.
    pub fn give(&self, value: T) -> Result<(), Gone> {
        let mut is_gone = false;
        self.0.change(|state| {
            debug_assert!(state.value.is_none(), "the one before has not been taken");
            is_gone = state.closed;
            state.value = Some(value);
        });
        if is_gone { Err(Gone) } else { Ok(()) }
    }
}

impl<T> Taker<T> {
    /// Waits for a value.
    ///
    /// # Errors
    /// Nobody is left to hand one over.
    pub fn take(&self) -> Result<T, Gone> {
        let mut state = self.0.lock();
        state.waits = true;
        let waited = self.0.changed.wait_while(state, |state| state.is_empty());
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.waits = false;
        state.value.take().ok_or(Gone)
    }

    /// Waits for a value, at most that long.
    ///
    /// # Errors
    /// Nobody is left to hand one over.
    pub fn take_within(&self, limit: Duration) -> Result<Option<T>, Gone> {
        let mut state = self.0.lock();
        state.waits = true;
        let waited = self.0.changed.wait_timeout_while(state, limit, |state| state.is_empty());
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.waits = false;
        match state.value.take() {
            None if state.closed => Err(Gone),
            value => Ok(value),
        }
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        self.0.change(|state| state.closed = true);
    }
}

impl<T> Drop for Taker<T> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_arrive_in_order_and_the_last_one_before_the_end() {
        let (giver, taker) = handover();
        let (answers, answer) = handover();
        let doubles = std::thread::spawn(move || {
            while let Ok(value) = taker.take() {
                answers.give(value * 2).unwrap();
            }
        });
        for value in 0..1_000 {
            giver.give(value).unwrap();
            let within = answer.take_within(Duration::from_secs(60));
            assert_eq!(within, Ok(Some(value * 2)));
        }
        giver.give(7).unwrap();
        drop(giver);
        doubles.join().unwrap();
        assert_eq!(answer.take(), Ok(14));
        assert_eq!(answer.take(), Err(Gone));
    }

    #[test]
    fn nothing_comes_before_it_is_given() {
        let (giver, taker) = handover();
        assert_eq!(taker.take_within(Duration::ZERO), Ok(None));
        assert_eq!(taker.take_within(Duration::from_millis(1)), Ok(None));
        giver.give(1).unwrap();
        assert_eq!(taker.take_within(Duration::ZERO), Ok(Some(1)));
    }

    #[test]
    fn end_that_is_gone_is_noticed_at_the_other() {
        let (giver, taker) = handover::<u8>();
        drop(taker);
        assert_eq!(giver.give(1), Err(Gone));
        let (giver, taker) = handover::<u8>();
        let waits = std::thread::spawn(move || taker.take());
        drop(giver);
        assert_eq!(waits.join().unwrap(), Err(Gone));
    }
}
