//! What this machine is called: platform, release, kernel.

use crate::model::capability::Lack;
use crate::model::platform::Release;
use crate::sys::Machine;
use std::collections::BTreeMap;
use std::ffi::CStr;

/// How many numbers of a kernel's version make the key of its records: `6.18`.
const RELEASE_NUMBERS: usize = 2;

/// gVisor tells this build date whatever its version is.
const GVISOR_BUILD: &str = "#1 SMP Sun Jan 10 15:06:54 PST 2016";

/// What `uname` tells.
#[derive(Clone, Debug, Default)]
pub struct Uname {
    /// `6.18.44-cloud-amd64`
    pub release: String,
    /// `#1 SMP PREEMPT_DYNAMIC …`
    pub version: String,
    /// `x86_64`
    pub arch: String,
}

impl Uname {
    /// Asks the kernel.
    pub fn ask() -> Uname {
        // SAFETY: all zeroes is a valid utsname, and the pointer is to it.
        let told = unsafe {
            let mut told: libc::utsname = std::mem::zeroed();
            libc::uname(&raw mut told);
            told
        };
        let text = |field: &[libc::c_char]| {
            let bytes: Vec<u8> = field.iter().map(|c| *c as u8).collect();
            let text = CStr::from_bytes_until_nul(&bytes).unwrap_or_default();
            text.to_string_lossy().into_owned()
        };
        Uname {
            release: text(&told.release),
            version: text(&told.version),
            arch: text(&told.machine),
        }
    }

    /// Whether the kernel is gVisor, which calls itself Linux.
    pub fn is_gvisor(&self) -> bool {
        self.release.contains("gvisor") || self.version == GVISOR_BUILD
    }

    /// Platform and release key. A vendor's kernel with backports is a platform of its own, whose
    /// releases are told apart by the build.
    fn platform(&self) -> (String, String) {
        if self.is_gvisor() {
            // Its version cannot be read inside; `--platform` tells it.
            return ("gvisor".to_owned(), "unknown".to_owned());
        }
        if let Some((_, vendor)) = self.release.split_once(".el") {
            let major: String = vendor.chars().take_while(char::is_ascii_digit).collect();
            let build = self.release.split_once('-').map_or("", |(_, build)| build);
            return (format!("rhel-{major}"), numbers(build).key(1).to_string());
        }
        let release = numbers(&self.release).key(RELEASE_NUMBERS);
        ("linux".to_owned(), release.to_string())
    }

    /// The machine, before it is known what it can do.
    ///
    /// # Errors
    /// The platform given in place of the detected one has another form than `gvisor-20240729`.
    pub fn machine(self, given: Option<&str>) -> Result<Machine, Lack> {
        let (platform, release) = match given {
            None => self.platform(),
            Some(given) => {
                let parts = given.rsplit_once('-').filter(|(platform, release)| {
                    !platform.is_empty() && Release::parse(release).is_some()
                });
                let (platform, release) = parts.ok_or_else(|| {
                    Lack::new(format!(
                        "`{given}` is no platform, expected gvisor-20240729"
                    ))
                })?;
                (platform.to_owned(), release.to_owned())
            }
        };
        Ok(Machine {
            platform,
            release,
            kernel: self.release,
            arch: self.arch,
            capture: "none".to_owned(),
            wire: "none".to_owned(),
            isolation: "shared".to_owned(),
            settings: BTreeMap::new(),
        })
    }
}

/// The numbers at the start: `6.18.44-cloud-amd64` begins with 6, 18, 44.
fn numbers(text: &str) -> Release {
    let end = text.find(|c: char| c != '.' && !c.is_ascii_digit());
    let text = &text[..end.unwrap_or(text.len())];
    Release(
        text.split('.')
            .map_while(|part| part.parse().ok())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::Uname;
    use rstest::rstest;

    #[rstest]
    #[case::debian("6.18.44-cloud-amd64", "linux", "6.18")]
    #[case::candidate("7.0.0-rc3", "linux", "7.0")]
    #[case::plus("6.12.9+", "linux", "6.12")]
    #[case::rhel("5.14.0-427.13.1.el9_4.x86_64", "rhel-9", "427")]
    #[case::gvisor("4.19.0-gvisor", "gvisor", "unknown")]
    fn release_names_the_platform(
        #[case] release: &str,
        #[case] platform: &str,
        #[case] key: &str,
    ) {
        let uname = Uname {
            release: release.to_owned(),
            ..Uname::default()
        };
        let machine = uname.machine(None).unwrap();
        assert_eq!(
            (machine.platform.as_str(), machine.release.as_str()),
            (platform, key)
        );
    }

    #[rstest]
    #[case::gvisor("gvisor-20240729", Some(("gvisor", "20240729")))]
    #[case::rhel("rhel-9-427", Some(("rhel-9", "427")))]
    #[case::no_release("gvisor", None)]
    #[case::no_number("gvisor-new", None)]
    fn a_given_platform_is_taken_apart(
        #[case] given: &str,
        #[case] expected: Option<(&str, &str)>,
    ) {
        let machine = Uname::default().machine(Some(given)).ok();
        let found = machine.map(|machine| (machine.platform, machine.release));
        let expected = expected.map(|(platform, key)| (platform.to_owned(), key.to_owned()));
        assert_eq!(found, expected);
    }
}
