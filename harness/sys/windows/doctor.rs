//! What this machine can do, for `sockdiff doctor`.

use super::machine::{self, System};
use super::{Features, Prepared};
use crate::model::capability::Lack;
use crate::sys::Finding;
use crate::sys::shared::ports;
use std::net::{Ipv4Addr, UdpSocket};
use windows_sys::Win32::UI::Shell::IsUserAnAdmin;
use windows_sys::core::w;

/// Looks at everything that the results depend on.
pub fn doctor(_: &Prepared) -> Vec<Finding> {
    let system = System::ask();
    let features = Features::find(&system);
    let kernel = format!("{} {} {}", system.platform, system.kernel, std::env::consts::ARCH);
    vec![
        good("kernel", kernel),
        administrator(),
        tried("capture", "SIO_RCVALL sees loopback", &features.sights.clone().map(drop)),
        bad("settling", format!("{} ms of quiet a step", features.quiet.as_millis()), None),
        tried("ipv6", "::1 answers", &features.ipv6),
        tried("af-unix", "stream sockets", &features.af_unix),
        tried("wire", "wintun makes one", &features.wire),
        dynamic_ports(),
        firewall(),
    ]
}

fn good(what: &str, found: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), found: found.into(), good: true, remedy: None }
}

fn bad(what: &str, found: impl Into<String>, remedy: Option<&str>) -> Finding {
    let remedy = remedy.map(str::to_owned);
    Finding { what: what.to_owned(), found: found.into(), good: false, remedy }
}

fn tried(what: &str, found: &str, tried: &Result<(), Lack>) -> Finding {
    match tried {
        Ok(()) => good(what, found),
        Err(lack) => bad(what, lack.reason.clone(), lack.remedy.as_deref()),
    }
}

fn administrator() -> Finding {
    // SAFETY: there is no pointer.
    if unsafe { IsUserAnAdmin() } != 0 {
        return good("administrator", "yes");
    }
    let remedy = Some("run it from a prompt opened as administrator");
    bad("administrator", "no: packets are not seen", remedy)
}

/// The harness's own ports lie below those that the system gives out, unless somebody has moved
/// them.
fn dynamic_ports() -> Finding {
    let what = "dynamic ports";
    let given = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
    match given {
        Ok(address) if ports::PORTS.contains(&address.port()) => {
            let remedy = Some("netsh int ipv4 set dynamicport tcp start=49152 num=16384");
            bad(what, format!("they include {}, one of the harness's", address.port()), remedy)
        }
        Ok(_) => good(what, "apart from those of the harness"),
        Err(error) => bad(what, format!("none is given out: {error}"), None),
    }
}

/// Loopback is exempt; what comes over a wire is dropped in silence where a port is closed.
fn firewall() -> Finding {
    let key = w!("SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\\
         PublicProfile");
    let what = "firewall";
    match machine::dword(key, w!("EnableFirewall")) {
        Some(0) => good(what, "off for public networks: closed ports answer on a wire"),
        Some(_) => {
            let found = "on for public networks: stealth mode, closed ports are silent on a wire";
            good(what, found)
        }
        None => bad(what, "the registry does not tell", None),
    }
}
