//! Turns intervals into events: incidents begin, continue and end. Owns the order of steps within an
//! interval; refuses clocks, I/O and words: the same intervals give the same events.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use wherefore_common::{Counters, FlowKey};

use crate::attribute::geo::Geo;
use crate::detect::event::{Event, UnfinishedIncident};
use crate::detect::finding::Subject;
use crate::detect::held::HeldBacks;
use crate::detect::incident::{Incidents, Rules};
use crate::detect::judge::{Circumstances, Judge, Snapshot};
use crate::detect::places::{Places, SeenPlaces};
use crate::detect::series::{LOOKUP_BATCH, Lookup, Series, SeriesOptions, Window};
use crate::detect::settings::EngineSettings;
use crate::traffic::group::GroupBy;
use crate::traffic::interval::Interval;

/// After this many intervals without traffic that were judged one by one, the engine checks again whether
/// later ones may cause a report.
const LONGEST_LOOK: i64 = 32;

/// Judges every group of flows, interval by interval.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: EngineSettings,
    judge: Judge,
    /// Country and AS of addresses, for reports about these.
    geo: Arc<Geo>,
    places: Places,
    series: Series,
    incidents: Incidents,
    /// Incidents of an earlier run whose groups have their baselines.
    seeded: FxHashSet<Subject>,
    last_index: Option<i64>,
}

/// The results of one interval.
#[derive(Debug, Default)]
pub struct Step {
    /// Events to report: first incidents that begin or continue, by descending probability and then by
    /// volume; then those that are over.
    pub events: Vec<Event>,
    /// The largest groups, in descending order.
    pub top: Vec<TopGroup>,
    /// The number of groups that are tracked after the interval.
    pub groups: usize,
    /// The number of groups that were evicted because there were too many, since the start.
    pub evicted: u64,
    /// Groups that were forgotten in this interval, for any reason; empty unless [`Engine::record_forgotten`]
    /// was called.
    pub forgotten: Vec<FlowKey>,
    /// Findings that are not reported, one for each subject.
    pub held_back: HeldBacks,
}

/// An incident of an earlier run, with the baseline of its group.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// The incident.
    pub incident: UnfinishedIncident,
    /// The interface of its group, if it still exists.
    pub ifindex: Option<u32>,
    /// The bytes of its group in the intervals before it, the oldest first.
    pub usual: Vec<f64>,
}

/// A row of the table of the largest groups.
#[derive(Debug, Clone)]
pub struct TopGroup {
    /// The group.
    pub key: FlowKey,
    /// Its traffic in the interval.
    pub counters: Counters,
    /// Its largest flow.
    pub main_flow: FlowKey,
    /// Its window, in bytes an interval, the oldest first.
    pub window: Vec<f64>,
}

impl Engine {
    /// An engine without history.
    ///
    /// # Errors
    /// If options of the Go tool's methods contradict each other.
    pub fn new(settings: EngineSettings) -> anyhow::Result<Self> {
        let series = Series::new(series_options(&settings));
        let judge = Judge::new(&settings)?;
        let EngineSettings { group_by, learn_after, min_bytes, .. } = settings;
        let incidents = Incidents::new(settings.rules.clone(), group_by, learn_after, min_bytes);
        let mut places = Places::default();
        places.configure(settings.places.clone(), Arc::default());
        Ok(Self {
            settings,
            judge,
            geo: Arc::default(),
            places,
            series,
            incidents,
            seeded: FxHashSet::default(),
            last_index: None,
        })
    }

    /// Continues with other settings, and keeps histories and open incidents. The grouping and the number of
    /// groups cannot change.
    ///
    /// # Errors
    /// If options of the Go tool's methods contradict each other; nothing is changed then.
    pub fn reconfigure(&mut self, settings: EngineSettings) -> anyhow::Result<()> {
        let EngineSettings { group_by, max_groups, .. } = self.settings;
        let settings = EngineSettings { group_by, max_groups, ..settings };
        self.judge.reconfigure(&settings)?;
        self.settings = settings;
        self.places.configure(self.settings.places.clone(), self.geo.clone());
        self.series.resize(series_options(&self.settings));
        let EngineSettings { rules, learn_after, min_bytes, .. } = &self.settings;
        self.incidents.set_rules(rules.clone(), *learn_after, *min_bytes);
        Ok(())
    }

    /// Sets the data for country and AS of addresses.
    pub fn use_geo(&mut self, geo: &Arc<Geo>) {
        self.geo = geo.clone();
        self.places.configure(self.settings.places.clone(), geo.clone());
    }

    /// Continues with the countries and AS that an earlier run has seen.
    pub fn resume_places(&mut self, seen: SeenPlaces) {
        self.places.resume(seen);
    }

    /// The countries and AS that were seen, if they have changed since the last call.
    pub fn changed_places(&mut self) -> Option<&SeenPlaces> {
        self.places.take_changed()
    }

    /// Continues the incidents that an earlier run reported and that had not ended, with the baselines before
    /// them, if their interface still exists.
    pub fn restore(&mut self, unfinished: Vec<Unfinished>) {
        for Unfinished { incident, ifindex, usual } in &unfinished {
            let Subject { group, group_by, .. } = incident.subject;
            let is_group = group.family != 0 && group_by == self.settings.group_by;
            let Some(ifindex) = ifindex.filter(|_| is_group && !usual.is_empty()) else { continue };
            self.series.seed(FlowKey { ifindex, ..group }, usual);
            self.seeded.insert(incident.subject);
        }
        self.incidents.restore(unfinished.into_iter().map(|unfinished| unfinished.incident));
    }

    /// Continues with the baselines of an earlier run; `ifindex` finds interfaces by name.
    ///
    /// # Errors
    /// If the baselines cannot be used.
    pub fn resume(
        &mut self,
        past: Snapshot,
        ifindex: &dyn Fn(&str) -> Option<u32>,
    ) -> Result<(), &'static str> {
        self.judge.resume(past, ifindex)
    }

    /// The baselines for a later run; `name` names interfaces.
    pub fn snapshot(&self, name: &dyn Fn(u32) -> String) -> Option<Snapshot> {
        self.judge.snapshot(&self.series, name)
    }

    /// The grouping.
    pub fn group_by(&self) -> GroupBy {
        self.settings.group_by
    }

    /// From now on, reports which groups are forgotten.
    pub fn record_forgotten(&mut self) {
        self.series.record_forgotten();
    }

    /// Adds an interval and judges every group that has a history.
    pub fn step(&mut self, interval: &Interval) -> Step {
        self.judge.catch_up(interval.start_ns);
        let mut events = self.pass_gap(interval);
        for first in (0..interval.flows.len()).step_by(LOOKUP_BATCH) {
            self.collect(interval, first);
        }
        let mut step = self.judge(interval);
        events.append(&mut step.events);
        step.events = events;
        step.groups = self.series.len();
        step.evicted = self.series.evicted();
        step.forgotten = self.series.take_forgotten();
        step.held_back = self.judge.take_held();
        step.held_back.merge(self.incidents.take_held());
        step
    }

    /// Adds the next flows, at most [`LOOKUP_BATCH`], to their groups.
    fn collect(&mut self, interval: &Interval, first: usize) {
        let (flows, group_by) = (&interval.flows, self.settings.group_by);
        let these = first..flows.len().min(first + LOOKUP_BATCH);
        let [mut keys, mut groups] = [[FlowKey::default(); LOOKUP_BATCH]; 2];
        for ((at, key), group) in these.clone().zip(&mut keys).zip(&mut groups) {
            *key = flows.key(at);
            let found = interval.groups.of(group_by, at);
            *group = found.unwrap_or_else(|| group_by.key(key));
        }
        let mut lookup = [Lookup::default(); LOOKUP_BATCH];
        self.series.look_up(&groups[..these.len()], &mut lookup);
        for ((at, flow), group) in these.zip(&keys).zip(groups.into_iter().zip(lookup)) {
            let is_allowed = self.settings.allow.iter().any(|allowed| allowed.covers(flow));
            self.series.collect(group, flows, at, is_allowed);
            if !is_allowed {
                self.judge.collect(flow, || flows.counters(at));
            }
        }
    }

    /// Judges the intervals without traffic before this one: groups may stop in them, and incidents end.
    /// Intervals after which every group is forgotten and every incident is over are skipped at once.
    fn pass_gap(&mut self, interval: &Interval) -> Vec<Event> {
        let first = self.last_index.map_or(interval.index, |last| last.saturating_add(1));
        self.last_index = Some(interval.index);
        let length = interval.end_ns.saturating_sub(interval.start_ns);
        let quiet = |index: i64| {
            let back = i128::from(interval.index.saturating_sub(index)) * i128::from(length);
            let start_ns = i128::from(interval.start_ns) - back;
            let start_ns = start_ns.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
            let end_ns = start_ns.saturating_add(length);
            Interval { index, start_ns, end_ns, ..Interval::default() }
        };
        let mut events = Vec::new();
        let Rules { resolve_after, .. } = self.settings.rules;
        let alive = i64::from(self.settings.expire_after) + i64::from(resolve_after);
        let judged = first.saturating_add(alive);
        let (mut index, end) = (first, interval.index.min(judged));
        let mut each = 1;
        while index < end {
            let looked_at = index.saturating_add(each).min(end);
            for index in index..looked_at {
                events.extend(self.judge(&quiet(index)).events);
            }
            let passed = self.pass_quiet(looked_at, end);
            index = looked_at.saturating_add(passed);
            // If intervals may cause a report, they are judged one by one, in runs of growing length.
            each = if passed > 0 { 1 } else { (2 * each).min(LONGEST_LOOK) };
        }
        let skipped = interval.index.saturating_sub(judged);
        if skipped > 0 {
            self.series.skip(skipped.unsigned_abs());
            self.judge.skip(skipped.unsigned_abs(), interval.index.saturating_sub(1));
        }
        events
    }

    /// Skips the intervals from `index` to `end` that cannot cause a report; returns how many.
    fn pass_quiet(&mut self, index: i64, end: i64) -> i64 {
        let most = u32::try_from(end.saturating_sub(index)).unwrap_or(u32::MAX);
        if most == 0 || !self.incidents.is_idle() {
            return 0;
        }
        let groups = self.series.quiet();
        let passed = self.judge.quiet_ahead(&groups, most);
        if passed > 0 {
            let last = index.saturating_add(i64::from(passed) - 1);
            self.judge.pass_quiet(&groups, passed, last);
            self.series.pass_quiet(&groups, passed);
            self.incidents.pass_idle(passed, last);
        }
        i64::from(passed)
    }

    fn judge(&mut self, interval: &Interval) -> Step {
        let Self { settings, judge, places, series, incidents, seeded, .. } = self;
        let mut findings =
            if interval.is_partial { Vec::new() } else { places.step(interval, &settings.allow) };
        let mut top = Top::new(settings.top);
        // Plus the interval that is being closed.
        let seen = series.intervals_seen() + 1 + judge.past_intervals();
        let is_quiet = settings.quiet_start && seen < settings.window;
        let is_judged = |is_seeded: bool| !interval.is_partial && (is_seeded || !is_quiet);
        let (index, times_as_long) = (interval.index, interval.times_as_long());
        let around =
            |is_seeded| Circumstances { index, is_judged: is_judged(is_seeded), times_as_long };
        series.close(&interval.flows, times_as_long, |window| {
            top.offer(&window);
            let (finding, update) = judge.judge(&window, around(window.is_seeded));
            findings.extend(finding);
            update
        });
        judge.close(interval, around(false), &mut findings);
        let judged = |subject: &Subject| is_judged(seeded.contains(subject));
        let events = incidents.step(interval, findings, judged);
        Step { events, top: top.into_sorted(), ..Step::default() }
    }
}

fn series_options(settings: &EngineSettings) -> SeriesOptions {
    SeriesOptions {
        window: settings.window,
        max_groups: settings.max_groups,
        expire_after: settings.expire_after,
        assume_quiet_before: settings.assume_quiet_before,
    }
}

/// The largest groups of an interval.
struct Top {
    capacity: usize,
    rows: Vec<TopGroup>,
}

impl Top {
    fn new(capacity: usize) -> Self {
        Self { capacity, rows: Vec::with_capacity(capacity + 1) }
    }

    fn offer(&mut self, window: &Window<'_>) {
        let bytes = window.activity.bytes();
        let is_small = self.rows.len() == self.capacity
            && self.rows.last().is_none_or(|last| last.counters.bytes >= bytes);
        if is_small {
            return;
        }
        let counters = window.activity.counters();
        if counters.device_packets == 0 {
            return;
        }
        let place = self.rows.partition_point(|row| row.counters.bytes >= bytes);
        self.rows.insert(
            place,
            TopGroup {
                key: window.key(),
                counters,
                main_flow: window.activity.main_flow(),
                window: window.points.to_vec(),
            },
        );
        self.rows.truncate(self.capacity);
    }

    fn into_sorted(self) -> Vec<TopGroup> {
        self.rows
    }
}
