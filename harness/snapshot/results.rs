//! Result files: what `run --out` writes and `record` reads, on this machine or another.
//!
//! One JSON document, alone (`.json`), in a folder or in an archive (`.zip`) as `results.json`:
//!
//! ```json
//! {"format": 1,
//!  "platform": {"id": "linux", "release": "6.18", "kernel": "6.18.44", "arch": "x86_64",
//!               "capture": "raw sockets", "wire": "tun", "isolation": "netns",
//!               "settings": {"net.ipv4.tcp_rmem": "4096 131072 6291456"}, "families": [4, 6]},
//!  "results": [{"id": "rst/closed-port", "status": "same", "reason": "", "duration_ms": 2,
//!               "case_hash": "ae2d8a571e03ac9c", "transcript": "…", "events": []}]}
//! ```
//!
//! `settled: false` in a result says that something was left unacknowledged at its end or that a
//! step did not come to rest, `made_again: 1` that a run of it was thrown away because it had not
//! got its CPU in time. A file may come from a stranger: what it says is checked before it is
//! believed.

use super::archive;
use super::error::SnapshotError;
use super::filename::{is_case_id, is_platform_id, release};
use super::header::Header;
use super::ledger::is_hash;
use super::pending::write_file;
use super::store::read_text;
use crate::model::{CaseId, Platform, Release};
use crate::sys::Machine;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// The version of the format that this program writes and reads.
pub const FORMAT: u32 = 1;
/// Bytes of one result file, unpacked.
pub(super) const RESULT_BYTES_MAX: u64 = 256 << 20;
/// The name of the file in a folder or an archive.
pub(super) const RESULT_NAME: &str = "results.json";

/// One run of the suite on one machine.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ResultFile {
    /// [`FORMAT`]
    pub format: u32,
    /// The machine.
    pub platform: Origin,
    /// A hash of all questions, if the writer knew them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases_hash: Option<String>,
    /// What came of each case.
    pub results: Vec<CaseResult>,
}

/// The machine that a result file comes from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// `linux`
    pub id: String,
    /// The release key: `6.18`.
    pub release: String,
    /// The whole release as the system tells it.
    pub kernel: String,
    /// `x86_64`
    pub arch: String,
    /// How packets were seen, `none` if they were not.
    pub capture: String,
    /// The device of the wire.
    pub wire: String,
    /// `netns` or `shared`.
    pub isolation: String,
    /// What was pinned.
    pub settings: BTreeMap<String, String>,
    /// The address families that ran, `4` and `6`.
    pub families: Vec<u8>,
}

/// What came of one case.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CaseResult {
    /// The case.
    pub id: String,
    /// Held against the expected file of the machine that ran it.
    pub status: Status,
    /// Why it was skipped, or what went wrong; else empty.
    #[serde(default)]
    pub reason: String,
    /// How long it took.
    pub duration_ms: u64,
    /// The hash of the question that was asked.
    pub case_hash: String,
    /// The transcript; empty if there is none.
    #[serde(default)]
    pub transcript: String,
    /// Calls and packets one by one, for programs: written, but not read back.
    #[serde(default, deserialize_with = "passed_over")]
    pub events: serde_json::Value,
    /// Everything was acknowledged and nothing half closed at the end.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub settled: bool,
    /// How many of its runs were thrown away because they had not got their CPU in time, and made
    /// again.
    #[serde(default, skip_serializing_if = "is_none")]
    pub made_again: u32,
}

fn yes() -> bool {
    true
}

fn is_none(count: &u32) -> bool {
    *count == 0
}

/// Takes any JSON and keeps none: in memory a stranger's could be thirty times as long.
fn passed_over<'de, D: Deserializer<'de>>(from: D) -> Result<serde_json::Value, D::Error> {
    IgnoredAny::deserialize(from).map(|_| serde_json::Value::Null)
}

/// The outcome of a case in a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As recorded.
    Same,
    /// The calls are as recorded, packets were not compared.
    #[serde(rename = "same (calls only)")]
    SameCallsOnly,
    /// Not as recorded.
    Differs,
    /// Nothing is recorded.
    New,
    /// Did not run, for a reason.
    Skipped,
    /// Differs from itself.
    Flaky,
    /// The harness failed.
    Error,
}

impl Status {
    /// Every status, in the order of a summary.
    pub const ALL: [Status; 7] = [
        Status::Same,
        Status::SameCallsOnly,
        Status::Differs,
        Status::New,
        Status::Flaky,
        Status::Error,
        Status::Skipped,
    ];

    /// Whether a case of this status must have an answer. (A skipped one has an answer where only
    /// the record to hold it against was missing.)
    fn answers(self) -> bool {
        !matches!(self, Status::Skipped | Status::Flaky | Status::Error)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Status::Same => "same",
            Status::SameCallsOnly => "same (calls only)",
            Status::Differs => "differs",
            Status::New => "new",
            Status::Skipped => "skipped",
            Status::Flaky => "flaky",
            Status::Error => "error",
        })
    }
}

impl Origin {
    /// The origin of this machine's results.
    pub fn of(machine: &Machine, families: Vec<u8>) -> Origin {
        let machine = machine.clone();
        Origin {
            id: machine.platform,
            release: machine.release,
            kernel: machine.kernel,
            arch: machine.arch,
            capture: machine.capture,
            wire: machine.wire,
            isolation: machine.isolation,
            settings: machine.settings,
            families,
        }
    }

    /// The machine as `sys` describes it.
    pub fn machine(&self) -> Machine {
        let origin = self.clone();
        Machine {
            platform: origin.id,
            release: origin.release,
            kernel: origin.kernel,
            arch: origin.arch,
            capture: origin.capture,
            wire: origin.wire,
            isolation: origin.isolation,
            settings: origin.settings,
        }
    }

    /// The platform and release whose answers these are.
    pub fn platform(&self) -> Platform {
        Platform {
            id: self.id.clone(),
            release: release(&self.release).unwrap_or(Release(Vec::new())),
        }
    }

    /// The header for one of its answers.
    pub fn header(&self, settled: bool) -> Header {
        Header::of(&self.machine(), settled)
    }
}

impl ResultFile {
    /// Reads `results.json` in a folder or a `.zip`, or a file of any other name.
    ///
    /// # Errors
    /// It cannot be read, or is not what this program writes.
    pub fn read(path: &Path) -> Result<ResultFile, SnapshotError> {
        let (path, text) = if path.is_dir() {
            let path = path.join(RESULT_NAME);
            let text = read_text(&path, RESULT_BYTES_MAX)?;
            (path, text)
        } else if is_archive(path) {
            let file = File::open(path).map_err(|error| SnapshotError::read(path, error))?;
            (path.to_owned(), archive::read(path, file)?)
        } else {
            (path.to_owned(), read_text(path, RESULT_BYTES_MAX)?)
        };
        ResultFile::parse(&path, &text)
    }

    /// Reads the text of a result file that is called `path`.
    ///
    /// # Errors
    /// It is not what this program writes.
    pub fn parse(path: &Path, text: &str) -> Result<ResultFile, SnapshotError> {
        let file = parse(path, text)?;
        match file.fault() {
            Some(what) => Err(SnapshotError::bad(path, 0, what)),
            None => Ok(file),
        }
    }

    /// Reads the bytes of an archive that is called `path`.
    ///
    /// # Errors
    /// It is not what this program writes.
    pub fn unpack(path: &Path, bytes: &[u8]) -> Result<ResultFile, SnapshotError> {
        ResultFile::parse(path, &archive::read(path, Cursor::new(bytes))?)
    }

    /// Writes to a `.json` or `.zip` file, or as `results.json` into a folder, and returns the
    /// file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> Result<PathBuf, SnapshotError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| SnapshotError::write(path, error.into()))?;
        if is_archive(path) {
            archive::write(path, &(text + "\n"))?;
            return Ok(path.to_owned());
        }
        let file = match path.extension() {
            Some(extension) if extension == "json" => path.to_owned(),
            _ => path.join(RESULT_NAME),
        };
        write_file(&file, (text + "\n").as_bytes())?;
        Ok(file)
    }

    /// What is wrong with it beyond its form.
    fn fault(&self) -> Option<String> {
        let Origin { id, release: key, families, .. } = &self.platform;
        if !is_platform_id(id) {
            return Some(format!("platform {id:?}: expected a name such as `linux` or `rhel-9`"));
        }
        if release(key).is_none() {
            return Some(format!("release {key:?}: expected numbers such as `6.18`"));
        }
        if ![&[4][..], &[6], &[4, 6]].contains(&families.as_slice()) {
            return Some(format!("families {families:?}: expected [4], [6] or [4, 6]"));
        }
        let Origin { kernel, arch, capture, wire, isolation, .. } = &self.platform;
        for text in [kernel, arch, capture, wire, isolation] {
            if text.is_empty() || text.contains(char::is_control) {
                return Some(format!("platform entry {text:?}: expected one line of text"));
            }
        }
        let mut seen = BTreeSet::new();
        self.results.iter().find_map(|result| {
            let twice = !seen.insert(&result.id);
            twice.then(|| format!("two results for {:?}", result.id)).or_else(|| result.fault())
        })
    }
}

impl CaseResult {
    /// The case.
    pub fn case(&self) -> CaseId {
        CaseId(self.id.clone())
    }

    /// Whether there is an answer that can be recorded.
    pub fn answered(&self) -> bool {
        let told = !self.transcript.trim().is_empty();
        told && !matches!(self.status, Status::Flaky | Status::Error)
    }

    fn fault(&self) -> Option<String> {
        let id = &self.id;
        if !is_case_id(id) {
            return Some(format!("result {id:?}: expected a case such as `rst/closed-port`"));
        }
        if !is_hash(&self.case_hash) {
            return Some(format!("{id}: expected 16 hexadecimal digits as `case_hash`"));
        }
        let unprintable = |c: char| c.is_control() && c != '\n';
        if self.transcript.contains(unprintable) {
            return Some(format!("{id}: control characters in the transcript"));
        }
        if super::header::conflict(&self.transcript).is_some() {
            return Some(format!("{id}: a merge conflict in the transcript"));
        }
        if self.status.answers() && self.transcript.trim().is_empty() {
            return Some(format!("{id}: an answer without a transcript"));
        }
        None
    }
}

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zip")
}

/// Only the part that says whether the rest can be understood.
#[derive(Deserialize)]
struct Probe {
    format: Option<serde_json::Number>,
}

fn parse(path: &Path, text: &str) -> Result<ResultFile, SnapshotError> {
    let expected = "expected a result file, as `sockdiff run --out` writes it";
    let bad = |error: &serde_json::Error| {
        let line = u32::try_from(error.line()).unwrap_or(0);
        // The line stands before the message already.
        let place = format!(" at line {} column {}", error.line(), error.column());
        let what = match error.is_eof() {
            true => format!("the file is truncated: {expected}"),
            false => format!("{}: {expected}", error.to_string().replace(&place, "")),
        };
        SnapshotError::bad(path, line, what)
    };
    let probe: Probe = serde_json::from_str(text).map_err(|error| bad(&error))?;
    match probe.format {
        Some(format) if format.as_u64() == Some(FORMAT.into()) => {
            serde_json::from_str(text).map_err(|error| bad(&error))
        }
        Some(format) => {
            let what = format!("format {format}: this sockdiff reads format {FORMAT}, use another");
            Err(SnapshotError::bad(path, 0, what))
        }
        None => Err(SnapshotError::bad(path, 0, format!("no `format`: {expected}"))),
    }
}

#[cfg(test)]
#[path = "results_tests.rs"]
mod tests;
