//! What is asked of a system: a call, with everything resolved.

use super::Fd;
use crate::model::address::Address;
use crate::model::call::{Domain, EpollOp, FcntlOp, How, Kind, RecvForm, SendForm};
use crate::model::option::{OptionRef, OptionValue};
use serde::{Deserialize, Serialize};

/// A call with everything resolved: descriptors are numbers, addresses are real.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the calls and their arguments, see `model::call`")]
pub enum Request {
    Socket { domain: Domain, kind: Kind, protocol: i32, nonblock: bool },
    Bind { fd: Fd, to: Target },
    Connect { fd: Fd, to: Target },
    Listen { fd: Fd, backlog: i32 },
    Accept { fd: Fd, place: AddressPlace, flags: Flags },
    Close { fd: Fd },
    Dup { fd: Fd },
    Fcntl { fd: Fd, op: FcntlOp },
    Send { fd: Fd, form: SendForm, data: Buffer, iov: Iov, flags: Flags, to: To, fds: Fds },
    Recv { fd: Fd, form: RecvForm, len: usize, bad: bool, iov: Iov, flags: Flags, beside: Beside },
    Setsockopt { fd: Fd, option: OptionRef, value: OptionValue, bad: bool },
    Getsockopt { fd: Fd, option: OptionRef, fields: Vec<String>, bad: bool },
    Getsockname { fd: Fd, place: AddressPlace },
    Getpeername { fd: Fd, place: AddressPlace },
    Shutdown { fd: Fd, how: How },
    Poll { fd: Fd, events: Vec<String>, timeout_ms: i32 },
    Select { fd: Fd, timeout_ms: i32 },
    EpollCreate,
    EpollCtl { fd: Fd, op: EpollOp, target: Fd, token: u64, events: Vec<String> },
    EpollWait { fd: Fd, timeout_ms: i32 },
    Chmod { path: String, mode: u32 },
    Ioctl { fd: Fd, request: String },
}

/// Where to send to; none: where the socket is connected to.
pub type To = Option<Target>;

/// Descriptors that go along.
pub type Fds = Vec<Fd>;

/// What is wanted of control messages, beside the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Beside {
    /// They are part of the answer.
    pub told: bool,
    /// There is room for exactly so many descriptors; none: for many, and for other messages.
    pub fds: Option<usize>,
}

/// How many buffers hold the data; none: one, of which the calls without a vector know.
pub type Iov = Option<u32>;

/// The flags of a call.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Flags {
    /// Those with a name.
    pub names: Vec<String>,
    /// Others by number.
    pub bits: u32,
}

/// An address argument.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// The address; none: an unmapped one.
    pub address: Option<Address>,
    /// This length instead of the right one.
    pub len: Option<i32>,
}

/// Where a call is to write an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AddressPlace {
    /// An unmapped address instead of a buffer.
    pub bad: bool,
    /// This length instead of the buffer's.
    pub len: Option<i32>,
    /// The length that the call tells is part of the answer.
    pub len_told: bool,
    /// accept(): an address is asked for, and part of the answer.
    pub told: bool,
}

/// A buffer argument.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Buffer {
    /// These bytes.
    Bytes(Vec<u8>),
    /// An unmapped address, and this length.
    Bad(usize),
}
