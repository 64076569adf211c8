//! Short readings within an interval: a view shows one for each second, while detection keeps its interval.
//! Owns how often a source is read, and how readings become intervals; refuses to judge or to show them.

use std::time::Duration;

use anyhow::Result;

use super::Source;
use super::filter::Filter;
use super::requests::Requests;
use crate::traffic::interval::Interval;
use crate::traffic::sum::Sum;

/// The longest reading while a view is open.
const SHORT: Duration = Duration::from_secs(1);
/// The first reading of a run, so that a view is not empty for long.
const FIRST: Duration = Duration::from_millis(250);

/// Receives the readings, if somebody watches.
pub trait Watcher {
    /// Whether somebody watches. Asked before each interval.
    fn is_watching(&self) -> bool;

    /// Receives the traffic since the previous reading; `name` names interfaces.
    fn see(&mut self, reading: &Interval, name: &dyn Fn(u32) -> String);
}

/// A source that passes short readings to a view, and their sum to detection.
pub struct Readings<W> {
    source: Box<dyn Source>,
    interval: Duration,
    watcher: W,
    sum: Sum,
    /// The number of intervals so far.
    index: i64,
    /// The length of the current reading of the source.
    length: Duration,
}

impl<W: Watcher> Readings<W> {
    /// The readings of a live source with intervals of this length.
    pub fn new(source: Box<dyn Source>, interval: Duration, watcher: W) -> Self {
        Self { source, interval, watcher, sum: Sum::default(), index: 0, length: interval }
    }

    /// The lengths of the readings of the interval that begins.
    fn lengths(&self) -> Vec<Duration> {
        if !self.watcher.is_watching() {
            return vec![self.interval];
        }
        let parts = parts_of(self.interval);
        let part = self.interval / parts;
        let mut lengths = vec![part; parts as usize];
        if self.index == 0 && part > FIRST {
            lengths.splice(..1, [FIRST, part - FIRST]);
        }
        lengths
    }

    /// Reads the next part, of this length.
    fn read(&mut self, length: Duration, requests: &Requests) -> Result<Option<Interval>> {
        if self.length != length {
            self.source.set_interval(length);
            self.length = length;
        }
        let reading = self.source.next(requests)?;
        let Self { source, watcher, .. } = self;
        if let Some(reading) = &reading {
            watcher.see(reading, &|ifindex| source.interface_name(ifindex));
        }
        Ok(reading)
    }

    /// Reads until the interval is over, and adds up the parts.
    fn add_up(&mut self, lengths: &[Duration], requests: &Requests) -> Result<Option<Interval>> {
        for length in lengths {
            let Some(reading) = self.read(*length, requests)? else { break };
            self.sum.add(&reading);
            if reading.is_partial {
                break;
            }
        }
        Ok(self.sum.take())
    }

    /// The interval with its number in this run.
    fn numbered(&mut self, interval: Interval) -> Interval {
        let index = self.index;
        self.index += 1;
        Interval { index, ..interval }
    }
}

/// The fewest parts of an interval such that none is longer than [`SHORT`].
pub(crate) fn parts_of(interval: Duration) -> u32 {
    let parts = interval.as_nanos().div_ceil(SHORT.as_nanos()).max(1);
    u32::try_from(parts).unwrap_or(u32::MAX)
}

impl<W: Watcher> Source for Readings<W> {
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>> {
        let lengths = self.lengths();
        let interval = match lengths[..] {
            [length] => self.read(length, requests)?,
            _ => self.add_up(&lengths, requests)?,
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
