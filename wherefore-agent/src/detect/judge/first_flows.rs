//! The first flow of each group. If a group is silent, this is the only source for its service, its
//! direction, who sent the request, and how long it existed. Owns these few bytes of each group; refuses to
//! judge.

use wherefore_common::{Counters, FlowKey};

use crate::detect::addresses::{is_inside, is_request};

/// First flows by the slot of their group.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstFlows(Vec<FirstFlow>);

/// The fields of a flow's key besides addresses and interface.
#[derive(Debug, Clone, Copy, Default)]
struct FirstFlow {
    sport: u16,
    dport: u16,
    protocol: u8,
    direction: u8,
    is_asking: bool,
    /// The interval in which it appeared, or last vanished.
    since: i64,
}

impl FirstFlows {
    /// Stores the first flow of a group that is new to this slot, and the interval in which it appeared.
    pub(super) fn insert(&mut self, slot: usize, flow: &FlowKey, counters: &Counters, since: i64) {
        if self.0.len() <= slot {
            self.0.resize(slot + 1, FirstFlow::default());
        }
        let FlowKey { sport, dport, protocol, direction, .. } = *flow;
        let is_asking = is_request(flow, counters);
        self.0[slot] = FirstFlow { sport, dport, protocol, direction, is_asking, since };
    }

    /// Ends a group in an interval; returns for how many intervals it existed.
    pub(super) fn end(&mut self, slot: usize, index: i64) -> i64 {
        let lasted = self.lasted(slot, index);
        if let Some(first) = self.0.get_mut(slot) {
            first.since = index;
        }
        lasted
    }

    /// For how many intervals a group has existed.
    pub(super) fn lasted(&self, slot: usize, index: i64) -> i64 {
        index.saturating_sub(self.first(slot).since)
    }

    /// The first flow of a pair of addresses.
    pub(super) fn flow(&self, slot: usize, pair: &FlowKey) -> FlowKey {
        let FirstFlow { sport, dport, protocol, direction, .. } = self.first(slot);
        FlowKey { sport, dport, protocol, direction, ..*pair }
    }

    /// Whether an outside address sends requests to an inside one.
    pub(super) fn is_asked_from_outside(&self, slot: usize, pair: &FlowKey) -> bool {
        !is_inside(&self.flow(slot, pair), self.first(slot).is_asking)
    }

    fn first(&self, slot: usize) -> FirstFlow {
        self.0.get(slot).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use wherefore_common::flow::address_words;

    use super::*;

    #[test]
    fn a_request_from_outside_is_recognised_in_both_directions() {
        let words = |text: &str| address_words(text.parse().unwrap());
        let ((family, src), (_, dst)) = (words("10.0.0.10"), words("198.51.100.7"));
        let pair = FlowKey { src, dst, family, protocol: 6, ..FlowKey::default() };
        let with = |tcp_flags| Counters { packets: 9, tcp_flags, ..Counters::default() };
        let mut first_flows = FirstFlows::default();
        first_flows.insert(3, &FlowKey { sport: 22, dport: 50_000, ..pair }, &with(0x12), 7);
        assert!(first_flows.is_asked_from_outside(3, &pair), "it answers");
        assert_eq!(first_flows.flow(3, &pair).sport, 22);
        first_flows.insert(3, &FlowKey { sport: 50_000, dport: 443, ..pair }, &with(0x1a), 7);
        assert!(!first_flows.is_asked_from_outside(3, &pair), "it asks");
        assert_eq!((first_flows.end(3, 20), first_flows.lasted(3, 25)), (13, 5));
    }
}
