//! `sockdiff show`: the question, its file, and every distinct answer with those who give it.

use super::Exit;
use super::args::ShowArgs;
use super::print::{STRONG, say, warn};
use super::workspace::Workspace;
use crate::model::{Case, CaseId};
use crate::render::SECTION;
use crate::render::ladder::{WIDTH_MAX, ladder};
use crate::report::plain::{line, lines, wrapped};
use crate::snapshot::{Answer, SnapshotError, Store};
use crate::suite::select::select;

/// Prints the case.
pub fn show(workspace: &Workspace, args: &ShowArgs) -> Exit {
    let selection = match select(&workspace.corpus, std::slice::from_ref(&args.case)) {
        Ok(selection) => selection,
        Err(message) => {
            warn(&message);
            return Exit::Usage;
        }
    };
    for bad in selection.ours.bad.iter().chain(&selection.outside.bad) {
        warn(&bad.message);
    }
    let mut exit = Exit::Usage;
    for case in &selection.ours.cases {
        question(case, &workspace.text(case).unwrap_or_default());
        exit = match answers(workspace, args, case) {
            Ok(()) => Exit::AsRecorded,
            Err(error) => {
                warn(&error.to_string());
                return Exit::Usage;
            }
        };
    }
    // What is recorded under an id is the answer to a case of the corpus.
    for case in &selection.outside.cases {
        question(case, &selection.text_outside(case));
        say("\nnot part of the suite, nothing is recorded");
        exit = Exit::AsRecorded;
    }
    exit
}

fn question(case: &Case, text: &str) {
    say(&format!("{STRONG}{}{STRONG:#}  {}", case.id, line(&case.path.display().to_string())));
    say(&format!("\n{}", wrapped(&line(&case.about), WIDTH_MAX).join("\n")));
    if !case.spec.is_empty() {
        say(&format!("\nsee {}", line(&case.spec.join(", "))));
    }
    say("");
    for line in lines(text).lines() {
        say(&format!("    {line}"));
    }
}

fn answers(workspace: &Workspace, args: &ShowArgs, case: &Case) -> Result<(), SnapshotError> {
    let store = Store::open(workspace.expected.clone())?;
    let answers = store.answers(&case.id)?;
    if answers.is_empty() {
        say("\nnothing is recorded for this case yet");
    }
    for same in distinct(&answers) {
        let who: Vec<String> = same.iter().map(|answer| named(&store, &case.id, answer)).collect();
        say(&format!("\n{STRONG}{}{STRONG:#}", line(&who.join("; "))));
        say(&drawn(&lines(&same[0].body), args.no_ladder));
    }
    Ok(())
}

/// `linux 6.18 (recorded on linux 6.18.44 x86_64, raw sockets)`
fn named(store: &Store, case: &CaseId, answer: &Answer) -> String {
    let releases = store.releases(case, &answer.name);
    let releases: Vec<String> = releases.iter().map(ToString::to_string).collect();
    let header = &answer.header;
    let whose = format!("{} {}", answer.name.platform, releases.join(", "));
    format!(
        "{} (recorded on {}, capture: {})",
        whose.trim_end(),
        header.recorded_on,
        header.capture
    )
}

/// Equal answers together, in the order of their first.
fn distinct(answers: &[Answer]) -> Vec<Vec<&Answer>> {
    let mut classes: Vec<Vec<&Answer>> = Vec::new();
    for answer in answers {
        match classes.iter_mut().find(|class| class[0].body == answer.body) {
            Some(class) => class.push(answer),
            None => classes.push(vec![answer]),
        }
    }
    classes
}

/// Every section of an answer as a ladder, under its title.
fn drawn(body: &str, plain: bool) -> String {
    if plain {
        return body.trim_end().to_owned();
    }
    let mut out = String::new();
    let mut section = String::new();
    for line in body.lines() {
        if line.starts_with(SECTION) {
            out.push_str(&ladder(&std::mem::take(&mut section)));
            out.push_str(line);
            out.push('\n');
        } else {
            section.push_str(line);
            section.push('\n');
        }
    }
    out.push_str(&ladder(&section));
    out.trim_end().to_owned()
}
