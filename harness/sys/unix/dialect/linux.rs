//! Linux: numbers that only it has, `accept4`, and the state of a thread.

use crate::sys::unix::aside;
use crate::sys::unix::errno::numbers;
use libc::{c_int, c_short, c_ulong};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::time::Duration;

pub use super::accept4::{ACCEPT_FLAGS, SOCK_NONBLOCK, accept4};
pub use super::capabilities::give_up;
pub use super::control::{READS_CONTROL, control};
pub use super::epoll::epoll;
pub use super::sigpipe::{SIGPIPE_OF_PROCESS, take_sigpipe};
pub use super::tcp_info::TCP_INFO_FIELDS;

/// Error numbers beyond the common ones.
pub const ERRNOS: &[(&str, i32)] = numbers![
    ENONET EREMOTEIO ENOTUNIQ ENOLINK ECOMM ECHRNG EKEYEXPIRED EKEYREJECTED
];

/// Flags of the sending and receiving calls beyond the common ones.
pub const MESSAGE_FLAGS: &[(&str, c_int)] = &[
    ("MSG_NOSIGNAL", libc::MSG_NOSIGNAL),
    ("MSG_MORE", libc::MSG_MORE),
    ("MSG_ERRQUEUE", libc::MSG_ERRQUEUE),
    ("MSG_CONFIRM", libc::MSG_CONFIRM),
    ("MSG_FASTOPEN", libc::MSG_FASTOPEN),
    ("MSG_ZEROCOPY", 0x400_0000),
    ("MSG_CMSG_CLOEXEC", libc::MSG_CMSG_CLOEXEC),
];

/// Flags of a received message beyond the common ones.
pub const RECEIVED_FLAGS: &[(&str, c_int)] = &[("MSG_ERRQUEUE", libc::MSG_ERRQUEUE)];

/// Events of `poll` beyond the common ones.
pub const POLL_EVENTS: &[(&str, c_short)] = &[("POLLRDHUP", libc::POLLRDHUP)];

/// Requests of `ioctl`, `<asm-generic/ioctls.h>` and `<asm-generic/sockios.h>`.
pub const IOCTLS: &[(&str, c_ulong)] =
    &[("FIONREAD", 0x541b), ("SIOCATMARK", 0x8905), ("SIOCOUTQ", 0x5411)];

/// `TCP_INFO`'s states, `<net/tcp_states.h>`.
pub const TCP_STATES: &[&str] = &[
    "",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
];

/// Whether AF_UNIX has names that begin with a zero byte.
pub const ABSTRACT_NAMES: bool = true;

/// Options that only the BSDs have.
pub const BSD_OPTIONS: &[(&str, c_int, c_int)] = &[];

/// Socket options beyond the common ones: level and number.
pub const OPTIONS: &[(&str, c_int, c_int)] = &[
    ("SO_BINDTODEVICE", libc::SOL_SOCKET, libc::SO_BINDTODEVICE),
    ("SO_PROTOCOL", libc::SOL_SOCKET, libc::SO_PROTOCOL),
    ("SO_DOMAIN", libc::SOL_SOCKET, libc::SO_DOMAIN),
    ("SO_PRIORITY", libc::SOL_SOCKET, libc::SO_PRIORITY),
    ("SO_MARK", libc::SOL_SOCKET, libc::SO_MARK),
    ("SO_PASSCRED", libc::SOL_SOCKET, libc::SO_PASSCRED),
    ("SO_INCOMING_CPU", libc::SOL_SOCKET, libc::SO_INCOMING_CPU),
    ("SO_BUSY_POLL", libc::SOL_SOCKET, libc::SO_BUSY_POLL),
    ("SO_ZEROCOPY", libc::SOL_SOCKET, libc::SO_ZEROCOPY),
    ("SO_PEEK_OFF", libc::SOL_SOCKET, libc::SO_PEEK_OFF),
    ("SO_TIMESTAMPNS", libc::SOL_SOCKET, libc::SO_TIMESTAMPNS),
    ("SO_RXQ_OVFL", libc::SOL_SOCKET, libc::SO_RXQ_OVFL),
    ("TCP_CORK", libc::IPPROTO_TCP, libc::TCP_CORK),
    ("TCP_KEEPIDLE", libc::IPPROTO_TCP, libc::TCP_KEEPIDLE),
    ("TCP_SYNCNT", libc::IPPROTO_TCP, libc::TCP_SYNCNT),
    ("TCP_LINGER2", libc::IPPROTO_TCP, libc::TCP_LINGER2),
    ("TCP_DEFER_ACCEPT", libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT),
    ("TCP_WINDOW_CLAMP", libc::IPPROTO_TCP, libc::TCP_WINDOW_CLAMP),
    ("TCP_QUICKACK", libc::IPPROTO_TCP, libc::TCP_QUICKACK),
    ("TCP_CONGESTION", libc::IPPROTO_TCP, libc::TCP_CONGESTION),
    ("TCP_USER_TIMEOUT", libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT),
    ("TCP_FASTOPEN_CONNECT", libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT),
    ("TCP_NOTSENT_LOWAT", libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT),
    ("TCP_TIMESTAMP", libc::IPPROTO_TCP, libc::TCP_TIMESTAMP),
    ("TCP_INQ", libc::IPPROTO_TCP, libc::TCP_INQ),
    ("TCP_SAVE_SYN", libc::IPPROTO_TCP, libc::TCP_SAVE_SYN),
    ("TCP_ULP", libc::IPPROTO_TCP, libc::TCP_ULP),
    ("TCP_INFO", libc::IPPROTO_TCP, libc::TCP_INFO),
    // `<linux/tcp.h>` of 6.15; the libc crate lacks it.
    ("TCP_RTO_MAX_MS", libc::IPPROTO_TCP, 44),
    ("IP_RECVERR", libc::IPPROTO_IP, libc::IP_RECVERR),
    ("IP_MINTTL", libc::IPPROTO_IP, libc::IP_MINTTL),
    ("IP_MTU", libc::IPPROTO_IP, libc::IP_MTU),
    ("IP_MTU_DISCOVER", libc::IPPROTO_IP, libc::IP_MTU_DISCOVER),
    ("IP_FREEBIND", libc::IPPROTO_IP, libc::IP_FREEBIND),
    ("IP_TRANSPARENT", libc::IPPROTO_IP, libc::IP_TRANSPARENT),
    ("IP_BIND_ADDRESS_NO_PORT", libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT),
    ("IP_PKTINFO", libc::IPPROTO_IP, libc::IP_PKTINFO),
    ("IPV6_TCLASS", libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
    ("IPV6_RECVERR", libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
    ("IPV6_RECVHOPLIMIT", libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT),
    ("IPV6_RECVTCLASS", libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS),
    ("IPV6_MINHOPCOUNT", libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT),
    ("IPV6_MTU", libc::IPPROTO_IPV6, libc::IPV6_MTU),
    ("IPV6_MTU_DISCOVER", libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER),
    ("IPV6_DONTFRAG", libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG),
    ("UDP_SEGMENT", libc::SOL_UDP, libc::UDP_SEGMENT),
    ("UDP_GRO", libc::SOL_UDP, libc::UDP_GRO),
];

/// The user and the group `nobody`, who own nothing.
pub const NOBODY: libc::uid_t = 65_534;

/// A file with these contents, in memory, read from its beginning.
///
/// # Errors
/// The system's error.
pub fn file_of(bytes: &[u8]) -> io::Result<File> {
    // SAFETY: the name is a string that ends in a zero.
    let fd = match unsafe { libc::memfd_create(c"sockdiff".as_ptr(), libc::MFD_CLOEXEC) } {
        -1 => return Err(io::Error::last_os_error()),
        // SAFETY: the descriptor was made just now.
        fd => aside(unsafe { OwnedFd::from_raw_fd(fd) }),
    };
    let file = File::from(fd);
    file.write_all_at(bytes, 0)?;
    Ok(file)
}

/// `sendfile(2)`: so many bytes of a file, from where it is read.
pub fn sendfile(socket: c_int, file: &File, len: usize) -> i64 {
    // SAFETY: the pointer is null; whatever the descriptor is, only a file of our own is read.
    let sent = unsafe { libc::sendfile(socket, file.as_raw_fd(), std::ptr::null_mut(), len) };
    sent as i64
}

/// Two signals that nobody else uses.
pub fn harmless_signals() -> [c_int; 2] {
    [libc::SIGRTMIN() + 3, libc::SIGRTMIN() + 4]
}

/// The number under which other processes know a thread.
pub type ThreadId = libc::pid_t;

/// A thread whose calls are watched.
pub struct Thread {
    process: libc::pid_t,
    thread: ThreadId,
    /// `/proc/PID/task/TID/stat`, open from the first look on; none without /proc.
    stat: OnceLock<Option<File>>,
    /// `/proc/PID/task/TID/schedstat`, likewise; none where the kernel does not count.
    schedstat: OnceLock<Option<File>>,
}

impl Thread {
    /// The calling thread.
    pub fn current() -> Thread {
        // SAFETY: there is no pointer.
        Thread::of(unsafe { libc::getpid() }, Thread::current_id())
    }

    /// The number under which other processes know the calling thread.
    pub fn current_id() -> ThreadId {
        // SAFETY: there is no pointer.
        unsafe { libc::gettid() }
    }

    /// A thread of any process.
    pub fn of(process: libc::pid_t, thread: ThreadId) -> Thread {
        Thread { process, thread, stat: OnceLock::new(), schedstat: OnceLock::new() }
    }

    /// Reads the beginning of a file that the kernel has of the thread. Most threads are never
    /// looked at, so it is opened by the first look.
    fn look<'a>(
        &self,
        file: &OnceLock<Option<File>>,
        name: &str,
        line: &'a mut [u8; 64],
    ) -> Option<&'a [u8]> {
        let open = || {
            let file = File::open(format!("/proc/{}/task/{}/{name}", self.process, self.thread));
            file.ok().map(|file| File::from(aside(file.into())))
        };
        let len = file.get_or_init(open).as_ref()?.read_at(line, 0).unwrap_or(0);
        line.get(..len)
    }

    /// Whether the scheduler has put it to sleep, however long ago, until something happens or a
    /// signal comes.
    pub fn sleeps(&self, _: Duration) -> bool {
        self.look(&self.stat, "stat", &mut [0; 64]).is_some_and(is_interruptible)
    }

    /// How long it has been ready to run and had to wait for a CPU.
    pub fn held_up(&self) -> Duration {
        let mut line = [0; 64];
        let line = self.look(&self.schedstat, "schedstat", &mut line).unwrap_or_default();
        // `695125 9831736 2`: nanoseconds on a CPU, nanoseconds ready for one, and how often.
        let text = std::str::from_utf8(line).unwrap_or_default();
        let ready_ns = text.split(' ').nth(1).and_then(|number| number.parse().ok());
        Duration::from_nanos(ready_ns.unwrap_or(0))
    }

    /// Sends it one of [`harmless_signals`].
    pub fn signal(&self, signal: c_int) {
        // SAFETY: there is no pointer, and the signal has a handler in the processes of a case.
        unsafe { libc::syscall(libc::SYS_tgkill, self.process, self.thread, signal) };
    }
}

/// Whether a line of `/proc/PID/stat` (proc(5)) tells of an interruptible sleep. The other kind,
/// `D`, is that of a thread which goes on by itself: the socket is locked, a page is missing, for
/// instance the one on which the kernel is about to leave the frame of a signal.
fn is_interruptible(line: &[u8]) -> bool {
    // `1234 (name) S …`: the name may hold anything, so the last parenthesis counts. It is at most
    // 15 bytes long, so the state is within the first 64.
    let end = line.iter().rposition(|byte| *byte == b')');
    end.and_then(|end| line.get(end + 2)) == Some(&b'S')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::linux::{cpus, pin};
    use rstest::rstest;
    use std::time::Instant;

    #[rstest]
    #[case::waits_for_something(b"1234 (lane) S 1 2 3", true)]
    #[case::goes_on_by_itself(b"1234 (lane) D 1 2 3", false)]
    #[case::runs(b"1234 (lane) R 1 2 3", false)]
    #[case::stopped(b"1234 (lane) T 1 2 3", false)]
    #[case::name_like_a_state(b"1234 (a) S (b) R 1 2 3", false)]
    #[case::thread_is_gone(b"", false)]
    #[case::cut_off(b"1234 (lane)", false)]
    fn only_a_thread_that_waits_for_something_sleeps(#[case] line: &[u8], #[case] sleeps: bool) {
        assert_eq!(is_interruptible(line), sleeps);
    }

    /// Two threads that both want all of one CPU: each of them waits about half of the time.
    #[test]
    fn waiting_for_a_cpu_is_counted() {
        const SPIN: Duration = Duration::from_millis(100);
        let began = Instant::now();
        let spin = move || {
            pin(Some(cpus()[0])).unwrap();
            let before = Thread::current().held_up();
            while began.elapsed() < SPIN {
                std::hint::spin_loop();
            }
            Thread::current().held_up() - before
        };
        let other = std::thread::spawn(spin);
        let here = std::thread::spawn(spin);
        let held_up = other.join().unwrap() + here.join().unwrap();
        assert!(held_up > SPIN / 4, "{held_up:?}");
    }
}
