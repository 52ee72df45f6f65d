//! Holds a claim against the text of a record.
//!
//! The lines of `expect` must occur in their order, those of `never` must not occur. Leading
//! blanks do not count, and a line of a claim may end early only at a blank: `seq 1` is not
//! `seq 10`. Without `row` every section of the record must agree.

use crate::model::{Claim, Platform, Release};

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
    let lines = claim.expect.iter().chain(&claim.never);
    if !captured && lines.clone().any(|line| is_packet(line)) {
        return Verdict::NotRecorded;
    }
    let sections = sections(body);
    let mut picked = sections.iter().filter(|section| section.is_in(&claim.row)).peekable();
    if picked.peek().is_none() {
        return Verdict::NotRecorded;
    }
    if picked.all(|section| section.agrees(claim)) { Verdict::Holds } else { Verdict::Refuted }
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

/// A packet line, in a claim or a record: `client > server [S]`.
fn is_packet(line: &str) -> bool {
    let mut words = line.split_whitespace().skip(1);
    words.next() == Some(">")
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
            // A value may have blanks of its own: `options:[mss 1460,nop]`.
            _ => self.header.contains(&format!(" {name}={value} ")),
        })
    }

    fn agrees(&self, claim: &Claim) -> bool {
        let mut rest = self.lines.iter();
        let in_order = claim.expect.iter().all(|want| rest.any(|line| says(line, want)));
        let never = |want: &String| self.lines.iter().any(|line| says(line, want));
        in_order && !claim.never.iter().any(never)
    }
}

fn says(line: &str, want: &str) -> bool {
    let want = want.trim();
    line.strip_prefix(want).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
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
