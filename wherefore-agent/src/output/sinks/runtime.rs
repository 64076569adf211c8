//! The asynchronous runtime of all sinks. Owns its only thread.

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

/// A runtime with one thread for all sinks.
pub(super) fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("sinks")
        .enable_all()
        .build()
        .context("cannot start the sinks' thread")
}
