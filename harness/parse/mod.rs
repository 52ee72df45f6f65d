//! Floor 1: YAML -> a [`Case`], and the schema of the language.

mod address;
mod args;
mod call;
mod claim;
mod error;
mod hash;
mod header;
mod language;
mod matrix;
mod node;
mod schema;
mod scope;
mod step;
mod tree;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_errors;

pub use error::CaseError;

use crate::model::{Case, CaseId};
use std::path::Path;

/// Reads a case.
///
/// # Errors
/// Says where the case is wrong, what was expected, and what was probably meant. Whatever the
/// bytes are, reading them ends soon and never panics.
pub fn parse_case(id: CaseId, path: &Path, bytes: &[u8]) -> Result<Case, CaseError> {
    let text = tree::check_bytes(bytes).map_err(|trouble| trouble.in_file(path))?;
    let root = tree::read(text).map_err(|trouble| trouble.in_file(path))?;
    header::read(&root, id, path)
        .map_err(|fault| tree::locate(text, fault.id, fault.message).in_file(path))
}

/// The JSON schema of a case, as `cases/case.schema.json` holds it.
pub fn schema() -> String {
    schema::text()
}
