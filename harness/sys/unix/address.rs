//! `sockaddr` and [`Address`], both ways.

use super::dialect;
use crate::model::address::Address;
use crate::sys::Fd;
use crate::sys::calls::name_of;
use socket2::{SockAddr, SockAddrStorage};
use std::mem::offset_of;

/// An address as the system takes it; none if it does not fit (a path longer than `sun_path`).
pub fn to_system(address: &Address) -> Option<SockAddr> {
    match address {
        Address::Inet(addr) => Some(SockAddr::from(*addr)),
        Address::UnixPath(path) => SockAddr::unix(path).ok(),
        Address::UnixAbstract(name) => SockAddr::unix(format!("\0{name}")).ok(),
        // The family alone: Linux then chooses an abstract name.
        Address::UnixUnnamed => Some(of_family(libc::AF_UNIX, FAMILY_ONLY)),
        Address::Unspec => Some(of_family(libc::AF_UNSPEC, SOCKADDR_IN)),
        Address::Other(family) => Some(of_family(*family, SOCKADDR_IN)),
    }
}

/// The length of `sockaddr_in`: the least that every call takes for a real address.
pub const SOCKADDR_IN: libc::socklen_t = size_of::<libc::sockaddr_in>() as libc::socklen_t;

const FAMILY_ONLY: libc::socklen_t = offset_of!(libc::sockaddr_un, sun_path) as libc::socklen_t;

fn of_family(family: i32, len: libc::socklen_t) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_storage` is what the storage is by its definition, and any family number
    // in it is a valid value.
    unsafe { storage.view_as::<libc::sockaddr_storage>() }.ss_family = family as libc::sa_family_t;
    // SAFETY: `len` is at most the size of the zeroed storage.
    unsafe { SockAddr::new(storage, len) }
}

/// An address as the system gave it; none if it gave none (length 0).
pub fn from_system(addr: &SockAddr) -> Option<Address> {
    if addr.len() == 0 {
        return None;
    }
    if let Some(inet) = addr.as_socket() {
        return Some(Address::Inet(inet));
    }
    if !addr.is_unix() {
        return Some(match i32::from(addr.family()) {
            libc::AF_UNSPEC => Address::Unspec,
            other => Address::Other(other),
        });
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(if let Some(path) = addr.as_pathname() {
        Address::UnixPath(path.to_string_lossy().into_owned())
    } else if let Some(name) = abstract_name(addr).filter(|_| dialect::ABSTRACT_NAMES) {
        Address::UnixAbstract(text(name))
    } else {
        Address::UnixUnnamed
    })
}

/// The name after the leading zero byte that only Linux knows.
fn abstract_name(addr: &SockAddr) -> Option<&[u8]> {
    let len = (addr.len() as usize).checked_sub(FAMILY_ONLY as usize)?;
    if len < 2 {
        return None;
    }
    let start = addr.as_ptr().cast::<u8>();
    // SAFETY: the address holds `addr.len()` initialised bytes, of which these are the last `len`.
    let path = unsafe { std::slice::from_raw_parts(start.add(FAMILY_ONLY as usize), len) };
    path.strip_prefix(b"\0")
}

/// The far end's address of a descriptor of this process: the harness's question, not a recorded
/// call.
pub fn far(fd: Fd) -> Option<Address> {
    // SAFETY: the pointers are to a storage and its size, and any descriptor number may be asked.
    name_of(fd, |fd, to, len| unsafe { libc::getpeername(fd, to, len) })
}

#[cfg(test)]
mod tests {
    use super::{from_system, to_system};
    use crate::model::address::Address;
    use rstest::rstest;

    #[rstest]
    #[case::ipv4(Address::Inet("127.0.0.1:80".parse().unwrap()))]
    #[case::ipv6(Address::Inet("[::1]:80".parse().unwrap()))]
    #[case::path(Address::UnixPath("/run/name".to_owned()))]
    #[case::unnamed(Address::UnixUnnamed)]
    #[case::unspec(Address::Unspec)]
    #[case::other(Address::Other(9))]
    fn there_and_back(#[case] address: Address) {
        let system = to_system(&address).unwrap();
        assert_eq!(from_system(&system), Some(address));
    }

    #[test]
    fn a_path_longer_than_the_field_has_no_address() {
        assert!(to_system(&Address::UnixPath("x".repeat(200))).is_none());
    }
}
