//! The lines at the end of a run.

use crate::report::plain;
use crate::suite::{CaseResult, Status};
use std::collections::BTreeMap;

/// Cases that a line names; of more only the number is told.
const NAMED_MAX: usize = 8;

/// `61 same, 2 calls only, 7 skipped (no nft: apt install nftables)`
pub fn line<'a>(results: impl Iterator<Item = &'a CaseResult> + Clone, bad: usize) -> String {
    let mut parts = Vec::new();
    for status in Status::ALL {
        let those = results.clone().filter(|result| result.status == status);
        let count = those.clone().count();
        if count == 0 {
            continue;
        }
        let word = match status {
            Status::SameCallsOnly => "calls only".to_owned(),
            other => other.to_string(),
        };
        parts.push(format!("{count} {word}{}", reasons(status, those)));
    }
    if bad > 0 {
        parts.push(format!("{bad} bad case{}", if bad == 1 { "" } else { "s" }));
    }
    if parts.is_empty() { "no case was selected".to_owned() } else { parts.join(", ") }
}

/// That runs say nothing of the stack, for the machine's fault, and were made again: those of these
/// cases, each so many times. It is said to a person beside the answers, never among them: what a
/// run answers does not depend on how busy the machine was.
pub fn made_again<'a>(cases: impl Iterator<Item = (&'a str, u32)>) -> Option<String> {
    let those: Vec<(&str, u32)> = cases.filter(|(_, runs)| *runs > 0).collect();
    let mut named: Vec<&str> = those.iter().take(NAMED_MAX).map(|(name, _)| *name).collect();
    let more = those.len().saturating_sub(NAMED_MAX);
    let others = format!("{more} more");
    if more > 0 {
        named.push(&others);
    }
    let those_of = named.join(", ");
    match those.iter().map(|(_, runs)| runs).sum() {
        0 => None,
        1 => Some(format!("1 run was made again, not on its CPU in time: {those_of}")),
        runs => Some(format!("{runs} runs were made again, not on their CPU in time: {those_of}")),
    }
}

fn reasons<'a>(status: Status, those: impl Iterator<Item = &'a CaseResult>) -> String {
    if !matches!(status, Status::Skipped | Status::SameCallsOnly | Status::Error) {
        return String::new();
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for result in those {
        *counts.entry(result.reason.as_deref().unwrap_or("no reason given")).or_default() += 1;
    }
    if let Some((reason, _)) = counts.first_key_value()
        && counts.len() == 1
    {
        return format!(" ({})", plain::line(reason));
    }
    let each: Vec<String> =
        counts.iter().map(|(reason, n)| format!("{n} {}", plain::line(reason))).collect();
    format!(" ({})", each.join("; "))
}

#[cfg(test)]
mod tests {
    use super::{NAMED_MAX, line, made_again};
    use crate::model::capability::Lack;
    use crate::suite::CaseResult;

    #[test]
    fn skips_are_grouped_by_their_reason() {
        let nft = || CaseResult::skipped(&Lack::new("no nft").remedy("apt install nftables"));
        let one = [nft(), nft()];
        assert_eq!(line(one.iter(), 0), "2 skipped (no nft: apt install nftables)");
        let two = [nft(), CaseResult::skipped(&Lack::new("no IPv6")), nft()];
        let expected = "3 skipped (1 no IPv6; 2 no nft: apt install nftables), 1 bad case";
        assert_eq!(line(two.iter(), 1), expected);
    }

    #[test]
    fn cases_with_runs_made_again_are_named() {
        let told = |runs: &[u32]| {
            let names: Vec<String> = (0..runs.len()).map(|n| format!("a/{n}")).collect();
            made_again(names.iter().map(String::as_str).zip(runs.iter().copied()))
        };
        assert_eq!(told(&[0, 0]), None);
        let one = "1 run was made again, not on its CPU in time: a/1";
        assert_eq!(told(&[0, 1]).as_deref(), Some(one));
        let several = "4 runs were made again, not on their CPU in time: a/0, a/2";
        assert_eq!(told(&[1, 0, 3]).as_deref(), Some(several));
        let many = told(&[1; NAMED_MAX + 3]).expect("a line");
        assert!(many.starts_with("11 runs ") && many.ends_with(", a/7, 3 more"), "{many}");
    }

    #[test]
    fn nothing_is_said_plainly() {
        assert_eq!(line([].iter(), 0), "no case was selected");
    }
}
