//! One connection as a peer knows it, and what its packets tell of the local stack's variables.

use crate::model::TcpFlags;
use crate::model::packet::{SeenOption, TcpSegment};
use crate::model::peer::{Base, Number, SegmentSpec, TcpOption};
use crate::wire::build::{Fields, data_offset};
use crate::wire::relative::{Told, distance, end_of};

/// The segment size that a peer announces.
const MSS: u16 = 1460;
/// The window that a peer offers.
const WINDOW: u16 = 65_535;
/// A window scale above this one counts as this one (RFC 7323 §2.3).
const WINDOW_SCALE_MAX: u8 = 14;

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    memory: Memory,
    local: Local,
    /// The SYN that the peer's printed numbers count from.
    counted_from: Option<u32>,
    /// A later SYN that the local stack has not accepted, and what it offers.
    aside: Option<(u32, Offer)>,
    /// Acknowledgment numbers that had nothing to do with what the local stack has sent.
    unrelated: Vec<u32>,
    ours: Offer,
    theirs: Offer,
}

/// What the peer's own TCP remembers.
#[derive(Debug)]
struct Memory {
    iss: u32,
    /// SND.NXT.
    send_next: u32,
    /// It has sent its SYN.
    opened: bool,
    /// Its SYN has been acknowledged.
    acknowledged: bool,
    /// A RST has ended it; the next SYN begins anew.
    reset: bool,
    /// RCV.NXT, once a SYN has come.
    receive_next: Option<u32>,
    /// The last segment that came.
    last: Option<Seen>,
}

/// A segment that came.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Its acknowledgment, if it had one.
    ack: Option<u32>,
    /// The number after its end, if it had a number of its own.
    end: Option<u32>,
}

/// Variables of the local stack, as far as its packets tell.
#[derive(Clone, Copy, Debug, Default)]
struct Local {
    /// Its newest SYN.
    initial: Option<u32>,
    send_next: Option<u32>,
    send_unacknowledged: Option<u32>,
    receive_next: Option<u32>,
    window: u32,
}

/// Options of one side's SYN, and its clock.
#[derive(Clone, Copy, Debug, Default)]
struct Offer {
    scale: Option<u8>,
    stamps: bool,
    clock: u32,
}

impl Memory {
    fn new(iss: u32) -> Memory {
        Memory {
            iss,
            send_next: iss,
            opened: false,
            acknowledged: false,
            reset: false,
            receive_next: None,
            last: None,
        }
    }
}

impl Connection {
    /// Nothing has been sent by either side.
    pub fn new(iss: u32) -> Connection {
        Connection {
            memory: Memory::new(iss),
            local: Local::default(),
            counted_from: None,
            aside: None,
            unrelated: Vec::new(),
            ours: Offer::default(),
            theirs: Offer::default(),
        }
    }

    /// The peer remembers nothing; the next SYN has this number.
    pub fn forget(&mut self, iss: u32) {
        self.memory = Memory::new(iss);
    }

    /// Whether both SYNs have been seen.
    pub fn is_answered(&self) -> bool {
        self.local.initial.is_some() && self.memory.acknowledged
    }

    /// A segment of the local stack; `arrives` unless something on the path has swallowed it. True
    /// if it begins a connection.
    pub fn see(
        &mut self,
        tcp: &TcpSegment,
        stamps: Option<(u32, u32)>,
        iss: u32,
        arrives: bool,
    ) -> bool {
        let has = |flag| tcp.flags.has(flag);
        let begins = has(TcpFlags::SYN) && self.local.initial != Some(tcp.seq);
        if begins && self.local.initial.is_some() {
            self.begin_again(tcp, iss);
        }
        let end = end_of(tcp.seq, tcp.flags, tcp.len);
        self.note_local(tcp, end);
        if let Some((value, _)) = stamps {
            self.theirs.clock = value;
        }
        if has(TcpFlags::SYN) {
            self.theirs.stamps = stamps.is_some();
            let scale = tcp.options.iter().find_map(|option| match option {
                SeenOption::Word(word) => word.strip_prefix("wscale "),
                _ => None,
            });
            self.theirs.scale = scale.and_then(|shift| shift.parse().ok());
        }
        if arrives {
            self.memory.receive(tcp, end);
        }
        begins
    }

    /// The local stack has a new initial number: because the peer asked for a connection, or
    /// because the case did.
    fn begin_again(&mut self, tcp: &TcpSegment, iss: u32) {
        let answers = tcp.flags.has(TcpFlags::ACK);
        let accepted = self.aside.filter(|(syn, _)| answers && syn.wrapping_add(1) == tcp.ack);
        if let Some((syn, offer)) = accepted {
            (self.counted_from, self.aside, self.ours) = (Some(syn), None, offer);
            self.memory = Memory::new(syn);
            self.memory.send_next = tcp.ack;
            self.memory.opened = true;
        }
        if answers && self.memory.is_acceptable(tcp.ack) {
            self.local = Local::default();
            (self.memory.receive_next, self.memory.last) = (None, None);
        } else {
            *self = Connection::new(iss);
        }
    }

    /// Follows the local stack's own variables. The numbers of a RST need not be its own.
    fn note_local(&mut self, tcp: &TcpSegment, end: u32) {
        let has = |flag| tcp.flags.has(flag);
        let scale = self.scale(has(TcpFlags::SYN));
        let local = &mut self.local;
        if has(TcpFlags::SYN) {
            local.initial = Some(tcp.seq);
            local.send_next = local.send_next.or(Some(end));
            local.send_unacknowledged = local.send_unacknowledged.or(Some(tcp.seq));
        }
        if has(TcpFlags::RST) {
            return;
        }
        local.send_next = Some(local.send_next.map_or(end, |next| later(next, end)));
        if has(TcpFlags::ACK) {
            local.receive_next = match local.receive_next {
                Some(next) if !has(TcpFlags::SYN) => Some(later(next, tcp.ack)),
                _ => Some(tcp.ack),
            };
        }
        local.window = u32::from(tcp.window) << scale;
    }

    /// How far the local stack's window is shifted (RFC 7323 §2.2: never in a SYN).
    fn scale(&self, is_syn: bool) -> u8 {
        match (self.ours.scale, self.theirs.scale) {
            (Some(_), Some(scale)) if !is_syn => scale.min(WINDOW_SCALE_MAX),
            _ => 0,
        }
    }

    /// What a segment needs besides what the case fixes, or why it cannot be.
    pub fn fields(&self, spec: &SegmentSpec, iss: u32) -> Result<Fields, String> {
        let initial = if spec.flags.has(TcpFlags::SYN) { iss } else { 0 };
        let seq = match spec.seq {
            None => self.memory.next_seq(spec.flags),
            Some(Number::Absolute(number)) => number,
            Some(Number::Shown(number)) => plus(self.counted_from.unwrap_or(initial), number),
            Some(Number::Relative { base, offset }) => plus(self.local.receiving(base)?, offset),
        };
        let ack = match spec.ack {
            None if spec.flags.has(TcpFlags::ACK) => self.memory.known_ack().unwrap_or(0),
            None => 0,
            Some(number) => self.local_number(number)?,
        };
        Ok(Fields {
            seq,
            ack,
            window: spec.window.unwrap_or(WINDOW),
            options: self.options(spec),
            sack_base: self.local.initial.unwrap_or(0),
        })
    }

    /// What is told of the numbers of a segment that is about to be sent. A written number is told
    /// as it is written.
    pub fn told(&mut self, spec: &SegmentSpec, fields: &Fields, aside: bool) -> Told {
        Told {
            seq: self.told_seq(spec, fields.seq, aside),
            ack: spec.flags.has(TcpFlags::ACK).then(|| self.told_ack(spec, fields.ack)),
            sack_base: self.local.initial,
        }
    }

    fn told_seq(&self, spec: &SegmentSpec, seq: u32, aside: bool) -> Option<i64> {
        let has = |flag| spec.flags.has(flag);
        let is_first = has(TcpFlags::SYN) && !aside;
        let is_borrowed = has(TcpFlags::RST) && spec.seq.is_none() && self.memory.stray().is_some();
        if is_first || is_borrowed {
            return None;
        }
        // RFC 9293 §3.10.7.1: the 0 of a RST that answers what had no acknowledgment is no number.
        let is_written = matches!(spec.seq, Some(Number::Shown(_)));
        let is_zero = has(TcpFlags::RST) && has(TcpFlags::ACK) && seq == 0 && !is_written;
        Some(if is_zero { 0 } else { counted(self.counted_from, seq, spec.seq) })
    }

    /// An acknowledgment number that has nothing to do with what the local stack has sent is told
    /// as it is on the wire: the case gives it so, or the peer remembers nothing to give, or
    /// nothing but the number of a RST that repeats such a one.
    fn told_ack(&mut self, spec: &SegmentSpec, ack: u32) -> i64 {
        let is_unrelated = match spec.ack {
            Some(number) => matches!(number, Number::Absolute(_)),
            None => self.memory.known_ack().is_none_or(|known| self.unrelated.contains(&known)),
        };
        // A RST repeats what it answers, also where the local stack has sent no SYN yet.
        let is_unknown = is_unrelated || self.local.initial.is_none();
        if is_unknown && !self.unrelated.contains(&ack) {
            self.unrelated.push(ack);
        }
        match is_unrelated {
            true => i64::from(ack),
            false => counted(self.local.initial, ack, spec.ack),
        }
    }

    /// A number that counts what the local stack sends, or why there is none.
    pub fn local_number(&self, number: Number) -> Result<u32, String> {
        Ok(match number {
            Number::Absolute(number) => number,
            Number::Shown(number) => plus(self.local.initial.unwrap_or(0), number),
            Number::Relative { base, offset } => plus(self.local.sending(base)?, offset),
        })
    }

    fn options(&self, spec: &SegmentSpec) -> Vec<TcpOption> {
        if let Some(options) = &spec.options {
            return options.clone();
        }
        if spec.flags.has(TcpFlags::SYN) {
            return vec![TcpOption::Mss(MSS)];
        }
        // RFC 7323 §3.2: in every segment that is not a RST.
        if self.ours.stamps && self.theirs.stamps && !spec.flags.has(TcpFlags::RST) {
            let stamps = TcpOption::Timestamps(self.ours.clock, self.theirs.clock);
            return vec![TcpOption::Nop, TcpOption::Nop, stamps];
        }
        Vec::new()
    }

    /// Whether a segment is a SYN inside a connection that goes on.
    pub fn is_aside(&self, spec: &SegmentSpec, fields: &Fields) -> bool {
        let is_new = self.memory.begins() || fields.seq == self.memory.iss;
        spec.flags.has(TcpFlags::SYN)
            && !is_new
            && self.counted_from.is_some_and(|syn| syn != fields.seq)
    }

    /// The segment goes out.
    pub fn sent(&mut self, spec: &SegmentSpec, fields: &Fields, aside: bool) {
        let has = |flag| spec.flags.has(flag);
        let seq = fields.seq;
        // What a SYN offers is agreed upon once: one that comes again is challenged, whatever it
        // says (RFC 9293 §3.10.7.4).
        let begins = self.memory.begins() || self.counted_from.is_none();
        if has(TcpFlags::SYN) && !aside {
            self.counted_from = Some(seq);
        }
        // What is damaged never arrives.
        let has_wrong_offset = spec.data_offset.is_some_and(|words| words != data_offset(fields));
        if spec.bad_checksum || has_wrong_offset {
            return;
        }
        if aside {
            self.aside = Some((seq, Offer::of(&fields.options)));
        } else if has(TcpFlags::SYN) && begins {
            self.ours = Offer::of(&fields.options);
        }
        if has(TcpFlags::ACK) && !has(TcpFlags::RST) {
            self.local.acknowledge(fields.ack);
        }
        if let (Some(clock), true) = (Offer::of(&fields.options).clock(), self.ours.stamps) {
            self.ours.clock = later(self.ours.clock, clock);
        }
        let is_exact = self.local.receive_next == Some(seq);
        let len = spec.payload.as_ref().map_or(0, |payload| payload.len());
        // The peer goes on behind a SYN sent aside only if the far end accepts it.
        if !aside || has(TcpFlags::RST) {
            self.memory.send(spec.flags, seq, len, is_exact);
        }
    }
}

impl Offer {
    /// The clock that timestamps show.
    fn clock(self) -> Option<u32> {
        self.stamps.then_some(self.clock)
    }

    fn of(options: &[TcpOption]) -> Offer {
        let mut offer = Offer::default();
        for option in options {
            match option {
                TcpOption::WindowScale(shift) => offer.scale = Some(*shift),
                TcpOption::Timestamps(value, _) => (offer.stamps, offer.clock) = (true, *value),
                _ => {}
            }
        }
        offer
    }
}

impl Memory {
    fn receive(&mut self, tcp: &TcpSegment, end: u32) {
        let has = |flag| tcp.flags.has(flag);
        let ack = has(TcpFlags::ACK).then_some(tcp.ack);
        // RFC 9293 §3.10.7.1: of what answers a SYN of no connection.
        let is_zero = has(TcpFlags::RST) && ack.is_some() && tcp.seq == 0;
        self.last = Some(Seen { ack, end: (!is_zero).then_some(end) });
        if has(TcpFlags::RST) {
            self.reset = true;
            return;
        }
        if ack.is_some_and(|ack| self.is_acceptable(ack)) {
            self.acknowledged = true;
        }
        // The case has numbered segments itself, and all of them have arrived by now.
        if let Some(ack) = ack.filter(|ack| self.acknowledged && is_after(*ack, self.send_next)) {
            self.send_next = ack;
        }
        if has(TcpFlags::SYN) && self.receive_next.is_none() {
            self.receive_next = Some(end);
        }
        if let Some(next) = self.receive_next
            && !is_after(tcp.seq, next)
            && is_after(end, next)
        {
            self.receive_next = Some(end);
        }
    }

    fn send(&mut self, flags: TcpFlags, seq: u32, len: usize, is_exact: bool) {
        if flags.has(TcpFlags::SYN) {
            if self.reset {
                *self = Memory::new(seq);
            } else if !self.opened || (!self.acknowledged && self.iss != seq) {
                (self.iss, self.send_next) = (seq, seq);
            }
            self.opened |= seq == self.send_next;
        }
        if flags.has(TcpFlags::RST) {
            self.reset |= is_exact;
        } else if self.opened && seq == self.send_next {
            self.send_next = end_of(seq, flags, len);
        }
    }

    /// Whether the next SYN is that of a new connection, or the one that was sent once more.
    fn begins(&self) -> bool {
        !self.acknowledged || self.reset
    }

    /// SND.UNA < SEG.ACK =< SND.NXT, with the initial number for SND.UNA.
    fn is_acceptable(&self, ack: u32) -> bool {
        let sent = self.send_next.wrapping_sub(self.iss);
        (1..=sent).contains(&ack.wrapping_sub(self.iss))
    }

    fn next_seq(&self, flags: TcpFlags) -> u32 {
        if flags.has(TcpFlags::SYN) {
            return if self.begins() { self.iss } else { self.send_next };
        }
        match self.stray() {
            Some(ack) if flags.has(TcpFlags::RST) => ack,
            _ if self.opened => self.send_next,
            _ => 0,
        }
    }

    /// The acknowledgment that came last, if it is of nothing that this peer has sent: the RST to
    /// it takes its number (RFC 9293 §3.10.7.1, §3.10.7.3).
    fn stray(&self) -> Option<u32> {
        let last = self.last.and_then(|seen| seen.ack);
        last.filter(|ack| !self.acknowledged && !self.is_acceptable(*ack))
    }

    /// What comes next of what the peer has seen.
    fn known_ack(&self) -> Option<u32> {
        self.receive_next.or(self.last.and_then(|seen| seen.end))
    }
}

impl Local {
    fn acknowledge(&mut self, ack: u32) {
        let (Some(una), Some(next)) = (self.send_unacknowledged, self.send_next) else {
            return;
        };
        if is_after(ack, una) && !is_after(ack, next) {
            self.send_unacknowledged = Some(ack);
        }
    }

    fn receiving(&self, base: Base) -> Result<u32, String> {
        let next = self.receive_next.ok_or("no connection yet")?;
        match base {
            Base::Nxt => Ok(next),
            Base::Wnd => Ok(next.wrapping_add(self.window)),
            Base::Una => Err("a receiver has no una".to_owned()),
        }
    }

    fn sending(&self, base: Base) -> Result<u32, String> {
        let number = match base {
            Base::Nxt => self.send_next,
            Base::Una => self.send_unacknowledged,
            Base::Wnd => return Err("a sender has no wnd".to_owned()),
        };
        number.ok_or_else(|| "no connection yet".to_owned())
    }
}

/// A number as it is told: as the case has written it, else counted from a SYN, else, where no SYN
/// was seen, as it is on the wire.
fn counted(syn: Option<u32>, number: u32, written: Option<Number>) -> i64 {
    match (syn, written) {
        (Some(syn), _) => distance(syn, number),
        (None, Some(Number::Shown(written))) => written,
        (None, _) => i64::from(number),
    }
}

fn is_after(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() > 0
}

fn later(a: u32, b: u32) -> u32 {
    if is_after(b, a) { b } else { a }
}

fn plus(base: u32, offset: i64) -> u32 {
    // Modulo 2^32, like all of them.
    base.wrapping_add(offset as u32)
}
