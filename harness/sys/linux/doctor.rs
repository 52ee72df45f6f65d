//! What this machine can do, for `sockdiff doctor`.

use super::device::Kind;
use super::namespace::Way;
use super::sockdiag::SockDiag;
use super::{Features, Prepared, features, firewall, host, modules, platform, threads};
use crate::sys::unix::machine::Uname;
use crate::sys::{Finding, LocalOptions};
use std::fs;

/// Looks at everything that the results depend on.
pub fn doctor(prepared: &Prepared) -> Vec<Finding> {
    let uname = Uname::ask();
    let gvisor = platform::is_gvisor(&uname);
    let found = Features::find(prepared, gvisor, &LocalOptions::default());
    let features = found.unwrap_or_else(|lack| Features::shared(gvisor, lack));
    let kernel = format!("{} {}", uname.release, uname.arch);
    vec![
        Finding::good("kernel", if gvisor { format!("{kernel} (gVisor)") } else { kernel }),
        namespaces(prepared, &features),
        capture(&features),
        settling(&features),
        settings(&features),
        ipv6(&features),
        either("stamps", prepared.stamps, "the kernel stamps packets", "packets have no stamps"),
        sock_diag(),
        device(&features, Kind::Tun),
        device(&features, Kind::Veth),
        firewall(&features),
        destroy(&features),
        Finding::tried("other users", "a case's process can become nobody", &threads::other_user()),
    ]
}

fn either(what: &str, is: bool, yes: &str, no: &str) -> Finding {
    if is { Finding::good(what, yes) } else { Finding::bad(what, no) }
}

fn namespaces(prepared: &Prepared, features: &Features) -> Finding {
    let what = "network namespaces";
    let found = match prepared.way {
        Ok(Way::InUserNamespace) => "each run gets its own, in a user namespace",
        _ => "each run gets its own",
    };
    Finding::tried(what, found, &features.namespace)
}

fn capture(features: &Features) -> Finding {
    if features.captures {
        return Finding::good("capture", "raw sockets");
    }
    let program = std::env::current_exe().unwrap_or_else(|_| "sockdiff".into());
    let remedy = format!("sudo {}", program.display());
    Finding::bad("capture", "calls only: without namespaces raw sockets are for root")
        .remedy(remedy)
}

fn settling(features: &Features) -> Finding {
    let what = "settling";
    match (features.quiet, features.captures) {
        (Some(quiet), _) => Finding::bad(what, format!("{} ms of quiet a step", quiet.as_millis())),
        (None, true) => Finding::good(what, "a sentinel crosses the loopback interface"),
        (None, false) => Finding::bad(what, "datagrams to oneself, without seeing packets"),
    }
}

fn settings(features: &Features) -> Finding {
    match features.pins.pinned.len() {
        0 => Finding::bad("settings", "none is pinned: answers depend on this machine's"),
        count => Finding::good("settings", format!("{count} pinned in each run's namespace")),
    }
}

/// Distributions switch IPv6 off by this setting; a kernel without any needs another start.
fn ipv6(features: &Features) -> Finding {
    if features.ipv6 {
        return Finding::good("ipv6", "::1 answers");
    }
    let off = fs::read_to_string("/proc/sys/net/ipv6/conf/lo/disable_ipv6");
    match off.as_deref().map(str::trim) {
        Ok("1") => {
            let remedy = "sudo sysctl -w net.ipv6.conf.lo.disable_ipv6=0";
            Finding::bad("ipv6", "switched off on lo: no ::1").remedy(remedy)
        }
        _ => Finding::bad("ipv6", "no ::1"),
    }
}

/// A module on many kernels.
fn sock_diag() -> Finding {
    let lack = || modules::lack("absent: the end of a run is not confirmed", "tcp_diag");
    let opened = SockDiag::open().map(drop).ok_or_else(lack);
    Finding::tried("sock_diag", "confirms the end of a run", &opened)
}

fn device(features: &Features, kind: Kind) -> Finding {
    let metrics = features.loopback.metrics();
    let tried = features.try_with_loopback(|| features::try_wire(kind, metrics));
    Finding::tried(kind.word(), "makes a wire", &tried)
}

fn firewall(features: &Features) -> Finding {
    let tried = features.try_with_loopback(firewall::try_out);
    Finding::tried("firewall", "nft works in each run's namespace", &tried)
}

fn destroy(features: &Features) -> Finding {
    let tried = features.try_with_loopback(host::try_to_destroy);
    Finding::tried("destroy", "connections can be aborted from outside", &tried)
}
