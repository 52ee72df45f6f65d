//! Cases that are no part of the corpus: their transcripts are printed, nothing is compared.

use super::{Invocation, shown};
use crate::cli::print::{self, warn};
use crate::cli::summary;
use crate::model::Case;
use crate::report::plain::{line, lines};
use crate::suite::{CaseResult, Gathered, why_skipped};

impl Invocation<'_> {
    /// Runs them side by side, and tells of each in their order, as soon as all before it are done.
    pub(super) fn outside(&self, cases: &[&Case]) -> Vec<CaseResult> {
        let lacking = |case: &&Case| {
            let lack = why_skipped(case, self.stack)?;
            Some(Gathered { lack: Some(lack), ..Gathered::default() })
        };
        let mut came: Vec<Option<Gathered>> = cases.iter().map(lacking).collect();
        let runnable: Vec<usize> = (0..cases.len()).filter(|at| came[*at].is_none()).collect();
        let picked: Vec<&Case> = runnable.iter().map(|at| cases[*at]).collect();
        let mut results = Vec::with_capacity(cases.len());
        let tell = |came: &mut [Option<Gathered>], results: &mut Vec<CaseResult>| {
            while let Some(at) = came.get_mut(results.len())
                && let Some(gathered) = at.take()
            {
                print::end_progress();
                let case = cases[results.len()];
                if cases.len() > 1 {
                    let strong = print::STRONG;
                    self.say(&format!("{strong}# {}{strong:#}", shown(case)));
                }
                results.push(self.stranger(case, gathered));
            }
        };
        tell(&mut came, &mut results);
        let mut done = cases.len() - picked.len();
        self.session().run(&picked, |index, mut gathered| {
            let case = picked[index];
            self.packets(case, &mut gathered);
            came[runnable[index]] = Some(gathered);
            done += 1;
            print::progress(&format!("{done}/{} {}", cases.len(), shown(case)));
            tell(&mut came, &mut results);
        });
        print::end_progress();
        let missing = || CaseResult::error("the case ended without a word".to_owned());
        results.resize_with(cases.len(), missing);
        results
    }

    fn stranger(&self, case: &Case, gathered: Gathered) -> CaseResult {
        let path = shown(case);
        let Gathered { answers, error, lack, runs, again } = gathered;
        if let Some(note) = summary::made_again(again) {
            warn(&format!("{path}: {note}"));
        }
        if let Some(error) = error {
            warn(&format!("{path}: {error}"));
            return CaseResult::error(error);
        }
        if let Some(lack) = lack {
            self.say(&format!("{path}  skipped ({})", line(&lack.to_string())));
            return CaseResult::skipped(&lack);
        }
        for (ran, count) in &answers {
            if runs > 1 {
                self.say(&format!("{count} of {runs} runs:"));
            }
            self.say(lines(&ran.body).trim_end());
            self.ladders(&ran.transcript, &[]);
        }
        CaseResult::outside(answers)
    }
}
