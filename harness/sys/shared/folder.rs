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
        let path = self.path()?.join(name);
        Ok(Address::UnixPath(path.to_string_lossy().into_owned()))
    }

    /// Lets other users in, too: a process of the case becomes one of them.
    ///
    /// # Errors
    /// They may not even come as far as that.
    pub fn open_to_all(&mut self) -> Result<(), Trouble> {
        enterable(self.path()?)
    }

    fn path(&mut self) -> Result<&Path, Trouble> {
        Ok(match &mut self.0 {
            Some(folder) => folder,
            none => none.insert(make()?),
        })
    }
}

/// Lets every user enter it; what stands in it may be reached by whom its own mode lets.
#[cfg(unix)]
fn enterable(path: &Path) -> Result<(), Trouble> {
    use crate::model::capability::Lack;
    use std::os::unix::fs::PermissionsExt;
    const ALL_ENTER: u32 = 0o711;
    let failed = |error: std::io::Error| Trouble::Failed(format!("{}: {error}", path.display()));
    fs::set_permissions(path, fs::Permissions::from_mode(ALL_ENTER)).map_err(failed)?;
    for above in path.ancestors().filter(|above| !above.as_os_str().is_empty()) {
        let mode = fs::metadata(above).map_err(failed)?.permissions().mode();
        if mode & 0o001 == 0 {
            let what = format!("other users may not enter {}", above.display());
            return Err(Trouble::Lacks(Lack::new(what).remedy("set TMPDIR=/tmp")));
        }
    }
    Ok(())
}

#[cfg(windows)]
fn enterable(_: &Path) -> Result<(), Trouble> {
    Ok(())
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

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::{Folder, Trouble};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn others_enter_only_when_they_are_let_in() {
        let mut folder = Folder::default();
        let mode = |folder: &mut Folder| {
            let path = folder.path().unwrap().to_owned();
            std::fs::metadata(path).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(mode(&mut folder), 0o700);
        match folder.open_to_all() {
            Ok(()) => assert_eq!(mode(&mut folder), 0o711),
            // Where temporary files are this user's own.
            Err(trouble) => assert!(matches!(trouble, Trouble::Lacks(_)), "{trouble}"),
        }
    }
}
