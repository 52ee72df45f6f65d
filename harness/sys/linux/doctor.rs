//! What this machine can do, for `sockdiff doctor`.

use super::device::Kind;
use super::namespace::Way;
use super::{Features, Prepared, features, firewall, host, platform};
use crate::model::capability::Lack;
use crate::sys::unix::machine::Uname;
use crate::sys::{Finding, LocalOptions};

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
        either("ipv6", features.ipv6, "::1 answers", "no ::1"),
        either("stamps", prepared.stamps, "the kernel stamps packets", "packets have no stamps"),
        sock_diag(),
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
    match features.captures {
        true => good("capture", "raw sockets"),
        false => bad("capture", "calls only: raw sockets are for root", Some("run it as root")),
    }
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

fn sock_diag() -> Finding {
    let there = super::sockdiag::SockDiag::open().is_some();
    either("sock_diag", there, "confirms the end of a run", "absent: the end is not confirmed")
}

fn device(features: &Features, kind: Kind) -> Finding {
    let metrics = features.loopback.metrics();
    let tried = features.try_with_loopback(|| features::try_wire(kind, metrics));
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
