//! Files read back by a small reader of blocks and options.

use super::*;
use crate::model::Packet;
use crate::model::call::Payload;
use crate::model::peer::DatagramSpec;
use crate::model::{CaseId, Family};
use crate::parse::parse_case;
use crate::run::{AnyCpu, Conditions, execute};
use crate::sys::Request;
use crate::sys::fake::{Fake, Scripted};
use crate::wire::build::{Ends, datagram};
use crate::wire::{Captured, CapturedBytes, decode};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

const CASE: &str = "about: >\n  A question.\nfamily: [4, 6]\nmatrix: {n: [x, y]}\nsteps:\n  \
                    - b.socket: udp\n  - b.send: {data: $n, times: 3}\n  - pause: 1ms\n";
/// Time since the Unix epoch that needs both halves of a stamp.
const AT: Duration = Duration::new(1_790_000_000, 123_456_789);

fn case() -> Case {
    parse_case(CaseId("t/t".to_owned()), Path::new("t.yaml"), CASE.as_bytes()).unwrap()
}

fn packet(family: Family) -> Vec<u8> {
    let [source, destination] = match family {
        Family::V4 => ["127.0.0.1:7001", "127.0.0.1:7002"],
        Family::V6 => ["[::1]:7001", "[::1]:7002"],
    }
    .map(|end| end.parse::<SocketAddr>().unwrap());
    let spec = DatagramSpec::new(Payload::Text("odd".to_owned()));
    datagram(Ends { source, destination }, &spec)
}

/// A run in which the last call of the second step sends a packet, without its header if that is
/// how captures give it.
fn run(case: &Case, row: usize, family: Family) -> RunLog {
    let whole = packet(family);
    let bytes = match family {
        Family::V4 => CapturedBytes::Ip(whole),
        Family::V6 => {
            let Packet { source, destination, ttl, tos, .. } =
                decode(&Captured { at: AT, bytes: CapturedBytes::Ip(whole.clone()) });
            let bytes = whole[40..].to_vec();
            CapturedBytes::Transport { source, destination, protocol: 17, ttl, tos, bytes }
        }
    };
    let mut sends = 0;
    let fake = Fake::new(move |request, world| {
        sends += u32::from(matches!(request, Request::Send { .. }));
        if sends == 3 {
            world.packets.push(Captured { at: AT, bytes: bytes.clone() });
            sends = 0;
        }
        Scripted::Plain
    });
    execute(case, row, family, &fake, &Conditions::default(), &mut AnyCpu).unwrap()
}

/// Kind and body of each block.
fn blocks(mut file: &[u8]) -> Vec<(u32, &[u8])> {
    let mut blocks = Vec::new();
    while !file.is_empty() {
        let len = number(file, 4) as usize;
        assert_eq!(len % 4, 0);
        assert_eq!(number(file, len - 4) as usize, len);
        blocks.push((number(file, 0), &file[8..len - 4]));
        file = &file[len..];
    }
    blocks
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn options(mut bytes: &[u8]) -> Vec<(u16, String)> {
    let mut options = Vec::new();
    loop {
        let head = number(bytes, 0);
        let (code, len) = (head as u16, (head >> 16) as usize);
        if code == 0 {
            assert_eq!(bytes.len(), 4);
            return options;
        }
        options.push((code, String::from_utf8(bytes[4..4 + len].to_vec()).unwrap()));
        bytes = &bytes[4 + len.next_multiple_of(4)..];
    }
}

#[test]
fn each_packet_names_its_step_and_run() {
    let case = case();
    let logs: Vec<RunLog> = [(0, Family::V4), (0, Family::V6), (1, Family::V4), (1, Family::V6)]
        .map(|(row, family)| run(&case, row, family))
        .into();
    let file = file(&case, &[&logs, &logs[..1]]);
    let blocks = blocks(&file);
    let [(SECTION_HEADER, header), (INTERFACE_DESCRIPTION, interface), packets @ ..] = &blocks[..]
    else {
        panic!("expected two headers, got {blocks:?}");
    };
    assert_eq!(number(header, 0), BYTE_ORDER_MAGIC);
    assert_eq!(options(&header[16..])[0], (OPT_COMMENT, "t/t: A question.".to_owned()));
    assert_eq!(number(interface, 0), u32::from(LINKTYPE_RAW));
    assert_eq!(options(&interface[8..]), [(IF_TSRESOL, "\t".to_owned())]);

    let names = ["n=x ipv4", "n=x ipv6", "n=y ipv4", "n=y ipv6", "n=x ipv4, answer 2"];
    assert_eq!(packets.len(), names.len());
    for ((kind, body), name) in packets.iter().zip(names) {
        assert_eq!((*kind, number(body, 0)), (ENHANCED_PACKET, 0));
        let stamp = u64::from(number(body, 4)) << 32 | u64::from(number(body, 8));
        assert_eq!(Duration::from_nanos(stamp), AT);
        let family = if name.contains("ipv4") { Family::V4 } else { Family::V6 };
        let whole = packet(family);
        assert_eq!([number(body, 12), number(body, 16)], [whole.len() as u32; 2]);
        assert_eq!(body[20..20 + whole.len()], whole);
        let comment = format!("step 2, line 7: b.send(\"{}\") [{name}]", &name[2..3]);
        let rest = &body[20 + whole.len().next_multiple_of(4)..];
        assert_eq!(options(rest), [(OPT_COMMENT, comment)]);
    }
}

#[test]
fn what_a_peer_has_cut_is_there_in_pieces() {
    let mut log = run(&case(), 0, Family::V4);
    let cut = log.steps.iter_mut().flat_map(|step| &mut step.packets).next().unwrap();
    cut.fragments = vec![vec![1; 28], vec![2; 24]];
    let file = file(&case(), &[&[log]]);
    let packets = blocks(&file).into_iter().filter(|(kind, _)| *kind == ENHANCED_PACKET);
    let bytes = packets.map(|(_, body)| body[20..20 + number(body, 12) as usize].to_vec());
    assert_eq!(bytes.collect::<Vec<_>>(), [vec![1; 28], vec![2; 24]]);
}

#[test]
fn what_was_not_seen_leaves_no_packet() {
    let fake = Fake::new(|_, _| Scripted::Plain);
    let log = execute(&case(), 0, Family::V4, &fake, &Conditions::default(), &mut AnyCpu).unwrap();
    let kinds: Vec<u32> = blocks(&file(&case(), &[&[log]])).iter().map(|block| block.0).collect();
    assert_eq!(kinds, [SECTION_HEADER, INTERFACE_DESCRIPTION]);
}

#[test]
fn texts_are_cut_at_a_character() {
    let long = "é".repeat(TEXT_CHARS_MAX + 1);
    assert_eq!(shortened(&long).chars().count(), TEXT_CHARS_MAX);
    assert_eq!(shortened("é"), "é");
}
