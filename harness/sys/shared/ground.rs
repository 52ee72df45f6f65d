//! The place of one run on a host that it shares with everybody.

use super::Tap;
use super::flow::Flow;
use super::folder::Folder;
use super::ports::Lease;
use super::quiet::Quiet;
use crate::model;
use crate::model::address::Address;
use crate::model::name::Name;
use crate::model::packet::Packet;
use crate::sys::{Acted, Caller, Fd, Ground, HostAct, Plan, ProcessAct, Trouble};
use crate::wire::{self, Captured};
use std::collections::BTreeSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

/// Digits of what is added to an abstract name: with it the longest that a case may write fits.
const MARK_DIGITS: usize = 12;

/// Who makes the calls of a run: threads of this process, and the processes of the case.
pub trait Callers {
    /// See [`Ground::caller`].
    ///
    /// # Errors
    /// The process is gone or cannot be reached.
    fn caller(&mut self, process: Option<&Name>) -> Result<Box<dyn Caller>, Trouble>;

    /// See [`Ground::address`].
    fn address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address>;

    /// See [`Ground::far_address`].
    fn far_address(&mut self, _process: Option<&Name>, _fd: Fd) -> Option<Address> {
        None
    }

    /// See [`Ground::share`].
    ///
    /// # Errors
    /// The process is gone, or the descriptor is not open.
    fn share(&mut self, process: &Name, fd: Fd) -> Result<Fd, Trouble>;

    /// See [`Ground::process`].
    ///
    /// # Errors
    /// There is no such process, or it does not do as it is told.
    fn act(&mut self, process: &Name, act: &ProcessAct) -> Result<String, Trouble>;
}

/// How a shared ground knows that a step has settled.
pub enum Settling {
    /// Nothing of the run's own has been seen for so long.
    Quiet(Box<dyn Tap>, Quiet),
    /// Packets are not seen: this returns when whatever the calls sent must have been delivered.
    Blind(Box<dyn FnMut() -> Result<(), Trouble>>),
}

/// A run's own ports, names and processes on a shared host.
pub struct SharedGround<C> {
    // Dropped first: the processes may hold sockets of the others.
    callers: C,
    pub(super) settling: Settling,
    /// Ports that the run alone holds: see [`Ground::holds`].
    ports: BTreeSet<u16>,
    lease: Lease,
    /// The run has a wire, whose every packet is its own.
    wire: bool,
    /// Packets that came while time passed.
    came: Vec<Captured>,
    trouble: Option<Trouble>,
    folder: Folder,
    /// Makes abstract names the run's own, of which the machine has one set for all.
    mark: u64,
}

impl<C: Callers> SharedGround<C> {
    /// A ground for a run whose processes have been started.
    pub fn new(plan: &Plan, callers: C, lease: Lease, settling: Settling) -> SharedGround<C> {
        SharedGround {
            callers,
            settling,
            ports: BTreeSet::new(),
            lease,
            wire: plan.wire,
            came: Vec::new(),
            trouble: None,
            folder: Folder::default(),
            mark: RandomState::new().hash_one(0) >> (u64::BITS as usize - 4 * MARK_DIGITS),
        }
    }

    /// Takes what has come: on the wire it is stamped now and not when somebody asks, and on
    /// loopback others fill the room for packets, too.
    fn take(&mut self) {
        let Settling::Quiet(tap, _) = &mut self.settling else { return };
        let before = self.came.len();
        if let Err(trouble) = tap.drain(&mut self.came) {
            self.trouble = Some(trouble);
        }
        let new = self.came.split_off(before).into_iter();
        self.came.extend(new.filter(|packet| is_own(packet, &self.ports, self.wire)));
    }

    fn wait(&mut self, limit: Duration) {
        match &mut self.settling {
            Settling::Quiet(tap, _) => tap.wait(limit),
            Settling::Blind(_) => std::thread::sleep(limit),
        }
    }
}

/// Whether a packet is one of the run's: of its ports, or of its wire.
fn is_own(packet: &Captured, ports: &BTreeSet<u16>, wire: bool) -> bool {
    let by_port = || Flow::of(packet).is_some_and(|flow| flow.has(ports));
    wire && is_on_wire(&wire::decode(packet)) || by_port()
}

fn is_on_wire(packet: &Packet) -> bool {
    model::wire::is_on(packet.source) || model::wire::is_on(packet.destination)
}

/// The packets of one settling, in their order: by their stamps, and those with equal stamps as
/// they were seen.
fn in_order(mut packets: Vec<Captured>) -> Vec<Captured> {
    packets.sort_by_key(|packet| packet.at);
    packets
}

impl<C: Callers> Ground for SharedGround<C> {
    fn caller(&mut self, process: Option<&Name>) -> Result<Box<dyn Caller>, Trouble> {
        self.callers.caller(process)
    }

    fn settle(&mut self) -> Result<Vec<Captured>, Trouble> {
        let (ports, wire) = (&self.ports, self.wire);
        let is_own = |packet: &Captured| is_own(packet, ports, wire);
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        let mut packets = std::mem::take(&mut self.came);
        match &mut self.settling {
            Settling::Blind(wait) => wait()?,
            Settling::Quiet(tap, quiet) => quiet.settle(&mut **tap, is_own, &mut packets)?,
        }
        Ok(in_order(packets))
    }

    fn inject(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        match &mut self.settling {
            Settling::Quiet(tap, _) => tap.inject(packet),
            Settling::Blind(_) => Err(super::no_wire()),
        }
    }

    fn host(&mut self, _: &HostAct) -> Result<Acted, Trouble> {
        Err(super::needs_namespace("`host` steps need"))
    }

    fn pass(&mut self, time: Duration) {
        let until = Instant::now() + time;
        loop {
            self.take();
            let left = until.saturating_duration_since(Instant::now());
            // After an error the run ends with its next step.
            if left.is_zero() || self.trouble.is_some() {
                return;
            }
            self.wait(left);
        }
    }

    fn waits_to_settle(&self) -> bool {
        matches!(self.settling, Settling::Quiet(..))
    }

    fn settled_at(&self) -> Option<Duration> {
        match &self.settling {
            Settling::Quiet(_, quiet) => quiet.over(),
            Settling::Blind(_) => None,
        }
    }

    fn address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address> {
        self.callers.address(process, fd)
    }

    fn far_address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address> {
        self.callers.far_address(process, fd)
    }

    fn holds(&mut self, port: u16) {
        let is_new = self.ports.insert(port);
        if let (true, Settling::Quiet(tap, _)) = (is_new, &mut self.settling)
            && let Err(trouble) = tap.watch(&self.ports)
        {
            self.trouble = Some(trouble);
        }
    }

    fn port(&mut self) -> Result<u16, Trouble> {
        let port = self.lease.port()?;
        self.holds(port);
        Ok(port)
    }

    fn unix_name(&mut self, name: &str) -> Result<Address, Trouble> {
        self.folder.name(name)
    }

    fn unix_abstract(&mut self, name: &str) -> Address {
        Address::UnixAbstract(format!("{name}.{:0width$x}", self.mark, width = MARK_DIGITS))
    }

    fn share(&mut self, process: &Name, fd: Fd) -> Result<Fd, Trouble> {
        self.callers.share(process, fd)
    }

    fn process(&mut self, process: &Name, act: &ProcessAct) -> Result<String, Trouble> {
        if *act == ProcessAct::Setuid {
            self.folder.open_to_all()?;
        }
        self.callers.act(process, act)
    }

    fn finish(&mut self) -> bool {
        self.settle().is_ok()
    }
}
