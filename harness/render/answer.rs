//! What a call returned, with names in place of addresses and tokens.

use super::call::quoted;
use crate::model::call::Call;
use crate::model::{Address, Answer, Name, Outcome};

/// Knows the names of a run.
pub trait Naming {
    /// The name of an address that a call returned.
    fn address(&self, address: &Address) -> String;

    /// The name of an address that a datagram came from: as its packet shows it.
    fn sender(&self, address: &Address) -> String {
        self.address(address)
    }

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
        Answer::Addr(address) => format!("0 {}", names.address(address)),
        Answer::Received { len, from, data, flags } => {
            let shown = matches!(call, Call::Recv { show_data: true, .. }) && !data.is_empty();
            let from = from.as_ref().map(|from| names.sender(from));
            received(*len, shown.then_some(data), flags, from)
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

fn events_or_zero(events: &[String]) -> String {
    if events.is_empty() {
        return "0".to_owned();
    }
    events.join("|")
}
