//! The recorded packets, held against what others have captured in the same situations.
//!
//! An article on the causes of RST shows three captures of tcpdump. The answers of Linux below
//! `expected/` must show the same packets: who sends, the flags, and each number that the captures
//! give. The byte counts of other articles are rows of the same cases.

use rstest::rstest;
use std::path::Path;

/// `S, R.`: a SYN to a closed port.
const CLOSED_PORT: &str = "
    client [S]
    closed-port [R.] seq 0 ack 1 win 0";

/// `S, S., ., P., ., R.`: the server closes while a part of LEN bytes is unread.
const UNREAD: &str = "
    client [S]
    server [S.]
    client [.]
    client [P.] len LEN
    server [.]
    server [R.] seq 1 ack NEXT";

/// `S, S., ., F., ., P., R`: the server closes, then LEN bytes come. The RST has no ACK flag.
const CLOSED_PEER: &str = "
    client [S]
    server [S.]
    client [.]
    server [F.]
    client [.]
    client [P.] len LEN
    server [R] seq 2";

#[rstest]
#[case("rst/connect-closed-port", "", CLOSED_PORT, 0)]
#[case("rst/close-unread-data", "== sizes=[1001,99]", UNREAD, 1001)]
#[case("rst/close-unread-data", "== sizes=[256,128]", UNREAD, 256)]
#[case("rst/close-unread-data", "== sizes=[5000,4096]", UNREAD, 5000)]
#[case("rst/send-to-closed-peer", "== len=1001", CLOSED_PEER, 1001)]
#[case("rst/send-to-closed-peer", "== len=256", CLOSED_PEER, 256)]
fn recorded_packets_are_the_captured_ones(
    #[case] case: &str,
    #[case] row: &str,
    #[case] capture: &str,
    #[case] len: u32,
) {
    let capture = capture.replace("LEN", &len.to_string()).replace("NEXT", &(len + 1).to_string());
    let captured: Vec<&str> = capture.lines().skip(1).map(str::trim).collect();
    let recorded = packets(case, row);
    let alike = recorded.len() == captured.len()
        && recorded.iter().zip(&captured).all(|(r, c)| shows(r, c));
    assert!(alike, "recorded {recorded:#?}, captured {captured:#?}");
}

#[rstest]
#[case("client > server [P.] seq 1 ack 1 len 10", "client [P.] len 10", true)]
#[case("client > server [P.] seq 1 ack 1 len 100", "client [P.] len 10", false)]
#[case("server > client [P.] seq 1 ack 1 len 10", "client [P.] len 10", false)]
#[case("server > client [R.] seq 2 ack 1", "server [R] seq 2", false)]
#[case("server > client [R] seq 1 win 0", "server [R] seq 2", false)]
fn another_packet_is_noticed(#[case] packet: &str, #[case] captured: &str, #[case] same: bool) {
    assert_eq!(shows(packet, captured), same);
}

/// The packets of one row of Linux's answer; without a title, of an answer without rows.
fn packets(case: &str, row: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("expected/{case}/linux.snap"));
    let text = std::fs::read_to_string(&path).expect("the answer of Linux");
    let (_, body) = text.split_once("\n---\n").expect("a body below the header");
    let mut title = "";
    let mut packets = Vec::new();
    for line in body.lines() {
        if line.starts_with("== ") {
            title = line;
        } else if line.starts_with("    ") && title == row {
            packets.push(line.trim().to_owned());
        }
    }
    packets
}

/// Whether the packet has the sender, the flags and the numbers of the captured one.
fn shows(packet: &str, captured: &str) -> bool {
    let (ends, numbers) = packet.split_once(" [").expect("flags in brackets");
    let (sender, _) = ends.split_once(" > ").expect("two ends");
    let (head, wanted) = captured.split_once(']').expect("flags in brackets");
    let numbers = format!("[{numbers} ");
    let begins = format!("{sender} {numbers}").starts_with(&format!("{head}]"));
    let mut wanted = wanted.split_whitespace();
    let mut pairs = std::iter::from_fn(|| Some((wanted.next()?, wanted.next()?)));
    begins && pairs.all(|(field, number)| numbers.contains(&format!(" {field} {number} ")))
}
