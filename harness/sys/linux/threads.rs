//! CPUs and tables of descriptors: what a run's threads have to themselves.

use crate::model::capability::Lack;
use crate::sys::unix::aside;
use crate::sys::unix::dialect::NOBODY;
use crate::sys::unix::errno;
use std::os::fd::{BorrowedFd, RawFd};

/// The CPUs that this process may use.
pub fn allowed_cpus() -> Vec<usize> {
    // SAFETY: all zeroes is an empty set, of the size told to the call that fills it.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set);
        set
    };
    let all = 0..libc::CPU_SETSIZE as usize;
    // SAFETY: the numbers are within the set.
    let cpus: Vec<usize> = all.filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) }).collect();
    if cpus.is_empty() { vec![0] } else { cpus }
}

/// Keeps the calling thread, and the threads and processes that it starts from now on, on one CPU:
/// this one, or the one it happens to be on.
///
/// # Errors
/// The system's error.
pub fn pin(cpu: Option<usize>) -> std::io::Result<()> {
    // SAFETY: there is no pointer; -1 (not told) becomes the first CPU.
    let here = || usize::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(0);
    let cpu = cpu.unwrap_or_else(here).min(libc::CPU_SETSIZE as usize - 1);
    // SAFETY: all zeroes is an empty set, and the number is within it.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    };
    match result {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Whether this process may become another user, tried in a thread that ends with it: by the
/// kernel's calls, which change the calling thread alone.
///
/// # Errors
/// It may not.
pub fn other_user() -> Result<(), Lack> {
    let become_nobody = || {
        const NO_GROUPS: libc::c_ulong = 0;
        let id = libc::c_ulong::from(NOBODY);
        // SAFETY: no groups are read; the other calls take numbers only.
        let done = unsafe {
            libc::syscall(libc::SYS_setgroups, NO_GROUPS, std::ptr::null::<libc::gid_t>()) == 0
                && libc::syscall(libc::SYS_setresgid, id, id, id) == 0
                && libc::syscall(libc::SYS_setresuid, id, id, id) == 0
        };
        if done { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    let tried = std::thread::Builder::new().spawn(become_nobody);
    let tried = tried.and_then(|trying| {
        trying.join().unwrap_or_else(|_| Err(std::io::Error::other("the attempt panicked")))
    });
    tried.map_err(|error| {
        let raw = error.raw_os_error();
        let why = raw.map_or_else(|| error.to_string(), |raw| errno::name(raw).to_string());
        Lack::new(format!("becoming another user: {why}")).remedy("run it as root")
    })
}

/// The least that a run needs besides the sockets of its case, rounded up generously.
const DESCRIPTORS_MIN: libc::rlim_t = 64;

/// Whether a run may open as many descriptors as it needs. Without them the machine would look like
/// one that lets nobody see packets.
///
/// # Errors
/// The limit is too low.
pub fn enough_descriptors() -> Result<(), Lack> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a limit, which the call fills.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0;
    if !known || limit.rlim_cur >= DESCRIPTORS_MIN {
        return Ok(());
    }
    let what = format!("this process may open {} descriptors, too few to run", limit.rlim_cur);
    Err(Lack::new(what).remedy(format!("ulimit -n {DESCRIPTORS_MIN}")))
}

/// Gives the calling thread, and the threads that it starts, a table of descriptors of its own with
/// nothing but the standard three and the kept one in it.
///
/// Runs go on side by side in one process. Sharing its table, a descriptor that one run has closed
/// could be another run's socket a moment later, and the call that should have failed with EBADF
/// would reach it. With tables of their own, runs also number their descriptors alike.
///
/// # Errors
/// The system refuses both `close_range(2)` and `unshare(2)`.
pub fn own_descriptors(kept: Option<RawFd>) -> std::io::Result<()> {
    const FIRST_FREE: libc::c_uint = 3;
    const LAST: libc::c_uint = libc::c_uint::MAX;
    let unshare = libc::CLOSE_RANGE_UNSHARE;
    let kept = kept.and_then(|fd| libc::c_uint::try_from(fd).ok());
    let until = kept.map_or(LAST, |fd| fd - 1);
    // SAFETY: the call takes numbers only. What it closes, it closes in the copy that it makes, and
    // nothing of this thread's owns a descriptor yet.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, FIRST_FREE, until, unshare) };
    if closed == 0 {
        if let Some(kept) = kept {
            // SAFETY: as above; the table is this thread's own by now.
            unsafe { libc::syscall(libc::SYS_close_range, kept + 1, LAST, 0) };
        }
        make_room();
        return Ok(());
    }
    // Before Linux 5.9: a copy of the whole table. No recorded socket is in it, because every run
    // keeps its sockets in a table of its own.
    // SAFETY: the call takes a number only.
    match unsafe { libc::unshare(libc::CLONE_FILES) } {
        0 => {
            make_room();
            Ok(())
        }
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Lets the table of descriptors grow to where the harness's own ones are while one thread has it.
///
/// A table that several threads share grows only after an RCU grace period (`expand_fdtable()` in
/// the kernel's fs/file.c): about ten milliseconds asleep, in every run.
fn make_room() {
    // A standard descriptor may be closed; then the table grows later, as it would without this.
    // SAFETY: fd 0 is only duplicated; nothing but this thread uses the table.
    let input = unsafe { BorrowedFd::borrow_raw(0) };
    if let Ok(input) = input.try_clone_to_owned() {
        drop(aside(input));
    }
}
