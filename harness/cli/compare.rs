//! `sockdiff compare`: platforms, releases and results against each other.

use super::Exit;
use super::args::CompareArgs;
use super::print::{say, warn};
use super::table::{TableError, columns, table};
use super::workspace::Workspace;
use crate::render::calls_only;
use crate::report::drift::{Change, Relation};
use crate::report::github::{SUMMARY_BYTES_MAX, annotations};
use crate::report::html;
use crate::report::markdown::{Options, markdown};
use crate::report::matrix::{Class, Matrix};
use crate::report::plain;
use crate::report::text::text;
use crate::snapshot::{Diff, SnapshotError, Store, write_file};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

mod reports;

/// Where a workflow's step says its summary goes.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// The file name that stands for stdout.
const STDOUT: &str = "-";

/// Compares, and writes what the command line asks for.
pub fn compare(workspace: &Workspace, args: &CompareArgs) -> Exit {
    if let Err(message) = reports::look(args) {
        warn(&message);
        return Exit::Usage;
    }
    let matrix = match compared(workspace, args) {
        Ok(matrix) => matrix,
        Err(error) => {
            warn(&error.to_string());
            return match error {
                TableError::File(SnapshotError::Io { .. }) => Exit::Error,
                _ => Exit::Usage,
            };
        }
    };
    if let Err((exit, message)) = write(args, &matrix) {
        warn(&message);
        return exit;
    }
    if differs(&matrix) { Exit::Differs } else { Exit::AsRecorded }
}

fn compared(workspace: &Workspace, args: &CompareArgs) -> Result<Matrix, TableError> {
    let store = Store::open(workspace.expected.clone())?;
    let sources = columns(&store, &args.which)?;
    table(workspace, &store, &sources, &args.case)
}

/// Whether there is something to look at.
fn differs(matrix: &Matrix) -> bool {
    match matrix.relation() {
        Relation::Twins => matrix.cases.iter().any(|row| Change::of(matrix, row).is_difference()),
        _ => matrix.differing().next().is_some(),
    }
}

/// Everything is made before anything is written, so that a mistake leaves nothing half done.
fn write(args: &CompareArgs, matrix: &Matrix) -> Result<(), (Exit, String)> {
    let options = |bytes_max| Options { only_differences: args.only_differences, bytes_max };
    let mut files: Vec<(&PathBuf, String)> = Vec::new();
    if let Some(path) = &args.json {
        let json = serde_json::to_string(matrix);
        files.push((path, json.map_err(|error| (Exit::Error, error.to_string()))? + "\n"));
    }
    if let Some(path) = &args.html {
        let page = html::page_at(matrix, &args.base);
        files.push((path, page.map_err(|error| (Exit::Error, format!("--html: {error}")))?));
    }
    if let Some(path) = &args.markdown {
        files.push((path, markdown(matrix, options(usize::MAX), &plain_diff)));
    }
    let summary = args.github.then(|| std::env::var_os(SUMMARY).map(PathBuf::from));
    if summary == Some(None) {
        let what = format!("--github: {SUMMARY} is not set, expected to run in a workflow's step");
        return Err((Exit::Usage, what));
    }
    if let Some(path) = summary.flatten() {
        append(&path, |room| markdown(matrix, options(room), &plain_diff))?;
    }
    for (path, content) in &files {
        if path.as_os_str() == STDOUT {
            say(content.trim_end());
        } else {
            let failed = |error: SnapshotError| (Exit::Error, error.to_string());
            write_file(path, content.as_bytes()).map_err(failed)?;
        }
    }
    if files.iter().all(|(path, _)| path.as_os_str() != STDOUT) {
        say(text(matrix, args.only_differences, &coloured_diff).trim_end());
    }
    if args.github {
        annotations(matrix).iter().for_each(|line| say(line));
    }
    Ok(())
}

/// Adds to the summary of the step, of which others may have written a part.
fn append(path: &Path, content: impl Fn(usize) -> String) -> Result<(), (Exit, String)> {
    let written = std::fs::metadata(path).map_or(0, |file| file.len());
    let written = usize::try_from(written).unwrap_or(usize::MAX);
    let room = SUMMARY_BYTES_MAX.saturating_sub(written);
    let content = content(room);
    if content.len() > room {
        let what = format!("{}: {written} bytes are written, no room is left", path.display());
        return Err((Exit::Error, what));
    }
    let append = || {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(content.as_bytes())
    };
    append().map_err(|error: std::io::Error| {
        (Exit::Error, format!("{}: cannot be written ({error})", path.display()))
    })
}

fn plain_diff(old: (&Class, &str), new: (&Class, &str)) -> String {
    diff(old, new, false)
}

fn coloured_diff(old: (&Class, &str), new: (&Class, &str)) -> String {
    diff(old, new, true)
}

/// The diff of two classes: of their calls where one of them has no packets.
fn diff(old: (&Class, &str), new: (&Class, &str), colour: bool) -> String {
    let blind = old.0.calls_only || new.0.calls_only;
    let body = |class: &Class| match blind {
        true => plain::lines(&calls_only(&class.body)),
        false => plain::lines(&class.body),
    };
    // The diff says of both sides at once that it is one of calls.
    let label = |text: &str| match blind {
        true => plain::line(&text.replace(" (calls only)", "")),
        false => plain::line(text),
    };
    let diff = Diff { recorded: body(old.0), happened: body(new.0), calls_only: blind };
    diff.text(&label(old.1), &label(new.1), colour)
}
