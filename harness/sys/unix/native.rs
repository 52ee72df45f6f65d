//! The calls that every system has, under the names that [`crate::sys::calls`] uses.

use crate::sys::Fd;

pub use libc::{
    bind, c_int as Socket, close, connect, getpeername, getsockname, listen, shutdown, sockaddr,
    socklen_t as Length,
};

/// A copy of the descriptor, or -1.
pub fn dup(fd: Fd) -> i64 {
    // SAFETY: there is no pointer, and any number may be asked.
    i64::from(unsafe { libc::dup(fd as Socket) })
}
