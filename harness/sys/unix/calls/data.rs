//! The calls that send and receive.

use crate::model::call::{RecvForm, SendForm};
use crate::model::outcome::{Answer, Outcome};
use crate::sys::calls::{Argument, BAD, Call, NotHere, Place, cut, no_flags, number};
use crate::sys::unix::dialect;
use crate::sys::unix::names::{message_flags, received_flags};
use crate::sys::unix::rights::{self, Control};
use crate::sys::{AddressPlace, Buffer, Fd, Iov, Request};
use libc::{c_int, c_void, iovec, msghdr};
use std::ptr::null;

impl Call<'_> {
    pub fn data(&mut self, request: &Request) -> Result<Outcome, NotHere> {
        match request {
            Request::Send { fd, form: SendForm::Sendfile, data, .. } => self.send_file(*fd, data),
            Request::Send { fd, form, data, iov, flags, to, fds } => {
                no_flags(matches!(form, SendForm::Write | SendForm::Writev), flags)?;
                let to = to.as_ref().map(Argument::new).transpose()?;
                let flags = message_flags(flags)?;
                Ok(self.send(*fd, *form, (data, *iov, fds), flags, to.as_ref()))
            }
            Request::Recv { fd, form, len, bad, iov, flags, beside } => {
                no_flags(matches!(form, RecvForm::Read | RecvForm::Readv), flags)?;
                if beside.told && !dialect::READS_CONTROL {
                    return Err("no control messages on this system yet".to_owned());
                }
                Ok(self.recv(*fd, *form, (*len, *bad, *iov, beside.fds), message_flags(flags)?))
            }
            _ => unreachable!("dispatch hands over the two kinds above"),
        }
    }

    fn send(
        &mut self,
        fd: Fd,
        form: SendForm,
        (data, iov, fds): (&Buffer, Iov, &[Fd]),
        flags: c_int,
        to: Option<&Argument>,
    ) -> Outcome {
        let fd = number(fd);
        let (data, len) = match data {
            Buffer::Bytes(bytes) => (bytes.as_ptr().cast::<c_void>(), bytes.len()),
            Buffer::Bad(len) => (BAD as *const c_void, *len),
        };
        let (name, name_len) = to.map_or((null(), 0), |to| (to.pointer(), to.len));
        let mut buffers = buffers(data.cast_mut(), len, iov);
        let (vector, count) = (buffers.as_ptr(), buffers.len() as c_int);
        let mut message = message(&mut buffers);
        message.msg_name = name.cast_mut().cast();
        message.msg_namelen = name_len;
        let mut control = Control::with(fds);
        control.lend(&mut message);
        // SAFETY: buffers, vector, message, address and control message outlive the call and have
        // the lengths told; those that are bad on purpose are answered with an error.
        let returned = self.enter(|| unsafe {
            let sent = match form {
                SendForm::Send if to.is_none() => libc::send(fd, data, len, flags),
                SendForm::Send | SendForm::Sendto => {
                    libc::sendto(fd, data, len, flags, name, name_len)
                }
                SendForm::Sendmsg => libc::sendmsg(fd, &raw const message, flags),
                SendForm::Write => libc::write(fd, data, len),
                SendForm::Writev => libc::writev(fd, vector, count),
                SendForm::Sendfile => unreachable!("send_file() does it"),
            };
            sent as i64
        });
        self.outcome(returned, Answer::Value)
    }

    /// The file is there before the call, and gone after it.
    fn send_file(&mut self, fd: Fd, data: &Buffer) -> Result<Outcome, NotHere> {
        let Buffer::Bytes(bytes) = data else {
            return Err("a file is no buffer that could be bad".to_owned());
        };
        let file = dialect::file_of(bytes).map_err(|error| format!("no file to send: {error}"))?;
        let returned = self.enter(|| dialect::sendfile(number(fd), &file, bytes.len()));
        Ok(self.outcome(returned, Answer::Value))
    }

    fn recv(
        &mut self,
        fd: Fd,
        form: RecvForm,
        (len, bad, iov, room): (usize, bool, Iov, Option<usize>),
        flags: c_int,
    ) -> Outcome {
        let fd = number(fd);
        let mut buffer = vec![0u8; if bad { 0 } else { len }];
        let mut control = Control::room(room);
        let data = if bad { BAD as *mut c_void } else { buffer.as_mut_ptr().cast() };
        let mut place = Place::new(AddressPlace::default());
        let (name, name_len) = place.pointers();
        let mut buffers = buffers(data, len, iov);
        let (vector, count) = (buffers.as_ptr(), buffers.len() as c_int);
        let mut message = message(&mut buffers);
        message.msg_name = name.cast();
        control.lend(&mut message);
        // SAFETY: buffers, vector, message, address and control buffer outlive the call, are
        // writable and have the lengths told; a bad buffer is answered with an error. No other
        // reference to the address is used until the call has returned.
        let returned = self.enter(|| unsafe {
            message.msg_namelen = *name_len;
            let received = match form {
                RecvForm::Recv => libc::recv(fd, data, len, flags),
                RecvForm::Recvfrom => libc::recvfrom(fd, data, len, flags, name, name_len),
                RecvForm::Recvmsg => libc::recvmsg(fd, &raw mut message, flags),
                RecvForm::Read => libc::read(fd, data, len),
                RecvForm::Readv => libc::readv(fd, vector, count),
            };
            received as i64
        });
        self.outcome(returned, |received| {
            let received = received as usize;
            buffer.truncate(received);
            if form == RecvForm::Recvmsg {
                place.len = message.msg_namelen;
            }
            Answer::Received {
                len: received,
                from: matches!(form, RecvForm::Recvfrom | RecvForm::Recvmsg)
                    .then(|| place.address())
                    .flatten(),
                data: buffer,
                flags: match form {
                    RecvForm::Recvmsg => received_flags(message.msg_flags),
                    _ => Vec::new(),
                },
                control: match form {
                    RecvForm::Recvmsg => dialect::control(&message),
                    _ => Vec::new(),
                },
                fds: match form {
                    RecvForm::Recvmsg => rights::received(&message),
                    _ => Vec::new(),
                },
            }
        })
    }
}

/// The data cut into so many buffers.
fn buffers(data: *mut c_void, len: usize, count: Iov) -> Vec<iovec> {
    let one = |(at, len)| iovec { iov_base: data.wrapping_byte_add(at), iov_len: len };
    cut(len, count).map(one).collect()
}

/// A message of these buffers.
fn message(buffers: &mut [iovec]) -> msghdr {
    // SAFETY: all zeroes is a message without address, data, control data and flags.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = buffers.as_mut_ptr();
    message.msg_iovlen = buffers.len() as _;
    message
}
