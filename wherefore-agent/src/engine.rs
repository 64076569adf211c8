//! From intervals to alerts. Owns the order of things within an interval and the rules by which a
//! score becomes an alert; refuses clocks and I/O: the same intervals give the same alerts.

use wherefore_common::{Counters, FlowKey};

use crate::alert::{Alert, AlertContext};
use crate::anomaly::Anomalyzer;
use crate::config::EngineSettings;
use crate::group::GroupBy;
use crate::interval::Interval;
use crate::series::{Series, SeriesOptions, Window};

/// Judges every group of flows, interval by interval.
#[derive(Debug)]
pub struct Engine {
    settings: EngineSettings,
    anomalyzer: Anomalyzer,
    series: Series,
    last_index: Option<i64>,
}

/// What came of one interval.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is to be told, by descending probability and then by volume.
    pub alerts: Vec<Alert>,
    /// The groups that moved most, first the most.
    pub top: Vec<TopGroup>,
    /// Groups tracked after the interval.
    pub groups: usize,
    /// Groups forgotten to make room, since the start.
    pub evicted: u64,
    /// Groups forgotten in this step, for whatever reason; only after
    /// [`Engine::tell_forgotten`].
    pub forgotten: Vec<FlowKey>,
}

/// One row of the table that people watch.
#[derive(Debug, Clone)]
pub struct TopGroup {
    /// The group.
    pub key: FlowKey,
    /// What it moved in the interval.
    pub counters: Counters,
    /// The flow of its last packet.
    pub last_flow: FlowKey,
    /// Its window in bytes an interval, oldest first.
    pub window: Vec<f64>,
}

impl Engine {
    /// An engine without history.
    ///
    /// # Errors
    /// Where the anomalyzer's options contradict each other.
    pub fn new(settings: EngineSettings) -> anyhow::Result<Self> {
        let series = Series::new(SeriesOptions {
            window: settings.window,
            max_groups: settings.max_groups,
            expire_after: settings.expire_after,
            assume_quiet_before: settings.assume_quiet_before,
        });
        let anomalyzer = Anomalyzer::new(settings.anomalyzer.clone())?;
        Ok(Self { settings, anomalyzer, series, last_index: None })
    }

    /// How groups are named.
    pub fn group_by(&self) -> GroupBy {
        self.settings.group_by
    }

    /// From now on says which groups it forgets.
    pub fn tell_forgotten(&mut self) {
        self.series.tell_forgotten();
    }

    /// Takes in an interval and judges every group that has a history.
    pub fn step(&mut self, interval: &Interval, context: &AlertContext<'_>) -> Outcome {
        self.pass_gap(interval.index);
        for (flow, counters) in &interval.flows {
            self.series.collect(self.settings.group_by.key(flow), flow, counters);
        }
        let mut outcome = self.judge(interval, context);
        outcome.groups = self.series.len();
        outcome.evicted = self.series.evicted();
        outcome.forgotten = self.series.take_forgotten();
        outcome
    }

    fn pass_gap(&mut self, index: i64) {
        let quiet = self.last_index.map_or(0, |last| index.saturating_sub(last).saturating_sub(1));
        self.series.skip_quiet(u64::try_from(quiet).unwrap_or(0));
        self.last_index = Some(index);
    }

    fn judge(&mut self, interval: &Interval, context: &AlertContext<'_>) -> Outcome {
        let Self { settings, anomalyzer, series, .. } = self;
        let mut alerts = Vec::new();
        let mut top = Top::new(settings.top);
        series.close(|mut window| {
            top.offer(&window);
            let is_judged = !interval.is_partial;
            if is_judged && is_unusual(settings, anomalyzer, interval.index, &mut window) {
                let score = anomalyzer.score(window.points);
                alerts.push(Alert::new(settings, interval, context, &window, &score));
            }
        });
        alerts.sort_by(Alert::by_weight);
        Outcome { alerts, top: top.into_sorted(), ..Outcome::default() }
    }
}

/// Whether a group is to be alerted about now: it is unusual enough, by enough bytes, and was not
/// alerted about just before. Cheap tests come first: nearly all groups fail one.
fn is_unusual(
    settings: &EngineSettings,
    anomalyzer: &mut Anomalyzer,
    index: i64,
    window: &mut Window<'_>,
) -> bool {
    let repeats = i64::from(settings.repeat_after);
    let is_recent = window.last_alert.is_some_and(|last| index.saturating_sub(last) < repeats);
    if is_recent || change(window.points, settings.reference) < settings.min_bytes {
        return false;
    }
    if anomalyzer.probability(window.points) <= settings.threshold {
        return false;
    }
    *window.last_alert = Some(index);
    true
}

/// By how many bytes the newest point differs from the mean of the reference before it.
fn change(points: &[f64], reference: usize) -> f64 {
    let Some((newest, before)) = points.split_last() else { return 0.0 };
    let reference = &before[before.len().saturating_sub(reference)..];
    let mean = reference.iter().sum::<f64>() / (reference.len().max(1) as f64);
    (newest - mean).abs()
}

/// The largest few groups of an interval.
struct Top {
    capacity: usize,
    rows: Vec<TopGroup>,
}

impl Top {
    fn new(capacity: usize) -> Self {
        Self { capacity, rows: Vec::with_capacity(capacity + 1) }
    }

    fn offer(&mut self, window: &Window<'_>) {
        let bytes = window.activity.counters.bytes;
        let is_small = self.rows.len() == self.capacity
            && self.rows.last().is_none_or(|last| last.counters.bytes >= bytes);
        if window.activity.counters.device_packets == 0 || is_small {
            return;
        }
        let place = self.rows.partition_point(|row| row.counters.bytes >= bytes);
        self.rows.insert(
            place,
            TopGroup {
                key: *window.key,
                counters: window.activity.counters,
                last_flow: window.activity.last_flow,
                window: window.points.to_vec(),
            },
        );
        self.rows.truncate(self.capacity);
    }

    fn into_sorted(self) -> Vec<TopGroup> {
        self.rows
    }
}
