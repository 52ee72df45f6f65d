//! Control messages: what recvmsg(2) gives beside the data.

use super::errno::Errno;
use std::net::IpAddr;

/// One control message, by the name of its type.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Control {
    /// `IP_RECVERR`, …; `cmsg 0/8`, level and type, where the harness knows no name.
    pub name: String,
    /// As much of its value as two runs share.
    pub value: ControlValue,
}

/// The value of a control message.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum ControlValue {
    /// Another one in each run (a time), or of a type that the harness does not know.
    Untold,
    /// A number: IP_TTL.
    Number(i64),
    /// The own address that a datagram came to: IP_PKTINFO.
    Host(IpAddr),
    /// An entry of the error queue: `struct sock_extended_err`, `ip(7)`.
    Error {
        /// `ee_errno`; none for 0.
        errno: Option<Errno>,
        /// `ee_origin` by name, `SO_EE_ORIGIN_ICMP`.
        origin: String,
        /// `ee_type` and `ee_code`.
        message: (u8, u8),
        /// `ee_info`: of EMSGSIZE the MTU.
        info: u32,
        /// Who sent the message; none if nobody did.
        offender: Option<IpAddr>,
    },
}
