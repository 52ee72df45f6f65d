//! A system whose back end is not written yet: it says so, and everything else compiles.

use super::{Finding, LocalOptions, Stack};
use crate::model::capability::Lack;

const LACK: &str = "the back end for this system is not written yet";

/// What was found at the start of the process: nothing.
#[derive(Clone, Debug)]
pub struct Prepared;

/// The first thing in `main`.
pub fn prepare() -> Prepared {
    Prepared
}

/// The CPUs to run on.
pub fn cpus() -> Vec<usize> {
    vec![0]
}

/// There is no local stack.
///
/// # Errors
/// Always.
pub fn local(_: &Prepared, _: &LocalOptions) -> Result<Box<dyn Stack>, Lack> {
    Err(Lack::new(LACK))
}

/// One finding: that there is no back end.
pub fn doctor(_: &Prepared) -> Vec<Finding> {
    vec![Finding { what: "back end".to_owned(), found: LACK.to_owned(), good: false, remedy: None }]
}

/// Sets environment variables for the libraries of a test binary. Call it after [`prepare`] and
/// before anything starts a thread.
pub fn set_env_before_threads(variables: &[(&str, &str)]) {
    for (name, value) in variables {
        // SAFETY: the caller has not started a thread yet; on Windows there is nothing to fear
        // from one.
        unsafe { std::env::set_var(name, value) };
    }
}

/// Nothing runs that would have to be cleaned up.
pub fn on_interrupt(_: impl FnOnce() + Send + 'static) {}
