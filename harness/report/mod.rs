//! Floor 5: records laid side by side, and held against what somebody says.

pub mod claims;
pub mod html;
pub mod matrix;
pub mod pcapng;
