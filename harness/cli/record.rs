//! `sockdiff record`: takes result files into `expected/`.

use super::Exit;
use super::args::RecordArgs;
use super::print::{say, warn};
use super::workspace::Workspace;
use crate::snapshot::record::{Recording, Terms, plan, today};
use crate::snapshot::{Change, ResultFile, SnapshotError, Store};

/// Plans, applies, and tells what was done.
pub fn record(workspace: &Workspace, args: &RecordArgs) -> Exit {
    match recorded(workspace, args) {
        Ok(exit) => exit,
        Err(error @ SnapshotError::Bad { .. }) => {
            warn(&error.to_string());
            Exit::Usage
        }
        Err(error) => {
            warn(&error.to_string());
            Exit::Error
        }
    }
}

fn recorded(workspace: &Workspace, args: &RecordArgs) -> Result<Exit, SnapshotError> {
    let results: Result<Vec<ResultFile>, SnapshotError> =
        args.results.iter().map(|path| ResultFile::read(path)).collect();
    let found = workspace.corpus.read();
    let cases: Vec<_> = found.cases.into_iter().map(|case| (case.id, case.hash)).collect();
    let store = Store::open(workspace.expected.clone())?;
    let terms = Terms { accept: args.accept, date: today() };
    let recording = plan(&store, &results?, &cases, &terms)?;
    recording.apply(&store)?;
    tell(&recording);
    Ok(if recording.refused.is_empty() { Exit::AsRecorded } else { Exit::Differs })
}

fn tell(recording: &Recording) {
    let mut pending = 0;
    for (case, change) in &recording.changes {
        match change {
            Change::Rename { from, to } => say(&format!("renamed   {case}/{from} to {to}")),
            Change::Write { name, .. } => say(&format!("written   {case}/{name}")),
            Change::Delete { name } => say(&format!("deleted   {case}/{name}")),
            Change::Withdraw { name } => say(&format!("withdrawn {case}/{name}.new")),
            Change::Pending { name, .. } => {
                pending += 1;
                say(&format!("pending   {case}/{name}.new"));
            }
        }
    }
    for refused in &recording.refused {
        warn(&format!("refused   {} of {}: {}", refused.case, refused.platform, refused.reason));
    }
    let entered = recording.entered.len();
    let next = match pending {
        0 => "",
        _ => "; for the ledger: cargo insta review, then this command again",
    };
    say(&format!("{entered} answers in the ledger, {pending} pending{next}"));
}
