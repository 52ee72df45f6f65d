//! One spelling for each event.

mod calls;
mod programs;
mod wire;

use super::{calls_only, line, text};
use crate::model::call::{BadArgs, Call, CallSpec};
use crate::model::case::Family;
use crate::model::transcript::{
    CallEvent, Event, Fate, NumberForms, PacketEvent, PacketWhat, Section, StepRecord,
};
use crate::model::{Answer, Name, Outcome, TcpFlags, Transcript};
use rstest::rstest;
use std::time::Duration;

const RIGHT: BadArgs =
    BadArgs { fd: None, addrlen: None, addrlen_told: false, buf: false, iov: None, flags: 0 };

fn name(text: &str) -> Name {
    Name::new(text)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn call_event(fate: Fate, nth_pending: u32) -> CallEvent {
    CallEvent {
        subject: name("server"),
        spec: CallSpec {
            call: Call::Accept { name: name("conn"), flags: vec![], show_address: false },
            bad: RIGHT,
        },
        fate,
        nth_pending,
        count: 1,
        band: None,
        returned: "fd conn".to_owned(),
    }
}

fn done() -> Outcome {
    Outcome::ok(Answer::Fd(4))
}

#[rstest]
#[case(Fate::Returned(done()), 1, "server.accept() = fd conn")]
#[case(Fate::Pending, 1, "server.accept() ...")]
#[case(Fate::Pending, 2, "server.accept()#2 ...")]
#[case(Fate::Completed(done()), 1, "... server.accept() = fd conn")]
#[case(Fate::Completed(done()), 2, "... server.accept()#2 = fd conn")]
#[case(Fate::StillBlocked, 1, "... server.accept() still blocked")]
#[case(Fate::NotIssued("no server".into()), 1, "server.accept() not issued: no server")]
fn fates(#[case] fate: Fate, #[case] nth: u32, #[case] expected: &str) {
    assert_eq!(line(&Event::Call(call_event(fate, nth))), expected);
}

#[test]
fn count_stands_before_band() {
    let event =
        CallEvent { count: 30, band: Some("<150ms"), ..call_event(Fate::Returned(done()), 1) };
    assert_eq!(line(&Event::Call(event)), "server.accept() = fd conn x30 <150ms");
}

fn packet(from: &str, to: &str, what: PacketWhat) -> PacketEvent {
    PacketEvent {
        from: from.to_owned(),
        to: to.to_owned(),
        what,
        forms: NumberForms::default(),
        extras: vec![],
        count: 1,
        band: None,
        hex: "4500".to_owned(),
    }
}

fn tcp(flags: &str, seq: i64, ack: Option<i64>, len: usize, window: u16) -> PacketWhat {
    PacketWhat::Tcp {
        flags: flags.parse().expect("flags in tcpdump's letters"),
        seq,
        ack,
        len,
        window,
        urgent: None,
        reserved: 0,
    }
}

/// A SYN with this urgent pointer and these reserved bits.
fn syn_with(urgent: Option<u16>, reserved: u8) -> PacketWhat {
    PacketWhat::Tcp {
        flags: TcpFlags::SYN | urgent.map_or(TcpFlags(0), |_| TcpFlags::URG),
        seq: 0,
        ack: None,
        len: 0,
        window: 0,
        urgent,
        reserved,
    }
}

#[rstest]
#[case(tcp("P.", 1, Some(1), 256, 512), "[P.] seq 1 ack 1 len 256")]
#[case(tcp("S", 0, None, 0, 512), "[S] seq 0")]
#[case(tcp("R.", 0, Some(1), 0, 0), "[R.] seq 0 ack 1 win 0")]
#[case(tcp("none", -1, None, 3, 0), "[none] seq -1 len 3 win 0")]
#[case(tcp("FSRP.UEWe", 0, Some(0), 0, 1), "[FSRP.UEWe] seq 0 ack 0")]
#[case(syn_with(None, 10), "[S] seq 0 win 0 reserved 10")]
#[case(syn_with(Some(0), 2), "[SU] seq 0 win 0 urg 0 reserved 2")]
#[case(PacketWhat::Udp { len: 4 }, "udp len 4")]
#[case(PacketWhat::Udp { len: 0 }, "udp")]
#[case(
    PacketWhat::Icmp {
        word: "port-unreachable".into(),
        quoted: Some("client > a udp".into()),
        len: None,
    },
    "icmp port-unreachable (client > a udp)"
)]
#[case(PacketWhat::Other { protocol: 132 }, "ip-proto-132")]
fn packet_lines(#[case] what: PacketWhat, #[case] expected: &str) {
    let text = line(&Event::Packet(packet("client", "server", what)));
    assert_eq!(text, format!("    client > server {expected}"));
}

#[test]
fn extras_count_and_band_end_a_packet() {
    let event = PacketEvent {
        extras: words(&["win 512", "options [mss 65495,sackOK]", "ttl 64", "df"]),
        count: 3,
        band: Some("~1s"),
        ..packet("a", "b", tcp("S", 0, None, 0, 512))
    };
    let expected = "    a > b [S] seq 0 win 512 options [mss 65495,sackOK] ttl 64 df x3 ~1s";
    assert_eq!(line(&Event::Packet(event)), expected);
}

#[rstest]
#[case(Event::Note("pause 300ms".into()), "pause 300ms")]
#[case(Event::Nothing(Duration::from_millis(150)), "    nothing for 150ms")]
#[case(Event::Deadline(Duration::from_secs(10)), "deadline 10s")]
fn other_lines(#[case] event: Event, #[case] expected: &str) {
    assert_eq!(line(&event), expected);
}

fn section(at: &[(&str, &str)], family: Family, events: Vec<Event>) -> Section {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Section {
        at: at.iter().map(owned).collect(),
        family,
        steps: vec![StepRecord { step: Some(0), line: 9, events }],
    }
}

fn note(text: &str) -> Vec<Event> {
    vec![Event::Note(text.to_owned())]
}

#[rstest]
#[case::one_family(vec![section(&[], Family::V6, note("x"))], "x\n")]
#[case::two_families(
    vec![section(&[], Family::V4, note("x")), section(&[], Family::V6, note("y"))],
    "x\n== ipv6\ny\n"
)]
#[case::rows(
    vec![section(&[("how", "rd")], Family::V4, note("x")),
        section(&[("how", "wr"), ("n", "1")], Family::V4, note("y")),
        section(&[("how", "wr"), ("n", "1")], Family::V6, note("z"))],
    "== how=rd\nx\n== how=wr n=1\ny\n== how=wr n=1 ipv6\nz\n"
)]
fn section_titles(#[case] sections: Vec<Section>, #[case] expected: &str) {
    assert_eq!(text(&Transcript { sections }), expected);
}

#[rstest]
#[case("a = 0\n    a > b [S] seq 0\nb = 0\n", "a = 0\nb = 0\n")]
#[case("silence 150ms\n    nothing for 150ms\n", "silence 150ms\n")]
#[case::ipv6_differs_in_packets("a = 0\n    p\n== ipv6\na = 0\n    q\n", "a = 0\n")]
#[case::ipv6_differs_in_calls("a = 0\n    p\n== ipv6\na = 1\n", "a = 0\n== ipv6\na = 1\n")]
#[case::rows(
    "== how=rd\na = 0\n    p\n== how=rd ipv6\na = 0\n== how=wr\na = 0\n",
    "== how=rd\na = 0\n== how=wr\na = 0\n"
)]
#[case("", "")]
fn without_packets(#[case] body: &str, #[case] expected: &str) {
    assert_eq!(calls_only(body), expected);
}
