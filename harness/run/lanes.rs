//! Threads that make calls and do nothing else.

use super::handover::{Giver, Gone, Taker, handover};
use crate::model::Name;
use crate::sys::clock::now;
use crate::sys::{Ground, Reply, Request, Trouble, Watch};
use std::cell::Cell;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Stack of a lane's thread in bytes: it only makes system calls.
const STACK_BYTES: usize = 256 << 10;
/// How long the end of a call that was interrupted is awaited before its thread is left behind.
const INTERRUPT_WAIT: Duration = Duration::from_millis(500);
/// How often an interruption is repeated: it may come just before the thread enters the kernel.
const INTERRUPT_EVERY: Duration = Duration::from_millis(1);

/// One thread, with at most one call in progress.
pub struct Lane {
    /// The process in which it makes its calls; none: the harness's own.
    pub process: Option<Name>,
    requests: Option<Giver<Request>>,
    replies: Taker<Reply>,
    watch: Box<dyn Watch>,
    thread: Option<JoinHandle<()>>,
    /// When it was handed its call, by the system clock.
    handed: Cell<Duration>,
    /// How long its thread can have waited for a CPU in the calls that are over.
    held_up_before: Cell<Duration>,
}

impl Lane {
    /// Starts a thread that makes calls in `process`.
    pub fn start(ground: &mut dyn Ground, process: Option<&Name>) -> Result<Lane, Trouble> {
        let mut caller = ground.caller(process)?;
        let watch = caller.watch();
        let (requests, inbox) = handover::<Request>();
        let (outbox, replies) = handover();
        let work = move || {
            while let Ok(request) = inbox.take() {
                if outbox.give(caller.issue(&request)).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("lane".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(work)
            .map_err(|error| Trouble::Failed(format!("no thread for a call: {error}")))?;
        Ok(Lane {
            process: process.cloned(),
            requests: Some(requests),
            replies,
            watch,
            thread: Some(thread),
            handed: Cell::default(),
            held_up_before: Cell::default(),
        })
    }

    /// Hands a call over; its end comes out of [`Lane::wait`].
    pub fn begin(&self, request: Request) -> Result<(), Trouble> {
        self.handed.set(now());
        let given = self.requests.as_ref().map_or(Err(Gone), |requests| requests.give(request));
        given.map_err(lost)
    }

    /// Waits for the end of the call, at most that long.
    pub fn wait(&self, limit: Duration) -> Result<Option<Reply>, Trouble> {
        self.replies.take_within(limit).map_err(lost)
    }

    /// Whether the thread sleeps in the kernel, in its call.
    pub fn asleep(&self) -> bool {
        self.watch.asleep()
    }

    /// Sends the thread a signal that it catches, with or without SA_RESTART; false if it is not
    /// inside its call any more.
    pub fn signal(&self, restart: bool) -> bool {
        self.watch.signal(restart)
    }

    /// The call ended at `ended` and had taken next to no time: since it was handed over, its
    /// thread cannot have waited for a CPU for longer. The system is asked only about long calls.
    pub fn was_short(&self, ended: Duration) {
        let most = ended.saturating_sub(self.handed.get());
        self.held_up_before.set(self.held_up_before.get() + most);
    }

    /// The call has taken its time: for how long of it its thread had to wait for a CPU.
    pub fn was_held_up(&self) -> Duration {
        let all = self.watch.held_up();
        all.saturating_sub(self.held_up_before.replace(all))
    }

    /// Ends a call in progress after recording has stopped; false if the thread cannot be moved.
    pub fn interrupt(&self) -> bool {
        let until = Instant::now() + INTERRUPT_WAIT;
        while Instant::now() < until {
            self.watch.interrupt();
            if !matches!(self.wait(INTERRUPT_EVERY), Ok(None)) {
                return true;
            }
        }
        false
    }

    /// Leaves a thread that cannot be moved to itself.
    pub fn abandon(mut self) {
        self.thread = None;
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A lane that panicked has already said so; its calls are reported as lost.
            let _ = thread.join();
        }
    }
}

fn lost(_: Gone) -> Trouble {
    Trouble::Failed("the thread that makes the calls is gone".to_owned())
}
