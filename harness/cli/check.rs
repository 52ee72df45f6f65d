//! `sockdiff check`: cases parse, the schema is current, and `expected/` is in order.

use super::Exit;
use super::args::CheckArgs;
use super::print::{say, warn};
use super::workspace::Workspace;
use crate::parse::schema;
use crate::report::plain::line;
use crate::snapshot::{Expected, Store, check::check as findings};
use crate::suite::Corpus;
use serde_json::json;

/// One thing that was found.
struct Found {
    where_what: String,
    fault: bool,
}

/// Prints what is wrong, and what is only worth knowing.
pub fn check(workspace: &Workspace, args: &CheckArgs) -> Exit {
    let corpus = workspace.corpus.read();
    let mut found: Vec<Found> = corpus
        .bad
        .iter()
        .map(|bad| Found { where_what: bad.message.clone(), fault: true })
        .collect();
    found.extend(old_schema(&workspace.corpus));
    found.extend(no_answers(&workspace.expected));
    let cases: Vec<_> =
        corpus.cases.iter().map(|case| (case.id.clone(), case.hash.clone())).collect();
    match Store::open(workspace.expected.clone()) {
        Ok(store) => found.extend(
            findings(&store, &cases)
                .into_iter()
                .map(|finding| Found { where_what: finding.to_string(), fault: finding.fault }),
        ),
        Err(error) => found.push(Found { where_what: error.to_string(), fault: true }),
    }
    tell(args, &found, cases.len());
    if found.iter().any(|found| found.fault) { Exit::Usage } else { Exit::AsRecorded }
}

/// The schema beside the cases is generated; an old one misleads editors.
fn old_schema(corpus: &Corpus) -> Option<Found> {
    let Corpus::Folder(folder) = corpus else {
        return None;
    };
    let path = folder.join("case.schema.json");
    let current = std::fs::read_to_string(&path).is_ok_and(|text| text == schema());
    (!current).then(|| Found {
        where_what: format!(
            "{0}: not the schema of this program: run `cargo run -- schema > {0}`",
            path.display()
        ),
        fault: true,
    })
}

/// A misspelt folder holds nothing that could be wrong.
fn no_answers(expected: &Expected) -> Option<Found> {
    let Expected::Folder(folder) = expected else {
        return None;
    };
    (!folder.is_dir()).then(|| Found {
        where_what: format!("{}: no such folder, expected the answers", folder.display()),
        fault: true,
    })
}

fn tell(args: &CheckArgs, found: &[Found], cases: usize) {
    if args.json {
        let rows: Vec<_> = found
            .iter()
            .map(|found| json!({"what": found.where_what, "fault": found.fault}))
            .collect();
        say(&serde_json::to_string_pretty(&rows).unwrap_or_default());
        return;
    }
    for one in found {
        if one.fault {
            warn(&one.where_what);
        } else {
            say(&format!("note: {}", line(&one.where_what)));
        }
    }
    let faults = found.iter().filter(|found| found.fault).count();
    let counts = [(cases, "case"), (faults, "fault"), (found.len() - faults, "note")];
    let counts = counts.map(|(n, what)| format!("{n} {what}{}", if n == 1 { "" } else { "s" }));
    say(&counts.join(", "));
}
