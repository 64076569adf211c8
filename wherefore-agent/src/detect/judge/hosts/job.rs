//! A job that did not come at its time of day, as facts. Refuses to judge.

use wherefore_common::FlowKey;

use crate::detect::finding::Observed;
use crate::traffic::group::GroupBy;

/// A job that has not come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missed {
    /// The slot of the host in which it was missed.
    pub(super) since: u64,
    /// The least that was moved in five minutes on one of the days, in octaves.
    pub(super) least: f32,
    pub(super) is_reported: bool,
}

/// A job that has not come, to be reported, or again if it still has not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Missing {
    pub(super) place: usize,
    /// Its host, as sender or receiver.
    pub group_by: GroupBy,
    pub group: FlowKey,
    /// The last flow of the service.
    pub most: FlowKey,
    pub surprise: f32,
    pub observed: Observed,
    /// Whether it was reported before.
    pub is_reported: bool,
    /// Whether it has been missing for a day, so that nobody expects it any longer.
    pub is_old: bool,
}
