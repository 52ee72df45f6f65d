//! The ledger of one release: which questions it has really been asked.
//!
//! `expected/ledger/<platform>-<release>.yaml`, written by `sockdiff record` and by nothing else:
//!
//! ```yaml
//! release: "6.12"
//! arch: x86_64
//! date: 2026-11-20
//! capture: raw sockets
//! wire: tun
//! settings: "2b7e151628aed2a6"
//! families: [4, 6]
//! cases:
//!   rst/close-unread-data: "ae2d8a571e03ac9c"
//! ```
//!
//! It is YAML, but in this one spelling, and read line by line: the keys in this order, one case a
//! line, sorted. So two machines' contributions merge, and a diff of a ledger says which cases were
//! asked. What could be taken for a number is quoted.

use super::error::SnapshotError;
use super::filename::{is_case_id, is_platform_id, release};
use super::header::conflict;
use crate::model::{CaseId, Platform, Release};
use std::collections::BTreeMap;
use std::path::Path;

/// One release's ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ledger {
    /// `linux`: from the file's name.
    pub platform: String,
    /// `6.12`
    pub release: Release,
    /// `x86_64`
    pub arch: String,
    /// The day on which it was last written, `2026-11-20`.
    pub date: String,
    /// How packets were seen, `none` if they were not.
    pub capture: String,
    /// The device of the wire.
    pub wire: String,
    /// The fingerprint of what was pinned.
    pub settings: String,
    /// The address families, `4` and `6`.
    pub families: Vec<u8>,
    /// For each case the hash of the question that was asked.
    pub cases: BTreeMap<CaseId, String>,
}

/// Whether a release has been asked a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// As it stands now.
    Recorded,
    /// In another version.
    Stale,
    /// Never.
    NotRecorded,
}

/// Whether a path below `expected/` is a ledger's.
pub(super) fn is_ledger(file: &str) -> bool {
    file.starts_with("ledger/") && file.ends_with(".yaml")
}

impl Ledger {
    /// Which release's ledger it is.
    pub fn platform(&self) -> Platform {
        Platform { id: self.platform.clone(), release: self.release.clone() }
    }

    /// The file's path below `expected/`.
    pub fn file(&self) -> String {
        format!("ledger/{}.yaml", self.platform())
    }

    /// Whether this release has been asked this question as it stands now.
    pub fn standing(&self, case: &CaseId, hash: &str) -> Standing {
        match self.cases.get(case) {
            None => Standing::NotRecorded,
            Some(asked) if asked == hash => Standing::Recorded,
            Some(_) => Standing::Stale,
        }
    }

    /// The line on which its text has this case; 0 if it has not.
    pub(super) fn line(&self, case: &CaseId) -> u32 {
        let begin = format!("  {case}: ");
        let text = self.text();
        let mut lines = (1..).zip(text.lines());
        lines.find(|(_, line)| line.starts_with(&begin)).map_or(0, |(number, _)| number)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let families: Vec<String> = self.families.iter().map(u8::to_string).collect();
        let mut text = format!(
            "release: \"{}\"\narch: {}\ndate: {}\ncapture: {}\nwire: {}\nsettings: \"{}\"\n\
             families: [{}]\ncases:\n",
            self.release,
            self.arch,
            self.date,
            self.capture,
            self.wire,
            self.settings,
            families.join(", "),
        );
        for (case, hash) in &self.cases {
            text += &format!("  {case}: \"{hash}\"\n");
        }
        text
    }

    /// Reads a file's text; the platform and release are in its name.
    ///
    /// # Errors
    /// It is not in the one spelling that [`Ledger::text`] gives.
    pub fn parse(path: &Path, text: &str) -> Result<Ledger, SnapshotError> {
        if let Some(line) = conflict(text) {
            let what = "a merge conflict: keep the lines of both sides, sorted by case";
            return Err(SnapshotError::bad(path, line, what));
        }
        if !text.ends_with('\n') {
            let what = "the file ends within a line: it is truncated, restore it";
            return Err(SnapshotError::bad(path, 0, what));
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let named = stem
            .and_then(|stem| stem.rsplit_once('-'))
            .and_then(|(id, tail)| Some((id, release(tail)?)))
            .filter(|(id, _)| is_platform_id(id))
            .ok_or_else(|| {
                let what = "a ledger is called after its release, `linux-6.12.yaml`";
                SnapshotError::bad(path, 0, what)
            })?;
        Lines::new(path, text).ledger(named.0, named.1)
    }
}

/// The lines of a ledger that are still to be read.
struct Lines<'a> {
    path: &'a Path,
    number: u32,
    lines: std::str::Lines<'a>,
}

impl<'a> Lines<'a> {
    fn new(path: &'a Path, text: &'a str) -> Lines<'a> {
        Lines { path, number: 0, lines: text.lines() }
    }

    fn ledger(mut self, platform: &str, release: Release) -> Result<Ledger, SnapshotError> {
        let written = self.quoted("release")?;
        if written != release.to_string() {
            let what = format!("release {written} in the ledger of {release}: rename the file");
            return Err(self.bad(what));
        }
        Ok(Ledger {
            platform: platform.to_owned(),
            release,
            arch: self.value("arch")?.to_owned(),
            date: self.value("date")?.to_owned(),
            capture: self.value("capture")?.to_owned(),
            wire: self.value("wire")?.to_owned(),
            settings: self.quoted("settings")?.to_owned(),
            families: self.families()?,
            cases: self.cases()?,
        })
    }

    fn next(&mut self) -> Option<&'a str> {
        self.number += 1;
        self.lines.next()
    }

    fn bad(&self, what: impl Into<String>) -> SnapshotError {
        SnapshotError::bad(self.path, self.number, what)
    }

    fn value(&mut self, key: &str) -> Result<&'a str, SnapshotError> {
        let line = self.next().unwrap_or("");
        line.strip_prefix(key)
            .and_then(|rest| rest.strip_prefix(": "))
            .filter(|value| !value.is_empty() && !value.contains(char::is_control))
            .ok_or_else(|| self.bad(format!("expected `{key}: …`, found `{line}`")))
    }

    fn quoted(&mut self, key: &str) -> Result<&'a str, SnapshotError> {
        let value = self.value(key)?;
        unquote(value).ok_or_else(|| self.bad(format!("expected `{key}: \"…\"`, in quotes")))
    }

    fn families(&mut self) -> Result<Vec<u8>, SnapshotError> {
        match self.value("families")? {
            "[4]" => Ok(vec![4]),
            "[6]" => Ok(vec![6]),
            "[4, 6]" => Ok(vec![4, 6]),
            other => {
                Err(self
                    .bad(format!("expected `families: [4]`, `[6]` or `[4, 6]`, found `{other}`")))
            }
        }
    }

    fn cases(&mut self) -> Result<BTreeMap<CaseId, String>, SnapshotError> {
        if self.next() != Some("cases:") {
            return Err(self.bad("expected `cases:`"));
        }
        let mut cases: BTreeMap<CaseId, String> = BTreeMap::new();
        while let Some(line) = self.next() {
            let pair = line.strip_prefix("  ").and_then(|l| l.split_once(": "));
            let pair = pair.and_then(|(case, hash)| Some((case, unquote(hash)?)));
            let Some((case, hash)) = pair.filter(|(case, hash)| is_case_id(case) && is_hash(hash))
            else {
                let wanted = "expected `  folder/case: \"16 hexadecimal digits\"`";
                return Err(self.bad(format!("{wanted}, found `{line}`")));
            };
            let case = CaseId(case.to_owned());
            if cases.last_key_value().is_some_and(|(last, _)| *last >= case) {
                return Err(self.bad(format!("`{case}` is not in sorted order, or stands twice")));
            }
            cases.insert(case, hash.to_owned());
        }
        Ok(cases)
    }
}

fn unquote(value: &str) -> Option<&str> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains(['"', '\\'])).then_some(inside)
}

/// Whether that is a hash of a question or of settings: 16 hexadecimal digits.
pub(super) fn is_hash(text: &str) -> bool {
    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == 16 && text.bytes().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn ledger() -> Ledger {
        Ledger {
            platform: "rhel-9".to_owned(),
            release: Release(vec![5, 14]),
            arch: "x86_64".to_owned(),
            date: "2026-11-20".to_owned(),
            capture: "raw sockets".to_owned(),
            wire: "tun".to_owned(),
            settings: "cbf29ce484222325".to_owned(),
            families: vec![4, 6],
            cases: BTreeMap::from([
                (CaseId("a/b".to_owned()), "0000000000000001".to_owned()),
                (CaseId("a/c".to_owned()), "0000000000000002".to_owned()),
            ]),
        }
    }

    const PATH: &str = "expected/ledger/rhel-9-5.14.yaml";

    #[test]
    fn what_is_written_is_read() {
        let read = Ledger::parse(Path::new(PATH), &ledger().text()).expect("good");
        assert_eq!(read, ledger());
        assert_eq!(read.file(), "ledger/rhel-9-5.14.yaml");
    }

    #[rstest]
    #[case("a/b", "0000000000000001", Standing::Recorded)]
    #[case("a/b", "000000000000000f", Standing::Stale)]
    #[case("a/x", "0000000000000001", Standing::NotRecorded)]
    fn standing(#[case] case: &str, #[case] hash: &str, #[case] wanted: Standing) {
        assert_eq!(ledger().standing(&CaseId(case.to_owned()), hash), wanted);
    }

    #[rstest]
    #[case::other_release("\"5.14\"", "\"5.15\"", ":1: release 5.15")]
    #[case::unquoted("\"5.14\"", "5.14", ":1: expected `release: \"…\"`")]
    #[case::order("arch: x86_64", "date: x", ":2: expected `arch: …`")]
    #[case::families("[4, 6]", "[6, 4]", ":7: expected `families")]
    #[case::no_cases("cases:", "case:", ":8: expected `cases:`")]
    #[case::hash("0000000000000001", "1", ":9: expected `  folder/case")]
    #[case::id("a/b", "a/..", ":9: expected `  folder/case")]
    #[case::unsorted("a/b", "a/d", ":10: `a/c` is not in sorted order")]
    #[case::twice("a/b", "a/c", ":10: `a/c` is not in sorted order")]
    #[case::conflict("cases:", "<<<<<<< HEAD", ":8: a merge conflict")]
    fn broken_ledger(#[case] good: &str, #[case] broken: &str, #[case] message: &str) {
        let text = ledger().text().replacen(good, broken, 1);
        let error = Ledger::parse(Path::new(PATH), &text).expect_err("broken");
        let wanted = format!("{PATH}{message}");
        assert!(error.to_string().starts_with(&wanted), "{error}");
    }

    #[test]
    fn name_must_be_a_release() {
        let error = Ledger::parse(Path::new("ledger/linux.yaml"), &ledger().text());
        assert!(error.expect_err("no release").to_string().contains("called after"));
    }
}
