//! Starts a case process: this program, with one private argument and a channel at descriptor 0.
//!
//! It is started before the run makes its first socket, and where runs have descriptor tables of
//! their own no other run's sockets are in sight either: so the copies that a new process holds
//! until it calls exec never keep a recorded socket open.

use super::child::ARGUMENT;
use std::io;
use std::os::fd::BorrowedFd;
use std::process::{Command, Stdio};

/// Starts this program as a case process whose descriptor 0 is `channel`, and returns its id.
///
/// # Errors
/// The system's error.
pub fn spawn(channel: BorrowedFd<'_>) -> io::Result<libc::pid_t> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(ARGUMENT).stdin(Stdio::from(channel.try_clone_to_owned()?)).stdout(Stdio::null());
    // The process is waited for by its id; dropping its handle does neither wait nor kill.
    Ok(command.spawn()?.id() as libc::pid_t)
}
