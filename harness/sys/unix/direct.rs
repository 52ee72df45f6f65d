//! A [`Caller`] whose calls are made on its own thread of this process.

use super::inside::Inside;
use super::{dialect, signal};
use crate::model::outcome::Outcome;
use crate::sys::calls::{self, Gate};
use crate::sys::{Caller, Reply, Request, Watch};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Calls of this process.
#[derive(Default)]
pub struct Direct {
    shared: Arc<Shared>,
}

/// What a watcher may look at.
#[derive(Default)]
struct Shared {
    inside: Inside,
    /// Known once the caller has reached its thread.
    thread: OnceLock<dialect::Thread>,
}

impl Caller for Direct {
    fn issue(&mut self, request: &Request) -> Reply {
        // The first call finds out which thread this is; a caller does not change it afterwards.
        self.shared.thread.get_or_init(|| {
            signal::install_harmless();
            signal::block(&[libc::SIGPIPE]);
            dialect::Thread::current()
        });
        if dialect::SIGPIPE_OF_PROCESS {
            // The harness's own, from telling something to a process that has gone.
            dialect::take_sigpipe();
        }
        let mut reply = calls::make(request, &*self.shared);
        if let Reply::Done { outcome, .. } = &mut reply
            && may_have_raised_sigpipe(outcome)
            && dialect::take_sigpipe()
        {
            outcome.signal = Some("SIGPIPE".to_owned());
        }
        reply
    }

    fn watch(&self) -> Box<dyn Watch> {
        Box::new(DirectWatch(Arc::clone(&self.shared)))
    }
}

/// Whether a SIGPIPE that is found can be that of the call: where it is sent to the process, EPIPE
/// tells it from that of a call which another thread makes.
fn may_have_raised_sigpipe(outcome: &Outcome) -> bool {
    !dialect::SIGPIPE_OF_PROCESS || outcome.errno_raw == Some(libc::EPIPE)
}

impl Gate for Shared {
    fn enter(&self) {
        self.inside.enter();
    }

    fn leave(&self) {
        self.inside.leave();
    }
}

struct DirectWatch(Arc<Shared>);

impl Watch for DirectWatch {
    fn asleep(&self) -> bool {
        let Shared { inside, thread } = &*self.0;
        let sleeps = |time| thread.get().is_some_and(|thread| thread.sleeps(time));
        // Asked again afterwards, because the thread may sleep elsewhere after its call.
        inside.time().is_some_and(sleeps) && inside.time().is_some()
    }

    fn held_up(&self) -> Duration {
        self.0.thread.get().map_or(Duration::ZERO, dialect::Thread::held_up)
    }

    fn interrupt(&self) {
        self.signal(false);
    }

    fn signal(&self, restart: bool) -> bool {
        let thread = self.0.thread.get().filter(|_| self.0.inside.time().is_some());
        if let Some(thread) = thread {
            thread.signal(signal::harmless(restart));
        }
        thread.is_some()
    }
}
