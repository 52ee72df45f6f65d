//! The house rules, held against the whole tree.
//!
//! A rule looks at one file and says where it breaks the rule and what to do about it. Every rule
//! stands in one table with a small tree that keeps it and a small tree that breaks it, and is
//! held against both before it is held against this repository: a rule that cannot fail is none.

#[path = "tidy/cases.rs"]
mod cases;
#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/rust.rs"]
mod rust;
#[path = "tidy/text.rs"]
mod text;

use rstest::rstest;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Text files by their path below the root, with `/` on every system.
type Tree = BTreeMap<String, String>;

/// Where a file breaks a rule (1 is the first line) and what to do.
type Findings = Vec<(usize, String)>;

/// What `path` in `tree` breaks.
type Rule = fn(path: &str, tree: &Tree) -> Findings;

const LIB: (&str, &str) = (
    "harness/lib.rs",
    "//! ```text\n//!   cli/    the verbs\n//!   suite/  6  cases\n//!   sys/    2  system\n\
     //!   parse/  1  YAML\n//!   wire/   1  packets\n//! ```\n\
     pub mod cli;\npub mod parse;\npub mod suite;\npub mod sys;\npub mod wire;\n",
);

macro_rules! head {
    () => {
        "# yaml-language-server: $schema=../case.schema.json\n"
    };
}

macro_rules! ten {
    ($($t:tt)*) => {
        concat!(
            $($t)*, $($t)*, $($t)*, $($t)*, $($t)*, $($t)*, $($t)*, $($t)*, $($t)*, $($t)*
        )
    };
}

const LONG: &str = concat!("//! Long.\n", ten!(ten!(ten!("\n"))));
const WIDE: &str = concat!(ten!(ten!("wide ")), "end\n");

#[rstest]
#[case::floors(
    rust::floors,
    &[LIB, ("harness/sys/a.rs", "use crate::wire::Packet;\nuse crate::sys::{b, c};\n")],
    &[
        ("harness/wire/a.rs", "use crate::sys::Stack;\n"),
        ("harness/wire/a.rs", "use crate::parse::parse;\n"),
        ("harness/sys/a.rs", "use crate::{wire::Packet, suite::{Trial, Slot}};\n"),
        ("harness/lib.rs", "//! No diagram.\npub mod sys;\n"),
    ],
)]
#[case::unsafe_lives_in_sys(
    rust::unsafe_lives_in_sys,
    &[("harness/sys/a.rs", "unsafe { f() }\n"), ("harness/run/a.rs", "// unsafe\n")],
    &[("harness/run/a.rs", "fn f() { unsafe { g() } }\n")],
)]
#[case::systems_live_in_sys(
    rust::systems_live_in_sys,
    &[
        ("harness/sys/mod.rs", "#[cfg(unix)]\nmod unix;\n"),
        ("harness/run/a.rs", "#[cfg(test)]\nmod tests {}\nlet windows = 1;\n"),
    ],
    &[
        ("harness/run/a.rs", "#[cfg(target_os = \"linux\")]\nfn f() {}\n"),
        ("harness/run/a.rs", "if cfg!(windows) {}\n"),
        ("harness/run/a.rs", "use std::os::unix::io::AsRawFd;\n"),
    ],
)]
#[case::crates_at_home(
    rust::crates_at_home,
    &[
        ("harness/parse/a.rs", "use serde_yaml::Value;\n"),
        ("harness/suite/a.rs", "#[cfg(test)]\nmod tests {\n    use insta::assert_snapshot;\n}\n"),
        ("harness/tests/conformance.rs", "use libtest_mimic::Trial;\n"),
    ],
    &[
        ("harness/snapshot/a.rs", "use serde_yaml::Value;\n"),
        ("harness/suite/a.rs", "use insta::Settings;\n"),
        ("harness/cli/a.rs", "fn f(t: libtest_mimic::Trial) {}\n"),
        ("harness/run/a.rs", "fn f() -> anyhow::Result<()> {}\n"),
    ],
)]
#[case::modules_introduce_themselves(
    rust::modules_introduce_themselves,
    &[("harness/run/a.rs", "//! Steps.\n")],
    &[("harness/run/a.rs", "use std::fmt;\n")],
)]
#[case::files_are_short(
    rust::files_are_short,
    &[("harness/run/a.rs", "//! Short.\n"), ("harness/sys/linux/names_table.rs", LONG)],
    &[("harness/run/a.rs", LONG)],
)]
#[case::functions_are_short(
    rust::functions_are_short,
    &[("harness/run/a.rs", "fn f() {\n    g();\n}\n"), ("harness/run/b.rs", "fn f();\n")],
    &[
        ("harness/run/a.rs", concat!("fn f() {\n", ten!(ten!("    g();\n")), "}\n")),
        ("harness/run/a.rs", concat!("fn f(x: [u8; 4]) {\n", ten!(ten!("    g();\n")), "}\n")),
    ],
)]
#[case::nothing_half_done(
    rust::nothing_half_done,
    &[
        ("harness/run/a.rs", "x.expect(\"why\");\n#[expect(dead_code, reason = \"r\")]\n"),
        ("harness/run/b.rs", "#[cfg(test)]\nmod tests {\n    fn f() { x.unwrap(); }\n}\n"),
        ("harness/run/tests.rs", "x.unwrap();\n"),
        ("harness/run/tests/a.rs", "x.unwrap();\n"),
        ("harness/run/a_tests.rs", "x.unwrap();\n"),
    ],
    &[
        ("harness/run/a.rs", "x.unwrap();\n"),
        ("harness/run/a.rs", "#[cfg(test)]\nmod tests {}\nfn f() { x.unwrap(); }\n"),
        ("harness/run/tests.rs", "dbg!(x);\n"),
        ("harness/run/a.rs", "fn f() { todo!() }\n"),
        ("harness/run/a.rs", "#[allow(dead_code)]\n"),
        ("harness/run/a.rs", "#![allow(dead_code)]\n"),
    ],
)]
#[case::lines_are_clean(
    text::lines_are_clean,
    &[("README.md", "A line.\n"), ("ci/linux", "true\n")],
    &[
        ("README.md", "a line \n"),
        ("README.md", "a line\r\n"),
        ("ci/linux", "if true; then\n\ttrue\nfi\n"),
        ("README.md", "no newline at the end"),
        ("README.md", "an empty line at the end\n\n"),
    ],
)]
#[case::lines_fit(
    text::lines_fit,
    &[("README.md", "short\n"), ("expected/a/b/linux.snap", WIDE)],
    &[("README.md", WIDE)],
)]
#[case::top_level(
    text::top_level,
    &[("Cargo.toml", ""), ("harness/lib.rs", ""), (".config/nextest.toml", "")],
    &[("notes.txt", ""), ("src/lib.rs", "")],
)]
#[case::no_place_of_work(
    text::no_place_of_work,
    &[("ci/linux", "cat /proc/net/tcp\n"), ("README.md", "see https://example.org/home/x\n")],
    &[
        ("ci/linux", concat!("cd /ho", "me/me\n")),
        ("harness/run/a.rs", concat!("let a = \"/t", "mp/a\";\n")),
        ("README.md", concat!("C:\\Us", "ers\\me\n")),
    ],
)]
#[case::case_names(
    cases::names,
    &[("cases/rst/close-2-times.yaml", ""), ("cases/case.schema.json", "")],
    &[
        ("cases/rst/CloseTwice.yaml", ""),
        ("cases/rst/close_twice.yaml", ""),
        ("cases/rst/close-.yaml", ""),
        ("cases/rst/close.yml", ""),
    ],
)]
#[case::case_headers(
    cases::headers,
    &[("cases/rst/a.yaml", concat!(head!(), "about: why\nfamily: [4, 6]\nsteps:\n  - a.close\n"))],
    &[
        ("cases/rst/a.yaml", "about: why\nsteps: []\n"),
        ("cases/a.yaml", concat!(head!(), "about: why\nsteps: []\n")),
        ("cases/rst/a.yaml", concat!(head!(), "family: 4\nabout: why\nsteps: []\n")),
        ("cases/rst/a.yaml", concat!(head!(), "about: why\nabout: why\nsteps: []\n")),
        ("cases/rst/a.yaml", concat!(head!(), "about: why\nexpect: x\nsteps: []\n")),
        ("cases/rst/a.yaml", concat!(head!(), "about: why\n")),
    ],
)]
#[case::case_format(
    cases::format,
    &[
        ("cases/a.yaml", "about: >\n     any {x,y}  text\nsteps:\n  - a.recv: {len: 1}   # a,b\n"),
        ("cases/b.yaml", "about: 1,000 (or so ) and 2\nmatrix: {how: [\"a,b\", \"{ \"]}\n"),
    ],
    &[
        ("cases/a.yaml", "steps:\n   - a.close\n"),
        ("cases/a.yaml", "steps:\n- a.close\n"),
        ("cases/a.yaml", "steps:\n  - a.recv:  128\n"),
        ("cases/a.yaml", "steps:\n  -  a.close\n"),
        ("cases/a.yaml", "family: [4,6]\n"),
        ("cases/a.yaml", "family: [ 4 ]\n"),
        ("cases/a.yaml", "show: { calls: [] }\n"),
        ("cases/a.yaml", "---\nabout: why\n"),
        ("cases/a.yaml", "about: why\n\n\nsteps:\n"),
    ],
)]
#[case::schema_is_current(
    cases::schema_is_current,
    &[("cases/case.schema.json", include_str!("../../cases/case.schema.json"))],
    &[("cases/case.schema.json", "{}\n")],
)]
#[case::no_orphans(
    cases::no_orphans,
    &[
        ("cases/rst/a.yaml", ""),
        ("expected/rst/a/linux.snap", ""),
        ("expected/rst/a/linux-6.12.snap", ""),
        ("expected/ledger/rhel-9-5.14.yaml", ""),
        ("expected/LICENSE", ""),
        ("expected/NOTES.md", ""),
    ],
    &[
        ("expected/rst/b/linux.snap", ""),
        ("expected/rst/a/linux-new.snap", ""),
        ("expected/rst/a/notes.md", ""),
        ("expected/ledger/linux.yaml", ""),
    ],
)]
fn house_rule(#[case] rule: Rule, #[case] good: &[(&str, &str)], #[case] bad: &[(&str, &str)]) {
    let good = tree_of(good);
    assert_eq!(findings(rule, &good), Vec::<String>::new(), "the good example breaks the rule");
    for (path, text) in bad {
        let mut tree = good.clone();
        tree.insert(path.to_string(), text.to_string());
        assert!(!rule(path, &tree).is_empty(), "a breach is missed: {path}: {text:?}");
    }
    let findings = findings(rule, &tree_at(Path::new(env!("CARGO_MANIFEST_DIR"))));
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// A tree made up for an example.
fn tree_of(example: &[(&str, &str)]) -> Tree {
    let own = |(path, text): &(&str, &str)| (path.to_string(), text.to_string());
    example.iter().map(own).collect()
}

/// `path:line: what to do` for each place in the tree that breaks the rule.
fn findings(rule: Rule, tree: &Tree) -> Vec<String> {
    let of = |path: &String| {
        let path = path.clone();
        let found = rule(&path, tree).into_iter();
        found.map(move |(line, what)| format!("{path}:{line}: {what}"))
    };
    tree.keys().flat_map(of).collect()
}

/// The text files of this repository, without what is built or still pending.
fn tree_at(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository is readable") {
            let path = entry.expect("an entry of the repository is readable").path();
            let below = path.strip_prefix(root).expect("found below the root");
            let name = below.to_string_lossy().replace('\\', "/");
            if !text::belongs_to_the_project(&name) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if let Ok(text) = String::from_utf8(fs::read(&path).unwrap_or_default()) {
                tree.insert(name, text);
            }
        }
    }
    tree
}
