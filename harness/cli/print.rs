//! Output: results to stdout, everything else to stderr; colours only where they are seen.

use crate::report::plain;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use std::io::{IsTerminal, Write};

/// As recorded.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Not as recorded.
pub const DIFFERENT: Style = AnsiColor::Red.on_default();
/// Worth a look.
pub const NOTICE: Style = AnsiColor::Yellow.on_default();
/// Of less weight.
pub const FAINT: Style = Style::new().dimmed();
/// Of more weight.
pub const STRONG: Style = Style::new().bold();

/// One line of results, in which text from elsewhere has passed [`plain`]. A reader that has gone away (`| head`) is no error.
pub fn say(line: &str) {
    let _ = writeln!(anstream::stdout().lock(), "{line}");
}

/// Lines beside the results. They may quote a case or a file of a stranger.
pub fn warn(text: &str) {
    let text = plain::lines(text);
    let _ = writeln!(anstream::stderr().lock(), "{NOTICE}{}{NOTICE:#}", text.trim_end());
}

/// One line of progress, only to a terminal, overwritten by the next.
pub fn progress(line: &str) {
    if shows_progress() {
        let _ = write!(anstream::stderr().lock(), "\r\x1b[K{FAINT}{line}{FAINT:#}");
    }
}

/// Takes the line of progress away.
pub fn end_progress() {
    if shows_progress() {
        let _ = write!(anstream::stderr().lock(), "\r\x1b[K");
    }
}

/// Taking a line away needs an escape code, which a terminal under NO_COLOR does not get.
fn shows_progress() -> bool {
    let stderr = std::io::stderr();
    stderr.is_terminal() && AutoStream::choice(&stderr) != ColorChoice::Never
}

/// Whether results go to a person.
pub fn to_terminal() -> bool {
    std::io::stdout().is_terminal()
}
