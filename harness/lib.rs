//! sockdiff records what an operating system's network stack really does.
//!
//! A YAML case describes a sequence of socket calls; the harness makes them on the local system
//! and writes down every call's result and every packet's flags, so that the record can be kept,
//! reviewed and compared. The floors, each importing only from those below it:
//!
//! ```text
//!   cli/       the verbs, in main.rs's process
//!   suite/     6  which cases run here, and how many at a time
//!   report/    5  records laid side by side
//!   snapshot/  5  expected files and the ledger
//!   record/    4  what a run saw  ->  a transcript
//!   run/       3  the steps of a case, made one after another
//!   sys/       2  the operating system: sockets, namespaces, capture
//!   parse/     1  YAML  ->  a case
//!   wire/      1  bytes  ->  packets
//!   render/    1  a transcript  ->  text
//!   model/     0  plain data
//! ```

pub mod cli;
pub mod model;
pub mod parse;
pub mod record;
pub mod render;
pub mod report;
pub mod run;
pub mod snapshot;
pub mod suite;
pub mod sys;
pub mod wire;
