//! The page as text: what stands in it, and that nothing stands where it could act.

use super::view::{file, spec};
use super::*;
use crate::report::claims::Verdict;
use crate::report::matrix::ClaimRow;
use crate::report::testing;
use rstest::rstest;
use std::collections::BTreeMap;

/// Linux 5.10 and 6.18 differ, macOS was skipped, FreeBSD has not been asked.
fn matrix() -> Matrix {
    let answers = ["c.close() = 0/ c > s [F.] seq 1", "c.close() = 0/ c > s [R.] seq 1"];
    let answers = [answers[0], answers[1], "skip needs nft", ""];
    let keys = ["linux-5.10", "linux-6.18", "macos-15", "freebsd-14.3"];
    let mut matrix = testing::matrix(&keys, &[("a/b", &answers)]);
    matrix.claims.push(ClaimRow {
        case: "a/b".to_owned(),
        line: 1,
        source: "RFC 1".to_owned(),
        says: "it is a FIN".to_owned(),
        platforms: Vec::new(),
        expect: Vec::new(),
        never: Vec::new(),
        verdicts: BTreeMap::from([
            ("linux-5.10".to_owned(), Verdict::Holds),
            ("linux-6.18".to_owned(), Verdict::Refuted),
        ]),
        evidence: BTreeMap::new(),
    });
    matrix
}

#[test]
fn matrix_tells_what_each_column_has() {
    let html = page(&matrix()).expect("a page");
    let row = html.split("<tr data-case=\"a/b\"").nth(1).expect("a row");
    let row = row.split("</tr>").next().expect("its end");
    for wanted in [
        "<td class=\"k0\"><a href=\"#a/b\">A</a></td><td class=\"k1\"><a href=\"#a/b\">B</a></td>",
        "<td class=\"skipped\"><a href=\"#a/b\">skip<span class=\"hidden\"> skipped: needs nft<",
        "<td class=\"none\"><a href=\"#a/b\">–<span class=\"hidden\"> not recorded<",
        "≠",
    ] {
        assert!(row.contains(wanted), "{wanted} in {row}");
    }
    let transcript = "c.close() = 0\n    c &gt; s [F.] seq 1";
    assert_eq!(html.matches(transcript).count(), 1, "each transcript stands once");
}

#[test]
fn claim_refuted_once_stands_among_the_refuted() {
    let html = page(&matrix()).expect("a page");
    let refuted = html.split("id=\"refuted\"").nth(1).expect("a part of the page");
    let refuted = refuted.split("id=\"holds\"").next().expect("its end");
    assert!(refuted.contains("it is a FIN"), "{refuted}");
    let verdicts =
        "refuted</b> linux 6.18</p><p><b class=\"verdict holds\">holds</b> linux 5.10</p>";
    assert!(refuted.contains(verdicts), "{refuted}");
}

#[test]
fn files_are_linked_below_the_base() {
    let html = page_at(&matrix(), "https://example.org/tree/main").expect("a page");
    assert!(html.contains("href=\"https://example.org/tree/main/cases/a/b.yaml\""));
    let beside = page(&matrix()).expect("a page");
    assert!(beside.contains("href=\"expected/a/b/x.snap\""));
}

#[test]
fn nothing_is_fetched() {
    let html = page(&matrix()).expect("a page");
    for fetches in [" src=", "@import", "url(", "<iframe", "rel=\"stylesheet\"", "fetch("] {
        assert!(!html.contains(fetches), "{fetches}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn hostile_texts_are_told_and_do_nothing() {
    let hostile = "</pre></script><script>owned()</script>\"'\u{1b}[2J\u{202e}\u{0}{{ 7 * 7 }}";
    let text = || hostile.to_owned();
    let mut matrix = matrix();
    let row = &mut matrix.cases[0];
    (row.about, row.yaml, row.legend, row.topology) = (text(), text(), text(), text());
    (row.file, row.spec, row.tags) = ("javascript:owned()".to_owned(), vec![text()], vec![text()]);
    for answer in &mut row.answers {
        answer.body = text();
    }
    for cell in row.cells.values_mut() {
        (cell.reason, cell.file) = (text(), "expected/../../owned".to_owned());
    }
    let claim = &mut matrix.claims[0];
    (claim.says, claim.source, claim.platforms) = (text(), text(), vec![text()]);
    claim.evidence = BTreeMap::from([("linux-5.10".to_owned(), vec![text()])]);
    for column in &mut matrix.platforms {
        (column.kernel, column.capture, column.fingerprint) = (text(), text(), text());
        column.settings = BTreeMap::from([(text(), text())]);
    }
    let html = page(&matrix).expect("a page");
    assert!(!html.contains("<script>owned"), "markup got through");
    assert!(!html.contains("href=\"javascript:"), "a link got through");
    assert!(!html.contains("href=\"expected/.."), "a link leads out of the checkout");
    assert_eq!(html.matches("<script>").count(), 2, "the page's own");
    let told = "&lt;/pre&gt;&lt;/script&gt;&lt;script&gt;owned()&lt;/script&gt;&quot;&#39;\
                \\u{1b}[2J\\u{202e}\\u{0}{{ 7 * 7 }}";
    assert!(html.contains(told), "it is told as it is");
    let steering = html.chars().find(|c| *c != '\n' && is_steering(*c));
    assert_eq!(steering, None);
}

#[test]
fn parts_cannot_end_what_they_stand_in() {
    assert!(SCRIPT.iter().chain([&EARLY]).all(|script| !script.contains("</script")));
    assert!(STYLE.iter().all(|style| !style.contains("</style")));
}

#[rstest]
#[case(
    "RFC 9293 §3.10.7.1",
    Some("https://datatracker.ietf.org/doc/html/rfc9293#section-3.10.7.1")
)]
#[case("RFC 768", Some("https://datatracker.ietf.org/doc/html/rfc768"))]
#[case("RFC 793 §\"><b>", None)]
#[case("RFC x", None)]
#[case(
    "POSIX.1-2024 close()",
    Some("https://pubs.opengroup.org/onlinepubs/9799919799/functions/close.html")
)]
#[case("POSIX.1-2024 ../a()", None)]
#[case("connect(2)", None)]
fn references_lead_where_they_are(#[case] text: &str, #[case] url: Option<&str>) {
    assert_eq!(spec(text).url.as_deref(), url);
    assert_eq!(spec(text).text, text);
}

#[rstest]
#[case("cases/a/b.yaml", "", Some("cases/a/b.yaml"))]
#[case("expected/a/b/linux-6.12.snap", "../..", Some("../../expected/a/b/linux-6.12.snap"))]
#[case("expected/../../a", "", None)]
#[case("result.zip", "", None)]
#[case("javascript:alert(1)//cases/", "", None)]
#[case("cases/a\" onclick=b", "", None)]
fn only_files_of_the_repository_are_linked(
    #[case] path: &str,
    #[case] base: &str,
    #[case] url: Option<&str>,
) {
    assert_eq!(file(path, base).url.as_deref(), url);
}
