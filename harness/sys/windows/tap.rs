//! Where a run sees packets: loopback, and its wire. Both have threads of their own that read and
//! stamp, because the system stamps nothing.

use super::capture::{Raw, Sight, Sighted};
use super::wire::Device;
use crate::model::case::Family;
use crate::sys::Trouble;
use crate::sys::shared::{Tap, no_wire};
use crate::wire::Captured;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// What a run sees.
pub struct Seen {
    inbox: Receiver<Sighted>,
    /// What came while somebody waited.
    early: Vec<Sighted>,
    device: Option<Device>,
    _raw: Option<Raw>,
    /// Keeps the inbox open where nobody sees anything: then a step settles no sooner than
    /// elsewhere, because what a call answers may depend on an acknowledgment that is delayed.
    _outbox: Sender<Sighted>,
}

impl Seen {
    /// Opens what the machine has: `sights` of loopback, and a wire for the run that wants one.
    ///
    /// # Errors
    /// What the machine refuses.
    pub fn open(sights: &[Sight], wire: Option<Family>) -> Result<Seen, Trouble> {
        let (outbox, inbox) = channel();
        let raw = (!sights.is_empty()).then(|| Raw::open(sights, &outbox)).transpose();
        let failed =
            |error| Trouble::Failed(format!("a raw socket on the loopback address: {error}"));
        let device = wire.map(|family| Device::open(family, &outbox)).transpose();
        let failed_wire = |what| Trouble::Failed(format!("the wire: {what}"));
        Ok(Seen {
            inbox,
            early: Vec::new(),
            device: device.map_err(failed_wire)?,
            _raw: raw.map_err(failed)?,
            _outbox: outbox,
        })
    }
}

impl Tap for Seen {
    fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
        for sighted in self.early.drain(..).chain(self.inbox.try_iter()) {
            let failed = |error| Trouble::Failed(format!("capturing packets: {error}"));
            packets.push(sighted.map_err(failed)?);
        }
        Ok(())
    }

    fn wait(&mut self, limit: Duration) {
        self.early.extend(self.inbox.recv_timeout(limit));
    }

    fn inject(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        match &self.device {
            Some(device) => device.inject(packet),
            None => Err(no_wire()),
        }
    }
}
