//! The history of each group: its last points, one for each interval. Owns gaps (points of zero), expiry and
//! the memory bound; refuses to judge.

mod rings;
mod window;

use rustc_hash::FxHashMap;
use wherefore_common::{Counters, FlowKey};

use crate::traffic::compact_key::{CompactKey, Keys};
use crate::traffic::flows::Flows;
use crate::traffic::hash_index::{HashIndex, Hashed};
use rings::Rings;
pub use window::{Activity, BaselineUpdate, Points, Window};
use window::{ActivitySource, Sum};

/// The number of slots that are searched for a quiet group when one must be evicted.
const EVICTION_SCAN: usize = 64;

/// How histories are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesOptions {
    /// The number of points that are kept of each group.
    pub window: usize,
    /// The most groups.
    pub max_groups: usize,
    /// The number of quiet intervals after which a group is forgotten.
    pub expire_after: u32,
    /// Whether a new group gets points of zero for earlier intervals, because it was watched for and did not
    /// exist.
    pub assume_quiet_before: bool,
}

/// A group without its points. Half a cache line, because each flow has to wait for another group's memory.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(32))]
struct Slot {
    key: CompactKey,
    moved: ActivityIndex,
    /// The number of quiet intervals in a row.
    quiet: u32,
    /// The number of points that are kept.
    points: u16,
    /// Whether its history comes from an earlier run.
    is_seeded: bool,
    /// Whether no interval was closed since the slot was assigned to its group.
    is_fresh: bool,
}

const _: () = assert!(size_of::<Slot>() == 32);

/// The index of a group's activity in the current interval: of a flow of the interval or, if the highest bit
/// is set, of one of the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ActivityIndex(u32);

impl ActivityIndex {
    /// The slot has no group.
    const UNUSED: Self = Self(u32::MAX);
    /// The group had no traffic.
    const NOTHING: Self = Self(u32::MAX - 1);
    const SUM: u32 = 1 << 31;

    /// The index of a sum.
    fn sum(self) -> Option<usize> {
        let is_sum = self.0 & Self::SUM != 0 && self.0 < Self::NOTHING.0;
        is_sum.then_some((self.0 & !Self::SUM) as usize)
    }
}

impl Default for ActivityIndex {
    fn default() -> Self {
        Self::UNUSED
    }
}

/// The histories of all groups, in one piece of memory.
#[derive(Debug, Clone)]
pub struct Series {
    options: SeriesOptions,
    /// The index of the groups in `slots`.
    places: HashIndex,
    slots: Vec<Slot>,
    /// The keys of the groups in `slots`.
    keys: Keys,
    /// The number of unusual intervals in a row, for the few groups that had some recently.
    unusual: FxHashMap<usize, u32>,
    /// The activity of groups with more than one flow.
    sums: Vec<Sum>,
    /// `window` points for each slot.
    rings: Rings,
    free: Vec<u32>,
    /// Where the search for a quiet group continues.
    hand: usize,
    intervals_seen: usize,
    evicted: u64,
    /// The groups that were forgotten, if the caller wants to know them.
    forgotten: Option<Vec<FlowKey>>,
}

/// A group before a number of intervals without traffic.
#[derive(Debug, Clone, Copy)]
pub struct QuietGroup {
    /// Its slot.
    pub slot: usize,
    /// The group.
    pub key: FlowKey,
    /// The number of intervals after which it is forgotten.
    pub lives: u32,
    /// The length of its window if the window is full of zeros.
    pub empty_window: Option<usize>,
}

/// The number of groups that are looked up at once.
pub const LOOKUP_BATCH: usize = 16;

/// The result of a search for a group.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lookup {
    hashed: Hashed,
    slot: Option<usize>,
}

impl Series {
    /// Without groups.
    pub fn new(options: SeriesOptions) -> Self {
        Self {
            options,
            places: HashIndex::default(),
            slots: Vec::new(),
            keys: Keys::default(),
            unusual: FxHashMap::default(),
            sums: Vec::new(),
            rings: Rings::new(options.window),
            free: Vec::new(),
            hand: 0,
            intervals_seen: 0,
            evicted: 0,
            forgotten: None,
        }
    }

    /// From now on, remembers which groups are forgotten, for [`Self::take_forgotten`].
    pub fn record_forgotten(&mut self) {
        self.forgotten = Some(Vec::new());
    }

    /// The groups that were forgotten since the last call.
    pub fn take_forgotten(&mut self) -> Vec<FlowKey> {
        self.forgotten.as_mut().map_or(Vec::new(), std::mem::take)
    }

    /// The number of groups.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The groups that were judged, with their slots.
    pub fn groups(&self) -> impl Iterator<Item = (usize, FlowKey)> + '_ {
        let judged = self.slots.iter().enumerate();
        judged
            .filter(|(_, slot)| slot.is_used() && !slot.is_fresh)
            .map(|(place, slot)| (place, self.keys.key(slot.key)))
    }

    /// Whether no group is kept.
    pub fn is_empty(&self) -> bool {
        self.places.len() == 0
    }

    /// The number of groups that were evicted because there were too many, since the start.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Looks up several groups before any of them is collected, so that the processor waits for the memory of
    /// all of them at the same time. Each step is a loop of its own, because its memory accesses do not
    /// depend on each other.
    pub fn look_up(&self, groups: &[FlowKey], lookup: &mut [Lookup]) {
        for (lookup, group) in lookup.iter_mut().zip(groups) {
            *lookup = Lookup { hashed: Hashed::of(group), slot: None };
        }
        for lookup in &mut lookup[..groups.len()] {
            lookup.slot = self.places.guess(lookup.hashed);
        }
        for (lookup, group) in lookup.iter_mut().zip(groups) {
            lookup.slot = lookup.slot.filter(|slot| self.is_of(*slot, group));
        }
    }

    fn find(&self, hashed: Hashed, group: &FlowKey) -> Option<usize> {
        self.places.find(hashed, |slot| self.is_of(slot, group))
    }

    #[inline]
    fn is_of(&self, slot: usize, group: &FlowKey) -> bool {
        self.keys.is(self.slots[slot].key, group)
    }

    /// Adds the counts of the flow with this index in the interval to its group. Exempt traffic is not part
    /// of the point that is judged. All flows up to [`Self::close`] belong to the same interval.
    pub fn collect(
        &mut self,
        (group, lookup): (FlowKey, Lookup),
        flows: &Flows,
        at: usize,
        is_allowed: bool,
    ) {
        let slot = self.slot_of(group, lookup, flows);
        let moved = self.slots[slot].moved;
        if moved == ActivityIndex::NOTHING && !is_allowed {
            self.slots[slot].moved = ActivityIndex(at as u32);
            return;
        }
        let sum = moved.sum().unwrap_or_else(|| {
            self.sums.push(self.activity(moved, flows).sum());
            self.sums.len() - 1
        });
        self.sums[sum].add(&flows.get(at), is_allowed);
        self.slots[slot].moved = ActivityIndex(ActivityIndex::SUM | sum as u32);
    }

    fn activity<'a>(&'a self, moved: ActivityIndex, flows: &'a Flows) -> Activity<'a> {
        Activity(match moved {
            ActivityIndex::UNUSED | ActivityIndex::NOTHING => ActivitySource::Nothing,
            moved => match moved.sum() {
                Some(sum) => ActivitySource::Sum(&self.sums[sum]),
                None => ActivitySource::Flow(flows, moved.0 as usize),
            },
        })
    }

    /// Sets the history of a group from an earlier run, the oldest first.
    pub fn seed(&mut self, group: FlowKey, history: &[f64]) {
        let window = self.options.window;
        let history = &history[history.len().saturating_sub(window)..];
        let lookup = Lookup { hashed: Hashed::of(&group), slot: None };
        let slot = self.slot_of(group, lookup, &Flows::default());
        for (back, point) in history.iter().rev().enumerate() {
            self.rings.set(slot, back, *point);
        }
        self.slots[slot].points = history.len() as u16;
        self.slots[slot].is_seeded = true;
    }

    /// The number of intervals that were closed since the start.
    pub fn intervals_seen(&self) -> usize {
        self.intervals_seen
    }

    /// Continues with other options; histories are kept as far as they fit.
    pub fn resize(&mut self, options: SeriesOptions) {
        self.rings = self.rings.resized(options.window);
        for slot in &mut self.slots {
            slot.points = slot.points.min(options.window as u16);
        }
        self.options = options;
    }

    /// Closes the interval of these flows. Every group gets its point, which may be zero, and is passed to
    /// `visit`, which decides what to do with it. If the interval was several times as long as usual, the
    /// points are means for one interval.
    pub fn close(
        &mut self,
        flows: &Flows,
        times_as_long: f64,
        mut visit: impl FnMut(Window<'_>) -> BaselineUpdate,
    ) {
        self.intervals_seen = self.intervals_seen.saturating_add(1);
        self.rings.turn();
        let mut judged = [0; LOOKUP_BATCH];
        for first in (0..self.slots.len()).step_by(LOOKUP_BATCH) {
            let slots = first..self.slots.len().min(first + LOOKUP_BATCH);
            // All at once, for the same reason as in `look_up`.
            for (bytes, slot) in judged.iter_mut().zip(slots.clone()) {
                let activity = self.activity(self.slots[slot].moved, flows);
                *bytes = activity.bytes().saturating_sub(activity.allowed_bytes());
            }
            for (bytes, slot) in judged.iter().zip(slots) {
                if self.slots[slot].is_used() {
                    let mut point = *bytes as f64;
                    if times_as_long != 1.0 {
                        // A whole number of bytes, like other points.
                        point = (point / times_as_long).round();
                    }
                    self.close_slot(slot, point, flows, &mut visit);
                }
            }
        }
        self.sums.clear();
        if self.unusual.is_empty() {
            // Free the memory: all groups may have been unusual at once.
            self.unusual = FxHashMap::default();
        }
    }

    fn close_slot(
        &mut self,
        slot: usize,
        point: f64,
        flows: &Flows,
        visit: &mut impl FnMut(Window<'_>) -> BaselineUpdate,
    ) {
        let Slot { points: before, moved, .. } = self.slots[slot];
        let oldest = self.push_point(slot, point);
        let update = visit(self.window(slot, flows));
        if update == BaselineUpdate::Freeze {
            self.take_back(slot, oldest, before);
        }
        let closed = &mut self.slots[slot];
        closed.is_fresh = false;
        closed.quiet = if moved == ActivityIndex::NOTHING { closed.quiet + 1 } else { 0 };
        closed.moved = ActivityIndex::NOTHING;
        let is_expired = closed.quiet >= self.options.expire_after;
        if update != BaselineUpdate::Learn {
            let intervals = self.unusual.entry(slot).or_default();
            *intervals = intervals.saturating_add(1);
        } else if !self.unusual.is_empty() {
            self.unusual.remove(&slot);
        }
        if is_expired {
            self.remove(slot);
        }
    }

    fn window<'a>(&'a self, place: usize, flows: &'a Flows) -> Window<'a> {
        let Slot { key, moved, is_seeded, is_fresh, quiet, .. } = self.slots[place];
        Window {
            slot: place,
            is_fresh,
            quiet: if moved == ActivityIndex::NOTHING { quiet + 1 } else { 0 },
            keys: &self.keys,
            key,
            points: self.points_of(place),
            activity: self.activity(moved, flows),
            unusual: self.unusual.get(&place).copied().unwrap_or_default(),
            is_seeded,
        }
    }

    fn points_of(&self, slot: usize) -> Points<'_> {
        Points::new(&self.rings, slot, usize::from(self.slots[slot].points))
    }

    /// The groups with their state before intervals without traffic.
    pub fn quiet(&self) -> Vec<QuietGroup> {
        let used = self.slots.iter().enumerate().filter(|(_, slot)| slot.is_used());
        let quiet = |(slot, of): (usize, &Slot)| QuietGroup {
            slot,
            key: self.keys.key(of.key),
            lives: self.options.expire_after.saturating_sub(of.quiet).max(1),
            empty_window: self.empty_window(slot),
        };
        used.map(quiet).collect()
    }

    /// The length of a group's window if it is full of zeros.
    fn empty_window(&self, slot: usize) -> Option<usize> {
        let points = self.points_of(slot);
        let is_empty =
            points.len() == self.options.window && points.iter().all(|point| point == 0.0);
        is_empty.then_some(points.len())
    }

    /// Ends several intervals without traffic and findings, with the same result as [`Self::close`] of each.
    pub fn pass_quiet(&mut self, groups: &[QuietGroup], intervals: u32) {
        let passed = intervals as usize;
        self.intervals_seen = self.intervals_seen.saturating_add(passed);
        self.rings.turn_by(passed);
        self.unusual = FxHashMap::default();
        let window = self.options.window;
        for &QuietGroup { slot, .. } in groups {
            (0..passed.min(window)).for_each(|back| self.rings.set(slot, back, 0.0));
            let of = &mut self.slots[slot];
            of.points = (usize::from(of.points) + passed).min(window) as u16;
            of.quiet = of.quiet.saturating_add(intervals);
            of.is_fresh = false;
        }
        let mut over: Vec<_> = groups.iter().filter(|group| group.lives <= intervals).collect();
        // In the order in which they would be forgotten if intervals were closed one by one.
        over.sort_by_key(|group| group.lives);
        over.into_iter().for_each(|group| self.remove(group.slot));
    }

    /// Skips `intervals` without any traffic, enough to forget all groups.
    pub fn skip(&mut self, intervals: u64) {
        let passed = usize::try_from(intervals).unwrap_or(usize::MAX);
        self.intervals_seen = self.intervals_seen.saturating_add(passed);
        self.forget_all();
    }

    fn forget_all(&mut self) {
        if let Some(forgotten) = &mut self.forgotten {
            let used = self.slots.iter().filter(|slot| slot.is_used());
            forgotten.extend(used.map(|slot| self.keys.key(slot.key)));
        }
        self.places.clear();
        self.slots.clear();
        self.keys.clear();
        self.unusual.clear();
        self.rings.forget();
        self.free.clear();
        self.hand = 0;
    }

    /// Adds a point; returns the one that it replaces.
    fn push_point(&mut self, slot: usize, point: f64) -> f64 {
        let count = &mut self.slots[slot].points;
        *count = (*count + 1).min(self.options.window as u16);
        let oldest = self.rings.get(slot, 0);
        self.rings.set(slot, 0, point);
        oldest
    }

    /// Undoes [`Self::push_point`]: the previous point is the newest again.
    fn take_back(&mut self, slot: usize, oldest: f64, points_before: u16) {
        self.rings.take_back(slot, oldest);
        self.slots[slot].points = points_before;
    }

    fn remove(&mut self, slot: usize) {
        let compact = std::mem::take(&mut self.slots[slot]).key;
        let key = self.keys.key(compact);
        self.keys.release(compact);
        self.unusual.remove(&slot);
        self.places.remove(Hashed::of(&key), slot);
        self.forgotten.iter_mut().for_each(|forgotten| forgotten.push(key));
        self.free.push(slot as u32);
    }

    fn slot_of(&mut self, group: FlowKey, Lookup { hashed, slot }: Lookup, flows: &Flows) -> usize {
        // It may have been evicted since it was looked up.
        let is_it = |slot: &usize| self.slots[*slot].is_used() && self.is_of(*slot, &group);
        if let Some(slot) = slot.filter(is_it).or_else(|| self.find(hashed, &group)) {
            return slot;
        }
        if self.places.len() >= self.options.max_groups.min(HashIndex::MOST) {
            self.evict(flows);
        }
        let slot = self.free.pop().map_or_else(|| self.grow(), |slot| slot as usize);
        self.start(slot, group);
        let Self { places, slots, keys, .. } = self;
        places.insert(hashed, slot, |slot| Hashed::of(&keys.key(slots[slot].key)));
        slot
    }

    fn grow(&mut self) -> usize {
        self.slots.push(Slot::default());
        self.rings.grow();
        self.slots.len() - 1
    }

    fn start(&mut self, slot: usize, group: FlowKey) {
        self.rings.clear(slot);
        let SeriesOptions { assume_quiet_before, window, .. } = self.options;
        let points = if assume_quiet_before { self.intervals_seen.min(window) as u16 } else { 0 };
        let moved = ActivityIndex::NOTHING;
        let key = self.keys.compact(&group);
        self.slots[slot] = Slot { key, moved, points, is_fresh: true, ..Slot::default() };
    }

    /// Evicts the quietest of the next few groups, and among equally quiet ones the one with the fewest
    /// bytes. Searching all would cost too much in a flood of new groups.
    fn evict(&mut self, flows: &Flows) {
        let len = self.slots.len();
        let nearby = (0..EVICTION_SCAN.min(len)).map(|step| (self.hand + step) % len);
        let victim = nearby.filter(|slot| self.slots[*slot].is_used()).max_by_key(|slot| {
            let bytes = self.activity(self.slots[*slot].moved, flows).bytes();
            (self.slots[*slot].quiet, bytes == 0, std::cmp::Reverse(bytes))
        });
        let Some(victim) = victim else { return };
        self.hand = (victim + 1) % len;
        self.evicted += 1;
        self.remove(victim);
    }
}

impl Slot {
    fn is_used(&self) -> bool {
        self.moved != ActivityIndex::UNUSED
    }
}

impl Sum {
    fn add(&mut self, (flow, counters): &(FlowKey, Counters), is_allowed: bool) {
        if self.flows == 0 || counters.bytes > self.most_bytes {
            (self.main_flow, self.most_bytes) = (*flow, counters.bytes);
        }
        self.counters.merge(counters);
        self.flows += 1;
        self.allowed_bytes += if is_allowed { counters.bytes } else { 0 };
    }
}
