//! Floor 1: bytes to packets and packets to bytes, and sequence numbers relative to their
//! connection. Pure.

pub mod build;
mod decode;
pub mod due;
pub mod echo;
pub mod icmp;
pub mod relative;

pub use decode::{decode, is_headless, timestamps};

use std::net::IpAddr;
use std::time::Duration;

/// A packet as a capture hands it over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Captured {
    /// When the kernel stamped it: time since the Unix epoch.
    pub at: Duration,
    /// What was captured.
    pub bytes: CapturedBytes,
}

/// How much of a packet a capture sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CapturedBytes {
    /// From the IP header on.
    Ip(Vec<u8>),
    /// From the transport header on; the rest came beside it (IPv6 raw sockets).
    Transport {
        /// Source address.
        source: IpAddr,
        /// Destination address.
        destination: IpAddr,
        /// IP protocol number.
        protocol: u8,
        /// Hop limit, if the capture tells it.
        ttl: Option<u8>,
        /// Traffic class, if the capture tells it.
        tos: Option<u8>,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_build;
#[cfg(test)]
mod tests_relative;
