//! The incidents at one budget, collected from the messages about them. Owns the facts that are kept about
//! each, within a bound; refuses to judge.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::detect::held::HeldBacks;
use crate::message::alert::{Alert, Kind, Severity, Status};
use crate::message::held::HeldRecord;
use crate::options::cli::Budget;
use crate::text;
use crate::traffic::interval::Interval;

/// The most incidents that are kept in detail, so that a threshold that finds everything does not use up all
/// memory. Further ones are only counted.
const KEPT: usize = 20_000;

/// One incident from its beginning to its end.
#[derive(Debug, Clone)]
pub(super) struct Incident {
    /// The key of its alerts.
    pub(super) key: String,
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    /// Start of its first interval.
    pub(super) began_ns: i64,
    /// When it would have been reported.
    pub(super) reported_ns: i64,
    /// How long it lasted, including the quiet intervals after which it was over.
    pub(super) seconds: f64,
    /// Whether its end was seen.
    pub(super) is_over: bool,
    pub(super) interface: String,
    /// Source and destination; for a series its name, and no destination.
    pub(super) src: String,
    pub(super) dst: Option<String>,
    /// Bytes in its unusual intervals.
    pub(super) bytes: u64,
    pub(super) peak_bytes_per_second: f64,
    pub(super) usual_bytes: f64,
    /// The highest probability that was reported.
    pub(super) probability: f64,
    /// The text of its first alert.
    pub(super) text: String,
}

impl Incident {
    fn new(alert: &Alert, is_series: bool) -> Self {
        let nanoseconds = |time: &str| text::nanoseconds(time).unwrap_or_default();
        let is_named = is_series && alert.kind != Kind::Digest;
        let (src, dst) = if is_named {
            (alert.interface.clone(), None)
        } else {
            (alert.src.clone(), Some(alert.dst.clone()))
        };
        Self {
            key: alert.key.clone(),
            kind: alert.kind,
            severity: alert.severity,
            began_ns: nanoseconds(&alert.started),
            reported_ns: nanoseconds(&alert.time),
            seconds: alert.incident_seconds,
            is_over: false,
            interface: alert.interface.clone(),
            src,
            dst,
            bytes: alert.incident_bytes,
            peak_bytes_per_second: alert.peak_bytes_per_second,
            usual_bytes: alert.usual_bytes,
            probability: alert.probability,
            text: if is_named { without_addresses(alert) } else { alert.text.clone() },
        }
    }

    fn goes_on(&mut self, alert: &Alert) {
        self.seconds = alert.incident_seconds;
        self.is_over = alert.status == Status::Resolved;
        self.bytes = alert.incident_bytes;
        self.peak_bytes_per_second = alert.peak_bytes_per_second;
        self.probability = self.probability.max(alert.probability);
    }

    /// `a -> b`, or the name of a series.
    pub(super) fn who(&self) -> String {
        match &self.dst {
            Some(dst) => format!("{} -> {dst}", self.src),
            None => self.src.clone(),
        }
    }

    pub(super) fn end_ns(&self) -> i64 {
        self.began_ns.saturating_add((self.seconds * 1e9) as i64)
    }
}

/// The text without addresses: those of a series are invented, and its name stands in place of the
/// interface's.
fn without_addresses(alert: &Alert) -> String {
    let Alert { interface, src, dst, headline, .. } = alert;
    let what = headline.split(':').next().unwrap_or_default();
    let named = alert.text.replace(headline.as_str(), &format!("{what}: {interface}"));
    let real =
        [src, dst].into_iter().filter(|address| address.as_str() != crate::traffic::group::ANY);
    real.fold(named, |text, address| text.replace(address.as_str(), interface))
}

/// The incidents at one budget, or with a threshold.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// `None` if a threshold decides.
    pub(super) budget: Option<Budget>,
    pub(super) incidents: Vec<Incident>,
    pub(super) by_kind: BTreeMap<Kind, u64>,
    /// The number of incidents that are not kept in detail.
    pub(super) unlisted: u64,
    /// Findings that were held back: their number by reason, and the first of them.
    pub(super) held_back: BTreeMap<String, u64>,
    pub(super) held: Vec<HeldRecord>,
    /// The index of each incident that is not over.
    open: FxHashMap<String, usize>,
    is_series: bool,
}

impl History {
    pub(super) fn new(budget: Option<Budget>, is_series: bool) -> Self {
        Self {
            budget,
            incidents: Vec::new(),
            by_kind: BTreeMap::new(),
            unlisted: 0,
            held_back: BTreeMap::new(),
            held: Vec::new(),
            open: FxHashMap::default(),
            is_series,
        }
    }

    /// Adds a message.
    pub(super) fn add(&mut self, alert: &Alert) {
        match alert.status {
            Status::Firing => self.begin(alert),
            Status::Update => self.with_open(alert, Incident::goes_on),
            Status::Resolved => {
                self.with_open(alert, Incident::goes_on);
                self.open.remove(&alert.key);
            }
        }
    }

    /// Adds the findings held back in an interval.
    pub(super) fn hold(&mut self, held: &HeldBacks, interval: &Interval) {
        for (reason, count) in held.by_name() {
            *self.held_back.entry(reason).or_default() += count;
        }
        let room = KEPT.saturating_sub(self.held.len());
        let named = held.named.iter().take(room);
        self.held.extend(named.map(|held| HeldRecord::of(held, interval)));
    }

    fn begin(&mut self, alert: &Alert) {
        *self.by_kind.entry(alert.kind).or_default() += 1;
        if self.incidents.len() == KEPT {
            self.unlisted += 1;
            return;
        }
        self.open.insert(alert.key.clone(), self.incidents.len());
        self.incidents.push(Incident::new(alert, self.is_series));
    }

    fn with_open(&mut self, alert: &Alert, change: impl Fn(&mut Incident, &Alert)) {
        let place = self.open.get(&alert.key);
        if let Some(incident) = place.and_then(|place| self.incidents.get_mut(*place)) {
            change(incident, alert);
        }
    }

    /// Ends the pass: open incidents have lasted until now. Sorts incidents by their beginning.
    pub(super) fn finished(mut self, end_ns: i64) -> Self {
        for place in std::mem::take(&mut self.open).into_values() {
            if let Some(incident) = self.incidents.get_mut(place) {
                incident.seconds = end_ns.saturating_sub(incident.began_ns) as f64 / 1e9;
            }
        }
        self.incidents.sort_by_key(|incident| incident.began_ns);
        self
    }

    /// The number of incidents.
    pub(super) fn count(&self) -> u64 {
        self.by_kind.values().sum()
    }

    /// The name of the budget, such as `10/day`, or of the threshold.
    pub(super) fn label(&self, threshold: f64) -> String {
        self.budget.map_or_else(|| format!("probability > {threshold}"), |one| one.to_string())
    }
}
