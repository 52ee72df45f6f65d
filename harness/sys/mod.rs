//! Floor 2: the operating system. The only `unsafe`, the only `target_os`.
//!
//! This file is the contract that every back end fulfils; above it nobody knows which system this
//! is, one asks for capabilities. A [`Stack`] is a system under test, a [`Ground`] is the place
//! where one run happens (a namespace of its own where the system has such a thing), a [`Caller`]
//! makes calls on one thread of one process of the run.
//!
//! What a back end promises:
//!
//! 1. A [`Request`] is handed to the system as it is; no error is rewritten, no call repeated.
//! 2. [`Ground::settle`] returns only when everything that the calls so far caused has been
//!    delivered and captured, or with an error. How, is its own business.
//! 3. Times are the system clock's time since the Unix epoch, for calls and packets alike.
//! 4. Dropping a [`Ground`] leaves no process, no namespace and no descriptor behind.
//! 5. Nothing outside the ground is changed.

use crate::model::address::Address;
use crate::model::capability::{Capability, Lack};
use crate::model::case::Family;
use crate::model::host::{FirewallVerdict, LinkChange, RouteKind};
use crate::model::name::Name;
use crate::model::outcome::Outcome;
use crate::model::platform::Platform;
use crate::wire::Captured;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// A descriptor's number, wide enough for a Windows `SOCKET`.
pub type Fd = i64;

/// A system under test. The local one is made by [`local`], scripted ones by `fake`.
pub trait Stack: Send + Sync {
    /// What this is, for headers of records.
    fn machine(&self) -> &Machine;

    /// Whether it can do that here and now.
    ///
    /// # Errors
    /// Why not, and what would help.
    fn can(&self, capability: Capability) -> Result<(), Lack>;

    /// Whether this system has that setting, `net.ipv4.tcp_syn_retries`.
    ///
    /// # Errors
    /// It has none of that name.
    fn has_setting(&self, _name: &str) -> Result<(), Lack> {
        Ok(())
    }

    /// How many runs may be under way at a time in this process: where runs share the process's
    /// descriptors, or a limit of the machine's, they must not meet; where they sleep in every
    /// step, too many would wake at once.
    fn runs_at_once(&self) -> usize {
        usize::MAX
    }

    /// Opens the place for one run, for the calling thread and the threads that it starts.
    ///
    /// # Errors
    /// The harness or the machine is at fault, never the stack under test.
    fn open(&self, plan: &Plan) -> Result<Box<dyn Ground>, Trouble>;
}

/// What is known of a machine: the header of its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// `linux`, …: see [`Platform`].
    pub platform: String,
    /// The release key: `6.18`.
    pub release: String,
    /// The whole release as the system tells it: `6.18.44-cloud-amd64`.
    pub kernel: String,
    /// `x86_64`, …
    pub arch: String,
    /// How packets are seen: `raw sockets`, or `none`.
    pub capture: String,
    /// The device of the wire: `tun`, `veth`, or `none`.
    pub wire: String,
    /// `netns` or `shared`.
    pub isolation: String,
    /// What is pinned for every run or, where nothing can be, what was found:
    /// `net.ipv4.tcp_rmem` → `4096 131072 6291456`.
    pub settings: BTreeMap<String, String>,
}

impl Machine {
    /// Whether packets are part of its records.
    pub fn captures(&self) -> bool {
        self.capture != "none"
    }

    /// The platform and release of its records.
    pub fn platform(&self) -> Platform {
        let release = crate::model::Release::parse(&self.release);
        let release = release.unwrap_or(crate::model::Release(Vec::new()));
        Platform { id: self.platform.clone(), release }
    }
}

/// What one run needs of its ground.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The address family of the run.
    pub family: Family,
    /// Settings to pin for this run alone, besides those of [`Machine::settings`].
    pub settings: BTreeMap<String, String>,
    /// The CPU to run on, from [`cpus`]; none: any.
    pub cpu: Option<usize>,
    /// Processes to start.
    pub processes: Vec<Name>,
    /// The run has a wire: a device whose far end is the harness. Its addresses stand in
    /// [`crate::model::wire`].
    pub wire: bool,
    /// The run sets a firewall: packets are to be seen before it has seen them.
    pub firewall: bool,
}

/// The place where one run happens. It belongs to the thread that opened it.
pub trait Ground {
    /// A new thread's worth of calls in the process `process` (none: this one). The caller is
    /// moved to the thread that will use it.
    ///
    /// # Errors
    /// [`Trouble`] if the process is gone or cannot be reached.
    fn caller(&mut self, process: Option<&Name>) -> Result<Box<dyn Caller>, Trouble>;

    /// Waits until everything that the calls so far caused has been delivered, and hands over the
    /// packets seen since the last time, in the order in which the system stamped them.
    ///
    /// # Errors
    /// [`Trouble::CaptureOverflow`] if packets were lost.
    fn settle(&mut self) -> Result<Vec<Captured>, Trouble>;

    /// Puts a packet, from its IP header on, on the wire, as if its far end had sent it. Returns
    /// when the local stack has it.
    ///
    /// # Errors
    /// [`Trouble`] if the run has no wire, or the device refuses the packet.
    fn inject(&mut self, _packet: &[u8]) -> Result<(), Trouble> {
        Err(Trouble::Failed("this run has no wire".to_owned()))
    }

    /// Does something to the machine around the run, in the run's own namespace.
    ///
    /// # Errors
    /// [`Trouble::Lacks`] if it cannot be done here.
    fn host(&mut self, _act: &HostAct) -> Result<Acted, Trouble> {
        Err(Trouble::Failed("this run has the machine for itself no more than others".to_owned()))
    }

    /// Lets time pass. Packets that come meanwhile are stamped when they come, not when the time is
    /// over.
    fn pass(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    /// Whether settling takes longer than a moment, so that a run should let others work meanwhile.
    fn waits_to_settle(&self) -> bool {
        false
    }

    /// When the last settling was over, if it is known: whoever goes on much later has been put
    /// aside.
    fn settled_at(&self) -> Option<Duration> {
        None
    }

    /// The own address of a descriptor: getsockname for the harness itself, not recorded. None for
    /// what has no address.
    fn address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address>;

    /// The far end's address of a descriptor: getpeername for the harness itself, not recorded.
    /// None where it has none, or cannot be asked.
    fn far_address(&mut self, _process: Option<&Name>, _fd: Fd) -> Option<Address> {
        None
    }

    /// A socket of the run has been given this port to itself, by the system: packets from and to
    /// it are the run's. The port of a socket that has connected is none of these: the system lets
    /// another run's socket connect from the same one.
    fn holds(&mut self, _port: u16) {}

    /// A port for `bind`: outside the ephemeral range of every system, not used before in this
    /// run, and not in use by anybody else.
    ///
    /// # Errors
    /// [`Trouble`] if there is none left.
    fn port(&mut self) -> Result<u16, Trouble>;

    /// A name for an AF_UNIX socket, in a place that goes with the ground.
    ///
    /// # Errors
    /// [`Trouble`] if no folder for it can be made.
    fn unix_name(&mut self, name: &str) -> Result<Address, Trouble>;

    /// An abstract name for an AF_UNIX socket: this one, and what makes it the run's own where
    /// others share the ground.
    fn unix_abstract(&mut self, name: &str) -> Address {
        Address::UnixAbstract(name.to_owned())
    }

    /// Gives the process a copy of a descriptor of this process, as fork would have done, and
    /// returns its number there.
    ///
    /// # Errors
    /// [`Trouble`] if the process is gone.
    fn share(&mut self, process: &Name, fd: Fd) -> Result<Fd, Trouble>;

    /// Does something to a process of the run; [`ProcessAct::Kill`] returns when it is gone.
    /// The answer of `Wait` is `killed by SIGPIPE` or `exited 0`, of the others empty.
    ///
    /// # Errors
    /// [`Trouble`] if there is no such process.
    fn process(&mut self, process: &Name, act: &ProcessAct) -> Result<String, Trouble>;

    /// The end of the recording: true when nothing was left unacknowledged or half closed within
    /// the bound.
    fn finish(&mut self) -> bool;
}

/// What can be done to the machine around a run, with everything resolved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HostAct {
    /// Packets are refused (`path` is the business of the scripted peer and never comes here).
    Firewall {
        /// What becomes of them.
        verdict: FirewallVerdict,
        /// On their way in, else out.
        incoming: bool,
        /// To this port; none: all TCP, UDP and ICMP packets.
        port: Option<u16>,
    },
    /// What was refused there is refused no longer.
    Lift {
        /// On the way in, else out.
        incoming: bool,
    },
    /// A route to a network, or a host, in CIDR form.
    Route {
        /// `192.0.2.2/32`
        to: String,
        /// What for.
        kind: RouteKind,
    },
    /// The wire's link, or `lo` where there is no wire, changes.
    Link(LinkChange),
    /// Settings, `net.…` only.
    Sysctl(Vec<(String, String)>),
    /// The connection of this descriptor of this process is aborted.
    Destroy {
        /// The descriptor.
        fd: Fd,
        /// Its far end, where that is known.
        far: Option<SocketAddr>,
        /// It is a listener's, and what is aborted is a handshake with the far end.
        handshake: bool,
    },
}

/// What came of something that was to be done to the machine around a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Acted {
    /// It is done.
    Done,
    /// There was nothing to do it to, or the stack does not do it: why.
    NotIssued(String),
}

/// What can be done to a process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProcessAct {
    /// Send it this signal.
    Kill(String),
    /// Let it make no descriptors of this number and above.
    Limit(u32),
    /// Let it give up its capabilities.
    Drop,
    /// Let it become the user `nobody`. What the run has put into files can be reached by all.
    Setuid,
    /// Let it call exit(0).
    Exit,
    /// Await its end, at most that long; nothing is told of a process that is still there.
    Wait(Duration),
}

/// Makes calls, one at a time, on the thread that it lives on (or, for another process, on a
/// thread there).
pub trait Caller: Send {
    /// Makes the call and waits for its end, however long that takes.
    fn issue(&mut self, request: &Request) -> Reply;

    /// A look from another thread at the call in progress.
    fn watch(&self) -> Box<dyn Watch>;
}

/// A look at another thread's call in progress.
pub trait Watch: Send {
    /// Whether the thread has entered its call and sleeps in the kernel. A condition, not a time,
    /// wherever the system tells it.
    fn asleep(&self) -> bool;

    /// How long the thread has been ready to run and had to wait for a CPU, in its whole life; zero
    /// where the system does not tell.
    fn held_up(&self) -> Duration {
        Duration::ZERO
    }

    /// Ends the call if it can be ended (with EINTR). Used only after recording has stopped.
    fn interrupt(&self);

    /// Sends the thread a signal whose handler does nothing and was installed with SA_RESTART, or
    /// without. False if the thread is not inside its call, or the system has no such signals.
    fn signal(&self, _restart: bool) -> bool {
        false
    }
}

/// What came of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The call was made.
    Done {
        /// What it returned.
        outcome: Outcome,
        /// When it was begun.
        began: Duration,
        /// How long it took.
        took: Duration,
    },
    /// This system has no such call, option or flag: the fragment that says so.
    NotHere(String),
}

/// The harness or the machine is at fault, never the stack under test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Packets were lost: the run says nothing.
    CaptureOverflow,
    /// Something that should work did not: what was tried, and the system's error.
    Failed(String),
    /// The run was not on its CPU when it should have been, and says nothing: for how long, and
    /// what is chance for that reason.
    Starved(String),
    /// The machine cannot do what the run needs.
    Lacks(Lack),
}

impl Trouble {
    /// The same, and which line of the case it was that failed.
    pub fn at_line(self, line: u32) -> Trouble {
        match self {
            Trouble::Failed(what) => Trouble::Failed(format!("line {line}: {what}")),
            other => other,
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::CaptureOverflow => f.write_str("capture overflowed: packets were lost"),
            Trouble::Failed(what) | Trouble::Starved(what) => f.write_str(what),
            Trouble::Lacks(lack) => write!(f, "{lack}"),
        }
    }
}

impl std::error::Error for Trouble {}

/// Where runs happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Isolation {
    /// A namespace for each run where that works, else shared.
    #[default]
    Auto,
    /// A namespace for each run, or nothing.
    Netns,
    /// The machine's own loopback; ports chosen so that runs do not meet.
    Shared,
}

/// Which device the wire is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WireDevice {
    /// The first that works.
    #[default]
    Auto,
    /// TUN, or nothing.
    Tun,
    /// A veth pair, or nothing.
    Veth,
}

/// How to set up the local stack.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LocalOptions {
    /// Where runs happen.
    pub isolation: Isolation,
    /// Leave the settings as this machine has them (`run --settings host`).
    pub host_settings: bool,
    /// The device of the wire.
    pub wire: WireDevice,
    /// In place of the detected platform: `rhel-9-5.14`, `gvisor-20240729`.
    pub platform: Option<String>,
}

#[cfg(any(target_os = "linux", target_os = "macos", target_os = "freebsd", windows))]
mod calls;
pub mod clock;
mod finding;
#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
mod request;
pub mod shared;
#[cfg(any(target_os = "linux", target_os = "macos", target_os = "freebsd"))]
mod unix;
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "freebsd", windows)))]
mod unsupported;
#[cfg(windows)]
mod windows;

pub mod fake;

pub use finding::Finding;
pub use request::{AddressPlace, Beside, Buffer, Fds, Flags, Iov, Request, Target, To};

#[cfg(target_os = "linux")]
pub use linux::{Prepared, cpus, doctor, local, on_interrupt, prepare, set_env_before_threads};
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "freebsd", windows)))]
pub use shared::start::set_env_before_threads;
#[cfg(any(target_os = "macos", target_os = "freebsd"))]
pub use unix::{
    bsd::{Prepared, cpus, doctor, local, prepare, set_env_before_threads},
    ctrl_c::on_interrupt,
};
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "freebsd", windows)))]
pub use unsupported::{Prepared, cpus, doctor, local, on_interrupt, prepare};
#[cfg(windows)]
pub use windows::{Prepared, cpus, doctor, local, on_interrupt, prepare, set_env_before_threads};
