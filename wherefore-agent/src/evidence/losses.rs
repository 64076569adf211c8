//! Lost evidence, by reason: always counted, and logged once for each reason. Owns the counters.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The number of packets that are missing in the evidence since the start.
#[derive(Debug, Default)]
pub struct Losses {
    kernel: AtomicU64,
    queue: AtomicU64,
    room: AtomicU64,
    disk: AtomicU64,
    cut: AtomicU64,
    said: Mutex<BTreeSet<String>>,
}

impl Losses {
    /// Packets for which the kernel's ring buffer had no space.
    pub fn kernel(&self) -> u64 {
        self.kernel.load(Ordering::Relaxed)
    }

    /// Packets that arrived faster than they could be written.
    pub fn queue(&self) -> u64 {
        self.queue.load(Ordering::Relaxed)
    }

    /// Packets beyond the bound of the directories or of an alert's files.
    pub fn room(&self) -> u64 {
        self.room.load(Ordering::Relaxed)
    }

    /// Packets that could not be written, for example because of a full disk or a missing permission.
    pub fn disk(&self) -> u64 {
        self.disk.load(Ordering::Relaxed)
    }

    /// Packets of which too few bytes were captured to know their flow.
    pub fn cut(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }

    /// All lost packets.
    pub fn total(&self) -> u64 {
        self.kernel() + self.queue() + self.room() + self.disk() + self.cut()
    }

    pub(super) fn add_cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets the kernel's count, which only grows.
    pub(super) fn set_kernel(&self, packets: u64) {
        if packets > self.kernel.swap(packets, Ordering::Relaxed) && self.is_new("kernel") {
            tracing::warn!(
                packets,
                "evidence lost: packets come faster than the kernel's ring buffer is emptied"
            );
        }
    }

    pub(super) fn add_queue(&self) {
        if self.queue.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("evidence lost: packets come faster than they can be written");
        }
    }

    pub(super) fn add_room(&self, packets: u64, why: &str) {
        self.room.fetch_add(packets, Ordering::Relaxed);
        if packets > 0 && self.is_new(why) {
            tracing::warn!("evidence lost: {why}");
        }
    }

    pub(super) fn add_disk(&self, packets: u64, path: &Path, error: &io::Error) {
        self.disk.fetch_add(packets, Ordering::Relaxed);
        if self.is_new(&format!("disk {}", error.kind())) {
            tracing::warn!(path = %path.display(), %error, "evidence lost: cannot write packets");
        }
    }

    /// Logs that a file could not be moved or removed.
    pub(super) fn complain(&self, what: &str, path: &Path, error: &io::Error) {
        if self.is_new(&format!("{what} {}", error.kind())) {
            tracing::warn!(path = %path.display(), %error, "{what}");
        }
    }

    fn is_new(&self, kind: &str) -> bool {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(kind.to_owned())
    }
}
