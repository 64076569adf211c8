//! The disk: the archive, and how much may be on both directories. Owns the bound.

use std::sync::Arc;

use super::directory::Directory;
use super::losses::Losses;

/// The reason why packets are not written.
const FULL: &str = "the packets of alerts take all the room that is allowed (--evidence-max-size); \
                    move some away and restart";
/// The disk: the archive, and how much may be on both directories.
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

    /// Reserves space; false if there is not enough.
    pub(super) fn take(&mut self, octets: u64) -> bool {
        let is_there = self.used.saturating_add(octets) <= self.most;
        self.used += if is_there { octets } else { 0 };
        is_there
    }

    pub(super) fn give_back(&mut self, octets: u64) {
        self.used = self.used.saturating_sub(octets);
    }

    pub(super) fn say_full(&self, packets: u64) {
        self.losses.add_room(packets, FULL);
    }
}
