//! The wire of one run: a wintun adapter whose far end is the harness.
//!
//! The driver comes in a signed library that is loaded when the first run wants a wire; it is not
//! part of this program. An adapter has addresses that belong to the whole machine, so where there
//! are wires runs follow one another, and each has a new one: nothing of an earlier run's
//! connections comes through.

use super::capture::Sighted;
use crate::model::case::Family;
use crate::model::wire::{self, End};
use crate::sys::Trouble;
use crate::sys::clock::now;
use crate::wire::{Captured, CapturedBytes};
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};
use tun_rs::{DeviceBuilder, SyncDevice};

/// What the driver's library is called.
pub const LIBRARY: &str = "wintun.dll";

/// The longest packet in bytes.
const MTU: u16 = wire::MTU;
/// How long the stack may take to find out that nobody else has the new address.
const USABLE_WITHIN: Duration = Duration::from_secs(10);
/// How often it is asked.
const LOOKS_EVERY: Duration = Duration::from_millis(20);

/// An adapter, for as long as its run.
pub struct Device {
    adapter: Arc<SyncDevice>,
}

impl Device {
    /// Makes the adapter, addresses it, and has what the stack sends handed to `outbox`.
    ///
    /// # Errors
    /// What was tried, and the system's error.
    pub fn open(family: Family, outbox: &Sender<Sighted>) -> Result<Device, String> {
        let local = wire::address(End::Local, family);
        let builder = DeviceBuilder::new().mtu(MTU).wintun_file(LIBRARY.to_owned());
        let builder = match local {
            IpAddr::V4(local) => builder.ipv4(local, wire::PREFIX_V4, None),
            IpAddr::V6(local) => builder.mtu_v6(MTU).ipv6(local, wire::PREFIX_V6),
        };
        let adapter = builder.build_sync().map_err(|error| format!("{LIBRARY}: {error}"))?;
        let device = Device { adapter: Arc::new(adapter) };
        let (adapter, outbox) = (Arc::clone(&device.adapter), outbox.clone());
        let reader = std::thread::Builder::new().name("wire".to_owned());
        let started = reader.spawn(move || read(&adapter, &outbox));
        started.map_err(|error| format!("a thread that reads it: {error}"))?;
        await_address(local)?;
        Ok(device)
    }

    /// Hands a packet to the stack.
    ///
    /// # Errors
    /// The packet is longer than the link allows, or the adapter failed.
    pub fn inject(&self, packet: &[u8]) -> Result<(), Trouble> {
        if packet.len() > usize::from(MTU) {
            let len = packet.len();
            let what = format!("a packet of {len} bytes on a wire for {MTU}; send less");
            return Err(Trouble::Failed(what));
        }
        let sent = self.adapter.send(packet);
        sent.map(drop).map_err(|error| Trouble::Failed(format!("a packet for the wire: {error}")))
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // Ends the reading thread, which has the other hold on the adapter. One that cannot be
        // shut down goes with the program.
        let _ = self.adapter.shutdown();
    }
}

/// Hands on what the stack sends, stamped, until the adapter is shut down.
fn read(adapter: &SyncDevice, outbox: &Sender<Sighted>) {
    let mut buffer = [0; 2 * MTU as usize];
    loop {
        let packet = match adapter.recv(&mut buffer) {
            Ok(len) => &buffer[..len],
            Err(error) => return drop(outbox.send(Err(error))),
        };
        // What Windows says to whole networks when it meets a new one is no part of a case.
        if !is_for_many(packet) {
            let bytes = CapturedBytes::Ip(packet.to_vec());
            if outbox.send(Ok(Captured { at: now(), bytes })).is_err() {
                return;
            }
        }
    }
}

/// Whether a packet goes to a multicast or broadcast address.
fn is_for_many(packet: &[u8]) -> bool {
    const BROADCAST: u8 = 255;
    match (packet.first().map(|byte| byte >> 4), packet.get(16..20), packet.get(24)) {
        // 224.0.0.0/4 and above, and the last address of the wire's network.
        (Some(4), Some(to), _) => to[0] >= 224 || to[3] == BROADCAST,
        (Some(6), _, Some(first)) => *first == 0xff,
        _ => false,
    }
}

/// Waits until the address can be used: a new one is tentative at first (RFC 4862 §5.4, RFC 5227).
fn await_address(local: IpAddr) -> Result<(), String> {
    let began = Instant::now();
    loop {
        match UdpSocket::bind((local, 0)) {
            Ok(_) => return Ok(()),
            Err(error) if began.elapsed() > USABLE_WITHIN => {
                return Err(format!("the address {local}: {error}"));
            }
            Err(_) => std::thread::sleep(LOOKS_EVERY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_for_many;
    use rstest::rstest;

    #[rstest]
    #[case::peer([192, 0, 2, 2], false)]
    #[case::igmp([224, 0, 0, 22], true)]
    #[case::netbios([192, 0, 2, 255], true)]
    #[case::everybody([255, 255, 255, 255], true)]
    fn noise_is_told_by_its_destination(#[case] to: [u8; 4], #[case] expected: bool) {
        let mut packet = vec![0x45; 20];
        packet[16..].copy_from_slice(&to);
        assert_eq!(is_for_many(&packet), expected);
    }
}
