//! The place of one run on a host that it shares with everybody.

use super::flow::Flow;
use super::folder::Folder;
use super::{Tap, ports, quiet};
use crate::model;
use crate::model::address::Address;
use crate::model::name::Name;
use crate::model::packet::Packet;
use crate::sys::{Caller, Fd, Ground, HostAct, Plan, ProcessAct, Trouble};
use crate::wire::{self, Captured};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

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
    Quiet(Box<dyn Tap>, Duration),
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
    /// The run has a wire, whose every packet is its own.
    wire: bool,
    /// Packets that came while time passed.
    came: Vec<Captured>,
    trouble: Option<Trouble>,
    folder: Folder,
}

impl<C: Callers> SharedGround<C> {
    /// A ground for a run whose processes have been started.
    pub fn new(plan: &Plan, callers: C, settling: Settling) -> SharedGround<C> {
        SharedGround {
            callers,
            settling,
            ports: BTreeSet::new(),
            wire: plan.wire,
            came: Vec::new(),
            trouble: None,
            folder: Folder::default(),
        }
    }

    /// Takes what has come on the wire, stamped now and not when somebody asks.
    fn take(&mut self) {
        if let Settling::Quiet(tap, _) = &mut self.settling
            && let Err(trouble) = tap.drain(&mut self.came)
        {
            self.trouble = Some(trouble);
        }
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
        let mut packets: Vec<Captured> = self.came.drain(..).filter(is_own).collect();
        match &mut self.settling {
            Settling::Blind(wait) => wait()?,
            Settling::Quiet(tap, quiet) => {
                quiet::settle(&mut **tap, *quiet, is_own, &mut packets)?;
            }
        }
        Ok(in_order(packets))
    }

    fn inject(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        match &mut self.settling {
            Settling::Quiet(tap, _) => tap.inject(packet),
            Settling::Blind(_) => Err(super::no_wire()),
        }
    }

    fn host(&mut self, _: &HostAct) -> Result<(), Trouble> {
        Err(super::needs_namespace("`host` steps need"))
    }

    fn pass(&mut self, time: Duration) {
        if !self.wire {
            return std::thread::sleep(time);
        }
        let until = Instant::now() + time;
        loop {
            self.take();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.wait(left);
        }
    }

    fn waits_to_settle(&self) -> bool {
        matches!(self.settling, Settling::Quiet(..))
    }

    fn address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address> {
        self.callers.address(process, fd)
    }

    fn far_address(&mut self, process: Option<&Name>, fd: Fd) -> Option<Address> {
        self.callers.far_address(process, fd)
    }

    fn holds(&mut self, port: u16) {
        self.ports.insert(port);
    }

    fn port(&mut self) -> Result<u16, Trouble> {
        let port = ports::free().ok_or_else(ports::none_left)?;
        self.holds(port);
        Ok(port)
    }

    fn unix_name(&mut self, name: &str) -> Result<Address, Trouble> {
        self.folder.name(name)
    }

    fn share(&mut self, process: &Name, fd: Fd) -> Result<Fd, Trouble> {
        self.callers.share(process, fd)
    }

    fn process(&mut self, process: &Name, act: &ProcessAct) -> Result<String, Trouble> {
        self.callers.act(process, act)
    }

    fn finish(&mut self) -> bool {
        self.settle().is_ok()
    }
}
