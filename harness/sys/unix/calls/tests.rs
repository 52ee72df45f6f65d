//! Arguments that are wrong on purpose reach the system.

use crate::model::option::find;
use crate::model::{Address, Answer, OptionRef, OptionValue};
use crate::sys::calls::{Gate, make};
use crate::sys::{AddressPlace, Fd, Reply, Request};
use rstest::rstest;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

struct Open;

impl Gate for Open {
    fn enter(&self) {}
    fn leave(&self) {}
}

#[rstest]
#[case::whole(110, Answer::Addr(Address::UnixUnnamed))]
#[case::cut(1, Answer::Value(0))]
fn an_address_that_was_cut_is_not_told(#[case] len: i32, #[case] answer: Answer) {
    let (socket, _other) = UnixStream::pair().unwrap();
    let place = AddressPlace { len: Some(len), len_told: true, ..AddressPlace::default() };
    let fd = Fd::from(socket.as_raw_fd());
    let reply = make(&Request::Getsockname { fd, place }, &Open);
    let Reply::Done { outcome, .. } = reply else {
        panic!("not made: {reply:?}");
    };
    assert_eq!(outcome.answer, answer);
    assert!(outcome.addrlen.is_some_and(|len| len > 1), "{outcome:?}");
}

fn known(option: &str) -> OptionRef {
    OptionRef::Known(find(option).unwrap())
}

const BAD: AddressPlace = AddressPlace { bad: true, len: None, len_told: false, told: false };

#[rstest]
#[case::set(|fd| Request::Setsockopt {
    fd,
    option: known("SO_REUSEADDR"),
    value: OptionValue::Int(1),
    bad: true,
})]
#[case::get(|fd| Request::Getsockopt { fd, option: known("SO_ERROR"), bad: true })]
#[case::own_name(|fd| Request::Getsockname { fd, place: BAD })]
#[case::far_name(|fd| Request::Getpeername { fd, place: BAD })]
fn an_unmapped_buffer_is_a_fault(#[case] request: fn(Fd) -> Request) {
    let (socket, _other) = UnixStream::pair().unwrap();
    let reply = make(&request(Fd::from(socket.as_raw_fd())), &Open);
    let Reply::Done { outcome, .. } = reply else {
        panic!("not made: {reply:?}");
    };
    assert_eq!(outcome.errno().map(|errno| errno.name()), Some("EFAULT"));
}
