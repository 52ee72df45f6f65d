//! Floor 1: a transcript as text, one spelling for each event. Pure.
//!
//! This is the reference of the notation. Calls are written as strace writes them, socket first;
//! packets as tcpdump does, with names in place of ports.
//!
//! ```text
//! client.send(256) = 256
//!     client > server [P.] seq 1 ack 1 len 256
//!     server > client [.] seq 1 ack 257
//! conn.recv(128) = 128
//! ```
//!
//! # Sections
//! A matrix row follows a line `== how=rd`, several values are separated by blanks. What IPv6 did
//! follows `== ipv6` (`== how=rd ipv6`), and is there only where it differs from IPv4; a case with
//! one family names none.
//!
//! # Calls
//! ```text
//! client.socket(tcp) = fd client            client.socket(AF_INET, SOCK_STREAM, 0)
//! client.socket(tcp, nonblock) = fd client  b.bind(any:server) = 0
//! client.connect("127.0.0.2":server) = 0    server.accept() = fd conn
//! client.send("ping\n", MSG_OOB) = 5        b.sendto(4, MSG_DONTWAIT, a) = 4
//! client.recv(128, MSG_PEEK) = 4 "ping"     b.recvmsg(2) = 2 [MSG_TRUNC] from a
//! client.poll() = POLLIN|POLLHUP            client.poll(POLLIN|POLLRDHUP, 200ms) = 0
//! client.setsockopt(SO_LINGER, {onoff: 1, linger: 0}) = 0
//! client.getsockopt(SO_ERROR) = 0 ECONNREFUSED
//! client.getsockopt(TCP_INFO) = 0 ESTABLISHED tcpi_unacked 1
//! client.shutdown(SHUT_RDWR) = 0            client.fcntl(F_GETFL) = O_NONBLOCK
//! ep.epoll_ctl(add client, EPOLLIN|EPOLLET) = 0
//! ep.epoll_wait(2s) = client EPOLLIN|EPOLLHUP, conn EPOLLIN
//! ```
//! - Arguments stand in the order of the C function; what the case left out is left out here.
//!   Flags are joined by `|`, durations are as a case writes them.
//! - A socket's short word stands alone; without one there are the domain, unless it is the run's
//!   own, the type and the protocol.
//! - What has no name is a number: flags last and in hexadecimal, `MSG_DONTWAIT|0x8000000`; an
//!   option in decimal behind its level, `setsockopt(SOL_SOCKET, 7777, 1)`.
//! - Arguments in place of the usual ones come last: `iov 1025` (the data is in so many buffers),
//!   and those wrong on purpose: `fd 999`, `addrlen 8`, `buf bad`; an unmapped
//!   address is `bad`, an option's value of zero bytes, of a length of the case's choosing,
//!   `{len: 2}`.
//! - An address is the name of the socket that holds it, a word (`loopback`, `any`, `closed-port`)
//!   or a literal in quotes, each with `:PORT` where the port is given apart: `any:server`.
//! - Payloads and received data are in quotes with Rust's escapes (`\n`, `\0`, `\"`); bytes that
//!   are no UTF-8 are `\xff`.
//! - What is returned: a number; `-1 ECONNRESET`, with `, SIGPIPE` if the call raised it;
//!   `fd NAME`; events or flags, or 0 for none; for calls that fill in a value, `0` and the value.
//!   The address length that a call told, on request, follows: `= 0 server addrlen 16`.
//!   A process that ended inside the call: `= ? killed by SIGPIPE`.
//! - Control messages follow all that recvmsg() returned, on request, each by the name of its type
//!   and as much of its value as two runs share: `= 4 [MSG_ERRQUEUE] from peer IP_RECVERR
//!   {ECONNREFUSED, SO_EE_ORIGIN_ICMP port-unreachable, from peer}`, `= 4 from a SO_TIMESTAMP
//!   IP_PKTINFO loopback`, `cmsg 0/8` (level and type) where the name is not known.
//! - An address in an answer is `server` if it is that socket's own; another IP address with a port
//!   that `server` holds is `loopback:server`, `any:server`, `"127.0.0.2":server`.
//!   A socket's name says nothing of its own address, so `getsockname` tells the host too where it
//!   is neither loopback nor `local`: `any:client`. No name tells a port from an earlier one.
//!   An IPv4 address inside an IPv6 one (`::ffff:127.0.0.1`) has `mapped:` before it; an AF_UNIX
//!   socket without a name is `unnamed`.
//! - `fcntl(F_GETFL)` tells of the flags `O_NONBLOCK` or 0: the access mode and what a system adds
//!   of its own are not shown.
//! - Still inside, a call prints `server.accept() ...`, its end in a later step
//!   `... server.accept() = fd conn`, after the packets of that step; at the end of the case
//!   `... server.accept() still blocked`. The second pending call of a name is
//!   `server.accept()#2`. A call that could not be made: `conn.recv(128) not issued: no conn`.
//!
//! # Packets
//! ```text
//!     client > server [P.] seq 1 ack 1 len 256
//!     closed-port > client [R.] seq 0 ack 1 win 0
//!     client > server [P.U] seq 1 ack 1 len 1 urg 1
//!     client > server udp len 4
//!     closed-port > client icmp port-unreachable (client > closed-port udp)
//! ```
//! - Flags are letters of `FSRP.UEWe`, as tcpdump has them: `e` is AE (RFC 9768), once the nonce
//!   sum.
//! - `ack` only with the ACK flag, `len` only when not 0, `win 0` always when the window is zero,
//!   `urg 1` (the urgent pointer) always with the flag U, `reserved 8` where bits are set that
//!   nobody has named yet: as in `peer.send`, they are counted with AE, the lowest of four.
//! - On request, in this order: `win 512`, `options [mss 65495,sackOK]`, `ttl 64`, `tos 0`,
//!   `df`. With ECN's two bits `tos` has their name behind it: `tos 2 ECT(0)`, `tos 1 ECT(1)`,
//!   `tos 3 CE`.
//! - Options are tcpdump's words. The blocks of a selective acknowledgment are written as in
//!   `peer.send` and count as the acknowledgment does: `sack 11-21 31-41`. Fast Open is
//!   `tfo cookiereq` or `tfo cookie`. Of timestamps (`TS`) no clock is told, but with the ACK flag
//!   what is echoed where that is a number that the case has given to a peer, `TS ecr 100`, or no
//!   number of the far end: `TS ecr 0`, `TS ecr other`.
//! - Relative numbers are explained in `wire/relative.rs`, names in `record/mod.rs`, the words of
//!   ICMP in `wire/icmp.rs`. Any other protocol is `ip-proto-132`.
//!
//! # Several, and when
//! Equal neighbours of one step are one line that ends in ` x30`. Where a step makes its call more
//! than once and its packets repeat in rounds (SYN, RST, SYN, RST), the round is printed once, each
//! line with the number of rounds. Where a step is timed, a line ends in its band: the duration of
//! a call, for a packet the time since the line before it.
//!
//! # The wire
//! ```text
//! peer.send(S.)                             peer.send(P., seq nxt+100, len 10)
//!     peer > client [S.] seq 0 ack 1            peer > client [P.] seq nxt+100 ack 1 len 10
//! peer.send(udp 10, to server)              peer.send(R., seq {abs: 7}, bad checksum)
//! peer.send(S, from "192.0.2.77")           peer.send(udp 16, fragment [0-16,8-24])
//!     "192.0.2.77":peer > server [S] seq 0  peer.send(echo 8, to "192.0.2.255")
//! router.send(icmp host-unreachable, quote 28, of client)
//! peer.send(S, win 0, urg 1, options [mss 1460,raw 1e03aa], offset 4, reserved 5, to closed-port)
//! peer.recv(S) = client > peer [S] seq 0    peer.recv(P., len 10) = nothing within 1s
//! peer.recv(udp) = nothing                  peer.forget()
//! host.firewall(reject tcp-reset in server) host.firewall(drop out)
//! host.route(unreachable peer)              host.link(down)
//! host.sysctl(net.ipv4.tcp_retries2 3)      host.destroy(client)
//! ```
//! - What a peer does and what happens to the machine are lines of their own: the head is
//!   [`peer_head`], `peer.recv` ends in ` = ` and [`peer_answer`], a `host.` step is [`host_note`].
//!   The packet that is sent is the first packet line of its step.
//! - Fields stand as the case gave them, in the order of the header; what it left out is left out
//!   here. A number relative to the receiver's variables, `nxt+100`, is printed in that form in the
//!   packet line too ([`number_forms`]): its value would depend on the system.
//!
//! # Other lines
//! `pause 300ms`, `silence 150ms`, `signal client SA_RESTART`, `worker.kill(SIGKILL)`,
//! `worker.setrlimit(RLIMIT_NOFILE, 1)`, `worker.drop(capabilities)` and `worker.wait() = exited 0`
//! (or `killed by SIGTERM`, `still running`) are steps without a call. Under `silence`,
//! `    nothing for 150ms` says that no packet was seen, where packets are captured. The last line
//! of a run that had to be ended is `deadline 10s`.

mod answer;
mod call;
pub mod json;
pub mod ladder;
mod packet;
mod peer;

pub use answer::{Naming, answer};
pub use call::{head, quoted};
pub use peer::{host_note, number_forms, peer_answer, peer_head};

use crate::model::case::Family;
use crate::model::time::Shown;
use crate::model::transcript::{CallEvent, Event, Fate, Section, Transcript};
use std::fmt::Write;

/// What stands before a packet, and before `nothing for 150ms`.
pub const INDENT: &str = "    ";
/// What stands before the name of a section.
pub const SECTION: &str = "== ";

/// The body of a snapshot; every line ends with a line feed.
pub fn text(transcript: &Transcript) -> String {
    let mut text = String::new();
    for section in &transcript.sections {
        if let Some(title) = title(transcript, section) {
            let _ = writeln!(text, "{SECTION}{title}");
        }
        text.push_str(&body(section));
    }
    text
}

/// What names a section: `how=rd ipv6`. None where there is nothing to tell apart.
pub fn title(transcript: &Transcript, section: &Section) -> Option<String> {
    let mut words: Vec<String> =
        section.at.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let has_v4 = transcript.sections.iter().any(|s| s.family == Family::V4);
    if section.family == Family::V6 && has_v4 {
        words.push(Family::V6.to_string());
    }
    (!words.is_empty()).then(|| words.join(" "))
}

/// The lines of a section without its title.
pub fn body(section: &Section) -> String {
    let events = section.steps.iter().flat_map(|step| &step.events);
    events.fold(String::new(), |mut text, event| {
        let _ = writeln!(text, "{}", line(event));
        text
    })
}

/// The line of an event, without a line feed.
pub fn line(event: &Event) -> String {
    match event {
        Event::Call(call) => call_line(call),
        Event::Packet(event) => format!("{INDENT}{}", packet::line(event)),
        Event::Note(note) => note.clone(),
        Event::Nothing(time) => format!("{INDENT}nothing for {}", Shown(*time)),
        Event::Deadline(time) => format!("deadline {}", Shown(*time)),
    }
}

fn call_line(event: &CallEvent) -> String {
    let head = head(&event.subject, &event.spec);
    let nth = match event.nth_pending {
        0 | 1 => String::new(),
        n => format!("#{n}"),
    };
    let mut line = match &event.fate {
        Fate::Returned(_) => format!("{head} = {}", event.returned),
        Fate::Pending => format!("{head}{nth} ..."),
        Fate::Completed(_) => format!("... {head}{nth} = {}", event.returned),
        Fate::StillBlocked => format!("... {head}{nth} still blocked"),
        Fate::NotIssued(reason) => format!("{head} not issued: {reason}"),
    };
    end_line(&mut line, event.count, event.band);
    line
}

/// How often, and when.
fn end_line(line: &mut String, count: u32, band: Option<&str>) {
    if count > 1 {
        let _ = write!(line, " x{count}");
    }
    if let Some(band) = band {
        let _ = write!(line, " {band}");
    }
}

/// A body as a machine that sees no packets would have recorded it.
pub fn calls_only(body: &str) -> String {
    let mut kept = String::new();
    // The lines of the section before, to tell whether IPv6 still has something of its own to say.
    let mut before = ("", String::new());
    for (title, lines) in sections(body) {
        let lines: String =
            lines.split_inclusive('\n').filter(|line| !line.starts_with(INDENT)).collect();
        let twin = title.strip_suffix("ipv6").map(str::trim_end);
        if twin == Some(before.0) && lines == before.1 {
            continue;
        }
        if !title.is_empty() {
            let _ = writeln!(kept, "{SECTION}{title}");
        }
        kept.push_str(&lines);
        before = (title, lines);
    }
    kept
}

/// The sections of a body: title and lines. What stands before the first title has an empty one.
fn sections(body: &str) -> Vec<(&str, &str)> {
    let mut starts = vec![0];
    let inner = body.match_indices('\n').map(|(at, _)| at + 1);
    starts.extend(inner.filter(|at| body[*at..].starts_with(SECTION)));
    starts.push(body.len());
    starts
        .windows(2)
        .map(|ends| &body[ends[0]..ends[1]])
        .filter(|section| !section.is_empty())
        .map(|section| match section.strip_prefix(SECTION) {
            Some(titled) => titled.split_once('\n').unwrap_or((titled, "")),
            None => ("", section),
        })
        .collect()
}

#[cfg(test)]
mod tests;
