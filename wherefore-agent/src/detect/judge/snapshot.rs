//! The baselines that survive a restart. Owns their bound and their keys; refuses to write files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wherefore_common::FlowKey;

use super::budget::Experience;
use super::churn::Churn;
use super::totals::KeptTotal;
use super::{hosts, newcomers, schedule, silences};
use crate::detect::addresses;
use crate::detect::detectors::{FlowState, Population};
use crate::detect::kind::Class;
use crate::traffic::group::{GroupBy, KeptGroup};

/// The most groups that are stored: those with traffic in the most intervals.
pub(super) const MOST_GROUPS: usize = 65_536;
/// The number of intervals with bytes from which on a group's history is worth storing.
pub(super) const WORTH_IT: f32 = 20.0;

/// The baselines of this host.
#[derive(Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// The length of an interval in nanoseconds. Histories of other lengths cannot be used.
    pub(super) interval_ns: u64,
    /// The end of the last one, in nanoseconds since 1970.
    pub(super) ended_ns: i64,
    /// The grouping of the histories.
    pub(super) group_by: GroupBy,
    /// The names of interfaces, whose numbers may change at a restart.
    pub(super) interfaces: BTreeMap<u32, String>,
    pub(super) groups: Vec<KeptMember>,
    pub(super) volumes: Population,
    pub(super) totals: Vec<KeptTotal>,
    pub(super) addresses: addresses::Snapshot,
    pub(super) newcomers: newcomers::Kept,
    pub(super) hosts: hosts::Kept,
    pub(super) services: hosts::Kept,
    #[serde(default)]
    pub(super) silences: silences::Kept,
    #[serde(default, rename = "ends")]
    pub(super) churn: Churn,
    pub(super) budgets: Vec<(Class, Experience)>,
    pub(super) schedule: schedule::Kept,
    pub(super) spent: f64,
}

/// The state of one group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptMember {
    pub(super) interface: u32,
    pub(super) group: KeptGroup,
    pub(super) state: FlowState,
}

impl KeptMember {
    pub(super) fn of(key: &FlowKey, state: FlowState) -> Self {
        Self { interface: key.ifindex, group: KeptGroup::of(key), state }
    }

    /// Its key, if its interface still exists.
    pub(super) fn key(&self, now: &dyn Fn(u32) -> Option<u32>) -> Option<FlowKey> {
        now(self.interface).map(|ifindex| self.group.at(ifindex))
    }
}
