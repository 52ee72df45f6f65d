//! How the classes of a case differ, in one line.
//!
//! The transcripts are read side by side until they part. What stands there on each side is what
//! is told, with the call under which it stands; classes that go on together are told apart where
//! they part later:
//!
//! ```text
//! conn.close(): A server > client [R.] seq 1 ack 257 | B server > client [F.] seq 1 ack 257
//! ipv6: client.recv(256): A = -1 ECONNRESET | B = 0
//! ```

use super::Class;
use crate::render::{INDENT, SECTION, calls_only};
use std::fmt;

/// One place at which classes part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The row of the matrix or `ipv6`, and the call: `how=rd: conn.close()`. May be empty.
    pub place: String,
    /// The letters of the classes that go on together, and what they have there.
    pub ways: Vec<(String, String)>,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ways: Vec<String> =
            self.ways.iter().map(|(letters, text)| format!("{letters} {text}")).collect();
        let place = if self.place.is_empty() { "" } else { &format!("{}: ", self.place) };
        write!(f, "{place}{}", ways.join(" | "))
    }
}

/// The line; empty if there are fewer than two classes.
pub fn legend(classes: &[Class]) -> String {
    parts(classes).iter().map(Part::to_string).collect::<Vec<_>>().join("; ")
}

/// What the line consists of: each part tells some classes apart.
pub fn parts(classes: &[Class]) -> Vec<Part> {
    let mut parts = Vec::new();
    if classes.len() < 2 {
        return parts;
    }
    let mut together: Vec<Vec<&Class>> = vec![classes.iter().collect()];
    if classes.iter().any(|class| class.calls_only) {
        // Without packets on one side only the calls can be held against each other.
        let calls: Vec<String> = classes.iter().map(|class| calls_only(&class.body)).collect();
        let texts = classes.iter().zip(calls.iter().map(String::as_str)).collect();
        together = split(texts, &mut parts);
    }
    for same in together.into_iter().filter(|same| same.len() > 1) {
        let texts = same.into_iter().map(|class| (class, class.body.as_str())).collect();
        split(texts, &mut parts);
    }
    parts
}

/// Splits classes by their texts until nothing parts them any more. Returns the groups that stay
/// together.
fn split<'a>(texts: Vec<(&'a Class, &str)>, parts: &mut Vec<Part>) -> Vec<Vec<&'a Class>> {
    let told: Vec<(&Class, Vec<&str>)> =
        texts.into_iter().map(|(class, text)| (class, text.lines().collect())).collect();
    let mut whole = Vec::new();
    let mut open = vec![told];
    while let Some(same) = open.pop() {
        let longest = same.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0);
        let differ =
            |at: &usize| same.iter().any(|(_, lines)| lines.get(*at) != same[0].1.get(*at));
        let Some(at) = (0..longest).find(differ) else {
            whole.push(same.into_iter().map(|(class, _)| class).collect());
            continue;
        };
        let mut ways: Vec<Vec<(&Class, Vec<&str>)>> = Vec::new();
        for (class, lines) in same {
            match ways.iter_mut().find(|way| way[0].1.get(at) == lines.get(at)) {
                Some(way) => way.push((class, lines)),
                None => ways.push(vec![(class, lines)]),
            }
        }
        parts.push(told_apart(&ways, at));
        // The last is taken first, so that parts follow the order of the classes.
        open.extend(ways.into_iter().rev().filter(|way| way.len() > 1));
    }
    whole
}

/// What each way has at the line where they part.
fn told_apart(ways: &[Vec<(&Class, Vec<&str>)>], at: usize) -> Part {
    let before = &ways[0][0].1[..at];
    let row = before.iter().rev().find_map(|line| line.strip_prefix(SECTION));
    let call = before.iter().rev().find(|line| !line.starts_with(INDENT) && !is_title(line));
    let lines: Vec<Option<&str>> = ways.iter().map(|way| way[0].1.get(at).copied()).collect();
    let packets = lines.iter().flatten().any(|line| line.starts_with(INDENT));
    let same_head = same_head(&lines);
    let head = same_head.or_else(|| call.filter(|_| packets).map(|call| head_of(call)));
    let place: Vec<&str> = row.into_iter().chain(head).collect();
    let ways = ways.iter().zip(&lines).map(|(way, line)| {
        let letters: Vec<&str> = way.iter().map(|(class, _)| class.class.as_str()).collect();
        (letters.join(" "), here(*line, packets, same_head))
    });
    Part { place: place.join(": "), ways: ways.collect() }
}

/// What a class has where the others have something else.
fn here(line: Option<&str>, packets: bool, same_head: Option<&str>) -> String {
    match line {
        Some(line) if line.starts_with(INDENT) => line.trim_start().to_owned(),
        // The others sent something before their next call.
        _ if packets => "nothing more".to_owned(),
        Some(line) => match same_head.and_then(|head| line.strip_prefix(head)) {
            Some(rest) => rest.trim_start().to_owned(),
            None => line.to_owned(),
        },
        None => "ends here".to_owned(),
    }
}

/// The call that all of these lines are about, if it is one: they differ in what it answers.
fn same_head<'a>(lines: &[Option<&'a str>]) -> Option<&'a str> {
    let mut heads = lines.iter().map(|line| {
        let line = (*line)?;
        (!line.starts_with(INDENT) && !is_title(line)).then(|| head_of(line))
    });
    let first = heads.next()??;
    heads.all(|head| head == Some(first)).then_some(first)
}

/// A call without what it answers: `client.recv(256)`.
fn head_of(line: &str) -> &str {
    let ends = [" = ", " ...", " not issued: ", " still blocked"];
    let end = ends.iter().filter_map(|end| line.rfind(end)).min();
    &line[..end.unwrap_or(line.len())]
}

fn is_title(line: &str) -> bool {
    line.starts_with(SECTION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn class(index: usize, text: &str) -> Class {
        let (calls_only, body) = match text.strip_prefix("calls ") {
            Some(body) => (true, body),
            None => (false, text),
        };
        Class {
            class: super::super::classes::letter(index),
            body: body.replace("/ ", "\n    ").replace('/', "\n"),
            calls_only,
            ..Class::default()
        }
    }

    #[rstest]
    #[case::one(&["a.close() = 0"], "")]
    #[case::packet(
        &["a.close() = 0/ a > b [R.] seq 1", "a.close() = 0/ a > b [F.] seq 1"],
        "a.close(): A a > b [R.] seq 1 | B a > b [F.] seq 1"
    )]
    #[case::nothing_sent(
        &["a.close() = 0/ a > b [R.]/b.recv(1) = 0", "a.close() = 0/b.recv(1) = 0"],
        "a.close(): A a > b [R.] | B nothing more"
    )]
    #[case::nothing_at_the_end(
        &["a.close() = 0", "a.close() = 0/ a > b [R.]"],
        "a.close(): A nothing more | B a > b [R.]"
    )]
    #[case::result(
        &["a.recv(1) = -1 EPIPE", "a.recv(1) = 0", "a.recv(1) ..."],
        "a.recv(1): A = -1 EPIPE | B = 0 | C ..."
    )]
    #[case::row(
        &["== how=rd/a.x() = 0/== how=wr/a.x() = 0", "== how=rd/a.x() = 0/== how=wr/a.x() = 1"],
        "how=wr: a.x(): A = 0 | B = 1"
    )]
    #[case::row_of_ipv6(
        &["a.x() = 0", "a.x() = 0/== ipv6/a.x() = 1"],
        "A ends here | B == ipv6"
    )]
    #[case::other_calls(&["a.x() = 0", "a.y() = 0"], "A a.x() = 0 | B a.y() = 0")]
    #[case::later(
        &["a.x() = 0/a.y() = 0", "a.x() = 1/a.y() = 0", "a.x() = 1/a.y() = 1"],
        "a.x(): A = 0 | B C = 1; a.y(): B = 0 | C = 1"
    )]
    #[case::calls_only(
        &["a.x() = 0/ a > b [R]", "a.x() = 0/ a > b [F.]", "calls a.x() = 1"],
        "a.x(): A B = 0 | C = 1; a.x(): A a > b [R] | B a > b [F.]"
    )]
    #[case::equals_in_a_value(
        &["a.send(\"x = y\") = 5", "a.send(\"x = y\") = 6"],
        "a.send(\"x = y\"): A = 5 | B = 6"
    )]
    fn legends(#[case] bodies: &[&str], #[case] expected: &str) {
        let classes: Vec<Class> =
            bodies.iter().enumerate().map(|(at, body)| class(at, body)).collect();
        assert_eq!(legend(&classes), expected);
    }
}
