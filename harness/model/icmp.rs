//! ICMP and ICMPv6: one word for a message of either version.

use super::case::Family;

/// A message's type and code.
pub type TypeCode = (u8, u8);

/// A word, and the message that it stands for in ICMP and in ICMPv6.
pub type Row = (&'static str, Option<TypeCode>, Option<TypeCode>);

/// A word, and the message that it stands for in ICMP (RFC 792, RFC 1812) and in ICMPv6 (RFC 4443,
/// RFC 4861, RFC 7112). Messages that correspond share a word, so that a case can say the same
/// under both families.
pub const WORDS: [Row; 35] = [
    ("net-unreachable", Some((3, 0)), Some((1, 0))),
    ("host-unreachable", Some((3, 1)), Some((1, 3))),
    ("protocol-unreachable", Some((3, 2)), Some((4, 1))),
    ("port-unreachable", Some((3, 3)), Some((1, 4))),
    ("fragmentation-needed", Some((3, 4)), Some((2, 0))),
    ("source-route-failed", Some((3, 5)), None),
    ("net-unknown", Some((3, 6)), None),
    ("host-unknown", Some((3, 7)), None),
    ("host-isolated", Some((3, 8)), None),
    ("net-prohibited", Some((3, 9)), None),
    ("host-prohibited", Some((3, 10)), None),
    ("net-tos", Some((3, 11)), None),
    ("host-tos", Some((3, 12)), None),
    ("precedence-violation", Some((3, 14)), None),
    ("precedence-cutoff", Some((3, 15)), None),
    ("admin-prohibited", Some((3, 13)), Some((1, 1))),
    ("beyond-scope", None, Some((1, 2))),
    ("policy-failed", None, Some((1, 5))),
    ("reject-route", None, Some((1, 6))),
    ("source-quench", Some((4, 0)), None),
    ("net-redirect", Some((5, 0)), None),
    ("host-redirect", Some((5, 1)), None),
    ("net-tos-redirect", Some((5, 2)), None),
    ("host-tos-redirect", Some((5, 3)), None),
    ("ttl-exceeded", Some((11, 0)), Some((3, 0))),
    ("reassembly-exceeded", Some((11, 1)), Some((3, 1))),
    ("parameter-problem", Some((12, 0)), Some((4, 0))),
    ("unrecognized-option", None, Some((4, 2))),
    ("incomplete-header-chain", None, Some((4, 3))),
    ("echo-request", Some((8, 0)), Some((128, 0))),
    ("echo-reply", Some((0, 0)), Some((129, 0))),
    ("router-solicitation", Some((10, 0)), Some((133, 0))),
    ("router-advertisement", Some((9, 0)), Some((134, 0))),
    ("neighbor-solicitation", None, Some((135, 0))),
    ("neighbor-advertisement", None, Some((136, 0))),
];

/// Whether a message tells of a better gateway (RFC 792: Redirect). That of ICMPv6 is another
/// protocol's, of neighbour discovery.
pub fn is_redirect(word: &str) -> bool {
    const REDIRECT: u8 = 5;
    message(word, Family::V4).is_some_and(|(kind, _)| kind == REDIRECT)
}

/// The words of errors: what a packet that is quoted has brought about.
pub const ERRORS: [&str; ERROR_COUNT] = errors();

const ERROR_COUNT: usize = {
    let (mut count, mut i) = (0, 0);
    while i < WORDS.len() {
        count += is_error(WORDS[i]) as usize;
        i += 1;
    }
    count
};

const fn errors() -> [&'static str; ERROR_COUNT] {
    let mut errors = [""; ERROR_COUNT];
    let (mut count, mut i) = (0, 0);
    while i < WORDS.len() {
        if is_error(WORDS[i]) {
            errors[count] = WORDS[i].0;
            count += 1;
        }
        i += 1;
    }
    errors
}

const fn is_error((_, v4, v6): Row) -> bool {
    match (v4, v6) {
        // Destination unreachable, source quench, redirect, time exceeded, parameter problem.
        (Some((kind, _)), _) => matches!(kind, 3 | 4 | 5 | 11 | 12),
        // RFC 4443 §2.1: errors have a zero in the high bit of their type.
        (None, Some((kind, _))) => kind < 128,
        (None, None) => false,
    }
}

/// Type and code of a word's message under a family; none if that version knows no such message.
/// A message without a word is written as it prints: `type 13 code 0`.
pub fn message(word: &str, family: Family) -> Option<TypeCode> {
    if let Some(numbers) = in_numbers(word) {
        return Some(numbers);
    }
    let (_, v4, v6) = WORDS.into_iter().find(|(known, ..)| *known == word)?;
    match family {
        Family::V4 => v4,
        Family::V6 => v6,
    }
}

/// `type 3 code 16`
pub fn in_numbers(text: &str) -> Option<TypeCode> {
    let (kind, code) = text.strip_prefix("type ")?.split_once(" code ")?;
    let number = |digits: &str| {
        let number: u8 = digits.parse().ok()?;
        (number.to_string() == digits).then_some(number)
    };
    Some((number(kind)?, number(code)?))
}

/// The word of a message under a family; none if it has none.
pub fn word(message: TypeCode, family: Family) -> Option<&'static str> {
    let of = |(_, v4, v6): &Row| match family {
        Family::V4 => *v4,
        Family::V6 => *v6,
    };
    WORDS.iter().find(|row| of(row) == Some(message)).map(|(word, ..)| *word)
}
