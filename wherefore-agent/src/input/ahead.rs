//! Counts the next interval in a separate thread while the previous one is judged. Owns this thread, and the
//! forwarding of requests to it. Refuses sources whose results would depend on which thread is faster:
//! sources whose packets are kept as evidence, and live ones.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::replay::{INTERFACE, ReplaySource};
use super::requests::{Requester, Requests, requests};
use super::source::Source;
use crate::traffic::interval::Interval;

/// The most intervals that are counted but not judged yet, besides the one that is being counted.
const AHEAD: usize = 1;
/// How often a waiting thread checks whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How long to wait for the next interval after a request to stop: the thread may be blocked on a pipe
/// without a writer.
const PATIENCE: Duration = Duration::from_secs(5);

enum Message {
    Interval(Box<Interval>),
    /// The damage that was found, and the reason if the input ended early.
    End(Vec<String>, Result<()>),
}

/// A replay that counts ahead.
pub struct Ahead {
    messages: Receiver<Message>,
    requester: Requester,
    is_stopping: bool,
    warnings: Vec<String>,
    description: String,
}

impl Ahead {
    /// Starts to count in a separate thread.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(source: ReplaySource) -> Result<Self> {
        let (send, messages) = sync_channel(AHEAD);
        let (requester, requests) = requests(None);
        let description = source.describe();
        let thread = thread::Builder::new().name("count".to_owned());
        thread.spawn(move || count(source, &requests, &send)).context("cannot start to count")?;
        Ok(Self { messages, requester, is_stopping: false, warnings: Vec::new(), description })
    }
}

/// Counts until the end of the input, or until nobody needs the result.
fn count(mut source: ReplaySource, requests: &Requests, send: &SyncSender<Message>) {
    loop {
        let (message, is_last) = match source.next(requests) {
            Ok(Some(interval)) => (Message::Interval(Box::new(interval)), false),
            Ok(None) => (Message::End(source.warnings(), Ok(())), true),
            Err(error) => (Message::End(source.warnings(), Err(error)), true),
        };
        if send.send(message).is_err() || is_last {
            return;
        }
    }
}

impl Source for Ahead {
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>> {
        let mut since = Instant::now();
        loop {
            if requests.is_stop_requested() {
                self.requester.stop();
                // The request arrives once, but also applies to later calls.
                (self.is_stopping, since) = (true, Instant::now());
            }
            if self.is_stopping && since.elapsed() >= PATIENCE {
                let lost =
                    "stopped while waiting for the capture: its last packets are not counted";
                self.warnings.push(lost.to_owned());
                return Ok(None);
            }
            match self.messages.recv_timeout(LOOK) {
                Ok(Message::Interval(interval)) => return Ok(Some(*interval)),
                Ok(Message::End(warnings, ended)) => {
                    self.warnings = warnings;
                    return ended.map(|()| None);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    anyhow::bail!("the thread that counts has ended")
                }
            }
        }
    }

    fn describe(&self) -> String {
        self.description.clone()
    }

    fn interface_name(&self, _: u32) -> String {
        INTERFACE.to_owned()
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}
