//! FreeBSD. Compiles; not yet run.

pub mod thread;

pub use super::unix::bsd::{Prepared, cpus, prepare, set_env_before_threads};
pub use super::unix::ctrl_c::on_interrupt;

use super::shared::{bpf, quiet};
use super::unix::bsd::{self, System};
use super::{Finding, LocalOptions, Stack};
use crate::model::capability::Lack;

/// FreeBSD among the BSDs.
const SYSTEM: System = System {
    quiet: quiet::FREEBSD,
    layout: bpf::Layout::FREEBSD,
    bpf_remedy: "run it as root, or until the next boot: sudo chmod 666 /dev/bpf",
    wire: "tun",
    // `net.link.ifqmaxlen`
    wire_keeps: 50,
    numbers: &[
        "net.inet.tcp.delayed_ack",
        "net.inet.tcp.delacktime",
        "net.inet.tcp.blackhole",
        "net.inet.udp.blackhole",
        "net.inet.tcp.msl",
        "net.inet.tcp.finwait2_timeout",
        "net.inet.tcp.fast_finwait2_recycle",
        "net.inet.tcp.nolocaltimewait",
        "net.inet.tcp.drop_synfin",
        "net.inet.tcp.insecure_rst",
        "net.inet.tcp.insecure_syn",
        "net.inet.tcp.insecure_ack",
        "net.inet.tcp.icmp_may_rst",
        "net.inet.tcp.syncookies",
        "net.inet.tcp.syncookies_only",
        "net.inet.tcp.keepinit",
        "net.inet.tcp.always_keepalive",
        "net.inet.tcp.mssdflt",
        "net.inet.tcp.sendspace",
        "net.inet.tcp.recvspace",
        "net.inet.tcp.sack.enable",
        "net.inet.tcp.rfc1323",
        "net.inet.tcp.ecn.enable",
        "net.inet.icmp.icmplim",
        "kern.ipc.soacceptqueue",
        "kern.ipc.maxsockbuf",
    ],
    words: &["net.inet.tcp.cc.algorithm", "net.inet.tcp.functions_default"],
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
/// Something is asked for that FreeBSD lacks, or the platform given has no such form.
pub fn local(_: &Prepared, options: &LocalOptions) -> Result<Box<dyn Stack>, Lack> {
    bsd::local(&SYSTEM, options)
}

/// What this machine can do, for `sockdiff doctor`.
pub fn doctor(_: &Prepared) -> Vec<Finding> {
    bsd::doctor(&SYSTEM)
}
