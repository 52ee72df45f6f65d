//! Floor 0: plain data. No I/O, no YAML, no snapshot library, no operating system.
//!
//! Every other floor speaks in these words: a [`Case`] is a question, its [`Step`]s make [`Call`]s,
//! a call has an [`Outcome`], the wire carries [`Packet`]s, and what happened is a [`Transcript`].

pub mod address;
pub mod call;
pub mod capability;
pub mod case;
pub mod claim;
pub mod control;
pub mod errno;
pub mod flags;
pub mod host;
pub mod icmp;
pub mod limits;
pub mod name;
pub mod option;
pub mod outcome;
pub mod packet;
pub mod peer;
pub mod platform;
pub mod time;
pub mod transcript;
pub mod wire;

pub use address::{AddrBase, AddrExpr, Address, PortExpr};
pub use call::{BadArgs, Call, CallSpec, EpollOp, FcntlOp, How, RecvForm, SendForm, SocketSpec};
pub use capability::Capability;
pub use case::{
    Action, Case, CaseId, Family, Given, ProcessVerb, Row, Show, Step, Times, Topology,
};
pub use claim::Claim;
pub use errno::Errno;
pub use flags::TcpFlags;
pub use name::Name;
pub use option::{OptionKind, OptionRef, OptionValue, SocketOption};
pub use outcome::{Answer, Outcome};
pub use packet::{Packet, PacketBody};
pub use platform::{Platform, Release};
pub use transcript::{Event, Section, StepRecord, Transcript};
