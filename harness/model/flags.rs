//! TCP header flags in tcpdump's letters and order.

use std::fmt;

/// The flags of a segment that have a name, as the bits of RFC 9293 §3.1 (FIN is bit 0, CWR bit 7)
/// and RFC 9768 §3.1 (AE is bit 8).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: TcpFlags = TcpFlags(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: TcpFlags = TcpFlags(0x02);
    /// Reset the connection.
    pub const RST: TcpFlags = TcpFlags(0x04);
    /// Push function.
    pub const PSH: TcpFlags = TcpFlags(0x08);
    /// The acknowledgment field is significant.
    pub const ACK: TcpFlags = TcpFlags(0x10);
    /// The urgent pointer is significant.
    pub const URG: TcpFlags = TcpFlags(0x20);
    /// ECN echo (RFC 3168).
    pub const ECE: TcpFlags = TcpFlags(0x40);
    /// Congestion window reduced (RFC 3168).
    pub const CWR: TcpFlags = TcpFlags(0x80);
    /// Accurate ECN (RFC 9768), once the nonce sum of RFC 3540.
    pub const AE: TcpFlags = TcpFlags(0x100);

    /// Letters in tcpdump's order.
    pub const LETTERS: [(TcpFlags, char); 9] = [
        (TcpFlags::FIN, 'F'),
        (TcpFlags::SYN, 'S'),
        (TcpFlags::RST, 'R'),
        (TcpFlags::PSH, 'P'),
        (TcpFlags::ACK, '.'),
        (TcpFlags::URG, 'U'),
        (TcpFlags::ECE, 'E'),
        (TcpFlags::CWR, 'W'),
        (TcpFlags::AE, 'e'),
    ];

    /// The flags without those of `other`.
    pub fn without(self, other: TcpFlags) -> TcpFlags {
        TcpFlags(self.0 & !other.0)
    }

    /// Whether every flag of `other` is set here.
    pub fn has(self, other: TcpFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for TcpFlags {
    type Output = TcpFlags;
    fn bitor(self, other: TcpFlags) -> TcpFlags {
        TcpFlags(self.0 | other.0)
    }
}

impl fmt::Display for TcpFlags {
    /// `S.`, `R`, `none`: without the brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("none");
        }
        for (flag, letter) in TcpFlags::LETTERS {
            if self.has(flag) {
                write!(f, "{letter}")?;
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for TcpFlags {
    type Err = String;
    fn from_str(text: &str) -> Result<TcpFlags, String> {
        if text == "none" {
            return Ok(TcpFlags(0));
        }
        let mut flags = TcpFlags(0);
        for c in text.chars() {
            let found = TcpFlags::LETTERS.iter().find(|(_, letter)| *letter == c);
            let Some((flag, _)) = found else {
                let meant = elsewhere(c);
                return Err(format!(
                    "`{c}` is no TCP flag{meant}, expected letters of FSRP.UEWe, or none"
                ));
            };
            if flags.has(*flag) {
                return Err(format!("the flag `{c}` stands here twice"));
            }
            flags = flags | *flag;
        }
        Ok(flags)
    }
}

/// Which letter is meant by one that other programs have for a flag.
fn elsewhere(letter: char) -> &'static str {
    match letter {
        'A' | 'a' => " (ACK is `.`)",
        'C' | 'c' => " (CWR is `W`)",
        _ => "",
    }
}
