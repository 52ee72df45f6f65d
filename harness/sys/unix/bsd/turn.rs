//! One run at a time, also where processes of this program run side by side, as under
//! cargo-nextest: the wire has the same addresses in all of them, and a stack that answers only so
//! often a second does not ask who has used that up.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Held as long as it is somebody's turn: a lock on the file of this program.
pub struct Turn {
    _program: File,
}

impl Turn {
    /// Waits for the turn of this process, which is bounded by the deadlines of the others' cases.
    ///
    /// # Errors
    /// The program's file cannot be opened, or its file system knows no locks.
    pub fn take() -> io::Result<Turn> {
        let program = File::open(std::env::current_exe()?)?;
        // SAFETY: there is no pointer.
        while unsafe { libc::flock(program.as_raw_fd(), libc::LOCK_EX) } != 0 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        Ok(Turn { _program: program })
    }
}
