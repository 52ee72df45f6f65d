//! Runs cases, many at a time, each as often as asked.

use super::pool;
use super::single::{Ran, Thread, ran_here};
use super::slots::Slots;
use crate::model::Case;
use crate::model::capability::Lack;
use crate::run::Conditions;
use crate::sys::{Stack, Trouble};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What is the same for every case of an invocation.
pub struct Session<'a> {
    /// The system under test.
    pub stack: &'a dyn Stack,
    /// Places on CPUs.
    pub slots: Arc<Slots>,
    /// Jitter and seed.
    pub conditions: Conditions,
    /// How often each case runs.
    pub repeat: u32,
    /// Keep what each run saw: with thousands of cases that is a lot.
    pub keep_logs: bool,
}

/// What all runs of one case gave.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The distinct answers, each with how often it was given, in the order of their first.
    pub answers: Vec<(Ran, u32)>,
    /// The first thing that went wrong, of the harness or the machine.
    pub error: Option<String>,
    /// What this machine turned out to lack when a run began: a value that it refuses.
    pub lack: Option<Lack>,
    /// Runs that are done.
    pub runs: u32,
    /// Runs that were not on their CPU in time, and were made again.
    pub again: u32,
}

impl Session<'_> {
    /// Runs these cases and hands over what each gave as soon as its last run is done.
    pub fn run(&self, cases: &[&Case], mut done: impl FnMut(usize, Gathered)) {
        let runs: Vec<(usize, u32)> = (0..self.repeat)
            .flat_map(|time| (0..cases.len()).map(move |case| (case, time)))
            .collect();
        let mut gathered: Vec<Gathered> = cases.iter().map(|_| Gathered::default()).collect();
        let work = |(case, time): &(usize, u32)| self.once(cases[*case], *time, Thread::OfCase);
        let most = self.stack.runs_at_once();
        pool::each(&runs, most, work, |index, ran| {
            let case = runs[index].0;
            gathered[case].add(ran);
            if gathered[case].runs == self.repeat {
                done(case, std::mem::take(&mut gathered[case]));
            }
        });
    }

    /// Runs one case once, whatever happens.
    ///
    /// # Errors
    /// The harness or the machine is at fault.
    pub fn once(&self, case: &Case, time: u32, thread: Thread) -> Result<Ran, Trouble> {
        let seed = self.conditions.seed.wrapping_add(u64::from(time) << 32);
        let conditions = Conditions { seed, ..self.conditions.clone() };
        let run = || ran_here(case, self.stack, &conditions, &self.slots, thread);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(ran)) if !self.keep_logs => Ok(Ran { logs: Vec::new(), ..ran }),
            Ok(ran) => ran,
            Err(_) => {
                let what = "the harness panicked (see above); please report it";
                Err(Trouble::Failed(what.to_owned()))
            }
        }
    }
}

impl Gathered {
    /// What a single run gave.
    pub fn of(ran: Result<Ran, Trouble>) -> Gathered {
        let mut gathered = Gathered::default();
        gathered.add(ran);
        gathered
    }

    fn add(&mut self, ran: Result<Ran, Trouble>) {
        self.runs += 1;
        match ran {
            Err(Trouble::Lacks(lack)) => {
                self.lack.get_or_insert(lack);
            }
            Err(error) => {
                self.error.get_or_insert(error.to_string());
            }
            Ok(ran) => self.count(ran),
        }
    }

    fn count(&mut self, ran: Ran) {
        self.again += ran.again;
        match self.answers.iter_mut().find(|(known, _)| known.body == ran.body) {
            Some((known, count)) => {
                *count += 1;
                known.duration = known.duration.max(ran.duration);
                known.settled &= ran.settled;
            }
            None => self.answers.push((ran, 1)),
        }
    }
}
