//! The verbs. Everything that prints is here.

mod args;
mod check;
mod claims;
mod compare;
mod doctor;
mod list;
mod print;
mod record;
mod run;
mod show;
mod summary;
mod surprises;
mod table;
mod workspace;

use crate::sys::Prepared;
use args::{Cli, Verb};
use std::process::ExitCode;
use workspace::Workspace;

/// How an invocation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Exit {
    /// As recorded, or there was nothing to compare.
    AsRecorded,
    /// Something differs, is new or flaky.
    Differs,
    /// The command line or a case is wrong.
    Usage,
    /// With `--require-all`: something was skipped, stale or calls only.
    Incomplete,
    /// The harness or the machine is at fault.
    Error,
    /// For `git bisect run`: this revision says nothing.
    BisectSkip,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Exit::AsRecorded => 0,
            Exit::Differs => 1,
            Exit::Usage => 2,
            Exit::Incomplete => 3,
            Exit::Error => 4,
            Exit::BisectSkip => 125,
        }
    }

    /// Of two ends the one that is told: 2, then 4, 1, 3, 0.
    fn and(self, other: Exit) -> Exit {
        let rank = |exit: Exit| match exit {
            Exit::AsRecorded => 0,
            Exit::Incomplete => 1,
            Exit::Differs => 2,
            Exit::Error => 3,
            Exit::Usage => 4,
            Exit::BisectSkip => 5,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// Runs the program.
pub fn main(prepared: Prepared) -> ExitCode {
    let Cli { verb, places } = args::parse(std::env::args_os());
    let workspace = Workspace::find(&places);
    let exit = match verb {
        Verb::Run(args) => run::run(&prepared, &workspace, &args),
        Verb::List(args) => list::list(&prepared, &workspace, &args),
        Verb::Show(args) => show::show(&workspace, &args),
        Verb::Claims(args) => claims::claims(&workspace, &args),
        Verb::Compare(args) => compare::compare(&workspace, &args),
        Verb::Record(args) => record::record(&workspace, &args),
        Verb::Check(args) => check::check(&workspace, &args),
        Verb::Doctor(args) => doctor::doctor(&prepared, &args),
        Verb::Schema => {
            print::say(crate::parse::schema().trim_end());
            Exit::AsRecorded
        }
    };
    ExitCode::from(exit.code())
}

#[cfg(test)]
mod tests {
    use super::Exit;
    use rstest::rstest;

    #[rstest]
    #[case(Exit::AsRecorded, Exit::Incomplete, 3)]
    #[case(Exit::Incomplete, Exit::Differs, 1)]
    #[case(Exit::Differs, Exit::Error, 4)]
    #[case(Exit::Error, Exit::Usage, 2)]
    fn highest_of_2_4_1_3_wins(#[case] a: Exit, #[case] b: Exit, #[case] code: u8) {
        assert_eq!(a.and(b).code(), code);
        assert_eq!(b.and(a).code(), code);
    }
}
