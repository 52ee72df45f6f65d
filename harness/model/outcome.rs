//! What a call returned.

use super::address::Address;
use super::control::Control;
use super::errno::Errno;

/// A call's result, its errno and the signal it raised.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    /// What it returned.
    pub answer: Answer,
    /// The system's own number of the error, for `--json`.
    pub errno_raw: Option<i32>,
    /// A signal raised in the calling thread by this call: `SIGPIPE`.
    pub signal: Option<String>,
    /// The address length that a call told, where the case asks for it.
    pub addrlen: Option<i64>,
}

impl Outcome {
    /// An outcome without error and signal.
    pub fn ok(answer: Answer) -> Outcome {
        Outcome { answer, errno_raw: None, signal: None, addrlen: None }
    }

    /// -1 and this error.
    pub fn failed(errno: Errno, raw: i32) -> Outcome {
        Outcome { answer: Answer::Error(errno), errno_raw: Some(raw), signal: None, addrlen: None }
    }

    /// The same with the address length that the call told; a call that failed told none.
    #[must_use]
    pub fn with_addrlen(self, told: Option<i64>) -> Outcome {
        let addrlen = told.filter(|_| self.errno().is_none());
        Outcome { addrlen, ..self }
    }

    /// The errno, if the call failed.
    pub fn errno(&self) -> Option<&Errno> {
        match &self.answer {
            Answer::Error(errno) => Some(errno),
            _ => None,
        }
    }
}

/// What a call returned. Addresses are still the system's; `record` puts names in their place.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Answer {
    /// -1.
    Error(Errno),
    /// A number: 0, or a count of bytes.
    Value(i64),
    /// A new descriptor (its number is not part of the record, the name is).
    Fd(i64),
    /// A new descriptor, and the address of the far end, where accept() was asked for it.
    Accepted {
        /// The descriptor.
        fd: i64,
        /// The far end.
        from: Address,
    },
    /// 0, and a number with it (an option's value).
    Number(i64),
    /// 0, and a word with it: a TCP state, an errno by name (SO_ERROR), `{onoff: 1, linger: 0}`,
    /// a congestion control, `100ms`.
    Word(String),
    /// 0, and an address with it.
    Addr(Address),
    /// Received: the length, the sender if the call asks for it, the data, the flags of
    /// `msg_flags` that are not usual.
    Received {
        /// Bytes; 0 is the end of the stream or an empty datagram.
        len: usize,
        /// The sender, for `recvfrom` and `recvmsg`.
        from: Option<Address>,
        /// The bytes received.
        data: Vec<u8>,
        /// `MSG_TRUNC` …, for `recvmsg`.
        flags: Vec<String>,
        /// Control messages in their order, for `recvmsg`.
        control: Vec<Control>,
        /// Descriptors that came along, for `recvmsg`.
        fds: Vec<i64>,
    },
    /// Events of poll or select: `POLLIN`, `POLLHUP`; none prints as 0.
    Events(Vec<String>),
    /// Events of epoll_wait, each with the socket's token, in the order delivered.
    Ready(Vec<(u64, Vec<String>)>),
    /// The calling process ended inside the call: `killed by SIGPIPE`.
    Died(String),
}
