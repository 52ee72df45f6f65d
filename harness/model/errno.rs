//! Error numbers by their POSIX names, which are the same on every system.

use std::borrow::Cow;
use std::fmt;

/// An error as a transcript prints it: the POSIX name, whatever the system calls it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(Cow<'static, str>);

impl Errno {
    /// The error of this name.
    pub const fn named(name: &'static str) -> Errno {
        Errno(Cow::Borrowed(name))
    }

    /// An error whose name came from elsewhere (another process, a result file).
    pub fn from_text(name: &str) -> Errno {
        match KNOWN.iter().find(|known| **known == name) {
            Some(known) => Errno::named(known),
            None => Errno(Cow::Owned(name.to_owned())),
        }
    }

    /// A number that this harness has no name for.
    pub fn unknown(raw: i32) -> Errno {
        Errno(Cow::Owned(format!("E#{raw}")))
    }

    /// The name, `ECONNREFUSED`.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for Errno {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Errno {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Errno, D::Error> {
        Ok(Errno::from_text(&String::deserialize(deserializer)?))
    }
}

/// The names that socket calls return on some system: POSIX.1-2024 `<errno.h>` first, then those
/// that only some systems have. EWOULDBLOCK is told as EAGAIN.
pub const KNOWN: &[&str] = &[
    "E2BIG",
    "EACCES",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "EAFNOSUPPORT",
    "EAGAIN",
    "EALREADY",
    "EBADF",
    "EBADMSG",
    "EBUSY",
    "ECANCELED",
    "ECHILD",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EDEADLK",
    "EDESTADDRREQ",
    "EDOM",
    "EEXIST",
    "EFAULT",
    "EFBIG",
    "EHOSTUNREACH",
    "EIDRM",
    "EILSEQ",
    "EINPROGRESS",
    "EINTR",
    "EINVAL",
    "EIO",
    "EISCONN",
    "EISDIR",
    "ELOOP",
    "EMFILE",
    "EMLINK",
    "EMSGSIZE",
    "ENAMETOOLONG",
    "ENETDOWN",
    "ENETRESET",
    "ENETUNREACH",
    "ENFILE",
    "ENOBUFS",
    "ENODEV",
    "ENOENT",
    "ENOEXEC",
    "ENOLCK",
    "ENOMEM",
    "ENOMSG",
    "ENOPROTOOPT",
    "ENOSPC",
    "ENOSYS",
    "ENOTCONN",
    "ENOTDIR",
    "ENOTEMPTY",
    "ENOTSOCK",
    "ENOTSUP",
    "ENOTTY",
    "ENXIO",
    "EOPNOTSUPP",
    "EOVERFLOW",
    "EPERM",
    "EPIPE",
    "EPROTO",
    "EPROTONOSUPPORT",
    "EPROTOTYPE",
    "ERANGE",
    "EROFS",
    "ESOCKTNOSUPPORT",
    "ESPIPE",
    "ESRCH",
    "ESTALE",
    "ETIMEDOUT",
    "ETXTBSY",
    "EXDEV",
    "EHOSTDOWN",
    "ENONET",
    "EPFNOSUPPORT",
    "EREMOTEIO",
    "ESHUTDOWN",
    "ETOOMANYREFS",
    "EUSERS",
    "ENOTUNIQ",
    "ENOLINK",
    "ECOMM",
    "ECHRNG",
    "EKEYEXPIRED",
    "EKEYREJECTED",
];
