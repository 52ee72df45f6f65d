//! Windows: Winsock called directly, each run in a process of its own, packets by SIO_RCVALL.
//!
//! There are no namespaces, so runs share the machine's loopback as on every other system without
//! them. Wine is told apart: its calls are Wine's, its TCP that of the system under it.

pub mod address;
mod calls;
mod capture;
mod channel;
mod child;
mod copy;
mod ctrl_c;
mod doctor;
pub mod errno;
mod machine;
pub mod names;
pub mod native;
mod process;
mod tap;
mod thread;
mod winsock;
mod wire;

pub use super::shared::start::{cpus, set_env_before_threads};
pub use ctrl_c::on_interrupt;
pub use doctor::doctor;
pub use winsock::exclusive;

use super::shared::ports::Lease;
use super::shared::quiet::{self, Quiet};
use super::shared::{self, Settling, SharedGround};
use super::{Ground, Isolation, LocalOptions, Machine, Plan, Stack, Trouble};
use crate::model::capability::{Capability, Lack};
use crate::model::case::Family;
use capture::Sight;
use machine::System;
use process::Processes;
use std::sync::mpsc::channel;
use std::time::Duration;
use tap::Seen;
use windows_sys::Win32::Networking::WinSock as ws;
use windows_sys::core::w;

/// What was found at the start of the process: nothing.
#[derive(Clone, Debug)]
pub struct Prepared;

/// The first thing in `main`. A child process of a run is this program too; in it the function
/// does that process's work and does not return.
pub fn prepare() -> Prepared {
    child::run_if_asked();
    Prepared
}

/// This machine's own stack.
///
/// # Errors
/// Namespaces are asked for, or the platform given has no such form.
pub fn local(_: &Prepared, options: &LocalOptions) -> Result<Box<dyn Stack>, Lack> {
    if options.isolation == Isolation::Netns {
        return Err(Lack::new("no network namespaces on this system"));
    }
    let system = System::ask();
    let features = Features::find(&system);
    let detected = (system.platform.to_owned(), system.release);
    let arch = std::env::consts::ARCH.to_owned();
    let mut machine = shared::machine(detected, options.platform.as_deref(), system.kernel, arch)?;
    if features.sights.is_ok() {
        machine.capture = "SIO_RCVALL".to_owned();
    }
    machine.settings = machine::settings();
    if features.wire.is_ok() {
        machine.wire = "wintun".to_owned();
    }
    Ok(Box::new(Local { machine, features }))
}

/// What this machine can do.
struct Features {
    /// What is seen of packets; none: calls only.
    sights: Result<Vec<Sight>, Lack>,
    ipv6: Result<(), Lack>,
    af_unix: Result<(), Lack>,
    wire: Result<(), Lack>,
    quiet: Duration,
}

impl Features {
    fn find(system: &System) -> Features {
        let sights = Sight::find(Family::V4).map(|sight| vec![sight]);
        let ipv6 = shared::has_ipv6();
        let ipv6 = ipv6.then_some(()).ok_or_else(|| Lack::new("no ::1 on this machine"));
        // A record has the packets of both families, or of none.
        let (sights, ipv6) = match (sights, ipv6) {
            (Ok(mut sights), Ok(())) => match Sight::find(Family::V6) {
                Ok(sight) => {
                    sights.push(sight);
                    (Ok(sights), Ok(()))
                }
                Err(lack) => (Ok(sights), Err(Lack::new(format!("on ::1, {}", lack.reason)))),
            },
            others => others,
        };
        let quiet = if system.is_wine() { quiet::LINUX } else { quiet::WINDOWS };
        Features { sights, ipv6, af_unix: has_af_unix(), wire: try_wire(), quiet }
    }
}

fn has_af_unix() -> Result<(), Lack> {
    winsock::start();
    // SAFETY: there is no pointer; the socket was made just now.
    unsafe {
        match ws::socket(i32::from(ws::AF_UNIX), ws::SOCK_STREAM, 0) {
            ws::INVALID_SOCKET => {
                let error = errno::name(errno::last());
                Err(Lack::new(format!("no AF_UNIX sockets: {error}")))
            }
            socket => {
                ws::closesocket(socket);
                Ok(())
            }
        }
    }
}

/// Whether a run can have a wire. An adapter is made only where there is a driver for it.
fn try_wire() -> Result<(), Lack> {
    let lack = |reason: String| {
        Lack::new(reason).remedy(format!(
            "put {} of https://www.wintun.net beside sockdiff.exe, and run it as administrator",
            wire::LIBRARY
        ))
    };
    if !machine::finds_library(w!("wintun.dll")) {
        return Err(lack(format!("no {}", wire::LIBRARY)));
    }
    let (outbox, _inbox) = channel();
    wire::Device::open(Family::V4, &outbox).map(drop).map_err(lack)
}

struct Local {
    machine: Machine,
    features: Features,
}

impl Stack for Local {
    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn can(&self, capability: Capability) -> Result<(), Lack> {
        match capability {
            Capability::Fork => Ok(()),
            Capability::AfUnix => self.features.af_unix.clone(),
            Capability::Ipv6 => self.features.ipv6.clone(),
            Capability::Capture => self.features.sights.clone().map(drop),
            // An ICMP error comes from the far end of the wire.
            Capability::Wire | Capability::IcmpInject => self.features.wire.clone(),
            other => Err(Lack::new(format!("no {other} on this system"))),
        }
    }

    /// The addresses of a wire are the machine's, so two runs cannot have one at a time.
    fn runs_at_once(&self) -> usize {
        if self.features.wire.is_ok() { 1 } else { shared::runs_at_once() }
    }

    fn open(&self, plan: &Plan) -> Result<Box<dyn Ground>, Trouble> {
        shared::refuse_changes(plan)?;
        let sights = self.features.sights.as_deref().unwrap_or_default();
        let seen = Seen::open(sights, plan.wire.then_some(plan.family))?;
        let settling = Settling::Quiet(Box::new(seen), Quiet::of(self.features.quiet));
        let lease = Lease::begin();
        let callers = Processes::start(&plan.processes)?;
        Ok(Box::new(SharedGround::new(plan, callers, lease, settling)))
    }
}
