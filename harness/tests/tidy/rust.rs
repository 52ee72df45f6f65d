//! Rules for Rust source: floors, who may use what, and how long things get.

use super::code::{closing, code, has_word};
use super::{Findings, Tree};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// The floor of what `lib.rs` draws without a number.
const TOP: u32 = u32::MAX;

/// Crates that one floor keeps to itself, and where else they may be named.
const HOMES: &[(&str, &[&str])] = &[
    ("anyhow", &["harness/cli/", "harness/main.rs", "harness/tests/", "harness/benches/"]),
    ("clap", &["harness/cli/", "harness/main.rs"]),
    ("insta", &["harness/snapshot/", "harness/tests/"]),
    ("libc", &["harness/sys/"]),
    ("libtest_mimic", &["harness/suite/", "harness/tests/"]),
    ("serde_yaml", &["harness/parse/"]),
    ("socket2", &["harness/sys/"]),
    ("windows_sys", &["harness/sys/"]),
];

/// An import points only to a lower floor, in the order that the diagram of `lib.rs` draws.
pub fn floors(path: &str, tree: &Tree) -> Findings {
    let floors = diagram(tree);
    if path == "harness/lib.rs" {
        return undrawn(&tree[path], &floors);
    }
    let own = path.strip_prefix("harness/").and_then(|p| p.split_once('/')).map(|(dir, _)| dir);
    let Some((own, floor)) = own.and_then(|own| floor_of(&floors, own)) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (line, module) in imports(&code(&tree[path])) {
        if let Some((module, other)) = floor_of(&floors, &module)
            && module != own
            && other >= floor
        {
            let what = format!("`{own}` may not use `{module}`: only floors below its own");
            findings.push((line, what));
        }
    }
    findings
}

/// Modules and floor numbers as the diagram of `lib.rs` gives them.
fn diagram(tree: &Tree) -> Vec<(String, u32)> {
    let lib = tree.get("harness/lib.rs").map_or("", String::as_str);
    let mut floors = Vec::new();
    for line in lib.lines() {
        let mut words = line.trim_start_matches("//!").split_whitespace();
        if let Some(module) = words.next().and_then(|word| word.strip_suffix('/')) {
            let floor = words.next().and_then(|word| word.parse().ok()).unwrap_or(TOP);
            floors.push((module.to_string(), floor));
        }
    }
    floors
}

fn floor_of<'a>(floors: &'a [(String, u32)], module: &str) -> Option<(&'a str, u32)> {
    let found = floors.iter().find(|(name, _)| name == module);
    found.map(|(name, floor)| (name.as_str(), *floor))
}

/// Modules of `lib.rs` that its diagram does not draw.
fn undrawn(lib: &str, floors: &[(String, u32)]) -> Findings {
    let module = |line: &'_ str| -> Option<String> {
        let name = line.trim_start_matches("pub ").strip_prefix("mod ")?;
        Some(name.trim_end_matches(';').to_string())
    };
    let lines = lib.lines().enumerate();
    let missing = lines.filter_map(|(at, line)| {
        let name = module(line).filter(|name| floor_of(floors, name).is_none())?;
        Some((at + 1, format!("draw `{name}/` with its floor in the diagram above")))
    });
    missing.collect()
}

/// Every top module named through `crate::`, with its line.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + path.len()..];
        let group = rest.starts_with('{').then(|| closing(rest, '{', '}')).flatten();
        let names = match group {
            Some(end) => first_words(&rest[1..end - 1]),
            None => vec![word(rest)],
        };
        found.extend(names.into_iter().map(|name| (line, name)));
    }
    found
}

/// The first word of each element of `a::b, c::{d, e}`.
fn first_words(list: &str) -> Vec<String> {
    let mut depth = 0;
    let outside = |c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    };
    list.split(outside).map(|element| word(element.trim_start())).collect()
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Unsafe code is one floor's business.
pub fn unsafe_lives_in_sys(path: &str, tree: &Tree) -> Findings {
    if !is_rust(path) || path.starts_with("harness/sys/") {
        return Vec::new();
    }
    let what = "move the unsafe code below harness/sys/ and call it through the contract";
    lines_of(&code(&tree[path]), what, |line| has_word(line, "unsafe"))
}

/// Above `sys` one asks for capabilities, never for an operating system.
pub fn systems_live_in_sys(path: &str, tree: &Tree) -> Findings {
    if !is_rust(path) || path.starts_with("harness/sys/") {
        return Vec::new();
    }
    let what = "above harness/sys/ ask for a capability, not for an operating system";
    lines_of(&code(&tree[path]), what, |line| {
        let cfg = has_word(line, "cfg") || has_word(line, "cfg_attr");
        let family = has_word(line, "unix") || has_word(line, "windows");
        let named = has_word(line, "target_os") || has_word(line, "target_family");
        named || cfg && family || line.contains("std::os::")
    })
}

/// Some crates are used by one floor alone (and by tests, where that helps).
pub fn crates_at_home(path: &str, tree: &Tree) -> Findings {
    if !is_rust(path) {
        return Vec::new();
    }
    let all = code(&tree[path]);
    let shipped = without_tests(path, &all);
    let mut findings = Vec::new();
    for (name, homes) in HOMES {
        let source = if *name == "insta" { &shipped } else { &all };
        if !homes.iter().any(|home| path.starts_with(home)) {
            let what = format!("`{name}` belongs to {}: call that instead", homes[0]);
            findings.extend(lines_of(source, &what, |line| has_word(line, name)));
        }
    }
    findings
}

/// A file says what it is for before it does anything.
pub fn modules_introduce_themselves(path: &str, tree: &Tree) -> Findings {
    if !is_rust(path) || tree[path].starts_with("//! ") {
        return Vec::new();
    }
    vec![(1, "begin with `//!` and one sentence that says what the module is for".into())]
}

/// A file fits into a head; a table may be as long as what it lists.
pub fn files_are_short(path: &str, tree: &Tree) -> Findings {
    let lines = tree[path].lines().count();
    let table = path.ends_with("/table.rs") || path.ends_with("_table.rs");
    if !is_rust(path) || table || lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![(lines, format!("{lines} lines, at most {FILE_LINES_MAX}: split it by meaning"))]
}

/// A function fits on a screen.
pub fn functions_are_short(path: &str, tree: &Tree) -> Findings {
    if !is_rust(path) {
        return Vec::new();
    }
    let code = code(&tree[path]);
    let mut findings = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let rest = &code[at..];
        let is_word = code[..at].chars().next_back().is_none_or(char::is_whitespace);
        // A `;` inside `[u8; 4]` ends no line, a declaration without a body does.
        let body = rest.find('{').filter(|open| !rest[..*open].contains(";\n"));
        let end = body.and_then(|open| Some(open + closing(&rest[open..], '{', '}')?));
        let lines = end.map_or(0, |end| rest[..end].lines().count());
        if is_word && lines > FUNCTION_LINES_MAX {
            let line = code[..at].matches('\n').count() + 1;
            let what = format!("{lines} lines, at most {FUNCTION_LINES_MAX}: name its parts");
            findings.push((line, what));
        }
    }
    findings
}

/// Nothing left over from writing it, and no lint switched off for good.
pub fn nothing_half_done(path: &str, tree: &Tree) -> Findings {
    if !is_rust(path) {
        return Vec::new();
    }
    let all = code(&tree[path]);
    let mut findings = lines_of(&all, "finish it: no dbg!, todo! or unimplemented!", |line| {
        ["dbg!", "todo!", "unimplemented!"].iter().any(|word| line.contains(word))
    });
    let what = "say `#[expect(…, reason = \"…\")]`, which ends when it is no longer needed";
    let allow = |line: &str| line.contains("#[allow(") || line.contains("#![allow(");
    findings.extend(lines_of(&all, what, allow));
    let what = "return the error, or say `expect(\"why it cannot be\")`";
    let unwrap = |line: &str| line.contains(".unwrap()");
    findings.extend(lines_of(&without_tests(path, &all), what, unwrap));
    findings
}

fn is_rust(path: &str) -> bool {
    path.starts_with("harness/") && path.ends_with(".rs")
}

/// The code that ships, line for line: nothing of a test file, no `#[cfg(test)]` item.
fn without_tests(path: &str, code: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.trim_end_matches(".rs");
    let named = ["tests", "testing"].contains(&stem) || stem.starts_with("tests_");
    if named || stem.ends_with("_tests") || path.contains("/tests/") || path.contains("/benches/") {
        return String::new();
    }
    let mut shipped = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let item = &rest[at..];
        let open = item.find(['{', ';']).unwrap_or(item.len());
        let block = item[open..].starts_with('{').then(|| closing(&item[open..], '{', '}'));
        let end = block.flatten().map_or(open, |end| open + end);
        shipped.push_str(&rest[..at]);
        shipped.extend(item[..end].chars().filter(|c| *c == '\n'));
        rest = &item[end..];
    }
    shipped + rest
}

/// The lines for which `broken` holds, each with the same advice.
fn lines_of(text: &str, what: &str, broken: impl Fn(&str) -> bool) -> Findings {
    let lines = text.lines().enumerate().filter(|(_, line)| broken(line));
    lines.map(|(at, _)| (at + 1, what.to_string())).collect()
}
