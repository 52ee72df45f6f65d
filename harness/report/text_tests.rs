//! Tables as a terminal without colours shows them.

use super::super::testing::matrix;
use super::*;
use crate::report::matrix::Matrix;

fn differ(old: (&Class, &str), new: (&Class, &str)) -> String {
    format!("{} {} -> {} {}\n", old.0.class, old.1, new.0.class, new.1)
}

fn shown(matrix: &Matrix, only_differences: bool) -> String {
    let text = text(matrix, only_differences, &differ);
    let plain = anstream::adapter::strip_str(&text).to_string();
    assert!(plain.lines().all(|line| line.chars().count() <= WIDTH), "{plain}");
    plain
}

/// The lines below the list of platforms.
fn below(text: &str) -> &str {
    text.split_once("\n\n").map_or("", |(_, below)| below)
}

#[test]
fn platforms_stand_beside_each_other() {
    let keys = ["linux-6.12", "linux-6.18", "gvisor-20240729", "macos-15"];
    let rst = "a.close() = 0/ b > a [R.]";
    let fin = "a.close() = 0/ b > a [F.]";
    let matrix = matrix(
        &keys,
        &[
            ("rst/close", &[rst, fin, rst, "calls a.close() = 0"]),
            ("rst/same", &[fin, fin, "skip no firewall", "stale"]),
            ("udp/alone", &[fin, "", "", ""]),
        ],
    );
    let text = shown(&matrix, false);
    assert!(text.starts_with(
        "linux 6.12       6.12.1 x86_64, raw sockets, recorded 2026-11-20, 0 asked\n"
    ));
    let expected = "           linux       gvisor    macos
           6.12  6.18  20240729  15
rst/close  A     B     A         A?
rst/same   A     A     /         !
udp/alone  A     -     -         -

? calls only, which fit several classes
- not recorded
! stale: the question has changed since
/ skipped: could not be asked there

rst/close
  a.close()
    A  b > a [R.]
    B  b > a [F.]
  A = linux 6.12, gvisor 20240729, macos 15 (calls only: A or B)
  B = linux 6.18

3 cases: 1 same, 1 differ, 1 not comparable (fewer than two answers)
";
    assert_eq!(below(&text), expected);
    let differing = shown(&matrix, true);
    assert!(!differing.contains("rst/same") && differing.contains("rst/close  A"), "{differing}");
}

#[test]
fn ten_platforms_and_a_long_name_fit() {
    let keys: Vec<String> = (1..=12).map(|n| format!("platform-{n}.20240729")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let id = "rst/a-case-whose-name-is-as-long-as-names-of-cases-may-ever-become-and-longer";
    let answers = ["a() = 0"; 12];
    let many = matrix(&keys, &[(id, &answers)]);
    let mixed: Vec<String> = keys.iter().map(|key| key.replacen("platform", "p", 1)).collect();
    let mixed: Vec<&str> = mixed.iter().map(String::as_str).collect();
    shown(&many, false);
    let mut strangers = matrix(&mixed, &[(id, &answers)]);
    strangers.platforms[0].id = "other".to_owned();
    let text = shown(&strangers, false);
    assert!(below(&text).trim_start().starts_with("1   2   3 "), "{text}");
}

#[test]
fn releases_tell_where_an_answer_changed() {
    let keys = ["linux-5.10", "linux-6.1", "linux-6.12", "linux-6.18"];
    let matrix = matrix(
        &keys,
        &[
            ("rst/changed", &["a() = 0", "", "a() = 1", "a() = 1"]),
            ("rst/same", &["a() = 0", "a() = 0", "a() = 0", "a() = 0"]),
        ],
    );
    let expected = "rst/changed  A - B B
  changed between linux 5.10 and linux 6.12: A -> B (not known for linux 6.1)
    A linux 5.10 -> B linux 6.12

1 of 2 cases changed
";
    assert_eq!(below(&shown(&matrix, false)), expected);
}

#[test]
fn twins_tell_what_came_and_went() {
    let matrix = matrix(
        &["linux-6.18@old", "linux-6.18@new"],
        &[
            ("a/added", &["skip no \u{1b}[31mnft", "a() = 0"]),
            ("a/changed", &["a() = 0", "a() = 1"]),
            ("a/deleted", &["a() = 0", ""]),
            ("a/same", &["a() = 0", "a() = 0"]),
        ],
    );
    let expected = "added     a/added  (before: skipped, no \\u{1b}[31mnft)
changed   a/changed
    A linux 6.18 (old) -> B linux 6.18 (new)
deleted   a/deleted  (now: not recorded)
1 added, 1 changed, 1 deleted, 1 unchanged
";
    assert_eq!(below(&shown(&matrix, false)), expected);
}

#[test]
fn one_platform_has_nothing_to_be_compared_with() {
    let matrix = matrix(&["linux-6.18"], &[("a/b", &["a() = 0"])]);
    let last = "1 case: 1 answered by linux 6.18, and nothing to compare it with\n";
    assert!(shown(&matrix, false).ends_with(last));
}
