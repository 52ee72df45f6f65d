//! `sockaddr` and [`Address`], both ways.

use crate::model::address::Address;
use socket2::{SockAddr, SockAddrStorage};
use windows_sys::Win32::Networking::WinSock as ws;

/// The length of `sockaddr_in`: the least that every call takes for a real address.
pub const SOCKADDR_IN: i32 = size_of::<ws::SOCKADDR_IN>() as i32;

/// Bytes before the path of a `sockaddr_un`.
const FAMILY_BYTES: i32 = size_of::<ws::ADDRESS_FAMILY>() as i32;

/// An address as the system takes it; none if it does not fit (a path longer than `sun_path`).
pub fn to_system(address: &Address) -> Option<SockAddr> {
    match address {
        Address::Inet(addr) => Some(SockAddr::from(*addr)),
        Address::UnixPath(path) => SockAddr::unix(path).ok(),
        Address::UnixAbstract(name) => SockAddr::unix(format!("\0{name}")).ok(),
        Address::UnixUnnamed => Some(of_family(ws::AF_UNIX, FAMILY_BYTES)),
        Address::Unspec => Some(of_family(ws::AF_UNSPEC, SOCKADDR_IN)),
        Address::Other(family) => Some(of_family(*family as u16, SOCKADDR_IN)),
    }
}

fn of_family(family: ws::ADDRESS_FAMILY, len: i32) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `SOCKADDR_STORAGE` is what the storage is by its definition, and any family number
    // in it is a valid value.
    unsafe { storage.view_as::<ws::SOCKADDR_STORAGE>() }.ss_family = family;
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
    Some(match addr.family() {
        ws::AF_UNIX => unix(addr),
        ws::AF_UNSPEC => Address::Unspec,
        other => Address::Other(i32::from(other)),
    })
}

/// The path of an AF_UNIX address ends with a zero byte; what it was filled with does not count.
fn unix(addr: &SockAddr) -> Address {
    let len = (addr.len() - FAMILY_BYTES).max(0) as usize;
    // SAFETY: the address holds `addr.len()` initialised bytes, of which these are the last `len`.
    let path = unsafe {
        let start = addr.as_ptr().cast::<u8>().add(FAMILY_BYTES as usize);
        std::slice::from_raw_parts(start, len)
    };
    let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
    match path {
        [] => Address::UnixUnnamed,
        path => Address::UnixPath(String::from_utf8_lossy(path).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{from_system, to_system};
    use crate::model::address::Address;
    use rstest::rstest;

    #[rstest]
    #[case::ipv4(Address::Inet("127.0.0.1:80".parse().unwrap()))]
    #[case::ipv6(Address::Inet("[::1]:80".parse().unwrap()))]
    #[case::path(Address::UnixPath("C:\\name".to_owned()))]
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
