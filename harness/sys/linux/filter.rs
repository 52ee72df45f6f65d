//! The kernel's filter of the packets that a raw socket is given: by their ports.
//!
//! On a loopback that all share, what others send would fill the socket's room while its run waits
//! or does not get its CPU.

use super::capture::set_int;
use libc::{c_void, sock_filter};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::RawFd;

/// What comes before the ports in what the socket is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behind {
    /// A header of IPv4, of whatever length.
    Ipv4,
    /// Nothing.
    Nothing,
}

/// A filter may have so many instructions (`<linux/bpf_common.h>`: BPF_MAXINSNS).
const INSTRUCTIONS_MAX: usize = 4096;
/// Takes a packet whole.
const ALL: u32 = u32::MAX;

/// Lets the socket have only packets from or to one of these ports: all of them if the kernel takes
/// no such filter.
///
/// # Errors
/// The filter that was there before stays.
pub fn attach(fd: RawFd, behind: Behind, ports: &BTreeSet<u16>) -> io::Result<()> {
    let program = program(behind, ports);
    let few = (program.len() <= INSTRUCTIONS_MAX).then_some(program);
    if few.is_some_and(|program| set(fd, &program).is_ok()) {
        return Ok(());
    }
    // The value means nothing.
    set_int(fd, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, 0).or_else(|error| {
        // There was none, or the kernel knows none.
        let none = [libc::ENOENT, libc::ENOPROTOOPT].map(Some).contains(&error.raw_os_error());
        if none { Ok(()) } else { Err(error) }
    })
}

/// Keeps packets of one protocol under IPv4 from a packet socket that sees IP headers first.
///
/// # Errors
/// The kernel takes no such filter.
pub fn keep_out(fd: RawFd, protocol: u8) -> io::Result<()> {
    /// Where the version is, in the upper half of a byte, and where the protocol.
    const VERSION_AT: u32 = 0;
    const PROTOCOL_AT: u32 = 9;
    let load = |at: u32| plain(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, at);
    // If it is not, so many instructions are left out.
    let equal = |to: u32, else_skip: u8| sock_filter {
        jf: else_skip,
        ..plain(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, to)
    };
    let program = [
        load(VERSION_AT),
        plain(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0xf0),
        equal(4 << 4, 3),
        load(PROTOCOL_AT),
        equal(u32::from(protocol), 1),
        plain(libc::BPF_RET | libc::BPF_K, 0),
        plain(libc::BPF_RET | libc::BPF_K, ALL),
    ];
    set(fd, &program)
}

fn set(fd: RawFd, program: &[sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(io::Error::other)?,
        filter: program.as_ptr().cast_mut(),
    };
    let pointer = (&raw const program).cast::<c_void>();
    let len = size_of_val(&program) as libc::socklen_t;
    // SAFETY: the program and its instructions, which the kernel only reads, outlive the call.
    match unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, pointer, len) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// An instruction that does not jump.
fn plain(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

/// Compares both ports of a packet with each of `ports`.
fn program(behind: Behind, ports: &BTreeSet<u16>) -> Vec<sock_filter> {
    let (mut program, mode) = match behind {
        // The index register gets the header's length.
        Behind::Ipv4 => {
            (vec![plain(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0)], libc::BPF_IND)
        }
        Behind::Nothing => (Vec::new(), libc::BPF_ABS),
    };
    for at in [0, size_of::<u16>() as u32] {
        program.push(plain(libc::BPF_LD | libc::BPF_H | mode, at));
        for port in ports {
            // Jumps reach too short for so many ports, so each has its own way out.
            let equal = plain(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, u32::from(*port));
            program.push(sock_filter { jf: 1, ..equal });
            program.push(plain(libc::BPF_RET | libc::BPF_K, ALL));
        }
    }
    program.push(plain(libc::BPF_RET | libc::BPF_K, 0));
    program
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd;

    /// To a datagram socket the source port looks like the version, and the second byte of its
    /// data, behind a header of eight bytes, like the protocol.
    #[rstest]
    #[case::kept_out(0x4000..0x5000, [0, 253], false)]
    #[case::another_protocol(0x4000..0x5000, [253, 6], true)]
    #[case::not_ipv4(0x6000..0x7000, [0, 253], true)]
    fn a_protocol_is_kept_out(
        #[case] mut ports: std::ops::Range<u16>,
        #[case] data: [u8; 2],
        #[case] expected: bool,
    ) {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        keep_out(receiver.as_raw_fd(), 253).unwrap();
        let sender = ports.find_map(|port| UdpSocket::bind(("127.0.0.1", port)).ok()).unwrap();
        sender.send_to(&data, receiver.local_addr().unwrap()).unwrap();
        receiver.set_nonblocking(true).unwrap();
        assert_eq!(receiver.recv(&mut [0; 8]).is_ok(), expected);
    }

    /// What a datagram socket is filtered by begins with the ports, as for raw sockets of IPv6.
    #[rstest]
    #[case::source(|ports: [u16; 3]| vec![ports[1]], 1)]
    #[case::destination(|ports: [u16; 3]| vec![ports[0]], 2)]
    #[case::among_others(|ports: [u16; 3]| vec![1, 2, ports[1], 3], 1)]
    #[case::neither(|_| vec![1, 2], 0)]
    #[case::none(|_| Vec::new(), 0)]
    #[case::more_than_a_filter_holds(|_| (1..4_000).collect(), 2)]
    fn a_socket_gets_what_has_one_of_the_ports(
        #[case] watched: fn([u16; 3]) -> Vec<u16>,
        #[case] expected: usize,
    ) {
        let sockets = [(); 3].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let ports = sockets.each_ref().map(|socket| socket.local_addr().unwrap().port());
        let [receiver, sender, stranger] = &sockets;
        // One filter takes the place of another.
        attach(receiver.as_raw_fd(), Behind::Nothing, &BTreeSet::new()).unwrap();
        let watched = watched(ports).into_iter().collect();
        attach(receiver.as_raw_fd(), Behind::Nothing, &watched).unwrap();
        for from in [sender, stranger] {
            from.send_to(b"x", receiver.local_addr().unwrap()).unwrap();
        }
        receiver.set_nonblocking(true).unwrap();
        let received = (0..2).filter(|_| receiver.recv(&mut [0; 8]).is_ok());
        assert_eq!(received.count(), expected);
    }
}
