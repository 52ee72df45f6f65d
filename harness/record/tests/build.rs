//! Logs and packets, built by hand.

use crate::model::address::{AddrBase, AddrExpr};
use crate::model::call::{BadArgs, Call, CallSpec, Payload, RecvForm, SendForm};
use crate::model::case::{Case, CaseId, Family, Given, Row, Show, Topology};
use crate::model::transcript::Fate;
use crate::model::{Address, Answer, Errno, Name, Outcome, Packet};
use crate::run::log::{CallLog, Holder, RunLog, StepLog};
use crate::wire::{Captured, CapturedBytes, decode};
use etherparse::PacketBuilder;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Loopback.
pub const V4: [u8; 4] = [127, 0, 0, 1];
/// The port of `client`.
pub const CLIENT: u16 = 50_000;
/// The port of `server`.
pub const SERVER: u16 = 20_000;

/// A case with one row, no steps and nothing special.
pub fn case() -> Case {
    Case {
        id: CaseId("rst/example".to_owned()),
        path: "cases/rst/example.yaml".into(),
        about: "what happens?".to_owned(),
        spec: vec![],
        covers: vec![],
        tags: vec![],
        topology: Topology::Loopback,
        families: vec![Family::V4],
        needs: vec![],
        processes: vec![],
        show: Show::default(),
        patience: Duration::from_secs(3),
        deadline: Duration::from_secs(10),
        claims: vec![],
        rows: vec![row(&[])],
        hash: String::new(),
    }
}

pub fn row(at: &[(&str, &str)]) -> Row {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Row {
        at: at.iter().map(owned).collect(),
        given: Given::CLOSED,
        settings: Default::default(),
        steps: vec![],
    }
}

pub fn log(steps: Vec<StepLog>) -> RunLog {
    let numbered = steps.into_iter().enumerate();
    let steps = numbered.map(|(i, step)| StepLog { index: Some(i), ..step });
    RunLog {
        row: 0,
        family: Family::V4,
        given: vec![],
        steps: steps.collect(),
        blocked: vec![],
        deadline: None,
        captured: true,
        settled: true,
        tokens: vec![],
    }
}

/// A log that begins with a connection: the client's initial number is 500, the server's 900.
pub fn established(steps: Vec<StepLog>) -> RunLog {
    RunLog { given: given::established(), ..log(steps) }
}

pub mod given {
    use super::*;

    pub fn handshake() -> Vec<Packet> {
        vec![
            tcp(CLIENT, SERVER, "S", 500, 0, 0, 65495),
            tcp(SERVER, CLIENT, "S.", 900, 501, 0, 65483),
            tcp(CLIENT, SERVER, ".", 501, 901, 0, 512),
        ]
    }

    pub fn established() -> Vec<StepLog> {
        vec![
            step(ok("server", Call::Listen(8), Answer::Value(0)))
                .holds(holds("server", V4, SERVER)),
            step(ok("client", connect("server"), Answer::Value(0)))
                .holds(holds("client", V4, CLIENT))
                .packets(handshake()),
            step(accept()).holds(accepted("conn", V4, SERVER)),
        ]
    }
}

pub fn step(call: CallLog) -> StepLog {
    StepLog { line: 9, calls: vec![call], ..StepLog::default() }
}

impl StepLog {
    pub(super) fn packet(mut self, packet: Packet) -> StepLog {
        self.packets.push(packet);
        self
    }

    pub(super) fn packets(mut self, packets: Vec<Packet>) -> StepLog {
        self.packets.extend(packets);
        self
    }

    pub(super) fn holds(mut self, holder: Holder) -> StepLog {
        self.holders.push(holder);
        self
    }

    pub(super) fn completed(mut self, call: CallLog) -> StepLog {
        let outcome = match call.fate {
            Fate::Returned(outcome) => outcome,
            other => panic!("expected an outcome, got {other:?}"),
        };
        self.completed.push(CallLog { fate: Fate::Completed(outcome), ..call });
        self
    }
}

pub fn holds(name: &str, ip: [u8; 4], port: u16) -> Holder {
    held(name, &SocketAddr::from((ip, port)).to_string())
}

/// A holder of an address as text, `[::]:80`.
pub fn held(name: &str, address: &str) -> Holder {
    Holder {
        name: name.into(),
        address: Address::Inet(address.parse().expect("an address")),
        is_datagram: false,
        accepted_by: None,
    }
}

pub fn accepted(name: &str, ip: [u8; 4], port: u16) -> Holder {
    Holder { accepted_by: Some("server".into()), ..holds(name, ip, port) }
}

fn call_log(subject: &str, call: Call, outcome: Outcome) -> CallLog {
    CallLog {
        subject: subject.into(),
        spec: CallSpec { call, bad: BadArgs::default() },
        fate: Fate::Returned(outcome),
        nth_pending: 1,
        began: Duration::ZERO,
        took: Some(Duration::from_millis(1)),
    }
}

pub fn ok(subject: &str, call: Call, answer: Answer) -> CallLog {
    call_log(subject, call, Outcome::ok(answer))
}

pub fn failed(subject: &str, call: Call, errno: &'static str) -> CallLog {
    call_log(subject, call, Outcome::failed(Errno::named(errno), 1))
}

pub fn accept() -> CallLog {
    let call = Call::Accept { name: "conn".into(), flags: vec![], show_address: false };
    ok("server", call, Answer::Fd(5))
}

pub fn connect(to: &str) -> Call {
    Call::Connect(AddrExpr { base: AddrBase::Socket(Name::new(to)), port: None })
}

pub fn send(len: usize) -> Call {
    Call::Send {
        form: SendForm::Send,
        payload: Payload::Len(len),
        flags: vec![],
        to: None,
        fds: [].into(),
    }
}

pub fn recv(len: usize) -> Call {
    let (form, flags) = (RecvForm::Recv, vec![]);
    Call::Recv { form, len, flags, show_data: false, show_control: false, fds: None }
}

/// That many bytes received.
pub fn ours(len: usize) -> Answer {
    let (data, flags, control, fds) = (vec![0; len], vec![], vec![], vec![]);
    Answer::Received { len, from: None, data, flags, control, fds }
}

fn captured(bytes: Vec<u8>) -> Packet {
    decode(&Captured { at: Duration::ZERO, bytes: CapturedBytes::Ip(bytes) })
}

pub fn tcp(from: u16, to: u16, flags: &str, seq: u32, ack: u32, len: usize, window: u16) -> Packet {
    let mut builder = PacketBuilder::ipv4(V4, V4, 64).tcp(from, to, seq, window);
    for flag in flags.chars() {
        builder = match flag {
            'F' => builder.fin(),
            'S' => builder.syn(),
            'R' => builder.rst(),
            'P' => builder.psh(),
            '.' => builder.ack(ack),
            other => panic!("`{other}` is not built here"),
        };
    }
    let mut bytes = Vec::new();
    builder.write(&mut bytes, &vec![0; len]).expect("room");
    captured(bytes)
}

/// The same packet between IPv6 addresses, as a raw socket gives it.
pub fn over_ipv6(packet: &Packet) -> Packet {
    let loopback: IpAddr = std::net::Ipv6Addr::LOCALHOST.into();
    decode(&Captured {
        at: packet.at,
        bytes: CapturedBytes::Transport {
            source: loopback,
            destination: loopback,
            protocol: packet.bytes[9],
            ttl: Some(64),
            tos: Some(packet.bytes[1]),
            bytes: packet.bytes[20..].to_vec(),
        },
    })
}

pub fn udp(from: u16, to: u16, len: usize) -> Packet {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4(V4, V4, 64).udp(from, to);
    builder.write(&mut bytes, &vec![0; len]).expect("room");
    captured(bytes)
}

pub fn icmp(source: [u8; 4], kind: u8, code: u8, quoted: &[u8]) -> Packet {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4(source, V4, 64).icmpv4_raw(kind, code, [0; 4]);
    builder.write(&mut bytes, quoted).expect("room");
    captured(bytes)
}
