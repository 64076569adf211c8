//! The newest interval, where everybody who asks finds it. Owns nothing but the exchange: the agent
//! replaces a pointer and goes on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::attribute::geo::Geo;
use crate::message::alert::{Alert, Status};
use crate::output::reading::Side;
use crate::output::sinks::SinkCounters;
use crate::traffic::interval::{Interval, Totals};

/// Alerts that are shown.
const MOST_ALERTS: usize = 1000;
/// Past intervals whose sums are shown.
const MOST_PAST: usize = 240;
/// A missing interval is no fault where it is late by less than so many others and this time.
const LATE_INTERVALS: u32 = 3;
const LATE: Duration = Duration::from_secs(5);

/// What is known after an interval.
#[derive(Debug, Clone, Default)]
pub struct Latest {
    /// The interval.
    pub interval: Arc<Interval>,
    /// The names of its interfaces.
    pub names: FxHashMap<u32, String>,
    /// Sums since the start.
    pub totals: Totals,
    /// Groups that are tracked.
    pub groups: usize,
    /// The queues of the sinks.
    pub sinks: Vec<SinkCounters>,
    /// Where addresses are.
    pub geo: Arc<Geo>,
}

/// What one interval moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// Its end, nanoseconds since 1970.
    pub end_ns: i64,
    /// Its length.
    pub seconds: f64,
    /// IP-layer bytes of its flows, received and sent.
    pub bytes: [u64; 2],
}

impl Moved {
    fn of(interval: &Interval) -> Self {
        let mut bytes = [0; 2];
        for (key, counters) in interval.flows.iter() {
            bytes[Side::of(&key) as usize] += counters.bytes;
        }
        Self { end_ns: interval.end_ns, seconds: interval.seconds(), bytes }
    }
}

impl Latest {
    /// After an interval; `name` tells the names of interfaces.
    pub fn new(
        interval: &Arc<Interval>,
        totals: &Totals,
        groups: usize,
        sinks: Vec<SinkCounters>,
        geo: &Arc<Geo>,
        name: &dyn Fn(u32) -> String,
    ) -> Self {
        let (interval, totals, geo) = (interval.clone(), totals.clone(), geo.clone());
        let names = interval.names(name);
        Self { interval, names, totals, groups, sinks, geo }
    }
}

/// What everybody reads.
#[derive(Debug)]
pub struct Board {
    host: String,
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<(Instant, Arc<Latest>)>,
    /// The newest first.
    alerts: VecDeque<Arc<Alert>>,
    /// Messages by kind and status.
    messages: BTreeMap<(&'static str, &'static str), u64>,
    /// The last intervals, the newest at the end.
    past: VecDeque<Moved>,
}

impl Board {
    /// With nothing on it, for intervals of this length.
    pub fn new(host: String, interval: Duration) -> Self {
        Self { host, interval, state: Mutex::default() }
    }

    /// The name of this host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Replaces what is there.
    pub fn put(&self, latest: Latest, alerts: &[Alert]) {
        let latest = Arc::new(latest);
        let moved = Moved::of(&latest.interval);
        let mut state = self.state();
        if state.past.len() == MOST_PAST {
            state.past.pop_front();
        }
        state.past.push_back(moved);
        for alert in alerts {
            let status = status(alert.status);
            *state.messages.entry((alert.kind.as_str(), status)).or_default() += 1;
            state.alerts.push_front(Arc::new(alert.clone()));
        }
        state.alerts.truncate(MOST_ALERTS);
        let before = state.latest.replace((Instant::now(), latest));
        drop(state);
        // The memory of an interval is given back without the lock.
        drop(before);
    }

    /// What is there, if an interval is over.
    pub fn latest(&self) -> Option<Arc<Latest>> {
        self.state().latest.as_ref().map(|(_, latest)| latest.clone())
    }

    /// The last alerts, the newest first.
    pub fn alerts(&self) -> Vec<Arc<Alert>> {
        self.state().alerts.iter().cloned().collect()
    }

    /// What the last intervals moved, the oldest first.
    pub fn past(&self) -> Vec<Moved> {
        self.state().past.iter().copied().collect()
    }

    /// Messages since the start, by kind and status.
    pub fn messages(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        self.state().messages.clone()
    }

    /// Whether intervals come as they should.
    pub fn is_healthy(&self) -> bool {
        let late = self.interval * LATE_INTERVALS + LATE;
        self.state().latest.as_ref().is_none_or(|(at, _)| at.elapsed() < late)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Firing => "firing",
        Status::Update => "update",
        Status::Resolved => "resolved",
    }
}
