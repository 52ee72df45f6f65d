//! The names of expected files: `linux.snap`, `linux-6.12.snap`, `rhel-9.snap`,
//! `rhel-9-5.14.snap`.

use crate::model::Release;
use std::collections::BTreeSet;
use std::fmt;

/// Platforms that need no record to be known as such.
const PLATFORMS: [&str; 6] = ["freebsd", "gvisor", "linux", "macos", "windows", "wine"];

/// The name of an expected file, taken apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SnapName {
    /// The platform whose answer it holds.
    pub platform: String,
    /// The last release that gave this answer; none: the newest one's answer, the plain name.
    pub upto: Option<Release>,
}

impl SnapName {
    /// The plain name of a platform.
    pub fn plain(platform: &str) -> SnapName {
        SnapName { platform: platform.to_owned(), upto: None }
    }

    /// The name of an older answer of a platform.
    pub fn older(platform: &str, upto: Release) -> SnapName {
        SnapName { platform: platform.to_owned(), upto: Some(upto) }
    }

    /// Reads a file name; none if no platform's file can be called that.
    ///
    /// A vendor's platform ends like a release (`rhel-9`), so a number behind the last dash is a
    /// release only if what precedes it is a platform: one of `known` or of the built-in ones, or a
    /// name that itself ends in a number. A number with a point is always a release.
    pub(super) fn parse(file: &str, known: &BTreeSet<String>) -> Option<SnapName> {
        let stem = file.strip_suffix(".snap")?;
        let older = stem.rsplit_once('-').and_then(|(platform, tail)| {
            let upto = release(tail)?;
            let is_platform = PLATFORMS.contains(&platform)
                || known.contains(platform)
                || ends_in_number(platform)
                || tail.contains('.');
            (is_platform && is_platform_id(platform)).then(|| SnapName::older(platform, upto))
        });
        if known.contains(stem) || older.is_none() {
            return is_platform_id(stem).then(|| SnapName::plain(stem));
        }
        older
    }

    /// The name without its extension: `linux-6.12`.
    pub fn stem(&self) -> String {
        match &self.upto {
            Some(upto) => format!("{}-{upto}", self.platform),
            None => self.platform.clone(),
        }
    }
}

impl fmt::Display for SnapName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.snap", self.stem())
    }
}

/// Whether a platform may be called that: lower-case words and numbers joined by dashes.
pub(super) fn is_platform_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(is_word)
}

/// Whether a case may be called that: such words, and slashes between folders.
pub(super) fn is_case_id(text: &str) -> bool {
    text.split('/').all(|part| part.split('-').all(is_word))
}

fn is_word(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    !text.is_empty() && text.bytes().all(plain)
}

/// A release in its one spelling: `6.12`, not `+6.012`.
pub(super) fn release(text: &str) -> Option<Release> {
    Release::parse(text).filter(|release| release.to_string() == text)
}

fn ends_in_number(platform: &str) -> bool {
    let tail = platform.rsplit_once('-').map(|(_, tail)| tail);
    tail.is_some_and(|tail| tail.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn known() -> BTreeSet<String> {
        BTreeSet::from(["rhel-9".to_owned(), "hermit".to_owned()])
    }

    #[rstest]
    #[case("linux.snap", "linux", None)]
    #[case("linux-6.12.snap", "linux", Some("6.12"))]
    #[case("linux-6.1.55.snap", "linux", Some("6.1.55"))]
    #[case("windows-26100.snap", "windows", Some("26100"))]
    #[case("rhel-9.snap", "rhel-9", None)]
    #[case("rhel-9-5.14.snap", "rhel-9", Some("5.14"))]
    #[case("rhel-8.snap", "rhel-8", None)]
    #[case("amzn-2023-6.snap", "amzn-2023", Some("6"))]
    #[case("hermit-3.snap", "hermit", Some("3"))]
    #[case("unheard-3.snap", "unheard-3", None)]
    #[case("unheard-3.1.snap", "unheard", Some("3.1"))]
    fn name_is_read(#[case] file: &str, #[case] platform: &str, #[case] upto: Option<&str>) {
        let name = SnapName::parse(file, &known()).expect("a name");
        assert_eq!(name.platform, platform);
        assert_eq!(name.upto.as_ref().map(Release::to_string).as_deref(), upto);
        assert_eq!(name.to_string(), file);
    }

    #[rstest]
    #[case("Linux.snap")]
    #[case("linux.snap.new")]
    #[case("linux-.snap")]
    #[case("linux-6.x.snap")]
    #[case("linux-06.12.snap")]
    #[case("linux--6.12.snap")]
    #[case("9.snap")]
    #[case(".snap")]
    #[case("notes.txt")]
    fn name_is_refused(#[case] file: &str) {
        assert_eq!(SnapName::parse(file, &known()), None);
    }

    /// Numbers compare one by one, and a missing one is larger than any.
    #[rstest]
    #[case("6.1.55", "6.1")]
    #[case("6.1", "6.2.1")]
    #[case("6.9", "6.12")]
    #[case("5.19", "6")]
    #[case("6.99", "6")]
    #[case("20221219", "20240729")]
    fn releases_are_ordered(#[case] lower: &str, #[case] higher: &str) {
        let lower = Release::parse(lower).expect("a release");
        let higher = Release::parse(higher).expect("a release");
        assert!(lower < higher);
        assert!(higher > lower);
    }

    #[rstest]
    #[case("rst/close-unread-data", true)]
    #[case("smoke", true)]
    #[case("rst/../etc", false)]
    #[case("/etc", false)]
    #[case("rst/", false)]
    #[case("Rst/a", false)]
    #[case("rst/a\u{7}", false)]
    fn case_ids(#[case] id: &str, #[case] good: bool) {
        assert_eq!(is_case_id(id), good);
    }
}
