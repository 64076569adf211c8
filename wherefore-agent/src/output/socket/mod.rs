//! The agent's socket, to which a view attaches without any privilege. Owns the messages on it, and who may
//! connect: everybody who may write to the socket's file. Refuses to read data from a view.
//!
//! Each message is its length (four bytes, little-endian) and a [`ViewMessage`] in postcard's format. The first
//! message is a greeting. Both ends must have the same version.

mod client;
mod server;

use std::path::Path;

pub use client::{attach, connect};
pub use server::Hub;

use crate::output::reading::ViewMessage;

/// The path of the socket if systemd starts the agent.
pub const USUAL: &str = "/run/wherefore/view.sock";
/// The longest message, in bytes; a longer one is damaged.
const LONGEST: usize = 64 << 20;

/// A message as it is sent.
fn packed(news: &ViewMessage) -> Vec<u8> {
    let mut message = vec![0; 4];
    message = postcard::to_extend(news, message).unwrap_or_default();
    let length = u32::try_from(message.len().saturating_sub(4)).unwrap_or(0);
    if let Some(head) = message.first_chunk_mut() {
        *head = length.to_le_bytes();
    }
    message
}

/// Whether an agent answers at this path.
fn is_answered(path: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::alert::Status;
    use crate::output::reading::Judged;
    use crate::output::sinks::sample;

    #[test]
    fn alerts_arrive_as_they_were_sent() {
        let alert = sample(Status::Firing);
        let judged = Judged { alerts: vec![alert.clone()], groups: 3, ..Judged::default() };
        let message = packed(&ViewMessage::Judged(Box::new(judged)));
        let ViewMessage::Judged(judged) = postcard::from_bytes(&message[4..]).expect("a message")
        else {
            panic!("something else arrived")
        };
        assert_eq!((judged.alerts, judged.groups), (vec![alert], 3));
    }
}
