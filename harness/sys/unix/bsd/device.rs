//! The wire of one run: a tun device whose far end is the harness. It has addresses that nobody
//! else uses, is silent unless a case speaks, and goes with the run.

use crate::model::Family;
use crate::model::wire::{self, End};
use crate::sys::Trouble;
use crate::sys::clock::now;
use crate::sys::unix::dialect::SYSTEM;
use crate::wire::{Captured, CapturedBytes};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use tun_rs::{DeviceBuilder, SyncDevice};

/// The longest packet in bytes.
const MTU: u16 = wire::MTU;
/// Where the discard service was: nothing is sent there, it is only asked how one would get there.
const DISCARD_PORT: u16 = 9;

/// An open device.
pub struct Device(SyncDevice);

impl Device {
    /// Makes the device, addresses it and brings it up.
    ///
    /// # Errors
    /// What was tried, and the system's error.
    pub fn open(family: Family) -> Result<Device, String> {
        let failed = |error: io::Error| format!("{}: {error}", SYSTEM.wire);
        let (local, peer) = (wire::address(End::Local, family), wire::address(End::Peer, family));
        let builder = DeviceBuilder::new().mtu(MTU);
        let builder = match (local, peer) {
            (IpAddr::V4(local), IpAddr::V4(peer)) => {
                builder.ipv4(local, wire::PREFIX_V4, Some(peer))
            }
            _ => builder.ipv6(local, wire::PREFIX_V6),
        };
        let tun = builder.build_sync().map_err(failed)?;
        tun.set_nonblocking(true).map_err(failed)?;
        match source_towards(peer) {
            Ok(source) if source == local => {}
            Ok(other) => return Err(format!("{peer} is reached from {other}, not by the wire")),
            Err(error) => return Err(format!("no route to {peer} by the wire: {error}")),
        }
        Ok(Device(tun))
    }

    /// Hands a packet to the stack.
    ///
    /// # Errors
    /// The packet is longer than the link allows, or the device failed.
    pub fn inject(&self, packet: &[u8]) -> Result<(), Trouble> {
        if packet.len() > usize::from(MTU) {
            let len = packet.len();
            let what = format!("a packet of {len} bytes on a wire for {MTU}; send less");
            return Err(Trouble::Failed(what));
        }
        let sent = self.0.send(packet);
        sent.map(drop).map_err(|error| Trouble::Failed(format!("a packet for the wire: {error}")))
    }

    /// The descriptor to wait for.
    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Takes what the stack has sent and adds it to `packets`, stamped now.
    ///
    /// # Errors
    /// Packets may have been lost, or the device failed.
    pub fn drain(&self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
        let mut buffer = [0; 2 * MTU as usize];
        for _ in 0..SYSTEM.wire_keeps {
            match self.0.recv(&mut buffer) {
                Ok(len) => {
                    let bytes = CapturedBytes::Ip(buffer[..len].to_vec());
                    packets.push(Captured { at: now(), bytes });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(Trouble::Failed(format!("the wire's device: {error}"))),
            }
        }
        // It was full: nobody tells how many more there were.
        Err(Trouble::CaptureOverflow)
    }
}

/// The address from which this machine would send to another one.
fn source_towards(far: IpAddr) -> io::Result<IpAddr> {
    let any = match far {
        IpAddr::V4(_) => SocketAddr::from(([0; 4], 0)),
        IpAddr::V6(_) => SocketAddr::from(([0u16; 8], 0)),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect((far, DISCARD_PORT))?;
    Ok(socket.local_addr()?.ip())
}
