//! The kernel's own view of a connection, by its two ends: a look-up of one socket, whose cost
//! does not grow with the machine's tables as a dump's does.

use super::netlink::{self, Batch, Refused};
use crate::sys::shared::flow::Flow;
use socket2::Socket;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// `<linux/sock_diag.h>` and `<linux/inet_diag.h>`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const SOCK_DESTROY: u16 = 21;
const INET_DIAG_INFO: u16 = 2;
/// `struct inet_diag_msg`, and where its state stands.
const MESSAGE_BYTES: usize = 72;
const STATE_AT: usize = 1;
const COOKIE_AT: usize = 44;
/// Where `struct tcp_info` counts the segments not yet acknowledged.
const UNACKED_AT: usize = 24;
/// FIN_WAIT1, LAST_ACK and CLOSING of `<net/tcp_states.h>`: a FIN is on its way.
const HALF_CLOSED: [u8; 3] = [4, 9, 11];
const LISTEN: u8 = 10;
const SYN_RECV: u8 = 3;
const TIME_WAIT: u8 = 6;
/// INET_DIAG_NOCOOKIE: whatever is found.
const ANY: [u8; 8] = [0xff; 8];

/// Bounds a look-up, which the kernel answers at once.
const ANSWER_WITHIN: Duration = Duration::from_millis(100);

/// A socket for look-ups in the namespace of the thread that opened it.
pub struct SockDiag(Socket);

impl SockDiag {
    /// None where the kernel has no such family.
    pub fn open() -> Option<SockDiag> {
        let socket = netlink::open(libc::NETLINK_SOCK_DIAG).ok()?;
        socket.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
        Some(SockDiag(socket))
    }

    /// Whether the connection's socket at the flow's source waits for an acknowledgment.
    pub fn is_unsettled(&mut self, flow: &Flow) -> bool {
        let mut question = Batch::default();
        let wanted = request(flow.protocol, flow.source, flow.destination, ANY);
        question.message("sock_diag", SOCK_DIAG_BY_FAMILY, 0, &wanted);
        let Ok((kind, answer)) = netlink::ask(&mut self.0, &question) else {
            return false;
        };
        kind == SOCK_DIAG_BY_FAMILY && tells_unsettled(&answer)
    }
}

/// A socket, or what is left of one, in the kernel's tables.
#[derive(Debug)]
pub struct Entry {
    state: u8,
    /// Its own end.
    pub source: SocketAddr,
    /// The far end; a listener's is no address and port 0.
    pub destination: SocketAddr,
    /// What SO_COOKIE tells of it.
    pub cookie: u64,
}

impl Entry {
    /// Whether it is a handshake that has begun and is not done.
    pub fn is_handshake(&self) -> bool {
        self.state == SYN_RECV
    }

    /// Whether it is no socket any more.
    pub fn is_time_wait(&self) -> bool {
        self.state == TIME_WAIT
    }

    fn parse(message: &[u8]) -> Option<Entry> {
        let message: &[u8; MESSAGE_BYTES] = message.first_chunk()?;
        let end = |port_at: usize, at: usize| {
            let port = u16::from_be_bytes([message[port_at], message[port_at + 1]]);
            let octets: [u8; 16] = message[at..at + 16].try_into().expect("sixteen bytes");
            let ip = match i32::from(message[0]) {
                libc::AF_INET => IpAddr::from(*octets.first_chunk::<4>().expect("four bytes")),
                _ => IpAddr::from(octets),
            };
            SocketAddr::new(ip, port)
        };
        let cookie = message[COOKIE_AT..COOKIE_AT + 8].try_into().expect("eight bytes");
        Some(Entry {
            state: message[STATE_AT],
            source: end(4, 8),
            destination: end(6, 24),
            cookie: u64::from_ne_bytes(cookie),
        })
    }
}

/// Everything in the tables of the calling thread's namespace that has the port of `source`.
///
/// # Errors
/// The system's error.
pub fn entries(protocol: u8, source: SocketAddr) -> io::Result<Vec<Entry>> {
    let mut batch = Batch::default();
    let any = SocketAddr::new(source.ip(), 0);
    batch.message("sock_diag", SOCK_DIAG_BY_FAMILY, 0, &request(protocol, source, any, ANY));
    let answers = netlink::dump(libc::NETLINK_SOCK_DIAG, batch)?;
    Ok(answers.iter().filter_map(|answer| Entry::parse(answer)).collect())
}

/// Aborts this one and no other, as `ss -K` does.
///
/// # Errors
/// It is no longer there, or this kernel does not abort any.
pub fn destroy(protocol: u8, entry: &Entry) -> Result<(), Refused> {
    let mut batch = Batch::default();
    // Without its cookie a listener would be found in place of a connection that has gone.
    let cookie = entry.cookie.to_ne_bytes();
    let wanted = request(protocol, entry.source, entry.destination, cookie);
    batch.message("SOCK_DESTROY", SOCK_DESTROY, 0, &wanted);
    netlink::carry_out_by(libc::NETLINK_SOCK_DIAG, batch)
}

/// `struct inet_diag_req_v2`.
fn request(protocol: u8, source: SocketAddr, destination: SocketAddr, cookie: [u8; 8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(56);
    let family = if source.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let wanted = 1 << (INET_DIAG_INFO - 1);
    body.extend([family as u8, protocol, wanted, 0]);
    body.extend(u32::MAX.to_ne_bytes());
    body.extend(source.port().to_be_bytes());
    body.extend(destination.port().to_be_bytes());
    for end in [source, destination] {
        let mut octets = match end.ip() {
            IpAddr::V4(addr) => addr.octets().to_vec(),
            IpAddr::V6(addr) => addr.octets().to_vec(),
        };
        octets.resize(16, 0);
        body.extend(octets);
    }
    // Any interface.
    body.extend(0u32.to_ne_bytes());
    body.extend(cookie);
    body
}

fn tells_unsettled(answer: &[u8]) -> bool {
    let Some((message, attributes)) = answer.split_at_checked(MESSAGE_BYTES) else {
        return false;
    };
    let state = message[STATE_AT];
    let info = netlink::find_attribute(attributes, INET_DIAG_INFO).unwrap_or_default();
    let unacked = info.get(UNACKED_AT..UNACKED_AT + 4);
    let unacked = unacked.is_some_and(|count| count.iter().any(|byte| *byte != 0));
    state != LISTEN && (unacked || HALF_CLOSED.contains(&state))
}

#[cfg(test)]
mod tests {
    use super::{ANY, Entry, MESSAGE_BYTES, request, tells_unsettled};
    use crate::sys::linux::netlink::nested;
    use rstest::rstest;

    #[test]
    fn the_request_has_the_length_of_its_struct() {
        let source = "127.0.0.1:4100".parse().unwrap();
        let destination = "127.0.0.1:4101".parse().unwrap();
        assert_eq!(request(6, source, destination, ANY).len(), 56);
    }

    #[rstest]
    #[case::ipv4("192.0.2.1:4100", "192.0.2.2:4101", 6)]
    #[case::ipv6("[2001:db8::1]:4100", "[::]:0", 10)]
    fn an_entry_is_read_as_the_kernel_writes_it(
        #[case] source: &str,
        #[case] destination: &str,
        #[case] state: u8,
    ) {
        let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
        let asked = request(6, source, destination, 7u64.to_ne_bytes());
        // The ends and the cookie stand in the same order in both.
        let mut message = vec![asked[0], state, 0, 0];
        message.extend(&asked[8..]);
        message.resize(MESSAGE_BYTES, 0);
        let entry = Entry::parse(&message).unwrap();
        assert_eq!((entry.source, entry.destination), (source, destination));
        assert_eq!((entry.cookie, entry.is_time_wait()), (7, state == 6));
        assert_eq!(entry.is_handshake(), state == 3);
    }

    #[rstest]
    #[case::established(1, 0, false)]
    #[case::unacknowledged(1, 3, true)]
    #[case::fin_wait1(4, 0, true)]
    #[case::time_wait(6, 0, false)]
    #[case::listen_counts_its_queue(10, 3, false)]
    fn state_and_count_decide(#[case] state: u8, #[case] unacked: u32, #[case] unsettled: bool) {
        let mut answer = vec![0; MESSAGE_BYTES];
        answer[1] = state;
        let mut info = vec![0; 24];
        info.extend(unacked.to_ne_bytes());
        answer.extend(nested(2, &info));
        assert_eq!(tells_unsettled(&answer), unsettled);
    }
}
