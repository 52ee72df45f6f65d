//! Packets of the calling thread's namespace, each once, stamped by the kernel.
//!
//! Raw sockets, one per protocol, cost next to nothing, but see only what has passed the
//! firewall. Packet sockets see everything that comes in by a device; closing one sleeps until
//! every CPU has been seen elsewhere (12 to 24 ms), so that is left to the end of the thread, with
//! which the run's own table of descriptors goes, when the run no longer has a place on a CPU.

use super::filter::{self, Behind};
use super::link;
use super::network::LOOPBACK_INDEX;
use super::{poll, sentinel};
use crate::sys::Trouble;
use crate::sys::clock::now;
use crate::sys::unix::errno;
use crate::wire::{Captured, CapturedBytes};
use libc::{c_int, c_void, cmsghdr, iovec, msghdr, pollfd};
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsRawFd, RawFd};
use std::slice;
use std::time::Duration;

/// Larger than any packet of the loopback interface.
const PACKET_BYTES_MAX: usize = 65_600;
/// What is asked for; the kernel cuts it to `net.core.rmem_max`. Its default holds three sends of
/// 64 KiB.
const BUFFER_BYTES: c_int = 8 << 20;
/// `<linux/sock_diag.h>`: the index of the drop count among the values of SO_MEMINFO.
const SK_MEMINFO_DROPS: usize = 8;
const SO_MEMINFO: c_int = 55;

/// Where a capture looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// At all that is delivered in the namespace, by raw sockets.
    Namespace,
    /// At what comes in by `lo`, before any firewall has seen it, by packet sockets. (A raw socket
    /// bound to `lo` does not see what this machine sends to its own address on the wire.)
    Loopback,
}

/// The open sockets.
pub struct Capture {
    taps: Vec<Tap>,
    /// What is asked about them, in the same order.
    polled: Vec<pollfd>,
    /// Most of its pages are never touched: packets are short.
    buffer: Box<[MaybeUninit<u8>]>,
}

/// One socket.
pub struct Tap {
    socket: ManuallyDrop<Socket>,
    kind: Kind,
    /// The kernel has stamped every packet so far.
    stamps: Cell<bool>,
}

/// What a socket hands over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Packets of this protocol, from the IP header on.
    Raw4(u8),
    /// Packets of this protocol, from behind the IP header on.
    Raw6(u8),
    /// Packets from the IP header on, before any firewall.
    Packet,
}

impl Capture {
    /// Opens the sockets for TCP, UDP and ICMP.
    ///
    /// # Errors
    /// The system's error: usually that raw sockets are for root.
    pub fn open(place: Place, ipv6: bool) -> io::Result<Capture> {
        let mut taps = Vec::with_capacity(6);
        if place == Place::Loopback {
            let tap = Tap::on_link(LOOPBACK_INDEX)?;
            // Where the kernel refuses, they are thrown away when they are read.
            let _ = filter::keep_out(tap.fd(), sentinel::PROTOCOL as u8);
            taps.push(tap);
        } else {
            for protocol in [Protocol::TCP, Protocol::UDP, Protocol::ICMPV4] {
                taps.push(Tap::raw(Domain::IPV4, protocol)?);
            }
            let six = [Protocol::TCP, Protocol::UDP, Protocol::ICMPV6];
            for protocol in six.into_iter().filter(|_| ipv6) {
                taps.push(Tap::raw(Domain::IPV6, protocol)?);
            }
        }
        let polled = taps.iter().map(|tap| poll::interest(tap.fd())).collect();
        Ok(Capture { taps, polled, buffer: Box::new_uninit_slice(PACKET_BYTES_MAX) })
    }

    /// Takes what has been captured and adds it to `packets`, unordered.
    ///
    /// # Errors
    /// Packets were lost, or a socket failed.
    pub fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
        if let [tap] = &self.taps[..] {
            return tap.drain(&mut self.buffer, packets);
        }
        // Most taps have nothing most of the time, and one question is cheaper than six refusals.
        poll::ask(&mut self.polled, Duration::ZERO);
        let mut taps = self.taps.iter().zip(&self.polled).filter(|(_, tap)| poll::is_ready(tap));
        taps.try_for_each(|(tap, _)| tap.drain(&mut self.buffer, packets))
    }

    /// Whether the kernel has stamped every packet so far.
    pub fn stamps(&self) -> bool {
        self.taps.iter().all(|tap| tap.stamps.get())
    }

    /// Has the kernel throw away what is from and to other ports than these, except ICMP.
    ///
    /// # Errors
    /// The kernel's error, if it would now throw away others.
    pub fn watch(&mut self, ports: &BTreeSet<u16>) -> Result<(), Trouble> {
        let has_ports =
            |protocol: u8| [libc::IPPROTO_TCP, libc::IPPROTO_UDP].contains(&c_int::from(protocol));
        let behind = |tap: &Tap| match tap.kind {
            Kind::Raw4(protocol) if has_ports(protocol) => Some(Behind::Ipv4),
            Kind::Raw6(protocol) if has_ports(protocol) => Some(Behind::Nothing),
            _ => None,
        };
        let mut watched = self.taps.iter().filter_map(|tap| Some((tap.fd(), behind(tap)?)));
        let failed = |error| Trouble::Failed(format!("a filter of packets: {error}"));
        watched.try_for_each(|(fd, behind)| filter::attach(fd, behind, ports)).map_err(failed)
    }

    /// The descriptors to wait for.
    pub fn fds(&self) -> impl Iterator<Item = RawFd> {
        self.taps.iter().map(Tap::fd)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if self.kind != Kind::Packet {
            // SAFETY: this is the end of the tap, nobody uses the socket afterwards.
            unsafe { ManuallyDrop::drop(&mut self.socket) };
        }
    }
}

impl Tap {
    fn raw(domain: Domain, protocol: Protocol) -> io::Result<Tap> {
        let socket = Socket::new(domain, Type::RAW.nonblocking(), Some(protocol))?;
        let number = c_int::from(protocol) as u8;
        let kind = match domain {
            Domain::IPV6 => Kind::Raw6(number),
            _ => Kind::Raw4(number),
        };
        if domain == Domain::IPV6 {
            let fd = socket.as_raw_fd();
            set_int(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
            set_int(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, 1)?;
            // Few cases ask for it, and a stack that cannot tell it can tell the rest.
            let _ = set_int(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, 1);
        }
        Tap::with(socket, kind)
    }

    /// The packets that come in by the link of this index.
    ///
    /// # Errors
    /// The system's error.
    pub fn on_link(index: u32) -> io::Result<Tap> {
        // Without a protocol at first: the socket is then hooked up only once, by bind, which
        // need not wait for the first hook to be out of use.
        let socket = Socket::new(Domain::PACKET, Type::DGRAM.nonblocking(), None)?;
        // What goes out of `lo` comes in by it, and what goes out of the far end is our own. Where
        // the option is unknown, such packets are thrown away when they are read.
        let _ = set_int(socket.as_raw_fd(), libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1);
        // A socket for one protocol would get its packets after the stack has answered them.
        socket.bind(&link_address(index, libc::ETH_P_ALL))?;
        Tap::with(socket, Kind::Packet)
    }

    fn with(socket: Socket, kind: Kind) -> io::Result<Tap> {
        let tap = Tap { socket: ManuallyDrop::new(socket), kind, stamps: Cell::new(true) };
        let fd = tap.fd();
        set_int(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        // Forcing is refused inside a user namespace.
        if set_int(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, BUFFER_BYTES).is_err() {
            set_int(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, BUFFER_BYTES)?;
        }
        Ok(tap)
    }

    /// Its descriptor.
    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Sends a packet out of the link, from its IP header on.
    ///
    /// # Errors
    /// The system's error.
    pub fn send_to(&self, packet: &[u8], to: &SockAddr) -> io::Result<usize> {
        self.socket.send_to(packet, to)
    }

    /// Takes what has been captured and adds it to `packets`.
    ///
    /// # Errors
    /// Packets were lost, or the socket failed.
    pub fn drain(
        &self,
        buffer: &mut [MaybeUninit<u8>],
        packets: &mut Vec<Captured>,
    ) -> Result<(), Trouble> {
        while let Some((packet, outgoing)) = self.receive(buffer)? {
            if !outgoing && !is_sentinel(&packet) {
                packets.push(packet);
            }
        }
        match drops(self.fd()) > 0 {
            true => Err(Trouble::CaptureOverflow),
            false => Ok(()),
        }
    }

    /// A packet, and whether it went out.
    fn receive(&self, buffer: &mut [MaybeUninit<u8>]) -> Result<Option<(Captured, bool)>, Trouble> {
        let (len, beside) = match receive(self.socket.as_raw_fd(), buffer) {
            Ok(received) => received,
            // The device of a packet socket went down.
            Err(libc::EAGAIN | libc::ENETDOWN) => return Ok(None),
            Err(raw) => {
                let name = errno::name(raw);
                return Err(Trouble::Failed(format!("capturing packets: {name}")));
            }
        };
        let written = &buffer[..len];
        // SAFETY: the kernel has written all of these bytes.
        let bytes = unsafe { slice::from_raw_parts(written.as_ptr().cast::<u8>(), len) }.to_vec();
        // gVisor stamps nothing; then the order in which they are read has to do.
        self.stamps.set(self.stamps.get() && beside.stamp.is_some());
        let at = beside.stamp.unwrap_or_else(now);
        let bytes = match self.kind {
            Kind::Raw4(_) | Kind::Packet => CapturedBytes::Ip(bytes),
            Kind::Raw6(protocol) => CapturedBytes::Transport {
                source: beside.source,
                destination: beside.destination.into(),
                protocol,
                ttl: beside.hop_limit,
                tos: beside.traffic_class,
                bytes,
            },
        };
        Ok(Some((Captured { at, bytes }, beside.outgoing)))
    }
}

/// The address of this machine's side of a link, for packets of an Ethernet protocol.
pub fn link_address(index: u32, protocol: c_int) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: the storage is large enough for every kind of address, and zeroed.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (protocol as u16).to_be();
    address.sll_ifindex = index as c_int;
    address.sll_halen = link::ETHER.len() as u8;
    address.sll_addr[..link::ETHER.len()].copy_from_slice(&link::ETHER);
    let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the storage holds an initialised address of this length.
    unsafe { SockAddr::new(storage, len) }
}

/// Packet sockets see the harness's own sentinels as well.
fn is_sentinel(packet: &Captured) -> bool {
    /// Where an IPv4 header tells the protocol.
    const PROTOCOL_AT: usize = 9;
    let CapturedBytes::Ip(bytes) = &packet.bytes else {
        return false;
    };
    let protocol = bytes.get(PROTOCOL_AT).filter(|_| bytes[0] >> 4 == 4);
    protocol.is_some_and(|protocol| i32::from(*protocol) == sentinel::PROTOCOL)
}

/// What comes beside the bytes of a packet.
struct Beside {
    source: IpAddr,
    destination: Ipv6Addr,
    hop_limit: Option<u8>,
    traffic_class: Option<u8>,
    stamp: Option<Duration>,
    /// It went out, as a packet socket sees it.
    outgoing: bool,
}

fn is_outgoing(source: &SockAddr) -> bool {
    if i32::from(source.family()) != libc::AF_PACKET {
        return false;
    }
    // SAFETY: the family tells the type, and the storage is larger than any address.
    let link = unsafe { source.as_ptr().cast::<libc::sockaddr_ll>().read_unaligned() };
    link.sll_pkttype == libc::PACKET_OUTGOING
}

/// One packet: how many bytes of it were written, and what came beside it.
fn receive(fd: RawFd, buffer: &mut [MaybeUninit<u8>]) -> Result<(usize, Beside), c_int> {
    let mut name = SockAddrStorage::zeroed();
    let mut control = [0u64; 32];
    let mut vector =
        iovec { iov_base: buffer.as_mut_ptr().cast::<c_void>(), iov_len: buffer.len() };
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
    let source = unsafe { SockAddr::new(name, name_len) };
    let mut beside = Beside {
        outgoing: is_outgoing(&source),
        source: source.as_socket().map_or(Ipv6Addr::UNSPECIFIED.into(), |source| source.ip()),
        destination: Ipv6Addr::UNSPECIFIED,
        hop_limit: None,
        traffic_class: None,
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
            (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                // SAFETY: the kernel wrote an int.
                self.traffic_class = Some(unsafe { data.cast::<c_int>().read_unaligned() } as u8);
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
