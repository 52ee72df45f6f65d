//! Which lines there are, and in which order.

use super::build::{
    CLIENT, SERVER, V4, accept, case, connect, established, failed, holds, log, ok, ours,
    over_ipv6, recv, row, send, step, tcp, udp,
};
use super::recorded;
use crate::model::case::{Action, Family, ProcessVerb, ShowField, Step, Times};
use crate::model::peer::{SegmentSpec, TcpOption};
use crate::model::transcript::Fate;
use crate::model::{Address, Answer, Call, Case, Name, Packet};
use crate::record::transcript;
use crate::render::{calls_only, text};
use crate::run::log::{RunLog, StepLog};
use crate::wire::build::{Ends, Fields, segment};
use crate::wire::{Captured, CapturedBytes, decode};
use rstest::rstest;
use std::net::SocketAddr;
use std::time::Duration;

fn note(text: &str) -> StepLog {
    StepLog { note: Some(text.to_owned()), ..StepLog::default() }
}

fn after(packet: Packet, ms: u64) -> Packet {
    Packet { at: Duration::from_millis(ms), ..packet }
}

fn recorded_as(case: &Case, log: RunLog) -> String {
    text(&transcript(case, &[log]))
}

#[test]
fn silence_tells_nothing_or_what_came() {
    let silence = StepLog { silence: Some(Duration::from_millis(150)), ..note("silence 150ms") };
    let quiet = "silence 150ms\n    nothing for 150ms\n";
    assert_eq!(recorded(established(vec![silence.clone()])), quiet);
    let fin = tcp(SERVER, CLIENT, "F.", 901, 501, 0, 512);
    let broken = "silence 150ms\n    server > client [F.] seq 1 ack 1\n";
    assert_eq!(recorded(established(vec![silence.clone().packet(fin)])), broken);
    let mut blind = established(vec![silence]);
    blind.captured = false;
    assert_eq!(recorded(blind), "silence 150ms\n");
}

#[test]
fn equal_neighbours_are_counted() {
    let mut repeated = step(ok("b", send(4), Answer::Value(4)));
    repeated.calls.push(repeated.calls[0].clone());
    repeated.calls.push(failed("b", send(4), "EAGAIN"));
    let repeated =
        repeated.holds(holds("b", V4, CLIENT)).packet(udp(CLIENT, 7, 4)).packet(udp(CLIENT, 7, 4));
    let expected = "\
b.send(4) = 4 x2
b.send(4) = -1 EAGAIN
    b > closed-port udp len 4 x2
";
    assert_eq!(recorded(log(vec![repeated])), expected);
}

#[test]
fn rounds_of_a_repeated_call_are_counted() {
    let mut repeated = step(failed("client", connect("nobody"), "ECONNREFUSED"));
    for i in 0..30_u16 {
        if i > 0 {
            repeated.calls.push(repeated.calls[0].clone());
        }
        let seq = u32::from(i) * 1000;
        repeated.packets.push(tcp(CLIENT + i, 7, "S", seq, 0, 0, 512));
        repeated.packets.push(tcp(7, CLIENT + i, "R.", 0, seq + 1, 0, 0));
    }
    let expected = "\
client.connect(nobody) = -1 ECONNREFUSED x30
    client > closed-port [S] seq 0 x30
    closed-port > client [R.] seq 0 ack 1 win 0 x30
";
    assert_eq!(recorded(log(vec![repeated])), expected);
}

#[test]
fn rounds_of_one_call_are_told_one_by_one() {
    let once = step(failed("client", connect("nobody"), "ECONNREFUSED"))
        .packet(tcp(CLIENT, 7, "S", 500, 0, 0, 512))
        .packet(tcp(7, CLIENT, "R.", 0, 501, 0, 0))
        .packet(tcp(CLIENT, 7, "S", 500, 0, 0, 512))
        .packet(tcp(7, CLIENT, "R.", 0, 501, 0, 0));
    assert_eq!(recorded(log(vec![once])).lines().count(), 5);
}

#[test]
fn a_timed_step_tells_bands() {
    let syn = |ms| after(tcp(CLIENT, 7, "S", 500, 0, 0, 512), ms);
    let mut timed = step(failed("client", connect("nobody"), "ETIMEDOUT"))
        .packet(syn(1))
        .packet(syn(1_001))
        .packet(syn(2_001))
        .packet(syn(4_101));
    timed.calls[0].took = Some(Duration::from_millis(6_200));
    timed.timed = true;
    let expected = "\
client.connect(nobody) = -1 ETIMEDOUT ~6s
    client > closed-port [S] seq 0 <150ms
    client > closed-port [S] seq 0 x2 ~1s
    client > closed-port [S] seq 0 ~2s
";
    assert_eq!(recorded(log(vec![timed])), expected);
}

#[test]
fn a_timed_call_that_returns_later_tells_its_band() {
    let mut begun = accept();
    begun.fate = Fate::Pending;
    let mut ended = accept();
    ended.took = Some(Duration::from_millis(400));
    let mut timed = step(begun);
    timed.timed = true;
    let later = note("pause 300ms").completed(ended);
    let expected = "server.accept() ...\npause 300ms\n... server.accept() = fd conn ~500ms\n";
    assert_eq!(recorded(log(vec![timed, later])), expected);
}

#[test]
fn fields_are_shown_on_request() {
    let mut case = case();
    case.show.fields = vec![ShowField::Df, ShowField::Ttl, ShowField::Tos, ShowField::Window];
    let step = step(ok("client", send(1), Answer::Value(1)))
        .packet(tcp(CLIENT, SERVER, "P.", 501, 901, 1, 512))
        .packet(tcp(SERVER, CLIENT, ".", 901, 502, 0, 0));
    let expected = "\
client.send(1) = 1
    client > server [P.] seq 1 ack 1 len 1 win 512 ttl 64 tos 0 df
    server > client [.] seq 1 ack 2 win 0 ttl 64 tos 0 df
";
    assert_eq!(recorded_as(&case, established(vec![step])), expected);
}

#[rstest]
#[case(0, "0")]
#[case(0xb8, "184")]
#[case(1, "1 ECT(1)")]
#[case(0xba, "186 ECT(0)")]
#[case(3, "3 CE")]
fn congestion_is_told_in_words(#[case] tos: u8, #[case] expected: &str) {
    let mut case = case();
    case.show.fields = vec![ShowField::Tos];
    let marked = Packet { tos: Some(tos), ..udp(CLIENT, SERVER, 1) };
    let step = step(ok("client", send(1), Answer::Value(1))).packet(marked);
    let expected = format!("client.send(1) = 1\n    client > server udp len 1 tos {expected}\n");
    assert_eq!(recorded_as(&case, established(vec![step])), expected);
}

/// A segment with these options.
fn optioned(from: u16, to: u16, flags: &str, ack: u32, options: Vec<TcpOption>) -> Packet {
    let end = |port| SocketAddr::from((V4, port));
    let ends = Ends { source: end(from), destination: end(to) };
    let spec = SegmentSpec { flags: flags.parse().expect("flags"), ..SegmentSpec::default() };
    let seq = if from == CLIENT { 501 } else { 901 };
    let fields = Fields { seq, ack, window: 512, options, ..Fields::default() };
    let bytes = CapturedBytes::Ip(segment(ends, &spec, &fields));
    decode(&Captured { at: Duration::ZERO, bytes })
}

#[test]
fn options_are_told_in_relative_numbers() {
    let mut case = case();
    case.show.fields = vec![ShowField::Options];
    let stamps = |value, reply| TcpOption::Timestamps(value, reply);
    let blocks = TcpOption::Sack(vec![(511, 521), (531, 541)]);
    let step = step(ok("client", send(1), Answer::Value(1)))
        .packet(optioned(CLIENT, SERVER, ".", 901, vec![stamps(7000, 0)]))
        .packet(optioned(SERVER, CLIENT, ".", 501, vec![stamps(40, 7000), blocks]))
        .packet(optioned(SERVER, CLIENT, ".", 501, vec![stamps(40, 7001)]));
    let expected = "\
client.send(1) = 1
    client > server [.] seq 1 ack 1 options [TS ecr 0,eol]
    server > client [.] seq 1 ack 1 options [TS,sack 11-21 31-41]
    server > client [.] seq 1 ack 1 options [TS ecr other,eol]
";
    assert_eq!(recorded_as(&case, established(vec![step])), expected);
}

#[test]
fn chosen_calls_alone_are_kept() {
    let mut case = case();
    case.show.calls = Some(vec![(Name::new("b"), "close".to_owned())]);
    let mut run = log(vec![
        step(ok("b", send(4), Answer::Value(4))).packet(udp(CLIENT, 7, 4)),
        step(ok("b", Call::Close, Answer::Value(0))),
        step(ok("a", Call::Close, Answer::Value(0))),
        note("pause 300ms"),
    ]);
    run.deadline = Some(Duration::from_secs(10));
    assert_eq!(recorded_as(&case, run), "b.close() = 0\ndeadline 10s\n");
}

#[test]
fn ipv6_is_told_where_it_differs() {
    let mut case = case();
    case.rows = vec![row(&[("how", "rd")]), row(&[("how", "wr")])];
    case.families = vec![Family::V4, Family::V6];
    let v4 = |row| RunLog {
        row,
        ..log(vec![
            step(ok("b", send(4), Answer::Value(4)))
                .holds(holds("b", V4, CLIENT))
                .packet(udp(CLIENT, 7, 4)),
        ])
    };
    let v6 = |row| {
        let mut run = v4(row);
        run.family = Family::V6;
        run.steps[0].packets[0] = over_ipv6(&run.steps[0].packets[0]);
        run.steps[0].holders[0].address = Address::Inet(([0, 0, 0, 0, 0, 0, 0, 1], CLIENT).into());
        run
    };
    let mut other = v6(1);
    other.steps[0].packets.clear();
    let told = text(&transcript(&case, &[other.clone(), v6(0), v4(1), v4(0)]));
    let expected = "\
== how=rd
b.send(4) = 4
    b > closed-port udp len 4
== how=wr
b.send(4) = 4
    b > closed-port udp len 4
== how=wr ipv6
b.send(4) = 4
";
    assert_eq!(told, expected);
    let mut blind = [other, v6(0), v4(1), v4(0)];
    for log in &mut blind {
        log.captured = false;
        log.steps[0].packets.clear();
    }
    assert_eq!(text(&transcript(&case, &blind)), calls_only(&told));
}

#[test]
fn a_second_pending_call_is_numbered() {
    let pending = |nth| {
        let mut call = accept();
        call.fate = Fate::Pending;
        call.nth_pending = nth;
        call
    };
    let mut run = log(vec![step(pending(1)), step(pending(2))]);
    run.blocked = vec![pending(1), pending(2)];
    let expected = "\
server.accept() ...
server.accept()#2 ...
... server.accept() still blocked
... server.accept()#2 still blocked
";
    assert_eq!(recorded(run), expected);
}

#[test]
fn a_pending_connect_names_its_retransmission() {
    let mut begun = failed("client", connect("nobody"), "ETIMEDOUT");
    begun.fate = Fate::Pending;
    let syn = tcp(CLIENT, 7, "S", 500, 0, 0, 512);
    let run = log(vec![step(begun), note("pause 2s").packet(syn)]);
    let expected = "\
client.connect(nobody) ...
pause 2s
    client > closed-port [S] seq 0
";
    assert_eq!(recorded(run), expected);
}

#[test]
fn a_killed_process_gives_up_its_sockets() {
    let mut case = case();
    case.processes = vec![("worker".into(), vec!["server".into(), "conn".into()])];
    case.rows[0].steps = vec![Step {
        line: 3,
        action: Action::Process {
            process: "worker".into(),
            verb: ProcessVerb::Kill("SIGKILL".to_owned()),
        },
        blocks: false,
        timed: false,
        times: Times::Count(1),
        patience: None,
    }];
    let kill = note("worker.kill(SIGKILL)").packet(tcp(SERVER, CLIENT, "F.", 901, 501, 0, 512));
    let again = step(ok("second", Call::Listen(5), Answer::Value(0)))
        .holds(holds("second", V4, SERVER))
        .packet(tcp(CLIENT, SERVER, ".", 501, 902, 0, 512));
    let expected = "\
worker.kill(SIGKILL)
    server > client [F.] seq 1 ack 1
second.listen(5) = 0
    client > second [.] seq 1 ack 2
";
    assert_eq!(recorded_as(&case, established(vec![kill, again])), expected);
}

#[test]
fn answers_name_addresses_and_tokens() {
    let from = Answer::Received {
        len: 4,
        from: Some(holds("a", V4, CLIENT).address),
        data: vec![0; 4],
        flags: vec![],
        control: vec![],
        fds: vec![],
    };
    let ready = Answer::Ready(vec![(1, vec!["EPOLLIN".to_owned()])]);
    let peer = Answer::Addr(holds("x", V4, SERVER).address);
    let mut run = established(vec![
        step(ok("b", recv(9), from)).holds(holds("a", V4, CLIENT)),
        step(ok("ep", Call::EpollWait { timeout: None }, ready)),
        step(ok("client", Call::Getpeername, peer)),
        step(ok("conn", recv(9), ours(0))),
    ]);
    run.tokens = vec!["client".into(), "conn".into()];
    let expected = "\
b.recv(9) = 4 from client
ep.epoll_wait() = conn EPOLLIN
client.getpeername() = 0 server
conn.recv(9) = 0
";
    assert_eq!(recorded(run), expected);
}

#[test]
fn a_call_not_issued_says_why() {
    let mut call = ok("conn", recv(128), ours(0));
    call.fate = Fate::NotIssued("no conn".to_owned());
    assert_eq!(recorded(log(vec![step(call)])), "conn.recv(128) not issued: no conn\n");
}

#[test]
fn steps_keep_their_number_and_line() {
    let steps = vec![step(ok("b", Call::Close, Answer::Value(0))), note("pause 1s")];
    let transcript = transcript(&case(), &[log(steps)]);
    let steps = &transcript.sections[0].steps;
    assert_eq!((steps[0].step, steps[0].line), (Some(0), 9));
    assert_eq!(steps[1].step, Some(1));
    assert_eq!(steps.len(), 2, "nothing is told after the last step");
}
