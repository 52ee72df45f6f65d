//! Floor 4: what runs saw, as the transcript of a case.
//!
//! Here names take the place of addresses, relative numbers the place of absolute ones, and what
//! says the same twice is told once: equal neighbours inside a step, IPv6 where it did as IPv4.
//!
//! A packet's end is named after
//! 1. the first socket of the case that held its address and port; what a listener accepted carries
//!    the listener's name, and the name stays until another socket takes the address after its
//!    holders have gone,
//! 2. else a socket bound to a wildcard address and that port,
//! 3. else, if it is the sender and nobody had sent it anything, the socket whose connecting or
//!    sending call belongs to the step (or is pending): its port was given back before anybody
//!    could ask for it,
//! 4. else nobody: `closed-port`.
//!
//! The sender of an ICMP error is the far end of the packet that it quotes if that has the sender's
//! IP address, else `router`.

mod collapse;
mod extras;
mod names;
mod section;

use crate::model::Case;
use crate::model::case::Family;
use crate::model::transcript::{Section, Transcript};
use crate::render;
use crate::run::log::RunLog;

/// The transcript of a case from the logs of its runs, in any order.
pub fn transcript(case: &Case, logs: &[RunLog]) -> Transcript {
    let mut logs: Vec<&RunLog> = logs.iter().collect();
    logs.sort_by_key(|log| (log.row, log.family));
    let mut sections: Vec<(usize, Section)> = Vec::new();
    for log in logs {
        let section = section::section(case, log);
        let told = sections.last().is_some_and(|(row, before)| {
            let is_twin = *row == log.row && before.family == Family::V4;
            is_twin && render::body(before) == render::body(&section)
        });
        if !told {
            sections.push((log.row, section));
        }
    }
    Transcript { sections: sections.into_iter().map(|(_, section)| section).collect() }
}

#[cfg(test)]
mod tests;
