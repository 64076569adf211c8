//! The incidents of one budget, from the messages about them. Owns the stored facts of each, within a
//! bound; refuses to judge.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::detect::held::HeldBacks;
use crate::message::alert::{Alert, Kind, Severity, Status};
use crate::message::held::HeldRecord;
use crate::options::cli::Budget;
use crate::text;
use crate::traffic::interval::Interval;

/// Incidents kept in detail, so that a threshold that finds everything does not take all memory;
/// of those beyond, the number is known.
const KEPT: usize = 20_000;

/// The course of one incident.
#[derive(Debug, Clone)]
pub(super) struct Incident {
    /// Names it, as in alerts.
    pub(super) key: String,
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    /// Start of its first interval.
    pub(super) began_ns: i64,
    /// When it would have been reported.
    pub(super) told_ns: i64,
    /// How long it lasted, with the quiet after which it was over.
    pub(super) seconds: f64,
    /// Whether its end was seen.
    pub(super) is_over: bool,
    pub(super) interface: String,
    /// Source and destination; for a series its name, and nothing.
    pub(super) src: String,
    pub(super) dst: Option<String>,
    /// Bytes in its unusual intervals.
    pub(super) bytes: u64,
    pub(super) peak_bytes_per_second: f64,
    pub(super) usual_bytes: f64,
    /// The highest one reported.
    pub(super) probability: f64,
    /// The alert's own sentence, when it began.
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
            told_ns: nanoseconds(&alert.time),
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

/// A series has invented addresses, and its name in place of the interface's.
fn without_addresses(alert: &Alert) -> String {
    let Alert { interface, src, dst, headline, .. } = alert;
    let what = headline.split(':').next().unwrap_or_default();
    let named = alert.text.replace(headline.as_str(), &format!("{what}: {interface}"));
    let real =
        [src, dst].into_iter().filter(|address| address.as_str() != crate::traffic::group::ANY);
    real.fold(named, |text, address| text.replace(address.as_str(), interface))
}

/// The alerts of one budget, or of a threshold.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// `None` if a threshold decides.
    pub(super) budget: Option<Budget>,
    pub(super) incidents: Vec<Incident>,
    pub(super) by_kind: BTreeMap<Kind, u64>,
    /// Those that are in no list.
    pub(super) unlisted: u64,
    /// Unusual things that are held back: how many for each reason, and the first ones.
    pub(super) held_back: BTreeMap<String, u64>,
    pub(super) held: Vec<HeldRecord>,
    /// Places of those that are not over.
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

    /// At the end, open incidents have lasted until then; in the order in which they began.
    pub(super) fn finished(mut self, end_ns: i64) -> Self {
        for place in std::mem::take(&mut self.open).into_values() {
            if let Some(incident) = self.incidents.get_mut(place) {
                incident.seconds = end_ns.saturating_sub(incident.began_ns) as f64 / 1e9;
            }
        }
        self.incidents.sort_by_key(|incident| incident.began_ns);
        self
    }

    /// How many incidents.
    pub(super) fn count(&self) -> u64 {
        self.by_kind.values().sum()
    }

    /// `10/day`, or that a threshold decided.
    pub(super) fn label(&self, threshold: f64) -> String {
        self.budget.map_or_else(|| format!("probability > {threshold}"), |one| one.to_string())
    }
}
