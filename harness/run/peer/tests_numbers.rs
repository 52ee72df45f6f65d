//! What is told of the numbers of a peer's segments, and what it goes on with.

use super::Peers;
use super::tests::{IRS, ISS, established, from_local, local, relative, see, send, spec, try_send};
use crate::model::call::Payload;
use crate::model::peer::{Base, Number, SegmentSpec, TcpOption};
use crate::model::{Family, Name};
use rstest::rstest;

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
