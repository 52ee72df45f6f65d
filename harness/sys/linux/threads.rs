//! CPUs.

/// The CPUs that this process may use.
pub fn allowed_cpus() -> Vec<usize> {
    // SAFETY: all zeroes is an empty set, of the size told to the call that fills it.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set);
        set
    };
    let all = 0..libc::CPU_SETSIZE as usize;
    // SAFETY: the numbers are within the set.
    let cpus: Vec<usize> = all
        .filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) })
        .collect();
    if cpus.is_empty() { vec![0] } else { cpus }
}

/// Keeps the calling thread, and the threads and processes that it starts from now on, on one CPU:
/// this one, or the one it happens to be on.
///
/// # Errors
/// The system's error.
pub fn pin(cpu: Option<usize>) -> std::io::Result<()> {
    // SAFETY: there is no pointer; -1 (not told) becomes the first CPU.
    let here = || usize::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(0);
    let cpu = cpu.unwrap_or_else(here).min(libc::CPU_SETSIZE as usize - 1);
    // SAFETY: all zeroes is an empty set, and the number is within it.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    };
    match result {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}
