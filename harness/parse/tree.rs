//! YAML text -> a tree whose nodes are numbered, and back from a number to a line and column.
//!
//! The YAML crate tells a place only in errors that are raised while it reads. So the text is
//! read once into a tree, and a mistake found in the tree later is raised by reading the text a
//! second time up to the node of that number.

use super::error::Trouble;
use crate::model::limits::{DEPTH_MAX, FILE_BYTES_MAX, NODES_MAX, OPENINGS_MAX};
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// A value of the document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Its number: nodes and keys are counted in the order in which they stand in the text.
    pub id: u32,
    /// The line it begins on, from 1. Exact for text and for what begins with text; a number
    /// that follows a line break is told one line early.
    pub line: u32,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a map.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub id: u32,
    pub line: u32,
    pub text: String,
}

/// Checks what must hold before a YAML parser sees the file.
pub(super) fn check_bytes(bytes: &[u8]) -> Result<&str, Trouble> {
    let fault = |offset, message| Err(Trouble::at_byte(bytes, offset, message));
    if bytes.len() > FILE_BYTES_MAX {
        let len = bytes.len();
        return fault(0, format!("{len} bytes, a case has at most {FILE_BYTES_MAX}"));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let offset = error.valid_up_to();
            return fault(offset, format!("byte {offset} is not UTF-8, save the file as UTF-8"));
        }
    };
    // U+0085, U+2028 and U+2029 end a line for YAML 1.1 and for nobody else.
    let breaks = |c: char| matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}');
    // Neither does it take the other controls, nor the two that are no characters; what it says
    // of them has no line.
    let refused = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    let strange = |c: char| breaks(c) || (refused(c) && !matches!(c, '\n' | '\r'));
    if let Some((offset, c)) = text.char_indices().find(|(_, c)| strange(*c)) {
        let message = match c {
            '\t' => "a tab, expected blanks (inside text write \"\\t\" in double quotes)".into(),
            c => format!("a character U+{:04X}, expected none", u32::from(c)),
        };
        return fault(offset, message);
    }
    let openings = text.bytes().enumerate().filter(|(_, b)| matches!(b, b'[' | b'{'));
    if let Some((offset, _)) = openings.clone().nth(OPENINGS_MAX) {
        return fault(offset, format!("more than {OPENINGS_MAX} brackets open in one file"));
    }
    Ok(text)
}

/// Reads the one document of `text`.
pub(super) fn read(text: &str) -> Result<Node, Trouble> {
    walk(text, None)
}

/// The place of the node or key numbered `id`, with `message` as what is wrong there.
pub(super) fn locate(text: &str, id: u32, message: String) -> Trouble {
    match walk(text, Some((id, message.clone()))) {
        Err(trouble) => trouble,
        Ok(root) => Trouble { line: root.line, column: 1, at: String::new(), message },
    }
}

fn walk(text: &str, blame: Option<(u32, String)>) -> Result<Node, Trouble> {
    let mut reader = Reader::new(text, blame);
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let root = match documents.next() {
        Some(document) => Seed { reader: &mut reader, depth: 0 }.deserialize(document),
        None => Err(reader.refuse(EMPTY.to_owned())),
    };
    let root = root.map_err(|error| reader.trouble(&error))?;
    if let Some(second) = documents.next() {
        let message = "a second document, expected one case per file".to_owned();
        reader.blame = Some((reader.next_id, message));
        if let Err(error) = (Seed { reader: &mut reader, depth: 0 }).deserialize(second) {
            return Err(reader.trouble(&error));
        }
    }
    Ok(root)
}

const EMPTY: &str = "the file is empty, expected a case: at least `about` and `steps`";

/// The state of one pass over the text.
struct Reader<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
    /// The line of the last text seen.
    line: u32,
    next_id: u32,
    /// Where the pass is in the document; after an error, where it happened.
    path: Vec<String>,
    /// The node to raise a message at.
    blame: Option<(u32, String)>,
    /// The message of an error that this module raised itself.
    message: Option<String>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, blame: Option<(u32, String)>) -> Reader<'t> {
        let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        Reader {
            text,
            line_starts: std::iter::once(0).chain(breaks.map(|(i, _)| i + 1)).collect(),
            line: 1,
            next_id: 0,
            path: Vec::new(),
            blame,
            message: None,
        }
    }

    /// Gives the next node its number, unless this is the node to blame or one too many.
    fn enter<E: de::Error>(&mut self) -> Result<u32, E> {
        let id = self.next_id;
        self.next_id += 1;
        if let Some((_, message)) = self.blame.take_if(|(blamed, _)| *blamed == id) {
            return Err(self.refuse(message));
        }
        if id as usize >= NODES_MAX {
            let message = format!("more than {NODES_MAX} values after following the aliases");
            return Err(self.refuse(message));
        }
        Ok(id)
    }

    fn refuse<E: de::Error>(&mut self, message: String) -> E {
        self.message = Some(message);
        E::custom("refused")
    }

    /// Where `slice` stands, if it is a part of the text and not a copy.
    fn note_line(&mut self, slice: &str) {
        let offset = (slice.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        if let Some(offset) = offset.filter(|offset| *offset < self.text.len()) {
            let line = self.line_starts.partition_point(|start| *start <= offset);
            self.line = u32::try_from(line).unwrap_or(u32::MAX);
        }
    }

    fn trouble(&self, error: &serde_yaml::Error) -> Trouble {
        let (line, column) =
            error.location().map_or((self.line as usize, 1), |at| (at.line(), at.column()));
        let message = self.message.clone().unwrap_or_else(|| {
            let place = format!(" at line {line} column {column}");
            let message = error.to_string().replacen(&place, "", 1);
            // Almost always it was meant as text.
            let hint = match message.contains("mapping values are not allowed") {
                true => ": text with a colon and a blank in it stands in quotes, or behind `>`",
                false => "",
            };
            format!("invalid YAML: {message}{hint}")
        });
        Trouble {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            at: self.path.concat().trim_start_matches('.').to_owned(),
            message,
        }
    }
}

/// Reads one value.
struct Seed<'r, 't> {
    reader: &'r mut Reader<'t>,
    depth: usize,
}

impl Seed<'_, '_> {
    fn leaf<E: de::Error>(self, kind: Kind) -> Result<Node, E> {
        Ok(Node { id: self.reader.enter()?, line: self.reader.line, kind })
    }

    fn too_large<E: de::Error>(self) -> Result<Node, E> {
        self.reader.enter::<E>()?;
        Err(self.reader.refuse("a number beyond 64 bits".to_owned()))
    }

    fn enter_nested<E: de::Error>(&mut self) -> Result<u32, E> {
        let id = self.reader.enter()?;
        if self.depth < DEPTH_MAX {
            return Ok(id);
        }
        let message = format!("more than {DEPTH_MAX} lists and maps inside each other");
        Err(self.reader.refuse(message))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Node;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        self.reader.enter::<E>()?;
        Err(self.reader.refuse(EMPTY.to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        self.leaf(Kind::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        self.leaf(Kind::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        self.leaf(Kind::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        match i64::try_from(value) {
            Ok(value) => self.leaf(Kind::Int(value)),
            Err(_) => self.too_large(),
        }
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<Node, E> {
        self.too_large()
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<Node, E> {
        self.too_large()
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        self.leaf(Kind::Float(value))
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Node, E> {
        self.reader.note_line(value);
        self.leaf(Kind::Str(value.to_owned()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        self.leaf(Kind::Str(value.to_owned()))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        self.reader.enter::<A::Error>()?;
        Err(self.reader.refuse("a YAML tag (`!…`), expected a plain value".to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Node, A::Error> {
        let id = self.enter_nested()?;
        let Seed { reader, depth } = self;
        let mut nodes = Vec::new();
        loop {
            reader.path.push(format!("[{}]", nodes.len()));
            let seed = Seed { reader: &mut *reader, depth: depth + 1 };
            let Some(node) = list.next_element_seed(seed)? else {
                break;
            };
            reader.path.pop();
            nodes.push(node);
        }
        reader.path.pop();
        let line = nodes.first().map_or(reader.line, |node| node.line);
        Ok(Node { id, line, kind: Kind::List(nodes) })
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Node, A::Error> {
        let id = self.enter_nested()?;
        let Seed { reader, depth } = self;
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut seen = HashSet::new();
        while let Some(key) =
            map.next_key_seed(KeySeed { reader: &mut *reader, seen: &mut seen })?
        {
            let seed = Seed { reader: &mut *reader, depth: depth + 1 };
            let value = map.next_value_seed(seed)?;
            reader.path.pop();
            entries.push((key, value));
        }
        let line = entries.first().map_or(reader.line, |(key, _)| key.line);
        Ok(Node { id, line, kind: Kind::Map(entries) })
    }
}

/// Reads one key, and leaves it at the end of the reader's path.
struct KeySeed<'r, 't> {
    reader: &'r mut Reader<'t>,
    seen: &'r mut HashSet<String>,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_, '_> {
    type Value = Key;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        // Asked for text, the YAML crate gives a number or a boolean as it is written.
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_, '_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word as key")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Key, E> {
        self.reader.note_line(text);
        self.visit_str(text)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Key, E> {
        self.reader.path.push(format!(".{}", super::error::shortened(text)));
        let id = self.reader.enter()?;
        let line = self.reader.line;
        if text == "<<" {
            let message = "merge keys are not part of the language, write the keys out";
            return Err(self.reader.refuse(message.to_owned()));
        }
        if !self.seen.insert(text.to_owned()) {
            return Err(self.reader.refuse("this key stands here twice".to_owned()));
        }
        Ok(Key { id, line, text: text.to_owned() })
    }
}
