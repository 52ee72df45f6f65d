//! Equal lines of one step become one line with a count.

use crate::model::transcript::Event;
use crate::render::line;
use std::cmp::Reverse;

/// The longest round that is looked for, in events: a connection's whole life fits.
const ROUND_MAX: usize = 16;

/// Makes one event of equal neighbours. With `rounds`, a sequence that repeats as a whole (SYN,
/// RST, SYN, RST) is kept once too, each of its events with the number of rounds.
pub(super) fn collapse(events: Vec<Event>, rounds: bool) -> Vec<Event> {
    let lines: Vec<String> = events.iter().map(line).collect();
    let mut kept = Vec::with_capacity(events.len());
    let mut at = 0;
    while at < lines.len() {
        let longest = if rounds { ROUND_MAX } else { 1 };
        // Of several ways the one that tells most, in the shortest round.
        let (len, times) = (1..=longest)
            .map(|len| (len, repeats(&lines[at..], len)))
            .filter(|(_, times)| *times > 1)
            .max_by_key(|(len, times)| (len * times, Reverse(*len)))
            .unwrap_or((1, 1));
        kept.extend(events[at..at + len].iter().map(|event| counted(event, times)));
        at += len * times;
    }
    kept
}

/// How often the first `len` lines stand there one after another.
fn repeats(lines: &[String], len: usize) -> usize {
    let mut rounds = lines.chunks_exact(len);
    let Some(first) = rounds.next() else { return 0 };
    1 + rounds.take_while(|round| *round == first).count()
}

fn counted(event: &Event, times: usize) -> Event {
    let mut event = event.clone();
    let times = u32::try_from(times).unwrap_or(u32::MAX);
    match &mut event {
        Event::Call(call) => call.count *= times,
        Event::Packet(packet) => packet.count *= times,
        Event::Note(_) | Event::Nothing(_) | Event::Deadline(_) => {}
    }
    event
}

#[cfg(test)]
mod tests {
    use super::{Event, collapse, line};
    use crate::model::transcript::{NumberForms, PacketEvent, PacketWhat};
    use rstest::rstest;

    fn datagram(len: char) -> Event {
        Event::Packet(PacketEvent {
            from: "a".to_owned(),
            to: "b".to_owned(),
            what: PacketWhat::Udp { len: len.to_digit(10).expect("a digit") as usize },
            forms: NumberForms::default(),
            extras: vec![],
            count: 1,
            band: None,
            hex: String::new(),
        })
    }

    #[rstest]
    #[case("111", false, "1x3")]
    #[case("1212", false, "1 2 1 2")]
    #[case("1212", true, "1x2 2x2")]
    #[case("11221", true, "1x2 2x2 1")]
    #[case("112112112", true, "1x3 1x3 2x3")]
    #[case("31212124", true, "3 1x3 2x3 4")]
    #[case("", true, "")]
    fn repeated_lines(#[case] given: &str, #[case] rounds: bool, #[case] expected: &str) {
        let kept = collapse(given.chars().map(datagram).collect(), rounds);
        let short = |event: &Event| line(event).replace("    a > b udp len ", "");
        let told: Vec<String> = kept.iter().map(|e| short(e).replace(" x", "x")).collect();
        assert_eq!(told.join(" "), expected);
    }
}
