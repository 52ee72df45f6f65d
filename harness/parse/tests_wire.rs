//! The wire by examples: what parses and to what.

use super::tests_errors::parse;
use crate::model::address::AddrBase;
use crate::model::call::Payload;
use crate::model::case::{By, State};
use crate::model::host::{FirewallAt, FirewallVerdict, HostVerb, LinkChange, RouteKind};
use crate::model::peer::{
    Base, Checksum, Cut, DatagramSpec, EchoSpec, IcmpSpec, LocalEnd, Number, OtherSpec, PacketSpec,
    PeerVerb, SegmentSpec, Source, TcpOption, Wanted,
};
use crate::model::{Action, Call, Capability, Case, Given, Name, Step, Times};
use rstest::rstest;
use std::time::Duration;

/// A case of one step, on line 6, whose sockets are `server` and `conn`.
pub(super) fn with_step(step: &str) -> String {
    format!(
        "about: x\ntopology: wire\nfamily: [4]\ngiven: {{state: established, by: accept}}\n\
         steps:\n  - {step}\n"
    )
}

fn case(text: &str) -> Case {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn step(step: &str) -> Step {
    case(&with_step(step)).rows[0].steps.remove(0)
}

fn verb(text: &str) -> PeerVerb {
    match step(text).action {
        Action::Peer { verb, .. } => verb,
        other => panic!("{text}: {other:?}"),
    }
}

fn segment(flags: &str) -> SegmentSpec {
    SegmentSpec {
        flags: flags.parse().expect("flags in tcpdump's letters"),
        ..SegmentSpec::default()
    }
}

fn relative(base: Base, offset: i64) -> Option<Number> {
    Some(Number::Relative { base, offset })
}

fn icmp(word: &str, change: fn(&mut IcmpSpec)) -> PacketSpec {
    let mut error = IcmpSpec { word: word.to_owned(), ..IcmpSpec::default() };
    change(&mut error);
    PacketSpec::Icmp(error)
}

fn other(protocol: u8, payload: Payload) -> PacketSpec {
    PacketSpec::Other(OtherSpec::new(protocol, payload))
}

fn server() -> LocalEnd {
    LocalEnd::Socket(Name::new("server"))
}

#[rstest]
#[case("S.", segment("S."))]
#[case("none", segment("none"))]
#[case(".", segment("."))]
#[case("eUEWFSRP.", segment("FSRP.UEWe"))]
#[case("{flags: S, reserved: 9}", SegmentSpec { reserved: 9, ..segment("S") })]
#[case("{flags: F}", segment("F"))]
#[case("{flags: ., seq: 0, ack: -1}",
    SegmentSpec { seq: Some(Number::Shown(0)), ack: Some(Number::Shown(-1)), ..segment(".") })]
#[case("{flags: ., seq: 4294967295, ack: {abs: 4294967295}}",
    SegmentSpec { seq: Some(Number::Shown(4_294_967_295)),
        ack: Some(Number::Absolute(u32::MAX)), ..segment(".") })]
#[case("{flags: R, seq: nxt+100}",
    SegmentSpec { seq: relative(Base::Nxt, 100), ..segment("R") })]
#[case("{flags: R., seq: wnd-1, ack: \"una-1\"}",
    SegmentSpec { seq: relative(Base::Wnd, -1), ack: relative(Base::Una, -1), ..segment("R.") })]
#[case("{flags: R, seq: nxt}", SegmentSpec { seq: relative(Base::Nxt, 0), ..segment("R") })]
#[case("{flags: P., len: 10, win: 0, urg: 65535}",
    SegmentSpec { payload: Some(Payload::Len(10)), window: Some(0), urgent: Some(65_535),
        ..segment("P.") })]
#[case("{flags: P, data: \"hi\\n\", ttl: 1, tos: 2, to: server}",
    SegmentSpec { payload: Some(Payload::Text("hi\n".into())), ttl: Some(1), tos: Some(2),
        to: Some(server()),
        ..segment("P") })]
#[case("{flags: S, bad: checksum, offset: 4, reserved: 15, fragment: 24, to: closed-port}",
    SegmentSpec { bad_checksum: true, data_offset: Some(4), reserved: 15,
        fragment: Some(Cut::Every(24)),
        to: Some(LocalEnd::ClosedPort), ..segment("S") })]
#[case("{flags: S, to: \"192.0.2.255\"}",
    SegmentSpec { to: Some(LocalEnd::Host([192, 0, 2, 255].into())), ..segment("S") })]
#[case("{flags: S, from: server, fragment: [16-20, 0-16]}",
    SegmentSpec { source: Some(Source::Socket(Name::new("server"))),
        fragment: Some(Cut::Pieces(vec![(16, 20), (0, 16)])), ..segment("S") })]
#[case("{flags: S, options: []}", SegmentSpec { options: Some(vec![]), ..segment("S") })]
#[case("{flags: S, options: [mss 1460, wscale 255, sackOK, \"ts 100 4294967295\", nop, eol]}",
    SegmentSpec { options: Some(vec![TcpOption::Mss(1460), TcpOption::WindowScale(255),
        TcpOption::SackPermitted, TcpOption::Timestamps(100, u32::MAX), TcpOption::Nop,
        TcpOption::End]), ..segment("S") })]
#[case("{flags: ., options: [sack 1-100 -5-200, raw 1E03aa]}",
    SegmentSpec { options: Some(vec![TcpOption::Sack(vec![(1, 100), (-5, 200)]),
        TcpOption::Raw(vec![0x1e, 3, 0xaa])]), ..segment(".") })]
fn segments(#[case] text: &str, #[case] expected: SegmentSpec) {
    let expected = PeerVerb::Send(PacketSpec::Tcp(expected));
    assert_eq!(verb(&format!("peer.send: {text}")), expected);
}

#[rstest]
#[case("{udp: 10}", PacketSpec::Udp(DatagramSpec::new(Payload::Len(10))))]
#[case("{udp: 10, bad: no-checksum, tos: 255}",
    PacketSpec::Udp(DatagramSpec { checksum: Checksum::Absent, tos: Some(255),
        ..DatagramSpec::new(Payload::Len(10)) }))]
#[case("{udp: 10, length: 7, ttl: 0}",
    PacketSpec::Udp(DatagramSpec { length: Some(7), ttl: Some(0),
        ..DatagramSpec::new(Payload::Len(10)) }))]
#[case("{udp: \"10\", to: server}",
    PacketSpec::Udp(DatagramSpec { to: Some(server()),
        ..DatagramSpec::new(Payload::Text("10".into())) }))]
#[case("{udp: 100, fragment: [0-24, 16-108], from: \"192.0.2.77\"}",
    PacketSpec::Udp(DatagramSpec { fragment: Some(Cut::Pieces(vec![(0, 24), (16, 108)])),
        source: Some(Source::Host([192, 0, 2, 77].into())),
        ..DatagramSpec::new(Payload::Len(100)) }))]
#[case("{echo: 8, to: \"192.0.2.255\", from: server}",
    PacketSpec::Echo(EchoSpec { to: Some([192, 0, 2, 255].into()),
        source: Some(Source::Socket(Name::new("server"))), ..EchoSpec::new(Payload::Len(8)) }))]
#[case("{echo: 2000, bad: checksum, ttl: 1, tos: 2, fragment: 1000}",
    PacketSpec::Echo(EchoSpec { bad_checksum: true, ttl: Some(1), tos: Some(2),
        fragment: Some(Cut::Every(1000)), ..EchoSpec::new(Payload::Len(2000)) }))]
#[case("{proto: 253}", other(253, Payload::Len(0)))]
#[case("{proto: 0, len: 3}", other(0, Payload::Len(3)))]
#[case("{proto: 1, data: \"3\"}", other(1, Payload::Text("3".into())))]
#[case("{proto: 255, raw: \"00fF\"}", other(255, Payload::Raw(vec![0, 255])))]
#[case("{proto: 4, len: 9, ttl: 1, tos: 2, fragment: 8, to: \"192.0.2.255\", from: \"192.0.2.77\"}",
    PacketSpec::Other(OtherSpec { protocol: 4, payload: Payload::Len(9), ttl: Some(1), tos: Some(2),
        fragment: Some(Cut::Every(8)), to: Some([192, 0, 2, 255].into()),
        source: Some(Source::Host([192, 0, 2, 77].into())) }))]
#[case("{icmp: host-unreachable, sport: 0, dport: 65535}",
    icmp("host-unreachable", |error| {
        (error.source_port, error.destination_port) = (Some(0), Some(65_535));
    }))]
#[case("{icmp: host-unreachable, bad: checksum, ttl: 1}",
    icmp("host-unreachable", |error| (error.bad_checksum, error.ttl) = (true, Some(1))))]
#[case("{icmp: host-unreachable}",
    icmp("host-unreachable", |_| ()))]
#[case("{icmp: fragmentation-needed, quote: 8, of: conn, mtu: 1400}",
    icmp("fragmentation-needed", |error| {
        (error.quote, error.mtu) = (Some(8), Some(1400));
        error.of = Some(Name::new("conn"));
    }))]
#[case("{icmp: host-redirect, gateway: \"192.0.2.77\"}",
    icmp("host-redirect", |error| error.gateway = Some([192, 0, 2, 77].into())))]
#[case("{icmp: host-unreachable, seq: nxt+1}",
    icmp("host-unreachable", |error| {
        error.seq = Some(Number::Relative { base: Base::Nxt, offset: 1 });
    }))]
#[case("{icmp: host-unreachable, seq: 0}",
    icmp("host-unreachable", |error| error.seq = Some(Number::Shown(0))))]
fn datagrams_and_errors(#[case] text: &str, #[case] expected: PacketSpec) {
    let expected = PeerVerb::Send(expected);
    assert_eq!(verb(&format!("peer.send: {text}")), expected);
}

/// Whatever fits the wire, to the byte.
#[rstest]
#[case("{flags: P., len: 1460}")]
#[case("{flags: S, len: 1456}")]
#[case("{flags: ., len: 1448, options: [ts 1 0]}")]
#[case("{flags: ., len: 65415, fragment: 1480}")]
#[case("{flags: ., len: 1460, fragment: 65528}")]
#[case("{udp: 1472}")]
#[case("{udp: 3000, fragment: [0-1480, 1480-2960, 2960-3008]}")]
#[case("{echo: 1472}")]
#[case("{icmp: host-unreachable, quote: 1452}")]
fn the_longest_packets(#[case] text: &str) {
    assert!(matches!(verb(&format!("peer.send: {text}")), PeerVerb::Send(_)));
}

fn tcp(flags: Option<&str>, len: Option<usize>) -> Wanted {
    Wanted::Tcp { flags: flags.map(|flags| flags.parse().expect("flags")), len }
}

#[rstest]
#[case("peer.recv", Wanted::Any, 0)]
#[case("peer.recv: any", Wanted::Any, 0)]
#[case("peer.recv: S", tcp(Some("S"), None), 0)]
#[case("peer.recv: none", tcp(Some("none"), None), 0)]
#[case("peer.recv: .", tcp(Some("."), None), 0)]
#[case("peer.recv: tcp", tcp(None, None), 0)]
#[case("peer.recv: udp", Wanted::Udp, 0)]
#[case("peer.recv: icmp", Wanted::Icmp, 0)]
#[case("peer.recv: {flags: P., len: 9, within: 1s}", tcp(Some("P."), Some(9)), 1)]
#[case("peer.recv: {len: 9}", tcp(None, Some(9)), 0)]
#[case("peer.recv: {proto: udp, within: 2s}", Wanted::Udp, 2)]
#[case("peer.recv: {within: 1s}", Wanted::Any, 1)]
fn awaited_packets(#[case] text: &str, #[case] wanted: Wanted, #[case] seconds: u64) {
    let within = (seconds > 0).then(|| Duration::from_secs(seconds));
    assert_eq!(verb(text), PeerVerb::Recv { wanted, within });
}

#[rstest]
#[case("peer.send: R", "peer")]
#[case("peer2.send: R", "peer2")]
#[case("peer16.forget", "peer16")]
#[case("router.send: {icmp: host-unreachable}", "router")]
#[case("peer.send: {flags: R, from: peer3}", "peer3")]
#[case("peer.send: {icmp: host-unreachable, from: router}", "router")]
fn who_sends(#[case] text: &str, #[case] expected: &str) {
    let Action::Peer { peer, .. } = step(text).action else {
        panic!("{text}");
    };
    assert_eq!(peer.as_str(), expected);
}

#[test]
fn timed_and_repeated() {
    let sent = step("peer.send: {flags: R, timed: true, times: 3}");
    assert_eq!((sent.line, sent.timed, sent.times), (6, true, Times::Count(3)));
    let silence = step("silence: {for: 7s, timed: true}");
    assert_eq!(silence.action, Action::Silence(Duration::from_secs(7)));
    assert!(silence.timed);
}

#[rstest]
#[case("firewall: drop", &[Capability::Firewall],
    HostVerb::Firewall { verdict: FirewallVerdict::Drop, at: FirewallAt::In, port: None })]
#[case("firewall: {reject: tcp-reset, at: out, port: server}", &[Capability::Firewall],
    HostVerb::Firewall { verdict: FirewallVerdict::TcpReset, at: FirewallAt::Out,
        port: Some(Name::new("server")) })]
#[case("firewall: {reject: drop, at: out, port: peer2}", &[Capability::Firewall],
    HostVerb::Firewall { verdict: FirewallVerdict::Drop, at: FirewallAt::Out,
        port: Some(Name::new("peer2")) })]
#[case("firewall: {reject: icmp-host, at: path}", &[],
    HostVerb::Firewall { verdict: FirewallVerdict::IcmpHost, at: FirewallAt::Path, port: None })]
#[case("firewall: none", &[Capability::Firewall], HostVerb::Lift(FirewallAt::In))]
#[case("firewall: {reject: none, at: path}", &[], HostVerb::Lift(FirewallAt::Path))]
#[case("route: peer", &[Capability::Namespace],
    HostVerb::Route { to: "peer".into(), kind: RouteKind::Unreachable })]
#[case("route: {to: 192.0.2.0/24, type: none}", &[Capability::Namespace],
    HostVerb::Route { to: "192.0.2.0/24".into(), kind: RouteKind::None })]
#[case("route: {to: \"2001:db8::2\", type: blackhole}", &[Capability::Namespace],
    HostVerb::Route { to: "2001:db8::2".into(), kind: RouteKind::Blackhole })]
#[case("link: down", &[Capability::Namespace], HostVerb::Link(LinkChange::Down))]
#[case("link: up", &[Capability::Namespace], HostVerb::Link(LinkChange::Up))]
#[case("link: {mtu: 1280}", &[Capability::Namespace], HostVerb::Link(LinkChange::Mtu(1280)))]
#[case("sysctl: {net.ipv4.tcp_retries2: 3, net.ipv4.tcp_rmem: 4096 8192 16384}",
    &[Capability::Sysctl],
    HostVerb::Sysctl(vec![("net.ipv4.tcp_retries2".into(), "3".into()),
        ("net.ipv4.tcp_rmem".into(), "4096 8192 16384".into())]))]
#[case("destroy: conn", &[Capability::Destroy],
    HostVerb::Destroy { socket: Name::new("conn"), far: None })]
#[case("destroy: {socket: server, far: conn}", &[Capability::Destroy],
    HostVerb::Destroy { socket: Name::new("server"), far: Some(Name::new("conn")) })]
fn the_host(
    #[case] text: &str,
    #[case] needs: &[Capability],
    #[case] expected: HostVerb,
    #[values("wire", "loopback")] topology: &str,
) {
    let text = with_step(&format!("host.{text}")).replace("wire", topology);
    if topology == "loopback" && (text.contains("path") || text.contains("peer")) {
        assert!(parse(&text).is_err(), "{text}");
        return;
    }
    let mut case = case(&text);
    assert_eq!(case.rows[0].steps.remove(0).action, Action::Host(expected));
    assert_eq!(case.needs, needs);
}

#[test]
fn variables_inside_packets() {
    let text = "about: x\ntopology: wire\ngiven: established\n\
        matrix: {f: [R, {abs: 5}, nxt-1], p: [{flags: S}, F.], n: [1]}\nsteps:\n  \
        - peer.send: {flags: R, seq: $f, ack: una+$n}\n  - peer.send: $p\n";
    let wrong = parse(text).expect_err("R is no number");
    let expected = "foo.yaml:4:14: matrix.f[0]: expected a number, nxt+1, wnd+1 or \
        {abs: N}, found `R` (in row f=R p={flags:S} n=1)";
    assert_eq!(wrong, expected);
    let rows = case(&text.replace("[R, ", "[0, ")).rows;
    let spec = |row: usize, step: usize| match &rows[row].steps[step].action {
        Action::Peer { verb: PeerVerb::Send(PacketSpec::Tcp(spec)), .. } => spec.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(spec(0, 0).seq, Some(Number::Shown(0)));
    assert_eq!(spec(2, 0).seq, Some(Number::Absolute(5)));
    assert_eq!(spec(4, 0).seq, relative(Base::Nxt, -1));
    assert_eq!(spec(4, 0).ack, relative(Base::Una, 1));
    assert_eq!((spec(4, 1), spec(5, 1)), (segment("S"), segment("F.")));
}

#[test]
fn options_of_a_given_syn() {
    let text = "about: x\ntopology: wire\ngiven: {state: established, options: [sackOK, nop]}\n\
                steps: [pause: 1ms]\n";
    let options = Some(vec![TcpOption::SackPermitted, TcpOption::Nop]);
    let expected = Given { state: State::Established, by: By::Connect, options };
    assert_eq!(case(text).rows[0].given, expected);
}

#[rstest]
#[case("closed", State::Closed, By::Connect, &[])]
#[case("listen", State::Listen, By::Connect, &["server"])]
#[case("syn-sent", State::SynSent, By::Connect, &["client"])]
#[case("syn-received", State::SynReceived, By::Accept, &["server"])]
#[case("{state: syn-received, by: connect}", State::SynReceived, By::Connect, &["client"])]
#[case("established", State::Established, By::Connect, &["client"])]
#[case("{state: established, by: accept}", State::Established, By::Accept, &["server", "conn"])]
#[case("fin-wait-1", State::FinWait1, By::Connect, &["client"])]
#[case("fin-wait-2", State::FinWait2, By::Connect, &["client"])]
#[case("{state: close-wait, by: accept}", State::CloseWait, By::Accept, &["server", "conn"])]
#[case("closing", State::Closing, By::Connect, &["client"])]
#[case("{state: last-ack, by: accept}", State::LastAck, By::Accept, &["server", "conn"])]
#[case("{state: time-wait}", State::TimeWait, By::Connect, &["client"])]
fn states(#[case] given: &str, #[case] state: State, #[case] by: By, #[case] sockets: &[&str]) {
    let head = format!("about: x\ntopology: wire\ngiven: {given}\nsteps:\n");
    let found = case(&format!("{head}  - pause: 1ms\n")).rows[0].given.clone();
    assert_eq!(found, Given { state, by, options: None });
    for socket in ["client", "server", "conn"] {
        let parsed = parse(format!("{head}  - {socket}.close\n")).is_ok();
        assert_eq!(parsed, sockets.contains(&socket), "{given}: {socket}");
    }
}

#[rstest]
#[case("peer", AddrBase::Peer(Name::new("peer")))]
#[case("peer2", AddrBase::Peer(Name::new("peer2")))]
#[case("local", AddrBase::Local)]
#[case("closed-port", AddrBase::ClosedPort)]
fn addresses(#[case] text: &str, #[case] expected: AddrBase) {
    let Action::Calls { calls, .. } = step(&format!("conn.connect: {text}")).action else {
        panic!("{text}");
    };
    let Call::Connect(address) = &calls[0].call else {
        panic!("{text}");
    };
    assert_eq!(address.base, expected);
}
