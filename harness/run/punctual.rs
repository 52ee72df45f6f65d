//! Whether a run was on its CPU when it had something to do there. The kernel's timers go on while
//! its threads wait for one: a retransmission then falls into another step, a pause covers another
//! part of a connection's life, and nothing has failed.
//!
//! So all time of a run is accounted for: it waits for what takes its time (a call, a pause), or it
//! works, which takes next to none. What is left over are *gaps*, in which it was put aside, was
//! stopped, or waited for its place on a CPU. Most do no harm, because stacks wait for calls, too:
//! they do if a timer ran out meanwhile.

use super::gaps::{Gap, NOTICED, together};
use super::log::StepLog;
use super::resent::Resent;
use super::stamps::{Seen, after_sent, sent_after};
use crate::model::time::band;
use crate::sys::Trouble;
use std::time::Duration;

/// What a step causes is delivered within this time even if the kernel's own threads have to wait;
/// a retransmission comes 200 ms after the segment, at the earliest.
const PROMPT: Duration = Duration::from_millis(100);
/// A stack's next tick comes no sooner. Linux repeats a SYN two ticks after an ACK of something
/// else, and has up to 1,000 of them a second.
const TICK: Duration = Duration::from_millis(1);
/// The gaps of a run that waits for timers, together. Cases leave their timers this much room.
const LATE_MAX: Duration = Duration::from_secs(1);
/// A stack takes the time to a peer's answer for the way there and back, and waits that much longer
/// before it sends again (RFC 6298 §2.2), twice that the next time. Cases leave it this much room.
const MEASURED_MAX: Duration = Duration::from_millis(100);
/// What it waits at the least; Linux's `tcp_rto_min_us`.
const RESENT_AFTER: Duration = Duration::from_millis(200);

/// The account of one run, in the system clock's time since the Unix epoch.
#[derive(Debug, Default)]
pub struct Punctuality {
    /// Until then all time is accounted for.
    accounted: Duration,
    /// The gaps of the step in progress; those too short to be noticed add up.
    gaps: Vec<Gap>,
    /// Those of the step before: what came in them may be found in this one.
    before: Vec<Gap>,
    /// A wait in slices ends then: gaps before it keep nothing waiting.
    slices_until: Duration,
    /// How long calls of the step in progress were held up, nobody knows when.
    held_up: Duration,
    /// The gaps so far; with each step they count half as much, because what a step waits for was
    /// mostly begun a step or two ago.
    late: Duration,
    /// The gaps since the last packet: a timer that began with it has gone on for so long when the
    /// next step begins.
    behind: Duration,
    /// The gaps since the stack's last packet, which is not answered yet.
    unanswered: Duration,
    /// The longest of those in which a peer was to answer.
    measured: Duration,
    /// The run has let time pass.
    waits: bool,
    resent: Resent,
}

impl Punctuality {
    /// The run begins.
    pub fn begin(now: Duration) -> Punctuality {
        Punctuality { accounted: now, ..Punctuality::default() }
    }

    /// The run has been at work since the last account.
    pub fn works(&mut self, now: Duration) {
        self.goes_on(self.accounted, now);
    }

    /// The run goes on at `now`; at `due` what it waited for was over.
    pub fn goes_on(&mut self, due: Duration, now: Duration) {
        if now > due {
            let puts_off_from = due.max(self.slices_until).min(now);
            self.gaps.push(Gap { from: due, to: now, puts_off_from });
        }
        self.excuse(now);
    }

    /// The run waits in slices, at most until then.
    pub fn waits_in_slices(&mut self, until: Duration) {
        self.slices_until = until;
    }

    /// The run waits in slices no more.
    pub fn has_waited(&mut self) {
        self.slices_until = Duration::ZERO;
    }

    /// The run finds at `now` what has been over since `ended`.
    pub fn looks_at(&mut self, ended: Duration, now: Duration) {
        self.goes_on(ended.max(self.accounted), now);
    }

    /// A call that ended at `ended` was held up for so long of the time that it took, nobody knows
    /// when.
    ///
    /// # Errors
    /// Its time is told, and would be another one, or is chance.
    pub fn held_up(
        &mut self,
        by: Duration,
        ended: Duration,
        took: Duration,
        timed: bool,
    ) -> Result<(), Trouble> {
        self.held_up += if by > NOTICED { by } else { Duration::ZERO };
        // Whoever is stopped is not ready to run: nobody counts that time but the run, which was
        // stopped, too.
        let stopped = self.gaps.iter().filter(|gap| gap.is_noticed());
        let stopped = stopped.filter(|gap| gap.from < ended && ended < gap.to + NOTICED);
        let stopped = stopped.map(|gap| ended - gap.from).max().unwrap_or_default();
        let by = by.max(stopped);
        let else_took = took.saturating_sub(by);
        self.waits |= else_took > NOTICED;
        // What it waited for may have begun before it.
        let bands = [else_took, took, took + self.behind].map(band);
        // Going on after a stop wakes a call, which may then end sooner than by itself (signal(7)).
        let is_chance = stopped > PROMPT || bands.iter().any(|word| *word != bands[0]);
        match timed && is_chance {
            true => Err(put_aside(by + self.behind, "how long a call took is chance")),
            false => Ok(()),
        }
    }

    /// Until now something went on that takes its time.
    pub fn excuse(&mut self, now: Duration) {
        self.accounted = self.accounted.max(now);
    }

    /// The run has let time pass.
    pub fn waits(&mut self) {
        self.waits = true;
    }

    /// Whether a step can be believed.
    ///
    /// # Errors
    /// What came when is chance.
    pub fn judge(&mut self, step: &StepLog, seen: Seen) -> Result<(), Trouble> {
        let all = std::mem::take(&mut self.gaps);
        let gaps: Vec<Gap> = all.iter().copied().filter(Gap::is_noticed).collect();
        let late = together(&gaps).max(std::mem::take(&mut self.held_up));
        self.late = self.late / 2 + late;
        // On the wire what was found later has a later stamp.
        let is_stamped = seen == Seen::WhenSent;
        let before = self.before.drain(..).filter(|_| is_stamped);
        let found: Vec<Gap> = before.chain(gaps.iter().copied()).collect();
        self.measure(step, &gaps, seen);
        self.told_in_time(step)?;
        self.fall_behind(step, &all, seen);
        self.before = gaps;
        for (index, packet) in step.packets.iter().enumerate() {
            let is_peers = step.sent.iter().any(|sent| sent.index == index);
            let again = !is_peers && self.resent.see(packet);
            let answered = after_sent(step, index).filter(|_| again && seen == Seen::AtOnce);
            if let Some(late) = answered.filter(|late| *late > TICK) {
                return Err(put_aside(
                    late,
                    "whether a timer or the peer caused a packet is chance",
                ));
            }
            let meanwhile = |gap: &&Gap| {
                let at = |from: Duration, to| (from + PROMPT..to).contains(&packet.at);
                match seen {
                    Seen::WhenSent => at(gap.puts_off_from, gap.to),
                    // Here packets are stamped when the run reads them, which it does after a gap.
                    _ if step.timed => at(gap.from, gap.to + NOTICED),
                    _ => again && at(gap.puts_off_from, gap.to + NOTICED),
                }
            };
            if let Some(gap) = found.iter().find(meanwhile) {
                return Err(put_aside(gap.to - gap.from, "in which step a packet came is chance"));
            }
        }
        if self.waits && self.late >= LATE_MAX {
            return Err(put_aside(self.late, "what its timers did when is chance"));
        }
        match self.waits && self.measured >= MEASURED_MAX {
            true => Err(put_aside(self.measured, "how long the stack waits for answers is chance")),
            false => Ok(()),
        }
    }

    /// Notes for how long a peer could not answer.
    fn measure(&mut self, step: &StepLog, gaps: &[Gap], seen: Seen) {
        if let Some(sent) = step.sent.first() {
            let at = step.packets[sent.index].at;
            let before = together(gaps.iter().filter(|gap| gap.to <= at));
            self.measured = self.measured.max(self.unanswered + before);
        }
        let stacks = |index: &usize| !step.sent.iter().any(|sent| sent.index == *index);
        self.unanswered = match (0..step.packets.len()).find(stacks) {
            Some(index) => {
                let at = sent_after(step, index, seen);
                together(gaps.iter().filter(|gap| gap.to > at))
            }
            None => self.unanswered + together(gaps),
        };
    }

    /// Whether the time that is told of a step's first packet is the stack's own.
    fn told_in_time(&self, step: &StepLog) -> Result<(), Trouble> {
        let first = step.packets.first().filter(|_| step.timed && step.sent.is_empty());
        let Some(packet) = first else { return Ok(()) };
        let began = step.calls.first().map_or(step.began, |call| call.began);
        let told = packet.at.saturating_sub(began);
        // Its timer had begun before the step, and was longer than without the gaps.
        let waited = told + self.behind;
        let part = RESENT_AFTER.div_duration_f64(RESENT_AFTER + self.measured);
        match band(told) != band(waited) || band(told) != band(told.mul_f64(part)) {
            true => {
                let late = self.behind + self.measured;
                Err(put_aside(late, "how long the stack took is chance"))
            }
            false => Ok(()),
        }
    }

    /// Notes the gaps after the last packet.
    fn fall_behind(&mut self, step: &StepLog, gaps: &[Gap], seen: Seen) {
        self.behind = match step.packets.len().checked_sub(1) {
            Some(last) => {
                let at = sent_after(step, last, seen);
                together(gaps.iter().filter(|gap| gap.to > at))
            }
            None => self.behind + together(gaps),
        };
    }
}

fn put_aside(time: Duration, chance: &str) -> Trouble {
    Trouble::Starved(format!(
        "the run did not get its CPU for {time:.1?}, or was stopped: {chance}; run it again with \
         less beside it, or with fewer --jobs"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::log::{Awaited, Sent};
    use crate::run::resent::tests::segment;
    use rstest::rstest;
    use std::net::Ipv4Addr;

    fn ms(time: u64) -> Duration {
        Duration::from_millis(1_000_000 + time)
    }

    /// A step in which a segment was sent, and sent again at this time; the run could go on at
    /// 10 ms, and did at 400 ms.
    fn judged(again_ms: u64, seen: Seen, timed: bool, by_peer: bool) -> bool {
        let mut account = Punctuality::begin(ms(0));
        account.works(ms(1));
        account.goes_on(ms(10), ms(400));
        let packets = vec![segment(ms(9), "P.", 1, 10), segment(ms(again_ms), "P.", 1, 10)];
        let sent = if by_peer { vec![Sent { index: 1, ..Sent::default() }] } else { Vec::new() };
        let step = StepLog { packets, timed, sent, ..StepLog::default() };
        account.judge(&step, seen).is_ok()
    }

    #[rstest]
    #[case::at_once(20, Seen::WhenSent, true)]
    #[case::meanwhile(211, Seen::WhenSent, false)]
    #[case::afterwards(410, Seen::WhenSent, true)]
    #[case::read_at_once(20, Seen::AtOnce, true)]
    #[case::read_when_it_went_on(405, Seen::AtOnce, false)]
    #[case::read_later(600, Seen::AtOnce, true)]
    fn packet_of_a_timer_in_a_gap(#[case] again_ms: u64, #[case] seen: Seen, #[case] kept: bool) {
        assert_eq!(judged(again_ms, seen, false, false), kept);
    }

    /// What came after a step had settled, and before the next one began.
    #[rstest]
    #[case::in_the_gap(211, Seen::WhenSent, false)]
    #[case::afterwards(410, Seen::WhenSent, true)]
    #[case::read_afterwards(405, Seen::AtOnce, true)]
    fn packet_found_a_step_later(#[case] at_ms: u64, #[case] seen: Seen, #[case] kept: bool) {
        let mut account = Punctuality::begin(ms(0));
        account.goes_on(ms(10), ms(400));
        account.judge(&StepLog::default(), seen).unwrap();
        let packets = vec![segment(ms(at_ms), "S", 0, 0)];
        let step = StepLog { packets, ..StepLog::default() };
        assert_eq!(account.judge(&step, seen).is_ok(), kept);
        assert!(account.judge(&step, seen).is_ok(), "two steps later");
    }

    #[test]
    fn what_a_peer_repeats_is_no_timers() {
        assert!(judged(405, Seen::AtOnce, false, true));
    }

    /// A peer's packet, and a SYN once more.
    #[rstest]
    #[case::at_once(0, Seen::AtOnce, true)]
    #[case::by_a_tick(8, Seen::AtOnce, false)]
    #[case::while_waiting_for_quiet(8, Seen::WhenQuiet, true)]
    fn repeated_after_a_peers_packet(#[case] at_ms: u64, #[case] seen: Seen, #[case] kept: bool) {
        let mut account = Punctuality::begin(ms(0));
        let syn = |at| segment(at, "S", 1, 0);
        let before = StepLog { packets: vec![syn(ms(1))], ..StepLog::default() };
        account.judge(&before, seen).unwrap();
        let mut other = segment(ms(10), ".", 1, 0);
        other.source = Ipv4Addr::new(127, 0, 0, 2).into();
        let sent = vec![Sent::default()];
        let packets = vec![other, syn(ms(10 + at_ms))];
        let step = StepLog { packets, sent, ..StepLog::default() };
        assert_eq!(account.judge(&step, seen).is_ok(), kept);
        account = Punctuality::begin(ms(0));
        account.judge(&before, seen).unwrap();
        let awaited = Some(Awaited { taken: None, within: None });
        assert!(account.judge(&StepLog { awaited, ..step }, seen).is_ok(), "it waits for it");
    }

    #[test]
    fn stamp_that_is_told_is_no_later_than_the_packet() {
        let step = |timed| StepLog {
            packets: vec![segment(ms(405), "S", 0, 0)],
            timed,
            ..StepLog::default()
        };
        for timed in [false, true] {
            let mut account = Punctuality::begin(ms(0));
            account.goes_on(ms(10), ms(400));
            assert_eq!(account.judge(&step(timed), Seen::AtOnce).is_ok(), !timed);
        }
    }

    /// Whoever waits for nothing loses nothing.
    #[rstest]
    #[case::at_once(true, &[1_000], false)]
    #[case::in_two_steps(true, &[700, 700], false)]
    #[case::waits_for_nothing(false, &[1_000, 1_000], true)]
    #[case::long_ago(true, &[700, 0, 0, 700], true)]
    #[case::everywhere(true, &[400, 400, 400, 400], true)]
    fn gaps_add_up(#[case] waits: bool, #[case] gaps_ms: &[u64], #[case] kept: bool) {
        let mut account = Punctuality::begin(ms(0));
        if waits {
            account.waits();
        }
        let mut verdict = Ok(());
        for (step, gap_ms) in (1..).zip(gaps_ms) {
            let began = ms(step * 2_000);
            account.excuse(began);
            account.works(began + Duration::from_millis(*gap_ms));
            verdict = verdict.and(account.judge(&StepLog::default(), Seen::WhenSent));
        }
        assert_eq!(verdict.is_ok(), kept);
    }

    /// A stack's packet, a gap, a peer's answer, and a probe that is told by its time; from here on
    /// the stack waits longer for every answer.
    #[rstest]
    #[case::prompt(10, 400, true)]
    #[case::longer_than_without_the_gap(90, 400, false)]
    #[case::not_by_a_band(90, 600, true)]
    #[case::its_multiples_are_too_long(100, 600, false)]
    fn time_to_an_answer(#[case] gap_ms: u64, #[case] told_ms: u64, #[case] kept: bool) {
        let mut account = Punctuality::begin(ms(0));
        account.waits();
        let syn = StepLog { packets: vec![segment(ms(1), "S", 0, 0)], ..StepLog::default() };
        account.works(ms(2));
        account.judge(&syn, Seen::AtOnce).unwrap();
        account.works(ms(2 + gap_ms));
        let sent = vec![Sent::default()];
        let packets = vec![segment(ms(3 + gap_ms), "S.", 0, 0)];
        let answer = StepLog { packets, sent, ..StepLog::default() };
        let answered = account.judge(&answer, Seen::AtOnce);
        account.excuse(ms(3_000));
        let verdict = answered.and_then(|()| account.judge(&told(told_ms), Seen::AtOnce));
        assert_eq!(verdict.is_ok(), kept);
    }

    /// A timed step that begins at 3 s, and its first packet.
    fn told(after_ms: u64) -> StepLog {
        let packets = vec![segment(ms(3_000 + after_ms), ".", 0, 0)];
        StepLog { began: ms(3_000), packets, timed: true, ..StepLog::default() }
    }

    /// A timer goes on while the step that waits for it cannot begin.
    #[rstest]
    #[case::prompt(10, 680, true)]
    #[case::within_the_band(100, 500, true)]
    #[case::another_band(100, 680, false)]
    fn step_that_begins_late(#[case] gap_ms: u64, #[case] told_ms: u64, #[case] kept: bool) {
        let mut account = Punctuality::begin(ms(0));
        account.excuse(ms(3_000 - gap_ms));
        account.works(ms(3_000));
        account.judge(&StepLog::default(), Seen::AtOnce).unwrap();
        account.excuse(ms(4_000));
        assert_eq!(account.judge(&told(told_ms), Seen::AtOnce).is_ok(), kept);
        let account = Punctuality { behind: Duration::from_millis(gap_ms), ..account };
        let took = Duration::from_millis(told_ms);
        let call = { account }.held_up(Duration::ZERO, ms(4_000), took, true);
        assert_eq!(call.is_ok(), kept);
    }

    /// A SYN is read off the wire some time after its call, or was stamped by the system that sent
    /// it; the timer that began with it is the stack's own.
    #[rstest]
    #[case::read_at_once(10, Seen::AtOnce, 680, true)]
    #[case::read_late(100, Seen::AtOnce, 680, false)]
    #[case::read_late_within_the_band(100, Seen::AtOnce, 800, true)]
    #[case::waiting_for_quiet(100, Seen::WhenQuiet, 680, false)]
    fn timer_that_began_before_its_packet_was_read(
        #[case] gap_ms: u64,
        #[case] seen: Seen,
        #[case] told_ms: u64,
        #[case] kept: bool,
    ) {
        let mut account = Punctuality::begin(ms(0));
        account.excuse(ms(10));
        account.works(ms(10 + gap_ms));
        let packets = vec![segment(ms(11 + gap_ms), "S", 0, 0)];
        let step = StepLog { began: ms(9), packets, ..StepLog::default() };
        account.judge(&step, seen).unwrap();
        account.excuse(ms(4_000));
        assert_eq!(account.judge(&told(told_ms), seen).is_ok(), kept);
    }

    #[rstest]
    #[case::few(1, true)]
    #[case::many(20, false)]
    fn short_gaps_add_up_for_a_timer(#[case] count: u64, #[case] kept: bool) {
        let mut account = Punctuality::begin(ms(0));
        (1..=count).for_each(|work| account.works(ms(work * 15)));
        account.judge(&StepLog::default(), Seen::AtOnce).unwrap();
        account.excuse(ms(3_000));
        assert_eq!(account.judge(&told(680), Seen::AtOnce).is_ok(), kept);
    }

    /// A wait of five seconds in slices, each of which takes too long, puts off nothing.
    #[rstest]
    #[case::ends_in_time(5_000, true)]
    #[case::ends_late(6_500, false)]
    fn slices_of_a_wait(#[case] ends_ms: u64, #[case] kept: bool) {
        let mut account = Punctuality::begin(ms(0));
        account.waits();
        account.waits_in_slices(ms(5_000));
        (0..50).for_each(|slice| account.goes_on(ms(slice * 100 + 5), ms(slice * 100 + 100)));
        account.goes_on(ms(5_000), ms(ends_ms));
        account.has_waited();
        assert_eq!(account.judge(&StepLog::default(), Seen::AtOnce).is_ok(), kept);
    }

    #[test]
    fn work_is_no_gap() {
        let mut account = Punctuality::begin(ms(0));
        account.waits();
        (1..1_000).for_each(|step| account.works(ms(step * 15)));
        assert!(account.judge(&StepLog::default(), Seen::WhenSent).is_ok());
    }

    #[rstest]
    #[case::not_at_all(0, 400, true, true)]
    #[case::within_the_band(40, 400, true, true)]
    #[case::out_of_the_band(300, 400, true, false)]
    #[case::time_is_not_told(300, 400, false, true)]
    fn call_that_was_held_up(
        #[case] by_ms: u64,
        #[case] took_ms: u64,
        #[case] timed: bool,
        #[case] kept: bool,
    ) {
        let [by, took] = [by_ms, took_ms].map(Duration::from_millis);
        assert_eq!(Punctuality::begin(ms(0)).held_up(by, ms(took_ms), took, timed).is_ok(), kept);
    }

    /// A run that looks every 100 ms at whether its call is over, and does not at 400 ms.
    #[rstest]
    #[case::before(390, true)]
    #[case::when_it_could_not_be_told(900, false)]
    #[case::as_it_goes_on(1_005, false)]
    #[case::long_after(1_100, true)]
    #[case::in_the_same_band(490, true)]
    #[case::in_the_same_band_perhaps_too_soon(600, false)]
    fn call_that_ends_while_all_is_stopped(#[case] ended_ms: u64, #[case] kept: bool) {
        let mut account = Punctuality::begin(ms(0));
        account.waits_in_slices(ms(2_000));
        account.goes_on(ms(400), ms(1_000));
        let took = Duration::from_millis(ended_ms);
        assert_eq!(account.held_up(Duration::ZERO, ms(ended_ms), took, true).is_ok(), kept);
    }
}
