//! Flows, alerts and counters by OpenTelemetry's protocol (OTLP), over HTTP or gRPC. Owns the form of the
//! records, the requests, the meaning of responses and the retries. The queue and the bound on flow records
//! are shared with IPFIX.

mod account;
mod alerts;
mod answer;
mod attributes;
mod batch;
mod client;
mod counters;
mod flows;
mod metrics;
mod receiver;
mod request;
mod sender;
mod settings;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};

use self::account::Account;
use self::batch::Batch;
use self::client::Client;
use self::sender::Sender;
use super::queue::Queue;
use crate::attribute::geo::Geo;
use crate::message::alert::Alert;
use crate::traffic::interval::{Interval, Totals};

pub use self::counters::OtlpCounters;
pub use self::receiver::Receiver;
pub use self::settings::Settings;

/// The exporter to a receiver: a queue here, and a thread behind it.
pub(crate) struct Exporter {
    queue: Arc<Queue<Batch>>,
    account: Arc<Account>,
    /// Alerts since the start, by kind and status.
    messages: BTreeMap<(&'static str, &'static str), u64>,
    /// The sender until the first interval. Its thread starts then, when the agent has given up its
    /// privileges.
    sender: Option<Sender>,
}

impl Exporter {
    /// Makes an exporter. A live agent never waits for the receiver; a replay waits, and fails if it is
    /// unreachable.
    ///
    /// # Errors
    /// If a header or a certificate cannot be read or used.
    pub(crate) fn open(settings: &Settings, is_live: bool) -> Result<Self> {
        let client = Client::open(settings).context("cannot use the receiver of --otlp")?;
        let sender = Some(Sender::new(client, settings));
        let queue = Arc::new(Queue::new(settings.receiver.to_string(), is_live));
        Ok(Self { queue, account: Arc::default(), messages: BTreeMap::new(), sender })
    }

    /// Queues an interval with its alerts, and the sums up to it; `names` are those of its interfaces.
    ///
    /// # Errors
    /// If the thread cannot be started, or in a replay the receiver cannot be reached.
    pub(crate) fn take(
        &mut self,
        interval: &Arc<Interval>,
        alerts: &[Alert],
        totals: &Totals,
        names: &Arc<Vec<(u32, String)>>,
        geo: &Arc<Geo>,
    ) -> Result<()> {
        if let Some(sender) = self.sender.take() {
            self.start(sender)?;
        }
        for alert in alerts {
            let key = (alert.kind.as_str(), alert.status.as_str());
            *self.messages.entry(key).or_default() += 1;
        }
        self.account.alerts.add(alerts);
        let (interval, names, geo) = (interval.clone(), names.clone(), geo.clone());
        let (totals, messages) = (totals.clone(), self.messages.clone());
        self.queue.add(Batch { interval, names, geo, totals, messages })
    }

    fn start(&self, mut sender: Sender) -> Result<()> {
        let (queue, account) = (self.queue.clone(), self.account.clone());
        let work = move || {
            while let Some(batch) = queue.next() {
                sender.send(&batch, &queue, &account);
                queue.done();
            }
        };
        let thread = std::thread::Builder::new().name("otlp".to_owned()).spawn(work);
        thread.map(drop).context("cannot start the thread that sends to the receiver of --otlp")
    }

    /// What became of all records so far.
    pub(crate) fn counters(&self) -> OtlpCounters {
        self.account.counters(self.queue.counters())
    }

    /// Sends the waiting intervals. A live agent gives up after a short time, and counts the rest as lost.
    ///
    /// # Errors
    /// In a replay, if the receiver cannot be reached or refuses records.
    pub(crate) fn finish(&self) -> Result<()> {
        let finished = self.queue.finish();
        self.account.finish();
        finished
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.queue.close();
    }
}
