//! What this machine is called: the header of its records.

use crate::model::capability::Lack;
use crate::model::platform::Release;
use crate::sys::Machine;
use crate::sys::shared::machine;
use std::ffi::CStr;

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

    /// The machine, before it is known what it can do, under the platform and release key that
    /// were detected, or those given in their place.
    ///
    /// # Errors
    /// The platform given has another form than `gvisor-20240729`.
    pub fn machine(self, detected: (String, String), given: Option<&str>) -> Result<Machine, Lack> {
        machine(detected, given, self.release, self.arch)
    }
}

/// The numbers at the start: `6.18.44-cloud-amd64` begins with 6, 18, 44.
pub fn numbers(text: &str) -> Release {
    let end = text.find(|c: char| c != '.' && !c.is_ascii_digit());
    let text = &text[..end.unwrap_or(text.len())];
    Release(text.split('.').map_while(|part| part.parse().ok()).collect())
}
