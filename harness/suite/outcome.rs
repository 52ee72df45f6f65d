//! What a case's runs mean, held against what is recorded.

use super::discover::shown;
use super::flaky;
use super::session::Gathered;
use super::single::Ran;
use crate::model::capability::Lack;
use crate::model::{Case, Transcript};
use crate::render;
use crate::report::plain::{line, lines};
use crate::snapshot::{
    Answer, Diff, Header, SnapshotError, Standing, Status, Store, Update, Verdict, clear, compare,
    keep,
};
use crate::sys::Machine;
use std::path::PathBuf;
use std::time::Duration;

/// Answers of one flaky case that a story shows beside the most frequent one.
const DIFFS_MAX: usize = 3;

/// What came of a case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// What is said of it.
    pub status: Status,
    /// Why, where the status alone does not tell.
    pub reason: Option<String>,
    /// The longest of its runs.
    pub duration: Duration,
    /// What happened (in most of its runs).
    pub ran: Option<Ran>,
    /// The whole story for a person, plain text: where, what was recorded, what happened, how to
    /// accept. Only where something is not as recorded.
    pub story: Option<String>,
    /// The sections of `ran` that are not as recorded, counted from 0.
    pub unlike: Vec<usize>,
    /// The question has changed since this release was last asked.
    pub stale: bool,
    /// Runs that were not on their CPU in time, and were made again.
    pub again: u32,
}

/// Holds results against the recorded answers.
pub struct Judge<'a> {
    /// The recorded answers.
    pub store: &'a Store,
    /// This machine.
    pub machine: &'a Machine,
    /// What becomes of answers that are new or differ.
    pub update: Update,
    /// Colours in the stories.
    pub colour: bool,
}

impl CaseResult {
    /// A case that was not run.
    pub fn skipped(lack: &Lack) -> CaseResult {
        CaseResult::without_run(Status::Skipped, lack.to_string())
    }

    /// A case whose run says nothing of the stack.
    pub fn error(what: String) -> CaseResult {
        CaseResult::without_run(Status::Error, what)
    }

    /// A case outside the suite: it has answers, but there is no record to hold them against.
    pub fn outside(answers: Vec<(Ran, u32)>) -> CaseResult {
        let (status, reason) = match answers.len() {
            0 => return CaseResult::error("no run of the case ended".to_owned()),
            1 => (Status::Skipped, "outside the suite: nothing to compare with"),
            _ => (Status::Flaky, "its runs differ"),
        };
        let mut result = CaseResult::without_run(status, reason.to_owned());
        result.again = answers.iter().map(|(ran, _)| ran.again).sum();
        result.ran = answers.into_iter().next().map(|(ran, _)| ran);
        result.duration = result.ran.as_ref().map_or(Duration::ZERO, |ran| ran.duration);
        result
    }

    fn without_run(status: Status, reason: String) -> CaseResult {
        CaseResult {
            status,
            reason: Some(reason),
            duration: Duration::ZERO,
            ran: None,
            story: None,
            unlike: Vec::new(),
            stale: false,
            again: 0,
        }
    }
}

impl Judge<'_> {
    /// What the runs of a case mean. Stores what is new or differs, as `update` says.
    pub fn judge(&self, case: &Case, gathered: Gathered) -> CaseResult {
        let again = gathered.again;
        CaseResult { again, ..self.judge_answers(case, gathered) }
    }

    fn judge_answers(&self, case: &Case, gathered: Gathered) -> CaseResult {
        if let Some(error) = gathered.error {
            return CaseResult::error(error);
        }
        if let Some(lack) = &gathered.lack {
            return CaseResult::skipped(lack);
        }
        let mut answers = gathered.answers;
        if answers.len() > 1 {
            return self.flaky(case, answers, gathered.runs);
        }
        let Some((ran, _)) = answers.pop() else {
            return CaseResult::error("no run of the case ended".to_owned());
        };
        self.held_against_record(case, ran)
            .unwrap_or_else(|error| CaseResult::error(error.to_string()))
    }

    fn held_against_record(&self, case: &Case, ran: Ran) -> Result<CaseResult, SnapshotError> {
        let platform = self.machine.platform();
        let recorded = self.store.find(&case.id, &platform)?;
        let captured = self.machine.captures();
        let standing = self.store.standing(&platform, &case.id, &case.hash);
        let mut result = CaseResult {
            status: Status::Same,
            reason: None,
            duration: ran.duration,
            story: None,
            unlike: Vec::new(),
            stale: standing == Standing::Stale,
            again: 0,
            ran: Some(ran.clone()),
        };
        match compare(recorded.as_ref(), &ran.body, captured) {
            Verdict::Same => clear(self.store, &case.id, &platform, &ran.body, captured)?,
            Verdict::SameCallsOnly => {
                result.status = Status::SameCallsOnly;
                let here = if captured { "the record has" } else { "this machine sees" };
                result.reason = Some(format!("{here} no packets"));
            }
            Verdict::New if !self.store.has_platform(&platform.id) => {
                self.keep(case, &ran)?;
                result.status = Status::Skipped;
                result.reason = Some(format!("no answers recorded for {} yet", platform.id));
            }
            Verdict::New => {
                result.status = Status::New;
                result.unlike = (0..ran.transcript.sections.len()).collect();
                result.story = Some(self.story_of_new(case, &ran)?);
            }
            Verdict::Differs(diff) => {
                result.status = Status::Differs;
                result.unlike = diff.sections();
                let recorded = recorded.as_ref().expect("only a record can be differed from");
                result.reason = self.other_settings(case, recorded);
                result.story = Some(self.story_of_difference(case, &ran, recorded, &diff)?);
            }
        }
        Ok(result)
    }

    /// What may explain a difference without the stack: other things are pinned here.
    fn other_settings(&self, case: &Case, recorded: &Answer) -> Option<String> {
        let here = Header::of(self.machine, true).settings;
        let is_pinned = here == recorded.header.settings
            || self.store.is_confirmed_under(&case.id, &recorded.name, &here);
        (!is_pinned).then(|| {
            let isolation = &self.machine.isolation;
            format!("the record's settings are not pinned here, isolation {isolation}")
        })
    }

    /// Stores the answer, unless other releases rest on the file that it would replace.
    fn keep(&self, case: &Case, ran: &Ran) -> Result<Option<PathBuf>, SnapshotError> {
        if !self.others_resting(case).is_empty() {
            return Ok(None);
        }
        let header = Header::of(self.machine, ran.settled);
        keep(self.store, &case.id, &self.machine.platform(), &header, &ran.body, self.update)
    }

    /// The other releases of this platform whose answer is in the file that this one uses.
    fn others_resting(&self, case: &Case) -> Vec<String> {
        let platform = self.machine.platform();
        let Some(name) = self.store.name_for(&case.id, &platform) else {
            return Vec::new();
        };
        let releases = self.store.releases(&case.id, name).into_iter();
        releases.filter(|release| **release != platform.release).map(ToString::to_string).collect()
    }

    fn flaky(&self, case: &Case, mut answers: Vec<(Ran, u32)>, runs: u32) -> CaseResult {
        flaky::most_first(&mut answers);
        let diffs = flaky::diffs(&answers, runs, DIFFS_MAX, self.colour);
        let [(ran, count), (other, _), ..] = &answers[..] else {
            return CaseResult::error("the case has one answer".to_owned());
        };
        let at = differing_line(&other.transcript, &ran.body, false);
        let mut result = CaseResult::without_run(
            Status::Flaky,
            format!("{} of {runs} runs differ from the most frequent answer", runs - count),
        );
        result.duration = ran.duration;
        result.story = Some(format!("{}:{at}\n{diffs}", place(case)));
        result.ran = Some(ran.clone());
        result
    }

    fn story_of_new(&self, case: &Case, ran: &Ran) -> Result<String, SnapshotError> {
        let mut story = format!("{}: nothing is recorded for ", place(case));
        story.push_str(&self.machine.platform);
        story.push('\n');
        for line in lines(&ran.body).lines() {
            story.push_str(&format!("+{line}\n"));
        }
        story.push_str(&self.others(case, ran)?);
        story.push_str(&self.how_to_accept(case, ran)?);
        Ok(story)
    }

    fn story_of_difference(
        &self,
        case: &Case,
        ran: &Ran,
        recorded: &Answer,
        diff: &Diff,
    ) -> Result<String, SnapshotError> {
        let at = differing_line(&ran.transcript, &diff.recorded, diff.calls_only);
        let Machine { platform, kernel, arch, .. } = self.machine;
        let mut story = format!("{}:{at}: {}\n", place(case), line(&case.about));
        let on = &recorded.header.recorded_on;
        let recorded_on = format!("{}, recorded", line(on));
        let here = format!("{platform} {kernel} {arch}, happened");
        let [recorded, happened] = [&diff.recorded, &diff.happened].map(|body| lines(body));
        let diff = Diff { recorded, happened, calls_only: diff.calls_only };
        story.push_str(&diff.text(&recorded_on, &here, self.colour));
        story.push_str(&self.others(case, ran)?);
        story.push_str(&self.how_to_accept(case, ran)?);
        Ok(story)
    }

    /// Whose recorded answer this one equals.
    fn others(&self, case: &Case, ran: &Ran) -> Result<String, SnapshotError> {
        let (id, captured) = (&self.machine.platform, self.machine.captures());
        let equal = self.store.equal_to(&case.id, id, &ran.body, captured)?;
        Ok(match (equal.is_empty(), self.store.answers(&case.id)?.is_empty()) {
            (false, _) => format!("the same answer is recorded for: {}\n", equal.join(", ")),
            (true, false) => "no release has this answer recorded\n".to_owned(),
            (true, true) => String::new(),
        })
    }

    fn how_to_accept(&self, case: &Case, ran: &Ran) -> Result<String, SnapshotError> {
        let others = self.others_resting(case);
        if !others.is_empty() {
            let (id, others) = (&case.id, others.join(", "));
            return Ok(format!(
                "nothing was stored: {others} rest on the recorded answer; to accept: \
                 sockdiff run {id} --out new.json, then sockdiff record new.json\n"
            ));
        }
        let again = format!("sockdiff run {} --update always", case.id);
        Ok(match (self.keep(case, ran)?, self.update) {
            (Some(path), Update::New) => {
                let path = shown(&path).display().to_string();
                format!("stored as {path}; to accept: cargo insta review, or {again}\n")
            }
            (Some(path), _) => format!("accepted as {}\n", shown(&path).display()),
            (None, _) => format!("nothing was stored; to accept: {again}\n"),
        })
    }
}

/// Where a case comes from, as a person is told.
fn place(case: &Case) -> String {
    line(&case.path.display().to_string())
}

/// The line of the case whose step first shows the difference.
fn differing_line(transcript: &Transcript, recorded: &str, calls_only: bool) -> u32 {
    let mut recorded = recorded.lines();
    let mut last = 0;
    for section in &transcript.sections {
        if let Some(title) = render::title(transcript, section)
            && recorded.next().is_none_or(|line| line != format!("{}{title}", render::SECTION))
        {
            return section.steps.first().map_or(0, |step| step.line);
        }
        for step in &section.steps {
            for event in &step.events {
                let line = render::line(event);
                if calls_only && line.starts_with(render::INDENT) {
                    continue;
                }
                last = if step.line > 0 { step.line } else { last };
                if recorded.next() != Some(line.as_str()) {
                    return last;
                }
            }
        }
    }
    last
}
