//! From hand-built logs with real packet bytes to the text of a snapshot.

mod build;
mod lines;
mod naming;
mod wire;

use super::transcript;
use crate::model::transcript::Fate;
use crate::model::{Answer, Call};
use crate::render::text;
use crate::run::log::RunLog;
use build::{
    CLIENT, SERVER, V4, accept, accepted, case, connect, established, failed, given, holds, icmp,
    log, ok, ours, recv, send, step, tcp, udp,
};
use std::time::Duration;

fn recorded(log: RunLog) -> String {
    text(&transcript(&case(), &[log]))
}

#[test]
fn connect_to_a_closed_port() {
    let steps = vec![
        step(failed("client", connect("nobody"), "ECONNREFUSED"))
            .packet(tcp(CLIENT, 7, "S", 500, 0, 0, 65495))
            .packet(tcp(7, CLIENT, "R.", 0, 501, 0, 0)),
        step(ok("client", Call::Close, Answer::Value(0))),
    ];
    let expected = "\
client.connect(nobody) = -1 ECONNREFUSED
    client > closed-port [S] seq 0
    closed-port > client [R.] seq 0 ack 1 win 0
client.close() = 0
";
    assert_eq!(recorded(log(steps)), expected);
}

#[test]
fn close_while_data_is_unread() {
    let steps = vec![
        step(ok("client", send(256), Answer::Value(256)))
            .packet(tcp(CLIENT, SERVER, "P.", 501, 901, 256, 512))
            .packet(tcp(SERVER, CLIENT, ".", 901, 757, 0, 512)),
        step(ok("conn", recv(128), ours(128))),
        step(ok("conn", Call::Close, Answer::Value(0)))
            .packet(tcp(SERVER, CLIENT, "R.", 901, 757, 0, 512)),
        step(failed("client", recv(256), "ECONNRESET")),
        step(ok("client", recv(256), ours(0))),
    ];
    let expected = "\
client.send(256) = 256
    client > server [P.] seq 1 ack 1 len 256
    server > client [.] seq 1 ack 257
conn.recv(128) = 128
conn.close() = 0
    server > client [R.] seq 1 ack 257
client.recv(256) = -1 ECONNRESET
client.recv(256) = 0
";
    assert_eq!(recorded(established(steps)), expected);
}

#[test]
fn a_syn_in_an_old_connection_is_challenged() {
    let steps = vec![
        step(failed("client", connect("server"), "ETIMEDOUT"))
            .packet(tcp(CLIENT, SERVER, "S", 2_000_000_000, 0, 0, 512))
            .packet(tcp(SERVER, CLIENT, ".", 901, 501, 0, 512))
            .packet(tcp(CLIENT, SERVER, "R", 501, 0, 0, 0))
            .packet(tcp(CLIENT, SERVER, "S", 2_000_000_000, 0, 0, 512)),
    ];
    let expected = "\
client.connect(server) = -1 ETIMEDOUT
    client > server [S] seq 0
    server > client [.] seq 1 ack 1
    client > server [R] seq 1 win 0
    client > server [S] seq 0
";
    assert_eq!(recorded(established(steps)), expected);
}

#[test]
fn connect_to_oneself() {
    let own = |flags, seq, ack, len| tcp(CLIENT, CLIENT, flags, seq, ack, len, 512);
    let steps = vec![
        step(ok("client", connect("client"), Answer::Value(0)))
            .holds(holds("client", V4, CLIENT))
            .packet(own("S", 500, 0, 0))
            .packet(own("S.", 500, 501, 0))
            .packet(own(".", 501, 501, 0)),
        step(ok("client", send(2), Answer::Value(2)))
            .packet(own("P.", 501, 501, 2))
            .packet(own(".", 503, 503, 0)),
    ];
    let expected = "\
client.connect(client) = 0
    client > client [S] seq 0
    client > client [S.] seq 0 ack 1
    client > client [.] seq 1 ack 1
client.send(2) = 2
    client > client [P.] seq 1 ack 1 len 2
    client > client [.] seq 3 ack 3
";
    assert_eq!(recorded(log(steps)), expected);
}

#[test]
fn a_datagram_to_a_closed_port() {
    let datagram = udp(CLIENT, 7, 4);
    let error = icmp(V4, 3, 3, &datagram.bytes);
    let steps = vec![
        step(ok("b", send(4), Answer::Value(4)))
            .holds(holds("b", [0; 4], CLIENT))
            .packet(datagram)
            .packet(error),
        step(failed("b", send(4), "ECONNREFUSED")),
    ];
    let expected = "\
b.send(4) = 4
    b > closed-port udp len 4
    closed-port > b icmp port-unreachable (b > closed-port udp)
b.send(4) = -1 ECONNREFUSED
";
    assert_eq!(recorded(log(steps)), expected);
}

#[test]
fn another_host_complains() {
    let hosts =
        [([192, 0, 2, 254], "router"), ([192, 0, 2, 1], "local"), ([10, 0, 0, 1], "\"10.0.0.1\"")];
    for (host, name) in hosts {
        let datagram = udp(CLIENT, 7, 4);
        let error = icmp(host, 3, 1, &datagram.bytes);
        let steps = vec![
            step(ok("b", send(4), Answer::Value(4)))
                .holds(holds("b", V4, CLIENT))
                .packet(datagram)
                .packet(error),
        ];
        let text = recorded(log(steps));
        let expected = format!("{name} > b icmp host-unreachable (b > closed-port udp)");
        assert!(text.contains(&expected), "{text}");
    }
}

#[test]
fn what_given_did_is_not_printed_but_gives_names_and_numbers() {
    let mut log = established(vec![
        step(ok("client", send(1), Answer::Value(1)))
            .packet(tcp(CLIENT, SERVER, "P.", 501, 901, 1, 512)),
    ]);
    let expected = "client.send(1) = 1\n    client > server [P.] seq 1 ack 1 len 1\n";
    assert_eq!(recorded(log.clone()), expected);
    log.given.clear();
    let absolute = recorded(log);
    assert!(absolute.contains("client > closed-port [P.] seq 501 ack 901"), "{absolute}");
}

#[test]
fn a_pending_accept_follows_the_packets_of_its_step() {
    let mut begun = accept();
    begun.fate = Fate::Pending;
    let steps = vec![
        step(begun.clone()),
        step(ok("client", connect("server"), Answer::Value(0)))
            .holds(holds("client", V4, CLIENT))
            .holds(accepted("conn", V4, SERVER))
            .packets(given::handshake())
            .completed(accept()),
    ];
    let mut log = log(steps);
    log.steps[0].holders = vec![holds("server", V4, SERVER)];
    log.blocked = vec![begun];
    log.deadline = Some(Duration::from_secs(10));
    let expected = "\
server.accept() ...
client.connect(server) = 0
    client > server [S] seq 0
    server > client [S.] seq 0 ack 1
    client > server [.] seq 1 ack 1
... server.accept() = fd conn
... server.accept() still blocked
deadline 10s
";
    assert_eq!(recorded(log), expected);
}
