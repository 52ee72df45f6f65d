//! `setsockopt` and `getsockopt`, and the ioctl that is TCP_INFO elsewhere.

use crate::model::option::{OptionKind, OptionRef, OptionValue};
use crate::model::outcome::{Answer, Outcome};
use crate::sys::Fd;
use crate::sys::calls::{BAD, Call, NotHere, int, lacking, number, time_of};
use crate::sys::windows::names::{OPTIONS, TCP_INFO, TCP_STATES};
use crate::sys::windows::{errno, names};
use std::ptr::null_mut;
use windows_sys::Win32::Networking::WinSock::{self as ws, LINGER, TCP_INFO_v0};

/// More than any option's value that is read here.
const VALUE_BYTES_MAX: usize = 64;

impl Call<'_> {
    pub fn set_option(
        &mut self,
        fd: Fd,
        option: OptionRef,
        value: &OptionValue,
        bad: bool,
    ) -> Result<Outcome, NotHere> {
        let (level, name, kind) = known(option)?;
        if let OptionValue::Timeval { .. } = value {
            return Err(lacking("timeval in options"));
        }
        let bytes = to_bytes(kind, value);
        let len = bytes.len() as i32;
        let data = if bad { BAD as *const u8 } else { bytes.as_ptr() };
        // SAFETY: the pointer is to `len` bytes that outlive the call, or bad on purpose.
        Ok(self.plain(|| unsafe { ws::setsockopt(number(fd), level, name, data, len) }))
    }

    pub fn get_option(
        &mut self,
        fd: Fd,
        option: OptionRef,
        fields: &[String],
        bad: bool,
    ) -> Result<Outcome, NotHere> {
        // `TCP_INFO_v0` counts in fields of its own.
        if let Some(field) = fields.first() {
            return Err(lacking(field));
        }
        if matches!(option, OptionRef::Known(option) if option.name == TCP_INFO) {
            return Ok(self.tcp_info(fd, bad));
        }
        let (level, name, kind) = known(option)?;
        let mut bytes = [0u8; VALUE_BYTES_MAX];
        let mut len = wanted_len(kind);
        let data = if bad { BAD as *mut u8 } else { bytes.as_mut_ptr() };
        let len_pointer = &raw mut len;
        // SAFETY: the pointer is to at least `len` writable bytes that outlive the call, or bad on
        // purpose.
        let get = || unsafe { ws::getsockopt(number(fd), level, name, data, len_pointer) };
        let returned = self.enter(|| i64::from(get()));
        let value = &bytes[..(len.max(0) as usize).min(VALUE_BYTES_MAX)];
        Ok(self.outcome(returned, |_| from_bytes(kind, value)))
    }

    fn tcp_info(&mut self, fd: Fd, bad: bool) -> Outcome {
        let version = 0u32;
        let mut info = TCP_INFO_v0::default();
        let data = if bad { BAD as *mut TCP_INFO_v0 } else { &raw mut info };
        let (asked, asked_bytes) = (&raw const version, size_of_val(&version) as u32);
        let info_bytes = size_of::<TCP_INFO_v0>() as u32;
        let mut written = 0;
        let (request, count) = (ws::SIO_TCP_INFO, &raw mut written);
        // SAFETY: the pointers are to a version and to room for what it asks for, with their
        // lengths, or bad on purpose.
        let returned = self.enter(|| unsafe {
            let (asked, data) = (asked.cast(), data.cast());
            let (socket, none) = (number(fd), null_mut());
            ws::WSAIoctl(socket, request, asked, asked_bytes, data, info_bytes, count, none, None)
                .into()
        });
        self.outcome(returned, |_| {
            let known = usize::try_from(info.State).ok().and_then(|state| TCP_STATES.get(state));
            Answer::Word(known.copied().unwrap_or("unknown state").to_owned())
        })
    }
}

fn known(option: OptionRef) -> Result<(i32, i32, OptionKind), NotHere> {
    let (level, number) = match option {
        OptionRef::Number { level, option } => (names::level(level), option),
        OptionRef::Known(option) => {
            let here = OPTIONS.iter().find(|(name, ..)| *name == option.name);
            let (_, level, number) = here.ok_or_else(|| lacking(option.name))?;
            (*level, *number)
        }
    };
    Ok((level, number, option.kind()))
}

fn to_bytes(kind: OptionKind, value: &OptionValue) -> Vec<u8> {
    match value {
        OptionValue::Int(number) => int(i128::from(*number)),
        // Two 16-bit fields: of a larger number the low bits are left, as in C.
        OptionValue::Linger { onoff, linger } => {
            [*onoff, *linger].iter().flat_map(|field| (*field as u16).to_ne_bytes()).collect()
        }
        OptionValue::Time(time) => match kind {
            OptionKind::Seconds => int(i128::from(time.as_secs())),
            _ => int(time.as_millis() as i128),
        },
        // Told before: nothing is set.
        OptionValue::Timeval { .. } => Vec::new(),
        OptionValue::Text(text) => text.clone().into_bytes(),
        OptionValue::Zeros(len) => vec![0; *len as usize],
    }
}

fn wanted_len(kind: OptionKind) -> i32 {
    let len = match kind {
        OptionKind::Linger => size_of::<LINGER>(),
        OptionKind::Text => 16,
        _ => size_of::<i32>(),
    };
    len as i32
}

fn from_bytes(kind: OptionKind, bytes: &[u8]) -> Answer {
    let number = int_at(bytes);
    match kind {
        OptionKind::Error => Answer::Word(match number {
            0 => "0".to_owned(),
            raw => errno::name(raw).name().to_owned(),
        }),
        OptionKind::Linger => {
            let field = |at: usize| match bytes.get(at..at + 2) {
                Some(&[low, high]) => u16::from_ne_bytes([low, high]),
                _ => 0,
            };
            let (onoff, linger) = (i32::from(field(0) != 0), field(2));
            Answer::Word(format!("{{onoff: {onoff}, linger: {linger}}}"))
        }
        OptionKind::Time | OptionKind::Millis => time_of(number, 1),
        OptionKind::Seconds => time_of(number, 1_000),
        OptionKind::Text => {
            let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
            Answer::Word(String::from_utf8_lossy(text).into_owned())
        }
        OptionKind::Int | OptionKind::TcpInfo => Answer::Number(i64::from(number)),
    }
}

/// A DWORD; where the system wrote a BOOLEAN only, that one.
fn int_at(bytes: &[u8]) -> i32 {
    match bytes {
        &[a, b, c, d, ..] => i32::from_ne_bytes([a, b, c, d]),
        short => short.first().copied().map_or(0, i32::from),
    }
}

#[cfg(test)]
mod tests {
    use super::{from_bytes, known, to_bytes};
    use crate::model::option::{OptionKind, OptionRef, OptionValue, find};
    use crate::model::outcome::Answer;
    use rstest::rstest;
    use std::time::Duration;

    #[rstest]
    #[case::int(OptionKind::Int, OptionValue::Int(7), Answer::Number(7))]
    #[case::linger(
        OptionKind::Linger,
        OptionValue::Linger { onoff: 1, linger: 3 },
        Answer::Word("{onoff: 1, linger: 3}".to_owned())
    )]
    #[case::time(
        OptionKind::Time,
        OptionValue::Time(Duration::from_millis(100)),
        Answer::Word("100ms".to_owned())
    )]
    #[case::seconds(
        OptionKind::Seconds,
        OptionValue::Time(Duration::from_secs(2)),
        Answer::Word("2s".to_owned())
    )]
    #[case::off(OptionKind::Seconds, OptionValue::Int(-1), Answer::Number(-1))]
    #[case::error(
        OptionKind::Error,
        OptionValue::Int(10061),
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
    fn a_linger_has_two_short_fields() {
        let value = OptionValue::Linger { onoff: 1, linger: 0 };
        assert_eq!(to_bytes(OptionKind::Linger, &value), [1, 0, 0, 0]);
    }

    #[test]
    fn an_option_of_another_system_is_not_here() {
        let option = OptionRef::Known(find("SO_REUSEPORT").unwrap());
        assert_eq!(known(option).unwrap_err(), "no SO_REUSEPORT on this system");
    }
}
