//! The packets of a case as a pcapng file, for Wireshark and its kin.
//!
//! - The comment on a packet names what caused it and in which run, a matrix row under an address
//!   family: `step 3, line 21: conn.close() [how=rd ipv4]`. The packets of the given state are
//!   there too, with `given` in place of the step.
//! - The runs follow one another, whenever they happened. Where `--repeat` found several answers,
//!   each is there with one run: `[how=rd ipv4, answer 2]`.
//! - All runs are on one interface: given a second one, libpcap takes LINKTYPE_RAW for another type
//!   than itself and reads no further.
//! - Packets begin with their IP header. Those of IPv6 raw sockets come without it and get one made
//!   from what the capture tells beside them. What a peer sent in fragments is there in fragments.
//! - On the loopback the kernel leaves checksums unfinished: they are no sign of a fault.
//!
//! The format is draft-ietf-opsawg-pcapng; every block is written in little-endian order. Three
//! kinds of blocks are all that is needed of it, too little for a dependency.

use crate::model::Case;
use crate::render::head;
use crate::run::log::{RunLog, StepLog};
use crate::wire::build::with_ip_header;
use std::time::Duration;

/// The kinds of blocks.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
/// What tells a reader in which order the bytes stand.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Packets begin with an IPv4 or IPv6 header.
const LINKTYPE_RAW: u16 = 101;
/// The kinds of options; those above the first differ from block to block.
const OPT_COMMENT: u16 = 1;
const SHB_USERAPPL: u16 = 4;
const IF_TSRESOL: u16 = 9;
/// Stamps count units of 10⁻⁹ seconds.
const NANOSECONDS: u8 = 9;
/// Characters of a text: the length of an option is a 16-bit number.
const TEXT_CHARS_MAX: usize = 4096;

/// The file of a case, from the logs behind each of its distinct answers.
pub fn file(case: &Case, answers: &[&[RunLog]]) -> Vec<u8> {
    let mut file = [section_header(case), interface_description()].concat();
    for (logs, nth) in answers.iter().zip(1..) {
        for log in *logs {
            let mut run = run_name(case, log);
            if nth > 1 {
                run.push_str(&format!(", answer {nth}"));
            }
            for step in log.given.iter().chain(&log.steps) {
                let comment = format!("{} [{run}]", cause(step));
                for packet in &step.packets {
                    if packet.fragments.is_empty() {
                        let bytes = with_ip_header(packet);
                        file.extend(enhanced_packet(packet.at, &bytes, &comment));
                    }
                    let fragments = packet.fragments.iter();
                    file.extend(
                        fragments.flat_map(|bytes| enhanced_packet(packet.at, bytes, &comment)),
                    );
                }
            }
        }
    }
    file
}

/// `how=rd ipv4`
fn run_name(case: &Case, log: &RunLog) -> String {
    let at = case.rows.get(log.row).into_iter().flat_map(|row| &row.at);
    let words = at.map(|(name, value)| format!("{name}={value}"));
    words.chain([log.family.to_string()]).collect::<Vec<_>>().join(" ")
}

/// `step 3, line 21: conn.close()`
fn cause(step: &StepLog) -> String {
    let mut cause = step.index.map_or("given".to_owned(), |index| format!("step {}", index + 1));
    if step.line > 0 {
        cause.push_str(&format!(", line {}", step.line));
    }
    let calls = step.calls.iter().map(|call| head(&call.subject, &call.spec));
    let mut acts: Vec<String> = step.note.iter().cloned().chain(calls).collect();
    // A call that is made thirty times is named once.
    acts.dedup();
    format!("{cause}: {}", acts.join(", "))
}

fn section_header(case: &Case) -> Vec<u8> {
    let mut body = BYTE_ORDER_MAGIC.to_le_bytes().to_vec();
    // Version 1.0, of a length that is not told.
    body.extend([1, 0, 0, 0]);
    body.extend(u64::MAX.to_le_bytes());
    option(&mut body, OPT_COMMENT, shortened(&format!("{}: {}", case.id, case.about.trim())));
    let program = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    option(&mut body, SHB_USERAPPL, program);
    block(SECTION_HEADER, body)
}

fn interface_description() -> Vec<u8> {
    let mut body = LINKTYPE_RAW.to_le_bytes().to_vec();
    // Two reserved bytes; packets may be of any length.
    body.extend([0; 6]);
    option(&mut body, IF_TSRESOL, [NANOSECONDS]);
    block(INTERFACE_DESCRIPTION, body)
}

fn enhanced_packet(at: Duration, bytes: &[u8], comment: &str) -> Vec<u8> {
    let stamp = at.as_nanos() as u64;
    let len = bytes.len() as u32;
    // The first interface, and a stamp in two halves.
    let (high, low) = ((stamp >> 32) as u32, stamp as u32);
    let mut body: Vec<u8> =
        [0, high, low, len, len].into_iter().flat_map(u32::to_le_bytes).collect();
    body.extend(bytes.iter());
    pad(&mut body);
    option(&mut body, OPT_COMMENT, shortened(comment));
    block(ENHANCED_PACKET, body)
}

/// Its length stands before and behind a block, and counts itself.
fn block(kind: u32, mut body: Vec<u8>) -> Vec<u8> {
    // The end of the options.
    body.extend([0; 4]);
    let len = (body.len() as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &len, &body, &len].concat()
}

fn option(body: &mut Vec<u8>, code: u16, value: impl AsRef<[u8]>) {
    let value = value.as_ref();
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

/// Everything begins at a multiple of four bytes.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn shortened(text: &str) -> &str {
    text.char_indices().nth(TEXT_CHARS_MAX).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests;
