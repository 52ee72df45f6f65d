//! The place where one run happens: a namespace of its own, or ports of its own.

use super::capture::{Capture, Place};
use super::device::Device;
use super::flow::Flow;
use super::host::{self, Links};
use super::network::{self, Loopback};
use super::settle::{Settling, Sight, Wire};
use super::sockdiag::SockDiag;
use super::{Features, namespace, sentinel::Sentinel, settings, threads};
use crate::model::address::Address;
use crate::model::capability::Lack;
use crate::model::name::Name;
use crate::sys::unix::address;
use crate::sys::unix::direct::Direct;
use crate::sys::unix::folder::Folder;
use crate::sys::unix::ports::{self, PORTS};
use crate::sys::unix::process::Processes;
use crate::sys::{Caller, Fd, Ground, HostAct, Plan, ProcessAct, Trouble};
use crate::wire::Captured;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How long a run may take to come to rest.
const FINISHES_WITHIN: Duration = Duration::from_millis(200);
/// How often it is looked at meanwhile.
const LOOKS_EVERY: Duration = Duration::from_millis(4);

/// A ground of this machine.
pub struct LinuxGround {
    // Dropped first: the processes may hold sockets of the others.
    processes: Processes,
    wire: Wire,
    /// The interfaces of the run's namespace; none: they are the whole machine's.
    links: Option<Links>,
    /// Counted, where the run has all for itself; none: free ones are looked for.
    ports: Option<Range<u16>>,
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
        threads::own_descriptors()
            .map_err(|error| failed("descriptors of the run's own", &error))?;
        namespace::unshare_network().map_err(|error| failed("a network namespace", &error))?;
        network::bring_up(features.loopback, features.ipv6)
            .map_err(|refused| failed("the loopback interface", &refused))?;
        features.pins.apply().map_err(|(name, error)| failed(name, &error))?;
        let device = wire_of(plan, features)?;
        for (name, value) in &plan.settings {
            settings::write(name, value).map_err(|error| host::no_setting(name, &error))?;
        }
        let place = match plan.wire || plan.firewall {
            true => Place::Loopback,
            false => Place::Namespace,
        };
        let capture = match Capture::open(place, features.ipv6) {
            Ok(capture) => Some(capture),
            // gVisor has no packet sockets on `lo`: there a run with a wire sees only the wire.
            Err(_) if plan.wire && features.loopback != Loopback::Quickack => None,
            Err(error) => return Err(failed("sockets that see packets", &error)),
        };
        let settling = match features.quiet {
            Some(quiet) => Settling::Quiet(quiet),
            None => Settling::Sentinel(
                Sentinel::raw().map_err(|error| failed("the sentinel's socket", &error))?,
            ),
        };
        let links = Links {
            wire: device.as_ref().map(|device| device.link),
            loopback: features.loopback,
            ipv6: features.ipv6,
        };
        let wire = Wire { settling, sight: Sight { capture, device }, own_ports: None };
        LinuxGround::with(plan, wire, Some(PORTS), Some(links))
    }

    /// Opens the ground on the machine's own loopback.
    ///
    /// # Errors
    /// What the machine refuses, and settings, which would be the whole machine's.
    pub fn shared(plan: &Plan, features: &Features) -> Result<LinuxGround, Trouble> {
        let what = match plan {
            Plan { wire: true, .. } => Some("a wire needs"),
            Plan { firewall: true, .. } => Some("a firewall needs"),
            Plan { settings, .. } if !settings.is_empty() => Some("settings need"),
            _ => None,
        };
        if let Some(what) = what {
            return Err(needs_namespace(what));
        }
        let failed = |error| Trouble::Failed(format!("on the shared loopback: {error}"));
        threads::pin(plan.cpu).map_err(failed)?;
        threads::own_descriptors().map_err(failed)?;
        let wire = match features.quiet {
            Some(quiet) => Wire {
                settling: Settling::Quiet(quiet),
                sight: Sight {
                    capture: Some(Capture::open(Place::Namespace, features.ipv6).map_err(failed)?),
                    device: None,
                },
                own_ports: Some(BTreeSet::new()),
            },
            None => Wire {
                settling: Settling::Blind(Sentinel::datagram().map_err(failed)?),
                sight: Sight::default(),
                own_ports: None,
            },
        };
        LinuxGround::with(plan, wire, None, None)
    }

    fn with(
        plan: &Plan,
        wire: Wire,
        ports: Option<Range<u16>>,
        links: Option<Links>,
    ) -> Result<LinuxGround, Trouble> {
        Ok(LinuxGround {
            processes: Processes::start(&plan.processes)?,
            wire,
            links,
            ports,
            folder: Folder::default(),
            connections: BTreeSet::new(),
        })
    }
}

/// The run's wire, if it wants one.
fn wire_of(plan: &Plan, features: &Features) -> Result<Option<Device>, Trouble> {
    if !plan.wire {
        return Ok(None);
    }
    let kind = features.wire.clone().map_err(Trouble::Lacks)?;
    let quickack = features.loopback == Loopback::Quickack;
    let device = Device::open(kind, plan.family, quickack);
    device.map(Some).map_err(|what| Trouble::Failed(format!("the wire: {what}")))
}

fn needs_namespace(what: &str) -> Trouble {
    Trouble::Lacks(Lack::new(format!("{what} a namespace of the run's own")))
}

impl Ground for LinuxGround {
    fn caller(&mut self, process: Option<&Name>) -> Result<Box<dyn Caller>, Trouble> {
        Ok(match process {
            None => Box::new(Direct::default()),
            Some(name) => Box::new(self.processes.get(name)?.caller()?),
        })
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

    fn host(&mut self, act: &HostAct) -> Result<(), Trouble> {
        let links = self.links.as_ref();
        links.ok_or_else(|| needs_namespace("`host` steps need"))?.carry_out(act)
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

    fn address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address> {
        match process {
            None => address::own(fd),
            Some(name) => self.processes.get(name).ok()?.address(fd),
        }
    }

    fn holds(&mut self, port: u16) {
        if let Some(own) = &mut self.wire.own_ports {
            own.insert(port);
        }
    }

    fn port(&mut self) -> Result<u16, Trouble> {
        let port = match &mut self.ports {
            Some(left) => left.next(),
            None => ports::free(),
        };
        let port = port.ok_or_else(ports::none_left)?;
        self.holds(port);
        Ok(port)
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
