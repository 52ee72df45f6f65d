//! Platforms that do not exist, made from this repository's own Linux records.

use sockdiff::model::Case;
use sockdiff::report::matrix::{Column, Found, Matrix, Question, Record, lay};
use sockdiff::suite::Corpus;
use std::collections::BTreeMap;
use std::path::Path;

/// As many rows as the repository has cases.
pub const EVERY_CASE: usize = 0;

/// What to invent.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Rows; beyond the repository's own, copies; see [`EVERY_CASE`].
    pub cases: usize,
    /// Columns.
    pub platforms: usize,
    /// Every text tries to break out of its place.
    pub hostile: bool,
}

const PLATFORMS: [(&str, &str); 10] = [
    ("linux", "5.10"),
    ("linux", "6.1"),
    ("linux", "6.12"),
    ("linux", "6.18"),
    ("windows", "26100"),
    ("freebsd", "14.3"),
    ("freebsd", "15.0"),
    ("macos", "15"),
    ("macos", "26"),
    ("gvisor", "20240729"),
];

/// Breaks out of an element, a script, an attribute, a line, a direction and a terminal.
pub const HOSTILE: &str = "</pre></script><script>window.owned=1</script><img src=x \
     onerror=owned=1>\"' onclick=owned=1 \u{1b}[31m\u{202e}desrever\u{2066}\u{0}\u{9b}2J \
     ``` {{ x }}";

/// A table in which every kind of cell occurs.
pub fn invented(shape: Shape) -> Matrix {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases = Corpus::Folder(root.join("cases")).read().cases;
    cases.retain(|case| root.join(format!("expected/{}/linux.snap", case.id)).is_file());
    let columns: Vec<Column> = (0..shape.platforms).map(column).collect();
    let count = if shape.cases == EVERY_CASE { cases.len() } else { shape.cases };
    let rows = (0..count).map(|at| {
        let case = &cases[at % cases.len()];
        let file = format!("expected/{}/linux.snap", case.id);
        let text = std::fs::read_to_string(root.join(&file)).unwrap_or_default();
        let body = text.splitn(3, "---\n").nth(2).unwrap_or("").trim_end();
        let found = (0..shape.platforms).map(|of| found(body, at, of, &file, shape)).collect();
        (question(root, case, at / cases.len(), shape), found)
    });
    let mut rows: Vec<(Question, Vec<Found>)> = rows.collect();
    rows.sort_by(|a, b| a.0.row.id.cmp(&b.0.row.id));
    lay(columns, rows)
}

fn column(at: usize) -> Column {
    let (id, release) = PLATFORMS[at];
    let calls_only = id == "windows";
    Column {
        key: format!("{id}-{release}"),
        id: id.to_owned(),
        release: release.to_owned(),
        kernel: format!("{release}.7-invented"),
        arch: "x86_64".to_owned(),
        date: "2026-11-20".to_owned(),
        capture: if calls_only { "none" } else { "raw sockets" }.to_owned(),
        wire: "tun".to_owned(),
        isolation: "netns".to_owned(),
        settings: BTreeMap::from([("net.ipv4.tcp_sack".to_owned(), "1".to_owned())]),
        fingerprint: "520c33fabc819be6".to_owned(),
        families: vec![4, 6],
        source: format!("expected/ledger/{id}-{release}.yaml"),
        asked: 132,
    }
}

fn question(root: &Path, case: &Case, copy: usize, shape: Shape) -> Question {
    let file = root.join(format!("cases/{}.yaml", case.id));
    let mut question = Question::of(case, std::fs::read_to_string(file).unwrap_or_default());
    if copy > 0 {
        question.row.id += &format!("-{copy}");
    }
    if shape.hostile {
        let row = &mut question.row;
        row.about = HOSTILE.to_owned();
        row.yaml = HOSTILE.to_owned();
        row.spec = vec![HOSTILE.to_owned(), "RFC 793 §\"><b>".to_owned()];
        row.tags = vec![HOSTILE.to_owned()];
        row.file = "javascript:alert(1)//cases/".to_owned();
        for claim in &mut question.claims {
            (claim.says, claim.source) = (HOSTILE.to_owned(), HOSTILE.to_owned());
        }
    }
    question
}

/// What column `of` has for row `at`: mostly the record, sometimes another one or none.
fn found(body: &str, at: usize, of: usize, file: &str, shape: Shape) -> Found {
    let other = of > 3;
    match (at * 7 + of * 13) % 41 {
        0 if of != 3 => return Found::NotRecorded(String::new()),
        1 if other => return Found::Skipped("needs the capability firewall".to_owned()),
        2 if of == 1 => return Found::Stale,
        _ if body.is_empty() => return Found::NotRecorded(String::new()),
        _ => {}
    }
    let changes = match (at * 5 + of) % 23 {
        // Some questions are answered in three ways, however many cases there are.
        _ if at % 40 == 5 => [4, 2, 0, 0, 3][of.min(4)],
        0..3 if of == 0 => 1,
        0..2 if of < 3 => 2,
        0..5 if other => 3 + of / 7,
        _ => 0,
    };
    let mut body = changed(body, changes, at);
    let captured = of != 9;
    if !captured {
        body = sockdiff::render::calls_only(&body).trim_end().to_owned();
    }
    if shape.hostile {
        body += &format!("\n{HOSTILE}{}\n    a > b {HOSTILE}", of / 2);
    }
    Found::Answer(Record { body, captured, file: file.to_owned() })
}

/// Another stack's answer: one kind of line is changed, left out or added.
fn changed(body: &str, kind: usize, at: usize) -> String {
    let replace = |from: &str, to: &str| body.replacen(from, to, 1 + at % 2);
    match kind {
        0 => body.to_owned(),
        1 => replace(" = -1 ECONNRESET", " = -1 EPIPE"),
        2 => {
            let rst = |line: &&str| !line.contains("[.] seq 1 ack");
            body.lines().filter(rst).collect::<Vec<_>>().join("\n")
        }
        3 => replace("[R.]", "[F.]").replacen("POLLERR|", "", 2),
        _ => format!("{}\nclient.close() = 0", replace("[R]", "[R.]")),
    }
}
