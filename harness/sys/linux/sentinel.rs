//! How it is known that everything has been delivered.
//!
//! Loopback delivers per CPU in order, and a run keeps to one CPU: a packet of the harness's own
//! that comes back has overtaken nothing. What it pushed before it may have caused more, so it is
//! sent until it comes back alone.

use super::poll;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// RFC 3692: "use for experimentation and testing"; no stack answers it.
pub const PROTOCOL: i32 = 253;
/// A sentinel that is not back by then was dropped on its way, by what a case does to the machine.
pub const LOST_AFTER: Duration = Duration::from_millis(200);
/// Where nobody drops one, it comes back as soon as there is a CPU for it.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// A socket through which sentinels go.
pub struct Sentinel {
    socket: Socket,
    sent: u32,
    /// Bytes before the payload in what is received: the IP header of a raw socket.
    header: bool,
}

impl Sentinel {
    /// A raw socket of a protocol that nobody uses.
    ///
    /// # Errors
    /// The system's error: raw sockets are for root, or it has no such protocol (gVisor).
    pub fn raw() -> io::Result<Sentinel> {
        let protocol = Some(Protocol::from(PROTOCOL));
        let socket = Socket::new(Domain::IPV4, Type::RAW.nonblocking(), protocol)?;
        let here = SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        socket.bind(&here)?;
        socket.connect(&here)?;
        Ok(Sentinel { socket, sent: 0, header: true })
    }

    /// An ordinary datagram socket, for those who may not open another.
    ///
    /// # Errors
    /// The system's error.
    pub fn datagram() -> io::Result<Sentinel> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
        socket.bind(&SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))?;
        socket.connect(&socket.local_addr()?)?;
        Ok(Sentinel { socket, sent: 0, header: false })
    }

    /// Sends one and awaits it.
    ///
    /// # Errors
    /// It cannot be sent, or has not come within that time.
    pub fn cross(&mut self, within: Duration) -> io::Result<()> {
        self.sent = self.sent.wrapping_add(1);
        self.socket.send(&self.sent.to_ne_bytes())?;
        let began = Instant::now();
        loop {
            let mut packet = [0; 128];
            match self.socket.read(&mut packet) {
                Ok(len) if self.is_last(&packet[..len]) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = within.saturating_sub(began.elapsed());
                    if left.is_zero() {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    poll::ask(&mut [poll::interest(self.socket.as_raw_fd())], left);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether this is the sentinel sent last.
    fn is_last(&self, packet: &[u8]) -> bool {
        let header_words = if self.header { packet.first().map_or(0, |byte| byte & 15) } else { 0 };
        let payload = packet.get(usize::from(header_words) * 4..);
        payload.is_some_and(|payload| payload == self.sent.to_ne_bytes())
    }
}
