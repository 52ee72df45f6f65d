//! One spelling for each event.

use super::{Naming, answer, body, calls_only, head, json, ladder, line, text};
use crate::model::address::{AddrBase, AddrExpr, PortExpr};
use crate::model::call::{
    BadArgs, Call, CallSpec, Domain, EpollOp, FcntlOp, How, Kind, Payload, RecvForm, SendForm,
    SocketSpec,
};
use crate::model::case::Family;
use crate::model::transcript::{
    CallEvent, Event, Fate, PacketEvent, PacketWhat, Section, StepRecord,
};
use crate::model::{Address, Answer, Errno, Name, OptionValue, Outcome, Transcript, option};
use rstest::rstest;
use std::time::Duration;

const RIGHT: BadArgs = BadArgs {
    fd: None,
    addrlen: None,
    buf: false,
};

fn at(base: AddrBase) -> AddrExpr {
    AddrExpr { base, port: None }
}

fn at_port(base: AddrBase, port: PortExpr) -> AddrExpr {
    AddrExpr {
        base,
        port: Some(port),
    }
}

fn name(text: &str) -> Name {
    Name::new(text)
}

fn socket(word: Option<&'static str>, domain: Domain, nonblock: bool) -> Call {
    Call::Socket(SocketSpec {
        word,
        domain,
        kind: Kind::Stream,
        protocol: 0,
        nonblock,
    })
}

fn send(form: SendForm, payload: Payload, flags: &[&'static str], to: Option<AddrExpr>) -> Call {
    Call::Send {
        form,
        payload,
        flags: flags.to_vec(),
        to,
    }
}

fn recv(form: RecvForm, flags: &[&'static str], show_data: bool) -> Call {
    Call::Recv {
        form,
        len: 128,
        flags: flags.to_vec(),
        show_data,
    }
}

fn setsockopt(option: &str, value: OptionValue) -> Call {
    Call::Setsockopt {
        option: option::find(option).expect("a known option"),
        value,
    }
}

fn poll(events: &[&'static str], ms: Option<u64>) -> Call {
    Call::Poll {
        events: events.to_vec(),
        timeout: ms.map(Duration::from_millis),
    }
}

const LINGER: OptionValue = OptionValue::Linger {
    onoff: 1,
    linger: 0,
};

#[rstest]
#[case(socket(Some("tcp"), Domain::OfRun, false), "socket(tcp)")]
#[case(socket(Some("tcp"), Domain::OfRun, true), "socket(tcp, nonblock)")]
#[case(
    socket(Some("unix-stream"), Domain::Unix, false),
    "socket(unix-stream)"
)]
#[case(socket(None, Domain::Inet, false), "socket(AF_INET, SOCK_STREAM, 0)")]
#[case(socket(None, Domain::Number(99), false), "socket(99, SOCK_STREAM, 0)")]
#[case(Call::Bind(at(AddrBase::Loopback)), "bind(loopback)")]
#[case(Call::Bind(at_port(AddrBase::Any, PortExpr::Of("server".into()))), "bind(any:server)")]
#[case(
    Call::Bind(at_port(AddrBase::Any, PortExpr::Literal(8888))),
    "bind(any:8888)"
)]
#[case(Call::Bind(at(AddrBase::Literal("127.0.0.2".into()))), r#"bind("127.0.0.2")"#)]
#[case(Call::Bind(at(AddrBase::Bad)), "bind(bad)")]
#[case(
    Call::Connect(at_port(AddrBase::Literal("127.0.0.2".into()), PortExpr::Of("server".into()))),
    r#"connect("127.0.0.2":server)"#
)]
#[case(Call::Connect(at(AddrBase::Socket("server".into()))), "connect(server)")]
#[case(Call::Connect(at(AddrBase::ClosedPort)), "connect(closed-port)")]
#[case(Call::Connect(at(AddrBase::Unspec)), "connect(unspec)")]
#[case(Call::Listen(5), "listen(5)")]
#[case(Call::Accept { name: "conn".into(), flags: vec![] }, "accept()")]
#[case(
    Call::Accept { name: "conn".into(), flags: vec!["SOCK_NONBLOCK", "SOCK_CLOEXEC"] },
    "accept(SOCK_NONBLOCK|SOCK_CLOEXEC)"
)]
#[case(Call::Close, "close()")]
#[case(Call::Dup("two".into()), "dup()")]
#[case(Call::Fcntl(FcntlOp::SetNonblock), "fcntl(O_NONBLOCK)")]
#[case(Call::Fcntl(FcntlOp::GetFl), "fcntl(F_GETFL)")]
#[case(send(SendForm::Send, Payload::Len(256), &[], None), "send(256)")]
#[case(send(SendForm::Send, Payload::Text("ping".into()), &[], None), r#"send("ping")"#)]
#[case(
    send(SendForm::Write, Payload::Text("it's\n\"\0\u{7}é".into()), &[], None),
    r#"write("it's\n\"\0\u{7}é")"#
)]
#[case(
    send(SendForm::Sendto, Payload::Len(4), &[], Some(at(AddrBase::Socket("a".into())))),
    "sendto(4, a)"
)]
#[case(
    send(SendForm::Sendmsg, Payload::Len(4), &["MSG_OOB", "MSG_DONTWAIT"],
        Some(at(AddrBase::Loopback))),
    "sendmsg(4, MSG_OOB|MSG_DONTWAIT, loopback)"
)]
#[case(recv(RecvForm::Recv, &["MSG_PEEK"], false), "recv(128, MSG_PEEK)")]
#[case(
    setsockopt("SO_REUSEADDR", OptionValue::Int(1)),
    "setsockopt(SO_REUSEADDR, 1)"
)]
#[case(
    setsockopt("SO_LINGER", LINGER),
    "setsockopt(SO_LINGER, {onoff: 1, linger: 0})"
)]
#[case(
    setsockopt("SO_RCVTIMEO", OptionValue::Time(Duration::from_millis(100))),
    "setsockopt(SO_RCVTIMEO, 100ms)"
)]
#[case(
    setsockopt("TCP_CONGESTION", OptionValue::Text("reno".into())),
    r#"setsockopt(TCP_CONGESTION, "reno")"#
)]
#[case(Call::Shutdown(How::Rdwr), "shutdown(SHUT_RDWR)")]
#[case(Call::Shutdown(How::Number(7)), "shutdown(7)")]
#[case(poll(&[], None), "poll()")]
#[case(poll(&["POLLIN", "POLLRDHUP"], Some(200)), "poll(POLLIN|POLLRDHUP, 200ms)")]
#[case(Call::Select { timeout: Some(Duration::from_secs(2)) }, "select(2s)")]
#[case(
    Call::EpollCtl { op: EpollOp::Add, target: "conn".into(), events: vec!["EPOLLIN", "EPOLLET"] },
    "epoll_ctl(add conn, EPOLLIN|EPOLLET)"
)]
#[case(
    Call::EpollCtl { op: EpollOp::Del, target: "conn".into(), events: vec![] },
    "epoll_ctl(del conn)"
)]
#[case(Call::EpollWait { timeout: Some(Duration::from_secs(2)) }, "epoll_wait(2s)")]
#[case(Call::Ioctl("FIONREAD"), "ioctl(FIONREAD)")]
fn call_heads(#[case] call: Call, #[case] expected: &str) {
    let spec = CallSpec { call, bad: RIGHT };
    assert_eq!(head(&name("client"), &spec), format!("client.{expected}"));
}

#[rstest]
#[case(Call::Close, BadArgs { fd: Some(999), ..RIGHT }, "close(fd 999)")]
#[case(
    Call::Bind(at(AddrBase::Loopback)), BadArgs { addrlen: Some(8), ..RIGHT },
    "bind(loopback, addrlen 8)"
)]
#[case(
    send(SendForm::Send, Payload::Len(256), &[], None), BadArgs { buf: true, ..RIGHT },
    "send(256, buf bad)"
)]
fn wrong_arguments(#[case] call: Call, #[case] bad: BadArgs, #[case] expected: &str) {
    let head = head(&name("client"), &CallSpec { call, bad });
    assert_eq!(head, format!("client.{expected}"));
}

struct Fixed;

impl Naming for Fixed {
    fn address(&self, _: &Address) -> String {
        "a".to_owned()
    }

    fn token(&self, token: u64) -> String {
        ["client", "conn"][usize::try_from(token).expect("a small token")].to_owned()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn received(len: usize, from: bool, flags: &[&str]) -> Answer {
    Answer::Received {
        len,
        from: from.then_some(Address::UnixUnnamed),
        data: b"pin\xff"[..len].to_vec(),
        flags: words(flags),
    }
}

#[rstest]
#[case(Call::Close, Answer::Value(0), "0")]
#[case(Call::Close, Answer::Error(Errno::named("EBADF")), "-1 EBADF")]
#[case(socket(Some("tcp"), Domain::OfRun, false), Answer::Fd(3), "fd client")]
#[case(Call::Accept { name: "conn".into(), flags: vec![] }, Answer::Fd(4), "fd conn")]
#[case(Call::Dup("two".into()), Answer::Fd(5), "fd two")]
#[case(Call::Getsockname, Answer::Number(0), "0 0")]
#[case(Call::Getsockname, Answer::Word("ECONNREFUSED".into()), "0 ECONNREFUSED")]
#[case(Call::Getsockname, Answer::Addr(Address::Unspec), "0 a")]
#[case(Call::Fcntl(FcntlOp::GetFl), Answer::Word("O_NONBLOCK".into()), "O_NONBLOCK")]
#[case(Call::Fcntl(FcntlOp::GetFl), Answer::Number(0), "0")]
#[case(recv(RecvForm::Recv, &[], false), received(4, false, &[]), "4")]
#[case(recv(RecvForm::Recv, &[], true), received(4, false, &[]), r#"4 "pin\xff""#)]
#[case(recv(RecvForm::Recv, &[], true), received(0, false, &[]), "0")]
#[case(recv(RecvForm::Recvfrom, &[], false), received(4, true, &[]), "4 from a")]
#[case(
    recv(RecvForm::Recvmsg, &[], true), received(2, true, &["MSG_TRUNC", "MSG_EOR"]),
    r#"2 "pi" [MSG_TRUNC|MSG_EOR] from a"#
)]
#[case(poll(&[], None), Answer::Events(words(&["POLLIN", "POLLHUP"])), "POLLIN|POLLHUP")]
#[case(poll(&[], None), Answer::Events(vec![]), "0")]
#[case(Call::EpollWait { timeout: None }, Answer::Ready(vec![]), "0")]
#[case(
    Call::EpollWait { timeout: None },
    Answer::Ready(vec![(0, words(&["EPOLLIN", "EPOLLHUP"])), (1, words(&["EPOLLIN"]))]),
    "client EPOLLIN|EPOLLHUP, conn EPOLLIN"
)]
#[case(Call::Close, Answer::Died("killed by SIGPIPE".into()), "? killed by SIGPIPE")]
fn answer_texts(#[case] call: Call, #[case] given: Answer, #[case] expected: &str) {
    let text = answer(&name("client"), &call, &Outcome::ok(given), &Fixed);
    assert_eq!(text, expected);
}

#[test]
fn a_signal_follows_the_error() {
    let outcome = Outcome {
        signal: Some("SIGPIPE".to_owned()),
        ..Outcome::failed(Errno::named("EPIPE"), 32)
    };
    let text = answer(&name("client"), &Call::Close, &outcome, &Fixed);
    assert_eq!(text, "-1 EPIPE, SIGPIPE");
}

fn call_event(fate: Fate, nth_pending: u32) -> CallEvent {
    CallEvent {
        subject: name("server"),
        spec: CallSpec {
            call: Call::Accept {
                name: name("conn"),
                flags: vec![],
            },
            bad: RIGHT,
        },
        fate,
        nth_pending,
        count: 1,
        band: None,
        returned: "fd conn".to_owned(),
    }
}

fn done() -> Outcome {
    Outcome::ok(Answer::Fd(4))
}

#[rstest]
#[case(Fate::Returned(done()), 1, "server.accept() = fd conn")]
#[case(Fate::Pending, 1, "server.accept() ...")]
#[case(Fate::Pending, 2, "server.accept()#2 ...")]
#[case(Fate::Completed(done()), 1, "... server.accept() = fd conn")]
#[case(Fate::Completed(done()), 2, "... server.accept()#2 = fd conn")]
#[case(Fate::StillBlocked, 1, "... server.accept() still blocked")]
#[case(Fate::NotIssued("no server".into()), 1, "server.accept() not issued: no server")]
fn fates(#[case] fate: Fate, #[case] nth: u32, #[case] expected: &str) {
    assert_eq!(line(&Event::Call(call_event(fate, nth))), expected);
}

#[test]
fn count_stands_before_band() {
    let event = CallEvent {
        count: 30,
        band: Some("<150ms"),
        ..call_event(Fate::Returned(done()), 1)
    };
    assert_eq!(
        line(&Event::Call(event)),
        "server.accept() = fd conn x30 <150ms"
    );
}

fn packet(from: &str, to: &str, what: PacketWhat) -> PacketEvent {
    PacketEvent {
        from: from.to_owned(),
        to: to.to_owned(),
        what,
        extras: vec![],
        count: 1,
        band: None,
        hex: "4500".to_owned(),
    }
}

fn tcp(flags: &str, seq: i64, ack: Option<i64>, len: usize, window: u16) -> PacketWhat {
    PacketWhat::Tcp {
        flags: flags.parse().expect("flags in tcpdump's letters"),
        seq,
        ack,
        len,
        window,
    }
}

#[rstest]
#[case(tcp("P.", 1, Some(1), 256, 512), "[P.] seq 1 ack 1 len 256")]
#[case(tcp("S", 0, None, 0, 512), "[S] seq 0")]
#[case(tcp("R.", 0, Some(1), 0, 0), "[R.] seq 0 ack 1 win 0")]
#[case(tcp("none", -1, None, 3, 0), "[none] seq -1 len 3 win 0")]
#[case(tcp("FSRP.UEW", 0, Some(0), 0, 1), "[FSRP.UEW] seq 0 ack 0")]
#[case(PacketWhat::Udp { len: 4 }, "udp len 4")]
#[case(PacketWhat::Udp { len: 0 }, "udp")]
#[case(
    PacketWhat::Icmp { word: "port-unreachable".into(), quoted: Some("client > a udp".into()) },
    "icmp port-unreachable (client > a udp)"
)]
#[case(PacketWhat::Other { protocol: 132 }, "ip-proto-132")]
fn packet_lines(#[case] what: PacketWhat, #[case] expected: &str) {
    let text = line(&Event::Packet(packet("client", "server", what)));
    assert_eq!(text, format!("    client > server {expected}"));
}

#[test]
fn extras_count_and_band_end_a_packet() {
    let event = PacketEvent {
        extras: words(&["win 512", "options [mss 65495,sackOK]", "ttl 64", "df"]),
        count: 3,
        band: Some("~1s"),
        ..packet("a", "b", tcp("S", 0, None, 0, 512))
    };
    let expected = "    a > b [S] seq 0 win 512 options [mss 65495,sackOK] ttl 64 df x3 ~1s";
    assert_eq!(line(&Event::Packet(event)), expected);
}

#[rstest]
#[case(Event::Note("pause 300ms".into()), "pause 300ms")]
#[case(Event::Nothing(Duration::from_millis(150)), "    nothing for 150ms")]
#[case(Event::Deadline(Duration::from_secs(10)), "deadline 10s")]
fn other_lines(#[case] event: Event, #[case] expected: &str) {
    assert_eq!(line(&event), expected);
}

fn section(at: &[(&str, &str)], family: Family, events: Vec<Event>) -> Section {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Section {
        at: at.iter().map(owned).collect(),
        family,
        steps: vec![StepRecord {
            step: Some(0),
            line: 9,
            events,
        }],
    }
}

fn note(text: &str) -> Vec<Event> {
    vec![Event::Note(text.to_owned())]
}

#[rstest]
#[case::one_family(vec![section(&[], Family::V6, note("x"))], "x\n")]
#[case::two_families(
    vec![section(&[], Family::V4, note("x")), section(&[], Family::V6, note("y"))],
    "x\n== ipv6\ny\n"
)]
#[case::rows(
    vec![section(&[("how", "rd")], Family::V4, note("x")),
        section(&[("how", "wr"), ("n", "1")], Family::V4, note("y")),
        section(&[("how", "wr"), ("n", "1")], Family::V6, note("z"))],
    "== how=rd\nx\n== how=wr n=1\ny\n== how=wr n=1 ipv6\nz\n"
)]
fn section_titles(#[case] sections: Vec<Section>, #[case] expected: &str) {
    assert_eq!(text(&Transcript { sections }), expected);
}

#[rstest]
#[case("a = 0\n    a > b [S] seq 0\nb = 0\n", "a = 0\nb = 0\n")]
#[case("silence 150ms\n    nothing for 150ms\n", "silence 150ms\n")]
#[case::ipv6_differs_in_packets("a = 0\n    p\n== ipv6\na = 0\n    q\n", "a = 0\n")]
#[case::ipv6_differs_in_calls("a = 0\n    p\n== ipv6\na = 1\n", "a = 0\n== ipv6\na = 1\n")]
#[case::rows(
    "== how=rd\na = 0\n    p\n== how=rd ipv6\na = 0\n== how=wr\na = 0\n",
    "== how=rd\na = 0\n== how=wr\na = 0\n"
)]
#[case("", "")]
fn without_packets(#[case] body: &str, #[case] expected: &str) {
    assert_eq!(calls_only(body), expected);
}

fn close_with_unread_data() -> Section {
    let call = CallEvent {
        returned: "0".to_owned(),
        spec: CallSpec {
            call: Call::Close,
            bad: RIGHT,
        },
        ..call_event(Fate::Returned(Outcome::ok(Answer::Value(0))), 1)
    };
    section(
        &[],
        Family::V4,
        vec![
            Event::Packet(packet("client", "server", tcp("P.", 1, Some(1), 256, 512))),
            Event::Packet(packet("server", "client", tcp(".", 1, Some(257), 0, 512))),
            Event::Call(call),
            Event::Packet(packet("server", "client", tcp("R.", 1, Some(257), 0, 512))),
        ],
    )
}

#[test]
fn a_ladder() {
    let expected = "
                   client                          server
                      │── [P.] seq 1 ack 1 len 256 ──>│
                      │<───────── [.] seq 1 ack 257 ──│
server.close() = 0    │                               │
                      │<──────── [R.] seq 1 ack 257 ──│
";
    let drawn = ladder::ladder(&close_with_unread_data());
    assert_eq!(format!("\n{drawn}"), expected);
}

#[test]
fn a_ladder_to_oneself() {
    let own = packet("client", "client", tcp("S", 0, None, 0, 512));
    let drawn = ladder::ladder(&section(&[], Family::V4, vec![Event::Packet(own)]));
    assert!(drawn.contains("│<─┐ [S] seq 0\n"), "{drawn}");
}

#[test]
fn a_ladder_is_never_too_wide() {
    let long = "x".repeat(70) + &" word".repeat(30);
    for ends in 2..9 {
        let name = |i: usize| format!("peer{i}");
        let mut events = note(&long);
        for i in 1..ends {
            let mut event = packet(&name(0), &name(i), tcp("P.", 1, Some(1), 256, 0));
            event.extras = words(&["options [mss 65495,sackOK,TS,nop,wscale 7]"]);
            events.push(Event::Packet(event));
        }
        let drawn = ladder::ladder(&section(&[], Family::V4, events));
        let limit = if drawn.contains('│') {
            ladder::WIDTH_MAX
        } else {
            usize::MAX
        };
        assert!(
            drawn.lines().all(|line| line.chars().count() <= limit),
            "{drawn}"
        );
        assert!(ends > 4 || limit == ladder::WIDTH_MAX, "{ends} ends fit");
    }
}

#[test]
fn without_packets_a_ladder_is_the_transcript() {
    let calls = section(&[], Family::V4, note("pause 300ms"));
    assert_eq!(ladder::ladder(&calls), body(&calls));
}

#[test]
fn events_for_programs() {
    let transcript = Transcript {
        sections: vec![close_with_unread_data()],
    };
    let events = serde_json::to_value(json::events(&transcript)).expect("plain data");
    let expected = serde_json::json!({"step": 0, "line": 9, "packet": {
        "from": "client", "to": "server", "proto": "tcp", "flags": "P.", "seq": 1, "ack": 1,
        "len": 256, "win": 512, "count": 1, "hex": "4500"}});
    assert_eq!(events[0], expected);
    let expected = serde_json::json!({"step": 0, "line": 9, "call": {
        "subject": "server", "verb": "close", "args": [], "fate": "returned", "result": 0,
        "errno": null, "errno_raw": null, "signal": null, "count": 1}});
    assert_eq!(events[2], expected);
}
