//! The stack of macOS or FreeBSD: runs share the machine's loopback, on ports of their own, and
//! its packets are seen by `/dev/bpf`. Compiles; not yet run.
//!
//! Runs follow one another on the whole machine: they share the process's descriptors, where one
//! that a run has closed could become another run's, and the stack answers only some 200 times a
//! second with RST or ICMP, whoever asks.

mod capture;
mod device;
mod doctor;
pub mod file;
pub mod numbers;
mod sysctl;
mod turn;

pub use crate::sys::shared::start::{cpus, set_env_before_threads};
pub use doctor::doctor;

use super::dialect::{self, SYSTEM};
use super::machine::Uname;
use super::process::Processes;
use super::{child, signal};
use crate::model::Family;
use crate::model::capability::{Capability, Lack};
use crate::sys::shared::ports::Lease;
use crate::sys::shared::quiet::Quiet;
use crate::sys::shared::{self, Settling, SharedGround, Tap, bpf};
use crate::sys::{Ground, Isolation, LocalOptions, Machine, Plan, Stack, Trouble, WireDevice};
use crate::wire::Captured;
use capture::Bpf;
use device::Device;
use std::os::fd::RawFd;
use std::time::Duration;
use turn::Turn;

/// In what these systems differ, besides their dialects.
pub struct System {
    /// Longer than the longest delayed ACK.
    pub quiet: Duration,
    /// How bpf lays out packets.
    pub layout: bpf::Layout,
    /// What gives an ordinary user access to bpf.
    pub bpf_remedy: &'static str,
    /// What the wire's device is called.
    pub wire: &'static str,
    /// Packets that it keeps until they are read.
    pub wire_keeps: usize,
    /// Settings that change answers, as far as a release has them: numbers.
    pub numbers: &'static [&'static str],
    /// The same: words.
    pub words: &'static [&'static str],
}

// What is read from bpf has the layout that this system's headers declare.
const _: () = {
    let declared = std::mem::offset_of!(libc::bpf_hdr, bh_hdrlen);
    assert!(SYSTEM.layout.header_len_at() == declared);
    assert!(SYSTEM.layout.inet6 == libc::AF_INET6 as u32);
};

/// What was found at the start of the process: nothing.
#[derive(Clone, Debug)]
pub struct Prepared;

/// The first thing in `main`. A child process of a case is this program too; in it the function
/// does that process's work and does not return.
pub fn prepare() -> Prepared {
    child::run_if_asked();
    // An ignored signal would not become pending, not even where it is blocked. It is blocked in
    // every thread from here on, because macOS sends it to the process and not to the thread whose
    // call raised it: it would end the call of any other thread that does not block it.
    signal::catch(libc::SIGPIPE);
    signal::block(&[libc::SIGPIPE]);
    make_room_for_descriptors();
    Prepared
}

/// macOS allows 256 descriptors at first, below those that are kept for the harness's own. More
/// than this `select` does not take.
fn make_room_for_descriptors() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointers are to a limit that outlives the calls. Where the second one is refused,
    // the harness's descriptors stay where they are.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        let room = limit.rlim_max.min(libc::FD_SETSIZE as libc::rlim_t);
        limit.rlim_cur = limit.rlim_cur.max(room);
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
}

/// This machine's own stack.
///
/// # Errors
/// Something is asked for that these systems lack, or the platform given has no such form.
pub fn local(_: &Prepared, options: &LocalOptions) -> Result<Box<dyn Stack>, Lack> {
    if options.isolation == Isolation::Netns {
        return Err(Lack::new("no network namespaces on this system"));
    }
    let uname = Uname::ask();
    let detected = dialect::platform(&uname);
    let mut machine = uname.machine(detected, options.platform.as_deref())?;
    let mut features = Features::find();
    if options.wire == WireDevice::Veth {
        features.wire = Err(Lack::new("no veth on this system"));
    }
    if features.capture.is_ok() {
        machine.capture = "bpf".to_owned();
    }
    if features.wire.is_ok() {
        machine.wire = SYSTEM.wire.to_owned();
    }
    machine.settings = sysctl::found(SYSTEM.numbers, SYSTEM.words);
    Ok(Box::new(Bsd { machine, features }))
}

/// What this machine can do, found out once by trying.
struct Features {
    /// Packets are seen.
    capture: Result<(), Lack>,
    /// There is a device for the wire.
    wire: Result<(), Lack>,
    /// There is `::1`.
    ipv6: bool,
}

impl Features {
    fn find() -> Features {
        let no_bpf = |error| Lack::new(format!("/dev/bpf: {error}")).remedy(SYSTEM.bpf_remedy);
        Features {
            capture: Bpf::open().map(drop).map_err(no_bpf),
            wire: try_wire(),
            ipv6: shared::has_ipv6(),
        }
    }
}

fn try_wire() -> Result<(), Lack> {
    // SAFETY: there is no pointer.
    if unsafe { libc::geteuid() } != 0 {
        return Err(Lack::new(format!("{} is for root", SYSTEM.wire)).remedy("run it as root"));
    }
    let _turn = Turn::take().map_err(|error| Lack::new(format!("other runs: {error}")))?;
    Device::open(Family::V4).map(drop).map_err(Lack::new)
}

struct Bsd {
    machine: Machine,
    features: Features,
}

impl Stack for Bsd {
    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn can(&self, capability: Capability) -> Result<(), Lack> {
        match capability {
            Capability::AfUnix | Capability::Fork | Capability::Signal | Capability::Rlimit => {
                Ok(())
            }
            Capability::Ipv6 if self.features.ipv6 => Ok(()),
            Capability::Ipv6 => Err(Lack::new("no ::1 on this machine")),
            Capability::Capture => self.features.capture.clone(),
            // An ICMP error comes from the far end of the wire.
            Capability::Wire | Capability::IcmpInject => self.features.wire.clone(),
            // SAFETY: there is no pointer.
            Capability::OtherUser => match unsafe { libc::geteuid() } {
                0 => Ok(()),
                _ => Err(Lack::new("only root becomes another user").remedy("run it as root")),
            },
            other => Err(Lack::new(format!("no {other} on this system"))),
        }
    }

    fn open(&self, plan: &Plan) -> Result<Box<dyn Ground>, Trouble> {
        shared::refuse_changes(plan)?;
        let turn = Turn::take();
        let failed = |error| Trouble::Failed(format!("waiting for other runs: {error}"));
        let turn = turn.map_err(failed)?;
        let lease = Lease::begin();
        let mut sight = Sight { loopback: None, device: None, _turn: turn };
        let processes = Processes::start(&plan.processes)?;
        if plan.wire {
            self.features.wire.clone().map_err(Trouble::Lacks)?;
            let device = Device::open(plan.family);
            let failed = |what| Trouble::Failed(format!("the wire: {what}"));
            sight.device = Some(device.map_err(failed)?);
        }
        if self.features.capture.is_ok() {
            let failed = |error| Trouble::Failed(format!("capturing packets: {error}"));
            sight.loopback = Some(Bpf::open().map_err(failed)?);
        }
        let settling = Settling::Quiet(Box::new(sight), Quiet::of(SYSTEM.quiet));
        Ok(Box::new(SharedGround::new(plan, processes, lease, settling)))
    }

    fn runs_at_once(&self) -> usize {
        1
    }
}

/// Where packets are seen. Where nowhere, the time that a step takes to settle passes all the same.
struct Sight {
    loopback: Option<Bpf>,
    device: Option<Device>,
    /// Given back last, when the device is gone.
    _turn: Turn,
}

impl Tap for Sight {
    fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
        if let Some(loopback) = &mut self.loopback {
            loopback.drain(packets)?;
        }
        self.device.as_ref().map_or(Ok(()), |device| device.drain(packets))
    }

    fn stamps(&self) -> bool {
        self.loopback.is_some() && self.device.is_none()
    }

    fn wait(&mut self, limit: Duration) {
        let loopback = self.loopback.iter().map(Bpf::fd);
        let fds: Vec<RawFd> = loopback.chain(self.device.iter().map(Device::fd)).collect();
        readable(&fds, limit);
    }

    fn inject(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        self.device.as_ref().ok_or_else(shared::no_wire)?.inject(packet)
    }
}

/// Waits until one of them can be read, at most that long. By select, because macOS's poll knows
/// no devices.
fn readable(fds: &[RawFd], limit: Duration) {
    let within = || fds.iter().filter(|fd| **fd < libc::FD_SETSIZE as RawFd);
    let mut time = libc::timeval {
        tv_sec: limit.as_secs() as libc::time_t,
        tv_usec: limit.subsec_micros() as libc::suseconds_t,
    };
    let count = within().max().map_or(0, |fd| fd + 1);
    let nothing = std::ptr::null_mut;
    // SAFETY: all zeroes is an empty set, the descriptors and their count fit into it, and the set
    // and the time outlive the call.
    unsafe {
        let mut set: libc::fd_set = std::mem::zeroed();
        within().for_each(|fd| libc::FD_SET(*fd, &raw mut set));
        libc::select(count, &raw mut set, nothing(), nothing(), &raw mut time);
    }
}
