//! The stack of a Unix without network namespaces: runs share the machine's loopback, on ports of
//! their own, and only the calls are seen.

use super::child;
use super::direct::Direct;
use super::folder::Folder;
use super::machine::Uname;
use super::ports;
use super::process::Processes;
use super::{address, dialect, signal};
use crate::model::address::Address;
use crate::model::capability::{Capability, Lack};
use crate::model::name::Name;
use crate::sys::{
    Caller, Fd, Finding, Ground, Isolation, LocalOptions, Machine, Plan, ProcessAct, Stack, Trouble,
};
use crate::wire::Captured;
use std::net::{Ipv6Addr, UdpSocket};
use std::time::Duration;

/// Longer than the longest delayed ACK of these stacks (100 ms).
const QUIET: Duration = Duration::from_millis(150);

const NO_CAPTURE: &str = "packets are not captured on this system yet";

/// What was found at the start of the process: nothing.
#[derive(Clone, Debug)]
pub struct Prepared;

/// The first thing in `main`. A child process of a case is this program too; in it the function
/// does that process's work and does not return.
pub fn prepare() -> Prepared {
    child::run_if_asked();
    // An ignored signal would not become pending, not even where it is blocked.
    signal::catch(libc::SIGPIPE);
    Prepared
}

/// The CPUs to run on: runs are not pinned here, so their count alone matters.
pub fn cpus() -> Vec<usize> {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    (0..count).collect()
}

/// Sets environment variables for the libraries of a test binary. Call it after [`prepare`] and
/// before anything starts a thread.
pub fn set_env_before_threads(variables: &[(&str, &str)]) {
    for (name, value) in variables {
        // SAFETY: the caller has not started a thread yet.
        unsafe { std::env::set_var(name, value) };
    }
}

/// This machine's own stack.
///
/// # Errors
/// Namespaces are asked for, or the platform given has no such form.
pub fn local(_: &Prepared, options: &LocalOptions) -> Result<Box<dyn Stack>, Lack> {
    if options.isolation == Isolation::Netns {
        return Err(Lack::new("no network namespaces on this system"));
    }
    let uname = Uname::ask();
    let detected = dialect::platform(&uname);
    let machine = uname.machine(detected, options.platform.as_deref())?;
    ports::reserve();
    Ok(Box::new(Shared { machine }))
}

/// What this machine can do, for `sockdiff doctor`.
pub fn doctor(_: &Prepared) -> Vec<Finding> {
    let uname = Uname::ask();
    let finding = |what: &str, found: String, good| Finding {
        what: what.to_owned(),
        found,
        good,
        remedy: None,
    };
    let ipv6 = if has_ipv6() { "::1 answers" } else { "no ::1" };
    vec![
        finding("kernel", format!("{} {}", uname.version, uname.arch), true),
        finding("capture", NO_CAPTURE.to_owned(), false),
        finding("ipv6", ipv6.to_owned(), has_ipv6()),
    ]
}

struct Shared {
    machine: Machine,
}

impl Stack for Shared {
    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn can(&self, capability: Capability) -> Result<(), Lack> {
        match capability {
            Capability::AfUnix | Capability::Fork => Ok(()),
            Capability::Ipv6 if has_ipv6() => Ok(()),
            Capability::Ipv6 => Err(Lack::new("no ::1 on this machine")),
            Capability::Capture => Err(Lack::new(NO_CAPTURE)),
            other => Err(Lack::new(format!("no {other} on this system"))),
        }
    }

    fn open(&self, plan: &Plan) -> Result<Box<dyn Ground>, Trouble> {
        if !plan.settings.is_empty() {
            let lack = Lack::new("settings need a namespace of the run's own");
            return Err(Trouble::Lacks(lack));
        }
        Ok(Box::new(SharedGround {
            processes: Processes::start(&plan.processes)?,
            folder: Folder::default(),
        }))
    }
}

fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

struct SharedGround {
    processes: Processes,
    folder: Folder,
}

impl Ground for SharedGround {
    fn caller(&mut self, process: Option<&Name>) -> Result<Box<dyn Caller>, Trouble> {
        Ok(match process {
            None => Box::new(Direct::default()),
            Some(name) => Box::new(self.processes.get(name)?.caller()?),
        })
    }

    fn settle(&mut self) -> Result<Vec<Captured>, Trouble> {
        std::thread::sleep(QUIET);
        Ok(Vec::new())
    }

    fn address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address> {
        match process {
            None => address::own(fd),
            Some(name) => self.processes.get(name).ok()?.address(fd),
        }
    }

    fn port(&mut self) -> Result<u16, Trouble> {
        ports::free().ok_or_else(ports::none_left)
    }

    fn unix_name(&mut self, name: &str) -> Result<Address, Trouble> {
        self.folder.name(name)
    }

    fn share(&mut self, process: &Name, fd: Fd) -> Result<Fd, Trouble> {
        self.processes.get(process)?.share(fd)
    }

    fn process(&mut self, process: &Name, act: &ProcessAct) -> Result<String, Trouble> {
        self.processes.get(process)?.act(act)
    }

    fn finish(&mut self) -> bool {
        std::thread::sleep(QUIET);
        true
    }
}
