//! The calls of which each system has its own form, as Winsock has them.
//!
//! Winsock is a library in the process that calls it: a bad pointer that it does not check ends the
//! process, and that is the answer then.
//!
//! Where Windows spells a call differently, this is what is made: `closesocket` for close,
//! `ioctlsocket(FIONBIO)` for the O_NONBLOCK of fcntl and of `socket`, `WSADuplicateSocketW` and
//! `WSASocketW` for dup, `WSAPoll` for poll, `WSASendMsg`, `WSARecvMsg`, `WSASend` and `WSARecv`
//! for sendmsg, recvmsg, writev and readv, `SIO_TCP_INFO` for TCP_INFO.

mod data;
mod option;
#[cfg(test)]
mod tests;
mod wait;

use super::names;
use crate::model::call::{Domain, FcntlOp, Kind};
use crate::model::outcome::{Answer, Outcome};
use crate::sys::calls::{Call, NotHere, find, lacking, number};
use crate::sys::{AddressPlace, Fd, Flags, Request};
use windows_sys::Win32::Networking::WinSock as ws;

impl Call<'_> {
    pub fn socket(&mut self, domain: Domain, kind: Kind, protocol: i32, nonblock: bool) -> Outcome {
        let (domain, kind) = (names::domain(domain), names::kind(kind));
        // SAFETY: there is no pointer.
        let returned = self.enter(|| unsafe { ws::socket(domain, kind, protocol) } as i64);
        if let (true, Ok(fd)) = (nonblock, returned) {
            set_nonblocking(fd, true);
        }
        self.outcome(returned, Answer::Fd)
    }

    pub fn accept(
        &mut self,
        fd: Fd,
        wanted: AddressPlace,
        flags: &Flags,
    ) -> Result<Outcome, NotHere> {
        if *flags != Flags::default() {
            return Err(lacking("accept4"));
        }
        // SAFETY: the pointers are null, or to a storage and a length, or bad on purpose.
        Ok(self.accept_by(fd, wanted, |fd, to, len| unsafe { ws::accept(fd, to, len) as i64 }))
    }

    pub fn fcntl(&mut self, fd: Fd, op: FcntlOp) -> Result<Outcome, NotHere> {
        let nonblocking = match op {
            FcntlOp::SetNonblock => true,
            FcntlOp::ClearNonblock => false,
            // Winsock keeps the mode to itself.
            FcntlOp::GetFl => return Err(lacking("F_GETFL")),
            FcntlOp::GetFd => return Err(lacking("F_GETFD")),
        };
        Ok(self.plain(|| set_nonblocking(fd, nonblocking)))
    }

    pub fn chmod(&mut self, _: &str, _: u32) -> Result<Outcome, NotHere> {
        Err(lacking("chmod"))
    }

    pub fn ioctl(&mut self, fd: Fd, request: &str) -> Result<Outcome, NotHere> {
        let code = find(names::IOCTLS, request).ok_or_else(|| lacking(request))?;
        let mut value = 0;
        let pointer = &raw mut value;
        // SAFETY: the requests of the table write one u32.
        let returned =
            self.enter(|| i64::from(unsafe { ws::ioctlsocket(number(fd), code, pointer) }));
        let is_flag = request == "SIOCATMARK";
        Ok(self.outcome(returned, |_| {
            // A BOOL, for which any number but 0 is true.
            Answer::Number(if is_flag { i64::from(value != 0) } else { i64::from(value) })
        }))
    }

    pub fn epoll(&mut self, _: &Request) -> Result<Outcome, NotHere> {
        Err(lacking("epoll"))
    }
}

fn set_nonblocking(fd: Fd, nonblocking: bool) -> i32 {
    let mut mode = u32::from(nonblocking);
    // SAFETY: the request reads one u32.
    unsafe { ws::ioctlsocket(number(fd), ws::FIONBIO, &raw mut mode) }
}
