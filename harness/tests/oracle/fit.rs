//! Whether what a transcript tells is what tcpdump has seen.

use super::asked::{Asked, Show, is_mark};
use super::names::{End, Names, address_word};
use super::seen::{Seen, What};
use super::told::Run;

/// Where no mark could be sent: after the last packet told, nothing came for this long. The case's
/// last step is a pause, and only its end closes sockets.
const QUIET_S: f64 = 0.1;

/// What a witness has to say of the namespace of a run.
pub struct Testimony {
    /// Seconds since the Unix epoch: the run has not begun before.
    pub began: f64,
    /// The packets, in the order in which they were captured.
    pub seen: Vec<Seen>,
}

/// Whether the packets of a namespace are those told of a run: all of them, in their order, behind
/// what brought the given state about and before the sockets were closed at the end.
///
/// # Errors
/// The best fit, and the first packet that is not the one told.
pub fn same(told: &Run, witness: &Testimony, case: &Asked) -> Result<(), String> {
    let starts = match case.packets_before() {
        Some(before) => before..=before,
        None => 0..=witness.seen.len(),
    };
    let mut best: Option<(usize, String)> = None;
    for start in starts {
        match fits(told, witness, start, case.show()) {
            Ok(()) => return Ok(()),
            Err((matched, why)) => {
                if best.as_ref().is_none_or(|(most, _)| matched > *most) {
                    best = Some((matched, why));
                }
            }
        }
    }
    Err(best.map_or_else(|| "nothing was seen".to_owned(), |(_, why)| why))
}

fn fits(told: &Run, witness: &Testimony, start: usize, show: Show) -> Result<(), (usize, String)> {
    let Testimony { began, seen } = witness;
    let mut names = Names::default();
    for (nth, line) in told.lines.iter().enumerate() {
        let Some(packet) = seen.get(start + nth) else {
            return Err((nth, format!("told, but not seen: {line}")));
        };
        let is_family = !told.is_four || packet.from.0.contains('.');
        if !is_family || !matches(line, packet, show, &mut names) {
            return Err((nth, format!("told: {line}\nseen: {packet:?}\nnames: {names:?}")));
        }
    }
    let end = start + told.lines.len();
    let Some(next) = seen.get(end) else {
        let missing = format!("told, but not seen: the {start} packets before");
        return if seen.len() < end { Err((told.lines.len(), missing)) } else { Ok(()) };
    };
    let last = end.checked_sub(1).map_or(*began, |last| seen[last].at);
    if told.lines.iter().any(|line| is_mark(line)) || next.at - last >= QUIET_S {
        return Ok(());
    }
    Err((told.lines.len(), format!("seen, but not told: {next:?}")))
}

/// Whether the line tells this packet; `names` collects whose ends are whose.
fn matches(line: &str, packet: &Seen, show: Show, names: &mut Names) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    let [from, ">", to, rest @ ..] = words.as_slice() else { return false };
    let ends = |names: &mut Names, protocol, begins| {
        let (near, far) = (End::new(protocol, &packet.from), End::new(protocol, &packet.to));
        names.is(&near, &far, from, begins) && names.is(&far, &near, to, false)
    };
    let is_it = match &packet.what {
        What::Tcp { flags, reserved, seq, ack, len, window, urgent, options } => {
            let begins = flags.starts_with('S') && !flags.contains('.');
            ends(names, "tcp", begins)
                && rest.first() == Some(&format!("[{flags}]").as_str())
                && is(rest, "seq", Some(seq))
                && is(rest, "ack", ack.as_deref())
                && is(rest, "len", (*len > 0).then_some(&[*len]))
                && is(rest, "urg", urgent.as_ref().map(std::slice::from_ref))
                && is(rest, "reserved", (*reserved != 0).then_some(&[*reserved]))
                && is(rest, "win", (show.window || *window == 0).then_some(&[*window]))
                && (!show.options || has_options(line, options))
        }
        What::BadTcp { seq } => {
            let begins = rest.first().is_some_and(|flags| flags.starts_with("[S"));
            let seq: &[u32] = if begins { &[0] } else { seq };
            ends(names, "tcp", false) && is(rest, "seq", Some(seq)) && is(rest, "len", None)
        }
        What::Udp { len } => {
            ends(names, "udp", false)
                && rest.first() == Some(&"udp")
                && is(rest, "len", (*len > 0).then_some(&[*len]))
        }
        What::Other { protocol } => {
            ends(names, "", false) && rest.first() == Some(&format!("ip-proto-{protocol}").as_str())
        }
        What::Icmp { word, quoted: None, len } => {
            ends(names, "", false)
                && rest.join(" ").starts_with(&format!("icmp {word}"))
                && is(rest, "len", (*len > 0).then_some(&[*len]))
        }
        What::Icmp { word, quoted: Some((near, far, protocol)), .. } => {
            let quote = rest.get(2..).unwrap_or_default().join(" ");
            let quote: Vec<&str> = quote.trim_start_matches('(').split([' ', ')']).collect();
            let [inner_from, ">", inner_to, kind, ..] = quote.as_slice() else { return false };
            let host = address_word(&packet.from.0);
            let sender = if packet.from.0 == far.0 { inner_to } else { host.as_str() };
            let (near, far) = (End::new(protocol, near), End::new(protocol, far));
            rest[..2] == ["icmp", word.as_str()]
                && names.is(&near, &far, inner_from, false)
                && names.is(&far, &near, inner_to, false)
                && kind == protocol
                && (*from, to) == (sender, inner_from)
        }
    };
    is_it
        && (!show.ttl || word_behind(rest, "ttl") == Some(packet.ttl.as_str()))
        && is(rest, "tos", show.tos.then_some(&[packet.tos]))
        && rest.contains(&"df") == (show.df && packet.df)
}

fn word_behind<'a>(words: &[&'a str], key: &str) -> Option<&'a str> {
    let at = words.iter().position(|word| *word == key)?;
    words.get(at + 1).copied()
}

/// Whether the field `key` is told as one of the values, or not told where there is none. A number
/// in the case's own form, `nxt+100`, cannot be known from outside.
fn is(words: &[&str], key: &str, values: Option<&[u32]>) -> bool {
    match (word_behind(words, key), values) {
        (Some(text), Some(values)) => match text.parse::<i64>() {
            Ok(number) => values.iter().any(|v| i64::from(*v) == number.rem_euclid(1 << 32)),
            Err(_) => ["nxt", "una", "wnd"].iter().any(|form| text.starts_with(form)),
        },
        (None, None) => true,
        _ => false,
    }
}

/// Whether the options between `options [` and `]` are these. What is told of an echo, of blocks
/// and of a cookie is more than was asked of tshark.
fn has_options(line: &str, seen: &[String]) -> bool {
    let told = line.split_once("options [").and_then(|(_, rest)| rest.split_once(']'));
    let told = told.map_or_else(Vec::new, |(options, _)| options.split(',').collect());
    let is_it = |(told, seen): (&&str, &String)| {
        let more = told.strip_prefix(seen.as_str());
        more.is_some_and(|more| more.is_empty() || more.starts_with(' '))
    };
    told.len() == seen.len() && told.iter().zip(seen).all(is_it)
}
