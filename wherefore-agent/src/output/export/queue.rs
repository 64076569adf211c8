//! The intervals that wait for a collector, and the counts of what became of them. Owns the bound, the
//! waiting of a replay and the log of losses; refuses to know how records are sent.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::counters::ExportCounters;
use super::sums::Sums;
use crate::text::{Bytes, grouped};
use crate::traffic::interval::Interval;

/// The most intervals that wait, besides the one that is being sent.
const MOST: usize = 2;
/// How long a live agent waits at its end.
const FAREWELL: Duration = Duration::from_secs(1);

/// An interval to be sent, with the rest of what a collector gets with it.
pub(super) trait Load {
    /// The interval whose flows are sent.
    fn interval(&self) -> &Interval;
}

/// The queue between the agent and the thread that sends.
pub(super) struct Queue<L> {
    is_live: bool,
    state: Mutex<State<L>>,
    changed: Condvar,
}

struct State<L> {
    waiting: VecDeque<L>,
    /// Whether an interval is being sent, and which part of it is neither sent nor lost yet.
    is_busy: bool,
    left: Sums,
    is_closing: bool,
    /// Set when a live agent ends: the rest counts as lost.
    is_abandoned: bool,
    /// Losses since the last log line about them.
    unsaid: Sums,
    error: Option<String>,
    counters: ExportCounters,
}

impl<L: Load> Queue<L> {
    pub(super) fn new(collector: String, is_live: bool) -> Self {
        let state = Mutex::new(State::new(collector));
        Self { is_live, state, changed: Condvar::new() }
    }

    /// Adds an interval. In a live agent, an interval that does not fit is lost; a replay waits for space.
    ///
    /// # Errors
    /// In a replay, if the collector cannot be reached.
    pub(super) fn add(&self, batch: L) -> Result<()> {
        let mut state = self.lock();
        if !self.is_live {
            let is_full =
                |state: &mut State<L>| state.waiting.len() >= MOST && state.error.is_none();
            state = self.changed.wait_while(state, is_full).unwrap_or_else(PoisonError::into_inner);
            state.failed()?;
        }
        if state.waiting.len() >= MOST {
            let sums = Sums::of(&batch.interval().flows);
            state.lose(sums, "the collector is too slow");
            return Ok(());
        }
        state.waiting.push_back(batch);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits for the next interval; `None` when the agent ends.
    pub(super) fn next(&self) -> Option<L> {
        let is_idle = |state: &mut State<L>| state.waiting.is_empty() && !state.is_closing;
        let state = self.changed.wait_while(self.lock(), is_idle);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let batch = state.waiting.pop_front()?;
        // Set under the lock: when the agent ends, the rest counts as lost.
        (state.is_busy, state.left) = (true, Sums::of(&batch.interval().flows));
        drop(state);
        self.changed.notify_all();
        Some(batch)
    }

    /// Marks the current interval as finished.
    pub(super) fn done(&self) {
        let mut state = self.lock();
        state.is_busy = false;
        state.left = Sums::default();
        drop(state);
        self.changed.notify_all();
    }

    /// Counts a message with these flows that was sent.
    pub(super) fn sent(&self, sums: Sums, records: u64, summed_flows: u64) {
        let mut state = self.lock();
        if state.is_abandoned {
            return;
        }
        let Sums { flows, packets, bytes } = sums;
        state.left.minus(sums);
        let counters = &mut state.counters;
        counters.records += records;
        counters.sent_flows += flows;
        counters.sent_packets += packets;
        counters.sent_bytes += bytes;
        counters.summed_flows += summed_flows;
    }

    /// Counts the rest of the current interval as lost.
    pub(super) fn give_up(&self, reason: &str) {
        self.lose(|state| state.left, reason);
    }

    /// Counts flows of the interval as lost that the collector refuses for good.
    pub(super) fn refused(&self, sums: Sums, reason: &str) {
        self.lose(|_| sums, reason);
    }

    fn lose(&self, which: impl FnOnce(&State<L>) -> Sums, reason: &str) {
        let mut state = self.lock();
        if state.is_abandoned {
            return;
        }
        let lost = which(&state);
        state.left.minus(lost);
        state.lose(lost, reason);
        if !self.is_live {
            let collector = &state.counters.collector;
            state.error = Some(format!("cannot send flow records to {collector}: {reason}"));
        }
    }

    /// Waits until this moment; returns false if the agent ends before.
    pub(super) fn wait_until(&self, moment: Instant) -> bool {
        let left = moment.saturating_duration_since(Instant::now());
        let is_going_on = |state: &mut State<L>| !(self.is_live && state.is_closing);
        let waited = self.changed.wait_timeout_while(self.lock(), left, is_going_on);
        is_going_on(&mut waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Whether the agent counts live; a replay waits for its collector, and fails with it.
    pub(super) fn is_live(&self) -> bool {
        self.is_live
    }

    /// Logs earlier losses. Called when an interval was sent completely.
    pub(super) fn recovered(&self) {
        self.lock().log_losses();
    }

    /// Whether the agent is about to end and no longer waits.
    pub(super) fn is_behind(&self) -> bool {
        self.is_live && self.lock().is_closing
    }

    /// Whether all that was not sent by now counts as lost, because the agent ends.
    pub(super) fn is_abandoned(&self) -> bool {
        self.lock().is_abandoned
    }

    pub(super) fn counters(&self) -> ExportCounters {
        self.lock().counters.clone()
    }

    pub(super) fn close(&self) {
        self.lock().is_closing = true;
        self.changed.notify_all();
    }

    /// See [`super::Exporter::finish`].
    pub(super) fn finish(&self) -> Result<()> {
        self.close();
        let is_going_on = |state: &mut State<L>| state.is_busy || !state.waiting.is_empty();
        let state = self.lock();
        let mut state = if self.is_live {
            let waited = self.changed.wait_timeout_while(state, FAREWELL, is_going_on);
            waited.unwrap_or_else(PoisonError::into_inner).0
        } else {
            let waited = self.changed.wait_while(state, is_going_on);
            waited.unwrap_or_else(PoisonError::into_inner)
        };
        state.abandon();
        state.log_losses();
        state.failed()
    }

    fn lock(&self) -> MutexGuard<'_, State<L>> {
        // Each change leaves the content consistent, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: Load> State<L> {
    fn new(collector: String) -> Self {
        Self {
            waiting: VecDeque::new(),
            is_busy: false,
            left: Sums::default(),
            is_closing: false,
            is_abandoned: false,
            unsaid: Sums::default(),
            error: None,
            counters: ExportCounters { collector, ..ExportCounters::default() },
        }
    }

    fn lose(&mut self, lost: Sums, reason: &str) {
        if lost == Sums::default() {
            return;
        }
        if self.unsaid == Sums::default() {
            let collector = &self.counters.collector;
            tracing::warn!(
                collector,
                reason,
                "cannot send flow records: they are lost until the collector can be reached again"
            );
        }
        self.unsaid.plus(lost);
        self.counters.lost_flows += lost.flows;
        self.counters.lost_packets += lost.packets;
        self.counters.lost_bytes += lost.bytes;
    }

    fn log_losses(&mut self) {
        let lost = std::mem::take(&mut self.unsaid);
        if lost != Sums::default() {
            let collector = &self.counters.collector;
            let (flows, bytes) = (grouped(lost.flows), Bytes(lost.bytes as f64).to_string());
            tracing::warn!(collector, flows, bytes, "flow records were lost");
        }
    }

    /// Counts everything that has not been sent as lost.
    fn abandon(&mut self) {
        let mut left = self.left;
        for batch in self.waiting.drain(..) {
            left.plus(Sums::of(&batch.interval().flows));
        }
        self.lose(left, "the agent ends");
        self.left = Sums::default();
        self.is_abandoned = true;
    }

    fn failed(&mut self) -> Result<()> {
        match self.error.take() {
            Some(error) => bail!(error),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wherefore_common::{Counters, FlowKey};

    use super::*;

    impl Load for Interval {
        fn interval(&self) -> &Interval {
            self
        }
    }

    fn batch() -> Interval {
        let counters = Counters { packets: 1, bytes: 10, device_packets: 1, ..Counters::default() };
        let key = FlowKey { family: 4, ..FlowKey::default() };
        let flows = [(key, counters)].into_iter().collect();
        Interval { flows, ..Interval::default() }
    }

    #[test]
    fn records_beyond_the_capacity_are_counted_as_lost() {
        let queue = Queue::new("udp://x:1".to_owned(), true);
        (0..5).for_each(|_| queue.add(batch()).unwrap());
        assert_eq!((queue.counters().lost_flows, queue.counters().lost_bytes), (3, 30));
        queue.next().unwrap();
        assert!(queue.wait_until(Instant::now()), "the agent does not end yet");
        queue.give_up("a reason");
        queue.done();
        assert_eq!(queue.counters().lost_flows, 4);
        queue.finish().unwrap();
        let counters = queue.counters();
        assert_eq!((counters.lost_flows, counters.lost_packets, counters.lost_bytes), (5, 5, 50));
        assert!(queue.next().is_none());
        assert!(!queue.wait_until(Instant::now() + Duration::from_secs(3600)), "it ends");
    }

    #[test]
    fn a_replay_waits_and_fails_with_its_collector() {
        let queue = Arc::new(Queue::new("tcp://x:1".to_owned(), false));
        (0..MOST).for_each(|_| queue.add(batch()).unwrap());
        let other = queue.clone();
        let adds = std::thread::spawn(move || other.add(batch()));
        queue.next().unwrap();
        queue.give_up("a reason");
        queue.done();
        let added = adds.join().unwrap();
        let failed = added.and_then(|()| queue.add(batch())).or_else(|error| {
            assert!(format!("{error}").contains("tcp://x:1: a reason"), "{error}");
            anyhow::Ok(())
        });
        failed.unwrap();
        while !queue.lock().waiting.is_empty() {
            queue.next().unwrap();
            queue.done();
        }
        assert_eq!(queue.counters().lost_flows, 1);
    }
}
