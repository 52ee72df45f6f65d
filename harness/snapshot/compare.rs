//! Holds what happened against what was recorded.

use super::diff::Diff;
use super::header::normal;
use super::store::Answer;
use crate::render;

/// How an answer relates to the recorded one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Equal, packets and all.
    Same,
    /// The calls are equal; on one side no packets were seen.
    SameCallsOnly,
    /// Not equal.
    Differs(Diff),
    /// Nothing is recorded.
    New,
}

/// Compares. `captured` says whether this run saw packets; where one side did not, only the calls
/// are compared.
pub fn compare(expected: Option<&Answer>, body: &str, captured: bool) -> Verdict {
    let Some(expected) = expected else {
        return Verdict::New;
    };
    if alike(expected, body, captured) {
        return match packets_count(expected, captured) {
            true => Verdict::Same,
            false => Verdict::SameCallsOnly,
        };
    }
    let calls_only = !packets_count(expected, captured);
    let (recorded, happened) = comparable(expected, body, captured);
    Verdict::Differs(Diff { recorded, happened, calls_only })
}

/// Whether two answers are equal as far as both can be.
pub(super) fn alike(expected: &Answer, body: &str, captured: bool) -> bool {
    let (recorded, happened) = comparable(expected, body, captured);
    recorded == happened
}

fn comparable(expected: &Answer, body: &str, captured: bool) -> (String, String) {
    if packets_count(expected, captured) {
        return (expected.body.clone(), normal(body));
    }
    (expected.calls(), calls_only(body))
}

fn packets_count(expected: &Answer, captured: bool) -> bool {
    captured && expected.header.captured()
}

/// An answer without its packets.
pub(super) fn calls_only(body: &str) -> String {
    normal(&render::calls_only(body))
}

#[cfg(test)]
mod tests {
    use super::super::filename::SnapName;
    use super::super::header::Header;
    use super::super::testing::header;
    use super::*;
    use rstest::rstest;

    const FULL: &str = "a() = 0\n    a > b [S]";
    const CALLS: &str = "a() = 0";

    fn answer(capture: &str, body: &str) -> Answer {
        Answer {
            name: SnapName::plain("linux"),
            path: "expected/x/linux.snap".into(),
            header: Header { capture: capture.to_owned(), ..header("6.18") },
            body: body.to_owned(),
        }
    }

    #[rstest]
    #[case::all_alike("raw sockets", FULL, FULL, true, "same")]
    #[case::line_end("raw sockets", FULL, "a() = 0\n    a > b [S]\n", true, "same")]
    #[case::run_without("raw sockets", FULL, CALLS, false, "calls")]
    #[case::record_without("none", CALLS, FULL, true, "calls")]
    #[case::both_without("none", CALLS, CALLS, false, "calls")]
    #[case::packet_missing("raw sockets", FULL, CALLS, true, "differs")]
    #[case::call_differs("raw sockets", FULL, "a() = 1", false, "differs (calls)")]
    #[case::call_differs_from_calls("none", CALLS, "a() = 1", true, "differs (calls)")]
    fn verdicts(
        #[case] capture: &str,
        #[case] recorded: &str,
        #[case] happened: &str,
        #[case] captured: bool,
        #[case] wanted: &str,
    ) {
        let answer = answer(capture, recorded);
        let word = match compare(Some(&answer), happened, captured) {
            Verdict::Same => "same",
            Verdict::SameCallsOnly => "calls",
            Verdict::Differs(diff) if diff.calls_only => "differs (calls)",
            Verdict::Differs(_) => "differs",
            Verdict::New => "new",
        };
        assert_eq!(word, wanted);
    }

    #[test]
    fn nothing_recorded_is_new() {
        assert_eq!(compare(None, FULL, true), Verdict::New);
    }
}
