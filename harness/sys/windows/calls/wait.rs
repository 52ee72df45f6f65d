//! `WSAPoll` and `select`.

use crate::model::outcome::{Answer, Outcome};
use crate::sys::Fd;
use crate::sys::calls::{Call, NotHere, find, lacking, number};
use crate::sys::windows::names::{POLL_ASKED, POLL_UNASKED};
use windows_sys::Win32::Networking::WinSock::{self as ws, FD_SET, TIMEVAL, WSAPOLLFD};

impl Call<'_> {
    pub fn poll(&mut self, fd: Fd, events: &[String], timeout_ms: i32) -> Result<Outcome, NotHere> {
        let both = [("POLLIN", ws::POLLIN), ("POLLOUT", ws::POLLOUT)];
        let asked: Vec<(&str, i16)> = match events {
            [] => both.to_vec(),
            named => named.iter().map(|name| event(name)).collect::<Result<_, _>>()?,
        };
        let bits = asked.iter().fold(0, |all, (_, bit)| all | bit);
        let mut polled = WSAPOLLFD { fd: number(fd), events: bits, revents: 0 };
        let pointer = &raw mut polled;
        // SAFETY: the pointer is to one WSAPOLLFD that outlives the call.
        let returned = self.enter(|| i64::from(unsafe { ws::WSAPoll(pointer, 1, timeout_ms) }));
        Ok(self.outcome(returned, |_| Answer::Events(told(&asked, polled.revents))))
    }

    pub fn select(&mut self, fd: Fd, timeout_ms: i32) -> Result<Outcome, NotHere> {
        let mut sets = [FD_SET::default(); 3];
        for set in &mut sets {
            set.fd_count = 1;
            set.fd_array[0] = number(fd);
        }
        let [readable, writable, except] = sets.each_mut().map(std::ptr::from_mut);
        let timeout = TIMEVAL { tv_sec: timeout_ms / 1000, tv_usec: timeout_ms % 1000 * 1000 };
        let limit = if timeout_ms < 0 { std::ptr::null() } else { &raw const timeout };
        // SAFETY: the pointers are to three sets and a timeout that outlive the call. The first
        // argument is ignored.
        let select = || unsafe { ws::select(0, readable, writable, except, limit) };
        let returned = self.enter(|| i64::from(select()));
        let words = ["readable", "writable", "except"];
        Ok(self.outcome(returned, |_| {
            // The sets that come back hold the sockets that are ready.
            let ready = sets.iter().zip(words).filter(|(set, _)| set.fd_count > 0);
            Answer::Events(ready.map(|(_, name)| name.to_owned()).collect())
        }))
    }
}

fn event(name: &str) -> Result<(&str, i16), NotHere> {
    let bits = find(POLL_ASKED, name).or_else(|| find(POLL_UNASKED, name));
    bits.map(|bits| (name, bits)).ok_or_else(|| lacking(name))
}

/// The names of events, in the order in which they are printed.
fn told(asked: &[(&str, i16)], revents: i16) -> Vec<String> {
    let is_asked = |name: &str| asked.iter().any(|(known, _)| *known == name);
    let asked = POLL_ASKED.iter().filter(|(name, _)| is_asked(name));
    let all = asked.chain(POLL_UNASKED);
    all.filter(|(_, bits)| revents & bits != 0).map(|(name, _)| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::{event, told};
    use rstest::rstest;
    use windows_sys::Win32::Networking::WinSock as ws;

    #[rstest]
    #[case::unnamed(&["POLLIN", "POLLOUT"], ws::POLLRDNORM | ws::POLLHUP, &["POLLIN", "POLLHUP"])]
    #[case::by_name(&["POLLRDNORM"], ws::POLLRDNORM | ws::POLLERR, &["POLLRDNORM", "POLLERR"])]
    #[case::none(&["POLLIN"], 0, &[])]
    fn an_event_has_the_name_under_which_it_was_asked_for(
        #[case] asked: &[&str],
        #[case] revents: i16,
        #[case] expected: &[&str],
    ) {
        let asked: Vec<_> = asked.iter().map(|name| event(name).unwrap()).collect();
        assert_eq!(told(&asked, revents), expected);
    }
}
