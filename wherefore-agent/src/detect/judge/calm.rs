//! What leads to nothing in an interval, so that most of what groups move is not looked at closely. Owns
//! how that follows from what is usual; refuses to judge.

use crate::detect::detectors::{Ordinary, Population};

/// As of the beginning of an interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calm {
    /// By a group's own past.
    pub(super) ordinary: Ordinary,
    /// Up to this [`crate::detect::detectors::level`], by what is usual among all groups.
    pub(super) level: f32,
}

impl Calm {
    /// Where nothing comes of lower surprises.
    pub(super) fn of(volumes: &Population, surprise: f32) -> Self {
        let ordinary = Ordinary::below(volumes.score_of(surprise));
        Self { ordinary, level: volumes.unsurprising(surprise) }
    }
}

impl Default for Calm {
    fn default() -> Self {
        Self { ordinary: Ordinary::below(1.0), level: 0.0 }
    }
}
