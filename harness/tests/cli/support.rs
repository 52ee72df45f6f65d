//! What the tests share: folders that vanish, the program, and what this machine can do.

use serde_json::Value;
use snapbox::cmd::{Command, OutputAssert};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_sockdiff");
/// The checkout.
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// A case without rows.
pub const CLOSED_PORT: &str = "rst/connect-closed-port";
/// A user without rights of any kind.
const NOBODY: &str = "65534";
/// Nothing that a test waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is in a folder: bytes by path.
pub type Files = BTreeMap<String, Vec<u8>>;
/// No file.
pub const NOTHING: [&str; 0] = [];

/// This machine's release as a record names it, where it is a Linux: `6.18`.
fn own_release() -> Option<String> {
    let whole = fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let mut numbers = whole.split(|c: char| !c.is_ascii_digit());
    Some(format!("{}.{}", numbers.next()?, numbers.next()?))
}

/// A folder of its own, removed when the test ends.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty folder, which other users may enter.
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sockdiff-cli-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a temporary folder");
        // macOS has its temporary folders behind a link.
        Folder(path.canonicalize().expect("it exists"))
    }

    /// A copy of the checkout's cases and of the newest Linux's answers, as if this machine's
    /// release had given them and were the only one: what a test sees does not depend on what
    /// else is recorded.
    pub fn of_suite() -> Folder {
        let folder = Folder::new();
        for (path, bytes) in files(&Path::new(ROOT).join("cases")) {
            folder.write(&format!("cases/{path}"), bytes);
        }
        let recorded = files(&Path::new(ROOT).join("expected"));
        for (path, bytes) in recorded.iter().filter(|(path, _)| path.ends_with("/linux.snap")) {
            folder.write(&format!("expected/{path}"), bytes);
        }
        let releases = recorded.iter().filter_map(|(path, bytes)| {
            let release = path.strip_prefix("ledger/linux-")?.strip_suffix(".yaml")?;
            let numbers: Vec<u32> = release.split('.').filter_map(|n| n.parse().ok()).collect();
            Some((numbers, release, String::from_utf8_lossy(bytes)))
        });
        if let (Some((_, newest, ledger)), Some(own)) = (releases.max(), own_release()) {
            let head = |release: &str| format!("release: \"{release}\"\n");
            let ledger = ledger.replacen(&head(newest), &head(&own), 1);
            folder.write(&format!("expected/ledger/linux-{own}.yaml"), ledger);
        }
        folder
    }

    /// A folder with these cases (path below `cases/`, text) and no answers.
    pub fn of_cases(cases: &[(&str, &str)]) -> Folder {
        let folder = Folder::new();
        folder.write("cases/case.schema.json", "{}");
        for (path, text) in cases {
            folder.write(&format!("cases/{path}"), text);
        }
        folder
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).expect("a readable file")
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.0.join(path)).expect("a file to remove");
    }

    pub fn exists(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }

    /// Replaces the first `old` in a file.
    pub fn edit(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "{path} lacks {old}");
        self.write(path, text.replacen(old, new, 1));
    }

    /// Every file, by its path.
    pub fn files(&self) -> Files {
        files(&self.0)
    }

    /// The paths of the files that have come, gone or changed.
    pub fn touched(&self, before: &Files) -> Vec<String> {
        let after = self.files();
        let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let touched = paths.into_iter().filter(|path| before.get(*path) != after.get(*path));
        touched.cloned().collect()
    }

    /// The program, started in this folder.
    pub fn sockdiff(&self, arguments: &str) -> Command {
        sockdiff(arguments).current_dir(&self.0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_anyway = fs::remove_dir_all(&self.0);
    }
}

/// Every file below a folder, by its path with `/`.
fn files(folder: &Path) -> Files {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(folder).expect("it is below");
            let name = below.to_str().expect("UTF-8").replace('\\', "/");
            found.insert(name, fs::read(&path).expect("a readable file"));
        }
    }
    found
}

/// The program with these arguments, in the checkout, whatever the environment of the tests says.
pub fn sockdiff(arguments: &str) -> Command {
    configured(Command::new(PROGRAM)).args(arguments.split_whitespace())
}

fn configured(command: Command) -> Command {
    ["CI", "INSTA_UPDATE", "NO_COLOR", "CLICOLOR_FORCE"]
        .into_iter()
        .fold(command, Command::env_remove)
        .current_dir(ROOT)
        .timeout(PATIENCE)
}

/// The program as a user without rights; none where that cannot be arranged, which is told.
pub fn unprivileged(arguments: &str) -> Option<Command> {
    let arguments = arguments.split_whitespace();
    if !is_root() {
        return Some(configured(Command::new(PROGRAM)).args(arguments));
    }
    let become_nobody = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", PROGRAM];
    let probe = std::process::Command::new("setpriv").args(become_nobody).arg("--version").output();
    let works = probe.is_ok_and(|output| output.status.success());
    met("setpriv, and a program that other users may start", works)
        .then(|| configured(Command::new("setpriv")).args(become_nobody).args(arguments))
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    let id = std::process::Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout == b"0\n")
}

/// What a run on this machine says of it.
fn machine() -> &'static Value {
    static MACHINE: OnceLock<Value> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let run = sockdiff(&format!("run {CLOSED_PORT} --update no --json")).assert();
        json(&run)["platform"].clone()
    })
}

/// Whether each run has a network namespace of its own and its packets are seen: then answers can
/// be held against those recorded for Linux.
pub fn namespaces() -> bool {
    let here = machine();
    let is = here["id"] == "linux" && here["isolation"] == "netns" && here["capture"] != "none";
    met("network namespaces and a look at packets", is)
}

/// Says what a test needs and this machine lacks, past libtest, which would keep it to itself.
pub fn met(need: &str, is: bool) -> bool {
    if !is {
        let test = std::thread::current();
        let name = test.name().unwrap_or("a test").to_owned();
        let _ = writeln!(std::io::stderr(), "{name}: skipped, it needs {need}");
    }
    is
}

/// What the program printed as results, with `/` in paths.
pub fn stdout(run: &OutputAssert) -> String {
    let text = String::from_utf8(run.get_output().stdout.clone());
    text.expect("UTF-8").replace('\\', "/")
}

/// What the program printed beside them, without the lines that depend on the machine: what it
/// lacks, and how busy it is.
pub fn stderr(run: &OutputAssert) -> String {
    let text = String::from_utf8(run.get_output().stderr.clone());
    let text = text.expect("UTF-8").replace('\\', "/");
    let of_machine = |line: &&str| {
        line.starts_with("no namespace for each case (") || line.contains(" made again, ")
    };
    text.split_inclusive('\n').filter(|line| !of_machine(line)).collect()
}

/// What the program printed for programs.
pub fn json(run: &OutputAssert) -> Value {
    serde_json::from_slice(&run.get_output().stdout).expect("JSON and nothing else")
}

/// Waits until something is so, and fails when it does not become so.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::yield_now();
    }
}
