//! Winsock's error numbers to POSIX names. A number without a POSIX twin keeps its own name.

use crate::model::errno::Errno;
use windows_sys::Win32::Networking::WinSock as ws;

/// The name of an error number.
pub fn name(raw: i32) -> Errno {
    let known = NAMES.iter().find(|(_, number)| *number == raw);
    known.map_or(Errno::unknown(raw), |(name, _)| Errno::named(name))
}

/// The error of the last Winsock call of this thread.
pub fn last() -> i32 {
    // SAFETY: there is no pointer.
    unsafe { ws::WSAGetLastError() }
}

/// EAGAIN is the POSIX name of EWOULDBLOCK, which shares its number elsewhere.
const NAMES: &[(&str, i32)] = &[
    ("EINTR", ws::WSAEINTR),
    ("EBADF", ws::WSAEBADF),
    ("EACCES", ws::WSAEACCES),
    ("EFAULT", ws::WSAEFAULT),
    ("EINVAL", ws::WSAEINVAL),
    ("EMFILE", ws::WSAEMFILE),
    ("EAGAIN", ws::WSAEWOULDBLOCK),
    ("EINPROGRESS", ws::WSAEINPROGRESS),
    ("EALREADY", ws::WSAEALREADY),
    ("ENOTSOCK", ws::WSAENOTSOCK),
    ("EDESTADDRREQ", ws::WSAEDESTADDRREQ),
    ("EMSGSIZE", ws::WSAEMSGSIZE),
    ("EPROTOTYPE", ws::WSAEPROTOTYPE),
    ("ENOPROTOOPT", ws::WSAENOPROTOOPT),
    ("EPROTONOSUPPORT", ws::WSAEPROTONOSUPPORT),
    ("ESOCKTNOSUPPORT", ws::WSAESOCKTNOSUPPORT),
    ("EOPNOTSUPP", ws::WSAEOPNOTSUPP),
    ("EPFNOSUPPORT", ws::WSAEPFNOSUPPORT),
    ("EAFNOSUPPORT", ws::WSAEAFNOSUPPORT),
    ("EADDRINUSE", ws::WSAEADDRINUSE),
    ("EADDRNOTAVAIL", ws::WSAEADDRNOTAVAIL),
    ("ENETDOWN", ws::WSAENETDOWN),
    ("ENETUNREACH", ws::WSAENETUNREACH),
    ("ENETRESET", ws::WSAENETRESET),
    ("ECONNABORTED", ws::WSAECONNABORTED),
    ("ECONNRESET", ws::WSAECONNRESET),
    ("ENOBUFS", ws::WSAENOBUFS),
    ("EISCONN", ws::WSAEISCONN),
    ("ENOTCONN", ws::WSAENOTCONN),
    ("ESHUTDOWN", ws::WSAESHUTDOWN),
    ("ETOOMANYREFS", ws::WSAETOOMANYREFS),
    ("ETIMEDOUT", ws::WSAETIMEDOUT),
    ("ECONNREFUSED", ws::WSAECONNREFUSED),
    ("ELOOP", ws::WSAELOOP),
    ("ENAMETOOLONG", ws::WSAENAMETOOLONG),
    ("EHOSTDOWN", ws::WSAEHOSTDOWN),
    ("EHOSTUNREACH", ws::WSAEHOSTUNREACH),
    ("ENOTEMPTY", ws::WSAENOTEMPTY),
    ("WSAEPROCLIM", ws::WSAEPROCLIM),
    ("EUSERS", ws::WSAEUSERS),
    ("WSAEDQUOT", ws::WSAEDQUOT),
    ("ESTALE", ws::WSAESTALE),
    ("WSAEREMOTE", ws::WSAEREMOTE),
    ("WSASYSNOTREADY", ws::WSASYSNOTREADY),
    ("WSAVERNOTSUPPORTED", ws::WSAVERNOTSUPPORTED),
    ("WSANOTINITIALISED", ws::WSANOTINITIALISED),
    ("WSAEDISCON", ws::WSAEDISCON),
    ("ECANCELED", ws::WSAECANCELLED),
    ("WSA_E_CANCELLED", ws::WSA_E_CANCELLED),
    ("WSAEREFUSED", ws::WSAEREFUSED),
    ("WSA_INVALID_HANDLE", ws::WSA_INVALID_HANDLE),
    ("WSA_INVALID_PARAMETER", ws::WSA_INVALID_PARAMETER),
    ("WSA_NOT_ENOUGH_MEMORY", ws::WSA_NOT_ENOUGH_MEMORY),
    ("WSA_OPERATION_ABORTED", ws::WSA_OPERATION_ABORTED),
    ("WSA_IO_PENDING", ws::WSA_IO_PENDING),
];

#[cfg(test)]
mod tests {
    use super::name;
    use rstest::rstest;

    #[rstest]
    #[case::refused(10061, "ECONNREFUSED")]
    #[case::would_block(10035, "EAGAIN")]
    #[case::closed_descriptor(10038, "ENOTSOCK")]
    #[case::without_a_twin(6, "WSA_INVALID_HANDLE")]
    #[case::nameless(12345, "E#12345")]
    fn an_error_has_its_posix_name(#[case] raw: i32, #[case] expected: &str) {
        assert_eq!(name(raw).name(), expected);
    }
}
