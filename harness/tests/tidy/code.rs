//! Rust source reduced to what the compiler sees: comments and literals become blanks.

use rstest::rstest;

/// The source with every comment and the inside of every literal blanked out, line for line.
pub fn code(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let blank = blank_len(&out, rest);
        if blank == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (hidden, after) = rest.split_at(blank);
            out.extend(hidden.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = after;
        }
    }
    out
}

/// How many bytes of `rest` are a comment or a literal; `before` is the code so far.
fn blank_len(before: &str, rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    if let Some(inside) = rest.strip_prefix('"') {
        return 1 + escaped_len(inside, '"');
    }
    if let Some(inside) = rest.strip_prefix('\'') {
        let is_char = inside.starts_with('\\') || inside.chars().nth(1) == Some('\'');
        return if is_char { 1 + escaped_len(inside, '\'') } else { 0 };
    }
    let in_word = before.trim_end_matches(['b', 'c']).ends_with(joins);
    if let Some(hashes) = rest.strip_prefix('r').filter(|_| !in_word) {
        let hashes = &hashes[..hashes.len() - hashes.trim_start_matches('#').len()];
        if let Some(inside) = rest[1 + hashes.len()..].strip_prefix('"') {
            let close = format!("\"{hashes}");
            let before = rest.len() - inside.len();
            return inside.find(&close).map_or(rest.len(), |end| before + end + close.len());
        }
    }
    0
}

/// Bytes up to and with the closing `quote`.
fn escaped_len(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    inside.len()
}

fn joins(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `line` holds `word` and not only as a part of a longer one.
pub fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(joins) && !line[at + word.len()..].starts_with(joins))
}

/// Index just behind the bracket that closes the first `open` of `code`.
pub fn closing(code: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(at + 1);
            }
        }
    }
    None
}

#[rstest]
#[case("a // b", "a     ")]
#[case("a /* \n */ b", "a    \n    b")]
#[case(r#"f("a\"b", x)"#, "f(      , x)")]
#[case(r##"f(r#"a"b"#, x)"##, "f(        , x)")]
#[case("b'\\'' 'a 'x'", "b     'a    ")]
#[case("for \"//\" in", "for      in")]
fn only_code_is_left(#[case] source: &str, #[case] left: &str) {
    assert_eq!(code(source), left);
}
