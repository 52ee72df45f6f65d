//! What is wrong with the files below `expected/`, and what is missing from them.

use super::filename::{SnapName, is_case_id};
use super::ledger::{Ledger, Standing, is_hash, is_ledger};
use super::store::{Answer, Store};
use crate::model::CaseId;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

/// Characters of one folder's or file's name.
const NAME_CHARS_MAX: usize = 64;
/// Characters of a path below `expected/`: Windows allows 260 for all of it.
const PATH_CHARS_MAX: usize = 160;
/// Cases that one finding names: the others are counted.
const NAMED_MAX: usize = 8;

/// What no file may be called on Windows, whatever its extension.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Files that belong to the records as a whole: their licence, and what a person should know.
const ABOUT_ALL: [&str; 2] = ["LICENSE", "NOTES.md"];

/// Something that a person should know about the expected files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Where.
    pub path: PathBuf,
    /// The line, from 1; 0 where no line is to blame.
    pub line: u32,
    /// A lower-case fragment: what is wrong, and what to do.
    pub what: String,
    /// It must be mended; else it is only worth knowing.
    pub fault: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path.display(), self.what),
            line => write!(f, "{}:{line}: {}", self.path.display(), self.what),
        }
    }
}

/// Checks everything. `cases` are all cases with the present hashes of their questions.
pub fn check(store: &Store, cases: &[(CaseId, String)]) -> Vec<Finding> {
    let mut checker = Checker { store, cases, findings: Vec::new() };
    checker.case_names();
    for file in store.files() {
        checker.file(file);
    }
    for (case, names) in store.cases() {
        checker.answers(case, names);
    }
    for ledger in store.ledgers() {
        checker.ledger(ledger);
    }
    checker.unvouched();
    checker.findings
}

struct Checker<'a> {
    store: &'a Store,
    cases: &'a [(CaseId, String)],
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn fault(&mut self, file: &str, what: impl Into<String>) {
        self.finding(file, what, true);
    }

    fn note(&mut self, file: &str, what: impl Into<String>) {
        self.finding(file, what, false);
    }

    fn finding(&mut self, file: &str, what: impl Into<String>, fault: bool) {
        self.findings.push(Finding {
            path: self.store.expected().path(file),
            line: 0,
            what: what.into(),
            fault,
        });
    }

    fn is_case(&self, id: &str) -> bool {
        self.cases.iter().any(|(case, _)| case.0 == id)
    }

    /// Cases become folders here, so their names are checked although their files are elsewhere.
    fn case_names(&mut self) {
        let cases = self.cases;
        for (case, _) in cases {
            if !is_case_id(&case.0) {
                let what = "case names are lower-case words and numbers joined by dashes";
                self.fault(&case.0, what);
            } else if let Some(what) = unportable(&case.0) {
                self.fault(&case.0, what);
            }
            if case.folder().split('/').next() == Some("ledger") {
                self.fault(&case.0, "`ledger` is the folder of the ledgers: move the case");
            }
        }
    }

    /// One path: a ledger, an expected file, a pending one, or something that is astray.
    fn file(&mut self, file: &str) {
        if ABOUT_ALL.contains(&file) {
            return;
        }
        if let Some(what) = unportable(file) {
            self.fault(file, what);
        }
        let (case, name) = file.rsplit_once('/').unwrap_or(("", file));
        if is_ledger(file) {
            return;
        }
        if name.ends_with(".snap.new") {
            let what = "waits for review: `cargo insta review`, or delete it";
            return self.note(file, what);
        }
        if !name.ends_with(".snap") || case.is_empty() || file.starts_with("ledger/") {
            return self.fault(file, "neither an expected file nor a ledger: delete it");
        }
        if !self.is_case(case) {
            self.fault(file, format!("there is no case {case}: delete the file, or move it along"));
        }
        let known = self.store.cases().get(&CaseId(case.to_owned()));
        let is_known = |names: &Vec<SnapName>| names.iter().any(|known| known.to_string() == name);
        if !known.is_some_and(is_known) {
            let what = "no platform's name: expected one like `linux.snap` or `linux-6.12.snap`";
            self.fault(file, what);
        }
    }

    /// The files of one case, platform by platform.
    fn answers(&mut self, case: &CaseId, names: &[SnapName]) {
        for of_platform in names.chunk_by(|a, b| a.platform == b.platform) {
            let mut answers = Vec::new();
            for name in of_platform {
                match self.store.answer(case, name) {
                    Ok(answer) => answers.push(answer),
                    Err(error) => self.findings.push(error.into()),
                }
            }
            for answer in &answers {
                self.header(case, answer);
            }
            // Until a pending answer is accepted, the files around it may look wrong.
            let platform = &of_platform[0].platform;
            if self.store.pending(case, platform).next().is_none() {
                self.neighbours(case, of_platform, &answers);
            }
        }
    }

    fn neighbours(&mut self, case: &CaseId, names: &[SnapName], answers: &[Answer]) {
        for pair in answers.windows(2).filter(|pair| pair[0].body == pair[1].body) {
            let what = format!(
                "the same answer as the next release's ({}): delete this file",
                pair[1].name
            );
            self.fault(&format!("{case}/{}", pair[0].name), what);
        }
        if let Some(newest) = names.last().filter(|name| name.upto.is_some()) {
            let plain = SnapName::plain(&newest.platform);
            let what = format!("the newest answer, but not called {plain}: rename it");
            self.fault(&format!("{case}/{newest}"), what);
        }
    }

    fn header(&mut self, case: &CaseId, answer: &Answer) {
        let file = format!("{case}/{}", answer.name);
        let header = &answer.header;
        let platform = header.recorded_on.split(' ').next().unwrap_or("");
        if platform != answer.name.platform {
            let what = format!("recorded on {platform}, which is another platform");
            self.fault(&file, what);
        }
        if !is_hash(&header.settings) {
            self.fault(&file, "`settings` in the header: expected 16 hexadecimal digits");
        }
    }

    /// What a ledger vouches for must exist; what it does not vouch for is told.
    fn ledger(&mut self, ledger: &Ledger) {
        let file = ledger.file();
        let named = ledger.cases.keys().chain(ledger.skipped.keys());
        let gone: BTreeSet<&CaseId> = named.filter(|case| !self.is_case(&case.0)).collect();
        for case in gone {
            self.findings.push(Finding {
                path: self.store.expected().path(&file),
                line: ledger.line(case),
                what: format!("there is no case {case}: delete its line"),
                fault: true,
            });
        }
        let cases = self.cases;
        let of = |standing: Standing| {
            let cases = cases.iter().filter(|(case, hash)| ledger.standing(case, hash) == standing);
            cases.map(|(case, _)| case.0.as_str()).collect::<Vec<_>>()
        };
        let platform = ledger.platform();
        for case in of(Standing::Recorded) {
            if self.store.name_for(&CaseId(case.to_owned()), &platform).is_none() {
                self.fault(&file, format!("{case} is entered, but there is no answer: record it"));
            }
        }
        let stale = of(Standing::Stale);
        if !stale.is_empty() {
            self.note(&file, format!("{} stale: {}", stale.len(), some(&stale)));
        }
        let untold = of(Standing::NotRecorded);
        let is_skipped = |case: &&str| ledger.skipped.contains_key(&CaseId((*case).to_owned()));
        let (skipped, missing): (Vec<&str>, Vec<&str>) = untold.into_iter().partition(is_skipped);
        for (cases, what) in [(skipped, "skipped there"), (missing, "not recorded")] {
            if !cases.is_empty() {
                self.note(&file, format!("{} {what}: {}", cases.len(), some(&cases)));
            }
        }
    }

    /// Platforms that have answers and no ledger at all.
    fn unvouched(&mut self) {
        let store = self.store;
        let platforms: BTreeSet<&str> =
            store.cases().values().flatten().map(|name| name.platform.as_str()).collect();
        for platform in platforms {
            if store.ledgers().iter().all(|ledger| ledger.platform != platform) {
                let what = format!("answers of {platform}, but no ledger: use `sockdiff record`");
                self.note("ledger", what);
            }
        }
    }
}

impl From<super::SnapshotError> for Finding {
    fn from(error: super::SnapshotError) -> Finding {
        use super::SnapshotError::{Bad, Io};
        let (path, line, what) = match error {
            Bad { path, line, what } => (path, line, what),
            Io { path, what, error, help } => (path, 0, format!("{what} ({error}): {help}")),
        };
        Finding { path, line, what, fault: true }
    }
}

/// The first of them: a platform that was asked little lacks most.
fn some(cases: &[&str]) -> String {
    let named = cases.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    match cases.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Why some system could not check this path out. Two names that differ only in their case cannot
/// both pass, because only lower case does.
fn unportable(path: &str) -> Option<String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-./".contains(c);
    if let Some(bad) = path.chars().find(|c| !good(*c)) {
        return Some(format!(
            "{bad:?} in the name: only lower-case letters, digits, `-` and `.` are portable"
        ));
    }
    if path.len() > PATH_CHARS_MAX {
        return Some(format!("{} characters in the path: at most {PATH_CHARS_MAX}", path.len()));
    }
    path.split('/').find_map(|name| {
        let stem = name.split('.').next().unwrap_or("");
        if RESERVED.contains(&stem) {
            return Some(format!("`{stem}` is a device on Windows: choose another name"));
        }
        if name.ends_with('.') {
            return Some("a name cannot end with a point on Windows".to_owned());
        }
        let long = name.len() > NAME_CHARS_MAX;
        long.then(|| format!("{} characters in a name: at most {NAME_CHARS_MAX}", name.len()))
    })
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
