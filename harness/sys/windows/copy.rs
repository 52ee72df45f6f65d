//! Copies of sockets, which Windows makes in two steps: a description for a process, and a new
//! descriptor from the description, in that process.

use super::errno;
use crate::sys::Fd;
use windows_sys::Win32::Networking::WinSock::{self as ws, SOCKET, WSAPROTOCOL_INFOW};

/// A copy in this process, or -1: what dup() is elsewhere.
pub fn of(fd: Fd) -> i64 {
    match describe(fd, std::process::id()) {
        Ok(info) => adopt(&info),
        Err(_) => -1,
    }
}

// The fields have as many bytes as the whole: there is no padding.
const _: () = assert!(size_of::<WSAPROTOCOL_INFOW>() == 20 + 16 + 4 + 32 + 36 + 8 + 2 * 256);

/// A description of the socket for a process.
///
/// # Errors
/// The system's error number.
pub fn for_process(fd: Fd, process: u32) -> Result<Vec<u8>, i32> {
    let info = describe(fd, process)?;
    let start = (&raw const info).cast::<u8>();
    // SAFETY: each of its bytes is initialised: the fields are, and there is nothing between them.
    Ok(unsafe { std::slice::from_raw_parts(start, size_of::<WSAPROTOCOL_INFOW>()) }.to_vec())
}

/// The copy that a description stands for.
///
/// # Errors
/// The system's error number; 0 if the bytes are no description.
pub fn from_description(bytes: &[u8]) -> Result<Fd, i32> {
    if bytes.len() != size_of::<WSAPROTOCOL_INFOW>() {
        return Err(0);
    }
    // SAFETY: there are enough bytes, and any bytes are a valid description.
    let info = unsafe { bytes.as_ptr().cast::<WSAPROTOCOL_INFOW>().read_unaligned() };
    match adopt(&info) {
        -1 => Err(errno::last()),
        fd => Ok(fd),
    }
}

fn describe(fd: Fd, process: u32) -> Result<WSAPROTOCOL_INFOW, i32> {
    let mut info = WSAPROTOCOL_INFOW::default();
    // SAFETY: the pointer is to a description.
    match unsafe { ws::WSADuplicateSocketW(fd as SOCKET, process, &raw mut info) } {
        0 => Ok(info),
        _ => Err(errno::last()),
    }
}

fn adopt(info: &WSAPROTOCOL_INFOW) -> Fd {
    let any = ws::FROM_PROTOCOL_INFO;
    // SAFETY: the pointer is to a description that WSADuplicateSocketW made.
    unsafe { ws::WSASocketW(any, any, any, info, 0, ws::WSA_FLAG_OVERLAPPED) as Fd }
}
