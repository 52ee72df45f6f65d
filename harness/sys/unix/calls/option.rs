//! `setsockopt` and `getsockopt`.

use crate::model::option::{OptionKind, OptionRef, OptionValue};
use crate::model::outcome::{Answer, Outcome};
use crate::model::time::Shown;
use crate::sys::Fd;
use crate::sys::calls::{BAD, Call, NotHere, int, lacking, number, time_of};
use crate::sys::unix::{dialect, errno, names};
use libc::{c_int, c_void, linger, socklen_t, suseconds_t, time_t, timeval};
use std::mem::offset_of;
use std::time::Duration;

/// More than any option's value that is read here: `struct tcp_info`.
const VALUE_BYTES_MAX: usize = 512;

impl Call<'_> {
    pub fn set_option(
        &mut self,
        fd: Fd,
        option: OptionRef,
        value: &OptionValue,
        bad: bool,
    ) -> Result<Outcome, NotHere> {
        let (level, name, kind) = known(option)?;
        let bytes = to_bytes(kind, value);
        let len = bytes.len() as socklen_t;
        let data = match bad {
            true => BAD as *const c_void,
            false => bytes.as_ptr().cast::<c_void>(),
        };
        let fd = number(fd);
        // SAFETY: the pointer is to `len` bytes that outlive the call, or bad on purpose.
        let set = || i64::from(unsafe { libc::setsockopt(fd, level, name, data, len) });
        let returned = self.enter(set);
        Ok(self.outcome(returned, Answer::Value))
    }

    pub fn get_option(
        &mut self,
        fd: Fd,
        option: OptionRef,
        fields: &[String],
        bad: bool,
    ) -> Result<Outcome, NotHere> {
        let (level, name, kind) = known(option)?;
        let fields = fields.iter().map(|name| {
            let here = dialect::TCP_INFO_FIELDS.iter().find(|(known, _)| known == name);
            here.ok_or_else(|| lacking(name))
        });
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        let mut bytes = [0u8; VALUE_BYTES_MAX];
        let mut len = wanted_len(kind);
        let data = match bad {
            true => BAD as *mut c_void,
            false => bytes.as_mut_ptr().cast::<c_void>(),
        };
        let len_pointer = &raw mut len;
        let fd = number(fd);
        // SAFETY: the pointer is to at least `len` writable bytes that outlive the call, or bad on
        // purpose.
        let get = || i64::from(unsafe { libc::getsockopt(fd, level, name, data, len_pointer) });
        let returned = self.enter(get);
        let value = &bytes[..(len as usize).min(VALUE_BYTES_MAX)];
        Ok(self.outcome(returned, |_| match from_bytes(kind, value) {
            Answer::Word(word) if !fields.is_empty() => {
                let fields = fields.iter().map(|(name, range)| match value.get(range.clone()) {
                    Some(bytes) => format!(" {name} {}", unsigned(bytes)),
                    // A release that does not know it yet.
                    None => format!(" no {name}"),
                });
                Answer::Word(word + &fields.collect::<String>())
            }
            answer => answer,
        }))
    }
}

/// Socket options that all Unixes have: level and number.
const OPTIONS: &[(&str, c_int, c_int)] = &[
    ("SO_REUSEADDR", libc::SOL_SOCKET, libc::SO_REUSEADDR),
    ("SO_REUSEPORT", libc::SOL_SOCKET, libc::SO_REUSEPORT),
    // In seconds, but on macOS in ticks, hundredths of a second (`<sys/socket.h>`): that is what a
    // program gets there by this name, unless it is compiled for POSIX alone.
    ("SO_LINGER", libc::SOL_SOCKET, libc::SO_LINGER),
    ("SO_KEEPALIVE", libc::SOL_SOCKET, libc::SO_KEEPALIVE),
    ("SO_BROADCAST", libc::SOL_SOCKET, libc::SO_BROADCAST),
    ("SO_OOBINLINE", libc::SOL_SOCKET, libc::SO_OOBINLINE),
    ("SO_DONTROUTE", libc::SOL_SOCKET, libc::SO_DONTROUTE),
    ("SO_RCVBUF", libc::SOL_SOCKET, libc::SO_RCVBUF),
    ("SO_SNDBUF", libc::SOL_SOCKET, libc::SO_SNDBUF),
    ("SO_RCVLOWAT", libc::SOL_SOCKET, libc::SO_RCVLOWAT),
    ("SO_SNDLOWAT", libc::SOL_SOCKET, libc::SO_SNDLOWAT),
    ("SO_RCVTIMEO", libc::SOL_SOCKET, libc::SO_RCVTIMEO),
    ("SO_SNDTIMEO", libc::SOL_SOCKET, libc::SO_SNDTIMEO),
    ("SO_ERROR", libc::SOL_SOCKET, libc::SO_ERROR),
    ("SO_TYPE", libc::SOL_SOCKET, libc::SO_TYPE),
    ("SO_ACCEPTCONN", libc::SOL_SOCKET, libc::SO_ACCEPTCONN),
    ("SO_TIMESTAMP", libc::SOL_SOCKET, libc::SO_TIMESTAMP),
    ("TCP_NODELAY", libc::IPPROTO_TCP, libc::TCP_NODELAY),
    ("TCP_MAXSEG", libc::IPPROTO_TCP, libc::TCP_MAXSEG),
    ("TCP_KEEPINTVL", libc::IPPROTO_TCP, libc::TCP_KEEPINTVL),
    ("TCP_KEEPCNT", libc::IPPROTO_TCP, libc::TCP_KEEPCNT),
    ("TCP_FASTOPEN", libc::IPPROTO_TCP, libc::TCP_FASTOPEN),
    ("IP_TTL", libc::IPPROTO_IP, libc::IP_TTL),
    ("IP_TOS", libc::IPPROTO_IP, libc::IP_TOS),
    ("IP_RECVTTL", libc::IPPROTO_IP, libc::IP_RECVTTL),
    ("IP_RECVTOS", libc::IPPROTO_IP, libc::IP_RECVTOS),
    ("IP_MULTICAST_TTL", libc::IPPROTO_IP, libc::IP_MULTICAST_TTL),
    ("IP_MULTICAST_LOOP", libc::IPPROTO_IP, libc::IP_MULTICAST_LOOP),
    ("IPV6_V6ONLY", libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
    ("IPV6_UNICAST_HOPS", libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS),
    ("IPV6_MULTICAST_HOPS", libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_HOPS),
    ("IPV6_MULTICAST_LOOP", libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_LOOP),
    ("IPV6_RECVPKTINFO", libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
];

fn known(option: OptionRef) -> Result<(c_int, c_int, OptionKind), NotHere> {
    let (level, number) = match option {
        OptionRef::Number { level, option } => (names::level(level), option),
        OptionRef::Known(option) => {
            let tables = OPTIONS.iter().chain(dialect::BSD_OPTIONS).chain(dialect::OPTIONS);
            let here = { tables }.find(|(name, ..)| *name == option.name);
            let (_, level, number) = here.ok_or_else(|| lacking(option.name))?;
            (*level, *number)
        }
    };
    Ok((level, number, option.kind()))
}

fn to_bytes(kind: OptionKind, value: &OptionValue) -> Vec<u8> {
    match value {
        OptionValue::Int(number) => int(i128::from(*number)),
        OptionValue::Linger { onoff, linger } => {
            [*onoff, *linger].iter().flat_map(|field| field.to_ne_bytes()).collect()
        }
        OptionValue::Time(time) => match kind {
            OptionKind::Time => {
                timeval_bytes(time.as_secs() as time_t, time.subsec_micros() as suseconds_t)
            }
            OptionKind::Seconds => int(i128::from(time.as_secs())),
            _ => int(time.as_millis() as i128),
        },
        OptionValue::Timeval { sec, usec } => timeval_bytes(*sec as time_t, *usec as suseconds_t),
        OptionValue::Text(text) => text.clone().into_bytes(),
        OptionValue::Zeros(len) => vec![0; *len as usize],
    }
}

/// Field by field, because macOS's has padding behind them, whose bytes nobody initialises.
fn timeval_bytes(sec: time_t, usec: suseconds_t) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<timeval>()];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(offset_of!(timeval, tv_sec), &sec.to_ne_bytes());
    put(offset_of!(timeval, tv_usec), &usec.to_ne_bytes());
    bytes
}

fn wanted_len(kind: OptionKind) -> socklen_t {
    let len = match kind {
        OptionKind::Linger => size_of::<linger>(),
        OptionKind::Time => size_of::<timeval>(),
        OptionKind::Text => 16,
        OptionKind::TcpInfo => VALUE_BYTES_MAX,
        _ => size_of::<c_int>(),
    };
    len as socklen_t
}

fn from_bytes(kind: OptionKind, bytes: &[u8]) -> Answer {
    match kind {
        OptionKind::Error => Answer::Word(match int_at(bytes, 0) {
            0 => "0".to_owned(),
            raw => errno::name(raw).name().to_owned(),
        }),
        OptionKind::Linger => Answer::Word(format!(
            "{{onoff: {}, linger: {}}}",
            // The BSDs answer with the option's bit instead of 1.
            i32::from(int_at(bytes, 0) != 0),
            int_at(bytes, size_of::<c_int>())
        )),
        OptionKind::Time => Answer::Word(timeval_of(bytes)),
        OptionKind::Text => {
            let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
            Answer::Word(String::from_utf8_lossy(text).into_owned())
        }
        OptionKind::TcpInfo => {
            let state = bytes.first().copied().unwrap_or(0);
            let known = dialect::TCP_STATES.get(usize::from(state)).copied();
            Answer::Word(known.unwrap_or("unknown state").to_owned())
        }
        OptionKind::Seconds => time_of(int_at(bytes, 0), 1_000),
        OptionKind::Millis => time_of(int_at(bytes, 0), 1),
        _ => Answer::Number(i64::from(int_at(bytes, 0))),
    }
}

/// An unsigned number of one, four or eight bytes.
fn unsigned(bytes: &[u8]) -> u64 {
    let mut wide = [0; size_of::<u64>()];
    let at = if cfg!(target_endian = "big") { wide.len() - bytes.len() } else { 0 };
    wide[at..at + bytes.len()].copy_from_slice(bytes);
    u64::from_ne_bytes(wide)
}

fn int_at(bytes: &[u8], offset: usize) -> c_int {
    let field = bytes.get(offset..offset + size_of::<c_int>());
    match field.and_then(|field| field.try_into().ok()) {
        Some(field) => c_int::from_ne_bytes(field),
        // Some options are a single byte on some systems.
        None => c_int::from(bytes.first().copied().unwrap_or(0)),
    }
}

/// As a duration, or by its fields where it is none that a case could have written.
fn timeval_of(bytes: &[u8]) -> String {
    if bytes.len() < size_of::<timeval>() {
        return Shown(Duration::ZERO).to_string();
    }
    // SAFETY: there are enough bytes, and any bytes are a valid timeval.
    let value: timeval = unsafe { bytes.as_ptr().cast::<timeval>().read_unaligned() };
    let (sec, usec) = (value.tv_sec, value.tv_usec);
    match (u64::try_from(sec), usec) {
        (Ok(sec), 0..1_000_000) if usec % 1000 == 0 => {
            Shown(Duration::from_secs(sec) + Duration::from_micros(usec as u64)).to_string()
        }
        _ => format!("{{sec: {sec}, usec: {usec}}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{from_bytes, known, to_bytes};
    use crate::model::option::{Level, OptionKind, OptionRef, OptionValue, find};
    use crate::model::outcome::Answer;
    use rstest::rstest;
    use std::time::Duration;

    #[rstest]
    #[case::int(OptionKind::Int, OptionValue::Int(7), Answer::Number(7))]
    #[case::linger(
        OptionKind::Linger,
        OptionValue::Linger { onoff: 1, linger: 0 },
        Answer::Word("{onoff: 1, linger: 0}".to_owned())
    )]
    #[case::time(
        OptionKind::Time,
        OptionValue::Time(Duration::from_millis(100)),
        Answer::Word("100ms".to_owned())
    )]
    #[case::fields(
        OptionKind::Time,
        OptionValue::Timeval { sec: 1, usec: 100_000 },
        Answer::Word("1100ms".to_owned())
    )]
    #[case::no_time(
        OptionKind::Time,
        OptionValue::Timeval { sec: -1, usec: 1 },
        Answer::Word("{sec: -1, usec: 1}".to_owned())
    )]
    #[case::finer_than_a_duration(
        OptionKind::Time,
        OptionValue::Timeval { sec: 0, usec: 1 },
        Answer::Word("{sec: 0, usec: 1}".to_owned())
    )]
    #[case::seconds(
        OptionKind::Seconds,
        OptionValue::Time(Duration::from_secs(2)),
        Answer::Word("2s".to_owned())
    )]
    #[case::millis(
        OptionKind::Millis,
        OptionValue::Time(Duration::from_millis(2500)),
        Answer::Word("2500ms".to_owned())
    )]
    #[case::off(OptionKind::Seconds, OptionValue::Int(-1), Answer::Number(-1))]
    #[case::text(
        OptionKind::Text,
        OptionValue::Text("reno".to_owned()),
        Answer::Word("reno".to_owned())
    )]
    #[case::error(
        OptionKind::Error,
        OptionValue::Int(libc::ECONNREFUSED as i64),
        Answer::Word("ECONNREFUSED".to_owned())
    )]
    fn what_is_set_reads_back(
        #[case] kind: OptionKind,
        #[case] value: OptionValue,
        #[case] answer: Answer,
    ) {
        assert_eq!(from_bytes(kind, &to_bytes(kind, &value)), answer);
    }

    #[test]
    fn an_option_of_another_system_is_not_here() {
        let option = OptionRef::Known(find("SO_EXCLUSIVEADDRUSE").unwrap());
        assert_eq!(known(option).unwrap_err(), "no SO_EXCLUSIVEADDRUSE on this system");
    }

    #[test]
    fn a_number_is_handed_over_as_it_is() {
        let number = |level| known(OptionRef::Number { level, option: 7777 });
        let (int, here) = (OptionKind::Int, libc::SOL_SOCKET);
        assert_eq!(number(Level::Socket), Ok((here, 7777, int)));
        assert_eq!(number(Level::Number(-1)), Ok((-1, 7777, int)));
    }
}
