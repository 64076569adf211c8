//! The newest interval, shared with all readers. Owns only this exchange: the agent replaces a pointer and
//! never waits for a reader.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::detect::held::HeldBacks;
use crate::message::alert::{Alert, Status};
use crate::message::held::HeldRecord;
use crate::output::latest::{IntervalBytes, Latest};
use crate::output::shares::Shares;
use crate::output::traces::Traces;

/// The most alerts that are kept.
const MOST_ALERTS: usize = 1000;
/// The most held back findings that are kept.
const MOST_HELD: usize = 200;
/// The number of earlier intervals whose sums are kept.
const MOST_PAST: usize = 240;
/// Intervals still arrive in time if the next one is at most this many intervals and this duration away.
const LATE_INTERVALS: u32 = 3;
const LATE: Duration = Duration::from_secs(5);

/// The state that all readers share.
#[derive(Debug)]
pub struct Board {
    host: String,
    interval: Duration,
    state: Mutex<State>,
    /// Notified when an interval is over.
    is_newer: Condvar,
    traces: Mutex<Traces>,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<(Instant, Arc<Latest>)>,
    /// The newest is first.
    alerts: VecDeque<Arc<Alert>>,
    /// The number of messages by kind and status.
    messages: BTreeMap<(&'static str, &'static str), u64>,
    /// The last intervals, the newest at the end.
    past: VecDeque<IntervalBytes>,
    /// The last findings held back, the newest first.
    held: VecDeque<Arc<HeldRecord>>,
    shares: Shares,
    /// Incidents that are not over, by key.
    open: BTreeMap<String, &'static str>,
    /// Alerts that the budget allows in a day.
    budget: Option<f64>,
}

impl Board {
    /// An empty board, for intervals of this length.
    pub fn new(host: String, interval: Duration) -> Self {
        let (state, is_newer, traces) = Default::default();
        Self { host, interval, state, is_newer, traces }
    }

    /// The name of this host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Notes how many alerts a day the budget allows; `None` if there is no budget.
    pub fn set_budget(&self, alerts_a_day: Option<f64>) {
        self.state().budget = alerts_a_day;
    }

    /// Stores the open incidents of an earlier run.
    pub fn restore(&self, open: &[Arc<Alert>]) {
        let of = |alert: &Arc<Alert>| (alert.key.clone(), alert.kind.as_str());
        self.state().open.extend(open.iter().map(of));
    }

    /// Publishes the state after an interval.
    pub fn put(&self, latest: Latest, alerts: &[Alert], held: &HeldBacks) {
        let latest = Arc::new(latest);
        let moved = IntervalBytes::of(&latest.interval);
        // Only the agent's own thread adds shares, so no other change can be lost while the lock is open.
        let mut shares = std::mem::take(&mut self.state().shares);
        shares.add(&latest.interval, &latest.geo);
        let mut state = self.state();
        state.shares = shares;
        state.hold(HeldRecord::all_of(held, &latest.interval));
        if state.past.len() == MOST_PAST {
            state.past.pop_front();
        }
        state.past.push_back(moved);
        for alert in alerts {
            let status = status(alert.status);
            *state.messages.entry((alert.kind.as_str(), status)).or_default() += 1;
            state.note_open(alert);
            state.alerts.push_front(Arc::new(alert.clone()));
        }
        state.alerts.truncate(MOST_ALERTS);
        let before = state.latest.replace((Instant::now(), latest));
        drop(state);
        self.is_newer.notify_all();
        // Free the interval's memory after the lock is released.
        drop(before);
    }

    /// Adds the rows of each new interval to those that are followed, in a thread of its own; never returns.
    pub(crate) fn follow(&self) -> ! {
        let mut last = 0;
        loop {
            let latest = self.newer(last);
            last = latest.interval.end_ns;
            // Sum up the rows before taking the lock.
            latest.counts();
            self.traces().add(&latest);
        }
    }

    /// Waits for an interval with another end than this one.
    fn newer(&self, last_ns: i64) -> Arc<Latest> {
        let mut state = self.state();
        loop {
            match &state.latest {
                Some((_, latest)) if latest.interval.end_ns != last_ns => return latest.clone(),
                _ => state = self.is_newer.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// The rows whose rates are followed.
    pub(crate) fn traces(&self) -> MutexGuard<'_, Traces> {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest state; `None` before the first interval is over.
    pub fn latest(&self) -> Option<Arc<Latest>> {
        self.state().latest.as_ref().map(|(_, latest)| latest.clone())
    }

    /// The last alerts, the newest first.
    pub fn alerts(&self) -> Vec<Arc<Alert>> {
        self.state().alerts.iter().cloned().collect()
    }

    /// The traffic of the last intervals, the oldest first.
    pub fn past(&self) -> Vec<IntervalBytes> {
        self.state().past.iter().copied().collect()
    }

    /// The last findings held back, the newest first.
    pub fn held(&self) -> Vec<Arc<HeldRecord>> {
        self.state().held.iter().cloned().collect()
    }

    /// The traffic of units, pods, countries and AS since the start.
    pub(crate) fn shares(&self) -> Shares {
        self.state().shares.clone()
    }

    /// Incidents that are not over, by kind.
    pub fn open(&self) -> BTreeMap<&'static str, u64> {
        let mut kinds = BTreeMap::new();
        self.state().open.values().for_each(|kind| *kinds.entry(*kind).or_default() += 1);
        kinds
    }

    /// Alerts that the budget allows in a day.
    pub fn budget(&self) -> Option<f64> {
        self.state().budget
    }

    /// Messages since the start, by kind and status.
    pub fn messages(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        self.state().messages.clone()
    }

    /// Whether intervals arrive in time.
    pub fn is_healthy(&self) -> bool {
        let late = self.interval * LATE_INTERVALS + LATE;
        self.state().latest.as_ref().is_none_or(|(at, _)| at.elapsed() < late)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hold(&mut self, held: Vec<HeldRecord>) {
        held.into_iter().for_each(|held| self.held.push_front(Arc::new(held)));
        self.held.truncate(MOST_HELD);
    }

    fn note_open(&mut self, alert: &Alert) {
        if alert.status == Status::Resolved {
            self.open.remove(&alert.key);
        } else {
            self.open.insert(alert.key.clone(), alert.kind.as_str());
        }
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Firing => "firing",
        Status::Update => "update",
        Status::Resolved => "resolved",
    }
}
