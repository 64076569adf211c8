//! Distinct ports and addresses that each source contacted in five minutes and in an hour: scans and sweeps
//! that no single interval shows. Owns the windows and the sources followed in each; refuses to judge.
//!
//! A window needs a hundred bytes a source, and a sketch if a source contacted more than a few.

use rustc_hash::FxHashMap;
use wherefore_common::{Counters, FlowKey};

use super::active::{Address, SourceActivity};
use super::sketch::{Distinct, Pool};

/// Windows.
pub(super) const WINDOWS: usize = 2;
/// Their intervals: five minutes and an hour of 5 s.
const LENGTHS: [u64; WINDOWS] = [60, 720];
/// Sources followed in a window at most, and sketches.
const MOST: usize = 4096;
const MOST_SKETCHES: usize = 1024;

/// The open windows.
#[derive(Debug, Clone)]
pub(super) struct SlowWindows([Window; WINDOWS]);

/// One window.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// Intervals that it lasts.
    pub length: u64,
    places: FxHashMap<Address, usize>,
    pub sources: Vec<SourceWindow>,
    pub pool: Pool,
}

/// The ports and addresses that one source contacted in a window.
#[derive(Debug, Clone)]
pub(super) struct SourceWindow {
    pub address: Address,
    pub ports: Distinct,
    pub addresses: Distinct,
    /// The number of intervals with requests.
    pub counters: Counters,
    /// A flow to the address that it contacted most recently and often.
    pub main_flow: FlowKey,
}

impl Default for SlowWindows {
    fn default() -> Self {
        Self(LENGTHS.map(|length| Window {
            length,
            places: FxHashMap::default(),
            sources: Vec::new(),
            pool: Pool::new(MOST_SKETCHES),
        }))
    }
}

impl SlowWindows {
    /// Adds the targets of a source in an interval, as the sketches of that interval's `pool` know them.
    pub(super) fn add(&mut self, address: Address, sent: &SourceActivity, pool: &Pool) {
        if sent.has_no_requests() {
            return;
        }
        for window in &mut self.0 {
            let Some(place) = window.place(address) else { continue };
            let Window { sources, pool: own, .. } = window;
            let Some(asked) = sources.get_mut(place) else { continue };
            asked.ports.merge(own, &sent.ports, pool);
            asked.addresses.merge(own, &sent.addresses, pool);
            asked.counters.merge(&sent.totals.counters);
            asked.main_flow = sent.target.flow;
        }
    }

    /// Intervals, including number `now`, until the next window with requests ends.
    pub(super) fn until_end(&self, now: u64) -> Option<u64> {
        let used = self.0.iter().filter(|window| !window.sources.is_empty());
        used.map(|window| window.until_end(now)).min()
    }

    /// Takes the windows that end with interval `now`, with their numbers; each starts empty again.
    pub(super) fn take_ended(&mut self, now: u64) -> Vec<(usize, Window)> {
        let ended = self.0.iter_mut().enumerate().filter(|(_, window)| window.until_end(now) == 1);
        ended.map(|(number, window)| (number, window.take())).collect()
    }

    /// How many windows of each number end in the next `intervals`, of which `now` is the first.
    pub(super) fn ends_within(&self, now: u64, intervals: u64) -> [u64; WINDOWS] {
        LENGTHS.map(|length| (now + intervals) / length - now / length)
    }

    /// Forgets all targets.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Window {
    fn place(&mut self, address: Address) -> Option<usize> {
        if let Some(place) = self.places.get(&address) {
            return Some(*place);
        }
        if self.sources.len() >= MOST {
            return None;
        }
        self.places.insert(address, self.sources.len());
        self.sources.push(SourceWindow {
            address,
            ports: Distinct::default(),
            addresses: Distinct::default(),
            counters: Counters::default(),
            main_flow: FlowKey::default(),
        });
        Some(self.sources.len() - 1)
    }

    /// Windows end at whole multiples of their length.
    fn until_end(&self, now: u64) -> u64 {
        self.length - now % self.length
    }

    fn take(&mut self) -> Self {
        let Self { length, .. } = *self;
        let places = FxHashMap::default();
        let pool = Pool::new(MOST_SKETCHES);
        std::mem::replace(self, Self { length, places, sources: Vec::new(), pool })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_at_whole_multiples() {
        let mut slow = SlowWindows::default();
        let ended: Vec<_> = (0..720).flat_map(|now| slow.take_ended(now)).collect();
        let lengths: Vec<_> = ended.iter().map(|(_, window)| window.length).collect();
        assert_eq!(lengths.iter().filter(|length| **length == 60).count(), 12);
        assert_eq!(lengths.iter().filter(|length| **length == 720).count(), 1);
        assert_eq!(slow.ends_within(0, 720), [12, 1]);
        assert_eq!(slow.ends_within(59, 1), [1, 0]);
        assert_eq!(slow.ends_within(0, 59), [0, 0]);
        assert_eq!(slow.until_end(0), None, "nothing was asked");
    }
}
