//! Sequence diagrams and JSON.

use super::{RIGHT, call_event, done, note, packet, section, syn_with, tcp, words};
use crate::model::call::{Call, CallSpec};
use crate::model::case::Family;
use crate::model::transcript::{CallEvent, Event, Fate, PacketEvent, Section};
use crate::model::{Answer, Errno, Outcome, Transcript};
use crate::render::{body, json, ladder};
use rstest::rstest;

fn close_with_unread_data() -> Section {
    let call = CallEvent {
        returned: "0".to_owned(),
        spec: CallSpec { call: Call::Close, bad: RIGHT },
        ..call_event(Fate::Returned(Outcome::ok(Answer::Value(0))), 1)
    };
    section(
        &[],
        Family::V4,
        vec![
            Event::Packet(packet("client", "server", tcp("P.", 1, Some(1), 256, 512))),
            Event::Packet(packet("server", "client", tcp(".", 1, Some(257), 0, 512))),
            Event::Call(call),
            Event::Packet(packet("server", "client", tcp("R.", 1, Some(257), 0, 512))),
        ],
    )
}

#[test]
fn a_ladder() {
    let expected = "
                   client                          server
                      │── [P.] seq 1 ack 1 len 256 ──>│
                      │<───────── [.] seq 1 ack 257 ──│
server.close() = 0    │                               │
                      │<──────── [R.] seq 1 ack 257 ──│
";
    let drawn = ladder::ladder(&body(&close_with_unread_data()));
    assert_eq!(format!("\n{drawn}"), expected);
}

#[test]
fn a_ladder_to_oneself() {
    let own = packet("client", "client", tcp("S", 0, None, 0, 512));
    let drawn = ladder::ladder(&body(&section(&[], Family::V4, vec![Event::Packet(own)])));
    assert!(drawn.contains("│<─┐ [S] seq 0\n"), "{drawn}");
}

#[test]
fn a_ladder_is_never_too_wide() {
    let long = "x".repeat(70) + &" word".repeat(30);
    for ends in 2..9 {
        let name = |i: usize| format!("peer{i}");
        let mut events = note(&long);
        for i in 1..ends {
            let mut event = packet(&name(0), &name(i), tcp("P.", 1, Some(1), 256, 0));
            event.extras = words(&["options [mss 65495,sackOK,TS,nop,wscale 7]"]);
            events.push(Event::Packet(event));
        }
        let drawn = ladder::ladder(&body(&section(&[], Family::V4, events)));
        let limit = if drawn.contains('│') { ladder::WIDTH_MAX } else { usize::MAX };
        assert!(drawn.lines().all(|line| line.chars().count() <= limit), "{drawn}");
        assert!(ends > 4 || limit == ladder::WIDTH_MAX, "{ends} ends fit");
    }
}

#[test]
fn without_packets_a_ladder_is_the_transcript() {
    let calls = body(&section(&[], Family::V4, note("pause 300ms")));
    assert_eq!(ladder::ladder(&calls), calls);
}

#[test]
fn what_only_some_packets_have() {
    let extras = words(&["ttl 64"]);
    let syn = PacketEvent { extras, ..packet("a", "b", syn_with(Some(1), 8)) };
    let events = vec![Event::Packet(syn)];
    let sections = vec![section(&[], Family::V4, events)];
    let told = serde_json::to_value(json::events(&Transcript { sections })).expect("plain data");
    let packet = &told[0]["packet"];
    let told = ["flags", "urg", "reserved", "shown"].map(|key| packet[key].clone());
    assert_eq!(serde_json::json!(told), serde_json::json!(["SU", 1, 8, ["ttl 64"]]));
}

#[test]
fn events_for_programs() {
    let transcript = Transcript { sections: vec![close_with_unread_data()] };
    let events = serde_json::to_value(json::events(&transcript)).expect("plain data");
    let expected = serde_json::json!({"step": 0, "line": 9, "packet": {
        "from": "client", "to": "server", "proto": "tcp", "flags": "P.", "seq": 1, "ack": 1,
        "len": 256, "win": 512, "count": 1, "hex": "4500"}});
    assert_eq!(events[0], expected);
    let expected = serde_json::json!({"step": 0, "line": 9, "call": {
        "subject": "server", "verb": "close", "args": [], "fate": "returned", "result": 0,
        "errno": null, "errno_raw": null, "signal": null, "count": 1}});
    assert_eq!(events[2], expected);
}

#[rstest]
#[case::failed(
    Fate::Returned(Outcome {
        signal: Some("SIGPIPE".into()),
        ..Outcome::failed(Errno::named("EPIPE"), 32)
    }),
    "-1 EPIPE, SIGPIPE",
    serde_json::json!(["returned", -1, "EPIPE", 32, "SIGPIPE"])
)]
#[case::more_than_a_number(
    Fate::Completed(done()), "fd conn",
    serde_json::json!(["completed", "fd conn", null, null, null])
)]
#[case::not_over(Fate::Pending, "", serde_json::json!(["pending", null, null, null, null]))]
fn calls_for_programs(
    #[case] fate: Fate,
    #[case] returned: &str,
    #[case] expected: serde_json::Value,
) {
    let event = CallEvent { returned: returned.to_owned(), ..call_event(fate, 1) };
    let sections = vec![section(&[("how", "rd")], Family::V4, vec![Event::Call(event)])];
    let events = json::events(&Transcript { sections });
    assert_eq!(events[0].row.as_deref(), Some("how=rd"));
    let call = serde_json::to_value(&events[0].call).expect("plain data");
    let fields = ["fate", "result", "errno", "errno_raw", "signal"];
    let told: Vec<_> = fields.iter().map(|field| call[field].clone()).collect();
    assert_eq!(serde_json::Value::from(told), expected);
}

#[test]
fn what_does_not_fit_a_ladder_is_told_at_its_left() {
    let mut syn = packet("client", "server", tcp("S", 0, None, 0, 65495));
    syn.extras = words(&["options [mss 65495,sackOK,TS,nop,wscale 7]", "ttl 64", "df"]);
    let events = vec![
        Event::Packet(syn),
        Event::Packet(packet("server", "client", tcp("S.", 0, Some(1), 0, 65483))),
        Event::Packet(packet("peer2", "client", tcp("R", 1, None, 0, 0))),
    ];
    let expected = "
                                             client                  server                   peer2
    client > server [S] seq 0 options [mss      │                       │                       │
    65495,sackOK,TS,nop,wscale 7] ttl 64 df     │──────────────────────>│                       │
                                                │<── [S.] seq 0 ack 1 ──│                       │
                                                │<─────────────────────────── [R] seq 1 win 0 ──│
";
    let drawn = ladder::ladder(&body(&section(&[], Family::V4, events)));
    assert_eq!(format!("\n{drawn}"), expected);
}
