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

#[cfg(test)]
mod tests {
    use super::give_up;
    use std::fs::read_to_string;

    fn effective() -> String {
        let status = read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("CapEff:")).unwrap();
        line.trim_start_matches("CapEff:").trim().to_owned()
    }

    #[test]
    fn only_the_thread_that_gives_up_has_none() {
        let before = effective();
        let here = std::thread::spawn(|| {
            give_up().unwrap();
            (effective(), std::thread::spawn(effective).join().unwrap())
        });
        let none = "0".repeat(16);
        assert_eq!(here.join().unwrap(), (none.clone(), none));
        assert_eq!(effective(), before);
    }
}
