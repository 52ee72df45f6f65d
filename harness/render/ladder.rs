//! A transcript as a sequence diagram: calls at the left, a lifeline for each end of a packet, time
//! downwards.
//!
//! ```text
//!                      client                          server
//! client.send(256) = 256  │                               │
//!                         │── [P.] seq 1 ack 1 len 256 ──>│
//!                         │<───────── [.] seq 1 ack 257 ──│
//! ```
//! Never wider than [`WIDTH_MAX`]: a long line at the left is wrapped, and a packet whose text does
//! not fit between its lifelines is told at the left, beside a bare arrow. Where there are more
//! ends than fit, the transcript is given as it is.

use super::INDENT;

/// Columns of a diagram, for terminals and bug reports.
pub const WIDTH_MAX: usize = 100;
/// The least room that must be left for the calls.
const CALLS_MIN: usize = 36;
/// The least distance of two lifelines.
const GAP_MIN: usize = 10;
/// Cells of an arrow beside its text, and of the lifeline: `│── text ──>`.
const ARROW_CELLS: usize = 8;

/// Draws the lines of a section, without its title; every line ends with a line feed. It takes the
/// text and not the events, because recorded answers are texts.
pub fn ladder(body: &str) -> String {
    let events: Vec<Event> = body.lines().map(Event::of).collect();
    match Layout::of(&events) {
        Some(layout) => layout.draw(&events),
        None => body.to_owned(),
    }
}

/// One line of a transcript.
enum Event<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// Anything else.
    Other(&'a str),
}

/// A packet line in its parts.
struct Packet<'a> {
    line: &'a str,
    from: &'a str,
    to: &'a str,
    label: &'a str,
}

impl<'a> Event<'a> {
    fn of(line: &'a str) -> Event<'a> {
        let packet = line.strip_prefix(INDENT).and_then(|rest| {
            let (from, rest) = rest.split_once(" > ")?;
            let (to, label) = rest.split_once(' ')?;
            let plain = !from.contains(' ');
            plain.then_some(Packet { line, from, to, label })
        });
        packet.map_or(Event::Other(line), Event::Packet)
    }

    fn packet(&self) -> Option<&Packet<'a>> {
        match self {
            Event::Packet(packet) => Some(packet),
            Event::Other(_) => None,
        }
    }
}

impl Packet<'_> {
    /// The room that it wants between its lifelines.
    fn cells(&self) -> usize {
        self.label.chars().count() + ARROW_CELLS
    }
}

/// Where things stand.
struct Layout {
    /// Width of the calls.
    calls: usize,
    /// The ends of packets, in the order of their first packet, and the cell of their lifeline.
    ends: Vec<(String, usize)>,
    /// Cells of a whole line.
    width: usize,
}

impl Layout {
    /// None if there is nothing to draw, or too much.
    fn of(events: &[Event]) -> Option<Layout> {
        let packets: Vec<&Packet> = events.iter().filter_map(Event::packet).collect();
        let mut names: Vec<&str> = Vec::new();
        for name in packets.iter().flat_map(|p| [p.from, p.to]) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let (first, last) = (names.first()?, names.last()?);
        let gaps = (names.len() - 1).max(1);
        let longest_name = names.iter().map(|name| name.len() + 2).max()?;
        let gap_min = longest_name.max(GAP_MIN);
        // The outer names and the label of a packet to oneself stick out.
        let margins = first.len() / 2 + 1 + last.len() / 2 + 2;
        let room = (WIDTH_MAX - CALLS_MIN).checked_sub(margins)? / gaps;
        if room < gap_min {
            return None;
        }
        // As wide as the longest text that fits; what is longer is told at the left.
        let fitting = packets.iter().map(|p| p.cells()).filter(|len| *len <= room);
        let gap = fitting.max().unwrap_or(0).max(gap_min);
        let at_left = events.iter().filter_map(|event| match event {
            Event::Packet(packet) if packet.cells() <= gap => None,
            Event::Packet(packet) => Some(packet.line),
            Event::Other(line) => Some(*line),
        });
        let longest = at_left.map(|line| line.chars().count()).max().unwrap_or(0);
        let calls = longest.min(WIDTH_MAX - margins - gap * gaps);
        let start = calls + first.len() / 2 + 1;
        let cell = |i: usize| start + i * gap;
        let ends = names.iter().enumerate();
        Some(Layout {
            calls,
            ends: ends.map(|(i, name)| ((*name).to_owned(), cell(i))).collect(),
            width: cell(gaps) + last.len() / 2 + 2,
        })
    }

    fn draw(&self, events: &[Event]) -> String {
        let mut lines = vec![self.names()];
        for event in events {
            match event {
                Event::Packet(packet) => self.packet(packet, &mut lines),
                Event::Other(line) => self.side(line, &mut lines),
            }
        }
        lines.iter().fold(String::new(), |mut text, line| {
            let cells: String = line.iter().collect();
            text.push_str(cells.trim_end());
            text.push('\n');
            text
        })
    }

    fn names(&self) -> Vec<char> {
        let mut cells = vec![' '; self.width];
        for (name, cell) in &self.ends {
            put(&mut cells, cell - name.len() / 2, name);
        }
        cells
    }

    /// A line with the lifelines and nothing else.
    fn empty(&self) -> Vec<char> {
        let mut cells = vec![' '; self.width];
        for (_, cell) in &self.ends {
            cells[*cell] = '│';
        }
        cells
    }

    fn side(&self, text: &str, lines: &mut Vec<Vec<char>>) {
        for part in wrap(text, self.calls) {
            let mut cells = self.empty();
            put(&mut cells, 0, &part);
            lines.push(cells);
        }
    }

    fn packet(&self, packet: &Packet, lines: &mut Vec<Vec<char>>) {
        let cell_of = |name: &str| self.ends.iter().find(|(end, _)| end == name).map(|end| end.1);
        let (Some(from), Some(to)) = (cell_of(packet.from), cell_of(packet.to)) else {
            return;
        };
        let text = packet.label;
        let len = text.chars().count();
        // To oneself the arrow turns back, and its text stands beside it.
        let right = self.ends.iter().map(|end| end.1).find(|cell| *cell > from);
        let room = match from.abs_diff(to) {
            0 => right.unwrap_or(self.width) - from - 1,
            distance => distance + 2,
        };
        let room = room.saturating_sub(ARROW_CELLS);
        let told_at_left = len > room;
        if told_at_left {
            self.side(packet.line, lines);
        }
        let mut fresh = self.empty();
        let cells = match lines.last_mut() {
            Some(last) if told_at_left => last,
            _ => &mut fresh,
        };
        let text = if told_at_left { "" } else { text };
        arrow(cells, from, to, text);
        if !told_at_left {
            lines.push(fresh);
        }
    }
}

/// An arrow between two cells; its text begins near its tail.
fn arrow(cells: &mut [char], from: usize, to: usize, text: &str) {
    if from == to {
        put(cells, from + 1, "<─┐ ");
        put(cells, from + 5, text);
        return;
    }
    let (left, right) = (from.min(to), from.max(to));
    for cell in &mut cells[left + 1..right] {
        *cell = '─';
    }
    cells[if from < to { right - 1 } else { left + 1 }] = if from < to { '>' } else { '<' };
    if !text.is_empty() {
        let text = format!(" {text} ");
        let start = if from < to { left + 3 } else { right - 2 - text.chars().count() };
        put(cells, start, &text);
    }
}

fn put(cells: &mut [char], at: usize, text: &str) {
    let room = cells.iter_mut().skip(at);
    for (cell, c) in room.zip(text.chars()) {
        *cell = c;
    }
}

/// Breaks a line at blanks, or where it must; later parts are indented.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest: Vec<char> = text.chars().collect();
    while rest.len() > width {
        let indented = rest.iter().take_while(|c| **c == ' ').count();
        let blank = rest[..=width].iter().rposition(|c| *c == ' ');
        let end = blank.filter(|at| *at > indented).unwrap_or(width);
        let tail: String = rest[end..].iter().collect();
        parts.push(rest[..end].iter().collect());
        rest = format!("{INDENT}{}", tail.trim_start()).chars().collect();
    }
    parts.push(rest.into_iter().collect());
    parts
}
