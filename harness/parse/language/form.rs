//! What the tables of the language are made of.

/// What may stand after a key.
#[derive(Clone, Copy, Debug)]
pub(in crate::parse) enum Form {
    /// An address without a port of its own: a word, a socket or a literal.
    Base,
    /// An address: as [`Form::Base`], or a map of `addr` and `port`.
    Address,
    /// A port: a socket's, a number or `closed-port`.
    Port,
    /// A name that the step gives to a socket.
    NewName,
    /// A socket that an earlier step made.
    Socket,
    /// Such names, in a list.
    NewNames,
    /// Sockets that earlier steps made, in a list.
    Sockets,
    /// A socket that an earlier step made, or a peer of the wire: whoever has a port.
    PortHolder,
    /// A whole number within these bounds.
    Int(i64, i64),
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A duration.
    Time,
    /// One word of a list.
    Word(&'static [&'static str]),
    /// Words of a list: one, several with `|` between them, or a YAML list.
    Words(&'static [&'static str]),
    /// As [`Form::Words`], or numbers: flags, or-ed together.
    Bits(&'static [&'static str]),
    /// One word of a list, or a number within these bounds.
    WordOrInt(&'static [&'static str], i64, i64),
    /// The name of a socket option.
    Option,
    /// TCP flags.
    Flags,
    /// A sequence or acknowledgment number, which may count from these variables.
    Number(&'static [&'static str]),
    /// Options of a segment.
    TcpOptions,
    /// A length, or text.
    Payload,
    /// A local end of the wire.
    LocalEnd,
    /// The message of an ICMP error: a word, or `type 3 code 16`.
    Icmp,
    /// A host's address.
    Host,
    /// A peer of the wire or its router, or whom a peer claims to be: a socket, a host.
    Sender,
    /// Into which fragments a packet is cut.
    Cut,
}

/// A key of the map after a verb.
#[derive(Clone, Copy, Debug)]
pub(in crate::parse) struct Key {
    pub name: &'static str,
    pub form: Form,
    pub doc: &'static str,
}

/// A verb: of a socket, of a peer, of the host.
#[derive(Clone, Copy, Debug)]
pub(in crate::parse) struct Verb {
    pub name: &'static str,
    pub doc: &'static str,
    /// Exactly one of these keys is there; none: the verb may stand alone.
    pub needs: &'static [&'static str],
    /// A value that is no map is that of the first key that takes it.
    pub keys: &'static [Key],
    /// Keys that it shares with others of its kind.
    pub common: &'static [Key],
}

impl Verb {
    /// Whether the names of socket options are keys as well.
    pub fn takes_options(&self) -> bool {
        self.name == "setsockopt"
    }

    /// The keys that a value without a key may belong to.
    pub fn short_keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        let (needs, keys) = (self.needs, self.keys);
        let short = move |key: &&Key| needs.is_empty() || needs.contains(&key.name);
        // Which of several keys a socket belongs to, nobody could tell.
        let unclear = move |key: &&Key| matches!(key.form, Form::Socket) && needs.len() > 1;
        keys.iter().filter(short).filter(move |key| !unclear(key))
    }
}
