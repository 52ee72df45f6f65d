//! `poll` and `select`.

use crate::model::outcome::{Answer, Outcome};
use crate::sys::Fd;
use crate::sys::calls::{Call, NotHere, number};
use crate::sys::unix::names::{poll_events, poll_names};
use libc::{c_int, pollfd, timeval};

/// The largest descriptor number for which `select` gets its three sets.
const SELECT_FD_MAX: Fd = 1 << 20;

impl Call<'_> {
    pub fn poll(&mut self, fd: Fd, events: &[String], timeout_ms: i32) -> Result<Outcome, NotHere> {
        let events = match events {
            [] => libc::POLLIN | libc::POLLOUT,
            named => poll_events(named)?,
        };
        let mut asked = pollfd { fd: number(fd), events, revents: 0 };
        let pointer = &raw mut asked;
        // SAFETY: the pointer is to one pollfd that outlives the call.
        let returned = self.enter(|| i64::from(unsafe { libc::poll(pointer, 1, timeout_ms) }));
        Ok(self.outcome(returned, |_| Answer::Events(poll_names(asked.revents))))
    }

    pub fn select(&mut self, fd: Fd, timeout_ms: i32) -> Result<Outcome, NotHere> {
        if !(0..=SELECT_FD_MAX).contains(&fd) {
            return Err(format!("descriptor {fd} is beyond the sets of select"));
        }
        // The system reads as many bits as it is told of, so that sets of our own size work where
        // `fd_set` ends at 1024.
        let (word, bit) = (fd as usize / 64, 1u64 << (fd % 64));
        let words = (word + 1).max(size_of::<libc::fd_set>() / size_of::<u64>());
        let mut sets: [Vec<u64>; 3] = std::array::from_fn(|_| vec![0; words]);
        for set in &mut sets {
            set[word] |= bit;
        }
        let [readable, writable, except] = sets.each_mut().map(|set| set.as_mut_ptr().cast());
        let mut timeout =
            timeval { tv_sec: (timeout_ms / 1000) as _, tv_usec: (timeout_ms % 1000 * 1000) as _ };
        let limit = if timeout_ms < 0 { std::ptr::null_mut() } else { &raw mut timeout };
        let count = fd as c_int + 1;
        // SAFETY: the three sets hold at least `count` bits each and outlive the call, as does
        // the timeout.
        let select = || unsafe { libc::select(count, readable, writable, except, limit) };
        let returned = self.enter(|| i64::from(select()));
        let words = ["readable", "writable", "except"];
        Ok(self.outcome(returned, |ready| {
            let set = sets.iter().zip(words).filter(|(set, _)| set[word] & bit != 0);
            // Without a ready descriptor the sets have not been written.
            let names = set.map(|(_, name)| name.to_owned());
            Answer::Events(if ready > 0 { names.collect() } else { Vec::new() })
        }))
    }
}
