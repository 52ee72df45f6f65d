//! Packets on loopback: a raw socket bound there, with SIO_RCVALL. For administrators.
//!
//! Windows tells neither when a packet came nor how many were lost. So a thread of its own reads
//! and stamps them, and the buffer is large. Whether the machine's own packets are seen at all, and
//! once or twice, differs between versions: a connection of the harness's own is tried first, and
//! its SYN counted.

use super::errno;
use crate::model::capability::Lack;
use crate::model::case::Family;
use crate::sys::clock::now;
use crate::wire::{Captured, CapturedBytes};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::windows::io::AsRawSocket;
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use windows_sys::Win32::Networking::WinSock::{self as ws, SOCKET, WSAPOLLFD};

/// Room for what comes before the reading thread is scheduled, in bytes.
const BUFFER_BYTES: usize = 16 << 20;
/// No packet is larger.
const PACKET_BYTES_MAX: usize = 1 << 16;
/// How long the reading thread waits before it looks whether it is still wanted.
const LOOKS_EVERY_MS: i32 = 100;
/// How long the harness's own SYN may take.
const SYN_WITHIN: Duration = Duration::from_secs(1);
/// The second sight of a packet comes directly after the first.
const SECOND_WITHIN: Duration = Duration::from_millis(100);
/// Packets of the past that a second sight is looked up in.
const REMEMBERED_MAX: usize = 4096;

/// A packet, or why there will be none any more.
pub type Sighted = io::Result<Captured>;

/// What is seen of a family's packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sight {
    family: Family,
    /// `RCVALL_ON`, or `RCVALL_IPLEVEL`.
    level: i32,
    /// Each packet is seen when it is sent and when it is received.
    twice: bool,
}

impl Sight {
    /// Tries a connection of its own.
    ///
    /// # Errors
    /// Why packets are not seen.
    pub fn find(family: Family) -> Result<Sight, Lack> {
        let mut last = Lack::new(match family {
            Family::V4 => "SIO_RCVALL does not see this machine's own packets",
            // Microsoft's page on raw sockets: what they receive begins behind the IPv6 header. Of
            // a packet without addresses and protocol nobody could say whose it is.
            Family::V6 => "SIO_RCVALL does not see this machine's own packets with their headers",
        });
        for level in [ws::RCVALL_ON, ws::RCVALL_IPLEVEL] {
            let sight = Sight { family, level, twice: false };
            match sight.count_own_syn() {
                Ok(0) => {}
                Ok(count) => return Ok(Sight { twice: count > 1, ..sight }),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    let lack = Lack::new("raw sockets are for administrators");
                    return Err(lack.remedy("run it from a prompt opened as administrator"));
                }
                Err(error) => last = Lack::new(format!("SIO_RCVALL is refused: {error}")),
            }
        }
        Err(last)
    }

    fn count_own_syn(self) -> io::Result<usize> {
        let (outbox, inbox) = channel();
        let _raw = Raw::open(&[self], &outbox)?;
        let listener = TcpListener::bind((loopback(self.family), 0))?;
        let to = listener.local_addr()?.port();
        let from = TcpStream::connect(listener.local_addr()?)?.local_addr()?.port();
        let mut count = 0;
        let mut until = Instant::now() + SYN_WITHIN;
        while let Ok(sighted) = inbox.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            if matches!(sighted?.bytes, CapturedBytes::Ip(bytes) if is_syn(&bytes, from, to)) {
                count += 1;
                until = Instant::now() + SECOND_WITHIN;
            }
        }
        Ok(count)
    }
}

fn loopback(family: Family) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::LOCALHOST.into(),
        Family::V6 => Ipv6Addr::LOCALHOST.into(),
    }
}

/// Whether a packet, from its IP header on, is a SYN between these ports.
fn is_syn(bytes: &[u8], from: u16, to: u16) -> bool {
    const FLAGS_AT: usize = 13;
    const SYN: u8 = 2;
    // Where ECN is on, a SYN has ECE and CWR as well (RFC 3168 §6.1.1).
    const ECE_CWR: u8 = 0xc0;
    let header = match bytes.first().map(|byte| byte >> 4) {
        Some(4) => usize::from(bytes[0] & 15) * 4,
        Some(6) => 40,
        _ => return false,
    };
    let ports = [from.to_be_bytes(), to.to_be_bytes()].concat();
    let segment = bytes.get(header..).unwrap_or_default();
    let flags = segment.get(FLAGS_AT).map(|flags| flags & !ECE_CWR);
    segment.starts_with(&ports) && flags == Some(SYN)
}

/// Raw sockets on loopback, and the threads that read them.
pub struct Raw {
    unwanted: Arc<AtomicBool>,
}

impl Raw {
    /// Opens a socket for each family that is seen.
    ///
    /// # Errors
    /// The system's error.
    pub fn open(sights: &[Sight], outbox: &Sender<Sighted>) -> io::Result<Raw> {
        let raw = Raw { unwanted: Arc::new(AtomicBool::new(false)) };
        for sight in sights {
            let socket = open(*sight)?;
            let (outbox, unwanted) = (outbox.clone(), Arc::clone(&raw.unwanted));
            let twice = sight.twice;
            let builder = std::thread::Builder::new().name("capture".to_owned());
            builder.spawn(move || read(&socket, twice, &outbox, &unwanted))?;
        }
        Ok(raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
    }
}

fn open(sight: Sight) -> io::Result<Socket> {
    let (domain, protocol) = match sight.family {
        Family::V4 => (Domain::IPV4, ws::IPPROTO_IP),
        Family::V6 => (Domain::IPV6, ws::IPPROTO_IPV6),
    };
    let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(protocol)))?;
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((loopback(sight.family), 0)).into())?;
    let mut written = 0;
    let level = &raw const sight.level;
    // SAFETY: the pointer is to the four bytes that the request reads, and it writes nothing.
    let returned = unsafe {
        let (socket, count) = (socket.as_raw_socket() as SOCKET, &raw mut written);
        let (asked, bytes) = (level.cast(), size_of_val(&sight.level) as u32);
        let nothing = without_provenance_mut(0);
        ws::WSAIoctl(socket, ws::SIO_RCVALL, asked, bytes, nothing, 0, count, null_mut(), None)
    };
    if returned == 0 { Ok(socket) } else { Err(io::Error::from_raw_os_error(errno::last())) }
}

/// Hands on what comes, stamped, until nobody wants it any more.
fn read(mut socket: &Socket, twice: bool, outbox: &Sender<Sighted>, unwanted: &AtomicBool) {
    let mut buffer = vec![0; PACKET_BYTES_MAX];
    let mut seen = BTreeSet::new();
    while !unwanted.load(Ordering::Relaxed) {
        match socket.read(&mut buffer) {
            Ok(len) => {
                let at = now();
                let bytes = buffer[..len].to_vec();
                if twice && is_second(&mut seen, &bytes) {
                    continue;
                }
                let packet = Captured { at, bytes: CapturedBytes::Ip(bytes) };
                if outbox.send(Ok(packet)).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => await_readable(socket),
            Err(error) => return drop(outbox.send(Err(error))),
        }
    }
}

/// Whether a packet has been seen once. Every packet that is sent has an identification of its own
/// (IPv6: a sequence number), so equal bytes are the same packet.
fn is_second(seen: &mut BTreeSet<Vec<u8>>, bytes: &[u8]) -> bool {
    if seen.remove(bytes) {
        return true;
    }
    if seen.len() >= REMEMBERED_MAX {
        seen.clear();
    }
    seen.insert(bytes.to_vec());
    false
}

fn await_readable(socket: &Socket) {
    let fd = socket.as_raw_socket() as SOCKET;
    let mut polled = WSAPOLLFD { fd, events: ws::POLLRDNORM, revents: 0 };
    // SAFETY: the pointer is to one WSAPOLLFD.
    unsafe { ws::WSAPoll(&raw mut polled, 1, LOOKS_EVERY_MS) };
}

#[cfg(test)]
mod tests {
    use super::{is_second, is_syn};
    use std::collections::BTreeSet;

    fn segment(flags: u8) -> Vec<u8> {
        let mut packet = vec![0; 40];
        packet[0] = 0x45;
        packet[20..24].copy_from_slice(&[0x10, 0x04, 0x10, 0x05]);
        packet[33] = flags;
        packet
    }

    #[test]
    fn a_syn_is_known_by_its_ports_and_flags() {
        assert!(is_syn(&segment(2), 0x1004, 0x1005));
        assert!(is_syn(&segment(0xc2), 0x1004, 0x1005));
        assert!(!is_syn(&segment(2), 0x1005, 0x1004));
        assert!(!is_syn(&segment(0x12), 0x1004, 0x1005));
        assert!((0..34).all(|len| !is_syn(&segment(2)[..len], 0x1004, 0x1005)));
    }

    #[test]
    fn of_two_sights_the_second_is_told_apart() {
        let mut seen = BTreeSet::new();
        let sights: Vec<bool> = (0..4).map(|_| is_second(&mut seen, b"packet")).collect();
        assert_eq!(sights, [false, true, false, true]);
    }
}
