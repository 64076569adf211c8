//! The thread that writes the history, and its queue. Owns the queue, which is bounded: of intervals that do
//! not fit, only the sums are kept. Refuses to wait for the disk.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel,
};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rusqlite::Connection;
use rustc_hash::FxHashMap;
use wherefore_common::Reason;

use super::fold::Volume;
use super::minute::{Minute, is_received, minute_of, name_of, volume};
use super::rows::{self, HOUR};
use super::schema;
use super::store::{Batch, Store, Uncounted};
use super::tiers::Bounds;
use super::{Places, Settings};
use crate::descriptors;
use crate::message::alert::Alert;
use crate::traffic::interval::Interval;
use crate::usage::UsageError;

/// The most intervals that wait for the disk with all their detail.
const WAITING: usize = 4;
/// The most alerts that wait for the disk.
const MOST_ALERTS: usize = 10_000;
/// The most minutes that are kept in detail when they cannot be written, and the most that are kept as sums.
const DETAILED: usize = 15;
const MOST_MINUTES: usize = 10_000;
/// How long the agent waits for the disk when it ends.
const FAREWELL: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// The agent's end of the queue.
#[derive(Debug)]
pub struct Writer {
    queue: Option<SyncSender<Message>>,
    done: Receiver<()>,
    /// The intervals that did not fit in the queue.
    left: Left,
    is_live: bool,
    is_behind: bool,
}

/// The data of one interval for the writer.
#[derive(Debug)]
struct Message {
    /// `None` in the last message, which carries only sums and alerts.
    interval: Option<Arc<Interval>>,
    names: FxHashMap<u32, String>,
    left: Left,
}

/// Data that waits in the agent's thread: sums by minute and interface, and alerts.
#[derive(Debug, Default)]
struct Left {
    sums: FxHashMap<(i64, String), Volume>,
    alerts: Vec<Alert>,
    intervals: u64,
}

/// The open file, before anything is written to it.
#[derive(Debug)]
pub struct Opened {
    connection: Connection,
    bounds: Bounds,
    lock: File,
}

impl Opened {
    /// Opens the file while the agent still has its privileges.
    ///
    /// # Errors
    /// If the file can't be used.
    pub fn open(settings: &Settings) -> Result<Self> {
        let shown = settings.path.display();
        let lock = lock(&settings.path)?;
        let connection = schema::open(&settings.path, settings.most_bytes)
            .with_context(|| format!("cannot use the history {shown}"))?;
        let keep = i64::try_from(settings.keep.as_secs()).unwrap_or(i64::MAX);
        Ok(Self { connection, bounds: Bounds { keep, most_bytes: settings.most_bytes }, lock })
    }
}

impl Writer {
    /// Starts the thread, with the privileges of the calling thread. A replay waits for the disk; a live run
    /// does not.
    ///
    /// # Errors
    /// If the thread can't be started.
    pub fn start(opened: Opened, places: Places, is_live: bool) -> Result<Self> {
        let Opened { connection, bounds, lock } = opened;
        let (queue, messages) = sync_channel(WAITING);
        let (end, done) = channel();
        let work = move || {
            Keeper::new(Store::new(connection), places, bounds).work(&messages);
            drop((end, lock));
        };
        let thread = std::thread::Builder::new().name("history".to_owned());
        thread.spawn(work).context("cannot start the thread of the history")?;
        Ok(Self { queue: Some(queue), done, left: Left::default(), is_live, is_behind: false })
    }

    /// Adds an interval and its alerts, without waiting.
    pub fn take(
        &mut self,
        interval: &Arc<Interval>,
        alerts: &[Alert],
        name: &dyn Fn(u32) -> String,
    ) {
        let Some(queue) = &self.queue else { return };
        let room = MOST_ALERTS.saturating_sub(self.left.alerts.len());
        self.left.alerts.extend(alerts.iter().take(room).cloned());
        let left = std::mem::take(&mut self.left);
        let names = interval.names(name);
        let message = Message { interval: Some(interval.clone()), names, left };
        let sent = match self.is_live {
            true => queue.try_send(message),
            false => queue.send(message).map_err(|error| TrySendError::Disconnected(error.0)),
        };
        match sent {
            Ok(()) => self.caught_up(),
            Err(TrySendError::Full(message)) => self.leave(message),
            Err(TrySendError::Disconnected(_)) => {
                tracing::error!(
                    "the history is no longer written because its thread has ended: restart the agent"
                );
                self.queue = None;
            }
        }
    }

    /// Keeps the sums of a message; its detail is lost.
    fn leave(&mut self, message: Message) {
        let Message { interval, names, mut left } = message;
        interval.iter().for_each(|interval| left.add(interval, &names));
        self.left = left;
        if !std::mem::replace(&mut self.is_behind, true) {
            tracing::warn!("the history's disk is slow: only the sums of some intervals are kept");
        }
    }

    fn caught_up(&mut self) {
        if std::mem::take(&mut self.is_behind) {
            tracing::info!("the history is up to date again");
        }
    }

    /// Waits until everything is written. A live run waits for a limited time.
    pub fn finish(&mut self) {
        let (until, mut queue) = (Instant::now() + FAREWELL, self.queue.take());
        if self.left.intervals > 0 || !self.left.alerts.is_empty() {
            let left = std::mem::take(&mut self.left);
            let mut last = Some(Message { interval: None, names: FxHashMap::default(), left });
            while let (Some(sender), Some(message)) = (&queue, last.take()) {
                match sender.try_send(message) {
                    Err(TrySendError::Full(message)) if Instant::now() < until => {
                        last = Some(message);
                        std::thread::sleep(PAUSE);
                    }
                    Ok(()) | Err(_) => {}
                }
            }
        }
        drop(queue.take());
        let rest = until.saturating_duration_since(Instant::now());
        // The channel disconnects when the thread ends.
        let ended = match self.is_live {
            true => self.done.recv_timeout(rest),
            false => self.done.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        if ended == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(
                "the last minutes are missing in the history because its disk is too slow"
            );
        }
    }
}

impl Left {
    fn add(&mut self, interval: &Interval, names: &FxHashMap<u32, String>) {
        let minute = minute_of(interval.start_ns);
        let mut sums: FxHashMap<(u32, bool), Volume> = FxHashMap::default();
        for (flow, counters) in interval.flows.iter() {
            let is_received = is_received(&flow);
            let sum = sums.entry((flow.ifindex, is_received)).or_default();
            sum.add(&volume(is_received, &counters));
        }
        for ((ifindex, _), sum) in sums {
            self.sums.entry((minute, name_of(names, ifindex))).or_default().add(&sum);
        }
        self.intervals += 1;
    }
}

/// Locks the file, because only one agent may write to it.
fn lock(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let shown = path.display();
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(&name);
    let file = file.with_context(|| format!("cannot use the history {shown}"))?;
    if file.try_lock().is_err() {
        bail!(UsageError(format!(
            "another agent writes to {shown}: give this one another file with --history"
        )));
    }
    Ok(file)
}

/// The state of the thread.
struct Keeper {
    store: Store,
    places: Places,
    bounds: Bounds,
    /// Minutes that are not written completely, the oldest first; the last one is still growing.
    minutes: Vec<Minute>,
    uncounted: Uncounted,
    alerts: Vec<Alert>,
    hour: i64,
    /// Bytes that had to be dropped.
    lost: u64,
    is_failing: bool,
}

impl Keeper {
    fn new(store: Store, places: Places, bounds: Bounds) -> Self {
        let (minutes, alerts, uncounted) = (Vec::new(), Vec::new(), Uncounted::default());
        Self {
            store,
            places,
            bounds,
            minutes,
            uncounted,
            alerts,
            hour: 0,
            lost: 0,
            is_failing: false,
        }
    }

    fn work(mut self, messages: &Receiver<Message>) {
        while let Ok(message) = messages.recv() {
            self.take(message);
            messages.try_iter().for_each(|message| self.take(message));
            self.commit();
        }
    }

    fn take(&mut self, message: Message) {
        let Message { interval, names, left } = message;
        if left.intervals > 0 {
            tracing::warn!(
                intervals = left.intervals,
                "the history has only the sums of these intervals"
            );
        }
        for ((start, interface), sum) in &left.sums {
            self.minute(*start).add_sum(interface, sum);
        }
        let room = MOST_ALERTS.saturating_sub(self.alerts.len());
        self.alerts.extend(left.alerts.into_iter().take(room));
        interval.iter().for_each(|interval| self.add(interval, &names));
    }

    fn add(&mut self, interval: &Interval, names: &FxHashMap<u32, String>) {
        let start = minute_of(interval.start_ns);
        self.hour = rows::floor(start, HOUR);
        self.places.learn(interval);
        self.minute(start).add(interval, names);
        for (key, counters) in &interval.remainders {
            let reason = Reason::of(key.reason).map_or("unknown", Reason::as_str);
            let is_received = key.direction != wherefore_common::Direction::Egress as u8;
            let entry = self.uncounted.entry((name_of(names, key.ifindex), reason)).or_default();
            entry.add(&volume(is_received, counters));
        }
    }

    /// The minute that begins at this time: an open one, or one that is read from the file.
    fn minute(&mut self, start: i64) -> &mut Minute {
        let at = self.minutes.iter().position(|minute| minute.start == start);
        let at = at.unwrap_or_else(|| {
            let known = self.store.minute(start).unwrap_or_else(|error| {
                self.is_failing = true;
                tracing::debug!(
                    error = format!("{error:#}"),
                    "cannot read a minute back from the history"
                );
                Minute::new(start)
            });
            self.minutes.push(known);
            self.minutes.len() - 1
        });
        &mut self.minutes[at]
    }

    fn commit(&mut self) {
        let batch = Batch {
            minutes: self.minutes.iter().collect(),
            hour: self.hour,
            uncounted: Some(&self.uncounted),
            alerts: &self.alerts,
        };
        let written = self.store.commit(&batch, &self.places);
        match written.and_then(|()| self.settle()) {
            Ok(()) if std::mem::take(&mut self.is_failing) => {
                tracing::info!("the history can be written again");
            }
            Ok(()) => {}
            Err(error) => self.fail(&error),
        }
    }

    /// Drops data that is written. After each minute, coarsens old data in the file.
    fn settle(&mut self) -> Result<()> {
        self.uncounted.clear();
        self.alerts.clear();
        let newest = self.minutes.last().map_or(0, |minute| minute.start);
        let over = self.minutes.len().saturating_sub(1);
        self.minutes.retain(|minute| minute.start == newest);
        // Each call coarsens as much as one minute adds.
        (0..over).try_for_each(|_| self.store.age(newest, &self.bounds))
    }

    /// Keeps data that cannot be written for the next attempt, while counting continues.
    fn fail(&mut self, error: &anyhow::Error) {
        if !std::mem::replace(&mut self.is_failing, true) {
            let error = descriptors::explained(error);
            tracing::error!(
                error,
                "cannot write the history: counting continues, and data waits in memory"
            );
        }
        let coarse = self.minutes.len().saturating_sub(DETAILED);
        self.minutes.iter_mut().take(coarse).for_each(Minute::collapse);
        // The file may have reached its bound: remove old data. If that fails too, the disk is full.
        let newest = self.minutes.last().map_or(0, |minute| minute.start);
        let _ = self.store.age(newest, &self.bounds);
        let excess = self.minutes.len().saturating_sub(MOST_MINUTES);
        for minute in self.minutes.drain(..excess) {
            let bytes: u64 = minute.rows.values().map(Volume::bytes).sum();
            self.lost = self.lost.saturating_add(bytes);
            tracing::warn!(
                bytes = self.lost,
                "dropped these bytes from the history because it could not be written for too long"
            );
        }
    }
}
