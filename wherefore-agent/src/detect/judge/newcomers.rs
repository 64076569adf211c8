//! New groups (newcomers), compared with similar ones by their traffic since they appeared. They are pooled
//! by which host sends requests and in which direction, because new clients of a web server are no baseline
//! for a database that contacts a stranger. Owns the pools and the set of newcomers; refuses to decide what
//! is reported.
//!
//! At the ages of 1, 4, 16 and so on to 4096 intervals, a newcomer's bytes are compared with those of others
//! at that age. At some ages its persistence is compared as well (see [`calling`]): a peer that keeps calling
//! is rare where others come and go, however little it sends. A pool with few members also uses all pools of
//! its side. How rarely newcomers appear counts as much as how much they transfer.

use std::f32::consts::LOG10_2;
use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};
use serde::{Deserialize, Serialize};
use wherefore_common::flow::{AddressWords, address};
use wherefore_common::{Counters, FlowKey};

use super::calling::{self, CallBaseline, CallHistory, Persistence};
use super::visits::{self, Earlier, Visits};
use crate::detect::addresses::{is_inside, is_request};
use crate::detect::detectors::{Arrivals, level, log2};
use crate::detect::series::QuietGroup;
use crate::traffic::group::{network, reversed};

/// Ages at which newcomers are compared: 4^0 to 4^6 intervals.
const AGES: usize = 7;
/// The age at which a group is no longer new.
const GROWN: i64 = 1 << (2 * (AGES - 1));
/// The most pools, some 600 bytes each. Further hosts share the pool of their side.
const MOST_POOLS: usize = 1024;
/// Intervals between two searches for groups that are no longer new.
const LOOK_EVERY: i64 = 64;
/// The most newcomers that are tracked at a time. In a flood, the others resemble them.
const MOST_TRIALS: usize = 65_536;
/// The most hosts whose age is known.
const MOST_HOSTS: usize = 16_384;
/// With fewer newcomers than this, a side is a weak baseline.
const FEW: f32 = 32.0;
/// The weight of the side of a pool, as a number of the pool's own members.
const SIDE_WEIGHT: f32 = 8.0;
/// Intervals after which a host has a pool of its own: six hours of 5 s.
const SETTLED: i64 = 4320;
/// Intervals between two reported newcomers that a pool learns from: a burst is one event.
const APART: i64 = 720;
/// Intervals after which the weight of earlier ones is halved: a day of 5 s, seven times.
const MEMORY: f32 = 7.0 * 17_280.0;
/// The most newcomers of one pool that count in an interval, besides four times the usual number.
const CLIPPED: f32 = 2.0;

/// The newcomers and their baselines.
#[derive(Debug, Clone, Default)]
pub(super) struct Newcomers {
    trials: FxHashMap<usize, Trial>,
    pools: FxHashMap<Pool, Members>,
    sides: FxHashMap<u8, Members>,
    visits: Visits,
    /// When each host appeared.
    hosts: FxHashMap<u64, i64>,
    /// The number of intervals so far; it decays.
    intervals: f32,
}

/// The state that survives a restart.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    pools: Vec<(Pool, Members)>,
    sides: Vec<(u8, Members)>,
    visits: visits::Kept,
    hosts: Vec<u64>,
    intervals: f32,
}

/// Identifies newcomers that are compared with each other.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
struct Pool {
    /// The inside address that sends the requests, or otherwise the one that receives them.
    host: AddressWords,
    side: u8,
}

/// The record of newcomers of one pool.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
struct Members {
    /// Bytes since they appeared, by age.
    moved: [Arrivals; AGES],
    /// Their calls.
    calls: CallBaseline,
    /// Their number; it decays.
    count: f32,
    /// Those of this interval.
    now: u16,
    /// The interval in which the pool last learned from a reported one.
    reported: Option<i64>,
}

/// A newcomer.
#[derive(Debug, Clone, Copy, Default)]
struct Trial {
    since: i64,
    bytes: f64,
    history: CallHistory,
    /// Its persistence at the last age at which this was judged.
    persistence: Option<Persistence>,
    /// Whether it has not called since then.
    is_due: bool,
    /// Whether it was reported that it keeps calling.
    has_reported_calls: bool,
    /// Whether anything about it was reported, in either direction.
    is_reported: bool,
    /// Whether all its traffic belongs to the baseline now.
    is_accepted: bool,
    /// How rarely newcomers appeared in its pool before it: once in 10^arrival_rarity intervals.
    arrival_rarity: f32,
    pool: Pool,
    name: u64,
    /// Its earlier visits, if there were any.
    earlier: Option<Earlier>,
}

/// A rare newcomer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Newcomer {
    /// Expected once in 10^surprise intervals.
    pub surprise: f32,
    /// The bytes since it appeared.
    pub bytes: f64,
    /// The bytes that similar newcomers rarely exceed at that age.
    pub usual: f32,
    /// Intervals since it appeared, this one included.
    pub age: u32,
    /// Whether the group existed before, long ago.
    pub is_returning: bool,
    /// If hardly any similar newcomers were seen: how rarely newcomers appear in its pool, once in
    /// 10^among_few intervals.
    pub among_few: Option<f32>,
    /// If it transferred as much on an earlier visit: the upper limit that this sets to the surprise.
    pub again: Option<f32>,
}

impl Pool {
    const ASKER_INSIDE: u8 = 1;
    const ANSWERER_INSIDE: u8 = 2;
    const TO_ASKER: u8 = 4;
    const RETURNING: u8 = 8;
    const NEW_HOST: u8 = 16;

    /// The pool of a group, by its first flow.
    fn of(group: &FlowKey, flow: &FlowKey, counters: &Counters, is_returning: bool) -> Self {
        let is_asking = is_request(flow, counters);
        let (source, target) = (is_inside(flow, true), is_inside(flow, false));
        let (asker, answerer) = if is_asking { (source, target) } else { (target, source) };
        // The inside host; of two inside hosts the one that sends the request.
        let is_source = if asker == answerer { is_asking } else { source };
        let host = if is_source { group.src } else { group.dst };
        let bit = |is_so: bool, bit: u8| if is_so { bit } else { 0 };
        let side = bit(asker, Self::ASKER_INSIDE)
            | bit(answerer, Self::ANSWERER_INSIDE)
            | bit(!is_asking, Self::TO_ASKER)
            | bit(is_returning, Self::RETURNING);
        Self { host, side }
    }
}

impl Pool {
    /// Whether the requests go from an inside address to an outside one.
    fn asks_outside(self) -> bool {
        self.side & (Self::ASKER_INSIDE | Self::ANSWERER_INSIDE) == Self::ASKER_INSIDE
    }

    /// The pool of all new hosts of its network, because a new pod has no history of its own.
    fn of_network(self, family: u8) -> Self {
        let host = network(address(family, &self.host));
        Self { host, side: self.side | Self::NEW_HOST }
    }
}

impl Newcomers {
    /// Adds a group that appeared in interval `index`. `is_new` is false if it may have existed before this
    /// host was watched.
    pub(super) fn add(
        &mut self,
        slot: usize,
        group: &FlowKey,
        (flow, counters): (&FlowKey, &Counters),
        index: i64,
        is_new: bool,
    ) {
        let name = name(group);
        let earlier = self.visits.come(name, index);
        if !is_new || self.trials.len() >= MOST_TRIALS {
            self.trials.remove(&slot);
            return;
        }
        let mut pool = Pool::of(group, flow, counters, earlier.is_some());
        let address = FlowKey { src: pool.host, ..FlowKey::default() };
        if !self.is_settled(self::name(&address), index) {
            pool = pool.of_network(group.family);
        }
        let count = self.pools.get(&pool).map_or(0.0, |members| members.count);
        let arrival_rarity = -LOG10_2 * log2((count + 0.5) / (self.intervals + 1.0));
        let trial = Trial { since: index, arrival_rarity, pool, name, earlier, ..Trial::default() };
        self.trials.insert(slot, trial);
        let now = &mut self.sides.entry(pool.side).or_default().now;
        *now = now.saturating_add(1);
        if let Some(members) = members(&mut self.pools, pool) {
            members.now = members.now.saturating_add(1);
        }
    }

    /// Adds traffic of a group. Returns how rare its traffic since it appeared is among similar groups;
    /// `None` if it is not new.
    pub(super) fn judge(&mut self, slot: usize, value: f64, index: i64) -> Option<Newcomer> {
        let trial = self.trials.get_mut(&slot)?;
        let age = index.saturating_sub(trial.since).saturating_add(1);
        trial.bytes += value;
        if value > 0.0 {
            trial.history.call(age);
        }
        let trial = *trial;
        (value > 0.0 && age <= GROWN && !trial.is_accepted).then(|| self.rarity(&trial, age))
    }

    /// The persistence of a group. It is returned at the first call after each age at which it is judged and,
    /// once it was reported, at every call.
    pub(super) fn calls(&mut self, slot: usize, value: f64, index: i64) -> Option<Persistence> {
        let trial = self.trials.get_mut(&slot).filter(|trial| value > 0.0 && !trial.is_accepted)?;
        let is_due = std::mem::take(&mut trial.is_due);
        let Persistence { surprise, calls } =
            trial.persistence.filter(|_| is_due || trial.has_reported_calls)?;
        let age = index.saturating_sub(trial.since).saturating_add(1);
        Some(Persistence { surprise, calls: trial.history.so_far(calls, (age, trial.bytes)) })
    }

    /// Makes all traffic of a group and its reply direction part of the baseline from now on.
    pub(super) fn accept(&mut self, group: &FlowKey) {
        self.both_directions(group, |trial| (trial.is_accepted, trial.is_reported) = (true, true));
    }

    /// Records that a finding about a group was reported.
    pub(super) fn report(&mut self, slot: usize, group: &FlowKey) {
        if self.trials.get(&slot).is_some_and(|trial| !trial.is_reported) {
            self.both_directions(group, |trial| trial.is_reported = true);
        }
    }

    /// Whether a group's traffic since it appeared was reported. Its end is then no separate event.
    pub(super) fn is_reported(&self, slot: usize) -> bool {
        self.trials.get(&slot).is_some_and(|trial| trial.is_reported)
    }

    fn both_directions(&mut self, group: &FlowKey, change: impl Fn(&mut Trial)) {
        let names = [group, &reversed(group)].map(name);
        self.trials.values_mut().filter(|trial| names.contains(&trial.name)).for_each(change);
    }

    /// Records that a group's persistence was reported.
    pub(super) fn report_calls(&mut self, slot: usize) {
        self.trials.entry(slot).and_modify(|trial| trial.has_reported_calls = true);
    }

    /// Forgets groups that are no longer new.
    fn forget(&mut self, index: i64) {
        self.trials.retain(|_, trial| {
            let age = index.saturating_sub(trial.since);
            age < GROWN || age < 2 * GROWN && (trial.is_due || trial.is_reported)
        });
    }

    fn rarity(&self, trial: &Trial, age: i64) -> Newcomer {
        let place = (0..AGES - 1).find(|place| age <= 1 << (2 * place)).unwrap_or(AGES - 1);
        let y = level(trial.bytes);
        let side = self.sides.get(&trial.pool.side).copied().unwrap_or_default();
        let own = self.pools.get(&trial.pool).copied().unwrap_or_default();
        let (all, usual) = side.moved[place].part_above(y);
        let (few, _) = own.moved[place].part_above(y);
        let part = combine(own.moved[place].total(), [few, all]);
        let arrival_rarity = trial.arrival_rarity;
        let is_among_few = side.moved[place].total() < FEW;
        let surprise = arrival_rarity - LOG10_2 * log2(part.max(1e-30));
        let again = trial.earlier.and_then(|earlier| earlier.surprise(y, self.intervals));
        Newcomer {
            surprise,
            bytes: trial.bytes,
            usual,
            age: age as u32,
            is_returning: trial.earlier.is_some(),
            among_few: is_among_few.then_some(arrival_rarity),
            again,
        }
    }

    /// Ends a group's interval. At certain ages, its pool learns from it.
    pub(super) fn learn(&mut self, slot: usize, index: i64, is_reported: bool) {
        let Some(trial) = self.trials.get(&slot).copied() else { return };
        let age = index.saturating_sub(trial.since).saturating_add(1);
        if calling::ages().any(|at| at == age) {
            self.learn_calls(slot, &trial, (age, index), is_reported);
        }
        let Some(place) = (0..AGES).find(|place| age == 1 << (2 * place)) else { return };
        let y = level(trial.bytes);
        self.visits.moved(trial.name, y);
        let side = self.sides.entry(trial.pool.side).or_default();
        if side.learns(index, is_reported) {
            side.moved[place].count(y);
        }
        if let Some(own) = members(&mut self.pools, trial.pool)
            && own.learns(index, is_reported)
        {
            own.moved[place].count(y);
        }
    }

    /// Compares a group with similar ones at an age at which calls are judged; its pool then learns from it.
    /// The result is used when it calls again.
    fn learn_calls(
        &mut self,
        slot: usize,
        trial: &Trial,
        (age, index): (i64, i64),
        is_reported: bool,
    ) {
        let (history, pool) = (&trial.history, trial.pool);
        let side = self.sides.get(&pool.side).copied().unwrap_or_default().calls;
        let own = self.pools.get(&pool).copied().unwrap_or_default().calls;
        let persistence = calling::judge(
            history,
            (age, trial.bytes),
            [&own, &side],
            trial.arrival_rarity,
            &combine,
        );
        if let Some(kept) = self.trials.get_mut(&slot) {
            kept.is_due = true;
            let before = trial.persistence.filter(|_| trial.has_reported_calls);
            let persistence = persistence.filter(|_| pool.asks_outside()).map(|persistence| {
                let y = level(trial.bytes);
                let again = trial.earlier.and_then(|earlier| earlier.surprise(y, self.intervals));
                let surprise =
                    again.map_or(persistence.surprise, |again| persistence.surprise.min(again));
                // A reported group stays reported even if others begin to keep calling as well.
                Persistence {
                    surprise: before.map_or(surprise, |before| before.surprise.max(surprise)),
                    ..persistence
                }
            });
            kept.persistence = persistence.or(before);
        }
        let side = self.sides.entry(pool.side).or_default();
        if side.learns(index, is_reported) {
            side.calls.count(history, age);
        }
        if let Some(own) = members(&mut self.pools, pool)
            && own.learns(index, is_reported)
        {
            own.calls.count(history, age);
        }
    }

    /// Whether a host has existed for hours. If there are too many hosts, new ones never count as such.
    fn is_settled(&mut self, host: u64, index: i64) -> bool {
        if self.hosts.len() >= MOST_HOSTS && !self.hosts.contains_key(&host) {
            return false;
        }
        let first = *self.hosts.entry(host).or_insert(index);
        index.saturating_sub(first) >= SETTLED
    }

    /// Ends this many intervals without traffic, the last of them `last`. The pools learn from the groups
    /// that reach an age in them, as after each interval.
    pub(super) fn pass_quiet(&mut self, groups: &[QuietGroup], intervals: u32, last: i64) {
        let first = last.saturating_sub(i64::from(intervals)).saturating_add(1);
        let mut due = Vec::new();
        let ages_judged = || (0..AGES).map(|place| 1 << (2 * place)).chain(calling::ages());
        for (order, group) in groups.iter().enumerate() {
            let Some(trial) = self.trials.get(&group.slot) else { continue };
            let ends = first.saturating_add(i64::from(group.lives.min(intervals)));
            let ages = ages_judged().map(|age: i64| trial.since.saturating_add(age - 1));
            let passed = ages.filter(|at| (first..ends).contains(at));
            due.extend(passed.map(|at| (at, order, group.slot)));
        }
        due.sort_unstable();
        due.dedup();
        due.into_iter().for_each(|(at, _, slot)| self.learn(slot, at, false));
        self.pass(intervals.into());
    }

    /// Ends an interval.
    pub(super) fn close(&mut self, index: i64) {
        self.pass(1);
        if index % LOOK_EVERY == 0 {
            self.forget(index);
        }
        let intervals = self.intervals;
        let all = self.pools.values_mut().chain(self.sides.values_mut());
        all.filter(|members| members.now > 0).for_each(|members| members.close(intervals));
    }

    /// Adds intervals without newcomers.
    pub(super) fn pass(&mut self, intervals: u64) {
        self.intervals += intervals as f32;
        if self.intervals < MEMORY {
            return;
        }
        self.intervals *= 0.5;
        let all = self.pools.values_mut().chain(self.sides.values_mut());
        all.for_each(|members| members.count *= 0.5);
        self.visits.halve();
    }

    pub(super) fn keep(&self) -> Kept {
        let mut kept = Kept {
            pools: self.pools.iter().map(|(pool, members)| (*pool, *members)).collect(),
            sides: self.sides.iter().map(|(side, members)| (*side, *members)).collect(),
            visits: self.visits.keep(),
            hosts: self.hosts.keys().copied().collect(),
            intervals: self.intervals,
        };
        kept.pools.sort_unstable_by_key(|(pool, _)| *pool);
        kept.sides.sort_unstable_by_key(|(side, _)| *side);
        kept.hosts.sort_unstable();
        kept
    }

    pub(super) fn resume(&mut self, kept: Kept) {
        let is_sound = |number: f32| number.is_finite() && number >= 0.0;
        let sound = |members: &Members| is_sound(members.count);
        let Kept { pools, sides, visits, hosts, intervals } = kept;
        self.pools = pools.into_iter().filter(|(_, one)| sound(one)).take(MOST_POOLS).collect();
        self.sides = sides.into_iter().filter(|(_, one)| sound(one)).collect();
        self.visits = Visits::resume(visits, -SETTLED);
        self.hosts = hosts.into_iter().take(MOST_HOSTS).map(|host| (host, -SETTLED)).collect();
        self.intervals = if is_sound(intervals) { intervals } else { 0.0 };
    }
}

impl Members {
    /// Whether to learn from a member. Of reported ones, only one an hour counts.
    fn learns(&mut self, index: i64, is_reported: bool) -> bool {
        if !is_reported {
            return true;
        }
        let is_apart = self
            .reported
            .is_none_or(|reported| reported == index || index.saturating_sub(reported) >= APART);
        if is_apart {
            self.reported = Some(index);
        }
        is_apart
    }

    /// Counts this interval's newcomers, at most a few times the usual number, because a flood of them is one
    /// event.
    fn close(&mut self, intervals: f32) {
        let usual = self.count / intervals.max(1.0);
        self.count += f32::from(std::mem::take(&mut self.now)).min(CLIPPED + 4.0 * usual);
    }
}

/// Combines the fraction in a pool with `known` members and the fraction in its whole side.
fn combine(known: f32, [few, all]: [f32; 2]) -> f32 {
    (known * few + SIDE_WEIGHT * all) / (known + SIDE_WEIGHT)
}

fn members(pools: &mut FxHashMap<Pool, Members>, pool: Pool) -> Option<&mut Members> {
    if pools.len() >= MOST_POOLS && !pools.contains_key(&pool) {
        return None;
    }
    Some(pools.entry(pool).or_default())
}

/// A number for a group, to recognise it after it was forgotten.
fn name(group: &FlowKey) -> u64 {
    let mut hasher = FxHasher::default();
    for word in group.src.iter().chain(&group.dst) {
        hasher.write_u64(*word);
    }
    hasher.write_u16(group.sport);
    hasher.write_u16(group.dport);
    hasher.write_u8(group.protocol);
    hasher.finish()
}
