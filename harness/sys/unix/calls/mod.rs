//! A [`Request`] as one system call, and its answer.
//!
//! Everything that can be prepared is prepared before the call is entered; between [`Gate::enter`]
//! and [`Gate::leave`] there is the call alone. A bad pointer is [`BAD`].

mod data;
mod option;
#[cfg(test)]
mod tests;
mod wait;

use super::names::{self, NotHere, lacking};
use super::{address, dialect, errno, now};
use crate::model::call::{Domain, FcntlOp, Kind};
use crate::model::outcome::{Answer, Outcome};
use crate::sys::{AddressPlace, Fd, Reply, Request, Target};
use libc::{c_int, sockaddr, socklen_t};
use socket2::{SockAddr, SockAddrStorage};
use std::ptr::null_mut;
use std::time::{Duration, Instant};

/// An address that is never mapped: it lies in the first page.
pub const BAD: usize = 8;

/// Told directly before and directly after the system call.
pub trait Gate {
    /// The next thing that this thread does is the call.
    fn enter(&self);
    /// The call has returned.
    fn leave(&self);
}

/// Makes the call that the request asks for.
pub fn make(request: &Request, gate: &dyn Gate) -> Reply {
    let mut call = Call { gate, began: Duration::ZERO, took: Duration::ZERO };
    match call.dispatch(request) {
        Ok(outcome) => Reply::Done { outcome, began: call.began, took: call.took },
        Err(why) => Reply::NotHere(why),
    }
}

/// One call and its times.
pub struct Call<'a> {
    gate: &'a dyn Gate,
    began: Duration,
    took: Duration,
}

/// What a system call returned, or its errno.
pub type Returned = Result<i64, i32>;

impl Call<'_> {
    /// Makes the system call and nothing else.
    pub fn enter(&mut self, call: impl FnOnce() -> i64) -> Returned {
        self.gate.enter();
        self.began = now();
        let entered = Instant::now();
        let returned = call();
        let errno = errno::last();
        self.gate.leave();
        // Not by the system clock, which somebody may set meanwhile.
        self.took = entered.elapsed();
        if returned == -1 { Err(errno) } else { Ok(returned) }
    }

    /// The outcome of a call that answers `answer` when it succeeds.
    pub fn outcome(&self, returned: Returned, answer: impl FnOnce(i64) -> Answer) -> Outcome {
        match returned {
            Ok(value) => Outcome::ok(answer(value)),
            Err(raw) => Outcome::failed(errno::name(raw), raw),
        }
    }

    fn plain(&mut self, call: impl FnOnce() -> c_int) -> Outcome {
        let returned = self.enter(|| i64::from(call()));
        self.outcome(returned, Answer::Value)
    }

    fn dispatch(&mut self, request: &Request) -> Result<Outcome, NotHere> {
        Ok(match request {
            Request::Socket { domain, kind, protocol, nonblock } => {
                self.socket(*domain, *kind, *protocol, *nonblock)
            }
            Request::Bind { fd, to } => {
                let to = Argument::new(to)?;
                // SAFETY: the argument is an address of this length, or bad on purpose, which the
                // system answers with an error.
                self.plain(|| unsafe { libc::bind(number(*fd), to.pointer(), to.len) })
            }
            Request::Connect { fd, to } => {
                let to = Argument::new(to)?;
                // SAFETY: as for bind.
                self.plain(|| unsafe { libc::connect(number(*fd), to.pointer(), to.len) })
            }
            Request::Listen { fd, backlog } => {
                // SAFETY: the calls without pointers may be made with any numbers; descriptors
                // that belong to the harness are known to nobody who writes requests.
                self.plain(|| unsafe { libc::listen(number(*fd), *backlog) })
            }
            // SAFETY: as for listen.
            Request::Close { fd } => self.plain(|| unsafe { libc::close(number(*fd)) }),
            Request::Shutdown { fd, how } => {
                let how = names::how(*how);
                // SAFETY: as for listen.
                self.plain(|| unsafe { libc::shutdown(number(*fd), how) })
            }
            Request::Dup { fd } => {
                // SAFETY: as for listen.
                let returned = self.enter(|| i64::from(unsafe { libc::dup(number(*fd)) }));
                self.outcome(returned, Answer::Fd)
            }
            Request::Accept { fd, place, flags } => self.accept(*fd, *place, flags)?,
            Request::Fcntl { fd, op } => self.fcntl(number(*fd), *op),
            Request::Ioctl { fd, request } => self.ioctl(number(*fd), request)?,
            Request::Getsockname { fd, place } => self.name(*fd, *place, libc::getsockname),
            Request::Getpeername { fd, place } => self.name(*fd, *place, libc::getpeername),
            Request::Send { .. } | Request::Recv { .. } => self.data(request)?,
            Request::Setsockopt { fd, option, value, bad } => {
                self.set_option(*fd, option, value, *bad)?
            }
            Request::Getsockopt { fd, option, bad } => self.get_option(*fd, option, *bad)?,
            Request::Poll { fd, events, timeout_ms } => self.poll(*fd, events, *timeout_ms)?,
            Request::Select { fd, timeout_ms } => self.select(*fd, *timeout_ms)?,
            Request::EpollCreate | Request::EpollCtl { .. } | Request::EpollWait { .. } => {
                dialect::epoll(self, request)?
            }
        })
    }

    fn socket(&mut self, domain: Domain, kind: Kind, protocol: i32, nonblock: bool) -> Outcome {
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

    fn accept(
        &mut self,
        fd: Fd,
        wanted: AddressPlace,
        flags: &[String],
    ) -> Result<Outcome, NotHere> {
        let fd = number(fd);
        let mut place = Place::new(wanted);
        let (pointer, len) = match wanted == AddressPlace::default() {
            true => (null_mut(), null_mut()),
            false => place.pointers(),
        };
        let returned = if flags.is_empty() {
            // SAFETY: null pointers say that no address is wanted; others are to a storage and a
            // length, or bad on purpose.
            self.enter(|| i64::from(unsafe { libc::accept(fd, pointer, len) }))
        } else {
            let flags = flags.iter().try_fold(0, |all, name| {
                let flag = names::find(dialect::ACCEPT_FLAGS, name);
                Ok::<c_int, NotHere>(all | flag.ok_or_else(|| lacking("accept4"))?)
            })?;
            // SAFETY: as above.
            self.enter(|| i64::from(unsafe { dialect::accept4(fd, pointer, len, flags) }))
        };
        Ok(self.outcome(returned, |fd| match place.address().filter(|_| wanted.told) {
            Some(from) => Answer::Accepted { fd, from },
            None => Answer::Fd(fd),
        }))
    }

    /// Setting one flag keeps the others, so it reads them first; of the two calls the last one
    /// made is the answer.
    fn fcntl(&mut self, fd: c_int, op: FcntlOp) -> Outcome {
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
                return self.outcome(read, |flags| told(flags, libc::FD_CLOEXEC, "FD_CLOEXEC"));
            }
            (FcntlOp::GetFl, _) | (_, Err(_)) => {
                return self.outcome(read, |flags| told(flags, libc::O_NONBLOCK, "O_NONBLOCK"));
            }
            (FcntlOp::SetNonblock, Ok(flags)) => flags as c_int | libc::O_NONBLOCK,
            (FcntlOp::ClearNonblock, Ok(flags)) => flags as c_int & !libc::O_NONBLOCK,
        };
        // SAFETY: there is no pointer.
        self.plain(|| unsafe { libc::fcntl(fd, libc::F_SETFL, flags) })
    }

    fn ioctl(&mut self, fd: c_int, request: &str) -> Result<Outcome, NotHere> {
        let code = names::find(dialect::IOCTLS, request).ok_or_else(|| lacking(request))?;
        let mut value: c_int = 0;
        let pointer = &raw mut value;
        // SAFETY: the requests of the table write one int.
        let returned = self.enter(|| i64::from(unsafe { libc::ioctl(fd, code as _, pointer) }));
        Ok(self.outcome(returned, |_| Answer::Number(i64::from(value))))
    }

    fn name(&mut self, fd: Fd, wanted: AddressPlace, call: NameCall) -> Outcome {
        let mut place = Place::new(wanted);
        let (pointer, len) = place.pointers();
        // SAFETY: the pointers are to a storage and its size, or bad on purpose.
        let returned = self.enter(|| i64::from(unsafe { call(number(fd), pointer, len) }));
        self.outcome(returned, |_| match place.address() {
            Some(address) => Answer::Addr(address),
            None => Answer::Value(0),
        })
    }
}

type NameCall = unsafe extern "C" fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int;

/// A descriptor as the system counts it.
pub(super) fn number(fd: Fd) -> c_int {
    fd as c_int
}

/// An address handed to the system.
struct Argument {
    /// None: bad on purpose.
    address: Option<[u8; ADDRESS_BYTES_MAX]>,
    len: socklen_t,
}

/// More than any system reads of an address, however long it is told to be: the BSDs read 255
/// bytes, Linux refuses more than 128.
const ADDRESS_BYTES_MAX: usize = 256;

impl Argument {
    fn new(to: &Target) -> Result<Argument, NotHere> {
        let Some(wanted) = &to.address else {
            let len = to.len.unwrap_or(address::SOCKADDR_IN);
            return Ok(Argument { address: None, len });
        };
        let Some(known) = address::to_system(wanted) else {
            return Err("the name is too long for an address of this system".to_owned());
        };
        let mut bytes = [0; ADDRESS_BYTES_MAX];
        let size = size_of::<SockAddrStorage>();
        // SAFETY: the storage is that large, was zeroed before it was filled, and is longer than
        // the address; the array is longer still.
        unsafe {
            let start = known.as_ptr().cast::<u8>();
            bytes.as_mut_ptr().copy_from_nonoverlapping(start, size);
        }
        let len = to.len.unwrap_or(known.len());
        Ok(Argument { address: Some(bytes), len })
    }

    fn pointer(&self) -> *const sockaddr {
        match &self.address {
            Some(address) => address.as_ptr().cast(),
            None => BAD as *const sockaddr,
        }
    }
}

/// A place for an address that the system gives.
struct Place {
    storage: SockAddrStorage,
    /// The length told to the system, and then by it.
    len: socklen_t,
    wanted: AddressPlace,
}

impl Place {
    /// A length of the case's own may be more than the storage: no address is longer.
    fn new(wanted: AddressPlace) -> Place {
        let storage = SockAddrStorage::zeroed();
        let len = wanted.len.unwrap_or(storage.size_of());
        Place { storage, len, wanted }
    }

    fn pointers(&mut self) -> (*mut sockaddr, *mut socklen_t) {
        let storage = (&raw mut self.storage).cast();
        let address = if self.wanted.bad { BAD as *mut sockaddr } else { storage };
        (address, &raw mut self.len)
    }

    /// The address, unless it was cut: half of one names nobody.
    fn address(self) -> Option<crate::model::Address> {
        if self.wanted.len.is_some_and(|wanted| self.len > wanted) {
            return None;
        }
        let len = self.len.min(self.storage.size_of());
        // SAFETY: the system wrote an address of this length, cut to the size of the storage.
        address::from_system(&unsafe { SockAddr::new(self.storage, len) })
    }
}
