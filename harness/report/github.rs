//! What a workflow of GitHub shows: annotations on the lines of cases.
//!
//! A step may have ten warnings, of which one is left to whoever runs sockdiff.

use super::matrix::{Matrix, Row};
use super::plain::{command, property};
use super::text::who;

/// Annotations of one report.
pub const ANNOTATIONS_MAX: usize = 9;
/// Bytes of a step's summary.
pub const SUMMARY_BYTES_MAX: usize = 1 << 20;

/// `::warning …` for each differing case, at most [`ANNOTATIONS_MAX`] lines; if there are more, the
/// last one says how many.
pub fn annotations(matrix: &Matrix) -> Vec<String> {
    let differing: Vec<&Row> = matrix.differing().collect();
    if differing.len() <= ANNOTATIONS_MAX {
        return differing.into_iter().map(|row| annotation(matrix, row)).collect();
    }
    let (shown, others) = differing.split_at(ANNOTATIONS_MAX - 1);
    let mut lines: Vec<String> = shown.iter().map(|row| annotation(matrix, row)).collect();
    let more = others.len();
    lines.push(format!("::warning title=sockdiff::{more} more cases differ: see the summary"));
    lines
}

fn annotation(matrix: &Matrix, row: &Row) -> String {
    let who =
        row.answers.iter().map(|class| format!("{} = {}", class.class, who(matrix, row, class)));
    let who: Vec<String> = who.collect();
    format!(
        "::warning file={},line={},title={}::{} ({})",
        property(&row.file),
        line_of_question(&row.yaml),
        property(&format!("{} differs", row.id)),
        command(&row.legend),
        command(&who.join("; ")),
    )
}

/// The line on which the question begins, from 1.
fn line_of_question(yaml: &str) -> usize {
    yaml.lines().position(|line| line.starts_with("about:")).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::super::testing::matrix;
    use super::*;

    #[test]
    fn annotation_is_on_the_line_of_the_question() {
        let cases: [(&str, &[&str]); 2] =
            [("rst/a", &["a() = 0", "a() = \"50%\""]), ("rst/b", &["a() = 0", "a() = 0"])];
        assert_eq!(
            annotations(&matrix(&["linux-6.12", "linux-6.18"], &cases)),
            ["::warning file=cases/rst/a.yaml,line=2,title=rst/a differs::a(): A = 0 | \
              B = \"50%25\" (A = linux 6.12; B = linux 6.18)"]
        );
    }

    #[test]
    fn annotations_are_few() {
        let ids: Vec<String> = (0..12).map(|n| format!("rst/case-{n}")).collect();
        let cases: Vec<(&str, &[&str])> =
            ids.iter().map(|id| (id.as_str(), &["a() = 0", "a() = 1"][..])).collect();
        let keys = ["linux-6.12", "linux-6.18"];
        let lines = annotations(&matrix(&keys, &cases));
        assert_eq!(lines.len(), ANNOTATIONS_MAX);
        assert!(lines[8].ends_with("::4 more cases differ: see the summary"), "{lines:?}");
        assert_eq!(annotations(&matrix(&keys, &cases[..9])).len(), 9);
    }

    #[test]
    fn hostile_legend_stays_in_its_command() {
        let mut matrix =
            matrix(&["linux-6.12", "linux-6.18"], &[("rst/a", &["a() = 0", "a() = 1"])]);
        matrix.cases[0].legend = "x\n::error::y".to_owned();
        matrix.cases[0].file = "cases/a,line=9::z".to_owned();
        let line = &annotations(&matrix)[0];
        assert!(!line.contains('\n') && line.contains("file=cases/a%2Cline=9%3A%3Az,"), "{line}");
    }
}
