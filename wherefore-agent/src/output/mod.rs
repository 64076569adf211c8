//! Delivers data to its destinations: the terminal, files and pipes, sinks of alerts, and state that survives
//! a restart. Owns formats and delivery; refuses to compose the text of alerts and to decide what is
//! reported.

pub mod board;
mod counted;
pub mod export;
mod flow_record;
pub mod jsonl;
pub(crate) mod known_names;
pub mod latest;
mod lines;
pub(crate) mod metrics;
pub mod outputs;
mod owners;
pub(crate) mod pipe;
pub mod reading;
pub(crate) mod report;
pub mod schema;
pub(crate) mod shares;
pub mod sinks;
pub mod socket;
pub mod standing;
pub mod state;
pub(crate) mod steady;
pub mod terminal;
pub(crate) mod traces;
pub mod web;
