//! The text of one expected file: a header that says where the answer comes from, and the answer.
//!
//! ```text
//! ---
//! info:
//!   recorded on: linux 6.18.44 x86_64
//!   capture: raw sockets
//!   wire: tun
//!   isolation: netns
//!   settings: 2b7e151628aed2a6
//! ---
//! client.connect(server) = 0
//! ```
//!
//! The header is provenance and never compared. insta writes it; it is read here line by line,
//! because insta reads files only and the answers embedded in the binary are none.

use crate::sys::Machine;
use std::collections::BTreeMap;

/// Where an answer comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// `linux 6.18.44 x86_64`
    pub recorded_on: String,
    /// How packets were seen, `none` if they were not.
    pub capture: String,
    /// The device of the wire.
    pub wire: String,
    /// `netns` or `shared`.
    pub isolation: String,
    /// The [`fingerprint`] of what was pinned.
    pub settings: String,
    /// Every step came to rest, and at the end everything was acknowledged and nothing half closed;
    /// written only if not.
    pub settled: bool,
}

impl Header {
    /// The header for an answer of this machine.
    pub fn of(machine: &Machine, settled: bool) -> Header {
        let Machine { platform, kernel, arch, .. } = machine;
        Header {
            recorded_on: format!("{platform} {kernel} {arch}"),
            capture: machine.capture.clone(),
            wire: machine.wire.clone(),
            isolation: machine.isolation.clone(),
            settings: fingerprint(&machine.settings),
            settled,
        }
    }

    /// Whether the answer has packets.
    pub fn captured(&self) -> bool {
        self.capture != "none"
    }

    /// The file's text. Values are quoted as JSON does, which insta's YAML understands; insta then
    /// gives them its own spelling.
    pub fn file_text(&self, body: &str) -> String {
        let mut text = String::from("---\ninfo:\n");
        let settled = if self.settled { "" } else { "no" };
        let pairs = [
            ("recorded on", self.recorded_on.as_str()),
            ("capture", &self.capture),
            ("wire", &self.wire),
            ("isolation", &self.isolation),
            ("settings", &self.settings),
            ("settled", settled),
        ];
        for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            text += &format!("  {key}: {}\n", serde_json::Value::from(*value));
        }
        text + "---\n" + body + "\n"
    }

    fn from_pairs(mut pairs: BTreeMap<&str, String>) -> Result<Header, String> {
        let mut take = |key: &str| {
            let missing = || format!("the header has no `{key}`: record the case again");
            pairs.remove(key).ok_or_else(missing)
        };
        let header = Header {
            recorded_on: take("recorded on")?,
            capture: take("capture")?,
            wire: take("wire")?,
            isolation: take("isolation")?,
            settings: take("settings")?,
            settled: take("settled").ok().as_deref() != Some("no"),
        };
        match pairs.into_keys().next() {
            Some(key) => Err(format!("the header has an unknown entry `{key}`: remove it")),
            None => Ok(header),
        }
    }
}

/// A line of a file and what is wrong with it.
pub type BadLine = (u32, String);

/// Takes a file's text apart into header and body, the body without its last line end.
///
/// # Errors
/// It is no snapshot.
pub fn parse(text: &str) -> Result<(Header, String), BadLine> {
    if let Some(line) = conflict(text) {
        return Err((
            line,
            "a merge conflict: keep one answer, or take `git checkout --ours` and record again"
                .to_owned(),
        ));
    }
    if !text.ends_with('\n') {
        let last = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
        let what = "the file ends within a line: it is truncated, restore it or record again";
        return Err((last, what.to_owned()));
    }
    let mut lines = (1..).zip(text.lines());
    let mut expect = |wanted: &str| match lines.next() {
        Some((_, line)) if line == wanted => Ok(()),
        found => Err((
            found.map_or(1, |(number, _)| number),
            format!("expected `{wanted}`, the beginning of a snapshot's header"),
        )),
    };
    expect("---")?;
    expect("info:")?;
    let mut pairs = BTreeMap::new();
    loop {
        let Some((number, line)) = lines.next() else {
            let what = "the header has no end (`---`): the file is truncated, record again";
            return Err((2, what.to_owned()));
        };
        if line == "---" {
            break;
        }
        let (key, value) = pair(line).map_err(|what| (number, what))?;
        if pairs.insert(key, value).is_some() {
            return Err((number, format!("`{key}` stands twice in the header")));
        }
    }
    let header = Header::from_pairs(pairs).map_err(|what| (2, what))?;
    let mut body = Vec::new();
    for (number, line) in lines {
        if line.contains(char::is_control) {
            let what = "a control character: no answer has one, restore the file or record again";
            return Err((number, what.to_owned()));
        }
        body.push(line);
    }
    let body = normal(&body.join("\n"));
    if body.is_empty() {
        let what = "there is no answer below the header: the file is truncated, record again";
        return Err((3, what.to_owned()));
    }
    Ok((header, body))
}

/// A body as it is compared: without blank ends, which insta does not keep.
pub(super) fn normal(body: &str) -> String {
    body.trim_end().replace("\r\n", "\n")
}

/// The first line that a merge has left behind.
pub(super) fn conflict(text: &str) -> Option<u32> {
    const MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];
    let marked = |line: &str| MARKERS.iter().any(|marker| line.starts_with(marker));
    (1..).zip(text.lines()).find(|(_, line)| marked(line)).map(|(number, _)| number)
}

/// `  key: value` or `  key: "value"`.
fn pair(line: &str) -> Result<(&str, String), String> {
    let wrong = || format!("expected `  key: value` in the header, found `{line}`");
    let (key, value) = line
        .strip_prefix("  ")
        .and_then(|pair| pair.split_once(": "))
        .filter(|(key, _)| !key.starts_with(' '))
        .ok_or_else(wrong)?;
    let value = match value.starts_with('"') {
        true => serde_json::from_str(value).map_err(|_| wrong())?,
        false => value.to_owned(),
    };
    // Written again it would be no entry at all.
    if value.is_empty() { Err(wrong()) } else { Ok((key, value)) }
}

/// 16 hexadecimal digits that stand for a set of settings: FNV-1a over `key=value` lines in the
/// order of their keys.
pub fn fingerprint(settings: &BTreeMap<String, String>) -> String {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let pieces = settings.iter().flat_map(|(key, value)| [key, "=", value, "\n"]);
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    format!("{:016x}", pieces.flat_map(str::bytes).fold(OFFSET, step))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{header, snap};
    use super::*;
    use rstest::rstest;

    #[test]
    fn text_is_read_back() {
        let (read, body) =
            parse(&header("6.18").file_text("a() = 0\n    b > c [S]")).expect("good");
        assert_eq!(read, header("6.18"));
        assert_eq!(body, "a() = 0\n    b > c [S]");
    }

    #[test]
    fn unsettled_is_kept() {
        let unsettled = Header { settled: false, ..header("6.18") };
        let (read, _) = parse(&unsettled.file_text("x")).expect("good");
        assert!(!read.settled);
    }

    #[rstest]
    #[case::empty(String::new(), 0, "truncated")]
    #[case::half_a_line(snap("6.18", "a() = 0").trim_end().to_owned(), 9, "truncated")]
    #[case::no_end("---\ninfo:\n  capture: none\n".to_owned(), 2, "truncated")]
    #[case::no_body("---\ninfo:\n---\n".to_owned(), 2, "recorded on")]
    #[case::control(snap("6.18", "a() = \u{7}0"), 9, "control character")]
    #[case::foreign("hello\n".to_owned(), 1, "expected `---`")]
    #[case::source("---\nsource: a.rs\n---\nx\n".to_owned(), 2, "expected `info:`")]
    #[case::no_pair("---\ninfo:\n  x\n---\nx\n".to_owned(), 3, "key: value")]
    #[case::no_value("---\ninfo:\n  wire: \n---\nx\n".to_owned(), 3, "key: value")]
    #[case::quoted_no_value("---\ninfo:\n  wire: \"\"\n---\nx\n".to_owned(), 3, "key: value")]
    #[case::conflict(snap("6.18", "a() = 0\n<<<<<<< HEAD\nb() = 0"), 10, "merge conflict")]
    #[case::conflict_middle(snap("6.18", "a() = 0\n======="), 10, "merge conflict")]
    fn broken_file_names_its_line(#[case] text: String, #[case] line: u32, #[case] what: &str) {
        let (found, message) = parse(&text).expect_err("broken");
        assert_eq!(found, line, "{message}");
        assert!(message.contains(what), "{message}");
    }

    #[test]
    fn row_lines_are_no_conflict() {
        assert_eq!(conflict("== how=rd\n== ipv6\n"), None);
    }

    #[test]
    fn fingerprint_is_fnv1a() {
        assert_eq!(fingerprint(&BTreeMap::new()), "cbf29ce484222325");
        let settings = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        assert_ne!(fingerprint(&settings), fingerprint(&BTreeMap::new()));
        assert_eq!(fingerprint(&settings).len(), 16);
    }
}
