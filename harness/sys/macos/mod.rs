//! macOS: what distinguishes it from FreeBSD besides its dialect. Compiles; not yet run.

pub mod sigpipe;
pub mod thread;

use super::shared::{bpf, quiet};
use super::unix::bsd::System;

/// macOS among the BSDs.
pub const SYSTEM: System = System {
    quiet: quiet::MACOS,
    layout: bpf::Layout::MACOS,
    bpf_remedy: "run it as root, or let Wireshark's ChmodBPF open the devices to a group: sudo \
                 dseditgroup -o edit -a \"$USER\" -t user access_bpf",
    wire: "utun",
    // XNU has one packet ready for the reader of a utun, whatever room there is (if_utun.c:
    // `utun_max_pending_packets`, `utun_start()`), and keeps the others in the interface's queue,
    // which is IFQ_MAXLEN long (dlil.c: `if_sndq_maxlen`).
    wire_keeps: 129,
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
    words: &["kern.osproductversion", "kern.osversion"],
};
