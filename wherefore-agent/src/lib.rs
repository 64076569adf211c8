//! Wherefore's agent as a library: from packets to alerts.
//!
//! ```text
//! input -> Interval -> detect (facts) -> message (words) -> output
//! ```
//!
//! Everything between `input` and `output` is pure: it uses no clock and no I/O, so that every replay of a
//! capture gives the same output to the byte. ARCHITECTURE.md has the layers and their rules.
#![deny(unsafe_code)]

pub mod attribute;
pub mod command;
pub mod confine;
mod console;
mod descriptors;
pub mod detect;
pub mod evidence;
mod files;
pub mod history;
pub mod input;
pub mod log;
pub mod message;
pub mod options;
pub mod output;
pub mod secret;
pub mod text;
pub mod traffic;
pub mod usage;
