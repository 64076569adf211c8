//! The account of all that a receiver of OpenTelemetry's protocol gets. Owns what is neither flows nor alerts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::counters::OtlpCounters;
use crate::output::export::counters::ExportCounters;
use crate::output::export::outbox::{Outbox, Sent};

/// Between the agent and the thread that sends.
#[derive(Debug)]
pub(super) struct Account {
    /// Alerts.
    pub(super) alerts: Outbox,
    rest: Mutex<Rest>,
}

#[derive(Debug, Default)]
struct Rest {
    /// At the end of the agent, the account is closed.
    is_over: bool,
    counters: OtlpCounters,
}

impl Default for Account {
    fn default() -> Self {
        Self { alerts: Outbox::new("--otlp"), rest: Mutex::default() }
    }
}

impl Account {
    /// The receiver rejected flow records of a request that it accepted.
    pub(super) fn rejected(&self, records: u64) {
        let mut rest = self.lock();
        if !rest.is_over {
            rest.counters.rejected_records += records;
        }
    }

    /// Points of metrics arrived, or are lost.
    pub(super) fn points(&self, sent: u64, lost: u64) {
        let mut rest = self.lock();
        if !rest.is_over {
            rest.counters.sent_points += sent;
            rest.counters.lost_points += lost;
        }
    }

    /// The account, with that of flows.
    pub(super) fn counters(&self, flows: ExportCounters) -> OtlpCounters {
        let Sent { sent, lost } = self.alerts.account();
        let counters = self.lock().counters.clone();
        OtlpCounters { flows, sent_alerts: sent, lost_alerts: lost, ..counters }
    }

    /// Counts alerts that are not sent by now as lost.
    pub(super) fn finish(&self) {
        self.alerts.finish();
        self.lock().is_over = true;
    }

    fn lock(&self) -> MutexGuard<'_, Rest> {
        // The content is consistent after each change.
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
