//! Whether the loopback interface acknowledges at once, tried: a kernel that takes the route's
//! attribute need not heed it, and settling by sentinels would then cut packets off their steps.

use super::capture::{Capture, Place};
use super::sentinel::{self, Sentinel};
use super::threads;
use crate::sys::Trouble;
use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};

/// Exchanges after which a connection counts as a conversation, whose acknowledgments wait for
/// something to go with; the first ones are sent at once on every connection.
const EXCHANGES: usize = 8;
/// A segment with data, and what acknowledges it.
const PACKETS: usize = 2;

/// Whether data is acknowledged before a sentinel crosses. The calling thread, which is the
/// namespace's only one, keeps to its CPU from now on.
pub fn acknowledges(ip: IpAddr) -> bool {
    threads::pin(None).is_ok() && packets_of_one_send(ip).is_ok_and(|count| count == PACKETS)
}

fn packets_of_one_send(ip: IpAddr) -> io::Result<usize> {
    let listener = TcpListener::bind((ip, 0))?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    let mut byte = [0];
    for _ in 0..EXCHANGES {
        client.write_all(&byte)?;
        server.read_exact(&mut byte)?;
        server.write_all(&byte)?;
        client.read_exact(&mut byte)?;
    }
    let mut sentinel = Sentinel::raw()?;
    let mut capture = Capture::open(Place::Namespace, ip.is_ipv6())?;
    client.write_all(&byte)?;
    sentinel.cross(sentinel::PATIENCE)?;
    let mut packets = Vec::new();
    let lost = |trouble: Trouble| io::Error::other(trouble.to_string());
    capture.drain(&mut packets).map_err(lost)?;
    Ok(packets.len())
}
