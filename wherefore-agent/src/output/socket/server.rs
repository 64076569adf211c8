//! The agent's end. Owns readers and their queues: a slow reader misses readings and
//! is told how many.

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
use crate::output::reading::{Hello, Judged, News, Reading};
use crate::traffic::interval::Interval;
use crate::usage::UsageError;

/// Readers at most.
const MOST_READERS: usize = 16;
/// Messages that wait for each.
const MOST_WAITING: usize = 8;
/// Alerts that a new reader gets.
const MOST_ALERTS: usize = 100;
/// Held back things that a new reader gets.
const MOST_HELD: usize = 200;
/// Names that a new reader gets.
const MOST_NAMES: usize = 100_000;
/// A reader that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

type Message = Arc<[u8]>;

/// Hands readings and alerts to all readers.
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
    /// For those who come next.
    last: Option<Reading>,
    names: FxHashMap<IpAddr, String>,
    alerts: Vec<Alert>,
    /// Findings held back since the start by reason, and the last ones; the newest at the end.
    held_back: BTreeMap<String, u64>,
    held: VecDeque<HeldRecord>,
}

#[derive(Debug)]
struct Reader {
    queue: SyncSender<Message>,
    missed: u64,
}

impl Hub {
    /// Makes the socket; its owner and group may connect.
    ///
    /// # Errors
    /// If another agent has it, or its directory is missing.
    pub fn bind(path: &Path) -> Result<(Self, UnixListener)> {
        let shown = path.display();
        if is_answered(path) {
            bail!(UsageError(format!(
                "another agent uses {shown}: give this one its own --socket"
            )));
        }
        // A socket that a killed agent left; nothing else is removed.
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

    /// Lets readers in from now on.
    ///
    /// # Errors
    /// If there can be no thread.
    pub fn start(&self, listener: UnixListener, hello: Hello) -> Result<()> {
        self.lock().hello = hello;
        let hub = self.clone();
        let accept = move || {
            for stream in listener.incoming() {
                match stream {
                    Ok(stream) => hub.let_in(stream),
                    // No descriptor is left: others may be closed soon.
                    Err(_) => std::thread::sleep(Duration::from_millis(100)),
                }
            }
        };
        let thread = std::thread::Builder::new().name("socket".to_owned());
        thread.spawn(accept).context("cannot start to listen on the socket").map(drop)
    }

    /// Removes the socket.
    pub fn finish(&self) {
        self.lock().readers.clear();
        let _ = fs::remove_file(&self.0.path);
    }

    /// Whether anybody reads.
    pub fn is_read(&self) -> bool {
        !self.lock().readers.is_empty()
    }

    /// Hands over a reading.
    pub fn read(&self, reading: Reading) {
        let mut state = self.lock();
        if state.readers.is_empty() {
            state.last = Some(reading);
            return;
        }
        let news = News::Reading(Box::new(reading));
        state.send(&news);
        if let News::Reading(reading) = news {
            state.last = Some(*reading);
        }
    }

    /// Hands over names that are new.
    pub fn names(&self, names: &News) {
        let mut state = self.lock();
        if let News::Names(new) = names {
            if state.names.len() + new.len() > MOST_NAMES {
                state.names.clear();
            }
            state.names.extend(new.iter().cloned());
        }
        if !state.readers.is_empty() {
            state.send(names);
        }
    }

    /// Passes on the results of an interval.
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
            state.send(&News::Judged(Box::new(judged)));
        }
    }

    fn let_in(&self, stream: UnixStream) {
        let mut state = self.lock();
        if state.readers.len() >= MOST_READERS || stream.set_write_timeout(Some(PATIENCE)).is_err()
        {
            return;
        }
        let (queue, messages) = sync_channel(MOST_WAITING);
        for news in state.greeting() {
            // The queue is empty.
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
    fn greeting(&self) -> Vec<News> {
        let judged = Judged {
            alerts: self.alerts.clone(),
            held_back: self.held_back.clone(),
            held: self.held.iter().cloned().collect(),
            ..Judged::default()
        };
        let names = self.names.iter().map(|(address, name)| (*address, name.clone())).collect();
        let mut greeting = vec![News::Hello(Box::new(self.hello.clone())), News::Names(names)];
        greeting.extend(self.last.clone().map(|reading| News::Reading(Box::new(reading))));
        greeting.push(News::Judged(Box::new(judged)));
        greeting
    }

    /// Stores findings that were held back.
    fn hold(&mut self, judged: &Judged) {
        for (reason, count) in &judged.held_back {
            *self.held_back.entry(reason.clone()).or_default() += count;
        }
        self.held.extend(judged.held.iter().cloned());
        let surplus = self.held.len().saturating_sub(MOST_HELD);
        self.held.drain(..surplus);
    }

    /// Without waiting; readers that are gone are forgotten.
    fn send(&mut self, news: &News) {
        let message: Message = packed(news).into();
        self.readers.retain_mut(|reader| reader.send(&message));
    }
}

impl Reader {
    /// Whether it is still there.
    fn send(&mut self, message: &Message) -> bool {
        if self.missed > 0 {
            let missed = packed(&News::Missed(self.missed)).into();
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
