//! `sockdiff run`: executes cases here and compares.

use super::args::{IsolationArg, Ladder, RunArgs, TopologyArg, Update as UpdateArg, WireArg};
use super::print::{self, say, warn};
use super::workspace::Workspace;
use super::{Exit, summary, surprises};
use crate::model::{Capability, Case, Section, Topology, Transcript};
use crate::render;
use crate::report::plain::{line, lines};
use crate::run::Conditions;
use crate::snapshot::{Expected, Store, Update, writing};
use crate::suite::select::{Selection, select};
use crate::suite::{CaseResult, Gathered, Judge, Session, Slots, Status, why_skipped};
use crate::sys::{self, Isolation, LocalOptions, Machine, Prepared, Stack, WireDevice};
use std::sync::Arc;
use std::time::SystemTime;

mod out;
mod outside;

/// Runs begun at one time for each place, where they sleep between steps.
const JITTERED_PER_JOB: usize = 24;

/// Ladders of one case that are drawn unasked.
const LADDERS_MAX: usize = 3;

/// Places that each CPU has by default.
const JOBS_PER_CPU: usize = 1;

/// Executes and compares.
pub fn run(prepared: &Prepared, workspace: &Workspace, args: &RunArgs) -> Exit {
    match begun(prepared, workspace, args) {
        // To `git bisect run` every other code below 128 says that this revision is bad.
        Exit::Usage | Exit::Error | Exit::Incomplete if args.bisect => Exit::BisectSkip,
        exit => exit,
    }
}

fn begun(prepared: &Prepared, workspace: &Workspace, args: &RunArgs) -> Exit {
    let mut selection = match select(&workspace.corpus, &args.which) {
        Ok(selection) => selection,
        Err(message) => {
            warn(&message);
            return Exit::Usage;
        }
    };
    let store = || Store::open(recorded(workspace, &selection));
    let (stack, store) = match (stack(prepared, args), store()) {
        (Ok(stack), Ok(store)) => (stack, store),
        (Err(message), _) => {
            warn(&message);
            return Exit::Error;
        }
        (_, Err(error)) => {
            warn(&error.to_string());
            return Exit::Usage;
        }
    };
    // Whoever interrupts finds no file half written.
    sys::on_interrupt(|| std::mem::forget(writing()));
    let topology = args.topology.map(|topology| match topology {
        TopologyArg::Loopback => Topology::Loopback,
        TopologyArg::Wire => Topology::Wire,
    });
    if let Err(message) = selection.ours.keep(&args.tag, topology) {
        warn(&message);
        return Exit::Usage;
    }
    let invocation = Invocation { args, stack: &*stack, store: &store, seed: seed(args) };
    invocation.all(&selection)
}

/// The records to compare with: none are looked for if every case is from elsewhere.
fn recorded(workspace: &Workspace, selection: &Selection) -> Expected {
    match selection.ours.cases.is_empty() {
        true => Expected::Embedded(&[]),
        false => workspace.expected.clone(),
    }
}

fn stack(prepared: &Prepared, args: &RunArgs) -> Result<Box<dyn Stack>, String> {
    let isolation = match args.isolation {
        IsolationArg::Auto => Isolation::Auto,
        IsolationArg::Netns => Isolation::Netns,
        IsolationArg::Shared => Isolation::Shared,
    };
    let host_settings = args.settings.is_some();
    let wire = match args.wire {
        WireArg::Auto => WireDevice::Auto,
        WireArg::Tun => WireDevice::Tun,
        WireArg::Veth => WireDevice::Veth,
    };
    let options = LocalOptions { isolation, host_settings, platform: args.platform.clone(), wire };
    let stack = sys::local(prepared, &options).map_err(|lack| lack.to_string())?;
    if isolation == Isolation::Auto && stack.machine().isolation == "shared" {
        let lack = stack.can(Capability::Namespace).err();
        let why = lack.map_or_else(String::new, |lack| lack.to_string());
        warn(&format!("no namespace for each case ({why}); going on with --isolation shared"));
    }
    Ok(stack)
}

/// The seed of the random times: the one asked for, or one that is printed.
fn seed(args: &RunArgs) -> u64 {
    args.seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.map_or(1, |now| now.as_nanos() as u64)
    })
}

/// What is the same for every case of this invocation.
struct Invocation<'a> {
    args: &'a RunArgs,
    stack: &'a dyn Stack,
    store: &'a Store,
    seed: u64,
}

impl Invocation<'_> {
    fn all(&self, selection: &Selection) -> Exit {
        if self.args.jitter.is_some() {
            warn(&format!("jitter with --seed {}", self.seed));
        }
        if self.args.pcap.is_some() && !self.stack.machine().captures() {
            warn("--pcap: no packets are seen here; sockdiff doctor tells why");
        }
        let bad = selection.ours.bad.iter().chain(&selection.outside.bad);
        let messages: Vec<&String> = bad.map(|bad| &bad.message).collect();
        for message in &messages {
            warn(message);
        }
        let ours: Vec<&Case> = selection.ours.cases.iter().collect();
        let outside: Vec<&Case> = selection.outside.cases.iter().collect();
        let mut results = self.ours(&ours);
        let strangers = self.outside(&outside);
        if !self.args.json && (outside.is_empty() || !ours.is_empty()) {
            self.conclusion(&ours, &results, messages.len());
        }
        results.extend(strangers);
        let cases = [ours, outside].concat();
        let mut exit = self.written(&cases, &results);
        if !messages.is_empty() {
            exit = exit.and(Exit::Usage);
        }
        for result in &results {
            exit = exit.and(self.exit_of(result));
        }
        if self.args.bisect { for_bisect(exit, &results) } else { exit }
    }

    /// Cases of the corpus: compared, and stored as `--update` says.
    fn ours(&self, cases: &[&Case]) -> Vec<CaseResult> {
        let judge = Judge {
            store: self.store,
            machine: self.stack.machine(),
            update: self.update(),
            colour: print::to_terminal(),
        };
        let mut results: Vec<Option<CaseResult>> = cases.iter().map(|_| None).collect();
        let mut told = 0;
        // Ten thousand transcripts are kept only for those who read them at the end.
        let read_again = self.args.json || self.args.out.is_some() || print::to_terminal();
        self.gather(cases, |index, gathered| {
            results[index] = Some(judge.judge(cases[index], gathered));
            let from = told;
            told = self.tell(cases, &results, from);
            if !read_again {
                results[from..told].iter_mut().flatten().for_each(|result| result.ran = None);
            }
        });
        let missing = || CaseResult::error("the case ended without a word".to_owned());
        results.into_iter().map(|result| result.unwrap_or_else(missing)).collect()
    }

    /// Runs side by side the cases that can be run here, and hands over what each gave as soon as
    /// it is done; first of all why the others cannot be.
    fn gather(&self, cases: &[&Case], mut came: impl FnMut(usize, Gathered)) {
        let mut runnable = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            match why_skipped(case, self.stack) {
                Some(lack) => came(index, Gathered { lack: Some(lack), ..Gathered::default() }),
                None => runnable.push(index),
            }
        }
        let picked: Vec<&Case> = runnable.iter().map(|index| cases[*index]).collect();
        let mut done = cases.len() - picked.len();
        self.session().run(&picked, |index, mut gathered| {
            self.packets(picked[index], &mut gathered);
            done += 1;
            print::progress(&format!("{done}/{} {}", cases.len(), picked[index].id));
            came(runnable[index], gathered);
        });
        print::end_progress();
    }

    /// One line a case, in the order of their names, as soon as all before it are done. On a
    /// terminal what is as recorded is left for the conclusion.
    fn tell(&self, cases: &[&Case], results: &[Option<CaseResult>], from: usize) -> usize {
        let ready = results[from..].iter().take_while(|result| result.is_some()).count();
        if self.args.json {
            return from + ready;
        }
        for (case, result) in cases[from..from + ready].iter().zip(&results[from..]) {
            let Some(result) = result else { break };
            let expected = matches!(result.status, Status::Same | Status::Skipped);
            if !(print::to_terminal() && expected) {
                print::end_progress();
                self.line(case, result);
            }
        }
        from + ready
    }

    fn line(&self, case: &Case, result: &CaseResult) {
        let style = match result.status {
            Status::Same => print::GOOD,
            Status::Differs | Status::Flaky | Status::Error | Status::New => print::DIFFERENT,
            Status::SameCallsOnly | Status::Skipped => print::NOTICE,
        };
        let reason =
            result.reason.as_ref().map_or(String::new(), |why| format!("  ({})", line(why)));
        let stale = if result.stale { "  (stale: the question has changed)" } else { "" };
        let status = result.status;
        say(&format!("{style}{status:16}{style:#}  {}{reason}{stale}", case.id));
        if let Some(story) = &result.story {
            for line in story.lines() {
                say(&format!("    {line}"));
            }
        }
        if let Some(ran) = &result.ran {
            self.ladders(&ran.transcript, &result.unlike);
        }
    }

    /// The exchange as a picture: by default that of the rows which are not as recorded.
    fn ladders(&self, transcript: &Transcript, unlike: &[usize]) {
        let sections: Vec<&Section> = match self.args.ladder {
            Ladder::Always => transcript.sections.iter().collect(),
            Ladder::Fail => unlike.iter().filter_map(|at| transcript.sections.get(*at)).collect(),
            Ladder::Never => Vec::new(),
        };
        let most = if self.args.ladder == Ladder::Fail { LADDERS_MAX } else { usize::MAX };
        for section in sections.iter().take(most) {
            self.say(&drawn(transcript, section));
        }
        if let Some(more) = sections.len().checked_sub(most).filter(|more| *more > 0) {
            self.say(&format!("{more} more rows; to draw all: --ladder always\n"));
        }
    }

    /// `--pcap`: writes the packets of a case, whose logs are then no longer needed.
    fn packets(&self, case: &Case, gathered: &mut Gathered) {
        let Some(folder) = &self.args.pcap else { return };
        if let Err(message) = out::write_packets(folder, case, gathered) {
            gathered.error.get_or_insert(message);
        }
        gathered.answers.iter_mut().for_each(|(ran, _)| ran.logs = Vec::new());
    }

    /// One line for a person; a program reads nothing but its JSON.
    fn say(&self, line: &str) {
        if !self.args.json {
            say(line);
        }
    }

    fn session(&self) -> Session<'_> {
        let cpus = sys::cpus();
        let jobs = self.args.jobs.unwrap_or(cpus.len() * JOBS_PER_CPU);
        Session {
            stack: self.stack,
            slots: self.slots(&cpus, jobs),
            conditions: Conditions { jitter: self.args.jitter, seed: self.seed },
            repeat: self.args.repeat,
            keep_logs: self.args.pcap.is_some(),
        }
    }

    /// With jitter every run sleeps between its steps. Were too many begun, one would wait for its
    /// CPU longer than its case waits for a timer of the stack.
    fn slots(&self, cpus: &[usize], jobs: usize) -> Arc<Slots> {
        let begun_max = self.stack.runs_at_once();
        match self.args.jitter {
            Some(_) => Slots::new(cpus, jobs, begun_max.min(JITTERED_PER_JOB * jobs)),
            None => Slots::new(cpus, jobs, begun_max),
        }
    }

    fn update(&self) -> Update {
        match self.args.update {
            // Another machine's settings, or a look at one revision, are nothing to keep.
            _ if self.args.settings.is_some() || self.args.bisect => Update::No,
            Some(UpdateArg::New) => Update::New,
            Some(UpdateArg::Always) => Update::Always,
            Some(UpdateArg::No) => Update::No,
            None => Update::default_here(),
        }
    }

    /// `--out`, `--junit` and `--json`.
    fn written(&self, cases: &[&Case], results: &[CaseResult]) -> Exit {
        let machine: &Machine = self.stack.machine();
        match out::write(self.args, machine, cases, results) {
            Ok(()) => {
                self.tell_where(results);
                Exit::AsRecorded
            }
            Err(message) => {
                warn(&message);
                Exit::Error
            }
        }
    }

    /// A platform without records skips everything, and has answered everything all the same.
    fn tell_where(&self, results: &[CaseResult]) {
        let Some(path) = &self.args.out else { return };
        let answers = results.iter().filter(|result| result.ran.is_some()).count();
        self.say(&format!("{answers} answers in {}, for sockdiff record", path.display()));
    }

    fn conclusion(&self, cases: &[&Case], results: &[CaseResult], bad: usize) {
        if print::to_terminal() {
            for (folder, count) in same_by_folder(cases, results) {
                let (good, faint) = (print::GOOD, print::FAINT);
                say(&format!("{good}{:16}{good:#}  {folder}/ {faint}({count}){faint:#}", "same"));
            }
            self.surprises(cases, results);
        }
        let each = match self.args.repeat {
            0 | 1 => String::new(),
            times => format!(", each asked {times} times"),
        };
        let again = results.iter().map(|result| result.again);
        let names = cases.iter().map(|case| case.id.0.as_str());
        if let Some(note) = summary::made_again(names.zip(again)) {
            warn(&note);
        }
        say(&format!("{}{each}", summary::line(results.iter(), bad)));
    }

    fn surprises(&self, cases: &[&Case], results: &[CaseResult]) {
        let machine = self.stack.machine();
        let answers = cases
            .iter()
            .zip(results)
            .filter_map(|(case, result)| result.ran.as_ref().map(|ran| (*case, ran.body.as_str())));
        let most = surprises::most(answers, &machine.platform(), machine.captures());
        let Some(first) = most.first() else { return };
        let strong = print::STRONG;
        say(&format!("\n{strong}Most surprising on this machine{strong:#}"));
        for surprise in &most {
            say(&format!("  {}\n      {}", surprise.case.id, surprise.sentence));
        }
        say(&format!("  to see one: sockdiff show {}\n", first.case.id));
    }

    fn exit_of(&self, result: &CaseResult) -> Exit {
        match result.status {
            Status::Differs | Status::New | Status::Flaky => Exit::Differs,
            Status::Error => Exit::Error,
            _ if !self.args.require_all => Exit::AsRecorded,
            Status::Same if !result.stale => Exit::AsRecorded,
            _ => Exit::Incomplete,
        }
    }
}

/// Where a case comes from, as a person is told.
fn shown(case: &Case) -> String {
    line(&case.path.display().to_string())
}

/// A section as a ladder, under its title.
fn drawn(transcript: &Transcript, section: &Section) -> String {
    let title = render::title(transcript, section).map(|title| format!("== {}\n", line(&title)));
    let body = render::body(section);
    title.unwrap_or_default() + &render::ladder::ladder(&lines(&body))
}

/// What `git bisect run` understands: 0 as recorded, 1 differs, 125 anything else.
fn for_bisect(exit: Exit, results: &[CaseResult]) -> Exit {
    let answered = results.iter().all(|result| {
        matches!(result.status, Status::Same | Status::SameCallsOnly | Status::Differs)
    });
    match exit {
        Exit::AsRecorded | Exit::Differs if answered && !results.is_empty() => exit,
        _ => Exit::BisectSkip,
    }
}

fn same_by_folder<'a>(cases: &[&'a Case], results: &[CaseResult]) -> Vec<(&'a str, usize)> {
    let mut folders: Vec<(&str, usize)> = Vec::new();
    for (case, result) in cases.iter().zip(results) {
        if result.status != Status::Same {
            continue;
        }
        match folders.last_mut() {
            Some((folder, count)) if *folder == case.id.folder() => *count += 1,
            _ => folders.push((case.id.folder(), 1)),
        }
    }
    folders
}
