//! The agent's end of the socket. Owns the readers and their queues. A slow reader misses readings, and
//! learns how many.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, Permissions};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustc_hash::FxHashMap;

use super::{is_answered, packed};
use crate::detect::finding::Status;
use crate::message::Outcome;
use crate::message::alert::Alert;
use crate::message::held::HeldRecord;
use crate::output::reading::{Hello, Judged, Reading, ViewMessage};
use crate::traffic::interval::Interval;
use crate::usage::UsageError;

/// The most readers.
const MOST_READERS: usize = 16;
/// The most messages that wait for a reader.
const MOST_WAITING: usize = 8;
/// The most alerts that a new reader gets.
const MOST_ALERTS: usize = 100;
/// The most held back findings that a new reader gets.
const MOST_HELD: usize = 200;
/// The most names of addresses that a new reader gets.
const MOST_NAMES: usize = 100_000;
/// A reader that accepts no data for this long is disconnected.
const PATIENCE: Duration = Duration::from_secs(10);

type Message = Arc<[u8]>;

/// Sends readings and alerts to all readers.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    hello: Hello,
    readers: Vec<Reader>,
    /// The last reading, for new readers.
    last: Option<Reading>,
    names: FxHashMap<IpAddr, String>,
    alerts: Vec<Alert>,
    /// The number of findings that were held back since the start, by reason, and the last of them, the
    /// newest at the end.
    held_back: BTreeMap<String, u64>,
    held: VecDeque<HeldRecord>,
}

#[derive(Debug)]
struct Reader {
    queue: SyncSender<Message>,
    missed: u64,
}

impl Hub {
    /// Makes the socket. Its owner and its group may connect.
    ///
    /// # Errors
    /// If another agent uses it, or its directory is missing.
    pub fn bind(path: &Path) -> Result<(Self, UnixListener)> {
        let shown = path.display();
        if is_answered(path) {
            bail!(UsageError(format!(
                "another agent uses {shown}: give this one another path with --socket"
            )));
        }
        // Remove a socket that a killed agent left, but nothing else.
        if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
            let _ = fs::remove_file(path);
        }
        let listener =
            UnixListener::bind(path).with_context(|| format!("cannot make the socket {shown}"))?;
        fs::set_permissions(path, Permissions::from_mode(0o660))
            .with_context(|| format!("cannot let the group use {shown}"))?;
        let state = Mutex::default();
        Ok((Self(Arc::new(Shared { path: path.to_owned(), state })), listener))
    }

    /// Starts to accept readers.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(&self, listener: UnixListener, hello: Hello) -> Result<()> {
        self.lock().hello = hello;
        let hub = self.clone();
        let accept = move || {
            for stream in listener.incoming() {
                match stream {
                    Ok(stream) => hub.admit_client(stream),
                    // No file descriptor is free; others may soon be closed.
                    Err(_) => std::thread::sleep(Duration::from_millis(100)),
                }
            }
        };
        let thread = std::thread::Builder::new().name("socket".to_owned());
        thread.spawn(accept).context("cannot start the thread that listens on the socket").map(drop)
    }

    /// Removes the socket.
    pub fn finish(&self) {
        self.lock().readers.clear();
        let _ = fs::remove_file(&self.0.path);
    }

    /// Whether there are readers.
    pub fn is_read(&self) -> bool {
        !self.lock().readers.is_empty()
    }

    /// Sends a reading.
    pub fn read(&self, reading: Reading) {
        let mut state = self.lock();
        if state.readers.is_empty() {
            state.last = Some(reading);
            return;
        }
        let news = ViewMessage::Reading(Box::new(reading));
        state.send(&news);
        if let ViewMessage::Reading(reading) = news {
            state.last = Some(*reading);
        }
    }

    /// Sends names that are new or have changed.
    pub fn names(&self, names: &ViewMessage) {
        let mut state = self.lock();
        if let ViewMessage::Names(new) = names {
            if state.names.len() + new.len() > MOST_NAMES {
                state.names.clear();
            }
            state.names.extend(new.iter().cloned());
        }
        if !state.readers.is_empty() {
            state.send(names);
        }
    }

    /// Sends the results of an interval.
    pub fn judged(&self, outcome: &Outcome, interval: &Interval) {
        let judged = Judged::of(outcome, interval);
        let mut state = self.lock();
        state.hold(&judged);
        for alert in &outcome.alerts {
            state.alerts.retain(|known| known.key != alert.key);
            if alert.status != Status::Resolved {
                state.alerts.push(alert.clone());
            }
        }
        let surplus = state.alerts.len().saturating_sub(MOST_ALERTS);
        state.alerts.drain(..surplus);
        if !state.readers.is_empty() {
            state.send(&ViewMessage::Judged(Box::new(judged)));
        }
    }

    fn admit_client(&self, stream: UnixStream) {
        let mut state = self.lock();
        if state.readers.len() >= MOST_READERS || stream.set_write_timeout(Some(PATIENCE)).is_err()
        {
            return;
        }
        let (queue, messages) = sync_channel(MOST_WAITING);
        for news in state.greeting() {
            // The queue is empty, so this does not fail.
            let _ = queue.try_send(packed(&news).into());
        }
        let thread = std::thread::Builder::new().name("reader".to_owned());
        if thread.spawn(move || write_all(stream, &messages)).is_ok() {
            state.readers.push(Reader { queue, missed: 0 });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The messages that a new reader gets at once.
    fn greeting(&self) -> Vec<ViewMessage> {
        let judged = Judged {
            alerts: self.alerts.clone(),
            held_back: self.held_back.clone(),
            held: self.held.iter().cloned().collect(),
            ..Judged::default()
        };
        let names = self.names.iter().map(|(address, name)| (*address, name.clone())).collect();
        let mut greeting =
            vec![ViewMessage::Hello(Box::new(self.hello.clone())), ViewMessage::Names(names)];
        greeting.extend(self.last.clone().map(|reading| ViewMessage::Reading(Box::new(reading))));
        greeting.push(ViewMessage::Judged(Box::new(judged)));
        greeting
    }

    /// Remembers findings that were held back, for new readers.
    fn hold(&mut self, judged: &Judged) {
        for (reason, count) in &judged.held_back {
            *self.held_back.entry(reason.clone()).or_default() += count;
        }
        self.held.extend(judged.held.iter().cloned());
        let surplus = self.held.len().saturating_sub(MOST_HELD);
        self.held.drain(..surplus);
    }

    /// Sends to all readers without waiting; removes those that have disconnected.
    fn send(&mut self, news: &ViewMessage) {
        let message: Message = packed(news).into();
        self.readers.retain_mut(|reader| reader.send(&message));
    }
}

impl Reader {
    /// Sends to one reader; returns whether it is still connected.
    fn send(&mut self, message: &Message) -> bool {
        if self.missed > 0 {
            let missed = packed(&ViewMessage::Missed(self.missed)).into();
            match self.queue.try_send(missed) {
                Ok(()) => self.missed = 0,
                Err(TrySendError::Full(_)) => {
                    self.missed += 1;
                    return true;
                }
                Err(TrySendError::Disconnected(_)) => return false,
            }
        }
        match self.queue.try_send(message.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.missed += 1;
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

fn write_all(mut stream: UnixStream, messages: &Receiver<Message>) {
    for message in messages {
        if stream.write_all(&message).is_err() {
            return;
        }
    }
}
