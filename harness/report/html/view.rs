//! What the page's templates are filled with: the matrix as it is read, counted and grouped.

use crate::report::claims::Verdict;
use crate::report::matrix::{Cell, ClaimRow, Class, Column, Matrix, Row, Status};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

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
    legend: &'a str,
    answers: Vec<AnswerView<'a>>,
    statements: String,
    file: Link,
    sources: Vec<Source>,
    yaml: &'a str,
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

/// Statements of one kind.
#[derive(Serialize)]
struct Group<'a> {
    id: &'static str,
    title: &'static str,
    claims: Vec<ClaimView<'a>>,
}

#[derive(Serialize)]
struct ClaimView<'a> {
    case: &'a str,
    says: &'a str,
    source: &'a str,
    about: String,
    verdicts: Vec<VerdictView>,
    evidence: Vec<Seen>,
}

#[derive(Serialize)]
struct VerdictView {
    look: &'static str,
    word: String,
    names: String,
}

/// The same lines, on some platforms.
#[derive(Serialize)]
struct Seen {
    names: String,
    lines: String,
}

impl<'a> View<'a> {
    /// Reads a matrix; links lead below `base`.
    pub fn of(matrix: &'a Matrix, base: &str) -> View<'a> {
        let names = Names::of(&matrix.platforms);
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
            fingerprint: &column.fingerprint,
            settings: column
                .settings
                .iter()
                .map(|(key, value)| format!("{key} = {value}"))
                .collect(),
        }
    }
}

/// The columns' names by their keys, in their order.
struct Names<'a> {
    columns: &'a [Column],
    labels: Vec<String>,
}

impl<'a> Names<'a> {
    fn of(columns: &'a [Column]) -> Names<'a> {
        Names { columns, labels: columns.iter().map(Column::label).collect() }
    }

    /// The names of the columns for which `has` holds: `linux 5.10, 6.1, gvisor 20240729`.
    fn list(&self, has: impl Fn(&str) -> bool) -> String {
        let mut text = String::new();
        let mut previous = "";
        for (column, label) in self.columns.iter().zip(&self.labels) {
            if !has(&column.key) {
                continue;
            }
            if !text.is_empty() {
                text.push_str(", ");
            }
            let short = label.strip_prefix(&column.id).filter(|_| previous == column.id);
            text.push_str(short.map_or(label.as_str(), str::trim_start));
            previous = &column.id;
        }
        text
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
            legend: &row.legend,
            answers: row.answers.iter().map(|class| AnswerView::of(class, names)).collect(),
            statements,
            file: file(&row.file, base),
            sources: sources(row, names, base),
            yaml: &row.yaml,
        }
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

/// Where a claim stands on the page: refuted once is refuted.
fn standing(claim: &ClaimRow) -> Verdict {
    let any = |wanted| claim.verdicts.values().any(|verdict| *verdict == wanted);
    match (any(Verdict::Refuted), any(Verdict::Holds)) {
        (true, _) => Verdict::Refuted,
        (_, true) => Verdict::Holds,
        _ => Verdict::NotRecorded,
    }
}

/// `3 hold, 1 refuted`; empty without claims.
fn tally(claims: &[&ClaimRow]) -> String {
    let count = |wanted| claims.iter().filter(|claim| standing(claim) == wanted).count();
    let words = [
        (Verdict::Refuted, "refuted"),
        (Verdict::Holds, if count(Verdict::Holds) == 1 { "holds" } else { "hold" }),
        (Verdict::NotRecorded, "not recorded"),
    ];
    let told = words.map(|(verdict, word)| (count(verdict), word));
    let told = told.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    told.collect::<Vec<_>>().join(", ")
}

impl<'a> ClaimView<'a> {
    fn of(claim: &'a ClaimRow, names: &Names) -> ClaimView<'a> {
        let on = |wanted: Verdict| names.list(|key| claim.verdicts.get(key) == Some(&wanted));
        let verdicts = [(Verdict::Refuted, "refuted"), (Verdict::Holds, "holds")];
        let mut verdicts: Vec<VerdictView> = verdicts
            .map(|(verdict, look)| VerdictView {
                look,
                word: verdict.to_string(),
                names: on(verdict),
            })
            .into_iter()
            .filter(|verdict| !verdict.names.is_empty())
            .collect();
        if verdicts.is_empty() {
            let word = Verdict::NotRecorded.to_string();
            verdicts.push(VerdictView { look: "none", word, names: String::new() });
        }
        ClaimView {
            case: &claim.case,
            says: &claim.says,
            source: &claim.source,
            about: claim.platforms.join(", "),
            verdicts,
            evidence: evidence(claim, names),
        }
    }
}

/// The lines by which a claim is refuted; platforms with the same lines together. What shows that
/// it holds is what the claim itself expects, and stands in the case.
fn evidence(claim: &ClaimRow, names: &Names) -> Vec<Seen> {
    let refuted = |key: &str| claim.verdicts.get(key) == Some(&Verdict::Refuted);
    let of = |key: &str| claim.evidence.get(key).filter(|_| refuted(key));
    let mut distinct: Vec<&Vec<String>> = Vec::new();
    for column in names.columns {
        let lines = of(&column.key).filter(|lines| !lines.is_empty());
        distinct.extend(lines.filter(|lines| !distinct.contains(lines)));
    }
    let seen = |lines: &Vec<String>| Seen {
        names: names.list(|key| of(key) == Some(lines)),
        lines: lines.join("\n"),
    };
    distinct.into_iter().map(seen).collect()
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
