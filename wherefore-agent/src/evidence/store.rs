//! Processes packets and alerts step by step, without threads: keep packets in memory, log them, write them
//! beside alerts, remove them. Owns the bound of the directories. Refuses to fail: lost packets are counted.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use wherefore_common::{FlowKey, LinkType};

use super::directory::{Directory, Kind, archived, stamp, stem};
use super::disk::Disk;
use super::members::{Members, conversation};
use super::packet::{Facts, Packet, enhanced, interface, section};
use super::packet_log::PacketLog;
use super::ring::Ring;
use crate::message::alert::{Alert, Kind as AlertKind, Status};
use crate::traffic::group::{GroupBy, reversed};

/// The number of bytes that are written to a recording at once.
const CHUNK: usize = 1 << 16;

/// All evidence.
#[derive(Debug)]
pub(super) struct Store {
    group_by: GroupBy,
    disk: Disk,
    log: Option<PacketLog>,
    ring: Option<Ring>,
    ring_snaplen: u32,
    /// Recordings from memory of the incidents that are not over.
    flights: FxHashMap<FlowKey, Vec<PathBuf>>,
    /// The names of interfaces at the time of their first packet.
    names: FxHashMap<u32, String>,
}

impl Store {
    pub(super) fn new(
        group_by: GroupBy,
        disk: Disk,
        log: Option<PacketLog>,
        ring: Option<Ring>,
        ring_snaplen: u32,
    ) -> Self {
        let (flights, names) = Default::default();
        Self { group_by, disk, log, ring, ring_snaplen, flights, names }
    }

    /// Measures the existing files; with `removes_stale`, removes those that a killed agent left.
    pub(super) fn begin(&mut self, removes_stale: bool) {
        let mut used = archived_bytes(&self.disk.archive);
        if let Some(log) = &self.log {
            if removes_stale {
                log.remove_stale(&self.disk);
            }
            if !log.directory().is(&self.disk.archive) {
                used += archived_bytes(log.directory());
            }
        }
        self.disk.used = used;
    }

    pub(super) fn add(&mut self, packet: &Packet<'_>) {
        let ifindex = packet.facts.flow.ifindex;
        self.names.entry(ifindex).or_insert_with(|| interface_name(ifindex));
        if let Some(ring) = &mut self.ring {
            ring.push(packet);
        }
        if let Some(log) = &mut self.log {
            log.add(packet, &mut self.disk);
        }
    }

    /// Keeps the evidence of an alert; returns its files. Packets from `until_ns` on arrived after the alert.
    pub(super) fn report(
        &mut self,
        alert: &Alert,
        members: &Members,
        until_ns: Option<i64>,
    ) -> Vec<PathBuf> {
        if matches!(alert.kind, AlertKind::Digest | AlertKind::Test) {
            return Vec::new();
        }
        let group = alert.group;
        // An incident that an earlier run began has no files yet.
        if alert.status != Status::Resolved
            && alert.group_by == self.group_by
            && let Some(log) = &mut self.log
        {
            log.report(&group, &alert.time, &mut self.disk);
        }
        if alert.status == Status::Firing
            && let Some(path) = self.write_recording(alert, members, until_ns)
        {
            self.flights.entry(group).or_default().push(path);
        }
        let paths = self.paths(&group);
        if alert.status == Status::Resolved {
            self.resolved(&group);
        }
        paths
    }

    fn paths(&self, group: &FlowKey) -> Vec<PathBuf> {
        let mut paths = self.flights.get(group).cloned().unwrap_or_default();
        paths.extend(self.log.as_ref().map_or(Vec::new(), |log| log.paths(group)));
        paths
    }

    /// Records that an incident is over.
    pub(super) fn resolved(&mut self, group: &FlowKey) {
        let group = FlowKey { ifindex: 0, ..*group };
        self.flights.remove(&group);
        if let Some(log) = &mut self.log {
            log.resolved(&group, &mut self.disk);
        }
    }

    /// Records that these groups are forgotten.
    pub(super) fn expired(&mut self, groups: &[FlowKey], now_ns: i64) {
        for group in groups {
            if let Some(log) = &mut self.log {
                log.expired(group, now_ns, &mut self.disk);
            }
        }
    }

    /// Writes all buffered data.
    pub(super) fn flush(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush(&mut self.disk);
        }
    }

    pub(super) fn finish(&mut self) {
        if let Some(log) = &mut self.log {
            log.finish(&mut self.disk);
        }
    }

    /// Writes the packets of both directions of the group from memory to a file beside the alert.
    fn write_recording(
        &mut self,
        alert: &Alert,
        members: &Members,
        until_ns: Option<i64>,
    ) -> Option<PathBuf> {
        let Self { disk, log, ring, ring_snaplen, names, .. } = self;
        let ring = ring.as_ref()?;
        let is_group = |flow: &FlowKey| match members {
            Some(members) => members.contains(&conversation(flow)),
            None => FlowKey { ifindex: 0, ..alert.group_by.key(flow) } == alert.group,
        };
        let is_before = |facts: &Facts| until_ns.is_none_or(|until| facts.time_ns < until);
        let is_wanted = |facts: &Facts| {
            is_before(facts) && (is_group(&facts.flow) || is_group(&reversed(&facts.flow)))
        };
        let mut recording: Option<RecordingFile> = None;
        let mut lost = 0;
        let mut make_room = |bytes: u64, disk: &mut Disk| {
            while !disk.take(bytes) {
                let made = log.as_mut().is_some_and(|log| log.forget_oldest(None, disk));
                if !made {
                    return false;
                }
            }
            true
        };
        ring.find(is_wanted, |packet| {
            if recording.is_none() {
                recording = RecordingFile::start(alert, disk);
            }
            let Some(recording) = &mut recording else { return false };
            let name = names.get(&packet.facts.flow.ifindex).map_or("", String::as_str);
            if !make_room(recording.cost(packet), disk) {
                lost += 1;
                return true;
            }
            recording.add(packet, name, *ring_snaplen, disk);
            true
        });
        disk.warn_full(lost);
        recording?.end(disk)
    }
}

/// A recording from memory that is being written.
struct RecordingFile {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    packets: u64,
    /// The bytes in the file, which are complete blocks.
    whole: u64,
    /// The bytes that were reserved.
    booked: u64,
    interfaces: Vec<(u32, LinkType)>,
    comment: String,
    /// Whether writing has failed.
    failed: bool,
}

impl RecordingFile {
    /// More bytes than any block has besides those of its packet and comments about the alert.
    const OVERHEAD: u64 = 256;

    fn start(alert: &Alert, disk: &Disk) -> Option<Self> {
        let (stem, stamp) = (stem(alert.group_by, &alert.group), stamp(&alert.time));
        let made = disk.archive.create(0, |number| archived(&stem, &stamp, number, "pcapng"));
        let (_, path, file) = made
            .inspect_err(|error| disk.losses.add_disk(1, &disk.archive.path_of(&stem), error))
            .ok()?;
        // The alert as it will be sent, with the path of this file.
        let sent = Alert { evidence: vec![path.clone()], ..alert.clone() };
        let json = serde_json::to_string(&sent).unwrap_or_default();
        Some(Self {
            file,
            path,
            buffer: section(&[&alert.text, &json]),
            packets: 0,
            whole: 0,
            booked: 0,
            interfaces: Vec::new(),
            comment: alert.text.clone(),
            failed: false,
        })
    }

    /// The bytes that the packet needs, including other blocks that must be written before it.
    fn cost(&self, packet: &Packet<'_>) -> u64 {
        let beginning = if self.packets == 0 && self.whole == 0 { self.buffer.len() } else { 0 };
        let comment = if beginning > 0 { self.comment.len() } else { 0 };
        (packet.bytes.len() + beginning + comment) as u64 + Self::OVERHEAD
    }

    fn add(&mut self, packet: &Packet<'_>, name: &str, snaplen: u32, disk: &mut Disk) {
        self.booked += self.cost(packet);
        let key = (packet.facts.flow.ifindex, packet.facts.link);
        let known = self.interfaces.iter().position(|known| *known == key);
        let number = known.unwrap_or_else(|| {
            self.buffer.extend(interface(key.1, snaplen, name));
            self.interfaces.push(key);
            self.interfaces.len() - 1
        });
        let is_first = self.packets == 0 && self.whole == 0;
        let comment = is_first.then_some(self.comment.as_str());
        self.buffer.extend(enhanced(number as u32, packet, comment));
        self.packets += 1;
        if self.buffer.len() >= CHUNK {
            self.flush(disk);
        }
    }

    fn flush(&mut self, disk: &Disk) {
        let bytes = self.buffer.len() as u64;
        let written = if self.failed {
            Err(io::Error::from(io::ErrorKind::WriteZero))
        } else {
            self.file.write_all(&self.buffer)
        };
        self.buffer.clear();
        let packets = std::mem::take(&mut self.packets);
        let Err(error) = written else {
            self.whole += bytes;
            return;
        };
        disk.losses.add_disk(packets, &self.path, &error);
        // Later blocks refer to interfaces in earlier ones, so nothing can follow a gap.
        self.failed = true;
        if let Err(error) = self.file.set_len(self.whole) {
            disk.losses.complain("a packet file ends within a packet", &self.path, &error);
        }
    }

    /// Writes the rest. Returns the path, unless the file is empty.
    fn end(mut self, disk: &mut Disk) -> Option<PathBuf> {
        if self.packets > 0 {
            self.flush(disk);
        }
        disk.give_back(self.booked.saturating_sub(self.whole));
        if self.whole == 0 {
            remove_empty(&self.path, disk);
            return None;
        }
        Some(self.path)
    }
}

fn remove_empty(path: &Path, disk: &Disk) {
    if let Err(error) = fs::remove_file(path) {
        disk.losses.complain("cannot remove an empty packet file", path, &error);
    }
}

/// The bytes of evidence of alerts in a directory.
fn archived_bytes(directory: &Directory) -> u64 {
    let ours = directory.survey().unwrap_or_default();
    ours.iter().filter(|(_, kind, _)| *kind == Kind::Archived).map(|(_, _, size)| size).sum()
}

/// The name of an interface. Captures have none, and an interface may no longer exist.
fn interface_name(ifindex: u32) -> String {
    if ifindex == 0 {
        return "capture".to_owned();
    }
    let name = nix::net::if_::if_indextoname(ifindex).ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| format!("interface {ifindex}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::packet_log::LogOptions;

    fn packet(store: &mut Store, group: &FlowKey, time_ns: i64) {
        let facts = Facts { flow: *group, time_ns, wire_len: 60, ..Facts::default() };
        store.add(&Packet { facts, bytes: &[7; 60] });
    }

    fn alert(status: &str, group: &FlowKey) -> Alert {
        let json = format!(
            r#"{{"status":"{status}","key":"","kind":"volume","severity":"info","started":"",
            "time":"2026-11-24T21:58:15Z","host":"","interface":"","group_by":"pair","src":"","dst":"",
            "bytes":0,"packets":0,"interval_seconds":1,"bytes_per_second":0,"usual_bytes":0,
            "ratio":null,"probability":1,"threshold":0,"methods":{{}},"protocol":0,"sport":0,
            "dport":0,"window":[],"text":"said"}}"#
        );
        let alert: Alert = serde_json::from_str(&json).expect("an alert");
        Alert { group: *group, ..alert }
    }

    fn store(path: &Path) -> Store {
        let open = |name| Directory::open(&path.join(name)).expect("a directory");
        let disk = Disk::new(open("archive"), 1_000_000, std::sync::Arc::default());
        let options =
            LogOptions { group_by: GroupBy::Pair, snaplen: 100, file_size: 10_000, rotations: 2 };
        let log = PacketLog::new(options, open("incoming"));
        Store::new(GroupBy::Pair, disk, Some(log), Ring::new(100_000, 64).ok(), 64)
    }

    fn count(path: &Path) -> usize {
        fs::read_dir(path).map_or(0, Iterator::count)
    }

    #[test]
    fn packets_follow_an_incident_to_its_end() {
        let path = std::env::temp_dir().join(format!("wherefore-store-{}", std::process::id()));
        let (incoming, archive) = (path.join("incoming"), path.join("archive"));
        let mut store = store(&path);
        let group = FlowKey { src: [1, 0], dst: [2, 0], family: 4, ..FlowKey::default() };
        packet(&mut store, &group, 1);
        packet(&mut store, &reversed(&group), 2);
        assert_eq!((count(&incoming), count(&archive)), (1, 0));
        // The recording and the log.
        let firing = store.report(&alert("firing", &group), &None, None);
        assert_eq!((firing.len(), count(&incoming), count(&archive)), (2, 0, 2));
        packet(&mut store, &group, 3);
        let update = store.report(&alert("update", &group), &None, None);
        assert_eq!((update.len(), count(&incoming), count(&archive)), (3, 0, 3));
        assert_eq!(store.report(&alert("resolved", &group), &None, None), update);
        packet(&mut store, &group, 4);
        assert_eq!((count(&incoming), count(&archive)), (1, 3));
        // The answers are a series of their own, which had a packet later.
        store.expired(&[group], 10);
        assert_eq!(count(&incoming), 1);
        store.expired(&[reversed(&group)], 1);
        assert_eq!(count(&incoming), 1);
        store.expired(&[reversed(&group)], 2);
        assert_eq!((count(&incoming), count(&archive)), (0, 3));
        let size = |path: &PathBuf| path.metadata().map_or(0, |facts| facts.len());
        store.finish();
        assert_eq!(store.disk.used, update.iter().map(size).sum::<u64>());
        fs::remove_dir_all(&path).expect("it can be removed");
    }

    /// A store in a directory of its own, with a packet of a group; removed by the test.
    fn with_a_packet(name: &str) -> (PathBuf, Store, FlowKey) {
        let name = format!("wherefore-store-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut store = store(&path);
        let group = FlowKey { src: [1, 0], dst: [2, 0], family: 4, ..FlowKey::default() };
        packet(&mut store, &group, 1);
        (path, store, group)
    }

    #[test]
    fn packets_that_the_archive_cannot_take_stay_and_are_named() {
        let (path, mut store, group) = with_a_packet("full");
        fs::remove_dir_all(path.join("archive")).expect("it can be removed");
        let paths = store.report(&alert("firing", &group), &None, None);
        let [kept] = &paths[..] else { panic!("{paths:?}") };
        let length = kept.metadata().map_or(0, |facts| facts.len());
        assert!(kept.starts_with(path.join("incoming")) && length > 60, "{paths:?}: {length}");
        // Under a name that no start mistakes for that of a group without an alert.
        store.log.as_ref().expect("a log").remove_stale(&store.disk);
        assert!(kept.exists());
        fs::remove_dir_all(&path).expect("it can be removed");
    }

    #[test]
    fn an_incident_of_an_earlier_run_and_one_that_outlasts_its_traffic_have_files() {
        let (path, mut store, group) = with_a_packet("late");
        let update = store.report(&alert("update", &group), &None, None);
        assert_eq!(update.len(), 1, "it began before this run");
        // Forgotten by the detector, but not over.
        store.expired(&[group], 10);
        packet(&mut store, &group, 11);
        let resolved = store.report(&alert("resolved", &group), &None, None);
        store.finish();
        let has_packet = |path: &PathBuf| path.metadata().is_ok_and(|facts| facts.len() > 60);
        assert!(resolved.len() == 2 && resolved.iter().all(has_packet), "{resolved:?}");
        fs::remove_dir_all(&path).expect("it can be removed");
    }

    #[test]
    fn a_foreign_object_at_our_path_is_not_used() {
        for planted in ["link", "pipe"] {
            let (path, mut store, group) = with_a_packet(planted);
            store.flush();
            let incoming = path.join("incoming");
            let ours = fs::read_dir(&incoming).expect("it is there").flatten().next();
            let ours = ours.expect("a file").path();
            fs::remove_file(&ours).expect("it can be removed");
            let secret = path.join("secret");
            fs::write(&secret, "TOPSECRET").expect("it can be written");
            match planted {
                "link" => std::os::unix::fs::symlink(&secret, &ours).expect("a link"),
                _ => {
                    let made = std::process::Command::new("mkfifo").arg(&ours).status();
                    assert!(made.expect("mkfifo runs").success());
                }
            }
            packet(&mut store, &group, 2);
            // The file of the flight recorder alone.
            let paths = store.report(&alert("firing", &group), &None, None);
            for taken in fs::read_dir(path.join("archive")).expect("it is there").flatten() {
                let bytes = fs::read(taken.path()).expect("a file");
                assert!(!bytes.windows(9).any(|part| part == b"TOPSECRET"), "{paths:?}");
                assert!(taken.file_type().is_ok_and(|kind| kind.is_file()), "{paths:?}");
            }
            store.finish();
            fs::remove_dir_all(&path).expect("it can be removed");
        }
    }
}
