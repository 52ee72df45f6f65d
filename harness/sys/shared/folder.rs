//! A folder for the AF_UNIX names of one run, which goes with it.

use crate::model::address::Address;
use crate::sys::Trouble;
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// `sun_path` holds 104 bytes on the BSDs; the rest of it is for the name.
const FOLDER_BYTES_MAX: usize = 64;

/// Made when the first name is asked for.
#[derive(Debug, Default)]
pub struct Folder(Option<PathBuf>);

impl Folder {
    /// An address in the folder.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn name(&mut self, name: &str) -> Result<Address, Trouble> {
        let folder = match &self.0 {
            Some(folder) => folder,
            None => &*self.0.insert(make()?),
        };
        let path = folder.join(name);
        Ok(Address::UnixPath(path.to_string_lossy().into_owned()))
    }
}

fn make() -> Result<PathBuf, Trouble> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let own = format!("sockdiff-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let chosen = std::env::temp_dir().join(&own);
    let too_long = chosen.as_os_str().len() > FOLDER_BYTES_MAX;
    let path = if too_long { short().join(own) } else { chosen };
    private().create(&path).map_err(|error| {
        Trouble::Failed(format!("a folder for AF_UNIX names, {}: {error}", path.display()))
    })?;
    all(|folders| folders.insert(path.clone()));
    Ok(path)
}

/// A folder with a short name in which every user may make one.
#[cfg(unix)]
fn short() -> PathBuf {
    PathBuf::from("/tmp")
}

#[cfg(windows)]
fn short() -> PathBuf {
    std::env::var_os("ProgramData").map_or_else(|| PathBuf::from("C:\\ProgramData"), PathBuf::from)
}

/// A folder that only this user may enter.
#[cfg(unix)]
fn private() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// The folder for temporary files is the user's own on Windows, and what is made there inherits
/// its rights.
#[cfg(windows)]
fn private() -> DirBuilder {
    DirBuilder::new()
}

/// Removes the folders of all runs: the program is about to end in their middle.
pub fn remove_all() {
    for path in all(std::mem::take) {
        remove(&path);
    }
}

fn all<T>(with: impl FnOnce(&mut BTreeSet<PathBuf>) -> T) -> T {
    static FOLDERS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    with(&mut FOLDERS.lock().unwrap_or_else(PoisonError::into_inner))
}

fn remove(path: &Path) {
    // What cannot be removed is a few bytes in the folder for temporary files.
    let _ = fs::remove_dir_all(path);
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            all(|folders| folders.remove(&path));
            remove(&path);
        }
    }
}
