//! A process of a run, from the inside: this program, started with one private argument, with the
//! harness at the other ends of its standard input and output. It makes the calls that it is told
//! to make.

use super::channel::{self, Crash, LaneId, Order, Told};
use super::{copy, thread, winsock};
use crate::sys::Request;
use crate::sys::calls::{self, Gate};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::windows::io::AsHandle;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use windows_sys::Win32::Foundation::EXCEPTION_ACCESS_VIOLATION;
use windows_sys::Win32::System::Diagnostics::Debug::{
    RaiseException, SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX, SetErrorMode,
};

/// The private argument.
pub const ARGUMENT: &str = "--case-process";

/// Stack of a calling thread in bytes: it only makes calls.
const STACK_BYTES: usize = 256 << 10;

/// Does a case process's work, and does not return, if this process was started as one.
pub fn run_if_asked() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT) {
        // By order, or because the harness is gone.
        let _ = run();
        std::process::exit(0);
    }
}

fn run() -> io::Result<()> {
    // A case asks for the end of this process, not for a window that says so.
    // SAFETY: there is no pointer.
    unsafe { SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX) };
    winsock::start();
    let orders = File::from(io::stdin().as_handle().try_clone_to_owned()?);
    let out = Out(Arc::new(Mutex::new(File::from(io::stdout().as_handle().try_clone_to_owned()?))));
    let mut lanes: BTreeMap<LaneId, Lane> = BTreeMap::new();
    loop {
        match channel::receive(&orders)? {
            Order::Call(id, request) => {
                let lane = match lanes.remove(&id) {
                    Some(lane) => lane,
                    None => Lane::start(id, out.clone())?,
                };
                // A lane ends only with the process.
                let _ = lane.requests.send(request);
                lanes.insert(id, lane);
            }
            Order::Asleep(id) => out.answer(lanes.get(&id).is_some_and(|lane| lane.at.asleep()))?,
            Order::Address(fd) => out.answer(calls::own_address(fd))?,
            Order::Duplicate(fd, process) => out.answer(copy::for_process(fd, process))?,
            Order::Adopt(description) => out.answer(copy::from_description(&description))?,
            Order::Exit => return Ok(()),
            Order::Crash(Crash::Abort) => std::process::abort(),
            // SAFETY: there are no arguments; nobody handles the exception, so the process ends as
            // after an access to an unmapped address.
            Order::Crash(Crash::Segv) => unsafe {
                RaiseException(EXCEPTION_ACCESS_VIOLATION as u32, 0, 0, std::ptr::null());
            },
        }
    }
}

/// The way to the harness, one message at a time.
#[derive(Clone)]
struct Out(Arc<Mutex<File>>);

impl Out {
    fn tell(&self, told: &Told) -> io::Result<()> {
        channel::send(&*self.0.lock().unwrap_or_else(PoisonError::into_inner), told)
    }

    fn answer(&self, answer: impl Serialize) -> io::Result<()> {
        self.tell(&Told::Answer(serde_json::to_value(answer)?))
    }
}

/// A thread that makes calls.
struct Lane {
    requests: Sender<Request>,
    at: Arc<At>,
}

impl Lane {
    fn start(id: LaneId, out: Out) -> io::Result<Lane> {
        let (requests, inbox) = channel();
        let at = Arc::new(At::default());
        let own = Arc::clone(&at);
        let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
        builder.spawn(move || serve(id, &own, &inbox, &out))?;
        Ok(Lane { requests, at })
    }
}

fn serve(id: LaneId, at: &At, requests: &Receiver<Request>, out: &Out) {
    at.thread.store(thread::current(), Ordering::SeqCst);
    while let Ok(request) = requests.recv() {
        let reply = calls::make(&request, at);
        if out.tell(&Told::Reply(id, reply)).is_err() {
            return;
        }
    }
}

/// Where a calling thread is.
#[derive(Default)]
struct At {
    /// Its number.
    thread: AtomicU32,
    /// Microseconds since the first look at the clock; 0 outside a call.
    since_us: AtomicU64,
}

impl At {
    /// Whether it is in its call and sleeps there. Asked twice, because it may sleep elsewhere
    /// after its call.
    fn asleep(&self) -> bool {
        let thread = self.thread.load(Ordering::SeqCst);
        let sleeps = |time| thread::sleeps(thread, time);
        self.time_inside().is_some_and(sleeps) && self.time_inside().is_some()
    }

    fn time_inside(&self) -> Option<Duration> {
        match self.since_us.load(Ordering::SeqCst) {
            0 => None,
            since_us => Some(Duration::from_micros(clock_us().saturating_sub(since_us))),
        }
    }
}

impl Gate for At {
    fn enter(&self) {
        self.since_us.store(clock_us(), Ordering::SeqCst);
    }

    fn leave(&self) {
        self.since_us.store(0, Ordering::SeqCst);
    }
}

/// Microseconds since the first call, and never 0.
fn clock_us() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed().as_micros() as u64 + 1
}
