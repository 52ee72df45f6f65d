//! What can be wrong with the files of this floor.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A file is not what it should be, or the system does not let us have it.
#[derive(Debug)]
pub enum SnapshotError {
    /// Its content is wrong: whoever wrote it has to mend it (exit 2).
    Bad {
        /// The file.
        path: PathBuf,
        /// Its line, from 1; 0 where no line is to blame.
        line: u32,
        /// A lower-case fragment: what was found, what was expected, what to do.
        what: String,
    },
    /// The system refused to read or write it (exit 4).
    Io {
        /// The file.
        path: PathBuf,
        /// `cannot be read`, `cannot be written`, …
        what: &'static str,
        /// The system's own words.
        error: io::Error,
        /// What to do.
        help: &'static str,
    },
}

impl SnapshotError {
    pub(super) fn bad(path: &Path, line: u32, what: impl Into<String>) -> SnapshotError {
        SnapshotError::Bad { path: path.to_owned(), line, what: what.into() }
    }

    pub(super) fn read(path: &Path, error: io::Error) -> SnapshotError {
        SnapshotError::Io {
            path: path.to_owned(),
            what: "cannot be read",
            error,
            help: "check that it exists and that this user may read it",
        }
    }

    pub(super) fn write(path: &Path, error: io::Error) -> SnapshotError {
        SnapshotError::Io {
            path: path.to_owned(),
            what: "cannot be written",
            error,
            help: "make its folder writable, choose another one, or store nothing (--update no)",
        }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Bad { path, line: 0, what } => write!(f, "{}: {what}", from_here(path)),
            SnapshotError::Bad { path, line, what } => {
                write!(f, "{}:{line}: {what}", from_here(path))
            }
            SnapshotError::Io { path, what, error, help } => {
                write!(f, "{}: {what} ({error}): {help}", from_here(path))
            }
        }
    }
}

/// The path as the user would type it: relative, if the file is below the working directory.
fn from_here(path: &Path) -> std::path::Display<'_> {
    let here = std::env::current_dir();
    let below = here.ok().and_then(|here| path.strip_prefix(here).ok());
    below.filter(|below| !below.as_os_str().is_empty()).unwrap_or(path).display()
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SnapshotError::Bad { .. } => None,
            SnapshotError::Io { error, .. } => Some(error),
        }
    }
}
