//! Alerts that wait for the receiver, and the counts of alerts and metric points. Owns the bound on alerts:
//! they wait longer than flows, because they are few and matter more.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counters::OtlpCounters;
use crate::message::alert::Alert;
use crate::output::export::counters::ExportCounters;

/// The most alerts that wait; if there are more, the oldest are lost.
const MOST: usize = 1000;

/// The queue between the agent and the thread that sends.
#[derive(Debug, Default)]
pub(super) struct Outbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The oldest first.
    waiting: VecDeque<Arc<Alert>>,
    /// Alerts that are being sent.
    on_the_way: u64,
    /// Whether the agent has ended, so that the counts are final.
    is_over: bool,
    counters: OtlpCounters,
}

impl Outbox {
    /// Adds alerts.
    pub(super) fn add(&self, alerts: &[Alert]) {
        let mut state = self.lock();
        state.waiting.extend(alerts.iter().cloned().map(Arc::new));
        state.shorten();
    }

    /// Takes all waiting alerts, to be counted or put back.
    pub(super) fn take(&self) -> Vec<Arc<Alert>> {
        let mut state = self.lock();
        state.on_the_way += state.waiting.len() as u64;
        state.waiting.drain(..).collect()
    }

    /// Puts alerts back that could not be sent yet.
    pub(super) fn put_back(&self, alerts: &[Arc<Alert>]) {
        self.change(|state| {
            state.on_the_way -= alerts.len() as u64;
            alerts.iter().rev().for_each(|alert| state.waiting.push_front(alert.clone()));
            state.shorten();
        });
    }

    /// Counts alerts that arrived or were lost.
    pub(super) fn settle(&self, sent: u64, lost: u64) {
        self.change(|state| {
            state.on_the_way -= sent + lost;
            state.counters.sent_alerts += sent;
            state.counters.lost_alerts += lost;
        });
    }

    /// Counts flow records that the receiver rejected in a request that it accepted.
    pub(super) fn rejected(&self, records: u64) {
        self.change(|state| state.counters.rejected_records += records);
    }

    /// Counts metric points that arrived or were lost.
    pub(super) fn points(&self, sent: u64, lost: u64) {
        self.change(|state| {
            state.counters.sent_points += sent;
            state.counters.lost_points += lost;
        });
    }

    /// The counts, with those of flows.
    pub(super) fn counters(&self, flows: ExportCounters) -> OtlpCounters {
        OtlpCounters { flows, ..self.lock().counters.clone() }
    }

    /// Counts everything that has not been sent as lost.
    pub(super) fn finish(&self) {
        self.change(|state| {
            state.counters.lost_alerts += state.on_the_way + state.waiting.len() as u64;
            state.waiting.clear();
            state.is_over = true;
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        if !state.is_over {
            change(&mut state);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The content is consistent after each change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn shorten(&mut self) {
        let lost = self.waiting.len().saturating_sub(MOST);
        if lost > 0 {
            tracing::warn!(lost, "alerts for --otlp are lost: too many wait");
            self.waiting.drain(..lost);
            self.counters.lost_alerts += lost as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::alert::Status;
    use crate::output::sinks::sample;

    #[test]
    fn every_alert_is_sent_or_lost() {
        let outbox = Outbox::default();
        outbox.add(&vec![sample(Status::Firing); MOST + 3]);
        let taken = outbox.take();
        assert_eq!(taken.len(), MOST);
        outbox.settle(10, 1);
        outbox.put_back(&taken[11..]);
        outbox.add(&vec![sample(Status::Firing); 20]);
        let lost = || outbox.counters(ExportCounters::default()).lost_alerts;
        assert_eq!(lost(), 3 + 1 + 9, "the oldest of too many are lost");
        assert_eq!(outbox.take().len(), MOST);
        outbox.finish();
        outbox.settle(MOST as u64, 0);
        let counters = outbox.counters(ExportCounters::default());
        assert_eq!((counters.sent_alerts, counters.lost_alerts), (10, MOST as u64 + 13));
    }
}
