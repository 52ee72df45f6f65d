//! What must happen before there is a second thread.

use super::capture::set_int;
use super::mounts::Mounts;
use super::namespace::{self, Way};
use crate::model::capability::Lack;
use crate::sys::shared;
use crate::sys::unix::child;
use socket2::{Domain, Socket, Type};
use std::os::fd::AsRawFd;
use std::sync::{Arc, OnceLock};

/// What was found at the start of the process; to be kept for as long as runs begin.
#[derive(Debug)]
pub struct Prepared {
    /// How a run gets a namespace of its own, or why not.
    pub(super) way: Result<Way, Lack>,
    /// Who mounts `/proc` for a run.
    pub(super) mounts: Option<Arc<Mounts>>,
    /// The kernel stamps packets.
    pub(super) stamps: bool,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if let Some(mounts) = &self.mounts {
            mounts.end();
        }
    }
}

/// The first thing in `main`: finds out how runs can be isolated, and enters a user namespace
/// where that is the way, which is possible only while there is a single thread.
///
/// A child process of a case is this program too; in it the function does that process's work and
/// does not return.
pub fn prepare() -> Prepared {
    child::run_if_asked();
    // The kernel begins to stamp packets some time after the first socket asks for it; from then
    // on this socket keeps it doing so.
    static STAMPING: OnceLock<Option<Socket>> = OnceLock::new();
    let stamps = STAMPING.get_or_init(stamping_socket).is_some();
    let mut way = namespace::find_way();
    if way == Ok(Way::InUserNamespace)
        && let Err(refusal) = namespace::enter_user()
    {
        way = Err(namespace::explain(refusal));
    }
    let mounts = way.as_ref().ok().and_then(|way| Mounts::find(*way)).map(Arc::new);
    Prepared { way, mounts, stamps }
}

fn stamping_socket() -> Option<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).ok()?;
    set_int(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1).ok()?;
    Some(socket)
}

/// Sets environment variables for the libraries of a test binary. Call it after [`prepare`] and
/// before anything starts a thread.
///
/// # Panics
/// A second thread is running: then another thread might read the environment at the same time.
pub fn set_env_before_threads(variables: &[(&str, &str)]) {
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    assert_eq!(threads, 1, "the environment is set before threads are started");
    shared::start::set_env_before_threads(variables);
}
