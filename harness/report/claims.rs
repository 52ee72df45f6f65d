//! Holds a claim against the text of a record.
//!
//! The lines of `expect` must occur in their order, those of `never` must not occur. Leading
//! blanks do not count, and a line of a claim may end early only at a blank: `seq 1` is not
//! `seq 10`. The flags of a packet may be alternatives, where what is claimed leaves them open: a
//! RST is `[R|R.]`. Without `row` every section of the record must agree. A section without one for
//! IPv6 beside it speaks for both families, as a record tells IPv6 only where it differs.
//!
//! What was not asked is neither held nor refuted: where a call of a claim was `not issued`, a line
//! of `expect` that is missing refutes nothing, and one of `never` has not been avoided.

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
    /// The record cannot tell: it has no packets, not the row, or the call was not issued.
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
/// line that was not to occur. For `not recorded` it is the call that was not issued, if there is
/// one. Where a record has several sections, its title stands first.
pub fn judged(claim: &Claim, body: &str, captured: bool) -> (Verdict, Vec<String>) {
    let lines = claim.expect.iter().chain(&claim.never);
    let sections = sections(body);
    let picked = sections.iter().filter(|section| section.is_in(&claim.row, &sections));
    let blind = !captured && lines.clone().any(|line| Claim::is_packet(line));
    // One section that disagrees refutes, and all that were asked cannot speak for one that was
    // not.
    let weight = |verdict: Verdict| match verdict {
        Verdict::Refuted => 0,
        Verdict::NotRecorded => 1,
        Verdict::Holds => 2,
    };
    picked
        .filter(|_| !blind)
        .map(|section| section.judged(claim))
        .min_by_key(|(verdict, _)| weight(*verdict))
        .unwrap_or((Verdict::NotRecorded, Vec::new()))
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
    /// Whether it is what the record, of which these are all sections, says of a row.
    fn is_in(&self, row: &[(String, String)], sections: &[Section<'_>]) -> bool {
        row.iter().all(|(name, value)| match name.as_str() {
            "family" if value == "ipv6" || value == "6" => {
                self.is_of_ipv6()
                    || !sections.iter().any(|twin| twin.is_of_ipv6() && twin.row() == self.row())
            }
            "family" => !self.is_of_ipv6(),
            _ => self
                .header
                .match_indices(&format!(" {name}={value} "))
                .any(|(at, found)| ends_a_value(&self.header[at + found.len()..])),
        })
    }

    fn is_of_ipv6(&self) -> bool {
        self.header.ends_with(" ipv6 ")
    }

    /// The header without the family.
    fn row(&self) -> &str {
        self.header.strip_suffix("ipv6 ").unwrap_or(&self.header).trim()
    }

    /// The verdict of this section, and what shows it.
    fn judged(&self, claim: &Claim) -> (Verdict, Vec<String>) {
        match (self.unasked(claim), self.against(claim)) {
            (Some(evidence), _) => (Verdict::NotRecorded, evidence),
            (None, Some(evidence)) => (Verdict::Refuted, evidence),
            (None, None) => (Verdict::Holds, self.evidence(claim)),
        }
    }

    /// The call on which the verdict would rest, and that was not issued: that of the first line
    /// of `expect` that was not found, or where all were and nothing unwanted, one of `never`.
    fn unasked(&self, claim: &Claim) -> Option<Vec<String>> {
        let lines = match claim.expect.get(self.found(claim).len()) {
            Some(missing) => std::slice::from_ref(missing),
            None if self.unwanted(claim).is_some() => return None,
            None => &claim.never,
        };
        let calls = lines.iter().map(|want| format!("{} not issued:", head(want)));
        let mut not_issued = calls.filter_map(|call| self.lines.iter().find(|l| says(l, &call)));
        let line = (*not_issued.next()?).to_owned();
        Some(self.title().into_iter().chain([line]).collect())
    }

    /// A line that was not to occur.
    fn unwanted(&self, claim: &Claim) -> Option<&str> {
        let unwanted = |line: &&&str| claim.never.iter().any(|want| says(line, want));
        self.lines.iter().find(unwanted).copied()
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
        let mut evidence = self.title();
        evidence.extend(found.iter().map(|line| (*line).to_owned()));
        if let Some(want) = claim.expect.get(found.len()) {
            evidence.push(format!("(not found: {})", want.trim()));
            evidence.extend(self.instead(want).map(|line| format!("(instead: {line})")));
        } else {
            evidence.push(self.unwanted(claim)?.to_owned());
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
        let head = head(want);
        let alike = move |line: &&&str| says(line, head);
        self.lines.iter().filter(alike).take(INSTEAD_MAX)
    }
}

/// The call that a claimed line is about, or the two ends of a packet.
fn head(want: &str) -> &str {
    let want = want.trim();
    let end = if Claim::is_packet(want) { want.find(" [") } else { want.find(" = ") };
    &want[..end.unwrap_or(want.len())]
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
#[path = "claims_tests.rs"]
mod tests;
