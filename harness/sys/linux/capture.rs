//! Packets of the calling thread's namespace, by raw sockets: one per protocol, each packet once,
//! stamped by the kernel.

use crate::sys::Trouble;
use crate::sys::unix::{errno, now};
use crate::wire::{Captured, CapturedBytes};
use libc::{c_int, c_void, cmsghdr, iovec, msghdr};
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

/// Larger than any packet of the loopback interface.
const PACKET_BYTES_MAX: usize = 65_600;
/// What is asked for; the kernel cuts it to `net.core.rmem_max`. Its default holds three sends of
/// 64 KiB.
const BUFFER_BYTES: c_int = 8 << 20;
/// `<linux/sock_diag.h>`: the index of the drop count among the values of SO_MEMINFO.
const SK_MEMINFO_DROPS: usize = 8;
const SO_MEMINFO: c_int = 55;

/// The open sockets.
pub struct Capture {
    taps: Vec<Tap>,
    buffer: Vec<u8>,
}

struct Tap {
    socket: Socket,
    ipv6: bool,
    protocol: u8,
}

impl Capture {
    /// Opens the sockets for TCP, UDP and ICMP.
    ///
    /// # Errors
    /// The system's error: usually that raw sockets are for root.
    pub fn open(ipv6: bool) -> io::Result<Capture> {
        let four = [Protocol::TCP, Protocol::UDP, Protocol::ICMPV4];
        let six = [Protocol::TCP, Protocol::UDP, Protocol::ICMPV6];
        let mut taps = Vec::with_capacity(6);
        for protocol in four {
            taps.push(Tap::open(Domain::IPV4, protocol)?);
        }
        for protocol in six.into_iter().filter(|_| ipv6) {
            taps.push(Tap::open(Domain::IPV6, protocol)?);
        }
        Ok(Capture {
            taps,
            buffer: vec![0; PACKET_BYTES_MAX],
        })
    }

    /// Takes what has been captured and adds it to `packets`, unordered.
    ///
    /// # Errors
    /// Packets were lost, or a socket failed.
    pub fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
        for tap in &self.taps {
            let before = packets.len();
            while let Some(packet) = tap.receive(&mut self.buffer)? {
                packets.push(packet);
            }
            // A socket that had nothing to read cannot have been full.
            if packets.len() > before && drops(tap.socket.as_raw_fd()) > 0 {
                return Err(Trouble::CaptureOverflow);
            }
        }
        Ok(())
    }

    /// Waits until there is something to take, at most that long.
    pub fn wait(&self, limit: Duration) {
        let mut polled: Vec<libc::pollfd> = self.taps.iter().map(Tap::polled).collect();
        let (fds, count) = (polled.as_mut_ptr(), polled.len() as libc::nfds_t);
        let limit_ms = limit.as_millis() as c_int + 1;
        // SAFETY: the pointer is to `count` entries that outlive the call.
        unsafe { libc::poll(fds, count, limit_ms) };
    }
}

impl Tap {
    fn open(domain: Domain, protocol: Protocol) -> io::Result<Tap> {
        let kind = Type::RAW.nonblocking();
        let socket = Socket::new(domain, kind, Some(protocol))?;
        let fd = socket.as_raw_fd();
        set_int(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        // Forcing is refused inside a user namespace.
        if set_int(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, BUFFER_BYTES).is_err() {
            set_int(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, BUFFER_BYTES)?;
        }
        let ipv6 = domain == Domain::IPV6;
        if ipv6 {
            set_int(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
            set_int(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, 1)?;
        }
        let protocol = c_int::from(protocol) as u8;
        Ok(Tap {
            socket,
            ipv6,
            protocol,
        })
    }

    fn polled(&self) -> libc::pollfd {
        libc::pollfd {
            fd: self.socket.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        }
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<Option<Captured>, Trouble> {
        let (len, beside) = match receive(self.socket.as_raw_fd(), buffer) {
            Ok(received) => received,
            Err(libc::EAGAIN) => return Ok(None),
            Err(raw) => {
                let name = errno::name(raw);
                return Err(Trouble::Failed(format!("capturing packets: {name}")));
            }
        };
        let bytes = buffer[..len].to_vec();
        // gVisor stamps nothing; then the order in which they are read has to do.
        let at = beside.stamp.unwrap_or_else(now);
        let bytes = if self.ipv6 {
            CapturedBytes::Transport {
                source: beside.source,
                destination: beside.destination.into(),
                protocol: self.protocol,
                ttl: beside.hop_limit,
                bytes,
            }
        } else {
            CapturedBytes::Ip(bytes)
        };
        Ok(Some(Captured { at, bytes }))
    }
}

/// What comes beside the bytes of a packet.
struct Beside {
    source: IpAddr,
    destination: Ipv6Addr,
    hop_limit: Option<u8>,
    stamp: Option<Duration>,
}

/// One packet: its length and what came beside it.
fn receive(fd: RawFd, buffer: &mut [u8]) -> Result<(usize, Beside), c_int> {
    let mut name = SockAddrStorage::zeroed();
    let mut control = [0u64; 32];
    let mut vector = iovec {
        iov_base: buffer.as_mut_ptr().cast::<c_void>(),
        iov_len: buffer.len(),
    };
    // SAFETY: all zeroes is a message without address, data, control data and flags.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = (&raw mut name).cast();
    message.msg_namelen = name.size_of();
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: every part of the message outlives the call and has the length told.
    let len = unsafe { libc::recvmsg(fd, &raw mut message, 0) };
    let Ok(len) = usize::try_from(len) else {
        return Err(errno::last());
    };
    let name_len = message.msg_namelen.min(name.size_of());
    // SAFETY: the kernel wrote an address of this length.
    let source = unsafe { SockAddr::new(name, name_len) }.as_socket();
    let mut beside = Beside {
        source: source.map_or(Ipv6Addr::UNSPECIFIED.into(), |source| source.ip()),
        destination: Ipv6Addr::UNSPECIFIED,
        hop_limit: None,
        stamp: None,
    };
    // SAFETY: the message is as recvmsg left it, and its control buffer is alive.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    while !header.is_null() {
        // SAFETY: the header is not null, so it points into the control buffer.
        unsafe { beside.take(&*header, libc::CMSG_DATA(header)) };
        // SAFETY: as for CMSG_FIRSTHDR.
        header = unsafe { libc::CMSG_NXTHDR(&raw const message, header) };
    }
    Ok((len, beside))
}

impl Beside {
    /// Takes one control message.
    ///
    /// # Safety
    /// `data` points to the data of this message, as the kernel wrote it.
    unsafe fn take(&mut self, header: &cmsghdr, data: *const u8) {
        match (header.cmsg_level, header.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                // SAFETY: the kernel wrote a timespec.
                let stamp = unsafe { data.cast::<libc::timespec>().read_unaligned() };
                self.stamp = Some(Duration::new(stamp.tv_sec as u64, stamp.tv_nsec as u32));
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                // SAFETY: the kernel wrote an in6_pktinfo.
                let info = unsafe { data.cast::<libc::in6_pktinfo>().read_unaligned() };
                self.destination = Ipv6Addr::from(info.ipi6_addr.s6_addr);
            }
            (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                // SAFETY: the kernel wrote an int.
                self.hop_limit = Some(unsafe { data.cast::<c_int>().read_unaligned() } as u8);
            }
            _ => {}
        }
    }
}

/// How many packets this socket has lost; 0 where the kernel does not tell.
fn drops(fd: RawFd) -> u32 {
    let mut values = [0u32; SK_MEMINFO_DROPS + 1];
    let mut len = size_of_val(&values) as libc::socklen_t;
    let pointer = values.as_mut_ptr().cast::<c_void>();
    // SAFETY: the pointer is to `len` writable bytes.
    unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, SO_MEMINFO, pointer, &raw mut len) };
    values[SK_MEMINFO_DROPS]
}

/// `setsockopt` with an `int`, for the harness's own sockets.
///
/// # Errors
/// The system's error.
pub fn set_int(fd: RawFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    let pointer = (&raw const value).cast::<c_void>();
    let len = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the pointer is to an int that outlives the call.
    match unsafe { libc::setsockopt(fd, level, name, pointer, len) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
