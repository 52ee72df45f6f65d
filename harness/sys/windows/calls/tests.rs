//! Arguments that are wrong on purpose reach the system.

use crate::model::call::{Domain, Kind};
use crate::model::{Answer, Errno, Outcome};
use crate::sys::calls::{Gate, make};
use crate::sys::{AddressPlace, Fd, Reply, Request};

struct Open;

impl Gate for Open {
    fn enter(&self) {}
    fn leave(&self) {}
}

fn made(request: &Request) -> Outcome {
    match make(request, &Open) {
        Reply::Done { outcome, .. } => outcome,
        reply => panic!("not made: {reply:?}"),
    }
}

fn socket() -> Fd {
    let (domain, kind) = (Domain::Inet, Kind::Stream);
    match made(&Request::Socket { domain, kind, protocol: 0, nonblock: false }).answer {
        Answer::Fd(fd) => fd,
        answer => panic!("no socket: {answer:?}"),
    }
}

#[test]
fn an_address_without_room_is_a_fault() {
    let fd = socket();
    let place = AddressPlace { len: Some(1), ..AddressPlace::default() };
    let outcome = made(&Request::Getsockname { fd, place });
    // Not bound: EINVAL comes first.
    assert_eq!(outcome.errno().map(Errno::name), Some("EINVAL"));
    assert_eq!(made(&Request::Close { fd }).answer, Answer::Value(0));
}

#[test]
fn a_copy_outlives_its_original() {
    let fd = socket();
    let Answer::Fd(copy) = made(&Request::Dup { fd }).answer else { panic!("no copy") };
    assert_ne!(copy, fd);
    assert_eq!(made(&Request::Close { fd }).answer, Answer::Value(0));
    assert_eq!(made(&Request::Listen { fd: copy, backlog: 1 }).errno_raw, Some(10022));
    assert_eq!(made(&Request::Close { fd: copy }).answer, Answer::Value(0));
}
