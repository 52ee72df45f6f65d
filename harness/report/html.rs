//! The matrix as one HTML page that needs nothing but itself.
//!
//! Everything that the page tells stands in it as text and tables, each transcript once, so that it
//! is read without its script. The script (`html/*.js`) filters, moves a case's part into a panel,
//! and draws the transcripts found there as sequence diagrams.
//!
//! Cases and records may come from strangers. Every value therefore passes one gate on its way into
//! the page (`Gate`): what is markup is escaped, and characters that steer a terminal or turn the
//! direction of text are told by their number. Links lead to files of the repository only.

mod view;

use super::matrix::Matrix;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, Output, State, UndefinedBehavior, Value, context};
use std::fmt::{self, Display, Write};
use view::View;

/// What goes wrong is wrong in a template: the harness is broken.
pub use minijinja::Error;

const TEMPLATES: [(&str, &str); 5] = [
    ("page.html", include_str!("html/page.html")),
    ("matrix.html", include_str!("html/matrix.html")),
    ("claims.html", include_str!("html/claims.html")),
    ("platforms.html", include_str!("html/platforms.html")),
    ("case.html", include_str!("html/case.html")),
];

/// In an order in which nothing is used before it is there.
const SCRIPT: [&str; 6] = [
    include_str!("html/align.js"),
    include_str!("html/ladder.js"),
    include_str!("html/matrix.js"),
    include_str!("html/statements.js"),
    include_str!("html/panel.js"),
    include_str!("html/page.js"),
];

/// Runs before anything is shown.
const EARLY: &str = include_str!("html/early.js");

const STYLE: [&str; 2] = [include_str!("html/page.css"), include_str!("html/case.css")];

/// The page; its links to files lead to folders beside it.
pub fn page(matrix: &Matrix) -> Result<String, Error> {
    page_at(matrix, "")
}

/// The page with links to files below `base`, the address of a checkout's root.
pub fn page_at(matrix: &Matrix, base: &str) -> Result<String, Error> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_syntax(SyntaxConfig::builder().trim_blocks(true).build()?);
    env.set_formatter(guarded);
    env.add_filter("s", |n: usize| if n == 1 { "" } else { "s" });
    for (name, text) in TEMPLATES {
        env.add_template(name, text)?;
    }
    let own = |parts: &[&str]| Value::from_safe_string(parts.concat());
    env.get_template("page.html")?.render(context! {
        view => Value::from(Serde(View::of(matrix, base))),
        style => own(&STYLE),
        early => own(&[EARLY]),
        script => own(&SCRIPT),
    })
}

/// Whether a text begins as the page does.
pub fn is_page(text: &str) -> bool {
    text.contains("<meta name=\"generator\" content=\"sockdiff")
}

/// Lets values through [`Gate`], and templates as they are.
fn guarded(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if value.kind() == ValueKind::String && !value.is_safe() => {
            write!(out, "{}", Gate(text)).map_err(Error::from)
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}

/// A text that is nothing but text, in an element or a quoted attribute.
struct Gate<'a>(&'a str);

impl Display for Gate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(c)?,
                c if is_steering(c) => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Characters that are not seen but change how others are: control characters, marks and overrides
/// of direction, invisible joiners and separators, tags.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
#[path = "html/tests.rs"]
mod tests;
