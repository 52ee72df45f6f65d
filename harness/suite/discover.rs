//! Finds the cases: below a folder, or among those embedded in the program.

use crate::model::limits::FILE_BYTES_MAX;
use crate::model::{Case, CaseId, Name, Topology};
use crate::parse::parse_case;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where cases come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Corpus {
    /// The YAML files below this folder.
    Folder(PathBuf),
    /// Pairs of path and text.
    Embedded(&'static [(&'static str, &'static str)]),
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Cases that can be understood, by id.
    pub cases: Vec<Case>,
    /// Files that cannot.
    pub bad: Vec<Bad>,
}

/// A file that is no case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bad {
    /// The id that it would have.
    pub id: String,
    /// `file:line:column: what is wrong`.
    pub message: String,
}

impl Corpus {
    /// Reads every case. Never fails: what cannot be read is among the bad.
    pub fn read(&self) -> Found {
        let mut found = Found::default();
        match self {
            Corpus::Embedded(files) => {
                for (path, text) in *files {
                    if let Some(id) = id_of(Path::new(path)) {
                        found.add(id, &Path::new("cases").join(path), text.as_bytes());
                    }
                }
            }
            Corpus::Folder(folder) => {
                let mut files = Vec::new();
                if let Err(message) = collect(folder, &mut files) {
                    found.bad.push(Bad { id: folder.display().to_string(), message });
                }
                files.sort();
                for file in files {
                    let below = file.strip_prefix(folder).unwrap_or(&file);
                    if let Some(id) = id_of(below) {
                        found.read_file(id, &file);
                    }
                }
            }
        }
        found.refuse_twins();
        found.cases.sort_by(|a, b| a.id.cmp(&b.id));
        found
    }
}

impl Found {
    /// Reads one file as the case `id`.
    pub fn read_file(&mut self, id: CaseId, file: &Path) {
        let shown = shown(file);
        let too_large = std::fs::metadata(file).is_ok_and(|m| m.len() > FILE_BYTES_MAX as u64);
        if too_large {
            let most = FILE_BYTES_MAX >> 20;
            let message =
                format!("{}:1:1: larger than {most} MiB, which no case is", shown.display());
            self.bad.push(Bad { id: id.0, message });
            return;
        }
        match std::fs::read(file) {
            Ok(bytes) => self.add(id, &shown, &bytes),
            Err(error) => {
                let message = format!("{}: cannot be read: {error}", shown.display());
                self.bad.push(Bad { id: id.0, message });
            }
        }
    }

    fn add(&mut self, id: CaseId, path: &Path, bytes: &[u8]) {
        if !id.0.split('/').all(Name::is_valid) {
            let message = format!(
                "{}: no name for a case, expected folders and a file in kebab-case: \
                 rst/close-unread-data.yaml",
                path.display()
            );
            self.bad.push(Bad { id: id.0, message });
            return;
        }
        match parse_case(id.clone(), path, bytes) {
            Ok(case) => self.cases.push(case),
            Err(error) => self.bad.push(Bad { id: id.0, message: error.to_string() }),
        }
    }

    /// Two files with one id (`a.yaml`, `a.yml`) are both refused.
    fn refuse_twins(&mut self) {
        let mut paths: BTreeMap<CaseId, Vec<PathBuf>> = BTreeMap::new();
        for case in &self.cases {
            paths.entry(case.id.clone()).or_default().push(case.path.clone());
        }
        for (id, twins) in paths.into_iter().filter(|(_, paths)| paths.len() > 1) {
            let (first, others) = (twins[0].display(), &twins[1..]);
            self.bad.extend(others.iter().map(|other| Bad {
                id: id.0.clone(),
                message: format!(
                    "{}:1:1: {first} has the id {id} too, expected one file a case: rename one",
                    other.display()
                ),
            }));
            self.cases.retain(|case| case.id != id);
        }
    }

    /// Keeps the cases with one of these tags and of this topology.
    pub fn keep(&mut self, tags: &[String], topology: Option<Topology>) {
        self.cases.retain(|case| {
            let tagged = tags.is_empty() || case.tags.iter().any(|tag| tags.contains(tag));
            tagged && topology.is_none_or(|topology| case.topology == topology)
        });
    }
}

/// The path as a person would write it from here.
pub(super) fn shown(file: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    file.strip_prefix(&here).unwrap_or(file).to_owned()
}

/// The id of a file below the folder of cases; none for what is no YAML file.
fn id_of(below: &Path) -> Option<CaseId> {
    let extension = below.extension()?.to_str()?;
    if extension != "yaml" && extension != "yml" {
        return None;
    }
    let stem = below.with_extension("");
    let parts: Vec<String> =
        stem.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    Some(CaseId(parts.join("/")))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error| format!("{}: cannot be read: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // Links are not followed: a link to a folder above would never end.
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}
