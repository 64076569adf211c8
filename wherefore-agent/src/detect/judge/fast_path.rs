//! The fast path: limits below which an interval cannot alert, so that most traffic needs no closer look.
//! Owns how the limits follow from the baselines; refuses to judge.

use crate::detect::detectors::{OrdinaryVolumes, Population};

/// The limits at the beginning of an interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct FastPath {
    /// The limit by a group's own history.
    pub(super) ordinary: OrdinaryVolumes,
    /// The highest [`crate::detect::detectors::level`] that is ordinary among all groups.
    pub(super) level: f32,
}

impl FastPath {
    /// The limits, given that surprises below this one cannot alert.
    pub(super) fn of(volumes: &Population, surprise: f32) -> Self {
        let ordinary = OrdinaryVolumes::below(volumes.score_of(surprise));
        Self { ordinary, level: volumes.unsurprising(surprise) }
    }
}

impl Default for FastPath {
    fn default() -> Self {
        Self { ordinary: OrdinaryVolumes::below(1.0), level: 0.0 }
    }
}
