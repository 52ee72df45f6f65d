//! What the page's templates are filled with: the matrix as it is read, counted and grouped.

use crate::report::claims::Verdict;
use crate::report::matrix::legend::{Part, parts};
use crate::report::matrix::{Cell, ClaimRow, Class, Column, Matrix, Row, Status, names};
use serde::Serialize;
use statements::{ClaimView, Group, Works, standing, tally};
use std::collections::{BTreeMap, BTreeSet};

mod statements;

/// Colours of classes; a letter beyond them begins anew, and the letter still tells.
const HUES: usize = 6;

/// The whole page.
#[derive(Serialize)]
pub struct View<'a> {
    version: &'a str,
    questions: usize,
    different: usize,
    platforms: Vec<PlatformView<'a>>,
    folders: Vec<Folder<'a>>,
    tags: BTreeSet<&'a str>,
    /// What a cell may have instead of an answer, as far as it occurs.
    without: BTreeSet<&'static str>,
    works: Works<'a>,
    cases: Vec<CaseView<'a>>,
    refuted: Group<'a>,
    holds: Group<'a>,
    unknown: Group<'a>,
}

#[derive(Serialize)]
struct PlatformView<'a> {
    key: &'a str,
    name: String,
    id: &'a str,
    release: &'a str,
    kernel: &'a str,
    arch: &'a str,
    date: &'a str,
    asked: usize,
    capture: &'a str,
    wire: &'a str,
    isolation: &'a str,
    fingerprint: &'a str,
    settings: Vec<String>,
}

/// Rows of the matrix.
#[derive(Serialize)]
struct Folder<'a> {
    name: &'a str,
    different: usize,
    rows: Vec<RowView<'a>>,
}

#[derive(Serialize)]
struct RowView<'a> {
    id: &'a str,
    name: &'a str,
    about: &'a str,
    legend: &'a str,
    tags: String,
    differs: bool,
    cells: Vec<CellView>,
}

#[derive(Serialize)]
struct CellView {
    look: String,
    sign: String,
    mark: &'static str,
    told: String,
}

/// The part of a case, below the matrix or in the panel.
#[derive(Serialize)]
struct CaseView<'a> {
    id: &'a str,
    about: &'a str,
    spec: Vec<Link>,
    topology: &'a str,
    tags: &'a [String],
    parts: Vec<PartView>,
    answers: Vec<AnswerView<'a>>,
    statements: String,
    file: Link,
    sources: Vec<Source>,
    /// Without its claims, which stand in the ledger.
    yaml: String,
}

/// A place at which classes part.
#[derive(Serialize)]
struct PartView {
    place: String,
    ways: Vec<(String, String)>,
}

#[derive(Serialize)]
struct AnswerView<'a> {
    class: &'a str,
    look: String,
    keys: String,
    names: String,
    calls_only: bool,
    body: &'a str,
}

/// Where cells come from; platforms with the same behaviour from one file stand together.
#[derive(Serialize)]
struct Source {
    platforms: String,
    behaviour: String,
    file: Option<Link>,
}

/// A text that may lead somewhere.
#[derive(Serialize)]
pub(super) struct Link {
    pub(super) text: String,
    pub(super) url: Option<String>,
}

impl<'a> View<'a> {
    /// Reads a matrix; links lead below `base`.
    pub fn of(matrix: &'a Matrix, base: &str) -> View<'a> {
        let names = Names { columns: &matrix.platforms };
        let mut by_case: BTreeMap<&str, Vec<&ClaimRow>> = BTreeMap::new();
        for claim in &matrix.claims {
            by_case.entry(&claim.case).or_default().push(claim);
        }
        let statements = |row: &Row| tally(by_case.get(row.id.as_str()).map_or(&[], Vec::as_slice));
        let group = |id, title, wanted| {
            let those = matrix.claims.iter().filter(|claim| standing(claim) == wanted);
            Group { id, title, claims: those.map(|claim| ClaimView::of(claim, &names)).collect() }
        };
        let case = |row: &'a Row| CaseView::of(row, &names, base, statements(row));
        View {
            version: &matrix.sockdiff,
            questions: matrix.cases.len(),
            different: matrix.differing().count(),
            platforms: matrix.platforms.iter().map(PlatformView::of).collect(),
            folders: folders(matrix),
            tags: matrix.cases.iter().flat_map(|row| &row.tags).map(String::as_str).collect(),
            without: without(matrix),
            works: Works::of(&matrix.claims),
            cases: matrix.cases.iter().map(case).collect(),
            refuted: group("refuted", "Refuted by at least one record", Verdict::Refuted),
            holds: group("holds", "Holds wherever it is recorded", Verdict::Holds),
            unknown: group("unknown", "Not recorded yet", Verdict::NotRecorded),
        }
    }
}

impl<'a> PlatformView<'a> {
    fn of(column: &'a Column) -> PlatformView<'a> {
        PlatformView {
            key: &column.key,
            name: column.label(),
            id: &column.id,
            release: &column.release,
            kernel: &column.kernel,
            arch: &column.arch,
            date: &column.date,
            asked: column.asked,
            capture: &column.capture,
            wire: &column.wire,
            isolation: &column.isolation,
            fingerprint: column.pinned(),
            settings: column
                .settings
                .iter()
                .map(|(key, value)| format!("{key} = {value}"))
                .collect(),
        }
    }
}

/// The columns, to name some of them.
struct Names<'a> {
    columns: &'a [Column],
}

impl Names<'_> {
    fn list(&self, has: impl Fn(&str) -> bool) -> String {
        names(self.columns, has)
    }
}

fn folders(matrix: &Matrix) -> Vec<Folder<'_>> {
    let mut folders: Vec<Folder> = Vec::new();
    for row in &matrix.cases {
        let view = RowView::of(row, &matrix.platforms);
        let different = usize::from(row.differs());
        match folders.last_mut().filter(|folder| folder.name == row.folder) {
            Some(folder) => {
                folder.different += different;
                folder.rows.push(view);
            }
            None => folders.push(Folder { name: &row.folder, different, rows: vec![view] }),
        }
    }
    folders
}

impl<'a> RowView<'a> {
    fn of(row: &'a Row, columns: &[Column]) -> RowView<'a> {
        let missing = Cell::default();
        let cell = |column: &Column| CellView::of(row.cells.get(&column.key).unwrap_or(&missing));
        let name =
            row.id.strip_prefix(row.folder.as_str()).map(|name| name.trim_start_matches('/'));
        RowView {
            id: &row.id,
            name: name.filter(|name| !name.is_empty()).unwrap_or(&row.id),
            about: &row.about,
            legend: &row.legend,
            tags: row.tags.join(" "),
            differs: row.differs(),
            cells: columns.iter().map(cell).collect(),
        }
    }
}

impl CellView {
    fn of(cell: &Cell) -> CellView {
        let (look, sign) = match cell.status {
            Status::Answer => (look(&cell.class), cell.class.as_str()),
            Status::NotRecorded => ("none".to_owned(), "–"),
            Status::Stale => ("stale".to_owned(), "old"),
            Status::Skipped => ("skipped".to_owned(), "skip"),
        };
        let answer = cell.status == Status::Answer;
        let told = if answer && !cell.calls_only { String::new() } else { behaviour(cell) };
        let mark = if answer && cell.calls_only { "c" } else { "" };
        CellView { look, sign: sign.to_owned(), mark, told }
    }
}

/// The colour of a class.
fn look(class: &str) -> String {
    let first = class.bytes().last().unwrap_or(b'A');
    format!("k{}", usize::from(first.saturating_sub(b'A')) % HUES)
}

/// What a cell says, in words.
fn behaviour(cell: &Cell) -> String {
    match cell.status {
        Status::Answer => {
            let also = cell.also.join(" or ");
            let also = if also.is_empty() { also } else { format!(", or {also}: nobody can tell") };
            let calls = if cell.calls_only { ", calls only" } else { "" };
            format!("{}{calls}{also}", cell.class)
        }
        status if cell.reason.is_empty() => status.to_string(),
        status => format!("{status}: {}", cell.reason),
    }
}

impl<'a> CaseView<'a> {
    fn of(row: &'a Row, names: &Names, base: &str, statements: String) -> CaseView<'a> {
        CaseView {
            id: &row.id,
            about: &row.about,
            spec: row.spec.iter().map(|text| spec(text)).collect(),
            topology: &row.topology,
            tags: &row.tags,
            parts: parts(&row.answers).into_iter().map(PartView::from).collect(),
            answers: row.answers.iter().map(|class| AnswerView::of(class, names)).collect(),
            statements,
            file: file(&row.file, base),
            sources: sources(row, names, base),
            yaml: without_claims(&row.yaml),
        }
    }
}

/// The signs of the legend that the matrix needs.
fn without(matrix: &Matrix) -> BTreeSet<&'static str> {
    let cells = matrix.cases.iter().flat_map(|row| row.cells.values());
    let sign = |cell: &Cell| match cell.status {
        Status::Answer => cell.calls_only.then_some("packets"),
        Status::NotRecorded => Some("record"),
        Status::Stale => Some("question"),
        Status::Skipped => Some("means"),
    };
    cells.filter_map(sign).collect()
}

/// A case's text without its `claims`: the ledger has them, each with its verdicts.
fn without_claims(yaml: &str) -> String {
    let mut inside = false;
    let kept = |line: &&str| {
        inside = match line.starts_with("claims:") {
            true => true,
            false => inside && (line.is_empty() || line.starts_with([' ', '-', '#'])),
        };
        !inside
    };
    yaml.split_inclusive('\n').filter(kept).collect()
}

impl From<Part> for PartView {
    fn from(part: Part) -> PartView {
        PartView { place: part.place, ways: part.ways }
    }
}

fn sources(row: &Row, names: &Names, base: &str) -> Vec<Source> {
    let missing = Cell::default();
    let of = |key: &str| row.cells.get(key).unwrap_or(&missing);
    let alike = |a: &Cell, b: &Cell| a.file == b.file && behaviour(a) == behaviour(b);
    let mut distinct: Vec<&Cell> = Vec::new();
    for column in names.columns {
        let cell = of(&column.key);
        if !distinct.iter().any(|known| alike(known, cell)) {
            distinct.push(cell);
        }
    }
    let source = |cell: &Cell| Source {
        platforms: names.list(|key| alike(of(key), cell)),
        behaviour: behaviour(cell),
        file: (!cell.file.is_empty()).then(|| file(&cell.file, base)),
    };
    distinct.into_iter().map(source).collect()
}

impl<'a> AnswerView<'a> {
    fn of(class: &'a Class, names: &Names) -> AnswerView<'a> {
        let has = |key: &str| class.platforms.iter().any(|own| own == key);
        AnswerView {
            class: &class.class,
            look: look(&class.class),
            keys: class.platforms.join(" "),
            names: names.list(has),
            calls_only: class.calls_only,
            body: &class.body,
        }
    }
}

/// A file of the repository is linked, any other one only named: it is on somebody's machine.
pub(super) fn file(path: &str, base: &str) -> Link {
    let below = ["cases/", "expected/"].iter().any(|folder| path.starts_with(folder));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let ours = below && path.chars().all(plain) && !path.contains("..");
    let slash = if base.is_empty() || base.ends_with('/') { "" } else { "/" };
    Link { text: path.to_owned(), url: ours.then(|| format!("{base}{slash}{path}")) }
}

/// `RFC 9293 §3.10.7.1` and `POSIX.1-2024 close()` lead there; other references are only named.
pub(super) fn spec(text: &str) -> Link {
    let posix = text.strip_prefix("POSIX.1-2024 ").and_then(|rest| {
        let name = rest.strip_suffix("()")?;
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let folder = "https://pubs.opengroup.org/onlinepubs/9799919799/functions";
        plain.then(|| format!("{folder}/{name}.html"))
    });
    let rfc = text.strip_prefix("RFC ").and_then(|rest| {
        let (number, section) = rest.split_once(" §").unwrap_or((rest, ""));
        let digits = |text: &str, dot: bool| {
            text.chars().all(|c| c.is_ascii_digit() || dot && (c == '.' || c.is_ascii_uppercase()))
        };
        let known = !number.is_empty() && digits(number, false) && digits(section, true);
        let at = if section.is_empty() { String::new() } else { format!("#section-{section}") };
        known.then(|| format!("https://datatracker.ietf.org/doc/html/rfc{number}{at}"))
    });
    Link { text: text.to_owned(), url: posix.or(rfc) }
}
