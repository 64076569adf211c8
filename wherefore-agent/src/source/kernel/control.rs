//! What the running programs are told: which interval they count in, behind which filter. Owns the
//! object's variable; refuses to change under them more than one octet at a time.

use anyhow::{Context, Result};
use aya::maps::{Array, MapData};
use aya::{Ebpf, Pod};
use wherefore_common::abi::{self, map};

use super::loader::{pod, take};
use super::table::Size;

/// The variable, and what is in it.
pub(super) struct Control {
    variable: Array<MapData, PodControl>,
    told: abi::Control,
    /// Rows of the table for each half.
    rows: u32,
}

impl Control {
    /// Takes the variable: the first interval begins, with all slots of the table and without a
    /// filter.
    pub(super) fn new(ebpf: &mut Ebpf, size: Size) -> Result<Self> {
        let mut told = abi::Control::default();
        told.write_half(0, 1, size.slots, 0);
        let mut control = Self { variable: take(ebpf, map::CONTROL)?, told, rows: size.rows };
        control.write()?;
        Ok(control)
    }

    /// Ends an interval: which half it was in, and its number. The next has so many slots of the table.
    /// Programs that run now may still be in the one that ends; none may be in the one before.
    pub(super) fn end_interval(&mut self, slots: u32) -> Result<(u32, u32)> {
        let (half, number) = (self.told.half(), self.told.epoch().interval);
        let next = 1 - half;
        // 0 is no interval; a machine gets there after years of the shortest ones.
        let number_of_next = number.checked_add(1).unwrap_or(1);
        self.told.write_half(next, number_of_next, slots, next * self.rows);
        self.write()?;
        self.switch(next, self.told.filter_set())?;
        Ok((half, number))
    }

    /// Says which filter the set holds, which no program may use now.
    pub(super) fn name_filter(&mut self, set: u32, number: u32) -> Result<()> {
        self.told.write_filter(set, number);
        self.write()
    }

    /// Puts the filter of a set in force, or none.
    pub(super) fn use_filter(&mut self, set: u32) -> Result<()> {
        self.switch(self.told.half(), set)
    }

    fn switch(&mut self, half: u32, filter_set: u32) -> Result<()> {
        self.told.now = abi::Control::place(half, filter_set) as u64;
        self.write()
    }

    fn write(&mut self) -> Result<()> {
        self.variable.set(0, PodControl(self.told), 0).context("cannot tell the programs")
    }
}

pod!(PodControl, abi::Control);
