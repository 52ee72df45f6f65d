//! `sockdiff list`: the cases, and whether they run here or why not.

use super::Exit;
use super::args::ListArgs;
use super::print::{say, warn};
use super::workspace::Workspace;
use crate::model::Case;
use crate::report::plain::line;
use crate::suite::{select, why_skipped};
use crate::sys::{self, LocalOptions, Prepared};
use serde_json::{Value, json};

/// Prints the list.
pub fn list(prepared: &Prepared, workspace: &Workspace, args: &ListArgs) -> Exit {
    let selection = match select::select(&workspace.corpus, &args.which) {
        Ok(selection) => selection,
        Err(message) => {
            warn(&message);
            return Exit::Usage;
        }
    };
    let stack = sys::local(prepared, &LocalOptions::default());
    let reason = |case: &Case| match &stack {
        Ok(stack) => why_skipped(case, &**stack).map(|lack| lack.to_string()),
        Err(lack) => Some(lack.to_string()),
    };
    let cases = || selection.ours.cases.iter().chain(&selection.outside.cases);
    if args.json {
        let rows: Vec<Value> = cases().map(|case| row(case, reason(case))).collect();
        say(&serde_json::to_string_pretty(&rows).unwrap_or_default());
    } else {
        let width = cases().map(|case| case.id.0.len()).max().unwrap_or(0);
        for case in cases() {
            let what =
                reason(case).map_or("runs".to_owned(), |why| format!("skipped ({})", line(&why)));
            say(&format!("{:width$}  {:8}  {what}", case.id.0, case.topology.to_string()));
        }
    }
    let bad: Vec<_> = selection.ours.bad.iter().chain(&selection.outside.bad).collect();
    for bad in &bad {
        warn(&bad.message);
    }
    if bad.is_empty() { Exit::AsRecorded } else { Exit::Usage }
}

fn row(case: &Case, reason: Option<String>) -> Value {
    json!({
        "id": case.id.0,
        "topology": case.topology.to_string(),
        "tags": case.tags,
        "covers": case.covers,
        "status": if reason.is_some() { "skipped" } else { "runs" },
        "reason": reason,
    })
}
