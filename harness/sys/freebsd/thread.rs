//! A watched thread: what `kern.proc` tells of it.

use libc::{c_int, c_long, kinfo_proc, pid_t};
use std::time::Duration;

/// The number under which other processes know a thread.
pub type ThreadId = c_int;

/// Where the system tells nothing: a thread that has been inside a call for that long is taken to
/// be asleep.
const ASLEEP_AFTER: Duration = Duration::from_millis(50);

/// More threads than the program or a process of a case has.
const THREADS_MAX: usize = 128;

/// A thread whose calls are watched.
pub struct Thread {
    process: pid_t,
    thread: ThreadId,
}

impl Thread {
    /// The calling thread.
    pub fn current() -> Thread {
        // SAFETY: there is no pointer.
        Thread { process: unsafe { libc::getpid() }, thread: Thread::current_id() }
    }

    /// The number under which other processes know the calling thread.
    pub fn current_id() -> ThreadId {
        // SAFETY: there is no pointer.
        unsafe { libc::pthread_getthreadid_np() }
    }

    /// A thread of any process.
    pub fn of(process: pid_t, thread: ThreadId) -> Thread {
        Thread { process, thread }
    }

    /// Whether the scheduler has put it to sleep until something happens or a signal comes. From
    /// the other kind of sleep, for a page or a lock, it goes on by itself.
    pub fn sleeps(&self, inside_for: Duration) -> bool {
        let threads = self.all_of_its_process();
        match threads.iter().find(|thread| thread.ki_tid == self.thread) {
            Some(thread) => {
                let interruptible = thread.ki_tdflags & c_long::from(libc::TDF_SINTR) != 0;
                thread.ki_stat == libc::SSLEEP && interruptible
            }
            None => inside_for > ASLEEP_AFTER,
        }
    }

    /// How long it has had to wait for a CPU: the system does not tell.
    pub fn held_up(&self) -> Duration {
        Duration::ZERO
    }

    /// Sends it a signal that has a handler.
    pub fn signal(&self, signal: c_int) {
        let (process, thread) = (self.process, c_long::from(self.thread));
        // SAFETY: there is no pointer, and the signal has a handler in the processes of a case.
        unsafe { libc::thr_kill2(process, thread, signal) };
    }

    /// What `kern.proc` tells of every thread of its process; nothing if it cannot tell.
    fn all_of_its_process(&self) -> Vec<kinfo_proc> {
        let which = libc::KERN_PROC_PID | libc::KERN_PROC_INC_THREAD;
        let name = [libc::CTL_KERN, libc::KERN_PROC, which, self.process];
        let mut threads: Vec<kinfo_proc> = Vec::with_capacity(THREADS_MAX);
        let mut len = THREADS_MAX * size_of::<kinfo_proc>();
        let pointer = threads.as_mut_ptr().cast();
        let nothing = std::ptr::null();
        let depth = name.len() as libc::c_uint;
        // SAFETY: the name has `depth` numbers, the pointer is to `len` writable bytes, and no new
        // value is given.
        let told = unsafe { libc::sysctl(name.as_ptr(), depth, pointer, &raw mut len, nothing, 0) };
        if told == 0 {
            // SAFETY: the kernel filled so many bytes, at most the capacity, and any bytes are a
            // valid element.
            unsafe { threads.set_len(len / size_of::<kinfo_proc>()) };
        }
        // Another release's structure would have another size, which it tells.
        threads.retain(|thread| thread.ki_structsize as usize == size_of::<kinfo_proc>());
        threads
    }
}
