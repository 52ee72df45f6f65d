//! Arguments that are wrong on purpose reach the system.

use super::{Gate, make};
use crate::model::OptionValue;
use crate::sys::{AddressPlace, Fd, Reply, Request};
use rstest::rstest;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

struct Open;

impl Gate for Open {
    fn enter(&self) {}
    fn leave(&self) {}
}

const BAD: AddressPlace = AddressPlace {
    bad: true,
    len: None,
};

#[rstest]
#[case::set(|fd| Request::Setsockopt {
    fd,
    option: "SO_REUSEADDR".to_owned(),
    value: OptionValue::Int(1),
    bad: true,
})]
#[case::get(|fd| Request::Getsockopt { fd, option: "SO_ERROR".to_owned(), bad: true })]
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
