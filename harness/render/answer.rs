//! What a call returned, with names in place of addresses and tokens.

use super::call::{passed, quoted};
use crate::model::call::Call;
use crate::model::control::{Control, ControlValue};
use crate::model::{Address, Answer, Family, Name, Outcome, icmp};
use std::net::IpAddr;

/// Knows the names of a run.
pub trait Naming {
    /// The name of an address that a call returned.
    fn address(&self, address: &Address) -> String;

    /// The name of an address that a socket was told to be its own.
    fn own(&self, address: &Address) -> String {
        self.address(address)
    }

    /// The name of an address that a datagram came from: as its packet shows it.
    fn sender(&self, address: &Address) -> String {
        self.address(address)
    }

    /// The word for an IP address that stands alone.
    fn host(&self, ip: IpAddr) -> String;

    /// The name behind a token of `epoll_wait`.
    fn token(&self, token: u64) -> String;
}

/// What stands behind `= `.
pub fn answer(subject: &Name, call: &Call, outcome: &Outcome, names: &impl Naming) -> String {
    let mut text = match &outcome.answer {
        Answer::Error(errno) => format!("-1 {errno}"),
        Answer::Value(value) => value.to_string(),
        Answer::Fd(_) => format!("fd {}", call.makes().unwrap_or(subject)),
        Answer::Accepted { from, .. } => {
            format!("fd {} from {}", call.makes().unwrap_or(subject), names.address(from))
        }
        Answer::Number(number) => format!("0 {number}"),
        Answer::Word(word) => format!("0 {word}"),
        Answer::Addr(address) if *call == Call::Getsockname => {
            format!("0 {}", names.own(address))
        }
        Answer::Addr(address) => format!("0 {}", names.address(address)),
        Answer::Received { len, from, data, flags, control, fds } => {
            let shown = matches!(call, Call::Recv { show_data: true, .. }) && !data.is_empty();
            let from = from.as_ref().map(|from| names.sender(from));
            let mut text = received(*len, shown.then_some(data), flags, from);
            if matches!(call, Call::Recv { show_control: true, .. }) {
                control.iter().for_each(|one| text.push_str(&control_message(one, names)));
            }
            let brought = call.brings();
            let named = &brought[..fds.len().min(brought.len())];
            if !named.is_empty() {
                text.push_str(&format!(" {}", passed(named)));
            }
            text
        }
        Answer::Events(events) => events_or_zero(events),
        Answer::Ready(ready) if ready.is_empty() => "0".to_owned(),
        Answer::Ready(ready) => {
            let each = ready.iter().map(|(token, events)| {
                format!("{} {}", names.token(*token), events_or_zero(events))
            });
            each.collect::<Vec<_>>().join(", ")
        }
        Answer::Died(how) => format!("? {how}"),
    };
    if let Some(len) = outcome.addrlen {
        text.push_str(&format!(" addrlen {len}"));
    }
    if let Some(signal) = &outcome.signal {
        text.push_str(", ");
        text.push_str(signal);
    }
    text
}

fn received(len: usize, data: Option<&Vec<u8>>, flags: &[String], from: Option<String>) -> String {
    let mut text = len.to_string();
    if let Some(data) = data {
        text.push(' ');
        text.push_str(&quoted(data));
    }
    if !flags.is_empty() {
        text.push_str(&format!(" [{}]", flags.join("|")));
    }
    if let Some(from) = from {
        text.push_str(&format!(" from {from}"));
    }
    text
}

/// ` IP_TTL 64`, ` IP_RECVERR {ECONNREFUSED, SO_EE_ORIGIN_ICMP port-unreachable, from peer}`.
fn control_message(control: &Control, names: &impl Naming) -> String {
    let value = match &control.value {
        ControlValue::Untold => return format!(" {}", control.name),
        ControlValue::Number(number) => number.to_string(),
        ControlValue::Host(ip) => names.host(*ip),
        ControlValue::Error { errno, origin, message, info, offender } => {
            let family = match origin.as_str() {
                "SO_EE_ORIGIN_ICMP" => Some(Family::V4),
                "SO_EE_ORIGIN_ICMP6" => Some(Family::V6),
                _ => None,
            };
            let word = family.and_then(|family| icmp::word(*message, family));
            let message = match (word, message) {
                (Some(word), _) => format!(" {word}"),
                (None, (0, 0)) => String::new(),
                (None, (kind, code)) => format!(" {kind}/{code}"),
            };
            let errno = errno.as_ref().map_or("0".to_owned(), ToString::to_string);
            let mut parts = vec![errno, format!("{origin}{message}")];
            parts.extend((*info != 0).then(|| format!("info {info}")));
            parts.extend(offender.map(|ip| format!("from {}", names.host(ip))));
            format!("{{{}}}", parts.join(", "))
        }
    };
    format!(" {} {value}", control.name)
}

fn events_or_zero(events: &[String]) -> String {
    if events.is_empty() {
        return "0".to_owned();
    }
    events.join("|")
}
