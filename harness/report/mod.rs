//! Floor 5: records laid side by side, and held against what somebody says.

pub mod claims;
pub mod drift;
pub mod github;
pub mod html;
pub mod markdown;
pub mod matrix;
pub mod pcapng;
pub mod plain;
#[cfg(test)]
mod testing;
pub mod text;
