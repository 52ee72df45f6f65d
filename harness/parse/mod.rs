//! Floor 1: YAML -> a [`Case`], and the JSON schema of the language.
//!
//! This page is the reference of the case language: whoever has read it can write any case.
//!
//! # A case
//!
//! A case is one YAML file below `cases/` and asks one question:
//!
//! ```yaml
//! # yaml-language-server: $schema=../case.schema.json
//! about: >
//!   close() while received data is still unread: RST or FIN?
//! spec: [RFC 1122 §4.2.2.13, RFC 2525 §2.17]
//! family: [4, 6]
//! given: established
//! steps:
//!   - client.send: 256
//!   - conn.recv: 128            # 128 bytes stay unread
//!   - conn.close
//!   - client.recv: 256
//! ```
//!
//! There are no expectations in it, no loops and no variables but those of the matrix. Its keys
//! stand in this order:
//!
//! - `about`: the question, in words; required.
//! - `spec`: references: `[RFC 9293 §3.5.2]`.
//! - `covers`: ids of the behaviours and article situations that it answers: `[E3]`.
//! - `tags`: words of `[a-z0-9-]` to select cases by.
//! - `topology`: `loopback` (default): both ends are local sockets; `wire`: the far end is the
//!   scripted peer, see below.
//! - `family`: `[4]` (default), `[6]`, or `[4, 6]` to run under both.
//! - `given`: the state brought about before recording starts, see below.
//! - `needs`: capabilities beyond those that follow from the case: words of
//!   [`crate::model::Capability`].
//! - `settings`: `{linux: {net.ipv4.tcp_syn_retries: 1}}`: by platform, only below `net.`. On
//!   a wire also `route.quickack: 0`: what comes is not acknowledged at once, as otherwise, but
//!   when the stack does so by itself. `net.ipv4.tcp_rto_min_us` is carried by the routes where the
//!   kernel has no such setting (before 6.11), and switches off the probe for a lost tail, which
//!   does not follow it, too, unless the case pins `net.ipv4.tcp_early_retrans`.
//! - `matrix`: `{how: [rd, wr]}`: lists of values, see below.
//! - `processes`: `{worker: [server, conn]}`: children, and the sockets that live in them.
//! - `show`: `[options, window, ttl, tos, df]` (the window as it is in the segment), or
//!   `{packets: [ttl], calls: [b.bind, b.listen]}` to keep only those calls.
//! - `patience`: how long a call without `blocks: true` may stay inside (`3s`).
//! - `deadline`: how long a run may take (`10s`).
//! - `claims`: what somebody says happens, see below.
//! - `steps`: what is done; required, at most 64.
//!
//! Durations are a number and a unit: `300ms`, `1.5s`, `2min`.
//!
//! # Steps
//!
//! A step is `subject.verb`, or `subject.verb: object`, or one of `pause: 300ms`, `silence: 150ms`
//! (which records that nothing was sent meanwhile, or what was; with bands: `silence: {for: 7s,
//! timed: true}`) and `signal: client`, see below. The subject is a socket, a process, a peer of
//! the wire, or the `host`. Names are `[a-z][a-z0-9-]*`; by convention `server` listens, `client`
//! connects and `conn` was accepted. `peer`, `host`, `router`, `closed-port`, `local` and the
//! words for addresses are reserved.
//!
//! Nothing makes a socket but `socket`, `accept`, `dup`, `recvmsg`, `epoll_create` and `given`; a
//! step on a socket that no earlier step could have made is a bad case. A name may be given again:
//! it then stands for the new socket.
//!
//! The object is the one obvious argument, or a map when there are more. Below, the keys of that
//! map follow the short form; a key in bold has to be there.
//!
//! - `socket`: `tcp` `udp` `unix-stream` `unix-dgram` `unix-seqpacket`; `tcp4` `tcp6` `udp4`
//!   `udp6` whatever the run's family. Keys: **`type`**: one of these, `SOCK_STREAM` … or a
//!   number; `domain`: `AF_INET` `AF_INET6` `AF_UNIX` or a number, the run's unless given;
//!   `protocol`: a number; `nonblock: true`.
//! - `bind`, `connect`: an address. Keys: **`addr`**, `port`.
//! - `listen`: the backlog. Keys: **`backlog`**.
//! - `accept`: the new socket's name; alone it is `conn`. Keys: `name`, `flags`:
//!   `SOCK_NONBLOCK` `SOCK_CLOEXEC`, `show: address` (that accept() returns of the far end),
//!   `addrlen` (its length, as the call tells it) or both.
//! - `send` `sendto` `sendmsg`: a length, or text in quotes. Keys: **`len` or `data`**,
//!   `flags`: `MSG_…`, `to`: an address; of `sendmsg` also `iov`, and `fds: [client, server]`:
//!   these descriptors go along (SCM_RIGHTS, AF_UNIX only).
//! - `write` `writev`: a length, or text in quotes. Keys: **`len` or `data`**; of `writev` also
//!   `iov: 3`: the data is in so many buffers (of one length; the last has the rest).
//! - `sendfile`: a length, or text in quotes: what stands in the file, all of which is to be sent.
//!   The file is the harness's own. Keys: **`len` or `data`**.
//! - `recv` `recvfrom` `recvmsg`: a length. Keys: **`len`**, `flags`: `MSG_…`, `show: data`; of
//!   `recvmsg` also `show: control`, or `[control, data]`: the control messages that come along,
//!   `iov`, and `fds: [c, d]`: names for the descriptors that come along, in their order. There is
//!   room for exactly so many, with `fds: []` for none; without `fds` there is room for many, and
//!   they stay without a name until the run ends.
//! - `read` `readv`: a length. Keys: **`len`**, `show: data`; of `readv` also `iov`.
//! - `shutdown`: `rd` `wr` `rdwr` or a number. Keys: **`how`**.
//! - `close`: stands alone.
//! - `dup`: the new socket's name. Keys: **`name`**.
//! - `fcntl`: `O_NONBLOCK` (set it), `~O_NONBLOCK` (clear it), `F_GETFL` (of the flags tells
//!   `O_NONBLOCK` or 0), `F_GETFD`. Keys: **`cmd`**.
//! - `chmod`: the mode of the path that the socket is bound to, three octal digits in quotes:
//!   `"600"`. Keys: **`mode`**.
//! - `ioctl`: `FIONREAD` `SIOCATMARK` `SIOCOUTQ`. Keys: **`request`**.
//! - `setsockopt`: an option's name, or a list of names: each is set to 1. Keys: the options
//!   themselves, or `level`, `option`, `value`, see below.
//! - `getsockopt`: an option's name. Keys: **`option`**, `level`; of `TCP_INFO`, which tells the
//!   state, also `show: [tcpi_unacked]`: fields that are the same in every run.
//! - `getsockname` `getpeername`: alone, or `addrlen`: the length that the call tells is recorded
//!   too (where it is known before: a name of AF_UNIX is longer by the path of the run's folder).
//!   Keys: `show: addrlen`.
//! - `poll`: alone: POLLIN and POLLOUT without waiting; or a list of events. Keys: `events`,
//!   `timeout`.
//! - `select`: alone: without waiting; or a duration. Keys: `timeout`.
//! - `epoll_create`: stands alone, makes its subject.
//! - `epoll_ctl`: **`add`, `mod` or `del`**: a socket, `events`: `EPOLL…`.
//! - `epoll_wait`: alone: without waiting; or a duration. Keys: `timeout`.
//!
//! A length stands for that many bytes counting up from 0; text without quotes that YAML does not
//! read as a number (`10 bytes`, `1_000`) is sent as it stands. Flags and events are a word,
//! words with `|` between them, or a list. Flags of calls may be numbers, too: `[MSG_OOB, 128]`,
//! `MSG_OOB|0x80`; the numbers are each system's own. In any map:
//!
//! - `blocks: true`: the call belongs to a second thread; the case goes on as soon as that
//!   thread sleeps.
//! - `timed: true`: durations are part of the record, in bands
//!   ([`crate::model::time::BANDS`]).
//! - `times: 30`, `times: until-error`: the call is made that often (`until-error`: at most 10,000
//!   times), each when what the one before it caused has settled. A call that stays inside is the
//!   last one.
//! - `for: 8s`: in place of the case's `patience`.
//! - `fd: 999`: this descriptor number; the subject is then only a name, no socket is needed.
//!   900 or more, or negative: the harness has descriptors of its own below.
//! - `addrlen: 8`: this address length, which may be negative; only where there is an address. An
//!   address in an answer that was cut by it is not told.
//! - `buf: bad`: an unmapped address for the buffer (of `accept`, `getsockname`: for the
//!   address; of `setsockopt`, `getsockopt`: for the value); only where there is a buffer.
//!
//! ```yaml
//! steps:
//!   - server.socket: tcp
//!   - server.setsockopt: {SO_REUSEADDR: 1, SO_RCVBUF: 4096}
//!   - server.bind: loopback
//!   - server.listen: 5
//!   - server.accept: {name: b, flags: SOCK_NONBLOCK, blocks: true}
//!   - client.socket: {type: tcp, nonblock: true}
//!   - client.connect: server
//!   - client.poll: {events: [POLLOUT], timeout: 200ms}
//!   - client.getsockopt: SO_ERROR
//!   - client.send: "hello"
//!   - b.recv: {len: 16, flags: MSG_PEEK|MSG_DONTWAIT, show: data}
//!   - client.send: {len: 1000, times: until-error}
//!   - pause: 300ms
//!   - client.close
//! ```
//!
//! ## Addresses
//!
//! `loopback`, `any`, `closed-port`, on the wire `local` (our side), `peer` and `peer2` … `peer16`
//! (each with its port), `unspec` (AF_UNSPEC),
//! `bad` (an unmapped address), the name of a socket (its own address), or a literal: `127.0.0.2`,
//! `"127.0.0.2:80"`, `"::1"`, `"[::1]:80"`, and for AF_UNIX `"@abstract"` or `"name.sock"` (no
//! paths: a case stays in its own folder). The harness chooses ports; `{addr: any, port: server}`
//! is the port of `server`, `port` may also be `closed-port`, `0` or a number. A literal port, and
//! a literal host that is not this one, need a namespace of the case's own.
//!
//! ## Options of `setsockopt`
//!
//! One call for each option, in the order written. The names are those of [`crate::model::option`].
//! A value is a number; a duration where the option is a time (`{SO_RCVTIMEO: 100ms}`,
//! `{TCP_USER_TIMEOUT: 2s}`); `{SO_LINGER: {onoff: 1, linger: 0}}`; text for `TCP_CONGESTION`; or
//! `{len: 2}`: that many zero bytes, whatever length the option wants. What is no duration, or none
//! that a system would take, is a timeval by its fields, where the option has one:
//! `{SO_RCVTIMEO: {sec: 0, usec: 1000000}}`.
//!
//! An option without a name stands alone, with its level: `{level: SOL_SOCKET, option: 7777, value:
//! 1}`, for `getsockopt` `{level: 6, option: 7777}`. The level is `SOL_SOCKET`, one of `IPPROTO_IP`
//! `IPPROTO_IPV6` `IPPROTO_TCP` `IPPROTO_UDP`, or a number. Numbers are handed over as they stand,
//! and are each system's own: one number may be an option here and nobody's there. The value is an
//! `int` from -1 to 65535. Options below 1024 are set in a namespace of the case's own only: some
//! of them lead a socket to another device.
//!
//! ## Signals
//!
//! `signal: client` sends a signal to the thread that is inside a call of `client` (of several, the
//! one begun last). Its handler does nothing: what becomes of the call is the question. Keys:
//! **`to`**, `flags: SA_RESTART`: how the handler was installed, without any flag unless given.
//!
//! ```yaml
//! given: established
//! steps:
//!   - client.recv: {len: 256, blocks: true}
//!   - signal: {to: client, flags: SA_RESTART}
//!   - signal: client
//! ```
//!
//! ## Processes
//!
//! `worker.kill: SIGKILL` sends a signal, `worker.exit` calls exit(0), `worker.wait` awaits the end
//! and tells it, or `still running` after the case's `patience`. `worker.setrlimit:
//! {RLIMIT_NOFILE: 1}` sets the soft limit: descriptors of this number and above cannot be made
//! until it is raised again; poll() takes no more descriptors either. `worker.drop: capabilities`
//! takes from all its threads, for good, what they may do beyond others (capabilities(7)): they
//! then get the answers that an ordinary user gets, whoever runs the case. `worker.setuid: nobody`
//! makes it, for good, a process of this user, who owns none of the run's files and sockets, and is
//! in no group of who does. `worker` has to stand
//! under `processes`. A step in a process that has ended is not issued.
//!
//! A socket that is accepted or duplicated into a process is made there, through a copy of its
//! listener such as fork() would have left: the process keeps that copy until it ends, so that
//! closing the listener alone does not end it.
//!
//! # The wire
//!
//! Under `topology: wire` the machine's real sockets talk to a scripted peer. It sees every packet,
//! can send any, and answers nothing by itself: no ACK, no RST.
//!
//! ```yaml
//! about: >
//!   The peer has rebooted and knows nothing of the connection: what does data bring about?
//! topology: wire
//! given: established
//! steps:
//!   - peer.forget
//!   - client.send: 10
//!   - peer.recv: {flags: P., within: 1s}
//!   - peer.send: {flags: R, seq: nxt}
//!   - client.recv: 256
//! ```
//!
//! The subjects are `peer`, `peer2` … `peer16`, which differ by port, and `router`, a third address
//! that only sends.
//!
//! ## `send`
//! Flags in tcpdump's letters `FSRP.UEWe`, or `none`; what is absent follows the peer's own
//! connection: `peer.send: S.` answers a SYN. One key of the map tells what is sent.
//!
//! - A segment. Keys: **`flags`**; `seq`, `ack`: numbers, see below; `len` or `data`: what it
//!   carries; `win`: the window, unscaled; `urg`: the urgent pointer; `options`: a list of
//!   `mss 1460`, `wscale 7`, `sackOK`, `sack 1-100 200-300`, `ts 100 0`, `nop`, `eol` and
//!   `raw 1e03aa` (these bytes, right or wrong), filled up to whole words with zeros;
//!   `bad: checksum`; `offset`: the data offset in words, right or wrong; `reserved`: the four
//!   bits behind it, 0 to 15, of which 1 is the flag `e`; `ttl`; `tos`: type of service or
//!   traffic class; `fragment: 24`: cut into IP fragments of so many bytes, or `fragment: [0-24,
//!   16-40]`: these bytes of what follows its IP header, in this order, the last ones with "more
//!   fragments" off whenever they are sent (all of one peer have the same identification, so that
//!   pieces may be sent in several steps, with the same `seq`; each step tells the packet that was
//!   cut, `--pcap` its pieces); `to`: a local socket, `closed-port`, or another address in quotes,
//!   else where the peer's last SYN went or came from, one to `closed-port` beside a connection
//!   not counted, else the only listener. Without `options` a SYN has `mss 1460`, any other segment
//!   none, but both have timestamps where both SYNs had.
//! - A datagram. Keys: **`udp`**: a length, or text in quotes; `length`: the length field, which
//!   counts 8 bytes of header too, right or wrong; `bad: checksum`, or `no-checksum`: 0, which is
//!   none; `ttl`; `tos`; `fragment`; `to`.
//! - An ICMP echo request. Keys: **`echo`**: a length, or text in quotes; `bad: checksum`; `ttl`;
//!   `tos`; `fragment`; `to`: an address in quotes in place of this machine's own.
//! - An ICMP error (under IPv6 the message of ICMPv6 that corresponds). Keys: **`icmp`**: the word
//!   of a message, one of [`crate::model::icmp::ERRORS`], or its numbers, `type 3 code 16`;
//!   `quote`: so many bytes of the packet behind its IP header; `of`: the socket whose last packet
//!   is quoted, else the last of all; `seq`: a number that the quoted segment has in place of its
//!   own, counted as `ack` is; `sport`, `dport`: ports that it has in place of its own; `mtu`, for
//!   `fragmentation-needed`; `gateway`, which redirects need: an address in quotes;
//!   `bad: checksum`; `ttl`.
//! - A packet of any protocol. Keys: **`proto`**: its number, under IPv6 the next header; `len`,
//!   `data` or `raw: "3b00c004"` (these bytes): all that follows the IP header, checksums and
//!   extension headers included; `ttl`; `tos`; `fragment`; `to`: as of an echo request. A
//!   connection that its bytes may be of does not notice at the peer's end.
//!
//! A packet has at most 1500 bytes (or what `host.link` says), and one cut by `fragment` 65,535.
//!
//! What is damaged (`bad: checksum`, an `offset` that is wrong) counts as lost: the next segment
//! has the same number again. A SYN inside a connection counts once it is answered by a SYN.
//!
//! `from: peer2` names another sender: `peer.send: {flags: R, from: router}` is
//! `router.send: R`. A packet may also claim to be somebody else's: `from: "192.0.2.77"` is another
//! host's, at the peer's port, `from: server` the socket's own address. It has the numbers of the
//! peer's connection, which does not notice; a host that has sent a SYN has a connection of its
//! own. `timed` and `times: 3` are as for calls.
//!
//! A number is what a transcript prints; `{abs: 7}` is the number on the wire; `nxt+100` counts
//! from a variable of the receiver (RFC 9293 §3.3.1) and is printed in that form: for `seq` from
//! `nxt` (RCV.NXT) or `wnd` (RCV.NXT + RCV.WND, the first number beyond the window), for `ack` from
//! `nxt` (SND.NXT) or `una` (SND.UNA); a connection with that peer has to have begun. It is never
//! `+100`: YAML reads +100 and 100 alike. Printed numbers count from each side's last SYN,
//! whatever number that had. So do the acknowledgments of a peer; those of the local stack count
//! from the SYN that it has accepted, so that `ack 1` may be of the connection before (see
//! [`crate::wire::relative`]). The 0 of a RST that RFC 9293 §3.10.7.1 asks for is printed as 0.
//!
//! ## `recv` and `forget`
//! `peer.recv` takes the oldest packet that matches and that no `recv` has taken yet, or records
//! that none came; packets of `given` do not count. Alone it takes any; in short it is flags,
//! exactly these, or `tcp` `udp` `icmp` `any`. Keys: `flags`, `len`; or `proto`: one of these
//! words; `within: 1s`: how long it waits, not at all unless given. `peer.forget`: the peer loses
//! all memory, as by a reboot; its next SYN has another initial number.
//!
//! ## `host`
//! What happens to the machine around a run. On loopback, too.
//!
//! - `host.firewall`: from now on packets are refused. Keys: **`reject`**: `tcp-reset` `icmp-port`
//!   `icmp-admin` `icmp-host` `drop`, or `none`: what was refused there is refused no longer; `at`:
//!   `in` (unless given), `out`, or `path`: on the wire, what this machine sends and the peer does
//!   not get; `port`: a socket or a peer: only packets to its port. Of several at one place the
//!   first decides that meets a packet.
//! - `host.route`: `peer`, `default`, or an address or network in quotes. Keys: **`to`**, `type`:
//!   `unreachable` (unless given) `blackhole` `prohibit` `none`.
//! - `host.link`: `down` or `up`: the wire's link, on loopback `lo`. Its IPv6 address, which the
//!   kernel takes away with `down`, is given back with `up`, as by whoever configures networks.
//!   Keys: **`state`**, or **`mtu`**: how many bytes a packet may have from here on, 128 to 1500,
//!   under IPv6 at least 1280; on loopback up to 65,535.
//! - `host.sysctl`: settings that change in the middle of a run: `{net.ipv4.tcp_retries2: 3}`.
//! - `host.destroy`: that socket is aborted from outside, its connection, or it itself if it is a
//!   listener or sends datagrams; not issued if there is none. Keys: **`socket`**; `far`: of a
//!   listener, the far end of a handshake that is not done.
//!
//! ```yaml
//! topology: wire
//! given: listen
//! matrix:
//!   seq: [nxt-1, 0, {abs: 0}]
//! steps:
//!   - client.socket: {type: tcp, nonblock: true}
//!   - client.bind: local
//!   - client.connect: peer2
//!   - peer2.recv: S
//!   - peer2.send: {flags: S., options: [mss 1460, nop, wscale 7]}
//!   - peer.send: {flags: S, to: closed-port}
//!   - peer.send: {flags: R, seq: $seq, to: client, from: peer2, bad: checksum}
//!   - router.send: {icmp: host-unreachable, quote: 28, of: client}
//!   - host.firewall: {reject: tcp-reset, at: in, port: server}
//!   - host.sysctl: {net.ipv4.tcp_retries2: 3}
//!   - silence: {for: 3s, timed: true}
//! ```
//!
//! # Given
//!
//! A state by its name in RFC 9293, or `{state: established, by: accept}`. On loopback: `closed`
//! (default), `listen` (a `server` with backlog 8 and an unconnected `client`) and `established`
//! (`client`, `server` and `conn`). The other states need the wire: `syn-sent`, `syn-received`,
//! `fin-wait-1`, `fin-wait-2`, `close-wait`, `closing`, `last-ack` and `time-wait`. There the local
//! socket is `client` when it connected, and `conn` beside the listener `server` when it accepted
//! (`syn-received`: `server` alone, nothing is accepted yet); `by` is `connect` unless given, but
//! `accept` for `syn-received`. `listen` makes `server` alone. `options` are those of the peer's
//! SYN, `{state: fin-wait-2, options: [mss 1460, sackOK, ts 1000 0]}`: without them nothing is
//! agreed upon.
//!
//! # Matrix
//!
//! Every combination of values is run for itself; the first variable changes slowest. In `given`,
//! `settings` and `steps`, `$how` stands for the value and `$at.0` for an item of a value that is
//! a list; inside text and keys too (`$who.close`, `{$option: 1}`). A variable whose value is a
//! list, written alone as an item of a list, puts its items there; a step whose object becomes
//! `[]` is left out:
//!
//! ```yaml
//! matrix:
//!   before: [[], [SO_REUSEADDR], [SO_REUSEADDR, SO_REUSEPORT]]
//!   how: [rd, wr]
//! steps:
//!   - client.setsockopt: $before
//!   - client.shutdown: $how
//! ```
//!
//! # Claims
//!
//! A claim has a `source` and what it `says`, and lines of a transcript that must occur in this
//! order (`expect`) or must not occur (`never`). `platforms` is one or a list of `linux`,
//! `linux 6.12`, `linux <4.12`, `linux >=6.5`, `linux 5.10..6.1`; `row` picks a row of the matrix
//! or a family (`{how: rd}`, `{family: 6}`).
//!
//! ```yaml
//! claims:
//!   - source: RFC 9293 §3.10.7.1
//!     says: a SYN to a closed port is answered by a RST that acknowledges it
//!     expect: |
//!       closed-port > client [R.] seq 0 ack 1
//! ```
//!
//! # YAML
//!
//! One document in UTF-8, without tabs, merge keys and tags of its own (`!x`); anchors and
//! aliases are allowed. Text that YAML reads as a number needs quotes. The bounds are in
//! [`crate::model::limits`].

mod address;
mod args;
mod call;
mod claim;
mod error;
mod hash;
mod header;
mod host;
mod language;
mod matrix;
mod node;
mod packet;
mod peer;
mod room;
mod schema;
mod scope;
mod settings;
mod step;
mod tree;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_bounds;
#[cfg(test)]
mod tests_errors;
#[cfg(test)]
mod tests_wire;
#[cfg(test)]
mod tests_wire_errors;

pub use error::CaseError;

use crate::model::{Case, CaseId};
use std::path::Path;

/// Reads a case.
///
/// # Errors
/// Says where the case is wrong, what was expected, and what was probably meant. Whatever the
/// bytes are, reading them ends soon and never panics.
pub fn parse_case(id: CaseId, path: &Path, bytes: &[u8]) -> Result<Case, CaseError> {
    let text = tree::check_bytes(bytes).map_err(|trouble| trouble.in_file(path))?;
    let root = tree::read(text).map_err(|trouble| trouble.in_file(path))?;
    header::read(&root, id, path)
        .map_err(|fault| tree::locate(text, fault.id, fault.message).in_file(path))
}

/// The JSON schema of a case, as `cases/case.schema.json` holds it.
pub fn schema() -> String {
    schema::text()
}
