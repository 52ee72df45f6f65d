//! FreeBSD: what distinguishes it from macOS besides its dialect. Compiles; not yet run.

pub mod thread;

use super::shared::{bpf, quiet};
use super::unix::bsd::System;

/// FreeBSD among the BSDs.
pub const SYSTEM: System = System {
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
