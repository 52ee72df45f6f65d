//! The keys of a case, and its rows.

use super::claim;
use super::error::{Fault, Read, shortened, unknown};
use super::hash;
use super::language::{HEADER, VERBS};
use super::matrix::{Matrix, RowValues, Substitution, value_text};
use super::node::valid_name;
use super::packet::read_options;
use super::scope::Scope;
use super::settings;
use super::step;
use super::tree::{Kind, Node};
use crate::model::case::{By, State};
use crate::model::limits::{DEADLINE, PATIENCE, PROCESSES_MAX, STEPS_MAX};
use crate::model::peer::TcpOption;
use crate::model::{
    Action, CallSpec, Capability, Case, CaseId, Family, Given, Name, Row, Show, Topology,
};
use crate::model::{time, wire};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

const TOPOLOGIES: [(Topology, &str); 2] =
    [(Topology::Loopback, "loopback"), (Topology::Wire, "wire")];
/// Which call made the local socket, with the word that a case writes.
pub(super) const BYS: [(By, &str); 2] = [(By::Connect, "connect"), (By::Accept, "accept")];

/// Reads a whole case.
pub(super) fn read(root: &Node, id: CaseId, path: &Path) -> Read<Case> {
    check_keys(root)?;
    let texts = |key: &str| root.get(key).map_or(Ok(Vec::new()), read_texts);
    let topology = match root.get("topology") {
        Some(node) => node.one_of("topology", &TOPOLOGIES)?,
        None => Topology::Loopback,
    };
    let families = root.get("family").map_or(Ok(vec![Family::V4]), read_families)?;
    let matrix_node = root.get("matrix");
    let matrix = matrix_node.map_or(Ok(Matrix::default()), Matrix::read)?;
    let row_count = matrix.count(matrix_node, families.len())?;
    let processes = root.get("processes").map_or(Ok(Vec::new()), read_processes)?;
    let duration = |key: &str, default| match root.get(key) {
        Some(node) => read_wait(node),
        None => Ok(default),
    };
    let mut needs: BTreeSet<Capability> =
        root.get("needs").map_or(Ok(BTreeSet::new()), read_needs)?;
    let mut case = Case {
        id,
        path: path.to_owned(),
        about: required(root, "about")?.prose("the question, in words")?,
        spec: texts("spec")?,
        covers: texts("covers")?,
        tags: root.get("tags").map_or(Ok(Vec::new()), read_tags)?,
        topology,
        claims: match root.get("claims") {
            Some(node) => claim::read_all(node, &matrix, &families)?,
            None => Vec::new(),
        },
        families,
        needs: Vec::new(),
        processes,
        show: root.get("show").map_or(Ok(Show::default()), read_show)?,
        patience: duration("patience", PATIENCE)?,
        deadline: duration("deadline", DEADLINE)?,
        rows: Vec::new(),
        hash: hash::of_question(root),
    };
    let mut rows = Rows {
        root,
        topology,
        families: &case.families,
        processes: &case.processes,
        deadline: case.deadline,
        needs: &mut needs,
        bytes: 0,
    };
    let read = (0..row_count).map(|row| rows.read(&matrix.row(row)));
    case.rows = read.collect::<Read<Vec<Row>>>()?;
    check_names_used(root, &case)?;
    Matrix::check_used(matrix_node, root)?;
    if case.families.contains(&Family::V6) {
        needs.insert(Capability::Ipv6);
    }
    if !case.processes.is_empty() {
        needs.insert(Capability::Fork);
    }
    case.needs = needs.into_iter().collect();
    Ok(case)
}

fn required<'n>(root: &'n Node, key: &str) -> Read<&'n Node> {
    root.get(key).ok_or_else(|| root.fault(format!("`{key}` is missing")))
}

/// Only the header's keys, and in its order.
fn check_keys(root: &Node) -> Read<()> {
    let names = || HEADER.iter().map(|(name, _)| *name);
    let mut last = (0, "");
    for (key, _) in root.map("a case: a map that begins with `about`")? {
        let Some(place) = names().position(|name| name == key.text) else {
            return Err(key.fault(unknown("key", &key.text, names())));
        };
        if place < last.0 {
            let order = names().collect::<Vec<_>>().join(" ");
            return Err(key.fault(format!(
                "`{}` stands before `{}`, expected the order: {order}",
                last.1, key.text
            )));
        }
        last = (place, &key.text);
    }
    required(root, "about")?;
    required(root, "steps").map(drop)
}

/// What all rows are read from, and what they add up to.
struct Rows<'c> {
    root: &'c Node,
    topology: Topology,
    families: &'c [Family],
    processes: &'c [(Name, Vec<Name>)],
    deadline: Duration,
    needs: &'c mut BTreeSet<Capability>,
    bytes: usize,
}

impl Rows<'_> {
    fn read(&mut self, values: &RowValues<'_>) -> Read<Row> {
        let at = values.iter().map(|(name, value)| ((*name).to_owned(), value_text(value)));
        let at: Vec<(String, String)> = at.collect();
        self.bytes += at.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        self.read_at(values, at.clone()).map_err(|fault| match at.as_slice() {
            [] => fault,
            at => {
                let row: Vec<String> = at.iter().map(|(name, v)| format!("{name}={v}")).collect();
                let row = shortened(&row.join(" "));
                Fault { message: format!("{} (in row {row})", fault.message), ..fault }
            }
        })
    }

    fn read_at(&mut self, values: &RowValues<'_>, at: Vec<(String, String)>) -> Read<Row> {
        let mut substitution = Substitution { values, bytes: &mut self.bytes };
        let mut part =
            |key: &str| self.root.get(key).map(|node| substitution.node(node)).transpose();
        let (given, settings, steps) = (part("given")?, part("settings")?, part("steps")?);
        let topology = self.topology;
        let given = given.map_or(Ok(Given::CLOSED), |node| read_given(&node, topology))?;
        let settings =
            settings.map_or(Ok(BTreeMap::new()), |node| settings::read(&node, topology))?;
        let mut scope = Scope {
            sockets: sockets_of(&given, topology),
            topology,
            families: self.families,
            met: met_by(&given),
            stamped: stamped_by(&given),
            mtu: wire::MTU,
            processes: self.processes,
            needs: self.needs,
        };
        let mut row = Row { at, given, settings, steps: Vec::new() };
        let Some(steps) = steps else { return Ok(row) };
        let list = steps.list("a list of steps")?;
        if list.is_empty() {
            return Err(steps.fault("no steps, expected at least one"));
        }
        if let Some(node) = list.get(STEPS_MAX) {
            return Err(node.fault(format!("a step too many, a case has at most {STEPS_MAX}")));
        }
        let mut waits = Duration::ZERO;
        for node in list {
            let step = step::read(node, &mut scope)?;
            // What is cut off by the deadline has not been asked.
            if let Some(Action::Pause(time) | Action::Silence(time)) =
                step.as_ref().map(|step| &step.action)
            {
                waits += *time;
                if waits >= self.deadline {
                    let (waits, deadline) = (time::Shown(waits), time::Shown(self.deadline));
                    return Err(node.fault(format!(
                        "the waits so far take {waits}, expected less than the deadline, {deadline}"
                    )));
                }
            }
            row.steps.extend(step);
        }
        Ok(row)
    }
}

/// The sockets that `given` makes.
fn sockets_of(given: &Given, topology: Topology) -> BTreeSet<Name> {
    let names: &[&str] = match (topology, given.state, given.by) {
        (_, State::Closed, _) => &[],
        (Topology::Loopback, State::Listen, _) => &["client", "server"],
        (Topology::Loopback, ..) => &["client", "conn", "server"],
        // Before the handshake is over there is nothing to accept.
        (Topology::Wire, State::Listen, _) => &["server"],
        (Topology::Wire, State::SynReceived, By::Accept) => &["server"],
        (Topology::Wire, _, By::Connect) => &["client"],
        (Topology::Wire, _, By::Accept) => &["conn", "server"],
    };
    names.iter().map(|name| Name::new(name)).collect()
}

/// The peers that `given` begins a connection with.
fn met_by(given: &Given) -> BTreeSet<Name> {
    let begun = !matches!(given.state, State::Closed | State::Listen);
    begun.then(|| Name::new("peer")).into_iter().collect()
}

/// The peers whose SYN in `given` has timestamps: further segments may, too.
fn stamped_by(given: &Given) -> BTreeSet<Name> {
    let is_stamps = |option: &TcpOption| matches!(option, TcpOption::Timestamps(..));
    let stamped = given.options.iter().flatten().any(is_stamps);
    stamped.then(|| Name::new("peer")).into_iter().collect()
}

fn read_given(node: &Node, topology: Topology) -> Read<Given> {
    let (state_node, by, options) = match &node.kind {
        Kind::Map(_) => {
            let keys = ["state", "by", "options"];
            node.keys("a state, or {state: established, by: accept}", &keys)?;
            let state = node.get("state").ok_or_else(|| node.fault("`state` is missing"))?;
            let by = node.get("by").map(|by| by.one_of("call", &BYS)).transpose()?;
            (state, by, node.get("options"))
        }
        _ => (node, None, None),
    };
    let state = state_node.one_of("state", &State::ALL.map(|(state, word)| (state, word)))?;
    let here = matches!(state, State::Closed | State::Listen | State::Established);
    if topology == Topology::Loopback && !here {
        return Err(state_node
            .fault("this state needs `topology: wire`; on loopback: closed, listen, established"));
    }
    if by.is_some() && matches!(state, State::Closed | State::Listen) {
        return Err(node.fault("nobody has connected or accepted in this state, expected no `by`"));
    }
    if state == State::SynSent && by == Some(By::Accept) {
        return Err(node.fault("no accepted socket has sent a SYN first, expected `by: connect`"));
    }
    if let Some(node) = options {
        if topology == Topology::Loopback {
            return Err(node.fault("options of the peer's SYN need `topology: wire`"));
        }
        if matches!(state, State::Closed | State::Listen | State::SynSent) {
            return Err(node.fault("the peer has sent no SYN in this state, leave `options` out"));
        }
    }
    let default = if state == State::SynReceived { By::Accept } else { By::Connect };
    let options = options.map(read_options).transpose()?;
    Ok(Given { state, by: by.unwrap_or(default), options })
}

fn read_wait(node: &Node) -> Read<std::time::Duration> {
    let duration = node.duration()?;
    if duration.is_zero() {
        return Err(node.expected("more than no time"));
    }
    Ok(duration)
}

fn read_texts(node: &Node) -> Read<Vec<String>> {
    let expected = "a list of texts: [RFC 9293 §3.5.2]";
    node.list(expected)?.iter().map(|text| text.prose("text")).collect()
}

fn read_tags(node: &Node) -> Read<Vec<String>> {
    let one = |node: &Node| -> Read<String> {
        let text = node.text("a word")?;
        let in_tag = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        match !text.is_empty() && text.chars().all(in_tag) {
            true => Ok(text.to_owned()),
            false => Err(node.expected("a word of [a-z0-9-]")),
        }
    };
    node.list("a list of words: [rst, close]")?.iter().map(one).collect()
}

fn read_families(node: &Node) -> Read<Vec<Family>> {
    let expected = "a list of families: [4], [6] or [4, 6]";
    let mut families = Vec::new();
    for item in node.list(expected)? {
        let family = match item.kind {
            Kind::Int(4) => Family::V4,
            Kind::Int(6) => Family::V6,
            _ => return Err(item.expected("4 or 6")),
        };
        if families.contains(&family) {
            return Err(item.fault("this family stands here twice"));
        }
        families.push(family);
    }
    match families.is_empty() {
        true => Err(node.fault(format!("an empty list, expected {expected}"))),
        false => Ok(families),
    }
}

fn read_needs(node: &Node) -> Read<BTreeSet<Capability>> {
    let table = Capability::ALL;
    let needs = node.list("a list of capabilities: [sysctl, af-unix]")?;
    needs.iter().map(|need| need.one_of("capability", &table)).collect()
}

/// `{worker: [server, conn]}`
fn read_processes(node: &Node) -> Read<Vec<(Name, Vec<Name>)>> {
    let mut processes: Vec<(Name, Vec<Name>)> = Vec::new();
    let mut owned = BTreeSet::new();
    for (key, sockets) in node.map("a map of processes: {worker: [server, conn]}")? {
        if processes.len() == PROCESSES_MAX {
            let message = format!("a process too many, expected at most {PROCESSES_MAX}");
            return Err(key.fault(message));
        }
        let process = valid_name(&key.text).map_err(|message| key.fault(message))?;
        let mut names = Vec::new();
        for socket in sockets.list("a list of sockets: [server, conn]")? {
            let name = socket.name("a socket's name")?;
            if !owned.insert(name.clone()) {
                return Err(socket.fault("a socket lives in one process"));
            }
            names.push(name);
        }
        processes.push((process, names));
    }
    Ok(processes)
}

/// `[options, ttl]`, or `{packets: [ttl], calls: [b.bind]}`
fn read_show(node: &Node) -> Read<Show> {
    let fields = |node: &Node| -> Read<Vec<_>> {
        let fields = node.list("a list of fields: [options, window, ttl, tos, df]")?;
        let table = crate::model::case::ShowField::ALL;
        fields.iter().map(|field| field.one_of("field", &table)).collect()
    };
    if let Kind::List(_) = node.kind {
        return Ok(Show { fields: fields(node)?, calls: None });
    }
    node.keys("a list of fields, or {packets: […], calls: […]}", &["packets", "calls"])?;
    let call = |node: &Node| -> Read<(Name, String)> {
        let expected = "a call: b.bind";
        let text = node.text(expected)?;
        let (subject, verb) = text.split_once('.').ok_or_else(|| node.expected(expected))?;
        let name = valid_name(subject).map_err(|message| node.fault(message))?;
        let verbs = || VERBS.iter().map(|verb| verb.name);
        match verbs().any(|known| known == verb) {
            true => Ok((name, verb.to_owned())),
            false => Err(node.fault(unknown("verb", verb, verbs()))),
        }
    };
    let calls = node.get("calls").map(|calls| -> Read<Vec<_>> {
        calls.list("a list of calls: [b.bind, b.listen]")?.iter().map(call).collect()
    });
    Ok(Show {
        fields: node.get("packets").map_or(Ok(Vec::new()), fields)?,
        calls: calls.transpose()?,
    })
}

/// A socket that the header names has to be one that a step could make.
fn check_names_used(root: &Node, case: &Case) -> Read<()> {
    let mut made: BTreeSet<Name> = BTreeSet::new();
    let mut issued: BTreeSet<String> = BTreeSet::new();
    for row in &case.rows {
        made.extend(sockets_of(&row.given, case.topology));
        for step in &row.steps {
            if let Action::Calls { subject, calls } = &step.action {
                made.insert(subject.clone());
                issued.extend(calls.iter().map(|spec| format!("{subject}.{}", spec.call.verb())));
                let new = |spec: &CallSpec| {
                    let (made, brought) = (spec.call.makes(), spec.call.brings());
                    made.into_iter().chain(brought).cloned().collect::<Vec<Name>>()
                };
                made.extend(calls.iter().flat_map(new));
            }
        }
    }
    let check = |node: &Node, name: &str| match made.contains(&Name::new(name)) {
        true => Ok(()),
        false => {
            let made = made.iter().map(Name::as_str);
            Err(node.fault(unknown("socket", name, made)))
        }
    };
    let lists = |key: &str| match root.get(key).map(|node| &node.kind) {
        Some(Kind::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    for (key, sockets) in lists("processes") {
        if made.contains(&Name::new(&key.text)) {
            return Err(key.fault("a socket has this name, a process needs another one"));
        }
        for socket in sockets.list("a list")? {
            check(socket, socket.text("a name")?)?;
        }
    }
    for (_, calls) in lists("show").iter().filter(|(key, _)| key.text == "calls") {
        for call in calls.list("a list")? {
            let text = call.text("a call")?;
            check(call, text.split_once('.').map_or(text, |(subject, _)| subject))?;
            if !issued.contains(text) {
                return Err(call.fault(format!("no step makes the call `{text}`")));
            }
        }
    }
    Ok(())
}
