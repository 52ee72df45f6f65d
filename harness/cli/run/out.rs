//! Results for programs: `--json`, `--out`, `--junit`, `--pcap`.

use super::super::args::RunArgs;
use super::super::print::say;
use crate::model::{Case, Family};
use crate::render;
use crate::report::pcapng;
use crate::run::log::RunLog;
use crate::snapshot::results::{self, FORMAT, Origin, ResultFile};
use crate::snapshot::write_file;
use crate::suite::{CaseResult, Gathered, Status};
use crate::sys::Machine;
use std::fmt::Write as _;
use std::path::Path;

/// Writes what the command line asks for.
pub fn write(
    args: &RunArgs,
    machine: &Machine,
    cases: &[&Case],
    results: &[CaseResult],
) -> Result<(), String> {
    if let Some(path) = &args.junit {
        write_junit(path, cases, results)?;
    }
    if !args.json && args.out.is_none() {
        return Ok(());
    }
    let file = result_file(machine, cases, results);
    if let Some(path) = &args.out {
        file.write(path).map_err(|error| error.to_string())?;
    }
    if args.json {
        let text = serde_json::to_string_pretty(&file).map_err(|error| error.to_string())?;
        say(&text);
    }
    Ok(())
}

/// Writes the packets of a case, below the folder as the case is below `cases/`. A case of which
/// no run ended has none.
pub fn write_packets(folder: &Path, case: &Case, gathered: &Gathered) -> Result<(), String> {
    let answers: Vec<&[RunLog]> =
        gathered.answers.iter().map(|(ran, _)| ran.logs.as_slice()).collect();
    if answers.is_empty() {
        return Ok(());
    }
    let path = folder.join(format!("{}.pcapng", case.id));
    write_file(&path, &pcapng::file(case, &answers)).map_err(|error| error.to_string())
}

fn result_file(machine: &Machine, cases: &[&Case], results: &[CaseResult]) -> ResultFile {
    let ran = |family| cases.iter().any(|case| case.families.contains(&family));
    let families = [(Family::V4, 4), (Family::V6, 6)];
    let families = families.into_iter().filter(|(family, _)| ran(*family)).map(|(_, n)| n);
    ResultFile {
        format: FORMAT,
        platform: Origin::of(machine, families.collect()),
        cases_hash: None,
        results: cases.iter().zip(results).map(|(case, result)| one(case, result)).collect(),
    }
}

fn one(case: &Case, result: &CaseResult) -> results::CaseResult {
    let events = result.ran.as_ref().map(|ran| render::json::events(&ran.transcript));
    results::CaseResult {
        id: case.id.0.clone(),
        status: result.status,
        reason: result.reason.clone().unwrap_or_default(),
        duration_ms: u64::try_from(result.duration.as_millis()).unwrap_or(u64::MAX),
        case_hash: case.hash.clone(),
        transcript: result.ran.as_ref().map_or(String::new(), |ran| ran.body.clone()),
        events: serde_json::to_value(events.unwrap_or_default()).unwrap_or_default(),
        settled: result.ran.as_ref().is_none_or(|ran| ran.settled),
        made_again: result.again,
    }
}

fn write_junit(path: &Path, cases: &[&Case], results: &[CaseResult]) -> Result<(), String> {
    let failed = |result: &&CaseResult| failure(result.status);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuite name=\"sockdiff\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">",
        results.len(),
        results.iter().filter(failed).count(),
        results.iter().filter(|result| result.status == Status::Skipped).count(),
    );
    for (case, result) in cases.iter().zip(results) {
        let (folder, seconds) = (escaped(case.id.folder()), result.duration.as_secs_f64());
        let name = escaped(&case.id.0);
        let _ =
            write!(xml, "  <testcase classname=\"{folder}\" name=\"{name}\" time=\"{seconds:.3}\"");
        let reason = escaped(result.reason.as_deref().unwrap_or_default());
        let story = escaped(result.story.as_deref().unwrap_or_default());
        let _ = match result.status {
            Status::Skipped => writeln!(xml, "><skipped message=\"{reason}\"/></testcase>"),
            status if failure(status) => writeln!(
                xml,
                "><failure message=\"{status} {reason}\">{story}</failure></testcase>"
            ),
            _ => writeln!(xml, "/>"),
        };
    }
    xml.push_str("</testsuite>\n");
    std::fs::write(path, xml)
        .map_err(|error| format!("{}: cannot be written: {error}", path.display()))
}

fn failure(status: Status) -> bool {
    matches!(status, Status::Differs | Status::New | Status::Flaky | Status::Error)
}

/// Text inside XML: what means something there is written as an entity, and control characters,
/// which XML 1.0 forbids, as U+FFFD.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
        out
    })
}
