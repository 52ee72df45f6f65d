//! The table for a terminal: at most 100 columns, but for the lines of transcripts.
//!
//! ```text
//!                          linux            gvisor
//!                          5.10  6.12  6.18  20240729
//! rst/close-unread-data    A     A     B     A*
//! ```

use super::drift::{Change, Relation, Step, steps};
use super::matrix::legend::parts;
use super::matrix::{Cell, Class, Column, Matrix, Row, Status};
use super::plain::{cut, line};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;

/// The diff of two classes, each with what it is called.
pub type Differ<'a> = &'a dyn Fn((&Class, &str), (&Class, &str)) -> String;

/// Columns of a line.
const WIDTH: usize = 100;
/// Characters of a platform's line before its details.
const LABEL_MAX: usize = 40;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// What a class is written in: it says same and different, so nothing is red or green.
const COLOURS: [AnsiColor; 5] = [
    AnsiColor::Cyan,
    AnsiColor::Yellow,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightYellow,
];

/// The whole report. Styles are in it as escape codes: whoever prints it removes them where they
/// are not seen.
pub fn text(matrix: &Matrix, only_differences: bool, differ: Differ<'_>) -> String {
    let mut page = Page { text: String::new(), matrix, differ };
    match matrix.relation() {
        Relation::Twins => page.twins(),
        Relation::Releases => page.releases(),
        Relation::Platforms => page.beside(only_differences),
    }
    page.text
}

/// What stands in a cell: a letter, or a sign for what keeps it from having one.
pub fn sign(cell: Option<&Cell>) -> String {
    let Some(cell) = cell else {
        return "-".to_owned();
    };
    match cell.status {
        Status::Answer => match (cell.also.is_empty(), cell.calls_only) {
            (false, _) => format!("{}?", cell.class),
            (true, true) => format!("{}*", cell.class),
            (true, false) => cell.class.clone(),
        },
        Status::NotRecorded => "-".to_owned(),
        Status::Stale => "!".to_owned(),
        Status::Skipped => "/".to_owned(),
    }
}

/// What the signs mean, those that occur.
pub fn signs(matrix: &Matrix) -> Vec<&'static str> {
    let cells = || matrix.cases.iter().flat_map(|row| row.cells.values());
    let any = |test: fn(&Cell) -> bool| cells().any(test);
    let told = [
        (any(|cell| cell.calls_only && cell.also.is_empty()), "* calls only: no packets were seen"),
        (any(|cell| !cell.also.is_empty()), "? calls only, which fit several classes"),
        (any(|cell| cell.status == Status::NotRecorded), "- not recorded"),
        (any(|cell| cell.status == Status::Stale), "! stale: the question has changed since"),
        (any(|cell| cell.status == Status::Skipped), "/ skipped: could not be asked there"),
    ];
    told.into_iter().filter(|(is, _)| *is).map(|(_, what)| what).collect()
}

struct Page<'a> {
    text: String,
    matrix: &'a Matrix,
    differ: Differ<'a>,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// Where the answers come from, with the numbers of the table's columns if it has some.
    fn platforms(&mut self, numbered: bool) {
        let matrix = self.matrix;
        let number = |at: usize| if numbered { format!("{:<2}  ", at + 1) } else { String::new() };
        let labels = matrix.platforms.iter().enumerate();
        let labels: Vec<String> =
            labels.map(|(at, column)| number(at) + &cut(&column.label(), LABEL_MAX)).collect();
        let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        for (column, label) in matrix.platforms.iter().zip(&labels) {
            let room = WIDTH - width - 2;
            let told = cut(&details(column, room), room);
            self.line(&format!("{STRONG}{label:width$}{STRONG:#}  {FAINT}{told}{FAINT:#}"));
        }
        self.line("");
    }

    /// Platforms beside each other: the matrix, and how classes differ.
    fn beside(&mut self, only_differences: bool) {
        let matrix = self.matrix;
        let rows: Vec<&Row> =
            matrix.cases.iter().filter(|row| !only_differences || row.differs()).collect();
        let columns = Columns::of(matrix, &rows);
        // One column is A wherever it has an answer.
        let is_table = !rows.is_empty() && matrix.platforms.len() > 1;
        self.platforms(is_table && columns.numbered);
        if is_table {
            self.table(&rows, &columns);
        }
        let differing: Vec<&Row> = matrix.differing().collect();
        for row in &differing {
            self.legend(row);
        }
        self.line(&summary(matrix));
    }

    fn table(&mut self, rows: &[&Row], columns: &Columns) {
        columns.heads.iter().for_each(|head| self.line(head));
        for row in rows {
            let mut text = format!("{:width$}", cut(&row.id, columns.first), width = columns.first);
            for (column, width) in self.matrix.platforms.iter().zip(&columns.widths) {
                let cell = row.cells.get(&column.key);
                let (sign, style) = (sign(cell), style(cell));
                let gap = " ".repeat(width.saturating_sub(sign.len()));
                let _ = write!(text, "  {style}{sign}{style:#}{gap}");
            }
            self.line(&text);
        }
        self.line("");
        for sign in signs(self.matrix) {
            self.line(&format!("{FAINT}{sign}{FAINT:#}"));
        }
        if !signs(self.matrix).is_empty() {
            self.line("");
        }
    }

    /// A differing case: where its classes part, and who gives which.
    fn legend(&mut self, row: &Row) {
        self.line(&format!("{STRONG}{}{STRONG:#}", row.id));
        for part in parts(&row.answers) {
            if !part.place.is_empty() {
                self.line(&format!("  {}", cut(&line(&part.place), WIDTH - 2)));
            }
            for (letters, what) in &part.ways {
                let style = letters.split(' ').next().map_or(Style::new(), class_style);
                let what = cut(&line(what), WIDTH - 6 - letters.len());
                self.line(&format!("    {style}{letters}{style:#}  {what}"));
            }
        }
        for class in &row.answers {
            let who = cut(&who(self.matrix, row, class), WIDTH - 6);
            self.line(&format!("  {FAINT}{} = {who}{FAINT:#}", class.class));
        }
        self.line("");
    }

    /// Releases of one platform: the cases whose answer changed, and where.
    fn releases(&mut self) {
        let matrix = self.matrix;
        self.platforms(false);
        let mut changed = 0;
        for row in &matrix.cases {
            let steps = steps(matrix, row);
            if steps.is_empty() {
                continue;
            }
            changed += 1;
            self.line(&format!("{STRONG}{}{STRONG:#}  {}", row.id, letters(matrix, row)));
            for step in steps {
                self.step(row, step);
            }
            self.line("");
        }
        let compared = matrix.cases.iter().filter(|row| comparable(row)).count();
        let of = match compared {
            1 => "1 case".to_owned(),
            n => format!("{n} cases"),
        };
        self.line(&format!("{changed} of {of} changed{}", incomparable(matrix)));
    }

    fn step(&mut self, row: &Row, step: Step) {
        let (from, to) = (&self.matrix.platforms[step.from], &self.matrix.platforms[step.to]);
        self.line(&format!("  {}", between(self.matrix, row, step)));
        let class = |column: &Column| row.classes.get(&column.key).and_then(|l| row.class(l));
        if let (Some(old), Some(new)) = (class(from), class(to)) {
            let diff = (self.differ)((old, &from.label()), (new, &to.label()));
            diff.lines().for_each(|line| self.line(&format!("    {line}")));
        }
    }

    /// Two results of one release: what has come, gone and changed.
    fn twins(&mut self) {
        let matrix = self.matrix;
        self.platforms(false);
        for row in &matrix.cases {
            let change = Change::of(matrix, row);
            if !change.is_difference() {
                continue;
            }
            let why = why_missing(matrix, row, change);
            self.line(&format!("{change:9} {STRONG}{}{STRONG:#}{why}", row.id));
            if let (Change::Changed, [old, new]) = (change, row.answers.as_slice()) {
                let labels: Vec<String> = matrix.platforms.iter().map(Column::label).collect();
                let diff = (self.differ)((old, &labels[0]), (new, &labels[1]));
                diff.lines().for_each(|line| self.line(&format!("    {line}")));
            }
        }
        let count = |wanted: Change| {
            matrix.cases.iter().filter(|row| Change::of(matrix, row) == wanted).count()
        };
        let told: Vec<String> = Change::ALL
            .iter()
            .map(|change| (count(*change), change))
            .filter(|(count, change)| *count > 0 || **change == Change::Unchanged)
            .map(|(count, change)| format!("{count} {change}"))
            .collect();
        self.line(&told.join(", "));
    }
}

/// `changed between linux 5.10 and linux 6.18 (not known for linux 6.1)`
pub fn between(matrix: &Matrix, row: &Row, step: Step) -> String {
    let label = |at: usize| matrix.platforms[at].label();
    let silent: Vec<String> = (step.from + 1..step.to).map(label).collect();
    let old = row.classes.get(&matrix.platforms[step.from].key);
    let new = row.classes.get(&matrix.platforms[step.to].key);
    let letters = old.zip(new).map_or(String::new(), |(old, new)| format!(": {old} -> {new}"));
    let unknown = match silent.as_slice() {
        [] => String::new(),
        some => format!(" (not known for {})", some.join(", ")),
    };
    format!("changed between {} and {}{letters}{unknown}", label(step.from), label(step.to))
}

/// `132 cases: 120 same, 10 differ, 2 not comparable`
pub fn summary(matrix: &Matrix) -> String {
    let cases = matrix.cases.len();
    let cases = if cases == 1 { "1 case".to_owned() } else { format!("{cases} cases") };
    if let [column] = matrix.platforms.as_slice() {
        let answers = matrix.cases.iter().filter(|row| !row.answers.is_empty()).count();
        let label = column.label();
        return format!("{cases}: {answers} answered by {label}, and nothing to compare it with");
    }
    let differ = matrix.differing().count();
    let same = matrix.cases.iter().filter(|row| comparable(row)).count() - differ;
    format!("{cases}: {same} same, {differ} differ{}", incomparable(matrix))
}

/// Whether two columns have answers.
fn comparable(row: &Row) -> bool {
    row.classes.len() > 1
}

fn incomparable(matrix: &Matrix) -> String {
    match matrix.cases.iter().filter(|row| !comparable(row)).count() {
        0 => String::new(),
        n => format!(", {n} not comparable (fewer than two answers)"),
    }
}

/// Why a case that has come or gone has no answer on one side.
fn why_missing(matrix: &Matrix, row: &Row, change: Change) -> String {
    let missing = match change {
        Change::Added => 0,
        Change::Deleted => 1,
        _ => return String::new(),
    };
    let cell = matrix.platforms.get(missing).and_then(|column| row.cells.get(&column.key));
    let Some(cell) = cell else {
        return String::new();
    };
    let when = if missing == 0 { "before" } else { "now" };
    let reason = match cell.reason.is_empty() {
        true => String::new(),
        false => format!(", {}", line(&cell.reason)),
    };
    cut(&format!("  ({when}: {}{reason})", cell.status), WIDTH)
}

/// The letters of a row, in the order of the columns.
fn letters(matrix: &Matrix, row: &Row) -> String {
    let signs = matrix.platforms.iter().map(|column| {
        let cell = row.cells.get(&column.key);
        let style = style(cell);
        format!("{style}{}{style:#}", sign(cell))
    });
    signs.collect::<Vec<_>>().join(" ")
}

/// `linux 5.10, linux 6.1, macos 15 (calls only: A or B)`
pub fn who(matrix: &Matrix, row: &Row, class: &Class) -> String {
    let named = class.platforms.iter().filter_map(|key| {
        let label = matrix.column(key)?.label();
        let cell = row.cells.get(key).filter(|cell| cell.calls_only);
        Some(match cell {
            Some(cell) if cell.also.is_empty() => format!("{label} (calls only)"),
            Some(cell) => {
                format!("{label} (calls only: {} or {})", cell.class, cell.also.join(" or "))
            }
            None => label,
        })
    });
    named.collect::<Vec<_>>().join(", ")
}

/// `6.18.44 x86_64, raw sockets, wire tun, recorded 2026-11-20, 132 asked`; without the wire where
/// that leaves no room for the rest.
fn details(column: &Column, room: usize) -> String {
    let mut told = vec![format!("{} {}", column.kernel, column.arch).trim().to_owned()];
    told.push(match column.capture.as_str() {
        "none" => "calls only".to_owned(),
        seen => seen.to_owned(),
    });
    told.push(match column.date.is_empty() {
        true => format!("from {}", column.source),
        false => format!("recorded {}", column.date),
    });
    told.push(format!("{} asked", column.asked));
    let wire = format!("wire {}", column.wire);
    let long: usize = told.iter().map(|part| part.chars().count() + ", ".len()).sum();
    if !matches!(column.wire.as_str(), "none" | "") && long + wire.len() <= room {
        told.insert(2, wire);
    }
    line(&told.join(", "))
}

fn style(cell: Option<&Cell>) -> Style {
    match cell {
        Some(cell) if cell.status == Status::Answer => class_style(&cell.class),
        _ => FAINT,
    }
}

fn class_style(letter: &str) -> Style {
    let index = letter.bytes().last().map_or(0, |byte| usize::from(byte.wrapping_sub(b'A')));
    COLOURS[index % COLOURS.len()].on_default()
}

/// The widths of the table's columns, and its heading.
struct Columns {
    first: usize,
    widths: Vec<usize>,
    heads: Vec<String>,
    /// The heading has numbers in place of names.
    numbered: bool,
}

impl Columns {
    /// Each platform's name stands above its releases; where that is too wide, numbers stand above
    /// the columns, in the order of the list of platforms.
    fn of(matrix: &Matrix, rows: &[&Row]) -> Columns {
        let longest = rows.iter().map(|row| row.id.chars().count()).max().unwrap_or(0);
        let releases: Vec<String> = matrix
            .platforms
            .iter()
            .map(|column| match column.key.split_once('@') {
                Some((_, file)) => file.to_owned(),
                None => column.release.clone(),
            })
            .collect();
        let mut widths: Vec<usize> = releases.iter().map(|text| text.len().max(2)).collect();
        let mut room = 0;
        for (at, column) in matrix.platforms.iter().enumerate() {
            room += widths[at] + 2;
            // A name stands above all its releases, and needs their room.
            if matrix.platforms.get(at + 1).is_none_or(|next| next.id != column.id) {
                widths[at] += (column.id.len() + 2).saturating_sub(room);
                room = 0;
            }
        }
        let total = |widths: &[usize]| widths.iter().map(|width| width + 2).sum::<usize>();
        if longest + total(&widths) <= WIDTH {
            let heads = named_heads(matrix, &releases, longest, &widths);
            return Columns { first: longest, widths, heads, numbered: false };
        }
        let widths = vec![2; widths.len()];
        let first = longest.min(WIDTH.saturating_sub(total(&widths)).max(LABEL_MAX / 2));
        let mut head = " ".repeat(first);
        (1..=widths.len()).for_each(|number| head += &format!("  {number:<2}"));
        Columns { first, widths, heads: vec![head], numbered: true }
    }
}

/// Two lines: platforms where their columns begin, and releases.
fn named_heads(
    matrix: &Matrix,
    releases: &[String],
    first: usize,
    widths: &[usize],
) -> Vec<String> {
    let (mut ids, mut below) = (" ".repeat(first), " ".repeat(first));
    let mut before = "";
    for ((column, release), width) in matrix.platforms.iter().zip(releases).zip(widths) {
        let begins = below.len() + 2;
        if column.id != before && ids.len() <= begins {
            ids += &" ".repeat(begins - ids.len());
            ids += &column.id;
        }
        before = &column.id;
        let _ = write!(below, "  {release:width$}");
    }
    vec![ids, below]
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
