//! Platforms and releases, and which expected file a release uses.

use std::cmp::Ordering;
use std::fmt;

/// A release as its numbers: `6.12`, `20240729`, `14.3`. A missing number is larger than any, so
/// that `6.1` stands for all of 6.1.x.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Release(pub Vec<u64>);

impl Release {
    /// Reads `6.12` or `6.1.55`; none if the text has any other form.
    pub fn parse(text: &str) -> Option<Release> {
        let numbers: Option<Vec<u64>> = text.split('.').map(|part| part.parse().ok()).collect();
        numbers.filter(|numbers| !numbers.is_empty()).map(Release)
    }

    /// The first `count` numbers: the key under which a platform's releases are recorded.
    #[must_use]
    pub fn key(&self, count: usize) -> Release {
        Release(self.0.iter().copied().take(count).collect())
    }
}

impl PartialOrd for Release {
    fn partial_cmp(&self, other: &Release) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Release {
    fn cmp(&self, other: &Release) -> Ordering {
        let longest = self.0.len().max(other.0.len());
        for i in 0..longest {
            let ours = self.0.get(i).copied().unwrap_or(u64::MAX);
            let theirs = other.0.get(i).copied().unwrap_or(u64::MAX);
            match ours.cmp(&theirs) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
        }
        Ordering::Equal
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

/// A platform's name (`linux`, `gvisor`, `rhel-9`) and the release that runs here.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Platform {
    /// `linux`, `macos`, `freebsd`, `windows`, `gvisor`, `wine`, or a vendor's own: `rhel-9`.
    pub id: String,
    /// The release key: `6.18`.
    pub release: Release,
}

impl fmt::Display for Platform {
    /// `linux-6.18`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.id, self.release)
    }
}
