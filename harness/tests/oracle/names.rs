//! Whose ends are whose, as a transcript names them.

use super::seen;
use std::collections::BTreeMap;

/// One end of a packet: TCP and UDP have ports of their own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct End {
    protocol: String,
    address: String,
    port: String,
}

impl End {
    pub fn new(protocol: &str, (address, port): &seen::End) -> End {
        End { protocol: protocol.to_owned(), address: address.clone(), port: port.clone() }
    }
}

/// The names that a transcript has given so far.
#[derive(Default, Debug)]
pub struct Names {
    /// Whoever was named first at an end.
    ends: BTreeMap<End, String>,
    /// Who has sent the last SYN from an end to another: sockets may share an address, and one
    /// may follow another.
    flows: BTreeMap<(End, End), String>,
}

impl Names {
    /// Whether an end, seen in a packet to or from the other end, may have this name. Only who
    /// `begins` a connection may be another than before.
    pub fn is(&mut self, end: &End, other: &End, name: &str, begins: bool) -> bool {
        if end.port.is_empty() {
            return name == address_word(&end.address);
        }
        let flow = (end.clone(), other.clone());
        if begins {
            self.flows.insert(flow.clone(), name.to_owned());
        }
        let first = self.ends.entry(end.clone()).or_insert_with(|| name.to_owned());
        self.flows.get(&flow).unwrap_or(first) == name
    }
}

/// What an address without a port is called.
pub fn address_word(address: &str) -> String {
    match address {
        "127.0.0.1" | "::1" => "loopback".to_owned(),
        "192.0.2.1" | "2001:db8::1" => "local".to_owned(),
        "192.0.2.2" | "2001:db8::2" => "peer".to_owned(),
        "192.0.2.254" | "2001:db8::fe" => "router".to_owned(),
        other => format!("{other:?}"),
    }
}
