//! Packets in tcpdump's form.

use super::end_line;
use crate::model::transcript::{PacketEvent, PacketWhat};
use std::fmt::Write;

/// A packet without its indent: `client > server [P.] seq 1 ack 1 len 256`.
pub(super) fn line(event: &PacketEvent) -> String {
    let mut line = format!("{} > {} {}", event.from, event.to, label(event));
    end_line(&mut line, event.count, event.band);
    line
}

/// What a packet is, without its ends: `[P.] seq 1 ack 1 len 256`.
pub(super) fn label(event: &PacketEvent) -> String {
    let mut label = match &event.what {
        PacketWhat::Tcp { flags, seq, ack, len, window, urgent, reserved } => {
            let seq = number(event.forms.seq.as_ref(), *seq);
            let mut text = format!("[{flags}] seq {seq}");
            if let Some(ack) = ack {
                let _ = write!(text, " ack {}", number(event.forms.ack.as_ref(), *ack));
            }
            text.push_str(&len_field(*len));
            if *window == 0 {
                text.push_str(" win 0");
            }
            if let Some(pointer) = urgent {
                let _ = write!(text, " urg {pointer}");
            }
            if *reserved != 0 {
                let _ = write!(text, " reserved {reserved}");
            }
            text
        }
        PacketWhat::Udp { len } => format!("udp{}", len_field(*len)),
        PacketWhat::Icmp { word, quoted, len } => {
            let quoted = quoted.as_ref().map(|quoted| format!(" ({quoted})"));
            format!("icmp {word}{}{}", len_field(len.unwrap_or(0)), quoted.unwrap_or_default())
        }
        PacketWhat::Other { protocol } => format!("ip-proto-{protocol}"),
    };
    for extra in &event.extras {
        let _ = write!(label, " {extra}");
    }
    label
}

/// A number, or the form in which the case wrote it.
fn number(form: Option<&String>, number: i64) -> String {
    form.map_or_else(|| number.to_string(), String::clone)
}

fn len_field(len: usize) -> String {
    match len {
        0 => String::new(),
        len => format!(" len {len}"),
    }
}
