//! How surprising a finding has to be so that ordinary traffic gives as many alerts as were asked
//! for. Owns what was learned of how often each surprise comes, for one kind of finding; refuses to
//! look at traffic.
//!
//! At first a surprise is taken at its word: s is due once in 10^s intervals. That counts as half a
//! day of experience, to which what is seen is added: episodes of a group by their highest surprise.
//! The threshold is the lowest surprise from which on as many are due as the budget allows. Many
//! groups that are strange in the same interval are one event: what they have in common is rare once.
//!
//! As long as one more may be told the threshold is lower, by up to [`RELAXED`]: what was not told
//! yesterday may be told today. What an episode's first alert was told for keeps it told.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wherefore_common::FlowKey;

use crate::traffic::group::reversed;

/// What is less surprising is no episode, and never told within a budget.
pub const FLOOR: f32 = 2.0;
/// Width of a bin of surprises.
const WIDTH: f32 = 0.1;
/// Bins: up to 12, beyond which nothing can be told apart.
const BINS: usize = 100;
/// As how many seconds of experience the belief counts that surprises are what they say.
const PRIOR_SECONDS: f64 = 12.0 * 3600.0;
/// After so long, experience counts half.
const HALF_LIFE_SECONDS: f64 = 7.0 * 24.0 * 3600.0;
/// By how much an unspent budget lowers the threshold.
const RELAXED: f32 = 1.2;
/// Intervals without a surprise after which an episode is over.
const OVER_AFTER: i64 = 60;
/// Episodes followed at the same time; those beyond are strange at once with others.
const MOST_OPEN: usize = 4096;

/// How many are due an interval from each surprise on, where these are what they say.
static BELIEVED: LazyLock<[f64; BINS]> =
    LazyLock::new(|| std::array::from_fn(|place| 10f64.powf(-f64::from(lower_end(place)))));

/// The experience with one kind of finding.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Episodes that may be told in an interval; `None` where a surprise was asked for by number.
    allowed: Option<f64>,
    threshold: f32,
    experience: Experience,
    decay: f64,
    prior: f64,
    open: FxHashMap<FlowKey, Episode>,
    /// The group that stands for this interval's new episodes.
    newest: Option<(FlowKey, f32)>,
}

/// How many episodes reached each surprise; what outlives a restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Experience {
    /// Episodes by their highest surprise, from [`FLOOR`] on.
    episodes: Vec<f64>,
    /// In so many intervals.
    intervals: f64,
    /// Episodes told more than the budget gave so far; 0 where one more may be.
    spent: f64,
}

/// A group's surprises on end.
#[derive(Debug, Clone, Copy)]
struct Episode {
    highest: f32,
    last: i64,
    /// Whether it is counted: only one of those that begin together is.
    is_counted: bool,
    /// The threshold that it exceeded when it was told.
    told_at: Option<f32>,
}

impl Budget {
    /// One that allows so many episodes an interval, whose length is in seconds.
    pub fn new(allowed: f64, interval_seconds: f64) -> Self {
        Self { allowed: Some(allowed), ..Self::fixed(0.0) }.paced(interval_seconds)
    }

    /// One that tells what is as surprising as this.
    pub fn fixed(threshold: f32) -> Self {
        Self {
            allowed: None,
            threshold,
            experience: Experience::default(),
            decay: 1.0,
            prior: 1.0,
            open: FxHashMap::default(),
            newest: None,
        }
    }

    fn paced(mut self, interval_seconds: f64) -> Self {
        self.prior = (PRIOR_SECONDS / interval_seconds).max(1.0);
        self.decay = (-interval_seconds / HALF_LIFE_SECONDS).exp2();
        self.threshold = self.calibrated();
        self
    }

    /// Goes on with the experience of another, of the same kind.
    pub fn resume(&mut self, mut experience: Experience) {
        let is_sound = |number: &f64| number.is_finite() && *number >= 0.0;
        experience.episodes.resize(BINS, 0.0);
        if experience
            .episodes
            .iter()
            .chain([&experience.intervals, &experience.spent])
            .all(is_sound)
        {
            self.experience = experience;
            self.threshold = self.calibrated();
        }
    }

    /// What was learned so far.
    pub fn experience(&self) -> &Experience {
        &self.experience
    }

    /// The surprise from which a finding is told now.
    pub fn threshold(&self) -> f32 {
        if self.allowed.is_none() {
            return self.threshold;
        }
        let unspent = (1.0 - self.experience.spent).clamp(0.0, 1.0);
        (self.threshold - RELAXED * unspent as f32).max(FLOOR)
    }

    /// What is less surprising is not told, and teaches nothing.
    pub fn floor(&self) -> f32 {
        if self.allowed.is_some() { FLOOR } else { self.threshold }
    }

    /// Whether a group's episode was told and is not over.
    pub fn is_told(&self, group: &FlowKey) -> bool {
        self.open.get(group).is_some_and(|episode| episode.told_at.is_some())
    }

    /// Whether any told episode that is not over is about such a group.
    pub fn tells_of(&self, mut is_it: impl FnMut(&FlowKey) -> bool) -> bool {
        self.open.iter().any(|(group, episode)| episode.told_at.is_some() && is_it(group))
    }

    /// Takes note of how surprising a group is in interval `index`, and gives the threshold that it
    /// is told for, if it is.
    pub fn tells(&mut self, group: &FlowKey, surprise: f32, index: i64) -> Option<f32> {
        let mut threshold = self.threshold();
        if self.allowed.is_none() || surprise < FLOOR {
            return (self.allowed.is_none() && surprise >= threshold).then_some(threshold);
        }
        // Whose answers are told is told for as much, and costs nothing.
        let answer = self.open.get(&reversed(group)).and_then(|answer| answer.told_at);
        threshold = answer.unwrap_or(threshold);
        let Some(episode) = self.note(group, surprise, index) else {
            return (surprise >= self.threshold).then_some(self.threshold);
        };
        let is_new = episode.told_at.is_none();
        let needed = episode.told_at.unwrap_or(threshold);
        if surprise < needed {
            return None;
        }
        episode.told_at = Some(needed);
        if is_new && answer.is_none() {
            self.experience.spent += 1.0;
        }
        Some(needed)
    }

    /// The group's episode, a new one where none is open; none where there are too many.
    fn note(&mut self, group: &FlowKey, surprise: f32, index: i64) -> Option<&mut Episode> {
        let is_new = !self.open.contains_key(group);
        if is_new && self.newest.is_none_or(|(_, highest)| surprise > highest) {
            self.newest = Some((*group, surprise));
        }
        if is_new && self.open.len() >= MOST_OPEN {
            return None;
        }
        let begun = Episode { highest: surprise, last: index, is_counted: false, told_at: None };
        let episode = self.open.entry(*group).or_insert(begun);
        episode.last = index;
        if surprise > episode.highest {
            let before = std::mem::replace(&mut episode.highest, surprise);
            if episode.is_counted {
                self.experience.moves(before, surprise);
            }
        }
        Some(episode)
    }

    /// Ends an interval.
    pub fn close(&mut self, index: i64) {
        if self.allowed.is_none() {
            return;
        }
        self.pass(1);
        if let Some((group, surprise)) = self.newest.take() {
            self.experience.counts(surprise, 1.0);
            self.open.entry(group).and_modify(|episode| episode.is_counted = true);
        }
        self.end_episodes(index);
        self.threshold = self.calibrated();
    }

    /// Ends so many intervals in which nothing was surprising, the last of them `last`: the same as
    /// [`Self::close`] of each.
    pub fn pass_quiet(&mut self, intervals: u64, last: i64) {
        let Some(allowed) = self.allowed else { return };
        self.experience.passes_each(self.decay, intervals);
        for _ in 0..intervals {
            self.experience.spent = (self.experience.spent - allowed).max(0.0);
            if self.experience.spent == 0.0 {
                break;
            }
        }
        self.end_episodes(last);
        self.threshold = self.calibrated();
    }

    /// Lets intervals pass in which nothing is judged, up to interval `last`.
    pub fn skip(&mut self, intervals: u64, last: i64) {
        if self.allowed.is_some() {
            self.pass(intervals);
            self.end_episodes(last);
            self.threshold = self.calibrated();
        }
    }

    fn end_episodes(&mut self, index: i64) {
        self.open.retain(|_, episode| index.saturating_sub(episode.last) < OVER_AFTER);
    }

    fn pass(&mut self, intervals: u64) {
        self.experience.passes(self.decay, intervals);
        let given = self.allowed.unwrap_or(0.0) * intervals as f64;
        self.experience.spent = (self.experience.spent - given).max(0.0);
    }

    /// The lowest surprise from which on no more episodes are due than are allowed.
    fn calibrated(&self) -> f32 {
        let Some(allowed) = self.allowed else { return self.threshold };
        let whole = self.prior + self.experience.intervals;
        let (mut seen, mut place) = (0.0, BINS);
        while place > 0 {
            seen += self.experience.episodes.get(place - 1).copied().unwrap_or(0.0);
            let due = (self.prior * BELIEVED[place - 1] + seen) / whole;
            if due > allowed {
                break;
            }
            place -= 1;
        }
        lower_end(place)
    }
}

impl Experience {
    fn passes(&mut self, decay: f64, intervals: u64) {
        let left = decay.powf(intervals as f64);
        // Each interval counts 1, and as much less as others came after it.
        let passed = if decay < 1.0 { (1.0 - left) / (1.0 - decay) } else { intervals as f64 };
        self.intervals = self.intervals * left + passed;
        self.episodes.resize(BINS, 0.0);
        self.episodes.iter_mut().for_each(|count| *count *= left);
    }

    /// One interval after the other, so that the sums are those of as many steps to the last digit.
    fn passes_each(&mut self, decay: f64, intervals: u64) {
        self.episodes.resize(BINS, 0.0);
        for count in self.episodes.iter_mut().filter(|count| **count != 0.0) {
            (0..intervals).for_each(|_| *count *= decay);
        }
        (0..intervals).for_each(|_| self.intervals = self.intervals * decay + 1.0);
    }

    fn counts(&mut self, surprise: f32, by: f64) {
        if let Some(count) = self.episodes.get_mut(place_of(surprise)) {
            *count = (*count + by).max(0.0);
        }
    }

    fn moves(&mut self, from: f32, to: f32) {
        self.counts(from, -1.0);
        self.counts(to, 1.0);
    }
}

fn place_of(surprise: f32) -> usize {
    // The conversion saturates.
    (((surprise - FLOOR) / WIDTH) as usize).min(BINS - 1)
}

fn lower_end(place: usize) -> f32 {
    FLOOR + place as f32 * WIDTH
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: f64 = 5.0;
    const DAY: i64 = 17_280;

    fn group(number: u32) -> FlowKey {
        FlowKey { ifindex: number, sport: 1, ..FlowKey::default() }
    }

    /// Ten alerts a day, at intervals of 5 s.
    fn ten_a_day() -> Budget {
        Budget::new(10.0 / DAY as f64, INTERVAL)
    }

    #[test]
    fn at_first_a_surprise_is_taken_at_its_word() {
        // Ten in 17,280 intervals: log10(1728) = 3.24.
        assert!((ten_a_day().threshold - 3.3).abs() < 0.06, "{}", ten_a_day().threshold);
        assert_eq!(Budget::fixed(4.5).threshold(), 4.5);
    }

    #[test]
    fn where_much_is_strange_the_threshold_rises_until_the_budget_is_kept() {
        let mut budget = ten_a_day();
        let mut told = 0;
        for index in 0..4 * DAY {
            // One episode in 100 intervals, with surprises evenly spread from 2 to 6.
            if index % 100 == 0 {
                let surprise = 2.0 + (index / 100 * 37 % 100) as f32 * 0.04;
                let tells = budget.tells(&group(index as u32), surprise, index).is_some();
                told += u32::from(tells && index >= 2 * DAY);
            }
            budget.close(index);
        }
        assert!((14..=26).contains(&told), "{told} told in two days, {}", budget.threshold());
    }

    #[test]
    fn groups_that_are_strange_together_are_one_event() {
        let mut budget = ten_a_day();
        let before = budget.threshold;
        for number in 0..10_000 {
            assert!(budget.tells(&group(number), 8.0, 1).is_some());
        }
        budget.close(1);
        assert!(budget.threshold <= before + 0.2, "{before} {}", budget.threshold);
        assert!(budget.open.len() <= MOST_OPEN);
    }

    #[test]
    fn an_episode_counts_once_by_its_highest() {
        let mut budget = ten_a_day();
        for (index, surprise) in [2.5, 3.5, 5.0, 4.0].into_iter().enumerate() {
            budget.tells(&group(1), surprise, index as i64);
            budget.close(index as i64);
        }
        let counted: Vec<_> =
            budget.experience.episodes.iter().map(|count| count.round()).collect();
        assert_eq!(counted.iter().sum::<f64>(), 1.0);
        assert_eq!(counted[place_of(5.0)], 1.0);
    }

    #[test]
    fn what_is_unspent_lowers_the_threshold_and_what_was_told_stays_told() {
        let mut budget = ten_a_day();
        let first = budget.threshold();
        assert!(first < budget.threshold - 0.9);
        assert!(budget.tells(&group(0), first, 0).is_some());
        (1..40).for_each(|number| assert_eq!(budget.tells(&group(number), first, 0), None));
        (40..60).for_each(|number| assert!(budget.tells(&group(number), 9.0, 0).is_some()));
        assert_eq!(budget.threshold(), budget.threshold);
        assert_eq!(budget.tells(&group(0), first, 1), Some(first), "it was told for as much");
        (1..100).for_each(|index| budget.close(index));
        assert!(!budget.is_told(&group(0)), "it is over");
    }

    #[test]
    fn intervals_that_are_skipped_count_as_if_they_had_passed() {
        let mut budgets = [ten_a_day(), ten_a_day()];
        for budget in &mut budgets {
            assert!((0..30).all(|number| budget.tells(&group(number), 6.0, 0).is_some()));
            budget.close(0);
        }
        let [skipped, passed] = &mut budgets;
        skipped.skip(5_000, 5_000);
        (1..=5_000).for_each(|index| passed.close(index));
        let [a, b] = [skipped, passed].map(|budget| (budget.experience.clone(), budget.threshold));
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (a + b);
        assert!(near(a.0.intervals, b.0.intervals) && near(a.0.spent, b.0.spent), "{a:?} {b:?}");
        assert!(a.0.episodes.iter().zip(&b.0.episodes).all(|(a, b)| near(*a, *b)));
        assert_eq!(a.1, b.1);
    }

    #[test]
    fn damaged_experience_is_left_alone() {
        let mut budget = ten_a_day();
        let before = budget.threshold();
        let damaged = Experience { episodes: vec![f64::NAN; 3], intervals: -1.0, spent: 0.0 };
        budget.resume(damaged);
        assert_eq!(budget.threshold(), before);
        budget.resume(Experience { episodes: vec![0.0; 500], intervals: 1e6, spent: 0.0 });
        assert!(budget.threshold() < before);
    }
}
