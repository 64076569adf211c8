//! Flow records for collectors, as IPFIX (RFC 7011). Owns the format, the bound on records, the connection
//! to each collector and its queue; refuses to delay an interval: a collector that is slow or dead
//! loses records, and these are counted and shown.

mod collector;
mod counters;
mod elements;
mod message;
mod pace;
mod queue;
mod sender;
mod sums;
mod transport;

use std::sync::Arc;

use anyhow::{Context, Result};

use self::queue::{Batch, Queue};
use self::sender::Sender;
use crate::traffic::interval::Interval;

pub use self::collector::{Collector, Protocol};
pub use self::counters::ExportCounters;

/// Settings of the export of flow records.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The collectors.
    pub collectors: Vec<Collector>,
    /// Flow records a second for each, at most.
    pub rate: u32,
}

/// The exporter to one collector: a queue here, and a thread behind it.
pub(crate) struct Exporter {
    queue: Arc<Queue>,
    /// Until the first interval, because threads that start late have no privileges.
    sender: Option<Sender>,
}

impl Exporter {
    /// An exporter to a collector. A live agent never waits for it; a replay does, and fails with it.
    pub(crate) fn new(collector: &Collector, rate: u32, is_live: bool) -> Self {
        let queue = Arc::new(Queue::new(collector.to_string(), is_live));
        Self { queue, sender: Some(Sender::new(collector.clone(), rate)) }
    }

    /// Queues an interval; `names` are those of its interfaces.
    ///
    /// # Errors
    /// If the thread cannot be started, or in a replay the collector cannot be reached.
    pub(crate) fn take(
        &mut self,
        interval: &Arc<Interval>,
        names: &Arc<Vec<(u32, String)>>,
    ) -> Result<()> {
        if let Some(mut sender) = self.sender.take() {
            let queue = self.queue.clone();
            let thread = std::thread::Builder::new().name("ipfix".to_owned());
            let work = move || {
                while let Some(batch) = queue.next() {
                    sender.send(&batch, &queue);
                    queue.done();
                }
            };
            thread.spawn(work).context("cannot start the thread that sends flow records")?;
        }
        self.queue.add(Batch { interval: interval.clone(), names: names.clone() })
    }

    /// The fate of the flows so far.
    pub(crate) fn counters(&self) -> ExportCounters {
        self.queue.counters()
    }

    /// Sends the waiting intervals. A live agent gives up after a moment; the rest is lost.
    ///
    /// # Errors
    /// In a replay, if the collector cannot be reached.
    pub(crate) fn finish(&self) -> Result<()> {
        self.queue.finish()
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.queue.close();
    }
}
