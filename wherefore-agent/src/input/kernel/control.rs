//! Controls the running programs: the interval in which they count, and the filter. Owns the object's control
//! variable; never changes more than one byte of it at a time.

use std::ops::RangeInclusive;

use anyhow::{Context, Result};
use aya::Ebpf;
use aya::maps::{Array, MapData};
use wherefore_common::abi::{self, map};

use super::maps::{pod, take};
use super::table::Size;

/// The variable, and its content.
pub(super) struct Control {
    variable: Array<MapData, PodControl>,
    written: abi::Control,
    /// The number of the latest epoch.
    latest: u32,
    /// The number of rows of the table in each half.
    rows: u32,
}

impl Control {
    /// Takes the variable and begins the first interval, with all slots of the table and without a filter.
    pub(super) fn new(ebpf: &mut Ebpf, size: Size) -> Result<Self> {
        let (variable, written) = (take(ebpf, map::CONTROL)?, abi::Control::default());
        let mut control = Self { variable, written, latest: 0, rows: size.rows };
        let number = control.next_number()?;
        control.written.write_half(0, number, size.slots, 0);
        control.write()?;
        Ok(control)
    }

    /// Ends an interval; returns its half, and the numbers of its epochs. The next interval uses this many
    /// slots of the table. Programs that are running now may still be in the interval that ends; none may be
    /// in the one before it.
    pub(super) fn end_interval(&mut self, slots: u32) -> Result<(u32, RangeInclusive<u32>)> {
        let (half, epochs) = (self.written.half(), self.written.epoch().first..=self.latest);
        let next = 1 - half;
        let number = self.next_number()?;
        self.written.write_half(next, number, slots, next * self.rows);
        self.write()?;
        self.switch(next, self.written.filter_set())?;
        Ok((half, epochs))
    }

    /// Activates the filter of a set, or none, in a new epoch, so that no flow counts as already checked by
    /// this filter. No program may be using the set now.
    pub(super) fn use_filter(&mut self, set: u32) -> Result<()> {
        let half = self.written.half();
        let number = self.next_number()?;
        self.written.write_filter(half, set, number);
        self.write()?;
        self.switch(half, set)
    }

    fn next_number(&mut self) -> Result<u32> {
        // If numbers were repeated, old flows would be taken for current ones.
        let next = self.latest.checked_add(1);
        self.latest = next.context("all numbers of intervals are used up: restart the agent")?;
        Ok(self.latest)
    }

    fn switch(&mut self, half: u32, filter_set: u32) -> Result<()> {
        self.written.now = abi::Control::place(half, filter_set) as u64;
        self.write()
    }

    fn write(&mut self) -> Result<()> {
        self.variable
            .set(0, PodControl(self.written), 0)
            .context("cannot write the control variable of the programs")
    }
}

pod!(PodControl, abi::Control);
