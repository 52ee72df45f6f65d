//! What the tests of this floor share: small tables.

use super::matrix::{Column, Found, Matrix, Question, Record, Row, lay};

/// A table of these columns and cases. What a column has is written as `a() = 0/ a > b [S]` (lines
/// joined by `/`, packets behind a blank), with `calls ` before it where no packets were seen;
/// `skip REASON`, `stale`, or nothing.
pub fn matrix(keys: &[&str], cases: &[(&str, &[&str])]) -> Matrix {
    let columns = keys.iter().map(|key| column(key)).collect();
    let asked = cases.iter().map(|(id, answers)| {
        let folder = id.rsplit_once('/').map_or("", |(folder, _)| folder);
        let row = Row {
            id: (*id).to_owned(),
            folder: folder.to_owned(),
            about: format!("What does {id} answer?"),
            file: format!("cases/{id}.yaml"),
            yaml: "# a comment\nabout: why\n".to_owned(),
            ..Row::default()
        };
        let found = answers.iter().map(|text| found(id, text)).collect();
        (Question { row, claims: Vec::new() }, found)
    });
    lay(columns, asked.collect())
}

fn column(key: &str) -> Column {
    let plain = key.split('@').next().unwrap_or(key);
    let (id, release) = plain.rsplit_once('-').expect("ID-RELEASE");
    Column {
        key: key.to_owned(),
        id: id.to_owned(),
        release: release.to_owned(),
        kernel: format!("{release}.1"),
        arch: "x86_64".to_owned(),
        date: "2026-11-20".to_owned(),
        capture: "raw sockets".to_owned(),
        ..Column::default()
    }
}

fn found(id: &str, text: &str) -> Found {
    if text.is_empty() {
        return Found::NotRecorded(String::new());
    }
    if text == "stale" {
        return Found::Stale;
    }
    if let Some(reason) = text.strip_prefix("skip ") {
        return Found::Skipped(reason.to_owned());
    }
    let (captured, body) = match text.strip_prefix("calls ") {
        Some(body) => (false, body),
        None => (true, text),
    };
    let body = body.replace("/ ", "\n    ").replace('/', "\n");
    Found::Answer(Record { body, captured, file: format!("expected/{id}/x.snap") })
}
