//! Which packets are kept, and where. Owns the values; their spelling belongs to `options`.

use std::path::PathBuf;

use crate::traffic::group::GroupBy;

/// Settings of a recorder.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The grouping.
    pub group_by: GroupBy,
    /// How the packets of each group are logged, if they are.
    pub log: Option<LogSettings>,
    /// Directory of logged packets.
    pub log_dir: Option<PathBuf>,
    /// Directory of the packets of alerts; by default that of logged packets.
    pub archive_dir: Option<PathBuf>,
    /// Bytes for the heads of the last packets of all traffic, if they are remembered.
    pub ring: Option<u64>,
    /// Bytes of each packet that are remembered.
    pub ring_snaplen: u32,
    /// Bytes on disk at most.
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
    /// Bytes of each packet.
    pub snaplen: u32,
    /// Bytes of a file.
    pub file_size: u64,
    /// Files of a group.
    pub rotations: u32,
}
