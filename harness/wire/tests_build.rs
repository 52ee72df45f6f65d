//! Packets built here, taken apart by `decode`, and their checksums by etherparse.

use super::build::{
    Ends, Fields, IcmpError, datagram, echo, fragments, icmp, other, overwritten, segment,
};
use super::icmp::WORDS;
use super::tests::words;
use super::{Captured, CapturedBytes, decode, timestamps};
use crate::model::call::Payload;
use crate::model::case::Family;
use crate::model::packet::{Packet, PacketBody, TcpSegment};
use crate::model::peer::{
    Checksum, Cut, DatagramSpec, EchoSpec, OtherSpec, SegmentSpec, TcpOption,
};
use crate::model::wire::{End, address};
use etherparse::checksum::Sum16BitWords;
use etherparse::defrag::{IpDefragPayloadVec, IpDefragPool};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use rstest::rstest;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

fn ends(family: Family) -> Ends {
    Ends {
        source: SocketAddr::new(address(End::Peer, family), 7001),
        destination: SocketAddr::new(address(End::Local, family), 80),
    }
}

fn decoded(bytes: &[u8]) -> Packet {
    let bytes = CapturedBytes::Ip(bytes.to_vec());
    decode(&Captured { at: Duration::ZERO, bytes })
}

fn udp(payload: &[u8]) -> DatagramSpec {
    let text = str::from_utf8(payload).expect("text");
    DatagramSpec::new(Payload::Text(text.to_owned()))
}

fn tcp(bytes: &[u8]) -> TcpSegment {
    match decoded(bytes).body {
        PacketBody::Tcp(tcp) => tcp,
        other => panic!("expected a segment, got {other:?}"),
    }
}

/// Whether the transport checksum is the one that etherparse computes.
fn is_sound(bytes: &[u8]) -> bool {
    let sliced = SlicedPacket::from_ip(bytes).expect("a packet that etherparse can read");
    let (Some(net), Some(transport)) = (sliced.net, sliced.transport) else {
        panic!("expected a transport header");
    };
    match (net, transport) {
        (NetSlice::Ipv4(ip), TransportSlice::Tcp(tcp)) => {
            assert_eq!(
                ip.header().header_checksum(),
                ip.header().to_header().calc_header_checksum()
            );
            let ip = ip.header();
            tcp.calc_checksum_ipv4(ip.source(), ip.destination()) == Ok(tcp.checksum())
        }
        (NetSlice::Ipv6(ip), TransportSlice::Tcp(tcp)) => {
            let ip = ip.header();
            tcp.calc_checksum_ipv6(ip.source(), ip.destination()) == Ok(tcp.checksum())
        }
        (NetSlice::Ipv4(ip), TransportSlice::Udp(udp)) => {
            let header = udp.to_header();
            let sum = header.calc_checksum_ipv4(&ip.header().to_header(), udp.payload());
            sum == Ok(udp.checksum())
        }
        (NetSlice::Ipv6(ip), TransportSlice::Udp(udp)) => {
            let header = udp.to_header();
            let sum = header.calc_checksum_ipv6(&ip.header().to_header(), udp.payload());
            sum == Ok(udp.checksum())
        }
        (_, TransportSlice::Icmpv4(icmp)) => {
            Sum16BitWords::new().add_slice(icmp.slice()).ones_complement() == 0
        }
        (NetSlice::Ipv6(ip), TransportSlice::Icmpv6(icmp)) => {
            let ip = ip.header();
            icmp.is_checksum_valid(ip.source(), ip.destination())
        }
        other => panic!("unexpected {other:?}"),
    }
}

fn spec(flags: &str) -> SegmentSpec {
    SegmentSpec {
        flags: flags.parse().expect("flags in tcpdump's letters"),
        ..SegmentSpec::default()
    }
}

#[test]
fn every_combination_of_flags() {
    for family in FAMILIES {
        for flags in 0..=0x1ff {
            let mut spec = spec("none");
            spec.flags.0 = flags;
            spec.payload = Some(Payload::Len(usize::from(flags)));
            spec.ttl = Some(flags.to_be_bytes()[1].max(1));
            spec.tos = Some(flags.to_be_bytes()[1]);
            let fields = Fields { seq: u32::MAX, ack: 7, window: 512, ..Fields::default() };
            let bytes = segment(ends(family), &spec, &fields);
            let tcp = tcp(&bytes);
            assert_eq!((tcp.flags, tcp.len), (spec.flags, usize::from(flags)));
            assert_eq!((tcp.seq, tcp.ack, tcp.window), (u32::MAX, 7, 512));
            assert_eq!((tcp.source_port, tcp.destination_port), (7001, 80));
            assert_eq!((decoded(&bytes).ttl, decoded(&bytes).tos), (spec.ttl, spec.tos));
            assert!(is_sound(&bytes), "{family} {flags:#x}");
        }
    }
}

#[rstest]
#[case(vec![TcpOption::Mss(1460)], &["mss 1460"])]
#[case(vec![TcpOption::SackPermitted, TcpOption::WindowScale(7)], &["sackOK", "wscale 7", "eol"])]
#[case(vec![TcpOption::Nop, TcpOption::Nop, TcpOption::Timestamps(9, 8)],
    &["nop", "nop", "TS 9 8"])]
#[case(vec![TcpOption::Nop, TcpOption::Nop, TcpOption::Sack(vec![(1, 100)])],
    &["nop", "nop", "sack 1-100"])]
#[case(vec![TcpOption::End], &["eol"])]
#[case(vec![TcpOption::Raw(vec![2, 0])], &["bad opt"])]
#[case(vec![TcpOption::Raw(vec![0x1e, 3, 0xaa])], &["unknown-30", "eol"])]
fn options_read_back(#[case] options: Vec<TcpOption>, #[case] expected: &[&str]) {
    for family in FAMILIES {
        let fields = Fields { options: options.clone(), ..Fields::default() };
        let bytes = segment(ends(family), &spec("S"), &fields);
        assert_eq!(words(&tcp(&bytes).options), expected);
        assert!(is_sound(&bytes));
    }
}

#[test]
fn timestamps_and_sack_blocks_keep_their_values() {
    let blocks = TcpOption::Sack(vec![(1, 100)]);
    let options = vec![TcpOption::Timestamps(0x0102_0304, 5), blocks];
    let fields = Fields { options, sack_base: u32::MAX, ..Fields::default() };
    let bytes = segment(ends(Family::V4), &spec("."), &fields);
    assert_eq!(timestamps(&bytes), Some((0x0102_0304, 5)));
    // Relative to an initial number of 2^32 - 1.
    assert_eq!(bytes[bytes.len() - 8..], [0, 0, 0, 0, 0, 0, 0, 99]);
}

#[test]
fn what_is_wrong_on_purpose_is_wrong() {
    let with = |change: fn(&mut SegmentSpec)| {
        let mut spec = spec("P.");
        spec.payload = Some(Payload::Len(8));
        change(&mut spec);
        segment(ends(Family::V4), &spec, &Fields::default())
    };
    assert!(!is_sound(&with(|spec| spec.bad_checksum = true)));
    for offset in [0, 4, 15] {
        let bytes = match offset {
            0 => with(|spec| spec.data_offset = Some(0)),
            4 => with(|spec| spec.data_offset = Some(4)),
            _ => with(|spec| spec.data_offset = Some(15)),
        };
        assert_eq!(bytes[32] >> 4, offset);
        let read = tcp(&bytes);
        assert_eq!((words(&read.options), read.len), (vec!["bad hdr length".to_owned()], 0));
    }
    let reserved = with(|spec| spec.reserved = 15);
    assert_eq!(reserved[32], 0x5f);
    assert!(is_sound(&reserved));
    let read = tcp(&reserved);
    assert_eq!((read.flags.to_string(), read.reserved), ("P.e".to_owned(), 14));
    assert_eq!(decoded(&with(|spec| spec.tos = Some(0xb9))).tos, Some(0xb9));
    assert_eq!(tcp(&with(|spec| spec.urgent = Some(513))).urgent, 513);
}

#[test]
fn datagrams() {
    for family in FAMILIES {
        for payload in [&b""[..], b"odd", b"even"] {
            let bytes = datagram(ends(family), &udp(payload));
            let expected =
                PacketBody::Udp { source_port: 7001, destination_port: 80, len: payload.len() };
            assert_eq!(decoded(&bytes).body, expected);
            assert!(is_sound(&bytes));
            let marked = DatagramSpec { ttl: Some(3), tos: Some(47), ..udp(payload) };
            let marked = decoded(&datagram(ends(family), &marked));
            assert_eq!((marked.ttl, marked.tos), (Some(3), Some(47)));
            let wrong = DatagramSpec { checksum: Checksum::Wrong, ..udp(payload) };
            assert!(!is_sound(&datagram(ends(family), &wrong)));
        }
        let absent = DatagramSpec { checksum: Checksum::Absent, ..udp(b"odd") };
        let bytes = datagram(ends(family), &absent);
        assert_eq!(bytes[bytes.len() - 5..bytes.len() - 3], [0, 0]);
    }
}

/// The field is as the case wants it, and the checksum right for it: the stack shall get as far as
/// looking at the length.
#[rstest]
#[case(Some(0), 12)]
#[case(Some(7), 12)]
#[case(Some(8), 0)]
#[case(Some(15), 7)]
#[case(Some(20), 12)]
#[case(Some(21), 12)]
#[case(None, 12)]
fn length_of_a_datagram(#[case] length: Option<u16>, #[case] told: usize) {
    for family in FAMILIES {
        let bytes = datagram(ends(family), &DatagramSpec { length, ..udp(&[1; 12]) });
        let udp = &bytes[bytes.len() - 20..];
        assert_eq!(udp[4..6], length.unwrap_or(20).to_be_bytes());
        let body = decoded(&bytes).body;
        assert!(matches!(body, PacketBody::Udp { len, .. } if len == told), "{body:?}");
        let [source, destination] = [End::Peer, End::Local].map(|end| address(end, family));
        let mut sum =
            [source, destination].iter().fold(Sum16BitWords::new(), |mut sum, ip| match ip {
                IpAddr::V4(ip) => sum.add_4bytes(ip.octets()),
                IpAddr::V6(ip) => sum.add_16bytes(ip.octets()),
            });
        let counted = length.filter(|length| *length > 0).unwrap_or(20);
        let summed = &udp[..udp.len().min(usize::from(counted))];
        sum = sum.add_2bytes([0, 17]).add_2bytes(counted.to_be_bytes()).add_slice(summed);
        if summed.len() >= 8 {
            assert_eq!(sum.ones_complement(), 0, "{length:?}");
        }
    }
}

#[test]
fn every_word_of_icmp() {
    for family in FAMILIES {
        let own = address(End::Local, family);
        let offender = datagram(ends(family), &udp(b"ping"));
        for (word, v4, v6) in WORDS {
            let has = if family == Family::V4 { v4 } else { v6 };
            let error = IcmpError { word, offender: &offender, ..IcmpError::default() };
            let bytes = icmp(address(End::Router, family), own, &error);
            assert_eq!(bytes.is_some(), has.is_some(), "{word}");
            let Some(bytes) = bytes else { continue };
            let packet = decoded(&bytes);
            assert_eq!(packet.source, address(End::Router, family));
            assert!(matches!(packet.body, PacketBody::Icmp(icmp) if icmp.word == word), "{word}");
            assert!(is_sound(&bytes), "{word}");
            let error = IcmpError { bad_checksum: true, ttl: Some(9), ..error };
            let bytes = icmp(address(End::Router, family), own, &error).expect("the same word");
            assert!(!is_sound(&bytes), "{word}");
            assert_eq!(decoded(&bytes).ttl, Some(9));
        }
    }
}

#[rstest]
#[case(Family::V4, Some(8), 20 + 8 + 20 + 8)]
#[case(Family::V4, Some(0), 20 + 8 + 20)]
#[case(Family::V4, Some(9_999), 20 + 8 + 20 + 8 + 1000)]
#[case(Family::V4, None, 576)]
#[case(Family::V6, Some(8), 40 + 8 + 40 + 8)]
#[case(Family::V6, None, 40 + 8 + 40 + 8 + 1000)]
fn quoted_length(#[case] family: Family, #[case] quote: Option<usize>, #[case] len: usize) {
    let offender = datagram(ends(family), &udp(&[0; 1000]));
    let word = "port-unreachable";
    let error = IcmpError { word, offender: &offender, quote, ..IcmpError::default() };
    let bytes = icmp(address(End::Peer, family), address(End::Local, family), &error);
    assert_eq!(bytes.map(|bytes| bytes.len()), Some(len));
}

#[test]
fn field_before_the_quoted_packet() {
    let offender = datagram(ends(Family::V4), &udp(b""));
    let own = address(End::Local, Family::V4);
    for (word, field) in [("fragmentation-needed", 1024), ("host-redirect", 0xc000_024d)] {
        let error = IcmpError { word, field, offender: &offender, ..IcmpError::default() };
        let bytes = icmp(address(End::Router, Family::V4), own, &error).expect("a word of IPv4");
        assert_eq!(bytes[24..28], field.to_be_bytes());
    }
}

#[test]
fn echo_requests() {
    for family in FAMILIES {
        let own = address(End::Local, family);
        let spec = EchoSpec::new(Payload::Text("ping".to_owned()));
        let bytes = echo(address(End::Peer, family), own, &spec);
        let packet = decoded(&bytes);
        assert_eq!((packet.destination, packet.bytes.ends_with(b"ping")), (own, true));
        assert!(matches!(packet.body, PacketBody::Icmp(icmp) if icmp.word == "echo-request"));
        assert!(is_sound(&bytes), "{family}");
        let spec = EchoSpec { bad_checksum: true, ttl: Some(2), tos: Some(3), ..spec };
        let bytes = echo(address(End::Peer, family), own, &spec);
        let packet = decoded(&bytes);
        assert_eq!((packet.ttl, packet.tos), (Some(2), Some(3)));
        assert!(!is_sound(&bytes), "{family}");
    }
}

/// The ports of a fragment stand behind the header that makes it one.
#[test]
fn fields_of_a_fragment_are_found() {
    for family in FAMILIES {
        let whole = datagram(ends(family), &DatagramSpec::new(Payload::Len(100)));
        let first = fragments(&whole, &Cut::Every(64)).remove(0);
        let other = overwritten(&first, 2, &[1, 2]).expect("there are ports");
        let at = if family == Family::V4 { 20 } else { 48 };
        assert_eq!((&other[at + 2..at + 4], other.len()), (&[1, 2][..], first.len()));
        assert_eq!(&other[..at + 2], &first[..at + 2]);
    }
}

#[test]
fn a_fragment_of_nothing_is_one() {
    for family in FAMILIES {
        let (peer, own) = (address(End::Peer, family), address(End::Local, family));
        let whole = other(peer, own, &OtherSpec::new(253, Payload::Len(0)));
        let pieces = fragments(&whole, &Cut::Every(8));
        assert_eq!(
            pieces.iter().map(Vec::len).collect::<Vec<_>>(),
            [if family == Family::V4 { 20 } else { 48 }]
        );
    }
}

#[test]
fn packets_of_any_protocol() {
    for family in FAMILIES {
        let own = address(End::Local, family);
        let spec = OtherSpec::new(253, Payload::Raw(vec![1, 2, 3]));
        let spec = OtherSpec { ttl: Some(2), tos: Some(3), ..spec };
        let bytes = other(address(End::Peer, family), own, &spec);
        let packet = decoded(&bytes);
        assert_eq!((packet.destination, packet.bytes.ends_with(&[1, 2, 3])), (own, true));
        assert_eq!(packet.body, PacketBody::Other { protocol: 253 });
        assert_eq!((packet.ttl, packet.tos), (Some(2), Some(3)));
        let header_len = if family == Family::V4 { 20 } else { 40 };
        assert_eq!(bytes.len(), header_len + 3);
    }
}

#[rstest]
#[case::in_order(Cut::Every(24), 5)]
#[case::in_another_order(Cut::Pieces(vec![(64, 120), (0, 24), (24, 64)]), 3)]
fn fragments_come_together_again(#[case] cut: Cut, #[case] count: usize) {
    for family in FAMILIES {
        let mut spec = spec("P.");
        spec.payload = Some(Payload::Len(100));
        let whole = segment(ends(family), &spec, &Fields::default());
        let header_len = if family == Family::V4 { 20 } else { 40 };
        let pieces = fragments(&whole, &cut);
        assert_eq!(pieces.len(), count);
        let mut pool = IpDefragPool::<(), ()>::new();
        let mut joined: Option<IpDefragPayloadVec> = None;
        for piece in &pieces {
            let sliced = SlicedPacket::from_ip(piece).expect("a fragment");
            joined = pool.process_sliced_packet(&sliced, (), ()).expect("fragments that fit");
        }
        let joined = joined.expect("the last fragment completes the packet");
        assert_eq!(joined.payload, whole[header_len..]);
    }
}

/// Whatever a case lists: only what ends where the packet ends is the last one.
#[test]
fn fragments_overlap_and_repeat() {
    let whole = datagram(ends(Family::V4), &udp(&[7; 32]));
    let pieces = fragments(&whole, &Cut::Pieces(vec![(16, 40), (0, 24), (16, 40), (8, 20)]));
    let told: Vec<(u16, bool, usize)> = pieces
        .iter()
        .map(|piece| {
            let sliced = SlicedPacket::from_ip(piece).expect("a fragment");
            let Some(NetSlice::Ipv4(ip)) = sliced.net else { panic!("expected IPv4") };
            let header = ip.header();
            (header.fragments_offset().value(), header.more_fragments(), piece.len() - 20)
        })
        .collect();
    assert_eq!(told, [(2, false, 24), (0, true, 24), (2, false, 24), (1, true, 12)]);
}

/// All peers have one address: only the identification keeps their fragments apart.
#[test]
fn fragments_of_a_port_go_together_and_of_two_do_not() {
    let identification = |port: u16| {
        let mut ends = ends(Family::V4);
        ends.source.set_port(port);
        let piece = fragments(&datagram(ends, &udp(&[7; 32])), &Cut::Every(8));
        piece.iter().map(|bytes| u16::from_be_bytes([bytes[4], bytes[5]])).collect::<Vec<_>>()
    };
    let (one, other) = (identification(7001), identification(7002));
    assert!(one.len() == 5 && one.iter().all(|id| *id == one[0]), "{one:?}");
    assert_ne!(one[0], other[0]);
}
