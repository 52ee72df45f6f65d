//! The recorded RSTs, held against the rules that say how a RST is numbered.
//!
//! RFC 9293 §3.5.2 knows three groups. In a connection that does not exist, and in one that is not
//! synchronized yet, a RST answers a segment: with the number that its ACK field asks for, and
//! without an ACK of its own; if there was no ACK, with number 0 and an acknowledgment of all that
//! the segment occupied. A RST is never answered. Whatever a scripted peer sends stands directly
//! above the answer in a record, so every such pair in the records of Linux can be judged. None of
//! them needs an exception.

use rstest::rstest;
use std::fmt;
use std::path::{Path, PathBuf};

/// A segment of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Segment {
    from: String,
    to: String,
    flags: String,
    seq: String,
    ack: Option<String>,
    len: i64,
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} > {} [{}] seq {}", self.from, self.to, self.flags, self.seq)?;
        self.ack.as_ref().map_or(Ok(()), |ack| write!(f, " ack {ack}"))
    }
}

impl Segment {
    /// `    peer > client [P.] seq 1 ack 1 len 5`, indented as packets are.
    fn read(line: &str) -> Option<Segment> {
        let (ends, rest) = line.strip_prefix("    ")?.split_once(" [")?;
        let (from, to) = ends.split_once(" > ")?;
        let (flags, fields) = rest.split_once(']')?;
        let words: Vec<&str> = fields.split_whitespace().collect();
        let field = |name: &str| {
            let at = words.iter().position(|word| *word == name)?;
            words.get(at + 1).map(|word| (*word).to_owned())
        };
        Some(Segment {
            from: from.to_owned(),
            to: to.to_owned(),
            flags: flags.to_owned(),
            seq: field("seq")?,
            ack: field("ack"),
            len: field("len").and_then(|len| len.parse().ok()).unwrap_or(0),
        })
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    /// What it occupies of the sequence: SEG.LEN of the RFC, which counts SYN and FIN.
    fn occupies(&self) -> i64 {
        self.len + i64::from(self.has('S')) + i64::from(self.has('F'))
    }
}

/// Whether `rst` is numbered as an answer to `segment` has to be; what cannot be told because a
/// number was written relative to a variable (`nxt+100`) is not held against it.
fn judge(segment: &Segment, rst: &Segment) -> Result<(), String> {
    if segment.has('R') {
        return Err("a RST is answered by a RST".to_owned());
    }
    if segment.has('.') {
        return match &segment.ack {
            _ if rst.has('.') => Err("the answer to an ACK has an ACK of its own".to_owned()),
            Some(ack) if is_number(ack) && *ack != rst.seq => Err(format!("seq {ack} is due")),
            _ => Ok(()),
        };
    }
    let due = segment.seq.parse::<i64>().ok().map(|seq| (seq + segment.occupies()).to_string());
    match &rst.ack {
        None => Err("the answer to a segment without ACK has none either".to_owned()),
        Some(_) if rst.seq != "0" => Err("seq 0 is due".to_owned()),
        Some(ack) if due.as_ref().is_some_and(|due| due != ack) => {
            Err(format!("ack {} is due", due.unwrap_or_default()))
        }
        Some(_) => Ok(()),
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<i64>().is_ok()
}

/// The records of Linux, of whatever release.
fn records() -> Vec<PathBuf> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder of records") {
            let path = entry.expect("an entry of that folder").path();
            if path.is_dir() {
                below(&path, found);
            } else if entry_is_of_linux(&path) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("expected"), &mut found);
    found
}

fn entry_is_of_linux(path: &Path) -> bool {
    let name = path.file_name().map_or_else(Default::default, |name| name.to_string_lossy());
    name.starts_with("linux") && name.ends_with(".snap")
}

/// The segments of a record that stand directly above a RST in the other direction, with it, and
/// the title of their row.
fn answers(body: &str) -> Vec<(String, Segment, Segment)> {
    let mut row = "";
    let mut above: Option<Segment> = None;
    let mut found = Vec::new();
    for line in body.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            row = title;
        }
        let segment = Segment::read(line);
        if let (Some(asked), Some(answer)) = (&above, &segment)
            && answer.has('R')
            && asked.from == answer.to
            && asked.to == answer.from
        {
            found.push((row.to_owned(), asked.clone(), answer.clone()));
        }
        above = segment;
    }
    found
}

#[test]
fn recorded_rsts_are_numbered_as_the_rfc_says() {
    let mut judged = 0;
    let mut wrong = Vec::new();
    for path in records() {
        let text = std::fs::read_to_string(&path).expect("a record");
        let (_, body) = text.split_once("\n---\n").expect("a body below the header");
        for (row, segment, rst) in answers(body) {
            judged += 1;
            if let Err(why) = judge(&segment, &rst) {
                wrong.push(format!("{}: {row}: {segment}: {rst}: {why}", path.display()));
            }
        }
    }
    assert!(judged > 60, "only {judged} RSTs stand below what they answer");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[rstest]
#[case::to_an_ack("[.] seq 0 ack 7", "[R] seq 7", true)]
#[case::wrong_number("[.] seq 0 ack 7", "[R] seq 8", false)]
#[case::an_ack_too_many("[.] seq 0 ack 7", "[R.] seq 7 ack 0", false)]
#[case::to_a_syn_with_data("[S] seq 0 len 5", "[R.] seq 0 ack 6", true)]
#[case::fin_counts("[FPU] seq 1000", "[R.] seq 0 ack 1001", true)]
#[case::fin_does_not_count("[FPU] seq 1000", "[R.] seq 0 ack 1000", false)]
#[case::a_number_of_its_own("[S] seq 0", "[R.] seq 9 ack 1", false)]
#[case::ack_left_out("[S] seq 0", "[R] seq 0", false)]
#[case::to_a_rst("[R] seq 0", "[R.] seq 0 ack 0", false)]
#[case::relative_to_a_variable("[.] seq 0 ack nxt+1000", "[R] seq 1001", true)]
fn what_the_rule_says(#[case] segment: &str, #[case] rst: &str, #[case] is_right: bool) {
    let read = |ends: &str, text: &str| Segment::read(&format!("    {ends} {text}"));
    let segment = read("peer > client", segment).expect("a segment");
    let rst = read("client > peer", rst).expect("a RST");
    assert_eq!(judge(&segment, &rst).is_ok(), is_right);
}

#[test]
fn only_what_stands_directly_above_is_asked() {
    let body = "== a=1\n    peer > client [.] seq 0 ack 7\n    client > peer [R] seq 7 win 0\n\
                client.close() = 0\n    client > peer [R.] seq 1 ack 1\n";
    let answers = answers(body);
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].0.as_str(), answers[0].2.seq.as_str()), ("a=1", "7"));
}
