//! Arguments that are wrong on purpose reach the system.

use crate::model::call::{Payload, RecvForm, SendForm};
use crate::model::option::find;
use crate::model::{Address, Answer, OptionRef, OptionValue};
use crate::sys::calls::{Gate, cut, make};
use crate::sys::{AddressPlace, Beside, Buffer, Fd, Flags, Reply, Request};
use rstest::rstest;
use std::io::Read;
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
#[case::get(|fd| Request::Getsockopt {
    fd,
    option: known("SO_ERROR"),
    fields: Vec::new(),
    bad: true,
})]
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

#[rstest]
#[case::one(10, None, &[(0, 10)])]
#[case::none(10, Some(0), &[])]
#[case::alike(10, Some(2), &[(0, 5), (5, 5)])]
#[case::rest_is_last(10, Some(3), &[(0, 3), (3, 3), (6, 4)])]
#[case::more_than_bytes(1, Some(3), &[(0, 0), (0, 0), (0, 1)])]
fn data_is_cut(
    #[case] len: usize,
    #[case] buffers: Option<u32>,
    #[case] expected: &[(usize, usize)],
) {
    assert_eq!(cut(len, buffers).collect::<Vec<_>>(), expected);
}

#[test]
fn what_stands_in_a_file_is_sent() {
    let (from, mut to) = UnixStream::pair().unwrap();
    let (fd, form, flags) = (Fd::from(from.as_raw_fd()), SendForm::Sendfile, Flags::default());
    let data = Buffer::Bytes(Payload::Len(300).bytes());
    let fds = Vec::new();
    let reply = make(&Request::Send { fd, form, data, iov: None, flags, to: None, fds }, &Open);
    let Reply::Done { outcome, .. } = reply else { panic!("not made: {reply:?}") };
    assert_eq!(outcome.answer, Answer::Value(300));
    let mut came = [0; 300];
    to.read_exact(&mut came).unwrap();
    assert_eq!(came[..], Payload::Len(300).bytes());
}

#[test]
fn what_is_sent_from_many_buffers_arrives_in_many() {
    let (from, to) = UnixStream::pair().unwrap();
    let fd = |socket: &UnixStream| Fd::from(socket.as_raw_fd());
    let (iov, flags) = (Some(1000), Flags::default());
    let data = Buffer::Bytes(Payload::Len(2_500).bytes());
    let form = SendForm::Writev;
    let (to_none, fds) = (None, Vec::new());
    let ask =
        Request::Send { fd: fd(&from), form, data, iov, flags: flags.clone(), to: to_none, fds };
    make(&ask, &Open);
    let form = RecvForm::Readv;
    let ask = Request::Recv {
        fd: fd(&to),
        form,
        len: 3_000,
        bad: false,
        iov: Some(7),
        flags,
        beside: Beside::default(),
    };
    let Reply::Done { outcome, .. } = make(&ask, &Open) else { panic!("not made") };
    let Answer::Received { data, .. } = outcome.answer else { panic!("{outcome:?}") };
    assert_eq!(data, Payload::Len(2_500).bytes());
}
