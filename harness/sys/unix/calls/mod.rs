//! The calls of which each system has its own form, as the Unixes make them.

mod data;
mod option;
#[cfg(test)]
mod tests;
mod wait;

use super::{dialect, names};
use crate::model::call::{Domain, FcntlOp, Kind};
use crate::model::outcome::{Answer, Outcome};
use crate::sys::calls::{Call, NotHere, find, lacking, number};
use crate::sys::{AddressPlace, Fd, Flags, Request};
use libc::c_int;
use std::ffi::CString;

impl Call<'_> {
    pub fn socket(&mut self, domain: Domain, kind: Kind, protocol: i32, nonblock: bool) -> Outcome {
        let (domain, mut kind) = (names::domain(domain), names::kind(kind));
        if nonblock {
            kind |= dialect::SOCK_NONBLOCK.unwrap_or(0);
        }
        // SAFETY: there is no pointer.
        let returned = self.enter(|| i64::from(unsafe { libc::socket(domain, kind, protocol) }));
        if let (true, None, Ok(fd)) = (nonblock, dialect::SOCK_NONBLOCK, returned) {
            // SAFETY: there is no pointer; the descriptor was made just now.
            unsafe { libc::fcntl(number(fd), libc::F_SETFL, libc::O_NONBLOCK) };
        }
        self.outcome(returned, Answer::Fd)
    }

    pub fn accept(
        &mut self,
        fd: Fd,
        wanted: AddressPlace,
        flags: &Flags,
    ) -> Result<Outcome, NotHere> {
        if *flags == Flags::default() {
            // SAFETY: the pointers are null, or to a storage and a length, or bad on purpose.
            return Ok(self.accept_by(fd, wanted, |fd, to, len| unsafe {
                i64::from(libc::accept(fd, to, len))
            }));
        }
        if dialect::ACCEPT_FLAGS.is_empty() {
            return Err(lacking("accept4"));
        }
        let flags = flags.names.iter().try_fold(flags.bits as c_int, |all, name| {
            let flag = find(dialect::ACCEPT_FLAGS, name);
            Ok::<c_int, NotHere>(all | flag.ok_or_else(|| lacking(name))?)
        })?;
        // SAFETY: as above.
        Ok(self.accept_by(fd, wanted, |fd, to, len| unsafe {
            i64::from(dialect::accept4(fd, to, len, flags))
        }))
    }

    /// Setting one flag keeps the others, so it reads them first; of the two calls the last one
    /// made is the answer.
    pub fn fcntl(&mut self, fd: Fd, op: FcntlOp) -> Result<Outcome, NotHere> {
        let fd = number(fd);
        let command = match op {
            FcntlOp::GetFd => libc::F_GETFD,
            _ => libc::F_GETFL,
        };
        // SAFETY: there is no pointer.
        let read = self.enter(|| i64::from(unsafe { libc::fcntl(fd, command) }));
        let told = |flags: i64, flag: c_int, name: &str| {
            let set = flags & i64::from(flag) != 0;
            Answer::Events(set.then(|| name.to_owned()).into_iter().collect())
        };
        let flags = match (op, read) {
            (FcntlOp::GetFd, _) => {
                return Ok(self.outcome(read, |flags| told(flags, libc::FD_CLOEXEC, "FD_CLOEXEC")));
            }
            (FcntlOp::GetFl, _) | (_, Err(_)) => {
                return Ok(self.outcome(read, |flags| told(flags, libc::O_NONBLOCK, "O_NONBLOCK")));
            }
            (FcntlOp::SetNonblock, Ok(flags)) => flags as c_int | libc::O_NONBLOCK,
            (FcntlOp::ClearNonblock, Ok(flags)) => flags as c_int & !libc::O_NONBLOCK,
        };
        // SAFETY: there is no pointer.
        Ok(self.plain(|| unsafe { libc::fcntl(fd, libc::F_SETFL, flags) }))
    }

    pub fn chmod(&mut self, path: &str, mode: u32) -> Result<Outcome, NotHere> {
        let path = CString::new(path).map_err(|_| "a path with a zero in it".to_owned())?;
        // SAFETY: the pointer is to a string that ends in a zero.
        Ok(self.plain(|| unsafe { libc::chmod(path.as_ptr(), mode as _) }))
    }

    pub fn ioctl(&mut self, fd: Fd, request: &str) -> Result<Outcome, NotHere> {
        let code = find(dialect::IOCTLS, request).ok_or_else(|| lacking(request))?;
        let mut value: c_int = 0;
        let pointer = &raw mut value;
        // SAFETY: the requests of the table write one int.
        let returned =
            self.enter(|| i64::from(unsafe { libc::ioctl(number(fd), code as _, pointer) }));
        Ok(self.outcome(returned, |_| Answer::Number(i64::from(value))))
    }

    pub fn epoll(&mut self, request: &Request) -> Result<Outcome, NotHere> {
        dialect::epoll(self, request)
    }
}
