//! Traffic over time, for the plot: sums in a bounded number of bins, whose length doubles as the input
//! grows. Owns the binning; refuses to draw.

use std::time::Duration;

use crate::traffic::interval::Interval;

/// The most bins: more than a plot has columns.
const MOST: usize = 4096;

/// Sums, and rates over time.
#[derive(Debug, Clone)]
pub(super) struct Traffic {
    interval_ns: i64,
    /// The number of intervals in a bin, as a power of 2.
    doublings: u32,
    bins: Vec<Bin>,
    span: Option<(i64, i64)>,
    pub(super) intervals: u64,
    /// The most groups that were tracked at the same time.
    pub(super) groups: usize,
    pub(super) bytes: u64,
    pub(super) packets: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Bin {
    bytes: f64,
    /// The most bytes a second in one of its intervals.
    peak: f64,
}

/// A part of the period.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Column {
    /// Mean bytes a second.
    pub(super) rate: f64,
    /// The most bytes a second in an interval.
    pub(super) peak: f64,
}

impl Traffic {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval_ns: i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX).max(1),
            doublings: 0,
            bins: Vec::new(),
            span: None,
            intervals: 0,
            groups: 0,
            bytes: 0,
            packets: 0,
        }
    }

    /// Adds an interval.
    pub(super) fn add(&mut self, interval: &Interval, groups: usize) {
        let Interval { start_ns, end_ns, flows, .. } = interval;
        let sum = |of: fn(wherefore_common::Counters) -> u64| {
            flows.iter().fold(0_u64, |sum, (_, counters)| sum.saturating_add(of(counters)))
        };
        let bytes = sum(|counters| counters.bytes);
        let (start, end) = self.span.unwrap_or((*start_ns, *end_ns));
        self.span = Some((start, end.max(*end_ns)));
        self.intervals += 1;
        self.groups = self.groups.max(groups);
        self.bytes = self.bytes.saturating_add(bytes);
        self.packets = self.packets.saturating_add(sum(|counters| counters.packets));
        let peak = bytes as f64 / interval.seconds().max(1e-9);
        // Live intervals begin a little early or late.
        let since = i128::from(*start_ns) - i128::from(start) + i128::from(self.interval_ns / 2);
        self.put((since / i128::from(self.interval_ns)).max(0), bytes as f64, peak);
    }

    fn put(&mut self, interval: i128, bytes: f64, peak: f64) {
        while interval >> self.doublings >= MOST as i128 {
            self.double();
        }
        let place = (interval >> self.doublings) as usize;
        if place >= self.bins.len() {
            self.bins.resize(place + 1, Bin::default());
        }
        let bin = &mut self.bins[place];
        bin.bytes += bytes;
        bin.peak = bin.peak.max(peak);
    }

    fn double(&mut self) {
        self.doublings += 1;
        let merged = self.bins.chunks(2).map(|pair| {
            let add = |one: Bin, other: &Bin| Bin {
                bytes: one.bytes + other.bytes,
                peak: one.peak.max(other.peak),
            };
            pair.iter().fold(Bin::default(), add)
        });
        self.bins = merged.collect();
    }

    pub(super) fn start_ns(&self) -> i64 {
        self.span.map_or(0, |(start, _)| start)
    }

    pub(super) fn end_ns(&self) -> i64 {
        self.span.map_or(0, |(_, end)| end)
    }

    /// From the start of the first interval to the end of the last one.
    pub(super) fn seconds(&self) -> f64 {
        self.end_ns().saturating_sub(self.start_ns()) as f64 / 1e9
    }

    /// The position of a time between start (0) and end (1).
    pub(super) fn place(&self, time_ns: i64) -> f64 {
        let since = time_ns.saturating_sub(self.start_ns()) as f64 / 1e9;
        (since / self.seconds().max(1e-9)).clamp(0.0, 1.0)
    }

    /// Divides the period into `count` columns; with `may_be_fewer`, into fewer if there are fewer intervals.
    pub(super) fn columns(&self, count: usize, may_be_fewer: bool) -> Vec<Column> {
        let bin_seconds = self.interval_ns as f64 / 1e9 * 2_f64.powi(self.doublings as i32);
        let count = if may_be_fewer { count.min(self.bins.len()) } else { count };
        let seconds = self.seconds() / count.max(1) as f64;
        let column = |place: usize| self.column(place as f64 * seconds, seconds, bin_seconds);
        (0..count).map(column).collect()
    }

    /// The traffic in `seconds` from a time on. Bins that overlap the end count in proportion.
    fn column(&self, from: f64, seconds: f64, bin_seconds: f64) -> Column {
        let until = from + seconds;
        let (mut bytes, mut peak) = (0.0, 0.0_f64);
        // A tiny part of the next bin is a rounding error.
        let sliver = 1e-6 * bin_seconds;
        let first = ((from + sliver) / bin_seconds) as usize;
        for (place, bin) in self.bins.iter().enumerate().skip(first) {
            let start = place as f64 * bin_seconds;
            let shared = until.min(start + bin_seconds) - from.max(start);
            if shared <= sliver {
                break;
            }
            bytes += bin.bytes * shared / bin_seconds;
            peak = peak.max(bin.peak);
        }
        Column { rate: bytes / seconds.max(1e-9), peak }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wherefore_common::{Counters, FlowKey};

    const SECOND: i64 = 1_000_000_000;

    fn traffic(points: impl IntoIterator<Item = (i64, u64)>) -> Traffic {
        let mut traffic = Traffic::new(Duration::from_secs(1));
        for (index, bytes) in points {
            let counters = Counters { bytes, packets: 1, device_packets: 1, ..Counters::default() };
            let start_ns = index * SECOND;
            traffic.add(
                &Interval {
                    index,
                    start_ns,
                    end_ns: start_ns + SECOND,
                    flows: vec![(FlowKey::default(), counters)].into(),
                    ..Interval::default()
                },
                1,
            );
        }
        traffic
    }

    #[test]
    fn columns_hold_any_number_of_bytes() {
        let traffic = traffic((0..1000).map(|index| (index, 10)));
        for count in [1, 3, 80, 999, 1000, 3000] {
            let columns = traffic.columns(count, false);
            let sum: f64 = columns.iter().map(|one| one.rate).sum::<f64>() / count as f64;
            assert!((sum * 1000.0 - 10_000.0).abs() < 1e-3, "{count}: {sum}");
        }
    }

    #[test]
    fn memory_is_bounded_over_years_and_a_peak_stays() {
        let far = 400_000_000;
        let traffic = traffic([(0, 5), (1, 7_000), (far, 5), (3, 1)]);
        assert!(traffic.bins.len() <= MOST);
        let columns = traffic.columns(10, true);
        assert_eq!(columns[0].peak, 7_000.0);
        assert_eq!((traffic.bytes, traffic.intervals), (7_011, 4));
    }
}
