//! The files that packets are being added to: a bounded number of descriptors, each with a buffer.
//! Owns that a file always ends with a whole packet, also on a full disk.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;

use super::directory::reopen;
use super::losses::Losses;

/// Files open at once; the one that was used longest ago is closed for another.
const MOST_OPEN: usize = 256;
/// Octets that wait in a file's buffer.
const BUFFER: usize = 16_384;

/// Open files, by group: of a group, one is.
#[derive(Debug, Default)]
pub(super) struct OpenFiles {
    files: FxHashMap<FlowKey, OpenFile>,
    uses: u64,
    /// What could not be written, see [`Self::take_failures`].
    failures: Vec<Failure>,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    /// Packets in the buffer.
    packets: u64,
    /// Octets in the file, all of whole packets.
    whole: u64,
    last_use: u64,
}

/// Octets that are not in the file of a group after all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub(super) group: FlowKey,
    pub(super) octets: u64,
    /// Not even its beginning is there.
    pub(super) is_empty: bool,
}

impl OpenFiles {
    /// Adds a file that was just made, with its first octets.
    pub(super) fn start(
        &mut self,
        group: FlowKey,
        file: File,
        path: &Path,
        header: Vec<u8>,
        losses: &Losses,
    ) {
        self.make_room(losses);
        let path = path.to_owned();
        let (packets, whole, last_use) = (0, 0, self.uses);
        let new = OpenFile { file, path, buffer: header, packets, whole, last_use };
        self.files.insert(group, new);
    }

    /// Adds a packet to the file of a group, which is opened again if need be.
    pub(super) fn append(
        &mut self,
        group: FlowKey,
        path: &Path,
        write: impl FnOnce(&mut Vec<u8>),
        losses: &Losses,
    ) -> io::Result<()> {
        self.uses += 1;
        if !self.files.contains_key(&group) {
            self.make_room(losses);
            let file = reopen(path)?;
            let whole = file.metadata()?.len();
            let path = path.to_owned();
            let (buffer, packets, last_use) = (Vec::new(), 0, 0);
            let again = OpenFile { file, path, buffer, packets, whole, last_use };
            self.files.insert(group, again);
        }
        let uses = self.uses;
        let Some(open) = self.files.get_mut(&group) else { return Ok(()) };
        write(&mut open.buffer);
        open.packets += 1;
        open.last_use = uses;
        if open.buffer.len() >= BUFFER {
            self.failures.extend(open.flush(group, losses));
        }
        Ok(())
    }

    /// Writes out what waits for a group's file, and closes it.
    pub(super) fn close(&mut self, group: &FlowKey, losses: &Losses) {
        if let Some(mut open) = self.files.remove(group) {
            self.failures.extend(open.flush(*group, losses));
        }
    }

    /// Closes the file of a group without writing what waits: it is about to be removed.
    pub(super) fn abandon(&mut self, group: &FlowKey) {
        self.files.remove(group);
    }

    /// Writes out everything that waits.
    pub(super) fn flush(&mut self, losses: &Losses) {
        for (group, open) in &mut self.files {
            self.failures.extend(open.flush(*group, losses));
        }
    }

    /// What could not be written since the last call: it takes no room on the disk.
    pub(super) fn take_failures(&mut self) -> Vec<Failure> {
        std::mem::take(&mut self.failures)
    }

    fn make_room(&mut self, losses: &Losses) {
        if self.files.len() < MOST_OPEN {
            return;
        }
        let oldest = self.files.iter().min_by_key(|(_, open)| open.last_use);
        if let Some(group) = oldest.map(|(group, _)| *group) {
            self.close(&group, losses);
        }
    }
}

impl OpenFile {
    fn flush(&mut self, group: FlowKey, losses: &Losses) -> Option<Failure> {
        let octets = self.buffer.len() as u64;
        if octets == 0 {
            return None;
        }
        let written = self.file.write_all(&self.buffer);
        let packets = std::mem::take(&mut self.packets);
        self.buffer.clear();
        let Err(error) = written else {
            self.whole += octets;
            return None;
        };
        losses.add_disk(packets, &self.path, &error);
        // What follows must not come after half a packet.
        if let Err(error) = self.file.set_len(self.whole) {
            losses.complain("a packet file ends within a packet", &self.path, &error);
        }
        Some(Failure { group, octets, is_empty: self.whole == 0 })
    }
}
