//! A watched thread: what `proc_pidinfo` tells of it.

use libc::{c_int, pid_t, proc_threadinfo};
use std::time::Duration;

/// The number under which other processes know a thread.
pub type ThreadId = u64;

/// `<sys/proc_info.h>`: one thread, by the number that `pthread_threadid_np` gives.
const PROC_PIDTHREADID64INFO: c_int = 15;

/// Where the system tells nothing: a thread that has been inside a call for that long is taken to
/// be asleep.
const ASLEEP_AFTER: Duration = Duration::from_millis(50);

/// A thread whose calls are watched.
pub struct Thread {
    /// None: a thread of another process, whose handle nobody else can use.
    own: Option<libc::pthread_t>,
    process: pid_t,
    thread: ThreadId,
}

impl Thread {
    /// The calling thread.
    pub fn current() -> Thread {
        // SAFETY: there is no pointer.
        let (own, process) = unsafe { (libc::pthread_self(), libc::getpid()) };
        Thread { own: Some(own), process, thread: Thread::current_id() }
    }

    /// The number under which other processes know the calling thread.
    pub fn current_id() -> ThreadId {
        let mut id = 0;
        // SAFETY: the pointer is to a number that outlives the call; 0 is the calling thread.
        unsafe { libc::pthread_threadid_np(0, &raw mut id) };
        id
    }

    /// A thread of another process.
    pub fn of(process: pid_t, thread: ThreadId) -> Thread {
        Thread { own: None, process, thread }
    }

    /// Whether the scheduler has put it to sleep until something happens or a signal comes. From
    /// the other kind of sleep, for a page or a lock, it goes on by itself.
    pub fn sleeps(&self, inside_for: Duration) -> bool {
        match self.state() {
            Some(state) => state == libc::TH_STATE_WAITING,
            None => inside_for > ASLEEP_AFTER,
        }
    }

    fn state(&self) -> Option<c_int> {
        let len = size_of::<proc_threadinfo>() as c_int;
        // SAFETY: all zeroes is a valid value, and the pointer is to `len` writable bytes.
        let (told, info) = unsafe {
            let mut info: proc_threadinfo = std::mem::zeroed();
            let pointer = (&raw mut info).cast();
            let flavour = PROC_PIDTHREADID64INFO;
            (libc::proc_pidinfo(self.process, flavour, self.thread, pointer, len), info)
        };
        (told == len).then_some(info.pth_run_state)
    }

    /// How long it has had to wait for a CPU: the system does not tell.
    pub fn held_up(&self) -> Duration {
        Duration::ZERO
    }

    /// Sends it a signal that has a handler. In another process, any thread that makes calls may
    /// get it.
    pub fn signal(&self, signal: c_int) {
        // SAFETY: the signal has a handler in the processes of a case. The handle is valid, because
        // a lane joins its thread only when nobody watches it any more.
        unsafe {
            match self.own {
                Some(thread) => libc::pthread_kill(thread, signal),
                None => libc::kill(self.process, signal),
            };
        }
    }
}
