//! The hash of a question: FNV-1a over the parts of the tree that decide what is asked.

use super::tree::{Kind, Node};

/// Header keys that tell about the question and are no part of it.
const NOT_ASKED: [&str; 5] = ["about", "spec", "covers", "tags", "claims"];

/// 16 hexadecimal digits that stay the same as long as the question does. Comments, formatting
/// and anchors are gone from the tree already; the order of keys counts.
pub(super) fn of_question(root: &Node) -> String {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    if let Kind::Map(entries) = &root.kind {
        for (key, node) in entries.iter().filter(|(key, _)| !NOT_ASKED.contains(&&*key.text)) {
            hash.text(&key.text);
            hash.node(node);
        }
    }
    format!("{:016x}", hash.0)
}

struct Fnv(u64);

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// A length before every text and list keeps `[a, b]` and `[ab]` apart.
    fn text(&mut self, text: &str) {
        self.len(b't', text.len());
        self.bytes(text.as_bytes());
    }

    fn len(&mut self, kind: u8, len: usize) {
        self.bytes(&[kind]);
        self.bytes(&(len as u64).to_le_bytes());
    }

    fn node(&mut self, node: &Node) {
        match &node.kind {
            Kind::Null => self.bytes(b"n"),
            Kind::Bool(value) => self.bytes(&[b'b', u8::from(*value)]),
            Kind::Int(value) => {
                self.bytes(b"i");
                self.bytes(&value.to_le_bytes());
            }
            Kind::Float(value) => {
                self.bytes(b"f");
                self.bytes(&value.to_bits().to_le_bytes());
            }
            Kind::Str(text) => self.text(text),
            Kind::List(nodes) => {
                self.len(b'l', nodes.len());
                nodes.iter().for_each(|node| self.node(node));
            }
            Kind::Map(entries) => {
                self.len(b'm', entries.len());
                for (key, node) in entries {
                    self.text(&key.text);
                    self.node(node);
                }
            }
        }
    }
}
