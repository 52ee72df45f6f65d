//! The ends of a captured packet: just enough to know whose it is.

use super::ports::PORTS;
use crate::wire::{Captured, CapturedBytes};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// IP protocol numbers, as IANA assigns them.
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// Two ends and the protocol between them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Flow {
    /// IP protocol number.
    pub protocol: u8,
    /// Where the packet comes from.
    pub source: SocketAddr,
    /// Where it goes.
    pub destination: SocketAddr,
}

impl Flow {
    /// The flow of a packet; of an ICMP error, that of the packet it quotes.
    pub fn of(packet: &Captured) -> Option<Flow> {
        match &packet.bytes {
            CapturedBytes::Ip(bytes) => Flow::of_ip(bytes),
            CapturedBytes::Transport { source, destination, protocol, bytes, .. } => {
                Flow::of_transport(*protocol, *source, *destination, bytes)
            }
        }
    }

    /// Whether it is that of a run which holds these ports: one of its ends is among them, and
    /// none is a port that another run has been given.
    pub fn has(&self, ports: &BTreeSet<u16>) -> bool {
        let ends = [self.source.port(), self.destination.port()];
        let others = |port: &u16| PORTS.contains(port) && !ports.contains(port);
        ends.iter().any(|port| ports.contains(port)) && !ends.iter().any(others)
    }

    /// Whether it is a TCP connection's.
    pub fn is_tcp(&self) -> bool {
        self.protocol == TCP
    }

    fn of_ip(bytes: &[u8]) -> Option<Flow> {
        let (protocol, source, destination, header) = match bytes.first()? >> 4 {
            4 => {
                let ip = |at: usize| Some(Ipv4Addr::from(octets::<4>(bytes, at)?));
                let header = usize::from(bytes[0] & 15) * 4;
                (*bytes.get(9)?, ip(12)?.into(), ip(16)?.into(), header)
            }
            6 => {
                let ip = |at: usize| Some(Ipv6Addr::from(octets::<16>(bytes, at)?));
                (*bytes.get(6)?, ip(8)?.into(), ip(24)?.into(), 40)
            }
            _ => return None,
        };
        Flow::of_transport(protocol, source, destination, bytes.get(header..)?)
    }

    fn of_transport(protocol: u8, from: IpAddr, to: IpAddr, bytes: &[u8]) -> Option<Flow> {
        /// Type, code, checksum and a word more come before the quotation.
        const ICMP_HEADER_BYTES: usize = 8;
        match (protocol, *bytes.first()?) {
            (TCP | UDP, _) => Some(Flow {
                protocol,
                source: SocketAddr::new(from, u16::from_be_bytes(octets(bytes, 0)?)),
                destination: SocketAddr::new(to, u16::from_be_bytes(octets(bytes, 2)?)),
            }),
            // RFC 792: unreachable, quench, redirect, time exceeded, parameter problem.
            (ICMP, 3 | 4 | 5 | 11 | 12) => Flow::of_ip(bytes.get(ICMP_HEADER_BYTES..)?),
            // RFC 4443 §2.1: types below 128 are errors.
            (ICMPV6, 1..128) => Flow::of_ip(bytes.get(ICMP_HEADER_BYTES..)?),
            _ => None,
        }
    }
}

fn octets<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::Flow;
    use rstest::rstest;

    fn udp() -> Vec<u8> {
        let mut packet = vec![0; 28];
        packet[0] = 0x45;
        packet[9] = 17;
        packet[12..16].copy_from_slice(&[127, 0, 0, 1]);
        packet[16..20].copy_from_slice(&[127, 0, 0, 2]);
        packet[20..24].copy_from_slice(&[0x10, 0x04, 0x10, 0x05]);
        packet
    }

    #[test]
    fn an_icmp_error_belongs_to_the_flow_it_quotes() {
        let plain = Flow::of_ip(&udp()).unwrap();
        assert_eq!(plain.source, "127.0.0.1:4100".parse().unwrap());
        assert_eq!(plain.destination, "127.0.0.2:4101".parse().unwrap());
        let mut error = udp();
        error[9] = 1;
        error.truncate(20);
        error.extend([3, 3, 0, 0, 0, 0, 0, 0]);
        error.extend(udp());
        assert_eq!(Flow::of_ip(&error), Some(plain));
    }

    #[rstest]
    #[case::given_to_the_run("127.0.0.1:40000", "127.0.0.1:4100", true)]
    #[case::found_by_the_system("127.0.0.1:40001", "127.0.0.1:40000", true)]
    #[case::of_nobody("127.0.0.1:40001", "127.0.0.1:40002", false)]
    #[case::of_another_run_from_the_same_number("[::1]:40000", "[::1]:4101", false)]
    fn a_flow_is_that_of_one_run(#[case] from: &str, #[case] to: &str, #[case] own: bool) {
        let (source, destination) = (from.parse().unwrap(), to.parse().unwrap());
        let flow = Flow { protocol: 6, source, destination };
        assert_eq!(flow.has(&[4100, 40000].into()), own);
    }

    #[test]
    fn a_cut_packet_has_no_flow() {
        for len in 0..24 {
            assert_eq!(Flow::of_ip(&udp()[..len]), None);
        }
    }
}
