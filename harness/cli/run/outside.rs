//! Cases that are no part of the corpus: their transcripts are printed, nothing is compared.

use super::{Invocation, shown};
use crate::cli::print::{self, warn};
use crate::cli::summary;
use crate::model::Case;
use crate::report::plain::{line, lines};
use crate::suite::{CaseResult, Gathered, flaky};

impl Invocation<'_> {
    /// Runs them side by side, and tells of each in their order, as soon as all before it are done.
    pub(super) fn outside(&self, cases: &[&Case]) -> Vec<CaseResult> {
        let mut waiting: Vec<Option<Gathered>> = cases.iter().map(|_| None).collect();
        let mut results = Vec::with_capacity(cases.len());
        self.gather(cases, |index, gathered| {
            waiting[index] = Some(gathered);
            while let Some(gathered) = waiting.get_mut(results.len()).and_then(Option::take) {
                print::end_progress();
                let case = cases[results.len()];
                if cases.len() > 1 {
                    let strong = print::STRONG;
                    self.say(&format!("{strong}# {}{strong:#}", shown(case)));
                }
                results.push(self.stranger(case, gathered));
            }
        });
        let missing = || CaseResult::error("the case ended without a word".to_owned());
        results.resize_with(cases.len(), missing);
        results
    }

    fn stranger(&self, case: &Case, gathered: Gathered) -> CaseResult {
        let path = shown(case);
        let Gathered { mut answers, error, lack, runs, again } = gathered;
        if let Some(note) = summary::made_again([(path.as_str(), again)].into_iter()) {
            warn(&note);
        }
        if let Some(error) = error {
            warn(&format!("{path}: {error}"));
            return CaseResult::error(error);
        }
        if let Some(lack) = lack {
            self.say(&format!("{path}  skipped ({})", line(&lack.to_string())));
            return CaseResult::skipped(&lack);
        }
        flaky::most_first(&mut answers);
        if let Some((ran, count)) = answers.first() {
            if runs > 1 {
                self.say(&format!("{count} of {runs} runs:"));
            }
            self.say(lines(&ran.body).trim_end());
            self.ladders(&ran.transcript, &[]);
            // Nothing else keeps them, so each is told.
            let diffs = flaky::diffs(&answers, runs, usize::MAX, print::to_terminal());
            diffs.lines().for_each(|line| self.say(line));
        }
        CaseResult::outside(answers)
    }
}
