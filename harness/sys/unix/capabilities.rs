//! Linux's capabilities(7), given up for good.

use std::io;

/// `struct __user_cap_header_struct` and `_LINUX_CAPABILITY_VERSION_3` of `<linux/capability.h>`.
#[repr(C)]
struct Header {
    version: u32,
    pid: libc::c_int,
}
const VERSION_3: u32 = 0x2008_0522;

/// Empties the sets of the calling thread: permitted, effective and inheritable, by which the
/// kernel empties the ambient one. The bounding set stays: it decides only what exec() may add.
/// Threads made by this one have none either.
///
/// # Errors
/// The system's error.
pub fn give_up() -> io::Result<()> {
    let header = Header { version: VERSION_3, pid: 0 };
    // Twice effective, permitted and inheritable: the low and the high bits.
    let none = [[0u32; 3]; 2];
    // SAFETY: the pointers are to a header and to the two sets that its version has.
    match unsafe { libc::syscall(libc::SYS_capset, &raw const header, &raw const none) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
