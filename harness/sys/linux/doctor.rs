//! What this machine can do, for `sockdiff doctor`.

use super::namespace::Way;
use super::{Features, Prepared, platform};
use crate::sys::Finding;
use crate::sys::unix::machine::Uname;

/// Looks at everything that the results depend on.
pub fn doctor(prepared: &Prepared) -> Vec<Finding> {
    let uname = Uname::ask();
    let gvisor = platform::is_gvisor(&uname);
    let found = Features::find(prepared, gvisor, false);
    let features = found.unwrap_or_else(|lack| Features::shared(gvisor, lack));
    let kernel = format!("{} {}", uname.release, uname.arch);
    vec![
        good(
            "kernel",
            if gvisor {
                format!("{kernel} (gVisor)")
            } else {
                kernel
            },
        ),
        namespaces(prepared, &features),
        capture(&features),
        settling(&features),
        settings(&features),
        either("ipv6", features.ipv6, "::1 answers", "no ::1"),
        either(
            "stamps",
            prepared.stamps,
            "the kernel stamps packets",
            "packets have no stamps",
        ),
        sock_diag(),
        tun(),
        firewall(),
    ]
}

fn good(what: &str, found: impl Into<String>) -> Finding {
    Finding {
        what: what.to_owned(),
        found: found.into(),
        good: true,
        remedy: None,
    }
}

fn bad(what: &str, found: impl Into<String>, remedy: Option<&str>) -> Finding {
    let remedy = remedy.map(str::to_owned);
    Finding {
        what: what.to_owned(),
        found: found.into(),
        good: false,
        remedy,
    }
}

fn either(what: &str, is: bool, yes: &str, no: &str) -> Finding {
    if is {
        good(what, yes)
    } else {
        bad(what, no, None)
    }
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
        false => bad(
            "capture",
            "calls only: raw sockets are for root",
            Some("run it as root"),
        ),
    }
}

fn settling(features: &Features) -> Finding {
    let what = "settling";
    match (features.quiet, features.captures) {
        (Some(quiet), _) => bad(
            what,
            format!("{} ms of quiet a step", quiet.as_millis()),
            None,
        ),
        (None, true) => good(what, "a sentinel crosses the loopback interface"),
        (None, false) => bad(what, "datagrams to oneself, without seeing packets", None),
    }
}

fn settings(features: &Features) -> Finding {
    match features.pins.pinned.len() {
        0 => bad(
            "settings",
            "none is pinned: answers depend on this machine's",
            None,
        ),
        count => good(
            "settings",
            format!("{count} pinned in each run's namespace"),
        ),
    }
}

fn sock_diag() -> Finding {
    let there = super::sockdiag::SockDiag::open().is_some();
    either(
        "sock_diag",
        there,
        "confirms the end of a run",
        "absent: the end is not confirmed",
    )
}

fn tun() -> Finding {
    let open = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/net/tun");
    match open {
        Ok(_) => good("tun", "/dev/net/tun opens"),
        Err(error) => {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            let remedy = missing.then_some("sudo modprobe tun");
            bad("tun", format!("/dev/net/tun: {error}"), remedy)
        }
    }
}

fn firewall() -> Finding {
    match which::which("nft") {
        Ok(path) => good("firewall", path.display().to_string()),
        Err(_) => bad("firewall", "no nft", Some("apt install nftables")),
    }
}
