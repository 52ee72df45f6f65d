//! When a step has settled, and the packets seen until then.

use super::capture::Capture;
use super::device::Device;
use super::poll;
use super::sentinel::{self, Sentinel};
use crate::sys::Trouble;
use crate::sys::shared::quiet::{self, Quiet};
use crate::sys::shared::{self, Tap};
use crate::wire::Captured;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// A stack that is still sending by then does not settle.
const SETTLES_WITHIN: Duration = Duration::from_secs(3);

/// How a ground knows that a step has settled.
pub enum Settling {
    /// By a sentinel that comes back alone.
    Sentinel(Sentinel),
    /// By quiet on the wire.
    Quiet(Quiet),
}

/// Where packets are seen.
#[derive(Default)]
pub struct Sight {
    /// On the loopback interface; none: nowhere there.
    pub capture: Option<Capture>,
    /// On the wire, if the run has one.
    pub device: Option<Device>,
}

impl Tap for Sight {
    fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
        if let Some(capture) = &mut self.capture {
            capture.drain(packets)?;
        }
        self.device.as_mut().map_or(Ok(()), |device| device.drain(packets))
    }

    fn stamps(&self) -> bool {
        self.device.is_none() && self.capture.as_ref().is_some_and(Capture::stamps)
    }

    fn watch(&mut self, ports: &BTreeSet<u16>) -> Result<(), Trouble> {
        self.capture.as_mut().map_or(Ok(()), |capture| capture.watch(ports))
    }

    fn wait(&mut self, limit: Duration) {
        let captured = self.capture.iter().flat_map(Capture::fds);
        poll::await_any(captured.chain(self.device.iter().map(Device::fd)), limit);
    }

    fn inject(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        self.device.as_ref().ok_or_else(shared::no_wire)?.inject(packet)
    }
}

/// What a ground sees, and when it knows that it has seen all.
pub struct Wire {
    /// How it settles.
    pub settling: Settling,
    /// Where it looks.
    pub sight: Sight,
    /// The case has changed something on its way, so that a sentinel may be lost there.
    pub changed: bool,
}

impl Wire {
    /// Waits until everything has been delivered, and hands over the packets in the order of
    /// their stamps.
    ///
    /// # Errors
    /// Packets were lost, or the wire does not settle.
    pub fn settle(&mut self) -> Result<Vec<Captured>, Trouble> {
        let mut packets = Vec::new();
        match &mut self.settling {
            Settling::Sentinel(sentinel) => {
                let crossed = settle_by(sentinel, self.changed, &mut self.sight, &mut packets)?;
                if !crossed {
                    // A firewall drops it or `lo` is down: from now on the run waits for quiet.
                    let mut quiet = Quiet::of(quiet::LINUX);
                    quiet.settle(&mut self.sight, |_| true, &mut packets)?;
                    self.settling = Settling::Quiet(quiet);
                }
            }
            Settling::Quiet(quiet) => quiet.settle(&mut self.sight, |_| true, &mut packets)?,
        }
        packets.sort_by_key(|packet| packet.at);
        Ok(packets)
    }

    /// Puts a packet on the wire and has it delivered.
    ///
    /// # Errors
    /// There is no wire, or it does not take the packet.
    pub fn inject(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        self.sight.inject(packet)?;
        // Nobody sees that the packet itself has arrived, so this crossing pushes it and that of
        // settling what it caused. A sentinel that is lost is noticed then.
        let queues = self.sight.device.as_ref().is_some_and(Device::queues);
        if let (true, Settling::Sentinel(sentinel)) = (queues, &mut self.settling) {
            let _ = sentinel.cross(sentinel::LOST_AFTER);
        }
        // What is read now cannot be mistaken for what a timer sends a tick later.
        if let Some(device) = &mut self.sight.device {
            device.look();
        }
        Ok(())
    }
}

/// Whether the sentinel crossed; then everything that came before it has been taken.
fn settle_by(
    sentinel: &mut Sentinel,
    may_be_lost: bool,
    sight: &mut Sight,
    packets: &mut Vec<Captured>,
) -> Result<bool, Trouble> {
    let began = Instant::now();
    loop {
        // Whoever was put aside for that long has still to look whether more comes.
        let must_have_settled = began.elapsed() >= SETTLES_WITHIN;
        match sentinel.cross(if may_be_lost { sentinel::LOST_AFTER } else { sentinel::PATIENCE }) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::TimedOut && !may_be_lost => {
                return Err(Trouble::Starved(format!(
                    "a packet that nobody drops took more than {:?} to cross the \
                     loopback interface; run it again with less beside it, or with fewer --jobs",
                    sentinel::PATIENCE
                )));
            }
            Err(_) => return Ok(false),
        }
        let before = packets.len();
        sight.drain(packets)?;
        if packets.len() == before {
            return Ok(true);
        }
        if must_have_settled {
            return Err(quiet::restless());
        }
    }
}
