//! What a run's routes tell the stack: to acknowledge at once, unless a case wants to know when it
//! does so by itself, and how long to wait at least before something is sent again.
//!
//! The second is a setting from Linux 6.11 on, `net.ipv4.tcp_rto_min_us`. On an older kernel the
//! routes carry it, which means the same for every connection that uses them.
//!
//! Whoever pins it wants nothing sent again between two steps. The probe for a lost tail (RFC 8985
//! §7) does not follow it: with two segments or more on their way Linux sends it after twice the
//! round-trip time and two ticks (`tcp_schedule_loss_probe()` in net/ipv4/tcp_output.c). So that is
//! switched off on every kernel, unless the case pins it.

use super::netlink::nested;
use super::settings;
use crate::model::wire::QUICKACK;
use std::collections::BTreeMap;

/// The setting for which a route can stand in.
const RTO_MIN: &str = "net.ipv4.tcp_rto_min_us";
/// 0: no probe for a lost tail.
const TAIL_PROBE: &str = "net.ipv4.tcp_early_retrans";

/// `<linux/rtnetlink.h>`; the libc crate lacks them.
const RTAX_LOCK: u16 = 1;
const RTAX_RTO_MIN: u16 = 13;
const RTAX_QUICKACK: u16 = 15;

/// The metrics of every route that the harness makes for a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metrics {
    /// `RTAX_QUICKACK`
    quickack: bool,
    /// `RTAX_RTO_MIN` in milliseconds.
    rto_min_ms: Option<u32>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics { quickack: true, rto_min_ms: None }
    }
}

/// Whether a route can stand in for a setting that the kernel lacks.
pub fn stands_in_for(name: &str) -> bool {
    name == QUICKACK || name == RTO_MIN && settings::exists(TAIL_PROBE)
}

/// Splits what a run pins into metrics of its routes and settings to write.
pub fn split(pins: &BTreeMap<String, String>) -> (Metrics, BTreeMap<String, String>) {
    let mut pins = pins.clone();
    let quickack = pins.remove(QUICKACK).is_none_or(|flag| flag == "1");
    let metrics = Metrics { quickack, ..Metrics::default() };
    // Most runs do not pin it, and to look for a setting takes long in a fresh namespace.
    if !pins.contains_key(RTO_MIN) {
        return (metrics, pins);
    }
    pins.entry(TAIL_PROBE.to_owned()).or_insert_with(|| "0".to_owned());
    if settings::exists(RTO_MIN) {
        return (metrics, pins);
    }
    let rto_min_us = pins.remove(RTO_MIN).and_then(|value| value.parse::<u32>().ok());
    (Metrics { rto_min_ms: rto_min_us.map(|us| us.div_ceil(1000)), ..metrics }, pins)
}

impl Metrics {
    /// The value of `RTA_METRICS`.
    pub fn attribute(self) -> Vec<u8> {
        let mut metrics = nested(RTAX_QUICKACK, &u32::from(self.quickack).to_ne_bytes());
        if let Some(rto_min_ms) = self.rto_min_ms {
            metrics.extend(nested(RTAX_RTO_MIN, &rto_min_ms.to_ne_bytes()));
            // The kernel heeds it only where it is locked.
            metrics.extend(nested(RTAX_LOCK, &(1u32 << RTAX_RTO_MIN).to_ne_bytes()));
        }
        metrics
    }
}
