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
    vec![Finding::bad("back end", LACK)]
}

/// Nothing runs that would have to be cleaned up.
pub fn on_interrupt(_: impl FnOnce() + Send + 'static) {}
