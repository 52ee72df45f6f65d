//! What is told of numbers and clocks, by what was seen before: segments written by hand.

use super::echo::{Echo, Echoes};
use super::relative::{Numbers, Relative, Told};
use crate::model::packet::{SeenOption, TcpSegment};
use rstest::rstest;
use std::net::SocketAddr;

const V4: [u8; 4] = [127, 0, 0, 1];

/// The two ends of a connection.
const A: u16 = 1;
const B: u16 = 2;
const C: u16 = 3;

#[test]
fn syn_sent_aside_begins_nothing_until_it_is_answered() {
    let mut relative = Relative::default();
    let open = [(A, B, ("S", 500, 0, 0)), (B, A, ("S.", 700, 501, 0)), (A, B, (".", 501, 701, 0))];
    for (from, to, seg) in open {
        place(&mut relative, from, to, seg);
    }
    let end = |port| SocketAddr::from((V4, port));
    let syn = segment_of(A, B, ("S", 600, 0, 0));
    let numbers = relative.numbers_aside(end(A), end(B), &syn);
    assert_eq!(numbers, Numbers { seq: 100, ack: None });
    let challenge = place(&mut relative, B, A, (".", 701, 501, 0));
    assert_eq!(challenge, Numbers { seq: 1, ack: Some(1) });
    let data = place(&mut relative, A, B, ("P.", 501, 701, 5));
    assert_eq!(data, Numbers { seq: 1, ack: Some(1) });
    let accepted = place(&mut relative, B, A, ("S.", 90_000, 601, 0));
    assert_eq!(accepted, Numbers { seq: 0, ack: Some(1) });
    let ack = place(&mut relative, A, B, (".", 601, 90_001, 0));
    assert_eq!(ack, Numbers { seq: 1, ack: Some(1) });
}

/// A firewall takes each SYN before anybody sees it, and answers it in the far end's name.
#[test]
fn reset_counts_from_the_syn_that_nobody_saw() {
    let mut relative = Relative::default();
    let end = |port| SocketAddr::from((V4, port));
    for initial in [500, u32::MAX] {
        let reset = segment_of(B, A, ("R.", 0, initial.wrapping_add(1), 0));
        let numbers = relative.numbers_unscripted(end(B), end(A), &reset);
        assert_eq!(numbers, Numbers { seq: 0, ack: Some(1) });
    }
    let answered = |to: u16, ack: u32, relative: &mut Relative| {
        let reset = segment_of(to, A, ("R.", 0, ack, 0));
        relative.numbers_unscripted(end(to), end(A), &reset).ack
    };
    place(&mut relative, A, C, ("P.", 500, 7, 1));
    let seen = answered(C, 501, &mut relative);
    assert_eq!(seen, Some(501), "what it answers has been seen, and was no SYN");
    place(&mut relative, A, B, ("S", 90_000, 0, 0));
    assert_eq!(answered(B, 90_001, &mut relative), Some(1));
    let next = answered(B, 70_001, &mut relative);
    assert_eq!(next, Some(1), "a later connection's SYN, which nobody saw");
}

/// The peer has rebooted, and a firewall refuses its SYN: the local stack has not accepted it.
#[test]
fn a_rst_accepts_nothing() {
    let mut relative = Relative::default();
    place(&mut relative, A, B, ("S", 500, 0, 0));
    place(&mut relative, B, A, ("S.", 900, 501, 0));
    place(&mut relative, A, B, (".", 501, 901, 0));
    place(&mut relative, A, B, ("S", 70_000, 0, 0));
    let refused = place(&mut relative, B, A, ("R.", 0, 70_001, 0));
    assert_eq!(refused, Numbers { seq: 0, ack: Some(1) });
    assert_eq!(place(&mut relative, B, A, ("P.", 901, 501, 9)), Numbers { seq: 1, ack: Some(1) });
}

#[test]
fn a_rst_answers_what_somebody_else_has_sent_in_the_connection() {
    let mut relative = Relative::default();
    let end = |port| SocketAddr::from((V4, port));
    place(&mut relative, A, B, ("S", 500, 0, 0));
    place(&mut relative, B, A, ("S.", 900, 501, 0));
    let forged = segment_of(C, B, ("P", 605, 0, 10));
    relative.numbers_like(end(A), end(C), end(B), &forged);
    let reset = segment_of(B, C, ("R.", 0, 615, 0));
    let numbers = relative.numbers_unscripted(end(B), end(C), &reset);
    assert_eq!(numbers, Numbers { seq: 0, ack: Some(115) });
}

#[test]
fn a_syn_sent_aside_counts_among_what_is_answered() {
    let mut relative = Relative::default();
    let end = |port| SocketAddr::from((V4, port));
    place(&mut relative, A, B, ("S", 500, 0, 0));
    place(&mut relative, B, A, ("S.", 700, 501, 0));
    relative.numbers_aside(end(A), end(B), &segment_of(A, B, ("S", 600, 0, 0)));
    let reset = segment_of(B, A, ("R.", 0, 601, 0));
    let numbers = relative.numbers_unscripted(end(B), end(A), &reset);
    assert_eq!(numbers, Numbers { seq: 0, ack: Some(101) });
}

fn segment_of(from: u16, to: u16, seg: (&str, u32, u32, usize)) -> TcpSegment {
    let (flags, seq, ack, len) = seg;
    TcpSegment {
        source_port: from,
        destination_port: to,
        flags: flags.parse().expect("flags in tcpdump's letters"),
        seq,
        ack,
        reserved: 0,
        urgent: 0,
        window: 1,
        len,
        options: Vec::new(),
    }
}

fn place(relative: &mut Relative, from: u16, to: u16, seg: (&str, u32, u32, usize)) -> Numbers {
    let end = |port| SocketAddr::from((V4, port));
    let segment = segment_of(from, to, seg);
    relative.numbers(end(from), end(to), &segment)
}

type Seg = (u16, u16, (&'static str, u32, u32, usize), i64, Option<i64>);

#[rstest]
#[case::connection_across_zero(&[
    (A, B, ("S", u32::MAX, 0, 0), 0, None),
    (B, A, ("S.", 900, 0, 0), 0, Some(1)),
    (A, B, (".", 0, 901, 0), 1, Some(1)),
    (A, B, ("P.", 0, 901, 256), 1, Some(1)),
    (B, A, ("R.", 901, 256, 0), 1, Some(257)),
    (A, B, (".", u32::MAX - 1, 901, 0), -1, Some(1)),
])]
#[case::closed_port(&[
    (A, B, ("S", 500, 0, 0), 0, None),
    (B, A, ("R.", 0, 501, 0), 0, Some(1)),
])]
#[case::closed_port_where_a_listener_was(&[
    (A, B, ("S", 500, 0, 0), 0, None),
    (B, A, ("S.", 700, 501, 0), 0, Some(1)),
    (A, B, ("R", 501, 0, 0), 1, None),
    (A, B, ("S", 90_500, 0, 0), 0, None),
    (B, A, ("R.", 0, 90_501, 0), 0, Some(1)),
])]
#[case::syn_never_seen(&[
    (A, B, (".", 500, 700, 0), 500, Some(700)),
    (B, A, ("R", 700, 0, 0), 700, None),
])]
#[case::reboot(&[
    (A, B, ("S", 500, 0, 0), 0, None),
    (B, A, ("S.", 700, 501, 0), 0, Some(1)),
    (A, B, (".", 501, 701, 0), 1, Some(1)),
    (A, B, ("S", 3_000_000_000, 0, 0), 0, None),
    (B, A, (".", 701, 501, 0), 1, Some(1)),
    (A, B, ("R", 501, 0, 0), 1, None),
    (A, B, ("S", 3_000_000_000, 0, 0), 0, None),
    (B, A, ("S.", 900, 3_000_000_001, 0), 0, Some(1)),
    (A, B, (".", 3_000_000_001, 901, 0), 1, Some(1)),
])]
#[case::reboot_with_a_smaller_number(&[
    (A, B, ("S", 2_000_000_000, 0, 0), 0, None),
    (B, A, ("S.", 700, 2_000_000_001, 0), 0, Some(1)),
    (A, B, (".", 2_000_000_001, 701, 0), 1, Some(1)),
    (A, B, ("S", 500, 0, 0), 0, None),
    (B, A, (".", 701, 2_000_000_001, 0), 1, Some(1)),
    (A, B, ("R", 2_000_000_001, 0, 0), 1, None),
    (A, B, ("S", 500, 0, 0), 0, None),
    (B, A, (".", 701, 2_000_000_001, 0), 1, Some(1)),
])]
#[case::simultaneous_open(&[
    (A, B, ("S", 500, 0, 0), 0, None),
    (B, A, ("S", 700, 0, 0), 0, None),
    (A, B, ("S.", 500, 701, 0), 0, Some(1)),
    (B, A, ("S.", 700, 501, 0), 0, Some(1)),
    (A, B, ("P.", 501, 701, 5), 1, Some(1)),
    (B, A, (".", 701, 506, 0), 1, Some(6)),
])]
#[case::connected_to_itself(&[
    (A, A, ("S", 500, 0, 0), 0, None),
    (A, A, ("S.", 500, 501, 0), 0, Some(1)),
    (A, A, (".", 501, 501, 0), 1, Some(1)),
    (A, A, ("P.", 501, 501, 2), 1, Some(1)),
    (A, A, (".", 503, 503, 0), 3, Some(3)),
    (A, A, ("F.", 503, 503, 0), 3, Some(3)),
    (A, A, (".", 504, 504, 0), 4, Some(4)),
])]
#[case::ack_of_what_was_never_sent(&[
    (A, B, ("S", 500, 0, 0), 0, None),
    (B, A, ("S.", 700, 501, 0), 0, Some(1)),
    (A, B, (".", 501, 9_000, 0), 1, Some(8_300)),
    (B, A, ("R", 9_000, 0, 0), 8_300, None),
])]
#[case::syn_in_the_name_of_the_one_who_answers(&[
    (A, A, ("S", 500, 0, 0), 0, None),
    (A, A, ("S.", 9_700, 501, 0), 0, Some(1)),
    (A, A, ("R", 501, 0, 0), 1, None),
])]
#[case::connected_to_itself(&[
    (A, A, ("S", 500, 0, 0), 0, None),
    (A, A, ("S.", 500, 501, 0), 0, Some(1)),
    (A, A, (".", 501, 501, 0), 1, Some(1)),
])]
#[case::data_in_the_syn(&[
    (A, B, ("S", 500, 0, 10), 0, None),
    (B, A, ("S.", 700, 511, 0), 0, Some(11)),
])]
fn relative_numbers(#[case] segments: &[Seg]) {
    let mut relative = Relative::default();
    for (i, (from, to, segment, seq, ack)) in segments.iter().enumerate() {
        let numbers = place(&mut relative, *from, *to, *segment);
        let expected = Numbers { seq: *seq, ack: *ack };
        assert_eq!(numbers, expected, "segment {i}");
    }
}

#[test]
fn selective_acknowledgments_count_as_acknowledgments_do() {
    let mut relative = Relative::default();
    let end = |port| SocketAddr::from((V4, port));
    place(&mut relative, A, B, ("S", u32::MAX, 0, 0));
    place(&mut relative, B, A, ("S.", 900, 0, 0));
    place(&mut relative, A, B, ("P.", 10, 901, 10));
    place(&mut relative, B, A, (".", 901, 0, 0));
    let told = [10, 20, u32::MAX - 1].map(|edge| relative.acknowledged(end(B), end(A), edge));
    assert_eq!(told, [11, 21, -1]);
    assert_eq!(relative.acknowledged(end(A), end(C), 5), 5);
}

#[test]
fn a_rst_prints_the_acknowledgment_that_it_repeats_as_that_was_told() {
    let mut relative = Relative::default();
    let end = |port| SocketAddr::from((V4, port));
    place(&mut relative, A, B, ("S", 5_000, 0, 0));
    let stray = (".", 900, 7, 0);
    let mut numbers = place(&mut relative, B, A, stray);
    let told = Told { seq: Some(-3), ack: Some(7), sack_base: None };
    relative.tell(end(B), end(A), &segment_of(B, A, stray), told, &mut numbers);
    assert_eq!(numbers, Numbers { seq: -3, ack: Some(7) });
    let rst = place(&mut relative, A, B, ("R", 7, 0, 0));
    assert_eq!(rst, Numbers { seq: 7, ack: None });
    let mut numbers = place(&mut relative, B, A, ("R", 900, 0, 0));
    relative.tell(end(B), end(A), &segment_of(B, A, ("R", 900, 0, 0)), told, &mut numbers);
    assert_eq!(numbers, Numbers { seq: -3, ack: None }, "without the flag there is no number");
}

/// The peer has rebooted, and the stack challenges its SYN.
#[rstest]
#[case("R", None)]
#[case("R.", Some(1))]
fn a_rst_for_the_connection_before_counts_as_that_did(#[case] rst: &str, #[case] ack: Option<i64>) {
    let mut relative = Relative::default();
    place(&mut relative, A, B, ("S", 5_000, 0, 0));
    place(&mut relative, B, A, ("S.", 900, 5_001, 0));
    place(&mut relative, A, B, (".", 5_001, 901, 0));
    place(&mut relative, A, B, ("S", 70_000, 0, 0));
    place(&mut relative, B, A, (".", 901, 5_001, 0));
    assert_eq!(place(&mut relative, A, B, (rst, 5_001, 901, 0)), Numbers { seq: 1, ack });
}

/// The far end, flags, value and reply of each segment of one of two ends, and what the last one
/// echoes.
#[rstest]
#[case::syn(&[(A, "S", 100, 7)], Echo::None)]
#[case::zero(&[(A, "S", 100, 0), (B, "S.", 900, 0)], Echo::Zero)]
#[case::theirs(&[(A, "S", 100, 0), (B, "S.", 900, 100)], Echo::Theirs(100))]
#[case::an_earlier_one(
    &[(A, "S", 100, 0), (A, ".", 200, 900), (B, ".", 900, 100)], Echo::Theirs(100))]
#[case::never_sent(&[(A, "S", 100, 0), (B, "S.", 900, 101)], Echo::Other)]
#[case::its_own(&[(A, "S", 100, 0), (B, ".", 900, 900)], Echo::Other)]
fn what_is_echoed(#[case] segments: &[(u16, &str, u32, u32)], #[case] expected: Echo) {
    let mut echoes = Echoes::default();
    let end = |port| SocketAddr::from((V4, port));
    let seen = segments.iter().map(|(from, flags, value, reply)| {
        let to = if *from == A { B } else { A };
        let options = vec![SeenOption::Timestamps { value: *value, reply: *reply }];
        let segment = segment_of(*from, to, (*flags, 0, 0, 0));
        echoes.see(end(*from), end(to), &TcpSegment { options, ..segment })
    });
    assert_eq!(seen.last(), Some(expected));
    let without = segment_of(A, B, (".", 0, 0, 0));
    assert_eq!(echoes.see(end(A), end(B), &without), Echo::None);
}
