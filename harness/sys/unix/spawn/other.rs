//! Starting a case process by the standard library.

use crate::sys::unix::child::ARGUMENT;
use std::io;
use std::os::fd::BorrowedFd;
use std::process::{Command, Stdio};

/// Starts this program as a case process whose descriptor 0 is `channel`, and returns its id.
///
/// # Errors
/// The system's error.
pub fn spawn(channel: BorrowedFd<'_>) -> io::Result<libc::pid_t> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg(ARGUMENT)
        .stdin(Stdio::from(channel.try_clone_to_owned()?));
    // The process is waited for by its id; dropping its handle does neither wait nor kill.
    Ok(command.stdout(Stdio::null()).spawn()?.id() as libc::pid_t)
}
