//! A shared ground on a tap that plays back.

use super::ports::Lease;
use super::quiet::Quiet;
use super::{Callers, Settling, SharedGround, Tap};
use crate::model::address::Address;
use crate::model::case::Family;
use crate::model::name::Name;
use crate::sys::{Caller, Fd, Ground, Plan, ProcessAct, Trouble};
use crate::wire::{Captured, CapturedBytes};
use rstest::rstest;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

const QUIET: Duration = Duration::from_millis(20);

/// Hands over one batch each time it is asked.
#[derive(Default)]
struct Played(VecDeque<Result<Vec<Captured>, Trouble>>);

impl Tap for Played {
    fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
        packets.extend(self.0.pop_front().unwrap_or(Ok(Vec::new()))?);
        Ok(())
    }

    fn wait(&mut self, limit: Duration) {
        std::thread::sleep(limit.min(Duration::from_millis(1)));
    }
}

/// No call is made.
struct Nobody;

impl Callers for Nobody {
    fn caller(&mut self, _: Option<&Name>) -> Result<Box<dyn Caller>, Trouble> {
        Err(Trouble::Failed("nobody calls".to_owned()))
    }

    fn address(&mut self, _: Option<&Name>, _: Fd) -> Option<Address> {
        None
    }

    fn share(&mut self, _: &Name, fd: Fd) -> Result<Fd, Trouble> {
        Ok(fd)
    }

    fn act(&mut self, _: &Name, _: &ProcessAct) -> Result<String, Trouble> {
        Ok(String::new())
    }
}

fn ground(wire: bool, batches: Vec<Vec<Captured>>) -> SharedGround<Nobody> {
    let plan = Plan {
        family: Family::V4,
        settings: BTreeMap::new(),
        cpu: None,
        processes: Vec::new(),
        wire,
        firewall: false,
    };
    let tap = Played(batches.into_iter().map(Ok).collect());
    let settling = Settling::Quiet(Box::new(tap), Quiet::of(QUIET));
    SharedGround::new(&plan, Nobody, Lease::begin(), settling)
}

/// A UDP datagram seen at this millisecond.
fn udp(at_ms: u64, source: ([u8; 4], u16), destination: ([u8; 4], u16)) -> Captured {
    let mut bytes = vec![0; 28];
    bytes[0] = 0x45;
    bytes[9] = 17;
    bytes[12..16].copy_from_slice(&source.0);
    bytes[16..20].copy_from_slice(&destination.0);
    bytes[20..22].copy_from_slice(&source.1.to_be_bytes());
    bytes[22..24].copy_from_slice(&destination.1.to_be_bytes());
    Captured { at: Duration::from_millis(at_ms), bytes: CapturedBytes::Ip(bytes) }
}

const HERE: [u8; 4] = [127, 0, 0, 1];
const LOCAL: [u8; 4] = [192, 0, 2, 1];
const PEER: [u8; 4] = [192, 0, 2, 2];

#[test]
fn packets_of_other_ports_are_nobodys() {
    let own = udp(1, (HERE, 50_000), (HERE, 40_000));
    let other = udp(2, (HERE, 50_000), (HERE, 40_001));
    let mut ground = ground(false, vec![vec![other.clone(), own.clone()], vec![other]]);
    ground.holds(40_000);
    assert_eq!(ground.settle(), Ok(vec![own]));
}

#[test]
fn a_port_given_out_is_the_runs_own() {
    let mut ground = ground(false, Vec::new());
    let port = ground.port().unwrap();
    let own = udp(1, (HERE, 50_000), (HERE, port));
    let tap = Played(VecDeque::from([Ok(vec![own.clone()])]));
    ground.settling = Settling::Quiet(Box::new(tap), Quiet::of(QUIET));
    assert_eq!(ground.settle(), Ok(vec![own]));
}

#[rstest]
#[case::with_a_wire(true, 1)]
#[case::without(false, 0)]
fn the_whole_wire_is_the_runs_own(#[case] wire: bool, #[case] seen: usize) {
    let mut ground = ground(wire, vec![vec![udp(1, (PEER, 9), (LOCAL, 9))]]);
    assert_eq!(ground.settle().unwrap().len(), seen);
}

#[test]
fn packets_come_in_the_order_of_their_stamps_however_late() {
    let (first, second) = (udp(1, (PEER, 1), (LOCAL, 1)), udp(2, (PEER, 2), (LOCAL, 2)));
    let mut ground = ground(true, vec![vec![second.clone()], Vec::new(), vec![first.clone()]]);
    assert_eq!(ground.settle(), Ok(vec![first, second]));
}

#[test]
fn what_came_while_time_passed_is_kept() {
    let packet = udp(1, (PEER, 1), (LOCAL, 1));
    let mut ground = ground(true, vec![vec![packet.clone()]]);
    ground.pass(Duration::from_millis(2));
    assert_eq!(ground.settle(), Ok(vec![packet]));
}

#[test]
fn quiet_begins_anew_with_each_packet_of_the_runs_own() {
    let packet = || Ok(vec![udp(1, (HERE, 1), (HERE, 2))]);
    let mut tap = Played((0..10).map(|_| packet()).collect());
    let (began, mut packets) = (Instant::now(), Vec::new());
    Quiet::of(QUIET).settle(&mut tap, |_| true, &mut packets).unwrap();
    assert_eq!(packets.len(), 10);
    assert!(began.elapsed() >= QUIET + Duration::from_millis(9));
}

#[test]
fn a_lost_packet_is_no_silence() {
    let mut tap = Played(VecDeque::from([Ok(Vec::new()), Err(Trouble::CaptureOverflow)]));
    let settled = Quiet::of(QUIET).settle(&mut tap, |_| true, &mut Vec::new());
    assert_eq!(settled, Err(Trouble::CaptureOverflow));
}
