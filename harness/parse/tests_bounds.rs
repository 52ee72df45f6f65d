//! That no input does harm: every bound is told, nothing panics, nothing takes long.

use super::tests_errors::{assert_error, parse};
use rstest::rstest;

#[test]
fn bytes_that_are_no_text() {
    assert_error(b"about: x\nsteps: \xff\n", "foo.yaml:2:8: byte 16 is not UTF-8, save");
    assert_error("\u{feff}about: x\n", "foo.yaml:1:1: a character U+FEFF, expected none$");
    assert_error("about: §\u{2028}", "foo.yaml:1:9: a character U+2028, expected none$");
    assert_error("about: x\n#\0", "foo.yaml:2:2: a character U+0000, expected none$");
    assert_error("about: x\u{7f}", "foo.yaml:1:9: a character U+007F, expected none$");
    assert_error(vec![b'a'; 10 << 20], "foo.yaml:1:1: 10485760 bytes, a case has at most 1048576$");
}

#[test]
fn limits_are_told() {
    let nested = format!("about: {}{}\n", "[".repeat(30), "]".repeat(30));
    assert_error(nested, "foo.yaml:1:31: about[0][0]");
    assert_error("[".repeat(1 << 20), "foo.yaml:1:10001: more than 10000 brackets open in one");
    let steps = "- client.close\n".repeat(65);
    let text = format!("about: x\ngiven: established\nsteps:\n{steps}");
    assert_error(text, "foo.yaml:68:3: steps[64]: a step too many, a case has at most 64$");
    let list = (0..65).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    let text = format!("about: x\nmatrix: {{a: [{list}], b: [{list}]}}\nsteps: [a.close]\n");
    assert_error(text, "foo.yaml:2:9: matrix: 4225 rows in 1 family, a case has at most 4096");
}

#[test]
fn long_values_in_many_rows_are_told() {
    let value = "x".repeat(200_000);
    let numbers = (0..64).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    let text = format!(
        "about: x\nmatrix: {{v: [{value}], a: [{numbers}], b: [{numbers}]}}\n\
         steps: [a.socket: tcp]\n"
    );
    let error = parse(&text).map(|case| case.about).expect_err("too much");
    assert!(error.contains("the rows take more than"), "{error}");
    let many: String = (0..17).map(|i| format!("v{i}: [1], ")).collect();
    let text = format!("about: x\nmatrix: {{{many}}}\nsteps: [a.socket: tcp]\n");
    assert_error(text, "foo.yaml:2:160: matrix.v16: a variable too many, expected at most 16$");
}

#[test]
fn an_alias_bomb_is_not_followed() {
    let mut text = String::from("about: x\nmatrix:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let before = format!("*a{}", i - 1);
        let list = [before.as_str(); 10].join(", ");
        text.push_str(&format!("  a{i}: &a{i} [{list}]\n"));
    }
    let error = parse(&text).map(|case| case.about).expect_err("a bomb");
    assert!(error.contains("values after following the aliases"), "{error}");
}

#[test]
fn rows_that_outgrow_their_text_are_told() {
    let list = vec!["$v"; 3000].join(", ");
    let values = vec!["x"; 3000].join(", ");
    let text = format!("about: x\nmatrix: {{v: [[{values}]]}}\nsteps: [{list}]\n");
    let error = parse(&text).map(|case| case.about).expect_err("too much");
    assert!(error.contains("the rows take more than"), "{error}");
}

const VALID: &str = include_str!("tests_valid.yaml");
const WIRE: &str = include_str!("tests_wire.yaml");

#[rstest]
#[case(VALID)]
#[case(WIRE)]
fn a_torn_case_never_panics(#[case] valid: &str) {
    assert!(parse(valid).is_ok(), "{:?}", parse(valid));
    for end in 0..valid.len() {
        // Whether it parses is not the question.
        drop(parse(&valid.as_bytes()[..end]));
    }
}

#[rstest]
#[case(VALID)]
#[case(WIRE)]
fn a_damaged_case_never_panics(#[case] valid: &str) {
    let strange = ["{", "]", "*a", "&a ", "!x ", "- ", ": ", "\"", "$", "$v.9", "9e999", "~", "\n"];
    for at in (0..valid.len()).step_by(29) {
        for damage in strange {
            let (Some(before), Some(after)) = (valid.get(..at), valid.get(at + 1..)) else {
                continue;
            };
            drop(parse(format!("{before}{damage}{after}")));
        }
    }
}

#[test]
fn deep_or_broken_yaml_ends() {
    for text in ["{a: ", "- ", "? ", "&a ", "[", "\"a\n", "*a ", "'", "a: ", "|\n", "!a "] {
        drop(parse(text.repeat((1 << 16) / text.len())));
    }
}
