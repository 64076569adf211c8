//! One host, or one service of a host: its last minutes and its week. Owns how much is expected of it; refuses
//! to know others.

use serde::{Deserialize, Serialize};
use wherefore_common::flow::AddressWords;
use wherefore_common::{Counters, FlowKey};

use super::job::Missed;
use crate::detect::detectors::log2;
use crate::traffic::service::Service;

/// The number of steps that are judged together: five minutes.
pub(super) const STEPS: usize = 5;
/// Slots of five minutes in an hour, a day and a week.
pub(super) const HOUR: usize = 12;
pub(super) const DAY: usize = 288;
pub(super) const WEEK: usize = 7 * DAY;
/// The fraction of an octave that a slot distinguishes.
pub(super) const GRAIN: f32 = 8.0;
/// Hosts are judged this many slots after the first day: six hours later. Until then the engine learns how large
/// an excess is ordinary. For services it needs a whole day, because some are used only by day.
const SETTLED: usize = 6 * HOUR;
const SERVICES_SETTLED: usize = DAY;
/// Bytes in five minutes that are no more than attempts to connect.
const MOST_OF_PROBE: f32 = 1000.0;
/// A service may move its maximum of the last week, less these octaves, at any time of day: a person who copies a
/// file does not keep to a schedule.
const ANY_TIME: f32 = 3.0;

/// The key of a record: a host, a direction, the side of its peers, and one service or all of them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub(super) struct Key {
    pub(super) address: AddressWords,
    pub(super) family: u8,
    pub(super) is_sender: bool,
    pub(super) is_peer_inside: bool,
    pub(super) service: Option<Service>,
}

#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) key: Key,
    pub(super) ifindex: u32,
    /// The bytes of this interval, and its largest flow.
    pub(super) counters: Counters,
    pub(super) most: FlowKey,
    pub(super) most_bytes: u64,
    /// The pair that moved more than half of the last minutes, if there is one, by a majority vote whose
    /// votes are bytes.
    pub(super) main: FlowKey,
    pub(super) votes: f32,
    /// The report about it, as long as it is compared with `frozen`.
    pub(super) reported: Option<(FlowKey, bool)>,
    /// The first peer, and whether there was ever another.
    pub(super) first_peer: AddressWords,
    pub(super) has_peers: bool,
    /// Bytes of the last steps; the last is the current one.
    pub(super) steps: [f32; STEPS],
    /// The maximum of each five minutes of a week, as logarithms; `at` is the current one.
    pub(super) slots: Vec<u8>,
    pub(super) at: usize,
    /// Slots so far.
    pub(super) age: u64,
    /// The maximum of the current slot, and that without reported traffic.
    pub(super) highest: f32,
    /// The expected maximum of the current slot.
    pub(super) expected: f32,
    /// The largest excess of the current slot.
    pub(super) unexpected: f32,
    /// The expected maximum during a report, which is frozen.
    pub(super) frozen: Option<(f32, u64)>,
    /// Whether it did not come at its time.
    pub(super) missed: Option<Missed>,
}

impl Host {
    pub(super) fn new(key: Key, ifindex: u32) -> Self {
        Self {
            key,
            ifindex,
            counters: Counters::default(),
            most: FlowKey::default(),
            most_bytes: 0,
            main: FlowKey::default(),
            votes: 0.0,
            reported: None,
            first_peer: AddressWords::default(),
            has_peers: false,
            steps: [0.0; STEPS],
            slots: vec![0; WEEK],
            at: 0,
            age: 0,
            highest: 0.0,
            expected: 0.0,
            unexpected: 0.0,
            frozen: None,
            missed: None,
        }
    }

    /// Adds the counts of one of its flows.
    pub(super) fn add(&mut self, flow: &FlowKey, counters: &Counters) {
        self.counters.merge(counters);
        let peer = if self.key.is_sender { flow.dst } else { flow.src };
        if self.first_peer == AddressWords::default() {
            self.first_peer = peer;
        }
        self.has_peers |= peer != self.first_peer;
        if counters.bytes >= self.most_bytes {
            (self.most, self.most_bytes) = (*flow, counters.bytes);
        }
        self.vote(flow, counters.bytes as f32);
    }

    fn vote(&mut self, flow: &FlowKey, bytes: f32) {
        if self.main.src == flow.src && self.main.dst == flow.dst {
            self.votes += bytes;
        } else if bytes > self.votes {
            (self.main, self.votes) = (*flow, bytes - self.votes);
        } else {
            self.votes -= bytes;
        }
    }

    /// Slots after the first day from which on it is judged.
    pub(super) fn settled(&self) -> usize {
        if self.key.service.is_some() { SERVICES_SETTLED } else { SETTLED }
    }

    /// Whether its record may be given to another: it moved nothing for a day and an hour, or it is only a port or
    /// an address that was probed, which never moved much and nothing in the last minutes. Otherwise a scan would
    /// fill all records for a day.
    pub(super) fn is_idle(&self) -> bool {
        let is_quiet = self.counters.bytes == 0 && self.steps.iter().all(|moved| *moved == 0.0);
        let has_moved = |level: u8, least: f32| f32::from(level) > least * GRAIN;
        let probe = octaves(MOST_OF_PROBE);
        is_quiet
            && self.highest <= MOST_OF_PROBE
            && (!self.slots.iter().any(|level| has_moved(*level, probe))
                || self.highest == 0.0 && (1..=DAY + HOUR).all(|back| self.slot(back) == 0))
    }

    /// The level of an earlier slot; 0 is the current one.
    pub(super) fn slot(&self, back: usize) -> u8 {
        self.slots[(self.at + WEEK - back % WEEK) % WEEK]
    }

    pub(super) fn end_slot(&mut self) {
        let level = (octaves(self.highest) * GRAIN + 0.5).min(255.0) as u8;
        self.slots[self.at] = level;
        self.at = (self.at + 1) % WEEK;
        self.age += 1;
        // The part of the last five minutes that is still to come belongs to the next slot.
        (self.highest, self.unexpected) = (0.0, 0.0);
        self.expected = self.expect();
    }

    /// Skips this many steps, and slots that end in them, without traffic.
    pub(super) fn pass(&mut self, steps: u64, slots: u64) {
        let gone = steps.min(STEPS as u64) as usize;
        self.steps.rotate_left(gone);
        self.steps[STEPS - gone..].fill(0.0);
        for _ in 0..slots.min(WEEK as u64) {
            self.slots[self.at] = (octaves(self.highest) * GRAIN + 0.5).min(255.0) as u8;
            self.at = (self.at + 1) % WEEK;
            (self.highest, self.unexpected) = (0.0, 0.0);
        }
        self.age = self.age.saturating_add(slots);
        if slots > 0 {
            self.expected = self.expect();
        }
    }

    /// The maximum of the last hour, and of an hour before and after the same time of other days; of a service
    /// also what remains of its maximum at any time.
    pub(super) fn expect(&self) -> f32 {
        let hour = 1..=HOUR;
        let days = (1..=7).flat_map(|day| day * DAY - HOUR..=(day * DAY + HOUR).min(WEEK - 1));
        let known = hour.chain(days).take_while(|back| (*back as u64) <= self.age);
        let now = known.map(|back| self.slot(back)).max().unwrap_or(0);
        let ever = match self.key.service {
            Some(_) => f32::from(self.slots.iter().copied().max().unwrap_or(0)) / GRAIN - ANY_TIME,
            None => 0.0,
        };
        ever.max(f32::from(now) / GRAIN)
    }

    /// The slots, the oldest first.
    pub(super) fn in_order(&self) -> Vec<u8> {
        let (after, before) = self.slots.split_at(self.at);
        [before, after].concat()
    }
}

/// The logarithm in which volumes are compared.
pub(super) fn octaves(bytes: f32) -> f32 {
    log2(1.0 + bytes)
}
