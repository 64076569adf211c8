//! Sends intervals to Kafka: alerts first, then flows, and waits for the reports about them. Owns the order, and when
//! the rest of an interval is given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::parcel::{Failure, Parcel, Refusal, Report};
use super::producer::{Configuration, Producer};
use super::records::{Record, Records};
use super::settings::Settings;
use super::target::Topic;
use crate::message::alert::Alert;
use crate::output::export::outbox::Outbox;
use crate::output::export::queue::Queue;
use crate::output::export::sums::Sums;

/// How long records of an interval may wait for space.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a replay waits for a broker.
const REACH: Duration = Duration::from_secs(10);
/// How long to wait for reports before looking whether the agent ends.
const LOOK: Duration = Duration::from_millis(10);
/// Records between two looks at reports.
const OFTEN: usize = 256;

/// The sender, with a producer once it is needed.
pub(super) struct Sender {
    configuration: Configuration,
    topic: Topic,
    alert_topic: Topic,
    host: String,
    producer: Option<Producer>,
    /// Why a replay has reached no broker.
    unreachable: Option<String>,
}

impl Sender {
    pub(super) fn new(configuration: Configuration, settings: &Settings) -> Self {
        let Settings { target, alert_topic, host, .. } = settings;
        let alert_topic = alert_topic.clone().unwrap_or_else(|| target.alert_topic());
        let (topic, host) = (target.topic.clone(), host.clone());
        let (producer, unreachable) = (None, None);
        Self { configuration, topic, alert_topic, host, producer, unreachable }
    }

    /// Sends an interval. What cannot be sent counts as lost.
    pub(super) fn send(&mut self, batch: &Batch, queue: &Queue<Batch>, outbox: &Outbox) {
        if let Err(reason) = self.make_ready(queue) {
            queue.give_up(&reason);
            return;
        }
        let Some(producer) = &self.producer else { return };
        let mut out = Out::new(producer, queue, outbox);
        out.look(LOOK);
        let records = Records::new(&self.host, batch);
        let sent = out.send_alerts(&self.alert_topic);
        let sent = sent.and_then(|()| out.send_flows(&self.topic, batch, records));
        out.finish(sent);
        if producer.is_broken() {
            self.producer = None;
        }
    }

    /// Starts a producer. A replay also waits for a broker, to fail early.
    fn make_ready(&mut self, queue: &Queue<Batch>) -> Result<(), String> {
        if let Some(reason) = &self.unreachable {
            return Err(reason.clone());
        }
        if self.producer.is_none() {
            let producer = Producer::start(&self.configuration)?;
            if !queue.is_live()
                && let Err(reason) = producer.reach(&self.topic, REACH)
            {
                self.unreachable = Some(reason.clone());
                return Err(reason);
            }
            self.producer = Some(producer);
        }
        Ok(())
    }
}

/// Why the rest of an interval is not sent.
struct GivenUp(String);

/// An interval on its way out.
struct Out<'a> {
    producer: &'a Producer,
    queue: &'a Queue<Batch>,
    outbox: &'a Outbox,
    until: Instant,
    /// Records without a report.
    on_the_way: usize,
    /// Alerts that will be tried again.
    unsent: Vec<Arc<Alert>>,
    has_lost: bool,
}

impl<'a> Out<'a> {
    fn new(producer: &'a Producer, queue: &'a Queue<Batch>, outbox: &'a Outbox) -> Self {
        let until = Instant::now() + PATIENCE;
        let (on_the_way, unsent, has_lost) = (0, Vec::new(), false);
        Self { producer, queue, outbox, until, on_the_way, unsent, has_lost }
    }

    fn send_alerts(&mut self, topic: &Topic) -> Result<(), GivenUp> {
        let alerts = self.outbox.take();
        for (at, alert) in alerts.iter().enumerate() {
            let value = serde_json::to_vec(&**alert).unwrap_or_default();
            let record = Record { key: alert.key.clone(), value };
            let sent = self.send(topic, &record, Parcel::Alert(alert.clone()));
            if sent.is_err() {
                self.unsent.extend_from_slice(&alerts[at..]);
                return sent;
            }
        }
        Ok(())
    }

    fn send_flows(
        &mut self,
        topic: &Topic,
        batch: &Batch,
        mut records: Records<'_>,
    ) -> Result<(), GivenUp> {
        let failed = |error: serde_json::Error| GivenUp(error.to_string());
        for (number, at) in batch.plan.alone.iter().enumerate() {
            let (record, counters) = records.flow(*at as usize).map_err(failed)?;
            let mut sums = Sums::default();
            sums.add(1, &counters);
            self.send(topic, &record, Parcel::Flows { sums, summed_flows: 0 })?;
            if number % OFTEN == OFTEN - 1 {
                self.look(Duration::ZERO);
            }
        }
        for (key, counters, flows) in &batch.plan.together {
            let record = records.other(key, counters, *flows).map_err(failed)?;
            let mut sums = Sums::default();
            sums.add((*flows).into(), counters);
            self.send(topic, &record, Parcel::Flows { sums, summed_flows: (*flows).into() })?;
        }
        Ok(())
    }

    /// Queues a record, after waiting for space if necessary.
    fn send(&mut self, topic: &Topic, record: &Record, parcel: Parcel) -> Result<(), GivenUp> {
        let mut parcel = Box::new(parcel);
        loop {
            match self.producer.send(topic, record, parcel) {
                Ok(()) => {
                    self.on_the_way += 1;
                    return Ok(());
                }
                Err((Refusal::Full, back)) => parcel = back,
                Err((Refusal::Failed(failure), back)) => {
                    self.on_the_way += 1;
                    self.settle(vec![Report { parcel: *back, failure: Some(failure) }]);
                    return Ok(());
                }
            }
            self.look(LOOK);
            if Instant::now() > self.until || self.queue.is_abandoned() {
                return Err(GivenUp("the brokers are too slow".to_owned()));
            }
        }
    }

    /// Settles what is reported within this time.
    fn look(&mut self, time: Duration) {
        let reports = self.producer.poll(time);
        self.settle(reports);
    }

    fn settle(&mut self, reports: Vec<Report>) {
        let (mut sent, mut records, mut summed) = (Sums::default(), 0, 0);
        let (mut lost, mut reason) = (Sums::default(), String::new());
        self.on_the_way = self.on_the_way.saturating_sub(reports.len());
        for Report { parcel, failure } in reports {
            match (parcel, failure) {
                (Parcel::Flows { sums, summed_flows }, None) => {
                    sent.plus(sums);
                    (records, summed) = (records + 1, summed + summed_flows);
                }
                (Parcel::Flows { sums, .. }, Some(failure)) => {
                    lost.plus(sums);
                    reason = failure.reason;
                }
                (Parcel::Alert(alert), failure) => self.settle_alert(alert, failure),
            }
        }
        if records > 0 {
            self.queue.sent(sent, records, summed);
        }
        if lost != Sums::default() {
            self.has_lost = true;
            self.queue.refused(lost, &reason);
        }
    }

    fn settle_alert(&mut self, alert: Arc<Alert>, failure: Option<Failure>) {
        match failure {
            None => self.outbox.settle(1, 0),
            Some(Failure { is_temporary: true, .. }) => self.unsent.push(alert),
            Some(Failure { reason, .. }) => {
                tracing::warn!(key = alert.key, reason, "Kafka refuses an alert");
                self.outbox.settle(0, 1);
            }
        }
    }

    /// Waits for all reports, unless the agent ends; then nothing is on its way.
    fn finish(mut self, sent: Result<(), GivenUp>) {
        while self.on_the_way > 0 && !self.queue.is_abandoned() {
            self.look(LOOK);
        }
        self.outbox.put_back(&self.unsent);
        match sent {
            Err(GivenUp(reason)) => self.queue.give_up(&reason),
            Ok(()) if !self.has_lost => self.queue.recovered(),
            Ok(()) => {}
        }
    }
}
