//! `wherefore_anomalies.log`: every alert as a line of JSON, appended.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Delivery, Sink};
use crate::alert::Alert;

const FILE_NAME: &str = "wherefore_anomalies.log";

/// The log of alerts.
pub(super) struct LogFile {
    file: File,
}

impl LogFile {
    /// Opens the log in a directory, which is made where it is missing. Only its owner may read
    /// it.
    pub(super) fn open(directory: &Path) -> Result<Self> {
        let shown = directory.display();
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot make the log directory {shown}"))?;
        let path = directory.join(FILE_NAME);
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self { file })
    }
}

impl Sink for LogFile {
    fn name(&self) -> &'static str {
        "log file"
    }

    fn deliver<'a>(&'a mut self, alert: &'a Alert) -> Delivery<'a> {
        Box::pin(async move {
            let mut line = serde_json::to_vec(alert)?;
            line.push(b'\n');
            // One write, so that lines of several agents don't mix.
            self.file.write_all(&line).context("cannot write the log of alerts")
        })
    }
}
