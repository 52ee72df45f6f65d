//! Ports for `bind`, outside every system's ephemeral range: those of Linux begin at 32768, of
//! FreeBSD at 10000, of macOS and Windows at 49152.

use crate::sys::Trouble;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// All of them.
pub const PORTS: Range<u16> = 4100..9900;

/// A port that nobody on this machine holds.
pub fn free() -> Option<u16> {
    PORTS.map(|_| candidate()).find(|port| is_free(*port))
}

/// All have been handed out.
pub fn none_left() -> Trouble {
    let Range { start, end } = PORTS;
    Trouble::Failed(format!("no port left between {start} and {}", end - 1))
}

/// Counts through all ports before one comes again, from a start of this process's own: processes
/// that run at the same time do not meet, and no port is one just freed.
fn candidate() -> u16 {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    let count = PORTS.end - PORTS.start;
    let start = || AtomicU16::new((RandomState::new().hash_one(0) % u64::from(count)) as u16);
    let next = NEXT.get_or_init(start);
    let step = next
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |at| Some((at + 1) % count))
        .unwrap_or_default();
    PORTS.start + step
}

/// Whether nobody holds the port, for TCP or UDP, on any address.
fn is_free(port: u16) -> bool {
    let four = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let six = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let in_use = |error: std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
    let taken = |addr: SocketAddr| {
        TcpListener::bind(addr).is_err_and(in_use) || UdpSocket::bind(addr).is_err_and(in_use)
    };
    !taken(four) && !taken(six)
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
