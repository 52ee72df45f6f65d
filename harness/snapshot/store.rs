//! Finds expected files: in a folder, or among the answers that are part of the binary.

use super::compare::{alike, calls_only};
use super::error::SnapshotError;
use super::filename::SnapName;
use super::header::{self, Header};
use super::ledger::{self, Ledger, Standing};
use crate::model::{CaseId, Platform, Release};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of one file below `expected/`.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Folders inside each other below `expected/`.
const DEPTH_MAX: usize = 8;

/// Where expected files are.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Below this folder.
    Folder(PathBuf),
    /// In the binary, which cannot be written: path below `expected/` and text.
    Embedded(&'static [(&'static str, &'static str)]),
}

impl Expected {
    /// The path of one of its files as a person should see it.
    pub fn path(&self, file: &str) -> PathBuf {
        match self {
            Expected::Folder(root) => root.join(file),
            Expected::Embedded(_) => Path::new("(embedded) expected").join(file),
        }
    }

    /// Every file, as its path below the root with `/` between folders, sorted.
    fn files(&self) -> Result<Vec<String>, SnapshotError> {
        let mut files = Vec::new();
        match self {
            Expected::Folder(root) if root.is_dir() => walk(root, "", 0, &mut files)?,
            Expected::Folder(_) => {}
            Expected::Embedded(all) => files.extend(all.iter().map(|(path, _)| path.to_string())),
        }
        files.sort();
        Ok(files)
    }

    pub(super) fn read(&self, file: &str) -> Result<String, SnapshotError> {
        let path = self.path(file);
        match self {
            Expected::Folder(_) => read_text(&path, FILE_BYTES_MAX),
            Expected::Embedded(all) => all
                .iter()
                .find(|(name, _)| *name == file)
                .map(|(_, text)| text.replace("\r\n", "\n"))
                .ok_or_else(|| SnapshotError::bad(&path, 0, "there is no such embedded file")),
        }
    }
}

/// Reads a file of bounded length that must be UTF-8.
pub(super) fn read_text(path: &Path, bytes_max: u64) -> Result<String, SnapshotError> {
    let read = |error| SnapshotError::read(path, error);
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(read)?;
    let mut bounded = file.take(bytes_max + 1);
    bounded.read_to_end(&mut bytes).map_err(read)?;
    if bytes.len() as u64 > bytes_max {
        let what = format!("longer than {bytes_max} bytes: nothing of ours is");
        return Err(SnapshotError::bad(path, 0, what));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        SnapshotError::bad(path, line, "not UTF-8: restore the file or record again")
    })?;
    Ok(text.replace("\r\n", "\n"))
}

fn walk(
    folder: &Path,
    below: &str,
    depth: usize,
    files: &mut Vec<String>,
) -> Result<(), SnapshotError> {
    let read = |error| SnapshotError::read(folder, error);
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(read)?;
        if kind.is_dir() && depth < DEPTH_MAX {
            walk(&entry.path(), &format!("{path}/"), depth + 1, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// One expected file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Whose answer it is.
    pub name: SnapName,
    /// The file, as a person should see it.
    pub path: PathBuf,
    /// Where the answer comes from.
    pub header: Header,
    /// The transcript, without its last line end.
    pub body: String,
}

/// The expected files and ledgers as they were when the store was opened.
#[derive(Debug)]
pub struct Store {
    expected: Expected,
    files: Vec<String>,
    cases: BTreeMap<CaseId, Vec<SnapName>>,
    pending: BTreeMap<CaseId, Vec<SnapName>>,
    ledgers: Vec<Ledger>,
}

impl Store {
    /// Lists the files and reads the ledgers. A folder that does not exist is an empty store.
    ///
    /// # Errors
    /// A folder or a ledger cannot be read, or a ledger is not in its form.
    pub fn open(expected: Expected) -> Result<Store, SnapshotError> {
        let files = expected.files()?;
        let mut ledgers = Vec::new();
        for file in files.iter().filter(|file| ledger::is_ledger(file)) {
            let path = expected.path(file);
            ledgers.push(Ledger::parse(&path, &expected.read(file)?)?);
        }
        ledgers.sort_by(|a, b| {
            let key = |ledger: &Ledger| (ledger.platform.clone(), ledger.release.clone());
            key(a).cmp(&key(b))
        });
        let known = ledgers.iter().map(|ledger| ledger.platform.clone());
        let known: BTreeSet<String> = known.collect();
        let (mut cases, mut pending) = (BTreeMap::new(), BTreeMap::new());
        for file in files.iter().filter(|file| !ledger::is_ledger(file)) {
            let (names, file) = match file.strip_suffix(".new") {
                Some(file) => (&mut pending, file),
                None => (&mut cases, file.as_str()),
            };
            if let Some((case, name)) = file.rsplit_once('/')
                && let Some(name) = SnapName::parse(name, &known)
            {
                let names: &mut Vec<SnapName> = names.entry(CaseId(case.to_owned())).or_default();
                names.push(name);
            }
        }
        cases.values_mut().for_each(|names| names.sort_by(by_age));
        Ok(Store { expected, files, cases, pending, ledgers })
    }

    /// Where the files are.
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// Every file below the root, sorted.
    pub(super) fn files(&self) -> &[String] {
        &self.files
    }

    /// The cases that have files, and whose these are: a platform's oldest first, its plain name
    /// last.
    pub fn cases(&self) -> &BTreeMap<CaseId, Vec<SnapName>> {
        &self.cases
    }

    /// Every ledger, by platform and release.
    pub fn ledgers(&self) -> &[Ledger] {
        &self.ledgers
    }

    /// The ledger of one release.
    pub fn ledger(&self, platform: &Platform) -> Option<&Ledger> {
        self.ledgers.iter().find(|l| l.platform == platform.id && l.release == platform.release)
    }

    /// Whether this release has been asked this question as it stands now.
    pub fn standing(&self, platform: &Platform, case: &CaseId, hash: &str) -> Standing {
        self.ledger(platform).map_or(Standing::NotRecorded, |ledger| ledger.standing(case, hash))
    }

    /// Whether anything at all is recorded for a platform, of whatever release.
    pub fn has_platform(&self, id: &str) -> bool {
        let names = || self.cases.values().flatten();
        self.ledgers.iter().any(|ledger| ledger.platform == id)
            || names().any(|name| name.platform == id)
    }

    /// The name of the file that a release uses: the one with the lowest version not below its
    /// own, else the plain one.
    pub fn name_for(&self, case: &CaseId, platform: &Platform) -> Option<&SnapName> {
        let names = self.cases.get(case)?.iter();
        let mut own = names.filter(|name| name.platform == platform.id);
        own.find(|name| name.upto.as_ref().is_none_or(|upto| *upto >= platform.release))
    }

    /// The answer that a release is held against.
    ///
    /// # Errors
    /// The file cannot be read or is no expected file.
    pub fn find(
        &self,
        case: &CaseId,
        platform: &Platform,
    ) -> Result<Option<Answer>, SnapshotError> {
        let name = self.name_for(case, platform);
        name.map(|name| self.answer(case, name)).transpose()
    }

    /// Every recorded answer to a case, in the order of [`Store::cases`].
    ///
    /// # Errors
    /// A file cannot be read or is no expected file.
    pub fn answers(&self, case: &CaseId) -> Result<Vec<Answer>, SnapshotError> {
        let names = self.cases.get(case).into_iter().flatten();
        names.map(|name| self.answer(case, name)).collect()
    }

    /// The answers of one platform's releases to a case, the oldest first.
    pub(super) fn answers_of(
        &self,
        case: &CaseId,
        platform: &str,
    ) -> Result<Vec<Answer>, SnapshotError> {
        let names = self.cases.get(case).into_iter().flatten();
        let own = names.filter(|name| name.platform == platform);
        own.map(|name| self.answer(case, name)).collect()
    }

    /// The recorded answers that this one equals, named by their releases (`linux-6.12`): the
    /// platform's own first.
    ///
    /// # Errors
    /// A file cannot be read or is no expected file.
    pub fn equal_to(
        &self,
        case: &CaseId,
        platform: &str,
        body: &str,
        captured: bool,
    ) -> Result<Vec<String>, SnapshotError> {
        let mut equal = self.answers(case)?;
        equal.retain(|answer| alike(answer, body, captured));
        equal.sort_by_key(|answer| answer.name.platform != platform);
        let named = equal.iter().map(|answer| self.newest(case, &answer.name));
        Ok(named.collect())
    }

    /// The releases of a platform whose ledger says that they gave the answer in this file.
    pub fn releases(&self, case: &CaseId, name: &SnapName) -> Vec<&Release> {
        self.resting(case, name).into_iter().map(|ledger| &ledger.release).collect()
    }

    /// Whether one of these releases gave or confirmed the answer while this was pinned. A file
    /// keeps the header of its first recording.
    pub fn is_confirmed_under(&self, case: &CaseId, name: &SnapName, fingerprint: &str) -> bool {
        self.resting(case, name).iter().any(|ledger| ledger.settings == fingerprint)
    }

    /// The ledgers of the releases that gave the answer in this file.
    fn resting(&self, case: &CaseId, name: &SnapName) -> Vec<&Ledger> {
        let of_platform = self.ledgers.iter().filter(|l| l.platform == name.platform);
        let asked = of_platform.filter(|ledger| ledger.cases.contains_key(case));
        asked.filter(|ledger| self.name_for(case, &ledger.platform()) == Some(name)).collect()
    }

    /// The file for a new answer of a release: the plain name, unless something newer is recorded
    /// for this case.
    ///
    /// # Errors
    /// The file that the release uses cannot be read or is no expected file.
    pub fn pending_name(
        &self,
        case: &CaseId,
        platform: &Platform,
    ) -> Result<SnapName, SnapshotError> {
        let newer = |release: &Release| *release > platform.release;
        let asked =
            |ledger: &&Ledger| ledger.platform == platform.id && ledger.cases.contains_key(case);
        let present = self.find(case, platform)?;
        let is_older = present.is_some_and(|answer| {
            let on = answer.recorded_on(platform.release.0.len());
            answer.name.upto.is_some() || on.as_ref().is_some_and(newer)
        });
        if is_older || self.ledgers.iter().filter(asked).any(|ledger| newer(&ledger.release)) {
            return Ok(SnapName::older(&platform.id, platform.release.clone()));
        }
        Ok(SnapName::plain(&platform.id))
    }

    /// The names of one platform's files for a case that wait for review.
    pub(super) fn pending(&self, case: &CaseId, platform: &str) -> impl Iterator<Item = &SnapName> {
        let names = self.pending.get(case).into_iter().flatten();
        names.filter(move |name| name.platform == platform)
    }

    /// An answer that waits for review.
    pub(super) fn pending_answer(
        &self,
        case: &CaseId,
        name: &SnapName,
    ) -> Result<Answer, SnapshotError> {
        self.read(&format!("{case}/{name}.new"), name)
    }

    /// `linux-6.12` for the file of that name; for a plain one the newest release in a ledger that
    /// rests on it.
    fn newest(&self, case: &CaseId, name: &SnapName) -> String {
        let newest = self.releases(case, name).last().copied().cloned();
        match (&name.upto, newest) {
            (None, Some(release)) => SnapName::older(&name.platform, release).stem(),
            _ => name.stem(),
        }
    }

    pub(super) fn answer(&self, case: &CaseId, name: &SnapName) -> Result<Answer, SnapshotError> {
        self.read(&format!("{case}/{name}"), name)
    }

    fn read(&self, file: &str, name: &SnapName) -> Result<Answer, SnapshotError> {
        let path = self.expected.path(file);
        let (header, body) = header::parse(&self.expected.read(file)?)
            .map_err(|(line, what)| SnapshotError::bad(&path, line, what))?;
        Ok(Answer { name: name.clone(), path, header, body })
    }
}

/// By platform, then the oldest release first and the plain name last.
fn by_age(a: &SnapName, b: &SnapName) -> std::cmp::Ordering {
    let key = |name: &SnapName| (name.platform.clone(), name.upto.is_none(), name.upto.clone());
    key(a).cmp(&key(b))
}

impl Answer {
    /// The calls of this answer, without its packets.
    pub fn calls(&self) -> String {
        calls_only(&self.body)
    }

    /// The release in the header (`linux 6.18.44 x86_64`), cut to so many numbers.
    pub fn recorded_on(&self, count: usize) -> Option<Release> {
        let kernel = self.header.recorded_on.split(' ').nth(1)?;
        let numbers = kernel.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let whole = Release::parse(numbers.trim_end_matches('.'))?;
        Some(whole.key(count))
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
