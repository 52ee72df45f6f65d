//! The diff that a person reads and pastes into a bug report.

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

/// Equal lines shown before and after a change.
const CONTEXT: usize = 3;

/// Two answers that are not equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diff {
    /// What was recorded.
    pub recorded: String,
    /// What happened.
    pub happened: String,
    /// The packets of the one that has them are left out.
    pub calls_only: bool,
}

impl Diff {
    /// The diff as text, headed by what the two sides are called: lines behind `-` are recorded,
    /// lines behind `+` happened. Where equal lines are left out, their number stands, below the
    /// `== row` line of what follows.
    pub fn text(&self, recorded: &str, happened: &str, colour: bool) -> String {
        let mut page = Page { text: String::new(), colour };
        let note = if self.calls_only { " (calls only)" } else { "" };
        page.line(ChangeTag::Delete, &format!("-- {recorded}{note}"));
        page.line(ChangeTag::Insert, &format!("++ {happened}{note}"));
        let diff = TextDiff::from_lines(&self.recorded, &self.happened);
        let lines: Vec<(ChangeTag, &str)> = diff
            .iter_all_changes()
            .map(|change| (change.tag(), change.value().trim_end_matches('\n')))
            .collect();
        page.hunks(&lines);
        page.text
    }

    /// The sections of what happened that are not recorded as they are, counted from 0.
    pub fn sections(&self) -> Vec<usize> {
        let recorded = sections(&self.recorded);
        let happened = sections(&self.happened).into_iter().enumerate();
        happened.filter(|(_, section)| !recorded.contains(section)).map(|(at, _)| at).collect()
    }
}

/// A body, cut before each `== row` line.
fn sections(body: &str) -> Vec<&str> {
    let starts = body.match_indices("\n== ").map(|(at, _)| at + 1);
    let cuts: Vec<usize> = std::iter::once(0).chain(starts).chain([body.len()]).collect();
    cuts.windows(2).map(|cut| &body[cut[0]..cut[1]]).collect()
}

struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn hunks(&mut self, lines: &[(ChangeTag, &str)]) {
        let shown = near_changes(lines);
        let mut row = None;
        let mut left_out = 0;
        for (&(tag, line), shown) in lines.iter().zip(shown) {
            let begins_row = line.starts_with("== ");
            if shown {
                if left_out > 0 {
                    if let Some(row) = row.filter(|_| !begins_row) {
                        self.line(ChangeTag::Equal, row);
                    }
                    self.dim(left_out);
                    left_out = 0;
                }
                self.line(tag, line);
            } else {
                left_out += 1;
            }
            if begins_row {
                row = Some(line);
            }
        }
        if left_out > 0 {
            self.dim(left_out);
        }
    }

    fn line(&mut self, tag: ChangeTag, line: &str) {
        let (sign, style) = match tag {
            ChangeTag::Delete => ('-', AnsiColor::Red.on_default()),
            ChangeTag::Insert => ('+', AnsiColor::Green.on_default()),
            ChangeTag::Equal => (' ', Style::new()),
        };
        // A heading already begins with its sign; everything else stands two columns in.
        let gap = match tag {
            ChangeTag::Delete if line.starts_with("-- ") => "",
            ChangeTag::Insert if line.starts_with("++ ") => "",
            _ => " ",
        };
        self.styled(style, &format!("{sign}{gap}{line}"));
    }

    fn dim(&mut self, left_out: usize) {
        let lines = if left_out == 1 { "line" } else { "lines" };
        let note = format!("  ({left_out} equal {lines})");
        self.styled(Style::new().dimmed(), &note);
    }

    fn styled(&mut self, style: Style, line: &str) {
        if self.colour {
            self.text += &format!("{style}{line}{style:#}\n");
        } else {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }
}

/// For every line whether a change is within [`CONTEXT`] lines of it.
fn near_changes(lines: &[(ChangeTag, &str)]) -> Vec<bool> {
    let changed: Vec<bool> = lines.iter().map(|l| l.0 != ChangeTag::Equal).collect();
    let near = |i: usize| {
        let last = (i + CONTEXT).min(lines.len() - 1);
        changed[i.saturating_sub(CONTEXT)..=last].contains(&true)
    };
    (0..lines.len()).map(near).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn text(recorded: &str, happened: &str) -> String {
        let diff = Diff {
            recorded: recorded.to_owned(),
            happened: happened.to_owned(),
            calls_only: false,
        };
        diff.text("linux-6.12, recorded", "linux-6.18, happened", false)
    }

    #[test]
    fn change_has_three_lines_around_it() {
        let recorded = "a\nb\nc\nd\ne = 0\n    x > y [S]\nf\ng\nh\ni\nj";
        let wanted = "\
--- linux-6.12, recorded
+++ linux-6.18, happened
  (1 equal line)
  b
  c
  d
- e = 0
+ e = -1 EINVAL
      x > y [S]
  f
  g
  (3 equal lines)
";
        assert_eq!(text(recorded, &recorded.replace("e = 0", "e = -1 EINVAL")), wanted);
    }

    #[test]
    fn row_is_repeated_when_cut_off() {
        let recorded = "== how=rd\na\nb\nc\nd\n== how=wr\na\nb\nc\nd\ne";
        let wanted = "\
--- linux-6.12, recorded
+++ linux-6.18, happened
  == how=wr
  (7 equal lines)
  b
  c
  d
- e
+ f
";
        assert_eq!(text(recorded, &recorded.replace('e', "f")), wanted);
    }

    #[test]
    fn row_in_sight_is_not_repeated() {
        let happened = "== how=rd\na\nb\nc\n== how=wr\nz";
        let shown = text("== how=rd\na\nb\nc\n== how=wr\na", happened);
        assert_eq!(shown.matches("== how=wr").count(), 1, "{shown}");
    }

    #[test]
    fn colours_are_optional() {
        let diff = Diff { recorded: "a".to_owned(), happened: "b".to_owned(), calls_only: true };
        assert!(!diff.text("x", "y", false).contains('\u{1b}'));
        assert!(diff.text("x", "y", true).contains("\u{1b}[31m- a"));
        assert!(diff.text("x", "y", false).contains("x (calls only)"));
    }

    #[rstest]
    #[case::one("a\n", "b\n", &[0])]
    #[case::one_row_of_two("== x=1\na\n== x=2\na\n", "== x=1\na\n== x=2\nb\n", &[1])]
    #[case::ipv6_apart("a\n", "a\n== ipv6\nb\n", &[1])]
    #[case::only_less("a\n== ipv6\nb\n", "a\n", &[])]
    fn sections_that_are_not_recorded(
        #[case] recorded: &str,
        #[case] happened: &str,
        #[case] which: &[usize],
    ) {
        let (recorded, happened) = (recorded.to_owned(), happened.to_owned());
        assert_eq!(Diff { recorded, happened, calls_only: false }.sections(), which);
    }
}
