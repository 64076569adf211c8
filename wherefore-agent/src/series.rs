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

/// What a group did in an interval.
#[derive(Debug, Clone, Copy, Default)]
pub struct Activity {
    /// Sums.
    pub counters: Counters,
    /// Octets that are not judged; part of the sums.
    pub allowed_bytes: u64,
    /// The flow of its last packet.
    pub last_flow: FlowKey,
}

/// What a group is found by and collected in: one cache line, as that of another group is waited for
/// with each flow.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Slot {
    key: FlowKey,
    moved: Moved,
}

/// Where it is known what a group did in the interval that is being collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Moved {
    /// There is no group.
    #[default]
    Unused,
    /// It did nothing.
    Nothing,
    /// It is a flow of the interval's, by its place.
    Flow(u32),
    /// It is in `sums`.
    Sum(u32),
}

/// What of a group is of use at the end of an interval only.
#[derive(Debug, Clone, Copy, Default)]
struct Course {
    /// Points kept; the last is the newest.
    points: u32,
    quiet: u32,
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
    /// One for each slot.
    courses: Vec<Course>,
    /// What groups did that moved more than a flow which is judged whole.
    sums: Vec<Activity>,
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

/// Groups that are looked for at once.
pub const SOUGHT: usize = 16;

/// Where a group was found, if it was.
#[derive(Debug, Clone, Copy, Default)]
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
            courses: Vec::new(),
            sums: Vec::new(),
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
        let slots = self.slots.iter().zip(&self.courses).enumerate();
        slots
            .filter(|(_, (slot, course))| slot.is_used() && !course.is_fresh)
            .map(|(place, (slot, _))| (place, slot.key))
    }

    /// Whether no group is kept.
    pub fn is_empty(&self) -> bool {
        self.places.len() == 0
    }

    /// Groups forgotten to make room, since the start.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Looks for groups, several at once, before any of them is collected: the processor then waits
    /// for the memory of all of them together. Each step is a loop, as what is asked of memory in
    /// one does not depend on what else comes of it.
    pub fn seek(&self, groups: &[FlowKey], sought: &mut [Sought]) {
        for (sought, group) in sought.iter_mut().zip(groups) {
            *sought = Sought { hashed: Hashed::of(group), slot: None };
        }
        for sought in &mut sought[..groups.len()] {
            sought.slot = self.places.guess(sought.hashed);
        }
        for (sought, group) in sought.iter_mut().zip(groups) {
            sought.slot = sought.slot.filter(|slot| self.slots[*slot].key == *group);
        }
    }

    fn find(&self, hashed: Hashed, group: &FlowKey) -> Option<usize> {
        self.places.find(hashed, |slot| self.slots[slot].key == *group)
    }

    /// Adds what the flow at this place of the interval moved to its group; what is allowed is no part
    /// of the point that is judged. All flows up to [`Self::close`] are of the same interval.
    pub fn collect(
        &mut self,
        (group, sought): (FlowKey, Sought),
        flows: &[(FlowKey, Counters)],
        at: usize,
        is_allowed: bool,
    ) {
        let slot = self.slot_of(group, sought, flows);
        let moved = self.slots[slot].moved;
        if moved == Moved::Nothing && !is_allowed {
            self.slots[slot].moved = Moved::Flow(at as u32);
            return;
        }
        let sum = match moved {
            Moved::Sum(sum) => sum as usize,
            _ => {
                self.sums.push(self.activity(moved, flows));
                self.sums.len() - 1
            }
        };
        self.sums[sum].add(&flows[at], is_allowed);
        self.slots[slot].moved = Moved::Sum(sum as u32);
    }

    fn activity(&self, moved: Moved, flows: &[(FlowKey, Counters)]) -> Activity {
        let mut activity = Activity::default();
        match moved {
            Moved::Unused | Moved::Nothing => {}
            Moved::Flow(at) => activity.add(&flows[at as usize], false),
            Moved::Sum(sum) => activity = self.sums[sum as usize],
        }
        activity
    }

    /// Gives a group the history that an earlier run had of it, oldest first.
    pub fn seed(&mut self, group: FlowKey, history: &[f64]) {
        let window = self.options.window;
        let history = &history[history.len().saturating_sub(window)..];
        let slot = self.slot_of(group, Sought { hashed: Hashed::of(&group), slot: None }, &[]);
        self.points[(slot + 1) * window - history.len()..(slot + 1) * window]
            .copy_from_slice(history);
        self.courses[slot].points = history.len() as u32;
        self.courses[slot].is_seeded = true;
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
            self.courses[slot].points = self.courses[slot].points.min(after as u32);
        }
        self.points = points;
        self.options = options;
    }

    /// Closes the interval of these flows: every group gets its point, also of zero, and is shown to
    /// `visit`. `visit` says what becomes of it.
    pub fn close(
        &mut self,
        flows: &[(FlowKey, Counters)],
        mut visit: impl FnMut(Window<'_>) -> Lesson,
    ) {
        self.intervals_seen = self.intervals_seen.saturating_add(1);
        let mut activities = [Activity::default(); SOUGHT];
        for first in (0..self.slots.len()).step_by(SOUGHT) {
            let slots = first..self.slots.len().min(first + SOUGHT);
            // All at once, for the reason that `seek` has.
            for (activity, slot) in activities.iter_mut().zip(slots.clone()) {
                *activity = self.activity(self.slots[slot].moved, flows);
            }
            for (activity, slot) in activities.iter().zip(slots) {
                if self.slots[slot].is_used() {
                    self.close_slot(slot, activity, &mut visit);
                }
            }
        }
        self.sums.clear();
    }

    fn close_slot(
        &mut self,
        slot: usize,
        activity: &Activity,
        visit: &mut impl FnMut(Window<'_>) -> Lesson,
    ) {
        let before = self.courses[slot].points;
        let oldest = self.push_point(slot, activity);
        let lesson = visit(self.window(slot, activity));
        if lesson == Lesson::Ignored {
            self.take_back(slot, oldest, before);
        }
        let course = &mut self.courses[slot];
        course.is_fresh = false;
        course.unusual = if lesson == Lesson::Usual { 0 } else { course.unusual.saturating_add(1) };
        course.quiet = if activity.counters.device_packets == 0 { course.quiet + 1 } else { 0 };
        self.slots[slot].moved = Moved::Nothing;
        if self.courses[slot].quiet >= self.options.expire_after {
            self.remove(slot);
        }
    }

    fn window<'a>(&'a self, slot: usize, activity: &'a Activity) -> Window<'a> {
        let Course { points, unusual, is_seeded, is_fresh, .. } = self.courses[slot];
        let end = (slot + 1) * self.options.window;
        let points = &self.points[end - points as usize..end];
        let key = &self.slots[slot].key;
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
            let used = self.slots.iter().filter(|slot| slot.is_used());
            forgotten.extend(used.map(|slot| slot.key));
        }
        self.places.clear();
        self.slots.clear();
        self.courses.clear();
        self.points.clear();
        self.free.clear();
        self.hand = 0;
    }

    /// The newest point is at the end of the slot's points; older ones move one place forward.
    /// Gives the one that had no place any more.
    fn push_point(&mut self, slot: usize, activity: &Activity) -> f64 {
        let window = self.options.window;
        let points = &mut self.points[slot * window..(slot + 1) * window];
        let oldest = points.first().copied().unwrap_or(0.0);
        points.copy_within(1.., 0);
        let Activity { counters, allowed_bytes, .. } = activity;
        if let Some(last) = points.last_mut() {
            *last = counters.bytes.saturating_sub(*allowed_bytes) as f64;
        }
        let course = &mut self.courses[slot];
        course.points = (course.points + 1).min(window as u32);
        oldest
    }

    /// Undoes [`Self::push_point`].
    fn take_back(&mut self, slot: usize, oldest: f64, points_before: u32) {
        let window = self.options.window;
        let points = &mut self.points[slot * window..(slot + 1) * window];
        points.copy_within(..window - 1, 1);
        if let Some(first) = points.first_mut() {
            *first = oldest;
        }
        self.courses[slot].points = points_before;
    }

    fn remove(&mut self, slot: usize) {
        let key = self.slots[slot].key;
        self.places.remove(Hashed::of(&key), slot);
        self.forgotten.iter_mut().for_each(|forgotten| forgotten.push(key));
        self.slots[slot] = Slot::default();
        self.free.push(slot as u32);
    }

    fn slot_of(
        &mut self,
        group: FlowKey,
        Sought { hashed, slot }: Sought,
        flows: &[(FlowKey, Counters)],
    ) -> usize {
        // It may have made room since it was looked for.
        let is_it = |slot: &usize| self.slots[*slot].is_used() && self.slots[*slot].key == group;
        if let Some(slot) = slot.filter(is_it).or_else(|| self.find(hashed, &group)) {
            return slot;
        }
        if self.places.len() >= self.options.max_groups {
            self.evict(flows);
        }
        let slot = self.free.pop().map_or_else(|| self.grow(), |slot| slot as usize);
        self.start(slot, group);
        self.places.insert(hashed, slot);
        slot
    }

    fn grow(&mut self) -> usize {
        self.slots.push(Slot::default());
        self.courses.push(Course::default());
        self.points.resize(self.slots.len() * self.options.window, 0.0);
        self.slots.len() - 1
    }

    fn start(&mut self, slot: usize, group: FlowKey) {
        let window = self.options.window;
        self.points[slot * window..(slot + 1) * window].fill(0.0);
        let quiet_before =
            if self.options.assume_quiet_before { self.intervals_seen.min(window) } else { 0 };
        self.slots[slot] = Slot { key: group, moved: Moved::Nothing };
        self.courses[slot] =
            Course { points: quiet_before as u32, is_fresh: true, ..Course::default() };
    }

    /// Forgets the quietest of the next few groups, and of those the one that moved least: a
    /// search of all would cost too much in a flood of new ones.
    fn evict(&mut self, flows: &[(FlowKey, Counters)]) {
        let len = self.slots.len();
        let nearby = (0..EVICTION_SCAN.min(len)).map(|step| (self.hand + step) % len);
        let victim = nearby.filter(|slot| self.slots[*slot].is_used()).max_by_key(|slot| {
            let bytes = self.activity(self.slots[*slot].moved, flows).counters.bytes;
            (self.courses[*slot].quiet, bytes == 0, std::cmp::Reverse(bytes))
        });
        let Some(victim) = victim else { return };
        self.hand = (victim + 1) % len;
        self.evicted += 1;
        self.remove(victim);
    }
}

impl Slot {
    fn is_used(&self) -> bool {
        self.moved != Moved::Unused
    }
}

impl Activity {
    fn add(&mut self, (flow, counters): &(FlowKey, Counters), is_allowed: bool) {
        let is_newer = counters.last_ns as i64 >= self.counters.last_ns as i64;
        if self.counters.device_packets == 0 || is_newer {
            self.last_flow = *flow;
        }
        self.counters.merge(counters);
        self.allowed_bytes += if is_allowed { counters.bytes } else { 0 };
    }
}
