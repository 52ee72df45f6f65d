//! What each mistake is told as.

use super::parse_case;
use crate::model::{Case, CaseId};
use rstest::rstest;
use std::path::Path;

pub(super) fn parse(text: impl AsRef<[u8]>) -> Result<Case, String> {
    let id = CaseId("rst/foo".to_owned());
    parse_case(id, Path::new("foo.yaml"), text.as_ref()).map_err(|error| error.to_string())
}

/// Asserts that the message of the case's mistake begins with `expected` (or is it, up to `$`).
pub(super) fn assert_error(text: impl AsRef<[u8]>, expected: &str) {
    let shown = String::from_utf8_lossy(text.as_ref()).chars().take(300).collect::<String>();
    let error = parse(text).map(|case| case.about).expect_err(&shown);
    let matches = match expected.strip_suffix('$') {
        Some(all) => error == all,
        None => error.starts_with(expected),
    };
    assert!(matches, "{shown}\n     got {error}\nexpected {expected}");
}

/// A case of one step, on line 5.
fn with_step(step: &str) -> String {
    format!("about: x\ngiven: established\nprocesses: {{w: [server]}}\nsteps:\n  - {step}\n")
}

#[rstest]
#[case(
    "client.sned: 1",
    "foo.yaml:5:5: steps[0].client.sned: unknown verb `sned`, expected one \
    of socket, bind, listen,"
)]
#[case("client.frobnicate", "foo.yaml:5:5: steps[0]: unknown verb `frobnicate`, expected one of")]
#[case(
    "cleint.close",
    "foo.yaml:5:5: steps[0]: unknown socket `cleint`, no earlier step makes \
    it: expected one of client, conn, server; did you mean `client`?$"
)]
#[case("peer.send: S", "foo.yaml:5:5: steps[0].peer.send: `peer` needs `topology: wire`$")]
#[case(
    "router.send: {icmp: host-unreachable}",
    "foo.yaml:5:5: steps[0].router.send: `router` needs `topology: wire`$"
)]
#[case("close", "foo.yaml:5:5: steps[0]: `close` has no subject, expected `client.close`$")]
#[case(
    "client.close: {fd: 3}",
    "foo.yaml:5:19: steps[0].client.close: descriptor 3 may be the harness's own, expected 900"
)]
#[case(
    "client.close: {buf: bad}",
    "foo.yaml:5:19: steps[0].client.close: `buf` is no argument of close, leave it out$"
)]
#[case(
    "client.send: {len: 1, addrlen: 8}",
    "foo.yaml:5:18: steps[0].client.send: `addrlen` is no argument of send, leave it out$"
)]
#[case::mode_in_decimal(
    "client.chmod: 600",
    "foo.yaml:5:19: steps[0].client.chmod: expected text in quotes or a map, found the number 600$"
)]
#[case::mode_of_four_digits(
    "client.chmod: \"0600\"",
    "foo.yaml:5:19: steps[0].client.chmod: expected a mode, three octal digits in quotes: \"600\"$"
)]
#[case::user_of_its_own(
    "w.setuid: root",
    "foo.yaml:5:15: steps[0].w.setuid: unknown user `root`, expected nobody$"
)]
#[case::user_unnamed("w.setuid", "foo.yaml:5:5: steps[0]: setuid needs a user: nobody$")]
#[case::passed_but_never_made(
    "client.sendmsg: {len: 1, fds: [clientt]}",
    "foo.yaml:5:36: steps[0].client.sendmsg.fds[0]: unknown socket `clientt`, \
    no earlier step makes it: expected"
)]
#[case::passed_alone(
    "client.sendmsg: {len: 1, fds: conn}",
    "foo.yaml:5:35: steps[0].client.sendmsg.fds: expected a list of sockets' names, found `conn`$"
)]
#[case::two_descriptors_of_one_name(
    "client.recvmsg: {len: 1, fds: [x, x]}",
    "foo.yaml:5:21: steps[0].client.recvmsg: `x` cannot stand for two descriptors$"
)]
#[case::timeval_by_half(
    "client.setsockopt: {SO_RCVTIMEO: {sec: 0}}",
    "foo.yaml:5:38: steps[0].client.setsockopt.SO_RCVTIMEO: \
    expected {sec: 0, usec: 1}, found a map$"
)]
#[case::timeval_of_what_has_none(
    "client.setsockopt: {TCP_USER_TIMEOUT: {sec: 0, usec: 1}}",
    "foo.yaml:5:43: steps[0].client.setsockopt.TCP_USER_TIMEOUT: \
    expected the value of TCP_USER_TIMEOUT: a duration (100ms), or a number, found a map$"
)]
#[case::file_has_no_buffer(
    "client.sendfile: {len: 1, buf: bad}",
    "foo.yaml:5:22: steps[0].client.sendfile: `buf` is no argument of sendfile, leave it out$"
)]
#[case(
    "slience: 1s",
    "foo.yaml:5:5: steps[0].slience: unknown step `slience`, expected one of \
    pause, silence, signal, subject.verb; did you mean `silence`?$"
)]
#[case("pause", "foo.yaml:5:5: steps[0]: pause needs a duration (300ms, 2s, 1min) or a map$")]
#[case(
    "pause: 300",
    "foo.yaml:5:12: steps[0].pause: expected a duration (300ms, 2s, 1min) or a map, found \
    the number 300$"
)]
#[case("signal", "foo.yaml:5:5: steps[0]: signal needs a socket's name or a map$")]
#[case(
    "signal: cleint",
    "foo.yaml:5:13: steps[0].signal: unknown socket `cleint`, no earlier step makes it: expected \
    one of client, conn, server; did you mean `client`?$"
)]
#[case(
    "signal: {to: client, flags: SA_RESTRAT}",
    "foo.yaml:5:33: steps[0].signal.flags: unknown word `SA_RESTRAT`, expected SA_RESTART; did \
    you mean `SA_RESTART`?$"
)]
#[case("signal: {flags: SA_RESTART}", "foo.yaml:5:13: steps[0].signal: signal needs the key to$")]
#[case(
    "client.recv: {len: 8, show: control}",
    "foo.yaml:5:33: steps[0].client.recv.show: unknown word `control`, expected data$"
)]
#[case("w.setrlimit", "foo.yaml:5:5: steps[0]: setrlimit needs {RLIMIT_NOFILE: 1}$")]
#[case(
    "w.setrlimit: {RLIMIT_NOFILES: 1}",
    "foo.yaml:5:19: steps[0].w.setrlimit.RLIMIT_NOFILES: unknown key"
)]
#[case(
    "w.setrlimit: {RLIMIT_NOFILE: 257}",
    "foo.yaml:5:34: steps[0].w.setrlimit.RLIMIT_NOFILE: 257 is out of bounds, expected 0 to 256$"
)]
#[case("pause: 3h", "foo.yaml:5:12: steps[0].pause: `3h` is no duration, expected a number and")]
#[case("pause: 99999s", "foo.yaml:5:12: steps[0].pause: `99999s` is too long, expected at most")]
#[case(
    "w.kil: SIGKILL",
    "foo.yaml:5:5: steps[0].w.kil: unknown verb of the process `w`: `kil`, \
    expected one of kill, setrlimit, drop, setuid, exit, wait; did you mean `kill`?$"
)]
#[case("w.drop", "foo.yaml:5:5: steps[0]: drop needs a word: capabilities$")]
#[case(
    "w.drop: capabilites",
    "foo.yaml:5:13: steps[0].w.drop: unknown word `capabilites`, expected capabilities; did you \
    mean `capabilities`?$"
)]
#[case("w.kill: SIGKIL", "foo.yaml:5:13: steps[0].w.kill: unknown signal `SIGKIL`, expected one")]
#[case("x.kill: SIGKILL", "foo.yaml:5:5: steps[0].x.kill: unknown process `x`, expected w")]
#[case(
    "client.bind",
    "foo.yaml:5:5: steps[0]: bind needs an address (loopback, any, a socket's \
    name) or a map$"
)]
#[case(
    "client.send",
    "foo.yaml:5:5: steps[0]: send needs a number from 0 to 1048576 or text in \
    quotes or a map$"
)]
#[case(
    "client.send: {flags: [MSG_OOB]}",
    "foo.yaml:5:18: steps[0].client.send: send needs the \
    key len or data$"
)]
#[case(
    "client.send: {len: 1, data: x}",
    "foo.yaml:5:18: steps[0].client.send: send takes only \
    one of len, data$"
)]
#[case(
    "client.send: {len: 1, flag: x}",
    "foo.yaml:5:27: steps[0].client.send.flag: unknown key \
    of send `flag`, expected one of len, data, flags, to, blocks,"
)]
#[case(
    "client.send: {len: 1, flags: [MSG_OBB]}",
    "foo.yaml:5:35: \
    steps[0].client.send.flags[0]: unknown word `MSG_OBB`, expected one of MSG_OOB,"
)]
#[case(
    "client.send: {len: 1, flags: [MSG_OOB, 0]}",
    "foo.yaml:5:44: steps[0].client.send.flags[1]: 0 is out of bounds, expected 1 to 4294967295$"
)]
#[case(
    "client.accept: {flags: SOCK_CLOEXEC|0x100000000}",
    "foo.yaml:5:28: steps[0].client.accept.flags: unknown word `0x100000000`, expected one of \
    SOCK_NONBLOCK, SOCK_CLOEXEC$"
)]
#[case(
    "client.send: {len: 1, iov: 2}",
    "foo.yaml:5:27: steps[0].client.send.iov: unknown key of send `iov`, expected one of len,"
)]
#[case(
    "client.writev: {len: 1, iov: 4097}",
    "foo.yaml:5:34: steps[0].client.writev.iov: 4097 is out of bounds, expected 0 to 4096$"
)]
#[case(
    "client.accept: {flags: {}}",
    "foo.yaml:5:28: steps[0].client.accept.flags: expected words or numbers: SOCK_NONBLOCK, \
    SOCK_CLOEXEC, found a map$"
)]
#[case("client.send: -1", "foo.yaml:5:18: steps[0].client.send: -1 is out of bounds, expected 0")]
#[case("client.send: 99999999999999999999", "foo.yaml:5:18: steps[0].client.send: a number beyond")]
#[case(
    "client.send: .nan",
    "foo.yaml:5:18: steps[0].client.send: expected a number from 0 to \
    1048576 or text in quotes or a map, found the number NaN (as text it needs quotes)$"
)]
#[case("client.recv: x", "foo.yaml:5:18: steps[0].client.recv: expected a number from 0")]
#[case(
    "client.close: 1",
    "foo.yaml:5:19: steps[0].client.close: expected nothing, or a map of blocks, timed, times, \
    for, fd, addrlen, buf, found the"
)]
#[case(
    "client.connect: sevrer",
    "foo.yaml:5:21: steps[0].client.connect: unknown address \
    `sevrer`, expected one of loopback, any, local, peer, closed-port, unspec, bad, client, conn, \
    server; did you mean `server`?$"
)]
#[case(
    "client.connect: /run/sock",
    "foo.yaml:5:21: steps[0].client.connect: `/run/sock` is no \
    address, expected loopback,"
)]
#[case("client.connect: ..sock", "foo.yaml:5:21: steps[0].client.connect: `..sock` is no address")]
#[case(
    "client.connect: {addr: any, port: 65536}",
    "foo.yaml:5:39: \
    steps[0].client.connect.port: 65536 is out of bounds, expected 0 to 65535$"
)]
#[case(
    "client.connect: {addr: closed-port, port: 1}",
    "foo.yaml:5:21: steps[0].client.connect: \
    a `port` beside an address that cannot take one$"
)]
#[case(
    "client.setsockopt: {SO_REUSEADR: 1}",
    "foo.yaml:5:25: \
    steps[0].client.setsockopt.SO_REUSEADR: unknown option `SO_REUSEADR`; did you mean \
    `SO_REUSEADDR`? (what has no name here: {level: SOL_SOCKET, option: 12})$"
)]
#[case(
    "client.setsockopt: {SO_REUSEADDR: yes}",
    "foo.yaml:5:39: \
    steps[0].client.setsockopt.SO_REUSEADDR: expected the value of SO_REUSEADDR: a number, found"
)]
#[case(
    "client.setsockopt: {SO_LINGER: {onoff: 1}}",
    "foo.yaml:5:36: \
    steps[0].client.setsockopt.SO_LINGER: expected {onoff: 1, linger: 0}, found a map$"
)]
#[case(
    "client.setsockopt: {TCP_KEEPIDLE: 100ms}",
    "foo.yaml:5:39: \
    steps[0].client.setsockopt.TCP_KEEPIDLE: TCP_KEEPIDLE counts whole seconds$"
)]
#[case(
    "client.setsockopt: {level: SOL_SOCKETS, option: 7777, value: 1}",
    "foo.yaml:5:32: steps[0].client.setsockopt.level: unknown word `SOL_SOCKETS`, expected one of \
    SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6; did you mean `SOL_SOCKET`?$"
)]
#[case(
    "client.setsockopt: {level: 6, option: 7777}",
    "foo.yaml:5:24: steps[0].client.setsockopt: `value` is missing$"
)]
#[case(
    "client.setsockopt: {level: 6, option: 7777, value: 65536}",
    "foo.yaml:5:56: steps[0].client.setsockopt.value: 65536 is out of bounds, expected -1 to 65535$"
)]
#[case(
    "client.setsockopt: {level: 6, option: 7777, valeu: 1}",
    "foo.yaml:5:49: steps[0].client.setsockopt.valeu: unknown key of an option by number: `valeu`, \
    expected one of level, option, value, blocks, timed, times, for, fd, addrlen, buf; did you \
    mean `value`?$"
)]
#[case(
    "client.setsockopt: {option: SO_REUSEADDR, value: 1}",
    "foo.yaml:5:24: steps[0].client.setsockopt: an option with a name is set by it: \
    {SO_REUSEADDR: 1}$"
)]
#[case(
    "client.getsockopt: {option: 7777}",
    "foo.yaml:5:24: steps[0].client.getsockopt: option 7777 needs a level: SOL_SOCKET, \
    IPPROTO_TCP, 6$"
)]
#[case(
    "client.getsockopt: {level: 6, option: SO_ERROR}",
    "foo.yaml:5:24: steps[0].client.getsockopt: SO_ERROR has a level of its own, leave it out$"
)]
#[case(
    "client.setsockopt: {blocks: true}",
    "foo.yaml:5:24: steps[0].client.setsockopt: \
    setsockopt needs socket options:"
)]
#[case(
    "client.getsockopt: so_error",
    "foo.yaml:5:24: steps[0].client.getsockopt: unknown option \
    `so_error`; did you mean `SO_ERROR`? (what has no name here: {level: IPPROTO_IP, option: 12})$"
)]
#[case("a.socket: tpc", "foo.yaml:5:15: steps[0].a.socket: unknown word `tpc`, expected one of")]
#[case(
    "a.socket: {type: tcp4, domain: AF_INET}",
    "foo.yaml:5:15: steps[0].a.socket: `tcp4` has \
    a domain of its own$"
)]
#[case("any.socket: tcp", "foo.yaml:5:5: steps[0].any.socket: `any` is reserved, as are peer,")]
#[case("w.socket: tcp", "foo.yaml:5:5: steps[0].w.socket: unknown verb of the process `w`:")]
#[case("A.socket: tcp", "foo.yaml:5:5: steps[0].A.socket: `A` is no name, expected [a-z]")]
#[case("client.dup: w", "foo.yaml:5:17: steps[0].client.dup: `w` is a process, a socket needs")]
#[case("client.recv: {len: 1, times: 0}", "foo.yaml:5:34: steps[0].client.recv.times: 0 is out")]
#[case("client.epoll_ctl: client", "foo.yaml:5:23: steps[0].client.epoll_ctl: expected a")]
#[case("{client.close: , conn.close: }", "foo.yaml:5:22: steps[0].conn.close: a second key in")]
#[case("12", "foo.yaml:5:5: steps[0]: expected a step:")]
#[case(
    "client.send: $how",
    "foo.yaml:5:18: steps[0].client.send: unknown variable of the matrix \
    `how`, there is none$"
)]
#[case("client.send: !tag 1", "foo.yaml:5:18: steps[0].client.send: a YAML tag (`!…`), expected")]
#[case("client.send: *gone", "foo.yaml:5:18: steps[0].client.send: invalid YAML: unknown anchor$")]
fn mistakes_in_a_step(#[case] step: &str, #[case] expected: &str) {
    assert_error(with_step(step), expected);
}

#[rstest]
#[case("", "foo.yaml:1:1: the file is empty, expected a case: at least `about` and `steps`$")]
#[case("# nothing\n", "foo.yaml:2:1: the file is empty")]
#[case("- about: x\n", "foo.yaml:1:1: expected a case: a map that begins with `about`, found a")]
#[case("steps: [a.close]\n", "foo.yaml:1:1: `about` is missing$")]
#[case("about: x\n", "foo.yaml:1:1: `steps` is missing$")]
#[case("about: ' '\nsteps: []\n", "foo.yaml:1:8: about: expected the question, in words, found")]
#[case("about: x\nsteps: []\n", "foo.yaml:2:8: steps: no steps, expected at least one$")]
#[case("about: x\nabout: y\nsteps: []\n", "foo.yaml:2:1: about: this key stands here twice$")]
#[case(
    "about: x\ncover: [A1]\nsteps: []\n",
    "foo.yaml:2:1: cover: unknown key `cover`, expected \
    one of about, spec, covers,"
)]
#[case(
    "about: x\ntags: [a]\ncovers: [A1]\nsteps: []\n",
    "foo.yaml:3:1: covers: `tags` stands \
    before `covers`, expected the order: about spec covers tags topology family given needs"
)]
#[case(
    "about: x\ngiven: time-wait\nsteps: []\n",
    "foo.yaml:2:8: given: this state needs \
    `topology: wire`; on loopback: closed, listen, established$"
)]
#[case(
    "about: x\ngiven: listening\nsteps: []\n",
    "foo.yaml:2:8: given: unknown state \
    `listening`, expected one of closed,"
)]
#[case("about: x\nfamily: [4, 5]\nsteps: []\n", "foo.yaml:2:13: family[1]: expected 4 or 6,")]
#[case("about: x\nneeds: [root]\nsteps: []\n", "foo.yaml:2:9: needs[0]: unknown capability `root`")]
#[case(
    "about: x\nsettings: {linux: {kernel.panic: 1}}\nsteps: []\n",
    "foo.yaml:2:20: \
    settings.linux.kernel.panic: expected a setting of the network"
)]
#[case("about: x\nsettings: {linux: {net.ipv4/../../kernel.x: 1}}\nsteps: []\n", "foo.yaml:2:20: ")]
#[case(
    "about: x\nsettings: {linux: {route.quickack: 0}}\nsteps: []\n",
    "foo.yaml:2:20: settings.linux.route.quickack: `route.quickack` needs `topology: wire`$"
)]
#[case("about: x\nsettings: {linux: {net..x: 1}}\nsteps: []\n", "foo.yaml:2:20: ")]
#[case("about: x\nmatrix: {how: []}\nsteps: []\n", "foo.yaml:2:15: matrix.how: an empty list,")]
#[case(
    "about: x\nmatrix: {how: [a, b], other: [1, 2]}\nsteps:\n  - $how.socket: tcp\n",
    "foo.yaml:2:23: matrix.other: nothing uses `$other`, so its rows would all ask the same; \
    expected it in `given`, `settings` or `steps`"
)]
#[case(
    "about: x\ngiven: established\nmatrix: {how: [rd]}\nsteps:\n  - client.shutdown: $hwo\n",
    "foo.yaml:5:22: steps[0].client.shutdown: unknown variable of the matrix `hwo`, expected how; \
     did you mean `how`? (in row how=rd)$"
)]
#[case(
    "about: x\ngiven: established\nmatrix: {how: [rd, wrx]}\nsteps:\n  - client.shutdown: $how\n",
    "foo.yaml:3:20: matrix.how[1]: unknown word `wrx`, expected one of rd, wr, rdwr; did you mean \
     `wr`? (in row how=wrx)$"
)]
#[case(
    "about: x\nmatrix: {at: [[a]]}\nsteps:\n  - b.bind: $at.1\n",
    "foo.yaml:4:13: \
    steps[0].b.bind: `$at.1`: `[a]` has no item 1 (in row at=[a])$"
)]
#[case(
    "about: x\nmatrix: {at: [[a]]}\nsteps:\n  - b.bind: $at.Addr\n",
    "foo.yaml:4:13: steps[0].b.bind: `$at.Addr`: an item of a list is named by its number, \
    expected `$at.0` (in row at=[a])$"
)]
#[case(
    "about: x\nmatrix: {at: [{addr: any}]}\nsteps:\n  - b.bind: $at.addr\n",
    "foo.yaml:4:13: steps[0].b.bind: `$at.addr`: the value is a map, a list alone has items (in row"
)]
#[case(
    "about: x\nmatrix: {at: [[a]]}\nsteps:\n  - b.bind: on $at.-\n",
    "foo.yaml:4:13: steps[0].b.bind: `on $at.-` puts a list or a map into text (in row at=[a])$"
)]
#[case(
    "about: x\ngiven: listen\nprocesses: {w: [sevrer]}\nsteps: [client.close]\n",
    "foo.yaml:3:17: processes.w[0]: unknown socket `sevrer`, expected one of client, server; did"
)]
#[case(
    "about: x\ngiven: listen\nprocesses: {client: []}\nsteps: [server.close]\n",
    "foo.yaml:3:13: processes.client: a socket has this name"
)]
#[case(
    "about: x\ngiven: listen\nshow: {calls: [clint.close]}\nsteps: [client.close]\n",
    "foo.yaml:3:16: show.calls[0]: unknown socket `clint`"
)]
#[case(
    "about: x\ngiven: listen\nshow: {calls: [client.recv]}\nsteps: [client.close]\n",
    "foo.yaml:3:16: show.calls[0]: no step makes the call `client.recv`$"
)]
#[case("about: x\nshow: [tll]\nsteps: []\n", "foo.yaml:2:8: show[0]: unknown field `tll`")]
#[case(
    "about: x\ndeadline: 1s\nsteps:\n  - a.socket: tcp\n  - silence: 600ms\n  - pause: 400ms\n",
    "foo.yaml:6:5: steps[2]: the waits so far take 1s, expected less than the deadline, 1s$"
)]
#[case("about: x\ndeadline: 0s\nsteps: []\n", "foo.yaml:2:11: deadline: expected more than no")]
#[case("about: x\n---\nabout: y\n", "foo.yaml:3:1: a second document, expected one")]
#[case("about: x\nsteps: []\n---\nabout: y\n", "foo.yaml:4:1: a second document, expected one")]
#[case("about: x\nsteps:\n\t- a.close\n", "foo.yaml:3:1: a tab, expected blanks")]
#[case(
    "about: x\nsteps: [a, b\n",
    "foo.yaml:3:1: steps[2]: invalid YAML: did not find expected ',' \
    or ']', while parsing a flow sequence at line 2 column 8$"
)]
#[case(
    "about: a: b\n",
    "foo.yaml:1:9: invalid YAML: mapping values are not allowed in this \
    context: text with a colon and a blank in it stands in quotes, or behind `>`$"
)]
#[case("about: x\n<<: {a: b}\nsteps: []\n", "foo.yaml:2:1: <<: merge keys are not part of the")]
#[case("about: x\nsteps: []\n? [a]\n: b\n", "foo.yaml:3:3: ")]
fn mistakes_in_the_header(#[case] text: &str, #[case] expected: &str) {
    assert_error(text, expected);
}

#[rstest]
#[case("source: x\n    expect: y", "foo.yaml:4:5: claims[0]: a claim needs `says`$")]
#[case("source: x\n    says: y", "foo.yaml:4:5: claims[0]: a claim needs lines to judge it by")]
#[case(
    "source: x\n    says: y\n    expects: z",
    "foo.yaml:6:5: claims[0].expects: unknown key \
    `expects`, expected one of source, says,"
)]
#[case(
    "source: x\n    says: y\n    never: '= -1 ECONRESET'",
    "foo.yaml:6:12: claims[0].never: \
    unknown errno `ECONRESET`; did you mean `ECONNRESET`?$"
)]
#[case(
    "source: x\n    says: y\n    never: 'a > b [R|.R]'",
    "foo.yaml:6:12: claims[0].never: the flags `.R` are written `R.`$"
)]
#[case(
    "source: x\n    says: y\n    expect: 'a > b [S|RR]'",
    "foo.yaml:6:13: claims[0].expect: the flag `R` stands here twice$"
)]
#[case(
    "source: x\n    says: y\n    expect: 'a > b [Q] seq 1'",
    "foo.yaml:6:13: claims[0].expect: `Q` is no TCP flag, expected letters of FSRP.UEWe, or \
    none$"
)]
#[case(
    "source: x\n    says: y\n    platforms: linux < 4.12.x\n    never: z",
    "foo.yaml:6:16: \
    claims[0].platforms: expected a platform: linux, linux 6.12,"
)]
#[case(
    "source: x\n    says: y\n    never: z\n    row: {how: rdd}",
    "foo.yaml:7:16: \
    claims[0].row.how: unknown value of `how` `rdd`, expected one of rd, wr; did you mean `rd`?$"
)]
#[case(
    "source: x\n    says: y\n    never: z\n    row: {who: rd}",
    "foo.yaml:7:11: \
    claims[0].row.who: unknown variable of the matrix `who`"
)]
#[case(
    "source: x\n    says: y\n    never: z\n    row: {family: 6}",
    "foo.yaml:7:19: \
    claims[0].row.family: expected a family of the case: 4, found the number 6$"
)]
fn mistakes_in_a_claim(#[case] claim: &str, #[case] expected: &str) {
    let text = format!(
        "about: x\nmatrix: {{how: [rd, wr]}}\nclaims:\n  - {claim}\nsteps:\n  - a.socket: tcp\n"
    );
    assert_error(text, expected);
}
