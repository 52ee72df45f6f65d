//! Parts of the kernel that may be modules.

use super::netlink;
use crate::model::capability::Lack;
use crate::sys::unix::errno;
use std::path::Path;

/// Something is missing that comes with these modules. Not every kernel takes any: gVisor has none.
pub fn lack(reason: impl Into<String>, modules: &str) -> Lack {
    let lack = Lack::new(reason);
    match Path::new("/proc/modules").exists() {
        true => lack.remedy(format!("sudo modprobe {modules}")),
        false => lack,
    }
}

/// Whether the kernel has this netlink family, which comes with these modules.
///
/// # Errors
/// It has none of `what`.
pub fn has_netlink(family: i32, what: &str, modules: &str) -> Result<(), Lack> {
    netlink::open(family).map(drop).map_err(|error| {
        let error = errno::name(error.raw_os_error().unwrap_or(0));
        lack(format!("no {what} in this kernel: {error}"), modules)
    })
}
