//! Reads the options again while the agent runs. Owns which of them can change then; changes nothing itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::load::{LoadError, Loaded, Request, load};
use crate::options::cli::RunArgs;

/// Options that take effect without a restart, by the prefixes of their names.
const LIVE: [&str; 14] = [
    "alert-",
    "anom-",
    "compat",
    "expire-after",
    "filter-",
    "geo",
    "log-dir",
    "loglevel",
    "names",
    "pcap-filter",
    "resolve",
    "sink",
    "slack-",
    "top",
];

/// The input of the process, which is read again.
pub struct Reload {
    request: Request,
    /// The file that was read before; it is an error if it is missing now.
    file: Option<PathBuf>,
    in_force: BTreeMap<String, Vec<OsString>>,
    transfer_interval: Duration,
}

impl Reload {
    /// A reload of these options.
    pub fn new(request: Request, loaded: &Loaded) -> Self {
        let interval = loaded.cli.common().map(|common| common.transfer_interval);
        let transfer_interval = interval.unwrap_or_default();
        let (file, in_force) = (loaded.file.clone(), loaded.values());
        Self { request, file, in_force, transfer_interval }
    }

    /// The files that options name, and the files that contain options.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let texts = self.in_force.values().flatten().filter_map(|text| text.to_str());
        let words = texts.flat_map(|text| text.split([',', '=']));
        let paths = words.map(|word| PathBuf::from(word.strip_prefix("file:").unwrap_or(word)));
        let is_path = |path: &PathBuf| path.is_absolute() || path.exists();
        paths.filter(is_path).chain(self.file.clone()).collect()
    }

    /// Reads arguments, environment and file again. Changes that need a restart are logged and not applied.
    ///
    /// # Errors
    /// All errors at once.
    pub fn read(&mut self) -> Result<RunArgs> {
        let loaded = match load(&self.request) {
            Ok(loaded) => loaded,
            Err(LoadError::Usage(error)) => return Err(error.into()),
            Err(LoadError::Said(error)) => return Err((*error).into()),
        };
        if let Some(gone) = self.file.as_ref().filter(|_| loaded.file.is_none()) {
            bail!("{} was read at the start, but does not exist any more", gone.display());
        }
        self.file.clone_from(&loaded.file);
        let values = loaded.values();
        let is_live = |name: &str| LIVE.iter().any(|live| name.starts_with(live));
        let names = values.keys().chain(self.in_force.keys());
        let changed = names.filter(|name| values.get(*name) != self.in_force.get(*name));
        let mut waiting: Vec<_> = changed.filter(|name| !is_live(name)).collect();
        waiting.sort();
        waiting.dedup();
        if !waiting.is_empty() {
            tracing::warn!(options = ?waiting, "changes of these options take effect after a restart");
        }
        let mut args = loaded
            .cli
            .into_run()
            .context("internal error: the command line has no options of run")?;
        // Durations were converted to numbers of intervals, so the length of an interval must not change.
        args.common.transfer_interval = self.transfer_interval;
        Ok(args)
    }
}
