//! Floor 3: makes the steps of a case, one after another, on a [`crate::sys::Ground`], and keeps a
//! log of what it saw.

pub mod log;
