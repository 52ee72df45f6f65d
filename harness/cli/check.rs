//! placeholder
use super::{Exit, args::CheckArgs, workspace::Workspace};
pub fn check(_: &Workspace, _: &CheckArgs) -> Exit { Exit::Error }
