//! SIGINT and SIGTERM: clean up, then end.

use super::signal;
use crate::sys::shared::folder;

/// Runs `cleanup` when the user interrupts the program, then ends it with 128 + the signal, as a
/// shell would report it.
///
/// Call it before other threads are started: they inherit the mask that leaves both signals to the
/// one thread which waits for them.
pub fn on_interrupt(cleanup: impl FnOnce() + Send + 'static) {
    const SIGNALS: [i32; 2] = [libc::SIGINT, libc::SIGTERM];
    signal::block(&SIGNALS);
    let wait = move || {
        let set = signal::set(&SIGNALS);
        let mut signal = 0;
        // SAFETY: the set is initialised and both signals are blocked in this thread.
        while unsafe { libc::sigwait(&raw const set, &raw mut signal) } != 0 {}
        cleanup();
        folder::remove_all();
        std::process::exit(128 + signal);
    };
    let builder = std::thread::Builder::new().name("interrupt".to_owned());
    builder.spawn(wait).expect("a thread can be started at the start of the program");
}
