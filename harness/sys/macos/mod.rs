//! macOS. Compiles; not yet run.

pub mod thread;

pub use super::unix::bsd::{Prepared, cpus, prepare, set_env_before_threads};
pub use super::unix::ctrl_c::on_interrupt;

use super::shared::{bpf, quiet};
use super::unix::bsd::{self, System};
use super::{Finding, LocalOptions, Stack};
use crate::model::capability::Lack;

/// macOS among the BSDs.
const SYSTEM: System = System {
    quiet: quiet::MACOS,
    layout: bpf::Layout::MACOS,
    bpf_remedy: "run it as root, or let Wireshark's ChmodBPF open the devices to a group: sudo \
                 dseditgroup -o edit -a \"$USER\" -t user access_bpf",
    wire: "utun",
    // XNU keeps 512 KiB for the reader of a utun, and a packet takes 1504 bytes at most.
    wire_keeps: 340,
    numbers: &[
        "net.inet.tcp.delayed_ack",
        "net.inet.tcp.blackhole",
        "net.inet.udp.blackhole",
        "net.inet.tcp.msl",
        "net.inet.tcp.drop_synfin",
        "net.inet.tcp.icmp_may_rst",
        "net.inet.tcp.keepinit",
        "net.inet.tcp.always_keepalive",
        "net.inet.tcp.mssdflt",
        "net.inet.tcp.sendspace",
        "net.inet.tcp.recvspace",
        "net.inet.tcp.sack",
        "net.inet.tcp.rfc1323",
        "net.inet.tcp.ecn_initiate_out",
        "net.inet.tcp.ecn_negotiate_in",
        "net.inet.icmp.icmplim",
        "kern.ipc.somaxconn",
        "kern.ipc.maxsockbuf",
    ],
    words: &["kern.osversion"],
};

// What is read from bpf has the layout that this system's headers declare.
const _: () = {
    let declared = std::mem::offset_of!(libc::bpf_hdr, bh_hdrlen);
    assert!(SYSTEM.layout.header_len_at() == declared);
    assert!(SYSTEM.layout.inet6 == libc::AF_INET6 as u32);
};

/// This machine's own stack.
///
/// # Errors
/// Something is asked for that macOS lacks, or the platform given has no such form.
pub fn local(_: &Prepared, options: &LocalOptions) -> Result<Box<dyn Stack>, Lack> {
    bsd::local(&SYSTEM, options)
}

/// What this machine can do, for `sockdiff doctor`.
pub fn doctor(_: &Prepared) -> Vec<Finding> {
    bsd::doctor(&SYSTEM)
}
