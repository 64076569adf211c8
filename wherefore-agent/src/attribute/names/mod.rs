//! Names of addresses without asking an outside service: from a user's file, from `/etc/hosts`, and from DNS
//! answers seen on the wire. Owns their precedence. A name is what somebody else claims, and proves nothing.

mod file;
mod learned;
mod message;
pub(super) mod sound;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use rustc_hash::FxHashMap;

use crate::traffic::answers::Answers;
use learned::Learned;

pub use message::read as read_answer;

/// The system's file of hosts.
const HOSTS: &str = "/etc/hosts";

/// The sources of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Files in the format of `/etc/hosts`, which take precedence.
    pub files: Vec<PathBuf>,
    /// Whether `/etc/hosts` is read.
    pub reads_hosts: bool,
    /// Whether names are learned from DNS answers.
    pub learns: bool,
}

/// Names of addresses.
#[derive(Debug, Default)]
pub struct Names {
    fixed: FxHashMap<IpAddr, Arc<str>>,
    learned: Learned,
    learns: bool,
}

impl Names {
    /// Reads the files.
    ///
    /// # Errors
    /// If a file that the user named can't be read.
    pub fn open(settings: &Settings) -> Result<Self> {
        let mut fixed = FxHashMap::default();
        for path in &settings.files {
            file::read(path, &mut fixed)?;
        }
        if settings.reads_hosts
            && let Err(error) = file::read(Path::new(HOSTS), &mut fixed)
        {
            tracing::debug!(
                error = format!("{error:#}"),
                "cannot read /etc/hosts: its names are not shown"
            );
        }
        Ok(Self { fixed, learned: Learned::default(), learns: settings.learns })
    }

    /// Only these names.
    pub fn of_known(names: FxHashMap<IpAddr, Arc<str>>) -> Self {
        Self { fixed: names, ..Self::default() }
    }

    /// The same names, with those that another has learned.
    pub fn with_learned_of(self, other: &mut Self) -> Self {
        Self { learned: std::mem::take(&mut other.learned), ..self }
    }

    /// Learns from the answers of an interval that ended at this time.
    pub fn learn(&mut self, answers: &Answers, end_ns: i64) {
        if !self.learns {
            return;
        }
        for answer in answers.iter() {
            message::read(&answer.message, |name, address, ttl_seconds| {
                self.learned.add(address, name, answer.time_ns, ttl_seconds);
            });
        }
        self.learned.forget(end_ns);
    }

    /// Learns names that an agent recorded in an interval that ended at this time.
    pub fn learn_recorded(&mut self, names: &[(IpAddr, Arc<str>)], end_ns: i64) {
        for (address, name) in names.iter().filter(|_| self.learns) {
            self.learned.add(*address, name, end_ns, 0);
        }
    }

    /// The name of an address.
    pub fn of(&self, address: IpAddr) -> Option<Arc<str>> {
        let address = address.to_canonical();
        self.fixed.get(&address).or_else(|| self.learned.get(address)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_the_file_overrides_a_learned_one() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let mut names = Names { learns: true, ..Names::default() };
        names.learned.add(address, "learned.example", 0, 60);
        assert_eq!(names.of(address).as_deref(), Some("learned.example"));
        assert_eq!(
            names.of("::ffff:192.0.2.1".parse().unwrap()).as_deref(),
            Some("learned.example")
        );
        names.fixed.insert(address, "fixed.example".into());
        assert_eq!(names.of(address).as_deref(), Some("fixed.example"));
    }
}
