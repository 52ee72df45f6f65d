//! Cases of the wire against a scripted stack, from their text to their transcript.

use crate::model::flags::TcpFlags;
use crate::model::host::LinkChange;
use crate::model::packet::{Packet, PacketBody};
use crate::model::peer::SegmentSpec;
use crate::model::wire::{End, address, peer_port};
use crate::model::{Answer, CaseId, Family, Name};
use crate::parse::parse_case;
use crate::record::transcript;
use crate::render::text;
use crate::run::{AnyCpu, Conditions, execute};
use crate::sys::fake::{Fake, Scripted, World};
use crate::sys::{Fd, HostAct, Request, Trouble};
use crate::wire::build::{Ends, Fields, segment};
use crate::wire::{Captured, CapturedBytes, decode};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The initial number of the scripted stack.
const ISS: u32 = 5_000;
/// The descriptor of the first socket.
const CLIENT: Fd = 3;

/// The little that these cases need of a TCP: one connection, begun by connect().
struct Stack {
    receive_next: u32,
    /// What TCP_INFO says.
    state: &'static str,
    reset: bool,
    acts: Arc<Mutex<Vec<HostAct>>>,
}

fn put(world: &mut World, flags: TcpFlags, seq: u32, ack: u32) {
    let port = peer_port(&Name::new("peer")).expect("peer is a peer");
    let ends = Ends {
        source: SocketAddr::new(address(End::Local, Family::V4), 40_000),
        destination: SocketAddr::new(address(End::Peer, Family::V4), port),
    };
    let spec = SegmentSpec { flags, ..SegmentSpec::default() };
    let fields = Fields { seq, ack, window: 1000, ..Fields::default() };
    let bytes = CapturedBytes::Ip(segment(ends, &spec, &fields));
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    world.packets.push(Captured { at, bytes });
}

impl Stack {
    fn called(&mut self, request: &Request, world: &mut World) -> Scripted {
        *self.acts.lock().expect("nobody panics with it") = world.acts.clone();
        match request {
            Request::Connect { .. } => {
                put(world, TcpFlags::SYN, ISS, 0);
                Scripted::Blocks
            }
            Request::Getsockopt { .. } => Scripted::Returns(Answer::Word(self.state.to_owned())),
            Request::Recv { .. } if self.reset => Scripted::Fails("ECONNRESET"),
            _ => Scripted::Plain,
        }
    }

    fn arrives(&mut self, bytes: &[u8], world: &mut World) {
        let PacketBody::Tcp(tcp) = decoded(bytes).body else {
            return;
        };
        if tcp.flags.has(TcpFlags::RST) {
            self.reset |= tcp.seq == self.receive_next || tcp.flags.has(TcpFlags::ACK);
            world.wake(CLIENT, Answer::Value(0));
        } else if tcp.flags.has(TcpFlags::SYN) && self.receive_next == 0 {
            // A SYN in the connection is challenged (RFC 5961 §4).
            self.receive_next = tcp.seq.wrapping_add(1);
            world.wake(CLIENT, Answer::Value(0));
        }
        if !self.reset {
            put(world, TcpFlags::ACK, ISS + 1, self.receive_next);
        }
    }
}

fn decoded(bytes: &[u8]) -> Packet {
    decode(&Captured { at: Duration::ZERO, bytes: CapturedBytes::Ip(bytes.to_vec()) })
}

/// The transcript of a case, and what it did to the machine.
fn recorded(steps: &str, state: &'static str) -> Result<(String, Vec<HostAct>), Trouble> {
    let yaml = format!("about: a test\ntopology: wire\n{steps}");
    let case = parse_case(CaseId("t/t".to_owned()), Path::new("t.yaml"), yaml.as_bytes());
    let case = case.unwrap_or_else(|error| panic!("{error}"));
    let acts = Arc::<Mutex<Vec<HostAct>>>::default();
    let stack = Stack { receive_next: 0, state, reset: false, acts: Arc::clone(&acts) };
    let stack = Arc::new(Mutex::new(stack));
    let at_wire = Arc::clone(&stack);
    let fake = Fake::new(move |request, world| {
        stack.lock().expect("nobody panics with it").called(request, world)
    })
    .on_wire(move |bytes, world| {
        at_wire.lock().expect("nobody panics with it").arrives(bytes, world);
    });
    let conditions = Conditions::default();
    let log = execute(&case, 0, Family::V4, &fake, &conditions, &mut AnyCpu)?;
    let acts = acts.lock().expect("nobody panics with it").clone();
    Ok((text(&transcript(&case, &[log])), acts))
}

#[test]
fn numbers_are_printed_as_the_case_wrote_them() {
    let steps = "\
given: established
steps:
  - peer.send: {flags: R, seq: nxt+100}
  - peer.send: {flags: ., seq: 1, ack: una-1}
  - peer.send: {flags: S, seq: nxt+5}
  - peer.send: {flags: P., len: 2}
  - peer.send: R
  - client.recv: 1
";
    let expected = "\
peer.send(R, seq nxt+100)
    peer > client [R] seq nxt+100
    client > peer [.] seq 1 ack 1
peer.send(., seq 1, ack una-1)
    peer > client [.] seq 1 ack una-1
    client > peer [.] seq 1 ack 1
peer.send(S, seq nxt+5)
    peer > client [S] seq nxt+5
    client > peer [.] seq 1 ack 1
peer.send(P., len 2)
    peer > client [P.] seq 1 ack 1 len 2
    client > peer [.] seq 1 ack 1
peer.send(R)
    peer > client [R] seq 3
    client > peer [.] seq 1 ack 1
client.recv(1) = 0
";
    assert_eq!(recorded(steps, "ESTABLISHED").unwrap().0, expected);
}

/// Their numbers count like the peer's, which goes on as if nobody had sent anything.
#[test]
fn somebody_claims_to_be_another() {
    let steps = "\
given: established
steps:
  - peer.send: {flags: P., len: 3, from: \"192.0.2.77\"}
  - router.send: {flags: P., len: 2}
  - peer.send: {flags: P., len: 1}
";
    let expected = "\
peer.send(P., len 3, from \"192.0.2.77\")
    \"192.0.2.77\":peer > client [P.] seq 1 ack 1 len 3
    client > peer [.] seq 1 ack 1
router.send(P., len 2)
    router > client [P.] seq 1 ack 1 len 2
    client > peer [.] seq 1 ack 1
peer.send(P., len 1)
    peer > client [P.] seq 1 ack 1 len 1
    client > peer [.] seq 1 ack 1
";
    assert_eq!(recorded(steps, "ESTABLISHED").unwrap().0, expected);
}

#[test]
fn no_peer_waits_for_what_given_has_sent() {
    let steps = "given: established\nsteps:\n  - peer.recv: any\n";
    assert_eq!(recorded(steps, "ESTABLISHED").unwrap().0, "peer.recv(any) = nothing\n");
}

#[test]
fn what_a_peer_waits_for() {
    let steps = "\
steps:
  - client.socket: tcp
  - client.connect: {addr: peer, blocks: true}
  - peer.recv: S
  - peer.recv: any
  - peer.recv: {flags: S, within: 20ms}
  - peer2.recv: any
";
    let expected = "\
client.socket(tcp) = fd client
client.connect(peer) ...
    client > peer [S] seq 0
peer.recv(S) = client > peer [S] seq 0
peer.recv(any) = nothing
peer.recv(S) = nothing within 20ms
peer2.recv(any) = nothing
... client.connect(peer) still blocked
";
    assert_eq!(recorded(steps, "SYN_SENT").unwrap().0, expected);
}

#[test]
fn path_answers_while_a_call_is_inside() {
    let steps = "\
steps:
  - host.firewall: {reject: tcp-reset, at: path}
  - client.socket: tcp
  - client.connect: peer
  - client.recv: 1
";
    let expected = "\
host.firewall(reject tcp-reset path)
client.socket(tcp) = fd client
client.connect(peer) = 0
    client > peer [S] seq 0
    peer > client [R.] seq 0 ack 1 win 0
client.recv(1) = -1 ECONNRESET
";
    assert_eq!(recorded(steps, "CLOSE").unwrap().0, expected);
}

#[test]
fn segments_that_cannot_be_are_not_issued() {
    let steps = "\
steps:
  - client.socket: tcp
  - peer.send: S
  - router.send: {icmp: host-unreachable}
  - peer.send: {flags: S, to: closed-port}
";
    let told = recorded(steps, "CLOSE").unwrap().0;
    let expected = "\
client.socket(tcp) = fd client
peer.send(S) not issued: no connection, and not one listener
router.send(icmp host-unreachable) not issued: no packet to quote
peer.send(S, to closed-port)
    peer > closed-port [S] seq 0
";
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn machine_is_told_addresses_and_ports() {
    let steps = "\
steps:
  - server.socket: tcp
  - server.bind: local
  - host.firewall: {reject: icmp-port, at: in, port: server}
  - host.route: {to: peer, type: unreachable}
  - host.link: down
  - server.listen: 1
  - host.firewall: {reject: none, at: out}
";
    let (told, acts) = recorded(steps, "CLOSE").unwrap();
    assert!(told.contains("\nhost.route(unreachable peer)\nhost.link(down)\n"), "{told}");
    assert!(matches!(acts[0], HostAct::Firewall { incoming: true, port: Some(4001), .. }));
    assert!(matches!(&acts[1], HostAct::Route { to, .. } if to == "192.0.2.2/32"));
    assert_eq!(acts[2], HostAct::Link(LinkChange::Down));
    assert_eq!(acts[3], HostAct::Lift { incoming: false });
}

#[test]
fn state_that_is_not_reached_is_named() {
    let steps = "given: fin-wait-2\nsteps:\n  - client.close\n";
    let error = recorded(steps, "FIN_WAIT1").unwrap_err().to_string();
    assert_eq!(error, "given: client is FIN_WAIT1, not FIN_WAIT2");
}
