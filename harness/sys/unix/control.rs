//! Control messages of a received message, as Linux writes them.

use super::errno;
use crate::model::control::{Control, ControlValue};
use libc::{c_int, cmsghdr, msghdr};
use std::mem::offset_of;
use std::net::IpAddr;

/// Whether [`control`] knows control messages.
pub const READS_CONTROL: bool = true;

/// `<linux/errqueue.h>`: where an entry of the error queue came from.
const ORIGINS: &[(u8, &str)] = &[
    (0, "SO_EE_ORIGIN_NONE"),
    (1, "SO_EE_ORIGIN_LOCAL"),
    (2, "SO_EE_ORIGIN_ICMP"),
    (3, "SO_EE_ORIGIN_ICMP6"),
    (4, "SO_EE_ORIGIN_TIMESTAMPING"),
    (5, "SO_EE_ORIGIN_ZEROCOPY"),
];

/// Types whose value is an `int`.
const NUMBERS: &[(c_int, c_int, &str)] = &[
    (libc::IPPROTO_IP, libc::IP_TTL, "IP_TTL"),
    (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, "IPV6_HOPLIMIT"),
    (libc::IPPROTO_IPV6, libc::IPV6_TCLASS, "IPV6_TCLASS"),
    (libc::SOL_UDP, libc::UDP_GRO, "UDP_GRO"),
    (libc::IPPROTO_TCP, libc::TCP_INQ, "TCP_INQ"),
    (libc::SOL_SOCKET, libc::SO_RXQ_OVFL, "SO_RXQ_OVFL"),
];

/// The control messages of a message that recvmsg() has filled.
pub fn control(message: &msghdr) -> Vec<Control> {
    let mut all = Vec::new();
    // SAFETY: the system has filled the control buffer and told its length, which the macros heed.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !next.is_null() {
        // SAFETY: the pointer is to a header within the buffer, and its data lies behind it for
        // as long as the header says.
        unsafe {
            let header = next.read_unaligned();
            let len = header.cmsg_len - libc::CMSG_LEN(0) as usize;
            let data = std::slice::from_raw_parts(libc::CMSG_DATA(next), len);
            all.push(one(&header, data));
            next = libc::CMSG_NXTHDR(message, next);
        }
    }
    all
}

fn one(header: &cmsghdr, data: &[u8]) -> Control {
    let (level, kind) = (header.cmsg_level, header.cmsg_type);
    let number = NUMBERS.iter().find(|(l, k, _)| (*l, *k) == (level, kind));
    let (name, value) = match (level, kind) {
        (libc::IPPROTO_IP, libc::IP_RECVERR) => ("IP_RECVERR", error(data)),
        (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => ("IPV6_RECVERR", error(data)),
        // The header's destination lies behind the interface and the local address.
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => ("IP_PKTINFO", ip::<4>(data, 8)),
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => ("IPV6_PKTINFO", ip::<16>(data, 0)),
        // It is a single byte, as in the header.
        (libc::IPPROTO_IP, libc::IP_TOS) => {
            let tos = data.first().map(|tos| ControlValue::Number(i64::from(*tos)));
            ("IP_TOS", tos)
        }
        (libc::SOL_SOCKET, libc::SCM_TIMESTAMP) => ("SO_TIMESTAMP", None),
        (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => ("SO_TIMESTAMPNS", None),
        (libc::SOL_SOCKET, libc::SCM_RIGHTS) => ("SCM_RIGHTS", None),
        (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) => ("SCM_CREDENTIALS", None),
        _ => match number {
            Some((_, _, name)) => {
                (*name, int(data).map(|number| ControlValue::Number(i64::from(number))))
            }
            None => {
                let name = format!("cmsg {level}/{kind}");
                return Control { name, value: ControlValue::Untold };
            }
        },
    };
    Control { name: name.to_owned(), value: value.unwrap_or(ControlValue::Untold) }
}

fn int(data: &[u8]) -> Option<i32> {
    data.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes))
}

fn ip<const N: usize>(data: &[u8], at: usize) -> Option<ControlValue>
where
    IpAddr: From<[u8; N]>,
{
    let bytes: &[u8; N] = data.get(at..)?.first_chunk()?;
    Some(ControlValue::Host(IpAddr::from(*bytes)))
}

/// `struct sock_extended_err`, and the offender's address behind it.
fn error(data: &[u8]) -> Option<ControlValue> {
    const BYTES: usize = size_of::<libc::sock_extended_err>();
    let errno = int(data)?;
    let (fields, offender) = data.split_at_checked(BYTES)?;
    let [origin, kind, code] = [fields[4], fields[5], fields[6]];
    let known = ORIGINS.iter().find(|(number, _)| *number == origin);
    Some(ControlValue::Error {
        errno: (errno != 0).then(|| errno::name(errno)),
        origin: known.map_or_else(|| format!("origin {origin}"), |(_, name)| (*name).to_owned()),
        message: (kind, code),
        info: u32::from_ne_bytes(*fields[8..].first_chunk()?),
        offender: host(offender),
    })
}

/// The host in a socket address; none for AF_UNSPEC, where nobody is to blame.
fn host(address: &[u8]) -> Option<IpAddr> {
    let family = u16::from_ne_bytes(*address.first_chunk()?);
    match c_int::from(family) {
        libc::AF_INET => {
            let ip: &[u8; 4] =
                address.get(offset_of!(libc::sockaddr_in, sin_addr)..)?.first_chunk()?;
            Some(IpAddr::from(*ip))
        }
        libc::AF_INET6 => {
            let at = offset_of!(libc::sockaddr_in6, sin6_addr);
            let ip: &[u8; 16] = address.get(at..)?.first_chunk()?;
            Some(IpAddr::from(*ip))
        }
        _ => None,
    }
}
