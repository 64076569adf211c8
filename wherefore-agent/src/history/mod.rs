//! Who transferred what, for weeks, in one file of bounded size. Owns the file: its schema, its bounds, the
//! thread that writes it, and the queries. Refuses to delay an interval, and to lose a byte: traffic that
//! cannot be kept in detail is kept as a sum.
//!
//! The agent passes on each interval. [`Writer`] sums intervals up by minute and [`store`] writes them. As
//! they age, minutes become hours and hours become days ([`tiers`]), with summaries for queries over a long
//! time ([`summaries`]). Everybody who may read the file can [`query`] it while it is being written.
//! docs/history.md has the schema.

pub mod alerts;
pub mod document;
pub mod explain;
pub mod find;
mod fold;
mod minute;
mod names;
mod places;
pub mod query;
mod rows;
pub mod schema;
mod store;
mod summaries;
mod tiers;
pub mod time;
pub mod why;
mod writer;

use std::path::PathBuf;
use std::time::Duration;

pub use fold::Volume;
pub use places::Places;
pub use writer::{Opened, Writer};

/// The file's name in the state directory.
pub const FILE_NAME: &str = "history.db";

/// The file and its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The file.
    pub path: PathBuf,
    /// How long data is kept.
    pub keep: Duration,
    /// The largest size of the file.
    pub most_bytes: u64,
}
