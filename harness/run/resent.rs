//! Segments that a stack sends because one of its timers ran out: they begin before the end of what
//! it has sent already.

use crate::model::packet::{PacketBody, TcpSegment};
use crate::model::{Packet, TcpFlags};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What each end of each connection has sent so far.
#[derive(Debug, Default)]
pub struct Resent {
    /// From and to, and the sequence number that comes next.
    next: BTreeMap<(SocketAddr, SocketAddr), u32>,
}

impl Resent {
    /// Notes a packet; true if it is a segment once more, or a probe.
    pub fn see(&mut self, packet: &Packet) -> bool {
        let PacketBody::Tcp(segment) = &packet.body else { return false };
        // A RST may have any number.
        if segment.flags.has(TcpFlags::RST) {
            return false;
        }
        let from = SocketAddr::new(packet.source, segment.source_port);
        let to = SocketAddr::new(packet.destination, segment.destination_port);
        let (begins, ends) = (segment.seq, end(segment));
        let is_syn = segment.flags.has(TcpFlags::SYN);
        match self.next.get_mut(&(from, to)) {
            // A SYN with another number begins another connection.
            Some(next) if !is_syn || begins.wrapping_add(1) == *next => {
                let again = is_before(begins, *next);
                if is_before(*next, ends) {
                    *next = ends;
                }
                again
            }
            _ => {
                self.next.insert((from, to), ends);
                false
            }
        }
    }
}

fn end(segment: &TcpSegment) -> u32 {
    let flags = [TcpFlags::SYN, TcpFlags::FIN].into_iter().filter(|flag| segment.flags.has(*flag));
    segment.seq.wrapping_add(segment.len as u32).wrapping_add(flags.count() as u32)
}

/// Sequence numbers go round in a circle.
fn is_before(a: u32, b: u32) -> bool {
    (b.wrapping_sub(a) as i32) > 0
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use rstest::rstest;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    /// A segment from one end to the other.
    pub fn segment(at: Duration, flags: &str, seq: u32, len: usize) -> Packet {
        let segment = TcpSegment {
            source_port: 1,
            destination_port: 2,
            flags: flags.parse().unwrap(),
            reserved: 0,
            urgent: 0,
            seq,
            ack: 0,
            window: 100,
            len,
            options: Vec::new(),
        };
        let host = Ipv4Addr::LOCALHOST.into();
        Packet {
            at,
            source: host,
            destination: host,
            ttl: None,
            tos: None,
            dont_fragment: None,
            body: PacketBody::Tcp(segment),
            bytes: Vec::new(),
            fragments: Vec::new(),
        }
    }

    #[rstest]
    #[case::syn(&[("S", 7, 0)], ("S", 7, 0), true)]
    #[case::syn_of_another_connection(&[("S", 7, 0)], ("S", 900, 0), false)]
    #[case::ack_of_a_handshake(&[("S", 7, 0)], (".", 8, 0), false)]
    #[case::data(&[("P.", 1, 10)], ("P.", 1, 10), true)]
    #[case::part_of_the_data(&[("P.", 1, 10)], (".", 6, 5), true)]
    #[case::more_data(&[("P.", 1, 10)], ("P.", 11, 10), false)]
    #[case::fin(&[("P.", 1, 10), ("F.", 11, 0)], ("F.", 11, 0), true)]
    #[case::acknowledgment_again(&[("P.", 1, 10), (".", 11, 0)], (".", 11, 0), false)]
    #[case::keepalive(&[("P.", 1, 10)], (".", 10, 0), true)]
    #[case::reset(&[("P.", 1, 10)], ("R", 5, 0), false)]
    #[case::across_zero(&[("P.", u32::MAX - 4, 10)], ("P.", u32::MAX - 4, 10), true)]
    fn what_timers_send(
        #[case] before: &[(&str, u32, usize)],
        #[case] (flags, seq, len): (&str, u32, usize),
        #[case] again: bool,
    ) {
        let mut sent = Resent::default();
        for (flags, seq, len) in before {
            sent.see(&segment(Duration::ZERO, flags, *seq, *len));
        }
        assert_eq!(sent.see(&segment(Duration::ZERO, flags, seq, len)), again);
    }
}
