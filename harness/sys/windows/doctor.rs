//! What this machine can do, for `sockdiff doctor`.

use super::machine::{self, System};
use super::{Features, Prepared};
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
        Finding::good("kernel", kernel),
        administrator(),
        Finding::tried("capture", "SIO_RCVALL sees loopback", &features.sights.clone().map(drop)),
        Finding::bad("settling", format!("{} ms of quiet a step", features.quiet.as_millis())),
        Finding::tried("ipv6", "::1 answers", &features.ipv6),
        Finding::tried("af-unix", "stream sockets", &features.af_unix),
        Finding::tried("wire", "wintun makes one", &features.wire),
        dynamic_ports(),
        firewall(),
    ]
}

fn administrator() -> Finding {
    // SAFETY: there is no pointer.
    if unsafe { IsUserAnAdmin() } != 0 {
        return Finding::good("administrator", "yes");
    }
    let remedy = "run it from a prompt opened as administrator";
    Finding::bad("administrator", "no: packets are not seen").remedy(remedy)
}

/// The harness's own ports lie below those that the system gives out, unless somebody has moved
/// them.
fn dynamic_ports() -> Finding {
    let what = "dynamic ports";
    let given = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
    match given {
        Ok(address) if ports::PORTS.contains(&address.port()) => {
            let remedy = "netsh int ipv4 set dynamicport tcp start=49152 num=16384";
            Finding::bad(what, format!("they include {}, one of the harness's", address.port()))
                .remedy(remedy)
        }
        Ok(_) => Finding::good(what, "apart from those of the harness"),
        Err(error) => Finding::bad(what, format!("none is given out: {error}")),
    }
}

/// Loopback is exempt; what comes over a wire is dropped in silence where a port is closed.
fn firewall() -> Finding {
    let key = w!("SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\\
         PublicProfile");
    let what = "firewall";
    match machine::dword(key, w!("EnableFirewall")) {
        Some(0) => Finding::good(what, "off for public networks: closed ports answer on a wire"),
        Some(_) => {
            let found = "on for public networks: stealth mode, closed ports are silent on a wire";
            Finding::good(what, found)
        }
        None => Finding::bad(what, "the registry does not tell"),
    }
}
