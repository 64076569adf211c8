//! The history of each group: its last points, one an interval. Owns gaps (points of zero), expiry
//! and the memory bound; refuses to judge.

use wherefore_common::{Counters, FlowKey};

use crate::places::{Hashed, Places};

/// How many places are looked at for a quiet group when one must make room.
const EVICTION_SCAN: usize = 64;

/// How histories are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesOptions {
    /// Points kept of each group.
    pub window: usize,
    /// Groups kept at the most.
    pub max_groups: usize,
    /// Quiet intervals after which a group is forgotten.
    pub expire_after: u32,
    /// Whether a new group is given points of zero for the intervals before it, in which it was
    /// watched for and did not exist.
    pub assume_quiet_before: bool,
}

/// What a group did in the interval that is being collected.
#[derive(Debug, Clone, Copy, Default)]
pub struct Activity {
    /// Sums.
    pub counters: Counters,
    /// Octets that are not judged; part of the sums.
    pub allowed_bytes: u64,
    /// The flow of its last packet.
    pub last_flow: FlowKey,
}

/// One group's history.
#[derive(Debug, Clone, Default)]
struct Slot {
    key: FlowKey,
    is_used: bool,
    /// Points kept; the last is the newest.
    points: usize,
    quiet: u32,
    activity: Activity,
    /// Unusual intervals in a row.
    unusual: u32,
    /// Whether its history is from an earlier run.
    is_seeded: bool,
    /// Whether no interval was closed since it was given its group.
    is_fresh: bool,
}

/// The histories of all groups, in one piece of memory.
#[derive(Debug)]
pub struct Series {
    options: SeriesOptions,
    /// Of each group in `slots`.
    places: Places,
    slots: Vec<Slot>,
    /// `window` points for each slot.
    points: Vec<f64>,
    free: Vec<u32>,
    /// Where the search for a quiet group goes on.
    hand: usize,
    intervals_seen: usize,
    evicted: u64,
    /// Groups that were forgotten, where somebody wants to know.
    forgotten: Option<Vec<FlowKey>>,
}

/// Where a group was found, if it was. It may make room before it is collected.
#[derive(Debug, Clone, Copy)]
pub struct Sought {
    hashed: Hashed,
    slot: Option<usize>,
}

/// A group and its window after an interval was closed.
#[derive(Debug)]
pub struct Window<'a> {
    /// The group's place: its own as long as it is tracked.
    pub slot: usize,
    /// Whether the place is new to it.
    pub is_fresh: bool,
    /// The group.
    pub key: &'a FlowKey,
    /// Bytes an interval, oldest first; the last is the interval just closed.
    pub points: &'a [f64],
    /// What it did in the interval just closed.
    pub activity: &'a Activity,
    /// Unusual intervals in a row before this one.
    pub unusual: u32,
    /// Whether its history is from an earlier run, and so full from the start.
    pub is_seeded: bool,
}

/// What becomes of the newest point of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    /// It is usual, and part of the history.
    Usual,
    /// It is unusual, and part of the history all the same.
    Unusual,
    /// It is unusual, and the history is to know nothing of it.
    Ignored,
}

impl Series {
    /// No group yet.
    pub fn new(options: SeriesOptions) -> Self {
        Self {
            options,
            places: Places::default(),
            slots: Vec::new(),
            points: Vec::new(),
            free: Vec::new(),
            hand: 0,
            intervals_seen: 0,
            evicted: 0,
            forgotten: None,
        }
    }

    /// From now on remembers which groups it forgets, for [`Self::take_forgotten`].
    pub fn tell_forgotten(&mut self) {
        self.forgotten = Some(Vec::new());
    }

    /// The groups that were forgotten since the last call.
    pub fn take_forgotten(&mut self) -> Vec<FlowKey> {
        self.forgotten.as_mut().map_or(Vec::new(), std::mem::take)
    }

    /// Groups kept now.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The groups that were judged, with their slots.
    pub fn groups(&self) -> impl Iterator<Item = (usize, FlowKey)> + '_ {
        let slots = self.slots.iter().enumerate();
        slots
            .filter(|(_, slot)| slot.is_used && !slot.is_fresh)
            .map(|(place, slot)| (place, slot.key))
    }

    /// Whether no group is kept.
    pub fn is_empty(&self) -> bool {
        self.places.len() == 0
    }

    /// Groups forgotten to make room, since the start.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Looks for a group: it costs less where several are looked for, one after the other, before
    /// any is collected, as the processor waits for the memory of all at once.
    pub fn seek(&self, group: &FlowKey) -> Sought {
        let hashed = Hashed::of(group);
        Sought { hashed, slot: self.find(hashed, group) }
    }

    fn find(&self, hashed: Hashed, group: &FlowKey) -> Option<usize> {
        self.places.find(hashed, |slot| self.slots[slot].key == *group)
    }

    /// Adds what a flow moved to its group in the interval being collected; what is allowed is no
    /// part of the point that is judged.
    pub fn collect(
        &mut self,
        (group, sought): (FlowKey, Sought),
        flow: &FlowKey,
        counters: &Counters,
        is_allowed: bool,
    ) {
        let slot = self.slot_of(group, sought);
        let activity = &mut self.slots[slot].activity;
        let is_newer = counters.last_ns as i64 >= activity.counters.last_ns as i64;
        if activity.counters.device_packets == 0 || is_newer {
            activity.last_flow = *flow;
        }
        activity.counters.merge(counters);
        activity.allowed_bytes += if is_allowed { counters.bytes } else { 0 };
    }

    /// Gives a group the history that an earlier run had of it, oldest first.
    pub fn seed(&mut self, group: FlowKey, history: &[f64]) {
        let window = self.options.window;
        let history = &history[history.len().saturating_sub(window)..];
        let slot = self.slot_of(group, self.seek(&group));
        self.points[(slot + 1) * window - history.len()..(slot + 1) * window]
            .copy_from_slice(history);
        self.slots[slot].points = history.len();
        self.slots[slot].is_seeded = true;
    }

    /// Intervals closed since the start.
    pub fn intervals_seen(&self) -> usize {
        self.intervals_seen
    }

    /// Goes on with other options; histories are kept as far as they fit.
    pub fn resize(&mut self, options: SeriesOptions) {
        let (before, after) = (self.options.window, options.window);
        let mut points = vec![0.0; self.slots.len() * after];
        let kept = before.min(after);
        for slot in 0..self.slots.len() {
            let from = &self.points[(slot + 1) * before - kept..(slot + 1) * before];
            points[(slot + 1) * after - kept..(slot + 1) * after].copy_from_slice(from);
            self.slots[slot].points = self.slots[slot].points.min(after);
        }
        self.points = points;
        self.options = options;
    }

    /// Closes the interval: every group gets its point, also of zero, and is shown to `visit`.
    /// `visit` says what becomes of it.
    pub fn close(&mut self, mut visit: impl FnMut(Window<'_>) -> Lesson) {
        self.intervals_seen = self.intervals_seen.saturating_add(1);
        for slot in 0..self.slots.len() {
            if !self.slots[slot].is_used {
                continue;
            }
            let before = self.slots[slot].points;
            let oldest = self.push_point(slot);
            let lesson = visit(self.window(slot));
            if lesson == Lesson::Ignored {
                self.take_back(slot, oldest, before);
            }
            let entry = &mut self.slots[slot];
            entry.is_fresh = false;
            entry.unusual =
                if lesson == Lesson::Usual { 0 } else { entry.unusual.saturating_add(1) };
            self.settle(slot);
        }
    }

    fn window(&self, slot: usize) -> Window<'_> {
        let Slot { key, points, activity, unusual, is_seeded, is_fresh, .. } = &self.slots[slot];
        let end = (slot + 1) * self.options.window;
        let points = &self.points[end - *points..end];
        let (unusual, is_seeded, is_fresh) = (*unusual, *is_seeded, *is_fresh);
        Window { slot, is_fresh, key, points, activity, unusual, is_seeded }
    }

    /// Lets `intervals` pass in which nothing moved anywhere, so many that all is forgotten.
    pub fn skip(&mut self, intervals: u64) {
        let passed = usize::try_from(intervals).unwrap_or(usize::MAX);
        self.intervals_seen = self.intervals_seen.saturating_add(passed);
        self.forget_all();
    }

    fn forget_all(&mut self) {
        if let Some(forgotten) = &mut self.forgotten {
            let used = self.slots.iter().filter(|slot| slot.is_used);
            forgotten.extend(used.map(|slot| slot.key));
        }
        self.places.clear();
        self.slots.clear();
        self.points.clear();
        self.free.clear();
        self.hand = 0;
    }

    /// The newest point is at the end of the slot's points; older ones move one place forward.
    /// Gives the one that had no place any more.
    fn push_point(&mut self, slot: usize) -> f64 {
        let window = self.options.window;
        let points = &mut self.points[slot * window..(slot + 1) * window];
        let oldest = points.first().copied().unwrap_or(0.0);
        points.copy_within(1.., 0);
        let slot = &mut self.slots[slot];
        let Activity { counters, allowed_bytes, .. } = slot.activity;
        if let Some(last) = points.last_mut() {
            *last = counters.bytes.saturating_sub(allowed_bytes) as f64;
        }
        slot.points = (slot.points + 1).min(window);
        oldest
    }

    /// Undoes [`Self::push_point`].
    fn take_back(&mut self, slot: usize, oldest: f64, points_before: usize) {
        let window = self.options.window;
        let points = &mut self.points[slot * window..(slot + 1) * window];
        points.copy_within(..window - 1, 1);
        if let Some(first) = points.first_mut() {
            *first = oldest;
        }
        self.slots[slot].points = points_before;
    }

    /// Counts quiet intervals and forgets what was quiet for too long.
    fn settle(&mut self, slot: usize) {
        let entry = &mut self.slots[slot];
        entry.quiet = if entry.activity.counters.device_packets == 0 { entry.quiet + 1 } else { 0 };
        entry.activity = Activity::default();
        if entry.quiet >= self.options.expire_after {
            self.remove(slot);
        }
    }

    fn remove(&mut self, slot: usize) {
        let key = self.slots[slot].key;
        self.places.remove(Hashed::of(&key), slot);
        self.forgotten.iter_mut().for_each(|forgotten| forgotten.push(key));
        self.slots[slot] = Slot::default();
        self.free.push(slot as u32);
    }

    fn slot_of(&mut self, group: FlowKey, Sought { hashed, slot }: Sought) -> usize {
        let is_it = |slot: &usize| self.slots[*slot].is_used && self.slots[*slot].key == group;
        if let Some(slot) = slot.filter(is_it).or_else(|| self.find(hashed, &group)) {
            return slot;
        }
        if self.places.len() >= self.options.max_groups {
            self.evict();
        }
        let slot = self.free.pop().map_or_else(|| self.grow(), |slot| slot as usize);
        self.start(slot, group);
        self.places.insert(hashed, slot);
        slot
    }

    fn grow(&mut self) -> usize {
        self.slots.push(Slot::default());
        self.points.resize(self.slots.len() * self.options.window, 0.0);
        self.slots.len() - 1
    }

    fn start(&mut self, slot: usize, group: FlowKey) {
        let window = self.options.window;
        self.points[slot * window..(slot + 1) * window].fill(0.0);
        let quiet_before =
            if self.options.assume_quiet_before { self.intervals_seen.min(window) } else { 0 };
        self.slots[slot] = Slot {
            key: group,
            is_used: true,
            is_fresh: true,
            points: quiet_before,
            ..Slot::default()
        };
    }

    /// Forgets the quietest of the next few groups, and of those the one that moved least: a
    /// search of all would cost too much in a flood of new ones.
    fn evict(&mut self) {
        let len = self.slots.len();
        let nearby = (0..EVICTION_SCAN.min(len)).map(|step| (self.hand + step) % len);
        let victim = nearby.filter(|slot| self.slots[*slot].is_used).max_by_key(|slot| {
            let slot = &self.slots[*slot];
            let bytes = slot.activity.counters.bytes;
            (slot.quiet, bytes == 0, std::cmp::Reverse(bytes))
        });
        let Some(victim) = victim else { return };
        self.hand = (victim + 1) % len;
        self.evicted += 1;
        self.remove(victim);
    }
}
