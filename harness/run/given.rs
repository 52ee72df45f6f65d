//! What `given` means on loopback: the steps that bring the state about.

use crate::model::call::{Domain, Kind, SocketSpec};
use crate::model::case::State;
use crate::model::{Action, AddrBase, AddrExpr, BadArgs, Call, CallSpec, Given, Name, Step, Times};

/// Pending connections that the listener of `given` takes.
const BACKLOG: i32 = 8;

/// The steps before the first: `server` listening, an unconnected `client`, and for
/// `established` both ends of a connection.
pub fn steps(given: Given) -> Vec<Step> {
    let mut steps = Vec::new();
    if matches!(given.state, State::Listen | State::Established) {
        steps.push(step("server", Call::Socket(tcp())));
        steps.push(step("server", Call::Bind(address(AddrBase::Loopback))));
        steps.push(step("server", Call::Listen(BACKLOG)));
        steps.push(step("client", Call::Socket(tcp())));
    }
    if given.state == State::Established {
        let server = AddrBase::Socket(Name::new("server"));
        steps.push(step("client", Call::Connect(address(server))));
        let accept = Call::Accept {
            name: Name::new("conn"),
            flags: Vec::new(),
        };
        steps.push(step("server", accept));
    }
    steps
}

fn step(subject: &str, call: Call) -> Step {
    let spec = CallSpec {
        call,
        bad: BadArgs::default(),
    };
    Step {
        line: 0,
        action: Action::Calls {
            subject: Name::new(subject),
            calls: vec![spec],
        },
        blocks: false,
        timed: false,
        times: Times::Count(1),
        patience: None,
    }
}

fn tcp() -> SocketSpec {
    SocketSpec {
        word: Some("tcp"),
        domain: Domain::OfRun,
        kind: Kind::Stream,
        protocol: 0,
        nonblock: false,
    }
}

fn address(base: AddrBase) -> AddrExpr {
    AddrExpr { base, port: None }
}
