//! What this machine can do, for `sockdiff doctor`.

use super::device::Kind;
use super::namespace::Way;
use super::network::Loopback;
use super::{Features, Prepared, features, firewall, host, platform};
use crate::model::capability::Lack;
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
        good("kernel", if gvisor { format!("{kernel} (gVisor)") } else { kernel }),
        namespaces(prepared, &features),
        capture(&features),
        settling(&features),
        settings(&features),
        ipv6(&features),
        either("stamps", prepared.stamps, "the kernel stamps packets", "packets have no stamps"),
        sock_diag(gvisor),
        device(&features, Kind::Tun),
        device(&features, Kind::Veth),
        firewall(&features),
        destroy(&features),
    ]
}

fn good(what: &str, found: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), found: found.into(), good: true, remedy: None }
}

fn bad(what: &str, found: impl Into<String>, remedy: Option<&str>) -> Finding {
    let remedy = remedy.map(str::to_owned);
    Finding { what: what.to_owned(), found: found.into(), good: false, remedy }
}

fn either(what: &str, is: bool, yes: &str, no: &str) -> Finding {
    if is { good(what, yes) } else { bad(what, no, None) }
}

fn namespaces(prepared: &Prepared, features: &Features) -> Finding {
    let what = "network namespaces";
    match (&features.namespace, &prepared.way) {
        (Ok(()), Ok(Way::InUserNamespace)) => {
            good(what, "each run gets its own, in a user namespace")
        }
        (Ok(()), _) => good(what, "each run gets its own"),
        (Err(lack), _) => bad(what, lack.reason.clone(), lack.remedy.as_deref()),
    }
}

fn capture(features: &Features) -> Finding {
    if features.captures {
        return good("capture", "raw sockets");
    }
    let program = std::env::current_exe().unwrap_or_else(|_| "sockdiff".into());
    let remedy = format!("sudo {}", program.display());
    bad("capture", "calls only: without namespaces raw sockets are for root", Some(&remedy))
}

fn settling(features: &Features) -> Finding {
    let what = "settling";
    match (features.quiet, features.captures) {
        (Some(quiet), _) => bad(what, format!("{} ms of quiet a step", quiet.as_millis()), None),
        (None, true) => good(what, "a sentinel crosses the loopback interface"),
        (None, false) => bad(what, "datagrams to oneself, without seeing packets", None),
    }
}

fn settings(features: &Features) -> Finding {
    match features.pins.pinned.len() {
        0 => bad("settings", "none is pinned: answers depend on this machine's", None),
        count => good("settings", format!("{count} pinned in each run's namespace")),
    }
}

/// Distributions switch IPv6 off by this setting; a kernel without any needs another start.
fn ipv6(features: &Features) -> Finding {
    if features.ipv6 {
        return good("ipv6", "::1 answers");
    }
    let off = fs::read_to_string("/proc/sys/net/ipv6/conf/lo/disable_ipv6");
    match off.as_deref().map(str::trim) {
        Ok("1") => {
            let remedy = "sudo sysctl -w net.ipv6.conf.lo.disable_ipv6=0";
            bad("ipv6", "switched off on lo: no ::1", Some(remedy))
        }
        _ => bad("ipv6", "no ::1", None),
    }
}

/// A module on many kernels; gVisor has none to load.
fn sock_diag(gvisor: bool) -> Finding {
    let (what, lack) = ("sock_diag", "absent: the end of a run is not confirmed");
    match super::sockdiag::SockDiag::open() {
        Some(_) => good(what, "confirms the end of a run"),
        None => bad(what, lack, (!gvisor).then_some("sudo modprobe tcp_diag")),
    }
}

fn device(features: &Features, kind: Kind) -> Finding {
    let quickack = features.loopback == Loopback::Quickack;
    let tried = features.try_with_loopback(|| features::try_wire(kind, quickack));
    tried_out(kind.word(), "makes a wire", &tried)
}

fn tried_out(what: &str, found: &str, tried: &Result<(), Lack>) -> Finding {
    match tried {
        Ok(()) => good(what, found),
        Err(lack) => bad(what, lack.reason.clone(), lack.remedy.as_deref()),
    }
}

fn firewall(features: &Features) -> Finding {
    let tried = features.try_with_loopback(firewall::try_out);
    tried_out("firewall", "nft works in each run's namespace", &tried)
}

fn destroy(features: &Features) -> Finding {
    let tried = features.try_with_loopback(host::try_to_destroy);
    tried_out("destroy", "connections can be aborted from outside", &tried)
}
