//! When a step has settled, and the packets seen until then.

use super::capture::Capture;
use super::device::Device;
use super::flow::Flow;
use super::poll;
use super::sentinel::Sentinel;
use crate::sys::Trouble;
use crate::wire::Captured;
use std::collections::BTreeSet;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

/// Longer than this stack's longest delayed ACK (48.3 ms measured).
pub const QUIET: Duration = Duration::from_millis(100);
/// gVisor's.
pub const QUIET_GVISOR: Duration = Duration::from_millis(50);
/// A stack that is still sending by then does not settle.
const SETTLES_WITHIN: Duration = Duration::from_secs(3);
/// Without capture nobody sees what a sentinel pushed: more of them than a call causes packets one
/// after another.
const BLIND_CROSSINGS: u32 = 32;

/// How a ground knows that a step has settled.
pub enum Settling {
    /// By a sentinel that comes back alone.
    Sentinel(Sentinel),
    /// By quiet on the wire.
    Quiet(Duration),
    /// By sentinels, without seeing packets.
    Blind(Sentinel),
}

/// Where packets are seen.
#[derive(Default)]
pub struct Sight {
    /// On the loopback interface; none: nowhere there.
    pub capture: Option<Capture>,
    /// On the wire, if the run has one.
    pub device: Option<Device>,
}

impl Sight {
    fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
        if let Some(capture) = &mut self.capture {
            capture.drain(packets)?;
        }
        self.device.as_mut().map_or(Ok(()), |device| device.drain(packets))
    }

    fn wait(&self, limit: Duration) {
        let captured = self.capture.iter().flat_map(Capture::fds);
        let fds: Vec<RawFd> = captured.chain(self.device.iter().map(Device::fd)).collect();
        poll::readable(&fds, limit);
    }
}

/// What a ground sees, and when it knows that it has seen all.
pub struct Wire {
    /// How it settles.
    pub settling: Settling,
    /// Where it looks.
    pub sight: Sight,
    /// Ports of the run, where the wire is shared; none: every packet is the run's.
    pub own_ports: Option<BTreeSet<u16>>,
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
            Settling::Blind(sentinel) => {
                let mut crossings = (0..BLIND_CROSSINGS).map(|_| sentinel.cross());
                crossings.find_map(Result::err).map_or(Ok(()), |error| {
                    Err(Trouble::Failed(format!("a datagram to oneself: {error}")))
                })?;
            }
            Settling::Sentinel(sentinel) => {
                let crossed = settle_by(sentinel, &mut self.sight, &mut packets)?;
                if !crossed {
                    // A firewall drops it or `lo` is down: from now on the run waits for quiet.
                    self.settling = Settling::Quiet(QUIET);
                    self.settle_quietly(QUIET, &mut packets)?;
                }
            }
            Settling::Quiet(quiet) => {
                let quiet = *quiet;
                self.settle_quietly(quiet, &mut packets)?;
            }
        }
        packets.sort_by_key(|packet| packet.at);
        Ok(packets)
    }

    /// Puts a packet on the wire and has it delivered.
    ///
    /// # Errors
    /// There is no wire, or it does not take the packet.
    pub fn inject(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        let Some(device) = &self.sight.device else {
            return Err(Trouble::Failed("this run has no wire".to_owned()));
        };
        device.inject(packet)?;
        // Nobody sees that the packet itself has arrived, so this crossing pushes it and that of
        // settling what it caused. A sentinel that is lost is noticed then.
        if let (true, Settling::Sentinel(sentinel)) = (device.queues(), &mut self.settling) {
            let _ = sentinel.cross();
        }
        Ok(())
    }

    fn settle_quietly(
        &mut self,
        quiet: Duration,
        packets: &mut Vec<Captured>,
    ) -> Result<(), Trouble> {
        let began = Instant::now();
        let mut last = began;
        loop {
            let own = packets.len();
            self.sight.drain(packets)?;
            if let Some(ports) = &self.own_ports {
                let is_own = |packet: &Captured| Flow::of(packet).is_some_and(|f| f.has(ports));
                let new = packets.split_off(own);
                packets.extend(new.into_iter().filter(is_own));
            }
            if packets.len() > own {
                last = Instant::now();
            }
            let left = quiet.saturating_sub(last.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            if began.elapsed() > SETTLES_WITHIN {
                return Err(restless());
            }
            self.sight.wait(left);
        }
    }
}

/// Whether the sentinel crossed; then everything that came before it has been taken.
fn settle_by(
    sentinel: &mut Sentinel,
    sight: &mut Sight,
    packets: &mut Vec<Captured>,
) -> Result<bool, Trouble> {
    let began = Instant::now();
    while began.elapsed() < SETTLES_WITHIN {
        if sentinel.cross().is_err() {
            return Ok(false);
        }
        let before = packets.len();
        sight.drain(packets)?;
        if packets.len() == before {
            return Ok(true);
        }
    }
    Err(restless())
}

fn restless() -> Trouble {
    let limit_s = SETTLES_WITHIN.as_secs();
    Trouble::Failed(format!("the wire did not settle within {limit_s} s"))
}
