//! Sequence numbers relative to their connection.
//!
//! - A side's numbers count from its own last SYN.
//! - An acknowledgment counts from the SYN that its sender has accepted: the far end's newest one
//!   as soon as the sender has acknowledged something of it, until then the one before. So the
//!   challenge ACK to a rebooted peer's SYN keeps the old connection's numbers.
//! - Numbers of a side whose SYN was never seen are absolute, but for a RST that answers a SYN
//!   which a firewall has taken; so is an acknowledgment that has nothing to do with the far end's
//!   numbers.
//! - A SYN sent *aside*, with a number inside a connection that goes on, begins nothing until the
//!   far end answers it with a SYN of its own.
//! - RFC 9293 §3.10.7.1 lets a RST take its number from somewhere else than its sender's own
//!   sequence: `[R.]` with 0 on the wire prints 0, and one that repeats the far end's last
//!   acknowledgment prints as that one did, whichever incarnation it belonged to.
//! - What a scripted peer sends is told as its own state counts it, from the newest SYN of either
//!   side that the peer knows of, so that a number which a case writes is the number that a
//!   transcript prints: see [`Told`].
//!
//! All arithmetic is modulo 2^32; a number before its SYN prints as negative.

use crate::model::TcpFlags;
use crate::model::packet::TcpSegment;
use std::collections::HashMap;
use std::net::SocketAddr;

/// What has been seen of every connection of a run. Feed it every segment, in order.
#[derive(Debug, Default)]
pub struct Relative {
    /// By sender and receiver. Both sides are one when a socket has connected to itself.
    sides: HashMap<(SocketAddr, SocketAddr), Side>,
}

/// The numbers of one segment as a transcript prints them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Numbers {
    /// Sequence number.
    pub seq: i64,
    /// Acknowledgment number; none without the ACK flag.
    pub ack: Option<i64>,
}

/// The numbers of a scripted segment, by whoever has computed them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// Its sequence number; none: as that of any segment.
    pub seq: Option<i64>,
    /// Its acknowledgment number; none: as that of any segment.
    pub ack: Option<i64>,
    /// What the blocks of its selective acknowledgment count from; none: they are absolute.
    pub sack_base: Option<u32>,
}

/// One side of a connection.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    /// The number after the last segment that it sent.
    end: Option<u32>,
    /// Its newest SYN.
    syn: Option<Syn>,
    /// A later SYN, sent aside.
    aside: Option<u32>,
    /// The initial number of the far end that it has accepted.
    accepted: Option<u32>,
    /// Its last acknowledgment, as on the wire and as printed.
    last_ack: Option<(u32, i64)>,
}

/// A SYN and what followed it.
#[derive(Clone, Copy, Debug)]
struct Syn {
    /// Its sequence number.
    initial: u32,
    /// The number after everything sent since, relative to it.
    sent: u32,
}

impl Syn {
    /// Whether `ack` acknowledges something that was sent since this SYN.
    fn covers(self, ack: u32) -> bool {
        (1..=self.sent).contains(&ack.wrapping_sub(self.initial))
    }
}

impl Relative {
    /// The numbers of the next segment.
    pub fn numbers(&mut self, from: SocketAddr, to: SocketAddr, segment: &TcpSegment) -> Numbers {
        self.note_sent(from, to, segment);
        self.note_accepted(from, to, segment);
        let has_ack = segment.flags.has(TcpFlags::ACK);
        let is_rst = segment.flags.has(TcpFlags::RST);
        let ack = has_ack.then(|| self.place_ack(from, to, segment.ack, is_rst));
        let side = self.side(from, to);
        let counted = || match side.syn {
            Some(syn) => distance(syn.initial, segment.seq),
            None => i64::from(segment.seq),
        };
        let seq = if !segment.flags.has(TcpFlags::RST) {
            counted()
        } else if has_ack && segment.seq == 0 {
            0
        } else {
            match self.side(to, from).last_ack {
                Some((wire, printed)) if wire == segment.seq => printed,
                _ => counted(),
            }
        };
        Numbers { seq, ack }
    }

    /// The same for a segment that no case has described. A RST that answers a SYN which nobody has
    /// seen, because a firewall has taken it, counts from that SYN.
    pub fn numbers_unscripted(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        segment: &TcpSegment,
    ) -> Numbers {
        // It acknowledges what it answers (RFC 9293 §3.10.7.1).
        let answers_unknown = segment.flags.has(TcpFlags::RST | TcpFlags::ACK)
            && segment.seq == 0
            && self.side(to, from).end != Some(segment.ack);
        if answers_unknown {
            let initial = segment.ack.wrapping_sub(1);
            self.sides.entry((to, from)).or_default().syn = Some(Syn { initial, sent: 1 });
        }
        self.numbers(from, to, segment)
    }

    /// Puts what is told of a scripted segment into its numbers, and into those of a RST that
    /// repeats its acknowledgment.
    pub fn tell(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        segment: &TcpSegment,
        told: Told,
        numbers: &mut Numbers,
    ) {
        numbers.seq = told.seq.unwrap_or(numbers.seq);
        if let (Some(ack), Some(told)) = (&mut numbers.ack, told.ack) {
            *ack = told;
            self.sides.entry((from, to)).or_default().last_ack = Some((segment.ack, told));
        }
    }

    /// A number that the last segment of a side selectively acknowledges: it counts as the
    /// acknowledgment does.
    pub fn acknowledged(&self, from: SocketAddr, to: SocketAddr, number: u32) -> i64 {
        let newest = self.side(to, from).syn.map(|syn| syn.initial);
        let base = self.side(from, to).accepted.or(newest);
        base.map_or(i64::from(number), |base| distance(base, number))
    }

    /// The numbers of a SYN that was sent inside a connection that goes on.
    pub fn numbers_aside(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        segment: &TcpSegment,
    ) -> Numbers {
        let flags = segment.flags.without(TcpFlags::SYN);
        let numbers = self.numbers(from, to, &TcpSegment { flags, ..segment.clone() });
        let side = self.sides.entry((from, to)).or_default();
        side.aside = Some(segment.seq);
        side.end = Some(end_of(segment.seq, segment.flags, segment.len));
        numbers
    }

    /// The numbers of a segment that `from` sends in a connection of `like`, whose it is not: they
    /// count like those of that connection, which does not notice. A SYN begins one of its own.
    pub fn numbers_like(
        &mut self,
        like: SocketAddr,
        from: SocketAddr,
        to: SocketAddr,
        segment: &TcpSegment,
    ) -> Numbers {
        if segment.flags.has(TcpFlags::SYN) && !segment.flags.has(TcpFlags::ACK) {
            return self.numbers(from, to, segment);
        }
        let before = self.sides.clone();
        let numbers = self.numbers(like, to, segment);
        self.sides = before;
        let counted_from = self.side(like, to).syn;
        // A RST may repeat or acknowledge it.
        let side = self.sides.entry((from, to)).or_default();
        side.syn = counted_from;
        side.end = Some(end_of(segment.seq, segment.flags, segment.len));
        side.last_ack = numbers.ack.map(|printed| (segment.ack, printed)).or(side.last_ack);
        numbers
    }

    fn side(&self, from: SocketAddr, to: SocketAddr) -> Side {
        self.sides.get(&(from, to)).copied().unwrap_or_default()
    }

    fn note_sent(&mut self, from: SocketAddr, to: SocketAddr, segment: &TcpSegment) {
        let side = self.sides.entry((from, to)).or_default();
        let is_syn = segment.flags.has(TcpFlags::SYN);
        if is_syn && side.syn.is_none_or(|syn| syn.initial != segment.seq) {
            // Whoever answers its own SYN, because somebody has sent it in its name, accepts that.
            let accepted = side.syn.filter(|_| from == to).map(|syn| syn.initial);
            let syn = Some(Syn { initial: segment.seq, sent: 0 });
            *side = Side { syn, accepted, ..Side::default() };
        }
        let end = end_of(segment.seq, segment.flags, segment.len);
        side.end = Some(end);
        if let Some(syn) = &mut side.syn {
            let sent = end.wrapping_sub(syn.initial);
            // The upper half of the space is what was sent before the SYN. What carries nothing (a
            // RST above all) may have a number of an older incarnation.
            if end != segment.seq && sent < 1 << 31 {
                syn.sent = syn.sent.max(sent);
            }
        }
    }

    /// A SYN sent aside begins an incarnation when the far end answers it.
    fn note_accepted(&mut self, from: SocketAddr, to: SocketAddr, segment: &TcpSegment) {
        let answers = TcpFlags::SYN | TcpFlags::ACK;
        let far = self.sides.entry((to, from)).or_default();
        let initial = segment.ack.wrapping_sub(1);
        if segment.flags.has(answers) && far.aside == Some(initial) {
            let syn = Some(Syn { initial, sent: 1 });
            *far = Side { end: far.end, syn, ..Side::default() };
        }
    }

    /// A RST acknowledges what it refuses, and accepts nothing.
    fn place_ack(&mut self, from: SocketAddr, to: SocketAddr, ack: u32, is_rst: bool) -> i64 {
        let newest = self.side(to, from).syn.filter(|syn| syn.covers(ack));
        let printed = match newest {
            Some(syn) if is_rst => distance(syn.initial, ack),
            _ => {
                let side = self.sides.entry((from, to)).or_default();
                side.accepted = newest.map(|syn| syn.initial).or(side.accepted);
                self.acknowledged(from, to, ack)
            }
        };
        self.sides.entry((from, to)).or_default().last_ack = Some((ack, printed));
        printed
    }
}

/// The number after a segment.
pub fn end_of(seq: u32, flags: TcpFlags, len: usize) -> u32 {
    let has = |flag| u32::from(flags.has(flag));
    seq.wrapping_add(len as u32 + has(TcpFlags::SYN) + has(TcpFlags::FIN))
}

/// How far `number` is after `initial`, modulo 2^32; negative when it is before.
pub fn distance(initial: u32, number: u32) -> i64 {
    i64::from(number.wrapping_sub(initial).cast_signed())
}
