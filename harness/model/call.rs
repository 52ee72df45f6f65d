//! Socket calls as a case writes them: names instead of descriptors, expressions instead of
//! addresses.

use super::address::AddrExpr;
use super::name::Name;
use super::option::{OptionRef, OptionValue};
use std::time::Duration;

/// A call, with the arguments that are wrong on purpose.
#[derive(Clone, PartialEq, Debug)]
pub struct CallSpec {
    /// The call.
    pub call: Call,
    /// Arguments that replace the right ones.
    pub bad: BadArgs,
}

/// Arguments in place of the usual ones, for the cases that ask about them. (A bad address is
/// [`super::AddrBase::Bad`].)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BadArgs {
    /// This descriptor number instead of the socket's.
    pub fd: Option<i64>,
    /// This address length instead of the right one.
    pub addrlen: Option<i32>,
    /// The address length that the call tells is part of the record.
    pub addrlen_told: bool,
    /// An unmapped address instead of a buffer.
    pub buf: bool,
    /// The data is in so many buffers instead of one.
    pub iov: Option<u32>,
    /// Flags by number, or-ed to those with a name.
    pub flags: u32,
}

/// A socket call. Verbs are POSIX names; each is documented by its manual page.
#[derive(Clone, PartialEq, Debug)]
pub enum Call {
    /// `socket(2)`: makes the subject.
    Socket(SocketSpec),
    /// `bind(2)`.
    Bind(AddrExpr),
    /// `connect(2)`.
    Connect(AddrExpr),
    /// `listen(2)` with a backlog.
    Listen(i32),
    /// `accept(2)`, or `accept4(2)` when it has flags: makes the socket `name`.
    Accept {
        /// The new socket.
        name: Name,
        /// `SOCK_NONBLOCK`, `SOCK_CLOEXEC`.
        flags: Vec<&'static str>,
        /// The far end's address is part of the record.
        show_address: bool,
    },
    /// `close(2)`; `closesocket` on Windows.
    Close,
    /// `dup(2)`: makes the socket `name`.
    Dup(Name),
    /// `fcntl(2)`.
    Fcntl(FcntlOp),
    /// The calls that send.
    Send {
        /// Which of them.
        form: SendForm,
        /// What.
        payload: Payload,
        /// `MSG_DONTWAIT` …
        flags: Vec<&'static str>,
        /// Where to.
        to: Option<AddrExpr>,
        /// Descriptors that go along (SCM_RIGHTS).
        fds: Box<[Name]>,
    },
    /// The calls that receive.
    Recv {
        /// Which of them.
        form: RecvForm,
        /// Size of the buffer in bytes.
        len: usize,
        /// `MSG_PEEK` …
        flags: Vec<&'static str>,
        /// The data itself is part of the record, not only its length.
        show_data: bool,
        /// Control messages are part of the record.
        show_control: bool,
        /// Names for the descriptors that come along, and room for exactly so many; none: the room
        /// that there always is, and no names.
        fds: Option<Box<[Name]>>,
    },
    /// `setsockopt(2)`.
    Setsockopt {
        /// The option.
        option: OptionRef,
        /// Its value.
        value: OptionValue,
    },
    /// `getsockopt(2)`.
    Getsockopt {
        /// The option.
        option: OptionRef,
        /// Fields of TCP_INFO that are part of the record, beside the state.
        fields: Vec<&'static str>,
    },
    /// `getsockname(2)`.
    Getsockname,
    /// `getpeername(2)`.
    Getpeername,
    /// `shutdown(2)`.
    Shutdown(How),
    /// `poll(2)`; `WSAPoll` on Windows.
    Poll {
        /// `POLLIN` …; empty: POLLIN and POLLOUT, and none of them is printed.
        events: Vec<&'static str>,
        /// How long to wait; none: not at all, and it is not printed.
        timeout: Option<Duration>,
    },
    /// `select(2)` on the subject alone, asking for all three sets.
    Select {
        /// How long to wait; none: not at all.
        timeout: Option<Duration>,
    },
    /// `epoll_create1(2)`: makes the subject.
    EpollCreate,
    /// `epoll_ctl(2)` on the subject.
    EpollCtl {
        /// What to do.
        op: EpollOp,
        /// About which socket.
        target: Name,
        /// `EPOLLIN` …
        events: Vec<&'static str>,
    },
    /// `epoll_wait(2)` on the subject.
    EpollWait {
        /// How long to wait; none: not at all.
        timeout: Option<Duration>,
    },
    /// `chmod(2)` of the path that the socket is bound to.
    Chmod(u32),
    /// `ioctl(2)`: `FIONREAD`, `SIOCATMARK`, `SIOCOUTQ`.
    Ioctl(&'static str),
}

/// What `socket` makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SocketSpec {
    /// The short word (`tcp`, `udp`, `unix-stream`, …), if the case used one.
    pub word: Option<&'static str>,
    /// The address family.
    pub domain: Domain,
    /// `SOCK_STREAM` …
    pub kind: Kind,
    /// The protocol number, 0 for the default.
    pub protocol: i32,
    /// O_NONBLOCK from the start.
    pub nonblock: bool,
}

/// An address family.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Domain {
    /// AF_INET or AF_INET6, whichever the run is about.
    OfRun,
    /// AF_INET.
    Inet,
    /// AF_INET6.
    Inet6,
    /// AF_UNIX.
    Unix,
    /// Any other, by number.
    Number(i32),
}

/// A socket type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    /// SOCK_STREAM
    Stream,
    /// SOCK_DGRAM
    Dgram,
    /// SOCK_SEQPACKET
    Seqpacket,
    /// SOCK_RAW
    Raw,
    /// Any other, by number.
    Number(i32),
}

/// What a sending call sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payload {
    /// That many bytes of a fixed pattern.
    Len(usize),
    /// This text.
    Text(String),
    /// These bytes: of the packets of a scripted peer only.
    Raw(Vec<u8>),
}

impl Payload {
    /// Its length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Payload::Len(len) => *len,
            Payload::Text(text) => text.len(),
            Payload::Raw(bytes) => bytes.len(),
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes: a pattern whose period (251, a prime) shows a shifted buffer.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Payload::Len(len) => (0..*len).map(|i| (i % 251) as u8).collect(),
            Payload::Text(text) => text.clone().into_bytes(),
            Payload::Raw(bytes) => bytes.clone(),
        }
    }
}

/// The calls that send.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the names are the calls'")]
pub enum SendForm {
    Send,
    Sendto,
    Sendmsg,
    Write,
    Writev,
    Sendfile,
}

impl SendForm {
    /// Every form with its verb.
    pub const ALL: [(SendForm, &'static str); 6] = [
        (SendForm::Send, "send"),
        (SendForm::Sendto, "sendto"),
        (SendForm::Sendmsg, "sendmsg"),
        (SendForm::Write, "write"),
        (SendForm::Writev, "writev"),
        (SendForm::Sendfile, "sendfile"),
    ];
}

/// The calls that receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the names are the calls'")]
pub enum RecvForm {
    Recv,
    Recvfrom,
    Recvmsg,
    Read,
    Readv,
}

impl RecvForm {
    /// Every form with its verb.
    pub const ALL: [(RecvForm, &'static str); 5] = [
        (RecvForm::Recv, "recv"),
        (RecvForm::Recvfrom, "recvfrom"),
        (RecvForm::Recvmsg, "recvmsg"),
        (RecvForm::Read, "read"),
        (RecvForm::Readv, "readv"),
    ];
}

/// The argument of `shutdown`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "SHUT_RD, SHUT_WR, SHUT_RDWR, or a number that is none of them")]
pub enum How {
    Rd,
    Wr,
    Rdwr,
    Number(i32),
}

/// What `fcntl` does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum FcntlOp {
    /// F_SETFL with O_NONBLOCK added (ioctlsocket FIONBIO on Windows).
    SetNonblock,
    /// F_SETFL with O_NONBLOCK taken away.
    ClearNonblock,
    /// F_GETFL: of the flags, `O_NONBLOCK` or 0 is told.
    GetFl,
    /// F_GETFD: `FD_CLOEXEC` or 0.
    GetFd,
}

impl FcntlOp {
    /// Every operation with the word that a case writes and a transcript prints.
    pub const ALL: [(FcntlOp, &'static str); 4] = [
        (FcntlOp::SetNonblock, "O_NONBLOCK"),
        (FcntlOp::ClearNonblock, "~O_NONBLOCK"),
        (FcntlOp::GetFl, "F_GETFL"),
        (FcntlOp::GetFd, "F_GETFD"),
    ];
}

/// What `epoll_ctl` does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum EpollOp {
    /// EPOLL_CTL_ADD
    Add,
    /// EPOLL_CTL_MOD
    Mod,
    /// EPOLL_CTL_DEL
    Del,
}

impl EpollOp {
    /// Every operation with its word.
    pub const ALL: [(EpollOp, &'static str); 3] =
        [(EpollOp::Add, "add"), (EpollOp::Mod, "mod"), (EpollOp::Del, "del")];
}

/// Flags of the sending and receiving calls.
pub const MSG_FLAGS: &[&str] = &[
    "MSG_OOB",
    "MSG_PEEK",
    "MSG_DONTROUTE",
    "MSG_WAITALL",
    "MSG_DONTWAIT",
    "MSG_NOSIGNAL",
    "MSG_TRUNC",
    "MSG_MORE",
    "MSG_ERRQUEUE",
    "MSG_EOR",
    "MSG_CONFIRM",
    "MSG_FASTOPEN",
    "MSG_ZEROCOPY",
    "MSG_CMSG_CLOEXEC",
    "MSG_EOF",
];

/// Flags of `accept4`.
pub const ACCEPT_FLAGS: &[&str] = &["SOCK_NONBLOCK", "SOCK_CLOEXEC"];

/// Events of `poll`, in the order in which they are printed.
pub const POLL_EVENTS: &[&str] = &[
    "POLLIN",
    "POLLPRI",
    "POLLOUT",
    "POLLRDNORM",
    "POLLRDBAND",
    "POLLWRNORM",
    "POLLWRBAND",
    "POLLERR",
    "POLLHUP",
    "POLLNVAL",
    "POLLRDHUP",
];

/// Events and input flags of `epoll`, in the order in which they are printed.
pub const EPOLL_EVENTS: &[&str] = &[
    "EPOLLIN",
    "EPOLLPRI",
    "EPOLLOUT",
    "EPOLLRDNORM",
    "EPOLLRDBAND",
    "EPOLLWRNORM",
    "EPOLLWRBAND",
    "EPOLLERR",
    "EPOLLHUP",
    "EPOLLRDHUP",
    "EPOLLEXCLUSIVE",
    "EPOLLONESHOT",
    "EPOLLET",
];

/// Requests of `ioctl`.
pub const IOCTLS: &[&str] = &["FIONREAD", "SIOCATMARK", "SIOCOUTQ"];

/// Signals that a case may send to its processes.
pub const SIGNALS: &[&str] = &[
    "SIGKILL", "SIGTERM", "SIGSEGV", "SIGINT", "SIGABRT", "SIGHUP", "SIGQUIT", "SIGSTOP", "SIGCONT",
];

/// Those of [`SIGNALS`] that are an end of a process also where there are no signals.
pub const SIGNALS_THAT_END: &[&str] = &["SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT"];

impl Call {
    /// The verb that a case writes and a transcript prints.
    pub fn verb(&self) -> &'static str {
        match self {
            Call::Socket(_) => "socket",
            Call::Bind(_) => "bind",
            Call::Connect(_) => "connect",
            Call::Listen(_) => "listen",
            Call::Accept { .. } => "accept",
            Call::Close => "close",
            Call::Dup(_) => "dup",
            Call::Fcntl(_) => "fcntl",
            Call::Send { form, .. } => word_of(&SendForm::ALL, *form),
            Call::Recv { form, .. } => word_of(&RecvForm::ALL, *form),
            Call::Setsockopt { .. } => "setsockopt",
            Call::Getsockopt { .. } => "getsockopt",
            Call::Getsockname => "getsockname",
            Call::Getpeername => "getpeername",
            Call::Shutdown(_) => "shutdown",
            Call::Poll { .. } => "poll",
            Call::Select { .. } => "select",
            Call::EpollCreate => "epoll_create",
            Call::EpollCtl { .. } => "epoll_ctl",
            Call::EpollWait { .. } => "epoll_wait",
            Call::Chmod(_) => "chmod",
            Call::Ioctl(_) => "ioctl",
        }
    }

    /// The socket that the call makes when it succeeds, besides its subject.
    pub fn makes(&self) -> Option<&Name> {
        match self {
            Call::Accept { name, .. } | Call::Dup(name) => Some(name),
            _ => None,
        }
    }

    /// The sockets that may come along with what the call receives.
    pub fn brings(&self) -> &[Name] {
        match self {
            Call::Recv { fds: Some(names), .. } => names,
            _ => &[],
        }
    }

    /// Whether the call makes its own subject.
    pub fn makes_subject(&self) -> bool {
        matches!(self, Call::Socket(_) | Call::EpollCreate)
    }
}

/// Every verb that a socket may have, in the order of a connection's life.
pub const VERBS: &[&str] = &[
    "socket",
    "bind",
    "listen",
    "connect",
    "accept",
    "send",
    "sendto",
    "sendmsg",
    "write",
    "writev",
    "sendfile",
    "recv",
    "recvfrom",
    "recvmsg",
    "read",
    "readv",
    "shutdown",
    "close",
    "dup",
    "fcntl",
    "chmod",
    "ioctl",
    "setsockopt",
    "getsockopt",
    "getsockname",
    "getpeername",
    "poll",
    "select",
    "epoll_create",
    "epoll_ctl",
    "epoll_wait",
];

/// The word that stands beside `wanted` in a table of words.
pub fn word_of<T: PartialEq>(table: &[(T, &'static str)], wanted: T) -> &'static str {
    table.iter().find(|(value, _)| *value == wanted).map_or("", |(_, word)| word)
}
