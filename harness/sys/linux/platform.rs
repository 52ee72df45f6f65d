//! Which platform a kernel is that calls itself Linux.

use crate::sys::unix::machine::{Uname, numbers};

/// How many numbers of a kernel's version make the key of its records: `6.18`.
const RELEASE_NUMBERS: usize = 2;

/// gVisor tells this build date whatever its version is.
const GVISOR_BUILD: &str = "#1 SMP Sun Jan 10 15:06:54 PST 2016";

/// Whether the kernel is gVisor.
pub fn is_gvisor(uname: &Uname) -> bool {
    uname.release.contains("gvisor") || uname.version == GVISOR_BUILD
}

/// Platform and release key. A vendor's kernel with backports is a platform of its own, whose
/// releases are told apart by the build.
pub fn detect(uname: &Uname) -> (String, String) {
    if is_gvisor(uname) {
        // Its version cannot be read inside; `--platform` tells it.
        return ("gvisor".to_owned(), "unknown".to_owned());
    }
    if let Some((_, vendor)) = uname.release.split_once(".el") {
        let major: String = vendor.chars().take_while(char::is_ascii_digit).collect();
        let build = uname.release.split_once('-').map_or("", |(_, build)| build);
        return (format!("rhel-{major}"), numbers(build).key(1).to_string());
    }
    let release = numbers(&uname.release).key(RELEASE_NUMBERS);
    ("linux".to_owned(), release.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Uname, detect};
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
        let uname = Uname { release: release.to_owned(), ..Uname::default() };
        assert_eq!(detect(&uname), (platform.to_owned(), key.to_owned()));
    }
}
