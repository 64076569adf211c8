//! What the programs count beside the flow maps, for the flows that each CPU meets most. Owns that
//! it is added to the flows of its interval, once; refuses to read what a program may still write.

use anyhow::{Context, Result};
use aya::maps::{MapData, PerCpuArray, PerCpuValues};
use aya::{Ebpf, Pod};
use rustc_hash::FxHashMap;
use wherefore_common::abi::map;
use wherefore_common::recent::{PACKETS_TO_A_SLOT, ROWS, Row};
use wherefore_common::{Counters, FlowKey};

use super::loader::{pod, take};
use crate::interval::FlowCounts;

/// The rows beside both flow maps.
pub(super) struct Recent {
    rows: PerCpuArray<MapData, PodRow>,
    cpus: usize,
}

impl Recent {
    /// Takes the map.
    pub(super) fn new(ebpf: &mut Ebpf, cpus: usize) -> Result<Self> {
        Ok(Self { rows: take(ebpf, map::RECENT)?, cpus })
    }

    /// Empties the rows beside the flow map of this number, to which no program writes, and adds
    /// what they held to `flows`, which are those of the map.
    pub(super) fn take_into(&mut self, number: usize, flows: &mut FlowCounts) -> Result<()> {
        // Without such a flow no slot was given away, and an idle agent need not look.
        if !flows.iter().any(|(_, counters)| counters.device_packets >= PACKETS_TO_A_SLOT) {
            return Ok(());
        }
        let mut beside = self.take(number)?;
        for (key, counters) in flows.iter_mut() {
            if beside.is_empty() {
                break;
            }
            if let Some(more) = beside.remove(key) {
                counters.merge(&more);
            }
        }
        // None is left: a flow is in the map before it gets a slot. If one were, it would count.
        flows.extend(beside);
        Ok(())
    }

    /// What is in the rows, summed over all CPUs.
    fn take(&mut self, number: usize) -> Result<FxHashMap<FlowKey, Counters>> {
        let mut taken: FxHashMap<FlowKey, Counters> = FxHashMap::default();
        let first = number as u32 * ROWS;
        for row in first..first + ROWS {
            let of_cpus = self.rows.get(&row, 0).context("cannot read the recent flows")?;
            let mut flows = of_cpus.iter().flat_map(|row| row.0.taken()).peekable();
            if flows.peek().is_none() {
                continue;
            }
            flows.for_each(|(key, counters)| taken.entry(key).or_default().merge(&counters));
            let empty = vec![PodRow(Row::default()); self.cpus];
            let empty = PerCpuValues::try_from(empty).context("no CPU")?;
            self.rows.set(row, empty, 0).context("cannot empty the recent flows")?;
        }
        Ok(taken)
    }
}

pod!(PodRow, Row);
