//! Packets built by etherparse and taken apart again.

use super::{Captured, CapturedBytes, decode, icmp};
use crate::model::TcpFlags;
use crate::model::packet::{Packet, PacketBody, SeenOption, TcpSegment};
use etherparse::{PacketBuilder, TcpOptionElement};
use rstest::rstest;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

const V4: [u8; 4] = [127, 0, 0, 1];

fn ip(bytes: Vec<u8>) -> Packet {
    decode(&Captured { at: Duration::from_millis(7), bytes: CapturedBytes::Ip(bytes) })
}

fn transport(protocol: u8, bytes: Vec<u8>) -> Packet {
    decode(&Captured {
        at: Duration::ZERO,
        bytes: CapturedBytes::Transport {
            source: IpAddr::V6(Ipv6Addr::LOCALHOST),
            destination: IpAddr::V6(Ipv6Addr::LOCALHOST),
            protocol,
            ttl: Some(64),
            tos: Some(3),
            bytes,
        },
    })
}

fn tcp_v4(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ipv4(V4, V4, 64)
        .tcp(1000, 2000, 7, 512)
        .syn()
        .ack(9)
        .options_raw(options)
        .unwrap();
    let mut bytes = Vec::new();
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

fn udp_v4(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4(V4, V4, 64).udp(1000, 2000);
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

fn icmp_v4(kind: u8, code: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4(V4, V4, 64).icmpv4_raw(kind, code, [0; 4]);
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

/// Options with their values as they are on the wire.
pub(super) fn words(options: &[SeenOption]) -> Vec<String> {
    let word = |option: &SeenOption| match option {
        SeenOption::Word(word) => word.clone(),
        SeenOption::Sack(blocks) => {
            let blocks = blocks.iter().map(|(start, end)| format!(" {start}-{end}"));
            format!("sack{}", blocks.collect::<String>())
        }
        SeenOption::Timestamps { value, reply } => format!("TS {value} {reply}"),
    };
    options.iter().map(word).collect()
}

fn segment(packet: &Packet) -> &TcpSegment {
    match &packet.body {
        PacketBody::Tcp(segment) => segment,
        other => panic!("expected a segment, got {other:?}"),
    }
}

#[test]
fn decode_tcp_over_ipv4() {
    let packet = ip(tcp_v4(&[], b"data"));
    assert_eq!(packet.at, Duration::from_millis(7));
    assert_eq!((packet.source, packet.destination), (V4.into(), V4.into()));
    assert_eq!((packet.ttl, packet.dont_fragment), (Some(64), Some(true)));
    let tcp = segment(&packet);
    assert_eq!((tcp.source_port, tcp.destination_port), (1000, 2000));
    assert_eq!((tcp.seq, tcp.ack, tcp.window, tcp.len), (7, 9, 512, 4));
    assert_eq!(tcp.flags, TcpFlags::SYN | TcpFlags::ACK);
}

#[test]
fn decode_tcp_without_ip_header() {
    let packet = transport(6, tcp_v4(&[], b"data")[20..].to_vec());
    assert_eq!(packet.source, IpAddr::V6(Ipv6Addr::LOCALHOST));
    assert_eq!(segment(&packet).len, 4);
    assert_eq!((packet.dont_fragment, packet.tos), (None, Some(3)));
}

#[test]
fn decode_ipv6() {
    let mut bytes = Vec::new();
    let one = Ipv6Addr::LOCALHOST.octets();
    let builder = PacketBuilder::ipv6(one, one, 63).udp(5, 6);
    builder.write(&mut bytes, b"abc").unwrap();
    let packet = ip(bytes);
    assert_eq!((packet.ttl, packet.dont_fragment), (Some(63), None));
    let expected = PacketBody::Udp { source_port: 5, destination_port: 6, len: 3 };
    assert_eq!(packet.body, expected);
}

#[test]
fn decode_counts_what_was_not_captured() {
    let mut bytes = tcp_v4(&[], &[0; 1000]);
    bytes.truncate(64);
    assert_eq!(segment(&ip(bytes)).len, 1000);
}

#[rstest]
#[case::usual(&[2, 4, 0xff, 0xd7, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7],
    &["mss 65495", "sackOK", "TS 1 2", "nop", "wscale 7"])]
#[case::end(&[1, 0, 2, 4], &["nop", "eol"])]
#[case::sack(&[5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1], &["sack 1-2", "nop", "nop"])]
#[case::two_blocks(
    &[5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 255, 255, 255, 255, 0, 0, 1, 0, 1, 1],
    &["sack 1-2 4294967295-256", "nop", "nop"])]
#[case::half_a_block(&[5, 6, 0, 0, 0, 1, 1, 1], &["sack", "nop", "nop"])]
#[case::no_block(&[5, 2, 1, 1], &["sack", "nop", "nop"])]
#[case::half_a_stamp(&[8, 6, 0, 0, 0, 1, 1, 1], &["unknown-8", "nop", "nop"])]
#[case::unknown(&[254, 4, 1, 2], &["unknown-254"])]
#[case::asks_for_a_cookie(&[34, 2, 1, 1], &["tfo cookiereq", "nop", "nop"])]
#[case::cookie(&[34, 6, 1, 2, 3, 4, 1, 1], &["tfo cookie", "nop", "nop"])]
#[case::odd_len(&[2, 3, 1, 1], &["unknown-2", "nop"])]
#[case::too_long(&[1, 1, 2, 40], &["nop", "nop", "bad opt"])]
#[case::too_short(&[2, 0, 1, 1], &["bad opt"])]
#[case::cut(&[1, 1, 1, 2], &["nop", "nop", "nop", "bad opt"])]
fn option_names(#[case] bytes: &[u8], #[case] expected: &[&str]) {
    assert_eq!(words(&segment(&ip(tcp_v4(bytes, b""))).options), expected);
}

#[rstest]
#[case(3, 3, Some((1, 4)), "port-unreachable")]
#[case(3, 1, Some((1, 3)), "host-unreachable")]
#[case(3, 0, Some((1, 0)), "net-unreachable")]
#[case(3, 13, Some((1, 1)), "admin-prohibited")]
#[case(3, 4, Some((2, 0)), "fragmentation-needed")]
#[case(5, 1, None, "host-redirect")]
#[case(11, 0, Some((3, 0)), "ttl-exceeded")]
#[case(8, 0, Some((128, 0)), "echo-request")]
#[case(0, 0, Some((129, 0)), "echo-reply")]
#[case(13, 0, None, "type 13 code 0")]
fn icmp_words(
    #[case] kind: u8,
    #[case] code: u8,
    #[case] v6: Option<(u8, u8)>,
    #[case] word: &str,
) {
    let word_of = |packet: Packet| match packet.body {
        PacketBody::Icmp(icmp) => icmp.word,
        other => panic!("expected ICMP, got {other:?}"),
    };
    assert_eq!(word_of(ip(icmp_v4(kind, code, &[]))), word);
    if let Some((kind, code)) = v6 {
        assert_eq!(word_of(transport(58, vec![kind, code, 0, 0, 0, 0, 0, 0])), word);
    }
}

#[test]
fn icmp_words_are_unique() {
    for (i, (word, v4, v6)) in icmp::WORDS.iter().enumerate() {
        for (other, other_v4, other_v6) in &icmp::WORDS[..i] {
            assert_ne!(word, other);
            assert!(v4.is_none() || v4 != other_v4, "{word} and {other}");
            assert!(v6.is_none() || v6 != other_v6, "{word} and {other}");
        }
    }
}

#[rstest]
#[case::udp(udp_v4(b"ping"), 28, "udp", Some((1000, 2000)))]
#[case::tcp(tcp_v4(&[], b""), 28, "tcp", Some((1000, 2000)))]
#[case::without_ports(udp_v4(b"ping"), 22, "udp", None)]
#[case::later_fragment(at_offset(udp_v4(b"ping"), 1), 28, "udp", None)]
#[case::icmp(icmp_v4(8, 0, b""), 28, "icmp", None)]
fn icmp_quotes(
    #[case] quoted: Vec<u8>,
    #[case] len: usize,
    #[case] protocol: &str,
    #[case] ports: Option<(u16, u16)>,
) {
    let packet = ip(icmp_v4(3, 3, &quoted[..len]));
    let PacketBody::Icmp(icmp) = packet.body else {
        panic!("expected ICMP");
    };
    let quote = icmp.quoted.expect("the error quotes a packet");
    assert_eq!((quote.protocol.as_str(), quote.ports), (protocol, ports));
    assert_eq!(quote.source, IpAddr::from(V4));
}

/// The packet as a fragment that begins so many units of eight bytes behind its header.
fn at_offset(mut packet: Vec<u8>, units: u8) -> Vec<u8> {
    packet[7] = units;
    packet
}

#[test]
fn echo_quotes_nothing() {
    let payload = udp_v4(b"ping");
    let PacketBody::Icmp(echo) = ip(icmp_v4(8, 0, &payload)).body else {
        panic!("expected ICMP");
    };
    assert_eq!((echo.quoted, echo.len), (None, Some(payload.len())));
}

#[test]
fn later_fragment_has_no_ports() {
    let mut bytes = udp_v4(b"ping");
    bytes[6..8].copy_from_slice(&[0, 1]);
    assert_eq!(ip(bytes).body, PacketBody::Other { protocol: 17 });
}

/// IPv6 with the extension headers in `behind`; the first one's type is `kind`.
#[rstest]
#[case::first_fragment(44, &[17, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 2, 0, 8, 0, 0], None)]
#[case::later_fragment(44, &[17, 0, 0, 9, 0, 0, 0, 1, 0, 1, 0, 2, 0, 8, 0, 0], Some(17))]
#[case::behind_options(60, &[44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 8, 0, 0, 0, 1], Some(6))]
#[case::cut_off(0, &[16, 4, 195, 80, 0, 0, 0, 100], Some(0))]
#[case::nothing_behind(0, &[], Some(0))]
fn ipv6_extensions_are_followed(
    #[case] kind: u8,
    #[case] behind: &[u8],
    #[case] other: Option<u8>,
) {
    let mut bytes = vec![0x60, 0, 0, 0, 0, behind.len() as u8, kind, 64];
    bytes.extend([Ipv6Addr::LOCALHOST.octets(); 2].concat());
    bytes.extend(behind);
    let body = ip(bytes).body;
    match other {
        Some(protocol) => assert_eq!(body, PacketBody::Other { protocol }),
        None => assert!(matches!(body, PacketBody::Udp { .. }), "{body:?}"),
    }
}

/// IPv6 has an ICMP of its own, with a number of its own.
#[test]
fn each_ip_has_its_icmp() {
    let mut four = icmp_v4(8, 0, b"");
    four[9] = 58;
    assert_eq!(ip(four).body, PacketBody::Other { protocol: 58 });
    let echo = vec![8, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(transport(1, echo).body, PacketBody::Other { protocol: 1 });
}

#[test]
fn unreadable_is_other() {
    assert_eq!(ip(Vec::new()).body, PacketBody::Other { protocol: 255 });
    let short = tcp_v4(&[], b"")[..30].to_vec();
    assert_eq!(ip(short).body, PacketBody::Other { protocol: 6 });
    assert_eq!(transport(132, vec![1]).body, PacketBody::Other { protocol: 132 });
}

/// Every prefix of every kind of packet, and every byte of it set to every value.
#[test]
fn decode_never_panics() {
    let mut v6 = Vec::new();
    let one = Ipv6Addr::LOCALHOST.octets();
    let builder = PacketBuilder::ipv6(one, one, 63).icmpv6_raw(1, 4, [0; 4]);
    builder.write(&mut v6, &udp_v4(b"ping")).unwrap();
    let sack = TcpOptionElement::SelectiveAcknowledgement((1, 2), [None; 3]);
    let mut tcp = Vec::new();
    let builder = PacketBuilder::ipv4(V4, V4, 1).tcp(1, 2, 3, 4).options(&[sack]);
    builder.unwrap().write(&mut tcp, b"data").unwrap();
    for whole in [tcp, udp_v4(b"ping"), icmp_v4(3, 3, &tcp_v4(&[1; 4], b"")), v6] {
        for len in 0..=whole.len() {
            ip(whole[..len].to_vec());
            for protocol in [1, 6, 17, 58] {
                transport(protocol, whole[whole.len() - len..].to_vec());
            }
        }
        for at in 0..whole.len() {
            for value in 0..=u8::MAX {
                let mut mutated = whole.clone();
                mutated[at] = value;
                mutated.truncate(whole.len() - usize::from(value) % 16);
                ip(mutated);
            }
        }
    }
}
