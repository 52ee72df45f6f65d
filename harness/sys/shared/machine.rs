//! What a machine is called: the header of its records.

use crate::model::capability::Lack;
use crate::model::platform::Release;
use crate::sys::Machine;
use std::collections::BTreeMap;

/// The machine, before it is known what it can do, under the platform and release key that were
/// detected, or those given in their place.
///
/// # Errors
/// The platform given has another form than `gvisor-20240729`.
pub fn machine(
    detected: (String, String),
    given: Option<&str>,
    kernel: String,
    arch: String,
) -> Result<Machine, Lack> {
    let (platform, release) = match given {
        None => detected,
        Some(given) => {
            let parts = given.rsplit_once('-').filter(|(platform, release)| {
                !platform.is_empty() && Release::parse(release).is_some()
            });
            let (platform, release) = parts.ok_or_else(|| {
                Lack::new(format!("`{given}` is no platform, expected gvisor-20240729"))
            })?;
            (platform.to_owned(), release.to_owned())
        }
    };
    Ok(Machine {
        platform,
        release,
        kernel,
        arch,
        capture: "none".to_owned(),
        wire: "none".to_owned(),
        isolation: "shared".to_owned(),
        settings: BTreeMap::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::machine;
    use rstest::rstest;

    #[rstest]
    #[case::gvisor("gvisor-20240729", Some(("gvisor", "20240729")))]
    #[case::rhel("rhel-9-427", Some(("rhel-9", "427")))]
    #[case::no_release("gvisor", None)]
    #[case::no_number("gvisor-new", None)]
    fn a_given_platform_is_taken_apart(
        #[case] given: &str,
        #[case] expected: Option<(&str, &str)>,
    ) {
        let detected = ("linux".to_owned(), "6.18".to_owned());
        let machine = machine(detected, Some(given), String::new(), String::new()).ok();
        let found = machine.map(|machine| (machine.platform, machine.release));
        let expected = expected.map(|(platform, key)| (platform.to_owned(), key.to_owned()));
        assert_eq!(found, expected);
    }
}
