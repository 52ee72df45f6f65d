//! Flags that come with a new descriptor: `accept4(2)`, and the type of `socket(2)`.

use libc::{c_int, sockaddr, socklen_t};

/// The bit of `socket(2)`'s type that asks for O_NONBLOCK; none where there is no such bit.
pub const SOCK_NONBLOCK: Option<c_int> = Some(libc::SOCK_NONBLOCK);

/// `accept4(2)`'s flags.
pub const ACCEPT_FLAGS: &[(&str, c_int)] =
    &[("SOCK_NONBLOCK", libc::SOCK_NONBLOCK), ("SOCK_CLOEXEC", libc::SOCK_CLOEXEC)];

/// `accept4(2)`.
///
/// # Safety
/// As for `accept(2)`: the pointers are null, to a storage and its length, or bad on purpose.
pub unsafe fn accept4(
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { libc::accept4(fd, address, len, flags) }
}
