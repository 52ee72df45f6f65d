//! The cases whose answers here contradict what somebody says: the first thing a newcomer enjoys.

use crate::model::{Case, Platform};
use crate::report::claims::{Verdict, concerns, judge};
use crate::report::plain::line;

/// How many are told.
const TOLD: usize = 3;
/// What it weighs that a claim about this platform is refuted, against each other platform about
/// which something else is said.
const OWN_WEIGHT: usize = 4;

/// A case and the sentence that it refutes.
pub struct Surprise<'a> {
    /// The case.
    pub case: &'a Case,
    /// What is said, by whom, and about whom.
    pub sentence: String,
    weight: usize,
}

/// The most surprising of these cases, by the bodies that they gave here.
pub fn most<'a>(
    answers: impl Iterator<Item = (&'a Case, &'a str)>,
    platform: &Platform,
    captured: bool,
) -> Vec<Surprise<'a>> {
    let mut surprises: Vec<Surprise> =
        answers.filter_map(|(case, body)| surprise(case, body, platform, captured)).collect();
    surprises.sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.case.id.cmp(&b.case.id)));
    surprises.truncate(TOLD);
    surprises
}

fn surprise<'a>(
    case: &'a Case,
    body: &str,
    platform: &Platform,
    captured: bool,
) -> Option<Surprise<'a>> {
    let refuted: Vec<_> = case
        .claims
        .iter()
        .filter(|claim| judge(claim, body, captured) == Verdict::Refuted)
        .collect();
    let own = refuted.iter().find(|claim| concerns(claim, platform));
    let told = own.or(refuted.first())?;
    let sentence = if own.is_some() {
        format!("not so here: {} ({})", line(&told.says), line(&told.source))
    } else {
        format!("other than here: {} ({})", line(&told.says), line(&told.platforms.join(", ")))
    };
    let mut elsewhere: Vec<&String> = refuted.iter().flat_map(|claim| &claim.platforms).collect();
    elsewhere.sort();
    elsewhere.dedup();
    let weight = elsewhere.len() + if own.is_some() { OWN_WEIGHT } else { 0 };
    Some(Surprise { case, sentence, weight })
}
