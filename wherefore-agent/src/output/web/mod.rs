//! The HTTP listener: metrics, health, the JSON interface and a page. Owns the listener, its access control,
//! and every limit. Refuses to change anything, and to make the agent wait: the agent puts the newest
//! interval on the [`Board`](super::board::Board), where all requests read it.

mod access;
mod api;
mod lists;
mod openapi;
mod page;
mod past;
mod server;
mod source;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use server::Listener;

/// The listener's address, and who may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The address and port.
    pub listen: SocketAddr,
    /// The file with the token that every request needs.
    pub token_file: Option<PathBuf>,
    /// The file of the history, if there is one.
    pub history: Option<PathBuf>,
}
