//! The engine's settings that matter for rarity.

use crate::detect::settings::EngineSettings;
use crate::traffic::group::GroupBy;

/// The relevant part of the engine's settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) group_by: GroupBy,
    /// Bytes below which a volume is a trifle.
    pub(super) min_bytes: f64,
    /// Whether reported intervals update the baseline, too.
    pub(super) is_learned: bool,
    /// Intervals after which a change becomes the baseline.
    pub(super) learn_after: u32,
}

impl Rules {
    pub(super) fn of(engine: &EngineSettings) -> Self {
        Self {
            group_by: engine.group_by,
            min_bytes: engine.min_bytes,
            is_learned: engine.learn_anomalies,
            learn_after: engine.learn_after,
        }
    }
}
