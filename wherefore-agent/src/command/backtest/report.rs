//! What came of a backtest. Owns the facts; what shows them is beside it.

use super::history::History;
use super::traffic::Traffic;

/// What came of a backtest.
pub(super) struct Report {
    /// Names of the files.
    pub(super) name: String,
    /// Length of an interval in seconds.
    pub(super) interval_seconds: f64,
    pub(super) traffic: Traffic,
    /// The smallest budget first.
    pub(super) histories: Vec<History>,
    /// The one of these that is shown in detail.
    pub(super) shown: usize,
    /// The threshold, where there are no budgets.
    pub(super) threshold: f64,
}

impl Report {
    /// The history that is shown in detail.
    pub(super) fn shown(&self) -> &History {
        &self.histories[self.shown]
    }
}
