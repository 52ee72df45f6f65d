//! Messages between the harness and the processes of a run: a length, then JSON, over the two
//! pipes of the process's standard input and output.

use crate::sys::{Fd, Reply, Request};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// A thread of a process, as the harness counts them.
pub type LaneId = u32;

/// What the harness asks of a process.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Order {
    /// Make this call on that thread; the first call starts it. Answered by [`Told::Reply`].
    Call(LaneId, Request),
    /// Tell whether that thread sleeps in its call.
    Asleep(LaneId),
    /// Tell the own address of this descriptor.
    Address(Fd),
    /// Make a copy of this descriptor for the process of this number, and tell what it needs to
    /// take it: `WSAPROTOCOL_INFOW`.
    Duplicate(Fd, u32),
    /// Take a copy that another process has made, and tell its number here.
    Adopt(Vec<u8>),
    /// Call exit(0).
    Exit,
    /// End as a bug would end it.
    Crash(Crash),
}

/// How a process ends itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Crash {
    /// By an access to an unmapped address: what SIGSEGV is elsewhere.
    Segv,
    /// By abort().
    Abort,
}

/// What a process says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Told {
    /// The end of a call.
    Reply(LaneId, Reply),
    /// The answer to any other order, as JSON of its own: answers come in the order of orders.
    Answer(serde_json::Value),
}

/// A message never is larger: a payload's bytes as decimal numbers.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Writes one message, in one write.
///
/// # Errors
/// The system's error; the other end is gone.
pub fn send<T: Serialize>(mut stream: impl Write, message: &T) -> io::Result<()> {
    let mut frame = vec![0; size_of::<u32>()];
    serde_json::to_writer(&mut frame, message)?;
    let len = (frame.len() - size_of::<u32>()) as u32;
    frame[..size_of::<u32>()].copy_from_slice(&len.to_ne_bytes());
    stream.write_all(&frame)
}

/// Reads one message.
///
/// # Errors
/// The system's error; the other end is gone.
pub fn receive<T: DeserializeOwned>(mut stream: impl Read) -> io::Result<T> {
    let mut len = [0; size_of::<u32>()];
    stream.read_exact(&mut len)?;
    let len = u32::from_ne_bytes(len) as usize;
    if len > MESSAGE_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; len];
    stream.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use super::{Order, receive, send};

    #[test]
    fn messages_come_as_they_went() {
        let orders = [Order::Duplicate(188, 4711), Order::Exit];
        let mut pipe = Vec::new();
        for order in &orders {
            send(&mut pipe, order).unwrap();
        }
        let mut rest = &pipe[..];
        let come: Vec<Order> = (0..2).map(|_| receive(&mut rest).unwrap()).collect();
        assert_eq!(come, orders);
        assert!(rest.is_empty());
    }
}
