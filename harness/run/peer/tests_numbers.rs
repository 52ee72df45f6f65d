//! What is told of the numbers of a peer's segments, and what it goes on with.

use super::tests::{
    IRS, ISS, decoded, established, from_local, local, relative, see, send, spec, try_send,
};
use super::{PathRule, Peers};
use crate::model::call::Payload;
use crate::model::host::FirewallVerdict;
use crate::model::packet::PacketBody;
use crate::model::peer::{Base, IcmpSpec, Number, SegmentSpec, TcpOption};
use crate::model::wire::{End, address};
use crate::model::{Family, Name};
use crate::wire::build::{self, Ends, Fields};
use crate::wire::timestamps;
use rstest::rstest;
use std::net::SocketAddr;

/// What is told of the next segment.
fn told(peers: &mut Peers, spec: &SegmentSpec) -> (Option<i64>, Option<i64>) {
    let sending = peers.segment(&Name::new("peer"), spec, local(), None).expect("a segment");
    (sending.told.seq, sending.told.ack)
}

/// What a segment acknowledges that the local stack has not sent would be another number in every
/// run, counted from its initial number.
#[test]
fn what_a_peer_that_has_forgotten_acknowledges_is_told_as_it_is() {
    let mut peers = established();
    assert_eq!(told(&mut peers, &spec(".")), (Some(1), Some(1)));
    let absolute = SegmentSpec { ack: Some(Number::Absolute(7)), ..spec(".") };
    assert_eq!(told(&mut peers, &absolute), (Some(1), Some(7)));
    assert_eq!(told(&mut peers, &spec(".")), (Some(1), Some(1)));
    peers.forget(&Name::new("peer"));
    assert_eq!(told(&mut peers, &spec(".")).1, Some(0));
    // It repeats what it answers, so the peer knows no more than before.
    see(&mut peers, "R", 0, 0, 0);
    assert_eq!(told(&mut peers, &spec(".")).1, Some(0));
    see(&mut peers, ".", IRS + 1, ISS + 1, 0);
    assert_eq!(told(&mut peers, &spec(".")).1, Some(1));
}

/// A second connection has the same ports and the same number of the peer's, but another one of
/// the local stack's.
#[rstest]
#[case::begun_by_the_peer("S", "S.", ISS + 1)]
#[case::begun_by_the_local_stack("R.", "S", 0)]
fn written_numbers_are_told_in_every_connection(
    #[case] before: &str,
    #[case] begins: &str,
    #[case] ack: u32,
) {
    let mut peers = established();
    see(&mut peers, "R.", IRS + 1, ISS + 1, 0);
    send(&mut peers, &spec(before));
    see(&mut peers, begins, 90_000, ack, 0);
    for number in [-5, 0, 1, 1_000_000] {
        let written = Some(Number::Shown(number));
        let segment = SegmentSpec { seq: written, ack: written, ..spec(".") };
        assert_eq!(told(&mut peers, &segment), (Some(number), Some(number)));
    }
    let counted = SegmentSpec { ack: Some(relative(Base::Nxt, 5)), ..spec(".") };
    assert_eq!(told(&mut peers, &counted).1, Some(6));
}

#[test]
fn the_zero_of_a_rst_is_nobodys_number() {
    let mut peers = established();
    see(&mut peers, "R.", IRS + 1, ISS + 1, 0);
    send(&mut peers, &spec("S"));
    see(&mut peers, "R.", 0, ISS + 1, 0);
    assert_eq!(told(&mut peers, &spec(".")), (Some(1), Some(0)));
}

#[rstest]
#[case::aside(SegmentSpec { seq: Some(relative(Base::Nxt, 0)), ..spec("S") })]
#[case::absolute(SegmentSpec { seq: Some(Number::Absolute(7)), ..spec("S") })]
#[case::damaged(SegmentSpec { bad_checksum: true, ..spec("S") })]
#[case::without_its_header(SegmentSpec { data_offset: Some(4), ..spec("S") })]
fn a_syn_that_begins_nothing_changes_nothing(#[case] syn: SegmentSpec) {
    let mut peers = Peers::new(Family::V4);
    let options = vec![TcpOption::Timestamps(500, 0), TcpOption::WindowScale(7)];
    peers.see(&from_local("S", IRS, 0, 0, options.clone()));
    send(&mut peers, &SegmentSpec { options: Some(options.clone()), ..spec("S.") });
    peers.see(&from_local(".", IRS + 1, ISS + 1, 0, options));
    let beyond = SegmentSpec { seq: Some(relative(Base::Wnd, 0)), ..spec(".") };
    let before = try_send(&mut peers, &beyond).expect("a segment");
    assert_eq!(before.seq, ISS + 1 + (1000 << 7));
    send(&mut peers, &syn);
    assert_eq!(try_send(&mut peers, &beyond), Ok(before));
    assert_eq!(send(&mut peers, &spec("P.")).0, ISS + 1);
}

#[test]
fn what_an_accepted_syn_offers_counts() {
    let mut peers = established();
    let options = vec![TcpOption::Timestamps(500, 0), TcpOption::WindowScale(7)];
    let again = SegmentSpec { seq: Some(relative(Base::Nxt, 100)), ..spec("S") };
    send(&mut peers, &SegmentSpec { options: Some(options.clone()), ..again });
    peers.see(&from_local("S.", 70_000, ISS + 102, 0, options.clone()));
    peers.see(&from_local(".", 70_001, ISS + 102, 0, options));
    let beyond = SegmentSpec { seq: Some(relative(Base::Wnd, 0)), ..spec(".") };
    assert_eq!(send(&mut peers, &beyond).0, ISS + 102 + (1000 << 7));
}

#[test]
fn a_data_offset_that_is_right_damages_nothing() {
    let mut peers = established();
    let data = SegmentSpec { payload: Some(Payload::Len(10)), ..spec("P.") };
    send(&mut peers, &SegmentSpec { data_offset: Some(5), ..data.clone() });
    assert_eq!(send(&mut peers, &data).0, ISS + 11);
    send(&mut peers, &SegmentSpec { data_offset: Some(6), ..data.clone() });
    assert_eq!(send(&mut peers, &data).0, ISS + 21);
}

/// What another host begins is its own: the peer's connection has other numbers, and goes on.
#[rstest]
#[case(None)]
#[case(Some(SocketAddr::from(([192, 0, 2, 77], 7001))))]
fn another_host_has_connections_of_its_own(#[case] claimed: Option<SocketAddr>) {
    let mut peers = established();
    let router = SocketAddr::new(address(End::Router, Family::V4), 7001);
    let far = claimed.unwrap_or(router);
    let name = Name::new(if claimed.is_some() { "peer" } else { "router" });
    let segment = |peers: &mut Peers, flags: &str| {
        peers.segment(&name, &spec(flags), local(), claimed).expect("a segment")
    };
    let forged = segment(&mut peers, ".");
    assert_eq!((forged.like.is_some(), forged.told.ack), (true, Some(1)));
    assert_eq!(segment(&mut peers, "S").like, None);
    let ends = Ends { source: local(), destination: far };
    let fields = Fields { seq: 90_000, ack: ISS + 1, ..Fields::default() };
    peers.see(&decoded(build::segment(ends, &spec("S."), &fields)));
    let done = segment(&mut peers, ".");
    assert_eq!((done.like, done.told.seq, done.told.ack), (None, Some(1), Some(1)));
    let PacketBody::Tcp(tcp) = decoded(done.bytes).body else {
        panic!("expected a segment");
    };
    assert_eq!((tcp.seq, tcp.ack), (ISS + 1, 90_001));
    assert_eq!(send(&mut peers, &spec(".")), (ISS + 1, IRS + 1));
    assert_eq!(peers.strangers_end(&name, claimed), Some(local()));
    let first = IcmpSpec {
        word: "host-unreachable".to_owned(),
        seq: Some(Number::Shown(0)),
        ..IcmpSpec::default()
    };
    assert!(peers.icmp(&name, None, &first, None).is_ok(), "it has numbers to be quoted");
}

/// Whatever number the case gives to the SYN of the next connection: the peer goes on behind it.
#[rstest]
#[case::after_a_rst_of_its_own("R", None)]
#[case::after_a_rst_that_came(".", Some("R."))]
fn a_peer_goes_on_behind_a_syn_that_the_case_has_numbered(
    #[case] sent: &str,
    #[case] came: Option<&str>,
) {
    let mut peers = established();
    send(&mut peers, &spec(sent));
    if let Some(flags) = came {
        see(&mut peers, flags, IRS + 1, ISS + 1, 0);
    }
    let syn = SegmentSpec { seq: Some(Number::Shown(1000)), ..spec("S") };
    assert_eq!(send(&mut peers, &syn).0, ISS + 1000);
    see(&mut peers, "S.", 90_000, ISS + 1001, 0);
    assert_eq!(send(&mut peers, &spec(".")), (ISS + 1001, 90_001));
    let first = SegmentSpec { seq: Some(Number::Shown(1)), ..spec(".") };
    assert_eq!(send(&mut peers, &first).0, ISS + 1001);
}

/// The RST to what the local stack had never begun repeats a number of the case's own.
#[test]
fn what_a_rst_repeats_is_unrelated_to_a_later_connection() {
    let mut peers = Peers::new(Family::V4);
    let stray = SegmentSpec { ack: Some(Number::Shown(5)), ..spec(".") };
    send(&mut peers, &stray);
    see(&mut peers, "R", 5, 0, 0);
    peers.refuse(PathRule { verdict: FirewallVerdict::Drop, port: None });
    see(&mut peers, "S", IRS, 0, 0);
    assert_eq!(told(&mut peers, &spec(".")).1, Some(5));
}

#[test]
fn another_host_whose_syn_cannot_be_has_begun_nothing() {
    let mut peers = established();
    let far = Some(SocketAddr::from(([192, 0, 2, 77], 7001)));
    let name = Name::new("peer");
    let syn = SegmentSpec { seq: Some(relative(Base::Nxt, 0)), ..spec("S") };
    assert!(peers.segment(&name, &syn, local(), far).is_err());
    let forged = peers.segment(&name, &spec("."), local(), far).expect("a segment");
    assert_eq!((forged.like.is_some(), forged.told.seq), (true, Some(1)));
}

#[test]
fn what_a_case_has_numbered_itself_is_behind_the_peer_once_it_is_acknowledged() {
    let mut peers = established();
    let data = |seq| SegmentSpec {
        seq: Some(Number::Shown(seq)),
        payload: Some(Payload::Len(10)),
        ..spec("P.")
    };
    send(&mut peers, &data(11));
    see(&mut peers, ".", IRS + 1, ISS + 1, 0);
    send(&mut peers, &data(1));
    assert_eq!(send(&mut peers, &spec(".")).0, ISS + 11);
    see(&mut peers, ".", IRS + 1, ISS + 21, 0);
    assert_eq!(send(&mut peers, &spec(".")).0, ISS + 21);
}

#[test]
fn a_clock_goes_on_from_where_the_case_has_put_it() {
    let mut peers = Peers::new(Family::V4);
    let stamps = |value| Some(vec![TcpOption::Timestamps(value, 0)]);
    peers.see(&from_local("S", IRS, 0, 0, vec![TcpOption::Timestamps(77, 0)]));
    send(&mut peers, &SegmentSpec { options: stamps(500), ..spec("S.") });
    let mut sent = |options| {
        let spec = SegmentSpec { options, ..spec(".") };
        let sending = peers.segment(&Name::new("peer"), &spec, local(), None);
        timestamps(&sending.expect("a segment").bytes).expect("timestamps").0
    };
    assert_eq!([sent(None), sent(stamps(900)), sent(None)], [500, 900, 900]);
    assert_eq!([sent(stamps(100)), sent(None)], [100, 900], "an old one is old");
}
