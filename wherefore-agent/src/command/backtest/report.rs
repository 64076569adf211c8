//! The results of a backtest. Owns the facts; the other files of this folder show them.

use super::history::History;
use super::traffic::Traffic;

/// The results of a backtest.
pub(super) struct Report {
    /// Names of the files.
    pub(super) name: String,
    /// Length of an interval in seconds.
    pub(super) interval_seconds: f64,
    pub(super) traffic: Traffic,
    /// The incidents at each budget, the smallest budget first.
    pub(super) histories: Vec<History>,
    /// The index of the one that is shown in detail.
    pub(super) shown: usize,
    /// The threshold, if there are no budgets.
    pub(super) threshold: f64,
}

impl Report {
    /// The history that is shown in detail.
    pub(super) fn shown(&self) -> &History {
        &self.histories[self.shown]
    }
}
