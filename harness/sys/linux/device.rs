//! The wire of a run: a device whose far end is the harness.
//!
//! TUN where it can be opened: what is written is delivered before the call returns, and what the
//! stack sends is read. Where not (in many containers `/dev/net/tun` is for root), one end of a
//! veth pair with a packet socket on the other, for which a user namespace is enough. Both hand
//! over the same packets, with their checksums computed.
//!
//! A packet gets the time at which it is read, so a run that waits looks at the device meanwhile.
//! Nothing that the harness puts on the wire is handed over. Closing either device sleeps (up to
//! 24 ms), so both are closed with the run's own table of descriptors.

use super::capture::{Tap, link_address, set_int};
use super::link::{self, Link};
use super::metrics::Metrics;
use super::poll;
use super::settings::View;
use crate::model::Family;
use crate::sys::Trouble;
use crate::sys::clock::now;
use crate::wire::{Captured, CapturedBytes};
use socket2::SockAddr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

/// Packets that a TUN device keeps until they are read, from the start; more are lost.
const TUN_KEEPS: usize = 500;
/// Larger than any packet of the wire.
const PACKET_BYTES_MAX: usize = 2 * link::MTU;
/// `<linux/if_packet.h>`: send without the queue, which a new link gets some time later.
const PACKET_QDISC_BYPASS: libc::c_int = 20;
/// `<linux/ethtool.h>`: checksums of what is sent, by the device or not.
const ETHTOOL_STXCSUM: u32 = 0x17;
const SIOCETHTOOL: libc::Ioctl = 0x8946;

/// The kinds of device, in the order in which they are tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `/dev/net/tun`
    Tun,
    /// A veth pair.
    Veth,
}

impl Kind {
    /// The word for headers of records.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Tun => "tun",
            Kind::Veth => "veth",
        }
    }
}

/// The wire of one run, in the namespace of the thread that opened it.
pub struct Device {
    /// The stack's side.
    pub link: Link,
    end: FarEnd,
    /// Packets that came while time passed.
    came: Vec<Captured>,
    trouble: Option<Trouble>,
}

/// The harness's side.
enum FarEnd {
    Tun(ManuallyDrop<File>),
    Veth { tap: Tap, to: SockAddr },
}

impl Device {
    /// Makes the device, addresses it and brings it up.
    ///
    /// # Errors
    /// What was tried, and the system's error.
    pub fn open(
        kind: Kind,
        family: Family,
        metrics: Option<Metrics>,
        view: &View,
    ) -> Result<Device, String> {
        let failed = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
        link::silence_new_links(view).map_err(failed("a link without IPv6"))?;
        let (link, end) = match kind {
            Kind::Tun => {
                let tun = open_tun().map_err(failed("/dev/net/tun"))?;
                let link = Link::find(family, metrics).map_err(failed("the TUN device"))?;
                (link, FarEnd::Tun(ManuallyDrop::new(tun)))
            }
            Kind::Veth => {
                let (link, far) = Link::pair(family, metrics).map_err(|r| r.to_string())?;
                let tap = Tap::on_link(far).map_err(failed("a packet socket"))?;
                compute_checksums(tap.fd()).map_err(failed("checksums of a veth pair"))?;
                set_int(tap.fd(), libc::SOL_PACKET, PACKET_QDISC_BYPASS, 1)
                    .map_err(failed("PACKET_QDISC_BYPASS"))?;
                let protocol = match family {
                    Family::V4 => libc::ETH_P_IP,
                    Family::V6 => libc::ETH_P_IPV6,
                };
                let to = link_address(far, protocol);
                (link, FarEnd::Veth { tap, to })
            }
        };
        link.open(view)?;
        Ok(Device { link, end, came: Vec::new(), trouble: None })
    }

    /// Hands a packet to the stack. One that comes while the link is down is lost, as on any wire.
    ///
    /// # Errors
    /// The packet is longer than the link allows, or is none.
    pub fn inject(&self, packet: &[u8]) -> Result<(), Trouble> {
        if packet.len() > link::MTU {
            let (len, mtu) = (packet.len(), link::MTU);
            let what =
                format!("a packet of {len} bytes on a wire for {mtu}; send less or fragment it");
            return Err(Trouble::Failed(what));
        }
        let sent = match &self.end {
            FarEnd::Tun(tun) => (&**tun).write(packet),
            FarEnd::Veth { tap, to } => tap.send_to(packet, to),
        };
        let is_down = |error: &io::Error| {
            let down = [libc::EIO, libc::ENETDOWN, libc::ENOBUFS];
            error.raw_os_error().is_some_and(|raw| down.contains(&raw))
        };
        match sent {
            Err(error) if !is_down(&error) => {
                Err(Trouble::Failed(format!("a packet for the wire: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Takes what the stack has sent and adds it to `packets`.
    ///
    /// # Errors
    /// Packets were lost, or the device failed.
    pub fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
        self.look();
        packets.append(&mut self.came);
        self.trouble.take().map_or(Ok(()), Err)
    }

    /// Lets time pass, and stamps what comes meanwhile.
    pub fn pass(&mut self, time: Duration) {
        let until = Instant::now() + time;
        loop {
            self.look();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            poll::ask(&mut [poll::interest(self.fd())], left);
        }
    }

    /// The descriptor to wait for.
    pub fn fd(&self) -> RawFd {
        match &self.end {
            FarEnd::Tun(tun) => tun.as_raw_fd(),
            FarEnd::Veth { tap, .. } => tap.fd(),
        }
    }

    /// Whether what is injected waits in a queue of this CPU until a sentinel pushes it.
    pub fn queues(&self) -> bool {
        matches!(self.end, FarEnd::Veth { .. })
    }

    /// Stamps what has come.
    pub fn look(&mut self) {
        let taken = match &self.end {
            FarEnd::Tun(tun) => read_tun(tun, &mut self.came),
            FarEnd::Veth { tap, .. } => read_veth(tap, &mut self.came),
        };
        if let Err(trouble) = taken {
            self.trouble = Some(trouble);
        }
    }
}

/// Reads until there is nothing left.
fn read_veth(tap: &Tap, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
    let before = packets.len();
    let drained = tap.drain(&mut [MaybeUninit::uninit(); PACKET_BYTES_MAX], packets);
    // The kernel's stamps are of no use: older kernels give TCP segments the time of another clock.
    packets[before..].iter_mut().for_each(|packet| packet.at = now());
    drained
}

/// Reads until there is nothing left.
fn read_tun(mut tun: &File, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
    let mut buffer = [0; PACKET_BYTES_MAX];
    for _ in 0..TUN_KEEPS {
        match tun.read(&mut buffer) {
            Ok(len) => packets
                .push(Captured { at: now(), bytes: CapturedBytes::Ip(buffer[..len].to_vec()) }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(Trouble::Failed(format!("the TUN device: {error}"))),
        }
    }
    // It was full: nobody tells how many more there were.
    Err(Trouble::CaptureOverflow)
}

/// `struct ifreq`, as far as it is used here.
#[repr(C)]
struct InterfaceRequest<T> {
    name: [u8; libc::IFNAMSIZ],
    value: T,
    rest: [u8; 24],
}

impl<T> InterfaceRequest<T> {
    fn of_wire(value: T) -> InterfaceRequest<T> {
        let mut name = [0; libc::IFNAMSIZ];
        name[..link::NAME.len()].copy_from_slice(link::NAME.as_bytes());
        InterfaceRequest { name, value, rest: [0; 24] }
    }
}

/// A new TUN device: IP packets without anything before them.
fn open_tun() -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NONBLOCK);
    let tun = options.open("/dev/net/tun")?;
    let flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    let mut request = InterfaceRequest::of_wire(flags);
    // SAFETY: the request is an ifreq and outlives the call.
    if unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF, &raw mut request) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // The device goes with its namespace, together with others: that costs less than taking each
    // away as it is closed, which a system that lacks this does.
    // SAFETY: the call takes a number.
    unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETPERSIST, 1) };
    Ok(tun)
}

/// Has the stack compute what it would leave to the device: checksums, and with them segments.
fn compute_checksums(fd: RawFd) -> io::Result<()> {
    let mut command = [ETHTOOL_STXCSUM, 0];
    let mut request = InterfaceRequest::of_wire(command.as_mut_ptr());
    // SAFETY: the request is an ifreq, its pointer is to an `ethtool_value`, and both outlive the
    // call.
    match unsafe { libc::ioctl(fd, SIOCETHTOOL, &raw mut request) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
