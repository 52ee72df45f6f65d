//! Equal lines of one step become one line with a count.

use crate::model::transcript::Event;
use crate::render::line;

/// Makes one event of equal neighbours. With `rounds`, a sequence that repeats as a whole (SYN,
/// RST, SYN, RST) is kept once too, each of its events with the number of rounds.
pub(super) fn collapse(events: Vec<Event>, rounds: bool) -> Vec<Event> {
    let lines: Vec<String> = events.iter().map(line).collect();
    let mut kept = Vec::with_capacity(events.len());
    let mut at = 0;
    while at < lines.len() {
        let longest = if rounds { (lines.len() - at) / 2 } else { 1 };
        let (len, times) = (1..=longest)
            .map(|len| (len, repeats(&lines[at..], len)))
            .find(|(_, times)| *times > 1)
            .unwrap_or((1, 1));
        kept.extend(
            events[at..at + len]
                .iter()
                .map(|event| counted(event, times)),
        );
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
