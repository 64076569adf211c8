//! Reads flows that a live agent wrote (`--flows`) as intervals again: the same keys and counters. Owns the
//! reading of this format; [`crate::output::jsonl`] writes it. Treats every line as hostile.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use wherefore_common::flow::address_words;
use wherefore_common::select::fields;
use wherefore_common::{Counters, Direction, FlowKey, Reason};

use super::lines::Lines;
use super::recorded::{RecordedOwners, ends};
use crate::input::Source;
use crate::input::filter::Filter;
use crate::input::frames::DEFAULT_MAX_FLOWS;
use crate::input::requests::Requests;
use crate::options::UsageError;
use crate::options::cli::BacktestArgs;
use crate::text;
use crate::traffic::interval::{Interval, Table, remainder_of};
use crate::traffic::who::{Owner, Owners};

/// The most bytes or packets of an interval, so that no sum overflows.
const MOST: u64 = 1 << 60;
/// The length of intervals is rounded to this, because live intervals are a little longer or shorter.
const GRAIN_NS: i64 = 100_000_000;
/// An interval shorter than this share of the usual length was cut short when a run ended.
const WHOLE: f64 = 0.9;

/// One line.
#[derive(Deserialize)]
struct Record<'a> {
    proto: u8,
    src: IpAddr,
    sport: u16,
    dst: IpAddr,
    dport: u16,
    packets: u64,
    bytes: u64,
    frame_bytes: u64,
    tcp_flags: u64,
    #[serde(borrow)]
    first: Cow<'a, str>,
    #[serde(borrow)]
    last: Cow<'a, str>,
    #[serde(borrow)]
    interface: Option<Cow<'a, str>>,
    #[serde(borrow)]
    direction: Option<Cow<'a, str>>,
    #[serde(borrow)]
    interval_start: Option<Cow<'a, str>>,
    #[serde(borrow)]
    interval_end: Option<Cow<'a, str>>,
    #[serde(borrow)]
    src_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dst_name: Option<Cow<'a, str>>,
}

/// The last line of a run.
#[derive(Deserialize)]
struct Last {
    #[serde(rename = "totals")]
    _totals: IgnoredAny,
}

/// A flow of an interval.
struct Flow {
    start_ns: i64,
    end_ns: i64,
    key: FlowKey,
    counters: Counters,
    /// The names of its source and destination.
    names: [Option<Arc<str>>; 2],
    /// The owners of its source, destination and end on this host, if they are wanted.
    owners: Option<[Owner; 3]>,
}

/// Reads records line by line.
pub(super) struct RecordSource {
    lines: Lines,
    filter: Filter,
    max_flows: usize,
    interval: Duration,
    interfaces: Vec<String>,
    numbers: FxHashMap<String, u32>,
    /// The first flow of the next interval.
    ahead: Option<Flow>,
    first_ns: i64,
    last_index: i64,
    /// Whether the owners in the records are read.
    has_owners: bool,
}

impl RecordSource {
    /// Reads the first flow, from which the length of intervals is known.
    pub(super) fn open(lines: Lines, args: &BacktestArgs) -> Result<Self> {
        let filter = Filter::new(&args.filter.settings())?;
        if let Err(part) = filter.program() {
            return Err(UsageError(format!(
                "--pcap-filter: flows contain only protocols, hosts, nets and ports, so {part} cannot be used"
            ))
            .into());
        }
        let mut source = Self {
            lines,
            filter,
            max_flows: args.max_flows.map_or(DEFAULT_MAX_FLOWS, |flows| flows as usize),
            interval: Duration::ZERO,
            interfaces: Vec::new(),
            numbers: FxHashMap::default(),
            ahead: None,
            first_ns: 0,
            last_index: -1,
            has_owners: args.group_by.is_of_owners(),
        };
        source.ahead = source.flow()?;
        let Some(first) = &source.ahead else {
            return Err(UsageError(format!("{} contains no flows", source.lines.names())).into());
        };
        if source.has_owners && first.owners.is_none() {
            return Err(UsageError(format!(
                "--group-by {}: {} contains no owners, because it was written without --attribution",
                args.group_by.name(),
                source.lines.names()
            ))
            .into());
        }
        let grains = (first.end_ns.saturating_sub(first.start_ns) + GRAIN_NS / 2) / GRAIN_NS;
        let found = Duration::from_nanos((grains.max(1) * GRAIN_NS) as u64);
        (source.first_ns, source.interval) =
            (first.start_ns, args.transfer_interval.unwrap_or(found));
        Ok(source)
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// Continues the numbering of intervals and the names of interfaces of another source; the next interval
    /// has this index or a later one.
    pub(super) fn go_on_from(&mut self, other: &Self, index: i64) {
        (self.first_ns, self.last_index) = (other.first_ns, index.saturating_sub(1));
        debug_assert!(other.interfaces.starts_with(&self.interfaces));
    }

    /// The next flow.
    fn flow(&mut self) -> Result<Option<Flow>> {
        while self.lines.advance()? {
            let line = self.lines.text()?;
            match serde_json::from_str::<Record<'_>>(line) {
                Ok(record) => {
                    let read = flow(&record, &mut self.interfaces, &mut self.numbers);
                    let mut flow = read.map_err(|problem| self.lines.usage(&problem))?;
                    if self.has_owners {
                        let found = ends(line, flow.key.direction());
                        flow.owners = found.map_err(|problem| self.lines.usage(&problem))?;
                    }
                    return Ok(Some(flow));
                }
                Err(_) if serde_json::from_str::<Last>(line).is_ok() => {}
                Err(error) if self.lines.is_cut() => {
                    let names = self.lines.names();
                    self.lines.warnings.push(format!(
                        "{names}: the last line is cut short ({error}); what came before is counted"
                    ));
                }
                Err(error) => {
                    return Err(self
                        .lines
                        .usage(&format!("not a flow in the format of --flows: {error}")));
                }
            }
        }
        Ok(None)
    }

    fn index_of(&mut self, start_ns: i64) -> i64 {
        let length = i128::try_from(self.interval.as_nanos()).unwrap_or(i128::MAX).max(1);
        let since = i128::from(start_ns) - i128::from(self.first_ns) + length / 2;
        let index = i64::try_from(since.div_euclid(length)).unwrap_or(i64::MAX);
        self.last_index = index.max(self.last_index.saturating_add(1));
        self.last_index
    }
}

impl Source for RecordSource {
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>> {
        let Some(first) = self.ahead.take() else { return Ok(None) };
        let Flow { start_ns, end_ns, .. } = first;
        let (mut table, mut sums) = (Table::new(self.max_flows), [0; 3]);
        let (mut names, mut owners) = (Vec::new(), RecordedOwners::default());
        let mut next = Some(first);
        while let Some(flow) = next.take_if(|flow| flow.end_ns == end_ns) {
            let Counters { packets, bytes, frame_bytes, .. } = flow.counters;
            for (sum, more) in sums.iter_mut().zip([packets, bytes, frame_bytes]) {
                *sum = u64::saturating_add(*sum, more);
                if *sum > MOST {
                    return Err(self.lines.usage("more bytes in one interval than is possible"));
                }
            }
            let is_selected = self.filter.program().ok().flatten();
            let is_selected = is_selected.is_none_or(|program| program.accepts(&fields(&flow.key)));
            if is_selected && self.filter.is_inside(&flow.key) {
                table.add(flow.key, &flow.counters);
                let ends = [flow.key.src_ip(), flow.key.dst_ip()].into_iter().zip(flow.names);
                names.extend(ends.filter_map(|(address, name)| Some((address, name?))));
                if let Some(ends) = flow.owners {
                    owners.add(flow.key, ends);
                }
            } else {
                table.add_remainder(remainder_of(&flow.key, Reason::Filtered), &flow.counters);
            }
            next = if self.lines.look(requests) { None } else { self.flow()? };
        }
        if next.as_ref().is_some_and(|flow| flow.end_ns < end_ns) {
            return Err(self
                .lines
                .usage("an interval before the last one: give the oldest file first"));
        }
        self.ahead = next;
        let (flows, remainders) = table.into_counts();
        let index = self.index_of(start_ns);
        let seconds = end_ns.saturating_sub(start_ns) as f64 / 1e9;
        let is_partial = seconds < WHOLE * self.interval.as_secs_f64();
        Ok(Some(Interval {
            index,
            start_ns,
            end_ns,
            owners: if self.has_owners { owners.of(&flows) } else { Owners::default() },
            flows,
            names,
            remainders,
            is_partial,
            ..Interval::default()
        }))
    }

    fn describe(&self) -> String {
        self.lines.names()
    }

    fn interface_name(&self, ifindex: u32) -> String {
        let place = (ifindex as usize).checked_sub(1);
        place.and_then(|place| self.interfaces.get(place)).cloned().unwrap_or_default()
    }

    fn warnings(&self) -> Vec<String> {
        self.lines.warnings.clone()
    }
}

/// The flow of a line, or its error.
fn flow(
    record: &Record<'_>,
    interfaces: &mut Vec<String>,
    numbers: &mut FxHashMap<String, u32>,
) -> Result<Flow, String> {
    let (Some(start), Some(end)) = (&record.interval_start, &record.interval_end) else {
        return Err("the flow has no interval: a replay writes the sums of all its time, \
                    only live agents those of each interval; give the capture itself"
            .to_owned());
    };
    let time = |name: &str, text: &str| {
        text::nanoseconds(text).ok_or_else(|| format!("{name} {text:?} is not an RFC 3339 time"))
    };
    let (start_ns, end_ns) = (time("interval_start", start)?, time("interval_end", end)?);
    let ((family, src), (other, dst)) = (address_words(record.src), address_words(record.dst));
    if family != other || start_ns >= end_ns {
        return Err(
            "the addresses are of different IP versions, or the interval ends before it starts"
                .into(),
        );
    }
    let interface = record.interface.as_deref().unwrap_or_default();
    let ifindex = match numbers.get(interface) {
        Some(number) => *number,
        None => {
            interfaces.push(interface.to_owned());
            let number = u32::try_from(interfaces.len()).map_err(|_| "too many interfaces")?;
            numbers.insert(interface.to_owned(), number);
            number
        }
    };
    let direction = match record.direction.as_deref() {
        Some("ingress") => Direction::Ingress,
        Some("egress") => Direction::Egress,
        _ => Direction::Unknown,
    };
    let Record { proto, sport, dport, packets, bytes, frame_bytes, tcp_flags, .. } = *record;
    let key = FlowKey {
        src,
        dst,
        ifindex,
        sport,
        dport,
        protocol: proto,
        family,
        direction: direction as u8,
        ..FlowKey::default()
    };
    let counters = Counters {
        packets,
        bytes,
        frame_bytes,
        // The record does not contain the device's own counts.
        device_packets: packets,
        device_bytes: frame_bytes,
        first_ns: time("first", &record.first)? as u64,
        last_ns: time("last", &record.last)? as u64,
        tcp_flags,
    };
    let name = |name: &Option<Cow<'_, str>>| name.as_deref().map(Arc::from);
    let names = [name(&record.src_name), name(&record.dst_name)];
    Ok(Flow { start_ns, end_ns, key, counters, names, owners: None })
}
