//! The processes of a run, from the outside.
//!
//! Sockets are handles here, and a process has one table of them, in which a number that was
//! closed is soon another's. So that runs can go on side by side, and a call on a closed
//! descriptor reaches nobody else's socket, each run's own calls are made in a process of its own,
//! its *home*; the processes of a case are others of the same kind. What blocks at the end of a run
//! ends with its process.

use super::channel::{self, Crash, LaneId, Order, Told};
use super::child::ARGUMENT;
use crate::model::address::Address;
use crate::model::capability::Lack;
use crate::model::name::Name;
use crate::model::outcome::{Answer, Outcome};
use crate::sys::calls;
use crate::sys::clock::now;
use crate::sys::{Caller, Fd, ProcessAct, Reply, Request, Trouble, Watch};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::io;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use windows_sys::Win32::Foundation::{EXCEPTION_ACCESS_VIOLATION, STATUS_STACK_BUFFER_OVERRUN};

/// How long a process may take to start, to answer or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The processes of one run. Dropping them ends them.
pub struct Processes {
    home: Process,
    others: BTreeMap<Name, Process>,
}

impl Processes {
    /// Starts them.
    ///
    /// # Errors
    /// What the machine refuses.
    pub fn start(names: &[Name]) -> Result<Processes, Trouble> {
        let start = |name: &Name| Ok((name.clone(), Process::start(&name.to_string())?));
        Ok(Processes {
            home: Process::start("the run's process")?,
            others: names.iter().map(start).collect::<Result<_, Trouble>>()?,
        })
    }

    fn get(&self, name: Option<&Name>) -> Result<&Process, Trouble> {
        let Some(name) = name else { return Ok(&self.home) };
        let known = self.others.get(name);
        known.ok_or_else(|| Trouble::Failed(format!("no process {name}")))
    }
}

impl crate::sys::shared::Callers for Processes {
    fn caller(&mut self, process: Option<&Name>) -> Result<Box<dyn Caller>, Trouble> {
        Ok(Box::new(self.get(process)?.caller()))
    }

    fn address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address> {
        self.get(process).ok()?.ask(&Order::Address(fd)).ok()?
    }

    fn share(&mut self, process: &Name, fd: Fd) -> Result<Fd, Trouble> {
        let other = self.get(Some(process))?;
        let failed = |raw| Trouble::Failed(format!("a copy of a socket for {process}: {raw}"));
        let described: Result<Vec<u8>, i32> = self.home.ask(&Order::Duplicate(fd, other.id))?;
        let adopted: Result<Fd, i32> = other.ask(&Order::Adopt(described.map_err(failed)?))?;
        adopted.map_err(failed)
    }

    fn act(&mut self, process: &Name, act: &ProcessAct) -> Result<String, Trouble> {
        self.get(Some(process))?.act(act)
    }
}

/// One process.
struct Process {
    name: String,
    id: u32,
    link: Arc<Link>,
}

/// The way to a process, used by several threads here.
struct Link {
    child: Mutex<Child>,
    orders: Mutex<ChildStdin>,
    /// Held from an order to its answer.
    answers: Mutex<Receiver<serde_json::Value>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What the process ended with.
    ended: Option<String>,
    /// The signal that it was sent, which nobody but the harness knows here.
    killed_by: Option<String>,
    /// Where replies go.
    lanes: BTreeMap<LaneId, Sender<Reply>>,
    lanes_made: LaneId,
}

impl Process {
    fn start(name: &str) -> Result<Process, Trouble> {
        let failed = |error: io::Error| Trouble::Failed(format!("starting {name}: {error}"));
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.arg(ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(failed)?;
        let id = child.id();
        let (orders, told) = (child.stdin.take(), child.stdout.take());
        let orders = orders.expect("it was started with a pipe at its input");
        let told = told.expect("it was started with a pipe at its output");
        let (answering, answers) = channel();
        let link = Arc::new(Link {
            child: Mutex::new(child),
            orders: Mutex::new(orders),
            answers: Mutex::new(answers),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let reader = Arc::clone(&link);
        let listen = move || reader.listen(told, &answering);
        std::thread::Builder::new().name("process".to_owned()).spawn(listen).map_err(failed)?;
        Ok(Process { name: name.to_owned(), id, link })
    }

    /// One more thread that makes calls in the process.
    fn caller(&self) -> Remote {
        let (sender, replies) = channel();
        let mut state = self.link.state();
        state.lanes_made += 1;
        let lane = state.lanes_made;
        // The lane of a process that has ended has no other end: its calls say so.
        if state.ended.is_none() {
            state.lanes.insert(lane, sender);
        }
        drop(state);
        Remote { link: Arc::clone(&self.link), lane, replies }
    }

    fn ask<T: DeserializeOwned>(&self, order: &Order) -> Result<T, Trouble> {
        let gone = |error| Trouble::Failed(format!("{} cannot be reached: {error}", self.name));
        self.link.ask(order).map_err(gone)
    }

    /// Does something to it.
    ///
    /// # Errors
    /// No such signal, or the process does not end.
    fn act(&self, act: &ProcessAct) -> Result<String, Trouble> {
        match act {
            ProcessAct::Wait(limit) => return Ok(self.link.await_end(*limit).unwrap_or_default()),
            ProcessAct::Limit(_) => {
                return Err(Trouble::Lacks(Lack::new(calls::lacking("RLIMIT_NOFILE"))));
            }
            ProcessAct::Drop => {
                return Err(Trouble::Lacks(Lack::new(calls::lacking("capabilities"))));
            }
            ProcessAct::Setuid => return Err(Trouble::Lacks(Lack::new(calls::lacking("setuid")))),
            ProcessAct::Exit => self.tell(&Order::Exit)?,
            ProcessAct::Kill(signal) => match signal.as_str() {
                // TerminateProcess is what runtimes make of both (libuv, CPython).
                "SIGKILL" | "SIGTERM" => {
                    self.link.state().killed_by = Some(signal.clone());
                    self.link.kill();
                }
                "SIGSEGV" => self.tell(&Order::Crash(Crash::Segv))?,
                "SIGABRT" => self.tell(&Order::Crash(Crash::Abort))?,
                other => return Err(Trouble::Lacks(Lack::new(calls::lacking(other)))),
            },
        }
        match self.link.await_end(PATIENCE) {
            Some(_) => Ok(String::new()),
            None => {
                let limit_s = PATIENCE.as_secs();
                Err(Trouble::Failed(format!("{} did not end within {limit_s} s", self.name)))
            }
        }
    }

    fn tell(&self, order: &Order) -> Result<(), Trouble> {
        let gone = |error| Trouble::Failed(format!("{} cannot be reached: {error}", self.name));
        self.link.send(order).map_err(gone)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.link.kill();
        self.link.await_end(PATIENCE);
    }
}

impl Link {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, order: &Order) -> io::Result<()> {
        channel::send(&*self.orders.lock().unwrap_or_else(PoisonError::into_inner), order)
    }

    fn ask<T: DeserializeOwned>(&self, order: &Order) -> io::Result<T> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        self.send(order)?;
        let answer = answers.recv_timeout(PATIENCE);
        let answer = answer.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(serde_json::from_value(answer)?)
    }

    /// TerminateProcess. What has ended already cannot be ended again, which is no matter.
    fn kill(&self) {
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }

    /// What the process ended with, as soon as it has, but no later than that.
    fn await_end(&self, limit: Duration) -> Option<String> {
        let running = |state: &mut State| state.ended.is_none();
        let waited = self.changed.wait_timeout_while(self.state(), limit, running);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended.clone()
    }

    /// Hands on what the process says, until it has ended.
    fn listen(&self, mut told: ChildStdout, answers: &Sender<serde_json::Value>) {
        while let Ok(message) = channel::receive(&mut told) {
            match message {
                Told::Reply(lane, reply) => {
                    if let Some(lane) = self.state().lanes.get(&lane) {
                        // A lane that nobody waits for any more was left behind.
                        let _ = lane.send(reply);
                    }
                }
                // As above: the question was given up.
                Told::Answer(answer) => drop(answers.send(answer)),
            }
        }
        let status = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
        let code = status.ok().and_then(|status| status.code());
        let mut state = self.state();
        state.ended = Some(describe(code, state.killed_by.as_deref()));
        state.lanes.clear();
        self.changed.notify_all();
    }
}

fn describe(code: Option<i32>, killed_by: Option<&str>) -> String {
    match (code, killed_by) {
        (_, Some(signal)) => format!("killed by {signal}"),
        (Some(EXCEPTION_ACCESS_VIOLATION), _) => "killed by SIGSEGV".to_owned(),
        // What abort() ends with.
        (Some(STATUS_STACK_BUFFER_OVERRUN), _) => "killed by SIGABRT".to_owned(),
        (Some(code), _) => format!("exited {code}"),
        (None, _) => "ended unseen".to_owned(),
    }
}

/// Calls on a thread of another process.
struct Remote {
    link: Arc<Link>,
    lane: LaneId,
    replies: Receiver<Reply>,
}

impl Caller for Remote {
    fn issue(&mut self, request: &Request) -> Reply {
        // If it cannot be told, there will be no reply either.
        let _ = self.link.send(&Order::Call(self.lane, request.clone()));
        self.replies.recv().unwrap_or_else(|_| Reply::Done {
            outcome: Outcome::ok(Answer::Died(self.link.await_end(PATIENCE).unwrap_or_default())),
            began: now(),
            took: Duration::ZERO,
        })
    }

    fn watch(&self) -> Box<dyn Watch> {
        Box::new(RemoteWatch { link: Arc::clone(&self.link), lane: self.lane })
    }
}

struct RemoteWatch {
    link: Arc<Link>,
    lane: LaneId,
}

impl Watch for RemoteWatch {
    fn asleep(&self) -> bool {
        self.link.ask(&Order::Asleep(self.lane)).unwrap_or(false)
    }

    /// Nothing of the run is looked at any more, so the call ends with its process.
    fn interrupt(&self) {
        self.link.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::describe;
    use rstest::rstest;

    #[rstest]
    #[case::by_itself(Some(0), None, "exited 0")]
    #[case::terminated(Some(1), Some("SIGKILL"), "killed by SIGKILL")]
    #[case::access_violation(Some(0xC000_0005_u32 as i32), None, "killed by SIGSEGV")]
    #[case::abort(Some(0xC000_0409_u32 as i32), None, "killed by SIGABRT")]
    fn an_end_is_told_as_elsewhere(
        #[case] code: Option<i32>,
        #[case] killed_by: Option<&str>,
        #[case] expected: &str,
    ) {
        assert_eq!(describe(code, killed_by), expected);
    }
}
