//! Typed looks at a node: each either gives the value or says what was expected.

use super::error::{Fault, Read, shortened, unknown};
use super::tree::{Key, Kind, Node};
use crate::model::limits::WAIT_MAX;
use crate::model::name::{Name, RESERVED};
use crate::model::time::{Shown, parse_duration};
use std::ops::RangeInclusive;
use std::time::Duration;

impl Key {
    /// A mistake at this key.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { id: self.id, message: message.into() }
    }
}

impl Node {
    /// A mistake at this node.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { id: self.id, message: message.into() }
    }

    /// A mistake of kind or form: says what was expected and what is there.
    pub fn expected(&self, what: &str) -> Fault {
        let found = match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Bool(value) => format!("`{value}`"),
            Kind::Int(value) => format!("the number {value}"),
            Kind::Float(value) => format!("the number {value} (as text it needs quotes)"),
            Kind::Str(text) => format!("`{}`", shortened(text)),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
        };
        self.fault(format!("expected {what}, found {found}"))
    }

    /// Text.
    pub fn text(&self, what: &str) -> Read<&str> {
        match &self.kind {
            Kind::Str(text) => Ok(text),
            _ => Err(self.expected(what)),
        }
    }

    /// Text that says something.
    pub fn prose(&self, what: &str) -> Read<String> {
        let text = self.text(what)?.trim();
        if text.is_empty() {
            return Err(self.fault(format!("expected {what}, found empty text")));
        }
        Ok(text.to_owned())
    }

    /// A whole number within bounds.
    pub fn int(&self, range: &RangeInclusive<i64>, what: &str) -> Read<i64> {
        match self.kind {
            Kind::Int(value) if range.contains(&value) => Ok(value),
            Kind::Int(value) => {
                let (low, high) = (range.start(), range.end());
                Err(self.fault(format!("{value} is out of bounds, expected {low} to {high}")))
            }
            _ => Err(self.expected(what)),
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Read<bool> {
        match self.kind {
            Kind::Bool(value) => Ok(value),
            _ => Err(self.expected("`true` or `false`")),
        }
    }

    /// A list.
    pub fn list(&self, what: &str) -> Read<&[Node]> {
        match &self.kind {
            Kind::List(nodes) => Ok(nodes),
            _ => Err(self.expected(what)),
        }
    }

    /// A map.
    pub fn map(&self, what: &str) -> Read<&[(Key, Node)]> {
        match &self.kind {
            Kind::Map(entries) => Ok(entries),
            _ => Err(self.expected(what)),
        }
    }

    /// A map with keys out of `known` only.
    pub fn keys(&self, what: &str, known: &[&str]) -> Read<&[(Key, Node)]> {
        let entries = self.map(what)?;
        match entries.iter().find(|(key, _)| !known.contains(&&*key.text)) {
            None => Ok(entries),
            Some((key, _)) => Err(key.fault(unknown("key", &key.text, known.iter().copied()))),
        }
    }

    /// The value of a key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|(k, _)| k.text == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// A word of a table, as what stands beside it.
    pub fn one_of<T: Copy>(&self, what: &str, table: &[(T, &'static str)]) -> Read<T> {
        let words = table.iter().map(|(_, word)| *word);
        let text = self.text(&format!("a {what}: {}", listed(words.clone())))?;
        table
            .iter()
            .find(|(_, word)| *word == text)
            .map(|(value, _)| *value)
            .ok_or_else(|| self.fault(unknown(what, text, words)))
    }

    /// A duration that a case may wait.
    pub fn duration(&self) -> Read<Duration> {
        let duration = self.any_duration()?;
        if duration > WAIT_MAX {
            let (given, most) = (Shown(duration), Shown(WAIT_MAX));
            return Err(self.fault(format!("`{given}` is too long, expected at most {most}")));
        }
        Ok(duration)
    }

    /// A duration, however long.
    pub fn any_duration(&self) -> Read<Duration> {
        const DURATION_BYTES_MAX: usize = 24;
        let expected = "a duration: 300ms, 2s, 1min";
        match self.text(expected)? {
            text if text.len() > DURATION_BYTES_MAX => Err(self.expected(expected)),
            text => parse_duration(text).map_err(|message| self.fault(message)),
        }
    }

    /// A name that a socket or process may have.
    pub fn name(&self, what: &str) -> Read<Name> {
        let text = self.text(what)?;
        valid_name(text).map_err(|message| self.fault(message))
    }
}

/// Checks the form of a name, and that it is no word with a meaning of its own.
pub(super) fn valid_name(text: &str) -> Result<Name, String> {
    if Name::is_reserved(text) {
        let reserved = RESERVED.join(", ");
        return Err(format!("`{text}` is reserved, as are {reserved}: choose another name"));
    }
    if !Name::is_valid(text) {
        let text = shortened(text);
        return Err(format!("`{text}` is no name, expected [a-z][a-z0-9-]*: client, conn, b"));
    }
    Ok(Name::new(text))
}

/// `a, b, c`, or nothing much for a list that is too long to read.
fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.take(16).collect::<Vec<_>>().join(", ")
}
