//! What comes first in a process whose runs share the machine's loopback.

/// The CPUs to run on: runs are not pinned here, so their count alone matters.
pub fn cpus() -> Vec<usize> {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    (0..count).collect()
}

/// Sets environment variables for the libraries of a test binary. Call it after `prepare` and
/// before anything starts a thread.
pub fn set_env_before_threads(variables: &[(&str, &str)]) {
    for (name, value) in variables {
        // SAFETY: the caller has not started a thread yet; on Windows there is nothing to fear
        // from one.
        unsafe { std::env::set_var(name, value) };
    }
}
