//! What peers remember, and the packets that they make of it. The local stack is played by hand.

use super::{PathRule, Peers, Sender};
use crate::model::call::Payload;
use crate::model::host::FirewallVerdict;
use crate::model::packet::{Packet, PacketBody, TcpSegment};
use crate::model::peer::{
    Base, Cut, DatagramSpec, IcmpSpec, LocalEnd, Number, SegmentSpec, TcpOption, Wanted,
};
use crate::model::wire::{End, address};
use crate::model::{Family, Name};
use crate::wire::build::{self, Ends, Fields, IcmpError};
use crate::wire::{Captured, CapturedBytes, decode, timestamps};
use rstest::rstest;
use std::net::SocketAddr;
use std::time::Duration;

/// The local stack's port and initial number, the peer's.
const PORT: u16 = 40_000;
pub(super) const IRS: u32 = 5_000;
pub(super) const ISS: u32 = 1_000_000_000;

pub(super) fn local() -> SocketAddr {
    SocketAddr::new(address(End::Local, Family::V4), PORT)
}

pub(super) fn decoded(bytes: Vec<u8>) -> Packet {
    decode(&Captured { at: Duration::ZERO, bytes: CapturedBytes::Ip(bytes) })
}

pub(super) fn spec(flags: &str) -> SegmentSpec {
    SegmentSpec {
        flags: flags.parse().expect("flags in tcpdump's letters"),
        ..SegmentSpec::default()
    }
}

/// A packet of the local stack to `peer`.
pub(super) fn from_local(
    flags: &str,
    seq: u32,
    ack: u32,
    len: usize,
    options: Vec<TcpOption>,
) -> Packet {
    to_port(7001, flags, seq, ack, len, options)
}

fn to_port(
    far: u16,
    flags: &str,
    seq: u32,
    ack: u32,
    len: usize,
    options: Vec<TcpOption>,
) -> Packet {
    let destination = SocketAddr::new(address(End::Peer, Family::V4), far);
    let ends = Ends { source: local(), destination };
    let spec = SegmentSpec { payload: Some(Payload::Len(len)), ..spec(flags) };
    let fields = Fields { seq, ack, window: 1000, options, ..Fields::default() };
    decoded(build::segment(ends, &spec, &fields))
}

pub(super) fn see(peers: &mut Peers, flags: &str, seq: u32, ack: u32, len: usize) {
    peers.see(&from_local(flags, seq, ack, len, Vec::new()));
}

pub(super) fn try_send(peers: &mut Peers, spec: &SegmentSpec) -> Result<TcpSegment, String> {
    let sending = peers.segment(&Name::new("peer"), spec, local(), None)?;
    match decoded(sending.bytes).body {
        PacketBody::Tcp(tcp) => Ok(tcp),
        other => panic!("expected a segment, got {other:?}"),
    }
}

pub(super) fn send(peers: &mut Peers, spec: &SegmentSpec) -> (u32, u32) {
    let tcp = try_send(peers, spec).expect("a segment that can be sent");
    (tcp.seq, tcp.ack)
}

/// After a handshake that the local stack began.
pub(super) fn established() -> Peers {
    let mut peers = Peers::new(Family::V4);
    see(&mut peers, "S", IRS, 0, 0);
    assert_eq!(send(&mut peers, &spec("S.")), (ISS, IRS + 1));
    see(&mut peers, ".", IRS + 1, ISS + 1, 0);
    peers
}

#[rstest]
#[case::syn_is_repeated("S", (ISS, 0))]
#[case::answer_is_repeated("S.", (ISS, IRS + 1))]
#[case::rst_of_a_closed_port("R.", (0, IRS + 1))]
#[case::rst_without_ack("R", (0, 0))]
#[case::nothing_sent_yet(".", (0, IRS + 1))]
#[case::fin_before_syn("F.", (0, IRS + 1))]
fn answers_to_a_syn(#[case] flags: &str, #[case] numbers: (u32, u32)) {
    let mut peers = Peers::new(Family::V4);
    see(&mut peers, "S", IRS, 0, 0);
    assert_eq!(send(&mut peers, &spec(flags)), numbers);
    if flags == "S" {
        assert_eq!(send(&mut peers, &spec("S.")), (ISS, IRS + 1));
    }
}

#[test]
fn numbers_follow_what_is_sent_and_received() {
    let mut peers = established();
    let data = SegmentSpec { payload: Some(Payload::Len(10)), ..spec("P.") };
    assert_eq!(send(&mut peers, &data), (ISS + 1, IRS + 1));
    assert_eq!(send(&mut peers, &data), (ISS + 11, IRS + 1));
    see(&mut peers, "P.", IRS + 1, ISS + 21, 100);
    assert_eq!(send(&mut peers, &spec("F.")), (ISS + 21, IRS + 101));
    see(&mut peers, "F.", IRS + 101, ISS + 22, 0);
    assert_eq!(send(&mut peers, &spec(".")), (ISS + 22, IRS + 102));
    // A retransmission adds nothing, a hole is not passed.
    see(&mut peers, "P.", IRS + 1, ISS + 22, 100);
    see(&mut peers, "P.", IRS + 500, ISS + 22, 100);
    assert_eq!(send(&mut peers, &spec(".")), (ISS + 22, IRS + 102));
    assert_eq!(send(&mut peers, &spec("R")), (ISS + 22, 0));
}

#[rstest]
#[case::checksum(SegmentSpec { bad_checksum: true, ..spec("P.") })]
#[case::offset(SegmentSpec { data_offset: Some(4), ..spec("P.") })]
#[case::elsewhere(SegmentSpec { seq: Some(relative(Base::Nxt, 5)), ..spec("P.") })]
fn segment_that_is_not_the_next_moves_nothing(#[case] spec_of: SegmentSpec) {
    let mut peers = established();
    let spec_of = SegmentSpec { payload: Some(Payload::Len(10)), ..spec_of };
    send(&mut peers, &spec_of);
    assert_eq!(send(&mut peers, &spec(".")).0, ISS + 1);
}

pub(super) fn relative(base: Base, offset: i64) -> Number {
    Number::Relative { base, offset }
}

#[rstest]
#[case(Number::Shown(7), ISS + 7)]
#[case(Number::Shown(-1), ISS - 1)]
#[case(Number::Absolute(7), 7)]
#[case(relative(Base::Nxt, 0), ISS + 1)]
#[case(relative(Base::Nxt, 100), ISS + 101)]
#[case(relative(Base::Wnd, -1), ISS + 1000)]
fn written_sequence_number(#[case] seq: Number, #[case] expected: u32) {
    let spec = SegmentSpec { seq: Some(seq), ..spec("R") };
    assert_eq!(send(&mut established(), &spec).0, expected);
}

#[rstest]
#[case(Number::Shown(7), IRS + 7)]
#[case(Number::Absolute(7), 7)]
#[case(relative(Base::Nxt, 1), IRS + 102)]
#[case(relative(Base::Una, 0), IRS + 1)]
#[case(relative(Base::Una, -1), IRS)]
fn written_acknowledgment(#[case] ack: Number, #[case] expected: u32) {
    let mut peers = established();
    send(&mut peers, &spec("."));
    see(&mut peers, "P.", IRS + 1, ISS + 1, 100);
    let spec = SegmentSpec { ack: Some(ack), ..spec(".") };
    assert_eq!(send(&mut peers, &spec).1, expected);
}

#[test]
fn una_is_the_highest_good_acknowledgment() {
    let mut peers = established();
    see(&mut peers, "P.", IRS + 1, ISS + 1, 100);
    for (ack, una) in [(IRS + 51, IRS + 51), (IRS + 1, IRS + 51), (IRS + 500, IRS + 51)] {
        send(&mut peers, &SegmentSpec { ack: Some(Number::Absolute(ack)), ..spec(".") });
        let spec = SegmentSpec { ack: Some(relative(Base::Una, 0)), ..spec(".") };
        assert_eq!(send(&mut peers, &spec).1, una);
    }
}

#[rstest]
#[case(SegmentSpec { seq: Some(relative(Base::Nxt, 0)), ..spec("R") }, "no connection yet")]
#[case(SegmentSpec { ack: Some(relative(Base::Una, 0)), ..spec(".") }, "no connection yet")]
fn no_variables_without_a_connection(#[case] spec: SegmentSpec, #[case] why: &str) {
    let error = try_send(&mut Peers::new(Family::V4), &spec).unwrap_err();
    assert_eq!(error, why);
}

#[test]
fn forgotten_connection() {
    let mut peers = established();
    peers.forget(&Name::new("peer"));
    // The case still knows what the local stack expects.
    let exact = SegmentSpec { seq: Some(relative(Base::Nxt, 0)), ..spec("S") };
    assert_eq!(send(&mut peers, &exact).0, ISS + 1);
    peers.forget(&Name::new("peer"));
    let again = ISS + 200_000_000;
    assert_eq!(send(&mut peers, &spec("S")), (again, 0));
    // A challenge acknowledges the old connection; the RST to it takes its number.
    see(&mut peers, ".", IRS + 1, ISS + 1, 0);
    assert_eq!(send(&mut peers, &spec("R")), (ISS + 1, 0));
    assert_eq!(send(&mut peers, &spec("S")), (again, 0));
    see(&mut peers, "S.", IRS + 9_000, again + 1, 0);
    assert_eq!(send(&mut peers, &spec(".")), (again + 1, IRS + 9_001));
}

#[test]
fn syn_inside_a_connection_is_aside_until_it_is_answered() {
    let mut peers = established();
    let syn = SegmentSpec { seq: Some(relative(Base::Nxt, 100)), ..spec("S") };
    let sending = peers.segment(&Name::new("peer"), &syn, local(), None).expect("a segment");
    assert!(sending.aside);
    assert_eq!(send(&mut peers, &spec(".")), (ISS + 1, IRS + 1));
    see(&mut peers, "S.", 70_000, ISS + 102, 0);
    assert_eq!(send(&mut peers, &spec(".")), (ISS + 102, 70_001));
    let first = SegmentSpec { seq: Some(Number::Shown(1)), ..spec(".") };
    assert_eq!(send(&mut peers, &first).0, ISS + 102);
}

#[test]
fn new_connection_from_the_same_port() {
    let mut peers = established();
    see(&mut peers, "R.", IRS + 1, ISS + 1, 0);
    see(&mut peers, "S", 90_000, 0, 0);
    assert_eq!(send(&mut peers, &spec("S.")), (ISS, 90_001));
}

#[rstest]
#[case(LocalEnd::ClosedPort, false)]
#[case(LocalEnd::Socket(Name::new("other")), true)]
fn a_syn_moves_the_peer_unless_it_is_to_a_closed_port(#[case] to: LocalEnd, #[case] moves: bool) {
    let (mut peers, name) = (established(), Name::new("peer"));
    let other = SocketAddr::new(local().ip(), 9);
    let known = peers.connected(&name).expect("a connection");
    peers.segment(&name, &SegmentSpec { to: Some(to), ..spec("S") }, other, None).expect("a SYN");
    assert_eq!(peers.connected(&name), Some(if moves { other } else { known }));
}

#[test]
fn timestamps_once_both_syns_had_them() {
    let mut peers = Peers::new(Family::V4);
    let stamps = |value| vec![TcpOption::Timestamps(value, 0)];
    peers.see(&from_local("S", IRS, 0, 0, stamps(77)));
    let syn = SegmentSpec { options: Some(stamps(500)), ..spec("S.") };
    send(&mut peers, &syn);
    peers.see(&from_local(".", IRS + 1, ISS + 1, 0, stamps(78)));
    let mut stamped = |flags| {
        let sending = peers.segment(&Name::new("peer"), &spec(flags), local(), None);
        timestamps(&sending.expect("a segment").bytes)
    };
    assert_eq!(stamped("."), Some((500, 78)));
    assert_eq!(stamped("R"), None);
}

#[rstest]
#[case(None, 1000)]
#[case(Some(3), 8000)]
fn window_is_scaled_if_both_syns_said_so(#[case] ours: Option<u8>, #[case] window: u32) {
    let mut peers = Peers::new(Family::V4);
    peers.see(&from_local("S", IRS, 0, 0, vec![TcpOption::WindowScale(3)]));
    let options = ours.map(|shift| vec![TcpOption::WindowScale(shift)]);
    send(&mut peers, &SegmentSpec { options, ..spec("S.") });
    see(&mut peers, ".", IRS + 1, ISS + 1, 0);
    let edge = SegmentSpec { seq: Some(relative(Base::Wnd, 0)), ..spec("R") };
    assert_eq!(send(&mut peers, &edge).0, ISS + 1 + window);
}

#[test]
fn router_forges_what_the_peer_does_not_notice() {
    let mut peers = established();
    let router = Name::new("router");
    assert_eq!(peers.connected(&router), Some(local()));
    let forged = peers.segment(&router, &spec("R."), local(), None).expect("a segment");
    let packet = decoded(forged.bytes);
    assert_eq!(packet.source, address(End::Router, Family::V4));
    let PacketBody::Tcp(tcp) = packet.body else {
        panic!("expected a segment");
    };
    assert_eq!((tcp.source_port, tcp.seq), (7001, ISS + 1));
    assert_eq!(send(&mut peers, &spec("S")).0, ISS + 1, "the connection goes on");
}

#[test]
fn every_packet_is_taken_once_by_whom_it_was_for() {
    let mut peers = established();
    let (peer, peer2) = (Name::new("peer"), Name::new("peer2"));
    let flags = |text: &str| Wanted::Tcp { flags: Some(spec(text).flags), len: None };
    assert!(peers.take(&peer2, &Wanted::Any).is_none());
    assert!(peers.take(&peer, &flags(".")).is_some());
    assert!(peers.take(&peer, &flags(".")).is_none());
    assert!(peers.take(&peer, &Wanted::Udp).is_none());
    assert!(peers.take(&peer, &Wanted::Any).is_some());
    assert!(peers.take(&peer, &Wanted::Any).is_none());
}

#[rstest]
#[case::syn("S", FirewallVerdict::TcpReset, Some("R."), (0, IRS + 1))]
#[case::data("P.", FirewallVerdict::TcpReset, Some("R"), (ISS, 0))]
#[case::rst("R", FirewallVerdict::TcpReset, None, (0, 0))]
#[case::swallowed("S", FirewallVerdict::Drop, None, (0, 0))]
fn path_answers(
    #[case] flags: &str,
    #[case] verdict: FirewallVerdict,
    #[case] answer: Option<&str>,
    #[case] numbers: (u32, u32),
) {
    let mut peers = Peers::new(Family::V4);
    peers.refuse(PathRule { verdict, port: Some(7001) });
    let answered = peers.see(&from_local(flags, IRS, ISS, 0, Vec::new()));
    assert!(peers.take(&Name::new("peer"), &Wanted::Any).is_none(), "it never arrives");
    let Some(flags) = answer else {
        assert_eq!(answered, None);
        return;
    };
    match decoded(answered.expect("an answer")).body {
        PacketBody::Tcp(tcp) => {
            assert_eq!((tcp.seq, tcp.ack), numbers);
            assert_eq!(tcp.flags, spec(flags).flags);
        }
        other => panic!("expected a segment, got {other:?}"),
    }
}

#[test]
fn path_that_was_lifted_lets_pass() {
    let mut peers = Peers::new(Family::V4);
    peers.refuse(PathRule { verdict: FirewallVerdict::Drop, port: None });
    peers.refuse(PathRule { verdict: FirewallVerdict::TcpReset, port: Some(7001) });
    peers.see(&from_local("S", IRS, 0, 0, Vec::new()));
    peers.lift();
    assert!(!peers.acts_by_itself());
    assert!(peers.take(&Name::new("peer"), &Wanted::Any).is_none(), "what was swallowed is gone");
    assert_eq!(peers.see(&from_local("S", IRS, 0, 0, Vec::new())), None);
    assert!(peers.take(&Name::new("peer"), &Wanted::Any).is_some(), "it arrives");
}

#[test]
fn path_complains_in_the_routers_name() {
    let mut peers = Peers::new(Family::V4);
    let verdict = FirewallVerdict::IcmpAdmin;
    peers.refuse(PathRule { verdict, port: None });
    let answer = peers.see(&from_local("S", IRS, 0, 0, Vec::new())).expect("an answer");
    let packet = decoded(answer);
    assert_eq!(packet.source, address(End::Router, Family::V4));
    assert!(matches!(packet.body, PacketBody::Icmp(icmp) if icmp.word == "admin-prohibited"));
}

/// The port and the sequence number that an error of the peer quotes.
fn quoted(peers: &Peers, about: Option<Sender>, seq: Option<Number>) -> Result<(u16, u32), String> {
    let spec = IcmpSpec { word: "host-unreachable".to_owned(), seq, ..IcmpSpec::default() };
    let bytes = peers.icmp(&Name::new("peer"), about, &spec, None)?.bytes;
    // Behind an IP header, eight bytes of ICMP and the quoted IP header.
    let tcp = &bytes[20 + 8 + 20..];
    let port = u16::from_be_bytes([tcp[2], tcp[3]]);
    Ok((port, u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]])))
}

#[test]
fn an_error_quotes_the_connection_and_not_its_port() {
    let mut peers = Peers::new(Family::V4);
    for (far, seq) in [(7001, IRS), (7002, IRS + 1000), (7001, IRS + 1)] {
        let mut packet = to_port(far, ".", seq, ISS + 1, 0, Vec::new());
        packet.at = Duration::from_micros(seq.into());
        peers.see(&packet);
    }
    let far = |port| SocketAddr::new(address(End::Peer, Family::V4), port);
    let sender = |port: Option<u16>| {
        let far = port.map(far);
        Some(Sender { is_datagram: false, local: PORT, far, others: Vec::new() })
    };
    assert_eq!(quoted(&peers, sender(Some(7001)), None), Ok((7001, IRS + 1)));
    assert_eq!(quoted(&peers, sender(Some(7002)), None), Ok((7002, IRS + 1000)));
    assert_eq!(quoted(&peers, sender(None), None), Ok((7002, IRS + 1000)));
    assert_eq!(quoted(&peers, None, None), Ok((7001, IRS + 1)));
    let unheard = quoted(&peers, sender(Some(7003)), None);
    assert_eq!(unheard, Err("no packet to quote".to_owned()));
    let last = Sender { is_datagram: false, local: PORT, far: None, others: vec![far(7002)] };
    assert_eq!(quoted(&peers, Some(last), None), Ok((7001, IRS + 1)), "not those of another");
    let udp = Some(Sender { is_datagram: true, local: PORT, far: None, others: Vec::new() });
    assert!(quoted(&peers, udp, None).is_err());
}

#[test]
fn of_an_error_nobody_complains() {
    let mut peers = Peers::new(Family::V4);
    let data = from_local("P.", IRS, 0, 1, Vec::new());
    peers.see(&data);
    let error =
        IcmpError { word: "port-unreachable", offender: &data.bytes, ..IcmpError::default() };
    let error = build::icmp(local().ip(), address(End::Peer, Family::V4), &error);
    peers.see(&decoded(error.expect("a word of IPv4")));
    assert_eq!(quoted(&peers, None, None), Ok((7001, IRS)));
}

/// A socket may be bound to an address that is not this host's (IP_TRANSPARENT).
#[test]
fn a_peer_sees_whatever_leaves() {
    let mut peers = Peers::new(Family::V4);
    let own = SocketAddr::from(([192, 0, 2, 77], PORT));
    let ends =
        Ends { source: own, destination: SocketAddr::new(address(End::Peer, Family::V4), 7001) };
    let syn = decoded(build::segment(ends, &spec("S"), &Fields::default()));
    peers.see(&syn);
    assert_eq!(peers.connected(&Name::new("peer")), Some(own));
    assert_eq!(peers.take(&Name::new("peer"), &Wanted::Any), Some(syn));
}

#[rstest]
#[case::next(Number::Relative { base: Base::Nxt, offset: 1 }, IRS + 12)]
#[case::unacknowledged(Number::Relative { base: Base::Una, offset: -1 }, IRS)]
#[case::shown(Number::Shown(5), IRS + 5)]
#[case::absolute(Number::Absolute(9), 9)]
fn a_quoted_number_counts_from_the_local_variables(#[case] seq: Number, #[case] expected: u32) {
    let mut peers = Peers::new(Family::V4);
    see(&mut peers, "S", IRS, 0, 0);
    send(&mut peers, &spec("S."));
    see(&mut peers, "P.", IRS + 1, ISS + 1, 10);
    assert_eq!(quoted(&peers, None, Some(seq)), Ok((7001, expected)));
}

#[test]
fn an_error_may_quote_other_ports() {
    let mut peers = established();
    see(&mut peers, "P.", IRS + 1, ISS + 1, 10);
    let spec = |source_port, destination_port| IcmpSpec {
        word: "host-unreachable".to_owned(),
        source_port,
        destination_port,
        ..IcmpSpec::default()
    };
    let quoted = |spec: &IcmpSpec| {
        let bytes = peers.icmp(&Name::new("peer"), None, spec, None).expect("an error").bytes;
        bytes[20 + 8 + 20..][..4].to_vec()
    };
    let own = quoted(&spec(None, None));
    assert_eq!(quoted(&spec(Some(258), None)), [&[1, 2], &own[2..]].concat());
    assert_eq!(quoted(&spec(None, Some(772))), [&own[..2], &[3, 4]].concat());
    assert_eq!(quoted(&spec(Some(258), Some(772))), [1, 2, 3, 4]);
}

#[test]
fn only_a_segment_has_a_number_to_quote() {
    let mut peers = Peers::new(Family::V4);
    let ends = Ends {
        source: local(),
        destination: SocketAddr::new(address(End::Peer, Family::V4), 7001),
    };
    peers.see(&decoded(build::datagram(ends, &DatagramSpec::new(Payload::Len(1)))));
    let error = quoted(&peers, None, Some(Number::Shown(1))).unwrap_err();
    assert_eq!(error, "the packet to quote has no sequence number");
}

/// RFC 1122 §3.2.2, for IPv4; RFC 4443 §2.4 knows no such rule.
#[test]
fn no_error_is_sent_about_a_later_fragment() {
    let mut peers = Peers::new(Family::V4);
    peers.refuse(PathRule { verdict: FirewallVerdict::IcmpAdmin, port: None });
    let ends = Ends {
        source: local(),
        destination: SocketAddr::new(address(End::Peer, Family::V4), 7001),
    };
    let whole = build::datagram(ends, &DatagramSpec::new(Payload::Len(100)));
    let pieces = build::fragments(&whole, &Cut::Every(64));
    let answers: Vec<bool> =
        pieces.into_iter().map(|piece| peers.see(&decoded(piece)).is_some()).collect();
    assert_eq!(answers, [true, false]);
}

/// What is longer than the link takes would arrive by one device and not by another.
#[test]
fn errors_fit_the_link() {
    let mut peers = Peers::new(Family::V4);
    let data = from_local("P.", IRS, 0, 500, Vec::new());
    peers.see(&data);
    let error = IcmpSpec { word: "port-unreachable".to_owned(), ..IcmpSpec::default() };
    let len = |peers: &Peers| {
        peers.icmp(&Name::new("peer"), None, &error, None).expect("an error").bytes.len()
    };
    assert_eq!(len(&peers), 20 + 8 + 540);
    peers.has_mtu(128);
    assert_eq!(len(&peers), 128);
    peers.refuse(PathRule { verdict: FirewallVerdict::IcmpPort, port: None });
    assert_eq!(peers.see(&data).map(|error| error.len()), Some(128));
}
