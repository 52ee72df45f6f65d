//! The lines at the end of a run.

use crate::report::plain;
use crate::suite::{CaseResult, Status};
use std::collections::BTreeMap;

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

/// That runs say nothing of the stack, for the machine's fault, and were made again.
pub fn made_again(runs: u32) -> Option<String> {
    match runs {
        0 => None,
        1 => Some("1 run was made again: it had not got its CPU in time".to_owned()),
        runs => Some(format!("{runs} runs were made again: they had not got their CPU in time")),
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
    use super::line;
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
    fn nothing_is_said_plainly() {
        assert_eq!(line([].iter(), 0), "no case was selected");
    }
}
