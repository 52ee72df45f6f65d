//! Writes expected files and the pending ones that `cargo insta review` offers.
//!
//! A file comes into being beside its place, is read and written by insta, and then renamed: other
//! readers see the old text or the new one, and nobody sees half a file. insta's assertion macros
//! are not used: they put the path of the asserting source file into every header, and obey
//! environment variables that a run of sockdiff should not depend on.

use super::compare::alike;
use super::error::SnapshotError;
use super::header::{Header, normal};
use super::store::{Expected, Store};
use crate::model::{CaseId, Platform};
use insta::Snapshot;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What becomes of an answer that is new or differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Update {
    /// A pending file, for review.
    New,
    /// The expected file itself.
    Always,
    /// Nothing.
    No,
}

impl Update {
    /// The word of `--update`.
    pub fn from_word(word: &str) -> Option<Update> {
        match word {
            "new" => Some(Update::New),
            "always" => Some(Update::Always),
            "no" => Some(Update::No),
            _ => None,
        }
    }
}

impl Update {
    /// What happens unless the command line says otherwise: what insta's own variable says, else
    /// nothing in CI (`CI=true`) and pending files elsewhere.
    pub fn default_here() -> Update {
        let set = std::env::var("INSTA_UPDATE").ok();
        let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
        let usual = if ci { Update::No } else { Update::New };
        set.and_then(|word| Update::from_word(&word)).unwrap_or(usual)
    }
}

static WRITING: Mutex<()> = Mutex::new(());

/// Held while a file is being written. Who ends the process on Ctrl-C takes it first, and so leaves
/// nothing half done.
pub fn writing() -> MutexGuard<'static, ()> {
    // A panic while writing leaves at most a file that nobody reads.
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stores an answer that is new or differs, and returns the file. Nothing is stored, and none
/// returned, if `update` says so, if the store is part of the binary, or if the answer has no
/// packets and would replace one that has.
///
/// # Errors
/// The file cannot be written, or the present one cannot be read.
pub fn keep(
    store: &Store,
    case: &CaseId,
    platform: &Platform,
    header: &Header,
    body: &str,
    update: Update,
) -> Result<Option<PathBuf>, SnapshotError> {
    let Expected::Folder(root) = store.expected() else {
        return Ok(None);
    };
    let name = store.pending_name(case, platform)?;
    let file = root.join(&case.0).join(name.to_string());
    let path = match update {
        Update::No => return Ok(None),
        Update::New => pending_path(&file),
        Update::Always => file,
    };
    if !header.captured() {
        let recorded = store.find(case, platform)?;
        if recorded.is_some_and(|answer| answer.name == name && answer.header.captured()) {
            return Ok(None);
        }
    }
    write_snapshot(&path, header, body)?;
    Ok(Some(path))
}

/// Removes the pending file of a case once the run agrees with what is recorded.
///
/// # Errors
/// The file is there and cannot be removed.
pub fn clear(
    store: &Store,
    case: &CaseId,
    platform: &Platform,
    body: &str,
    captured: bool,
) -> Result<(), SnapshotError> {
    let Expected::Folder(root) = store.expected() else {
        return Ok(());
    };
    if store.pending(case, &platform.id).next().is_none() {
        return Ok(());
    }
    let agrees = store.find(case, platform)?.is_some_and(|answer| alike(&answer, body, captured));
    let name = store.pending_name(case, platform)?;
    let path = pending_path(&root.join(&case.0).join(name.to_string()));
    if agrees {
        let _lock = writing();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(SnapshotError::write(&path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where insta looks for what waits to become this file.
pub(super) fn pending_path(file: &Path) -> PathBuf {
    file.with_extension("snap.new")
}

/// Writes a snapshot, in insta's own spelling.
pub(super) fn write_snapshot(
    path: &Path,
    header: &Header,
    body: &str,
) -> Result<(), SnapshotError> {
    let text = header.file_text(&normal(body));
    replace(path, text.as_bytes(), |draft| {
        let wrong = |error: Box<dyn std::error::Error>| io::Error::other(error.to_string());
        let snapshot = Snapshot::from_file(draft).map_err(wrong)?;
        snapshot.save(draft).map_err(wrong)
    })
}

/// Writes any other file, and the folders above it.
///
/// # Errors
/// The file cannot be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), SnapshotError> {
    replace(path, bytes, |_| Ok(()))
}

/// Puts a file into its place in one step; `finish` may still work on the draft.
fn replace(
    path: &Path,
    bytes: &[u8],
    finish: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), SnapshotError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Other processes may be writing the same file: cargo-nextest runs each case in its own.
    let draft = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let _lock = writing();
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&draft, bytes)?;
        finish(&draft)?;
        fs::rename(&draft, path)
    };
    write().map_err(|error| {
        let _may_not_exist = fs::remove_file(&draft);
        SnapshotError::write(path, error)
    })
}

#[cfg(test)]
mod tests {
    use super::super::header;
    use super::super::testing::{Folder, header, snap};
    use super::*;
    use crate::model::Release;
    use rstest::rstest;

    const FILE: &str = "rst/closed/linux.snap";
    const PENDING: &str = "rst/closed/linux.snap.new";

    fn case() -> CaseId {
        CaseId("rst/closed".to_owned())
    }

    fn linux() -> Platform {
        Platform { id: "linux".to_owned(), release: Release(vec![6, 18]) }
    }

    fn keep_in(folder: &Folder, header: &Header, body: &str, update: Update) -> bool {
        let kept = keep(&folder.store(), &case(), &linux(), header, body, update);
        kept.expect("writable").is_some()
    }

    #[rstest]
    #[case(Update::New, Some(PENDING))]
    #[case(Update::Always, Some(FILE))]
    #[case(Update::No, None)]
    fn update_says_where(#[case] update: Update, #[case] file: Option<&str>) {
        let folder = Folder::new();
        keep_in(&folder, &header("6.18"), "a() = 0\n    a > b [S]\n", update);
        for path in [FILE, PENDING] {
            assert_eq!(folder.exists(path), Some(path) == file, "{path}");
        }
        if let Some(file) = file {
            let text = folder.read(file);
            assert!(!text.contains("source"), "{text}");
            assert!(!text.contains("assertion_line"), "{text}");
            let (read, body) = header::parse(&text).expect("our form");
            assert_eq!((read, body.as_str()), (header("6.18"), "a() = 0\n    a > b [S]"));
        }
        let drafts = fs::read_dir(folder.path().join("rst/closed"));
        assert_eq!(drafts.map_or(0, Iterator::count), usize::from(file.is_some()));
    }

    #[rstest]
    #[case("1234567890123456")]
    #[case("12345678e0123456")]
    #[case("0000000000000000")]
    #[case("a: b # c")]
    #[case("\"quoted\" \\ and é")]
    #[case("yes")]
    fn header_survives_insta(#[case] value: &str) {
        let folder = Folder::new();
        let odd = Header { settings: value.to_owned(), ..header("6.18") };
        keep_in(&folder, &odd, "x", Update::Always);
        let (read, _) = header::parse(&folder.read(FILE)).expect("our form");
        assert_eq!(read, odd);
    }

    #[rstest]
    #[case::over_packets("raw sockets", false)]
    #[case::over_calls("none", true)]
    fn calls_only_never_replaces_packets(#[case] capture: &str, #[case] stored: bool) {
        let folder = Folder::new();
        let recorded = Header { capture: capture.to_owned(), ..header("6.18") };
        folder.write(FILE, recorded.file_text("a() = 0"));
        let blind = Header { capture: "none".to_owned(), ..header("6.18") };
        assert_eq!(keep_in(&folder, &blind, "a() = 1", Update::New), stored);
    }

    #[test]
    fn agreeing_run_clears_what_was_pending() {
        let folder = Folder::new();
        folder.write(FILE, snap("6.18", "a() = 0"));
        folder.write(PENDING, snap("6.18", "a() = 1"));
        let clear = |body| clear(&folder.store(), &case(), &linux(), body, true);
        clear("a() = 1").expect("nothing to do");
        assert!(folder.exists(PENDING));
        clear("a() = 0").expect("removable");
        assert!(!folder.exists(PENDING));
        clear("a() = 0").expect("nothing to do");
    }

    #[test]
    fn unwritable_folder_is_a_clear_error() {
        let folder = Folder::new();
        // A file in the place of a folder refuses even the administrator.
        folder.write("rst", "");
        let kept = keep(&folder.store(), &case(), &linux(), &header("6.18"), "x", Update::New);
        let message = kept.expect_err("unwritable").to_string();
        assert!(message.contains("linux.snap.new: cannot be written"), "{message}");
        assert!(message.contains("--update no"), "{message}");
    }
}
