//! Whether a run was on its CPU when it had something to do there. The kernel's timers go on while
//! its threads wait for one: a retransmission then falls into another step, a pause covers another
//! part of a connection's life, and nothing has failed.
//!
//! So all time of a run is accounted for: it waits for what takes its time (a call, a pause), or it
//! works, which takes next to none. What is left over are *gaps*, in which it was put aside, was
//! stopped, or waited for its place on a CPU. Most do no harm, because stacks wait for calls, too:
//! they do if a timer ran out meanwhile.

use super::log::StepLog;
use super::resent::Resent;
use crate::model::time::band;
use crate::sys::Trouble;
use std::time::Duration;

/// Work takes less, also on an emulated CPU.
const NOTICED: Duration = Duration::from_millis(20);
/// What a step causes is delivered within this time even if the kernel's own threads have to wait;
/// a retransmission comes 200 ms after the segment, at the earliest.
const PROMPT: Duration = Duration::from_millis(100);
/// A stack's next tick comes no sooner. Linux repeats a SYN two ticks after an ACK of something
/// else, and has up to 1,000 of them a second.
const TICK: Duration = Duration::from_millis(1);
/// The gaps of a run that waits for timers, together. Cases leave their timers this much room.
const LATE_MAX: Duration = Duration::from_secs(1);

/// From when until when, and when it began to put off what comes next.
#[derive(Clone, Copy, Debug)]
struct Gap {
    from: Duration,
    to: Duration,
    puts_off_from: Duration,
}

/// What the stamps of packets tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// When they were sent: the system captures them.
    WhenSent,
    /// When the run read them off its wire, as soon as it had put a peer's packet there.
    AtOnce,
    /// When the run read them off its wire, some time after a peer's packet: it waits for quiet.
    WhenQuiet,
}

/// The account of one run, in the system clock's time since the Unix epoch.
#[derive(Debug, Default)]
pub struct Punctuality {
    /// Until then all time is accounted for.
    accounted: Duration,
    /// The gaps of the step in progress.
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
        if now > due + NOTICED {
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

    /// A call was held up for so long of the time that it took, nobody knows when.
    ///
    /// # Errors
    /// Its time is told, and would be another one.
    pub fn held_up(&mut self, by: Duration, took: Duration, timed: bool) -> Result<(), Trouble> {
        self.held_up += if by > NOTICED { by } else { Duration::ZERO };
        let else_took = took.saturating_sub(by);
        self.waits |= else_took > NOTICED;
        match timed && band(took) != band(else_took) {
            true => Err(put_aside(by, "how long a call took is chance")),
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
        let gaps = std::mem::take(&mut self.gaps);
        let late = together(&gaps).max(std::mem::take(&mut self.held_up));
        self.late = self.late / 2 + late;
        // On the wire what was found later has a later stamp.
        let is_stamped = seen == Seen::WhenSent;
        let before = self.before.drain(..).filter(|_| is_stamped);
        let found: Vec<Gap> = before.chain(gaps.iter().copied()).collect();
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
        match self.waits && self.late >= LATE_MAX {
            true => Err(put_aside(self.late, "what its timers did when is chance")),
            false => Ok(()),
        }
    }
}

/// How long after the peer's last packet this one came, in a step that is over with what that
/// packet causes.
fn after_sent(step: &StepLog, index: usize) -> Option<Duration> {
    let is_over = step.awaited.is_none() && step.calls.is_empty();
    let sent = step.sent.iter().rev().find(|sent| sent.index < index).filter(|_| is_over)?;
    Some(step.packets[index].at.saturating_sub(step.packets[sent.index].at))
}

/// How long these gaps put off what came next: the threads of a run are put aside at the same time.
fn together(gaps: &[Gap]) -> Duration {
    let mut gaps: Vec<(Duration, Duration)> =
        gaps.iter().map(|gap| (gap.puts_off_from, gap.to)).collect();
    gaps.sort_unstable();
    let mut until = Duration::ZERO;
    gaps.iter().fold(Duration::ZERO, |sum, (from, to)| {
        let new = to.saturating_sub(*from.max(&until));
        until = until.max(*to);
        sum + new
    })
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
        let sent =
            if by_peer { vec![Sent { index: 1, aside: false, like: None }] } else { Vec::new() };
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
        let sent = vec![Sent { index: 0, aside: false, like: None }];
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

    #[test]
    fn two_threads_put_aside_at_once_count_once() {
        let gaps = [(10, 40), (0, 20), (15, 30), (50, 60)].map(|(from, to)| Gap {
            from: ms(from),
            to: ms(to),
            puts_off_from: ms(from),
        });
        assert_eq!(together(&gaps), Duration::from_millis(50));
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
        assert_eq!(Punctuality::begin(ms(0)).held_up(by, took, timed).is_ok(), kept);
    }
}
