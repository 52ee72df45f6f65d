//! What tshark reads in a file of tcpdump's: no code of sockdiff's takes part in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The first interface of every namespace is `lo`.
const LOOPBACK_INDEX: &str = "1";
/// How a capture of all interfaces marks a packet that leaves. `lo` shows each packet twice.
const OUTGOING: &str = "4";

/// What is asked of tshark.
const FIELDS: [&str; 41] = [
    "frame.time_epoch",
    "sll.ifindex",
    "sll.pkttype",
    "ip.src",
    "ip.dst",
    "ip.proto",
    "ip.len",
    "ip.hdr_len",
    "ip.ttl",
    "ip.dsfield",
    "ip.flags.df",
    "ip.frag_offset",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.nxt",
    "ipv6.plen",
    "ipv6.hlim",
    "ipv6.tclass",
    "ipv6.hopopts.nxt",
    "ipv6.dstopts.nxt",
    "ipv6.fraghdr.nxt",
    "ipv6.fraghdr.offset",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.hdr_len",
    "tcp.flags",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.len",
    "tcp.window_size_value",
    "tcp.urgent_pointer",
    "tcp.option_kind",
    "tcp.options.mss_val",
    "tcp.options.wscale.shift",
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
    /// Time to live, or hop limit.
    pub ttl: String,
    /// Type of service, or traffic class.
    pub tos: u32,
    /// Whether it must not be cut into fragments.
    pub df: bool,
    /// What it was.
    pub what: What,
}

/// What a packet was.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// A segment; what its numbers are relative to each SYN that they may count from.
    Tcp {
        flags: String,
        reserved: u32,
        seq: Vec<u32>,
        ack: Option<Vec<u32>>,
        len: u32,
        window: u32,
        urgent: Option<u32>,
        options: Vec<String>,
    },
    /// A segment whose header has a length that cannot be: tshark reads no further.
    BadTcp { seq: Vec<u32> },
    /// A datagram and the length of its payload, as far as it is in this packet.
    Udp { len: u32 },
    /// A message in words, the ends and the protocol of the packet that it quotes, and the bytes
    /// behind its header.
    Icmp { word: String, quoted: Option<(End, End, String)>, len: u32 },
    /// A packet of another protocol, or a fragment without the header of what it carries: the
    /// protocol's number.
    Other { protocol: String },
}

/// The packets of one namespace, in the order in which they were captured.
pub fn read(file: &Path) -> Result<Vec<Seen>, String> {
    let mut tshark = Command::new("tshark");
    // A fragment is a packet like any other.
    tshark.args(["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]);
    tshark.args(["-n", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,", "-r"]).arg(file);
    tshark.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let output = tshark.output().map_err(|error| format!("tshark: {error}"))?;
    if !output.status.success() {
        return Err(format!("tshark: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut initial = Initial::default();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let packets = text.lines().map(Line::new).filter(|line| !line.is_second_sight());
    packets.map(|line| line.packet(&mut initial)).collect()
}

/// The sequence numbers of the SYNs that each end has sent to each other end, the last one last.
type Initial = BTreeMap<(End, End), Vec<u32>>;

/// One line of tshark's: the values of each field, the outermost first.
struct Line<'a> {
    text: &'a str,
    columns: Vec<Vec<&'a str>>,
}

impl<'a> Line<'a> {
    fn new(text: &'a str) -> Line<'a> {
        Line { text, columns: text.split('\t').map(|text| text.split(',').collect()).collect() }
    }

    fn all(&self, name: &str) -> &[&'a str] {
        let column = FIELDS.iter().position(|field| *field == name).expect("it is asked for");
        self.columns.get(column).map_or(&[], Vec::as_slice)
    }

    fn field(&self, name: &str, nth: usize) -> &'a str {
        self.all(name).get(nth).copied().unwrap_or_default()
    }

    /// The value of IPv4's field, else of IPv6's.
    fn either(&self, four: &str, six: &str, nth: usize) -> &'a str {
        match self.field(four, nth) {
            "" => self.field(six, nth),
            value => value,
        }
    }

    fn is_second_sight(&self) -> bool {
        self.field("sll.ifindex", 0) == LOOPBACK_INDEX && self.field("sll.pkttype", 0) == OUTGOING
    }

    fn number(&self, name: &str) -> Result<u32, String> {
        let text = self.field(name, 0);
        let read = text.strip_prefix("0x").map_or(text.parse(), |hex| u32::from_str_radix(hex, 16));
        read.map_err(|_| format!("{name} is {text:?} in {:?}", self.text))
    }

    /// Both ends of the `nth` IP header, with the first ports of a protocol.
    fn ends(&self, protocol: &str, nth: usize) -> (End, End) {
        let end = |side: &str| {
            let address = self.either(&format!("ip.{side}"), &format!("ipv6.{side}"), nth);
            let port = match protocol {
                "tcp" | "udp" => self.field(&format!("{protocol}.{side}port"), 0),
                _ => "",
            };
            (address.to_owned(), port.to_owned())
        };
        (end("src"), end("dst"))
    }

    fn packet(&self, initial: &mut Initial) -> Result<Seen, String> {
        let at = self.field("frame.time_epoch", 0);
        let at = at.parse().map_err(|_| format!("no time in {:?}", self.text))?;
        let is_later = |offset: &str| !matches!(offset, "" | "0");
        let icmp = [("icmp", self.field("icmp.type", 0)), ("icmpv6", self.field("icmpv6.type", 0))];
        let icmp = icmp.into_iter().find(|(_, kind)| !kind.is_empty());
        let (protocol, what) = if let Some((version, kind)) = icmp {
            ("icmp", self.icmp(version, kind)?)
        } else if is_later(self.either("ip.frag_offset", "ipv6.fraghdr.offset", 0)) {
            let protocol = self.either("ip.proto", "ipv6.fraghdr.nxt", 0).to_owned();
            ("", What::Other { protocol })
        } else if !self.field("udp.length", 0).is_empty() {
            ("udp", What::Udp { len: self.udp_len()? })
        } else if self.protocol(0) == "6" {
            ("tcp", self.tcp(initial)?)
        } else {
            ("", What::Other { protocol: self.protocol(0).to_owned() })
        };
        let (from, to) = self.ends(protocol, 0);
        let ttl = self.either("ip.ttl", "ipv6.hlim", 0).to_owned();
        let tos = match self.field("ip.dsfield", 0) {
            "" => self.number("ipv6.tclass")?,
            _ => self.number("ip.dsfield")?,
        };
        let df = matches!(self.field("ip.flags.df", 0), "1" | "True");
        Ok(Seen { at, from, to, ttl, tos, df, what })
    }

    /// What the `nth` IP header carries, behind the options of IPv6. No message of ICMP has any
    /// itself, so those beside one are of the packet that it quotes.
    fn protocol(&self, nth: usize) -> &str {
        match self.either("ip.proto", "ipv6.nxt", nth) {
            "0" if self.field("ip.proto", nth).is_empty() => self.field("ipv6.hopopts.nxt", 0),
            "60" => self.field("ipv6.dstopts.nxt", 0),
            "44" => self.field("ipv6.fraghdr.nxt", 0),
            protocol => protocol,
        }
    }

    /// The first fragment of a datagram has the length of the whole one, and another length may be
    /// wrong on purpose: then it is told what came.
    fn udp_len(&self) -> Result<u32, String> {
        const HEADER: u32 = 8;
        const FRAGMENT_HEADER: u32 = 8;
        let carried = match self.field("ip.len", 0) {
            "" if self.field("ipv6.fraghdr.nxt", 0).is_empty() => self.number("ipv6.plen")?,
            "" => self.number("ipv6.plen")? - FRAGMENT_HEADER,
            _ => self.number("ip.len")? - self.number("ip.hdr_len")?,
        };
        let told = self.number("udp.length")?;
        let len = if (HEADER..=carried).contains(&told) { told } else { carried };
        Ok(len - HEADER)
    }

    fn tcp(&self, initial: &mut Initial) -> Result<What, String> {
        const HEADER_MIN: u32 = 20;
        const URG: u32 = 0x20;
        let (from, to) = self.ends("tcp", 0);
        let seq = self.number("tcp.seq_raw")?;
        let is_cut = ["tcp.flags", "tcp.len"].iter().any(|name| self.field(name, 0).is_empty());
        if is_cut {
            let len = self.number("tcp.hdr_len")?;
            let behind = self.either("ip.len", "ipv6.plen", 0);
            let fits = behind.parse().is_ok_and(|behind: u32| (HEADER_MIN..=behind).contains(&len));
            let (seq, _) = relative(initial, (&from, &to), 0, (seq, 0));
            return match fits {
                false => Ok(What::BadTcp { seq }),
                true => Err(format!("half a segment in {:?}", self.text)),
            };
        }
        let (bits, ack) = (self.number("tcp.flags")?, self.number("tcp.ack_raw")?);
        let (seq, ack) = relative(initial, (&from, &to), bits, (seq, ack));
        let (len, window) = (self.number("tcp.len")?, self.number("tcp.window_size_value")?);
        // Behind the bit of AE, the lowest of four.
        let reserved = bits >> 8 & 0xe;
        let urgent = match bits & URG {
            0 => None,
            _ => Some(self.number("tcp.urgent_pointer")?),
        };
        let (flags, options) = (letters(bits), self.options());
        Ok(What::Tcp { flags, reserved, seq, ack, len, window, urgent, options })
    }

    /// The options of a segment in tcpdump's words.
    fn options(&self) -> Vec<String> {
        let kinds = self.all("tcp.option_kind");
        // Behind the end of the options there is only padding.
        let end = kinds.iter().position(|kind| *kind == "0").map_or(kinds.len(), |at| at + 1);
        let kinds = kinds[..end].iter().filter(|kind| !kind.is_empty());
        let word = |kind: &&str| match *kind {
            "0" => "eol".to_owned(),
            "1" => "nop".to_owned(),
            "2" => format!("mss {}", self.field("tcp.options.mss_val", 0)),
            "3" => format!("wscale {}", self.field("tcp.options.wscale.shift", 0)),
            "4" => "sackOK".to_owned(),
            "5" => "sack".to_owned(),
            "8" => "TS".to_owned(),
            "34" => "tfo".to_owned(),
            kind => format!("unknown-{kind}"),
        };
        kinds.map(word).collect()
    }

    /// A message of ICMP quotes a packet, whose fields follow its own; of a short quote only the
    /// addresses are there.
    fn icmp(&self, version: &str, kind: &str) -> Result<What, String> {
        let word = word(version, (kind, self.field(&format!("{version}.code"), 0)))?;
        let protocol = match self.protocol(1) {
            "" => None,
            "6" => Some("tcp".to_owned()),
            "17" => Some("udp".to_owned()),
            other => Some(format!("ip-proto-{other}")),
        };
        let quoted = protocol.map(|protocol| {
            let (from, to) = self.ends(&protocol, 1);
            (from, to, protocol)
        });
        const ICMP_HEADER: u32 = 8;
        let number = |name: &str| self.field(name, 0).parse::<u32>().unwrap_or(0);
        let whole = match number("ipv6.plen") {
            0 => number("ip.len").saturating_sub(number("ip.hdr_len")),
            len => len,
        };
        Ok(What::Icmp { word, quoted, len: whole.saturating_sub(ICMP_HEADER) })
    }
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
    let acks = match initial.get(&(to.clone(), from.clone())) {
        // It may answer a SYN that a firewall has taken: nobody has seen it, and it has one number.
        None if stays => vec![ack, 1],
        theirs => counted(ack, theirs.map_or(&[][..], Vec::as_slice)),
    };
    (seqs, (bits & ACK != 0).then_some(acks))
}

/// Flags as tcpdump writes them.
fn letters(bits: u32) -> String {
    let named = "FSRP.UEWe".chars().enumerate().filter(|(bit, _)| bits >> bit & 1 != 0);
    let letters: String = named.map(|(_, letter)| letter).collect();
    if letters.is_empty() { "none".to_owned() } else { letters }
}

/// RFC 792, RFC 1812, RFC 4443, RFC 7112: what a message is called.
fn word(version: &str, what: (&str, &str)) -> Result<String, String> {
    Ok(match (version, what) {
        ("icmp", ("3", "0")) | ("icmpv6", ("1", "0")) => "net-unreachable",
        ("icmp", ("3", "1")) | ("icmpv6", ("1", "3")) => "host-unreachable",
        ("icmp", ("3", "2")) | ("icmpv6", ("4", "1")) => "protocol-unreachable",
        ("icmp", ("3", "3")) | ("icmpv6", ("1", "4")) => "port-unreachable",
        ("icmp", ("3", "4")) | ("icmpv6", ("2", "0")) => "fragmentation-needed",
        ("icmp", ("3", "5")) => "source-route-failed",
        ("icmp", ("3", "6")) => "net-unknown",
        ("icmp", ("3", "7")) => "host-unknown",
        ("icmp", ("3", "8")) => "host-isolated",
        ("icmp", ("3", "9")) => "net-prohibited",
        ("icmp", ("3", "10")) => "host-prohibited",
        ("icmp", ("3", "11")) => "net-tos",
        ("icmp", ("3", "12")) => "host-tos",
        ("icmp", ("3", "13")) | ("icmpv6", ("1", "1")) => "admin-prohibited",
        ("icmp", ("3", "14")) => "precedence-violation",
        ("icmp", ("3", "15")) => "precedence-cutoff",
        ("icmpv6", ("1", "2")) => "beyond-scope",
        ("icmpv6", ("1", "5")) => "policy-failed",
        ("icmpv6", ("1", "6")) => "reject-route",
        ("icmp", ("4", "0")) => "source-quench",
        ("icmp", ("5", "0")) => "net-redirect",
        ("icmp", ("5", "1")) => "host-redirect",
        ("icmp", ("5", "2")) => "net-tos-redirect",
        ("icmp", ("5", "3")) => "host-tos-redirect",
        ("icmp", ("11", "0")) | ("icmpv6", ("3", "0")) => "ttl-exceeded",
        ("icmp", ("11", "1")) | ("icmpv6", ("3", "1")) => "reassembly-exceeded",
        ("icmp", ("12", "0")) | ("icmpv6", ("4", "0")) => "parameter-problem",
        ("icmpv6", ("4", "2")) => "unrecognized-option",
        ("icmpv6", ("4", "3")) => "incomplete-header-chain",
        ("icmp", ("8", "0")) | ("icmpv6", ("128", "0")) => "echo-request",
        ("icmp", ("0", "0")) | ("icmpv6", ("129", "0")) => "echo-reply",
        ("icmp", ("13", "0")) => "type 13 code 0",
        ("icmp", ("14", "0")) => "type 14 code 0",
        ("icmp", ("15", "0")) => "type 15 code 0",
        ("icmp", ("17", "0")) => "type 17 code 0",
        _ => return Err(format!("{version} {what:?}: add the word to the oracle's table")),
    }
    .to_owned())
}
