//! Flows and alerts as records of Kafka, in JSON. Owns the form and the key of a record, and what a report about it
//! means; the queue and the bound on flow records are those of the whole folder. The producer is librdkafka's, if
//! the program was built with it.

mod batch;
mod counters;
mod parcel;
#[cfg_attr(not(feature = "kafka"), path = "without.rs")]
mod producer;
mod records;
mod sender;
mod settings;
mod target;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result};

use self::batch::Batch;
use self::producer::Configuration;
use self::sender::Sender;
use super::outbox::{Outbox, Sent};
use super::queue::Queue;
use crate::attribute::Directory;
use crate::message::alert::Alert;
use crate::traffic::interval::Interval;

pub use self::counters::KafkaCounters;
pub use self::settings::Settings;
pub use self::target::{Target, Topic};

/// How long the agent waits at its end until the producer's threads have ended.
const FAREWELL: Duration = Duration::from_secs(1);

/// The exporter to Kafka: a queue here, and a thread behind it.
pub(crate) struct Exporter {
    queue: Arc<Queue<Batch>>,
    outbox: Arc<Outbox>,
    rate: u32,
    /// Until the first interval, because threads that start late have no privileges.
    sender: Option<(Sender, SyncSender<()>)>,
    /// Closed once the thread has ended.
    thread: Receiver<()>,
}

impl Exporter {
    /// An exporter. A live agent never waits for brokers; a replay does, and fails with them.
    ///
    /// # Errors
    /// If a property cannot be read or used, or the program was built without Kafka.
    pub(crate) fn open(settings: &Settings, is_live: bool) -> Result<Self> {
        let sender = Sender::new(Configuration::check(settings)?, settings);
        let queue = Arc::new(Queue::new(settings.target.to_string(), is_live));
        let (alive, thread) = sync_channel(0);
        let outbox = Arc::new(Outbox::new("--kafka"));
        Ok(Self { queue, outbox, rate: settings.rate, sender: Some((sender, alive)), thread })
    }

    /// Queues an interval with its alerts; `names` are those of its interfaces.
    ///
    /// # Errors
    /// If the thread cannot be started, or in a replay no broker can be reached.
    pub(crate) fn take(
        &mut self,
        interval: &Arc<Interval>,
        alerts: &[Alert],
        names: &Arc<Vec<(u32, String)>>,
        directory: &Directory,
    ) -> Result<()> {
        if let Some((sender, alive)) = self.sender.take() {
            self.start(sender, alive)?;
        }
        self.outbox.add(alerts);
        self.queue.add(Batch::new(interval, names, directory, self.rate))
    }

    fn start(&self, mut sender: Sender, alive: SyncSender<()>) -> Result<()> {
        let (queue, outbox) = (self.queue.clone(), self.outbox.clone());
        let work = move || {
            while let Some(batch) = queue.next() {
                sender.send(&batch, &queue, &outbox);
                queue.done();
            }
            drop(sender);
            drop(alive);
        };
        let thread = std::thread::Builder::new().name("kafka".to_owned()).spawn(work);
        thread.map(drop).context("cannot start the thread that sends to Kafka")
    }

    /// The fate of all records so far.
    pub(crate) fn counters(&self) -> KafkaCounters {
        let Sent { sent, lost } = self.outbox.account();
        KafkaCounters { flows: self.queue.counters(), sent_alerts: sent, lost_alerts: lost }
    }

    /// Sends the waiting intervals. A live agent gives up after a moment; the rest is lost.
    ///
    /// # Errors
    /// In a replay, if no broker can be reached or one refuses records.
    pub(crate) fn finish(&self) -> Result<()> {
        let finished = self.queue.finish();
        self.outbox.finish();
        if self.sender.is_none() {
            // Nothing is ever sent: this ends with the thread. librdkafka's threads must not outlive the
            // process's own end.
            let _ = self.thread.recv_timeout(FAREWELL);
        }
        finished
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.queue.close();
    }
}
