//! `sockdiff claims`: what somebody says happens, held against every recorded platform.

use super::Exit;
use super::args::ClaimsArgs;
use super::print::{self, say, warn};
use super::table::{self, Source, TableError, table};
use super::workspace::Workspace;
use crate::report::claims::{Source as Work, Verdict, by_source};
use crate::report::matrix::{ClaimRow, Column, Matrix};
use crate::report::plain::{line, wrapped};
use crate::snapshot::{SnapshotError, Store};
use serde_json::{Value, json};

/// Columns of a line.
const WIDTH: usize = 100;

/// Judges and prints.
pub fn claims(workspace: &Workspace, args: &ClaimsArgs) -> Exit {
    let matrix = match judged(workspace, args) {
        Ok(matrix) => matrix,
        Err(error) => {
            warn(&error.to_string());
            return match error {
                TableError::File(SnapshotError::Io { .. }) => Exit::Error,
                _ => Exit::Usage,
            };
        }
    };
    let wanted: Vec<&ClaimRow> =
        matrix.claims.iter().filter(|claim| is_wanted(claim, args)).collect();
    if args.json {
        tell_json(&wanted, args.evidence);
    } else {
        tell(&matrix, &wanted, args.evidence);
    }
    Exit::AsRecorded
}

fn judged(workspace: &Workspace, args: &ClaimsArgs) -> Result<Matrix, TableError> {
    let store = Store::open(workspace.expected.clone())?;
    let mut sources = match store.ledgers().is_empty() {
        // Without any record every claim stands, and nothing is recorded for it.
        true => Vec::new(),
        false => table::columns(&store, &[])?,
    };
    if let Some(word) = &args.platform {
        let wanted = |source: &Source| match source {
            Source::Ledger(ledger) => {
                ledger.platform == *word || ledger.platform().to_string() == *word
            }
            Source::Results(..) => false,
        };
        if !sources.iter().any(wanted) {
            return Err(TableError::Usage(table::unknown(&store, word)));
        }
        sources.retain(wanted);
    }
    table(workspace, &store, &sources, &args.which)
}

fn is_wanted(claim: &ClaimRow, args: &ClaimsArgs) -> bool {
    let lower = |text: &str| text.to_lowercase();
    let of_source = args.source.as_ref().is_none_or(|t| lower(&claim.source).contains(&lower(t)));
    let of_verdict = args.verdict.is_none_or(|wanted| {
        let wanted = wanted.verdict();
        let mut any = claim.verdicts.values().copied();
        match wanted {
            // Not recorded: by nobody.
            Verdict::NotRecorded => any.all(|verdict| verdict == wanted),
            _ => any.any(|verdict| verdict == wanted),
        }
    });
    of_source && of_verdict
}

/// Who agrees with a claim and who does not: `holds: linux 6.18; refuted: linux 5.10`, or `not
/// recorded`.
fn summary(matrix: &Matrix, claim: &ClaimRow) -> String {
    let of = |wanted: Verdict| {
        let those = matrix.platforms.iter();
        let those = those.filter(|column| claim.verdicts.get(&column.key) == Some(&wanted));
        those.map(Column::label).collect::<Vec<_>>().join(", ")
    };
    let told = [Verdict::Holds, Verdict::Refuted].map(|verdict| (verdict, of(verdict)));
    let told: Vec<String> = told
        .iter()
        .filter(|(_, who)| !who.is_empty())
        .map(|(verdict, who)| format!("{verdict}: {who}"))
        .collect();
    if told.is_empty() { Verdict::NotRecorded.to_string() } else { told.join("; ") }
}

fn tell(matrix: &Matrix, claims: &[&ClaimRow], evidence: bool) {
    let mut case = None;
    for claim in claims {
        if case != Some(&claim.case) {
            case = Some(&claim.case);
            say(&format!("{0}{1}{0:#}", print::STRONG, claim.case));
        }
        let refuted = claim.verdicts.values().any(|verdict| *verdict == Verdict::Refuted);
        let style = if refuted { print::NOTICE } else { print::FAINT };
        say(&format!("  {style}{}{style:#}", summary(matrix, claim)));
        tell_wrapped(&line(&claim.says));
        let about = match claim.platforms.join(", ") {
            about if about.is_empty() => about,
            about => format!(", about {}", line(&about)),
        };
        tell_wrapped(&format!("({}{about})", line(&claim.source)));
        if evidence {
            tell_evidence(matrix, claim);
        }
    }
    if claims.len() > 1 {
        tell_sources(claims);
    }
    let count = |wanted: Verdict| {
        claims.iter().filter(|claim| claim.verdicts.values().any(|v| *v == wanted)).count()
    };
    let (hold, refuted) = (count(Verdict::Holds), count(Verdict::Refuted));
    let silent = |claim: &&&ClaimRow| claim.verdicts.values().all(|v| *v == Verdict::NotRecorded);
    let unknown = claims.iter().filter(silent).count();
    say(&format!("{hold} hold, {refuted} refuted, {unknown} not recorded"));
}

/// A text below a verdict.
fn tell_wrapped(text: &str) {
    wrapped(text, WIDTH - 6).iter().for_each(|line| say(&format!("      {line}")));
}

/// The lines on which each verdict rests; platforms with the same lines stand together.
fn tell_evidence(matrix: &Matrix, claim: &ClaimRow) {
    let mut told: Vec<(Vec<String>, Verdict, &[String])> = Vec::new();
    for column in &matrix.platforms {
        let verdict = claim.verdicts.get(&column.key).copied();
        let (Some(verdict), Some(lines)) = (verdict, claim.evidence.get(&column.key)) else {
            continue;
        };
        match told.iter_mut().find(|(_, other, same)| *other == verdict && *same == lines) {
            Some((labels, ..)) => labels.push(column.label()),
            None => told.push((vec![column.label()], verdict, lines)),
        }
    }
    for (labels, verdict, lines) in told {
        let faint = print::FAINT;
        say(&format!("      {faint}{}, {verdict}:{faint:#}", labels.join(", ")));
        for one in lines {
            say(&format!("        {faint}|{faint:#} {}", line(one)));
        }
    }
}

/// What becomes of each source of which more than one claim has been recorded.
fn tell_sources(claims: &[&ClaimRow]) {
    let sources = by_source(claims.iter().map(|claim| (claim.source.as_str(), &claim.verdicts)));
    let judged = |source: &&Work| source.claims - source.unknown > 1;
    let several: Vec<&Work> = sources.iter().filter(judged).collect();
    if several.is_empty() {
        return;
    }
    say(&format!("\n{0}by source{0:#}", print::STRONG));
    let told: Vec<(String, &str)> =
        several.iter().map(|source| (counts(source), source.name.as_str())).collect();
    let width = told.iter().map(|(counts, _)| counts.len()).max().unwrap_or(0);
    for (counts, name) in told {
        say(&format!("  {counts:width$}  {}", line(name)));
    }
    say("");
}

/// `6 hold, 3 refuted`
fn counts(source: &Work) -> String {
    let told = [
        (source.holds, "hold"),
        (source.refuted, "refuted"),
        (source.mixed, "differ by platform"),
        (source.unknown, "not recorded"),
    ];
    let told = told.iter().filter(|(count, _)| *count > 0);
    told.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}

fn tell_json(claims: &[&ClaimRow], evidence: bool) {
    let row = |claim: &&ClaimRow| {
        let verdicts = claim.verdicts.iter().map(|(key, v)| (key.clone(), v.to_string().into()));
        let mut row = json!({
            "case": claim.case,
            "source": claim.source,
            "says": claim.says,
            "platforms": claim.platforms,
            "verdicts": verdicts.collect::<serde_json::Map<String, Value>>(),
        });
        if evidence {
            row["evidence"] = json!(claim.evidence);
        }
        row
    };
    let rows: Vec<Value> = claims.iter().map(row).collect();
    say(&serde_json::to_string_pretty(&rows).unwrap_or_default());
}
