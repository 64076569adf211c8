//! The counts in the table that is in front of the flow maps. Owns that they are added to the flows of their
//! interval exactly once; refuses to read what a program may still write.

use std::ops::RangeInclusive;
use std::os::fd::AsFd;

use anyhow::{Context, Result, bail};
use aya::Ebpf;
use aya::maps::{Map, MapData, PerCpuArray, PerCpuValues};
use rustc_hash::FxHashMap;
use wherefore_common::abi::map;
use wherefore_common::flow::RemainderKey;
use wherefore_common::table::{MAX_ROWS, Row, SLOTS_TO_A_ROW, TakenRows};
use wherefore_common::{Counters, FlowKey, Reason};

use super::batch::read_row;
use super::maps::{pod, take};
use crate::traffic::hash_index::{HashIndex, Hashed};

/// The fewest slots that each CPU has and uses, unless the capacity in flows is smaller.
const FEWEST_SLOTS: u32 = 1024;
/// The number of slots that each CPU uses for each flow of earlier intervals.
const SLOTS_A_FLOW: u32 = 2;

/// The size of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// The number of slots of each CPU for an interval.
    pub(super) slots: u32,
    /// The number of rows for these slots.
    pub(super) rows: u32,
}

impl Size {
    /// Two slots for each flow, over all CPUs: flows nearly always find their slot, or a free one, at once,
    /// even if only a few CPUs count. However many CPUs are possible, none has so few slots that its busiest
    /// flows have none.
    pub(super) fn fitting(flows: u32, cpus: usize) -> Self {
        let share = (2 * flows as usize).div_ceil(cpus).min(MAX_ROWS * SLOTS_TO_A_ROW);
        let slots = (share as u32).max(FEWEST_SLOTS.min(flows)).max(1);
        Self { slots, rows: slots.div_ceil(SLOTS_TO_A_ROW as u32) }
    }
}

/// Estimates how many slots the flows of an interval need, from earlier intervals.
#[derive(Debug, Clone, Copy, Default)]
struct Demand {
    /// The expected number of flows; `None` before the first interval.
    flows: Option<u32>,
}

impl Demand {
    /// Learns from the number of flows of an interval, including filtered ones. If there are fewer flows, the
    /// expectation follows slowly.
    fn learn(&mut self, flows: usize) {
        let flows = u32::try_from(flows).unwrap_or(u32::MAX);
        let before = self.flows.unwrap_or_default();
        self.flows = Some(flows.max(before - before / 8));
    }

    /// The number of slots that each CPU uses, out of `all`; all of them if nothing is known.
    fn slots(self, all: u32) -> u32 {
        let Some(flows) = self.flows else { return all };
        flows.saturating_mul(SLOTS_A_FLOW).max(FEWEST_SLOTS).min(all)
    }
}

/// Receives a flow, its counters, and the socket that sent it (see [`Slot::socket`]).
pub(super) type FlowVisitor<'a> = dyn FnMut(FlowKey, Counters, u32) + 'a;

/// The number that stands for the socket of a flow that was counted where no socket can be recorded.
pub const NO_ROOM: u32 = u32::MAX;

/// The counts of filtered flows in slots.
pub(super) type FilteredCounts = FxHashMap<RemainderKey, Counters>;

/// Both halves of the table.
pub(super) struct Table {
    rows: MapData,
    taken: PerCpuArray<MapData, PodTakenRows>,
    size: Size,
    demand: Demand,
    /// One row, with the copy of each CPU.
    row: Vec<Row>,
}

impl Table {
    /// Takes the maps.
    pub(super) fn new(ebpf: &mut Ebpf, size: Size, cpus: usize) -> Result<Self> {
        let Some(Map::PerCpuArray(rows)) = ebpf.take_map(map::TABLE) else {
            bail!("the eBPF object has no map {}", map::TABLE);
        };
        let taken = take(ebpf, map::TAKEN_ROWS)?;
        Ok(Self { rows, taken, size, demand: Demand::default(), row: vec![Row::default(); cpus] })
    }

    /// The number of slots that each CPU should use in the next interval: as few as its flows need, because
    /// few slots stay in the processor's caches and are read sooner. If there are more flows than expected,
    /// they are counted in the map for an interval.
    pub(super) fn slots_for_next(&self) -> u32 {
        self.demand.slots(self.size.slots)
    }

    /// The number of flows that an interval is expected to have at most, by earlier ones.
    pub(super) fn flows_expected(&self) -> usize {
        self.demand.flows.unwrap_or_default() as usize
    }

    /// Passes on the flows of an interval with these epoch numbers, each once: those in its half of the
    /// table, in which no program counts any more, and those in its map, `in_map`. Returns the counts that
    /// belong to no flow.
    pub(super) fn take(
        &mut self,
        half: u32,
        epochs: RangeInclusive<u32>,
        in_map: Vec<(FlowKey, Counters)>,
        give: &mut FlowVisitor<'_>,
    ) -> Result<FilteredCounts> {
        let mut sum = Sum::new(in_map, give);
        self.take_rows(half, epochs, &mut sum)?;
        let (found, left_out) = sum.finish();
        self.demand.learn(found);
        Ok(left_out)
    }

    fn take_rows(
        &mut self,
        half: u32,
        epochs: RangeInclusive<u32>,
        sum: &mut Sum<'_>,
    ) -> Result<()> {
        let taken = self.taken.get(&half, 0).context("cannot read which rows are taken")?;
        if taken.iter().all(|of_cpu| of_cpu.0.words.iter().all(|word| *word == 0)) {
            return Ok(());
        }
        let none = vec![PodTakenRows(TakenRows::default()); self.row.len()];
        let none = PerCpuValues::try_from(none).context("no CPU")?;
        self.taken.set(half, none, 0).context("cannot reset which rows are taken")?;
        for number in 0..self.size.rows {
            let cpus = taken.iter().filter(|of_cpu| is_taken(&of_cpu.0, number)).count();
            if cpus == 0 {
                continue;
            }
            read_row(self.rows.fd().as_fd(), half * self.size.rows + number, &mut self.row)
                .context("cannot read the table")?;
            sum.add(&self.row, &epochs, cpus > 1);
        }
        Ok(())
    }
}

fn is_taken(rows: &TakenRows, number: u32) -> bool {
    let word = rows.words.get((number / u64::BITS) as usize);
    word.is_some_and(|word| word >> (number % u64::BITS) & 1 == 1)
}

/// Sums up each flow over all places where it was counted.
struct Sum<'a> {
    give: &'a mut FlowVisitor<'a>,
    in_map: Vec<(FlowKey, Counters)>,
    /// The socket of each flow in `in_map`.
    sockets: Vec<u32>,
    /// The index of the flows in `in_map`.
    places: HashIndex,
    /// The flows of a row in which several CPUs count.
    in_row: FxHashMap<FlowKey, (Counters, u32)>,
    left_out: FilteredCounts,
    /// The number of flows that were found in slots.
    in_slots: usize,
}

impl<'a> Sum<'a> {
    fn new(in_map: Vec<(FlowKey, Counters)>, give: &'a mut FlowVisitor<'a>) -> Self {
        let sockets = vec![NO_ROOM; in_map.len()];
        let mut places = HashIndex::default();
        for (at, (key, _)) in in_map.iter().enumerate() {
            places.insert(Hashed::of(key), at, |at| Hashed::of(&in_map[at].0));
        }
        let (in_row, left_out) = Default::default();
        Self { give, in_map, sockets, places, in_row, left_out, in_slots: 0 }
    }

    /// Adds a row, with the copies of all CPUs. A flow is in the same row on all of them.
    fn add(&mut self, of_cpus: &[Row], epochs: &RangeInclusive<u32>, is_of_several: bool) {
        for (slot, cold) in of_cpus.iter().flat_map(|row| row.taken(epochs.clone())) {
            let (key, counters) = (slot.key(cold), slot.counters(cold));
            if slot.is_left_out() {
                self.leave_out(&key, &counters);
            } else if let Some(place) = self.place_in_map(&key) {
                self.in_map[place].1.merge(&counters);
                if slot.socket != 0 {
                    self.sockets[place] = slot.socket;
                }
            } else if is_of_several {
                let (sum, socket) = self.in_row.entry(key).or_default();
                sum.merge(&counters);
                *socket = if *socket == 0 { slot.socket } else { *socket };
            } else {
                self.in_slots += 1;
                (self.give)(key, counters, slot.socket);
            }
        }
        self.in_slots += self.in_row.len();
        let in_row = self.in_row.drain();
        in_row.for_each(|(key, (counters, socket))| (self.give)(key, counters, socket));
    }

    fn place_in_map(&self, key: &FlowKey) -> Option<usize> {
        if self.in_map.is_empty() {
            return None;
        }
        self.places.find(Hashed::of(key), |at| self.in_map[at].0 == *key)
    }

    fn leave_out(&mut self, key: &FlowKey, counters: &Counters) {
        let key = RemainderKey::new(key.ifindex, key.direction(), Reason::Filtered);
        self.left_out.entry(key).or_default().merge(counters);
        self.in_slots += 1;
    }

    /// Returns the number of flows, and the counts of filtered ones.
    fn finish(self) -> (usize, FilteredCounts) {
        let found = self.in_map.len() + self.in_slots;
        let in_map = self.in_map.into_iter().zip(self.sockets);
        in_map.for_each(|((key, counters), socket)| (self.give)(key, counters, socket));
        (found, self.left_out)
    }
}

pod!(PodTakenRows, TakenRows);

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u32 = 131_072;

    #[test]
    fn the_table_follows_the_flows() {
        let mut demand = Demand::default();
        assert_eq!(demand.slots(ALL), ALL);
        demand.learn(10);
        assert_eq!(demand.slots(ALL), FEWEST_SLOTS);
        demand.learn(20_000);
        assert_eq!(demand.slots(ALL), 40_000);
        demand.learn(10_000_000);
        assert_eq!(demand.slots(ALL), ALL);
        // Not at once, because quiet intervals may alternate with busy ones.
        demand.learn(0);
        assert_eq!(demand.slots(ALL), ALL);
        (0..200).for_each(|_| demand.learn(0));
        assert_eq!(demand.slots(ALL), FEWEST_SLOTS);
        assert_eq!(demand.slots(100), 100);
    }

    #[test]
    fn memory_does_not_grow_with_cpus_but_for_a_least_part() {
        for cpus in [1, 2, 16, 256] {
            let Size { slots, rows } = Size::fitting(ALL, cpus);
            assert_eq!(slots as usize * cpus, 2 * ALL as usize);
            assert!(rows as usize * SLOTS_TO_A_ROW >= slots as usize);
        }
        assert_eq!(Size::fitting(ALL, 1024).slots, FEWEST_SLOTS);
        assert_eq!(Size::fitting(1, 64), Size { slots: 1, rows: 1 });
        assert_eq!(Size::fitting(u32::MAX, 1).rows as usize, MAX_ROWS);
    }
}
