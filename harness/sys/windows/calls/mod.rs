//! A [`Request`] as one Winsock call, and its answer.
//!
//! Everything that can be prepared is prepared before the call is entered; between [`Gate::enter`]
//! and [`Gate::leave`] there is the call alone. A bad pointer is [`BAD`]. Winsock is a library in
//! the process that calls it: a bad pointer that it does not check ends the process, and that is
//! the answer then.
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

use super::names::{self, NotHere, lacking};
use super::{address, copy, errno, now};
use crate::model::call::{Domain, FcntlOp, Kind};
use crate::model::outcome::{Answer, Outcome};
use crate::sys::{AddressPlace, Fd, Reply, Request, Target};
use socket2::{SockAddr, SockAddrStorage};
use std::ptr::null_mut;
use std::time::{Duration, Instant};
use windows_sys::Win32::Networking::WinSock::{self as ws, SOCKADDR, SOCKET};

/// An address that is never mapped: it lies in the first page.
pub const BAD: usize = 8;

/// Told directly before and directly after the call.
pub trait Gate {
    /// The next thing that this thread does is the call.
    fn enter(&self);
    /// The call has returned.
    fn leave(&self);
}

/// Makes the call that the request asks for.
pub fn make(request: &Request, gate: &dyn Gate) -> Reply {
    super::winsock::start();
    let mut call = Call { gate, began: Duration::ZERO, took: Duration::ZERO };
    match call.dispatch(request) {
        Ok(outcome) => Reply::Done { outcome, began: call.began, took: call.took },
        Err(why) => Reply::NotHere(why),
    }
}

/// One call and its times.
struct Call<'a> {
    gate: &'a dyn Gate,
    began: Duration,
    took: Duration,
}

/// What a call returned, or its error number.
type Returned = Result<i64, i32>;

impl Call<'_> {
    /// Makes the call and nothing else.
    fn enter(&mut self, call: impl FnOnce() -> i64) -> Returned {
        self.gate.enter();
        self.began = now();
        let entered = Instant::now();
        let returned = call();
        let errno = errno::last();
        self.gate.leave();
        // Not by the system clock, which somebody may set meanwhile.
        self.took = entered.elapsed();
        // SOCKET_ERROR, and INVALID_SOCKET as a signed number.
        if returned == -1 { Err(errno) } else { Ok(returned) }
    }

    /// The outcome of a call that answers `answer` when it succeeds.
    fn outcome(&self, returned: Returned, answer: impl FnOnce(i64) -> Answer) -> Outcome {
        match returned {
            Ok(value) => Outcome::ok(answer(value)),
            Err(raw) => Outcome::failed(errno::name(raw), raw),
        }
    }

    fn plain(&mut self, call: impl FnOnce() -> i32) -> Outcome {
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
                // SAFETY: the argument is an address of this length, or bad on purpose.
                self.plain(|| unsafe { ws::bind(number(*fd), to.pointer(), to.len) })
            }
            Request::Connect { fd, to } => {
                let to = Argument::new(to)?;
                // SAFETY: as for bind.
                self.plain(|| unsafe { ws::connect(number(*fd), to.pointer(), to.len) })
            }
            Request::Listen { fd, backlog } => {
                // SAFETY: the calls without pointers may be made with any numbers; the process has
                // no sockets but those of its run.
                self.plain(|| unsafe { ws::listen(number(*fd), *backlog) })
            }
            // SAFETY: as for listen.
            Request::Close { fd } => self.plain(|| unsafe { ws::closesocket(number(*fd)) }),
            Request::Shutdown { fd, how } => {
                let how = names::how(*how);
                // SAFETY: as for listen.
                self.plain(|| unsafe { ws::shutdown(number(*fd), how) })
            }
            Request::Dup { fd } => {
                let returned = self.enter(|| copy::of(*fd));
                self.outcome(returned, Answer::Fd)
            }
            Request::Accept { fd, place, flags } => self.accept(*fd, *place, flags)?,
            Request::Fcntl { fd, op } => self.fcntl(*fd, *op)?,
            Request::Ioctl { fd, request } => self.ioctl(*fd, request)?,
            Request::Getsockname { fd, place } => self.name(*fd, *place, ws::getsockname),
            Request::Getpeername { fd, place } => self.name(*fd, *place, ws::getpeername),
            Request::Send { .. } | Request::Recv { .. } => self.data(request)?,
            Request::Setsockopt { fd, option, value, bad } => {
                self.set_option(*fd, option, value, *bad)?
            }
            Request::Getsockopt { fd, option, bad } => self.get_option(*fd, option, *bad)?,
            Request::Poll { fd, events, timeout_ms } => self.poll(*fd, events, *timeout_ms)?,
            Request::Select { fd, timeout_ms } => self.select(*fd, *timeout_ms),
            Request::EpollCreate | Request::EpollCtl { .. } | Request::EpollWait { .. } => {
                return Err(lacking("epoll"));
            }
        })
    }

    fn socket(&mut self, domain: Domain, kind: Kind, protocol: i32, nonblock: bool) -> Outcome {
        let (domain, kind) = (names::domain(domain), names::kind(kind));
        // SAFETY: there is no pointer.
        let returned = self.enter(|| unsafe { ws::socket(domain, kind, protocol) } as i64);
        if let (true, Ok(fd)) = (nonblock, returned) {
            set_nonblocking(fd, true);
        }
        self.outcome(returned, Answer::Fd)
    }

    fn accept(
        &mut self,
        fd: Fd,
        wanted: AddressPlace,
        flags: &[String],
    ) -> Result<Outcome, NotHere> {
        if !flags.is_empty() {
            return Err(lacking("accept4"));
        }
        let mut place = Place::new(wanted);
        let (pointer, len) = match wanted == AddressPlace::default() {
            true => (null_mut(), null_mut()),
            false => place.pointers(),
        };
        // SAFETY: null pointers say that no address is wanted; others are to a storage and a
        // length, or bad on purpose.
        let returned = self.enter(|| unsafe { ws::accept(number(fd), pointer, len) } as i64);
        Ok(self.outcome(returned, |fd| match place.address().filter(|_| wanted.told) {
            Some(from) => Answer::Accepted { fd, from },
            None => Answer::Fd(fd),
        }))
    }

    fn fcntl(&mut self, fd: Fd, op: FcntlOp) -> Result<Outcome, NotHere> {
        let nonblocking = match op {
            FcntlOp::SetNonblock => true,
            FcntlOp::ClearNonblock => false,
            // Winsock keeps the mode to itself.
            FcntlOp::GetFl => return Err(lacking("F_GETFL")),
            FcntlOp::GetFd => return Err(lacking("F_GETFD")),
        };
        Ok(self.plain(|| set_nonblocking(fd, nonblocking)))
    }

    fn ioctl(&mut self, fd: Fd, request: &str) -> Result<Outcome, NotHere> {
        let code = names::find(names::IOCTLS, request).ok_or_else(|| lacking(request))?;
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

type NameCall = unsafe extern "system" fn(SOCKET, *mut SOCKADDR, *mut i32) -> i32;

/// A descriptor as the system counts it.
fn number(fd: Fd) -> SOCKET {
    fd as SOCKET
}

fn set_nonblocking(fd: Fd, nonblocking: bool) -> i32 {
    let mut mode = u32::from(nonblocking);
    // SAFETY: the request reads one u32.
    unsafe { ws::ioctlsocket(number(fd), ws::FIONBIO, &raw mut mode) }
}

/// An address handed to the system.
struct Argument {
    /// None: bad on purpose.
    address: Option<[u8; ADDRESS_BYTES_MAX]>,
    len: i32,
}

/// More than any system reads of an address, however long it is told to be.
const ADDRESS_BYTES_MAX: usize = 256;

impl Argument {
    fn new(to: &Target) -> Result<Argument, NotHere> {
        let told = to.len.map(|len| len as i32);
        let Some(wanted) = &to.address else {
            return Ok(Argument { address: None, len: told.unwrap_or(address::SOCKADDR_IN) });
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
        Ok(Argument { address: Some(bytes), len: told.unwrap_or(known.len()) })
    }

    fn pointer(&self) -> *const SOCKADDR {
        match &self.address {
            Some(address) => address.as_ptr().cast(),
            None => BAD as *const SOCKADDR,
        }
    }
}

/// A place for an address that the system gives.
struct Place {
    storage: SockAddrStorage,
    /// The length told to the system, and then by it.
    len: i32,
    wanted: AddressPlace,
}

impl Place {
    /// A length of the case's own may be more than the storage: no address is longer.
    fn new(wanted: AddressPlace) -> Place {
        let storage = SockAddrStorage::zeroed();
        let len = wanted.len.map_or(storage.size_of(), |len| len as i32);
        Place { storage, len, wanted }
    }

    fn pointers(&mut self) -> (*mut SOCKADDR, *mut i32) {
        let storage = (&raw mut self.storage).cast();
        let address = if self.wanted.bad { BAD as *mut SOCKADDR } else { storage };
        (address, &raw mut self.len)
    }

    /// The address, unless it was cut: half of one names nobody.
    fn address(self) -> Option<crate::model::Address> {
        if self.wanted.len.is_some_and(|wanted| self.len > wanted as i32) {
            return None;
        }
        let len = self.len.clamp(0, self.storage.size_of());
        // SAFETY: the system wrote an address of this length, cut to the size of the storage.
        address::from_system(&unsafe { SockAddr::new(self.storage, len) })
    }
}
