//! The calls that every system has, under the names that [`crate::sys::calls`] uses.

pub use super::copy::of as dup;
pub use windows_sys::Win32::Networking::WinSock::{
    SOCKADDR as sockaddr, SOCKET as Socket, bind, closesocket as close, connect, getpeername,
    getsockname, listen, shutdown,
};

/// The length of an address.
pub type Length = i32;
