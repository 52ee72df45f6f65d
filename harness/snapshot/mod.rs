//! Floor 5: expected files and the ledger. The only user of insta.
//!
//! ```text
//! expected/<case>/linux.snap           what the newest recorded release of Linux answers
//! expected/<case>/linux-6.12.snap      what 6.12 was the last to answer
//! expected/ledger/linux-6.18.yaml      which questions 6.18 has really been asked
//! ```
//!
//! A [`Store`] is opened once. `run` holds a transcript against the answer that [`Store::find`]
//! finds ([`compare()`]), shows the [`Diff`], and [`keep`]s what is new or differs for review;
//! `run --out` writes a [`ResultFile`]. `record` plans with [`record::plan`] what such files change
//! and applies it; `check` reports [`Finding`]s. Nothing here knows a case but its name and the
//! hash of its question.
//!
//! - An expected file holds an answer and where it comes from, never an instruction.
//! - Nothing falls back from one platform to another.
//! - Every write is a rename of a finished file, made under the lock that [`writing`] hands out.

mod archive;
pub mod check;
pub mod compare;
pub mod diff;
pub mod error;
pub mod filename;
pub mod header;
pub mod ledger;
pub mod pending;
mod plan;
pub mod record;
pub mod results;
pub mod store;
#[cfg(test)]
mod testing;

pub use check::{Finding, check};
pub use compare::{Verdict, compare};
pub use diff::Diff;
pub use error::SnapshotError;
pub use filename::SnapName;
pub use header::{Header, fingerprint};
pub use ledger::{Ledger, Standing};
pub use pending::{Update, clear, keep, write_file, writing};
pub use plan::Change;
pub use record::{Recording, Refusal, Terms, today};
pub use results::{CaseResult, Origin, ResultFile, Status};
pub use store::{Answer, Expected, Store};
