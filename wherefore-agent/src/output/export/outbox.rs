//! Alerts that wait for a receiver, and the account of them. Owns the bound on alerts: they wait longer than
//! flows, because they are few and matter more.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::message::alert::Alert;

/// Alerts that may wait; beyond that, the oldest are lost.
const MOST: usize = 1000;

/// Between the agent and the thread that sends.
#[derive(Debug)]
pub(super) struct Outbox {
    /// The option that names the receiver.
    option: &'static str,
    state: Mutex<State>,
}

/// The fate of alerts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) sent: u64,
    pub(super) lost: u64,
}

#[derive(Debug, Default)]
struct State {
    /// The oldest first.
    waiting: VecDeque<Arc<Alert>>,
    /// Alerts that are being sent.
    on_the_way: u64,
    /// At the end of the agent, the account is closed.
    is_over: bool,
    account: Sent,
}

impl Outbox {
    /// For the receiver of this option.
    pub(super) fn new(option: &'static str) -> Self {
        Self { option, state: Mutex::default() }
    }

    /// Adds alerts.
    pub(super) fn add(&self, alerts: &[Alert]) {
        let mut state = self.lock();
        state.waiting.extend(alerts.iter().cloned().map(Arc::new));
        state.shorten(self.option);
    }

    /// Takes all that wait, to be settled or put back.
    pub(super) fn take(&self) -> Vec<Arc<Alert>> {
        let mut state = self.lock();
        state.on_the_way += state.waiting.len() as u64;
        state.waiting.drain(..).collect()
    }

    /// Puts alerts back that could not be sent yet.
    pub(super) fn put_back(&self, alerts: &[Arc<Alert>]) {
        let mut state = self.lock();
        if !state.is_over {
            state.on_the_way -= alerts.len() as u64;
            alerts.iter().rev().for_each(|alert| state.waiting.push_front(alert.clone()));
            state.shorten(self.option);
        }
    }

    /// Alerts arrived, or are lost.
    pub(super) fn settle(&self, sent: u64, lost: u64) {
        let mut state = self.lock();
        if !state.is_over {
            state.on_the_way -= sent + lost;
            state.account.sent += sent;
            state.account.lost += lost;
        }
    }

    /// The account.
    pub(super) fn account(&self) -> Sent {
        self.lock().account
    }

    /// Counts all that is not sent by now as lost.
    pub(super) fn finish(&self) {
        let mut state = self.lock();
        if !state.is_over {
            state.account.lost += state.on_the_way + state.waiting.len() as u64;
            state.waiting.clear();
            state.is_over = true;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The content is consistent after each change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn shorten(&mut self, option: &'static str) {
        let lost = self.waiting.len().saturating_sub(MOST);
        if lost > 0 {
            tracing::warn!(lost, option, "alerts for a receiver are lost: too many wait");
            self.waiting.drain(..lost);
            self.account.lost += lost as u64;
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
        let outbox = Outbox::new("--otlp");
        outbox.add(&vec![sample(Status::Firing); MOST + 3]);
        let taken = outbox.take();
        assert_eq!(taken.len(), MOST);
        outbox.settle(10, 1);
        outbox.put_back(&taken[11..]);
        outbox.add(&vec![sample(Status::Firing); 20]);
        assert_eq!(outbox.account().lost, 3 + 1 + 9, "the oldest of too many are lost");
        assert_eq!(outbox.take().len(), MOST);
        outbox.finish();
        outbox.settle(MOST as u64, 0);
        assert_eq!(outbox.account(), Sent { sent: 10, lost: MOST as u64 + 13 });
    }
}
