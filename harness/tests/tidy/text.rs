//! Rules for every text file, and for what may lie where.

use super::{Findings, Tree};

const COLUMNS_MAX: usize = 100;

/// Files and folders of the top level; folders with a dot in front come besides.
const TOP_LEVEL: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "cases",
    "ci",
    "clippy.toml",
    "deny.toml",
    "expected",
    "harness",
    "rustfmt.toml",
];

/// Folders with a dot in front that are part of the project.
const DOT_FOLDERS: &[&str] = &[".ci", ".config", ".github"];

/// Whether the rules look at `path`: not at what is built, pending, or an editor's or git's own.
pub fn belongs_to_the_project(path: &str) -> bool {
    let top = path.split('/').next().unwrap_or(path);
    let foreign = top == "target" || top.starts_with('.') && !DOT_FOLDERS.contains(&top);
    let pending = path.ends_with(".snap.new") || path.ends_with(".pending-snap");
    // What a fuzzer is fed is meant to be broken.
    let fed = path.starts_with("harness/fuzz/corpus/");
    !foreign && !pending && !fed
}

/// LF, no tab, no trailing blank, and one newline at the end.
pub fn lines_are_clean(path: &str, tree: &Tree) -> Findings {
    let text = &tree[path];
    let mut findings = Vec::new();
    for (at, line) in text.split_terminator('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            findings.push((at + 1, "end the line after its last visible character, LF".into()));
        }
        if line.contains('\t') {
            findings.push((at + 1, "indent with spaces".into()));
        }
    }
    let end = text.lines().count();
    if !text.is_empty() && !text.ends_with('\n') || text.ends_with("\n\n") {
        findings.push((end, "end the file with one newline".into()));
    }
    findings
}

/// A line fits beside another file; what a machine wrote, a table or an address may be wider.
pub fn lines_fit(path: &str, tree: &Tree) -> Findings {
    // What a program printed is as wide as it is.
    let printed = [".json", ".snap", ".stdout", ".stderr"];
    let written = path == "Cargo.lock" || path.starts_with("expected/ledger/");
    let generated = written || printed.iter().any(|ending| path.ends_with(ending));
    if generated || path.ends_with(".toml") {
        return Vec::new();
    }
    let lines = tree[path].lines().enumerate();
    let wide = lines.filter(|(_, line)| {
        let unbreakable = line.contains("://") || line.starts_with('|') && path.ends_with(".md");
        line.chars().count() > COLUMNS_MAX && !unbreakable
    });
    wide.map(|(at, _)| (at + 1, format!("at most {COLUMNS_MAX} columns"))).collect()
}

/// The top level is a table of contents.
pub fn top_level(path: &str, _: &Tree) -> Findings {
    let top = path.split('/').next().unwrap_or(path);
    if TOP_LEVEL.contains(&top) || top.starts_with('.') {
        return Vec::new();
    }
    vec![(1, format!("move `{top}` into a folder; the top level holds {}", TOP_LEVEL.join(" ")))]
}

/// Nothing names the machine on which it was written.
pub fn no_place_of_work(path: &str, tree: &Tree) -> Findings {
    // Put together here, so that this file keeps its own rule.
    let places =
        [["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"], ["/t", "mp/"], [":\\Us", "ers\\"]];
    let named = |line: &str| {
        places.iter().map(|parts| parts.concat()).any(|place| {
            line.match_indices(&place).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                place.starts_with(':') || !before.is_some_and(|c| c.is_alphanumeric() || c == '.')
            })
        })
    };
    let lines = tree[path].lines().enumerate().filter(|(_, line)| named(line));
    let what = "no path of one machine: std::env::temp_dir(), $HOME or mktemp find the place";
    lines.map(|(at, _)| (at + 1, what.to_string())).collect()
}
