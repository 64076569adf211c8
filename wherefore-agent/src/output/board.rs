//! The newest interval, where everybody who asks finds it. Owns nothing but the exchange: the agent
//! replaces a pointer and goes on.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::attribute::Directory;
use crate::attribute::geo::Geo;
use crate::detect::held::HeldBacks;
use crate::message::alert::{Alert, Status};
use crate::message::held::HeldRecord;
use crate::output::export::ExportCounters;
use crate::output::reading::{Reading, Side, ends};
use crate::output::shares::Shares;
use crate::output::sinks::SinkCounters;
use crate::output::terminal::model::Counts;
use crate::text;
use crate::traffic::interval::{Interval, Totals};

/// Alerts that are shown.
const MOST_ALERTS: usize = 1000;
/// Held back things that are shown.
const MOST_HELD: usize = 200;
/// Past intervals whose sums are shown.
const MOST_PAST: usize = 240;
/// A missing interval is no fault where it is late by less than so many others and this time.
const LATE_INTERVALS: u32 = 3;
const LATE: Duration = Duration::from_secs(5);

/// What leaves this host beside its own listener.
#[derive(Debug, Clone, Default)]
pub struct Queues {
    /// Alerts by sink.
    pub sinks: Vec<SinkCounters>,
    /// Flow records by collector.
    pub exports: Vec<ExportCounters>,
}

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
    /// What leaves this host.
    pub queues: Queues,
    /// Where addresses are.
    pub geo: Arc<Geo>,
    /// The names of peers.
    pub peers: FxHashMap<IpAddr, String>,
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
        queues: Queues,
        directory: &Directory,
        name: &dyn Fn(u32) -> String,
    ) -> Self {
        let (interval, totals) = (interval.clone(), totals.clone());
        let (names, geo) = (interval.names(name), directory.geo().clone());
        let peers = names_of_peers(&interval, directory);
        Self { interval, names, totals, groups, queues, geo, peers }
    }

    /// What was known of the peers of this interval.
    pub(crate) fn directory(&self) -> Directory {
        let names = self.peers.iter().map(|(address, name)| (*address, name.as_str().into()));
        Directory::of_known(self.geo.clone(), names.collect())
    }

    /// The rows of the live view for this interval.
    pub(crate) fn counts(&self) -> Counts {
        let name = |number: u32| self.names.get(&number).cloned().unwrap_or_default();
        let names = self.peers.iter().map(|(address, name)| (*address, name.clone()));
        Counts::of(Reading::of(&self.interval, &name, &self.geo), names.collect())
    }
}

fn names_of_peers(interval: &Interval, directory: &Directory) -> FxHashMap<IpAddr, String> {
    let mut asked: FxHashMap<IpAddr, Option<String>> = FxHashMap::default();
    for (key, _) in interval.flows.iter() {
        let ask = || directory.name(ends(&key).2).map(|name| text::printable(&name));
        asked.entry(ends(&key).2).or_insert_with(ask);
    }
    asked.into_iter().filter_map(|(address, name)| Some((address, name?))).collect()
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
    /// What was held back last, the newest first.
    held: VecDeque<Arc<HeldRecord>>,
    shares: Shares,
    /// Incidents that are not over, by key.
    open: BTreeMap<String, &'static str>,
    /// Alerts that the budget allows in a day.
    budget: Option<f64>,
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

    /// Notes how many alerts a day the budget allows; `None` where there is no budget.
    pub fn set_budget(&self, alerts_a_day: Option<f64>) {
        self.state().budget = alerts_a_day;
    }

    /// Notes the incidents of an earlier run that are not over.
    pub fn restore(&self, open: &[Arc<Alert>]) {
        let of = |alert: &Arc<Alert>| (alert.key.clone(), alert.kind.as_str());
        self.state().open.extend(open.iter().map(of));
    }

    /// Replaces what is there.
    pub fn put(&self, latest: Latest, alerts: &[Alert], held: &HeldBacks) {
        let latest = Arc::new(latest);
        let moved = Moved::of(&latest.interval);
        // Only the agent's own thread adds, so what is added up without the lock is not lost.
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

    /// What was held back last, the newest first.
    pub fn held(&self) -> Vec<Arc<HeldRecord>> {
        self.state().held.iter().cloned().collect()
    }

    /// What units, pods, countries and AS moved since the start.
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

    /// Whether intervals come as they should.
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
