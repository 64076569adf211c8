//! Which packets are kept, and where. Owns the values; `options` owns their spelling.

use std::path::PathBuf;

use crate::traffic::group::GroupBy;

/// Settings of a recorder.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The grouping.
    pub group_by: GroupBy,
    /// How the packets of each group are logged; `None` if they are not.
    pub log: Option<LogSettings>,
    /// Directory of logged packets.
    pub log_dir: Option<PathBuf>,
    /// Directory of the packets of alerts; by default the same as `log_dir`.
    pub archive_dir: Option<PathBuf>,
    /// The bytes of memory for the latest packets of all traffic; `None` if they are not kept.
    pub ring: Option<u64>,
    /// The number of bytes of each packet that are kept in memory.
    pub ring_snaplen: u32,
    /// The most bytes on disk.
    pub max_size: u64,
}

impl Settings {
    /// Whether any packet is kept.
    pub fn is_on(&self) -> bool {
        self.log.is_some() || self.ring.is_some()
    }
}

/// How packets are logged.
#[derive(Debug, Clone, Copy)]
pub struct LogSettings {
    /// The number of bytes that are kept of each packet.
    pub snaplen: u32,
    /// The most bytes of a file.
    pub file_size: u64,
    /// The most files of a group.
    pub rotations: u32,
}
