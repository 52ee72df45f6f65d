//! Steps: `subject.verb`, `subject.verb: object`, `pause: 300ms`.

use super::args::Args;
use super::call;
use super::error::{Fault, Read, shortened, unknown};
use super::language::{BARE_STEPS, PROCESS_VERBS, VERBS};
use super::scope::Scope;
use super::tree::{Kind, Node};
use super::{host, packet, peer};
use crate::model::call::{SIGNALS, SIGNALS_THAT_END};
use crate::model::limits::DESCRIPTORS_MAX;
use crate::model::{Action, AddrBase, Call, Capability, Name, ProcessVerb, Step, Times};

const EXPECTED: &str = "a step: `client.close`, `client.send: 256`, `pause: 300ms`";

/// A step's words and object, before they are understood.
pub(super) struct Parts<'n> {
    /// `client.send`
    pub head: &'n str,
    /// The node or key of the head.
    pub id: u32,
    pub line: u32,
    pub object: Option<&'n Node>,
}

impl Parts<'_> {
    /// A mistake of the whole step.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { id: self.id, message: message.into() }
    }

    /// A step that does this, once.
    pub fn step(&self, action: Action) -> Step {
        Step {
            line: self.line,
            action,
            blocks: false,
            timed: false,
            times: Times::Count(1),
            patience: None,
        }
    }
}

/// Reads one step; none if a matrix row leaves it out because its object became `[]`.
pub(super) fn read(node: &Node, scope: &mut Scope<'_>) -> Read<Option<Step>> {
    let parts = split(node)?;
    if matches!(parts.object, Some(Node { kind: Kind::List(list), .. }) if list.is_empty()) {
        return Ok(None);
    }
    let Some((subject, verb)) = parts.head.split_once('.') else {
        return read_bare(&parts, scope).map(Some);
    };
    let step = match subject {
        "host" => host::read(&parts, verb, scope),
        subject if packet::is_peer(subject) => peer::read(&parts, subject, verb, scope),
        process if scope.is_process(process) => {
            read_process(&parts, process, verb, scope).map(|action| parts.step(action))
        }
        subject => read_call(&parts, subject, verb, scope),
    };
    step.map(Some)
}

fn split(node: &Node) -> Read<Parts<'_>> {
    match &node.kind {
        Kind::Str(head) => Ok(Parts { head, id: node.id, line: node.line, object: None }),
        Kind::Map(entries) => match entries.as_slice() {
            [(key, object)] => Ok(Parts {
                head: &key.text,
                id: key.id,
                line: key.line,
                object: Some(object).filter(|object| !matches!(object.kind, Kind::Null)),
            }),
            [_, (second, _), ..] => Err(second.fault(format!(
                "a second key in one step, expected {EXPECTED} (a map of arguments is indented \
                 further than its verb)"
            ))),
            [] => Err(node.expected(EXPECTED)),
        },
        _ => Err(node.expected(EXPECTED)),
    }
}

/// `pause`, `silence` and `signal`.
fn read_bare(parts: &Parts<'_>, scope: &mut Scope<'_>) -> Read<Step> {
    let words = BARE_STEPS.iter().map(|verb| verb.name);
    let Some(verb) = BARE_STEPS.iter().find(|verb| verb.name == parts.head) else {
        let message = if VERBS.iter().any(|verb| verb.name == parts.head) {
            format!("`{0}` has no subject, expected `client.{0}`", parts.head)
        } else if Name::is_valid(parts.head) {
            unknown("step", parts.head, words.chain(["subject.verb"]))
        } else {
            format!("`{}` is no step, expected {EXPECTED}", shortened(parts.head))
        };
        return Err(parts.fault(message));
    };
    let args = Args::read(verb, parts.object, parts.id, scope)?;
    let time = || args.needed("for", args.time("for"));
    Ok(Step {
        timed: args.flag("timed"),
        ..parts.step(match verb.name {
            "pause" => Action::Pause(time()?),
            "silence" => Action::Silence(time()?),
            _ => {
                scope.needs.insert(Capability::Signal);
                let to = args.needed("to", args.name("to"))?;
                Action::Signal { to, restart: !args.words("flags").is_empty() }
            }
        })
    })
}

fn read_process(
    parts: &Parts<'_>,
    process: &str,
    verb: &str,
    scope: &mut Scope<'_>,
) -> Read<Action> {
    let verb = match (verb, parts.object) {
        ("kill", Some(signal)) => {
            let text = signal.text("a signal: SIGKILL")?;
            if !SIGNALS.contains(&text) {
                return Err(signal.fault(unknown("signal", text, SIGNALS.iter().copied())));
            }
            if !SIGNALS_THAT_END.contains(&text) {
                scope.needs.insert(Capability::Signal);
            }
            ProcessVerb::Kill(text.to_owned())
        }
        ("kill", None) => return Err(parts.fault("kill needs a signal: SIGKILL")),
        ("setrlimit", limits) => {
            scope.needs.insert(Capability::Rlimit);
            ProcessVerb::Setrlimit(read_limit(parts, limits)?)
        }
        ("drop", Some(what)) => {
            const EXPECTED: &str = "capabilities";
            match what.text(EXPECTED)? {
                EXPECTED => scope.needs.insert(Capability::Capabilities),
                other => return Err(what.fault(unknown("word", other, [EXPECTED]))),
            };
            ProcessVerb::Drop
        }
        ("drop", None) => return Err(parts.fault("drop needs a word: capabilities")),
        ("setuid", Some(who)) => {
            const EXPECTED: &str = "nobody";
            match who.text(EXPECTED)? {
                EXPECTED => scope.needs.insert(Capability::OtherUser),
                other => return Err(who.fault(unknown("user", other, [EXPECTED]))),
            };
            ProcessVerb::Setuid
        }
        ("setuid", None) => return Err(parts.fault("setuid needs a user: nobody")),
        ("exit" | "wait", Some(object)) => return Err(object.expected("no argument")),
        ("exit", None) => ProcessVerb::Exit,
        ("wait", None) => ProcessVerb::Wait,
        _ => {
            let words = PROCESS_VERBS.iter().map(|(word, _)| *word);
            let what = format!("verb of the process `{process}`:");
            return Err(parts.fault(unknown(&what, verb, words)));
        }
    };
    Ok(Action::Process { process: Name::new(process), verb })
}

/// The one limit that decides what calls answer.
fn read_limit(parts: &Parts<'_>, limits: Option<&Node>) -> Read<u32> {
    const EXPECTED: &str = "{RLIMIT_NOFILE: 1}";
    let missing = || parts.fault(format!("setrlimit needs {EXPECTED}"));
    let limits = limits.ok_or_else(missing)?;
    limits.keys(EXPECTED, &["RLIMIT_NOFILE"])?;
    let number = limits.get("RLIMIT_NOFILE").ok_or_else(|| limits.expected(EXPECTED))?;
    let number = number.int(&(0..=i64::from(DESCRIPTORS_MAX)), "a number of descriptors")?;
    Ok(u32::try_from(number).unwrap_or(0))
}

/// The peer that a call begins a connection with.
fn met_by(call: &Call) -> Option<Name> {
    let (Call::Connect(to) | Call::Send { to: Some(to), .. }) = call else {
        return None;
    };
    match &to.base {
        AddrBase::Peer(name) => Some(name.clone()),
        // The peer's own address, written out.
        AddrBase::Literal(_) => Some(Name::new("peer")),
        _ => None,
    }
}

/// A socket's call.
fn read_call(parts: &Parts<'_>, subject: &str, verb: &str, scope: &mut Scope<'_>) -> Read<Step> {
    let Some(verb) = VERBS.iter().find(|known| known.name == verb) else {
        if PROCESS_VERBS.iter().any(|(word, _)| *word == verb) {
            let processes = scope.processes.iter().map(|(name, _)| name.as_str());
            return Err(parts.fault(unknown("process", subject, processes)));
        }
        let words = VERBS.iter().map(|known| known.name);
        return Err(parts.fault(unknown("verb", verb, words)));
    };
    let makes_subject = matches!(verb.name, "socket" | "epoll_create");
    let args = Args::read(verb, parts.object, parts.id, scope)?;
    // With a descriptor of its own a call needs no socket, only a subject to be printed with.
    let subject = match makes_subject || args.int("fd").is_some() {
        true => scope.new_name(subject),
        false => scope.socket(subject),
    };
    let subject = subject.map_err(|message| parts.fault(message))?;
    let calls = call::read(verb, &args, scope)?;
    if makes_subject {
        scope.make(&subject);
    }
    scope.met.extend(calls.iter().filter_map(|spec| met_by(&spec.call)));
    for name in
        calls.iter().flat_map(|spec| spec.call.makes().into_iter().chain(spec.call.brings()))
    {
        scope.new_name(name.as_str()).map_err(|message| parts.fault(message))?;
        scope.make(name);
    }
    Ok(Step {
        blocks: args.flag("blocks"),
        timed: args.flag("timed"),
        times: match args.word("times") {
            Some(_) => Times::UntilError,
            None => Times::Count(args.number("times").unwrap_or(1)),
        },
        patience: args.time("for"),
        ..parts.step(Action::Calls { subject, calls })
    })
}
