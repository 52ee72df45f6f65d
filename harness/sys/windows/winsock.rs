//! Winsock itself: started once, and the two functions that have to be asked for.

use super::errno;
use socket2::Socket;
use std::ffi::c_void;
use std::io;
use std::os::windows::io::AsRawSocket;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use windows_sys::Win32::Networking::WinSock as ws;
use windows_sys::core::GUID;

/// Version 2.2, the last one.
const VERSION: u16 = 0x0202;

/// Starts Winsock for this process, once. It is never stopped: a recorded socket may be open until
/// the process ends.
pub fn start() {
    static STARTED: OnceLock<i32> = OnceLock::new();
    let refused = STARTED.get_or_init(|| {
        let mut data = ws::WSADATA::default();
        // SAFETY: the pointer is to what the function fills.
        unsafe { ws::WSAStartup(VERSION, &raw mut data) }
    });
    assert_eq!(*refused, 0, "Winsock 2.2 is part of every Windows since 1998");
}

/// `WSARecvMsg`, which is no export of the library.
///
/// # Errors
/// Why there is none.
pub fn recv_msg() -> Result<RecvMsg, i32> {
    static FOUND: OnceLock<Result<RecvMsg, i32>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        // SAFETY: there are no pointers.
        let socket = unsafe { ws::socket(i32::from(ws::AF_INET), ws::SOCK_DGRAM, 0) };
        let found = extension(socket, &ws::WSAID_WSARECVMSG);
        // SAFETY: the socket was made just now.
        unsafe { ws::closesocket(socket) };
        // SAFETY: the function of this GUID has this type by its documentation.
        found.map(|function| unsafe { std::mem::transmute::<*const c_void, RecvMsg>(function) })
    })
}

/// `LPFN_WSARECVMSG`.
pub type RecvMsg = unsafe extern "system" fn(
    ws::SOCKET,
    *mut ws::WSAMSG,
    *mut u32,
    *mut c_void,
    *const c_void,
) -> i32;

fn extension(socket: ws::SOCKET, id: &GUID) -> Result<*const c_void, i32> {
    let mut function: *const c_void = null();
    let request = ws::SIO_GET_EXTENSION_FUNCTION_POINTER;
    let asked: *const GUID = id;
    let (id_bytes, function_bytes) = (size_of::<GUID>() as u32, size_of_val(&function) as u32);
    let mut written = 0;
    // SAFETY: the first pointer is to a GUID, the second to a pointer, and the lengths say so.
    let returned = unsafe {
        ws::WSAIoctl(
            socket,
            request,
            asked.cast(),
            id_bytes,
            (&raw mut function).cast(),
            function_bytes,
            &raw mut written,
            null_mut(),
            None,
        )
    };
    if returned == 0 && !function.is_null() { Ok(function) } else { Err(errno::last()) }
}

/// Has a socket share its port with nobody: without it, a wildcard address and a loopback address
/// may have the same port, and neither owner learns of the other.
///
/// # Errors
/// The system's error.
pub fn exclusive(socket: &Socket) -> io::Result<()> {
    let on = 1i32;
    let (level, option) = (ws::SOL_SOCKET, ws::SO_EXCLUSIVEADDRUSE);
    let (value, bytes) = ((&raw const on).cast(), size_of_val(&on) as i32);
    // SAFETY: the pointer is to the four bytes of the value.
    match unsafe {
        ws::setsockopt(socket.as_raw_socket() as ws::SOCKET, level, option, value, bytes)
    } {
        0 => Ok(()),
        _ => Err(io::Error::from_raw_os_error(errno::last())),
    }
}
