//! A process of a case, from the inside: this program, started with one private argument, with the
//! harness at descriptor 0. It makes the calls that it is told to make, and signals act on it as
//! on any ordinary process.

use super::channel::{self, ENTERING, Order, REPLY};
use super::{address, aside, dialect, errno, names, signal};
use crate::sys::calls::{self, Gate};
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

/// The private argument.
pub const ARGUMENT: &str = "--case-process";

/// Does a case process's work, and does not return, if this process was started as one.
pub fn run_if_asked() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT) {
        run();
    }
}

fn run() -> ! {
    // The Rust runtime ignores SIGPIPE and catches SIGSEGV; a case asks about the defaults.
    for (_, number) in names::SIGNALS {
        signal::handle(*number, libc::SIG_DFL);
    }
    // The harness blocks SIGINT and SIGTERM for a thread of its own, and a mask is inherited.
    signal::unblock_all();
    signal::install_harmless();
    // macOS knows no signals to another process's threads: the first one that does not block it
    // gets it, which is to be one that makes calls.
    signal::block(&[signal::harmless(false), signal::harmless(true)]);
    no_core_dumps();
    // SAFETY: whoever starts a case process puts its channel at descriptor 0, which nobody else
    // in this process uses.
    let control = UnixStream::from(unsafe { OwnedFd::from_raw_fd(0) });
    while let Ok((order, passed)) = channel::receive(&control) {
        let told = match (order, passed) {
            (Order::Caller, Some(channel)) => {
                let channel = UnixStream::from(aside(channel));
                std::thread::spawn(move || serve(&channel));
                Ok(())
            }
            (Order::Share, Some(passed)) => {
                channel::send(&control, &i64::from(passed.into_raw_fd()), None)
            }
            (Order::Address(fd), _) => channel::send(&control, &calls::own_address(fd), None),
            (Order::FarAddress(fd), _) => channel::send(&control, &address::far(fd), None),
            (Order::Limit(most), _) => channel::send(&control, &limit(most), None),
            (Order::Drop, _) => channel::send(&control, &drop_capabilities(), None),
            (Order::Setuid, _) => channel::send(&control, &become_nobody(), None),
            (Order::Exit, _) => break,
            (Order::Caller | Order::Share, None) => Ok(()),
        };
        if told.is_err() {
            break;
        }
    }
    // By order, or because the harness is gone.
    std::process::exit(0)
}

/// Set before the next call of any thread; each gives up its own capabilities.
static DROPPED: AtomicBool = AtomicBool::new(false);

/// Gives up the capabilities of this thread, which makes all others that are still to come, and
/// tells those that make calls to do likewise. The errno if that failed.
fn drop_capabilities() -> Option<i32> {
    let result = dialect::give_up();
    DROPPED.store(result.is_ok(), Ordering::SeqCst);
    result.err().map(|error| error.raw_os_error().unwrap_or(libc::ENOSYS))
}

/// Becomes the user `nobody`, in all threads: the calls of the C library see to that. The errno if
/// that failed.
fn become_nobody() -> Option<i32> {
    let nobody = dialect::NOBODY;
    // SAFETY: no groups are read; the other calls have no pointer.
    let done = unsafe {
        libc::setgroups(0, std::ptr::null()) == 0
            && libc::setgid(nobody) == 0
            && libc::setuid(nobody) == 0
    };
    (!done).then(errno::last)
}

/// Makes the calls that come through one channel.
fn serve(mut channel: &UnixStream) {
    signal::unblock_all();
    let thread = dialect::Thread::current_id().to_ne_bytes();
    if channel.write_all(&thread).is_err() {
        return;
    }
    let mut dropped = false;
    while let Ok((request, _)) = channel::receive(channel) {
        if !dropped && DROPPED.load(Ordering::SeqCst) {
            if dialect::give_up().is_err() {
                // Rather no answer than one with capabilities.
                std::process::exit(1);
            }
            dropped = true;
        }
        let reply = calls::make(&request, &Announce(channel));
        let told = channel.write_all(&[REPLY]);
        if told.and_then(|()| channel::send(channel, &reply, None)).is_err() {
            return;
        }
    }
}

/// Tells the harness that the next thing this thread does is the call.
struct Announce<'a>(&'a UnixStream);

impl Gate for Announce<'_> {
    fn enter(&self) {
        let byte = [ENTERING];
        let pointer = byte.as_ptr().cast();
        // The one byte alone, so that between it and the call there is as little as possible.
        // SAFETY: the pointer is to one byte.
        unsafe { libc::send(self.0.as_raw_fd(), pointer, 1, 0) };
    }

    fn leave(&self) {}
}

/// Sets the soft limit of descriptors, so that it can be raised again. The errno if that failed.
fn limit(most: u32) -> Option<i32> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both pointers are to a limit.
    let result = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = most.into();
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit)
    };
    (result != 0).then(errno::last)
}

/// SIGSEGV and SIGABRT of a case leave no file behind.
fn no_core_dumps() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a limit.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
}
