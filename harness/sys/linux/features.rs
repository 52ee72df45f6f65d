//! What the grounds of this machine can do, found out once by trying.

use super::capture::Capture;
use super::network::{self, Loopback};
use super::sentinel::Sentinel;
use super::settings::Pins;
use super::{Prepared, namespace, settle};
use crate::model::capability::Lack;
use std::net::{Ipv6Addr, UdpSocket};
use std::thread;
use std::time::Duration;

/// What was found.
#[derive(Clone, Debug)]
pub struct Features {
    /// Each run has a namespace of its own; or why not.
    pub namespace: Result<(), Lack>,
    /// Packets are seen.
    pub captures: bool,
    /// There is `::1`.
    pub ipv6: bool,
    /// How the loopback interface of a new namespace is set up.
    pub loopback: Loopback,
    /// Steps settle by that much quiet; none: by sentinels.
    pub quiet: Option<Duration>,
    /// What is pinned in a new namespace.
    pub pins: Pins,
}

impl Features {
    /// Tries everything in a new namespace, in a thread that ends with it.
    ///
    /// # Errors
    /// What is missing for runs in namespaces.
    pub fn find(prepared: &Prepared, gvisor: bool, host_settings: bool) -> Result<Features, Lack> {
        prepared.way.clone()?;
        let look = move || Features::look(gvisor, host_settings);
        let looking = thread::Builder::new()
            .name("features".to_owned())
            .spawn(look);
        let looking = looking.map_err(|error| Lack::new(format!("a thread: {error}")))?;
        let found = looking.join();
        found.unwrap_or_else(|_| Err(Lack::new("looking at a namespace panicked")))
    }

    fn look(gvisor: bool, host_settings: bool) -> Result<Features, Lack> {
        let lack = |what: &'static str| move |error| Lack::new(format!("{what}: {error}"));
        namespace::unshare_network().map_err(lack("a network namespace"))?;
        // The interface comes up first, because only then there is ::1.
        bring_up(Loopback::Up, false)?;
        let ipv6 = has_ipv6();
        let loopback = bring_up(Loopback::Quickack, ipv6)?;
        let pins = if host_settings {
            Pins::default()
        } else {
            Pins::find()
        };
        Capture::open(ipv6).map_err(lack("raw sockets"))?;
        let crosses = Sentinel::raw().is_ok_and(|mut sentinel| sentinel.cross().is_ok());
        let by_sentinel = crosses && loopback == Loopback::Quickack;
        Ok(Features {
            namespace: Ok(()),
            captures: true,
            ipv6,
            loopback,
            quiet: (!by_sentinel).then(|| quiet(gvisor)),
            pins,
        })
    }

    /// What can be done on the machine's own loopback, which has to do because of this lack.
    pub fn shared(gvisor: bool, lack: Lack) -> Features {
        let ipv6 = has_ipv6();
        let captures = Capture::open(ipv6).is_ok();
        Features {
            namespace: Err(lack),
            captures,
            ipv6,
            loopback: Loopback::AsIs,
            quiet: captures.then(|| quiet(gvisor)),
            pins: Pins::default(),
        }
    }
}

/// The most that the kernel takes of what is wanted. gVisor refuses to bring an interface up that
/// is up from the start, and knows no route attributes.
fn bring_up(wanted: Loopback, ipv6: bool) -> Result<Loopback, Lack> {
    let less = [wanted, Loopback::Up, Loopback::AsIs];
    let mut taken = less
        .into_iter()
        .filter(|less| network::bring_up(*less, ipv6).is_ok());
    let taken = taken.next().unwrap_or(Loopback::AsIs);
    let crosses = Sentinel::datagram().is_ok_and(|mut sentinel| sentinel.cross().is_ok());
    if crosses {
        Ok(taken)
    } else {
        Err(Lack::new("the loopback interface stays down"))
    }
}

fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

fn quiet(gvisor: bool) -> Duration {
    if gvisor {
        settle::QUIET_GVISOR
    } else {
        settle::QUIET
    }
}
