//! Names of addresses.

use super::build::{CLIENT, SERVER, V4, accepted, held, holds};
use crate::model::{Address, Name};
use crate::record::names::Names;
use crate::run::log::Holder;
use rstest::rstest;
use std::net::SocketAddr;

const V6_ANY: &str = "[::]:20000";

fn end(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn at_server() -> SocketAddr {
    SocketAddr::from((V4, SERVER))
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
fn what_only_packets_tell_names_no_address_in_an_answer() {
    let mut names = Names::default();
    names.name_end(at_server(), Some(&Name::new("client")));
    assert_eq!(names.of_end(at_server()), Some("client"));
    assert_eq!(names.of_answer(&Address::Inet(at_server())), "closed-port");
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
    assert_eq!(names.of_answer(&Address::Inet(end(address))), expected);
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
    assert_eq!(names(&[holder]).of_answer(&address), expected);
}
