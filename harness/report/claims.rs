//! Holds a claim against the text of a record.
//!
//! The lines of `expect` must occur in their order, those of `never` must not occur. Leading
//! blanks do not count, and a line of a claim may end early only at a blank: `seq 1` is not
//! `seq 10`. The flags of a packet may be alternatives, where what is claimed leaves them open: a
//! RST is `[R|R.]`. Without `row` every section of the record must agree.

use crate::model::{Claim, Platform, Release};
use std::collections::BTreeMap;

/// Lines that are shown in place of one that was claimed.
const INSTEAD_MAX: usize = 2;

/// What a record says of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It happened as claimed.
    Holds,
    /// It did not.
    Refuted,
    /// The record cannot tell: it has no packets, or not the row.
    NotRecorded,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Verdict::Holds => "holds",
            Verdict::Refuted => "refuted",
            Verdict::NotRecorded => "not recorded",
        })
    }
}

/// Judges a claim by a body of `expected/`.
pub fn judge(claim: &Claim, body: &str, captured: bool) -> Verdict {
    judged(claim, body, captured).0
}

/// The verdict, and the lines of the record on which it rests.
///
/// For `holds` these are the lines that were claimed, for `refuted` those of the first section that
/// does not agree: what was found of the claim, and `(not found: …)` with `(instead: …)`, or the
/// line that was not to occur. Where a record has several sections, its title stands first.
pub fn judged(claim: &Claim, body: &str, captured: bool) -> (Verdict, Vec<String>) {
    let lines = claim.expect.iter().chain(&claim.never);
    let sections = sections(body);
    let mut picked = sections.iter().filter(|section| section.is_in(&claim.row)).peekable();
    let blind = !captured && lines.clone().any(|line| Claim::is_packet(line));
    let Some(first) = picked.peek().copied().filter(|_| !blind) else {
        return (Verdict::NotRecorded, Vec::new());
    };
    match picked.find_map(|section| section.against(claim)) {
        Some(evidence) => (Verdict::Refuted, evidence),
        None => (Verdict::Holds, first.evidence(claim)),
    }
}

/// Whether a claim is about that platform: `linux`, `linux 6.12`, `linux <4.12`, `linux >=6.5`,
/// `linux 5.10..6.1` (both ends included). No platforms: about all.
pub fn concerns(claim: &Claim, platform: &Platform) -> bool {
    claim.platforms.is_empty()
        || claim.platforms.iter().any(|text| {
            let (id, range) = text.split_once(' ').unwrap_or((text, ""));
            id == platform.id && in_range(range.trim(), &platform.release)
        })
}

fn in_range(range: &str, release: &Release) -> bool {
    let parse = |text: &str| Release::parse(text.trim());
    // `6.1` means all of 6.1.x, so both sides are compared by as many numbers as are written.
    let cut = |bound: &Release| release.key(bound.0.len());
    if range.is_empty() {
        return true;
    }
    if let Some((from, to)) = range.split_once("..") {
        let bounds = parse(from).zip(parse(to));
        return bounds.is_some_and(|(from, to)| cut(&from) >= from && cut(&to) <= to);
    }
    for (sign, test) in [
        ("<=", (|a, b| a <= b) as fn(&Release, &Release) -> bool),
        (">=", |a, b| a >= b),
        ("<", |a, b| a < b),
        (">", |a, b| a > b),
    ] {
        if let Some(bound) = range.strip_prefix(sign) {
            return parse(bound).is_some_and(|bound| test(&cut(&bound), &bound));
        }
    }
    parse(range).is_some_and(|bound| cut(&bound) == bound)
}

/// What becomes of the claims of one source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Source {
    /// The work without the place in it: `RFC 1122`, `TCP的RST报文`.
    pub name: String,
    /// How many claims.
    pub claims: usize,
    /// Those that hold wherever they are recorded.
    pub holds: usize,
    /// Those that are refuted wherever they are recorded.
    pub refuted: usize,
    /// Those that hold on one platform and not on another.
    pub mixed: usize,
    /// Those that nobody has recorded.
    pub unknown: usize,
}

/// Counts claims, each with its source and verdicts, by source: those with the most claims first.
pub fn by_source<'a>(
    claims: impl Iterator<Item = (&'a str, &'a BTreeMap<String, Verdict>)>,
) -> Vec<Source> {
    let mut sources: BTreeMap<&str, Source> = BTreeMap::new();
    for (name, verdicts) in claims {
        let name = work(name);
        let source = sources.entry(name).or_default();
        source.name = name.to_owned();
        source.claims += 1;
        let any = |wanted: Verdict| verdicts.values().any(|verdict| *verdict == wanted);
        match (any(Verdict::Holds), any(Verdict::Refuted)) {
            (true, true) => source.mixed += 1,
            (true, false) => source.holds += 1,
            (false, true) => source.refuted += 1,
            (false, false) => source.unknown += 1,
        }
    }
    let mut sources: Vec<Source> = sources.into_values().collect();
    sources.sort_by_key(|source| std::cmp::Reverse(source.claims));
    sources
}

/// The work of which a source names a place: `RFC 9293` of `RFC 9293 §3.5`, the article of
/// `ARTICLE, A7`, `POSIX.1-2024` of `POSIX.1-2024 recv()`, `Linux man-pages` of `connect(2), Linux
/// man-pages`.
pub fn work(source: &str) -> &str {
    let is_page = |part: &str| part.ends_with(')') && !part.contains(' ');
    let work = match source.split_once(", ") {
        Some((page, manual)) if is_page(page) => manual,
        Some((work, _)) => work,
        None => source,
    };
    let work = work.split(" §").next().unwrap_or(work);
    let work = work.split(" (").next().unwrap_or(work);
    match work.rsplit_once(' ') {
        Some((work, function)) if function.ends_with("()") => work,
        _ => work,
    }
}

/// Whether a source is a situation that an article describes: `TITLE, A7`.
pub fn is_article(source: &str) -> bool {
    let number = source.rsplit_once(", ").map_or("", |(_, number)| number);
    let mut letters = number.chars();
    let letter = letters.next().is_some_and(|c| c.is_ascii_uppercase());
    let digits = letters.as_str();
    letter && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// One row of a record, under one family.
struct Section<'a> {
    /// `how=rd len=3 ipv6`, between blanks.
    header: String,
    lines: Vec<&'a str>,
}

fn sections(body: &str) -> Vec<Section<'_>> {
    let mut sections = vec![Section { header: String::new(), lines: Vec::new() }];
    for line in body.lines() {
        match line.strip_prefix("== ") {
            Some(header) => {
                let header = format!(" {header} ");
                sections.push(Section { header, lines: Vec::new() });
            }
            None => {
                let last = sections.last_mut().expect("there is always one section");
                last.lines.push(line.trim());
            }
        }
    }
    sections.retain(|section| !section.header.is_empty() || !section.lines.is_empty());
    sections
}

impl Section<'_> {
    fn is_in(&self, row: &[(String, String)]) -> bool {
        row.iter().all(|(name, value)| match name.as_str() {
            "family" => self.header.ends_with(" ipv6 ") == (value == "ipv6" || value == "6"),
            _ => self
                .header
                .match_indices(&format!(" {name}={value} "))
                .any(|(at, found)| ends_a_value(&self.header[at + found.len()..])),
        })
    }

    /// The lines of `expect` that were found in their order, up to the first that was not.
    fn found(&self, claim: &Claim) -> Vec<&str> {
        let mut rest = self.lines.iter();
        let find = |want: &String| rest.find(|line| says(line, want)).copied();
        claim.expect.iter().map_while(find).collect()
    }

    /// What shows that the claim holds here.
    fn evidence(&self, claim: &Claim) -> Vec<String> {
        let mut evidence = self.title();
        evidence.extend(self.found(claim).into_iter().map(str::to_owned));
        evidence.extend(claim.never.iter().map(|line| format!("(not there: {})", line.trim())));
        evidence
    }

    /// What shows that it does not; none if it does.
    fn against(&self, claim: &Claim) -> Option<Vec<String>> {
        let found = self.found(claim);
        let unwanted = |line: &&&str| claim.never.iter().any(|want| says(line, want));
        let mut evidence = self.title();
        evidence.extend(found.iter().map(|line| (*line).to_owned()));
        if let Some(want) = claim.expect.get(found.len()) {
            evidence.push(format!("(not found: {})", want.trim()));
            evidence.extend(self.instead(want).map(|line| format!("(instead: {line})")));
        } else {
            evidence.push((*self.lines.iter().find(unwanted)?).to_owned());
        }
        Some(evidence)
    }

    fn title(&self) -> Vec<String> {
        let title = self.header.trim();
        if title.is_empty() { Vec::new() } else { vec![format!("== {title}")] }
    }

    /// What happened in place of a claimed line: lines about the same call, or between the same
    /// ends.
    fn instead(&self, want: &str) -> impl Iterator<Item = &&str> {
        let want = want.trim();
        let end = if Claim::is_packet(want) { want.find(" [") } else { want.find(" = ") };
        let head = &want[..end.unwrap_or(want.len())];
        let alike = move |line: &&&str| says(line, head);
        self.lines.iter().filter(alike).take(INSTEAD_MAX)
    }
}

/// Whether a value ends before this rest of a header: values may have blanks of their own
/// (`options:[mss 1460,nop]`), so the next variable has to follow, the family, or nothing.
fn ends_a_value(rest: &str) -> bool {
    let word = rest.split(' ').next().unwrap_or_default();
    let is_name = |text: &str| {
        let in_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(in_name)
    };
    matches!(word, "" | "ipv6") || word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

fn says(line: &str, want: &str) -> bool {
    let want = want.trim();
    let begins = |want: &str| {
        line.strip_prefix(want).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    match Claim::flags(want) {
        Some((head, flags, rest)) if flags.contains('|') => {
            flags.split('|').any(|flags| begins(&format!("{head}[{flags}]{rest}")))
        }
        _ => begins(want),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const BODY: &str = "conn.close() = 0\n    server > client [R.] seq 1 ack 257\n\
                        client.recv(256) = -1 ECONNRESET\nclient.recv(256) = 0\n";

    fn claim(expect: &[&str], never: &[&str]) -> Claim {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Claim { expect: owned(expect), never: owned(never), ..Claim::default() }
    }

    #[rstest]
    #[case::in_order(&["conn.close() = 0", "client.recv(256) = 0"], &[], Verdict::Holds)]
    #[case::out_of_order(&["client.recv(256) = 0", "conn.close() = 0"], &[], Verdict::Refuted)]
    #[case::ends_at_blank(&["server > client [R.] seq 1"], &[], Verdict::Holds)]
    #[case::not_within_a_number(&["server > client [R.] seq 1 ack 25"], &[], Verdict::Refuted)]
    #[case::either(&["server > client [R|R.] seq 1 ack 257"], &[], Verdict::Holds)]
    #[case::neither(&["server > client [R|F.]"], &[], Verdict::Refuted)]
    #[case::never_either(&[], &["server > client [F.|R.]"], Verdict::Refuted)]
    #[case::never(&[], &["client.recv(256) = 0"], Verdict::Refuted)]
    #[case::never_absent(&[], &["server > client [F.]"], Verdict::Holds)]
    fn lines(#[case] expect: &[&str], #[case] never: &[&str], #[case] verdict: Verdict) {
        assert_eq!(judge(&claim(expect, never), BODY, true), verdict);
    }

    #[test]
    fn claim_about_packets_needs_packets() {
        let about_packets = claim(&["server > client [R.]"], &[]);
        assert_eq!(judge(&about_packets, BODY, false), Verdict::NotRecorded);
        let about_calls = claim(&["conn.close() = 0"], &[]);
        assert_eq!(judge(&about_calls, BODY, false), Verdict::Holds);
    }

    #[test]
    fn row_is_picked_and_without_one_all_must_agree() {
        let body = "== how=rd\na.shutdown(SHUT_RD) = 0\n== how=wr\na.shutdown(SHUT_WR) = -1 EIO\n";
        let mut one = claim(&["a.shutdown(SHUT_RD) = 0"], &[]);
        assert_eq!(judge(&one, body, true), Verdict::Refuted);
        one.row = vec![("how".to_owned(), "rd".to_owned())];
        assert_eq!(judge(&one, body, true), Verdict::Holds);
        one.row = vec![("how".to_owned(), "rdwr".to_owned())];
        assert_eq!(judge(&one, body, true), Verdict::NotRecorded);
    }

    #[test]
    fn a_value_with_blanks_picks_its_row() {
        let body = "== text=a b n=1\na.close() = 0\n== text=a n=2 ipv6\na.close() = -1 EIO\n";
        let mut claim = claim(&["a.close() = 0"], &[]);
        let row = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
        };
        claim.row = row(&[("text", "a b"), ("n", "1")]);
        assert_eq!(judge(&claim, body, true), Verdict::Holds);
        claim.row = row(&[("text", "a")]);
        assert_eq!(judge(&claim, body, true), Verdict::Refuted);
        claim.row = row(&[("text", "a"), ("family", "ipv4")]);
        assert_eq!(judge(&claim, body, true), Verdict::NotRecorded);
    }

    #[rstest]
    #[case::found(&["conn.close() = 0"], &["server > client [F.]"],
        &["conn.close() = 0", "(not there: server > client [F.])"])]
    #[case::missing(&["conn.close() = 0", "client.recv(256) = 7"], &[],
        &["conn.close() = 0", "(not found: client.recv(256) = 7)",
          "(instead: client.recv(256) = -1 ECONNRESET)", "(instead: client.recv(256) = 0)"])]
    #[case::other_packet(&["server > client [F.]"], &[],
        &["(not found: server > client [F.])", "(instead: server > client [R.] seq 1 ack 257)"])]
    #[case::unwanted(&["conn.close() = 0"], &["server > client"],
        &["conn.close() = 0", "server > client [R.] seq 1 ack 257"])]
    fn evidence(#[case] expect: &[&str], #[case] never: &[&str], #[case] lines: &[&str]) {
        assert_eq!(judged(&claim(expect, never), BODY, true).1, lines);
    }

    #[test]
    fn evidence_names_the_row_that_disagrees() {
        let body = "== how=rd\na.x() = 0\n== how=wr\na.x() = -1 EIO\n";
        let (verdict, lines) = judged(&claim(&["a.x() = 0"], &[]), body, true);
        assert_eq!(verdict, Verdict::Refuted);
        assert_eq!(lines, ["== how=wr", "(not found: a.x() = 0)", "(instead: a.x() = -1 EIO)"]);
    }

    #[rstest]
    #[case("RFC 1122 §4.2.2.13", "RFC 1122")]
    #[case("TCP的RST报文, D3", "TCP的RST报文")]
    #[case("the article with three tcpdump traces, E3", "the article with three tcpdump traces")]
    #[case("FreeBSD 14, sys/netinet/tcp_usrreq.c (tcp_drop)", "FreeBSD 14")]
    #[case("connect(2), Linux man-pages (errors)", "Linux man-pages")]
    #[case("POSIX.1-2024 recv()", "POSIX.1-2024")]
    #[case("libuv issue 3034", "libuv issue 3034")]
    fn works(#[case] source: &str, #[case] expected: &str) {
        assert_eq!(work(source), expected);
    }

    #[test]
    fn sources_are_counted() {
        let verdicts = |pairs: &[(&str, Verdict)]| {
            pairs.iter().map(|(key, verdict)| ((*key).to_owned(), *verdict)).collect()
        };
        let all: [BTreeMap<String, Verdict>; 3] = [
            verdicts(&[("linux-6.18", Verdict::Holds), ("macos-15", Verdict::NotRecorded)]),
            verdicts(&[("linux-6.18", Verdict::Holds), ("macos-15", Verdict::Refuted)]),
            verdicts(&[("linux-6.18", Verdict::NotRecorded)]),
        ];
        let names = ["RFC 9293 §3", "RFC 9293 §4", "x"];
        let sources = by_source(names.into_iter().zip(&all));
        let rfc = Source {
            name: "RFC 9293".to_owned(),
            claims: 2,
            holds: 1,
            mixed: 1,
            ..Source::default()
        };
        let other = Source { name: "x".to_owned(), claims: 1, unknown: 1, ..Source::default() };
        assert_eq!(sources, [rfc, other]);
    }

    #[rstest]
    #[case("linux", true)]
    #[case("linux 6.12", true)]
    #[case("linux 6.1", false)]
    #[case("linux <6.12", false)]
    #[case("linux <=6.12", true)]
    #[case("linux >=6.5", true)]
    #[case("linux 5.10..6.12", true)]
    #[case("freebsd", false)]
    fn platforms(#[case] text: &str, #[case] expected: bool) {
        let mut claim = claim(&[], &[]);
        claim.platforms = vec![text.to_owned()];
        let platform = Platform { id: "linux".to_owned(), release: Release(vec![6, 12]) };
        assert_eq!(concerns(&claim, &platform), expected);
    }
}
