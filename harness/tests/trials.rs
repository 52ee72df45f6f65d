//! Tests that say beforehand what they lack: such a test is reported as ignored, with its reason,
//! and never as passed.

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

/// A name, what it lacks here, and the test itself, which panics when it fails.
pub type Test = (&'static str, Option<String>, fn());

/// Runs the tests that can be run here.
pub fn run(tests: Vec<Test>) -> ExitCode {
    let trial = |(name, lack, test): Test| match lack {
        Some(lack) => Trial::test(name, || Ok(()))
            .with_kind(format!("skipped: {lack}"))
            .with_ignored_flag(true),
        None => Trial::test(name, move || {
            test();
            Ok(())
        }),
    };
    let trials = tests.into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// What is missing of these programs, as a reason.
pub fn without(tools: &[(&str, &str)]) -> Option<String> {
    let missing = tools.iter().find(|(tool, _)| which::which(tool).is_err());
    missing.map(|(tool, package)| format!("it needs {tool} (apt-get install {package})"))
}
