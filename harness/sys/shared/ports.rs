//! Ports for `bind`, outside every system's ephemeral range: those of Linux begin at 32768, of
//! FreeBSD at 10000, of macOS and Windows at 49152.

use crate::sys::Trouble;
use socket2::{Domain, Socket, Type};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// All of them.
pub const PORTS: Range<u16> = 4100..9900;
/// Ports that a process takes together; the first is its guard.
const SLICE: u16 = 50;
/// Slices that a process takes, if there are so many left.
const SLICES_MAX: usize = 24;

/// What this process has taken.
static SLICES: OnceLock<Vec<Slice>> = OnceLock::new();

/// Neighbouring ports that no other process of this program uses: it would have to bind the guard.
struct Slice {
    first: u16,
    _guard: Socket,
}

/// Takes ports for this process. Called before the first run, so that the guards are in no run's
/// own table of descriptors.
pub fn reserve() {
    SLICES.get_or_init(|| {
        let count = (PORTS.end - PORTS.start) / SLICE;
        // Processes that start together begin to look in different places.
        let from = (RandomState::new().hash_one(0) % u64::from(count)) as u16;
        let slice = |at: u16| {
            let first = PORTS.start + (from + at) % count * SLICE;
            let guard = bound(SocketAddr::from((Ipv4Addr::UNSPECIFIED, first)), Type::STREAM);
            guard.ok().map(|guard| Slice { first, _guard: guard })
        };
        (0..count).filter_map(slice).take(SLICES_MAX).collect()
    });
}

/// A port that nobody on this machine holds.
pub fn free() -> Option<u16> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    reserve();
    let slices = SLICES.get().map_or(&[][..], Vec::as_slice);
    let per_slice = usize::from(SLICE) - 1;
    let all = slices.len() * per_slice;
    // Counts through all ports before one comes again, so that none is one just freed.
    let candidates = (0..all).map(|_| {
        let at = NEXT.fetch_add(1, Ordering::Relaxed) % all;
        slices[at / per_slice].first + 1 + (at % per_slice) as u16
    });
    candidates.into_iter().find(|port| is_free(*port))
}

/// All have been handed out.
pub fn none_left() -> Trouble {
    let Range { start, end } = PORTS;
    Trouble::Failed(format!("no port left between {start} and {}", end - 1))
}

/// Whether nobody holds the port, for TCP or UDP, on any address. Nothing listens meanwhile, and no
/// option hides a connection in TIME_WAIT.
fn is_free(port: u16) -> bool {
    let four = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let six = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    // Windows refuses ports that it keeps for others (`excludedportrange`).
    let taken = |addr, kind| {
        let refused = [ErrorKind::AddrInUse, ErrorKind::PermissionDenied];
        bound(addr, kind).is_err_and(|error| refused.contains(&error.kind()))
    };
    let kinds = [Type::STREAM, Type::DGRAM];
    !kinds.into_iter().any(|kind| taken(four, kind) || taken(six, kind))
}

fn bound(addr: SocketAddr, kind: Type) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), kind, None)?;
    #[cfg(windows)]
    crate::sys::windows::exclusive(&socket)?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::{PORTS, free, is_free};
    use std::net::TcpListener;

    #[test]
    fn free_ports_are_not_told_twice() {
        let (first, second) = (free().unwrap(), free().unwrap());
        assert_ne!(first, second);
        assert!(PORTS.contains(&first) && PORTS.contains(&second));
    }

    #[test]
    fn a_port_that_somebody_holds_is_not_free() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }
}
