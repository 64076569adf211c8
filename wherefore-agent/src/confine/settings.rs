//! The files, ports and calls that the sandbox allows. Owns the type; refuses to know who needs them.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// Everything the agent needs after attaching.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether the sandbox is on.
    pub is_on: bool,
    /// Files that are read, besides those of the system. Other files in their folders are allowed too,
    /// because files are replaced by new ones.
    pub read: Vec<PathBuf>,
    /// Files that are written. Other files in their folders are allowed too, because files are rotated.
    pub written: Vec<PathBuf>,
    /// Folders in which files are written.
    pub folders: Vec<PathBuf>,
    /// TCP ports to connect to; `None` if they cannot be known in advance.
    pub ports: Option<BTreeSet<u16>>,
    /// Whether the open files of other processes are read, which Landlock would deny.
    pub looks_into_processes: bool,
    /// Whether the user's programs are started, which would inherit all restrictions.
    pub starts_programs: bool,
}
