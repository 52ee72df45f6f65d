//! Tests of the verdicts.

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

/// A row of IPv6 is told where it differs, and else with the one of IPv4.
#[rstest]
#[case::same("== n=1\na.x() = 0\n", "ipv6", Verdict::Holds)]
#[case::same_for_both("== n=1\na.x() = 0\n", "ipv4", Verdict::Holds)]
#[case::differs("== n=1\na.x() = 0\n== n=1 ipv6\na.x() = 1\n", "ipv6", Verdict::Refuted)]
#[case::not_of_ipv4("== n=1\na.x() = 0\n== n=1 ipv6\na.x() = 1\n", "ipv4", Verdict::Holds)]
#[case::other_row("== n=1\na.x() = 0\n== n=2\n== n=2 ipv6\n", "ipv6", Verdict::Holds)]
#[case::no_such_row("== n=2\na.x() = 0\n== n=2 ipv6\n", "ipv6", Verdict::NotRecorded)]
fn family_of_a_row(#[case] body: &str, #[case] family: &str, #[case] verdict: Verdict) {
    let mut claim = claim(&["a.x() = 0"], &[]);
    claim.row = [("n", "1"), ("family", family)].map(|(n, v)| (n.into(), v.into())).into();
    assert_eq!(judge(&claim, body, true), verdict);
}

#[rstest]
#[case::same("a.x() = 0\n", "ipv6", Verdict::Holds)]
#[case::differs("a.x() = 0\n== ipv6\na.x() = 1\n", "ipv6", Verdict::Refuted)]
#[case::not_of_ipv4("a.x() = 0\n== ipv6\na.x() = 1\n", "ipv4", Verdict::Holds)]
fn family_without_rows(#[case] body: &str, #[case] family: &str, #[case] verdict: Verdict) {
    let mut claim = claim(&["a.x() = 0"], &[]);
    claim.row = vec![("family".to_owned(), family.to_owned())];
    assert_eq!(judge(&claim, body, true), verdict);
}

const UNASKED: &str = "s.bind() = -1 EINVAL\na.connect(s) not issued: s has no address\n\
                       a.recv(9) = -1 ENOTCONN\na.recv(99) not issued: no a\n";

#[rstest]
#[case::missing(&["a.connect(s) = 0"], &[], Verdict::NotRecorded)]
#[case::missing_then_other(&["a.connect(s) = 0", "a.recv(9) = 0"], &[], Verdict::NotRecorded)]
#[case::found_then_missing(&["s.bind() = -1 EINVAL", "a.recv(99) = 0"], &[],
    Verdict::NotRecorded)]
#[case::other_is_asked(&["a.recv(9) = 0"], &[], Verdict::Refuted)]
#[case::not_within_a_call(&["a.recv(9) = 9"], &["a.recv(99) = 9"], Verdict::Refuted)]
#[case::asked_before_it(&["s.bind() = 0", "a.connect(s) = 0"], &[], Verdict::Refuted)]
#[case::never_unasked(&[], &["a.recv(99) = -1 ECONNRESET"], Verdict::NotRecorded)]
#[case::one_of_two_unasked(&[], &["a.recv(9) = 0", "a.recv(99) = 0"], Verdict::NotRecorded)]
#[case::never_asked(&[], &["a.recv(9) = 0"], Verdict::Holds)]
#[case::unwanted_all_the_same(&[], &["a.recv(9) = -1 ENOTCONN", "a.recv(99) = 0"],
    Verdict::Refuted)]
#[case::claimed(&["a.connect(s) not issued: s has no address"], &[], Verdict::Holds)]
fn not_issued(#[case] expect: &[&str], #[case] never: &[&str], #[case] verdict: Verdict) {
    assert_eq!(judge(&claim(expect, never), UNASKED, true), verdict);
}

#[rstest]
#[case::one_not_asked("== n=1\na.x() = 0\n== n=2\na.x() not issued: no a\n",
    Verdict::NotRecorded, &["== n=2", "a.x() not issued: no a"])]
#[case::one_refutes("== n=1\na.x() not issued: no a\n== n=2\na.x() = 1\n",
    Verdict::Refuted, &["== n=2", "(not found: a.x() = 0)", "(instead: a.x() = 1)"])]
fn one_row_not_asked(#[case] body: &str, #[case] verdict: Verdict, #[case] lines: &[&str]) {
    let (found, evidence) = judged(&claim(&["a.x() = 0"], &[]), body, true);
    assert_eq!((found, evidence), (verdict, lines.iter().map(|l| (*l).to_owned()).collect()));
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
    let rfc =
        Source { name: "RFC 9293".to_owned(), claims: 2, holds: 1, mixed: 1, ..Source::default() };
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
