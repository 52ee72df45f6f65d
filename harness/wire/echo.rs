//! What a timestamps option echoes. Clocks begin anywhere and run on, so their values are told only
//! where a case has chosen them; whether a value is one of the far end's can always be told.

use crate::model::TcpFlags;
use crate::model::packet::{SeenOption, TcpSegment};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

/// The clocks that each side of each connection of a run has shown. Feed it every segment, in
/// order.
#[derive(Debug, Default)]
pub struct Echoes {
    /// By sender and receiver.
    shown: HashMap<(SocketAddr, SocketAddr), HashSet<u32>>,
}

/// What is echoed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Echo {
    /// Nothing: the field means something only with the ACK flag (RFC 7323 §3.2).
    None,
    /// 0, which is nobody's clock.
    Zero,
    /// A value that the far end has sent.
    Theirs(u32),
    /// A value that the far end has never sent.
    Other,
}

impl Echoes {
    /// What the next segment echoes.
    pub fn see(&mut self, from: SocketAddr, to: SocketAddr, segment: &TcpSegment) -> Echo {
        let stamps = segment.options.iter().find_map(|option| match option {
            SeenOption::Timestamps { value, reply } => Some((*value, *reply)),
            _ => None,
        });
        let Some((value, reply)) = stamps else { return Echo::None };
        self.shown.entry((from, to)).or_default().insert(value);
        let is_theirs = || self.shown.get(&(to, from)).is_some_and(|shown| shown.contains(&reply));
        match reply {
            _ if !segment.flags.has(TcpFlags::ACK) => Echo::None,
            0 => Echo::Zero,
            _ if is_theirs() => Echo::Theirs(reply),
            _ => Echo::Other,
        }
    }
}
