//! What the grounds of this machine can do, found out once by trying.

use super::capture::{Capture, Place};
use super::device::{self, Device};
use super::metrics::Metrics;
use super::mounts::Mounts;
use super::network::{self, Loopback};
use super::sentinel::{self, Sentinel};
use super::settings::{Pins, View};
use super::{Prepared, modules, namespace, promptly};
use crate::model::Family;
use crate::model::capability::Lack;
use crate::sys::shared::{has_ipv6, quiet};
use crate::sys::{LocalOptions, WireDevice};
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;
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
    /// Who mounts `/proc` for a run, so that it writes settings fast.
    pub mounts: Option<Arc<Mounts>>,
    /// The device of the wire; or why there is none.
    pub wire: Result<device::Kind, Lack>,
}

impl Features {
    /// Tries everything in a new namespace.
    ///
    /// # Errors
    /// What is missing for runs in namespaces.
    pub fn find(
        prepared: &Prepared,
        gvisor: bool,
        options: &LocalOptions,
    ) -> Result<Features, Lack> {
        prepared.way.clone()?;
        let found = namespace::in_fresh(|| Features::look(gvisor, options))?;
        Ok(Features { mounts: prepared.mounts.clone(), ..found })
    }

    fn look(gvisor: bool, options: &LocalOptions) -> Result<Features, Lack> {
        let lack = |what: &'static str| move |error| Lack::new(format!("{what}: {error}"));
        // The interface comes up first, because only then there is ::1.
        bring_up(Loopback::Up, false)?;
        let ipv6 = has_ipv6();
        let loopback = bring_up(Loopback::Quickack(Metrics::default()), ipv6)?;
        let pins = if options.host_settings { Pins::default() } else { Pins::find() };
        Capture::open(Place::Namespace, ipv6).map_err(lack("raw sockets"))?;
        let crosses =
            Sentinel::raw().is_ok_and(|mut sentinel| sentinel.cross(sentinel::PATIENCE).is_ok());
        let by_sentinel = crosses
            && loopback.metrics().is_some()
            && promptly::acknowledges(Ipv4Addr::LOCALHOST.into())
            && (!ipv6 || promptly::acknowledges(Ipv6Addr::LOCALHOST.into()));
        Ok(Features {
            namespace: Ok(()),
            captures: true,
            ipv6,
            loopback,
            quiet: (!by_sentinel).then(|| quiet_of(gvisor)),
            pins,
            mounts: None,
            wire: find_wire(options.wire, loopback.metrics()),
        })
    }

    /// Tries something in a new namespace whose `lo` is up.
    ///
    /// # Errors
    /// What is lacking.
    pub fn try_with_loopback(
        &self,
        attempt: impl FnOnce() -> Result<(), Lack> + Send,
    ) -> Result<(), Lack> {
        namespace::in_fresh(|| {
            network::bring_up(self.loopback, self.ipv6)
                .map_err(|refused| Lack::new(format!("the loopback interface: {refused}")))?;
            attempt()
        })
    }

    /// What can be done on the machine's own loopback, which has to do because of this lack.
    pub fn shared(gvisor: bool, lack: Lack) -> Features {
        let ipv6 = has_ipv6();
        let captures = Capture::open(Place::Namespace, ipv6).is_ok();
        Features {
            wire: Err(lack.clone()),
            namespace: Err(lack),
            captures,
            ipv6,
            loopback: Loopback::AsIs,
            quiet: captures.then(|| quiet_of(gvisor)),
            pins: Pins::default(),
            mounts: None,
        }
    }
}

/// The most that the kernel takes of what is wanted. gVisor refuses to bring an interface up that
/// is up from the start, and knows no route attributes.
fn bring_up(wanted: Loopback, ipv6: bool) -> Result<Loopback, Lack> {
    let less = [wanted, Loopback::Up, Loopback::AsIs];
    let mut taken = less.into_iter().filter(|less| network::bring_up(*less, ipv6).is_ok());
    let taken = taken.next().unwrap_or(Loopback::AsIs);
    let crosses =
        Sentinel::datagram().is_ok_and(|mut sentinel| sentinel.cross(sentinel::PATIENCE).is_ok());
    if crosses { Ok(taken) } else { Err(Lack::new("the loopback interface stays down")) }
}

/// The first device that can be had, of those that are wanted.
fn find_wire(wanted: WireDevice, metrics: Option<Metrics>) -> Result<device::Kind, Lack> {
    let kinds = match wanted {
        WireDevice::Auto => &[device::Kind::Tun, device::Kind::Veth][..],
        WireDevice::Tun => &[device::Kind::Tun],
        WireDevice::Veth => &[device::Kind::Veth],
    };
    let mut lacks = Vec::new();
    for kind in kinds {
        match try_wire(*kind, metrics) {
            Ok(()) => return Ok(*kind),
            Err(lack) => lacks.push(lack),
        }
    }
    let reasons: Vec<&str> = lacks.iter().map(|lack| lack.reason.as_str()).collect();
    let mut lack = Lack::new(format!("no wire: {}", reasons.join("; ")));
    lack.remedy = lacks.into_iter().find_map(|lack| lack.remedy);
    Err(lack)
}

/// Whether the namespace of the calling thread, which has no wire yet, can have this device.
///
/// # Errors
/// Why not, and what helps.
pub fn try_wire(kind: device::Kind, metrics: Option<Metrics>) -> Result<(), Lack> {
    let refused = match Device::open(kind, Family::V4, metrics, &View::open(None)) {
        Ok(_) => return Ok(()),
        Err(refused) => Lack::new(refused),
    };
    let opened = OpenOptions::new().read(true).write(true).open("/dev/net/tun");
    let remedy = match (kind, opened.map_err(|error| error.kind())) {
        (device::Kind::Veth, _) => return Err(modules::lack(refused.reason, "veth")),
        // In a container the device is often there, and only its file is not.
        (device::Kind::Tun, Err(ErrorKind::NotFound))
            if Path::new("/sys/class/misc/tun").exists() =>
        {
            "sudo install -d /dev/net && sudo mknod -m 666 /dev/net/tun c 10 200"
        }
        (device::Kind::Tun, Err(ErrorKind::NotFound)) => {
            return Err(modules::lack(refused.reason, "tun"));
        }
        (device::Kind::Tun, Err(ErrorKind::PermissionDenied)) => "sudo chmod 666 /dev/net/tun",
        (device::Kind::Tun, _) => return Err(refused),
    };
    Err(refused.remedy(remedy))
}

fn quiet_of(gvisor: bool) -> Duration {
    if gvisor { quiet::GVISOR } else { quiet::LINUX }
}
