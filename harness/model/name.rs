//! Names of sockets and processes, as a case writes them.

use std::fmt;
use std::sync::Arc;

/// The name of a socket or a process: `[a-z][a-z0-9-]*`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Words that no socket may be called, because they mean something of their own.
pub const RESERVED: [&str; 9] =
    ["peer", "host", "router", "closed-port", "local", "loopback", "any", "bad", "unspec"];

impl Name {
    /// Takes any text; whether it is a valid name is [`Name::is_valid`]'s question.
    pub fn new(text: &str) -> Name {
        Name(Arc::from(text))
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` has the form of a name (it may still be reserved).
    pub fn is_valid(text: &str) -> bool {
        let mut chars = text.chars();
        chars.next().is_some_and(|first| first.is_ascii_lowercase())
            && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    }

    /// Whether `text` is a word with a meaning of its own.
    pub fn is_reserved(text: &str) -> bool {
        RESERVED.contains(&text) || text.strip_prefix("peer").is_some_and(is_number)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name::new(text)
    }
}
