//! Netlink messages, as bytes: the few requests that a ground needs.

use crate::sys::unix::errno;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, Read};

/// `struct nlmsghdr`.
const HEADER_BYTES: usize = 16;
/// Where its flags are.
const FLAGS_AT: usize = 6;

/// Requests in the order in which the kernel shall take them.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Where the last message began, and what it is for.
    last: usize,
    whats: Vec<&'static str>,
}

impl Batch {
    /// Begins a message: its kind, flags beside NLM_F_REQUEST, and the fixed body.
    pub fn message(
        &mut self,
        what: &'static str,
        kind: u16,
        flags: i32,
        body: &[u8],
    ) -> &mut Batch {
        self.last = self.bytes.len();
        self.whats.push(what);
        let seq = self.whats.len() as u32;
        let flags = (libc::NLM_F_REQUEST | flags) as u16;
        self.bytes.extend(0u32.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(seq.to_ne_bytes());
        self.bytes.extend(0u32.to_ne_bytes());
        self.raw(body);
        self
    }

    /// Adds an attribute to the message begun last.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Batch {
        let len = (4 + value.len()) as u16;
        self.bytes.extend([len.to_ne_bytes(), kind.to_ne_bytes()].as_flattened());
        self.raw(value);
        self
    }

    /// Asks for an acknowledgment of the last message. The kernel takes them in order, and answers
    /// what it refuses without being asked.
    fn acknowledge_last(&mut self) {
        let flags = &mut self.bytes[self.last + FLAGS_AT..][..2];
        let asked = u16::from_ne_bytes([flags[0], flags[1]]) | libc::NLM_F_ACK as u16;
        flags.copy_from_slice(&asked.to_ne_bytes());
    }

    /// Adds bytes, and the padding to four that everything in netlink has.
    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let len = (self.bytes.len() - self.last) as u32;
        self.bytes[self.last..self.last + 4].copy_from_slice(&len.to_ne_bytes());
    }
}

/// One attribute alone, padded, for the inside of another.
pub fn nested(kind: u16, value: &[u8]) -> Vec<u8> {
    let len = (4 + value.len()) as u16;
    let mut bytes = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A request that was refused.
#[derive(Debug)]
pub struct Refused {
    /// What it was for.
    pub what: &'static str,
    /// The kernel's errno.
    pub errno: i32,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, errno::name(self.errno))
    }
}

/// Opens a netlink socket of this family (NETLINK_ROUTE, NETLINK_SOCK_DIAG) in the namespace of
/// the calling thread.
///
/// # Errors
/// The system's error.
pub fn open(family: i32) -> io::Result<Socket> {
    let protocol = Some(Protocol::from(family));
    Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, protocol)
}

/// Has rtnetlink carry out all requests.
///
/// # Errors
/// The first that was refused.
pub fn carry_out(batch: Batch) -> Result<(), Refused> {
    carry_out_by(libc::NETLINK_ROUTE, batch)
}

/// The same for any netlink family.
///
/// # Errors
/// The first that was refused.
pub fn carry_out_by(family: i32, mut batch: Batch) -> Result<(), Refused> {
    let failed = |error: io::Error| Refused {
        what: "netlink",
        errno: error.raw_os_error().unwrap_or(libc::EIO),
    };
    let mut socket = open(family).map_err(failed)?;
    batch.acknowledge_last();
    socket.send(&batch.bytes).map_err(failed)?;
    loop {
        let mut reply = [0; 1024];
        let len = socket.read(&mut reply).map_err(failed)?;
        let (seq, errno) = acknowledgment(&reply[..len]).unwrap_or((1, libc::EBADMSG));
        let seq = seq as usize;
        if errno != 0 {
            let what = batch.whats.get(seq - 1).copied().unwrap_or("netlink");
            return Err(Refused { what, errno });
        }
        if seq == batch.whats.len() {
            return Ok(());
        }
    }
}

/// The sequence number and errno of an NLMSG_ERROR message, which is also the acknowledgment.
fn acknowledgment(reply: &[u8]) -> Option<(u32, i32)> {
    let kind = u16::from_ne_bytes(reply.get(4..6)?.try_into().ok()?);
    let seq = u32::from_ne_bytes(reply.get(8..12)?.try_into().ok()?);
    let error = i32::from_ne_bytes(reply.get(HEADER_BYTES..HEADER_BYTES + 4)?.try_into().ok()?);
    (i32::from(kind) == libc::NLMSG_ERROR && seq > 0).then_some((seq, -error))
}

/// One request and its one answer: the message's kind and body. For sock_diag.
///
/// # Errors
/// The system's error.
pub fn ask(socket: &mut Socket, batch: &Batch) -> io::Result<(u16, Vec<u8>)> {
    socket.send(&batch.bytes)?;
    let mut reply = [0; 1024];
    let len = socket.read(&mut reply)?;
    let kind = u16::from_ne_bytes([reply[4], reply[5]]);
    Ok((kind, reply[HEADER_BYTES..len.max(HEADER_BYTES)].to_vec()))
}

/// All answers to one request for a table: their bodies.
///
/// # Errors
/// The system's error, or what the kernel refused the request with.
pub fn dump(family: i32, mut batch: Batch) -> io::Result<Vec<Vec<u8>>> {
    let mut socket = open(family)?;
    let flags = &mut batch.bytes[FLAGS_AT..][..2];
    flags.copy_from_slice(&((libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16).to_ne_bytes());
    socket.send(&batch.bytes)?;
    let mut bodies = Vec::new();
    let mut reply = [0; 32 * 1024];
    loop {
        let len = socket.read(&mut reply)?;
        let mut rest = &reply[..len];
        while let Some(header) = rest.first_chunk::<HEADER_BYTES>() {
            let len = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
            let message = rest.get(..len.max(HEADER_BYTES)).ok_or(io::ErrorKind::InvalidData)?;
            let kind = i32::from(u16::from_ne_bytes([header[4], header[5]]));
            if kind == libc::NLMSG_ERROR {
                let errno = acknowledgment(message).map_or(libc::EBADMSG, |(_, errno)| errno);
                return Err(io::Error::from_raw_os_error(errno));
            }
            if kind == libc::NLMSG_DONE {
                return Ok(bodies);
            }
            bodies.push(message[HEADER_BYTES..].to_vec());
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

/// The value of an attribute among these.
pub fn find_attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let len = usize::from(u16::from_ne_bytes(attributes.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(attributes.get(2..4)?.try_into().ok()?);
        let value = attributes.get(4..len)?;
        if kind == wanted {
            return Some(value);
        }
        attributes = attributes.get(len.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::{Batch, acknowledgment, find_attribute};

    #[test]
    fn lengths_are_patched_and_everything_is_padded_to_four() {
        let mut batch = Batch::default();
        batch.message("first", 16, 4, &[1, 2]).attribute(7, b"lo\0");
        batch.message("second", 24, 0, &[9; 4]);
        batch.acknowledge_last();
        let first: Vec<u8> = [28u32.to_ne_bytes(), [0; 4], 1u32.to_ne_bytes(), [0; 4]].concat();
        assert_eq!(batch.bytes[..4], first[..4]);
        assert_eq!(batch.bytes[4..6], 16u16.to_ne_bytes());
        assert_eq!(batch.bytes[6..8], 5u16.to_ne_bytes());
        assert_eq!(batch.bytes[8..16], first[8..]);
        assert_eq!(batch.bytes[16..20], [1, 2, 0, 0]);
        assert_eq!(batch.bytes[20..22], 7u16.to_ne_bytes());
        assert_eq!(batch.bytes[24..28], *b"lo\0\0");
        assert_eq!(batch.bytes[28..32], 20u32.to_ne_bytes());
        assert_eq!(batch.bytes[34..36], 5u16.to_ne_bytes());
        assert_eq!(batch.bytes[36..40], 2u32.to_ne_bytes());
        assert_eq!(batch.bytes.len(), 48);
    }

    #[test]
    fn an_error_tells_which_request_it_answers() {
        let mut reply = vec![0; 36];
        reply[4..6].copy_from_slice(&2u16.to_ne_bytes());
        reply[8..12].copy_from_slice(&3u32.to_ne_bytes());
        reply[16..20].copy_from_slice(&(-libc::ESRCH).to_ne_bytes());
        assert_eq!(acknowledgment(&reply), Some((3, libc::ESRCH)));
        assert_eq!(acknowledgment(&reply[..12]), None);
    }

    #[test]
    fn an_attribute_is_found_behind_another() {
        let mut batch = Batch::default();
        batch.message("", 0, 0, &[]).attribute(1, &[5]).attribute(2, &[6, 7]);
        assert_eq!(find_attribute(&batch.bytes[16..], 2), Some(&[6, 7][..]));
        assert_eq!(find_attribute(&batch.bytes[16..], 3), None);
    }
}
