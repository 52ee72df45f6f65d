//! What each mistake on the wire is told as.

use super::tests_errors::assert_error;
use super::tests_wire::with_step;
use rstest::rstest;

#[rstest]
#[case(
    "peer.sned: S",
    "6:5: steps[0].peer.sned: unknown verb of `peer`: `sned`, expected one of \
    send, recv, forget; did you mean `send`?$"
)]
#[case(
    "peer1.send: S",
    "6:5: steps[0].peer1.send: `peer1` is no peer, expected peer, peer2, … \
    peer16$"
)]
#[case("peer17.send: S", "6:5: steps[0].peer17.send: `peer17` is no peer")]
#[case("router.recv: S", "6:5: steps[0].router.recv: the router only sends")]
#[case("peer.forget: S", "6:18: steps[0].peer.forget: expected no argument, found `S`$")]
#[case("peer.send", "6:5: steps[0]: send needs TCP flags (S., R, none) or a map$")]
#[case(
    "peer.send: SA",
    "6:16: steps[0].peer.send: `A` is no TCP flag (ACK is `.`), expected letters of FSRP.UEWe, or \
    none$"
)]
#[case("peer.send: SC", "6:16: steps[0].peer.send: `C` is no TCP flag (CWR is `W`), expected")]
#[case("peer.send: X", "6:16: steps[0].peer.send: `X` is no TCP flag, expected letters of FSRP.U")]
#[case("peer.send: SS", "6:16: steps[0].peer.send: the flag `S` stands here twice$")]
#[case("peer.recv: S..", "6:16: steps[0].peer.recv: the flag `.` stands here twice$")]
#[case(
    "peer.send: {icmp: host-unreachable, seq: wnd+1}",
    "6:46: steps[0].peer.send.seq: unknown variable `wnd`, expected one of nxt, una$"
)]
#[case(
    "peer.send: {icmp: host-unreachable, seq: nxt+1, quote: 4}",
    "6:16: steps[0].peer.send: `seq` lies in the first 8 bytes, expected quote: 8$"
)]
#[case("peer.send: udp", "6:16: steps[0].peer.send: expected TCP flags (S., R, none) or a map")]
#[case(
    "peer.send: {seq: 1}",
    "6:16: steps[0].peer.send: a packet needs one of the keys flags, udp, echo, icmp, proto$"
)]
#[case(
    "peer.send: {udp: 1, to: broadcast}",
    "6:29: steps[0].peer.send.to: unknown socket `broadcast`, no earlier step makes it: \
    expected one of conn, server; or closed-port, or an address in quotes$"
)]
#[case(
    "peer.send: {flags: S, sqe: 1}",
    "6:27: steps[0].peer.send.sqe: unknown key of send \
    `sqe`, expected one of flags, seq, ack,"
)]
#[case(
    "peer.send: {flags: S, seq: 4294967296}",
    "6:32: steps[0].peer.send.seq: 4294967296 is \
    out of bounds, expected -2147483648 to 4294967295$"
)]
#[case(
    "peer.send: {flags: S, seq: nx+1}",
    "6:32: steps[0].peer.send.seq: unknown variable `nx`, \
    expected one of nxt, wnd; did you mean `nxt`?$"
)]
#[case("peer.send: {flags: S, ack: wnd}", "6:32: steps[0].peer.send.ack: unknown variable `wnd`")]
#[case(
    "peer.send: {flags: S, seq: \"+100\"}",
    "6:32: steps[0].peer.send.seq: expected a number, \
    nxt+1, wnd+1 or {abs: N}, found `+100`$"
)]
#[case("peer.send: {flags: S, seq: nxt+-1}", "6:32: steps[0].peer.send.seq: expected a number")]
#[case("peer.send: {flags: S, seq: nxt+99999999999}", "6:32: steps[0].peer.send.seq: expected")]
#[case(
    "peer.send: {flags: S, seq: {abs: -1}}",
    "6:38: steps[0].peer.send.seq.abs: -1 is out of \
    bounds, expected 0 to 4294967295$"
)]
#[case(
    "peer.send: {flags: S, len: 65416}",
    "6:32: steps[0].peer.send.len: 65416 is out of \
    bounds, expected 0 to 65415$"
)]
#[case(
    "peer.send: {flags: P., len: 1461}",
    "6:33: steps[0].peer.send.len: 1461 bytes do not fit a packet of the wire, expected at most \
    1460, or `fragment`$"
)]
#[case("peer.send: {flags: S, len: 1457}", "6:32: steps[0].peer.send.len: 1457 bytes do not fit")]
#[case(
    "peer.send: {flags: ., len: 1449, options: [ts 1 0, nop]}",
    "6:32: steps[0].peer.send.len: 1449 bytes do not fit"
)]
#[case(
    "peer.send: {flags: ., len: 3000, fragment: 1488}",
    "6:48: steps[0].peer.send.fragment: 1488 bytes do not fit a packet of the wire, expected at \
    most 1480$"
)]
#[case("peer.send: {udp: 1473}", "6:22: steps[0].peer.send.udp: 1473 bytes do not fit")]
#[case(
    "peer.send: {icmp: host-unreachable, quote: 1453}",
    "6:48: steps[0].peer.send.quote: 1453 bytes do not fit a packet of the wire, expected at most \
    1452$"
)]
#[case("peer.send: {flags: S, len: 1, data: x}", "6:16: steps[0].peer.send: send takes only one")]
#[case("peer.send: {flags: S, win: 65536}", "6:32: steps[0].peer.send.win: 65536 is out of")]
#[case(
    "peer.send: {flags: S, offset: 16}",
    "6:35: steps[0].peer.send.offset: 16 is out of \
    bounds, expected 0 to 15$"
)]
#[case("peer.send: {flags: S, tos: 256}", "6:32: steps[0].peer.send.tos: 256 is out of bounds")]
#[case("peer.send: {flags: S, reserved: 16}", "6:37: steps[0].peer.send.reserved: 16 is out of")]
#[case("peer.send: {flags: S, fragment: 12}", "6:37: steps[0].peer.send.fragment: `fragment` is")]
#[case(
    "peer.send: {flags: S, fragment: [8-8]}",
    "6:38: steps[0].peer.send.fragment[0]: a fragment of no bytes, expected 8-16$"
)]
#[case(
    "peer.send: {flags: S, fragment: [65528-65528]}",
    "6:38: steps[0].peer.send.fragment[0]: a fragment of no bytes, expected 65528-65535$"
)]
#[case(
    "peer.send: {flags: S, fragment: [4-8]}",
    "6:38: steps[0].peer.send.fragment[0]: a fragment b"
)]
#[case(
    "peer.send: {flags: S, fragment: []}",
    "6:37: steps[0].peer.send.fragment: expected a number"
)]
#[case(
    "peer.send: {flags: S, fragment: [0-25]}",
    "6:37: steps[0].peer.send.fragment: a packet of 24 bytes behind its IP header, not 25$"
)]
#[case(
    "peer.send: {icmp: host-unreachable, from: server}",
    "6:16: steps[0].peer.send: an ICMP error comes from a host, expected from: router, or an \
    address in quotes$"
)]
#[case(
    "peer.send: {icmp: host-unreachable, from: \"::1\"}",
    "6:47: steps[0].peer.send.from: ::1 is no address under ipv4$"
)]
#[case(
    "peer.send: {icmp: packet-too-big}",
    "6:23: steps[0].peer.send.icmp: `packet-too-big` is `fragmentation-needed` under both \
    families$"
)]
#[case(
    "peer.send: {icmp: type 3 code 256}",
    "6:23: steps[0].peer.send.icmp: unknown message `type 3 code 256`, expected one of"
)]
#[case(
    "peer.send: {flags: S, from: \"::1\"}",
    "6:33: steps[0].peer.send.from: ::1 is no address under ipv4$"
)]
#[case("peer.send: {echo: 8, to: \"::1\"}", "6:30: steps[0].peer.send.to: ::1 is no address under")]
#[case("peer.send: {flags: S, from: nobody}", "6:33: steps[0].peer.send.from: unknown socket")]
#[case("peer.send: {echo: 8, to: server}", "6:30: steps[0].peer.send.to: expected an IP address")]
#[case("peer.recv: {flags: P., times: 2}", "6:28: steps[0].peer.recv.times: unknown key")]
#[case(
    "peer.send: {icmp: host-unreachable, quote: 1, sport: 7}",
    "6:16: steps[0].peer.send: `sport` lies in the first 2 bytes, expected quote: 2$"
)]
#[case(
    "peer.send: {icmp: host-unreachable, quote: 3, dport: 7}",
    "6:16: steps[0].peer.send: `dport` lies in the first 4 bytes, expected quote: 4$"
)]
#[case("peer.send: {proto: 256}", "6:24: steps[0].peer.send.proto: 256 is out of bounds")]
#[case("peer.send: {proto: tcp}", "6:24: steps[0].peer.send.proto: expected a number")]
#[case("peer.send: {proto: 4, len: 1481}", "6:32: steps[0].peer.send.len: 1481 bytes do not fit")]
#[case("peer.send: {proto: 4, raw: 10}", "6:32: steps[0].peer.send.raw: expected text")]
#[case(
    "peer.send: {proto: 4, raw: \"0x10\"}",
    "6:32: steps[0].peer.send.raw: `x` is no hexadecimal digit, expected `raw: \"3b00c004\"`$"
)]
#[case(
    "peer.send: {proto: 4, raw: \"123\"}",
    "6:32: steps[0].peer.send.raw: `123` has an odd number of digits, expected two for each byte"
)]
#[case(
    "peer.send: {proto: 4, len: 1, raw: \"12\"}",
    "6:16: steps[0].peer.send: send takes only one of len, data, raw$"
)]
#[case("peer.send: {proto: 4, bad: checksum}", "6:27: steps[0].peer.send.bad: unknown key")]
#[case("peer.send: {echo: 1473}", "6:23: steps[0].peer.send.echo: 1473 bytes do not fit")]
#[case(
    "peer.send: {flags: S, bad: length}",
    "6:32: steps[0].peer.send.bad: unknown word `length`, \
    expected checksum$"
)]
#[case("peer.send: {flags: S, to: clsed-port}", "6:31: steps[0].peer.send.to: unknown socket")]
#[case(
    "peer.send: {flags: S, from: peer0}",
    "6:33: steps[0].peer.send.from: `peer0` is no peer, \
    expected peer, peer2, … peer16, or router$"
)]
#[case("peer2.send: {flags: S, from: router}", "6:17: steps[0].peer2.send: `from` beside `peer2`")]
#[case("peer.send: {flags: S, times: until-error}", "6:16: steps[0].peer.send: no error ends")]
#[case("peer.send: {flags: S, blocks: true}", "6:27: steps[0].peer.send.blocks: unknown key")]
#[case(
    "peer.send: {flags: S, options: [msss 1]}",
    "6:37: steps[0].peer.send.options[0]: unknown \
    TCP option `msss`, expected one of mss, wscale, sackOK, sack, ts, nop, eol, raw; did you \
    mean `mss`?$"
)]
#[case(
    "peer.send: {flags: S, options: [mss]}",
    "6:37: steps[0].peer.send.options[0]: `mss` is no \
    TCP option, expected `mss 1460`$"
)]
#[case(
    "peer.send: {flags: S, options: [mss 65536]}",
    "6:37: steps[0].peer.send.options[0]: `mss`: 65536 is out of bounds, expected 0 to 65535$"
)]
#[case(
    "peer.send: {flags: S, options: [mss many]}",
    "6:37: steps[0].peer.send.options[0]: `mss many` is no TCP option, expected `mss 1460`$"
)]
#[case(
    "peer.send: {flags: S, options: [nop, wscale 256]}",
    "6:42: steps[0].peer.send.options[1]: `wscale`: 256 is out of bounds, expected 0 to 255$"
)]
#[case(
    "peer.send: {flags: S, options: [ts 0 -1]}",
    "6:37: steps[0].peer.send.options[0]: `ts`: -1 is out of bounds, expected 0 to 4294967295$"
)]
#[case(
    "peer.send: {flags: S, options: [ts 99999999999999999999 0]}",
    "6:37: steps[0].peer.send.options[0]: `ts`: 99999999999999999999 is out of bounds, expected 0"
)]
#[case(
    "peer.send: {flags: S, options: [sack 1-4294967296]}",
    "6:37: steps[0].peer.send.options[0]: `sack`: 4294967296 is out of bounds, expected \
    -2147483648 to 4294967295$"
)]
#[case(
    "peer.send: {flags: S, options: [nop 1]}",
    "6:37: steps[0].peer.send.options[0]: `nop 1` \
    is no TCP option, expected `nop`$"
)]
#[case(
    "peer.send: {flags: S, options: [raw 1e0]}",
    "6:37: steps[0].peer.send.options[0]: `1e0` has an odd number of digits, expected two for \
    each byte: `raw 1e03aa`$"
)]
#[case(
    "peer.send: {flags: S, options: [raw 0x1e]}",
    "6:37: steps[0].peer.send.options[0]: `x` is no hexadecimal digit, expected `raw 1e03aa`$"
)]
#[case(
    "peer.send: {flags: S, options: [raw]}",
    "6:37: steps[0].peer.send.options[0]: `raw` is no TCP option, expected `raw 1e03aa`$"
)]
#[case("peer.send: {flags: S, options: [sack 1]}", "6:37: steps[0].peer.send.options[0]: `sack 1`")]
#[case("peer.send: {flags: S, options: [sack é]}", "6:37: steps[0].peer.send.options[0]: `sack é`")]
#[case(
    "peer.send: {flags: S, options: [sack 1-2 1-2 1-2 1-2, ts 1 1]}",
    "6:36: \
    steps[0].peer.send.options: options of 44 bytes, a segment has room for 40$"
)]
#[case(
    "peer.send: {flags: S, options: nop}",
    "6:36: steps[0].peer.send.options: expected a list \
    of TCP options"
)]
#[case(
    "peer.send: {udp: 1, flags: S}",
    "6:16: steps[0].peer.send: a packet has only one of the keys flags, udp, echo, icmp, proto$"
)]
#[case("peer.send: {udp: 99999}", "6:22: steps[0].peer.send.udp: 99999 is out of bounds")]
#[case(
    "peer.send: {icmp: host-unreachabel}",
    "6:23: steps[0].peer.send.icmp: unknown message \
    `host-unreachabel`, expected one of net-unreachable,"
)]
#[case("peer.send: {icmp: echo-request}", "6:23: steps[0].peer.send.icmp: unknown message")]
#[case(
    "peer.send: {icmp: reject-route}",
    "6:16: steps[0].peer.send: `reject-route` is no message \
    under ipv4$"
)]
#[case("peer.send: {icmp: net-redirect}", "6:16: steps[0].peer.send: `net-redirect` needs a")]
#[case(
    "peer.send: {icmp: host-unreachable, gateway: \"192.0.2.77\"}",
    "6:16: steps[0].peer.send: `gateway` belongs"
)]
#[case("peer.send: {icmp: host-unreachable, mtu: 5}", "6:16: steps[0].peer.send: `mtu` belongs")]
#[case(
    "peer.send: {icmp: host-unreachable, of: client}",
    "6:45: steps[0].peer.send.of: unknown \
    socket `client`"
)]
#[case(
    "peer.recv: upd",
    "6:16: steps[0].peer.recv: unknown word `upd`, expected one of tcp, udp, \
    icmp, any; did you mean `udp`?$"
)]
#[case("peer.recv: SA", "6:16: steps[0].peer.recv: `A` is no TCP flag")]
#[case("peer.recv: {proto: udp, len: 3}", "6:16: steps[0].peer.recv: `flags` and `len` are those")]
#[case(
    "conn.connect: host",
    "6:19: steps[0].conn.connect: unknown address `host`, expected one of loopback, any, local,"
)]
#[case("conn.connect: peer1", "6:19: steps[0].conn.connect: `peer1` is no peer")]
#[case(
    "host.firewal: drop",
    "6:5: steps[0].host.firewal: unknown verb of `host`: `firewal`, \
    expected one of firewall, route, link, sysctl, destroy; did you mean `firewall`?$"
)]
#[case("host.firewall: {at: in}", "6:20: steps[0].host.firewall: firewall needs the key reject$")]
#[case(
    "host.firewall: {reject: drop, port: peer2}",
    "6:20: steps[0].host.firewall: `peer2` has a port to which packets go out, \
    expected a socket, to whose port packets come in$"
)]
#[case(
    "host.firewall: {reject: tcp-rest}",
    "6:29: steps[0].host.firewall.reject: unknown word \
    `tcp-rest`, expected one of tcp-reset,"
)]
#[case(
    "host.link: broken",
    "6:16: steps[0].host.link: unknown word `broken`, expected one of \
    down, up$"
)]
#[case(
    "peer.send: {flags: S, to: \"192.0.2.9:4100\"}",
    "6:31: steps[0].peer.send.to: `192.0.2.9:4100` has a port, expected an address alone: \
    \"192.0.2.9\"$"
)]
#[case(
    "peer.send: {flags: S, from: \"[2001:db8::9]:80\"}",
    "6:33: steps[0].peer.send.from: `[2001:db8::9]:80` has a port, expected an address alone: \
    \"2001:db8::9\"$"
)]
#[case(
    "host.link: {state: up, mtu: 600}",
    "6:16: steps[0].host.link: link takes only one of state, mtu$"
)]
#[case("host.link: {mtu: 127}", "6:22: steps[0].host.link.mtu: 127 is out of bounds, expected 128")]
#[case("host.route: {to: home}", "6:17: steps[0].host.route: expected where the route leads")]
#[case("host.route: 192.0.2.0/33", "6:17: steps[0].host.route: expected where the route leads")]
#[case(
    "host.sysctl: {vm.swappiness: 1}",
    "6:19: steps[0].host.sysctl.vm.swappiness: expected a \
    setting of the network: net.ipv4.tcp_fin_timeout$"
)]
#[case("host.sysctl: {}", "6:18: steps[0].host.sysctl: no settings")]
#[case("host.sysctl", "6:5: steps[0]: sysctl needs {net.ipv4.tcp_retries2: 3}$")]
#[case("host.destroy: client", "6:19: steps[0].host.destroy: unknown socket `client`")]
#[case(
    "host.destroy: peer",
    "6:19: steps[0].host.destroy: `peer` is no socket of this machine, expected one of conn, \
    server$"
)]
#[case("local.send: 1", "6:5: steps[0].local.send: `local` is no socket of this machine, expected")]
fn mistakes(#[case] step: &str, #[case] expected: &str) {
    assert_error(with_step(step), &format!("foo.yaml:{expected}"));
}

#[rstest]
#[case(
    "topology: wire\ngiven: {state: listen, by: connect}\nsteps: [pause: 1ms]",
    "3:8: given: nobody has connected or accepted in this state, expected no `by`$"
)]
#[case(
    "topology: wire\ngiven: {state: syn-sent, by: accept}\nsteps: [pause: 1ms]",
    "3:8: given: no accepted socket has sent a SYN first"
)]
#[case(
    "topology: wire\ngiven: {state: listen, options: [nop]}\nsteps: [pause: 1ms]",
    "3:33: given.options: the peer has sent no SYN in this state, leave `options` out$"
)]
#[case(
    "given: {state: established, options: [nop]}\nsteps: [pause: 1ms]",
    "2:38: given.options: options of the peer's SYN need `topology: wire`$"
)]
#[case(
    "topology: wire\ngiven: fin-wait-3\nsteps: [pause: 1ms]",
    "3:8: given: unknown state `fin-wait-3`, expected one of"
)]
#[case(
    "topology: wire\ngiven: listen\nsteps: [peer.send: {flags: ., seq: 1, ack: nxt}]",
    "4:44: steps[0].peer.send.ack: no earlier step begins a connection with `peer`, expected a \
    number or {abs: N}$"
)]
#[case(
    "topology: wire\ngiven: established\nsteps: [peer2.send: {flags: ., seq: nxt}]",
    "4:37: steps[0].peer2.send.seq: no earlier step begins a connection with `peer2`"
)]
#[case(
    "given: listen\nsteps: [client.connect: peer]",
    "3:25: steps[0].client.connect: `peer` needs `topology: wire`$"
)]
#[case(
    "given: listen\nsteps: [client.bind: local]",
    "3:22: steps[0].client.bind: `local` needs `topology: wire`$"
)]
#[case(
    "given: listen\nsteps: [host.firewall: {reject: drop, port: peer}]",
    "3:45: steps[0].host.firewall.port: `peer` needs `topology: wire`$"
)]
#[case(
    "given: listen\nsteps: [host.firewall: {reject: drop, at: path}]",
    "3:24: steps[0].host.firewall: `at: path` needs `topology: wire`$"
)]
#[case(
    "topology: wire\nsteps: [peer.send: {flags: ., ack: 5}]",
    "3:20: steps[0].peer.send: no earlier step makes a socket, expected {…, to: closed-port}$"
)]
#[case(
    "topology: wire\nsteps: [peer.send: {icmp: host-unreachable, seq: nxt}]",
    "3:20: steps[0].peer.send: no earlier step begins a connection, expected a number or {abs: N}$"
)]
#[case(
    "topology: wire\nfamily: [4, 6]\ngiven: listen\nsteps: [peer.send: {flags: ., len: 1441}]",
    "5:36: steps[0].peer.send.len: 1441 bytes do not fit a packet of the wire, expected at most \
    1440 under ipv6, or `fragment`$"
)]
#[case(
    "topology: wire\ngiven: listen\nsteps: [peer.send: {flags: S, options: [ts 1 0]}, \
    peer.send: {flags: ., len: 1449}]",
    "4:78: steps[1].peer.send.len: 1449 bytes do not fit a packet of the wire, expected at most \
    1448, or `fragment`$"
)]
#[case(
    "topology: wire\ngiven: {state: established, options: [ts 1 0]}\n\
    steps: [peer.send: {flags: ., len: 1449}]",
    "4:36: steps[0].peer.send.len: 1449 bytes do not fit a packet of the wire, expected at most \
    1448, or `fragment`$"
)]
#[case("given: listen\nsteps: [peer2.recv]", "3:9: steps[0]: `peer2` needs `topology: wire`$")]
#[case(
    "topology: wire\nfamily: [4, 6]\nsteps: [peer.send: {icmp: source-quench}]",
    "4:20: steps[0].peer.send: `source-quench` is no message under ipv6$"
)]
#[case(
    "topology: wire\nsteps: [host.link: {mtu: 1501}]",
    "3:26: steps[0].host.link.mtu: 1501 is out of bounds here, expected 128 to 1500$"
)]
#[case(
    "family: [4, 6]\nsteps: [host.link: 1279]",
    "3:20: steps[0].host.link: 1279 is out of bounds here, expected 1280 to 65535$"
)]
#[case(
    "topology: wire\ngiven: listen\nsteps: [host.link: {mtu: 128}, \
    peer.send: {udp: 101, to: server}]",
    "4:49: steps[1].peer.send.udp: 101 bytes do not fit a packet of the wire, expected at most \
    100, or `fragment`$"
)]
#[case(
    "topology: wire\nsettings: {linux: {route.quickack: 2}}\nsteps: [pause: 1ms]",
    "3:36: settings.linux.route.quickack: 2 is out of bounds, expected 0 to 1$"
)]
fn mistakes_of_a_case(#[case] rest: &str, #[case] expected: &str) {
    assert_error(format!("about: x\n{rest}\n"), &format!("foo.yaml:{expected}"));
}
