//! The alerts that wait for a sink. Owns their order, the bounds, and the file from which the next run
//! continues; refuses to send. The file is a journal: all waiting alerts are also in memory, so that a
//! failing disk loses nothing while the agent runs.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail};
use redb::backends::FileBackend;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError,
    TableDefinition,
};
use serde::{Deserialize, Serialize};

use super::age::{Beginning, Stamp, wall_ms};
use crate::descriptors;
use crate::message::alert::{Alert, Status};
use crate::usage::UsageError;

/// The most alerts that wait for one sink in memory only.
pub(super) const IN_MEMORY: usize = 1024;
/// The most alerts that wait for one sink with a spool.
pub(super) const IN_SPOOL: usize = 10_000;
/// Alerts that wait longer than this are dropped, except the end of an incident whose beginning was sent.
const OLDEST: Duration = Duration::from_secs(24 * 3600);
/// The database's memory for pages of the file.
const CACHE: usize = 1 << 20;
/// How often a failing spool is tried again.
const RETRY: Duration = Duration::from_secs(60);
/// New alerts are numbered from here until the file is read; the numbers in the file are lower.
const BEHIND_THE_FILE: u64 = 1 << 48;
/// The most incidents that are remembered because their beginning was dropped.
const MOST_UNHEARD: usize = 10_000;

/// Alerts by the order in which they arrived.
const ALERTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("alerts");

/// The waiting alerts, oldest first.
pub(super) struct Store {
    waiting: VecDeque<Entry>,
    next: u64,
    spool: Spool,
    /// The times at which incidents ended whose end waits, by key.
    ends: HashMap<String, String>,
    /// Incidents whose beginning was dropped, so that their end need not be sent.
    unheard: HashSet<String>,
    /// The alert that is being delivered. The end of its incident must not be dropped.
    on_its_way: Option<u64>,
}

/// The file, if one is configured.
enum Spool {
    Nowhere,
    Open(Journal),
    /// It cannot be used at the moment.
    Failed {
        path: PathBuf,
        retry_at: Instant,
        /// Whether its alerts were already read.
        was_read: bool,
    },
}

/// An alert that waits.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) id: u64,
    stamp: Stamp,
    queued: Beginning,
    pub(super) alert: Arc<Alert>,
}

/// The oldest waiting alert.
#[derive(Default)]
pub(super) struct QueueHead {
    pub(super) entry: Option<Entry>,
    /// The time at which its incident ended, if the end waits behind it.
    pub(super) ended: Option<String>,
    /// The number of alerts before it that were dropped because they were too old.
    pub(super) expired: u64,
    /// Incidents whose end was dropped.
    pub(super) over: Vec<String>,
}

/// Alerts that were dropped because there were too many.
#[derive(Default)]
pub(super) struct Dropped {
    pub(super) number: u64,
    /// Incidents whose end is among them.
    pub(super) over: Vec<String>,
}

/// An entry as it is written to the file.
#[derive(Serialize, Deserialize)]
struct Record<A> {
    #[serde(flatten)]
    stamp: Stamp,
    alert: A,
}

struct Journal {
    database: Database,
    path: PathBuf,
}

impl Store {
    /// Opens the store with the alerts in the file; without a file, an empty store in memory.
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let mut store = Self::new(Spool::Nowhere);
        if let Some(path) = path {
            let (journal, entries) = Journal::open(path)?;
            store.next = entries.last().map_or(0, |entry| entry.id + 1);
            store.insert_all(entries);
            store.spool = Spool::Open(journal);
        }
        Ok(store)
    }

    /// Opens the store likewise, but if the file cannot be used now, it is tried again later.
    ///
    /// # Errors
    /// If another agent uses it.
    pub(super) fn open_or_retry(path: Option<&Path>, sink: &str) -> Result<Self> {
        match (Self::open(path), path) {
            (Err(error), Some(path)) if !error.is::<crate::usage::UsageError>() => {
                tracing::error!(
                    sink,
                    error = descriptors::explained(&error),
                    "cannot open the spool: alerts wait in memory, and the agent tries again"
                );
                let mut store = Self::new(failed(path, false));
                store.next = BEHIND_THE_FILE;
                Ok(store)
            }
            (opened, _) => opened,
        }
    }

    fn new(spool: Spool) -> Self {
        let (waiting, next, ends, unheard, on_its_way) = Default::default();
        Self { waiting, next, spool, ends, unheard, on_its_way }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn most(&self) -> usize {
        if matches!(self.spool, Spool::Nowhere) { IN_MEMORY } else { IN_SPOOL }
    }

    /// Whether waiting alerts survive the end of the agent.
    pub(super) fn is_spooled(&self) -> bool {
        matches!(self.spool, Spool::Open(_))
    }

    /// The times at which incidents ended whose end waits, by key.
    pub(super) fn ends(&self) -> HashMap<String, String> {
        self.ends.clone()
    }

    /// Adds alerts, also to the file. Returns alerts that were dropped for them.
    pub(super) fn push(&mut self, alerts: &[Arc<Alert>]) -> Dropped {
        self.reopen(false);
        let stamp = Stamp::now();
        let entry = |(id, alert): (u64, &Arc<Alert>)| Entry::new(id, stamp.clone(), alert.clone());
        let new: Vec<Entry> = (self.next..).zip(alerts).map(entry).collect();
        self.next += new.len() as u64;
        self.write(|journal| journal.append(&new));
        self.insert_all(new);
        let excess = self.waiting.len().saturating_sub(self.most());
        let to_drop = self.to_drop(excess);
        self.forget(&to_drop)
    }

    fn insert_all(&mut self, entries: Vec<Entry>) {
        for Entry { alert, .. } in entries.iter().filter(|entry| entry.is_end()) {
            self.ends.insert(alert.key.clone(), alert.time.clone());
        }
        self.waiting.extend(entries);
    }

    /// The oldest alert. Alerts that are too old are dropped, except the ends of incidents whose beginning
    /// the sink got: without the end they would stay open there forever.
    pub(super) fn front(&mut self) -> QueueHead {
        let mut expired = HashSet::new();
        for entry in &self.waiting {
            let key = &entry.alert.key;
            let is_needed = entry.is_end() && !self.unheard.contains(key);
            if is_needed || !entry.queued.is_older_than(OLDEST) {
                break;
            }
            if entry.alert.status == Status::Firing && self.unheard.len() < MOST_UNHEARD {
                self.unheard.insert(key.clone());
            }
            expired.insert(entry.id);
        }
        let Dropped { number, over } = self.forget(&expired);
        let entry = self.waiting.front().cloned();
        self.on_its_way = entry.as_ref().map(|entry| entry.id);
        let ended = entry.as_ref().filter(|entry| !entry.is_end());
        let ended = ended.and_then(|entry| self.ends.get(&entry.alert.key).cloned());
        QueueHead { entry, ended, expired: number, over }
    }

    /// Chooses the alerts to drop if there are too many: updates first, then incidents whose beginning was
    /// not sent, and ends last.
    fn to_drop(&self, number: usize) -> HashSet<u64> {
        let mut to_drop = HashSet::new();
        for status in [Status::Update, Status::Firing, Status::Resolved] {
            let missing = number.saturating_sub(to_drop.len());
            let may_go = |entry: &&Entry| {
                entry.alert.status == status
                    && self.on_its_way != Some(entry.id)
                    && !to_drop.contains(&entry.id)
            };
            let more: Vec<&Entry> = self.waiting.iter().filter(may_go).take(missing).collect();
            let keys: HashSet<&str> = more.iter().map(|entry| entry.alert.key.as_str()).collect();
            to_drop.extend(more.iter().map(|entry| entry.id));
            if status == Status::Firing {
                let is_of_them = |entry: &&Entry| keys.contains(entry.alert.key.as_str());
                to_drop.extend(self.waiting.iter().filter(is_of_them).map(|entry| entry.id));
            }
        }
        to_drop
    }

    /// Removes a delivered alert.
    pub(super) fn remove(&mut self, id: u64) {
        self.forget(&HashSet::from([id]));
    }

    /// Removes the alerts with these numbers, as far as they still exist.
    fn forget(&mut self, ids: &HashSet<u64>) -> Dropped {
        let mut dropped = Dropped::default();
        if ids.is_empty() {
            return dropped;
        }
        self.waiting.retain(|entry| {
            let goes = ids.contains(&entry.id);
            dropped.number += u64::from(goes);
            if goes && entry.is_end() {
                dropped.over.push(entry.alert.key.clone());
            }
            !goes
        });
        for key in &dropped.over {
            self.unheard.remove(key);
            // The same hosts may have had another incident later.
            let is_later = |entry: &&Entry| entry.is_end() && entry.alert.key == *key;
            match self.waiting.iter().rfind(is_later) {
                Some(later) => self.ends.insert(key.clone(), later.alert.time.clone()),
                None => self.ends.remove(key),
            };
        }
        if dropped.number > 0 {
            self.write(|journal| journal.remove(ids));
        }
        dropped
    }

    /// Writes to the file. If that fails, the store continues in memory.
    fn write(&mut self, change: impl FnOnce(&Journal) -> Result<()>) {
        let Spool::Open(journal) = &self.spool else { return };
        if let Err(error) = guarded(|| change(journal)) {
            let (path, error) = (journal.path.clone(), descriptors::explained(&error));
            tracing::error!(
                path = %path.display(),
                error,
                "cannot write to the spool: alerts wait in memory, and the agent tries again"
            );
            self.spool = failed(&path, true);
        }
    }

    /// Tries again to open a file that could not be used, if this is due or `now` is set.
    pub(super) fn reopen(&mut self, now: bool) {
        let Spool::Failed { path, retry_at, was_read } = &self.spool else { return };
        if !now && Instant::now() < *retry_at {
            return;
        }
        let (path, was_read) = (path.clone(), *was_read);
        // First close the file that the database may still have open.
        self.spool = failed(&path, was_read);
        let opened = Journal::open(&path).and_then(|(journal, found)| {
            let stale: HashSet<u64> = found.iter().map(|entry| entry.id).collect();
            if was_read {
                journal.remove(&stale)?;
            }
            journal.append(self.waiting.make_contiguous())?;
            Ok((journal, found))
        });
        match opened {
            Ok((journal, found)) => {
                tracing::info!(path = %path.display(), "the spool works again");
                if !was_read {
                    let later = std::mem::take(&mut self.waiting);
                    self.insert_all(found);
                    self.waiting.extend(later);
                }
                self.spool = Spool::Open(journal);
            }
            Err(error) => {
                let error = descriptors::explained(&error);
                tracing::debug!(path = %path.display(), error, "the spool still fails");
            }
        }
    }
}

fn failed(path: &Path, was_read: bool) -> Spool {
    Spool::Failed { path: path.to_owned(), retry_at: Instant::now() + RETRY, was_read }
}

impl Entry {
    fn new(id: u64, stamp: Stamp, alert: Arc<Alert>) -> Self {
        Self { id, queued: stamp.beginning(), stamp, alert }
    }

    fn is_end(&self) -> bool {
        self.alert.status == Status::Resolved
    }
}

impl Journal {
    /// Opens or creates the file. A damaged file is renamed.
    fn open(path: &Path) -> Result<(Self, Vec<Entry>)> {
        if let Some(directory) = path.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
            made.with_context(|| format!("cannot make {}", directory.display()))?;
        }
        match guarded(|| Self::load(path)) {
            Ok(loaded) => Ok(loaded),
            Err(error) if is_other_than_damage(&error) => Err(explained(error, path)),
            Err(error) => {
                let aside = path.with_extension(format!("damaged-{}", wall_ms()));
                tracing::warn!(
                    error = format!("{error:#}"),
                    moved_to = %aside.display(),
                    "a spool is damaged: its alerts are not sent, and the file was renamed"
                );
                std::fs::rename(path, &aside)
                    .with_context(|| format!("cannot move {} aside", path.display()))?;
                guarded(|| Self::load(path))
            }
        }
    }

    fn load(path: &Path) -> Result<(Self, Vec<Entry>)> {
        let database = Builder::new()
            .set_cache_size(CACHE)
            .create_with_backend(FileBackend::new(file(path)?)?)?;
        let journal = Self { database, path: path.to_owned() };
        // Creates the table.
        journal.append(&[])?;
        let entries = journal.entries()?;
        Ok((journal, entries))
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let read = self.database.begin_read()?;
        let (mut entries, mut unreadable) = (Vec::new(), 0_u64);
        for row in read.open_table(ALERTS)?.iter()? {
            let (id, record) = row?;
            match serde_json::from_slice(record.value()) {
                Ok(Record::<Alert> { stamp, alert }) => {
                    entries.push(Entry::new(id.value(), stamp, Arc::new(alert)));
                }
                Err(_) => unreadable += 1,
            }
        }
        if unreadable > 0 {
            tracing::warn!(unreadable, "alerts of another version in the spool are not sent");
        }
        Ok(entries)
    }

    /// Adds entries. They are on the disk when this returns.
    fn append(&self, entries: &[Entry]) -> Result<()> {
        let write = self.database.begin_write()?;
        {
            let mut table = write.open_table(ALERTS)?;
            for Entry { id, stamp, alert, .. } in entries {
                let record = Record { stamp: stamp.clone(), alert: &**alert };
                table.insert(id, serde_json::to_vec(&record)?.as_slice())?;
            }
        }
        Ok(write.commit()?)
    }

    fn remove(&self, ids: &HashSet<u64>) -> Result<()> {
        let write = self.database.begin_write()?;
        {
            let mut table = write.open_table(ALERTS)?;
            for id in ids {
                table.remove(id)?;
            }
        }
        Ok(write.commit()?)
    }
}

/// Looks at files of sinks that are no longer configured: logs where alerts wait, and removes empty files.
pub(super) fn look_for_strays(directory: &Path, is_known: impl Fn(&str) -> bool) {
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    for path in files.map(|entry| entry.path()) {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if path.extension().is_none_or(|is| is != "redb") || is_known(name) {
            continue;
        }
        // A file that another agent uses cannot be opened.
        let Ok(mut store) = Store::open(Some(&path)) else { continue };
        if store.front().entry.is_none() {
            let _ = std::fs::remove_file(&path);
        } else {
            let (sink, waiting) = (name, store.len());
            tracing::warn!(
                sink,
                waiting,
                "alerts wait for a sink that is no longer configured: configure it again, or remove its file"
            );
        }
    }
}

/// Opens the file so that only its owner can read it.
fn file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).with_context(|| format!("cannot open {}", path.display()))
}

/// Catches panics: the database may panic on a damaged file, which must not end the agent.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done,
        Err(_) => bail!("the database panicked while it used the file"),
    }
}

/// Whether the file may be intact although it cannot be used.
fn is_other_than_damage(error: &Error) -> bool {
    use std::io::ErrorKind::{InvalidData, UnexpectedEof};
    let io = match error.downcast_ref::<DatabaseError>() {
        Some(DatabaseError::DatabaseAlreadyOpen) => return true,
        Some(DatabaseError::Storage(StorageError::Io(io))) => Some(io),
        _ => error.downcast_ref::<std::io::Error>(),
    };
    io.is_some_and(|io| !matches!(io.kind(), InvalidData | UnexpectedEof))
}

fn explained(error: Error, path: &Path) -> Error {
    match error.downcast_ref::<DatabaseError>() {
        Some(DatabaseError::DatabaseAlreadyOpen) => in_use(path),
        _ => error,
    }
}

/// The error of a spool that another agent uses.
fn in_use(path: &Path) -> Error {
    let shown = path.display();
    let text =
        format!("{shown} is in use by another agent: give this one a state directory of its own");
    UsageError(text).into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::message::alert::Status;
    use crate::output::sinks::sample::sample;

    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let name = format!("wherefore-spool-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn path(&self) -> PathBuf {
            self.0.join("inner/slack.redb")
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn alert(key: usize) -> Arc<Alert> {
        Arc::new(Alert { key: key.to_string(), ..sample(Status::Firing) })
    }

    fn drain(store: &mut Store) -> Vec<String> {
        let mut keys = Vec::new();
        while let Some(entry) = store.front().entry {
            keys.push(entry.alert.key.clone());
            store.remove(entry.id);
        }
        keys
    }

    #[test]
    fn queued_alerts_survive_a_restart_in_order() {
        let directory = Directory::new("order");
        let path = directory.path();
        let mut store = Store::open(Some(&path)).unwrap();
        assert_eq!(store.push(&[alert(1), alert(2)]).number + store.push(&[alert(3)]).number, 0);
        let first = store.front().entry;
        store.remove(first.unwrap().id);
        drop(store);
        let mut store = Store::open(Some(&path)).unwrap();
        store.push(&[alert(4)]);
        assert_eq!(drain(&mut store), ["2", "3", "4"]);
        drop(store);
        assert_eq!(Store::open(Some(&path)).unwrap().len(), 0);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn two_agents_dont_share_a_spool() {
        let directory = Directory::new("shared");
        let _first = Store::open(Some(&directory.path())).unwrap();
        let error = Store::open(Some(&directory.path())).err().unwrap();
        assert!(error.is::<crate::usage::UsageError>(), "{error:#}");
        assert!(error.to_string().contains("another agent"), "{error:#}");
    }

    #[test]
    fn a_damaged_spool_is_moved_aside() {
        for (name, damage) in [("rubbish", 0..64), ("pages", 4096..1 << 20)] {
            let directory = Directory::new(name);
            let path = directory.path();
            let mut store = Store::open(Some(&path)).unwrap();
            store.push(&(0..1000).map(alert).collect::<Vec<_>>());
            drop(store);
            let mut bytes = std::fs::read(&path).unwrap();
            let damage = damage.start..damage.end.min(bytes.len());
            bytes[damage].fill(0x55);
            std::fs::write(&path, bytes).unwrap();
            let mut store = Store::open(Some(&path)).unwrap();
            assert_eq!(store.push(&[alert(1)]).number, 0);
            assert_eq!(drain(&mut store), ["1"]);
            let names = std::fs::read_dir(path.parent().unwrap()).unwrap();
            let is_aside = |name: &str| name.contains("damaged");
            let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            assert_eq!(names.filter(|name| is_aside(name)).count(), 1, "{name}");
        }
    }

    #[test]
    fn files_of_sinks_that_are_no_more_stay_while_alerts_wait_in_them() {
        let directory = Directory::new("strays");
        let path = |name: &str| directory.path().with_file_name(name);
        let names = ["full.redb", "empty.redb", "known.redb"];
        let mut stores = names.map(|name| Store::open(Some(&path(name))).unwrap());
        stores[0].push(&[alert(1)]);
        std::fs::write(path("other"), "").unwrap();
        drop(stores);
        look_for_strays(path("").as_path(), |name| name == "known");
        let left =
            ["full.redb", "empty.redb", "known.redb", "other"].map(|name| path(name).exists());
        assert_eq!(left, [true, false, true, true]);
        assert_eq!(drain(&mut Store::open(Some(&path("full.redb"))).unwrap()), ["1"]);
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_not_moved() {
        let directory = Directory::new("directory");
        std::fs::create_dir_all(directory.path()).unwrap();
        assert!(Store::open(Some(&directory.path())).is_err());
        assert!(directory.path().is_dir());
    }

    #[test]
    fn the_oldest_make_room() {
        let mut store = Store::open(None).unwrap();
        let alerts: Vec<_> = (0..IN_MEMORY + 10).map(alert).collect();
        assert_eq!(store.push(&alerts).number, 10);
        assert_eq!(drain(&mut store)[0], "10");
    }

    fn message(key: usize, status: Status) -> Arc<Alert> {
        Arc::new(Alert { status, ..(*alert(key)).clone() })
    }

    fn age(store: &mut Store) {
        let older = |entry: &mut Entry| {
            entry.queued = entry.queued.earlier(OLDEST + Duration::from_secs(1));
        };
        store.waiting.iter_mut().for_each(older);
    }

    #[test]
    fn what_is_too_old_goes() {
        let mut store = Store::open(None).unwrap();
        store.push(&[alert(1)]);
        age(&mut store);
        store.push(&[alert(2)]);
        let front = store.front();
        assert_eq!((front.entry.unwrap().alert.key.as_str(), front.expired), ("2", 1));
    }

    #[test]
    fn resolved_messages_of_sent_alerts_never_expire() {
        let mut store = Store::open(None).unwrap();
        // The first incident began earlier; the second one waits from its beginning to its end.
        store.push(&[message(2, Status::Firing), message(1, Status::Update)]);
        store.push(&[message(1, Status::Resolved), message(2, Status::Resolved)]);
        age(&mut store);
        let front = store.front();
        let first = front.entry.unwrap();
        assert_eq!((first.alert.key.as_str(), first.alert.status), ("1", Status::Resolved));
        assert_eq!((front.expired, front.over.len()), (2, 0));
        store.remove(first.id);
        let front = store.front();
        assert_eq!((front.expired, front.over), (1, vec!["2".to_owned()]));
        assert!(front.entry.is_none() && store.ends().is_empty());
    }

    #[test]
    fn a_start_that_ended_already_is_recognised() {
        let mut store = Store::open(None).unwrap();
        let end = message(1, Status::Resolved);
        store.push(&[message(1, Status::Firing), end.clone()]);
        let front = store.front();
        assert!(front.entry.is_some_and(|entry| entry.alert.status == Status::Firing));
        assert_eq!(front.ended, Some(end.time.clone()));
    }

    #[test]
    fn ends_go_last() {
        let mut store = Store::open(None).unwrap();
        store.push(&[message(0, Status::Resolved), message(1, Status::Firing)]);
        store.push(&[message(1, Status::Resolved)]);
        let updates: Vec<_> = (2..IN_MEMORY).map(|key| message(key, Status::Update)).collect();
        let dropped = store.push(&updates);
        assert_eq!((dropped.number, dropped.over.len()), (1, 0));
        let firing: Vec<_> =
            (0..IN_MEMORY).map(|key| message(key + 5000, Status::Firing)).collect();
        let dropped = store.push(&firing);
        // The incident whose beginning was not sent is dropped as a whole.
        assert_eq!(dropped.over, ["1"]);
        assert_eq!(store.front().entry.unwrap().alert.key, "0");
    }

    #[test]
    fn a_spool_that_fails_is_used_again() {
        let directory = Directory::new("again");
        let path = directory.path();
        let mut store = Store::open(Some(&path)).unwrap();
        store.push(&[alert(1)]);
        drop(store);
        // A file with the name of the directory: the directory cannot be made.
        let parent = path.parent().unwrap();
        std::fs::rename(parent, directory.0.join("kept")).unwrap();
        std::fs::write(parent, "").unwrap();
        let mut store = Store::open_or_retry(Some(&path), "slack").unwrap();
        store.push(&[alert(2)]);
        assert!(!store.is_spooled() && store.len() == 1);
        std::fs::remove_file(parent).unwrap();
        std::fs::rename(directory.0.join("kept"), parent).unwrap();
        store.reopen(true);
        assert!(store.is_spooled());
        drop(store);
        assert_eq!(drain(&mut Store::open(Some(&path)).unwrap()), ["1", "2"]);
    }
}
