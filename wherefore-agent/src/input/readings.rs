//! Short readings within an interval: a person who watches sees each second, detection keeps its
//! interval. Owns how often a source is read and how readings become intervals; refuses to judge or
//! to show them.

use std::time::Duration;

use anyhow::Result;

use super::Source;
use super::filter::Filter;
use super::requests::Requests;
use crate::traffic::interval::Interval;
use crate::traffic::sum::Sum;

/// The longest reading while somebody watches.
const SHORT: Duration = Duration::from_secs(1);

/// Somebody who may watch.
pub trait Watcher {
    /// Whether anybody does. Asked before each interval.
    fn is_watching(&self) -> bool;

    /// What moved since the reading before; `name` names interfaces.
    fn see(&mut self, reading: &Interval, name: &dyn Fn(u32) -> String);
}

/// A source that hands short readings to a watcher, and their sum to whom it belongs.
pub struct Readings<W> {
    source: Box<dyn Source>,
    interval: Duration,
    watcher: W,
    sum: Sum,
    /// Intervals so far.
    index: i64,
    /// Readings that are still missing in the interval that has begun, after the next one.
    missing: u32,
    is_short: bool,
}

impl<W: Watcher> Readings<W> {
    /// Of a live source with intervals of this length.
    pub fn new(source: Box<dyn Source>, interval: Duration, watcher: W) -> Self {
        let sum = Sum::default();
        Self { source, interval, watcher, sum, index: 0, missing: 0, is_short: false }
    }

    /// Chooses the length of the readings of the interval that begins.
    fn begin(&mut self) {
        let is_watched = self.watcher.is_watching();
        let parts = if is_watched { parts_of(self.interval) } else { 1 };
        if is_watched || self.is_short {
            self.source.set_interval(self.interval / parts);
        }
        (self.is_short, self.missing) = (parts > 1, parts - 1);
    }

    /// The same, by its number among the intervals.
    fn numbered(&mut self, interval: Interval) -> Interval {
        let index = self.index;
        self.index += 1;
        Interval { index, ..interval }
    }

    fn show(&mut self, reading: &Interval) {
        let Self { source, watcher, .. } = self;
        watcher.see(reading, &|ifindex| source.interface_name(ifindex));
    }

    /// Reads until the interval is over, and adds up.
    fn add_up(&mut self, requests: &Requests) -> Result<Option<Interval>> {
        while let Some(reading) = self.source.next(requests)? {
            self.sum.add(&reading);
            self.show(&reading);
            if self.missing == 0 || reading.is_partial {
                break;
            }
            self.missing -= 1;
        }
        Ok(self.sum.take())
    }
}

/// The fewest parts of an interval of which none is longer than [`SHORT`].
pub(crate) fn parts_of(interval: Duration) -> u32 {
    let parts = interval.as_nanos().div_ceil(SHORT.as_nanos()).max(1);
    u32::try_from(parts).unwrap_or(u32::MAX)
}

impl<W: Watcher> Source for Readings<W> {
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>> {
        self.begin();
        let interval = if self.is_short {
            self.add_up(requests)?
        } else {
            let interval = self.source.next(requests)?;
            interval.iter().for_each(|interval| self.show(interval));
            interval
        };
        Ok(interval.map(|interval| self.numbered(interval)))
    }

    fn reload(&mut self, filter: &Filter) -> Result<()> {
        self.source.reload(filter)
    }

    fn describe(&self) -> String {
        self.source.describe()
    }

    fn interface_name(&self, ifindex: u32) -> String {
        self.source.interface_name(ifindex)
    }

    fn warnings(&self) -> Vec<String> {
        self.source.warnings()
    }
}
