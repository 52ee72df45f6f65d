//! Messages between the harness and the processes of a case: a length, then JSON; a descriptor may
//! travel with the length.

use libc::{c_int, c_void, iovec, msghdr};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// What the harness asks of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
pub enum Order {
    /// Make calls on one more thread, for which the descriptor that comes along is the channel.
    Caller,
    /// Keep the descriptor that comes along, and tell its number.
    Share,
    /// Tell the own address of this descriptor.
    Address(i64),
    /// Tell the far end's address of this descriptor.
    FarAddress(i64),
    /// Set the soft limit RLIMIT_NOFILE, and tell the errno if that failed.
    Limit(u32),
    /// Give up all capabilities, and tell the errno if that failed.
    Drop,
    /// Become the user `nobody`, and tell the errno if that failed.
    Setuid,
    /// Call exit(0).
    Exit,
}

/// A calling thread is about to enter the system call.
pub const ENTERING: u8 = b'>';
/// A calling thread's reply follows.
pub const REPLY: u8 = b'=';

/// A reply never is larger: a payload's bytes as decimal numbers.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Sends one message, with a descriptor if there is one.
///
/// # Errors
/// The system's error; the other end is gone.
pub fn send<T: Serialize>(
    mut stream: &UnixStream,
    message: &T,
    passed: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    let len = (text.len() as u32).to_ne_bytes();
    match passed {
        Some(passed) => send_with_descriptor(stream, &len, passed)?,
        None => stream.write_all(&len)?,
    }
    stream.write_all(&text)
}

/// Receives one message and the descriptor that came along.
///
/// # Errors
/// The system's error; the other end is gone.
pub fn receive<T: DeserializeOwned>(mut stream: &UnixStream) -> io::Result<(T, Option<OwnedFd>)> {
    let mut len = [0; 4];
    let (read, passed) = receive_with_descriptor(stream, &mut len)?;
    stream.read_exact(&mut len[read..])?;
    let len = u32::from_ne_bytes(len) as usize;
    if len > MESSAGE_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; len];
    stream.read_exact(&mut text)?;
    Ok((serde_json::from_slice(&text)?, passed))
}

/// Room for one descriptor, aligned as a control message is.
type Control = [u64; 4];

fn message(vector: &mut iovec, control: &mut Control) -> msghdr {
    // SAFETY: all zeroes is a message without address, data, control data and flags.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = vector;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of::<Control>() as _;
    message
}

fn send_with_descriptor(
    stream: &UnixStream,
    bytes: &[u8],
    passed: BorrowedFd<'_>,
) -> io::Result<()> {
    let mut control = Control::default();
    let base = bytes.as_ptr().cast::<c_void>().cast_mut();
    let mut vector = iovec { iov_base: base, iov_len: bytes.len() };
    let mut message = message(&mut vector, &mut control);
    let size = size_of::<c_int>() as u32;
    // SAFETY: the control buffer has room for one header with one descriptor, and everything that
    // the message points to outlives the call.
    let sent = unsafe {
        message.msg_controllen = libc::CMSG_SPACE(size) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(size) as _;
        libc::CMSG_DATA(header).cast::<c_int>().write_unaligned(passed.as_raw_fd());
        libc::sendmsg(stream.as_raw_fd(), &raw const message, 0)
    };
    match usize::try_from(sent) {
        Ok(sent) if sent == bytes.len() => Ok(()),
        Ok(_) => Err(io::ErrorKind::WriteZero.into()),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

fn receive_with_descriptor(
    stream: &UnixStream,
    bytes: &mut [u8],
) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut control = Control::default();
    let base = bytes.as_mut_ptr().cast::<c_void>();
    let mut vector = iovec { iov_base: base, iov_len: bytes.len() };
    let mut message = message(&mut vector, &mut control);
    let read = loop {
        // SAFETY: everything that the message points to outlives the call.
        let read = unsafe { libc::recvmsg(stream.as_raw_fd(), &raw mut message, 0) };
        match usize::try_from(read) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => break read,
            Err(_) => {
                // A process that was stopped and continued goes on (gVisor interrupts the call).
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    };
    // SAFETY: the message is as recvmsg left it. A channel carries no control messages but
    // SCM_RIGHTS, whose header is followed by at least one descriptor; the harness sends one, which
    // is now ours.
    let passed = unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (!header.is_null() && (*header).cmsg_type == libc::SCM_RIGHTS)
            .then(|| OwnedFd::from_raw_fd(libc::CMSG_DATA(header).cast::<c_int>().read_unaligned()))
    };
    Ok((read, passed))
}

#[cfg(test)]
mod tests {
    use super::{Order, receive, send};
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_descriptor_travels_with_its_message() {
        let (here, there) = UnixStream::pair().unwrap();
        let (mut kept, passed) = UnixStream::pair().unwrap();
        send(&here, &Order::Share, Some(passed.as_fd())).unwrap();
        send(&here, &Order::Address(7), None).unwrap();
        drop(passed);
        let (order, received) = receive::<Order>(&there).unwrap();
        assert_eq!(order, Order::Share);
        let mut received = UnixStream::from(received.unwrap());
        kept.write_all(b"x").unwrap();
        let mut byte = [0];
        received.read_exact(&mut byte).unwrap();
        let (order, nothing) = receive::<Order>(&there).unwrap();
        assert_eq!((order, nothing.is_none()), (Order::Address(7), true));
    }
}
