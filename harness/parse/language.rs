//! The words of the case language, as tables: the parser reads by them, its messages list them,
//! and the schema is printed from them.

mod form;
pub(super) mod wire;

pub(super) use form::{Form, Key, Verb};

use crate::model::call::{
    ACCEPT_FLAGS, EPOLL_EVENTS, EpollOp, FcntlOp, IOCTLS, MSG_FLAGS, POLL_EVENTS,
};
use crate::model::limits::{BUFFERS_MAX, OPTION_VALUE_MAX, PAYLOAD_BYTES_MAX, TIMES_MAX};
use crate::model::option::{Level, TCP_INFO_FIELDS};

/// The keys of a case in the order in which they stand, each with what it is for.
pub(super) const HEADER: &[(&str, &str)] = &[
    ("about", "The question, in words. Required."),
    ("spec", "References: [RFC 1122 §4.2.2.13]."),
    ("covers", "Ids of the behaviours and article situations that the case answers."),
    ("tags", "Words to select cases by: run --tag WORD."),
    ("topology", "loopback: both ends are local sockets. wire: the far end is scripted."),
    ("family", "Address families to run under: [4] (default), [6] or [4, 6]."),
    ("given", "The state brought about before recording starts."),
    ("needs", "What the machine must be able to do beyond the topology's needs."),
    ("settings", "Settings to pin, by platform: {linux: {net.ipv4.tcp_syn_retries: 1}}."),
    ("matrix", "Lists of values: every combination runs, `$name` in steps is the value."),
    ("processes", "Child processes with the sockets that live in them."),
    ("show", "What the transcript shows beyond the usual, or leaves out."),
    ("patience", "How long a call without `blocks: true` may stay inside; 3s unless given."),
    ("deadline", "How long a run may take; 10s unless given."),
    ("claims", "What somebody says happens. Judged against records, never part of a run."),
    ("steps", "What is done, one step after another. Required."),
];

const fn key(name: &'static str, form: Form, doc: &'static str) -> Key {
    Key { name, form, doc }
}

const fn verb(
    name: &'static str,
    doc: &'static str,
    needs: &'static [&'static str],
    keys: &'static [Key],
) -> Verb {
    Verb { name, doc, needs, keys, common: COMMON }
}

/// The words of a table of values and words.
const fn words<T, const N: usize>(table: &[(T, &'static str); N]) -> [&'static str; N] {
    let mut words = [""; N];
    let mut i = 0;
    while i < N {
        words[i] = table[i].1;
        i += 1;
    }
    words
}

const INT_MIN: i64 = i32::MIN as i64;
const INT_MAX: i64 = i32::MAX as i64;
const BYTES_MAX: i64 = PAYLOAD_BYTES_MAX as i64;

const TIMED: Key = key("timed", Form::Flag, "How long it takes is part of the record, in bands.");

const TIMES: Key = key(
    "times",
    Form::WordOrInt(&["until-error"], 1, TIMES_MAX as i64),
    "How often the call is made, or `until-error`.",
);

/// Keys of the map of every socket's verb.
pub(super) const COMMON: &[Key] = &[
    key("blocks", Form::Flag, "The call belongs to a second thread: the case goes on without it."),
    TIMED,
    TIMES,
    key("for", Form::Time, "How long this call may stay inside, in place of `patience`."),
    key("fd", Form::Int(INT_MIN, INT_MAX), "This descriptor number instead of the socket's."),
    key("addrlen", Form::Int(INT_MIN, INT_MAX), "This address length instead of the right one."),
    key("buf", Form::Word(&["bad"]), "bad: an unmapped address instead of a buffer."),
];

/// The address families of `socket`.
pub(super) const DOMAINS: &[&str] = &["AF_INET", "AF_INET6", "AF_UNIX"];
/// The types of `socket`: the headers' names, then the short words.
pub(super) const TYPES: &[&str] = &[
    "SOCK_STREAM",
    "SOCK_DGRAM",
    "SOCK_SEQPACKET",
    "SOCK_RAW",
    "tcp",
    "udp",
    "unix-stream",
    "unix-dgram",
    "unix-seqpacket",
    "tcp4",
    "tcp6",
    "udp4",
    "udp6",
];
/// Words for an address, each with its meaning.
pub(super) const ADDRESS_WORDS: &[(&str, &str)] = &[
    ("loopback", "127.0.0.1 or ::1; for AF_UNIX a path that the harness chooses"),
    ("any", "0.0.0.0 or ::"),
    ("local", "our own address on the wire"),
    ("peer", "the scripted peer's address on the wire"),
    ("closed-port", "a port that nobody listens on"),
    ("unspec", "AF_UNSPEC: dissolves the association of a connected datagram socket"),
    ("bad", "an unmapped address"),
];

const LEVELS: &[&str] = &words(&Level::NAMED);
const FCNTL: &[&str] = &words(&FcntlOp::ALL);
/// The operations of `epoll_ctl`.
pub(super) const EPOLL_OPS: &[&str] = &words(&EpollOp::ALL);
const HOWS: &[&str] = &["rd", "wr", "rdwr"];

const ADDR: Key = key("addr", Form::Base, "The address.");
const PORT: Key = key("port", Form::Port, "The port: NAME (of that socket), closed-port, 0, N.");
const LEN: Key = key("len", Form::Int(0, BYTES_MAX), "That many bytes.");
const DATA: Key = key("data", Form::Text, "This text.");
const FLAGS: Key = key("flags", Form::Bits(MSG_FLAGS), "MSG_… flags, or numbers.");
const TO: Key = key("to", Form::Address, "Where to.");
const SHOW: Key = key("show", Form::Word(&["data"]), "data: the data is part of the record.");
const TIMEOUT: Key = key("timeout", Form::Time, "How long to wait; not at all unless given.");
const EPOLL: Key = key("events", Form::Words(EPOLL_EVENTS), "EPOLL… events and input flags.");

const OPTION: Key = key("option", Form::Option, "The option; beside a level its number.");
const LEVEL: Key = key(
    "level",
    Form::WordOrInt(LEVELS, INT_MIN, INT_MAX),
    "SOL_SOCKET, IPPROTO_…, N: the level of an option that is given by number.",
);

const SHOW_ADDRLEN: &[Key] = &[key(
    "show",
    Form::Word(&["addrlen"]),
    "addrlen: the address length that the call tells is part of the record.",
)];

const IOV: Key = key(
    "iov",
    Form::Int(0, BUFFERS_MAX as i64),
    "The data is in so many buffers; in one unless given.",
);

const SEND: &[Key] = &[LEN, DATA, FLAGS, TO];
const SENDMSG: &[Key] = &[
    LEN,
    DATA,
    FLAGS,
    TO,
    IOV,
    key("fds", Form::Sockets, "These sockets' descriptors go along: SCM_RIGHTS."),
];
const WRITE: &[Key] = &[LEN, DATA];
const WRITEV: &[Key] = &[LEN, DATA, IOV];
const RECV: &[Key] = &[LEN, FLAGS, SHOW];
const RECVMSG: &[Key] = &[
    LEN,
    FLAGS,
    key("show", Form::Words(&["data", "control"]), "The data, or control messages: recorded too."),
    IOV,
    key(
        "fds",
        Form::NewNames,
        "Names for the descriptors that come along; there is room for so many.",
    ),
];
const READ: &[Key] = &[LEN, SHOW];
const READV: &[Key] = &[LEN, SHOW, IOV];
const PAYLOAD: &[&str] = &["len", "data"];

/// Every verb of a socket, in the order of a connection's life.
pub(super) const VERBS: &[Verb] = &[
    verb(
        "socket",
        "socket(2): makes the subject. tcp, udp, unix-stream … or a map.",
        &["type"],
        &[
            key("type", Form::WordOrInt(TYPES, INT_MIN, INT_MAX), "tcp, udp, unix-…, SOCK_…, N."),
            key("domain", Form::WordOrInt(DOMAINS, INT_MIN, INT_MAX), "AF_…, N; that of the run."),
            key("protocol", Form::Int(INT_MIN, INT_MAX), "The protocol number; 0 unless given."),
            key("nonblock", Form::Flag, "O_NONBLOCK from the start."),
        ],
    ),
    verb("bind", "bind(2) to an address.", &["addr"], &[ADDR, PORT]),
    verb(
        "listen",
        "listen(2) with this backlog.",
        &["backlog"],
        &[key("backlog", Form::Int(INT_MIN, INT_MAX), "The backlog.")],
    ),
    verb("connect", "connect(2) to an address.", &["addr"], &[ADDR, PORT]),
    verb(
        "accept",
        "accept(2): makes the socket of this name, `conn` unless given.",
        &[],
        &[
            key("name", Form::NewName, "The new socket's name."),
            key("flags", Form::Bits(ACCEPT_FLAGS), "Flags of accept4(2), or numbers."),
            key(
                "show",
                Form::Words(&["address", "addrlen"]),
                "Whose call it was, or the address length that accept() tells: recorded too.",
            ),
        ],
    ),
    verb("send", "send(2): a length, or text in quotes.", PAYLOAD, SEND),
    verb("sendto", "sendto(2): a length, or text in quotes.", PAYLOAD, SEND),
    verb("sendmsg", "sendmsg(2): a length, or text in quotes.", PAYLOAD, SENDMSG),
    verb("write", "write(2): a length, or text in quotes.", PAYLOAD, WRITE),
    verb("writev", "writev(2): a length, or text in quotes.", PAYLOAD, WRITEV),
    verb("sendfile", "sendfile(2): so much of a file; a length, or text.", PAYLOAD, WRITE),
    verb("recv", "recv(2) into a buffer of that many bytes.", &["len"], RECV),
    verb("recvfrom", "recvfrom(2) into a buffer of that many bytes.", &["len"], RECV),
    verb("recvmsg", "recvmsg(2) into a buffer of that many bytes.", &["len"], RECVMSG),
    verb("read", "read(2) into a buffer of that many bytes.", &["len"], READ),
    verb("readv", "readv(2) into a buffer of that many bytes.", &["len"], READV),
    verb(
        "shutdown",
        "shutdown(2): rd, wr or rdwr.",
        &["how"],
        &[key("how", Form::WordOrInt(HOWS, INT_MIN, INT_MAX), "rd, wr, rdwr, or a number.")],
    ),
    verb("close", "close(2).", &[], &[]),
    verb(
        "dup",
        "dup(2): makes the socket of this name.",
        &["name"],
        &[key("name", Form::NewName, "The new socket's name.")],
    ),
    verb(
        "fcntl",
        "fcntl(2): O_NONBLOCK, ~O_NONBLOCK, F_GETFL or F_GETFD.",
        &["cmd"],
        &[key("cmd", Form::Word(FCNTL), "What to do.")],
    ),
    verb(
        "chmod",
        "chmod(2) of the path that an AF_UNIX socket is bound to: \"600\".",
        &["mode"],
        &[key("mode", Form::Text, "Three octal digits in quotes.")],
    ),
    verb(
        "ioctl",
        "ioctl(2): FIONREAD, SIOCATMARK or SIOCOUTQ.",
        &["request"],
        &[key("request", Form::Word(IOCTLS), "What to ask.")],
    ),
    verb(
        "setsockopt",
        "setsockopt(2): one call for each option, in order.",
        &[],
        &[
            LEVEL,
            OPTION,
            key("value", Form::Int(-1, OPTION_VALUE_MAX), "Beside a level: the value, an int."),
        ],
    ),
    verb(
        "getsockopt",
        "getsockopt(2): an option's name.",
        &["option"],
        &[
            OPTION,
            LEVEL,
            key("show", Form::Words(TCP_INFO_FIELDS), "Fields of TCP_INFO: recorded too."),
        ],
    ),
    verb("getsockname", "getsockname(2).", &[], SHOW_ADDRLEN),
    verb("getpeername", "getpeername(2).", &[], SHOW_ADDRLEN),
    verb(
        "poll",
        "poll(2): POLLIN and POLLOUT without waiting, unless it says more.",
        &[],
        &[key("events", Form::Words(POLL_EVENTS), "POLL… events to ask for."), TIMEOUT],
    ),
    verb(
        "select",
        "select(2): all three sets, without waiting unless it says so.",
        &[],
        &[TIMEOUT],
    ),
    verb("epoll_create", "epoll_create1(2): makes the subject.", &[], &[]),
    verb(
        "epoll_ctl",
        "epoll_ctl(2): {add: client, events: [EPOLLIN]}.",
        EPOLL_OPS,
        &[
            key("add", Form::Socket, "The socket to watch."),
            key("mod", Form::Socket, "The socket to watch for other events."),
            key("del", Form::Socket, "The socket to watch no longer."),
            EPOLL,
        ],
    ),
    verb("epoll_wait", "epoll_wait(2), without waiting unless it says so.", &[], &[TIMEOUT]),
];

/// What can be done to a process, each with its meaning.
pub(super) const PROCESS_VERBS: &[(&str, &str)] = &[
    ("kill", "Sends a signal: SIGKILL. The step ends when the process is gone."),
    ("setrlimit", "{RLIMIT_NOFILE: 1}: descriptors of this number and above cannot be made."),
    ("drop", "capabilities: the process gives up all that it may do beyond others, for good."),
    ("setuid", "nobody: the process becomes this user, for good."),
    ("exit", "The process calls exit(0)."),
    ("wait", "Its end is awaited and told."),
];

/// Steps without a subject.
pub(super) const BARE_STEPS: &[Verb] = &[
    Verb { name: "pause", doc: "Time passes.", needs: &["for"], keys: BARE, common: &[] },
    Verb {
        name: "silence",
        doc: "Time passes, and that nothing was sent (or what was) is recorded.",
        needs: &["for"],
        keys: BARE,
        common: &[],
    },
    Verb {
        name: "signal",
        doc: "The thread that is inside this socket's call gets a signal with a handler.",
        needs: &["to"],
        keys: &[
            key("to", Form::Socket, "The socket; of several calls inside, the one begun last."),
            key("flags", Form::Words(&[SA_RESTART]), "SA_RESTART: how the handler is installed."),
        ],
        common: &[],
    },
];
/// The one flag of `sigaction` that decides what becomes of a call.
const SA_RESTART: &str = "SA_RESTART";
const BARE: &[Key] = &[key("for", Form::Time, "How long."), TIMED];

/// Socket names that cases use by convention: editors propose them, any other is as good.
pub(super) const USUAL_NAMES: &[&str] =
    &["client", "server", "conn", "listener", "a", "b", "c", "d", "u", "ep"];
/// The usual name of a process.
pub(super) const USUAL_PROCESS: &str = "worker";
