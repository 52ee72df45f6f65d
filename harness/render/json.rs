//! A transcript for programs: the `events` of `run --json`.

use super::call::arguments;
use super::title;
use crate::model::time::Shown;
use crate::model::transcript::{CallEvent, Event, Fate, PacketEvent, PacketWhat, StepRecord};
use crate::model::{Answer, Transcript};
use serde::Serialize;
use serde_json::Value;

/// One line of a transcript. Exactly one of the fields after `line` is there.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct JsonEvent {
    /// The matrix row and family as the transcript names them: `how=rd ipv6`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// Which step of the row, counted from 0; none for what is told after the last one.
    pub step: Option<usize>,
    /// Its line in the case file.
    pub line: u32,
    /// A call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<JsonCall>,
    /// A packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet: Option<JsonPacket>,
    /// A step without a call, as it is printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// For that long nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing: Option<String>,
    /// The run was ended at this deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
}

/// A call.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct JsonCall {
    /// The socket.
    pub subject: String,
    /// The call.
    pub verb: &'static str,
    /// The arguments as they are printed.
    pub args: Vec<String>,
    /// How far it got: `returned`, `pending`, `completed`, `still blocked`, `not issued`.
    pub fate: &'static str,
    /// Why it was not issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A number where the call returned no more than that, else what is printed behind `= `; null
    /// if it did not return.
    pub result: Value,
    /// The error by its POSIX name.
    pub errno: Option<String>,
    /// The error by the system's own number.
    pub errno_raw: Option<i32>,
    /// The signal that the call raised.
    pub signal: Option<String>,
    /// How often in a row.
    pub count: u32,
    /// How long it took, where the step is timed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<&'static str>,
}

/// A packet.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct JsonPacket {
    /// Its sender.
    pub from: String,
    /// Its receiver.
    pub to: String,
    /// `tcp`, `udp`, `icmp`, `ip-proto-132`.
    pub proto: String,
    /// TCP flags in tcpdump's letters: `S.`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<String>,
    /// Relative sequence number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// Relative acknowledgment number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack: Option<i64>,
    /// Payload in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub len: Option<usize>,
    /// The window, unscaled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win: Option<u16>,
    /// The urgent pointer, with the flag URG.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urg: Option<u16>,
    /// Reserved bits of the TCP header where any are set: 2, 4, 8 and their sums.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved: Option<u8>,
    /// The message of ICMP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmp: Option<String>,
    /// The packet that an ICMP error quotes: `client > peer udp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted: Option<String>,
    /// The fields that the case asks for, as they are printed: `ttl 64`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<String>,
    /// How often in a row.
    pub count: u32,
    /// Time since the line before, where the step is timed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<&'static str>,
    /// The bytes (of the first, if there are several) as hexadecimal digits.
    pub hex: String,
}

/// The events of a transcript, in the order of its lines.
pub fn events(transcript: &Transcript) -> Vec<JsonEvent> {
    let mut events = Vec::new();
    for section in &transcript.sections {
        let row = title(transcript, section);
        for step in &section.steps {
            let shown = step
                .events
                .iter()
                .map(|event| JsonEvent { row: row.clone(), ..json_event(step, event) });
            events.extend(shown);
        }
    }
    events
}

fn json_event(step: &StepRecord, event: &Event) -> JsonEvent {
    let json = JsonEvent { step: step.step, line: step.line, ..JsonEvent::default() };
    match event {
        Event::Call(call) => JsonEvent { call: Some(json_call(call)), ..json },
        Event::Packet(packet) => JsonEvent { packet: Some(json_packet(packet)), ..json },
        Event::Note(note) => JsonEvent { note: Some(note.clone()), ..json },
        Event::Nothing(time) => JsonEvent { nothing: Some(Shown(*time).to_string()), ..json },
        Event::Deadline(time) => JsonEvent { deadline: Some(Shown(*time).to_string()), ..json },
    }
}

fn json_call(event: &CallEvent) -> JsonCall {
    let (fate, outcome, reason) = match &event.fate {
        Fate::Returned(outcome) => ("returned", Some(outcome), None),
        Fate::Pending => ("pending", None, None),
        Fate::Completed(outcome) => ("completed", Some(outcome), None),
        Fate::StillBlocked => ("still blocked", None, None),
        Fate::NotIssued(reason) => ("not issued", None, Some(reason.clone())),
    };
    let result = outcome.map(|outcome| match &outcome.answer {
        Answer::Error(_) => Value::from(-1),
        Answer::Value(value) => Value::from(*value),
        Answer::Received { len, .. } if event.returned == len.to_string() => Value::from(*len),
        _ => Value::from(event.returned.clone()),
    });
    JsonCall {
        subject: event.subject.to_string(),
        verb: event.spec.call.verb(),
        args: arguments(&event.spec),
        fate,
        reason,
        result: result.unwrap_or(Value::Null),
        errno: outcome.and_then(|outcome| outcome.errno().map(ToString::to_string)),
        errno_raw: outcome.and_then(|outcome| outcome.errno_raw),
        signal: outcome.and_then(|outcome| outcome.signal.clone()),
        count: event.count,
        band: event.band,
    }
}

fn json_packet(event: &PacketEvent) -> JsonPacket {
    let mut json = JsonPacket {
        from: event.from.clone(),
        to: event.to.clone(),
        proto: String::new(),
        flags: None,
        seq: None,
        ack: None,
        len: None,
        win: None,
        urg: None,
        reserved: None,
        icmp: None,
        quoted: None,
        shown: event.extras.clone(),
        count: event.count,
        band: event.band,
        hex: event.hex.clone(),
    };
    match &event.what {
        PacketWhat::Tcp { flags, seq, ack, len, window, urgent, reserved } => {
            json.proto = "tcp".to_owned();
            json.flags = Some(flags.to_string());
            json.seq = Some(*seq);
            json.ack = *ack;
            json.len = Some(*len);
            json.win = Some(*window);
            json.urg = *urgent;
            json.reserved = Some(*reserved).filter(|bits| *bits != 0);
        }
        PacketWhat::Udp { len } => {
            json.proto = "udp".to_owned();
            json.len = Some(*len);
        }
        PacketWhat::Icmp { word, quoted, len } => {
            json.proto = "icmp".to_owned();
            json.len = *len;
            json.icmp = Some(word.clone());
            json.quoted.clone_from(quoted);
        }
        PacketWhat::Other { protocol } => json.proto = format!("ip-proto-{protocol}"),
    }
    json
}
