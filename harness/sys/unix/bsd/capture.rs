//! Packets of the loopback interface by `/dev/bpf`, each once, stamped by the kernel.
//!
//! The kernel's filter would have to know the ports of a run before its sockets have them, so the
//! run's own packets are picked out later, as on every shared host.

use crate::sys::Trouble;
use crate::sys::shared::bpf;
use crate::sys::unix::dialect::SYSTEM;
use crate::wire::Captured;
use libc::{c_uint, c_ulong};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

/// What is asked for; the kernel cuts it to `debug.bpf_maxbufsize` on macOS, `net.bpf.maxbufsize`
/// on FreeBSD (512 KiB).
const BUFFER_BYTES: c_uint = 4 << 20;
/// Devices that macOS makes at most.
const DEVICES_MAX: u32 = 256;
/// `_IOW('B', 119, u_int)`, BIOCSSEESENT: on FreeBSD the older name of BIOCSDIRECTION.
const BIOCSSEESENT: c_ulong = 0x8004_4277;
/// `_IOR('B', 111, struct bpf_stat)`
const BIOCGSTATS: c_ulong = 0x4008_426f;
/// DLT_NULL, in `<net/bpf.h>`: an address family before each packet.
const DLT_NULL: c_uint = 0;

/// An open device on `lo0`.
pub struct Bpf {
    device: File,
    /// A read must be for as many bytes as the kernel's buffer has.
    buffer: Vec<u8>,
    /// Packets lost so far.
    lost: u32,
}

/// `struct bpf_stat`
#[repr(C)]
#[derive(Default)]
struct Stat {
    received: c_uint,
    dropped: c_uint,
}

impl Bpf {
    /// Opens a device that nobody uses, on `lo0`.
    ///
    /// # Errors
    /// The system's error: usually that it is for root.
    pub fn open() -> io::Result<Bpf> {
        let device = open()?;
        let mut len = BUFFER_BYTES;
        // The buffer's size can be set only before there is an interface.
        control(&device, libc::BIOCSBLEN, &mut len)?;
        let mut interface = [0u8; 32];
        interface[..3].copy_from_slice(b"lo0");
        control(&device, libc::BIOCSETIF, &mut interface)?;
        let mut link: c_uint = 0;
        control(&device, libc::BIOCGDLT, &mut link)?;
        if link != DLT_NULL {
            return Err(io::Error::other(format!("lo0 has link type {link}, expected DLT_NULL")));
        }
        control(&device, libc::BIOCIMMEDIATE, &mut 1)?;
        control(&device, BIOCSSEESENT, &mut 1)?;
        control(&device, libc::BIOCGBLEN, &mut len)?;
        let mut bpf = Bpf { device, buffer: vec![0; len as usize], lost: 0 };
        bpf.lost = bpf.lost_so_far()?;
        Ok(bpf)
    }

    /// The descriptor to wait for.
    pub fn fd(&self) -> RawFd {
        self.device.as_raw_fd()
    }

    /// Takes what has been captured and adds it to `packets`.
    ///
    /// # Errors
    /// Packets were lost, or the device failed.
    pub fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
        let failed = |error: io::Error| Trouble::Failed(format!("capturing packets: {error}"));
        loop {
            match self.device.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(len) => packets.extend(bpf::packets(&self.buffer[..len], SYSTEM.layout)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        match self.lost_so_far().map_err(failed)? == self.lost {
            true => Ok(()),
            false => Err(Trouble::CaptureOverflow),
        }
    }

    fn lost_so_far(&self) -> io::Result<u32> {
        let mut stat = Stat::default();
        control(&self.device, BIOCGSTATS, &mut stat)?;
        Ok(stat.dropped)
    }
}

/// FreeBSD has one device that every `open` gets anew; macOS has many, each for one user.
fn open() -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NONBLOCK);
    let mut refused = match options.open("/dev/bpf") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => error,
        opened => return opened,
    };
    for number in 0..DEVICES_MAX {
        match options.open(format!("/dev/bpf{number}")) {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => refused = error,
            opened => return opened,
        }
    }
    Err(refused)
}

/// `ioctl` with a request that reads or writes one `T`, as its number says.
fn control<T>(device: &File, request: c_ulong, value: &mut T) -> io::Result<()> {
    // SAFETY: the pointer is to a value of the size that is part of the request's number, and it
    // outlives the call.
    match unsafe { libc::ioctl(device.as_raw_fd(), request, std::ptr::from_mut(value)) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
