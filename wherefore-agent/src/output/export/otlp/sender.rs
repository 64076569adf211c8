//! Sends intervals to a receiver: alerts first, then counters, then flows. Owns the order, and when a request
//! is retried or given up.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

use super::account::Account;
use super::alerts;
use super::answer::Answer;
use super::attributes::Origin;
use super::batch::Batch;
use super::client::Client;
use super::flows::FlowRecords;
use super::metrics::{self, Sums as Metrics};
use super::receiver::Signal;
use super::request::{self, Pack};
use super::settings::Settings;
use crate::output::export::queue::Queue;
use crate::output::export::sums::{Plan, Sums};

/// How long an interval is tried before its rest is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// The first pause after a failure, and the longest that doubling it leads to.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause that a receiver may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// The sender to a receiver.
pub(super) struct Sender {
    link: Link,
    receiver: String,
    rate: u32,
    origin: Origin,
    metrics: Metrics,
    /// The last error of the receiver that was logged.
    complaint: String,
}

/// The outcome of a request.
enum RequestOutcome {
    /// Accepted, except for this number of its items.
    Accepted {
        rejected: u64,
        message: String,
    },
    Refused(String),
    /// The receiver has not accepted it in time, and is not expected to accept anything else.
    GivenUp(String),
}

/// Why nothing more can be sent for now.
struct GivenUp(String);

impl Sender {
    pub(super) fn new(client: Client, settings: &Settings) -> Self {
        let link = Link {
            client,
            runtime: None,
            pause: FIRST_PAUSE,
            not_before: None,
            reason: String::new(),
        };
        Self {
            link,
            receiver: settings.receiver.to_string(),
            rate: settings.rate,
            origin: Origin::new(&settings.host),
            metrics: Metrics::default(),
            complaint: String::new(),
        }
    }

    /// Sends an interval. Counts records that cannot be sent as lost.
    pub(super) fn send(&mut self, batch: &Batch, queue: &Queue<Batch>, account: &Account) {
        let mut out = OutgoingInterval {
            until: Instant::now() + PATIENCE,
            sender: self,
            batch,
            queue,
            account,
        };
        match out.send() {
            Ok(true) => queue.recovered(),
            Ok(false) => {}
            Err(GivenUp(reason)) => queue.give_up(&reason),
        }
    }

    fn complain(&mut self, what: &'static str, message: String) {
        if !message.is_empty() && message != self.complaint {
            tracing::warn!(
                receiver = self.receiver,
                message,
                what,
                "the receiver of --otlp complains"
            );
            self.complaint = message;
        }
    }
}

/// An interval that is being sent.
struct OutgoingInterval<'a> {
    sender: &'a mut Sender,
    batch: &'a Batch,
    queue: &'a Queue<Batch>,
    account: &'a Account,
    /// When its rest is given up.
    until: Instant,
}

/// Flow records for one request.
#[derive(Default)]
struct FlowPack {
    pack: Pack,
    sums: Sums,
    summed_flows: u64,
}

impl OutgoingInterval<'_> {
    /// Sends everything; false if the receiver refused flows.
    fn send(&mut self) -> Result<bool, GivenUp> {
        self.send_alerts()?;
        self.send_metrics()?;
        self.send_flows()
    }

    fn post(&mut self, signal: Signal, message: &[u8]) -> RequestOutcome {
        self.sender.link.post(signal, message, self.until, self.queue)
    }

    fn send_alerts(&mut self) -> Result<(), GivenUp> {
        let waiting = self.account.alerts.take();
        let mut rest = &waiting[..];
        while !rest.is_empty() {
            let mut pack = Pack::default();
            for record in rest.iter().map(|alert| alerts::record(alert)) {
                if !pack.has_room(&record) {
                    break;
                }
                pack.add(record);
            }
            let alerts = pack.len();
            let message = pack.encode(&self.sender.origin);
            match self.post(Signal::Logs, &message) {
                RequestOutcome::Accepted { rejected, message } => {
                    let lost = rejected.min(alerts);
                    self.account.alerts.settle(alerts - lost, lost);
                    self.sender.complain("alerts", message);
                }
                RequestOutcome::Refused(reason) => {
                    self.account.alerts.settle(0, alerts);
                    self.sender.complain("alerts", reason);
                }
                RequestOutcome::GivenUp(reason) => {
                    self.account.alerts.put_back(rest);
                    return Err(GivenUp(reason));
                }
            }
            rest = &rest[alerts as usize..];
        }
        Ok(())
    }

    fn send_metrics(&mut self) -> Result<(), GivenUp> {
        let own = self.account.counters(self.queue.counters());
        let metrics = self.sender.metrics.metrics(self.batch, &own);
        let points = metrics::points(&metrics);
        let message = request::of_metrics(metrics, &self.sender.origin);
        match self.post(Signal::Metrics, &message) {
            RequestOutcome::Accepted { rejected, message } => {
                let lost = rejected.min(points);
                self.account.points(points - lost, lost);
                self.sender.complain("metrics", message);
            }
            RequestOutcome::Refused(reason) => {
                self.account.points(0, points);
                self.sender.complain("metrics", reason);
            }
            RequestOutcome::GivenUp(reason) => {
                self.account.points(0, points);
                return Err(GivenUp(reason));
            }
        }
        Ok(())
    }

    fn send_flows(&mut self) -> Result<bool, GivenUp> {
        let interval = &self.batch.interval;
        let most = (f64::from(self.sender.rate) * interval.seconds()).ceil().max(1.0) as usize;
        let plan = Plan::new(&interval.flows, most);
        let mut records = FlowRecords::new(self.batch);
        let (mut flows, mut is_whole) = (FlowPack::default(), true);
        for at in &plan.alone {
            let (record, counters) =
                (records.record(*at as usize), interval.flows.counters(*at as usize));
            if !flows.pack.has_room(&record) {
                is_whole &= self.send_pack(std::mem::take(&mut flows))?;
            }
            flows.pack.add(record);
            flows.sums.add(1, &counters);
        }
        for (key, counters, number) in &plan.together {
            let record = records.other(key, counters, *number);
            if !flows.pack.has_room(&record) {
                is_whole &= self.send_pack(std::mem::take(&mut flows))?;
            }
            flows.pack.add(record);
            flows.sums.add((*number).into(), counters);
            flows.summed_flows += u64::from(*number);
        }
        Ok(self.send_pack(flows)? && is_whole)
    }

    /// Sends flow records; false if the receiver refused them.
    fn send_pack(&mut self, flows: FlowPack) -> Result<bool, GivenUp> {
        let FlowPack { pack, sums, summed_flows } = flows;
        let records = pack.len();
        if records == 0 {
            return Ok(true);
        }
        let message = pack.encode(&self.sender.origin);
        match self.post(Signal::Logs, &message) {
            RequestOutcome::Accepted { rejected, message } => {
                self.queue.sent(sums, records, summed_flows);
                self.account.rejected(rejected.min(records));
                self.sender.complain("flows", message);
                Ok(true)
            }
            RequestOutcome::Refused(reason) => {
                self.queue.refused(sums, &reason);
                Ok(false)
            }
            RequestOutcome::GivenUp(reason) => Err(GivenUp(reason)),
        }
    }
}

/// The connection to the receiver, and the pause after failures.
struct Link {
    client: Client,
    /// Created by the thread that uses it.
    runtime: Option<Runtime>,
    /// The pause after the next failure.
    pause: Duration,
    /// After a failure: when to try again, and what failed.
    not_before: Option<Instant>,
    reason: String,
}

impl Link {
    /// Sends a request until the receiver accepts or refuses it, or the time is over.
    fn post(
        &mut self,
        signal: Signal,
        message: &[u8],
        until: Instant,
        queue: &Queue<Batch>,
    ) -> RequestOutcome {
        let body = match self.client.body(message) {
            Ok(body) => body,
            Err(error) => return RequestOutcome::Refused(error.to_string()),
        };
        loop {
            if let Some(moment) = self.not_before
                && (moment > until || !queue.wait_until(moment))
            {
                return RequestOutcome::GivenUp(self.reason.clone());
            }
            match self.try_once(signal, &body) {
                Answer::Accepted { rejected, message } => {
                    self.reopen();
                    return RequestOutcome::Accepted { rejected, message };
                }
                Answer::Refused(reason) => {
                    self.reopen();
                    return RequestOutcome::Refused(reason);
                }
                Answer::Later { after, reason, is_unreachable } => {
                    self.close(after, reason);
                    if is_unreachable && !queue.is_live() {
                        return RequestOutcome::GivenUp(self.reason.clone());
                    }
                }
            }
        }
    }

    fn try_once(&mut self, signal: Signal, body: &[u8]) -> Answer {
        let runtime = match self.runtime.take().map_or_else(runtime, Ok) {
            Ok(runtime) => self.runtime.insert(runtime),
            Err(error) => return Answer::later(None, format!("{error:#}")),
        };
        runtime.block_on(self.client.post(signal, body))
    }

    fn reopen(&mut self) {
        (self.not_before, self.pause) = (None, FIRST_PAUSE);
    }

    /// The longer one of our own pause and the receiver's. Our own varies, so that not all agents retry at
    /// once.
    fn close(&mut self, after: Option<Duration>, reason: String) {
        let ours = self.pause.mul_f64(fastrand::f64().mul_add(0.5, 0.75));
        let pause = ours.max(after.unwrap_or_default().min(LONGEST_ASKED));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        (self.not_before, self.reason) = (Some(Instant::now() + pause), reason);
    }
}

/// A runtime with a thread, which notices that an idle connection was closed.
fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("otlp-net")
        .enable_all()
        .build()
        .context("cannot start the thread of connections")
}
