//! Files, ports and calls that the sandbox leaves open. Owns the type; refuses to know who asks.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// Everything the agent needs after attaching.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether the sandbox is on.
    pub is_on: bool,
    /// Files that are read, besides those of the system; also the others in their folders, as files
    /// are replaced by new ones.
    pub read: Vec<PathBuf>,
    /// Files that are written; also the others in their folders, as files are rotated.
    pub written: Vec<PathBuf>,
    /// Folders that are written to.
    pub folders: Vec<PathBuf>,
    /// TCP ports that are connected to; `None` if that can't be known before.
    pub ports: Option<BTreeSet<u16>>,
    /// Whether the open files of other processes are looked at, which Landlock refuses.
    pub looks_into_processes: bool,
    /// Whether programs of the user are started, which would inherit all of this.
    pub starts_programs: bool,
}
