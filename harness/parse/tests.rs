//! The language by examples: what parses and to what, and what each mistake is told as.

use super::language::wire;
use super::parse_case;
use crate::model::address::{AddrBase, AddrExpr, PortExpr};
use crate::model::call::{Domain, Kind, Payload};
use crate::model::option::{self, Level};
use crate::model::{
    Action, BadArgs, Call, Capability, Case, CaseId, EpollOp, FcntlOp, How, Name, OptionRef,
    OptionValue, ProcessVerb, RecvForm, SendForm, SocketSpec, Step, Times,
};
use rstest::rstest;
use std::path::Path;
use std::time::Duration;

fn parse(text: impl AsRef<[u8]>) -> Result<Case, String> {
    let id = CaseId("rst/foo".to_owned());
    parse_case(id, Path::new("foo.yaml"), text.as_ref()).map_err(|error| error.to_string())
}

fn case(text: &str) -> Case {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The last step of a case whose sockets are `client`, `server` and `conn`, and the process `w`.
fn last_step(step: &str) -> Step {
    let text = format!(
        "about: x\ngiven: established\nprocesses: {{w: [server]}}\nsteps:\n  \
         - ep.epoll_create\n  - {step}\n"
    );
    case(&text).rows[0].steps.pop_if(|_| true).expect("a step")
}

fn call(step: &str) -> Call {
    match last_step(step).action {
        Action::Calls { mut calls, .. } => calls.remove(0).call,
        other => panic!("{step}: {other:?}"),
    }
}

fn addr(base: AddrBase) -> AddrExpr {
    AddrExpr { base, port: None }
}

fn send(form: SendForm, payload: Payload) -> Call {
    Call::Send { form, payload, flags: vec![], to: None, fds: [].into() }
}

fn recv(form: RecvForm, len: usize) -> Call {
    Call::Recv { form, len, flags: vec![], show_data: false, show_control: false, fds: None }
}

fn recvmsg(flags: &[&'static str], show_data: bool, show_control: bool) -> Call {
    let flags = flags.to_vec();
    Call::Recv { form: RecvForm::Recvmsg, len: 8, flags, show_data, show_control, fds: None }
}

fn recvmsg_into(names: &[&str]) -> Call {
    let (form, fds) = (RecvForm::Recvmsg, Some(names.iter().map(|name| Name::new(name)).collect()));
    Call::Recv { form, len: 8, flags: vec![], show_data: false, show_control: false, fds }
}

fn socket(word: &'static str, domain: Domain, kind: Kind) -> SocketSpec {
    SocketSpec { word: Some(word), domain, kind, protocol: 0, nonblock: false }
}

fn set(name: &str, value: OptionValue) -> Call {
    Call::Setsockopt { option: known(name), value }
}

fn asked(option: OptionRef) -> Call {
    Call::Getsockopt { option, fields: Vec::new() }
}

fn known(name: &str) -> OptionRef {
    OptionRef::Known(option::find(name).expect("a known option"))
}

#[rstest]
#[case("a.socket: tcp", Call::Socket(socket("tcp", Domain::OfRun, Kind::Stream)))]
#[case("a.socket: udp6", Call::Socket(socket("udp6", Domain::Inet6, Kind::Dgram)))]
#[case(
    "a.socket: unix-seqpacket",
    Call::Socket(socket("unix-seqpacket", Domain::Unix, Kind::Seqpacket))
)]
#[case("a.socket: {type: tcp, nonblock: true}",
    Call::Socket(SocketSpec { nonblock: true, ..socket("tcp", Domain::OfRun, Kind::Stream) }))]
#[case("a.socket: {domain: AF_INET6, type: SOCK_RAW, protocol: 58}",
    Call::Socket(SocketSpec { word: None, protocol: 58,
        ..socket("", Domain::Inet6, Kind::Raw) }))]
#[case("a.socket: {domain: 99, type: 7}",
    Call::Socket(SocketSpec { word: None, ..socket("", Domain::Number(99), Kind::Number(7)) }))]
#[case("client.bind: loopback", Call::Bind(addr(AddrBase::Loopback)))]
#[case("client.bind: {addr: any, port: server}",
    Call::Bind(AddrExpr { base: AddrBase::Any, port: Some(PortExpr::Of(Name::new("server"))) }))]
#[case("client.bind: {addr: 127.0.0.2, port: 80}",
    Call::Bind(AddrExpr { base: AddrBase::Literal("127.0.0.2".to_owned()),
        port: Some(PortExpr::Literal(80)) }))]
#[case("client.bind: \"@sockdiff\"", Call::Bind(addr(AddrBase::Literal("@sockdiff".to_owned()))))]
#[case("client.bind: a.sock", Call::Bind(addr(AddrBase::Literal("a.sock".to_owned()))))]
#[case("client.connect: server", Call::Connect(addr(AddrBase::Socket(Name::new("server")))))]
#[case("client.connect: closed-port", Call::Connect(addr(AddrBase::ClosedPort)))]
#[case("client.connect: unspec", Call::Connect(addr(AddrBase::Unspec)))]
#[case("client.connect: \"[::1]:80\"",
    Call::Connect(addr(AddrBase::Literal("[::1]:80".to_owned()))))]
#[case("client.connect: {addr: bad, addrlen: 8}", Call::Connect(addr(AddrBase::Bad)))]
#[case("client.connect: {addr: loopback, port: closed-port}",
    Call::Connect(AddrExpr { base: AddrBase::Loopback, port: Some(PortExpr::Closed) }))]
#[case("server.listen: 5", Call::Listen(5))]
#[case("server.listen: -1", Call::Listen(-1))]
#[case("server.accept",
    Call::Accept { name: Name::new("conn"), flags: vec![], show_address: false })]
#[case("server.accept: {show: address}",
    Call::Accept { name: Name::new("conn"), flags: vec![], show_address: true })]
#[case("server.accept: b",
    Call::Accept { name: Name::new("b"), flags: vec![], show_address: false })]
#[case("server.accept: {name: b, flags: [SOCK_NONBLOCK], blocks: true}",
    Call::Accept { name: Name::new("b"), flags: vec!["SOCK_NONBLOCK"], show_address: false })]
#[case("client.close", Call::Close)]
#[case("client.dup: b", Call::Dup(Name::new("b")))]
#[case("client.fcntl: O_NONBLOCK", Call::Fcntl(FcntlOp::SetNonblock))]
#[case("client.fcntl: ~O_NONBLOCK", Call::Fcntl(FcntlOp::ClearNonblock))]
#[case("client.fcntl: F_GETFD", Call::Fcntl(FcntlOp::GetFd))]
#[case("client.chmod: \"060\"", Call::Chmod(0o060))]
#[case("client.send: 256", send(SendForm::Send, Payload::Len(256)))]
#[case("client.send: \"256\"", send(SendForm::Send, Payload::Text("256".to_owned())))]
#[case("client.write: 0", send(SendForm::Write, Payload::Len(0)))]
#[case("client.sendfile: 256", send(SendForm::Sendfile, Payload::Len(256)))]
#[case("client.writev: {data: hi}", send(SendForm::Writev, Payload::Text("hi".to_owned())))]
#[case("client.sendto: {len: 4, flags: [MSG_OOB, MSG_DONTWAIT], to: server}",
    Call::Send { form: SendForm::Sendto, payload: Payload::Len(4),
        flags: vec!["MSG_OOB", "MSG_DONTWAIT"],
        to: Some(addr(AddrBase::Socket(Name::new("server")))), fds: [].into() })]
#[case("client.sendmsg: {data: x, flags: MSG_PEEK|MSG_OOB, to: {addr: any, port: 0}}",
    Call::Send { form: SendForm::Sendmsg, payload: Payload::Text("x".to_owned()),
        flags: vec!["MSG_OOB", "MSG_PEEK"],
        to: Some(AddrExpr { base: AddrBase::Any, port: Some(PortExpr::Literal(0)) }),
        fds: [].into() })]
#[case("client.sendmsg: {data: x, fds: [conn, server]}",
    Call::Send { form: SendForm::Sendmsg, payload: Payload::Text("x".to_owned()), flags: vec![],
        to: None, fds: [Name::new("conn"), Name::new("server")].into() })]
#[case("client.recvmsg: {len: 8, fds: []}", recvmsg_into(&[]))]
#[case("client.recvmsg: {len: 8, fds: [conn, got]}", recvmsg_into(&["conn", "got"]))]
#[case("client.recv: 128", recv(RecvForm::Recv, 128))]
#[case("client.readv: 1", recv(RecvForm::Readv, 1))]
#[case("client.recvmsg: {len: 8, flags: [MSG_PEEK], show: data}",
    recvmsg(&["MSG_PEEK"], true, false))]
#[case("client.recvmsg: {len: 8, flags: MSG_ERRQUEUE, show: [control, data]}",
    recvmsg(&["MSG_ERRQUEUE"], true, true))]
#[case("client.recvmsg: {len: 8, show: control}", recvmsg(&[], false, true))]
#[case("client.setsockopt: SO_REUSEADDR", set("SO_REUSEADDR", OptionValue::Int(1)))]
#[case("client.setsockopt: {SO_LINGER: {onoff: 1, linger: 0}, times: 2}",
    set("SO_LINGER", OptionValue::Linger { onoff: 1, linger: 0 }))]
#[case(
    "client.setsockopt: {SO_RCVTIMEO: 100ms}",
    set("SO_RCVTIMEO", OptionValue::Time(Duration::from_millis(100)))
)]
#[case(
    "client.setsockopt: {SO_RCVTIMEO: {sec: -1, usec: 1000000}}",
    set("SO_RCVTIMEO", OptionValue::Timeval { sec: -1, usec: 1_000_000 })
)]
#[case("client.setsockopt: {SO_LINGER: 1}", set("SO_LINGER", OptionValue::Int(1)))]
#[case("client.setsockopt: {TCP_CONGESTION: cubic}",
    set("TCP_CONGESTION", OptionValue::Text("cubic".to_owned())))]
#[case("client.setsockopt: {SO_KEEPALIVE: {len: 2}}", set("SO_KEEPALIVE", OptionValue::Zeros(2)))]
#[case("client.getsockopt: SO_ERROR", asked(known("SO_ERROR")))]
#[case("client.getsockopt: {option: TCP_INFO, show: [tcpi_lost, tcpi_unacked]}",
    Call::Getsockopt { option: known("TCP_INFO"), fields: vec!["tcpi_unacked", "tcpi_lost"] })]
#[case("client.setsockopt: {level: 0x200, option: 7777, value: 1}", Call::Setsockopt {
    option: OptionRef::Number { level: Level::Number(512), option: 7777 },
    value: OptionValue::Int(1) })]
#[case("client.getsockopt: {level: SOL_SOCKET, option: 7777}",
    asked(OptionRef::Number { level: Level::Socket, option: 7777 }))]
#[case("client.getsockopt: {level: IPPROTO_TCP, option: -1, buf: bad}",
    asked(OptionRef::Number { level: Level::Number(6), option: -1 }))]
#[case("client.getsockname", Call::Getsockname)]
#[case("client.getpeername: {buf: bad}", Call::Getpeername)]
#[case("client.shutdown: rdwr", Call::Shutdown(How::Rdwr))]
#[case("client.shutdown: 7", Call::Shutdown(How::Number(7)))]
#[case("client.poll", Call::Poll { events: vec![], timeout: None })]
#[case("client.poll: [POLLOUT, POLLIN]",
    Call::Poll { events: vec!["POLLIN", "POLLOUT"], timeout: None })]
#[case("client.poll: {events: [POLLRDHUP], timeout: 200ms}",
    Call::Poll { events: vec!["POLLRDHUP"], timeout: Some(Duration::from_millis(200)) })]
#[case("client.select", Call::Select { timeout: None })]
#[case("client.select: {timeout: 1s}",
    Call::Select { timeout: Some(Duration::from_secs(1)) })]
#[case("ep2.epoll_create", Call::EpollCreate)]
#[case("ep.epoll_ctl: {add: client, events: [EPOLLIN, EPOLLET]}",
    Call::EpollCtl { op: EpollOp::Add, target: Name::new("client"),
        events: vec!["EPOLLIN", "EPOLLET"] })]
#[case("ep.epoll_ctl: {del: client}",
    Call::EpollCtl { op: EpollOp::Del, target: Name::new("client"), events: vec![] })]
#[case("ep.epoll_wait: 2s", Call::EpollWait { timeout: Some(Duration::from_secs(2)) })]
#[case("ep.epoll_wait", Call::EpollWait { timeout: None })]
#[case("client.ioctl: FIONREAD", Call::Ioctl("FIONREAD"))]
fn verb_reads_its_object(#[case] step: &str, #[case] expected: Call) {
    assert_eq!(call(step), expected, "{step}");
}

#[test]
fn common_keys_stand_beside_the_verbs_own() {
    let step = last_step(
        "client.getsockname: {blocks: true, timed: true, times: until-error, for: 8s, fd: 999, \
         addrlen: 3, buf: bad}",
    );
    assert!(step.blocks && step.timed);
    assert_eq!(step.times, Times::UntilError);
    assert_eq!(step.patience, Some(Duration::from_secs(8)));
    assert_eq!(step.line, 6);
    let Action::Calls { calls, .. } = step.action else { panic!("no call") };
    let bad = BadArgs { fd: Some(999), addrlen: Some(3), buf: true, ..BadArgs::default() };
    assert_eq!(calls[0].bad, bad);
    assert_eq!(last_step("client.send: {len: 1, times: 30}").times, Times::Count(30));
}

#[rstest]
#[case("client.send: {len: 1, flags: 0x8000000}", &[], 0x800_0000)]
#[case("client.send: {len: 1, flags: [MSG_OOB, 4, 0x100, MSG_OOB]}", &["MSG_OOB"], 0x104)]
#[case("client.send: {len: 1, flags: 0x1|MSG_OOB|0x80}", &["MSG_OOB"], 0x81)]
#[case("client.recv: {len: 1, flags: [MSG_PEEK|MSG_OOB, 4294967295]}",
    &["MSG_OOB", "MSG_PEEK"], u32::MAX)]
#[case("server.accept: {name: b, flags: [SOCK_CLOEXEC, 1]}", &["SOCK_CLOEXEC"], 1)]
fn flags_may_be_numbers(#[case] step: &str, #[case] names: &[&str], #[case] bits: u32) {
    let Action::Calls { calls, .. } = last_step(step).action else { panic!("no call") };
    assert_eq!(calls[0].bad.flags, bits);
    let (Call::Send { flags, .. } | Call::Recv { flags, .. } | Call::Accept { flags, .. }) =
        &calls[0].call
    else {
        panic!("{calls:?}");
    };
    assert_eq!(flags, names);
}

#[rstest]
#[case("client.sendmsg: {len: 9, iov: 1025}")]
#[case("client.writev: {data: x, iov: 1025}")]
#[case("client.recvmsg: {len: 9, iov: 1025}")]
#[case("client.readv: {len: 9, iov: 1025}")]
fn data_may_be_in_several_buffers(#[case] step: &str) {
    let Action::Calls { calls, .. } = last_step(step).action else { panic!("no call") };
    assert_eq!(calls[0].bad, BadArgs { iov: Some(1025), ..BadArgs::default() });
}

#[rstest]
#[case("client.getsockname: {addrlen: -1}", Some(-1), false)]
#[case("client.getpeername: {show: addrlen}", None, true)]
#[case("server.accept: {addrlen: 4, show: [addrlen, address]}", Some(4), true)]
#[case("server.accept: {show: address}", None, false)]
#[case("client.connect: {addr: server, addrlen: -2147483648}", Some(i32::MIN), false)]
fn address_lengths(#[case] step: &str, #[case] addrlen: Option<i32>, #[case] told: bool) {
    let Action::Calls { calls, .. } = last_step(step).action else { panic!("no call") };
    assert_eq!((calls[0].bad.addrlen, calls[0].bad.addrlen_told), (addrlen, told));
}

#[test]
fn setsockopt_is_one_call_for_each_option() {
    let calls = |step: &str| match last_step(step).action {
        Action::Calls { calls, .. } => calls.into_iter().map(|spec| spec.call).collect(),
        _ => vec![],
    };
    let one = |name| set(name, OptionValue::Int(1));
    let expected = vec![one("SO_REUSEPORT"), one("SO_REUSEADDR")];
    assert_eq!(calls("client.setsockopt: {SO_REUSEPORT: 1, SO_REUSEADDR: 1}"), expected);
    assert_eq!(calls("client.setsockopt: [SO_REUSEPORT, SO_REUSEADDR]"), expected);
}

#[rstest]
#[case("pause: 300ms", Action::Pause(Duration::from_millis(300)))]
#[case("signal: client", Action::Signal { to: Name::new("client"), restart: false })]
#[case("signal: {to: client, flags: SA_RESTART}",
    Action::Signal { to: Name::new("client"), restart: true })]
#[case("signal: {to: conn, flags: []}",
    Action::Signal { to: Name::new("conn"), restart: false })]
#[case("silence: 1.5s", Action::Silence(Duration::from_millis(1500)))]
#[case("w.kill: SIGKILL",
    Action::Process { process: Name::new("w"), verb: ProcessVerb::Kill("SIGKILL".to_owned()) })]
#[case("w.setrlimit: {RLIMIT_NOFILE: 1}",
    Action::Process { process: Name::new("w"), verb: ProcessVerb::Setrlimit(1) })]
#[case("w.drop: capabilities",
    Action::Process { process: Name::new("w"), verb: ProcessVerb::Drop })]
#[case("w.setuid: nobody",
    Action::Process { process: Name::new("w"), verb: ProcessVerb::Setuid })]
#[case("w.exit", Action::Process { process: Name::new("w"), verb: ProcessVerb::Exit })]
#[case("w.wait", Action::Process { process: Name::new("w"), verb: ProcessVerb::Wait })]
fn steps_without_a_call(#[case] step: &str, #[case] expected: Action) {
    assert_eq!(last_step(step).action, expected);
}

#[test]
fn rows_vary_the_last_variable_fastest() {
    let case = case(include_str!("tests_valid.yaml"));
    let rows: Vec<String> = case.rows.iter().map(|row| format!("{:?}", row.at)).collect();
    assert_eq!(rows.len(), 16);
    let at = |who: &str, o: &str| {
        let at = [("how", "rd"), ("n", "1"), ("o", o), ("who", who), ("pair", "[256,128]")];
        format!("{at:?}")
    };
    let full = "[SO_REUSEADDR,SO_KEEPALIVE]";
    assert_eq!(
        rows[..4],
        [at("client", "[]"), at("conn", "[]"), at("client", full), at("conn", full)]
    );
    assert_eq!(case.rows[4].settings["linux"]["net.ipv4.tcp_syn_retries"], "2");
}

#[test]
fn a_row_replaces_variables_and_leaves_steps_out() {
    let case = case(include_str!("tests_valid.yaml"));
    let (without, with) = (&case.rows[0].steps, &case.rows[2].steps);
    assert_eq!((without.len(), with.len()), (13, 14));
    assert_eq!(without[0].line, 35);
    assert_eq!(with[0].line, 34);
    let call = |step: &Step| match &step.action {
        Action::Calls { subject, calls } => (subject.clone(), calls[0].call.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(call(&without[0]).1, send(SendForm::Send, Payload::Len(256)));
    assert_eq!(call(&with[0]), (Name::new("client"), set("SO_REUSEADDR", OptionValue::Int(1))));
    let text = Payload::Text("how is rd, $ and $5".to_owned());
    assert_eq!(call(&without[9 - 1]).1, send(SendForm::Send, text));
}

#[test]
fn a_list_takes_in_the_items_of_a_variable() {
    let case = case(
        "about: x\ngiven: established\nmatrix: {e: [[POLLIN, POLLPRI], POLLIN]}\n\
         steps:\n  - client.poll: [$e, POLLOUT]\n",
    );
    let events = |row: usize| match &case.rows[row].steps[0].action {
        Action::Calls { calls, .. } => calls[0].call.clone(),
        other => panic!("{other:?}"),
    };
    let poll = |events| Call::Poll { events, timeout: None };
    assert_eq!(events(0), poll(vec!["POLLIN", "POLLPRI", "POLLOUT"]));
    assert_eq!(events(1), poll(vec!["POLLIN", "POLLOUT"]));
}

#[rstest]
#[case("family: [6]", "a.socket: tcp", &[Capability::Ipv6])]
#[case("needs: [firewall, sysctl]", "a.socket: tcp", &[Capability::Sysctl, Capability::Firewall])]
#[case("settings: {linux: {net.core.somaxconn: 1}}", "a.socket: tcp", &[])]
#[case("processes: {w: []}", "w.exit", &[Capability::Fork])]
#[case("tags: []", "a.socket: unix-dgram", &[Capability::AfUnix])]
#[case("tags: []", "a.socket: {domain: AF_INET6, type: tcp}", &[Capability::Ipv6])]
#[case("tags: []", "ep.epoll_create", &[Capability::Epoll])]
#[case("given: listen", "signal: server", &[Capability::Signal])]
#[case("processes: {w: []}", "w.setrlimit: {RLIMIT_NOFILE: 1}",
    &[Capability::Fork, Capability::Rlimit])]
#[case("processes: {w: []}", "w.kill: SIGTERM", &[Capability::Fork])]
#[case("processes: {w: []}", "w.kill: SIGSTOP", &[Capability::Fork, Capability::Signal])]
#[case("processes: {w: []}", "w.drop: capabilities",
    &[Capability::Fork, Capability::Capabilities])]
#[case("processes: {w: []}", "w.setuid: nobody", &[Capability::Fork, Capability::OtherUser])]
#[case("given: listen", "client.setsockopt: {SO_BINDTODEVICE: lo}", &[Capability::Namespace])]
#[case("given: listen", "client.setsockopt: {level: 0, option: 1023, value: 1}",
    &[Capability::Namespace])]
#[case("given: listen", "client.setsockopt: {level: 0, option: 1024, value: 1}", &[])]
#[case("given: listen", "client.getsockopt: {level: 0, option: 50}", &[])]
#[case("given: listen", "client.connect: {addr: any, port: 80}", &[Capability::Namespace])]
#[case("given: listen", "client.connect: \"127.0.0.1:80\"", &[Capability::Namespace])]
#[case("given: listen", "client.connect: 192.0.2.1", &[Capability::Namespace])]
#[case("given: listen", "client.connect: 127.0.0.9", &[])]
#[case("given: listen", "client.connect: \"::ffff:127.0.0.9\"", &[])]
#[case("given: listen", "client.connect: \"::ffff:192.0.2.1\"", &[Capability::Namespace])]
#[case("given: listen", "client.bind: {addr: any, port: 0}", &[])]
#[case("given: listen", "client.connect: {addr: any, port: 0}", &[Capability::Namespace])]
fn needs_follow_from_what_is_asked(
    #[case] header: &str,
    #[case] step: &str,
    #[case] needs: &[Capability],
) {
    assert_eq!(case(&format!("about: x\n{header}\nsteps:\n  - {step}\n")).needs, needs);
}

#[test]
fn the_hash_is_the_questions_own() {
    let hash = |text: &str| case(text).hash;
    let plain = hash("about: x\ngiven: listen\nsteps: [client.close]\n");
    assert_eq!(plain.len(), 16);
    let told = "about: y\nspec: [RFC 1]\ntags: [a]\ngiven: listen\nclaims: [{source: a, says: b, \
                never: c}]\nsteps:\n  - client.close # now\n";
    assert_eq!(hash(told), plain);
    assert_ne!(hash("about: x\ngiven: listen\nsteps: [server.close]\n"), plain);
    assert_ne!(hash("about: x\nfamily: [6]\ngiven: listen\nsteps: [client.close]\n"), plain);
    let aliased = "about: x\ngiven: listen\nmatrix: {a: [&a server.close]}\nsteps: [*a, $a]\n";
    let written =
        "about: x\ngiven: listen\nmatrix: {a: [server.close]}\nsteps: [server.close, $a]\n";
    assert_eq!(hash(aliased), hash(written));
}

#[test]
fn a_claim_is_kept_with_its_line() {
    let case = case(include_str!("tests_valid.yaml"));
    let [first, second] = case.claims.as_slice() else { panic!("{:?}", case.claims) };
    assert_eq!((first.line, second.line), (23, 28));
    assert_eq!(first.expect, ["server > client [R.] seq 1", "client.recv(256) = -1 ECONNRESET"]);
    assert_eq!(second.platforms, ["windows 7601", "linux <4.12", "linux 5.10..6.1"]);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(second.row, [pair("how", "rd"), pair("family", "ipv6")]);
}

#[test]
fn the_reference_gives_valid_examples() {
    let reference = include_str!("mod.rs").lines().map_while(|line| line.strip_prefix("//!"));
    let reference: String =
        reference.map(|line| format!("{}\n", line.get(1..).unwrap_or(""))).collect();
    let blocks: Vec<&str> = reference
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block)
        .collect();
    assert_eq!(blocks.len(), 7);
    for block in blocks {
        let head = match (block.contains("about:"), block.contains("given:")) {
            (true, _) => "",
            (false, true) => "about: x\n",
            (false, false) => "about: x\ngiven: established\n",
        };
        let tail = if block.contains("steps:") { "" } else { "steps: [client.close]\n" };
        case(&format!("{head}{block}{tail}"));
    }
}

#[test]
fn the_reference_names_every_word() {
    let reference = include_str!("mod.rs");
    let header = super::language::HEADER.iter().map(|(name, _)| *name);
    let sockets = super::language::VERBS;
    let wire = [wire::SENDS, wire::HOST_VERBS, std::slice::from_ref(wire::RECV)].concat();
    let verbs = || sockets.iter().chain(&wire);
    let keys = verbs().flat_map(|verb| verb.keys).chain(super::language::COMMON);
    let words = header.chain(sockets.iter().map(|verb| verb.name)).chain(keys.map(|key| key.name));
    for word in words {
        let told = [format!("`{word}`"), format!("`{word}: ")];
        assert!(told.iter().any(|told| reference.contains(told)), "{word}");
    }
}
