//! Churn of addresses, by network: how many became silent for good, and how long they had existed. Where pods
//! come and go, one that stops is not reported; among servers it is. Owns the counts; refuses to judge.

use std::f32::consts::LOG10_2;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wherefore_common::FlowKey;
use wherefore_common::flow::{AddressWords, address};

use crate::detect::detectors::log2;
use crate::traffic::group::network;

/// The most networks.
const MOST: usize = 4096;
/// Intervals after which the weight of earlier ones is halved: a week of 5 s.
const MEMORY: f32 = 7.0 * 17_280.0;
/// The number of ended addresses from which on a network is known to have churn.
const COME_AND_GO: f32 = 3.0;
/// An address with churn around it is missed only if it existed this many times as long as the others on average: one
/// pod in three thousand does, if their lifetimes are distributed exponentially.
const LONGER: f32 = 8.0;

/// Ended addresses by network.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Churn {
    networks: Vec<Network>,
    #[serde(skip)]
    places: FxHashMap<AddressWords, usize>,
    /// The last counted address of each network, so that an address counts once and not for each peer.
    #[serde(skip)]
    last: FxHashMap<AddressWords, AddressWords>,
    intervals: f32,
}

/// The addresses that ended in a network.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Network {
    prefix: AddressWords,
    ends: f32,
    /// The sum of the intervals for which they existed.
    lasted: f32,
}

impl Churn {
    /// Counts an address as gone: it has been silent for long, after `lasted` intervals.
    pub(super) fn count(&mut self, group: &FlowKey, is_source: bool, lasted: i64) {
        let network = network_of(group, is_source);
        let address = if is_source { group.src } else { group.dst };
        if self.last.get(&network) == Some(&address) {
            return;
        }
        if self.last.len() < MOST || self.last.contains_key(&network) {
            self.last.insert(network, address);
        }
        let lasted = lasted as f32;
        if let Some(place) = self.places.get(&network) {
            self.networks[*place].ends += 1.0;
            self.networks[*place].lasted += lasted;
        } else if self.networks.len() < MOST {
            self.places.insert(network, self.networks.len());
            self.networks.push(Network { prefix: network, ends: 1.0, lasted });
        }
    }

    /// How surprising it is that an address ends that existed for this many intervals: one such end is
    /// expected in 10^surprise intervals. Zero if its network has churn and it existed no longer than the
    /// others.
    pub(super) fn surprise(&self, group: &FlowKey, is_source: bool, lasted: i64) -> f32 {
        let place = self.places.get(&network_of(group, is_source));
        let known = place.map_or_else(Network::default, |place| self.networks[*place]);
        let is_visitor = lasted as f32 * known.ends <= LONGER * known.lasted;
        if known.ends >= COME_AND_GO && is_visitor {
            return 0.0;
        }
        -LOG10_2 * log2((known.ends + 0.5) / (self.intervals + 1.0))
    }

    /// Adds intervals without counting an address.
    pub(super) fn pass(&mut self, intervals: u64) {
        self.intervals += intervals as f32;
        if self.intervals >= MEMORY {
            self.intervals *= 0.5;
            for network in &mut self.networks {
                network.ends *= 0.5;
                network.lasted *= 0.5;
            }
        }
    }

    /// Prepares a state that was read from a file.
    pub(super) fn resumed(mut self) -> Self {
        let is_sound = |number: f32| number.is_finite() && number >= 0.0;
        self.networks.retain(|known| is_sound(known.ends) && is_sound(known.lasted));
        self.networks.truncate(MOST);
        self.intervals = if is_sound(self.intervals) { self.intervals } else { 0.0 };
        let places = self.networks.iter().enumerate();
        self.places = places.map(|(place, known)| (known.prefix, place)).collect();
        self
    }
}

fn network_of(group: &FlowKey, is_source: bool) -> AddressWords {
    let words = if is_source { group.src } else { group.dst };
    network(address(group.family, &words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_addresses_ended_the_less_surprising_is_an_end() {
        let mut churn = Churn::default();
        let group = FlowKey { src: [1, 0], dst: [2 << 24, 0], family: 4, ..FlowKey::default() };
        churn.pass(17_280);
        let before = churn.surprise(&group, true, 720);
        assert!((4.4..4.7).contains(&before), "{before}");
        for host in 0..20 {
            let gone = FlowKey { src: [1 | host << 24, 0], ..group };
            (0..3).for_each(|_| churn.count(&gone, true, 720));
        }
        assert_eq!(churn.surprise(&group, true, 1000), 0.0, "one of many that come and go");
        let after = churn.surprise(&group, true, 17_280);
        assert!((2.8..3.1).contains(&after), "{after}");
        let kept = serde_json::to_string(&churn).unwrap();
        let resumed: Churn = serde_json::from_str(&kept).unwrap();
        assert_eq!(resumed.resumed().surprise(&group, true, 17_280), after);
    }
}
