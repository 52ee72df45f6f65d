//! Descriptors in a message: `SCM_RIGHTS`, `unix(7)`, `unix(4)`.

use crate::sys::Fd;
use libc::{c_int, msghdr};
use std::mem::size_of;

/// Room for control messages where a case says nothing of it.
const USUAL_BYTES: usize = 512;

/// A buffer for control messages, aligned as they are.
pub struct Control {
    words: Vec<u64>,
    /// How many bytes of it the system is told of.
    len: usize,
}

impl Control {
    /// One message with these descriptors; without any, none.
    pub fn with(fds: &[Fd]) -> Control {
        let (space, len) = match fds.len() {
            0 => (0, 0),
            count => (space(count), used(count)),
        };
        let mut control = Control { words: words(space), len: space };
        if fds.is_empty() {
            return control;
        }
        // SAFETY: all zeroes is a message without anything.
        let mut message: msghdr = unsafe { std::mem::zeroed() };
        control.lend(&mut message);
        // SAFETY: the buffer has room for one header and so many descriptors behind it, and is
        // aligned as a header is.
        unsafe {
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = len as _;
            let data = libc::CMSG_DATA(header).cast::<c_int>();
            for (at, fd) in fds.iter().enumerate() {
                data.add(at).write_unaligned(*fd as c_int);
            }
        }
        control
    }

    /// Room to receive them in, to the byte: with what comes behind the last one for the sake of
    /// alignment, Linux takes the space of one descriptor for that of two.
    pub fn room(fds: Option<usize>) -> Control {
        let len = match fds {
            None => USUAL_BYTES,
            Some(0) => 0,
            Some(count) => used(count),
        };
        Control { words: words(len), len }
    }

    /// Makes it part of a message, as long as this lives.
    pub fn lend(&mut self, message: &mut msghdr) {
        if !self.words.is_empty() {
            message.msg_control = self.words.as_mut_ptr().cast();
            message.msg_controllen = self.len as _;
        }
    }
}

/// The descriptors in a message that recvmsg() has filled.
pub fn received(message: &msghdr) -> Vec<Fd> {
    let mut fds = Vec::new();
    let len: usize = message.msg_controllen as _;
    let end = message.msg_control as usize + len;
    // SAFETY: the system has filled the control buffer and told its length, which the macros heed.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !next.is_null() {
        // SAFETY: the pointer is to a header within the buffer. A header that was cut may tell more
        // data than there is, so that the end of the buffer bounds it too.
        unsafe {
            let header = next.read_unaligned();
            let data = libc::CMSG_DATA(next);
            let told: usize = header.cmsg_len as _;
            let told = told.saturating_sub(libc::CMSG_LEN(0) as usize);
            let count = told.min(end.saturating_sub(data as usize)) / size_of::<c_int>();
            if (header.cmsg_level, header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                let data = data.cast::<c_int>();
                fds.extend((0..count).map(|at| Fd::from(data.add(at).read_unaligned())));
            }
            next = libc::CMSG_NXTHDR(message, next);
        }
    }
    fds
}

fn words(bytes: usize) -> Vec<u64> {
    vec![0; bytes.div_ceil(size_of::<u64>())]
}

fn space(count: usize) -> usize {
    // SAFETY: the macro calculates.
    unsafe { libc::CMSG_SPACE((count * size_of::<c_int>()) as u32) as usize }
}

fn used(count: usize) -> usize {
    // SAFETY: the macro calculates.
    unsafe { libc::CMSG_LEN((count * size_of::<c_int>()) as u32) as usize }
}

#[cfg(test)]
mod tests {
    use super::{Control, received};
    use crate::sys::Fd;
    use libc::msghdr;
    use rstest::rstest;

    #[rstest]
    #[case::none(&[])]
    #[case::one(&[7])]
    #[case::odd(&[7, 8, 9])]
    fn what_is_written_is_read(#[case] fds: &[Fd]) {
        let mut control = Control::with(fds);
        // SAFETY: all zeroes is a message without anything.
        let mut message: msghdr = unsafe { std::mem::zeroed() };
        control.lend(&mut message);
        assert_eq!(received(&message), fds);
    }
}
