//! What is fuzzed: whatever reads a file or a packet that somebody else has made. No input may
//! panic, hang or take memory without bound, and what was understood must survive being written.

use sockdiff::model::CaseId;
use sockdiff::parse::parse_case;
use sockdiff::report::pcapng;
use sockdiff::snapshot::{Ledger, ResultFile, header};
use sockdiff::wire::build::with_ip_header;
use sockdiff::wire::relative::Relative;
use sockdiff::wire::{self, Captured, CapturedBytes};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// The parser of cases.
pub fn case(bytes: &[u8]) {
    match parse_case(CaseId("fuzz/case".to_owned()), Path::new("case.yaml"), bytes) {
        Ok(case) => {
            assert_eq!(case.hash.len(), 16);
            assert!(!pcapng::file(&case, &[]).is_empty());
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with("case.yaml:"), "without a place: {text}");
        }
    }
}

/// The decoder of packets, and what relates their numbers.
pub fn packet(bytes: &[u8]) {
    let mut numbers = Relative::default();
    let here = IpAddr::V6(Ipv6Addr::LOCALHOST);
    // Several packets: each begins with its length and the way in which it was captured.
    let mut rest = bytes;
    while let [len, way, more @ ..] = rest {
        let (packet, after) = more.split_at(usize::from(*len).min(more.len()));
        rest = after;
        let bytes = packet.to_vec();
        let bytes = match way & 1 {
            0 => CapturedBytes::Ip(bytes),
            _ => CapturedBytes::Transport {
                source: here,
                destination: here,
                protocol: [6, 17, 58, 1][usize::from(way >> 1 & 3)],
                ttl: Some(*way),
                tos: Some(*way),
                bytes,
            },
        };
        let decoded = wire::decode(&Captured { at: Duration::from_nanos(1), bytes });
        let _ = wire::timestamps(packet);
        let whole = with_ip_header(&decoded);
        assert!(whole.len() >= packet.len());
        if let sockdiff::model::packet::PacketBody::Tcp(segment) = &decoded.body {
            let from = SocketAddr::new(decoded.source, segment.source_port);
            let to = SocketAddr::new(decoded.destination, segment.destination_port);
            let _ = numbers.numbers(from, to, segment);
            let _ = numbers.numbers_aside(to, from, segment);
        }
    }
}

/// The reader of expected files.
pub fn snapshot(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok((header, body)) = header::parse(&text) {
        let written = header.file_text(&body);
        assert_eq!(header::parse(&written), Ok((header, body)), "written: {written}");
    }
}

/// The reader of ledgers.
pub fn ledger(bytes: &[u8]) {
    let path = Path::new("ledger/linux-6.18.yaml");
    let text = String::from_utf8_lossy(bytes);
    if let Ok(ledger) = Ledger::parse(path, &text) {
        assert_eq!(Ledger::parse(path, &ledger.text()).ok(), Some(ledger));
    }
}

/// The reader of result files.
pub fn result(bytes: &[u8]) {
    let path = Path::new("result.json");
    if let Ok(text) = std::str::from_utf8(bytes) {
        let read = ResultFile::parse(path, text);
        assert!(read.is_ok() || read.is_err_and(|error| error.to_string().contains("result.json")));
    }
}

/// The reader of result files that travel.
pub fn archive(bytes: &[u8]) {
    let read = ResultFile::unpack(Path::new("result.zip"), bytes);
    assert!(read.is_ok() || read.is_err_and(|error| error.to_string().contains("result.zip")));
}
