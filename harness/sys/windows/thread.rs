//! Whether a thread sleeps in the kernel.
//!
//! `NtQuerySystemInformation(SystemProcessInformation)` tells the state of every thread and, of
//! one that waits, what for. Where it tells no state (Wine), time decides.

use std::time::Duration;
use windows_sys::Wdk::System::SystemInformation::{
    NtQuerySystemInformation, SystemProcessInformation,
};
use windows_sys::Win32::Foundation::{STATUS_INFO_LENGTH_MISMATCH, STATUS_SUCCESS};
use windows_sys::Win32::System::Threading::GetCurrentThreadId;
use windows_sys::Win32::System::WindowsProgramming::{
    SYSTEM_PROCESS_INFORMATION, SYSTEM_THREAD_INFORMATION,
};

/// A thread that has been inside a call for that long is taken to be asleep where the system does
/// not tell.
const ASLEEP_AFTER: Duration = Duration::from_millis(50);

/// `KTHREAD_STATE`: Waiting. Wine tells Initialized, 0, of every thread.
const WAITING: u32 = 5;
/// `KWAIT_REASON`: Executive, UserRequest, WrExecutive, WrUserRequest: waits for an event, which
/// sockets' calls do. The others are waits for memory, for the scheduler, or of a suspended thread.
const WAITS_FOR_EVENTS: [u32; 4] = [0, 6, 7, 13];

/// Room for the table of a machine with many threads, in bytes.
const TABLE_BYTES: usize = 1 << 20;
/// More than any table has.
const TABLE_BYTES_MAX: usize = 1 << 26;

const THREAD_BYTES: usize = size_of::<SYSTEM_THREAD_INFORMATION>();

/// The number of the calling thread.
pub fn current() -> u32 {
    // SAFETY: there is no pointer.
    unsafe { GetCurrentThreadId() }
}

/// Whether a thread of this process, inside its call for that long, sleeps there.
pub fn sleeps(thread: u32, inside_for: Duration) -> bool {
    match state(thread) {
        Some((WAITING, reason)) => WAITS_FOR_EVENTS.contains(&reason),
        Some((0, _)) | None => inside_for > ASLEEP_AFTER,
        Some(_) => false,
    }
}

/// State and wait reason of a thread of this process.
fn state(thread: u32) -> Option<(u32, u32)> {
    let table = table()?;
    let mut entry = &table[..];
    loop {
        let process: SYSTEM_PROCESS_INFORMATION = read(entry)?;
        if process.UniqueProcessId as usize == std::process::id() as usize {
            let threads = entry[size_of_val(&process)..].chunks(THREAD_BYTES);
            let mut threads = threads.take(process.NumberOfThreads as usize).map_while(read);
            let is_it = |known: &SYSTEM_THREAD_INFORMATION| {
                known.ClientId.UniqueThread as usize == thread as usize
            };
            return threads.find(is_it).map(|found| (found.ThreadState, found.WaitReason));
        }
        match process.NextEntryOffset {
            0 => return None,
            next => entry = entry.get(next as usize..)?,
        }
    }
}

/// An entry of the table that begins there; none if there are too few bytes.
fn read<T: Entry>(bytes: &[u8]) -> Option<T> {
    let enough = bytes.len() >= size_of::<T>();
    // SAFETY: there are enough bytes, and any bytes are a valid entry.
    enough.then(|| unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}

/// What the table is made of: structures for which any bytes are valid.
trait Entry {}
impl Entry for SYSTEM_PROCESS_INFORMATION {}
impl Entry for SYSTEM_THREAD_INFORMATION {}

/// The system's table: processes, each with the distance to the next, and behind each as many
/// threads as it says.
fn table() -> Option<Vec<u8>> {
    let mut table = vec![0; TABLE_BYTES];
    while table.len() <= TABLE_BYTES_MAX {
        let (start, mut needed) = (table.as_mut_ptr().cast(), 0);
        // SAFETY: the pointer is to that many writable bytes.
        let status = unsafe {
            let class = SystemProcessInformation;
            NtQuerySystemInformation(class, start, table.len() as u32, &raw mut needed)
        };
        match status {
            STATUS_SUCCESS => return Some(table),
            STATUS_INFO_LENGTH_MISMATCH => table.resize(table.len() * 2, 0),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{current, sleeps};
    use std::net::UdpSocket;
    use std::sync::mpsc::channel;
    use std::time::{Duration, Instant};

    #[test]
    fn a_thread_that_asks_is_awake() {
        assert!(!sleeps(current(), Duration::ZERO));
    }

    #[test]
    fn a_thread_in_a_call_that_blocks_falls_asleep() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (told, number) = channel();
        let thread = std::thread::spawn(move || {
            told.send(current()).unwrap();
            socket.recv_from(&mut [0]).unwrap();
        });
        let number = number.recv().unwrap();
        let began = Instant::now();
        while !sleeps(number, began.elapsed()) {
            assert!(began.elapsed() < Duration::from_secs(5), "it never sleeps");
            std::thread::yield_now();
        }
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[1], address).unwrap();
        thread.join().unwrap();
    }
}
