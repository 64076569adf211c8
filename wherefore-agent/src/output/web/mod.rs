//! What is served over HTTP: metrics, health, the JSON interface and a page. Owns the listener, who
//! may ask, and every limit. Refuses to change anything, and to make the agent wait: it leaves the
//! newest interval at the [`Board`](super::board::Board), and whoever asks reads there.

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

/// Where is listened, and who may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The address and port.
    pub listen: SocketAddr,
    /// The file that holds the token which every request needs.
    pub token_file: Option<PathBuf>,
    /// The file of the history, where one is kept.
    pub history: Option<PathBuf>,
}
