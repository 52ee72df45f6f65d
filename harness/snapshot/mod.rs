//! Floor 5: expected files and the ledger. The only user of insta.

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
pub use pending::{Update, clear, keep, writing};
pub use plan::Change;
pub use record::{Recording, Refusal, Terms, today};
pub use results::{CaseResult, Origin, ResultFile, Status};
pub use store::{Answer, Expected, Store};
