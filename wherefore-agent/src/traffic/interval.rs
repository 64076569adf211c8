//! The output of a source: the traffic between two moments, and what became of every frame that is in no
//! flow. Owns the sums; refuses to know where they come from.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wherefore_common::flow::RemainderKey;
use wherefore_common::{Counters, FlowKey, Reason};

use crate::traffic::answers::Answers;
pub use crate::traffic::comparison::{Comparison, InterfaceReading};
use crate::traffic::flows::Flows;
use crate::traffic::group::GroupBy;
use crate::traffic::hash_index::{HashIndex, Hashed};
use crate::traffic::who::{Attributed, Owners, Unattributed};

/// Counters of frames in no flow, by interface, direction and reason.
pub type RemainderCounts = Vec<(RemainderKey, Counters)>;

/// The traffic of one interval. Times are nanoseconds since 1970-01-01 UTC.
#[derive(Debug, Default, Clone)]
pub struct Interval {
    /// Number of the interval since the start of the source; intervals without traffic may be skipped.
    pub index: i64,
    /// Start, inclusive.
    pub start_ns: i64,
    /// End, exclusive.
    pub end_ns: i64,
    /// Each flow with traffic, once, with the times of its first and last packet.
    pub flows: Flows,
    /// The number of the socket that sent each flow; the kernel assigns these numbers, and 0 means unknown.
    /// Empty if the source does not know sockets.
    pub sockets: Vec<u32>,
    /// The owners of each flow; empty if attribution is off.
    pub owners: Owners,
    /// The group of each flow, if it does not depend only on the flow.
    pub groups: Groups,
    /// Frames in no flow, by interface, direction and reason.
    pub remainders: RemainderCounts,
    /// DNS answers that passed any interface.
    pub answers: Answers,
    /// Names of addresses, as records have them.
    pub names: Vec<(IpAddr, Arc<str>)>,
    /// Packets from before this interval. They are counted here because their own interval was over.
    pub late_packets: u64,
    /// The interfaces' own counters since the source was attached.
    pub interfaces: Vec<InterfaceReading>,
    /// Packets that a capture reports as dropped before they could be counted.
    pub lost_packets: u64,
    /// Whether it was cut short by the end of the run, so that its sums cannot be compared.
    pub is_partial: bool,
    /// Nanoseconds by which it is longer than usual because the agent was delayed.
    pub held_up_ns: i64,
    /// Nanoseconds by which the time of day was set since the previous interval; forward is positive. Start
    /// and end are in the new time.
    pub stepped_ns: i64,
    /// How the kernel's table of flows was drained; `None` if there is no such table.
    pub drain: Option<Drain>,
}

/// How the kernel's table of flows was drained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drain {
    /// How long draining took, including the counters of interfaces, in nanoseconds.
    pub took_ns: u64,
    /// The number of flows for which the table has space in an interval.
    pub capacity: u32,
}

/// The groups that were found for the flows of an interval, in the same order.
#[derive(Debug, Default, Clone)]
pub struct Groups {
    /// The grouping.
    pub group_by: GroupBy,
    /// The group of each flow; empty if groups depend only on flows.
    pub keys: Vec<FlowKey>,
}

impl Groups {
    /// The group of the flow with this index, if groups were found for this grouping.
    pub fn of(&self, group_by: GroupBy, at: usize) -> Option<FlowKey> {
        self.keys.get(at).copied().filter(|_| group_by == self.group_by)
    }
}

impl Interval {
    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        (self.end_ns - self.start_ns) as f64 / 1e9
    }

    /// The names of its interfaces, by index.
    pub fn names(&self, name: &dyn Fn(u32) -> String) -> FxHashMap<u32, String> {
        let mut names = FxHashMap::default();
        let mut last = None;
        let flows = (0..self.flows.len()).map(|at| self.flows.key(at).ifindex);
        for ifindex in flows.chain(self.remainders.iter().map(|(key, _)| key.ifindex)) {
            if last.replace(ifindex) != Some(ifindex) {
                names.entry(ifindex).or_insert_with(|| name(ifindex));
            }
        }
        names
    }

    /// Its length as a multiple of the usual length. This is 1 unless the agent was delayed by at least half
    /// an interval.
    pub fn times_as_long(&self) -> f64 {
        let usual = self.end_ns.saturating_sub(self.start_ns).saturating_sub(self.held_up_ns);
        if usual <= 0 || self.held_up_ns < usual / 2 {
            return 1.0;
        }
        1.0 + self.held_up_ns as f64 / usual as f64
    }
}

/// Totals of a run. Every frame is in `ip` (in a flow, filtered or overflow), `non_ip`, `malformed_ip` or
/// `filtered_non_ip`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Totals {
    /// Packets on the wire.
    pub frames: u64,
    /// IP packets among them.
    pub ip: u64,
    /// Frames without an IP header, except those that the filter excludes.
    pub non_ip: u64,
    /// Frames with an unusable IP header, except those that the filter excludes.
    pub malformed_ip: u64,
    /// Frames that the filter excludes: IP packets and others.
    pub filtered: u64,
    /// Frames without a usable IP header that the filter excludes (part of `filtered`).
    #[serde(default)]
    pub filtered_non_ip: u64,
    /// IP packets in no flow because the table was full.
    pub overflow: u64,
    /// IP-layer bytes of the flows and of all other IP packets.
    pub bytes: u64,
    /// IP-layer bytes of filtered packets (part of `bytes`).
    pub filtered_bytes: u64,
    /// IP-layer bytes of overflowed packets (part of `bytes`).
    pub overflow_bytes: u64,
    /// Link-layer bytes of all frames on the wire.
    pub frame_bytes: u64,
    /// Frames as the devices count them: a GSO/GRO packet is one.
    pub device_packets: u64,
    /// Bytes as the devices count them.
    pub device_bytes: u64,
    /// Packets that were counted in a later interval than their own.
    pub late_packets: u64,
    /// Packets that a capture dropped.
    pub lost_packets: u64,
    /// Groups that were evicted because there were too many.
    pub evicted_groups: u64,
    /// The number of findings that were not reported, by the name of the reason.
    pub held_back: BTreeMap<String, u64>,
    /// The number of intervals.
    pub intervals: u64,
    /// Owners of the bytes; `None` if attribution is off. Outputs show it separately.
    #[serde(skip)]
    pub attribution: Option<Attributed>,
}

impl Totals {
    /// Adds the counts of an interval.
    pub fn add(&mut self, interval: &Interval) {
        for (_, counters) in interval.flows.iter() {
            self.add_frames(&counters);
            self.ip += counters.packets;
        }
        for (key, counters) in &interval.remainders {
            self.add_remainder(key.reason, counters);
        }
        if !interval.owners.is_empty() || self.attribution.is_some() {
            self.add_owners(interval);
        }
        self.late_packets += interval.late_packets;
        self.lost_packets += interval.lost_packets;
        self.intervals += 1;
    }

    /// Adds the totals of another run. They may come from another program, so sums saturate.
    pub fn merge(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.frames, other.frames),
            (&mut self.ip, other.ip),
            (&mut self.non_ip, other.non_ip),
            (&mut self.malformed_ip, other.malformed_ip),
            (&mut self.filtered, other.filtered),
            (&mut self.filtered_non_ip, other.filtered_non_ip),
            (&mut self.overflow, other.overflow),
            (&mut self.bytes, other.bytes),
            (&mut self.filtered_bytes, other.filtered_bytes),
            (&mut self.overflow_bytes, other.overflow_bytes),
            (&mut self.frame_bytes, other.frame_bytes),
            (&mut self.device_packets, other.device_packets),
            (&mut self.device_bytes, other.device_bytes),
            (&mut self.late_packets, other.late_packets),
            (&mut self.lost_packets, other.lost_packets),
            (&mut self.evicted_groups, other.evicted_groups),
            (&mut self.intervals, other.intervals),
        ] {
            *sum = sum.saturating_add(more);
        }
        for (reason, count) in &other.held_back {
            let sum = self.held_back.entry(reason.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
        if let Some(attribution) = &other.attribution {
            self.attribution.get_or_insert_default().merge(attribution);
        }
    }

    fn add_owners(&mut self, interval: &Interval) {
        let Interval { flows, owners, remainders, .. } = interval;
        let sums = self.attribution.get_or_insert_default();
        (0..flows.len()).for_each(|at| sums.add(owners.owner(at), flows.bytes(at)));
        let others = remainders.iter().map(|(_, counters)| counters.bytes).sum();
        sums.add_unattributed(Unattributed::NoFlow, others);
        sums.host.add(&owners.host);
    }

    fn add_frames(&mut self, counters: &Counters) {
        self.frames += counters.packets;
        self.bytes += counters.bytes;
        self.frame_bytes += counters.frame_bytes;
        self.device_packets += counters.device_packets;
        self.device_bytes += counters.device_bytes;
    }

    fn add_remainder(&mut self, reason: u8, counters: &Counters) {
        self.add_frames(counters);
        match Reason::of(reason) {
            Some(Reason::MalformedIp) => self.malformed_ip += counters.packets,
            Some(Reason::Filtered) => {
                self.ip += counters.packets;
                self.filtered += counters.packets;
                self.filtered_bytes += counters.bytes;
            }
            Some(Reason::Overflow) => {
                self.ip += counters.packets;
                self.overflow += counters.packets;
                self.overflow_bytes += counters.bytes;
            }
            Some(Reason::FilteredNonIp) => {
                self.filtered += counters.packets;
                self.filtered_non_ip += counters.packets;
            }
            Some(Reason::NonIp) | None => self.non_ip += counters.packets,
        }
    }
}

/// This many packets are added to their flows at once, so that the processor waits for the memory of all of
/// them at the same time.
const TOGETHER: usize = 16;

/// Flows and uncounted frames while they are collected, for sources that process single packets.
#[derive(Debug)]
pub struct Table {
    max_flows: usize,
    /// The last packets, which are not added to their flows yet.
    waiting: Vec<(Hashed, FlowKey, Counters)>,
    flows: Vec<(FlowKey, Counters)>,
    /// The index of the flows in `flows`.
    places: HashIndex,
    remainders: FxHashMap<RemainderKey, Counters>,
    answers: Answers,
}

impl Table {
    /// Without flows, with space for `max_flows` flows.
    pub fn new(max_flows: usize) -> Self {
        Self {
            max_flows: max_flows.min(HashIndex::MOST),
            waiting: Vec::with_capacity(TOGETHER),
            flows: Vec::new(),
            places: HashIndex::default(),
            remainders: FxHashMap::default(),
            answers: Answers::default(),
        }
    }

    /// Adds to a flow, or to `overflow` if there is no space for another flow.
    pub fn add(&mut self, key: FlowKey, delta: &Counters) {
        self.waiting.push((Hashed::of(&key), key, *delta));
        if self.waiting.len() == TOGETHER {
            self.settle();
        }
    }

    /// Adds the waiting packets to their flows.
    fn settle(&mut self) {
        let mut guesses = [None; TOGETHER];
        for (guess, (hashed, ..)) in guesses.iter_mut().zip(&self.waiting) {
            *guess = self.places.guess(*hashed);
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        for (guess, (hashed, key, delta)) in guesses.into_iter().zip(waiting.drain(..)) {
            let guess = guess.filter(|at| self.flows[*at].0 == key);
            self.add_now(guess, hashed, key, &delta);
        }
        self.waiting = waiting;
    }

    fn add_now(&mut self, place: Option<usize>, hashed: Hashed, key: FlowKey, delta: &Counters) {
        // The flow may have begun with an earlier one of these packets.
        let find = || self.places.find(hashed, |at| self.flows[at].0 == key);
        if let Some(at) = place.or_else(find) {
            self.flows[at].1.merge(delta);
        } else if self.flows.len() >= self.max_flows {
            self.add_remainder(remainder_of(&key, Reason::Overflow), delta);
        } else {
            let Self { places, flows, .. } = self;
            places.insert(hashed, flows.len(), |at| Hashed::of(&flows[at].0));
            flows.push((key, *delta));
        }
    }

    /// Adds to the uncounted frames with a reason.
    pub fn add_remainder(&mut self, key: RemainderKey, delta: &Counters) {
        self.remainders.entry(key).or_default().merge(delta);
    }

    /// Stores a DNS answer.
    pub fn add_answer(&mut self, time_ns: i64, message: &[u8]) {
        self.answers.add(time_ns, message);
    }

    /// The DNS answers that were collected.
    pub fn take_answers(&mut self) -> Answers {
        std::mem::take(&mut self.answers)
    }

    /// The collected counts, with flows in the order of their first packets, so that the same input gives the
    /// same output.
    pub fn into_counts(mut self) -> (Flows, RemainderCounts) {
        self.settle();
        let mut remainders: Vec<_> = self.remainders.into_iter().collect();
        remainders.sort_unstable_by_key(|(key, _)| (key.ifindex, key.direction, key.reason));
        (self.flows.into(), remainders)
    }
}

/// The key under which packets of a flow are counted if they are not in it, for this reason.
pub fn remainder_of(key: &FlowKey, reason: Reason) -> RemainderKey {
    RemainderKey::new(key.ifindex, key.direction(), reason)
}
