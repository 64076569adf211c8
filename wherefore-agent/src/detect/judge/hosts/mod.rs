//! Traffic of each host, and of each of its services, in five minutes, compared with the hour before and the
//! same time of other days: finds sums over many peers, traffic at unusual hours, and services that a host did
//! not use before. Owns a week of each host; refuses to decide what is reported.
//!
//! A host is an inside address with a direction and the side of its peers. Its last five minutes are
//! compared with the maximum of the last hour and of an hour before and after the same time on each of the last
//! seven days. How far they exceed that, and how large they are, make one number, whose rarity
//! is known from all hosts: large and unexpected is rarer than only one of both.

mod host;
mod job;
mod missing;
mod presence;

use std::f32::consts::LOG10_2;
use std::time::Duration;

use host::{DAY, HOUR, Host, Key, STEPS, WEEK, octaves};
pub(super) use job::Missing;
use presence::Presence;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wherefore_common::flow::{AddressWords, address};
use wherefore_common::{Counters, FlowKey};

use super::silences::Sender;
use crate::detect::addresses::is_inside;
use crate::detect::detectors::{Arrivals, exp2, log2};
use crate::detect::finding::HostSide;
use crate::detect::kind::Class;
use crate::traffic::group::GroupBy;
use crate::traffic::service::Service;

/// The most hosts, with direction and side: some 2.5 kB each.
const MOST: usize = 1024;
/// Length of a step in seconds.
const STEP_SECONDS: u64 = 60;
/// Slots of all hosts after which the weight of earlier ones is halved.
const MEMORY: f32 = 1e6;
/// Octaves above the expected value, below which nothing is unexpected.
const LEAST_EXCESS: f32 = 0.7;
/// The share of votes that is left a step later.
const VOTES_KEPT: f32 = 0.7;
/// Steps after which no votes are left, in single precision.
const LONGEST_VOTE: u64 = 500;
/// The share of the mean of the last minutes that moves now, below which the event is over already.
const ON_GOING: f32 = 0.2;
/// How much more an octave of excess counts than an octave of volume.
const EXCESS_WEIGHT: f32 = 2.0;

/// The address of a group that is not grouped by it.
const NOBODY: AddressWords = [0, 0];

/// The traffic of hosts, or that of their services.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    places: FxHashMap<Key, usize>,
    hosts: Vec<Host>,
    /// The last positions that were looked up.
    last: [usize; 2],
    /// Whether there is no room until the next slot.
    is_full: bool,
    /// Intervals of a step, and those of the current one.
    step: u64,
    passed: u64,
    /// Steps so far, in all, and those when watching began.
    steps: u64,
    watched_since: u64,
    /// Which addresses are here to stay; only used for hosts.
    presence: Presence,
    /// The excess of unexpected slots, over all hosts that have been watched for a day.
    unexpected: Arrivals,
    /// Slots of these hosts, and those of them that were unexpected.
    judged: f32,
    exceeding: f32,
}

/// The state that survives a restart.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    hosts: Vec<(Key, Vec<u8>, u64)>,
    unexpected: Arrivals,
    judged: f32,
    exceeding: f32,
}

/// Something rare about a host.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostFound {
    place: usize,
    key: Key,
    ifindex: u32,
    pub surprise: f32,
    pub counters: Counters,
    /// A flow of the largest pair in the last minutes.
    pub most: FlowKey,
    /// Whether that pair moved more than half.
    is_pair: bool,
    pub seen: f32,
    pub usual: f32,
}

impl HostFound {
    /// The subject: the pair that moves most of it, or the host.
    pub(super) fn subject(&self) -> FlowKey {
        let Key { address, family, .. } = self.key;
        let flow = if self.is_pair {
            self.most
        } else {
            FlowKey { src: address, dst: address, family, ifindex: self.ifindex, ..self.most }
        };
        FlowKey { ifindex: self.ifindex, ..self.group_by().key(&flow) }
    }

    pub(super) fn side(&self) -> HostSide {
        let Key { address: words, family, is_sender, is_peer_inside, service } = self.key;
        HostSide { address: address(family, &words), is_sender, is_peer_inside, service }
    }

    pub(super) fn group_by(&self) -> GroupBy {
        match (self.is_pair, self.key.is_sender) {
            (true, _) => GroupBy::Pair,
            (false, true) => GroupBy::Src,
            (false, false) => GroupBy::Dst,
        }
    }

    /// The judgement that found it.
    pub(super) fn class(&self) -> Class {
        if self.key.service.is_some() { Class::Service } else { Class::Host }
    }

    /// Whether a report about a group says the same: of a service's only pair, the pair or one of its ends, else
    /// anything of this host.
    pub(super) fn is_covered_by(&self, group: &FlowKey) -> bool {
        let ends = [self.most.src, self.most.dst];
        let is_end = |address| address == NOBODY || ends.contains(&address);
        let is_narrow = self.is_pair && self.key.service.is_some();
        self.is_about(group) && (!is_narrow || is_end(group.src) && is_end(group.dst))
    }

    /// Whether a group involves this host.
    fn is_about(&self, group: &FlowKey) -> bool {
        group.family == self.key.family
            && (group.src == self.key.address || group.dst == self.key.address)
    }
}

impl Hosts {
    pub(super) fn new(interval: Duration) -> Self {
        let step = (STEP_SECONDS * 1000 / (interval.as_millis() as u64).max(1)).max(1);
        Self {
            places: FxHashMap::default(),
            hosts: Vec::new(),
            last: [usize::MAX; 2],
            is_full: false,
            step,
            passed: 0,
            steps: 0,
            watched_since: 0,
            presence: Presence::default(),
            unexpected: Arrivals::default(),
            judged: 0.0,
            exceeding: 0.0,
        }
    }

    /// Adds the counts of a flow to its hosts.
    pub(super) fn collect(&mut self, flow: &FlowKey, counters: &Counters) {
        self.collect_of(None, flow, counters, |_| 0);
    }

    /// Adds the counts of a flow to the services of its hosts. A service that a known host did not use before is
    /// known, too: to have moved nothing.
    pub(super) fn collect_service(&mut self, flow: &FlowKey, counters: &Counters, hosts: &Self) {
        self.collect_of(Some(Service::of(flow)), flow, counters, |key| hosts.age_of(key));
    }

    /// Slots for which the host of a key has been watched.
    fn age_of(&self, key: &Key) -> u64 {
        let place = self.places.get(&Key { service: None, ..*key });
        place.map_or(0, |place| self.hosts[*place].age)
    }

    fn collect_of(
        &mut self,
        service: Option<Service>,
        flow: &FlowKey,
        counters: &Counters,
        age: impl Fn(&Key) -> u64,
    ) {
        let [source, target] = [true, false].map(|is_source| is_inside(flow, is_source));
        let sides = [(source, flow.src, target, true), (target, flow.dst, source, false)];
        for (role, (is_host, address, is_peer_inside, is_sender)) in sides.into_iter().enumerate() {
            if is_host {
                let family = flow.family;
                let key = Key { address, family, is_sender, is_peer_inside, service };
                self.add(role, key, flow, counters, &age);
            }
        }
    }

    fn add(
        &mut self,
        role: usize,
        key: Key,
        flow: &FlowKey,
        counters: &Counters,
        age: impl Fn(&Key) -> u64,
    ) {
        let last = self.last[role];
        let is_last = self.hosts.get(last).is_some_and(|host| host.key == key);
        let place = if is_last { Some(last) } else { self.place(key, flow.ifindex, age) };
        let Some(place) = place else { return };
        self.last[role] = place;
        self.hosts[place].add(flow, counters);
    }

    fn place(&mut self, key: Key, ifindex: u32, age: impl Fn(&Key) -> u64) -> Option<usize> {
        if let Some(place) = self.places.get(&key) {
            return Some(*place);
        }
        let idle = if self.hosts.len() < MOST { Some(self.hosts.len()) } else { self.idle() };
        self.is_full = idle.is_none();
        let place = idle?;
        let host = Host { age: age(&key), ..Host::new(key, ifindex) };
        if let Some(old) = self.hosts.get_mut(place) {
            self.places.remove(&old.key);
            *old = host;
        } else {
            self.hosts.push(host);
        }
        self.places.insert(key, place);
        Some(place)
    }

    /// A host whose record can be given to another.
    fn idle(&self) -> Option<usize> {
        if self.is_full { None } else { self.hosts.iter().position(Host::is_idle) }
    }

    /// The hosts that sent something in this interval, by side.
    pub(super) fn senders(&self) -> impl Iterator<Item = Sender> + '_ {
        let senders = self.hosts.iter().filter(|host| host.key.is_sender);
        senders.filter(|host| host.counters.packets > 0).map(|host| Sender {
            address: host.key.address,
            family: host.key.family,
            ifindex: host.most.ifindex,
            counters: host.counters,
            most: host.most,
            has_peers: host.has_peers,
        })
    }

    /// Ends an interval, and returns the rare hosts; `floor` is in bytes an interval.
    pub(super) fn close(&mut self, floor: f32) -> Vec<HostFound> {
        for host in self.hosts.iter().filter(|host| host.counters.bytes > 0) {
            self.presence.note(&host.key);
        }
        let presence = std::mem::take(&mut self.presence);
        let found = self.close_of(&presence, floor);
        self.presence = presence;
        self.end_interval();
        found
    }

    /// Ends an interval of services, and returns the rare ones, after that of their hosts.
    pub(super) fn close_services(&mut self, hosts: &Self, floor: f32) -> Vec<HostFound> {
        let found = self.close_of(&hosts.presence, floor);
        self.end_interval();
        found
    }

    fn close_of(&mut self, presence: &Presence, floor: f32) -> Vec<HostFound> {
        let mut found = Vec::new();
        for place in 0..self.hosts.len() {
            found.extend(self.judge(place, presence, floor));
        }
        for host in &mut self.hosts {
            (host.counters, host.most_bytes) = (Counters::default(), 0);
        }
        found
    }

    fn judge(&mut self, place: usize, presence: &Presence, floor: f32) -> Option<HostFound> {
        let host = &mut self.hosts[place];
        let moved = host.counters.bytes as f32;
        host.steps[STEPS - 1] += moved;
        if moved == 0.0 {
            return None;
        }
        let sum: f32 = host.steps.iter().sum();
        host.highest = host.highest.max(sum);
        let expected = host.frozen.map_or(host.expected, |(frozen, _)| frozen);
        let excess = octaves(sum) - expected;
        let is_past = moved < ON_GOING * sum / (self.step as f32 * STEPS as f32);
        if is_past || excess < LEAST_EXCESS || host.age < DAY as u64 {
            return None;
        }
        if !presence.is_settled(&host.key) {
            return None;
        }
        let unexpected = octaves(sum) + EXCESS_WEIGHT * excess;
        host.unexpected = host.unexpected.max(unexpected);
        if sum < floor || host.age < (DAY + host.settled()) as u64 {
            return None;
        }
        let (part, _) = self.unexpected.part_above(unexpected);
        let a_slot = (self.step * STEPS as u64) as f32;
        let part = part * (self.exceeding + 0.5) / (self.judged + 1.0);
        let rate = part * self.hosts.len() as f32 / a_slot;
        let host = &self.hosts[place];
        let (most, is_pair) = host.reported.unwrap_or((host.main, host.votes > 0.25 * sum));
        Some(HostFound {
            place,
            key: host.key,
            ifindex: host.ifindex,
            surprise: -LOG10_2 * log2(rate.max(1e-30)),
            counters: host.counters,
            most,
            is_pair,
            seen: sum,
            usual: exp2(expected) - 1.0,
        })
    }

    /// Freezes the expectation of a host that is reported.
    pub(super) fn report(&mut self, found: &HostFound) {
        let until = self.steps + (HOUR * STEPS) as u64;
        let host = &mut self.hosts[found.place];
        let expected = host.frozen.map_or(host.expected, |(frozen, _)| frozen);
        host.frozen = Some((expected, until));
        host.reported = Some((found.most, found.is_pair));
        host.unexpected = 0.0;
    }

    fn end_interval(&mut self) {
        self.passed += 1;
        if self.passed < self.step {
            return;
        }
        (self.passed, self.steps, self.is_full) = (0, self.steps + 1, false);
        if self.judged >= MEMORY {
            (self.judged, self.exceeding) = (self.judged * 0.5, self.exceeding * 0.5);
        }
        let (steps, ends_slot) = (self.steps, self.steps.is_multiple_of(STEPS as u64));
        if ends_slot {
            self.presence.pass(1);
        }
        for host in &mut self.hosts {
            if ends_slot {
                if host.age >= DAY as u64 && host.frozen.is_none() {
                    self.judged += 1.0;
                    if host.unexpected > 0.0 {
                        self.exceeding += 1.0;
                        self.unexpected.count(host.unexpected);
                    }
                }
                host.end_slot();
            }
            host.steps.rotate_left(1);
            host.steps[STEPS - 1] = 0.0;
            host.frozen = host.frozen.filter(|(_, until)| *until > steps);
            host.reported = host.reported.filter(|_| host.frozen.is_some());
            host.votes *= VOTES_KEPT;
        }
    }

    /// Skips intervals without traffic.
    pub(super) fn pass(&mut self, intervals: u64) {
        let passed = self.passed + intervals;
        let (steps, before) = (passed / self.step, self.steps);
        (self.passed, self.steps, self.is_full) = (passed % self.step, before + steps, false);
        let slots = self.steps / STEPS as u64 - before / STEPS as u64;
        self.presence.pass(slots);
        for host in &mut self.hosts {
            host.pass(steps, slots);
            // As after each step, until nothing is left that counts.
            (0..steps.min(LONGEST_VOTE)).for_each(|_| host.votes *= VOTES_KEPT);
            host.frozen = host.frozen.filter(|(_, until)| *until > self.steps);
            host.reported = host.reported.filter(|_| host.frozen.is_some());
        }
    }

    /// Skips intervals in which nobody was watching.
    pub(super) fn catch_up(&mut self, intervals: u64) {
        self.pass(intervals);
        self.watched_since = self.steps;
    }

    pub(super) fn keep(&self) -> Kept {
        let hosts = self.hosts.iter().map(|host| (host.key, host.in_order(), host.age));
        let Self { unexpected, judged, exceeding, .. } = *self;
        Kept { hosts: hosts.collect(), unexpected, judged, exceeding }
    }

    pub(super) fn resume(&mut self, kept: Kept) {
        let sound = |number: f32| if number.is_finite() { number.max(0.0) } else { 0.0 };
        self.unexpected = kept.unexpected;
        (self.judged, self.exceeding) = (sound(kept.judged), sound(kept.exceeding));
        for (key, slots, age) in kept.hosts.into_iter().take(MOST) {
            if slots.len() == WEEK && !self.places.contains_key(&key) {
                self.places.insert(key, self.hosts.len());
                let mut host = Host { slots, age, ..Host::new(key, 0) };
                host.expected = host.expect();
                if let Some(ago) = (1..=HOUR).find(|back| host.slot(*back) > 0) {
                    self.presence.resume(&key, ago as i64);
                }
                self.hosts.push(host);
            }
        }
    }
}
