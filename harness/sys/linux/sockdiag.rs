//! The kernel's own view of a connection, by its two ends: a look-up of one socket, whose cost
//! does not grow with the machine's tables as a dump's does.

use super::netlink::{self, Batch, Refused};
use crate::sys::shared::flow::Flow;
use socket2::Socket;
use std::net::IpAddr;
use std::time::Duration;

/// `<linux/sock_diag.h>` and `<linux/inet_diag.h>`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const SOCK_DESTROY: u16 = 21;
const INET_DIAG_INFO: u16 = 2;
/// `struct inet_diag_msg`, and where its state stands.
const MESSAGE_BYTES: usize = 72;
const STATE_AT: usize = 1;
/// Where `struct tcp_info` counts the segments not yet acknowledged.
const UNACKED_AT: usize = 24;
/// FIN_WAIT1, LAST_ACK and CLOSING of `<net/tcp_states.h>`: a FIN is on its way.
const HALF_CLOSED: [u8; 3] = [4, 9, 11];
const LISTEN: u8 = 10;

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
        question.message("sock_diag", SOCK_DIAG_BY_FAMILY, 0, &request(flow));
        let Ok((kind, answer)) = netlink::ask(&mut self.0, &question) else {
            return false;
        };
        kind == SOCK_DIAG_BY_FAMILY && tells_unsettled(&answer)
    }
}

/// Aborts the socket at the flow's source, as `ss -K` does.
///
/// # Errors
/// There is no such socket, or this kernel does not abort any.
pub fn destroy(flow: &Flow) -> Result<(), Refused> {
    let mut batch = Batch::default();
    batch.message("SOCK_DESTROY", SOCK_DESTROY, 0, &request(flow));
    netlink::carry_out_by(libc::NETLINK_SOCK_DIAG, batch)
}

/// `struct inet_diag_req_v2`.
fn request(flow: &Flow) -> Vec<u8> {
    let mut body = Vec::with_capacity(56);
    let family = if flow.source.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let wanted = 1 << (INET_DIAG_INFO - 1);
    body.extend([family as u8, flow.protocol, wanted, 0]);
    body.extend(u32::MAX.to_ne_bytes());
    body.extend(flow.source.port().to_be_bytes());
    body.extend(flow.destination.port().to_be_bytes());
    for end in [flow.source, flow.destination] {
        let mut octets = match end.ip() {
            IpAddr::V4(addr) => addr.octets().to_vec(),
            IpAddr::V6(addr) => addr.octets().to_vec(),
        };
        octets.resize(16, 0);
        body.extend(octets);
    }
    // Any interface, and no cookie.
    body.extend(0u32.to_ne_bytes());
    body.extend([0xff; 8]);
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
    use super::{MESSAGE_BYTES, request, tells_unsettled};
    use crate::sys::linux::netlink::nested;
    use crate::sys::shared::flow::Flow;
    use rstest::rstest;

    #[test]
    fn the_request_has_the_length_of_its_struct() {
        let flow = Flow {
            protocol: 6,
            source: "127.0.0.1:4100".parse().unwrap(),
            destination: "127.0.0.1:4101".parse().unwrap(),
        };
        assert_eq!(request(&flow).len(), 56);
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
