//! State that survives the agent, besides undelivered alerts: the open incidents, so that a restart neither
//! reports them again nor leaves them open forever; and this host's baselines. Owns the directory and one
//! file for each; [`background`] writes them.

mod background;
mod past;

use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::detect::places::SeenPlaces;
use crate::message::alert::Alert;
use crate::traffic::group::KeptGroup;
use crate::traffic::named;
use crate::usage::UsageError;

use background::{Background, private};
pub use past::PastFile;

const FILE_NAME: &str = "incidents.json";
const PLACES: &str = "places.json";

/// The state directory, which only one agent uses.
pub struct State {
    directory: PathBuf,
    incidents: Background,
    places: Background,
    /// A lock that is held as long as this process lives.
    _lock: File,
}

impl State {
    /// Opens the directory; creates it if it is missing, so that only its owner can use it.
    ///
    /// # Errors
    /// If it cannot be created, or another agent uses it.
    pub fn open(directory: &Path) -> Result<Self> {
        let shown = directory.display();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .with_context(|| format!("cannot make the state directory {shown}"))?;
        let lock =
            private(&directory.join("lock")).with_context(|| format!("cannot use {shown}"))?;
        if lock.try_lock().is_err() {
            bail!(UsageError(format!(
                "another agent uses {shown}: give this one another directory with --state-dir"
            )));
        }
        let incidents = Background::new(
            directory.join(FILE_NAME),
            "a restart would report open incidents again",
        );
        let places = Background::new(
            directory.join(PLACES),
            "a restart would report known countries and AS as new again",
        );
        Ok(Self { directory: directory.to_owned(), incidents, places, _lock: lock })
    }

    /// The path of the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file of baselines.
    pub fn past(&self) -> PastFile {
        PastFile::new(&self.directory)
    }

    /// The incidents that an earlier run reported and that had not ended. An unreadable file is renamed,
    /// because it must not keep the agent from starting.
    pub fn incidents(&self) -> Vec<Alert> {
        let path = self.incidents.path();
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "cannot read the open incidents of the last run: they may be reported again");
                return Vec::new();
            }
        };
        let kept = serde_json::from_slice::<Vec<Kept<Alert>>>(&text).map(alerts);
        kept.unwrap_or_else(|error| {
            let aside = path.with_extension("damaged");
            let _ = fs::rename(path, &aside);
            tracing::warn!(%error, aside = %aside.display(), "the file of open incidents is damaged and was renamed: they may be reported again");
            Vec::new()
        })
    }

    /// Stores the open incidents, without waiting for the disk.
    pub fn keep(&mut self, open: &[&Alert]) {
        let kept: Vec<_> = open
            .iter()
            .map(|alert| Kept { alert: *alert, group: KeptGroup::of(&alert.group) })
            .collect();
        match serde_json::to_vec(&kept) {
            Ok(text) => self.incidents.write(text),
            Err(error) => {
                tracing::warn!(%error, "cannot store open incidents: a restart would report them again")
            }
        }
    }

    /// The countries and AS that earlier runs have seen. If there is no such file or it is damaged, learning
    /// starts again.
    pub fn seen_places(&self) -> SeenPlaces {
        let path = self.places.path();
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return SeenPlaces::default(),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "cannot read which countries and AS earlier runs have seen: they may be reported as new");
                return SeenPlaces::default();
            }
        };
        serde_json::from_slice(&text).unwrap_or_else(|error| {
            let aside = path.with_extension("damaged");
            let _ = fs::rename(path, &aside);
            tracing::warn!(%error, aside = %aside.display(), "the file of seen countries and AS is damaged and was renamed: they may be reported as new");
            SeenPlaces::default()
        })
    }

    /// Stores the countries and AS that were seen, without waiting for the disk.
    pub fn keep_places(&mut self, seen: &SeenPlaces) {
        match serde_json::to_vec(seen) {
            Ok(text) => self.places.write(text),
            Err(error) => {
                tracing::warn!(%error, "cannot store which countries and AS were seen: a restart would report them as new")
            }
        }
    }

    /// Waits until everything is written.
    pub fn finish(&mut self) {
        self.places.finish();
        self.incidents.finish();
    }
}

/// An alert with its group, which outputs do not contain.
#[derive(Serialize, Deserialize)]
struct Kept<A> {
    alert: A,
    #[serde(flatten)]
    group: KeptGroup,
}

fn alerts(kept: Vec<Kept<Alert>>) -> Vec<Alert> {
    let alert = |Kept { alert, group }: Kept<Alert>| {
        if alert.group_by.is_by_name() {
            // The group's key contains the digest of one of these names.
            for name in [&alert.src, &alert.dst] {
                named::key_of(name);
            }
        }
        Alert { group: group.at(0), ..alert }
    };
    kept.into_iter().map(alert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::alert::Status;
    use crate::output::sinks::sample;

    #[test]
    fn a_directory_has_one_agent_and_damage_is_put_aside() {
        let directory =
            std::env::temp_dir().join(format!("wherefore-state-{}", std::process::id()));
        let mut state = State::open(&directory).unwrap();
        assert_eq!(state.incidents(), []);
        assert!(State::open(&directory).is_err());
        let alert = sample(Status::Firing);
        state.keep(&[&alert]);
        state.finish();
        assert_eq!(state.incidents(), [alert]);
        fs::write(directory.join(FILE_NAME), "[{").unwrap();
        assert_eq!(state.incidents(), []);
        assert!(directory.join("incidents.damaged").exists());
        drop(state);
        assert!(State::open(&directory).is_ok());
        fs::remove_dir_all(&directory).unwrap();
    }
}
