//! A result file inside a `.zip`.

use super::error::SnapshotError;
use super::pending::write_file;
use super::results::{RESULT_BYTES_MAX, RESULT_NAME};
use std::io::{Cursor, Read, Seek, Write};
use std::path::Path;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// The text of the `results.json` in the archive that is called `path`.
pub(super) fn read(path: &Path, file: impl Read + Seek) -> Result<String, SnapshotError> {
    let bad = |error: ZipError| {
        let what = format!("{error}: expected an archive with `{RESULT_NAME}` in it");
        SnapshotError::bad(path, 0, what)
    };
    let mut archive = ZipArchive::new(file).map_err(bad)?;
    let inside = archive.by_name(RESULT_NAME).map_err(bad)?;
    let mut bytes = Vec::new();
    let read = inside.take(RESULT_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| bad(error.into()))?;
    if bytes.len() as u64 > RESULT_BYTES_MAX {
        let what = format!("`{RESULT_NAME}` is longer than {RESULT_BYTES_MAX} bytes");
        return Err(SnapshotError::bad(path, 0, what));
    }
    String::from_utf8(bytes)
        .map_err(|_| SnapshotError::bad(path, 0, format!("`{RESULT_NAME}` is not UTF-8")))
}

/// Packs the text as `results.json`.
pub(super) fn write(path: &Path, text: &str) -> Result<(), SnapshotError> {
    let pack = || -> Result<Vec<u8>, ZipError> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file(RESULT_NAME, SimpleFileOptions::default())?;
        archive.write_all(text.as_bytes())?;
        Ok(archive.finish()?.into_inner())
    };
    let bytes = pack().map_err(|error| SnapshotError::write(path, error.into()))?;
    write_file(path, &bytes)
}
