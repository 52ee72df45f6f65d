//! Linux: a network namespace for each run, packets by raw sockets, a step settled when a sentinel
//! has crossed the loopback interface.
//!
//! Where namespaces are refused, runs share the machine's loopback: with raw sockets a step
//! settles by quiet, without them only the calls are seen.

mod capture;
mod doctor;
mod flow;
mod ground;
mod namespace;
mod netlink;
mod network;
mod platform;
mod prepare;
mod sentinel;
mod settings;
mod settle;
mod sockdiag;
mod threads;

pub use crate::sys::unix::ctrl_c::on_interrupt;
pub use doctor::doctor;
pub use prepare::{Prepared, prepare, set_env_before_threads};
pub use threads::allowed_cpus as cpus;

use super::unix::machine::Uname;
use super::unix::spawn;
use super::{Ground, Isolation, LocalOptions, Machine, Plan, Stack, Trouble};
use crate::model::capability::{Capability, Lack};
use capture::Capture;
use ground::LinuxGround;
use sentinel::Sentinel;
use settings::Pins;
use std::net::{Ipv6Addr, UdpSocket};
use std::time::Duration;

/// This machine's own stack.
///
/// # Errors
/// The isolation asked for cannot be had, or the platform given has no such form.
pub fn local(prepared: &Prepared, options: &LocalOptions) -> Result<Box<dyn Stack>, Lack> {
    let uname = Uname::ask();
    let gvisor = platform::is_gvisor(&uname);
    let detected = platform::detect(&uname);
    let mut machine = uname.machine(detected, options.platform.as_deref())?;
    let features = match (options.isolation, &prepared.way) {
        (Isolation::Netns, Err(lack)) => return Err(lack.clone()),
        (Isolation::Auto | Isolation::Netns, Ok(_)) => {
            let found = Features::in_namespace(gvisor, options.host_settings);
            match (found, options.isolation) {
                (Err(lack), Isolation::Netns) => return Err(lack),
                (Err(_), _) => Features::shared(gvisor),
                (Ok(features), _) => features,
            }
        }
        (Isolation::Shared, _) | (Isolation::Auto, Err(_)) => Features::shared(gvisor),
    };
    if features.captures {
        machine.capture = "raw sockets".to_owned();
    }
    if features.namespace {
        machine.isolation = "netns".to_owned();
    }
    machine.settings = features.pins.pinned.clone();
    let lack = prepared.way.clone().err();
    Ok(Box::new(Local {
        machine,
        features,
        lack,
    }))
}

struct Local {
    machine: Machine,
    features: Features,
    /// Why there are no namespaces.
    lack: Option<Lack>,
}

impl Stack for Local {
    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn can(&self, capability: Capability) -> Result<(), Lack> {
        let when = |can: bool, reason: &str| if can { Ok(()) } else { Err(Lack::new(reason)) };
        match capability {
            Capability::Namespace | Capability::Sysctl => match &self.lack {
                _ if self.features.namespace => Ok(()),
                Some(lack) => Err(lack.clone()),
                None => Err(Lack::new("runs share the machine's loopback")),
            },
            Capability::Capture => when(self.features.captures, "raw sockets are for root"),
            Capability::Ipv6 => when(self.features.ipv6, "no ::1 on this machine"),
            Capability::AfUnix | Capability::Epoll => Ok(()),
            Capability::Fork => when(spawn::works(), "no close_range, which came with Linux 5.9"),
            Capability::Wire => Err(Lack::new("no wire on this back end yet")),
            Capability::Firewall | Capability::IcmpInject | Capability::Destroy => {
                Err(Lack::new(format!("no {capability} on this back end yet")))
            }
        }
    }

    fn open(&self, plan: &Plan) -> Result<Box<dyn Ground>, Trouble> {
        Ok(Box::new(if self.features.namespace {
            LinuxGround::in_namespace(plan, &self.features)?
        } else {
            LinuxGround::shared(plan, &self.features)?
        }))
    }
}

/// What grounds of this machine can do, found out once by opening one.
#[derive(Clone, Debug)]
struct Features {
    namespace: bool,
    captures: bool,
    ipv6: bool,
    /// Routes take the attribute that acknowledges at once.
    quickack: bool,
    /// Steps settle by that much quiet; none: by sentinels.
    quiet: Option<Duration>,
    pins: Pins,
}

impl Features {
    /// Tries everything in a namespace of a thread's own.
    fn in_namespace(gvisor: bool, host_settings: bool) -> Result<Features, Lack> {
        let look = move || Features::look(gvisor, host_settings);
        let thread = std::thread::Builder::new()
            .name("features".to_owned())
            .spawn(look);
        let thread = thread.map_err(|error| Lack::new(format!("a thread: {error}")))?;
        thread
            .join()
            .unwrap_or_else(|_| Err(Lack::new("looking at a namespace panicked")))
    }

    fn look(gvisor: bool, host_settings: bool) -> Result<Features, Lack> {
        let lack = |error: std::io::Error| Lack::new(format!("a network namespace: {error}"));
        namespace::unshare_network().map_err(lack)?;
        let refused = |refused| Lack::new(format!("the loopback interface: {refused}"));
        network::bring_up(false, false).map_err(refused)?;
        let ipv6 = has_ipv6();
        let quickack = network::bring_up(true, ipv6).is_ok();
        let pins = if host_settings {
            Pins::default()
        } else {
            Pins::find()
        };
        Capture::open(ipv6).map_err(|error| Lack::new(format!("raw sockets: {error}")))?;
        let crosses = Sentinel::raw().is_ok_and(|mut sentinel| sentinel.cross().is_ok());
        let sentinel = crosses && quickack;
        let quiet = (!sentinel).then(|| quiet(gvisor));
        Ok(Features {
            namespace: true,
            captures: true,
            ipv6,
            quickack,
            quiet,
            pins,
        })
    }

    /// What can be done on the machine's own loopback.
    fn shared(gvisor: bool) -> Features {
        let ipv6 = has_ipv6();
        let captures = Capture::open(ipv6).is_ok();
        Features {
            namespace: false,
            captures,
            ipv6,
            quickack: false,
            quiet: captures.then(|| quiet(gvisor)),
            pins: Pins::default(),
        }
    }
}

fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

fn quiet(gvisor: bool) -> Duration {
    if gvisor {
        settle::QUIET_GVISOR
    } else {
        settle::QUIET
    }
}
