//! What a report may be written over: nothing but an earlier report of its kind.
//!
//! `--json FILE` takes a name, so `compare --json old.json new.json` names an output where two
//! inputs were meant. What stands in `old.json` may be the only record of a machine.

use super::super::args::CompareArgs;
use crate::report::{html, markdown, matrix};
use crate::snapshot::ResultFile;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes from the beginning of a file that tell what it is.
const HEAD_BYTES: u64 = 4096;

/// Looks at every file that is to be written, before anything is read or compared.
///
/// # Errors
/// One of them is a folder, holds something else, or is named twice.
pub fn look(args: &CompareArgs) -> Result<(), String> {
    let reports: [(&str, &Option<PathBuf>, fn(&str) -> bool); 3] = [
        ("--json", &args.json, matrix::is_json),
        ("--html", &args.html, html::is_page),
        ("--markdown", &args.markdown, markdown::is_report),
    ];
    let mut named: Vec<(&str, PathBuf)> = Vec::new();
    for (option, path, is_ours) in reports {
        let Some(path) = path.as_deref().filter(|path| path.as_os_str() != super::STDOUT) else {
            continue;
        };
        let place = place(path);
        if let Some((other, _)) = named.iter().find(|(_, taken)| *taken == place) {
            return Err(format!("{}: named by {other} and by {option}", path.display()));
        }
        named.push((option, place));
        may_be_written(option, path, is_ours)?;
    }
    Ok(())
}

fn may_be_written(option: &str, path: &Path, is_ours: fn(&str) -> bool) -> Result<(), String> {
    let shown = path.display();
    if path.is_dir() {
        return Err(format!("{shown}: a folder, {option} expects the name of a file to write"));
    }
    // What is no file (`/dev/null`, a pipe) cannot be overwritten.
    if !path.is_file() {
        return Ok(());
    }
    let head = head(path).map_err(|error| format!("{shown}: cannot be read: {error}"))?;
    if head.is_empty() || is_ours(&head) {
        return Ok(());
    }
    Err(match ResultFile::read(path) {
        Ok(_) => format!(
            "{shown}: a result file, which {option} would overwrite: {option} takes the name of \
             the file to write, expected `compare {option} FILE RESULT…`"
        ),
        Err(_) => format!(
            "{shown}: no earlier report of {option}, which would overwrite it: name another file, \
             or remove this one"
        ),
    })
}

/// The beginning of a file, as far as it is text.
fn head(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The file that a name means, which need not exist.
fn place(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    let file = path.canonicalize().ok();
    let beside = || Some(folder.ok()?.join(path.file_name()?));
    file.or_else(beside).unwrap_or_else(|| path.to_owned())
}
