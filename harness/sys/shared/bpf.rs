//! What `read` on a `/dev/bpf` of a loopback interface gives: many packets, each behind a header
//! whose fields have other widths on each system, and behind the address family of DLT_NULL.
//!
//! Pure, and compiled everywhere, so that it is tested where these systems are not at hand.

use crate::wire::{Captured, CapturedBytes};
use std::time::Duration;

/// How a system lays out what a read gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Bytes of each of the two fields of the stamp.
    pub time_bytes: usize,
    /// Where a packet begins, in multiples of so many bytes: BPF_ALIGNMENT.
    pub alignment: usize,
    /// AF_INET6 in DLT_NULL's header.
    pub inet6: u32,
}

impl Layout {
    /// macOS, `<net/bpf.h>`: a `timeval32`, on every architecture.
    pub const MACOS: Layout = Layout { time_bytes: 4, alignment: 4, inet6: 30 };
    /// FreeBSD on machines of 64 bits: a `timeval`.
    pub const FREEBSD: Layout = Layout { time_bytes: 8, alignment: 8, inet6: 28 };

    /// Where `bh_hdrlen` stands, the last field: behind the stamp and two lengths.
    pub const fn header_len_at(self) -> usize {
        2 * self.time_bytes + 8
    }
}

/// AF_INET in DLT_NULL's header: the same everywhere.
const AF_INET: u32 = 2;
/// The address family before each packet, in the order of the machine's bytes.
const FAMILY_BYTES: usize = 4;

/// The IP packets of one read.
pub fn packets(read: &[u8], layout: Layout) -> impl Iterator<Item = Captured> {
    let mut rest = read;
    std::iter::from_fn(move || {
        let (record, len) = Record::first(rest, layout)?;
        rest = rest.get(len.next_multiple_of(layout.alignment)..).unwrap_or_default();
        Some(record)
    })
    .filter_map(move |record| record.ip_packet(layout))
}

/// A packet with its header taken off.
struct Record<'a> {
    at: Duration,
    bytes: &'a [u8],
}

impl<'a> Record<'a> {
    /// The first of what is left, and its length with the header. None: nothing is left, or what
    /// is left is none.
    fn first(rest: &'a [u8], layout: Layout) -> Option<(Record<'a>, usize)> {
        let time = |at: usize| match layout.time_bytes {
            4 => Some(u64::from(word(rest, at)?)),
            _ => Some(u64::from_ne_bytes(*rest.get(at..)?.first_chunk()?)),
        };
        let (seconds, micros) = (time(0)?, time(layout.time_bytes)?);
        let captured = word(rest, 2 * layout.time_bytes)? as usize;
        let header = rest.get(layout.header_len_at()..)?.first_chunk()?;
        let header = usize::from(u16::from_ne_bytes(*header));
        let len = header.checked_add(captured)?;
        let bytes = rest.get(header..len).filter(|_| header >= layout.header_len_at() + 2)?;
        let at = Duration::from_secs(seconds) + Duration::from_micros(micros);
        Some((Record { at, bytes }, len))
    }

    fn ip_packet(self, layout: Layout) -> Option<Captured> {
        let family = word(self.bytes, 0)?;
        let is_ip = family == AF_INET || family == layout.inet6;
        let bytes = self.bytes.get(FAMILY_BYTES..).filter(|_| is_ip)?;
        Some(Captured { at: self.at, bytes: CapturedBytes::Ip(bytes.to_vec()) })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packet::PacketBody;
    use crate::wire::decode;
    use rstest::rstest;

    /// A record as the kernel writes it: the header, padded so that the packet behind the address
    /// family is aligned, and the packet, padded to where the next one begins.
    fn record(layout: Layout, micros: u64, family: u32, packet: &[u8]) -> Vec<u8> {
        let time = |value: u64| match layout.time_bytes {
            4 => (value as u32).to_ne_bytes().to_vec(),
            _ => value.to_ne_bytes().to_vec(),
        };
        let len = (FAMILY_BYTES + packet.len()) as u32;
        let header = (layout.header_len_at() + 2 + FAMILY_BYTES).next_multiple_of(layout.alignment)
            - FAMILY_BYTES;
        let mut bytes = [time(1_700_000_000), time(micros)].concat();
        bytes.extend([len, len].map(u32::to_ne_bytes).concat());
        bytes.extend((header as u16).to_ne_bytes());
        bytes.resize(header, 0xee);
        bytes.extend(family.to_ne_bytes());
        bytes.extend(packet);
        bytes.resize(bytes.len().next_multiple_of(layout.alignment), 0xee);
        bytes
    }

    /// A TCP SYN from 127.0.0.1, without checksums, as macOS's loopback has them.
    fn syn(ports: (u16, u16)) -> Vec<u8> {
        let mut packet = vec![0; 40];
        packet[0] = 0x45;
        packet[3] = 40;
        packet[9] = 6;
        packet[12..20].copy_from_slice(&[127, 0, 0, 1, 127, 0, 0, 1]);
        packet[20..22].copy_from_slice(&ports.0.to_be_bytes());
        packet[22..24].copy_from_slice(&ports.1.to_be_bytes());
        packet[32] = 5 << 4;
        packet[33] = 2;
        packet
    }

    #[rstest]
    #[case::macos(Layout::MACOS, 18)]
    #[case::freebsd(Layout::FREEBSD, 26)]
    fn the_header_is_as_long_as_its_fields(#[case] layout: Layout, #[case] len: usize) {
        assert_eq!(layout.header_len_at() + 2, len);
    }

    #[rstest]
    fn every_packet_of_a_read_is_found(
        #[values(Layout::MACOS, Layout::FREEBSD)] layout: Layout,
        #[values(0, 1, 2, 3, 5)] odd: usize,
    ) {
        let mut longer = syn((4100, 40_000));
        longer.extend(vec![0; odd]);
        longer[3] = 40 + odd as u8;
        let mut read = record(layout, 7, AF_INET, &longer);
        read.extend(record(layout, 9, AF_INET, &syn((40_000, 4100))));
        let packets: Vec<_> = packets(&read, layout).map(|packet| decode(&packet)).collect();
        assert_eq!(packets.len(), 2);
        assert_eq!(packets[1].at - packets[0].at, Duration::from_micros(2));
        assert_eq!(packets[0].at, Duration::new(1_700_000_000, 7_000));
        let PacketBody::Tcp(tcp) = &packets[0].body else { panic!("{:?}", packets[0]) };
        assert_eq!((tcp.source_port, tcp.len, tcp.flags.0), (4100, odd, 2));
    }

    #[rstest]
    #[case::macos(Layout::MACOS, 30, true)]
    #[case::freebsd(Layout::FREEBSD, 28, true)]
    #[case::each_has_its_own_number(Layout::MACOS, 28, false)]
    #[case::not_ip(Layout::FREEBSD, 7, false)]
    fn only_ip_is_handed_over(#[case] layout: Layout, #[case] family: u32, #[case] taken: bool) {
        let read = record(layout, 0, family, &[0x60; 40]);
        assert_eq!(packets(&read, layout).count(), usize::from(taken));
    }

    #[rstest]
    fn a_read_that_is_cut_ends_there(#[values(Layout::MACOS, Layout::FREEBSD)] layout: Layout) {
        let whole = record(layout, 0, AF_INET, &syn((1, 2)));
        let first = whole.len();
        let read = [whole.clone(), whole].concat();
        for len in 0..read.len() {
            let padding = first.next_multiple_of(layout.alignment) - first;
            let expected = usize::from(len >= first - padding);
            assert_eq!(packets(&read[..len], layout).count(), expected, "{len}");
        }
    }

    #[test]
    fn a_header_of_no_length_ends_the_read() {
        let read = vec![0; 64];
        assert_eq!(packets(&read, Layout::FREEBSD).count(), 0);
    }
}
