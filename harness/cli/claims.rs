//! `sockdiff claims`: what somebody says happens, held against every recorded platform.

use super::Exit;
use super::args::ClaimsArgs;
use super::print::{self, say, warn};
use super::table::{self, Source, TableError, table};
use super::workspace::Workspace;
use crate::report::claims::{Source as Work, Verdict, by_source, is_article};
use crate::report::matrix::{ClaimRow, Matrix, names};
use crate::report::plain::{line, wrapped};
use crate::snapshot::{SnapshotError, Store};
use serde_json::{Value, json};

/// Columns of a line.
const WIDTH: usize = 100;

/// The source that stands for every article.
const ARTICLES: &str = "articles";

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
    let of_source = args.source.as_ref().is_none_or(|text| match text.as_str() {
        ARTICLES => is_article(&claim.source),
        text => lower(&claim.source).contains(&lower(text)),
    });
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

fn tell(matrix: &Matrix, claims: &[&ClaimRow], evidence: bool) {
    let mut case = None;
    for claim in claims {
        if case != Some(&claim.case) {
            case = Some(&claim.case);
            say(&format!("{0}{1}{0:#}", print::STRONG, claim.case));
        }
        tell_wrapped("  ", &line(&claim.says));
        let about = match claim.platforms.join(", ") {
            about if about.is_empty() => about,
            about => format!("; about {}", line(&about)),
        };
        tell_wrapped("      ", &format!("{}{about}", line(&claim.source)));
        tell_verdicts(matrix, claim);
        if evidence {
            tell_evidence(matrix, claim);
        }
    }
    let sources = by_source(claims.iter().map(|claim| (claim.source.as_str(), &claim.verdicts)));
    if claims.len() > 1 {
        tell_sources(&sources);
    }
    let statements = match claims.len() {
        1 => "1 statement".to_owned(),
        n => format!("{n} statements"),
    };
    let sum = |count: fn(&Work) -> usize| sources.iter().map(count).sum::<usize>();
    let told = COUNTS.map(|(_, what, count)| (sum(count), what));
    let told = told.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, what)| format!("{count} {what}")).collect();
    let told = if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) };
    say(&format!("{statements}{told}"));
}

/// Who refutes a claim and where it holds, a line each.
fn tell_verdicts(matrix: &Matrix, claim: &ClaimRow) {
    let styles = [(Verdict::Refuted, print::NOTICE), (Verdict::Holds, print::FAINT)];
    let mut silent = true;
    for (verdict, style) in styles {
        let who = names(&matrix.platforms, |key| claim.verdicts.get(key) == Some(&verdict));
        if !who.is_empty() {
            silent = false;
            say(&format!("      {style}{:7}{style:#}  {who}", verdict.to_string()));
        }
    }
    if silent {
        let faint = print::FAINT;
        say(&format!("      {faint}{}{faint:#}", Verdict::NotRecorded));
    }
}

fn tell_wrapped(indent: &str, text: &str) {
    wrapped(text, WIDTH - indent.len()).iter().for_each(|line| say(&format!("{indent}{line}")));
}

/// The lines on which each verdict rests; platforms with the same lines stand together.
fn tell_evidence(matrix: &Matrix, claim: &ClaimRow) {
    let mut told: Vec<(Verdict, &Vec<String>)> = Vec::new();
    let of = |key: &str| Some((*claim.verdicts.get(key)?, claim.evidence.get(key)?));
    for column in &matrix.platforms {
        told.extend(of(&column.key).filter(|seen| !told.contains(seen)));
    }
    for seen @ (verdict, lines) in told {
        let (faint, who) = (print::FAINT, names(&matrix.platforms, |key| of(key) == Some(seen)));
        say(&format!("      {faint}{who}, {verdict}:{faint:#}"));
        for one in lines {
            say(&format!("        {faint}|{faint:#} {}", line(one)));
        }
    }
}

/// What can become of a statement: the head of its column, what is said of it, how many.
const COUNTS: [(&str, &str, fn(&Work) -> usize); 4] = [
    ("hold", "hold wherever recorded", |source| source.holds),
    ("refuted", "refuted wherever recorded", |source| source.refuted),
    ("by platform", "differ by platform", |source| source.mixed),
    ("not recorded", "not recorded", |source| source.unknown),
];

/// What becomes of each source of which more than one claim has been recorded.
fn tell_sources(sources: &[Work]) {
    let judged = |source: &&Work| source.claims - source.unknown > 1;
    let several: Vec<&Work> = sources.iter().filter(judged).collect();
    if several.is_empty() {
        return;
    }
    let strong = print::STRONG;
    let heads = COUNTS.map(|(head, ..)| head);
    say(&format!("\n{strong}{}  source{strong:#}", heads.join("  ")));
    for source in several {
        let cells = COUNTS.map(|(head, _, count)| format!("{:>1$}", count(source), head.len()));
        say(&format!("{}  {}", cells.join("  "), line(&source.name)));
    }
    say("");
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
