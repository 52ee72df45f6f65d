//! The processes of a case, from the outside.

use super::channel::{self, ENTERING, Order, REPLY};
use super::direct::Direct;
use super::inside::Inside;
use super::{address, aside, dialect, names, signal, spawn};
use crate::model::address::Address;
use crate::model::name::Name;
use crate::model::outcome::{Answer, Outcome};
use crate::sys::calls::own_address;
use crate::sys::clock::now;
use crate::sys::shared::Callers;
use crate::sys::{Caller, Fd, ProcessAct, Reply, Request, Trouble, Watch};
use libc::{c_int, pid_t};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a process may take to start, to answer or to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The processes of one run. Dropping them ends them.
#[derive(Default)]
pub struct Processes(BTreeMap<Name, Process>);

impl Processes {
    /// Starts them, where the calling thread is: in its namespace and on its CPU.
    ///
    /// # Errors
    /// What the machine refuses.
    pub fn start(names: &[Name]) -> Result<Processes, Trouble> {
        let start = |name: &Name| Ok((name.clone(), Process::start(name)?));
        names.iter().map(start).collect::<Result<_, Trouble>>().map(Processes)
    }

    fn get(&mut self, name: &Name) -> Result<&mut Process, Trouble> {
        let known = self.0.get_mut(name);
        known.ok_or_else(|| Trouble::Failed(format!("no process {name}")))
    }
}

impl Callers for Processes {
    fn caller(&mut self, process: Option<&Name>) -> Result<Box<dyn Caller>, Trouble> {
        Ok(match process {
            None => Box::new(Direct::default()),
            Some(name) => Box::new(self.get(name)?.caller()?),
        })
    }

    fn address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address> {
        match process {
            None => own_address(fd),
            Some(name) => self.get(name).ok()?.address(Order::Address(fd)),
        }
    }

    fn far_address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address> {
        match process {
            None => address::far(fd),
            Some(name) => self.get(name).ok()?.address(Order::FarAddress(fd)),
        }
    }

    fn share(&mut self, process: &Name, fd: Fd) -> Result<Fd, Trouble> {
        self.get(process)?.share(fd)
    }

    fn act(&mut self, process: &Name, act: &ProcessAct) -> Result<String, Trouble> {
        self.get(process)?.act(act)
    }
}

/// One process.
pub struct Process {
    name: Name,
    life: Arc<Life>,
    control: UnixStream,
    /// It was sent SIGSTOP and not SIGCONT since.
    stopped: Cell<bool>,
}

/// A process that is waited for once, whoever notices its end first.
struct Life {
    pid: pid_t,
    ended: Mutex<Option<String>>,
}

impl Life {
    /// Waits for the end of a process that is about to end, and tells it.
    fn end(&self) -> String {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let told = ended.get_or_insert_with(|| {
            let mut status: c_int = 0;
            // SAFETY: the pointer is to an int, and the child is ours and not yet waited for.
            while unsafe { libc::waitpid(self.pid, &raw mut status, 0) } == -1 {
                if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                    return "ended unseen".to_owned();
                }
            }
            describe(status)
        });
        told.clone()
    }

    /// Sends a signal, unless the process has been waited for: then its number may be another's.
    fn signal(&self, signal: c_int) {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.is_none() {
            // SAFETY: there is no pointer, and the number is still our child's.
            unsafe { libc::kill(self.pid, signal) };
        }
    }
}

fn describe(status: c_int) -> String {
    if libc::WIFSIGNALED(status) {
        format!("killed by {}", names::signal_name(libc::WTERMSIG(status)))
    } else {
        format!("exited {}", libc::WEXITSTATUS(status))
    }
}

impl Process {
    fn start(name: &Name) -> Result<Process, Trouble> {
        let failed = |error: io::Error| Trouble::Failed(format!("starting {name}: {error}"));
        let (control, inside) = UnixStream::pair().map_err(failed)?;
        control.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        let pid = spawn::spawn(inside.as_fd()).map_err(failed)?;
        let life = Arc::new(Life { pid, ended: Mutex::new(None) });
        Ok(Process { name: name.clone(), life, control, stopped: Cell::new(false) })
    }

    /// One more thread that makes calls in the process.
    ///
    /// # Errors
    /// The process is gone.
    pub fn caller(&self) -> Result<Remote, Trouble> {
        let (channel, inside) = UnixStream::pair().map_err(|error| self.gone(&error))?;
        let mut channel = UnixStream::from(aside(channel.into()));
        self.tell(Order::Caller, Some(inside.as_fd()))?;
        drop(inside);
        let mut thread = [0; size_of::<dialect::ThreadId>()];
        channel
            .set_read_timeout(Some(PATIENCE))
            .and_then(|()| channel.read_exact(&mut thread))
            .and_then(|()| channel.set_read_timeout(None))
            .map_err(|error| self.gone(&error))?;
        let thread = dialect::Thread::of(self.life.pid, dialect::ThreadId::from_ne_bytes(thread));
        let shared = Shared { channel, thread, inside: Inside::default() };
        Ok(Remote { shared: Arc::new(shared), life: Arc::clone(&self.life) })
    }

    /// Gives it a copy of a descriptor.
    ///
    /// # Errors
    /// The process is gone, or the descriptor is not open.
    pub fn share(&self, fd: Fd) -> Result<Fd, Trouble> {
        if fd < 0 {
            return Err(Trouble::Failed(format!("no descriptor {fd} to share")));
        }
        // SAFETY: sendmsg() alone gets the number, and answers EBADF where the case has closed it;
        // otherwise it is a socket of the run, which makes no call meanwhile.
        let passed = unsafe { BorrowedFd::borrow_raw(fd as c_int) };
        self.tell(Order::Share, Some(passed))?;
        self.told()
    }

    /// The address of a descriptor there that the order asks for.
    fn address(&self, order: Order) -> Option<Address> {
        self.tell(order, None).ok()?;
        self.told::<Option<Address>>().ok()?
    }

    /// Does something to it.
    ///
    /// # Errors
    /// No such signal, or the process does not end.
    pub fn act(&self, act: &ProcessAct) -> Result<String, Trouble> {
        match act {
            // macOS's poll looks for no end where nothing is asked for (XNU, poll_nocancel()).
            ProcessAct::Wait(limit) => Ok(match poll(&self.control, libc::POLLHUP, *limit) {
                true => self.life.end(),
                false => String::new(),
            }),
            ProcessAct::Limit(most) => {
                self.tell(Order::Limit(*most), None)?;
                self.done("setrlimit")
            }
            ProcessAct::Drop => {
                self.tell(Order::Drop, None)?;
                self.done("giving up capabilities")
            }
            ProcessAct::Setuid => {
                self.tell(Order::Setuid, None)?;
                self.done("becoming nobody")
            }
            ProcessAct::Exit => {
                self.tell(Order::Exit, None)?;
                self.await_end().map(|_| String::new())
            }
            ProcessAct::Kill(signal) => {
                let number = names::signal(signal)
                    .ok_or_else(|| Trouble::Failed(format!("no signal {signal}")))?;
                self.life.signal(number);
                match number {
                    libc::SIGSTOP => {
                        self.await_stop();
                        self.stopped.set(true);
                    }
                    libc::SIGCONT => self.stopped.set(false),
                    // A stopped process takes every other signal when it goes on.
                    number if self.stopped.get() && number != libc::SIGKILL => {}
                    _ => drop(self.await_end()?),
                }
                Ok(String::new())
            }
        }
    }

    /// What the process tells of an order that may fail.
    fn done(&self, what: &str) -> Result<String, Trouble> {
        match self.told::<Option<i32>>()? {
            None => Ok(String::new()),
            Some(errno) => {
                let error = io::Error::from_raw_os_error(errno);
                Err(Trouble::Failed(format!("{}: {what}: {error}", self.name)))
            }
        }
    }

    /// Waits until the process has ended: then its end of the channel is closed.
    fn await_end(&self) -> Result<String, Trouble> {
        // Every answer has been read, so what comes is the end of the stream.
        match poll(&self.control, libc::POLLIN, PATIENCE) {
            true => Ok(self.life.end()),
            false => {
                let limit_s = PATIENCE.as_secs();
                let what = format!("{} did not end within {limit_s} s", self.name);
                Err(Trouble::Failed(what))
            }
        }
    }

    /// Waits until a process that was sent SIGSTOP has stopped.
    fn await_stop(&self) {
        let mut status: c_int = 0;
        // SAFETY: the pointer is to an int; a stop cannot be refused, so the wait is short.
        let found = unsafe { libc::waitpid(self.life.pid, &raw mut status, libc::WUNTRACED) };
        if found == self.life.pid && !libc::WIFSTOPPED(status) {
            let mut ended = self.life.ended.lock().unwrap_or_else(PoisonError::into_inner);
            ended.get_or_insert_with(|| describe(status));
        }
    }

    fn tell(&self, order: Order, passed: Option<BorrowedFd<'_>>) -> Result<(), Trouble> {
        channel::send(&self.control, &order, passed).map_err(|error| self.gone(&error))
    }

    fn told<T: serde::de::DeserializeOwned>(&self) -> Result<T, Trouble> {
        let told = channel::receive(&self.control);
        told.map(|(told, _)| told).map_err(|error| self.gone(&error))
    }

    fn gone(&self, error: &io::Error) -> Trouble {
        Trouble::Failed(format!("{} cannot be reached: {error}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.life.signal(libc::SIGKILL);
        self.life.end();
    }
}

/// Waits for events on a channel, or for its other end to go.
fn poll(channel: &UnixStream, events: libc::c_short, limit: Duration) -> bool {
    let mut polled = libc::pollfd { fd: channel.as_raw_fd(), events, revents: 0 };
    // SAFETY: the pointer is to one pollfd.
    unsafe { libc::poll(&raw mut polled, 1, limit.as_millis() as c_int) > 0 }
}

/// Calls on a thread of another process.
pub struct Remote {
    shared: Arc<Shared>,
    life: Arc<Life>,
}

struct Shared {
    channel: UnixStream,
    thread: dialect::Thread,
    inside: Inside,
}

impl Caller for Remote {
    fn issue(&mut self, request: &Request) -> Reply {
        let asked = channel::send(&self.shared.channel, request, None);
        asked.and_then(|()| self.shared.reply()).unwrap_or_else(|_| Reply::Done {
            outcome: Outcome::ok(Answer::Died(self.life.end())),
            began: now(),
            took: Duration::ZERO,
        })
    }

    fn watch(&self) -> Box<dyn Watch> {
        Box::new(RemoteWatch(Arc::clone(&self.shared)))
    }
}

impl Shared {
    fn reply(&self) -> io::Result<Reply> {
        loop {
            // Whatever comes ends the time inside, so the flag falls before it is read.
            while !poll(&self.channel, libc::POLLIN, PATIENCE) {}
            self.inside.leave();
            let mut mark = [0];
            (&self.channel).read_exact(&mut mark)?;
            match mark[0] {
                ENTERING => self.inside.enter(),
                REPLY => return channel::receive(&self.channel).map(|(reply, _)| reply),
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// For how long the thread there has been inside: not any more, once it has sent something.
    fn time_inside(&self) -> Option<Duration> {
        let time = self.inside.time();
        time.filter(|_| !poll(&self.channel, libc::POLLIN, Duration::ZERO))
    }
}

struct RemoteWatch(Arc<Shared>);

impl Watch for RemoteWatch {
    fn asleep(&self) -> bool {
        let shared = &self.0;
        let sleeps = |time| shared.thread.sleeps(time);
        shared.time_inside().is_some_and(sleeps) && shared.time_inside().is_some()
    }

    fn held_up(&self) -> Duration {
        self.0.thread.held_up()
    }

    fn interrupt(&self) {
        self.signal(false);
    }

    fn signal(&self, restart: bool) -> bool {
        let is_inside = self.0.time_inside().is_some();
        if is_inside {
            self.0.thread.signal(signal::harmless(restart));
        }
        is_inside
    }
}
