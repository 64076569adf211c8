//! The runtime of sinks. Owns their one thread.

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

/// A thread for all of them.
pub(super) fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("sinks")
        .enable_all()
        .build()
        .context("cannot start the sinks' thread")
}
