//! What somebody says happens: judged against records, never part of a run.

/// One claim of a case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Claim {
    /// Line of the case file where the claim starts; 1 is the first, 0 unknown.
    pub line: u32,
    /// Who says it: an RFC section, a manual page, a bug report, an article.
    pub source: String,
    /// What is said, in one sentence.
    pub says: String,
    /// For which platforms: `linux`, `linux <4.12`, `windows 7601`; empty: all.
    pub platforms: Vec<String>,
    /// Lines that must occur in this order.
    pub expect: Vec<String>,
    /// Lines that must not occur.
    pub never: Vec<String>,
    /// The matrix row (or family) that the claim is about; empty: every row.
    pub row: Vec<(String, String)>,
}

impl Claim {
    /// Whether a line, of a claim or of a record, is a packet: `client > server [S] seq 0`.
    pub fn is_packet(line: &str) -> bool {
        line.split_whitespace().nth(1) == Some(">")
    }

    /// What stands before, in and behind the brackets of a TCP segment's line; its flags may be
    /// alternatives: `R|R.`.
    pub fn flags(line: &str) -> Option<(&str, &str, &str)> {
        let (head, rest) = line.split_once('[')?;
        let (flags, rest) = rest.split_once(']')?;
        let is_segment = Claim::is_packet(line) && head.split_whitespace().count() == 3;
        is_segment.then_some((head, flags, rest))
    }
}
