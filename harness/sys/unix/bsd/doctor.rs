//! What this machine can do, for `sockdiff doctor`.

use super::{Features, Prepared, sysctl};
use crate::model::capability::Lack;
use crate::sys::Finding;
use crate::sys::unix::dialect::{self, SYSTEM};
use crate::sys::unix::machine::Uname;

/// Looks at everything that the results depend on.
pub fn doctor(_: &Prepared) -> Vec<Finding> {
    let uname = Uname::ask();
    let features = Features::find();
    let (platform, release) = dialect::platform(&uname);
    let ipv6 = Lack::new("no ::1").remedy("sudo ifconfig lo0 inet6 ::1 prefixlen 128 alias");
    let quiet_ms = SYSTEM.quiet.as_millis();
    vec![
        Finding::good(
            "kernel",
            format!("{platform} {release} {} ({})", uname.arch, uname.version.trim()),
        ),
        Finding::tried("capture", "bpf on lo0", &features.capture),
        Finding::bad("settling", format!("{quiet_ms} ms of quiet a step, one run at a time")),
        Finding::bad("settings", "none is pinned: answers depend on this machine's"),
        blackhole("net.inet.tcp.blackhole"),
        blackhole("net.inet.udp.blackhole"),
        Finding::tried("ipv6", "::1 answers", &if features.ipv6 { Ok(()) } else { Err(ipv6) }),
        Finding::tried(SYSTEM.wire, "makes a wire", &features.wire),
    ]
}

/// Set, it swallows the answers of closed ports: RST, and ICMP port unreachable.
fn blackhole(name: &str) -> Finding {
    match sysctl::number(name) {
        None | Some(0) => Finding::good(name, "0: closed ports answer"),
        Some(set) => {
            let remedy = format!("sudo sysctl {name}=0");
            Finding::bad(name, format!("{set}: closed ports do not answer")).remedy(remedy)
        }
    }
}
