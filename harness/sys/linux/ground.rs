//! The place where one run happens: a namespace of its own, or the loopback that all share.

use super::capture::{Capture, Place};
use super::device::Device;
use super::host::{self, Links};
use super::metrics;
use super::mounts::Mounts;
use super::network::{self, Loopback};
use super::sentinel::{self, Sentinel};
use super::settings::View;
use super::settle::{Settling, Sight, Wire};
use super::sockdiag::SockDiag;
use super::{Features, namespace, threads};
use crate::model::address::Address;
use crate::model::name::Name;
use crate::sys::shared::flow::Flow;
use crate::sys::shared::folder::Folder;
use crate::sys::shared::ports::{self, Lease, PORTS};
use crate::sys::shared::quiet::Quiet;
use crate::sys::shared::{self, Callers, SharedGround, needs_namespace, refuse_changes};
use crate::sys::unix::process::Processes;
use crate::sys::{Acted, Caller, Fd, Ground, HostAct, Plan, ProcessAct, Trouble};
use crate::wire::Captured;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How long a run may take to come to rest.
const FINISHES_WITHIN: Duration = Duration::from_millis(200);
/// How often it is looked at meanwhile.
const LOOKS_EVERY: Duration = Duration::from_millis(4);

/// Without capture nobody sees what a sentinel pushed: more of them than a call causes packets one
/// after another.
const BLIND_CROSSINGS: u32 = 32;

/// A ground with a namespace of its own.
pub struct LinuxGround {
    // Dropped first: the processes may hold sockets of the others.
    processes: Processes,
    wire: Wire,
    /// The interfaces of the run's namespace.
    links: Links,
    /// Its settings.
    view: View,
    /// The ports that are left: the run has all for itself.
    ports: Range<u16>,
    folder: Folder,
    /// TCP connections seen, in both directions.
    connections: BTreeSet<Flow>,
}

impl LinuxGround {
    /// Moves the calling thread into a new namespace and opens the ground there.
    ///
    /// # Errors
    /// What the machine refuses.
    pub fn in_namespace(plan: &Plan, features: &Features) -> Result<LinuxGround, Trouble> {
        let failed =
            |what: &str, error: &dyn std::fmt::Display| Trouble::Failed(format!("{what}: {error}"));
        threads::pin(plan.cpu).map_err(|error| failed("one CPU for the run", &error))?;
        let mounts = features.mounts.as_deref();
        threads::own_descriptors(mounts.and_then(Mounts::descriptor))
            .map_err(|error| failed("descriptors of the run's own", &error))?;
        namespace::unshare_network().map_err(|error| failed("a network namespace", &error))?;
        let (metrics, settings) = metrics::split(&plan.settings);
        let loopback = features.loopback.with(metrics);
        network::bring_up(loopback, features.ipv6)
            .map_err(|refused| failed("the loopback interface", &refused))?;
        let view = View::open(mounts);
        features.pins.apply(&view).map_err(|(name, error)| failed(name, &error))?;
        let device = wire_of(plan, features, loopback, &view)?;
        for (name, value) in &settings {
            view.write(name, value).map_err(|error| host::no_setting(name, value, &error))?;
        }
        let place = match plan.wire || plan.firewall {
            true => Place::Loopback,
            false => Place::Namespace,
        };
        let capture = match Capture::open(place, features.ipv6) {
            Ok(capture) => Some(capture),
            // gVisor has no packet sockets on `lo`: there a run with a wire sees only the wire.
            Err(_) if plan.wire && loopback.metrics().is_none() => None,
            Err(error) => return Err(failed("sockets that see packets", &error)),
        };
        let settling = match features.quiet {
            Some(quiet) => Settling::Quiet(Quiet::of(quiet)),
            None => Settling::Sentinel(
                Sentinel::raw().map_err(|error| failed("the sentinel's socket", &error))?,
            ),
        };
        let links = Links {
            wire: device.as_ref().map(|device| device.link),
            loopback,
            ipv6: features.ipv6,
        };
        Ok(LinuxGround {
            processes: Processes::start(&plan.processes)?,
            wire: Wire { settling, sight: Sight { capture, device }, changed: false },
            links,
            view,
            ports: PORTS,
            folder: Folder::default(),
            connections: BTreeSet::new(),
        })
    }
}

/// Opens a ground on the machine's own loopback.
///
/// # Errors
/// What the machine refuses, and what would change it for everybody.
pub fn shared(plan: &Plan, features: &Features) -> Result<SharedGround<Processes>, Trouble> {
    refuse_changes(plan)?;
    if plan.wire {
        return Err(needs_namespace("a wire needs"));
    }
    let failed = |error| Trouble::Failed(format!("on the shared loopback: {error}"));
    let lease = Lease::begin();
    threads::pin(plan.cpu).map_err(failed)?;
    threads::own_descriptors(None).map_err(failed)?;
    let settling = match features.quiet {
        Some(quiet) => {
            let mut capture = Capture::open(Place::Namespace, features.ipv6).map_err(failed)?;
            capture.watch(&BTreeSet::new())?;
            let sight = Sight { capture: Some(capture), device: None };
            shared::Settling::Quiet(Box::new(sight), Quiet::of(quiet))
        }
        None => {
            let mut sentinel = Sentinel::datagram().map_err(failed)?;
            shared::Settling::Blind(Box::new(move || deliver(&mut sentinel)))
        }
    };
    Ok(SharedGround::new(plan, Processes::start(&plan.processes)?, lease, settling))
}

/// Has all that was sent delivered, without seeing it.
fn deliver(sentinel: &mut Sentinel) -> Result<(), Trouble> {
    let mut crossings = (0..BLIND_CROSSINGS).map(|_| sentinel.cross(sentinel::PATIENCE));
    let lost = |error| Trouble::Failed(format!("a datagram to oneself: {error}"));
    crossings.try_for_each(|crossed| crossed.map_err(lost))
}

/// The run's wire, if it wants one.
fn wire_of(
    plan: &Plan,
    features: &Features,
    loopback: Loopback,
    view: &View,
) -> Result<Option<Device>, Trouble> {
    if !plan.wire {
        return Ok(None);
    }
    let kind = features.wire.clone().map_err(Trouble::Lacks)?;
    let device = Device::open(kind, plan.family, loopback.metrics(), view);
    device.map(Some).map_err(|what| Trouble::Failed(format!("the wire: {what}")))
}

impl Ground for LinuxGround {
    fn caller(&mut self, process: Option<&Name>) -> Result<Box<dyn Caller>, Trouble> {
        self.processes.caller(process)
    }

    fn settle(&mut self) -> Result<Vec<Captured>, Trouble> {
        let packets = self.wire.settle()?;
        let flows = packets.iter().filter_map(Flow::of).filter(Flow::is_tcp);
        self.connections.extend(flows);
        Ok(packets)
    }

    fn inject(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        self.wire.inject(packet)
    }

    fn host(&mut self, act: &HostAct) -> Result<Acted, Trouble> {
        self.wire.changed = true;
        self.links.carry_out(act, &self.view)
    }

    fn pass(&mut self, time: Duration) {
        match &mut self.wire.sight.device {
            Some(device) => device.pass(time),
            None => std::thread::sleep(time),
        }
    }

    fn waits_to_settle(&self) -> bool {
        matches!(self.wire.settling, Settling::Quiet(_))
    }

    fn settled_at(&self) -> Option<Duration> {
        match &self.wire.settling {
            Settling::Quiet(quiet) => quiet.over(),
            Settling::Sentinel(_) => None,
        }
    }

    fn address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address> {
        self.processes.address(process, fd)
    }

    fn far_address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address> {
        self.processes.far_address(process, fd)
    }

    fn port(&mut self) -> Result<u16, Trouble> {
        self.ports.next().ok_or_else(ports::none_left)
    }

    fn unix_name(&mut self, name: &str) -> Result<Address, Trouble> {
        self.folder.name(name)
    }

    fn share(&mut self, process: &Name, fd: Fd) -> Result<Fd, Trouble> {
        self.processes.share(process, fd)
    }

    fn process(&mut self, process: &Name, act: &ProcessAct) -> Result<String, Trouble> {
        if *act == ProcessAct::Setuid {
            self.folder.open_to_all()?;
        }
        self.processes.act(process, act)
    }

    fn finish(&mut self) -> bool {
        if self.wire.sight.device.is_some() {
            // What is open or unacknowledged at the end is the scripted peer's doing.
            return self.settle().is_ok();
        }
        let began = Instant::now();
        let mut sockdiag = SockDiag::open();
        loop {
            if self.settle().is_err() {
                return false;
            }
            let Some(kernel) = &mut sockdiag else {
                return true;
            };
            self.connections.retain(|flow| kernel.is_unsettled(flow));
            if self.connections.is_empty() {
                return true;
            }
            if began.elapsed() > FINISHES_WITHIN {
                return false;
            }
            std::thread::sleep(LOOKS_EVERY);
        }
    }
}
