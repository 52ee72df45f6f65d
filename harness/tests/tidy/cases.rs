//! Rules for `cases/` and `expected/`: names, the order of a case's header, one formatting.

use super::{Findings, Tree};
use sockdiff::parse::schema;

/// The keys of a case in the order in which they stand.
const KEYS: &[&str] = &[
    "about",
    "spec",
    "covers",
    "tags",
    "topology",
    "family",
    "given",
    "needs",
    "settings",
    "matrix",
    "processes",
    "show",
    "patience",
    "deadline",
    "claims",
    "steps",
];

/// A case's path is its name everywhere, also on systems that fold case.
pub fn names(path: &str, _: &Tree) -> Findings {
    const OTHERS: [&str; 3] = ["ARTICLES.md", "PROOFS.md", "case.schema.json"];
    let Some(below) = path.strip_prefix("cases/").filter(|below| !OTHERS.contains(below)) else {
        return Vec::new();
    };
    let kebab = |word: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        word.split('-').all(|part| !part.is_empty() && part.chars().all(plain))
    };
    let id = below.strip_suffix(".yaml");
    if id.is_some_and(|id| id.split('/').all(kebab)) {
        return Vec::new();
    }
    vec![(1, "name it in kebab-case with the ending .yaml: rst/close-unread-data.yaml".into())]
}

/// The schema first, then the keys in their order, each once, `about` and `steps` among them.
pub fn headers(path: &str, tree: &Tree) -> Findings {
    let Some(id) = case_id(path) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let up = "../".repeat(id.matches('/').count());
    let schema = format!("# yaml-language-server: $schema={up}case.schema.json");
    if tree[path].lines().next() != Some(&schema) {
        findings.push((1, format!("begin with the line `{schema}`")));
    }
    let mut place = 0;
    let mut seen = Vec::new();
    for (line, text) in outside_blocks(&tree[path]) {
        let Some((key, _)) = text.split_once(':').filter(|_| !text.starts_with([' ', '#', '-']))
        else {
            continue;
        };
        match KEYS.iter().position(|known| *known == key) {
            None => findings.push((line, format!("no key `{key}`: {}", KEYS.join(" ")))),
            Some(at) if at < place || seen.contains(&key) => {
                findings.push((line, format!("each key once, in this order: {}", KEYS.join(" "))));
            }
            Some(at) => place = at,
        }
        seen.push(key);
    }
    for key in ["about", "steps"] {
        if !seen.contains(&key) {
            findings.push((1, format!("a case needs `{key}`")));
        }
    }
    findings
}

/// One way to write each thing, so that two people's cases look alike and diffs stay small.
pub fn format(path: &str, tree: &Tree) -> Findings {
    if case_id(path).is_none() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut previous = "-";
    for (line, text) in outside_blocks(&tree[path]) {
        let indent = text.len() - text.trim_start_matches(' ').len();
        let code = bare(text.trim_start());
        let mut tell = |wrong: bool, what: &str| {
            if wrong {
                findings.push((line, what.to_string()));
            }
        };
        tell(indent % 2 != 0, "indent by two spaces a level");
        tell(indent == 0 && code.starts_with('-'), "indent list elements by two, no documents");
        tell(code.starts_with("-  "), "one space after the dash");
        tell(code.contains(":  "), "one space after the colon");
        let flow = [": {", ": [", "- {", "- ["].iter().filter_map(|open| code.find(open)).min();
        let flow = flow.map_or("", |at| &code[at + 2..]);
        let loose = ["{ ", " }", "[ ", " ]", " ,", ",  "];
        tell(loose.iter().any(|l| flow.contains(l)), "no space inside brackets or before commas");
        let tight = flow.trim_end_matches(',').split(',').skip(1).any(|e| !e.starts_with(' '));
        tell(tight, "a space after each comma");
        tell(text.is_empty() && previous.is_empty(), "at most one empty line");
        previous = text;
    }
    findings
}

/// Editors and parser agree.
pub fn schema_is_current(path: &str, tree: &Tree) -> Findings {
    if path != "cases/case.schema.json" || tree[path].trim_end() == schema().trim_end() {
        return Vec::new();
    }
    vec![(1, format!("write it anew: cargo run --quiet -- schema > {path}"))]
}

/// Every answer has its question, and says in its name who gave it.
pub fn no_orphans(path: &str, tree: &Tree) -> Findings {
    let Some(below) = path.strip_prefix("expected/") else {
        return Vec::new();
    };
    // The records' own licence, and what a person should know about them.
    if ["LICENSE", "NOTES.md"].contains(&below) {
        return Vec::new();
    }
    let (folder, file) = below.rsplit_once('/').unwrap_or(("", below));
    if folder == "ledger" {
        let named = file.strip_suffix(".yaml").and_then(|stem| stem.rsplit_once('-'));
        let good = named.is_some_and(|(_, release)| is_release(release));
        let what = "name it <platform>-<release>.yaml; `sockdiff record` does";
        return if good { Vec::new() } else { vec![(1, what.into())] };
    }
    let mut findings = Vec::new();
    if !tree.contains_key(&format!("cases/{folder}.yaml")) {
        let what = format!("no case cases/{folder}.yaml: move its answers with it, or delete them");
        findings.push((1, what));
    }
    let stem = file.strip_suffix(".snap");
    let named = |stem: &str| {
        let platform = stem
            .rsplit_once('-')
            .map_or(stem, |(platform, release)| if is_release(release) { platform } else { "" });
        !platform.is_empty() && platform.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if !stem.is_some_and(named) {
        findings.push((1, "name it <platform>.snap or <platform>-<release>.snap".into()));
    }
    findings
}

fn is_release(text: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    text.split('.').all(number)
}

fn case_id(path: &str) -> Option<&str> {
    path.strip_prefix("cases/")?.strip_suffix(".yaml")
}

/// Numbered lines of YAML without the text inside `|` and `>` blocks.
fn outside_blocks(yaml: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut block = None;
    for (at, line) in yaml.lines().enumerate() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if block.is_some_and(|outer| indent > outer || line.is_empty()) {
            continue;
        }
        let code = bare(line);
        let opens = [": |", ": >", ": |-", ": >-", "- |", "- >"];
        let opens = opens.iter().any(|open| code.trim_end().ends_with(open));
        // The key of a list element stands behind its dash.
        let dash = if line.trim_start().starts_with("- ") { 2 } else { 0 };
        block = opens.then_some(indent + dash);
        lines.push((at + 1, line));
    }
    lines
}

/// A line of YAML without its comment, and with `x` for what is quoted.
fn bare(line: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '#' && (out.is_empty() || out.ends_with(' ')) => break,
            None if (c == '"' || c == '\'')
                && (out.is_empty() || out.ends_with([' ', '[', '{'])) =>
            {
                quote = Some(c);
                out.push('x');
            }
            None => out.push(c),
        }
    }
    out.trim_end().to_string()
}
