//! Error numbers to their POSIX names.

use super::dialect;
use crate::model::errno::Errno;

/// The name of an error number. Where two names share a number, the first of the table is told:
/// EAGAIN for EWOULDBLOCK.
pub fn name(raw: i32) -> Errno {
    let tables = COMMON.iter().chain(dialect::ERRNOS);
    let mut known = tables.filter(|(_, number)| *number == raw);
    known.next().map_or(Errno::unknown(raw), |(name, _)| Errno::named(name))
}

/// The error of the last system call of this thread.
pub fn last() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

macro_rules! numbers {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name)),*] };
}
pub(super) use numbers;

/// The names of `<errno.h>` that all Unixes have.
const COMMON: &[(&str, i32)] = numbers![
    E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EBADMSG EBUSY
    ECANCELED ECHILD ECONNABORTED ECONNREFUSED ECONNRESET EDEADLK EDESTADDRREQ EDOM EEXIST EFAULT
    EFBIG EHOSTUNREACH EIDRM EILSEQ EINPROGRESS EINTR EINVAL EIO EISCONN EISDIR ELOOP EMFILE
    EMLINK EMSGSIZE ENAMETOOLONG ENETDOWN ENETRESET ENETUNREACH ENFILE ENOBUFS ENODEV ENOENT
    ENOEXEC ENOLCK ENOMEM ENOMSG ENOPROTOOPT ENOSPC ENOSYS ENOTCONN ENOTDIR ENOTEMPTY ENOTSOCK
    EOPNOTSUPP ENOTSUP ENOTTY ENXIO EOVERFLOW EPERM EPIPE EPROTO EPROTONOSUPPORT EPROTOTYPE ERANGE
    EROFS ESOCKTNOSUPPORT ESPIPE ESRCH ESTALE ETIMEDOUT ETXTBSY EXDEV EHOSTDOWN EPFNOSUPPORT
    ESHUTDOWN ETOOMANYREFS EUSERS
];

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn one_number_with_two_names_tells_the_posix_one() {
        assert_eq!(name(libc::EWOULDBLOCK).name(), "EAGAIN");
        assert_eq!(name(libc::ECONNREFUSED).name(), "ECONNREFUSED");
        assert_eq!(name(9999).name(), "E#9999");
    }
}
