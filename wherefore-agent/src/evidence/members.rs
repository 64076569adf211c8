//! The flows of a group, if packets do not show their group: groups by country, AS, name or owner. Owns which
//! flows these are: those with traffic in the alert's interval.

use rustc_hash::FxHashSet;
use wherefore_common::FlowKey;

use crate::attribute::Directory;
use crate::attribute::grouping::Grouping;
use crate::message::alert::Alert;
use crate::traffic::interval::Interval;

/// The group's conversations, one direction each; `None` if packets themselves show their group.
pub type Members = Option<FxHashSet<FlowKey>>;

/// The flows of an alert's group in its interval.
pub fn members_of(alert: &Alert, interval: &Interval, directory: &Directory) -> Members {
    if alert.group_by.is_of_flows() {
        return None;
    }
    let mut grouping = Grouping::new(alert.group_by, directory);
    let mut is_member = |at: usize| {
        let group = grouping.group(interval, at);
        let is_it = FlowKey { ifindex: 0, ..group } == alert.group;
        is_it || alert.group_by.without_direction(&group) == Some(alert.group)
    };
    let members = (0..interval.flows.len()).filter(|at| is_member(*at));
    Some(members.map(|at| conversation(&interval.flows.key(at))).collect())
}

/// A flow without its interface and direction.
pub(super) fn conversation(flow: &FlowKey) -> FlowKey {
    FlowKey { ifindex: 0, direction: 0, ..*flow }
}
