//! A file to which each alert is appended as a line of JSON. Owns its mode, and reopens the file after
//! rotation; refuses to rotate it.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use clap::Args;

use super::settings::Routing;
use super::sink::{Attempt, AttemptFuture, Sink};
use crate::files;
use crate::message::alert::Alert;

/// Settings of a file sink.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    /// The file. Its directory is made if it is missing, but not its parents.
    #[arg(long, value_name = "FILE")]
    pub path: PathBuf,
    /// Which alerts.
    #[command(flatten)]
    pub routing: Routing,
}

impl Settings {
    /// A sink that appends all alerts to this file.
    pub fn to(path: PathBuf) -> Self {
        Self { path, routing: Routing::default() }
    }
}

/// The file of alerts.
pub(super) struct LogFile {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

impl LogFile {
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let path = settings.path.clone();
        if let Some(directory) = path.parent().filter(|path| !path.as_os_str().is_empty()) {
            let shown = directory.display();
            files::make_directory(directory, 0o777)
                .with_context(|| format!("cannot make the log directory {shown}"))?;
        }
        let file = Arc::new(Mutex::new(open(&path)?));
        Ok(Self { path, file })
    }
}

/// Opens the file so that only its owner can read it.
fn open(path: &Path) -> Result<File> {
    files::append(path, 0o600).with_context(|| format!("cannot open {}", path.display()))
}

fn append(path: &Path, file: &Mutex<File>, line: &[u8]) -> Result<()> {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_still_there(path, &file) {
        *file = open(path)?;
    }
    // A single write, so that lines of several agents do not mix.
    let before = file.metadata().map(|metadata| metadata.len());
    let written = file.write_all(line);
    if let (Err(_), Ok(before)) = (&written, before) {
        // A full disk may have cut the line: the next one must not continue it.
        let _ = file.set_len(before);
    }
    written.with_context(|| format!("cannot write to {}", path.display()))
}

/// Whether the path still names the open file. Rotation renames it.
fn is_still_there(path: &Path, file: &File) -> bool {
    let (Ok(named), Ok(open)) = (path.metadata(), file.metadata()) else { return false };
    (named.dev(), named.ino()) == (open.dev(), open.ino())
}

impl Sink for LogFile {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a> {
        let (path, file) = (self.path.clone(), self.file.clone());
        Box::pin(async move {
            let mut line = match serde_json::to_vec(alert) {
                Ok(line) => line,
                Err(error) => return Attempt::Never(error.into()),
            };
            line.push(b'\n');
            let length = line.len();
            // A disk that hangs must not hold up other sinks.
            let written = tokio::task::spawn_blocking(move || append(&path, &file, &line)).await;
            match written {
                Ok(Ok(())) => Attempt::Delivered(format!("{length} bytes written")),
                Ok(Err(error)) => Attempt::later(error),
                Err(error) => Attempt::later(anyhow!(error)),
            }
        })
    }
}
