//! `epoll`: Linux only.

use crate::model::call::EpollOp;
use crate::model::outcome::{Answer, Outcome};
use crate::sys::calls::{Call, NotHere, find, lacking};
use crate::sys::{Fd, Request};
use libc::c_int;

/// Events and input flags, in the order of [`crate::model::call::EPOLL_EVENTS`].
const EVENTS: &[(&str, u32)] = &[
    ("EPOLLIN", libc::EPOLLIN as u32),
    ("EPOLLPRI", libc::EPOLLPRI as u32),
    ("EPOLLOUT", libc::EPOLLOUT as u32),
    ("EPOLLRDNORM", libc::EPOLLRDNORM as u32),
    ("EPOLLRDBAND", libc::EPOLLRDBAND as u32),
    ("EPOLLWRNORM", libc::EPOLLWRNORM as u32),
    ("EPOLLWRBAND", libc::EPOLLWRBAND as u32),
    ("EPOLLERR", libc::EPOLLERR as u32),
    ("EPOLLHUP", libc::EPOLLHUP as u32),
    ("EPOLLRDHUP", libc::EPOLLRDHUP as u32),
    ("EPOLLEXCLUSIVE", libc::EPOLLEXCLUSIVE as u32),
    ("EPOLLONESHOT", libc::EPOLLONESHOT as u32),
    ("EPOLLET", libc::EPOLLET as u32),
];

/// More than a case can have sockets.
const READY_MAX: usize = 64;

/// Makes one of the three calls.
///
/// # Errors
/// An event that this system lacks.
pub fn epoll(call: &mut Call<'_>, request: &Request) -> Result<Outcome, NotHere> {
    match request {
        Request::EpollCtl { fd, op, target, token, events } => {
            let events = events.iter().try_fold(0, |all, name| {
                Ok::<u32, NotHere>(all | find(EVENTS, name).ok_or_else(|| lacking(name))?)
            })?;
            let event = libc::epoll_event { events, u64: *token };
            Ok(control(call, *fd, *op, *target, event))
        }
        Request::EpollWait { fd, timeout_ms } => Ok(wait(call, *fd, *timeout_ms)),
        _ => {
            // SAFETY: there is no pointer.
            let returned = call.enter(|| i64::from(unsafe { libc::epoll_create1(0) }));
            Ok(call.outcome(returned, Answer::Fd))
        }
    }
}

fn control(
    call: &mut Call<'_>,
    fd: Fd,
    op: EpollOp,
    target: Fd,
    mut event: libc::epoll_event,
) -> Outcome {
    let op = match op {
        EpollOp::Add => libc::EPOLL_CTL_ADD,
        EpollOp::Mod => libc::EPOLL_CTL_MOD,
        EpollOp::Del => libc::EPOLL_CTL_DEL,
    };
    let (fd, target) = (fd as c_int, target as c_int);
    let event = &raw mut event;
    // SAFETY: the pointer is to one event that outlives the call.
    let returned = call.enter(|| i64::from(unsafe { libc::epoll_ctl(fd, op, target, event) }));
    call.outcome(returned, Answer::Value)
}

fn wait(call: &mut Call<'_>, fd: Fd, timeout_ms: i32) -> Outcome {
    let mut ready = [libc::epoll_event { events: 0, u64: 0 }; READY_MAX];
    let (fd, max) = (fd as c_int, READY_MAX as c_int);
    let pointer = ready.as_mut_ptr();
    // SAFETY: the pointer is to READY_MAX events that outlive the call.
    let wait = || i64::from(unsafe { libc::epoll_wait(fd, pointer, max, timeout_ms) });
    let returned = call.enter(wait);
    call.outcome(returned, |count| {
        let ready = ready.iter().take(count as usize);
        Answer::Ready(ready.map(|event| (event.u64, names(event.events))).collect())
    })
}

fn names(events: u32) -> Vec<String> {
    let set = EVENTS.iter().filter(|(_, event)| events & event != 0);
    set.map(|(name, _)| (*name).to_owned()).collect()
}
