//! Signals of a calling thread: masks, and a way to end a blocked call.

use super::dialect;
use libc::{c_int, sigset_t};
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::Once;

/// A set of these signals.
pub fn set(signals: &[c_int]) -> sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises what it is given; sigaddset then changes a valid set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
        set.assume_init()
    }
}

/// Blocks these signals in the calling thread and the threads that it starts later.
pub fn block(signals: &[c_int]) {
    let set = set(signals);
    // SAFETY: the set is initialised, and the old mask is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, null_mut()) };
}

/// Blocks no signal in the calling thread and the threads that it starts later.
pub fn unblock_all() {
    let none = set(&[]);
    // SAFETY: the set is initialised, and the old mask is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, null_mut()) };
}

/// The two signals whose handlers do nothing: after one a call is made again where the system does
/// that (SA_RESTART), the other ends it with EINTR.
pub fn harmless(restart: bool) -> c_int {
    let [ends, restarts] = dialect::harmless_signals();
    if restart { restarts } else { ends }
}

/// Gives them their handlers, so that they end a call at most, and not the process with it.
pub fn install_harmless() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        catch(harmless(false));
        set_action(harmless(true), nothing as *const () as libc::sighandler_t, libc::SA_RESTART);
    });
}

/// Gives a signal a handler that does nothing.
pub fn catch(signal: c_int) {
    handle(signal, nothing as *const () as libc::sighandler_t);
}

extern "C" fn nothing(_: c_int) {}

/// Sets a signal's disposition: SIG_DFL, or a handler, without SA_RESTART.
pub fn handle(signal: c_int, disposition: libc::sighandler_t) {
    set_action(signal, disposition, 0);
}

fn set_action(signal: c_int, disposition: libc::sighandler_t, flags: c_int) {
    // SAFETY: a zeroed sigaction is valid (no flags, empty mask); the disposition is SIG_DFL or a
    // handler that only returns.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = disposition;
        action.sa_flags = flags;
        libc::sigaction(signal, &raw const action, null_mut());
    }
}
