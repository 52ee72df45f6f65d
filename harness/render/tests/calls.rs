//! Calls and what they return.

use super::{RIGHT, name, words};
use crate::model::address::{AddrBase, AddrExpr, PortExpr};
use crate::model::call::{
    BadArgs, Call, CallSpec, Domain, EpollOp, FcntlOp, How, Kind, Payload, RecvForm, SendForm,
    SocketSpec,
};
use crate::model::control::{Control, ControlValue};
use crate::model::option::{self, Level, OptionRef};
use crate::model::{Address, Answer, Errno, OptionValue, Outcome};
use crate::render::{Naming, answer, head};
use rstest::rstest;
use std::time::Duration;

fn at(base: AddrBase) -> AddrExpr {
    AddrExpr { base, port: None }
}

fn at_port(base: AddrBase, port: PortExpr) -> AddrExpr {
    AddrExpr { base, port: Some(port) }
}

fn socket(word: Option<&'static str>, domain: Domain, nonblock: bool) -> Call {
    Call::Socket(SocketSpec { word, domain, kind: Kind::Stream, protocol: 0, nonblock })
}

fn send(form: SendForm, payload: Payload, flags: &[&'static str], to: Option<AddrExpr>) -> Call {
    Call::Send { form, payload, flags: flags.to_vec(), to, fds: [].into() }
}

fn recv(form: RecvForm, flags: &[&'static str], show_data: bool) -> Call {
    let flags = flags.to_vec();
    Call::Recv { form, len: 128, flags, show_data, show_control: false, fds: None }
}

fn recvmsg_into(names: &[&str]) -> Call {
    let (form, fds) = (RecvForm::Recvmsg, Some(names.iter().map(|name| (*name).into()).collect()));
    Call::Recv { form, len: 128, flags: vec![], show_data: false, show_control: false, fds }
}

fn setsockopt(option: &str, value: OptionValue) -> Call {
    Call::Setsockopt { option: known(option), value }
}

fn asked(option: OptionRef) -> Call {
    Call::Getsockopt { option, fields: Vec::new() }
}

fn known(option: &str) -> OptionRef {
    OptionRef::Known(option::find(option).expect("a known option"))
}

fn by_number(level: Level) -> OptionRef {
    OptionRef::Number { level, option: 7777 }
}

fn poll(events: &[&'static str], ms: Option<u64>) -> Call {
    Call::Poll { events: events.to_vec(), timeout: ms.map(Duration::from_millis) }
}

const LINGER: OptionValue = OptionValue::Linger { onoff: 1, linger: 0 };

#[rstest]
#[case(socket(Some("tcp"), Domain::OfRun, false), "socket(tcp)")]
#[case(socket(Some("tcp"), Domain::OfRun, true), "socket(tcp, nonblock)")]
#[case(socket(Some("unix-stream"), Domain::Unix, false), "socket(unix-stream)")]
#[case(socket(Some("tcp6"), Domain::Inet6, false), "socket(tcp6)")]
#[case(socket(None, Domain::OfRun, false), "socket(SOCK_STREAM, 0)")]
#[case(socket(None, Domain::Inet, false), "socket(AF_INET, SOCK_STREAM, 0)")]
#[case(socket(None, Domain::Number(99), false), "socket(99, SOCK_STREAM, 0)")]
#[case(Call::Bind(at(AddrBase::Loopback)), "bind(loopback)")]
#[case(Call::Bind(at_port(AddrBase::Any, PortExpr::Of("server".into()))), "bind(any:server)")]
#[case(Call::Bind(at_port(AddrBase::Any, PortExpr::Literal(8888))), "bind(any:8888)")]
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
#[case(Call::Accept { name: "conn".into(), flags: vec![], show_address: false }, "accept()")]
#[case(
    Call::Accept {
        name: "conn".into(), flags: vec!["SOCK_NONBLOCK", "SOCK_CLOEXEC"], show_address: false
    },
    "accept(SOCK_NONBLOCK|SOCK_CLOEXEC)"
)]
#[case(Call::Close, "close()")]
#[case(Call::Dup("two".into()), "dup()")]
#[case(Call::Fcntl(FcntlOp::SetNonblock), "fcntl(O_NONBLOCK)")]
#[case(Call::Chmod(0o060), "chmod(060)")]
#[case(Call::Fcntl(FcntlOp::GetFl), "fcntl(F_GETFL)")]
#[case(send(SendForm::Send, Payload::Len(256), &[], None), "send(256)")]
#[case(
    Call::Send { form: SendForm::Sendmsg, payload: Payload::Len(4), flags: vec!["MSG_OOB"],
        to: Some(at(AddrBase::Loopback)), fds: ["a".into(), "b".into()].into() },
    "sendmsg(4, MSG_OOB, loopback, fds [a, b])"
)]
#[case(recvmsg_into(&["c", "d"]), "recvmsg(128, fds [c, d])")]
#[case(recvmsg_into(&[]), "recvmsg(128, fds [])")]
#[case(send(SendForm::Sendfile, Payload::Len(256), &[], None), "sendfile(256)")]
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
#[case(setsockopt("SO_REUSEADDR", OptionValue::Int(1)), "setsockopt(SO_REUSEADDR, 1)")]
#[case(setsockopt("SO_LINGER", LINGER), "setsockopt(SO_LINGER, {onoff: 1, linger: 0})")]
#[case(
    setsockopt("SO_RCVTIMEO", OptionValue::Time(Duration::from_millis(100))),
    "setsockopt(SO_RCVTIMEO, 100ms)"
)]
#[case(
    setsockopt("SO_RCVTIMEO", OptionValue::Timeval { sec: 0, usec: -1 }),
    "setsockopt(SO_RCVTIMEO, {sec: 0, usec: -1})"
)]
#[case(
    setsockopt("TCP_CONGESTION", OptionValue::Text("reno".into())),
    r#"setsockopt(TCP_CONGESTION, "reno")"#
)]
#[case(setsockopt("SO_KEEPALIVE", OptionValue::Zeros(2)), "setsockopt(SO_KEEPALIVE, {len: 2})")]
#[case(
    Call::Setsockopt { option: by_number(Level::Socket), value: OptionValue::Int(1) },
    "setsockopt(SOL_SOCKET, 7777, 1)"
)]
#[case(Call::Getsockopt { option: known("TCP_INFO"), fields: vec!["tcpi_unacked"] },
    "getsockopt(TCP_INFO)")]
#[case(asked(known("SO_ERROR")), "getsockopt(SO_ERROR)")]
#[case(asked(by_number(Level::Number(6))), "getsockopt(IPPROTO_TCP, 7777)")]
#[case(asked(by_number(Level::Number(-1))), "getsockopt(-1, 7777)")]
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
#[case(
    send(SendForm::Writev, Payload::Len(256), &[], None), BadArgs { iov: Some(1025), ..RIGHT },
    "writev(256, iov 1025)"
)]
#[case(
    send(SendForm::Send, Payload::Len(1), &["MSG_DONTWAIT"], None),
    BadArgs { flags: 0x800_0000, ..RIGHT },
    "send(1, MSG_DONTWAIT|0x8000000)"
)]
#[case(
    Call::Accept { name: "conn".into(), flags: vec![], show_address: false },
    BadArgs { flags: 4, ..RIGHT },
    "accept(0x4)"
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

    fn host(&self, _: std::net::IpAddr) -> String {
        "host".to_owned()
    }

    fn token(&self, token: u64) -> String {
        ["client", "conn"][usize::try_from(token).expect("a small token")].to_owned()
    }
}

fn received(len: usize, from: bool, flags: &[&str]) -> Answer {
    Answer::Received {
        len,
        from: from.then_some(Address::UnixUnnamed),
        data: b"pin\xff"[..len].to_vec(),
        flags: words(flags),
        control: vec![],
        fds: vec![],
    }
}

fn with_descriptors(came: &[i64]) -> Answer {
    let mut answer = received(2, false, &["MSG_CTRUNC"]);
    if let Answer::Received { fds, .. } = &mut answer {
        fds.extend(came);
    }
    answer
}

#[rstest]
#[case(Call::Close, Answer::Value(0), "0")]
#[case(Call::Close, Answer::Error(Errno::named("EBADF")), "-1 EBADF")]
#[case(socket(Some("tcp"), Domain::OfRun, false), Answer::Fd(3), "fd client")]
#[case(
    Call::Accept { name: "conn".into(), flags: vec![], show_address: false },
    Answer::Fd(4), "fd conn"
)]
#[case(
    Call::Accept { name: "conn".into(), flags: vec![], show_address: true },
    Answer::Accepted { fd: 4, from: Address::Unspec }, "fd conn from a"
)]
#[case(Call::Dup("two".into()), Answer::Fd(5), "fd two")]
#[case(Call::Getsockname, Answer::Number(0), "0 0")]
#[case(Call::Getsockname, Answer::Word("ECONNREFUSED".into()), "0 ECONNREFUSED")]
#[case(Call::Getsockname, Answer::Addr(Address::Unspec), "0 a")]
#[case(Call::Fcntl(FcntlOp::GetFl), Answer::Events(words(&["O_NONBLOCK"])), "O_NONBLOCK")]
#[case(recv(RecvForm::Recv, &[], false), received(4, false, &[]), "4")]
#[case(recv(RecvForm::Recv, &[], true), received(4, false, &[]), r#"4 "pin\xff""#)]
#[case(recv(RecvForm::Recv, &[], true), received(0, false, &[]), "0")]
#[case(recv(RecvForm::Recvfrom, &[], false), received(4, true, &[]), "4 from a")]
#[case(
    recv(RecvForm::Recvmsg, &[], true), received(2, true, &["MSG_TRUNC", "MSG_EOR"]),
    r#"2 "pi" [MSG_TRUNC|MSG_EOR] from a"#
)]
#[case(recvmsg_into(&["c", "d"]), with_descriptors(&[]), "2 [MSG_CTRUNC]")]
#[case(recvmsg_into(&["c", "d"]), with_descriptors(&[8]), "2 [MSG_CTRUNC] fds [c]")]
#[case(recvmsg_into(&["c"]), with_descriptors(&[8, 9]), "2 [MSG_CTRUNC] fds [c]")]
#[case(recv(RecvForm::Recvmsg, &[], false), with_descriptors(&[8]), "2 [MSG_CTRUNC]")]
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

#[rstest]
#[case(ControlValue::Untold, "")]
#[case(ControlValue::Number(64), " 64")]
#[case(ControlValue::Host(std::net::Ipv4Addr::LOCALHOST.into()), " host")]
#[case(
    queued("SO_EE_ORIGIN_ICMP", (3, 3), 0, true),
    " {EMSGSIZE, SO_EE_ORIGIN_ICMP port-unreachable, from host}"
)]
#[case(
    queued("SO_EE_ORIGIN_ICMP6", (2, 0), 1280, true),
    " {EMSGSIZE, SO_EE_ORIGIN_ICMP6 fragmentation-needed, info 1280, from host}"
)]
#[case(
    queued("SO_EE_ORIGIN_ICMP", (99, 7), 0, true),
    " {EMSGSIZE, SO_EE_ORIGIN_ICMP 99/7, from host}"
)]
#[case(
    queued("SO_EE_ORIGIN_LOCAL", (0, 0), 1400, false),
    " {EMSGSIZE, SO_EE_ORIGIN_LOCAL, info 1400}"
)]
fn control_messages_stand_behind_the_data(#[case] value: ControlValue, #[case] expected: &str) {
    let mut answered = received(4, true, &["MSG_ERRQUEUE"]);
    if let Answer::Received { control, .. } = &mut answered {
        control.push(Control { name: "CMSG".to_owned(), value });
    }
    let call = |show_control| Call::Recv {
        form: RecvForm::Recvmsg,
        len: 128,
        flags: vec![],
        show_data: false,
        show_control,
        fds: None,
    };
    let text = |call| answer(&name("client"), &call, &Outcome::ok(answered.clone()), &Fixed);
    assert_eq!(text(call(true)), format!("4 [MSG_ERRQUEUE] from a CMSG{expected}"));
    assert_eq!(text(call(false)), "4 [MSG_ERRQUEUE] from a");
}

fn queued(origin: &str, message: (u8, u8), info: u32, has_offender: bool) -> ControlValue {
    ControlValue::Error {
        errno: Some(Errno::named("EMSGSIZE")),
        origin: origin.to_owned(),
        message,
        info,
        offender: has_offender.then_some(std::net::Ipv4Addr::LOCALHOST.into()),
    }
}

#[rstest]
#[case(Call::Getsockname, Answer::Value(0), "0 addrlen 16")]
#[case(Call::Getpeername, Answer::Addr(Address::UnixUnnamed), "0 a addrlen 16")]
#[case(
    Call::Accept { name: "conn".into(), flags: vec![], show_address: true },
    Answer::Accepted { fd: 4, from: Address::UnixUnnamed }, "fd conn from a addrlen 16"
)]
fn an_address_length_follows(#[case] call: Call, #[case] told: Answer, #[case] expected: &str) {
    let outcome = Outcome::ok(told).with_addrlen(Some(16));
    assert_eq!(answer(&name("client"), &call, &outcome, &Fixed), expected);
    let failed = Outcome::failed(Errno::named("EINVAL"), 22).with_addrlen(Some(16));
    assert_eq!(answer(&name("client"), &call, &failed, &Fixed), "-1 EINVAL");
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
