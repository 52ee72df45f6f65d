//! Floor 6: which cases there are, which of them run here, and how many at a time.

pub mod discover;
pub mod flaky;
pub mod outcome;
pub mod pool;
pub mod select;
pub mod session;
pub mod single;
pub mod slots;
pub mod trials;

pub use crate::snapshot::Status;
pub use discover::{Bad, Corpus, Found, Listing};
pub use outcome::{CaseResult, Judge};
pub use session::{Gathered, Session};
pub use single::{Ran, ran_here, why_skipped};
pub use slots::Slots;
