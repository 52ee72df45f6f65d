//! Ports for `bind`, outside every system's ephemeral range: those of Linux begin at 32768, of
//! FreeBSD at 10000, of macOS and Windows at 49152.

use crate::sys::Trouble;
use socket2::{Domain, Socket, Type};
use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All of them.
pub const PORTS: Range<u16> = 4100..9900;
/// Ports that a process takes together; the first is its guard.
const SLICE: u16 = 20;
/// All slices.
const SLICES: u16 = (PORTS.end - PORTS.start) / SLICE;
/// So many slices a process takes, one after another, before a port comes again; more only when its
/// runs hold nearly all of them. Then a dozen processes can each have so many, and a process that
/// runs one case takes one.
const SLICES_AT_EASE: usize = 24;
/// Ports that should be there for a run that begins, and for those under way.
const PORTS_BEGINNING: usize = SLICE as usize - 1;
const PORTS_UNDER_WAY: usize = 4;

/// What this process has taken.
static POOL: Mutex<Pool> =
    Mutex::new(Pool { guards: Vec::new(), at: None, spare: VecDeque::new(), fresh: 0, leases: 0 });

struct Pool {
    /// One for each slice: no other process of this program uses its ports, because it would have
    /// to bind the guard.
    guards: Vec<Socket>,
    /// The slice tried last.
    at: Option<u16>,
    /// Ports that no run has, those longest unused first.
    spare: VecDeque<u16>,
    /// So many of them, at the front, no run has had yet.
    fresh: usize,
    /// Runs under way.
    leases: usize,
}

/// The ports of one run. No other run gets them before this one has ended, whether the run has
/// bound them or rests on nobody doing so.
pub struct Lease(Vec<u16>);

impl Lease {
    /// Sees to it that there are ports for a run. Called before its threads have a table of
    /// descriptors of their own, in which the guards would end with the run.
    pub fn begin() -> Lease {
        let mut pool = pool();
        pool.leases += 1;
        while pool.is_short() && pool.grow() {}
        Lease(Vec::new())
    }

    /// A port that nobody on this machine holds.
    ///
    /// # Errors
    /// None is left.
    pub fn port(&mut self) -> Result<u16, Trouble> {
        let port = pool().take(is_free).ok_or_else(none_left)?;
        self.0.push(port);
        Ok(port)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut pool = pool();
        pool.leases -= 1;
        pool.spare.extend(self.0.drain(..));
    }
}

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    fn is_short(&self) -> bool {
        let at_ease = self.guards.len() < SLICES_AT_EASE;
        let wanted = PORTS_BEGINNING + PORTS_UNDER_WAY * self.leases.saturating_sub(1);
        at_ease && self.fresh < PORTS_BEGINNING || self.spare.len() < wanted
    }

    /// Takes one more slice, if there is one that no process has.
    fn grow(&mut self) -> bool {
        // Processes that start together begin to look in different places.
        let from =
            self.at.unwrap_or_else(|| (RandomState::new().hash_one(0) % u64::from(SLICES)) as u16);
        for at in (1..=SLICES).map(|step| (from + step) % SLICES) {
            let first = PORTS.start + at * SLICE;
            let guard = bound(SocketAddr::from((Ipv4Addr::UNSPECIFIED, first)), Type::STREAM);
            if let Ok(guard) = guard {
                self.at = Some(at);
                self.guards.push(guard);
                let ports = first + 1..first + SLICE;
                self.fresh += ports.len();
                ports.rev().for_each(|port| self.spare.push_front(port));
                return true;
            }
        }
        false
    }

    /// The port longest unused of those that are free.
    fn take(&mut self, is_free: impl Fn(u16) -> bool) -> Option<u16> {
        for _ in 0..self.spare.len() {
            let port = self.spare.pop_front()?;
            self.fresh = self.fresh.saturating_sub(1);
            if is_free(port) {
                return Some(port);
            }
            self.spare.push_back(port);
        }
        None
    }
}

/// All have been handed out.
pub fn none_left() -> Trouble {
    let Range { start, end } = PORTS;
    Trouble::Failed(format!(
        "no port left between {start} and {}: other runs of sockdiff have them",
        end - 1
    ))
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
    use super::*;
    use std::net::TcpListener;

    fn empty() -> Pool {
        Pool { guards: Vec::new(), at: None, spare: VecDeque::new(), fresh: 0, leases: 1 }
    }

    #[test]
    fn ports_of_two_runs_are_different() {
        let (mut first, mut second) = (Lease::begin(), Lease::begin());
        let ports = [first.port(), second.port(), first.port()].map(Result::unwrap);
        assert!(ports.iter().all(|port| PORTS.contains(port)));
        assert!(ports[0] != ports[1] && ports[1] != ports[2] && ports[0] != ports[2]);
    }

    #[test]
    fn a_port_that_somebody_holds_is_not_free() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }

    #[test]
    fn a_port_that_is_not_free_is_tried_again_later() {
        let mut pool = Pool { spare: VecDeque::from([4101, 4102, 4103]), ..empty() };
        assert_eq!(pool.take(|port| port == 4103), Some(4103));
        assert_eq!(pool.spare, [4101, 4102]);
        assert_eq!(pool.take(|_| false), None);
        assert_eq!(pool.spare, [4101, 4102]);
    }

    /// As two processes would: what one has taken, the other cannot take.
    #[test]
    fn slices_of_two_pools_have_no_port_in_common() {
        let mut pools = [empty(), empty()];
        for pool in &mut pools {
            pool.at = Some(7);
            assert!(pool.is_short() && pool.grow() && !pool.is_short());
        }
        let [first, second] = &pools;
        assert!(first.spare.iter().all(|port| !second.spare.contains(port)));
        assert!(first.spare.iter().all(|port| PORTS.contains(port)));
    }

    #[test]
    fn a_pool_grows_before_a_port_comes_again_and_when_runs_hold_nearly_all() {
        let mut pool = empty();
        assert!(pool.grow());
        pool.take(|_| true).unwrap();
        assert!(pool.is_short(), "not all are fresh");
        let guards = (0..SLICES_AT_EASE).map(|_| Socket::new(Domain::IPV4, Type::STREAM, None));
        pool.guards = guards.map(Result::unwrap).collect();
        pool.spare.extend(1..=10);
        assert!(!pool.is_short(), "ports may come again");
        pool.leases = 10;
        assert!(pool.is_short(), "ten runs may want more than there are");
    }
}
