//! What tshark reads in a file of tcpdump's: no code of sockdiff's takes part in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The first interface of every namespace is `lo`.
const LOOPBACK_INDEX: &str = "1";
/// How a capture of all interfaces marks a packet that leaves. `lo` shows each packet twice.
const OUTGOING: &str = "4";

/// What is asked of tshark, in this order.
const FIELDS: [&str; 21] = [
    "frame.time_epoch",
    "sll.ifindex",
    "sll.pkttype",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.flags",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.len",
    "tcp.window_size_value",
    "udp.srcport",
    "udp.dstport",
    "udp.length",
    "icmp.type",
    "icmp.code",
    "icmpv6.type",
    "icmpv6.code",
];

/// Address and port, the port empty where there is none.
pub type End = (String, String);

/// One packet.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// Seconds since the Unix epoch.
    pub at: f64,
    /// Where it came from.
    pub from: End,
    /// Where it went.
    pub to: End,
    /// What it was.
    pub what: What,
}

/// What a packet was.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// A segment; what its numbers are relative to each SYN that they may count from.
    Tcp { flags: String, seq: Vec<u32>, ack: Option<Vec<u32>>, len: u32, window: u32 },
    /// A datagram and the length of its payload.
    Udp { len: u32 },
    /// A message in words, and the ends and the protocol of the packet that it quotes.
    Icmp { word: String, quoted: Option<(End, End, &'static str)> },
}

/// The packets of one namespace, in the order in which they were captured.
pub fn read(file: &Path) -> Result<Vec<Seen>, String> {
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,", "-r"]).arg(file);
    tshark.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let output = tshark.output().map_err(|error| format!("tshark: {error}"))?;
    if !output.status.success() {
        return Err(format!("tshark: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut initial = Initial::default();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| packet(line, &mut initial)).collect()
}

/// The sequence numbers of the SYNs that each end has sent to each other end, the last one last.
type Initial = BTreeMap<(End, End), Vec<u32>>;

/// One line of tshark's; none for the second sight of a packet on `lo`.
fn packet(line: &str, initial: &mut Initial) -> Option<Result<Seen, String>> {
    let columns: Vec<Vec<&str>> = line.split('\t').map(|text| text.split(',').collect()).collect();
    let field = |name: &str, nth: usize| -> &str {
        let column = FIELDS.iter().position(|field| *field == name).expect("it is asked for");
        columns.get(column).and_then(|values| values.get(nth)).copied().unwrap_or_default()
    };
    if field("sll.ifindex", 0) == LOOPBACK_INDEX && field("sll.pkttype", 0) == OUTGOING {
        return None;
    }
    // A message of ICMP quotes a packet, whose addresses follow its own.
    let icmp = [("icmp", "3"), ("icmpv6", "1")].into_iter().find(|(kind, _)| {
        let name = if *kind == "icmp" { "icmp.type" } else { "icmpv6.type" };
        !field(name, 0).is_empty()
    });
    let address = |side: &str, nth| match field(&format!("ip.{side}"), nth) {
        "" => field(&format!("ipv6.{side}"), nth).to_owned(),
        four => four.to_owned(),
    };
    let end = |side: &str, protocol: &str, nth: usize, ports: usize| -> End {
        (address(side, nth), field(&format!("{protocol}.{side}port"), ports).to_owned())
    };
    let number = |name: &str| -> Result<u32, String> {
        let text = field(name, 0);
        let read = text.strip_prefix("0x").map_or(text.parse(), |hex| u32::from_str_radix(hex, 16));
        read.map_err(|_| format!("{name} is {text:?} in {line:?}"))
    };
    let mut read = || -> Result<Seen, String> {
        let at = field("frame.time_epoch", 0);
        let at = at.parse().map_err(|_| format!("no time in {line:?}"))?;
        if let Some((kind, _)) = icmp {
            let what = (field(&format!("{kind}.type"), 0), field(&format!("{kind}.code"), 0));
            let inner = ["tcp", "udp"].into_iter().find(|inner| {
                let port = format!("{inner}.srcport");
                !field(&port, 0).is_empty()
            });
            let quoted =
                inner.map(|inner| (end("src", inner, 1, 0), end("dst", inner, 1, 0), inner));
            let word = word(kind, what)?;
            let (from, to) = (end("src", "tcp", 0, 9), end("dst", "tcp", 0, 9));
            return Ok(Seen { at, from, to, what: What::Icmp { word, quoted } });
        }
        if !field("udp.length", 0).is_empty() {
            let len = number("udp.length")?.saturating_sub(8);
            let (from, to) = (end("src", "udp", 0, 0), end("dst", "udp", 0, 0));
            return Ok(Seen { at, from, to, what: What::Udp { len } });
        }
        let (from, to) = (end("src", "tcp", 0, 0), end("dst", "tcp", 0, 0));
        let (bits, seq, ack) =
            (number("tcp.flags")?, number("tcp.seq_raw")?, number("tcp.ack_raw")?);
        let (seq, ack) = relative(initial, (&from, &to), bits, (seq, ack));
        let (len, window) = (number("tcp.len")?, number("tcp.window_size_value")?);
        let what = What::Tcp { flags: letters(bits), seq, ack, len, window };
        Ok(Seen { at, from, to, what })
    };
    Some(read())
}

/// A number counts from a SYN of the side whose number it is, and stays as it is without one. Which
/// SYN of several has been accepted is the transcript's to say.
fn relative(
    initial: &mut Initial,
    (from, to): (&End, &End),
    bits: u32,
    (seq, ack): (u32, u32),
) -> (Vec<u32>, Option<Vec<u32>>) {
    const SYN: u32 = 0x02;
    const RST: u32 = 0x04;
    const ACK: u32 = 0x10;
    let own = initial.entry((from.clone(), to.clone())).or_default();
    if bits & SYN != 0 {
        own.push(seq);
    }
    let counted = |number: u32, from: &[u32]| match from {
        [] => vec![number],
        from => from.iter().map(|first| number.wrapping_sub(*first)).collect(),
    };
    // The RST that a closed port sends has the number 0, whoever had the port before.
    let stays = bits & (RST | ACK) == RST | ACK && seq == 0;
    let seqs = counted(seq, if stays { &[] } else { own });
    let theirs = initial.get(&(to.clone(), from.clone())).map_or(&[][..], Vec::as_slice);
    (seqs, (bits & ACK != 0).then(|| counted(ack, theirs)))
}

/// Flags as tcpdump writes them.
fn letters(bits: u32) -> String {
    let named = "FSRP.UEW".chars().enumerate().filter(|(bit, _)| bits >> bit & 1 != 0);
    let letters: String = named.map(|(_, letter)| letter).collect();
    if letters.is_empty() { "none".to_owned() } else { letters }
}

/// RFC 792, RFC 1812, RFC 4443: the messages of the cases that are tried.
fn word(kind: &str, what: (&str, &str)) -> Result<String, String> {
    Ok(match (kind, what) {
        ("icmp", ("3", "1")) | ("icmpv6", ("1", "3")) => "host-unreachable",
        ("icmp", ("3", "3")) | ("icmpv6", ("1", "4")) => "port-unreachable",
        ("icmp", ("3", "13")) | ("icmpv6", ("1", "1")) => "admin-prohibited",
        _ => return Err(format!("{kind} {what:?}: add the word to the oracle's table")),
    }
    .to_owned())
}
