//! A case that differs from itself: the answer of most runs, and what is otherwise in the others.

use super::single::Ran;
use crate::report::plain::lines;
use crate::snapshot::Diff;
use std::cmp::Reverse;

/// Puts the answer of most runs first; of equals the one that came first.
pub fn most_first(answers: &mut [(Ran, u32)]) {
    answers.sort_by_key(|(_, count)| Reverse(*count));
}

/// What is otherwise in the other answers than in the first one: a diff of each, but at most `most`
/// of them, and how many are left.
pub fn diffs(answers: &[(Ran, u32)], runs: u32, most: usize, colour: bool) -> String {
    let Some(((first, first_count), others)) = answers.split_first() else {
        return String::new();
    };
    let (shown, left) = others.split_at(most.min(others.len()));
    let mut text = String::new();
    for (other, count) in shown {
        let [recorded, happened] = [first, other].map(|ran| lines(&ran.body));
        let diff = Diff { recorded, happened, calls_only: false };
        let [first, other] = [first_count, count].map(|count| format!("{count} of {runs} runs"));
        text.push_str(&diff.text(&first, &other, colour));
    }
    if !left.is_empty() {
        let answers = if left.len() == 1 { "answer" } else { "answers" };
        let count: u32 = left.iter().map(|(_, count)| count).sum();
        text.push_str(&format!("{} more {answers}, of {count} of {runs} runs\n", left.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Transcript;
    use rstest::rstest;
    use std::time::Duration;

    fn answers() -> Vec<(Ran, u32)> {
        let answer = |(last, count): (&str, u32)| {
            let ran = Ran {
                transcript: Transcript { sections: Vec::new() },
                body: format!("a\nb\nc\nd\n{last}\n"),
                duration: Duration::ZERO,
                settled: true,
                again: 0,
                logs: Vec::new(),
            };
            (ran, count)
        };
        [("x", 1), ("y", 5), ("z", 1), ("w", 2)].map(answer).to_vec()
    }

    const HEAD: &str =
        "--- 5 of 9 runs\n+++ 2 of 9 runs\n  (1 equal line)\n  b\n  c\n  d\n- y\n+ w\n";

    #[rstest]
    #[case::none(0, "3 more answers, of 4 of 9 runs\n")]
    #[case::one(1, "2 more answers, of 2 of 9 runs\n")]
    #[case::two(2, "1 more answer, of 1 of 9 runs\n")]
    #[case::all(usize::MAX, "  d\n- y\n+ z\n")]
    fn others_are_held_against_what_most_runs_gave(#[case] most: usize, #[case] tail: &str) {
        let mut answers = answers();
        most_first(&mut answers);
        let text = diffs(&answers, 9, most, false);
        assert!(text.ends_with(tail), "{text}");
        assert!(most == 0 || text.starts_with(HEAD), "{text}");
        assert_eq!(text.matches("--- 5 of 9 runs\n").count(), most.min(3), "{text}");
    }
}
