//! What is wrong with a case, where, and what was probably meant.

use std::fmt;
use std::path::{Path, PathBuf};

/// A bad case: one mistake, with its place in the file.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct CaseError {
    /// The file, as it was named to the parser.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The place in the YAML document, `steps[3].client.sned`; empty for the document itself.
    pub at: String,
    /// What is wrong, what was expected, and the nearest valid word.
    pub message: String,
}

impl fmt::Display for CaseError {
    /// `cases/rst/foo.yaml:12:5: steps[3].client.sned: unknown verb …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(f, "{path}:{}:{}: ", self.line, self.column)?;
        if !self.at.is_empty() {
            write!(f, "{}: ", self.at)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for CaseError {}

/// A mistake with its place in the text, before it is known which file the text came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Trouble {
    pub line: u32,
    pub column: u32,
    pub at: String,
    pub message: String,
}

impl Trouble {
    /// A mistake at the byte `offset` of `text`.
    pub fn at_byte(text: &[u8], offset: usize, message: String) -> Trouble {
        let before = &text[..offset.min(text.len())];
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let newlines = before.iter().filter(|b| **b == b'\n').count();
        let characters = String::from_utf8_lossy(&before[line_start..]).chars().count();
        Trouble {
            line: u32::try_from(newlines + 1).unwrap_or(u32::MAX),
            column: u32::try_from(characters + 1).unwrap_or(u32::MAX),
            at: String::new(),
            message,
        }
    }

    /// The same mistake, in this file.
    pub fn in_file(self, path: &Path) -> CaseError {
        CaseError {
            path: path.to_owned(),
            line: self.line,
            column: self.column,
            at: self.at,
            message: self.message,
        }
    }
}

/// A mistake at a node of the tree; a second look at the text finds the node's line and column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    /// The node or key, by its number.
    pub id: u32,
    /// What is wrong with it.
    pub message: String,
}

/// What reading a part of the tree gives.
pub(super) type Read<T> = Result<T, Fault>;

/// So many words may be listed in a message; of a longer list only the nearest word is told.
const LISTED_WORDS_MAX: usize = 32;

/// `unknown verb `sned`, expected one of …; did you mean `send`?`
pub(super) fn unknown<'a>(
    what: &str,
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let mut message = format!("unknown {what} `{}`", shortened(word));
    match known.as_slice() {
        [] => message.push_str(", there is none"),
        [only] => message.push_str(&format!(", expected {}", shortened(only))),
        many if many.len() <= LISTED_WORDS_MAX => {
            let many: Vec<String> = many.iter().map(|word| shortened(word)).collect();
            message.push_str(&format!(", expected one of {}", many.join(", ")));
        }
        _ => {}
    }
    if let Some(near) = nearest(word, &known) {
        message.push_str(&format!("; did you mean `{near}`?"));
    }
    message
}

/// The known word that `word` is probably a misspelling of.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // The distance takes the product of the lengths.
    const COMPARED_BYTES_MAX: usize = 64;
    if word.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let word = word.to_lowercase();
    known
        .iter()
        .filter(|known| known.len() <= COMPARED_BYTES_MAX)
        .map(|known| (strsim::osa_distance(&word, &known.to_lowercase()), *known))
        .filter(|(distance, known)| *distance <= 1 + known.len().min(word.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// The beginning of a text, so that a message stays a line.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 48;
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown.replace(char::is_control, " ")
}
