//! placeholder
use super::{Exit, args::RecordArgs, workspace::Workspace};
pub fn record(_: &Workspace, _: &RecordArgs) -> Exit { Exit::Error }
