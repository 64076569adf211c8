//! Chooses which flows have records of their own and which are summed up, and computes the sums that must
//! agree. Owns the bound; refuses to send anything.

use std::collections::BTreeMap;

use wherefore_common::{Counters, FlowKey, Reason};

use crate::traffic::flows::Flows;
use crate::traffic::interval::Interval;

/// Numbers of flows, packets and bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) flows: u64,
    pub(super) packets: u64,
    pub(super) bytes: u64,
}

impl Sums {
    /// The sums of all flows of an interval.
    pub(super) fn of(flows: &Flows) -> Self {
        let mut sums = Self::default();
        flows.iter().for_each(|(_, counters)| sums.add(1, &counters));
        sums
    }

    /// Adds flows.
    pub(super) fn add(&mut self, flows: u64, counters: &Counters) {
        self.plus(Self { flows, packets: counters.packets, bytes: counters.bytes });
    }

    /// Adds other sums.
    pub(super) fn plus(&mut self, other: Self) {
        self.flows += other.flows;
        self.packets += other.packets;
        self.bytes += other.bytes;
    }

    /// Subtracts counts that were added before.
    pub(super) fn minus(&mut self, other: Self) {
        self.flows = self.flows.saturating_sub(other.flows);
        self.packets = self.packets.saturating_sub(other.packets);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

/// Packets and bytes of an interval that are in no flow because the table was full.
pub(super) fn overflow(interval: &Interval) -> [u64; 2] {
    let found = interval.remainders.iter().filter(|(key, _)| key.reason == Reason::Overflow as u8);
    found.fold([0; 2], |[packets, bytes], (_, counters)| {
        [packets + counters.packets, bytes + counters.bytes]
    })
}

/// How the flows of an interval are sent.
#[derive(Debug)]
pub(super) struct Plan {
    /// Flows with records of their own, in their order.
    pub(super) alone: Vec<u32>,
    /// The other flows, summed up by interface, direction and family.
    pub(super) together: Vec<(FlowKey, Counters, u32)>,
}

impl Plan {
    /// Gives the largest `most` flows records of their own.
    pub(super) fn new(flows: &Flows, most: usize) -> Self {
        let mut alone: Vec<u32> = (0..flows.len() as u32).collect();
        if alone.len() <= most {
            return Self { alone, together: Vec::new() };
        }
        let largest_first = |at: &u32| (std::cmp::Reverse(flows.bytes(*at as usize)), *at);
        alone.select_nth_unstable_by_key(most, largest_first);
        let rest = alone.split_off(most);
        alone.sort_unstable();
        Self { alone, together: summed(flows, &rest) }
    }
}

fn summed(flows: &Flows, rest: &[u32]) -> Vec<(FlowKey, Counters, u32)> {
    let mut sums: BTreeMap<FlowKey, (Counters, u32)> = BTreeMap::new();
    for at in rest {
        let (FlowKey { ifindex, family, direction, .. }, counters) = flows.get(*at as usize);
        let key = FlowKey { ifindex, family, direction, ..FlowKey::default() };
        let (sum, number) = sums.entry(key).or_default();
        sum.merge(&counters);
        *number += 1;
    }
    sums.into_iter().map(|(key, (sum, number))| (key, sum, number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_bound_sums_are_exact() {
        let mut random = fastrand::Rng::with_seed(3);
        let flow = |number: u32| {
            let key = FlowKey {
                src: [number.into(), 0],
                ifindex: number % 2,
                family: if number.is_multiple_of(3) { 6 } else { 4 },
                direction: 1 + (number % 2) as u8,
                ..FlowKey::default()
            };
            let bytes = random.u64(1..1 << 40);
            let counters = Counters { packets: 2, bytes, device_packets: 1, ..Counters::default() };
            (key, counters)
        };
        let flows: Flows = (0..1000).map(flow).collect();
        for most in [0, 1, 10, 999, 1000, 2000] {
            let plan = Plan::new(&flows, most);
            assert_eq!(plan.alone.len(), most.min(1000));
            let least = plan.alone.iter().map(|at| flows.bytes(*at as usize)).min();
            let mut sums = Sums::default();
            for at in &plan.alone {
                sums.add(1, &flows.counters(*at as usize));
            }
            for (_, counters, number) in &plan.together {
                sums.add((*number).into(), counters);
            }
            assert_eq!(sums, Sums::of(&flows), "{most}");
            assert!(plan.together.len() <= 4);
            let larger = (0..1000).filter(|at| Some(flows.bytes(*at)) >= least).count();
            assert!(most == 0 || larger == plan.alone.len(), "the largest stand alone");
        }
    }
}
