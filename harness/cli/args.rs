//! The command line.

use crate::model::{Name, Release};
use crate::report::claims::Verdict;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Records what this machine's network stack answers to the cases, and compares.
#[derive(Parser, Debug)]
#[command(name = "sockdiff", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Where cases and answers are.
    #[command(flatten)]
    pub places: Places,
}

/// Where cases and answers are.
#[derive(Args, Debug, Clone)]
pub struct Places {
    /// Folder of the cases (default: cases/ of the checkout around here, else the embedded ones)
    #[arg(long, global = true, value_name = "DIR")]
    pub cases: Option<PathBuf>,
    /// Folder of the recorded answers (default: expected/ beside the cases)
    #[arg(long, global = true, value_name = "DIR")]
    pub expected: Option<PathBuf>,
}

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Execute cases here and compare with what is recorded (the default verb)
    Run(Box<RunArgs>),
    /// List the cases, and whether they run here or why not
    List(ListArgs),
    /// Show a case: the question, its file, and every distinct answer
    Show(ShowArgs),
    /// Lay platforms, releases or result files side by side: same or different
    Compare(CompareArgs),
    /// Hold what somebody says against every recorded platform
    Claims(ClaimsArgs),
    /// Take result files into expected/
    Record(RecordArgs),
    /// Check cases, schema, expected files and ledgers
    Check(CheckArgs),
    /// Tell what this machine can do, and the one command that enables what is missing
    Doctor(DoctorArgs),
    /// Print the JSON schema of a case
    Schema,
}

/// Arguments of `run`.
#[derive(Args, Debug, Clone)]
pub struct RunArgs {
    /// Case ids, folders of cases, or files (`-`: a case on standard input); none: every case
    #[arg(value_name = "CASE|FILE|FOLDER")]
    pub which: Vec<String>,
    /// Only cases with this tag (again: any of them)
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Only cases of this topology
    #[arg(long, value_enum)]
    pub topology: Option<TopologyArg>,
    /// Cases that work at one time (default: one a CPU; waiting cases do not count)
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Run each case this often; a case that differs from itself is flaky
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub repeat: u32,
    /// Sleep a random time up to this many milliseconds between steps, also those of `given`
    #[arg(long, value_name = "MS", value_parser = millis)]
    pub jitter: Option<Duration>,
    /// Repeat the random times of an earlier run
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Write a result file: a folder, FILE.json or FILE.zip
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Write each case's packets to DIR/CASE.pcapng; a comment on each names its step
    #[arg(long, value_name = "DIR")]
    pub pcap: Option<PathBuf>,
    /// What to do with answers that are new or differ (default: new, under CI=true: no)
    #[arg(long, value_enum)]
    pub update: Option<Update>,
    /// The platform to compare with, instead of the one detected: rhel-9-5.14, gvisor-20240729
    #[arg(long, value_name = "ID-RELEASE", value_parser = platform)]
    pub platform: Option<String>,
    /// Where runs happen
    #[arg(long, value_enum, default_value_t = IsolationArg::Auto)]
    pub isolation: IsolationArg,
    /// The device of the wire
    #[arg(long, value_enum, default_value_t = WireArg::Auto)]
    pub wire: WireArg,
    /// Draw what happened as a ladder: of what is not as recorded, of every case, of none
    #[arg(long, value_enum, default_value_t = Ladder::Fail)]
    pub ladder: Ladder,
    /// `host`: leave the network settings as this machine has them; stores nothing
    #[arg(long, value_enum)]
    pub settings: Option<SettingsArg>,
    /// For `git bisect run`: 0 as recorded, 1 differs, 125 anything else
    #[arg(long)]
    pub bisect: bool,
    /// Exit with 3 if anything was skipped, stale or calls only
    #[arg(long)]
    pub require_all: bool,
    /// Write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `list`.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Case ids, folders of cases, or files; none: every case
    #[arg(value_name = "CASE|FILE|FOLDER")]
    pub which: Vec<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `show`.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The case's id, or a file
    pub case: String,
    /// Leave out the ladders
    #[arg(long)]
    pub no_ladder: bool,
}

/// What `compare --help` says at its end.
const COMPARE_HELP: &str = "\
Letters are classes of equal answers in the order of the columns: A is what the first column does.
Releases of one platform: the cases whose answer changed, and between which releases.
Two results of one release: what was added, changed and deleted.

Exit codes: 0 no difference, 1 differences, 2 bad usage or bad files, 4 a file cannot be read or
written. For `git bisect run` use `sockdiff run CASE --bisect`, which runs the case on the revision
at hand and says 125 where that revision tells nothing.";

/// Arguments of `compare`.
#[derive(Args, Debug)]
#[command(after_help = COMPARE_HELP)]
pub struct CompareArgs {
    /// Platforms (`linux`: its newest release), releases (`linux-6.12`), result files or folders of
    /// `run --out`; none: every recorded release
    #[arg(value_name = "PLATFORM|RESULT")]
    pub which: Vec<String>,
    /// Only these cases or folders of cases
    #[arg(long, value_name = "CASE|FOLDER")]
    pub case: Vec<String>,
    /// Leave out of the table what is the same everywhere
    #[arg(long)]
    pub only_differences: bool,
    /// Write one HTML page that needs no other file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// The address of a checkout's root, to which the page's links lead (default: beside the page)
    #[arg(
        long,
        value_name = "URL",
        requires = "html",
        default_value = "",
        hide_default_value = true
    )]
    pub base: String,
    /// Write Markdown (`-`: to stdout, instead of text)
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write everything that is compared as JSON (`-`: to stdout, instead of text)
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// In a GitHub workflow: write the step's summary, and annotate differing cases
    #[arg(long)]
    pub github: bool,
}

/// Arguments of `claims`.
#[derive(Args, Debug)]
pub struct ClaimsArgs {
    /// Case ids or folders of cases; none: every case
    #[arg(value_name = "CASE|FOLDER")]
    pub which: Vec<String>,
    /// Only this platform: ID or ID-RELEASE
    #[arg(long, value_name = "ID")]
    pub platform: Option<String>,
    /// Only claims whose source has this text, in whatever case; `articles`: those of the articles
    #[arg(long, value_name = "TEXT")]
    pub source: Option<String>,
    /// Only claims with this verdict on some platform (not-recorded: on all)
    #[arg(long, value_enum)]
    pub verdict: Option<VerdictArg>,
    /// Show the recorded lines on which each verdict rests
    #[arg(long)]
    pub evidence: bool,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// What a record says of a claim.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum VerdictArg {
    /// It happened as claimed
    Holds,
    /// It did not
    Refuted,
    /// Nobody has recorded it
    NotRecorded,
}

impl VerdictArg {
    /// The verdict itself.
    pub fn verdict(self) -> Verdict {
        match self {
            VerdictArg::Holds => Verdict::Holds,
            VerdictArg::Refuted => Verdict::Refuted,
            VerdictArg::NotRecorded => Verdict::NotRecorded,
        }
    }
}

/// Arguments of `record`.
#[derive(Args, Debug)]
pub struct RecordArgs {
    /// Result files or folders of `run --out`
    #[arg(value_name = "RESULT", required = true)]
    pub results: Vec<PathBuf>,
    /// Write the answers themselves instead of pending ones: whoever says this has reviewed them
    #[arg(long)]
    pub accept: bool,
}

/// Arguments of `check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `doctor`.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// What is at the far end.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum TopologyArg {
    /// Both ends are local sockets
    Loopback,
    /// The far end is the scripted peer
    Wire,
}

/// What to do with answers that are new or differ.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Update {
    /// Store them as pending, for `cargo insta review`
    New,
    /// Store them as accepted
    Always,
    /// Store nothing
    No,
}

/// Where runs happen.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum IsolationArg {
    /// A namespace for each run where that works, else shared
    Auto,
    /// A namespace for each run, or not at all
    Netns,
    /// The machine's own loopback
    Shared,
}

/// The device of the wire.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum WireArg {
    /// TUN, or veth where it cannot be opened
    Auto,
    /// TUN or nothing
    Tun,
    /// A veth pair or nothing
    Veth,
}

/// When to draw ladders.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ladder {
    /// For cases that are not as recorded
    Fail,
    /// For every case
    Always,
    /// Never
    Never,
}

/// Whose network settings.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum SettingsArg {
    /// This machine's own
    Host,
}

/// The longest random time between two steps in milliseconds.
const JITTER_MS_MAX: u64 = 60_000;

fn millis(text: &str) -> Result<Duration, String> {
    let ms = text.parse().ok().filter(|ms| *ms <= JITTER_MS_MAX);
    let expected = || format!("expected a number of milliseconds up to {JITTER_MS_MAX}: 60");
    ms.map(Duration::from_millis).ok_or_else(expected)
}

/// A platform's name becomes a file's name: nothing else may come through.
fn platform(text: &str) -> Result<String, String> {
    let known = text
        .rsplit_once('-')
        .is_some_and(|(id, release)| Name::is_valid(id) && Release::parse(release).is_some());
    let expected = || "expected a platform and its release: gvisor-20240729".to_owned();
    known.then(|| text.to_owned()).ok_or_else(expected)
}

/// Reads the command line; without a verb it is `run`.
pub fn parse(args: impl Iterator<Item = OsString>) -> Cli {
    Cli::parse_from(with_verb(args.collect()))
}

/// Puts `run` in front of arguments that name no verb.
fn with_verb(mut args: Vec<OsString>) -> Vec<OsString> {
    const KNOWN: [&str; 14] = [
        "run",
        "claims",
        "compare",
        "list",
        "show",
        "record",
        "check",
        "doctor",
        "schema",
        "help",
        "-h",
        "--help",
        "-V",
        "--version",
    ];
    let first = args.get(1).and_then(|arg| arg.to_str());
    if !first.is_some_and(|first| KNOWN.contains(&first)) {
        args.insert(1.min(args.len()), OsString::from("run"));
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Cli {
        let args = line.split(' ').map(OsString::from).collect();
        Cli::try_parse_from(with_verb(args)).unwrap()
    }

    #[test]
    fn run_is_the_default_verb() {
        for line in ["sockdiff", "sockdiff --tag slow", "sockdiff rst/close-unread-data"] {
            assert!(matches!(parsed(line).verb, Verb::Run(_)), "{line}");
        }
        assert!(matches!(parsed("sockdiff schema").verb, Verb::Schema));
    }

    #[test]
    fn places_may_stand_behind_the_verb() {
        let cli = parsed("sockdiff list --cases other");
        assert_eq!(cli.places.cases, Some(PathBuf::from("other")));
    }
}
