//! A shared ground on a tap that plays back.

use super::ports::Lease;
use super::quiet::Quiet;
use super::{Callers, Settling, SharedGround, Tap};
use crate::model::address::Address;
use crate::model::case::Family;
use crate::model::limits::UNIX_NAME_BYTES_MAX;
use crate::model::name::Name;
use crate::sys::{Caller, Fd, Ground, Plan, ProcessAct, Trouble};
use crate::wire::{Captured, CapturedBytes};
use rstest::rstest;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const QUIET: Duration = Duration::from_millis(20);
/// Linux's, the only system with abstract names; a zero byte comes before the name.
const SUN_PATH_BYTES: usize = 108;

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

/// The same, with the system's own stamps, for somebody who is woken late.
struct Stamped(Played);

impl Tap for Stamped {
    fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
        self.0.drain(packets)
    }

    fn stamps(&self) -> bool {
        true
    }

    fn wait(&mut self, limit: Duration) {
        std::thread::sleep(limit * 2);
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
    let mut ground = ground(true, vec![vec![second.clone()], vec![first.clone()]]);
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

/// Whoever is put aside between looking and judging has not seen what came meanwhile.
#[test]
fn time_put_aside_after_a_look_is_no_quiet() {
    struct PutAside(Played);
    impl Tap for PutAside {
        fn drain(&mut self, packets: &mut Vec<Captured>) -> Result<(), Trouble> {
            self.0.drain(packets)?;
            std::thread::sleep(QUIET * 2);
            Ok(())
        }

        fn wait(&mut self, limit: Duration) {
            self.0.wait(limit);
        }
    }
    let packet = udp(1, (HERE, 1), (HERE, 2));
    let mut tap = PutAside(Played(VecDeque::from([Ok(Vec::new()), Ok(vec![packet.clone()])])));
    let mut packets = Vec::new();
    Quiet::of(QUIET).settle(&mut tap, |_| true, &mut packets).unwrap();
    assert_eq!(packets, [packet]);
}

#[test]
fn what_came_after_the_quiet_belongs_to_the_next_step() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = |time: Duration| Captured { at: time, ..udp(0, (HERE, 1), (HERE, 2)) };
    let (prompt, late) = (at(now), at(now + Duration::from_secs(100)));
    let batches = [Vec::new(), vec![late.clone(), prompt.clone()]].map(Ok);
    let mut tap = Stamped(Played(VecDeque::from(batches)));
    let mut quiet = Quiet::of(QUIET);
    for expected in [prompt, late] {
        let mut packets = Vec::new();
        quiet.settle(&mut tap, |_| true, &mut packets).unwrap();
        assert_eq!(packets, [expected]);
        assert!(quiet.over().is_some_and(|over| over >= now + QUIET));
    }
}

#[test]
fn where_nothing_is_stamped_nobody_knows_when_it_was_quiet() {
    let mut quiet = Quiet::of(QUIET);
    quiet.settle(&mut Played::default(), |_| true, &mut Vec::new()).unwrap();
    assert_eq!(quiet.over(), None);
}

#[test]
fn an_abstract_name_is_one_runs_own_and_fits() {
    let name = "n".repeat(UNIX_NAME_BYTES_MAX);
    let names = [(); 2].map(|()| ground(false, Vec::new()).unix_abstract(&name));
    assert_ne!(names[0], names[1]);
    for address in names {
        let Address::UnixAbstract(own) = address else { panic!("{address:?}") };
        assert!(own.starts_with(&name) && own.len() < SUN_PATH_BYTES, "{own}");
    }
}

#[test]
fn ports_are_told_to_whoever_picks_packets_out() {
    struct Watching(Rc<RefCell<Vec<BTreeSet<u16>>>>);
    impl Tap for Watching {
        fn drain(&mut self, _: &mut Vec<Captured>) -> Result<(), Trouble> {
            Ok(())
        }

        fn watch(&mut self, ports: &BTreeSet<u16>) -> Result<(), Trouble> {
            self.0.borrow_mut().push(ports.clone());
            match ports.len() {
                3 => Err(Trouble::CaptureOverflow),
                _ => Ok(()),
            }
        }

        fn wait(&mut self, limit: Duration) {
            std::thread::sleep(limit);
        }
    }
    let told = Rc::new(RefCell::new(Vec::new()));
    let mut ground = ground(false, Vec::new());
    let tap = Watching(Rc::clone(&told));
    ground.settling = Settling::Quiet(Box::new(tap), Quiet::of(QUIET));
    let port = ground.port().unwrap();
    for port in [port, 40_000, 40_000] {
        ground.holds(port);
    }
    assert_eq!(*told.borrow(), [BTreeSet::from([port]), BTreeSet::from([port, 40_000])]);
    assert_eq!(ground.settle(), Ok(Vec::new()));
    ground.holds(40_001);
    assert_eq!(ground.settle(), Err(Trouble::CaptureOverflow));
}
