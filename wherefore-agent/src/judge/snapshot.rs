//! What of the past outlives a restart. Owns its bound and how groups are named in it; refuses to
//! write files.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wherefore_common::FlowKey;

use super::budget::Experience;
use super::totals::KeptTotal;
use crate::alert::Kind;
use crate::detect::{FlowState, Population};
use crate::group::GroupBy;
use crate::state::KeptGroup;

/// Groups that are written down at the most: those that moved something most often.
pub(super) const MOST_GROUPS: usize = 65_536;
/// Intervals with bytes from which on a group's past is worth the room.
pub(super) const WORTH_IT: f32 = 20.0;

/// What is usual on this host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    /// Histories are of intervals of this length, in nanoseconds.
    pub(super) interval_ns: u64,
    /// And of groups of this kind.
    pub(super) group_by: GroupBy,
    pub(super) interfaces: Interfaces,
    pub(super) groups: Vec<KeptMember>,
    pub(super) volumes: Population,
    pub(super) totals: Vec<KeptTotal>,
    pub(super) budgets: Vec<(Kind, Experience)>,
}

/// What is remembered of one group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptMember {
    pub(super) interface: u32,
    pub(super) group: KeptGroup,
    pub(super) state: FlowState,
}

/// The names of interfaces, whose numbers are others after a restart: the number is the place.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Interfaces {
    names: Vec<String>,
    #[serde(skip)]
    places: FxHashMap<u32, u32>,
}

impl Interfaces {
    /// The place of an interface.
    pub(super) fn place(&mut self, ifindex: u32, name: &dyn Fn(u32) -> String) -> u32 {
        *self.places.entry(ifindex).or_insert_with(|| {
            self.names.push(name(ifindex));
            (self.names.len() - 1) as u32
        })
    }

    /// The number that the interface at each place has now.
    pub(super) fn now(&self, ifindex: &dyn Fn(&str) -> Option<u32>) -> Vec<Option<u32>> {
        self.names.iter().map(|name| ifindex(name)).collect()
    }
}

impl KeptMember {
    /// Its key, where its interface is still there.
    pub(super) fn key(&self, interfaces: &[Option<u32>]) -> Option<FlowKey> {
        let ifindex = interfaces.get(self.interface as usize).copied().flatten()?;
        Some(self.group.at(ifindex))
    }
}
