//! Names of addresses.

use super::build::{CLIENT, SERVER, V4, accepted, held, holds};
use crate::model::{Address, Family, Name};
use crate::record::names::{Names, PacketEnd};
use crate::run::log::Holder;
use rstest::rstest;
use std::net::SocketAddr;

const V6_ANY: &str = "[::]:20000";

fn end(text: &str) -> PacketEnd {
    PacketEnd { at: text.parse().expect("an address"), is_datagram: false }
}

fn at_server() -> PacketEnd {
    PacketEnd { at: SocketAddr::from((V4, SERVER)), is_datagram: false }
}

fn asker() -> Name {
    Name::new("client")
}

fn names(holders: &[Holder]) -> Names {
    let mut names = Names::default();
    for holder in holders {
        names.hold(holder);
    }
    names
}

#[test]
fn accepted_sockets_carry_their_listeners_name() {
    let names = names(&[holds("server", V4, SERVER), accepted("conn", V4, SERVER)]);
    assert_eq!(names.of_end(at_server()), Some("server"));
}

#[test]
fn a_name_stays_until_another_socket_takes_the_address() {
    let mut names = names(&[holds("a", V4, SERVER)]);
    names.close(&Name::new("a"));
    assert_eq!(names.of_end(at_server()), Some("a"));
    names.hold(&holds("b", V4, SERVER));
    assert_eq!(names.of_end(at_server()), Some("b"));
}

#[test]
fn the_first_of_several_holders_names_the_address() {
    let mut names = names(&[holds("a", V4, SERVER), holds("b", V4, SERVER)]);
    assert_eq!(names.of_end(at_server()), Some("a"));
    names.close(&Name::new("a"));
    names.hold(&holds("b", V4, SERVER));
    assert_eq!(names.of_end(at_server()), Some("a"), "b held it all the time");
}

#[test]
fn a_listener_gone_is_not_replaced_by_what_it_accepted() {
    let mut names = names(&[holds("server", V4, SERVER), accepted("conn", V4, SERVER)]);
    names.close(&Name::new("server"));
    names.hold(&accepted("conn", V4, SERVER));
    assert_eq!(names.of_end(at_server()), Some("server"));
}

#[test]
fn a_wildcard_takes_the_port_of_sockets_gone() {
    let mut names = names(&[holds("a", V4, SERVER)]);
    names.close(&Name::new("a"));
    names.hold(&holds("b", [0; 4], SERVER));
    assert_eq!(names.of_end(at_server()), Some("b"));
}

#[rstest]
#[case::exact_before_wildcard(&[holds("a", [0; 4], SERVER), holds("b", V4, SERVER)], Some("b"))]
#[case::wildcard(&[holds("a", [0; 4], SERVER)], Some("a"))]
#[case::wildcard_of_ipv6(&[held("a", V6_ANY)], Some("a"))]
#[case::own_family_first(&[held("a", V6_ANY), holds("b", [0; 4], SERVER)], Some("b"))]
#[case::mapped(&[held("a", "[::ffff:127.0.0.1]:20000")], Some("a"))]
#[case::wildcard_answers_for_what_it_accepts(
    &[holds("a", [0; 4], SERVER), accepted("conn", V4, SERVER)], Some("a")
)]
#[case::other_port(&[holds("a", V4, CLIENT)], None)]
#[case::other_address(&[holds("a", [127, 0, 0, 2], SERVER)], None)]
fn ends(#[case] holders: &[Holder], #[case] expected: Option<&str>) {
    assert_eq!(names(holders).of_end(at_server()), expected);
}

#[test]
fn an_ipv4_wildcard_answers_for_no_ipv6() {
    assert_eq!(names(&[holds("a", [0; 4], SERVER)]).of_end(end("[::1]:20000")), None);
}

#[test]
fn what_only_packets_tell_yields_to_a_holder() {
    let mut names = Names::default();
    assert_eq!(names.name_end(at_server(), None), "closed-port");
    names.hold(&holds("server", [0; 4], SERVER));
    assert_eq!(names.of_end(at_server()), Some("server"));
}

#[test]
fn of_datagram_sockets_with_one_address_the_one_is_meant_that_has_turned_to_the_far_end() {
    let holder = |name| Holder { is_datagram: true, ..holds(name, V4, SERVER) };
    let mut names = names(&[holder("a"), holder("b")]);
    names.turn_to(&Name::new("b"), 9);
    let end = |port| PacketEnd { is_datagram: true, ..end(&format!("127.0.0.1:{port}")) };
    assert_eq!(names.name_in_flow(end(SERVER), end(9), None), "b");
    assert_eq!(names.name_in_flow(end(SERVER), end(10), None), "a");
}

#[test]
fn what_only_packets_tell_names_no_address_in_an_answer() {
    let mut names = Names::default();
    names.name_end(at_server(), Some(&Name::new("client")));
    assert_eq!(names.of_end(at_server()), Some("client"));
    assert_eq!(names.of_answer(&asker(), &Address::Inet(at_server().at)), "closed-port");
}

#[rstest]
#[case("127.0.0.1:20000", "server")]
#[case("127.0.0.2:20000", r#""127.0.0.2":server"#)]
#[case("0.0.0.0:20000", "any:server")]
#[case("[::1]:20000", "loopback:server")]
#[case("[::ffff:127.0.0.1]:20000", "mapped:server")]
#[case("0.0.0.0:30000", "b")]
#[case("127.0.0.1:30000", "loopback:b")]
#[case("[::ffff:127.0.0.1]:30000", "mapped:loopback:b")]
#[case("0.0.0.0:0", "any:0")]
#[case("[::]:0", "any:0")]
#[case("127.0.0.1:0", "loopback:0")]
#[case("127.0.0.1:9", "closed-port")]
#[case("127.0.0.2:9", r#""127.0.0.2":closed-port"#)]
fn answers(#[case] address: &str, #[case] expected: &str) {
    let names = names(&[holds("server", V4, SERVER), holds("b", [0; 4], 30_000)]);
    assert_eq!(names.of_answer(&asker(), &Address::Inet(end(address).at)), expected);
}

#[rstest]
#[case("127.0.0.1:20000", "server")]
#[case("192.0.2.1:20000", "server")]
#[case("0.0.0.0:20000", "any:server")]
#[case("127.0.0.2:20000", r#""127.0.0.2":server"#)]
#[case("[::1]:20000", "server")]
#[case("[::]:20000", "any:server")]
#[case("[::ffff:127.0.0.1]:20000", "mapped:server")]
#[case("[::ffff:127.0.0.2]:20000", r#"mapped:"127.0.0.2":server"#)]
#[case("0.0.0.0:0", "any:0")]
fn own_addresses(#[case] own: &str, #[case] expected: &str) {
    let names = names(&[held("server", own)]);
    assert_eq!(names.of_own(&Name::new("server"), &Address::Inet(end(own).at)), expected);
}

#[test]
fn a_socket_that_lost_its_host_is_told_so_and_keeps_its_name() {
    let names = names(&[holds("client", V4, CLIENT), holds("client", [0; 4], CLIENT)]);
    let own = Address::Inet(SocketAddr::from(([0; 4], CLIENT)));
    assert_eq!(names.of_own(&asker(), &own), "any:client");
    assert_eq!(names.of_answer(&asker(), &own), "client");
}

#[rstest]
#[case(Address::UnixPath("/run/x/a".into()), "a")]
#[case(Address::UnixAbstract("a".into()), r#""@a""#)]
#[case(Address::UnixUnnamed, "unnamed")]
#[case(Address::Unspec, "unspec")]
#[case(Address::Other(16), "family 16")]
fn answers_of_other_families(#[case] address: Address, #[case] expected: &str) {
    let mut holder = holds("a", V4, 1);
    holder.address = Address::UnixPath("/run/x/a".into());
    assert_eq!(names(&[holder]).of_answer(&asker(), &address), expected);
}

/// Linux lends an ephemeral port to two sockets with different far ends.
#[test]
fn sockets_that_share_an_address_are_told_apart_by_where_they_turned() {
    const OTHER: u16 = SERVER + 1;
    let mut names = names(&[holds("a", V4, SERVER), holds("b", V4, OTHER)]);
    for (socket, far_port) in [("c", SERVER), ("d", OTHER)] {
        names.hold(&holds(socket, V4, CLIENT));
        names.turn_to(&Name::new(socket), far_port);
    }
    names.hold(&accepted("conn", V4, OTHER));
    let shared = Address::Inet(SocketAddr::from((V4, CLIENT)));
    let told = |asker: &str| names.of_answer(&Name::new(asker), &shared);
    assert_eq!(["a", "b", "conn", "other"].map(told), ["c", "d", "d", "c"]);
    let own = |asker: &str| names.of_own(&Name::new(asker), &shared);
    assert_eq!(["c", "d"].map(own), ["c", "d"]);
}

/// What dup() makes is the same socket under another name.
#[test]
fn a_second_name_of_one_socket_is_told_by_the_first() {
    let mut names = names(&[holds("client", V4, CLIENT), holds("again", V4, CLIENT)]);
    names.turn_to(&Name::new("client"), SERVER);
    let own = Address::Inet(SocketAddr::from((V4, CLIENT)));
    assert_eq!(names.of_own(&Name::new("again"), &own), "client");
}

#[test]
fn a_port_of_tcp_and_one_of_udp_are_two_names() {
    let udp = Holder { is_datagram: true, ..holds("u", [0; 4], SERVER) };
    let names = names(&[holds("server", V4, SERVER), udp]);
    let at_udp = PacketEnd { is_datagram: true, ..at_server() };
    assert_eq!(names.of_end(at_server()), Some("server"));
    assert_eq!(names.of_end(at_udp), Some("u"));
    let any = Address::Inet(SocketAddr::from(([0; 4], SERVER)));
    assert_eq!(names.of_answer(&Name::new("u"), &any), "u");
    assert_eq!(names.of_sender(&Name::new("u"), &Address::Inet(at_udp.at)), "u");
}

#[test]
fn a_port_that_only_the_other_kind_of_socket_holds_has_its_name() {
    let at_udp = PacketEnd { is_datagram: true, ..at_server() };
    assert_eq!(names(&[holds("server", V4, SERVER)]).of_end(at_udp), Some("server"));
}

#[test]
fn a_port_of_the_peer_that_the_case_wrote_is_printed_as_written() {
    let mut names = Names::with_peers(Family::V4, [6000].into());
    let far = |port: u16| end(&format!("192.0.2.2:{port}"));
    assert_eq!(names.name_end(far(6000), None), "peer:6000");
    assert_eq!(names.name_end(far(6001), None), "closed-port");
    let answer = |port: u16| names.of_answer(&asker(), &Address::Inet(far(port).at));
    assert_eq!((answer(6000), answer(6001)), ("peer:6000".into(), "peer:closed-port".into()));
}
