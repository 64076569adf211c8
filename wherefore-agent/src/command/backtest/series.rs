//! Reads long CSV, `series,timestamp,value`, or the output of `--series` as intervals. Each series becomes a
//! group with an invented address, on an interface with the name of the series. Owns the times; refuses lines
//! that are earlier than the line before, because an engine cannot go back.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use anyhow::Result;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use wherefore_common::flow::address_words;
use wherefore_common::{Counters, FlowKey};

use super::lines::Lines;
use crate::command::csv_text;
use crate::input::Source;
use crate::input::frames::DEFAULT_MAX_FLOWS;
use crate::input::requests::Requests;
use crate::options::cli::BacktestArgs;
use crate::options::{DEFAULT_INTERVAL, UsageError};
use crate::text;
use crate::traffic::interval::{Interval, Table};

/// The most series: as many as there may be groups.
const MOST_SERIES: usize = 1 << 24;
/// The most bytes of an interval: numbers up to this are exact.
const MOST: f64 = (1_u64 << 53) as f64;
/// The most lines with the same time that are read to find the next time. The difference is the length of
/// intervals.
const MOST_AHEAD: usize = 1 << 20;
/// The length of intervals from a live agent is rounded to this.
const GRAIN_NS: u64 = 100_000_000;

/// One line.
struct Point {
    series: u32,
    time_ns: i64,
    bytes: u64,
    /// The number of its interval, if the line contains it.
    interval: Option<i64>,
}

/// A line that `--series` wrote.
#[derive(Deserialize)]
struct Record<'a> {
    interval: i64,
    #[serde(borrow)]
    start: Cow<'a, str>,
    #[serde(borrow)]
    src: Cow<'a, str>,
    #[serde(borrow)]
    dst: Cow<'a, str>,
    bytes: u64,
}

/// Reads points line by line.
pub(super) struct SeriesSource {
    lines: Lines,
    interval_ns: i64,
    names: Vec<String>,
    numbers: FxHashMap<String, u32>,
    ahead: VecDeque<Point>,
    first_ns: i64,
    last_ns: i64,
    /// Lines with a negative value or NaN, which count as 0.
    negative: u64,
}

impl SeriesSource {
    /// Reads up to the second time.
    pub(super) fn open(lines: Lines, args: &BacktestArgs) -> Result<Self> {
        if args.filter.is_used() {
            let problem = "series have no addresses: remove the options that filter";
            return Err(UsageError(problem.to_owned()).into());
        }
        let mut source = Self {
            lines,
            interval_ns: 0,
            names: Vec::new(),
            numbers: FxHashMap::default(),
            ahead: VecDeque::new(),
            first_ns: 0,
            last_ns: i64::MIN,
            negative: 0,
        };
        let found = source.look_ahead()?;
        let interval = args.transfer_interval.unwrap_or(found);
        source.interval_ns = i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX).max(1);
        Ok(source)
    }

    pub(super) fn interval(&self) -> Duration {
        Duration::from_nanos(self.interval_ns.unsigned_abs())
    }

    /// The difference between the first and the second time.
    fn look_ahead(&mut self) -> Result<Duration> {
        while let Some(point) = self.point()? {
            let time_ns = point.time_ns;
            self.ahead.push_back(point);
            self.first_ns = self.ahead.front().map_or(0, |first| first.time_ns);
            if time_ns > self.first_ns {
                return Ok(self.length_of_interval());
            }
            if self.ahead.len() == MOST_AHEAD {
                break;
            }
        }
        if self.ahead.is_empty() {
            return Err(UsageError(format!("{} contains no points", self.lines.names())).into());
        }
        Ok(DEFAULT_INTERVAL)
    }

    /// The length of an interval, from the first and the last time that were read, and from the numbers of
    /// their intervals if the lines contain them: there may be intervals without traffic between them.
    fn length_of_interval(&self) -> Duration {
        let (Some(first), Some(last)) = (self.ahead.front(), self.ahead.back()) else {
            return DEFAULT_INTERVAL;
        };
        let between =
            first.interval.zip(last.interval).map(|(one, other)| other.saturating_sub(one));
        let between = between.and_then(|between| u64::try_from(between).ok()).unwrap_or(1);
        let length_ns = last.time_ns.abs_diff(first.time_ns) / between.max(1);
        if first.interval.is_none() {
            return Duration::from_nanos(length_ns);
        }
        // Live intervals are a little longer or shorter.
        let rounded = (length_ns + GRAIN_NS / 2) / GRAIN_NS * GRAIN_NS;
        Duration::from_nanos(if rounded == 0 { length_ns } else { rounded })
    }

    fn point(&mut self) -> Result<Option<Point>> {
        if !self.lines.advance()? {
            return Ok(None);
        }
        let line = self.lines.text()?;
        let (name, time, value, interval) = if self.lines.is_json() {
            let record: Record<'_> = serde_json::from_str(line).map_err(|error| {
                self.lines.usage(&format!("not a line in the format of --series: {error}"))
            })?;
            let name = format!("{} -> {}", record.src, record.dst);
            (Cow::Owned(name), record.start, record.bytes as f64, Some(record.interval))
        } else {
            let long = csv_text::long(line).map_err(|problem| self.lines.usage(&problem))?;
            (long.series, long.timestamp, long.value, None)
        };
        let name = &*name;
        let Some(time_ns) = nanoseconds(&time) else {
            return Err(self.lines.usage(&format!(
                "{time:?} is neither a number of seconds nor a time such as 2026-01-01T00:00:00Z"
            )));
        };
        if time_ns < self.last_ns {
            return Err(self.lines.usage(
                "the time is before that of the line above: lines must be ordered by time, those \
                 of all series together; sort them by the second column",
            ));
        }
        self.last_ns = time_ns;
        let series = match self.numbers.get(name) {
            Some(series) => *series,
            None if self.names.len() == MOST_SERIES => {
                return Err(self.lines.usage("more than 16,777,216 series"));
            }
            None => {
                let name = name.to_owned();
                self.names.push(name.clone());
                let series = self.names.len() as u32;
                self.numbers.insert(name, series);
                series
            }
        };
        if value.is_infinite() {
            return Err(self.lines.usage(&format!("{value} is not a finite number")));
        }
        self.negative += u64::from(value.is_nan() || value < 0.0);
        // Fractions of a byte are dropped.
        let bytes = if value > 0.0 { value.min(MOST).round() as u64 } else { 0 };
        Ok(Some(Point { series, time_ns, bytes, interval }))
    }

    fn index_of(&self, point: &Point) -> i64 {
        let since = i128::from(point.time_ns) - i128::from(self.first_ns);
        // Live intervals begin a little early or late.
        let early = if point.interval.is_some() { self.interval_ns / 2 } else { 0 };
        let since = since + i128::from(early);
        i64::try_from(since / i128::from(self.interval_ns)).unwrap_or(i64::MAX)
    }
}

impl Source for SeriesSource {
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>> {
        let Some(first) = self.ahead.front() else { return Ok(None) };
        let index = self.index_of(first);
        let start_ns = self.first_ns.saturating_add(index.saturating_mul(self.interval_ns));
        let end_ns = start_ns.saturating_add(self.interval_ns);
        let mut table = Table::new(DEFAULT_MAX_FLOWS);
        while let Some(point) = self.ahead.front() {
            if self.index_of(point) != index {
                break;
            }
            let counters = Counters {
                packets: 1,
                bytes: point.bytes,
                frame_bytes: point.bytes,
                device_packets: 1,
                device_bytes: point.bytes,
                first_ns: point.time_ns as u64,
                last_ns: point.time_ns as u64,
                tcp_flags: 0,
            };
            if point.bytes > 0 {
                table.add(key(point.series), &counters);
            }
            self.ahead.pop_front();
            if self.ahead.is_empty() && !self.lines.look(requests) {
                let next = self.point()?;
                self.ahead.extend(next);
            }
        }
        let (flows, remainders) = table.into_counts();
        Ok(Some(Interval { index, start_ns, end_ns, flows, remainders, ..Interval::default() }))
    }

    fn describe(&self) -> String {
        self.lines.names()
    }

    fn interface_name(&self, ifindex: u32) -> String {
        let place = (ifindex as usize).checked_sub(1);
        place.and_then(|place| self.names.get(place)).cloned().unwrap_or_default()
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.lines.warnings.clone();
        if self.negative > 0 {
            let count = text::grouped(self.negative);
            warnings.push(format!("{count} negative values or NaN count as 0 bytes"));
        }
        warnings
    }
}

/// The key of a series, by its number: two addresses that no other series has, even if only the first 48 bits
/// are used.
fn key(series: u32) -> FlowKey {
    let [a, b, c, d] = series.to_be_bytes();
    let segment = |high, low| u16::from_be_bytes([high, low]);
    let address = Ipv6Addr::new(0xfd00, segment(a, b), segment(c, d), 0, 0, 0, 0, 1);
    let (family, words) = address_words(IpAddr::V6(address));
    FlowKey { src: words, dst: words, ifindex: series, family, ..FlowKey::default() }
}

/// A time in nanoseconds. It is a number of seconds since 1970 or another beginning; larger numbers are
/// milliseconds, microseconds or nanoseconds; or it is a date and time, in UTC unless it has a zone.
fn nanoseconds(time: &str) -> Option<i64> {
    let Ok(number) = time.parse::<f64>() else {
        let civil = || {
            let time = time.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?;
            i64::try_from(time.timestamp().as_nanosecond()).ok()
        };
        return text::nanoseconds(time).or_else(civil);
    };
    let unit = match number.abs() {
        ..1e11 => 1e9,
        ..1e14 => 1e6,
        ..1e17 => 1e3,
        _ => 1.0,
    };
    number.is_finite().then_some((number * unit).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_any_usual_form() {
        const DAY: i64 = 1_767_225_600_000_000_000;
        for time in [
            "2026-01-01T00:00:00Z",
            "2026-01-01 00:00:00",
            "2026-01-01",
            "1767225600",
            "1767225600.0",
            "1767225600000",
            "1767225600000000",
            "1767225600000000000",
        ] {
            assert_eq!(nanoseconds(time), Some(DAY), "{time}");
        }
        assert_eq!(nanoseconds("7"), Some(7_000_000_000));
        assert_eq!([nanoseconds(""), nanoseconds("noon"), nanoseconds("NaN")], [None; 3]);
    }

    #[test]
    fn series_are_separate_in_every_grouping() {
        use crate::traffic::group::GroupBy::{Dst, Flow, Pair, PeerPrefix, Src};
        for group_by in [Pair, Flow, Src, Dst, PeerPrefix] {
            let group = |series| FlowKey { ifindex: 0, ..group_by.key(&key(series)) };
            for other in [2, 256, 65_536, 65_537, 16_777_216] {
                assert_ne!(group(1), group(other), "{group_by:?}");
            }
        }
    }
}
