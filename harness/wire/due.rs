//! Delayed acknowledgments put back where they were due.
//!
//! A stack may hold an acknowledgment back (RFC 9293 §3.8.6.3). Where that cannot be switched off
//! and a step sends packets of two connections, the acknowledgment of the first comes after the
//! packets of the second; without the delay it comes before them. Between two connections that
//! order says how long the stack has waited, not what it has answered.

use crate::model::packet::{PacketBody, TcpSegment};
use crate::model::{Packet, TcpFlags};
use std::net::IpAddr;

/// Moves every segment that only acknowledges up to the segment that it acknowledges, past packets
/// of other connections. Within one connection nothing changes places.
///
/// `packets` are in the order of their stamps; `of` finds the packet in an item.
pub fn put_back<T>(packets: &mut [T], of: impl Fn(&T) -> &Packet) {
    for at in 1..packets.len() {
        let Some(acknowledgment) = Segment::of(of(&packets[at])).filter(Segment::only_acks) else {
            continue;
        };
        let earlier = packets[..at].iter().map(|item| Segment::of(of(item)));
        let last = earlier.enumerate().filter_map(|(index, segment)| Some((index, segment?)));
        let last = last.filter(|(_, segment)| segment.is_of_connection(&acknowledgment)).last();
        if let Some((index, segment)) = last
            && acknowledgment.answers(&segment)
        {
            packets[index + 1..=at].rotate_right(1);
        }
    }
}

/// A segment and its ends.
struct Segment<'a> {
    from: (IpAddr, u16),
    to: (IpAddr, u16),
    tcp: &'a TcpSegment,
}

impl<'a> Segment<'a> {
    fn of(packet: &'a Packet) -> Option<Segment<'a>> {
        let PacketBody::Tcp(tcp) = &packet.body else {
            return None;
        };
        let from = (packet.source, tcp.source_port);
        Some(Segment { from, to: (packet.destination, tcp.destination_port), tcp })
    }

    /// RFC 9768 §3.2: with accurate ECN every acknowledgment counts in three flags.
    fn only_acks(&self) -> bool {
        let ecn = TcpFlags::ECE | TcpFlags::CWR | TcpFlags::AE;
        self.tcp.flags.without(ecn) == TcpFlags::ACK && self.tcp.len == 0
    }

    fn is_of_connection(&self, other: &Segment) -> bool {
        let ends = (other.from, other.to);
        (self.from, self.to) == ends || (self.to, self.from) == ends
    }

    /// Whether it comes from the other end and acknowledges all of `segment`, which asks for it.
    fn answers(&self, segment: &Segment) -> bool {
        let flags = segment.tcp.flags;
        let numbered = [TcpFlags::SYN, TcpFlags::FIN].into_iter().filter(|flag| flags.has(*flag));
        let taken = segment.tcp.len + numbered.count();
        let end = segment.tcp.seq.wrapping_add(u32::try_from(taken).unwrap_or(u32::MAX));
        self.from == segment.to && taken > 0 && self.tcp.ack == end
    }
}

#[cfg(test)]
mod tests {
    use super::put_back;
    use crate::model::packet::{PacketBody, TcpSegment};
    use crate::model::{Packet, TcpFlags};
    use rstest::rstest;
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// `1>2 F. 10 20 0`: ports, flags, sequence, acknowledgment, length.
    fn packet(text: &str) -> Packet {
        let word: Vec<&str> = text.split(' ').collect();
        let (from, to) = word[0].split_once('>').unwrap();
        let letters = TcpFlags::LETTERS.into_iter().filter(|(_, letter)| word[1].contains(*letter));
        let flags = letters.fold(TcpFlags(0), |flags, (flag, _)| flags | flag);
        Packet {
            at: Duration::ZERO,
            source: HERE,
            destination: HERE,
            ttl: None,
            tos: None,
            dont_fragment: None,
            body: PacketBody::Tcp(TcpSegment {
                source_port: from.parse().unwrap(),
                reserved: 0,
                urgent: 0,
                destination_port: to.parse().unwrap(),
                flags,
                seq: word[2].parse().unwrap(),
                ack: word[3].parse().unwrap(),
                window: 512,
                len: word[4].parse().unwrap(),
                options: Vec::new(),
            }),
            bytes: Vec::new(),
            fragments: Vec::new(),
        }
    }

    #[rstest]
    #[case::a_fin_and_a_reset_of_two_connections(
        &["9>1 F. 10 20 0", "9>2 R. 30 40 0", "1>9 . 20 11 0"], &[0, 2, 1])]
    #[case::two_delayed_ones(
        &["9>1 F. 10 20 0", "9>2 F. 30 40 0", "1>9 . 20 11 0", "2>9 . 40 31 0"], &[0, 2, 1, 3])]
    #[case::with_accurate_ecn(
        &["9>1 P.Ee 10 20 5", "9>2 R. 30 40 0", "1>9 .Ee 20 15 0"], &[0, 2, 1])]
    #[case::data(&["9>1 P. 10 20 5", "9>2 R. 30 40 0", "1>9 . 20 15 0"], &[0, 2, 1])]
    #[case::around_the_end_of_the_numbers(
        &["9>1 F. 4294967295 20 0", "9>2 R. 30 40 0", "1>9 . 20 0 0"], &[0, 2, 1])]
    #[case::in_time_already(&["9>1 F. 10 20 0", "1>9 . 20 11 0", "9>2 R. 30 40 0"], &[0, 1, 2])]
    #[case::of_something_else(&["9>1 F. 10 20 0", "9>2 R. 30 40 0", "1>9 . 20 10 0"], &[0, 1, 2])]
    #[case::with_data(&["9>1 F. 10 20 0", "9>2 R. 30 40 0", "1>9 P. 20 11 7"], &[0, 1, 2])]
    #[case::a_challenge_to_nothing_numbered(
        &["9>1 R 10 20 0", "9>2 R. 30 40 0", "1>9 . 20 10 0"], &[0, 1, 2])]
    #[case::after_the_own_connection_went_on(
        &["9>1 P. 10 20 5", "1>9 P. 20 10 3", "9>2 R. 30 40 0", "1>9 . 23 15 0"], &[0, 1, 2, 3])]
    fn only_a_delayed_acknowledgment_moves(#[case] stamped: &[&str], #[case] due: &[usize]) {
        let mut items: Vec<(usize, Packet)> =
            stamped.iter().map(|text| packet(text)).enumerate().collect();
        put_back(&mut items, |(_, packet)| packet);
        let order: Vec<usize> = items.iter().map(|(index, _)| *index).collect();
        assert_eq!(order, due);
    }
}
