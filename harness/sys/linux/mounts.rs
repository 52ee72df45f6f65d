//! Mounts of `/proc` that nobody else sees, one for each run, also for ordinary users.
//!
//! The kernel lets a process mount `/proc` if it has all powers over its mount namespace and over
//! its process namespace, pid_namespaces(7). Root has; in a user namespace of one's own only a
//! process has that began its life in a process namespace of its own. So where runs need a user
//! namespace there is one such process, which mounts and passes the mount's descriptor on.

use super::namespace::Way;
use crate::sys::unix::{aside, channel};
use libc::{c_char, c_int, c_long, c_uint};
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whoever mounts.
#[derive(Debug)]
pub enum Mounts {
    /// The calling thread itself.
    Own,
    /// A process in a process namespace of its own.
    Helper(Helper),
}

/// The process, at the other end of a channel. One thread at a time asks.
#[derive(Debug)]
pub struct Helper {
    process: libc::pid_t,
    channel: Mutex<UnixStream>,
}

impl Mounts {
    /// Finds out who can mount. Must be called while the process has a single thread, after it has
    /// entered its user namespace; none: nobody can (Linux before 5.2, a container that hides parts
    /// of its `/proc`), and all runs see the machine's own mount.
    pub fn find(way: Way) -> Option<Mounts> {
        match way {
            Way::Direct => Some(Mounts::Own),
            Way::InUserNamespace => {
                let helper = start_helper().ok()?;
                let can = channel::receive::<bool>(&helper.channel());
                let mounts = Mounts::Helper(helper);
                if can.is_ok_and(|(can, _)| can) {
                    return Some(mounts);
                }
                mounts.end();
                None
            }
        }
    }

    /// Ends the helper and waits for it: else a container whose first process waits for nobody
    /// would keep its remains. Should this process be killed, the channel's end ends the helper.
    pub fn end(&self) {
        if let Mounts::Helper(helper) = self {
            // SAFETY: there is no pointer to anything; the process is a child that nobody else
            // waits for.
            unsafe {
                libc::kill(helper.process, libc::SIGKILL);
                libc::waitpid(helper.process, std::ptr::null_mut(), 0);
            }
        }
    }

    /// A new mount of `/proc`. Closing it sleeps until all CPUs have passed a point of rest.
    ///
    /// # Errors
    /// The system's; the helper is gone.
    pub fn mount(&self) -> io::Result<OwnedFd> {
        match self {
            Mounts::Own => mount_proc(),
            Mounts::Helper(helper) => {
                let channel = helper.channel();
                channel::send(&channel, &(), None)?;
                let (mounted, passed) = channel::receive::<bool>(&channel)?;
                passed.filter(|_| mounted).ok_or_else(|| io::ErrorKind::PermissionDenied.into())
            }
        }
    }

    /// The descriptor that a run needs in its own table to have somebody mount.
    pub fn descriptor(&self) -> Option<RawFd> {
        match self {
            Mounts::Own => None,
            Mounts::Helper(helper) => Some(helper.channel().as_raw_fd()),
        }
    }
}

impl Helper {
    fn channel(&self) -> MutexGuard<'_, UnixStream> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the helper.
///
/// # Errors
/// The system's: seccomp filters refuse clone3(2), or the kernel these namespaces.
fn start_helper() -> io::Result<Helper> {
    let (here, there) = UnixStream::pair()?;
    // SAFETY: all zeroes are a valid value; fields that a kernel does not know are zero.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (libc::CLONE_NEWPID | libc::CLONE_NEWNS) as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: without CLONE_VM this is a fork. There is a single thread, so the child may run any
    // code; it never returns from here, and so runs no destructor twice.
    let child =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>()) };
    match child {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            drop(here);
            help(there)
        }
        child => {
            let channel = Mutex::new(UnixStream::from(aside(here.into())));
            // A process's number always fits.
            Ok(Helper { process: child as libc::pid_t, channel })
        }
    }
}

/// Mounts as often as it is asked to, until nobody is left to ask.
fn help(channel: UnixStream) -> ! {
    // Whoever waits for the end of the harness's output does not wait for this process. It is the
    // first of its process namespace, so that signals from the terminal do not reach it.
    let channel = ManuallyDrop::new(channel);
    let own = channel.as_raw_fd() as c_uint;
    for (first, last) in [(0, own - 1), (own + 1, c_uint::MAX)] {
        // SAFETY: the call takes numbers only; nothing uses what it closes.
        unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    }
    // Closing a mount takes its time, which is this process's own.
    let first = mount_proc();
    let mut told = channel::send(&channel, &first.is_ok(), None);
    drop(first);
    while told.is_ok() && channel::receive::<()>(&channel).is_ok() {
        let mounted = mount_proc();
        let passed = mounted.as_ref().map(AsFd::as_fd).ok();
        told = channel::send(&channel, &passed.is_some(), passed);
    }
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(0) }
}

/// Mounts `/proc` where nobody sees it, fsopen(2) and fsmount(2).
fn mount_proc() -> io::Result<OwnedFd> {
    // <linux/mount.h>
    const FSOPEN_CLOEXEC: c_uint = 1;
    const FSCONFIG_CMD_CREATE: c_uint = 6;
    const FSMOUNT_CLOEXEC: c_uint = 1;
    let nothing = std::ptr::null::<c_char>();
    // SAFETY: the name is a string that outlives the calls; the others take numbers, and no key,
    // value and flags.
    unsafe {
        let context = owned(libc::syscall(libc::SYS_fsopen, c"proc".as_ptr(), FSOPEN_CLOEXEC))?;
        let context = context.as_raw_fd();
        let create = FSCONFIG_CMD_CREATE;
        if libc::syscall(libc::SYS_fsconfig, context, create, nothing, nothing, 0) != 0 {
            return Err(io::Error::last_os_error());
        }
        owned(libc::syscall(libc::SYS_fsmount, context, FSMOUNT_CLOEXEC, 0))
    }
}

/// The descriptor that a call has returned, or its error.
///
/// # Safety
/// The number is a new descriptor, which nobody else owns, or -1.
pub unsafe fn owned(returned: c_long) -> io::Result<OwnedFd> {
    match c_int::try_from(returned) {
        // SAFETY: as the caller promises.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}
