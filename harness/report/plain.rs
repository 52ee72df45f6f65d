//! Text from cases and result files, made harmless for where it is shown.
//!
//! A case or a result file may come from a stranger. What means something to a terminal, to
//! Markdown or to a workflow's log must not take effect there.

use std::fmt::Write;

/// An `@` that mentions nobody, however it is rendered: an entity would be an `@` again before
/// names are looked for.
const NO_MENTION: &str = "@<!-- -->";

/// One line without what a terminal obeys or what hides the order of characters: such characters
/// are written as escapes, `\u{1b}`. Line ends become blanks.
pub fn line(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\n' | '\r' | '\t' => plain.push(' '),
            c if is_harmful(c) => {
                let _ = write!(plain, "{}", c.escape_unicode());
            }
            c => plain.push(c),
        }
    }
    plain
}

/// Several lines, each as by [`line()`] but with its indentation.
pub fn lines(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for one in text.lines() {
        let indent = one.len() - one.trim_start_matches(' ').len();
        plain.push_str(&one[..indent]);
        plain.push_str(&line(one));
        plain.push('\n');
    }
    plain
}

/// Control characters, and those that order, join or hide text invisibly (Unicode's bidirectional
/// controls, zero-width characters, byte-order mark, tags).
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{61c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// One line of Markdown that shows this text: no markup, no HTML, no mention, no reference, no new
/// cell of a table.
pub fn markdown(text: &str) -> String {
    let mut safe = String::new();
    for c in line(text).chars() {
        match c {
            '<' | '>' | '&' | '#' | '|' => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            '@' => safe.push_str(NO_MENTION),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '!' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// One line of HTML that shows this text: Markdown leaves HTML blocks as they are.
pub fn html(text: &str) -> String {
    let mut safe = String::new();
    for c in line(text).chars() {
        match c {
            '<' | '>' | '&' | '#' | '"' | '\'' => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            '@' => safe.push_str(NO_MENTION),
            c => safe.push(c),
        }
    }
    safe
}

/// A block of Markdown that shows this text to the letter: its fence is longer than any run of
/// backticks inside.
pub fn fenced(language: &str, text: &str) -> String {
    let text = lines(text);
    let mut longest = 2;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence}{language}\n{text}{fence}\n")
}

/// The message of a workflow command.
pub fn command(text: &str) -> String {
    line(text).replace('%', "%25")
}

/// A property of a workflow command.
pub fn property(text: &str) -> String {
    command(text).replace(':', "%3A").replace(',', "%2C")
}

/// At most so many characters, the last one a mark if some were cut off.
pub fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars.saturating_sub(1)).collect();
    kept + "…"
}

/// Lines of at most so many characters, broken at blanks; a longer word has a line of its own.
pub fn wrapped(text: &str, chars: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let fits = |line: &String| line.chars().count() + 1 + word.chars().count() <= chars;
        match lines.last_mut().filter(|line| fits(line)) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a\u{1b}[31mb", "a\\u{1b}[31mb")]
    #[case("a\u{9b}31mb\u{7}", "a\\u{9b}31mb\\u{7}")]
    #[case("a\u{202e}b\u{2066}c", "a\\u{202e}b\\u{2066}c")]
    #[case("two\nlines\r\n", "two lines")]
    #[case("接收RST §3 é", "接收RST §3 é")]
    fn one_line(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(line(text), expected);
    }

    #[test]
    fn lines_keep_their_indentation() {
        assert_eq!(lines("a() = 0\n    b > c\u{1b}[S]"), "a() = 0\n    b > c\\u{1b}[S]\n");
    }

    #[rstest]
    #[case("<script>", "&#60;script&#62;")]
    #[case("a | b", "a &#124; b")]
    #[case("**b** [x](y) `c`", "\\*\\*b\\*\\* \\[x\\](y) \\`c\\`")]
    #[case("@mio #1 SO_LINGER", "@<!-- -->mio &#35;1 SO\\_LINGER")]
    fn no_markup(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(markdown(text), expected);
    }

    #[test]
    fn html_has_no_markup() {
        assert_eq!(html("<b> \"[R.]\" & @a_b"), "&#60;b&#62; &#34;[R.]&#34; &#38; @<!-- -->a_b");
    }

    #[test]
    fn fence_cannot_be_closed_from_inside() {
        assert_eq!(
            fenced("diff", "a\n````\n</details>"),
            "`````diff\na\n````\n</details>\n`````\n"
        );
    }

    #[test]
    fn command_stays_on_its_line() {
        assert_eq!(command("50%\n::error::x"), "50%25 ::error::x");
        assert_eq!(property("a,b:c"), "a%2Cb%3Ac");
    }

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(wrapped("a bc  def ghijklmn o", 6), ["a bc", "def", "ghijklmn", "o"]);
        assert_eq!(wrapped("", 6), [""; 0]);
    }

    #[test]
    fn cut_is_marked() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
    }
}
