//! What waits for a sink. Owns the order, the bounds and the file from which the next agent goes
//! on; refuses to send. The file is a journal: what waits is in memory as well, so that a disk that
//! fails loses nothing while the agent runs.

use std::collections::VecDeque;
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Error, Result, bail};
use redb::backends::FileBackend;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError,
    TableDefinition,
};
use serde::{Deserialize, Serialize};

use super::in_use;
use crate::alert::Alert;

/// Alerts that may wait for one sink in memory alone.
pub(super) const IN_MEMORY: usize = 1024;
/// And in a spool.
pub(super) const IN_SPOOL: usize = 10_000;
/// What waits for longer is of no use any more.
const OLDEST: Duration = Duration::from_secs(24 * 3600);
/// Memory of the database for pages of the file.
const CACHE: usize = 1 << 20;

/// Alerts by the order in which they came.
const ALERTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("alerts");

/// What waits, oldest first.
pub(super) struct Store {
    waiting: VecDeque<Entry>,
    next: u64,
    most: usize,
    journal: Option<Journal>,
}

/// One alert that waits.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) id: u64,
    queued_ms: u64,
    pub(super) alert: Arc<Alert>,
}

/// An entry as it is written.
#[derive(Serialize, Deserialize)]
struct Record<A> {
    queued_ms: u64,
    alert: A,
}

struct Journal {
    database: Database,
    path: PathBuf,
}

impl Store {
    /// What the file holds, or nothing, in memory alone, without one.
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let mut store = Self { waiting: VecDeque::new(), next: 0, most: IN_MEMORY, journal: None };
        if let Some(path) = path {
            let (journal, entries) = Journal::open(path)?;
            store.next = entries.last().map_or(0, |entry| entry.id + 1);
            store.waiting = entries.into();
            (store.most, store.journal) = (IN_SPOOL, Some(journal));
        }
        Ok(store)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Whether what waits outlives the agent.
    pub(super) fn is_spooled(&self) -> bool {
        self.journal.is_some()
    }

    /// Takes alerts in, on the disk as well; gives how many of the oldest had to go.
    pub(super) fn push(&mut self, alerts: &[Arc<Alert>]) -> u64 {
        let queued_ms = now_ms();
        let entry = |(id, alert): (u64, &Arc<Alert>)| Entry { id, queued_ms, alert: alert.clone() };
        let new: Vec<Entry> = (self.next..).zip(alerts).map(entry).collect();
        self.next += new.len() as u64;
        self.write(|journal| journal.append(&new));
        self.waiting.extend(new);
        let excess = self.waiting.len().saturating_sub(self.most);
        self.forget(excess)
    }

    /// The oldest, and how many before it were too old.
    pub(super) fn front(&mut self) -> (Option<Entry>, u64) {
        let oldest = now_ms().saturating_sub(OLDEST.as_millis() as u64);
        let expired = self.waiting.iter().take_while(|entry| entry.queued_ms < oldest).count();
        let forgotten = self.forget(expired);
        (self.waiting.front().cloned(), forgotten)
    }

    /// What is delivered waits no more.
    pub(super) fn remove(&mut self, id: u64) {
        // It may have had to go meanwhile.
        if self.waiting.front().is_some_and(|front| front.id == id) {
            self.forget(1);
        }
    }

    fn forget(&mut self, number: usize) -> u64 {
        let ids: Vec<u64> = self.waiting.drain(..number).map(|entry| entry.id).collect();
        if !ids.is_empty() {
            self.write(|journal| journal.remove(&ids));
        }
        ids.len() as u64
    }

    /// Without the disk it goes on in memory.
    fn write(&mut self, change: impl FnOnce(&Journal) -> Result<()>) {
        let Some(journal) = &self.journal else { return };
        if let Err(error) = guarded(|| change(journal)) {
            let (path, error) = (journal.path.display(), format!("{error:#}"));
            tracing::error!(%path, error, "the spool fails: alerts wait in memory until the next start");
            self.journal = None;
        }
    }
}

impl Journal {
    /// Opens or makes the file; one that is damaged is moved aside.
    fn open(path: &Path) -> Result<(Self, Vec<Entry>)> {
        if let Some(directory) = path.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
            made.with_context(|| format!("cannot make {}", directory.display()))?;
        }
        match guarded(|| Self::load(path)) {
            Ok(loaded) => Ok(loaded),
            Err(error) if is_other_than_damage(&error) => Err(explained(error, path)),
            Err(error) => {
                let aside = path.with_extension(format!("damaged-{}", now_ms()));
                tracing::warn!(
                    error = format!("{error:#}"),
                    moved_to = %aside.display(),
                    "a spool is damaged: the alerts in it are not sent"
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
        // Makes the table.
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
                Ok(Record::<Alert> { queued_ms, alert }) => {
                    entries.push(Entry { id: id.value(), queued_ms, alert: Arc::new(alert) });
                }
                Err(_) => unreadable += 1,
            }
        }
        if unreadable > 0 {
            tracing::warn!(unreadable, "alerts of another version in the spool are not sent");
        }
        Ok(entries)
    }

    /// On the disk when this returns.
    fn append(&self, entries: &[Entry]) -> Result<()> {
        let write = self.database.begin_write()?;
        {
            let mut table = write.open_table(ALERTS)?;
            for Entry { id, queued_ms, alert } in entries {
                let record = Record { queued_ms: *queued_ms, alert: &**alert };
                table.insert(id, serde_json::to_vec(&record)?.as_slice())?;
            }
        }
        Ok(write.commit()?)
    }

    fn remove(&self, ids: &[u64]) -> Result<()> {
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

/// Files of sinks that are configured no more: says where alerts wait, and removes what is empty.
pub(super) fn look_for_strays(directory: &Path, is_known: impl Fn(&str) -> bool) {
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    for path in files.map(|entry| entry.path()) {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if path.extension().is_none_or(|is| is != "redb") || is_known(name) {
            continue;
        }
        // Another agent's can't be opened.
        let Ok(mut store) = Store::open(Some(&path)) else { continue };
        if store.front().0.is_none() {
            let _ = std::fs::remove_file(&path);
        } else {
            let (sink, waiting) = (name, store.len());
            tracing::warn!(sink, waiting, "alerts wait for a sink that is configured no more");
        }
    }
}

/// Only its owner may read it.
fn file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).with_context(|| format!("cannot open {}", path.display()))
}

/// A database that stumbles over a damaged file must not take the agent with it.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done,
        Err(_) => bail!("the database stumbled"),
    }
}

/// Whether a file may be sound though it can't be used.
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

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::alert::Status;
    use crate::sink::trial::sample;

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
        while let (Some(entry), _) = store.front() {
            keys.push(entry.alert.key.clone());
            store.remove(entry.id);
        }
        keys
    }

    #[test]
    fn what_waits_is_there_after_a_restart_in_order() {
        let directory = Directory::new("order");
        let path = directory.path();
        let mut store = Store::open(Some(&path)).unwrap();
        assert_eq!(store.push(&[alert(1), alert(2)]) + store.push(&[alert(3)]), 0);
        let (first, _) = store.front();
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
        assert!(error.is::<crate::config::UsageError>(), "{error:#}");
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
            let mut octets = std::fs::read(&path).unwrap();
            let damage = damage.start..damage.end.min(octets.len());
            octets[damage].fill(0x55);
            std::fs::write(&path, octets).unwrap();
            let mut store = Store::open(Some(&path)).unwrap();
            assert_eq!(store.push(&[alert(1)]), 0);
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
        assert_eq!(store.push(&alerts), 10);
        assert_eq!(drain(&mut store)[0], "10");
    }

    #[test]
    fn what_is_too_old_goes() {
        let mut store = Store::open(None).unwrap();
        store.push(&[alert(1), alert(2)]);
        store.waiting[0].queued_ms -= OLDEST.as_millis() as u64 + 1000;
        let (front, expired) = store.front();
        assert_eq!((front.unwrap().alert.key.as_str(), expired), ("2", 1));
    }
}
