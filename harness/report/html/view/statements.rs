//! The ledger of statements as the page tells it.

use super::Names;
use crate::report::claims::{Verdict, is_article, work};
use crate::report::matrix::ClaimRow;
use serde::Serialize;
use std::collections::BTreeMap;

/// The works that make the statements, to choose from.
#[derive(Serialize)]
pub(super) struct Works<'a> {
    articles: Vec<(&'a str, usize)>,
    others: Vec<(&'a str, usize)>,
}

/// Statements of one kind.
#[derive(Serialize)]
pub(super) struct Group<'a> {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) claims: Vec<ClaimView<'a>>,
}

#[derive(Serialize)]
pub(super) struct ClaimView<'a> {
    case: &'a str,
    says: &'a str,
    source: &'a str,
    work: &'a str,
    about: String,
    verdicts: Vec<VerdictView>,
    evidence: Vec<Seen>,
}

#[derive(Serialize)]
struct VerdictView {
    look: &'static str,
    word: String,
    names: String,
}

/// The same lines, on some platforms.
#[derive(Serialize)]
struct Seen {
    names: String,
    lines: String,
}

impl<'a> Works<'a> {
    /// The works by the number of their statements.
    pub(super) fn of(claims: &'a [ClaimRow]) -> Works<'a> {
        let mut counts: BTreeMap<(bool, &str), usize> = BTreeMap::new();
        for claim in claims {
            *counts.entry((is_article(&claim.source), work(&claim.source))).or_default() += 1;
        }
        let of = |article: bool| {
            let own = counts.iter().filter(|((is_article, _), _)| *is_article == article);
            let mut works: Vec<(&str, usize)> = own.map(|((_, name), n)| (*name, *n)).collect();
            // A work with a single statement is found by its words.
            works.retain(|(_, count)| article || *count > 1);
            works.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            works
        };
        Works { articles: of(true), others: of(false) }
    }
}

/// Where a claim stands on the page: refuted once is refuted.
pub(super) fn standing(claim: &ClaimRow) -> Verdict {
    let any = |wanted| claim.verdicts.values().any(|verdict| *verdict == wanted);
    match (any(Verdict::Refuted), any(Verdict::Holds)) {
        (true, _) => Verdict::Refuted,
        (_, true) => Verdict::Holds,
        _ => Verdict::NotRecorded,
    }
}

/// `3 hold, 1 refuted`; empty without claims.
pub(super) fn tally(claims: &[&ClaimRow]) -> String {
    let count = |wanted| claims.iter().filter(|claim| standing(claim) == wanted).count();
    let words = [
        (Verdict::Refuted, "refuted"),
        (Verdict::Holds, if count(Verdict::Holds) == 1 { "holds" } else { "hold" }),
        (Verdict::NotRecorded, "not recorded"),
    ];
    let told = words.map(|(verdict, word)| (count(verdict), word));
    let told = told.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    told.collect::<Vec<_>>().join(", ")
}

impl<'a> ClaimView<'a> {
    pub(super) fn of(claim: &'a ClaimRow, names: &Names) -> ClaimView<'a> {
        let on = |wanted: Verdict| names.list(|key| claim.verdicts.get(key) == Some(&wanted));
        let verdicts = [(Verdict::Refuted, "refuted"), (Verdict::Holds, "holds")];
        let mut verdicts: Vec<VerdictView> = verdicts
            .map(|(verdict, look)| VerdictView {
                look,
                word: verdict.to_string(),
                names: on(verdict),
            })
            .into_iter()
            .filter(|verdict| !verdict.names.is_empty())
            .collect();
        if verdicts.is_empty() {
            let word = Verdict::NotRecorded.to_string();
            verdicts.push(VerdictView { look: "none", word, names: String::new() });
        }
        ClaimView {
            case: &claim.case,
            says: &claim.says,
            source: &claim.source,
            work: work(&claim.source),
            about: claim.platforms.join(", "),
            verdicts,
            evidence: evidence(claim, names),
        }
    }
}

/// The lines by which a claim is refuted; platforms with the same lines together. What shows that
/// it holds is what the claim itself expects, and stands in the case.
fn evidence(claim: &ClaimRow, names: &Names) -> Vec<Seen> {
    let refuted = |key: &str| claim.verdicts.get(key) == Some(&Verdict::Refuted);
    let of = |key: &str| claim.evidence.get(key).filter(|_| refuted(key));
    let mut distinct: Vec<&Vec<String>> = Vec::new();
    for column in names.columns {
        let lines = of(&column.key).filter(|lines| !lines.is_empty());
        distinct.extend(lines.filter(|lines| !distinct.contains(lines)));
    }
    let seen = |lines: &Vec<String>| Seen {
        names: names.list(|key| of(key) == Some(lines)),
        lines: lines.join("\n"),
    };
    distinct.into_iter().map(seen).collect()
}
