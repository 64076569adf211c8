//! The agent's socket, where a view attaches without any privilege. Owns the messages on it and who
//! may connect: whoever may write to the socket's file. Refuses to take anything in.
//!
//! Each message is its length, four bytes, the lowest first, and a [`News`] in postcard's format. The
//! first is a greeting. Both ends must be of the same version.

mod client;
mod server;

use std::path::Path;

pub use client::{attach, connect};
pub use server::Hub;

use crate::output::reading::News;

/// Where an agent that systemd starts has its socket.
pub const USUAL: &str = "/run/wherefore/view.sock";
/// A message of more bytes is damaged.
const LONGEST: usize = 64 << 20;

/// The message on the wire.
fn packed(news: &News) -> Vec<u8> {
    let mut message = vec![0; 4];
    message = postcard::to_extend(news, message).unwrap_or_default();
    let length = u32::try_from(message.len().saturating_sub(4)).unwrap_or(0);
    if let Some(head) = message.first_chunk_mut() {
        *head = length.to_le_bytes();
    }
    message
}

/// Whether an agent answers there.
fn is_answered(path: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(path).is_ok()
}
