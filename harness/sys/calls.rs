//! A [`Request`] as one call of the system, and its answer: what all systems do alike. What differs
//! stands in each one's own `calls`, and what is only spelt differently in its `native`.
//!
//! Everything that can be prepared is prepared before the call is entered; between [`Gate::enter`]
//! and [`Gate::leave`] there is the call alone. A bad pointer is [`BAD`].

use super::clock::now;
use super::{AddressPlace, Fd, Flags, Iov, Reply, Request, Target};
use crate::model::address::Address;
use crate::model::outcome::{Answer, Outcome};
use crate::model::time::Shown;
use socket2::{SockAddr, SockAddrStorage};
use std::ptr::null_mut;
use std::time::{Duration, Instant};

#[cfg(unix)]
use super::unix::{address, errno, names, native};
#[cfg(windows)]
use super::windows::{address, errno, names, native};
use native::{Length, Socket, sockaddr};

/// An address that is never mapped: it lies in the first page.
pub const BAD: usize = 8;

/// Why a request was not handed over: the fragment for [`Reply::NotHere`].
pub type NotHere = String;

/// The fragment for a name that this system lacks.
pub fn lacking(name: &str) -> NotHere {
    format!("no {name} on this system")
}

/// The value beside a name.
pub fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// Refuses flags where the call takes none.
///
/// # Errors
/// There are some.
pub fn no_flags(takes_none: bool, flags: &Flags) -> Result<(), NotHere> {
    match flags.names.first() {
        Some(flag) if takes_none => Err(format!("read and write take no {flag}")),
        _ => Ok(()),
    }
}

/// Where so many buffers begin that data of this length is cut into, and how long each is: all
/// alike, and the last one takes what is left over.
pub fn cut(len: usize, buffers: Iov) -> impl Iterator<Item = (usize, usize)> {
    let count = buffers.map_or(1, |count| count as usize);
    let each = len.checked_div(count).unwrap_or(0);
    (0..count).map(move |nth| {
        let is_last = nth + 1 == count;
        (nth * each, if is_last { len - nth * each } else { each })
    })
}

/// The low bits of a number as an `int`: what C makes of a number that is too large.
pub fn int(number: i128) -> Vec<u8> {
    (number as i32).to_ne_bytes().to_vec()
}

/// A duration as a case writes it: the value of an option. Zero and less have meanings of their
/// own: off, the default.
pub fn time_of(number: i32, unit_ms: u64) -> Answer {
    match u64::try_from(number) {
        Ok(count) if count > 0 => {
            let time = Duration::from_millis(count * unit_ms);
            Answer::Word(Shown(time).to_string())
        }
        _ => Answer::Number(i64::from(number)),
    }
}

/// Told directly before and directly after the call.
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

/// What a call returned, or its error number.
pub type Returned = Result<i64, i32>;

impl Call<'_> {
    /// Makes the call and nothing else. -1 is an error, on Windows under the names SOCKET_ERROR
    /// and INVALID_SOCKET.
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

    /// A call whose answer is the number that it returns.
    pub fn plain(&mut self, call: impl FnOnce() -> i32) -> Outcome {
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
                // SAFETY: the argument is an address of this length, or bad on purpose: then the
                // system answers with an error, or ends a process that is there to be ended.
                self.plain(|| unsafe { native::bind(number(*fd), to.pointer(), to.len) })
            }
            Request::Connect { fd, to } => {
                let to = Argument::new(to)?;
                // SAFETY: as for bind.
                self.plain(|| unsafe { native::connect(number(*fd), to.pointer(), to.len) })
            }
            Request::Listen { fd, backlog } => {
                // SAFETY: the calls without pointers may be made with any numbers; descriptors
                // that belong to the harness are known to nobody who writes requests.
                self.plain(|| unsafe { native::listen(number(*fd), *backlog) })
            }
            // SAFETY: as for listen.
            Request::Close { fd } => self.plain(|| unsafe { native::close(number(*fd)) }),
            Request::Shutdown { fd, how } => {
                let how = names::how(*how);
                // SAFETY: as for listen.
                self.plain(|| unsafe { native::shutdown(number(*fd), how) })
            }
            Request::Dup { fd } => {
                let returned = self.enter(|| native::dup(*fd));
                self.outcome(returned, Answer::Fd)
            }
            Request::Accept { fd, place, flags } => self.accept(*fd, *place, flags)?,
            Request::Fcntl { fd, op } => self.fcntl(*fd, *op)?,
            Request::Chmod { path, mode } => self.chmod(path, *mode)?,
            Request::Ioctl { fd, request } => self.ioctl(*fd, request)?,
            Request::Getsockname { fd, place } => {
                // SAFETY: the pointers are to a storage and its size, or bad on purpose.
                self.name_by(*fd, *place, |fd, to, len| unsafe { native::getsockname(fd, to, len) })
            }
            Request::Getpeername { fd, place } => {
                // SAFETY: as for getsockname.
                self.name_by(*fd, *place, |fd, to, len| unsafe { native::getpeername(fd, to, len) })
            }
            Request::Send { .. } | Request::Recv { .. } => self.data(request)?,
            Request::Setsockopt { fd, option, value, bad } => {
                self.set_option(*fd, *option, value, *bad)?
            }
            Request::Getsockopt { fd, option, fields, bad } => {
                self.get_option(*fd, *option, fields, *bad)?
            }
            Request::Poll { fd, events, timeout_ms } => self.poll(*fd, events, *timeout_ms)?,
            Request::Select { fd, timeout_ms } => self.select(*fd, *timeout_ms)?,
            Request::EpollCreate | Request::EpollCtl { .. } | Request::EpollWait { .. } => {
                self.epoll(request)?
            }
        })
    }

    /// accept() by the call given, which gets null pointers where no address is wanted.
    pub fn accept_by(
        &mut self,
        fd: Fd,
        wanted: AddressPlace,
        call: impl FnOnce(Socket, *mut sockaddr, *mut Length) -> i64,
    ) -> Outcome {
        let mut place = Place::new(wanted);
        let (pointer, len) = match wanted == AddressPlace::default() {
            true => (null_mut(), null_mut()),
            false => place.pointers(),
        };
        let returned = self.enter(|| call(number(fd), pointer, len));
        let told = place.len_told();
        let outcome = self.outcome(returned, |fd| match place.address().filter(|_| wanted.told) {
            Some(from) => Answer::Accepted { fd, from },
            None => Answer::Fd(fd),
        });
        outcome.with_addrlen(told)
    }

    /// An address of a socket by the call given.
    fn name_by(
        &mut self,
        fd: Fd,
        wanted: AddressPlace,
        call: impl FnOnce(Socket, *mut sockaddr, *mut Length) -> i32,
    ) -> Outcome {
        let mut place = Place::new(wanted);
        let (pointer, len) = place.pointers();
        let returned = self.enter(|| i64::from(call(number(fd), pointer, len)));
        let told = place.len_told();
        let outcome = self.outcome(returned, |_| match place.address() {
            Some(address) => Answer::Addr(address),
            None => Answer::Value(0),
        });
        outcome.with_addrlen(told)
    }
}

/// The own address of a descriptor of this process: the harness's question, not a recorded call.
pub fn own_address(fd: Fd) -> Option<Address> {
    // SAFETY: the pointers are to a storage and its size, and any descriptor number may be asked.
    name_of(fd, |fd, to, len| unsafe { native::getsockname(fd, to, len) })
}

/// The address that this call tells, given a place for one and its size.
pub fn name_of(
    fd: Fd,
    call: impl FnOnce(Socket, *mut sockaddr, *mut Length) -> i32,
) -> Option<Address> {
    let mut place = Place::new(AddressPlace::default());
    let (pointer, len) = place.pointers();
    if call(number(fd), pointer, len) == 0 { place.address() } else { None }
}

/// A descriptor as the system counts it.
pub fn number(fd: Fd) -> Socket {
    fd as Socket
}

/// An address handed to the system.
pub struct Argument {
    /// None: bad on purpose.
    address: Option<AddressBytes>,
    /// The length told to it.
    pub len: Length,
}

/// More than any system reads of an address, however long it is told to be: the BSDs read 255
/// bytes, Linux refuses more than 128.
const ADDRESS_BYTES_MAX: usize = 256;

/// Aligned as an address is: Winsock is a library, which reads it where it lies.
#[repr(align(8))]
struct AddressBytes([u8; ADDRESS_BYTES_MAX]);

impl Argument {
    /// The argument that a request asks for.
    ///
    /// # Errors
    /// The system's addresses are shorter.
    pub fn new(to: &Target) -> Result<Argument, NotHere> {
        let told = to.len.map(|len| len as Length);
        let Some(wanted) = &to.address else {
            return Ok(Argument { address: None, len: told.unwrap_or(address::SOCKADDR_IN) });
        };
        let Some(known) = address::to_system(wanted) else {
            return Err("the name is too long for an address of this system".to_owned());
        };
        let mut bytes = AddressBytes([0; ADDRESS_BYTES_MAX]);
        let size = size_of::<SockAddrStorage>();
        // SAFETY: the storage is that large, was zeroed before it was filled, and is longer than
        // the address; the array is longer still.
        unsafe {
            let start = known.as_ptr().cast::<u8>();
            bytes.0.as_mut_ptr().copy_from_nonoverlapping(start, size);
        }
        Ok(Argument { address: Some(bytes), len: told.unwrap_or(known.len()) })
    }

    /// Where it lies, as long as this lives.
    pub fn pointer(&self) -> *const sockaddr {
        match &self.address {
            Some(address) => address.0.as_ptr().cast(),
            None => BAD as *const sockaddr,
        }
    }
}

/// A place for an address that the system gives.
pub struct Place {
    storage: SockAddrStorage,
    /// The length told to the system, and then by it.
    pub len: Length,
    wanted: AddressPlace,
}

impl Place {
    /// A length of the case's own may be more than the storage: no address is longer.
    pub fn new(wanted: AddressPlace) -> Place {
        let storage = SockAddrStorage::zeroed();
        let len = wanted.len.map_or(storage.size_of(), |len| len as Length);
        Place { storage, len, wanted }
    }

    /// Where the address goes, and its length.
    pub fn pointers(&mut self) -> (*mut sockaddr, *mut Length) {
        let storage = (&raw mut self.storage).cast();
        let address = if self.wanted.bad { BAD as *mut sockaddr } else { storage };
        (address, &raw mut self.len)
    }

    /// The length, where it is asked for.
    fn len_told(&self) -> Option<i64> {
        self.wanted.len_told.then_some(self.len.into())
    }

    /// The address, unless it was cut: half of one names nobody.
    pub fn address(self) -> Option<Address> {
        if self.wanted.len.is_some_and(|wanted| self.len > wanted as Length) {
            return None;
        }
        // A length is a signed number on Windows.
        let len = self.len.clamp(0, self.storage.size_of());
        // SAFETY: the system wrote an address of this length, cut to the size of the storage.
        address::from_system(&unsafe { SockAddr::new(self.storage, len) })
    }
}
