//! The calls that send and receive.

use crate::model::call::{RecvForm, SendForm};
use crate::model::outcome::{Answer, Outcome};
use crate::sys::calls::{Argument, BAD, Call, NotHere, Place, cut, lacking, no_flags, number};
use crate::sys::windows::names::{message_flags, received_flags};
use crate::sys::windows::winsock;
use crate::sys::{AddressPlace, Beside, Buffer, Fd, Iov, Request};
use std::ptr::{null, null_mut};
use windows_sys::Win32::Networking::WinSock::{self as ws, WSABUF, WSAMSG};

impl Call<'_> {
    pub fn data(&mut self, request: &Request) -> Result<Outcome, NotHere> {
        match request {
            Request::Send { fds, .. } if !fds.is_empty() => Err(lacking("SCM_RIGHTS")),
            Request::Send { fd, form, data, iov, flags, to, .. } => {
                no_flags(matches!(form, SendForm::Write | SendForm::Writev), flags)?;
                let to = to.as_ref().map(Argument::new).transpose()?;
                self.send(*fd, *form, (data, *iov), message_flags(flags)?, to.as_ref())
            }
            Request::Recv { beside: Beside { fds: Some(_), .. }, .. } => Err(lacking("SCM_RIGHTS")),
            Request::Recv { beside: Beside { told: true, .. }, .. } => {
                Err("no control messages on this system yet".to_owned())
            }
            Request::Recv { fd, form, len, bad, iov, flags, .. } => {
                no_flags(matches!(form, RecvForm::Read | RecvForm::Readv), flags)?;
                self.recv(*fd, *form, (*len, *bad, *iov), message_flags(flags)?)
            }
            _ => unreachable!("dispatch hands over the two kinds above"),
        }
    }

    fn send(
        &mut self,
        fd: Fd,
        form: SendForm,
        (data, iov): (&Buffer, Iov),
        flags: i32,
        to: Option<&Argument>,
    ) -> Result<Outcome, NotHere> {
        let fd = number(fd);
        let (data, len) = match data {
            Buffer::Bytes(bytes) => (bytes.as_ptr(), bytes.len()),
            Buffer::Bad(len) => (BAD as *const u8, *len),
        };
        let (name, name_len) = to.map_or((null(), 0), |to| (to.pointer(), to.len));
        let mut buffers = buffers(data.cast_mut(), len, iov);
        let message = WSAMSG {
            name: name.cast_mut(),
            namelen: name_len,
            lpBuffers: buffers.as_mut_ptr(),
            dwBufferCount: buffers.len() as u32,
            ..WSAMSG::default()
        };
        let (vector, buffer_count) = (message.lpBuffers.cast_const(), message.dwBufferCount);
        let len = len as i32;
        let mut sent = 0;
        let count = &raw mut sent;
        match form {
            SendForm::Write => return Err(no_file("write")),
            // TransmitFile counts nothing.
            SendForm::Sendfile => return Err(lacking("sendfile")),
            _ => {}
        }
        // SAFETY: buffers, vector, message and address outlive the call and have the lengths told;
        // those that are bad on purpose end in an error, or in the end of the process.
        let returned = self.enter(|| unsafe {
            let returned = match form {
                SendForm::Send if to.is_none() => return ws::send(fd, data, len, flags).into(),
                SendForm::Send | SendForm::Sendto | SendForm::Write | SendForm::Sendfile => {
                    return ws::sendto(fd, data, len, flags, name, name_len).into();
                }
                SendForm::Sendmsg => {
                    ws::WSASendMsg(fd, &raw const message, flags as u32, count, null_mut(), None)
                }
                SendForm::Writev => {
                    ws::WSASend(fd, vector, buffer_count, count, 0, null_mut(), None)
                }
            };
            counted(returned, count)
        });
        Ok(self.outcome(returned, Answer::Value))
    }

    fn recv(
        &mut self,
        fd: Fd,
        form: RecvForm,
        (len, bad, iov): (usize, bool, Iov),
        flags: i32,
    ) -> Result<Outcome, NotHere> {
        let fd = number(fd);
        let mut buffer = vec![0u8; if bad { 0 } else { len }];
        let mut control = [0u64; 64];
        let data = if bad { BAD as *mut u8 } else { buffer.as_mut_ptr() };
        let mut place = Place::new(AddressPlace::default());
        let (name, name_len) = place.pointers();
        let mut buffers = buffers(data, len, iov);
        let mut message = WSAMSG {
            name,
            namelen: 0,
            lpBuffers: buffers.as_mut_ptr(),
            dwBufferCount: buffers.len() as u32,
            Control: WSABUF { len: size_of_val(&control) as u32, buf: control.as_mut_ptr().cast() },
            dwFlags: flags as u32,
        };
        let (vector, buffer_count) = (message.lpBuffers.cast_const(), message.dwBufferCount);
        let len = len as i32;
        let (mut received, mut flags_word) = (0, flags as u32);
        let count = &raw mut received;
        let recv_msg = match form {
            RecvForm::Read => return Err(no_file("read")),
            RecvForm::Recvmsg => Some(winsock::recv_msg().map_err(|_| lacking("WSARecvMsg"))?),
            _ => None,
        };
        // SAFETY: buffers, vector, message, address and control buffer outlive the call, are
        // writable and have the lengths told; a bad buffer ends in an error, or in the end of the
        // process. No other reference to the address is used until the call has returned.
        let returned = self.enter(|| unsafe {
            message.namelen = *name_len;
            let returned = match (form, recv_msg) {
                (RecvForm::Recvmsg, Some(recv_msg)) => {
                    recv_msg(fd, &raw mut message, count, null_mut(), null())
                }
                (RecvForm::Readv, _) => {
                    let flags = &raw mut flags_word;
                    ws::WSARecv(fd, vector, buffer_count, count, flags, null_mut(), None)
                }
                (RecvForm::Recvfrom, _) => {
                    return ws::recvfrom(fd, data, len, flags, name, name_len).into();
                }
                _ => return ws::recv(fd, data, len, flags).into(),
            };
            counted(returned, count)
        });
        Ok(self.outcome(returned, |received| {
            let received = received as usize;
            buffer.truncate(received);
            place.len = if form == RecvForm::Recvmsg { message.namelen } else { place.len };
            Answer::Received {
                len: received,
                from: matches!(form, RecvForm::Recvfrom | RecvForm::Recvmsg)
                    .then(|| place.address())
                    .flatten(),
                data: buffer,
                flags: match form {
                    RecvForm::Recvmsg => received_flags(message.dwFlags),
                    _ => Vec::new(),
                },
                control: Vec::new(),
                fds: Vec::new(),
            }
        }))
    }
}

/// The data cut into so many buffers.
fn buffers(data: *mut u8, len: usize, count: Iov) -> Vec<WSABUF> {
    let one = |(at, len)| WSABUF { len: len as u32, buf: data.wrapping_add(at) };
    cut(len, count).map(one).collect()
}

/// The calls of Winsock's own shape return 0 and tell the count beside it.
///
/// # Safety
/// The pointer is to the count that the call has written.
unsafe fn counted(returned: i32, count: *const u32) -> i64 {
    // SAFETY: the caller's promise.
    if returned == 0 { i64::from(unsafe { *count }) } else { -1 }
}

/// ReadFile and WriteFile take sockets, but neither blocks nor fails as Winsock does.
fn no_file(call: &str) -> NotHere {
    lacking(&format!("{call} for sockets"))
}
