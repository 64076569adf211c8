//! The archive directory, and the space that evidence may use in both directories. Owns this bound.

use std::sync::Arc;

use super::directory::Directory;
use super::losses::Losses;

/// Logged if packets are not written because the bound is reached.
const FULL: &str = "the packets of alerts take all the room that is allowed (--evidence-max-size); \
                    move some away and restart";
/// The archive directory, and the space that evidence may use in both directories.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) archive: Directory,
    pub(super) losses: Arc<Losses>,
    pub(super) used: u64,
    most: u64,
}

impl Disk {
    pub(super) fn new(archive: Directory, most: u64, losses: Arc<Losses>) -> Self {
        Self { archive, losses, used: 0, most }
    }

    /// Reserves space; returns false if there is not enough.
    pub(super) fn take(&mut self, bytes: u64) -> bool {
        let is_there = self.used.saturating_add(bytes) <= self.most;
        self.used += if is_there { bytes } else { 0 };
        is_there
    }

    pub(super) fn give_back(&mut self, bytes: u64) {
        self.used = self.used.saturating_sub(bytes);
    }

    pub(super) fn warn_full(&self, packets: u64) {
        self.losses.add_room(packets, FULL);
    }
}
