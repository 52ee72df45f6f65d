//! Settings of the network stack, in the namespace of the calling thread.
//!
//! A new namespace starts from the kernel's defaults, but some of them follow the host, its memory
//! or its kernel's configuration, and some are rate limits, through which neighbours would
//! interfere. What changes answers is pinned; a setting that an older kernel lacks is skipped.

use super::mounts::{Mounts, owned};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr};
use std::fs::{self, File};
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What is pinned, and why where that is not plain.
const PINNED: &[(&str, &str)] = &[
    // Follow the host: the congestion control and both buffers, whose windows a case may fill.
    ("net.ipv4.tcp_congestion_control", "reno"),
    ("net.ipv4.tcp_rmem", "4096\t131072\t6291456"),
    ("net.ipv4.tcp_wmem", "4096\t16384\t4194304"),
    // Rate limits: 500 ms between answers to out-of-window segments, a budget of ICMP errors.
    ("net.ipv4.tcp_invalid_ratelimit", "0"),
    ("net.ipv4.icmp_ratelimit", "0"),
    ("net.ipv4.icmp_msgs_per_sec", "10000"),
    ("net.ipv4.icmp_msgs_burst", "10000"),
    ("net.ipv6.icmp.ratelimit", "0"),
    ("net.ipv4.tcp_challenge_ack_limit", "2147483647"),
    // Depend on the machine's memory or on the kernel's age.
    ("net.ipv4.tcp_max_syn_backlog", "1024"),
    ("net.ipv4.tcp_max_tw_buckets", "65536"),
    ("net.core.somaxconn", "4096"),
    ("net.unix.max_dgram_qlen", "10"),
    // Change packets or answers; distributions set them differently.
    ("net.ipv4.tcp_syncookies", "1"),
    ("net.ipv4.tcp_ecn", "2"),
    ("net.ipv4.tcp_timestamps", "1"),
    ("net.ipv4.tcp_sack", "1"),
    ("net.ipv4.tcp_window_scaling", "1"),
    ("net.ipv4.tcp_fastopen", "1"),
    ("net.ipv4.tcp_fin_timeout", "60"),
    ("net.ipv4.tcp_tw_reuse", "2"),
    ("net.ipv4.tcp_rfc1337", "0"),
    ("net.ipv4.tcp_abort_on_overflow", "0"),
    ("net.ipv4.tcp_syn_retries", "6"),
    ("net.ipv4.tcp_synack_retries", "5"),
    ("net.ipv4.tcp_retries1", "3"),
    ("net.ipv4.tcp_retries2", "15"),
    ("net.ipv4.tcp_orphan_retries", "0"),
    ("net.ipv4.tcp_mtu_probing", "0"),
    ("net.ipv4.tcp_autocorking", "1"),
    // How many segments leave in one piece follows the round-trip time, and the last one of each
    // piece is pushed (`tcp_tso_autosize()` in net/ipv4/tcp_output.c): all of them in one.
    ("net.ipv4.tcp_min_tso_segs", "64"),
    // What is due is put off in the hope of more, but not when the last write is a millisecond ago
    // (`tcp_tso_should_defer()`, same file): as if a 255th of the window were always enough.
    ("net.ipv4.tcp_tso_win_divisor", "255"),
    ("net.ipv4.tcp_no_metrics_save", "1"),
    // Above every port that the harness chooses.
    ("net.ipv4.ip_local_port_range", "32768\t60999"),
    ("net.ipv4.ip_unprivileged_port_start", "1024"),
    ("net.ipv4.ip_nonlocal_bind", "0"),
    ("net.ipv6.bindv6only", "0"),
    // Inherited from the host, not from the kernel's defaults (`devinet_init_net()` in
    // net/ipv4/devinet.c): a container host forwards, distributions look at sources' routes.
    ("net.ipv4.ip_forward", "0"),
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv4.conf.default.rp_filter", "0"),
    ("net.ipv4.conf.all.accept_local", "0"),
    ("net.ipv4.conf.default.accept_local", "0"),
    ("net.ipv4.conf.all.route_localnet", "0"),
    ("net.ipv4.conf.default.route_localnet", "0"),
    // Inherited only where net.core.devconf_inherit_init_net says so (`addrconf_init_net()` in
    // net/ipv6/addrconf.c).
    ("net.ipv6.conf.all.forwarding", "0"),
];

/// Which settings a fresh namespace of this machine needs written, and what is then true of it.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    /// Those that differ from what is pinned; few, so that a run writes little.
    write: Vec<Pin>,
    /// Those that this kernel has, with their pinned values.
    pub pinned: BTreeMap<String, String>,
}

/// A setting to write.
#[derive(Clone, Debug)]
struct Pin {
    name: &'static str,
    /// Where it is below `/proc`.
    path: CString,
    value: &'static str,
}

impl Pins {
    /// Looks at the fresh namespace that the calling thread is in.
    pub fn find() -> Pins {
        let mut pins = Pins::default();
        for (name, value) in PINNED {
            let Ok(found) = fs::read_to_string(path(name)) else {
                continue;
            };
            if found.trim() != *value {
                let Ok(path) = below_proc(name) else { continue };
                if write_at(&path, value).is_err() {
                    continue;
                }
                pins.write.push(Pin { name, path, value });
            }
            pins.pinned.insert((*name).to_owned(), value.replace('\t', " "));
        }
        pins
    }

    /// Writes them in the fresh namespace that the calling thread is in.
    ///
    /// # Errors
    /// The setting, and the system's error.
    pub fn apply(&self, view: &View) -> Result<(), (&'static str, io::Error)> {
        let write = |pin: &Pin| view.write_at(&pin.path, pin.value);
        self.write.iter().try_for_each(|pin| write(pin).map_err(|error| (pin.name, error)))
    }
}

/// A view of `/proc/sys` for one run, a mount that nobody else sees.
///
/// The kernel caches all namespaces' files of one mount under the same names. Finding one of them
/// among those of a hundred namespaces that have not gone yet takes ten times as long as in a cache
/// of one's own (`proc_sys_compare()` in fs/proc/proc_sysctl.c), and runs write several.
///
/// Closing such a mount sleeps until all CPUs have passed a point of rest, so it is closed with the
/// run's own table of descriptors.
pub struct View {
    /// The mount's root; none: the one that everybody sees.
    proc: Option<ManuallyDrop<OwnedFd>>,
}

impl View {
    /// A view of one's own where somebody can mount it.
    pub fn open(mounts: Option<&Mounts>) -> View {
        let mounted = mounts.and_then(|mounts| mounts.mount().ok());
        View { proc: mounted.map(ManuallyDrop::new) }
    }

    /// Writes one setting of the namespace that the calling thread is in,
    /// `net.ipv4.tcp_syn_retries`.
    ///
    /// # Errors
    /// The system's error; only names of the network stack are accepted, because any other would be
    /// the whole machine's.
    pub fn write(&self, name: &str, value: &str) -> io::Result<()> {
        self.write_at(&below_proc(name)?, value)
    }

    fn write_at(&self, path: &CStr, value: &str) -> io::Result<()> {
        let Some(proc) = &self.proc else { return write_at(path, value) };
        let flags = libc::O_WRONLY | libc::O_CLOEXEC;
        // SAFETY: the path is a string that outlives the call.
        let file = unsafe { owned(libc::openat(proc.as_raw_fd(), path.as_ptr(), flags).into()) };
        File::from(file?).write_all(value.as_bytes())
    }
}

fn write_at(path: &CStr, value: &str) -> io::Result<()> {
    fs::write(Path::new("/proc").join(OsStr::from_bytes(path.to_bytes())), value)
}

/// The path of a setting that belongs to a namespace, seen from `/proc`.
fn below_proc(name: &str) -> io::Result<CString> {
    let of_namespace = name.starts_with("net.") && !name.contains(['/', '\0']);
    if !of_namespace || name.contains("..") {
        return Err(io::Error::other("not a setting of a network namespace (net.…)"));
    }
    Ok(CString::new(format!("sys/{}", name.replace('.', "/")))?)
}

/// Whether this kernel has a setting.
pub fn exists(name: &str) -> bool {
    fs::exists(path(name)).unwrap_or(false)
}

fn path(name: &str) -> String {
    format!("/proc/sys/{}", name.replace('.', "/"))
}

#[cfg(test)]
mod tests {
    use super::{PINNED, View, path};

    #[test]
    fn a_setting_of_the_machine_is_refused() {
        let view = View::open(None);
        assert!(view.write("kernel.hostname", "x").is_err());
        assert!(view.write("net...kernel.hostname", "x").is_err());
    }

    #[test]
    fn names_are_unique_and_of_a_namespace() {
        let mut names: Vec<&str> = PINNED.iter().map(|(name, _)| *name).collect();
        assert!(names.iter().all(|name| path(name).starts_with("/proc/sys/net/")));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PINNED.len());
    }
}
