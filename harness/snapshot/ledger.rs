//! The ledger of one release: which questions it has really been asked.
//!
//! `expected/ledger/<platform>-<release>.yaml`, written by `sockdiff record` and by nothing else:
//!
//! ```yaml
//! release: "6.12"
//! kernel: "6.12.48"
//! arch: x86_64
//! date: 2026-11-20
//! capture: raw sockets
//! wire: tun
//! isolation: netns
//! settings: "2b7e151628aed2a6"
//! families: [4, 6]
//! cases:
//!   rst/close-unread-data: "ae2d8a571e03ac9c"
//! skipped:
//!   rst/firewall-reject: "needs firewall: nft is not installed"
//! ```
//!
//! It is YAML, but in this one spelling, and read line by line: the keys in this order, one case a
//! line, sorted. So two machines' contributions merge, and a diff of a ledger says which cases were
//! asked. What could be taken for a number is quoted. `kernel`, `isolation` and `skipped` may be
//! absent: older ledgers have not got them.

use super::error::SnapshotError;
use super::filename::{is_case_id, is_platform_id, release};
use super::header::conflict;
use crate::model::{CaseId, Platform, Release};
use std::collections::BTreeMap;
use std::path::Path;

/// Characters of the reason for a skip.
const REASON_CHARS_MAX: usize = 200;

/// One release's ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ledger {
    /// `linux`: from the file's name.
    pub platform: String,
    /// `6.12`
    pub release: Release,
    /// The whole release as the system told it last, `6.12.48`; empty if nobody wrote it down.
    pub kernel: String,
    /// `x86_64`
    pub arch: String,
    /// The day on which it was last written, `2026-11-20`.
    pub date: String,
    /// How packets were seen, `none` if they were not.
    pub capture: String,
    /// The device of the wire.
    pub wire: String,
    /// `netns` or `shared`; empty if nobody wrote it down.
    pub isolation: String,
    /// The fingerprint of what was pinned.
    pub settings: String,
    /// The address families, `4` and `6`.
    pub families: Vec<u8>,
    /// For each case the hash of the question that was asked.
    pub cases: BTreeMap<CaseId, String>,
    /// For each case that could not be asked the reason, in one line.
    pub skipped: BTreeMap<CaseId, String>,
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
        let known = |key: &str, value: String| match value.is_empty() {
            true => value,
            false => format!("{key}: {value}\n"),
        };
        let kernel = if self.kernel.is_empty() { "" } else { &quoted(&self.kernel) };
        let mut text = format!(
            "release: \"{}\"\n{}arch: {}\ndate: {}\ncapture: {}\nwire: {}\n{}settings: \"{}\"\n\
             families: [{}]\ncases:\n",
            self.release,
            known("kernel", kernel.to_owned()),
            self.arch,
            self.date,
            self.capture,
            self.wire,
            known("isolation", self.isolation.clone()),
            self.settings,
            families.join(", "),
        );
        for (case, hash) in &self.cases {
            text += &format!("  {case}: \"{hash}\"\n");
        }
        if !self.skipped.is_empty() {
            text += "skipped:\n";
        }
        for (case, reason) in &self.skipped {
            text += &format!("  {case}: {}\n", quoted(reason));
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
        let kernel = if self.has("kernel") { self.quoted("kernel")? } else { "" };
        let arch = self.value("arch")?;
        let date = self.value("date")?;
        let capture = self.value("capture")?;
        let wire = self.value("wire")?;
        let isolation = if self.has("isolation") { self.value("isolation")? } else { "" };
        Ok(Ledger {
            platform: platform.to_owned(),
            release,
            kernel: kernel.to_owned(),
            arch: arch.to_owned(),
            date: date.to_owned(),
            capture: capture.to_owned(),
            wire: wire.to_owned(),
            isolation: isolation.to_owned(),
            settings: self.quoted("settings")?.to_owned(),
            families: self.families()?,
            cases: self.cases()?,
            skipped: self.skipped()?,
        })
    }

    /// Whether the next line has this key.
    fn has(&self, key: &str) -> bool {
        let next = self.lines.clone().next().and_then(|line| line.strip_prefix(key));
        next.is_some_and(|rest| rest.starts_with(':'))
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
        self.entries("expected `  folder/case: \"16 hexadecimal digits\"`", is_hash)
    }

    fn skipped(&mut self) -> Result<BTreeMap<CaseId, String>, SnapshotError> {
        if !self.has("skipped") {
            return Ok(BTreeMap::new());
        }
        if self.next() != Some("skipped:") {
            return Err(self.bad("expected `skipped:`"));
        }
        let good = |reason: &str| !reason.is_empty() && !reason.contains(char::is_control);
        let skipped = self.entries("expected `  folder/case: \"the reason\"`", good)?;
        match self.next() {
            Some(_) => Err(self.bad("`skipped:` stands twice")),
            None => Ok(skipped),
        }
    }

    /// Lines `  case: "value"`, up to the end or to `skipped:`.
    fn entries(
        &mut self,
        wanted: &str,
        good: impl Fn(&str) -> bool,
    ) -> Result<BTreeMap<CaseId, String>, SnapshotError> {
        let mut entries: BTreeMap<CaseId, String> = BTreeMap::new();
        while !self.has("skipped")
            && let Some(line) = self.next()
        {
            let pair = line.strip_prefix("  ").and_then(|l| l.split_once(": "));
            let pair = pair.and_then(|(case, value)| Some((case, unquote(value)?)));
            let Some((case, value)) = pair.filter(|(case, value)| is_case_id(case) && good(value))
            else {
                return Err(self.bad(format!("{wanted}, found `{line}`")));
            };
            let case = CaseId(case.to_owned());
            if entries.last_key_value().is_some_and(|(last, _)| *last >= case) {
                return Err(self.bad(format!("`{case}` is not in sorted order, or stands twice")));
            }
            entries.insert(case, value.to_owned());
        }
        Ok(entries)
    }
}

/// A text in the one spelling that is read here: in quotes, and nothing in it that YAML would take
/// for more than itself.
fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text))
}

/// A reason as a ledger can hold it: one line of bounded length, without quotes and backslashes.
pub(super) fn one_line(text: &str) -> String {
    let plain = |c: char| match c {
        '"' => '\'',
        '\\' => '/',
        c if c.is_control() => ' ',
        c => c,
    };
    text.trim().chars().map(plain).take(REASON_CHARS_MAX).collect()
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
            kernel: String::new(),
            arch: "x86_64".to_owned(),
            date: "2026-11-20".to_owned(),
            capture: "raw sockets".to_owned(),
            wire: "tun".to_owned(),
            isolation: String::new(),
            settings: "cbf29ce484222325".to_owned(),
            families: vec![4, 6],
            cases: BTreeMap::from([
                (CaseId("a/b".to_owned()), "0000000000000001".to_owned()),
                (CaseId("a/c".to_owned()), "0000000000000002".to_owned()),
            ]),
            skipped: BTreeMap::new(),
        }
    }

    const PATH: &str = "expected/ledger/rhel-9-5.14.yaml";

    #[test]
    fn what_is_written_is_read() {
        let read = Ledger::parse(Path::new(PATH), &ledger().text()).expect("good");
        assert_eq!(read, ledger());
        assert_eq!(read.file(), "ledger/rhel-9-5.14.yaml");
    }

    #[test]
    fn what_may_be_absent_is_read_too() {
        let mut whole = ledger();
        whole.kernel = "5.14.0-611.el9".to_owned();
        whole.isolation = "netns".to_owned();
        let reason = one_line("needs \"nft\":\nnot installed");
        assert_eq!(reason, "needs 'nft': not installed");
        whole.skipped.insert(CaseId("a/d".to_owned()), reason);
        let text = whole.text();
        assert!(text.contains("\nkernel: \"5.14.0-611.el9\"\narch:"), "{text}");
        assert!(text.ends_with("\nskipped:\n  a/d: \"needs 'nft': not installed\"\n"), "{text}");
        assert_eq!(Ledger::parse(Path::new(PATH), &text).expect("good"), whole);
        let broken = text.replace("\"needs 'nft': not installed\"", "needs nft");
        let error = Ledger::parse(Path::new(PATH), &broken).expect_err("unquoted").to_string();
        assert!(error.contains(":14: expected `  folder/case: \"the reason\"`"), "{error}");
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
