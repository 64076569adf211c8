//! The threshold of surprise for one class of findings, chosen so that ordinary traffic causes no more alerts
//! than the budget allows. Owns the record of how often each surprise occurs; refuses to look at traffic.
//!
//! At first a surprise is taken literally: a surprise of s is expected once in 10^s intervals. This prior
//! counts as half a day of experience. The budget then adds what it observes: the highest surprise of each
//! episode. Several groups that become surprising in the same minute count as one event. A group that becomes
//! surprising again within hours counts once. So neither raises the threshold for other groups much.
//!
//! Ordinary episodes thin out as surprise grows. Many high ones with few below them stand apart: they are more
//! likely incidents than the end of what is ordinary. They count a quarter where classes share the budget, so
//! that a class whose findings are clear gets more of it: a week of attacks does not hide the next one. In the
//! sum over all classes, which keeps the budget, they count as all others.
//!
//! An episode that was reported keeps the threshold of its first alert.

mod experience;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;

use crate::traffic::group::reversed;

use experience::{BINS, lower_end, place_of};
pub use experience::{Experience, FLOOR};

/// A finding is counted as held back if a budget this many times as large would report it.
const NEAR: f64 = 10.0;
/// The weight of the prior, in seconds of experience: surprises are taken literally.
const PRIOR_SECONDS: f64 = 12.0 * 3600.0;
/// After this time, the weight of experience is halved.
const HALF_LIFE_SECONDS: f64 = 7.0 * 24.0 * 3600.0;
/// Intervals after which a surprising group is counted again: six hours of 5 s.
const AGAIN: i64 = 4320;
/// Intervals within which groups that become surprising are one event: a minute of 5 s.
const TOGETHER: i64 = 12;
/// Intervals without a surprise after which an episode is over.
const OVER_AFTER: i64 = 60;
/// Where classes share the budget, episodes that stand apart count by this factor.
const APART_WEIGHT: f64 = 0.25;
/// The most episodes that are followed; further ones count as part of others.
const MOST_OPEN: usize = 4096;

/// For each bin: the expected number of higher surprises in an interval, if they are taken literally.
static BELIEVED: LazyLock<[f64; BINS]> =
    LazyLock::new(|| std::array::from_fn(|place| 10f64.powf(-f64::from(lower_end(place)))));

/// The experience with one class of findings.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Whether the threshold is learned, and not fixed.
    is_learned: bool,
    threshold: f32,
    /// The threshold of a budget ten times as large.
    near: f32,
    experience: Experience,
    /// For each bin: the expected number of higher surprises in an interval.
    expected: Vec<f64>,
    /// The same where classes share the budget: those that stand apart count less.
    ordinary: Vec<f64>,
    decay: f64,
    prior: f64,
    /// The assumed frequency of such findings before any was observed: with 1, a surprise of s is expected
    /// once in 10^s intervals; with 0.1, a tenth as often.
    assumed_rate: f64,
    open: FxHashMap<FlowKey, Episode>,
    /// When a group was last counted, in either direction.
    counted: FxHashMap<FlowKey, i64>,
    /// The group that represents this interval's new episodes.
    newest: Option<(FlowKey, f32)>,
    /// The interval in which a counted event began, and the group that represents it.
    event: Option<(i64, FlowKey)>,
}

/// A series of surprises of one group, with only short gaps.
#[derive(Debug, Clone, Copy)]
struct Episode {
    highest: f32,
    last: i64,
    /// Whether it is counted: of several that begin together, only one is.
    is_counted: bool,
    /// The threshold that it exceeded when it was reported; `None` if it was not.
    reported_threshold: Option<f32>,
}

impl Budget {
    /// A budget whose threshold is learned; the length of an interval is in seconds.
    ///
    /// `assumed_rate` is the assumed frequency of such findings before any was observed: with 1, a surprise
    /// of s is expected once in 10^s intervals; with 0.1, a tenth as often.
    pub fn new(interval_seconds: f64, assumed_rate: f64) -> Self {
        let prior = (PRIOR_SECONDS / interval_seconds).max(1.0);
        let decay = (-interval_seconds / HALF_LIFE_SECONDS).exp2();
        Self { is_learned: true, prior, decay, assumed_rate, ..Self::fixed(0.0) }
    }

    /// A budget with a fixed threshold.
    pub fn fixed(threshold: f32) -> Self {
        Self {
            is_learned: false,
            threshold,
            near: threshold,
            experience: Experience::default(),
            expected: BELIEVED.to_vec(),
            ordinary: BELIEVED.to_vec(),
            decay: 1.0,
            prior: 1.0,
            assumed_rate: 1.0,
            open: FxHashMap::default(),
            counted: FxHashMap::default(),
            newest: None,
            event: None,
        }
    }

    /// Continues with the experience of another budget of the same class.
    pub fn resume(&mut self, experience: Experience) {
        if let Some(experience) = experience.sound() {
            self.experience = experience;
        }
    }

    /// The experience so far.
    pub fn experience(&self) -> &Experience {
        &self.experience
    }

    /// The lowest surprise above which the expected number of episodes is within the budget.
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Whether a group's episode was reported and is not over.
    pub fn is_reported(&self, group: &FlowKey) -> bool {
        self.open.get(group).is_some_and(|episode| episode.reported_threshold.is_some())
    }

    /// Whether `is_it` is true for the group of any reported episode that is not over.
    pub fn has_reported(&self, mut is_it: impl FnMut(&FlowKey) -> bool) -> bool {
        self.open
            .iter()
            .any(|(group, episode)| episode.reported_threshold.is_some() && is_it(group))
    }

    /// Records how surprising a group is in interval `index`. If it must be reported, returns the threshold
    /// that applies to it and whether the report uses the budget.
    pub fn observe(
        &mut self,
        group: &FlowKey,
        surprise: f32,
        mut threshold: f32,
        index: i64,
    ) -> Option<(f32, bool)> {
        if !self.is_learned || surprise < FLOOR {
            return (!self.is_learned && surprise >= threshold).then_some((threshold, false));
        }
        // A reply direction inherits the threshold of its request direction, and uses no budget.
        let answer = self.open.get(&reversed(group)).and_then(|answer| answer.reported_threshold);
        threshold = answer.unwrap_or(threshold);
        let strict = self.threshold;
        let Some(episode) = self.note(group, surprise, index) else {
            return (surprise >= strict).then_some((strict, false));
        };
        let is_new = episode.reported_threshold.is_none();
        let needed = episode.reported_threshold.unwrap_or(threshold);
        if surprise < needed {
            return None;
        }
        episode.reported_threshold = Some(needed);
        Some((needed, is_new && answer.is_none()))
    }

    /// The group's open episode, or a new one; `None` if too many are open.
    fn note(&mut self, group: &FlowKey, surprise: f32, index: i64) -> Option<&mut Episode> {
        let is_new = !self.open.contains_key(group);
        if is_new && self.newest.is_none_or(|(_, highest)| surprise > highest) {
            self.newest = Some((*group, surprise));
        }
        if is_new && self.open.len() >= MOST_OPEN {
            return None;
        }
        let begun =
            Episode { highest: surprise, last: index, is_counted: false, reported_threshold: None };
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
        if !self.is_learned {
            return;
        }
        self.experience.passes(self.decay, 1);
        if let Some((group, surprise)) = self.newest.take()
            && self.counts(&group, index)
        {
            self.count(&group, surprise, index);
        }
        self.end_episodes(index);
    }

    /// Counts a new episode: as an event of its own, or as a part of an event that began within the last
    /// minute. Such an event has the surprise of its most surprising part.
    fn count(&mut self, group: &FlowKey, surprise: f32, index: i64) {
        let event = self.event.filter(|(began, _)| index.saturating_sub(*began) < TOGETHER);
        let part = event.and_then(|(_, part)| self.open.get_mut(&part));
        if let Some(part) = part.filter(|part| part.is_counted) {
            if surprise <= part.highest {
                return;
            }
            part.is_counted = false;
            self.experience.moves(part.highest, surprise);
        } else {
            self.experience.counts(surprise, 1.0);
        }
        self.event = Some((event.map_or(index, |(began, _)| began), *group));
        self.open.entry(*group).and_modify(|episode| episode.is_counted = true);
    }

    /// Whether a group's episode is counted. A group that is surprising repeatedly counts once in some hours,
    /// so that it does not raise the threshold for all others.
    fn counts(&mut self, group: &FlowKey, index: i64) -> bool {
        let back = reversed(group);
        let either = if back < *group { back } else { *group };
        if self.counted.len() >= MOST_OPEN {
            self.counted.retain(|_, last| index.saturating_sub(*last) < AGAIN);
        }
        let known = self.counted.get(&either);
        let is_due = known.is_none_or(|last| index.saturating_sub(*last) >= AGAIN);
        if is_due && self.counted.len() < MOST_OPEN {
            self.counted.insert(either, index);
        }
        is_due
    }

    /// Ends this many intervals without surprises, the last of them `last`. The result is the same as calling
    /// [`Self::close`] for each.
    pub fn pass_quiet(&mut self, intervals: u64, last: i64) {
        if self.is_learned {
            self.experience.passes_each(self.decay, intervals);
            self.end_episodes(last);
        }
    }

    /// Skips intervals in which nothing is judged, up to interval `last`.
    pub fn skip(&mut self, intervals: u64, last: i64) {
        if self.is_learned {
            self.experience.passes(self.decay, intervals);
            self.end_episodes(last);
        }
    }

    fn end_episodes(&mut self, index: i64) {
        self.open.retain(|_, episode| index.saturating_sub(episode.last) < OVER_AFTER);
    }

    /// Updates the expected number of episodes above each bin.
    pub(super) fn expect(&mut self) {
        let whole = self.prior + self.experience.intervals;
        let apart = self.experience.apart();
        let (mut seen, mut ordinary) = (0.0, 0.0);
        for place in (0..BINS).rev() {
            let episodes = self.experience.episodes(place);
            seen += episodes;
            ordinary += if place < apart { episodes } else { APART_WEIGHT * episodes };
            let believed = self.prior * self.assumed_rate * BELIEVED[place];
            self.expected[place] = (believed + seen) / whole;
            self.ordinary[place] = (believed + ordinary) / whole;
        }
    }

    /// The exponent of how often such an episode is expected: once in 10^expected intervals. Below [`FLOOR`],
    /// and if nothing is learned, a surprise is taken literally.
    pub(super) fn expected(&self, surprise: f32) -> f32 {
        if !self.is_learned || surprise < FLOOR {
            return surprise;
        }
        let place = place_of(surprise);
        let beyond = surprise - lower_end(place);
        beyond - self.expected[place].log10() as f32
    }

    /// The fraction of the experience that the prior needs, from 0 at the start to 1 after half a day.
    pub(super) fn known(&self) -> f64 {
        (self.experience.intervals / self.prior).min(1.0)
    }

    /// The lowest bin above which no more than this many ordinary episodes are expected in an interval.
    fn place_for(&self, rate: f64) -> usize {
        self.ordinary.partition_point(|expected| *expected > rate)
    }

    /// The expected number of episodes in an interval above the threshold for this rate of ordinary ones.
    pub(super) fn expected_within(&self, rate: f64) -> f64 {
        self.expected.get(self.place_for(rate)).copied().unwrap_or(0.0)
    }

    /// Sets the threshold for this rate.
    pub(super) fn allow(&mut self, rate: f64) {
        self.threshold = lower_end(self.place_for(rate));
        self.near = lower_end(self.place_for(NEAR * rate));
    }

    /// The surprise that would be reported with a budget ten times as large.
    pub(super) fn near(&self) -> f32 {
        self.near
    }
}

/// 10 to the power of this many tenths.
pub(super) fn tenths(tenths: i32) -> f64 {
    10f64.powf(f64::from(tenths) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: f64 = 5.0;
    const TEN_A_DAY: f64 = 10.0 / 17_280.0;

    fn group(number: u32) -> FlowKey {
        FlowKey { ifindex: number, sport: 1, ..FlowKey::default() }
    }

    fn learned() -> Budget {
        let mut budget = Budget::new(INTERVAL, 1.0);
        budget.expect();
        budget.allow(TEN_A_DAY);
        budget
    }

    fn close(budget: &mut Budget, index: i64) {
        budget.close(index);
        budget.expect();
        budget.allow(TEN_A_DAY);
    }

    #[test]
    fn a_first_surprise_is_taken_literally() {
        // Ten in 17,280 intervals: log10(1728) = 3.24.
        assert!((learned().threshold() - 3.3).abs() < 0.06, "{}", learned().threshold());
        assert_eq!(Budget::fixed(4.5).threshold(), 4.5);
    }

    #[test]
    fn groups_with_simultaneous_surprises_are_one_event() {
        let mut budget = learned();
        let before = budget.threshold();
        for number in 0..10_000 {
            assert!(budget.observe(&group(number), 8.0, before, 1).is_some());
        }
        close(&mut budget, 1);
        assert!(budget.threshold() <= before + 0.2, "{before} {}", budget.threshold());
        assert!(budget.open.len() <= MOST_OPEN);
    }

    #[test]
    fn a_repeatedly_surprising_group_raises_the_threshold_once() {
        let mut budget = learned();
        let before = budget.threshold();
        for index in (0..4_000).step_by(100) {
            budget.observe(&group(7), 6.0, before, index);
            (index..index + 100).for_each(|index| close(&mut budget, index));
        }
        let counted: f64 = budget.experience.episodes.iter().sum();
        assert!((0.9..1.1).contains(&counted), "{counted}");
    }

    #[test]
    fn an_episode_counts_once_by_its_highest() {
        let mut budget = learned();
        for (index, surprise) in [2.5, 3.5, 5.0, 4.0].into_iter().enumerate() {
            budget.observe(&group(1), surprise, 3.3, index as i64);
            close(&mut budget, index as i64);
        }
        let counted: Vec<_> =
            budget.experience.episodes.iter().map(|count| count.round()).collect();
        assert_eq!(counted.iter().sum::<f64>(), 1.0);
        assert_eq!(counted[place_of(5.0)], 1.0);
    }

    #[test]
    fn a_reported_episode_stays_reported() {
        let mut budget = learned();
        assert_eq!(budget.observe(&group(0), 3.5, 3.0, 0), Some((3.0, true)));
        assert_eq!(budget.observe(&group(0), 3.1, 9.0, 1), Some((3.0, false)));
        assert_eq!(budget.observe(&group(1), 3.1, 9.0, 1), None);
        (1..100).for_each(|index| close(&mut budget, index));
        assert!(!budget.is_reported(&group(0)), "it is over");
    }

    #[test]
    fn a_recurring_surprise_is_expected_as_often_as_it_came() {
        let mut budget = learned();
        assert!((3.9..4.1).contains(&budget.expected(4.0)), "{}", budget.expected(4.0));
        for number in 0..20 {
            let index = i64::from(number) * 5000;
            budget.observe(&group(number), 4.0, 3.3, index);
            (index..index + 5000).for_each(|index| close(&mut budget, index));
        }
        // 20 in 100,000 intervals.
        assert!((3.6..3.8).contains(&budget.expected(4.0)), "{}", budget.expected(4.0));
        assert_eq!(Budget::fixed(4.5).expected(5.0), 5.0);
    }

    /// A budget that has seen a week with this many episodes of each surprise.
    fn after_a_week(episodes: &[(f32, f64)]) -> Budget {
        let mut budget = learned();
        let mut experience = Experience { episodes: vec![0.0; BINS], intervals: 120_960.0 };
        episodes.iter().for_each(|(surprise, count)| experience.counts(*surprise, *count));
        budget.resume(experience);
        budget.expect();
        budget.allow(TEN_A_DAY);
        budget
    }

    #[test]
    fn episodes_that_stand_apart_raise_the_threshold_less() {
        let ordinary = [(2.2, 900.0), (2.7, 300.0), (3.2, 90.0), (3.7, 30.0), (4.2, 5.0)];
        let threshold = after_a_week(&ordinary).threshold();
        let attacked = [ordinary.as_slice(), &[(6.5, 30.0), (8.0, 40.0)]].concat();
        let after = after_a_week(&attacked);
        assert!(after.threshold() < threshold + 0.5, "{threshold} {}", after.threshold());
        // What is said of such a surprise counts all.
        assert!((3.4..3.6).contains(&after.expected(7.5)), "{}", after.expected(7.5));
    }

    #[test]
    fn many_high_surprises_are_not_all_reported() {
        let days = 7.0;
        let threshold = after_a_week(&[(5.0, 300.0), (6.0, 300.0), (7.0, 30.0)]).threshold();
        // A quarter of 330 is more than ten a day; 30 are not.
        assert!(0.25 * 330.0 / days > 10.0 && threshold > 6.0 && threshold < 7.0, "{threshold}");
    }

    #[test]
    fn a_steady_decline_does_not_stand_apart() {
        let mut experience = Experience { episodes: vec![0.0; BINS], intervals: 1.0 };
        for place in 0..60 {
            experience.counts(lower_end(place) + 0.05, 1e6 * tenths(-(place as i32)));
        }
        assert_eq!(experience.apart(), BINS);
    }

    #[test]
    fn damaged_experience_is_left_alone() {
        let mut budget = learned();
        let before = budget.threshold();
        budget.resume(Experience { episodes: vec![f64::NAN; 3], intervals: -1.0 });
        close(&mut budget, 0);
        assert_eq!(budget.threshold(), before);
        budget.resume(Experience { episodes: vec![0.0; 500], intervals: 1e6 });
        close(&mut budget, 1);
        assert!(budget.threshold() < before);
    }
}
