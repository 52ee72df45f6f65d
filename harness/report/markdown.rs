//! The table as Markdown: for a pull request, a bug report, or the summary of a workflow.

use super::drift::{Relation, steps};
use super::matrix::{Column, Matrix, Row, Status};
use super::plain::{fenced, html, markdown as safe};
use super::text::{Differ, between, sign, signs, summary, who};
use std::fmt::Write;

/// What is written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Only cases on which columns differ are rows of the table.
    pub only_differences: bool,
    /// Bytes that may be written: what does not fit is counted instead.
    pub bytes_max: usize,
}

/// Bytes that are kept for what is said at the end.
const END_BYTES: usize = 512;

/// How a report begins.
const BEGIN: &str = "## sockdiff: ";

/// Whether a text begins as a report does.
pub fn is_report(text: &str) -> bool {
    text.starts_with(BEGIN)
}

/// The whole report: platforms, the matrix, and the differing cases folded.
pub fn markdown(matrix: &Matrix, options: Options, differ: Differ<'_>) -> String {
    let room = options.bytes_max.saturating_sub(END_BYTES);
    let mut text = format!("{BEGIN}{}\n\n", safe(&title(matrix)));
    let _ = writeln!(text, "{}. Same or different, never right or wrong.\n", summary(matrix));
    platforms(&mut text, matrix);
    let rows = matrix.cases.iter().filter(|row| !options.only_differences || row.differs());
    let table: Vec<String> = rows.map(|row| table_row(matrix, row)).collect();
    if !table.is_empty() {
        text += &table_head(matrix);
        fit(&mut text, table, room, "more cases in the table");
        let signs = signs(matrix);
        if !signs.is_empty() {
            let _ = writeln!(text, "\nIn the table: {}", safe(&signs.join(" · ")));
        }
    }
    let cases: Vec<String> = matrix.differing().map(|row| folded(matrix, row, differ)).collect();
    if !cases.is_empty() {
        text += "\n### Differences\n\n";
        fit(&mut text, cases, room, "more cases differ: `sockdiff compare` shows them");
    }
    text
}

/// Adds pieces as long as they fit, and counts the others.
fn fit(text: &mut String, pieces: Vec<String>, room: usize, what: &str) {
    let all = pieces.len();
    for (at, piece) in pieces.into_iter().enumerate() {
        if text.len() + piece.len() > room {
            let _ = writeln!(text, "\n{} {what}", all - at);
            return;
        }
        text.push_str(&piece);
    }
}

/// `linux 6.12, linux 6.18`
fn title(matrix: &Matrix) -> String {
    matrix.platforms.iter().map(Column::label).collect::<Vec<_>>().join(", ")
}

fn platforms(text: &mut String, matrix: &Matrix) {
    text.push_str("| platform | kernel | arch | packets | wire | settings | recorded | asked |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for column in &matrix.platforms {
        let capture = if column.capture == "none" { "calls only" } else { &column.capture };
        let recorded = if column.date.is_empty() { &column.source } else { &column.date };
        let cells = [
            &column.label(),
            &column.kernel,
            &column.arch,
            capture,
            &column.wire,
            column.pinned(),
            recorded,
        ];
        let cells: Vec<String> = cells.iter().map(|cell| safe(cell)).collect();
        let _ = writeln!(text, "| {} | {} |", cells.join(" | "), column.asked);
    }
    text.push('\n');
}

fn table_head(matrix: &Matrix) -> String {
    let labels: Vec<String> = matrix.platforms.iter().map(|column| safe(&column.label())).collect();
    let lines = "|:-:".repeat(labels.len());
    format!("| case | {} |\n|---{lines}|\n", labels.join(" | "))
}

fn table_row(matrix: &Matrix, row: &Row) -> String {
    let cells = matrix.platforms.iter().map(|column| {
        let cell = row.cells.get(&column.key);
        match cell.map(|cell| cell.status) {
            Some(Status::Answer) => format!("**{}**", safe(&sign(cell))),
            _ => safe(&sign(cell)),
        }
    });
    format!("| {} | {} |\n", safe(&row.id), cells.collect::<Vec<_>>().join(" | "))
}

/// One differing case: the question, who answers what, and the diffs.
fn folded(matrix: &Matrix, row: &Row, differ: Differ<'_>) -> String {
    let legend = html(&row.legend);
    let mut text =
        format!("<details><summary><code>{}</code> {legend}</summary>\n\n", html(&row.id));
    if !row.about.is_empty() {
        let _ = writeln!(text, "{}\n", safe(&row.about));
    }
    for class in &row.answers {
        let _ = writeln!(text, "- **{}**: {}", class.class, safe(&who(matrix, row, class)));
    }
    if matrix.relation() == Relation::Releases {
        for step in steps(matrix, row) {
            let _ = writeln!(text, "- {}", safe(&between(matrix, row, step)));
        }
    }
    text.push('\n');
    if let Some((first, others)) = row.answers.split_first() {
        let called =
            |class: &super::matrix::Class| format!("{}: {}", class.class, who(matrix, row, class));
        for other in others {
            let diff = differ((first, &called(first)), (other, &called(other)));
            text += &fenced("diff", &diff);
        }
    }
    text + "\n</details>\n\n"
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Class;
    use super::super::testing::matrix;
    use super::*;

    const ALL: Options = Options { only_differences: false, bytes_max: usize::MAX };

    fn differ(old: (&Class, &str), new: (&Class, &str)) -> String {
        format!("--- {}\n+++ {}\n- {}\n+ {}\n", old.1, new.1, old.0.body, new.0.body)
    }

    #[test]
    fn matrix_and_folded_differences() {
        let matrix = matrix(
            &["linux-6.12", "linux-6.18"],
            &[("rst/a", &["a() = 0", "a() = 1"]), ("rst/b", &["a() = 0", "calls a() = 0"])],
        );
        let text = markdown(&matrix, ALL, &differ);
        for told in [
            "## sockdiff: linux 6.12, linux 6.18\n",
            "2 cases: 1 same, 1 differ. Same or different, never right or wrong.\n",
            "| case | linux 6.12 | linux 6.18 |\n|---|:-:|:-:|\n| rst/a | **A** | **B** |\n",
            "| rst/b | **A** | **A\\*** |\n\nIn the table: \\* calls only: no packets were seen\n",
            "<details><summary><code>rst/a</code> a(): A = 0 | B = 1</summary>\n",
            "- changed between linux 6.12 and linux 6.18: A -&#62; B\n",
            "```diff\n--- A: linux 6.12\n+++ B: linux 6.18\n- a() = 0\n+ a() = 1\n```\n",
        ] {
            assert!(text.contains(told), "{told} is missing in\n{text}");
        }
        assert!(
            !markdown(&matrix, Options { only_differences: true, ..ALL }, &differ)
                .contains("| rst/b |")
        );
    }

    #[test]
    fn hostile_text_takes_no_effect() {
        let mut matrix = matrix(
            &["linux-6.12", "linux-6.18"],
            &[("rst/a", &["a() = \"<details>\"", "a() = \"\n```\n<script>\""])],
        );
        matrix.cases[0].about = "<img src=x onerror=y> | @mio **x** \u{1b}]0;x\u{7}".to_owned();
        matrix.platforms[0].kernel = "6 | <b>".to_owned();
        let text = markdown(&matrix, ALL, &differ);
        assert!(!text.contains("<img") && !text.contains("@mio") && !text.contains('\u{1b}'));
        assert!(text.contains("| 6 &#124; &#60;b&#62; |"), "{text}");
        let fence = text.split("````diff\n").nth(1).and_then(|rest| rest.split("\n````\n").next());
        let fence = fence.expect("a longer fence");
        assert!(fence.contains("<details>") && fence.contains("<script>"), "{text}");
        let outside = text.replace(fence, "");
        assert!(!outside.contains("<script>"), "{outside}");
        assert_eq!(outside.matches("</details>").count(), 1, "{outside}");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let ids: Vec<String> = (0..200).map(|n| format!("rst/case-{n}")).collect();
        let cases: Vec<(&str, &[&str])> =
            ids.iter().map(|id| (id.as_str(), &["a() = 0", "a() = 1"][..])).collect();
        let matrix = matrix(&["linux-6.12", "linux-6.18"], &cases);
        let text = markdown(&matrix, Options { bytes_max: 20_000, ..ALL }, &differ);
        assert!(text.len() <= 20_000, "{}", text.len());
        let shown = text.matches("<details>").count();
        assert!(shown > 10, "{text}");
        assert!(text.contains(&format!("\n{} more cases differ: ", 200 - shown)), "{text}");
        assert_eq!(text.matches("</details>").count(), shown);
    }
}
