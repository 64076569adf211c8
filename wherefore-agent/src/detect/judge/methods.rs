//! Judges by the seven methods: alerts if their probability exceeds the threshold and the change is not
//! small. Owns the order of these tests; refuses to know the methods.

use wherefore_common::FlowKey;

use super::circumstances::Circumstances;
use crate::detect::finding::{Finding, Grounds};
use crate::detect::kind::Kind;
use crate::detect::methods::Anomalyzer;
use crate::detect::series::{BaselineUpdate, Points, QuietGroup, Window};
use crate::detect::settings::EngineSettings;
use crate::traffic::group::GroupBy;

/// The anomalyzer and the use of its probability.
#[derive(Debug, Clone)]
pub struct Methods {
    anomalyzer: Anomalyzer,
    group_by: GroupBy,
    threshold: f64,
    min_bytes: f64,
    /// Points of the reference.
    reference: usize,
    is_learned: bool,
    learn_after: u32,
    /// The points of the judged group, in one piece.
    points: Vec<f64>,
}

impl Methods {
    pub(super) fn new(settings: &EngineSettings) -> anyhow::Result<Self> {
        Ok(Self {
            anomalyzer: Anomalyzer::new(settings.anomalyzer.clone())?,
            group_by: settings.group_by,
            threshold: settings.threshold,
            min_bytes: settings.min_bytes,
            reference: settings.reference,
            is_learned: settings.learn_anomalies,
            learn_after: settings.learn_after,
            points: Vec::new(),
        })
    }

    pub(super) fn judge(
        &mut self,
        window: &Window<'_>,
        around: Circumstances,
    ) -> (Option<Finding>, BaselineUpdate) {
        let probability = if around.is_judged { self.probability(&window.points) } else { 0.0 };
        if probability <= self.threshold {
            return (None, BaselineUpdate::Learn);
        }
        let is_lasting = window.unusual >= self.learn_after;
        let update = if self.is_learned || is_lasting {
            BaselineUpdate::LearnUnusual
        } else {
            BaselineUpdate::Freeze
        };
        (Some(self.finding(window, probability)), update)
    }

    /// Whether intervals without traffic cannot alert: all points in view are zero.
    pub(super) fn is_idle(&mut self, groups: &[QuietGroup]) -> bool {
        let Some(QuietGroup { empty_window, .. }) = groups.first() else { return true };
        if groups.iter().any(|group| group.empty_window != *empty_window) {
            return false;
        }
        let Some(length) = *empty_window else { return false };
        self.points.clear();
        self.points.resize(length, 0.0);
        let probability =
            if self.min_bytes > 0.0 { 0.0 } else { self.anomalyzer.probability(&self.points) };
        probability <= self.threshold
    }

    fn finding(&mut self, window: &Window<'_>, probability: f64) -> Finding {
        let score = self.anomalyzer.score(&self.points);
        Finding {
            kind: Kind::Volume,
            group_by: self.group_by,
            group: FlowKey { ifindex: 0, ..window.key() },
            ifindex: window.key().ifindex,
            counters: window.activity.counters(),
            main_flow: window.activity.main_flow(),
            points: window.points.to_vec(),
            probability,
            threshold: self.threshold,
            grounds: Grounds::Methods(score),
            becomes_usual: false,
        }
    }

    /// How unusual a group is; 0 if the change has too few bytes. Cheap tests come first, because nearly all
    /// groups fail one.
    fn probability(&mut self, points: &Points<'_>) -> f64 {
        self.points.clear();
        self.points.extend(points.iter());
        if change(&self.points, self.reference) < self.min_bytes {
            return 0.0;
        }
        self.anomalyzer.probability(&self.points)
    }
}

/// The difference in bytes between the newest point and the mean of the reference before it.
fn change(points: &[f64], reference: usize) -> f64 {
    let Some((newest, before)) = points.split_last() else { return 0.0 };
    let reference = &before[before.len().saturating_sub(reference)..];
    let mean = reference.iter().sum::<f64>() / (reference.len().max(1) as f64);
    (newest - mean).abs()
}
