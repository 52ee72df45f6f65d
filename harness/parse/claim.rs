//! Claims: what somebody says happens.

use super::error::{Fault, Read, unknown};
use super::matrix::{Matrix, Texts, value_text};
use super::tree::{Key, Kind, Node};
use crate::model::case::Family;
use crate::model::platform::Release;
use crate::model::{Claim, TcpFlags, errno};

/// The keys of a claim, each with what it is for.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("source", "Who says it: RFC 9293 §3.10.7.1, a manual page, a bug report. Required."),
    ("says", "What is said, in one sentence. Required."),
    ("platforms", "For which platforms: `linux <4.12`, or a list; all unless given."),
    ("expect", "Lines that must occur in this order; a RST with or without ACK is [R|R.]."),
    ("never", "Lines that must not occur."),
    ("row", "The matrix row or family that it is about: {how: rd}; every row unless given."),
];

/// Reads the list of claims.
pub(super) fn read_all(node: &Node, matrix: &Matrix<'_>, families: &[Family]) -> Read<Vec<Claim>> {
    let claims = node.list("a list of claims")?;
    let rows = matrix.texts();
    claims.iter().map(|claim| read(claim, &rows, families)).collect()
}

fn read(node: &Node, rows: &Texts<'_>, families: &[Family]) -> Read<Claim> {
    let keys: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    node.keys("a claim: a map of source, says, expect, never", &keys)?;
    let required = |key: &str| {
        let value = node.get(key);
        value.ok_or_else(|| node.fault(format!("a claim needs `{key}`")))?.prose("text")
    };
    let lines = |key: &str| node.get(key).map_or(Ok(Vec::new()), read_lines);
    let claim = Claim {
        line: node.line,
        source: required("source")?,
        says: required("says")?,
        platforms: node.get("platforms").map_or(Ok(Vec::new()), read_platforms)?,
        expect: lines("expect")?,
        never: lines("never")?,
        row: match node.get("row") {
            Some(row) => read_row(row, rows, families)?,
            None => Vec::new(),
        },
    };
    if claim.expect.is_empty() && claim.never.is_empty() {
        return Err(node.fault("a claim needs lines to judge it by: `expect` or `never`"));
    }
    Ok(claim)
}

/// Lines of a transcript, without the blanks around them.
fn read_lines(node: &Node) -> Read<Vec<String>> {
    let text = node.prose("lines of a transcript (a block `|`)")?;
    for (_, rest) in text.match_indices("-1 ").map(|(at, found)| (at, &text[at + found.len()..])) {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '#' && c != '_');
        let word = &rest[..end.unwrap_or(rest.len())];
        let own = ["WSA", "E#"].iter().any(|prefix| word.starts_with(prefix));
        if !word.is_empty() && !own && !errno::KNOWN.contains(&word) {
            return Err(node.fault(unknown("errno", word, errno::KNOWN.iter().copied())));
        }
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| read_line(node, line)).collect()
}

/// A line with flags that no segment has, or in another order, would never be found.
fn read_line(node: &Node, line: &str) -> Read<String> {
    for flags in Claim::flags(line).into_iter().flat_map(|(_, flags, _)| flags.split('|')) {
        let read: TcpFlags = flags.parse().map_err(|why| node.fault(why))?;
        if read.to_string() != flags {
            return Err(node.fault(format!("the flags `{flags}` are written `{read}`")));
        }
    }
    Ok(line.to_owned())
}

fn read_platforms(node: &Node) -> Read<Vec<String>> {
    let one = |node: &Node| -> Read<String> {
        let text = node.text(PLATFORM)?.trim();
        match is_platform(text) {
            true => Ok(text.to_owned()),
            false => Err(node.expected(PLATFORM)),
        }
    };
    match &node.kind {
        Kind::List(nodes) => nodes.iter().map(one).collect(),
        _ => one(node).map(|platform| vec![platform]),
    }
}

const PLATFORM: &str = "a platform: linux, linux 6.12, linux <4.12, linux >=6.5, linux 5.10..6.1";

/// A platform's name, and after it a release, a bound or a range.
fn is_platform(text: &str) -> bool {
    let release = |text: &str| Release::parse(text).is_some();
    let (id, releases) = match text.split_once(' ') {
        Some((id, releases)) => (id, Some(releases.trim())),
        None => (text, None),
    };
    is_platform_id(id)
        && releases.is_none_or(|releases| match releases.split_once("..") {
            Some((from, to)) => release(from) && release(to),
            None => {
                let bounds = ["<=", ">=", "<", ">"];
                let bound = bounds.iter().find_map(|bound| releases.strip_prefix(bound));
                release(bound.unwrap_or(releases).trim())
            }
        })
}

/// Whether a platform may be called so.
pub(super) fn is_platform_id(text: &str) -> bool {
    let in_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(in_id)
}

/// `{how: rd}`, `{family: 6}`: names and values that exist.
fn read_row(node: &Node, rows: &Texts<'_>, families: &[Family]) -> Read<Vec<(String, String)>> {
    let one = |(key, value): &(Key, Node)| -> Result<(String, String), Fault> {
        let wanted = value_text(value);
        let found = rows.iter().find(|(name, _)| *name == key.text);
        match (found, &*key.text) {
            (Some((_, values)), _) if values.contains(&wanted) => Ok((key.text.clone(), wanted)),
            (Some((name, values)), _) => {
                let values = values.iter().map(String::as_str);
                Err(value.fault(unknown(&format!("value of `{name}`"), &wanted, values)))
            }
            (None, "family") => {
                let number = |family: &Family| family.to_string().replace("ipv", "");
                let family = families.iter().find(|family| number(family) == wanted);
                let expected = || {
                    let numbers: Vec<String> = families.iter().map(number).collect();
                    value.expected(&format!("a family of the case: {}", numbers.join(", ")))
                };
                Ok(("family".to_owned(), family.ok_or_else(expected)?.to_string()))
            }
            _ => {
                let names = rows.iter().map(|(name, _)| *name).chain(["family"]);
                Err(key.fault(unknown("variable of the matrix", &key.text, names)))
            }
        }
    };
    node.map("a row of the matrix: {how: rd}")?.iter().map(one).collect()
}
