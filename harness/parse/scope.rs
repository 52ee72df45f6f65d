//! What exists at a step of one row: the sockets that earlier steps could make, the processes,
//! and the capabilities that the steps turn out to need.

use super::error::{Read, unknown};
use super::node::valid_name;
use super::tree::Node;
use crate::model::{Capability, Family, Name, Topology};
use std::collections::BTreeSet;

/// The names known so far.
pub(super) struct Scope<'c> {
    /// Sockets that `given` or an earlier step could have made.
    pub sockets: BTreeSet<Name>,
    /// What is at the far end.
    pub topology: Topology,
    /// The families that the case runs under.
    pub families: &'c [Family],
    /// Peers that a connection could have begun with.
    pub met: BTreeSet<Name>,
    /// Peers whose SYN had timestamps, so that what they send has them too.
    pub stamped: BTreeSet<Name>,
    /// Bytes of the longest packet that the wire takes at this step.
    pub mtu: u16,
    /// The case's processes.
    pub processes: &'c [(Name, Vec<Name>)],
    /// What the steps need.
    pub needs: &'c mut BTreeSet<Capability>,
}

impl Scope<'_> {
    /// Notes that a socket of this name could exist from here on.
    pub fn make(&mut self, name: &Name) {
        self.sockets.insert(name.clone());
    }

    /// Whether `text` names a process of the case.
    pub fn is_process(&self, text: &str) -> bool {
        self.processes.iter().any(|(name, _)| name.as_str() == text)
    }

    /// The socket called `text`, if an earlier step could have made it.
    pub fn socket(&self, text: &str) -> Result<Name, String> {
        let known = self.sockets.iter().map(Name::as_str);
        // Whoever means a socket is not helped by hearing that none may be made with this name.
        if Name::is_reserved(text) {
            let message = unknown("socket", text, known);
            let no_socket = format!("`{text}` is no socket of this machine");
            return Err(message.replacen(&format!("unknown socket `{text}`"), &no_socket, 1));
        }
        let name = valid_name(text)?;
        if self.sockets.contains(&name) {
            return Ok(name);
        }
        let message = unknown("socket", text, known);
        Err(message.replacen(", expected", ", no earlier step makes it: expected", 1))
    }

    /// The socket that a node names.
    pub fn socket_at(&self, node: &Node) -> Read<Name> {
        let text = node.text("a socket's name")?;
        self.socket(text).map_err(|message| node.fault(message))
    }

    /// A name that a step may give to a socket.
    pub fn new_name(&self, text: &str) -> Result<Name, String> {
        if self.is_process(text) {
            return Err(format!("`{text}` is a process, a socket needs another name"));
        }
        valid_name(text)
    }
}
