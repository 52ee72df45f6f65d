//! Starting a case process without copying the descriptor table.
//!
//! `fork` gives the child a reference to every open socket until it calls `exec`. In that time a
//! close() in another run would close nothing, and its FIN would fall into a later step. So the
//! child shares the table, and leaves it by a `close_range` that copies only what lies below: the
//! three standard descriptors and one slot, reserved when the program began.

use libc::{c_char, c_int, c_void};
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, OnceLock, PoisonError};

/// A descriptor number below those of all recorded sockets.
static SLOT: OnceLock<Mutex<Option<Slot>>> = OnceLock::new();

struct Slot {
    fd: OwnedFd,
    /// What it holds while no process is being started.
    null: File,
}

/// Reserves the slot. Called when the program begins.
pub fn reserve() {
    SLOT.get_or_init(|| Mutex::new(Slot::open().ok()));
}

impl Slot {
    fn open() -> io::Result<Slot> {
        let null = File::open("/dev/null")?;
        // SAFETY: there is no pointer.
        let fd = unsafe { libc::fcntl(null.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_FREE) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was made just now.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Slot { fd, null })
    }

    fn hold(&self, fd: c_int) -> io::Result<()> {
        // SAFETY: there is no pointer, and the slot is ours.
        match unsafe { libc::dup3(fd, self.fd.as_raw_fd(), libc::O_CLOEXEC) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

const FIRST_FREE: c_int = 3;
/// Beyond every descriptor, and not yet negative where a system takes it for an `int` (gVisor).
const LAST: c_int = c_int::MAX;
const STACK_BYTES: usize = 64 << 10;
const ARGUMENT: &CStr = c"--case-process";

/// Starts this program as a case process whose descriptor 0 is `channel`, and returns its id. It
/// ends when the calling thread does.
///
/// # Errors
/// The system's error.
pub fn spawn(channel: BorrowedFd<'_>) -> io::Result<libc::pid_t> {
    let slot = SLOT.get_or_init(|| Mutex::new(Slot::open().ok()));
    let slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    let slot = slot.as_ref().ok_or(io::ErrorKind::NotFound)?;
    slot.hold(channel.as_raw_fd())?;
    let mut stack = vec![0u128; STACK_BYTES / size_of::<u128>()];
    let mut start = Start {
        slot: slot.fd.as_raw_fd(),
        errno: 0,
    };
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES | libc::SIGCHLD;
    // SAFETY: the stack and the argument outlive the child's use of them, because CLONE_VFORK
    // suspends this thread until the child has called exec or ended; the child calls nothing that
    // allocates, locks or unwinds. No signal handler runs in between, in either of the two.
    let (pid, error) = unsafe {
        let mut all = std::mem::zeroed();
        let mut mask = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut mask);
        let top = stack.as_mut_ptr_range().end.cast::<c_void>();
        let pid = libc::clone(become_case_process, top, flags, (&raw mut start).cast());
        let error = io::Error::last_os_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, std::ptr::null_mut());
        (pid, error)
    };
    slot.hold(slot.null.as_raw_fd())?;
    match (pid, start.errno) {
        (-1, _) => Err(error),
        (pid, 0) => Ok(pid),
        (pid, errno) => {
            // SAFETY: the child is ours and has ended.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
            Err(io::Error::from_raw_os_error(errno))
        }
    }
}

/// What the child is told, and the error that it tells.
struct Start {
    slot: c_int,
    errno: c_int,
}

/// The child: takes leave of the shared descriptors, then becomes this program anew.
extern "C" fn become_case_process(start: *mut c_void) -> c_int {
    let start = start.cast::<Start>();
    // SAFETY: the pointer is to the parent's `Start`, alone in use while the parent is suspended.
    // All calls are async-signal-safe, and their pointers are to constants and locals.
    unsafe {
        let slot = (*start).slot;
        if leave_shared_descriptors(slot) {
            libc::dup2(slot, 0);
            close_from(FIRST_FREE);
            let mut none = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            let program = c"/proc/self/exe".as_ptr();
            let arguments = [c"sockdiff".as_ptr(), ARGUMENT.as_ptr(), std::ptr::null()];
            libc::execve(program, arguments.as_ptr(), environ);
        }
        (*start).errno = *libc::__errno_location();
        libc::_exit(127)
    }
}

/// Gives the calling process a descriptor table of its own, with what lies up to the slot. Before
/// Linux 5.9 all is copied, and closed as soon as possible.
fn leave_shared_descriptors(slot: c_int) -> bool {
    let first = slot + 1;
    let unshare = libc::CLOSE_RANGE_UNSHARE;
    // SAFETY: there is no pointer.
    unsafe {
        libc::syscall(libc::SYS_close_range, first, LAST, unshare) == 0
            || libc::unshare(libc::CLONE_FILES) == 0
    }
}

/// Closes every descriptor from this one on.
fn close_from(first: c_int) {
    /// Enough where there is no other way: more than a run of all cases opens.
    const DESCRIPTORS_MAX: c_int = 1 << 12;
    // SAFETY: there is no pointer; the descriptors belong to a process that is about to call exec.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, LAST, 0) != 0 {
            for fd in first..DESCRIPTORS_MAX {
                libc::close(fd);
            }
        }
    }
}

unsafe extern "C" {
    static environ: *const *const c_char;
}
