//! `sockdiff claims`: what somebody says happens, held against every recorded platform.

use super::Exit;
use super::args::ClaimsArgs;
use super::print::{self, say, warn};
use super::workspace::Workspace;
use crate::model::{Case, Claim, Platform};
use crate::report::claims::{Verdict, concerns, judge};
use crate::snapshot::{SnapshotError, Standing, Store};
use crate::suite::select::select;
use serde_json::json;
use std::collections::BTreeMap;

/// A claim with its verdict on each recorded platform.
struct Judged<'a> {
    case: &'a Case,
    claim: &'a Claim,
    verdicts: Vec<(Platform, Verdict)>,
}

/// Judges and prints.
pub fn claims(workspace: &Workspace, args: &ClaimsArgs) -> Exit {
    let selection = match select(&workspace.corpus, &args.which) {
        Ok(selection) => selection,
        Err(message) => {
            warn(&message);
            return Exit::Usage;
        }
    };
    let bad = &selection.ours.bad;
    bad.iter().for_each(|bad| warn(&bad.message));
    match judged(workspace, args, &selection.ours.cases) {
        Ok(all) if args.json => tell_json(&all),
        Ok(all) => tell(&all),
        Err(error) => {
            warn(&error.to_string());
            return Exit::Usage;
        }
    }
    if bad.is_empty() { Exit::AsRecorded } else { Exit::Usage }
}

fn judged<'a>(
    workspace: &Workspace,
    args: &ClaimsArgs,
    cases: &'a [Case],
) -> Result<Vec<Judged<'a>>, SnapshotError> {
    let store = Store::open(workspace.expected.clone())?;
    let wanted = |platform: &Platform| {
        args.platform.as_ref().is_none_or(|id| *id == platform.id || *id == platform.to_string())
    };
    let platforms: Vec<Platform> =
        store.ledgers().iter().map(|ledger| ledger.platform()).filter(wanted).collect();
    let mut all = Vec::new();
    for case in cases {
        let mut answers = Vec::new();
        for platform in &platforms {
            let recorded = store.standing(platform, &case.id, &case.hash) == Standing::Recorded;
            let answer = if recorded { store.find(&case.id, platform)? } else { None };
            answers.push((platform, answer));
        }
        for claim in &case.claims {
            let verdict = |platform: &Platform, answer: &Option<_>| match answer {
                Some(answer) if concerns(claim, platform) => judge_answer(claim, answer),
                _ => Verdict::NotRecorded,
            };
            let verdicts = answers
                .iter()
                .map(|(platform, answer)| ((*platform).clone(), verdict(platform, answer)));
            let judged = Judged { case, claim, verdicts: verdicts.collect() };
            if judged.is_wanted(args) {
                all.push(judged);
            }
        }
    }
    Ok(all)
}

fn judge_answer(claim: &Claim, answer: &crate::snapshot::Answer) -> Verdict {
    judge(claim, &answer.body, answer.header.captured())
}

impl Judged<'_> {
    fn is_wanted(&self, args: &ClaimsArgs) -> bool {
        let of_source =
            args.source.as_ref().is_none_or(|text| self.claim.source.contains(text.as_str()));
        let of_verdict = args.verdict.is_none_or(|wanted| {
            let wanted = wanted.verdict();
            let mut any = self.verdicts.iter().map(|(_, verdict)| *verdict);
            match wanted {
                // Not recorded: by nobody.
                Verdict::NotRecorded => any.all(|verdict| verdict == wanted),
                _ => any.any(|verdict| verdict == wanted),
            }
        });
        of_source && of_verdict
    }

    /// `holds: linux-6.18; refuted: linux-5.10`, or `not recorded`.
    fn summary(&self) -> String {
        let of = |wanted: Verdict| {
            let those = self.verdicts.iter().filter(|(_, verdict)| *verdict == wanted);
            those.map(|(platform, _)| platform.to_string()).collect::<Vec<_>>().join(", ")
        };
        let told = [Verdict::Holds, Verdict::Refuted].map(|verdict| (verdict, of(verdict)));
        let told: Vec<String> = told
            .iter()
            .filter(|(_, who)| !who.is_empty())
            .map(|(verdict, who)| format!("{verdict}: {who}"))
            .collect();
        if told.is_empty() { Verdict::NotRecorded.to_string() } else { told.join("; ") }
    }
}

fn tell(all: &[Judged]) {
    let mut case = None;
    for judged in all {
        if case != Some(&judged.case.id) {
            case = Some(&judged.case.id);
            say(&format!("{0}{1}{0:#}", print::STRONG, judged.case.id));
        }
        let style = match judged.verdicts.iter().any(|(_, verdict)| *verdict == Verdict::Refuted) {
            true => print::DIFFERENT,
            false => print::FAINT,
        };
        say(&format!("  {style}{}{style:#}", judged.summary()));
        say(&format!("      {}", judged.claim.says));
        let about = match judged.claim.platforms.join(", ") {
            about if about.is_empty() => about,
            about => format!(", about {about}"),
        };
        say(&format!("      ({}{about})", judged.claim.source));
    }
    let count = |wanted: Verdict| {
        let has = |judged: &&Judged| judged.verdicts.iter().any(|(_, verdict)| *verdict == wanted);
        all.iter().filter(has).count()
    };
    let (hold, refuted) = (count(Verdict::Holds), count(Verdict::Refuted));
    let unknown = all.iter().filter(|judged| judged.summary() == "not recorded").count();
    say(&format!("{hold} hold, {refuted} refuted, {unknown} not recorded"));
}

fn tell_json(all: &[Judged]) {
    let rows: Vec<_> = all
        .iter()
        .map(|judged| {
            let verdicts: BTreeMap<String, String> = judged
                .verdicts
                .iter()
                .map(|(platform, verdict)| (platform.to_string(), verdict.to_string()))
                .collect();
            json!({
                "case": judged.case.id.0,
                "source": judged.claim.source,
                "says": judged.claim.says,
                "platforms": judged.claim.platforms,
                "verdicts": verdicts,
            })
        })
        .collect();
    say(&serde_json::to_string_pretty(&rows).unwrap_or_default());
}
