//! Linux: a network namespace for each run, packets by raw sockets, a step settled when a sentinel
//! has crossed the loopback interface.
//!
//! Where namespaces are refused, runs share the machine's loopback: with raw sockets a step
//! settles by quiet, without them only the calls are seen.

mod capture;
mod device;
mod doctor;
mod features;
mod filter;
mod firewall;
mod ground;
mod host;
mod link;
mod metrics;
mod modules;
mod mounts;
mod namespace;
mod netlink;
mod network;
mod platform;
mod poll;
mod prepare;
mod promptly;
mod route;
mod sentinel;
mod settings;
mod settle;
mod sockdiag;
mod threads;

pub use crate::sys::unix::ctrl_c::on_interrupt;
pub use doctor::doctor;
pub use prepare::{Prepared, prepare, set_env_before_threads};
pub use threads::allowed_cpus as cpus;
#[cfg(test)]
pub use threads::pin;

use super::shared;
use super::unix::machine::Uname;
use super::{Ground, Isolation, LocalOptions, Machine, Plan, Stack, Trouble};
use crate::model::capability::{Capability, Lack};
use features::Features;
use ground::LinuxGround;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// This machine's own stack.
///
/// # Errors
/// The isolation asked for cannot be had, or the platform given has no such form.
pub fn local(prepared: &Prepared, options: &LocalOptions) -> Result<Box<dyn Stack>, Lack> {
    threads::enough_descriptors()?;
    let uname = Uname::ask();
    let gvisor = platform::is_gvisor(&uname);
    let detected = platform::detect(&uname);
    let mut machine = uname.machine(detected, options.platform.as_deref())?;
    let features = match options.isolation {
        Isolation::Shared => Features::shared(gvisor, Lack::new("runs share the loopback")),
        wanted => match Features::find(prepared, gvisor, options) {
            Ok(features) => features,
            Err(lack) if wanted == Isolation::Netns => return Err(lack),
            Err(lack) => Features::shared(gvisor, lack),
        },
    };
    if features.captures {
        machine.capture = "raw sockets".to_owned();
    }
    if features.namespace.is_ok() {
        machine.isolation = "netns".to_owned();
    }
    if let Ok(kind) = &features.wire {
        machine.wire = kind.word().to_owned();
    }
    machine.settings = features.pins.pinned.clone();
    let (firewall, destroy, other_user, settings) = Default::default();
    Ok(Box::new(Local { machine, features, firewall, destroy, other_user, settings }))
}

struct Local {
    machine: Machine,
    features: Features,
    /// What only few cases need is tried when the first one asks.
    firewall: OnceLock<Result<(), Lack>>,
    destroy: OnceLock<Result<(), Lack>>,
    other_user: OnceLock<Result<(), Lack>>,
    /// Whether settings exist, once asked: the kernel looks long for one that does not.
    settings: Mutex<BTreeMap<String, bool>>,
}

impl Local {
    /// A namespace for each run, which these need.
    fn own_network(&self, these_need: &str) -> Result<(), Lack> {
        self.features.namespace.clone().map_err(|lack| Lack {
            reason: format!("{these_need} a namespace: {}", lack.reason),
            ..lack
        })
    }

    fn tried(
        &self,
        known: &OnceLock<Result<(), Lack>>,
        attempt: fn() -> Result<(), Lack>,
    ) -> Result<(), Lack> {
        self.own_network("firewalls and aborts from outside need")?;
        known.get_or_init(|| self.features.try_with_loopback(attempt)).clone()
    }
}

impl Stack for Local {
    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn can(&self, capability: Capability) -> Result<(), Lack> {
        let when = |can: bool, reason: &str| if can { Ok(()) } else { Err(Lack::new(reason)) };
        match capability {
            Capability::Namespace => self.own_network("literal ports, routes and links need"),
            Capability::Sysctl => self.own_network("pinned settings need"),
            Capability::Capture => when(self.features.captures, "raw sockets are for root"),
            Capability::Ipv6 => when(self.features.ipv6, "no ::1 on this machine"),
            Capability::AfUnix
            | Capability::Fork
            | Capability::Epoll
            | Capability::Signal
            | Capability::Rlimit
            | Capability::Capabilities => Ok(()),
            // An ICMP error comes from the far end of the wire.
            Capability::Wire | Capability::IcmpInject => {
                self.own_network("a wire needs")?;
                self.features.wire.clone().map(drop)
            }
            Capability::OtherUser => self.other_user.get_or_init(threads::other_user).clone(),
            Capability::Firewall => self.tried(&self.firewall, firewall::try_out),
            Capability::Destroy => self.tried(&self.destroy, host::try_to_destroy),
        }
    }

    fn has_setting(&self, name: &str) -> Result<(), Lack> {
        let lack = || Lack::new(format!("this kernel has no {name}"));
        let routes = self.features.loopback.metrics().is_some();
        let mut known = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let exists = *known.entry(name.to_owned()).or_insert_with(|| settings::exists(name));
        let has = exists || routes && metrics::stands_in_for(name);
        has.then_some(()).ok_or_else(lack)
    }

    fn runs_at_once(&self) -> usize {
        let shares_and_waits = self.features.namespace.is_err() && self.features.captures;
        if shares_and_waits { shared::runs_at_once() } else { usize::MAX }
    }

    fn open(&self, plan: &Plan) -> Result<Box<dyn Ground>, Trouble> {
        Ok(match self.features.namespace {
            Ok(()) => Box::new(LinuxGround::in_namespace(plan, &self.features)?),
            Err(_) => Box::new(ground::shared(plan, &self.features)?),
        })
    }
}
