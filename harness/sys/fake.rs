//! A scripted stack, so that the floors above are tested without a network.
//!
//! The script is a function from a [`Request`] to what should come of it; it may put packets on
//! the wire and wake calls that it let block before. With [`Fake::on_wire`] a second function says
//! what comes of a packet that a scripted peer puts on the wire. Descriptors are numbered from 3,
//! and a socket has the address that it was bound to.

use super::clock::now;
use super::{
    Acted, Caller, Fd, Ground, HostAct, Machine, Plan, ProcessAct, Reply, Request, Stack, Trouble,
    Watch,
};
use crate::model::address::Address;
use crate::model::capability::{Capability, Lack};
use crate::model::errno::Errno;
use crate::model::name::Name;
use crate::model::outcome::{Answer, Outcome};
use crate::wire::{Captured, CapturedBytes};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What comes of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scripted {
    /// It returns this at once.
    Returns(Answer),
    /// It fails at once with this error.
    Fails(&'static str),
    /// It stays inside until [`World::wake`].
    Blocks,
    /// What a plain system does: descriptors are handed out, everything else returns 0.
    Plain,
}

/// The state of a scripted stack, for the script to change.
#[derive(Default)]
pub struct World {
    /// Packets on their way to the next [`Ground::settle`].
    pub packets: Vec<Captured>,
    /// The next time the run waits it is put aside for so long. Meanwhile blocked calls return; if
    /// there are none, a packet is stamped at the end.
    pub puts_aside: Duration,
    /// Threads that are inside a call never sleep there.
    pub never_sleeps: bool,
    /// What was done to the machine.
    pub acts: Vec<HostAct>,
    descriptors: Fd,
    addresses: BTreeMap<Fd, Address>,
    blocked: Vec<(u64, Fd)>,
    woken: BTreeMap<u64, Outcome>,
    calls: u64,
}

impl World {
    /// Lets the call that has blocked longest on this descriptor return.
    pub fn wake(&mut self, fd: Fd, answer: Answer) {
        if let Some(index) = self.blocked.iter().position(|(_, blocked)| *blocked == fd) {
            let (call, _) = self.blocked.remove(index);
            self.woken.insert(call, Outcome::ok(answer));
        }
    }

    /// The next unused descriptor.
    pub fn descriptor(&mut self) -> Fd {
        self.descriptors += 1;
        self.descriptors + 2
    }
}

type Arrives = dyn FnMut(&[u8], &mut World) + Send;
type Script = dyn FnMut(&Request, &mut World) -> Scripted + Send;

struct Shared {
    script: Mutex<Box<Script>>,
    /// What comes of a packet from the wire; none: there is no wire.
    arrives: Mutex<Option<Box<Arrives>>>,
    world: Mutex<World>,
    changed: Condvar,
}

/// A scripted stack.
pub struct Fake {
    machine: Machine,
    shared: Arc<Shared>,
    /// How long a step takes to settle; zero: a moment.
    quiet: Duration,
}

impl Fake {
    /// A stack that answers by this script.
    pub fn new(script: impl FnMut(&Request, &mut World) -> Scripted + Send + 'static) -> Fake {
        let machine = Machine {
            platform: "fake".to_owned(),
            release: "1".to_owned(),
            kernel: "1".to_owned(),
            arch: "none".to_owned(),
            capture: "scripted".to_owned(),
            wire: "none".to_owned(),
            isolation: "netns".to_owned(),
            settings: BTreeMap::new(),
        };
        let shared = Shared {
            script: Mutex::new(Box::new(script)),
            arrives: Mutex::new(None),
            world: Mutex::new(World::default()),
            changed: Condvar::new(),
        };
        Fake { machine, shared: Arc::new(shared), quiet: Duration::ZERO }
    }
}

impl Fake {
    /// The same with a wire: this comes of packets from it.
    pub fn on_wire(self, arrives: impl FnMut(&[u8], &mut World) + Send + 'static) -> Fake {
        *lock(&self.shared.arrives) = Some(Box::new(arrives));
        self
    }

    /// The same, on a host where steps settle by quiet.
    pub fn settles_in(self, quiet: Duration) -> Fake {
        Fake { quiet, ..self }
    }
}

impl Stack for Fake {
    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn can(&self, capability: Capability) -> Result<(), Lack> {
        match capability {
            Capability::Wire | Capability::Firewall | Capability::Fork => {
                Err(Lack::new(format!("a scripted stack has no {capability}")))
            }
            _ => Ok(()),
        }
    }

    fn open(&self, _plan: &Plan) -> Result<Box<dyn Ground>, Trouble> {
        let (shared, quiet) = (Arc::clone(&self.shared), self.quiet);
        Ok(Box::new(FakeGround { shared, quiet, port: 4000, ended: false }))
    }
}

struct FakeGround {
    shared: Arc<Shared>,
    quiet: Duration,
    port: u16,
    /// Whether its processes have.
    ended: bool,
}

impl Ground for FakeGround {
    fn caller(&mut self, _process: Option<&Name>) -> Result<Box<dyn Caller>, Trouble> {
        let inside = Arc::new(Mutex::new(None));
        Ok(Box::new(FakeCaller { shared: Arc::clone(&self.shared), inside }))
    }

    fn inject(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        let mut arrives = lock(&self.shared.arrives);
        let none = || Trouble::Failed("a scripted stack without a wire".to_owned());
        let arrives = arrives.as_mut().ok_or_else(none)?;
        arrives(packet, &mut lock(&self.shared.world));
        // The packet may have woken somebody.
        self.shared.changed.notify_all();
        Ok(())
    }

    fn host(&mut self, act: &HostAct) -> Result<Acted, Trouble> {
        lock(&self.shared.world).acts.push(act.clone());
        Ok(Acted::Done)
    }

    fn pass(&mut self, time: Duration) {
        let aside = std::mem::take(&mut lock(&self.shared.world).puts_aside);
        std::thread::sleep(time + aside / 2);
        if aside.is_zero() {
            return;
        }
        let mut world = lock(&self.shared.world);
        let blocked = std::mem::take(&mut world.blocked);
        let is_blocked = !blocked.is_empty();
        world
            .woken
            .extend(blocked.into_iter().map(|(call, _)| (call, Outcome::ok(Answer::Value(0)))));
        drop(world);
        self.shared.changed.notify_all();
        std::thread::sleep(aside / 2);
        if !is_blocked {
            let packet = Captured { at: now(), bytes: CapturedBytes::Ip(Vec::new()) };
            lock(&self.shared.world).packets.push(packet);
        }
    }

    fn waits_to_settle(&self) -> bool {
        !self.quiet.is_zero()
    }

    fn settle(&mut self) -> Result<Vec<Captured>, Trouble> {
        std::thread::sleep(self.quiet);
        Ok(std::mem::take(&mut lock(&self.shared.world).packets))
    }

    fn address(&mut self, _process: Option<&Name>, fd: Fd) -> Option<Address> {
        lock(&self.shared.world).addresses.get(&fd).cloned()
    }

    fn port(&mut self) -> Result<u16, Trouble> {
        self.port += 1;
        Ok(self.port)
    }

    fn unix_name(&mut self, name: &str) -> Result<Address, Trouble> {
        Ok(Address::UnixPath(name.to_owned()))
    }

    fn share(&mut self, _process: &Name, fd: Fd) -> Result<Fd, Trouble> {
        Ok(fd)
    }

    fn process(&mut self, _process: &Name, act: &ProcessAct) -> Result<String, Trouble> {
        Ok(match act {
            ProcessAct::Wait(_) if self.ended => "exited 0".to_owned(),
            ProcessAct::Wait(_) | ProcessAct::Limit(_) => String::new(),
            ProcessAct::Drop | ProcessAct::Setuid => String::new(),
            _ => {
                self.ended = true;
                String::new()
            }
        })
    }

    fn finish(&mut self) -> bool {
        true
    }
}

struct FakeCaller {
    shared: Arc<Shared>,
    /// The number of the call that blocks.
    inside: Arc<Mutex<Option<u64>>>,
}

impl Caller for FakeCaller {
    fn issue(&mut self, request: &Request) -> Reply {
        let began = now();
        let scripted = {
            let mut world = lock(&self.shared.world);
            (lock(&self.shared.script))(request, &mut world)
        };
        // The script may have woken somebody.
        self.shared.changed.notify_all();
        let mut took = Duration::ZERO;
        let outcome = match scripted {
            Scripted::Returns(answer) => Outcome::ok(answer),
            Scripted::Fails(name) => Outcome::failed(Errno::named(name), 1),
            Scripted::Blocks => {
                let outcome = self.block(descriptor_of(request));
                took = now().saturating_sub(began);
                outcome
            }
            Scripted::Plain => Outcome::ok(plain(request, &mut lock(&self.shared.world))),
        };
        Reply::Done { outcome, began, took }
    }

    fn watch(&self) -> Box<dyn Watch> {
        Box::new(FakeWatch { shared: Arc::clone(&self.shared), inside: Arc::clone(&self.inside) })
    }
}

impl FakeCaller {
    fn block(&self, fd: Fd) -> Outcome {
        let mut world = lock(&self.shared.world);
        world.calls += 1;
        let call = world.calls;
        world.blocked.push((call, fd));
        *lock(&self.inside) = Some(call);
        loop {
            if let Some(outcome) = world.woken.remove(&call) {
                *lock(&self.inside) = None;
                return outcome;
            }
            world = self.shared.changed.wait(world).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct FakeWatch {
    shared: Arc<Shared>,
    inside: Arc<Mutex<Option<u64>>>,
}

impl Watch for FakeWatch {
    fn asleep(&self) -> bool {
        let world = lock(&self.shared.world);
        let sleeps = |call| !world.never_sleeps && !world.woken.contains_key(&call);
        lock(&self.inside).is_some_and(sleeps)
    }

    fn interrupt(&self) {
        self.signal(false);
    }

    fn signal(&self, restart: bool) -> bool {
        let mut world = lock(&self.shared.world);
        let inside = *lock(&self.inside);
        if let (Some(call), false) = (inside, restart) {
            world.woken.insert(call, Outcome::failed(Errno::named("EINTR"), 4));
        }
        drop(world);
        self.shared.changed.notify_all();
        inside.is_some()
    }
}

fn plain(request: &Request, world: &mut World) -> Answer {
    match request {
        Request::Socket { .. } | Request::Accept { .. } | Request::Dup { .. } => {
            Answer::Fd(world.descriptor())
        }
        Request::EpollCreate => Answer::Fd(world.descriptor()),
        Request::Bind { fd, to } => {
            if let Some(address) = &to.address {
                world.addresses.insert(*fd, address.clone());
            }
            Answer::Value(0)
        }
        Request::Close { fd } => {
            world.addresses.remove(fd);
            Answer::Value(0)
        }
        _ => Answer::Value(0),
    }
}

fn descriptor_of(request: &Request) -> Fd {
    match request {
        Request::Accept { fd, .. }
        | Request::Connect { fd, .. }
        | Request::Recv { fd, .. }
        | Request::Send { fd, .. }
        | Request::Poll { fd, .. }
        | Request::Close { fd } => *fd,
        _ => -1,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
