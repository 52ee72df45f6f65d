//! What the tests of this floor share: folders that vanish, and answers to put into them.

use super::header::Header;
use super::results::{CaseResult, FORMAT, Origin, ResultFile, Status};
use super::store::{Expected, Store};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of its own, removed when the test ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sockdiff-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).expect("a readable file")
    }

    pub fn exists(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }

    /// Writes a file, and tells whether it has come to be under exactly this name: where case does
    /// not count, or a name is a device's, it is another one or none.
    pub fn takes(&self, path: &str, text: impl AsRef<[u8]>) -> bool {
        let path = self.0.join(path);
        let folder = path.parent().expect("a parent");
        fs::create_dir_all(folder).expect("a folder");
        let written = fs::write(&path, text).is_ok();
        let mut entries = fs::read_dir(folder).expect("a readable folder");
        let is_it = |name: &std::ffi::OsStr| Some(name) == path.file_name();
        written && entries.any(|entry| is_it(&entry.expect("an entry").file_name()))
    }

    pub fn store(&self) -> Store {
        Store::open(Expected::Folder(self.0.clone())).expect("a store")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_anyway = fs::remove_dir_all(&self.0);
    }
}

/// The header of a release of Linux.
pub fn header(release: &str) -> Header {
    Header {
        recorded_on: format!("linux {release}.1 x86_64"),
        capture: "raw sockets".to_owned(),
        wire: "tun".to_owned(),
        isolation: "netns".to_owned(),
        settings: "cbf29ce484222325".to_owned(),
        settled: true,
    }
}

/// The text of an expected file.
pub fn snap(release: &str, body: &str) -> String {
    header(release).file_text(body)
}

/// The hash of every question in these tests.
pub const HASH: &str = "0123456789abcdef";

/// A result file of a release of Linux, with a transcript for each case.
pub fn results(release: &str, answers: &[(&str, &str)]) -> ResultFile {
    let result = |(id, transcript): &(&str, &str)| CaseResult {
        id: id.to_string(),
        status: Status::Differs,
        reason: String::new(),
        duration_ms: 1,
        case_hash: HASH.to_owned(),
        transcript: transcript.to_string(),
        events: serde_json::Value::Null,
        settled: true,
        made_again: 0,
    };
    ResultFile {
        format: FORMAT,
        platform: Origin {
            id: "linux".to_owned(),
            release: release.to_owned(),
            kernel: format!("{release}.1"),
            arch: "x86_64".to_owned(),
            capture: "raw sockets".to_owned(),
            wire: "tun".to_owned(),
            isolation: "netns".to_owned(),
            settings: BTreeMap::new(),
            families: vec![4, 6],
        },
        cases_hash: None,
        results: answers.iter().map(result).collect(),
    }
}
