//! Steps of the wire: peers and the machine.

use super::{name, packet, tcp};
use crate::model::call::Payload;
use crate::model::case::Action;
use crate::model::host::{FirewallAt, FirewallVerdict, HostVerb, LinkChange, RouteKind};
use crate::model::peer::{
    Base, Checksum, Cut, DatagramSpec, EchoSpec, IcmpSpec, LocalEnd, Number, OtherSpec, PacketSpec,
    PeerVerb, SegmentSpec, Source, TcpOption, Wanted,
};
use crate::model::transcript::{Event, PacketEvent};
use crate::render::{host_note, line, number_forms, peer_answer, peer_head};
use rstest::rstest;
use std::time::Duration;

fn segment(flags: &str) -> SegmentSpec {
    SegmentSpec {
        flags: flags.parse().expect("flags in tcpdump's letters"),
        ..SegmentSpec::default()
    }
}

fn relative(base: Base, offset: i64) -> Option<Number> {
    Some(Number::Relative { base, offset })
}

fn head(spec: PacketSpec) -> String {
    peer_head(&name("peer"), &PeerVerb::Send(spec))
}

#[rstest]
#[case::flags_alone(segment("S."), "peer.send(S.)")]
#[case::no_flags(segment("none"), "peer.send(none)")]
#[case::relative(
    SegmentSpec { seq: relative(Base::Nxt, 1), ..segment("R") },
    "peer.send(R, seq nxt+1)"
)]
#[case::before(
    SegmentSpec { ack: relative(Base::Una, -1), seq: relative(Base::Wnd, 0), ..segment(".") },
    "peer.send(., seq wnd, ack una-1)"
)]
#[case::absolute(
    SegmentSpec {
        seq: Some(Number::Shown(-1)),
        ack: Some(Number::Absolute(7)),
        ..segment("R.")
    },
    "peer.send(R., seq -1, ack {abs: 7})"
)]
#[case::payload(
    SegmentSpec { payload: Some(Payload::Len(10)), window: Some(0), ..segment("P.") },
    "peer.send(P., len 10, win 0)"
)]
#[case::everything_wrong(
    SegmentSpec {
        payload: Some(Payload::Text("x\n".into())),
        urgent: Some(1),
        options: Some(vec![TcpOption::Mss(1460), TcpOption::Nop, TcpOption::Raw(vec![30, 3, 170])]),
        bad_checksum: true,
        data_offset: Some(4),
        reserved: 5,
        ttl: Some(1),
        tos: Some(2),
        fragment: Some(Cut::Every(24)),
        to: Some(LocalEnd::ClosedPort),
        ..segment("U")
    },
    "peer.send(U, \"x\\n\", urg 1, options [mss 1460,nop,raw 1e03aa], offset 4, reserved 5, \
    bad checksum, ttl 1, tos 2, fragment 24, to closed-port)"
)]
#[case::options(
    SegmentSpec {
        options: Some(vec![
            TcpOption::WindowScale(7),
            TcpOption::SackPermitted,
            TcpOption::Sack(vec![(1, 100), (200, 300)]),
            TcpOption::Timestamps(100, 0),
            TcpOption::End,
        ]),
        ..segment("S")
    },
    "peer.send(S, options [wscale 7,sackOK,sack 1-100 200-300,ts 100 0,eol])"
)]
fn segments(#[case] spec: SegmentSpec, #[case] expected: &str) {
    assert_eq!(head(PacketSpec::Tcp(spec)), expected);
}

#[test]
fn other_packets() {
    let udp = PacketSpec::Udp(DatagramSpec {
        payload: Payload::Len(10),
        length: Some(8),
        checksum: Checksum::Wrong,
        ttl: Some(2),
        tos: Some(3),
        fragment: Some(Cut::Pieces(vec![(8, 18), (0, 16)])),
        to: Some(LocalEnd::Socket(name("u"))),
        source: Some(Source::Host([192, 0, 2, 77].into())),
    });
    let expected = "peer.send(udp 10, length 8, bad checksum, ttl 2, tos 3, \
        fragment [8-18,0-16], to u, from \"192.0.2.77\")";
    assert_eq!(head(udp), expected);
    let echo = PacketSpec::Echo(EchoSpec {
        bad_checksum: true,
        ttl: Some(2),
        tos: Some(3),
        fragment: Some(Cut::Every(8)),
        to: Some([192, 0, 2, 255].into()),
        source: Some(Source::Socket(name("u"))),
        ..EchoSpec::new(Payload::Text("hi".into()))
    });
    let expected = "peer.send(echo \"hi\", bad checksum, ttl 2, tos 3, fragment 8, \
        to \"192.0.2.255\", from u)";
    assert_eq!(head(echo), expected);
    let other = OtherSpec {
        protocol: 253,
        payload: Payload::Raw(vec![0x0d, 0xff]),
        ttl: Some(2),
        tos: Some(3),
        fragment: Some(Cut::Every(8)),
        to: Some([192, 0, 2, 255].into()),
        source: Some(Source::Host([192, 0, 2, 77].into())),
    };
    let expected = "peer.send(proto 253, raw 0dff, ttl 2, tos 3, fragment 8, \
        to \"192.0.2.255\", from \"192.0.2.77\")";
    assert_eq!(head(PacketSpec::Other(other)), expected);
    for (len, expected) in [(0, "peer.send(proto 253)"), (20, "peer.send(proto 253, len 20)")] {
        let bare = OtherSpec::new(253, Payload::Len(len));
        assert_eq!(head(PacketSpec::Other(bare)), expected);
    }
    let icmp = PacketSpec::Icmp(IcmpSpec {
        source: None,
        word: "fragmentation-needed".to_owned(),
        quote: Some(28),
        of: Some(name("client")),
        seq: Some(Number::Relative { base: Base::Una, offset: -1 }),
        source_port: Some(1),
        destination_port: Some(2),
        mtu: Some(1400),
        gateway: None,
        bad_checksum: true,
        ttl: Some(2),
    });
    let expected = "peer.send(icmp fragmentation-needed, quote 28, of client, seq una-1, \
        sport 1, dport 2, mtu 1400, bad checksum, ttl 2)";
    assert_eq!(head(icmp), expected);
    let gateway = Some([192, 0, 2, 77].into());
    let redirect = IcmpSpec { word: "host-redirect".into(), gateway, ..IcmpSpec::default() };
    let expected = "peer.send(icmp host-redirect, gateway \"192.0.2.77\")";
    assert_eq!(head(PacketSpec::Icmp(redirect)), expected);
    assert_eq!(peer_head(&name("peer2"), &PeerVerb::Forget), "peer2.forget()");
}

#[rstest]
#[case(Wanted::Tcp { flags: Some("P.".parse().expect("flags")), len: Some(9) }, "P., len 9")]
#[case(Wanted::Tcp { flags: None, len: Some(9) }, "tcp, len 9")]
#[case(Wanted::Udp, "udp")]
#[case(Wanted::Icmp, "icmp")]
#[case(Wanted::Any, "any")]
fn awaited_packets(#[case] wanted: Wanted, #[case] expected: &str) {
    let within = Some(Duration::from_secs(1));
    let head = peer_head(&name("peer"), &PeerVerb::Recv { wanted, within });
    assert_eq!(head, format!("peer.recv({expected})"));
}

#[test]
fn what_was_taken() {
    let syn = packet("client", "peer", tcp("S", 0, None, 0, 512));
    assert_eq!(peer_answer(Some(&syn), None), "client > peer [S] seq 0");
    let within = Some(Duration::from_secs(1));
    assert_eq!(peer_answer(None, within), "nothing within 1s");
    assert_eq!(peer_answer(None, None), "nothing");
}

#[test]
fn numbers_print_as_the_case_wrote_them() {
    let spec =
        SegmentSpec { seq: relative(Base::Nxt, 100), ack: Some(Number::Shown(1)), ..segment("P.") };
    let action = Action::Peer { peer: name("peer"), verb: PeerVerb::Send(PacketSpec::Tcp(spec)) };
    let event = PacketEvent {
        forms: number_forms(&action),
        ..packet("peer", "client", tcp("P.", 101, Some(1), 10, 512))
    };
    let expected = "    peer > client [P.] seq nxt+100 ack 1 len 10";
    assert_eq!(line(&Event::Packet(event)), expected);
}

#[rstest]
#[case(
    HostVerb::Firewall {
        verdict: FirewallVerdict::TcpReset,
        at: FirewallAt::In,
        port: Some(name("server")),
    },
    "host.firewall(reject tcp-reset in server)"
)]
#[case(
    HostVerb::Firewall { verdict: FirewallVerdict::Drop, at: FirewallAt::Out, port: None },
    "host.firewall(drop out)"
)]
#[case(HostVerb::Lift(FirewallAt::Path), "host.firewall(none path)")]
#[case(
    HostVerb::Route { to: "peer".into(), kind: RouteKind::Unreachable },
    "host.route(unreachable peer)"
)]
#[case(HostVerb::Link(LinkChange::Down), "host.link(down)")]
#[case(HostVerb::Link(LinkChange::Mtu(1280)), "host.link(mtu 1280)")]
#[case(
    HostVerb::Sysctl(vec![("net.a".into(), "3".into()), ("net.b".into(), "1 2".into())]),
    "host.sysctl(net.a 3, net.b 1 2)"
)]
#[case(HostVerb::Destroy { socket: name("client"), far: None }, "host.destroy(client)")]
#[case(
    HostVerb::Destroy { socket: name("server"), far: Some(name("peer")) },
    "host.destroy(server, far peer)"
)]
fn host_lines(#[case] verb: HostVerb, #[case] expected: &str) {
    assert_eq!(host_note(&verb), expected);
}
