//! Files to send: `sendfile(2)` of macOS and FreeBSD reads no memory.

use crate::sys::unix::aside;
use std::fs::{self, File};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU32, Ordering};

/// A file with these contents, which has no name any more.
///
/// # Errors
/// The system's error.
pub fn file_of(bytes: &[u8]) -> io::Result<File> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let own = format!("sockdiff-file-{}-{count}", std::process::id());
    let path = std::env::temp_dir().join(own);
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    let mut file = File::from(aside(file.into()));
    file.write_all(bytes)?;
    Ok(file)
}

/// What the call returned, where 0 means that so many bytes were sent.
pub fn counted(returned: libc::c_int, sent: libc::off_t) -> i64 {
    if returned == 0 { sent } else { i64::from(returned) }
}
