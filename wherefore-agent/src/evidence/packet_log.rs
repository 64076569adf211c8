//! Logs the packets of each tracked group to rotated pcap files: normally in the directory for incoming
//! packets, and in the archive during an incident about the group. Owns which group has which files, and
//! their bounds.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::PathBuf;

use rustc_hash::FxHashMap;
use wherefore_common::{FlowKey, LinkType};

use super::directory::{Directory, Kind, archived, incoming, stamp, stem};
use super::disk::Disk;
use super::packet::{PCAP_HEADER, PCAP_RECORD, Packet, pcap_header, pcap_record};
use super::pending::Pending;

use crate::traffic::group::{GroupBy, reversed};

/// The most groups with files.
const MOST_GROUPS: usize = 16_384;
/// Logged when all files of an incident are full.
const CASE_IS_FULL: &str =
    "the files of an alert are full (--max-pcap-rotations, --max-pcap-log-size)";

/// How packets are logged.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogOptions {
    pub(super) group_by: GroupBy,
    /// The number of bytes that are kept of each packet.
    pub(super) snaplen: u32,
    /// The most bytes of a file.
    pub(super) file_size: u64,
    /// The most files of a group.
    pub(super) rotations: u32,
}

/// The files of all groups.
#[derive(Debug)]
pub(super) struct PacketLog {
    options: LogOptions,
    directory: Directory,
    groups: FxHashMap<FlowKey, Group>,
    /// Groups without an alert, ordered by their last use.
    order: BTreeMap<u64, FlowKey>,
    uses: u64,
    pending: Pending,
}

#[derive(Debug)]
struct Group {
    stem: String,
    pieces: VecDeque<Piece>,
    /// Number of the next file.
    next: u32,
    /// The series that it stands for, each with the time of its last packet.
    seen: Vec<(FlowKey, i64)>,
    last_use: u64,
    case: Option<Case>,
}

/// One file.
#[derive(Debug)]
struct Piece {
    path: PathBuf,
    size: u64,
    packets: u64,
    link: LinkType,
}

/// The state of a group during incidents.
#[derive(Debug)]
struct Case {
    stamp: String,
    /// The incidents that are not over.
    incidents: Vec<FlowKey>,
    /// All its files in the archive.
    paths: Vec<PathBuf>,
    /// The number of files that may still be added.
    room: u32,
}

impl PacketLog {
    pub(super) fn new(options: LogOptions, directory: Directory) -> Self {
        Self {
            options,
            directory,
            groups: FxHashMap::default(),
            order: BTreeMap::new(),
            uses: 0,
            pending: Pending::default(),
        }
    }

    /// Removes files that a killed agent left for groups without an alert.
    pub(super) fn remove_stale(&self, disk: &Disk) {
        let stale = self.directory.survey().unwrap_or_default();
        let mut removed = 0;
        for (path, _, _) in stale.iter().filter(|(_, kind, _)| *kind == Kind::Incoming) {
            match fs::remove_file(path) {
                Ok(()) => removed += 1,
                Err(error) => disk.losses.complain("cannot remove old packets", path, &error),
            }
        }
        if removed > 0 {
            tracing::info!(removed, "removed packet files that a killed agent left");
        }
    }

    /// The directory of incoming packets.
    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The group whose files contain the packets of both directions of a group.
    fn both_ways(&self, group: &FlowKey) -> FlowKey {
        let group = FlowKey { ifindex: 0, ..*group };
        match self.options.group_by {
            GroupBy::Pair | GroupBy::Flow => group.min(reversed(&group)),
            _ => group,
        }
    }

    /// Adds a packet to the file of its group.
    pub(super) fn add(&mut self, packet: &Packet<'_>, disk: &mut Disk) {
        let captured = packet.bytes.len().min(self.options.snaplen as usize);
        let packet = Packet { bytes: &packet.bytes[..captured], ..*packet };
        let series = self.options.group_by.key(&packet.facts.flow);
        let key = self.both_ways(&series);
        self.touch(key, series, packet.facts.time_ns, disk);
        let len = (PCAP_RECORD + captured) as u64;
        let is_ready = self.has_piece_for(&key, len, packet.facts.link)
            || self.start_piece(&key, packet.facts.link, disk);
        if !is_ready || !self.reserve(&key, len, disk) {
            return;
        }
        let Some(piece) = self.groups.get_mut(&key).and_then(|group| group.pieces.back_mut())
        else {
            return;
        };
        piece.size += len;
        piece.packets += 1;
        let write = |out: &mut Vec<u8>| pcap_record(out, &packet);
        self.pending.append(key, &piece.path, write, &disk.losses);
        self.settle_failures(disk);
    }

    /// Records the use of a group. For a new group, removes another one if there are too many.
    fn touch(&mut self, key: FlowKey, series: FlowKey, time_ns: i64, disk: &mut Disk) {
        if !self.groups.contains_key(&key) && self.groups.len() >= MOST_GROUPS {
            self.forget_oldest(None, disk);
        }
        self.uses += 1;
        let uses = self.uses;
        let group_by = self.options.group_by;
        let group = self.groups.entry(key).or_insert_with(|| Group {
            stem: stem(group_by, &key),
            pieces: VecDeque::new(),
            next: 0,
            seen: Vec::new(),
            last_use: uses,
            case: None,
        });
        match group.seen.iter_mut().find(|(seen, _)| *seen == series) {
            Some((_, last)) => *last = time_ns.max(*last),
            None => group.seen.push((series, time_ns)),
        }
        if group.case.is_none() {
            self.order.remove(&group.last_use);
            self.order.insert(uses, key);
        }
        group.last_use = uses;
    }

    fn has_piece_for(&self, key: &FlowKey, len: u64, link: LinkType) -> bool {
        let piece = self.groups.get(key).and_then(|group| group.pieces.back());
        piece.is_some_and(|piece| piece.link == link && piece.size + len <= self.options.file_size)
    }

    /// Continues with the group's next file.
    fn start_piece(&mut self, key: &FlowKey, link: LinkType, disk: &mut Disk) -> bool {
        self.pending.write_out(key, &disk.losses);
        self.settle_failures(disk);
        self.drop_rotated(key, disk);
        if !self.reserve(key, PCAP_HEADER as u64, disk) {
            return false;
        }
        let Some(group) = self.groups.get_mut(key) else { return false };
        if let Some(Case { room: 0, .. }) = group.case {
            disk.give_back(PCAP_HEADER as u64);
            disk.losses.add_room(1, CASE_IS_FULL);
            return false;
        }
        let made = match &group.case {
            None => self.directory.create(group.next, |number| incoming(&group.stem, number)),
            Some(case) => {
                let name = |number| archived(&group.stem, &case.stamp, number, "pcap");
                disk.archive.create(group.next, name)
            }
        };
        let (number, path, _) = match made {
            Ok(made) => made,
            Err(error) => {
                disk.give_back(PCAP_HEADER as u64);
                let path = self.directory.path_of(&group.stem);
                disk.losses.add_disk(1, &path, &error);
                return false;
            }
        };
        group.next = number + 1;
        if let Some(case) = &mut group.case {
            case.room -= 1;
            case.paths.push(path.clone());
        }
        let header = pcap_header(link, self.options.snaplen);
        self.pending.start(*key, &path, header, &disk.losses);
        group.pieces.push_back(Piece { path, size: PCAP_HEADER as u64, packets: 0, link });
        true
    }

    /// Removes the oldest files of a group without an alert, so that the next one can be written.
    fn drop_rotated(&mut self, key: &FlowKey, disk: &mut Disk) {
        let Some(group) = self.groups.get_mut(key).filter(|group| group.case.is_none()) else {
            return;
        };
        while group.pieces.len() >= self.options.rotations as usize {
            let Some(piece) = group.pieces.pop_front() else { return };
            remove(&piece, disk);
        }
    }

    /// Reserves space on the disk. If necessary, removes files of groups without an alert.
    fn reserve(&mut self, key: &FlowKey, bytes: u64, disk: &mut Disk) -> bool {
        while !disk.take(bytes) {
            if !self.forget_oldest(Some(key), disk) {
                disk.warn_full(1);
                return false;
            }
        }
        true
    }

    /// Removes the files of the least recently used group without an alert; returns false if there is none.
    pub(super) fn forget_oldest(&mut self, but: Option<&FlowKey>, disk: &mut Disk) -> bool {
        let mut all = self.order.values();
        let Some(oldest) = all.find(|key| Some(*key) != but).copied() else { return false };
        self.forget(&oldest, disk);
        true
    }

    /// Forgets a group. Its files are removed unless they are in the archive.
    fn forget(&mut self, key: &FlowKey, disk: &mut Disk) {
        let Some(group) = self.groups.remove(key) else { return };
        self.order.remove(&group.last_use);
        if group.case.is_some() {
            self.pending.write_out(key, &disk.losses);
            return;
        }
        self.pending.abandon(key);
        group.pieces.iter().for_each(|piece| remove(piece, disk));
    }

    /// Moves the files of a group to the archive. Its later packets are written there too.
    pub(super) fn report(&mut self, group: &FlowKey, time: &str, disk: &mut Disk) {
        let key = self.both_ways(group);
        self.pending.write_out(&key, &disk.losses);
        self.settle_failures(disk);
        let rotations = self.options.rotations;
        let Some(found) = self.groups.get_mut(&key) else { return };
        let case = match &mut found.case {
            Some(case) => case,
            none => {
                self.order.remove(&found.last_use);
                none.insert(Case {
                    stamp: stamp(time),
                    incidents: Vec::new(),
                    paths: Vec::new(),
                    room: rotations,
                })
            }
        };
        if !case.incidents.contains(group) {
            case.incidents.push(*group);
        }
        if !case.paths.is_empty() {
            return;
        }
        for (number, piece) in found.pieces.drain(..).enumerate() {
            let name = |number| archived(&found.stem, &case.stamp, number, "pcap");
            let moved = disk.archive.take(&piece.path, number as u32, name).or_else(|error| {
                disk.losses.complain("cannot move packets to the archive", &piece.path, &error);
                // It can stay in this directory, under a name that is not removed at the next start.
                self.directory.take(&piece.path, number as u32, name)
            });
            match moved {
                Ok((_, path)) => case.paths.push(path),
                Err(error) => {
                    disk.losses.add_disk(piece.packets, &piece.path, &error);
                    remove(&piece, disk);
                }
            }
        }
        found.next = case.paths.len() as u32;
    }

    /// The files of an incident about this group in the archive.
    pub(super) fn paths(&self, group: &FlowKey) -> Vec<PathBuf> {
        let found = self.groups.get(&self.both_ways(group));
        let case = found.and_then(|found| found.case.as_ref());
        case.map_or(Vec::new(), |case| case.paths.clone())
    }

    /// Ends an incident. If there is no other one, packets of the group are logged as incoming again.
    pub(super) fn resolved(&mut self, group: &FlowKey, disk: &mut Disk) {
        let key = self.both_ways(group);
        let Some(found) = self.groups.get_mut(&key) else { return };
        let Some(case) = &mut found.case else { return };
        case.incidents.retain(|incident| incident != group);
        if !case.incidents.is_empty() {
            return;
        }
        found.case = None;
        found.pieces.clear();
        found.next = 0;
        let is_forgotten = found.seen.is_empty();
        self.order.insert(found.last_use, key);
        self.pending.write_out(&key, &disk.losses);
        if is_forgotten {
            self.forget(&key, disk);
        }
        self.settle_failures(disk);
    }

    /// Forgets a series, and its group too, unless that had packets since then or has another series.
    pub(super) fn expired(&mut self, series: &FlowKey, now_ns: i64, disk: &mut Disk) {
        let key = self.both_ways(series);
        let Some(group) = self.groups.get_mut(&key) else { return };
        group.seen.retain(|(seen, last)| seen != series || *last > now_ns);
        // An incident may outlast the traffic; its files stay open until it is over.
        if group.seen.is_empty() && group.case.is_none() {
            self.forget(&key, disk);
        }
    }

    /// Writes all buffered data.
    pub(super) fn flush(&mut self, disk: &mut Disk) {
        self.pending.write_all(&disk.losses);
        self.settle_failures(disk);
    }

    /// Ends: removes the files of groups without an alert.
    pub(super) fn finish(&mut self, disk: &mut Disk) {
        while self.forget_oldest(None, disk) {}
        self.flush(disk);
    }

    /// Releases the space that was reserved for packets that could not be written.
    fn settle_failures(&mut self, disk: &mut Disk) {
        for failure in self.pending.take_failures() {
            disk.give_back(failure.bytes);
            let Some(group) = self.groups.get_mut(&failure.group) else { continue };
            if let Some(piece) = group.pieces.back_mut() {
                piece.size = piece.size.saturating_sub(failure.bytes);
            }
            if failure.is_empty {
                // A file without its header is unusable: the next packet starts another one.
                self.pending.abandon(&failure.group);
                if let Some(piece) = group.pieces.pop_back() {
                    remove(&piece, disk);
                    if let Some(case) = &mut group.case {
                        case.room += 1;
                        case.paths.retain(|path| *path != piece.path);
                    }
                }
            }
        }
    }
}

fn remove(piece: &Piece, disk: &mut Disk) {
    match fs::remove_file(&piece.path) {
        Ok(()) => disk.give_back(piece.size),
        // Another program has removed it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => disk.give_back(piece.size),
        Err(error) => disk.losses.complain("cannot remove packets", &piece.path, &error),
    }
}
