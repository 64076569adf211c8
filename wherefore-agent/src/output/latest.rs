//! A finished interval with everything that queries about it need. Owns these facts; refuses to keep more
//! than one interval.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use crate::attribute::Directory;
use crate::attribute::geo::Geo;
use crate::output::export::Exports;
use crate::output::reading::{Reading, Side, ends};
use crate::output::sinks::SinkCounters;
use crate::output::terminal::model::Counts;
use crate::text;
use crate::traffic::interval::{Interval, Totals};

/// The queues of all data that leaves this host, except through the HTTP listener.
#[derive(Debug, Clone, Default)]
pub struct Queues {
    /// Alerts by sink.
    pub sinks: Vec<SinkCounters>,
    /// Flow records by collector.
    pub exports: Exports,
}

/// The state after an interval.
#[derive(Debug, Clone, Default)]
pub struct Latest {
    /// The interval.
    pub interval: Arc<Interval>,
    /// The names of its interfaces.
    pub names: FxHashMap<u32, String>,
    /// Sums since the start.
    pub totals: Totals,
    /// Groups with a history.
    pub groups: usize,
    /// The queues of all data that leaves this host.
    pub queues: Queues,
    /// Country and AS of addresses.
    pub geo: Arc<Geo>,
    /// The names of peers.
    pub peers: FxHashMap<IpAddr, String>,
    /// The rows of the live view; computed when they are first requested.
    pub(super) counts: OnceLock<Counts>,
}

/// The traffic of one interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalBytes {
    /// Its end, nanoseconds since 1970.
    pub end_ns: i64,
    /// Its length.
    pub seconds: f64,
    /// IP-layer bytes of its flows, received and sent.
    pub bytes: [u64; 2],
}

impl IntervalBytes {
    /// Bytes a second, received or sent.
    pub(crate) fn rate(&self, side: usize) -> f64 {
        self.bytes[side] as f64 / self.seconds
    }

    pub(crate) fn of(interval: &Interval) -> Self {
        let mut bytes = [0; 2];
        for (key, counters) in interval.flows.iter() {
            bytes[Side::of(&key) as usize] += counters.bytes;
        }
        Self { end_ns: interval.end_ns, seconds: interval.seconds(), bytes }
    }
}

impl Latest {
    /// The state after an interval; `name` names interfaces.
    pub fn new(
        interval: &Arc<Interval>,
        totals: &Totals,
        groups: usize,
        queues: Queues,
        directory: &Directory,
        name: &dyn Fn(u32) -> String,
    ) -> Self {
        let (interval, totals) = (interval.clone(), totals.clone());
        let (names, geo) = (interval.names(name), directory.geo().clone());
        let peers = names_of_peers(&interval, directory);
        Self { interval, names, totals, groups, queues, geo, peers, counts: OnceLock::new() }
    }

    /// The data about the peers' addresses at the time of this interval.
    pub(crate) fn directory(&self) -> Directory {
        let names = self.peers.iter().map(|(address, name)| (*address, name.as_str().into()));
        Directory::of_known(self.geo.clone(), names.collect())
    }

    /// The rows of the live view for this interval.
    pub(crate) fn counts(&self) -> &Counts {
        self.counts.get_or_init(|| {
            let name = |number: u32| self.names.get(&number).cloned().unwrap_or_default();
            let names = self.peers.iter().map(|(address, name)| (*address, name.clone()));
            Counts::of(Reading::of(&self.interval, &name, &self.geo), names.collect())
        })
    }
}

fn names_of_peers(interval: &Interval, directory: &Directory) -> FxHashMap<IpAddr, String> {
    let mut asked: FxHashMap<IpAddr, Option<String>> = FxHashMap::default();
    for (key, _) in interval.flows.iter() {
        let ask = || directory.name(ends(&key).2).map(|name| text::printable(&name));
        asked.entry(ends(&key).2).or_insert_with(ask);
    }
    asked.into_iter().filter_map(|(address, name)| Some((address, name?))).collect()
}
