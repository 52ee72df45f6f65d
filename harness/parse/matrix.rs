//! The matrix: its rows, and `$how` replaced by a row's value.

use super::error::{Fault, Read, shortened, unknown};
use super::node::valid_name;
use super::tree::{Key, Kind, Node};
use crate::model::limits::{ROWS_BYTES_MAX, RUNS_MAX, VARIABLES_MAX};
use std::collections::HashSet;

/// A matrix: each variable with its values.
#[derive(Default)]
pub(super) struct Matrix<'n> {
    variables: Vec<(&'n str, &'n [Node])>,
}

/// One combination: each variable with its value.
pub(super) type RowValues<'n> = Vec<(&'n str, &'n Node)>;

/// Each variable with its values as the transcript prints them.
pub(super) type Texts<'n> = Vec<(&'n str, Vec<String>)>;

impl<'n> Matrix<'n> {
    /// Reads `{how: [rd, wr], …}`.
    pub fn read(node: &'n Node) -> Read<Matrix<'n>> {
        let mut variables = Vec::new();
        for (key, values) in node.map("a map of lists: {how: [rd, wr]}")? {
            if variables.len() == VARIABLES_MAX {
                let message = format!("a variable too many, expected at most {VARIABLES_MAX}");
                return Err(key.fault(message));
            }
            valid_name(&key.text).map_err(|message| key.fault(message))?;
            let list = values.list("a list of values: [rd, wr]")?;
            if list.is_empty() {
                return Err(values.fault("an empty list, expected at least one value"));
            }
            for value in list {
                check_value(value)?;
            }
            variables.push((&*key.text, list));
        }
        Ok(Matrix { variables })
    }

    /// How many combinations there are; an error if they are too many in `families` families.
    pub fn count(&self, node: Option<&Node>, families: usize) -> Read<usize> {
        let lengths = self.variables.iter().map(|(_, values)| values.len());
        let rows = lengths.fold(1usize, usize::saturating_mul);
        match node.filter(|_| rows.saturating_mul(families) > RUNS_MAX) {
            Some(node) => Err(node.fault(format!(
                "{rows} rows in {families} famil{}, a case has at most {RUNS_MAX} runs",
                if families == 1 { "y" } else { "ies" }
            ))),
            None => Ok(rows),
        }
    }

    /// Whether the case uses every variable: one that it does not use asks the same several times.
    pub fn check_used(matrix: Option<&Node>, root: &Node) -> Read<()> {
        let parts = || ["given", "settings", "steps"].into_iter().filter_map(|key| root.get(key));
        let variables = matrix.map_or(Ok(&[][..]), |node| node.map("a map of lists"))?;
        match variables.iter().find(|(key, _)| !parts().any(|part| uses(part, &key.text))) {
            Some((key, _)) => Err(key.fault(format!(
                "nothing uses `${}`, so its rows would all ask the same; expected it in `given`, \
                 `settings` or `steps`",
                key.text
            ))),
            None => Ok(()),
        }
    }

    /// The combination number `row`: the first variable changes slowest.
    pub fn row(&self, row: usize) -> RowValues<'n> {
        let mut rest = row;
        let mut values: RowValues<'n> = Vec::new();
        for (name, list) in self.variables.iter().rev() {
            values.push((name, &list[rest % list.len()]));
            rest /= list.len();
        }
        values.reverse();
        values
    }

    /// Each variable with its values as text.
    pub fn texts(&self) -> Texts<'n> {
        let texts = |values: &[Node]| values.iter().map(value_text).collect();
        self.variables.iter().map(|(name, values)| (*name, texts(values))).collect()
    }
}

/// Whether `$name` stands in a node or below it.
fn uses(node: &Node, name: &str) -> bool {
    let in_text = |text: &str| text.split('$').skip(1).any(|rest| variable_name(rest) == name);
    match &node.kind {
        Kind::Str(text) => in_text(text),
        Kind::List(nodes) => nodes.iter().any(|node| uses(node, name)),
        Kind::Map(entries) => {
            entries.iter().any(|(key, node)| in_text(&key.text) || uses(node, name))
        }
        _ => false,
    }
}

/// The name of a variable at the beginning of a text, behind its `$`.
fn variable_name(text: &str) -> &str {
    let in_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let end = text.find(|c| !in_name(c)).unwrap_or(text.len());
    text[..end].trim_end_matches('-')
}

/// A value becomes a part of the line `== how=rd`, so it has to fit into a line.
fn check_value(value: &Node) -> Read<()> {
    match &value.kind {
        Kind::Null => Err(value.expected("a value (the word null needs quotes)")),
        Kind::Str(text) if text.contains(char::is_control) => {
            Err(value.fault("a value of the matrix stays on one line"))
        }
        Kind::List(nodes) => nodes.iter().try_for_each(check_value),
        Kind::Map(entries) => entries.iter().try_for_each(|(_, node)| check_value(node)),
        _ => Ok(()),
    }
}

/// A value as the transcript prints it: `rd`, `[SO_REUSEADDR,SO_REUSEPORT]`, `[]`.
pub(super) fn value_text(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Int(value) => value.to_string(),
        Kind::Float(value) => value.to_string(),
        Kind::Str(text) => text.clone(),
        Kind::List(nodes) => {
            let texts: Vec<String> = nodes.iter().map(value_text).collect();
            format!("[{}]", texts.join(","))
        }
        Kind::Map(entries) => {
            let pair = |(key, node): &(Key, Node)| format!("{}:{}", key.text, value_text(node));
            let texts: Vec<String> = entries.iter().map(pair).collect();
            format!("{{{}}}", texts.join(","))
        }
    }
}

/// Replaces the variables of one row; counts what all rows take together.
pub(super) struct Substitution<'s, 'n> {
    pub values: &'s [(&'n str, &'n Node)],
    pub bytes: &'s mut usize,
}

impl<'n> Substitution<'_, 'n> {
    /// The node with every `$how` replaced.
    pub fn node(&mut self, node: &Node) -> Read<Node> {
        self.charge(node.id, NODE_BYTES)?;
        let kind = match &node.kind {
            Kind::Str(text) => return self.scalar(node, text),
            Kind::List(nodes) => {
                let mut list = Vec::new();
                for item in nodes {
                    match (self.whole(item)?, &item.kind) {
                        (Some(Node { kind: Kind::List(items), .. }), _) => {
                            for value in items {
                                list.push(self.copy(value, item.id)?);
                            }
                        }
                        _ => list.push(self.node(item)?),
                    }
                }
                Kind::List(list)
            }
            Kind::Map(entries) => {
                let mut map = Vec::new();
                let mut seen = HashSet::new();
                for (key, value) in entries {
                    let text = self.text(key.id, &key.text)?;
                    if !seen.insert(text.clone()) {
                        return Err(key.fault(format!("the key `{text}` stands here twice")));
                    }
                    map.push((Key { text, ..*key }, self.node(value)?));
                }
                Kind::Map(map)
            }
            other => other.clone(),
        };
        Ok(Node { kind, ..*node })
    }

    fn scalar(&mut self, node: &Node, text: &str) -> Read<Node> {
        if let Some(value) = self.whole(node)? {
            let copy = self.copy(value, node.id)?;
            return Ok(Node { line: node.line, ..copy });
        }
        Ok(Node { kind: Kind::Str(self.text(node.id, text)?), ..*node })
    }

    /// The value that a node is nothing but the variable of.
    fn whole(&self, node: &Node) -> Read<Option<&'n Node>> {
        let Kind::Str(text) = &node.kind else {
            return Ok(None);
        };
        match text.strip_prefix('$').map(|rest| self.variable(rest)) {
            Some(Ok(Some((value, "")))) => Ok(Some(value)),
            Some(Err(message)) => Err(node.fault(message)),
            _ => Ok(None),
        }
    }

    /// Text with the variables inside it replaced.
    fn text(&mut self, id: u32, text: &str) -> Read<String> {
        self.charge(id, text.len())?;
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            match self.variable(after).map_err(|message| Fault { id, message })? {
                Some((value, left)) => {
                    if matches!(value.kind, Kind::List(_) | Kind::Map(_)) {
                        let message = not_in_text(text, value, variable_name(after), left);
                        return Err(Fault { id, message });
                    }
                    let value = value_text(value);
                    self.charge(id, value.len())?;
                    out.push_str(&value);
                    rest = left;
                }
                None => {
                    out.push('$');
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The variable at the beginning of `text` (behind its `$`) and what follows it; none if no
    /// name stands there.
    fn variable<'t>(&self, text: &'t str) -> Result<Option<(&'n Node, &'t str)>, String> {
        let name = variable_name(text);
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Ok(None);
        }
        let rest = &text[name.len()..];
        let found = self.values.iter().find(|(known, _)| *known == name);
        let Some((_, value)) = found else {
            let known = self.values.iter().map(|(known, _)| *known);
            return Err(unknown("variable of the matrix", name, known));
        };
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        match rest.strip_prefix('.').map(|index| (index, digits(index))) {
            Some((index, len)) if len > 0 => {
                let (index, rest) = index.split_at(len);
                let item = match &value.kind {
                    Kind::List(nodes) => index.parse().ok().and_then(|i: usize| nodes.get(i)),
                    _ => None,
                };
                let value = shortened(&value_text(value));
                let message = || format!("`${name}.{index}`: `{value}` has no item {index}");
                item.map(|item| Some((item, rest))).ok_or_else(message)
            }
            _ => Ok(Some((value, rest))),
        }
    }

    fn copy(&mut self, value: &Node, used_at: u32) -> Read<Node> {
        self.charge(used_at, weight(value))?;
        Ok(value.clone())
    }

    fn charge(&mut self, id: u32, bytes: usize) -> Read<()> {
        *self.bytes = self.bytes.saturating_add(bytes);
        if *self.bytes > ROWS_BYTES_MAX {
            let message = format!("the rows take more than {ROWS_BYTES_MAX} bytes");
            return Err(Fault { id, message });
        }
        Ok(())
    }
}

/// Why a list or a map cannot stand in `text`, where `left` follows the variable that it is the
/// value of.
fn not_in_text(text: &str, value: &Node, name: &str, left: &str) -> String {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let rest = left.strip_prefix('.').unwrap_or("");
    let index = rest.split(|c| !in_word(c)).next().unwrap_or("");
    match &value.kind {
        _ if index.is_empty() => format!("`{}` puts a list or a map into text", shortened(text)),
        Kind::List(_) => format!(
            "`${name}.{}`: an item of a list is named by its number, expected `${name}.0`",
            shortened(index)
        ),
        _ => format!("`${name}.{}`: the value is a map, a list alone has items", shortened(index)),
    }
}

/// About what a node takes without its text.
const NODE_BYTES: usize = 64;

/// About what a node takes with all that is in it.
fn weight(node: &Node) -> usize {
    NODE_BYTES
        + match &node.kind {
            Kind::Str(text) => text.len(),
            Kind::List(nodes) => nodes.iter().map(weight).sum(),
            Kind::Map(entries) => {
                entries.iter().map(|(key, node)| key.text.len() + weight(node)).sum()
            }
            _ => 0,
        }
}
