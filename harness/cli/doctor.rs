//! `sockdiff doctor`: what this machine can do, and the one command for each missing thing.

use super::Exit;
use super::args::DoctorArgs;
use super::print::{self, say};
use crate::sys::{self, Prepared};
use serde_json::{Value, json};

/// Prints the findings.
pub fn doctor(prepared: &Prepared, args: &DoctorArgs) -> Exit {
    let findings = sys::doctor(prepared);
    if args.json {
        let rows: Vec<Value> = findings
            .iter()
            .map(|finding| {
                json!({"what": finding.what, "found": finding.found, "good": finding.good,
                       "remedy": finding.remedy})
            })
            .collect();
        say(&serde_json::to_string_pretty(&rows).unwrap_or_default());
        return Exit::AsRecorded;
    }
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    for finding in &findings {
        let (mark, style) = if finding.good { ("ok", print::GOOD) } else { ("--", print::NOTICE) };
        say(&format!("{style}{mark}{style:#}  {:width$}  {}", finding.what, finding.found));
        if let Some(remedy) = &finding.remedy {
            say(&format!("    {:width$}  try: {remedy}", ""));
        }
    }
    Exit::AsRecorded
}
