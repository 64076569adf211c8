//! What the running programs are told: which interval they count in, behind which filter. Owns the
//! object's variable; refuses to change under them more than one octet at a time.

use anyhow::{Context, Result};
use aya::maps::{Array, MapData};
use aya::{Ebpf, Pod};
use wherefore_common::abi::{self, map};

use super::loader::{pod, take};

/// The variable, and what is in it.
pub(super) struct Control {
    variable: Array<MapData, PodControl>,
    now: abi::Control,
}

impl Control {
    /// Takes the variable: the first interval begins, with so many slots of the table and without a
    /// filter.
    pub(super) fn new(ebpf: &mut Ebpf, slots: u32) -> Result<Self> {
        let now = abi::Control { intervals: [1, 0], slots: [slots, 0], ..abi::Control::default() };
        let mut control = Self { variable: take(ebpf, map::CONTROL)?, now };
        control.write()?;
        Ok(control)
    }

    /// Ends an interval: which half it was in, and its number. The next has so many slots of the table.
    /// Programs that run now may still be in the one that ends; none may be in the one before.
    pub(super) fn end_interval(&mut self, slots: u32) -> Result<(usize, u64)> {
        let half = self.now.half as usize;
        let number = self.now.intervals[half];
        let next = 1 - half;
        self.now.intervals[next] = number + 1;
        self.now.slots[next] = slots;
        self.write()?;
        self.now.half = next as u32;
        self.write()?;
        Ok((half, number))
    }

    /// Says which filter the set holds, which no program may use now.
    pub(super) fn name_filter(&mut self, set: u32, number: u64) -> Result<()> {
        self.now.filters[set as usize] = number;
        self.write()
    }

    /// Puts the filter of a set in force, or none.
    pub(super) fn use_filter(&mut self, set: u32) -> Result<()> {
        self.now.filter_set = set;
        self.write()
    }

    fn write(&mut self) -> Result<()> {
        self.variable.set(0, PodControl(self.now), 0).context("cannot tell the programs")
    }
}

pod!(PodControl, abi::Control);
