//! Sends flow records to collectors, as IPFIX (RFC 7011), by OpenTelemetry's protocol and to Kafka. Owns the formats, the
//! bound on records, and for each collector its connection and its queue. Refuses to delay an interval: if a
//! collector is slow or unreachable, records for it are lost, counted and shown.

mod collector;
mod counters;
mod elements;
pub mod kafka;
mod message;
pub mod otlp;
mod outbox;
mod pace;
mod queue;
mod sender;
mod sums;
mod transport;

use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Serialize;

use self::queue::Queue;
use self::sender::{Batch, Sender};
use crate::traffic::interval::Interval;

pub use self::collector::{Collector, Protocol};
pub use self::counters::ExportCounters;
pub use self::kafka::KafkaCounters;
pub use self::otlp::OtlpCounters;

/// Settings of the export of flow records.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The collectors.
    pub collectors: Vec<Collector>,
    /// The most flow records a second for each collector.
    pub rate: u32,
    /// The receiver of OpenTelemetry's protocol.
    pub otlp: Option<otlp::Settings>,
    /// Kafka.
    pub kafka: Option<kafka::Settings>,
}

/// The fate of flows for each collector.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct Exports {
    /// The fate of flow records as IPFIX, for each collector; absent without collectors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub ipfix: Vec<ExportCounters>,
    /// The fate of records by OpenTelemetry's protocol; absent without a receiver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp: Option<OtlpCounters>,
    /// The fate of records for Kafka; absent without brokers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<KafkaCounters>,
}

/// Exports to one collector: a queue, and a thread that empties it.
pub(crate) struct Exporter {
    queue: Arc<Queue<Batch>>,
    /// `None` once the thread runs. It starts with the first interval: by then the agent has given up its
    /// privileges, so the thread has none.
    sender: Option<Sender>,
}

impl Exporter {
    /// Makes an exporter. A live agent never waits for the collector; a replay waits, and fails if it is
    /// unreachable.
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

    /// What became of the flows so far.
    pub(crate) fn counters(&self) -> ExportCounters {
        self.queue.counters()
    }

    /// Sends the waiting intervals. A live agent gives up after a short time, and counts the rest as lost.
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
