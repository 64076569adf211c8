//! Packets that wait to be written. A file is opened only for a moment, when enough packets have been
//! collected. Owns the bound on memory, and that a file always ends with a complete packet, even on a full
//! disk.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;

use super::directory::reopen;
use super::losses::Losses;

/// The most waiting bytes of one group.
const MOST_OF_ONE: usize = 16_384;
/// The most waiting bytes of all groups.
const MOST_OF_ALL: usize = 16 << 20;
/// The most groups with waiting packets.
const MOST_GROUPS: usize = 4096;

/// Waiting data by group. Each group has one file to which it is appended.
#[derive(Debug, Default)]
pub(super) struct Pending {
    files: FxHashMap<FlowKey, Growing>,
    bytes: usize,
    /// Data that could not be written, see [`Self::take_failures`].
    failures: Vec<Failure>,
}

#[derive(Debug)]
struct Growing {
    path: PathBuf,
    buffer: Vec<u8>,
    /// The number of packets in the buffer.
    packets: u64,
    /// Whether the buffer is the beginning of the file.
    is_first: bool,
}

/// Bytes that could not be written to a group's file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub(super) group: FlowKey,
    pub(super) bytes: u64,
    /// Whether not even the file's header was written.
    pub(super) is_empty: bool,
}

impl Pending {
    /// Starts a file that was just created.
    pub(super) fn start(&mut self, group: FlowKey, path: &Path, header: Vec<u8>, losses: &Losses) {
        self.make_room(losses);
        self.bytes += header.len();
        let path = path.to_owned();
        self.files.insert(group, Growing { path, buffer: header, packets: 0, is_first: true });
    }

    /// Adds a packet to the file of a group.
    pub(super) fn append(
        &mut self,
        group: FlowKey,
        path: &Path,
        write: impl FnOnce(&mut Vec<u8>),
        losses: &Losses,
    ) {
        if !self.files.contains_key(&group) {
            self.make_room(losses);
        }
        let (buffer, packets, is_first) = (Vec::new(), 0, false);
        let new = || Growing { path: path.to_owned(), buffer, packets, is_first };
        let growing = self.files.entry(group).or_insert_with(new);
        let before = growing.buffer.len();
        write(&mut growing.buffer);
        growing.packets += 1;
        self.bytes += growing.buffer.len() - before;
        if growing.buffer.len() >= MOST_OF_ONE {
            self.write_out(&group, losses);
        }
    }

    /// Writes the buffered data of a group's file.
    pub(super) fn write_out(&mut self, group: &FlowKey, losses: &Losses) {
        if let Some(growing) = self.files.remove(group) {
            self.bytes -= growing.buffer.len();
            self.failures.extend(growing.write(*group, losses));
        }
    }

    /// Drops the buffered data of a group's file, which is about to be removed.
    pub(super) fn abandon(&mut self, group: &FlowKey) {
        if let Some(growing) = self.files.remove(group) {
            self.bytes -= growing.buffer.len();
        }
    }

    /// Writes all waiting data.
    pub(super) fn write_all(&mut self, losses: &Losses) {
        for (group, growing) in self.files.drain() {
            self.failures.extend(growing.write(group, losses));
        }
        self.bytes = 0;
    }

    /// The failures since the last call. Their data takes no space on the disk.
    pub(super) fn take_failures(&mut self) -> Vec<Failure> {
        std::mem::take(&mut self.failures)
    }

    fn make_room(&mut self, losses: &Losses) {
        if self.files.len() >= MOST_GROUPS || self.bytes >= MOST_OF_ALL {
            self.write_all(losses);
        }
    }
}

impl Growing {
    fn write(&self, group: FlowKey, losses: &Losses) -> Option<Failure> {
        let error = self.append().err()?;
        losses.add_disk(self.packets, &self.path, &error);
        let is_empty = self.is_first || error.kind() == io::ErrorKind::NotFound;
        Some(Failure { group, bytes: self.buffer.len() as u64, is_empty })
    }

    /// Appends the buffer to the file, completely or not at all.
    fn append(&self) -> io::Result<()> {
        let mut file = reopen(&self.path)?;
        let whole = file.metadata()?.len();
        file.write_all(&self.buffer).inspect_err(|_| {
            // Later data must not follow half a packet.
            let _ = file.set_len(whole);
        })
    }
}
