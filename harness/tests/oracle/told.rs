//! What a transcript tells, line by line, and whether that is what tcpdump has seen.

use super::seen::{End, Seen, What};
use std::collections::BTreeMap;

/// After the last packet told, nothing came for this long: the case's last step is a pause, and
/// only its end closes sockets.
const QUIET_S: f64 = 0.1;

/// The packet lines of each run: rows times families.
pub fn runs(transcript: &str, families: usize) -> Vec<Vec<String>> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in transcript.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            sections.push((title.to_owned(), Vec::new()));
            continue;
        }
        if sections.is_empty() {
            sections.push((String::new(), Vec::new()));
        }
        let (_, packets) = sections.last_mut().expect("pushed above");
        if let Some(packet) = line.strip_prefix("    ")
            && packet.split(' ').nth(1) == Some(">")
        {
            packets.push(packet.to_owned());
        }
    }
    // IPv6 is told where it differs; elsewhere both families answered alike.
    let six = |title: &str| title == "ipv6" || title.ends_with(" ipv6");
    let mut runs = Vec::new();
    for (title, packets) in &sections {
        let differs = format!("{title} ipv6");
        let told_apart = sections.iter().any(|(other, _)| other == differs.trim_start());
        let alike = if six(title) || told_apart { 1 } else { families };
        runs.extend(std::iter::repeat_n(expanded(packets), alike));
    }
    runs
}

/// Lines that end in ` x3` are told once: neighbours with the same count are one round.
fn expanded(lines: &[String]) -> Vec<String> {
    let count = |line: &str| {
        let (rest, last) = line.rsplit_once(" x")?;
        Some((rest.to_owned(), last.parse::<usize>().ok()?))
    };
    let mut all = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some((_, times)) = count(&lines[at]) else {
            all.push(lines[at].clone());
            at += 1;
            continue;
        };
        let round: Vec<String> = lines[at..]
            .iter()
            .map_while(|line| count(line).filter(|(_, same)| *same == times))
            .map(|(line, _)| line)
            .collect();
        at += round.len();
        (0..times).for_each(|_| all.extend(round.iter().cloned()));
    }
    all
}

/// Whether the packets of a namespace are those told of a run: all of them, in their order, behind
/// what brought the given state about and before the sockets were closed at the end.
///
/// # Errors
/// The best fit, and the first packet that is not the one told.
pub fn same(told: &[String], seen: &[Seen], given: bool) -> Result<(), String> {
    let before = if given { seen.len().saturating_sub(told.len()) } else { 0 };
    let mut best: Option<(usize, String)> = None;
    for start in 0..=before {
        match fits(told, seen, start) {
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

fn fits(told: &[String], seen: &[Seen], start: usize) -> Result<(), (usize, String)> {
    let mut names = BTreeMap::new();
    for (nth, line) in told.iter().enumerate() {
        let Some(packet) = seen.get(start + nth) else {
            return Err((nth, format!("told, but not seen: {line}")));
        };
        if !matches(line, packet, &mut names) {
            return Err((nth, format!("told: {line}\nseen: {packet:?}\nnames: {names:?}")));
        }
    }
    let end = start + told.len();
    let Some(next) = seen.get(end) else { return Ok(()) };
    let quiet = end.checked_sub(1).map_or(f64::INFINITY, |last| next.at - seen[last].at);
    match quiet >= QUIET_S || told.is_empty() {
        true => Ok(()),
        false => Err((told.len(), format!("seen, but not told: {next:?}"))),
    }
}

/// Whether the line tells this packet; `names` collects whose ends are whose.
fn matches(line: &str, packet: &Seen, names: &mut BTreeMap<End, String>) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    let [from, ">", to, rest @ ..] = words.as_slice() else { return false };
    let mut named =
        |end: &End, name: &str| names.entry(end.clone()).or_insert_with(|| name.to_owned()) == name;
    let number = |key: &str| {
        let at = rest.iter().position(|word| *word == key)?;
        rest.get(at + 1).copied()
    };
    // A number in the case's own form, `nxt+100`, cannot be known from outside.
    let is = |key: &str, values: Option<&[u32]>| match (number(key), values) {
        (Some(text), Some(values)) => match text.parse::<i64>() {
            Ok(number) => values.iter().any(|v| i64::from(*v) == number.rem_euclid(1 << 32)),
            Err(_) => text.starts_with(['n', 'u', 'w']),
        },
        (None, None) => true,
        _ => false,
    };
    match &packet.what {
        What::Tcp { flags, seq, ack, len, window } => {
            named(&packet.from, from)
                && named(&packet.to, to)
                && rest.first() == Some(&format!("[{flags}]").as_str())
                && is("seq", Some(seq))
                && is("ack", ack.as_deref())
                && is("len", (*len > 0).then_some(&[*len]))
                && (number("win") == Some("0")) == (*window == 0)
        }
        What::Udp { len } => {
            named(&packet.from, from)
                && named(&packet.to, to)
                && rest.first() == Some(&"udp")
                && is("len", (*len > 0).then_some(&[*len]))
        }
        What::Icmp { word, quoted } => {
            let quotes = quoted.as_ref().is_none_or(|(inner_from, inner_to, protocol)| {
                let inner = rest[2..].join(" ");
                let inner: Vec<&str> = inner.trim_matches(['(', ')']).split([' ']).collect();
                inner.len() == 4
                    && named(inner_from, inner[0])
                    && named(inner_to, inner[2])
                    && inner[3] == *protocol
            });
            rest.len() > 1 && rest[0] == "icmp" && rest[1] == word && quotes
        }
    }
}
