//! One alert budget for all classes of findings. Owns the experience with each class, the threshold of each,
//! and the schedule of recurring findings; refuses to look at traffic.
//!
//! Each class learns how often its surprises really occur. The thresholds are set so that the expected rate of
//! ordinary findings above them is the same for each class, except for the weights from the options, and so that
//! all findings together keep the budget. A class without findings leaves its share to the others.

use wherefore_common::FlowKey;

use super::budget::{Budget, Experience, FLOOR, tenths};
use super::schedule::{self, Schedule};
use crate::detect::held::Reason;
use crate::detect::kind::Class;
use crate::detect::settings::{RarityLimit, RaritySettings};
use crate::traffic::group::reversed;

/// How far an unspent budget lowers the thresholds, and how much further on the first day of a host, so that
/// the first day is useful, too.
const RELAXED: f32 = 0.6;
const EARLY: f32 = 0.9;
/// The share of the budget that the thresholds aim at. Traffic is never quite like the days before, so that
/// aiming at all of it would exceed the budget on every other day.
const AIM: f64 = 0.75;
/// Steps of a tenth of a power of ten in the search for the common rate.
const STEPS: i32 = 60;

/// The budget, and the experience with each class.
#[derive(Debug, Clone)]
pub(super) struct Budgets {
    classes: Vec<Budget>,
    /// The weight of each class, relative to the default; 0 if it is not looked for.
    weights: Vec<f64>,
    schedule: Schedule,
    /// The last interval that ended.
    last: i64,
    /// The alerts an interval that the thresholds aim at; `None` if a fixed threshold was set.
    allowed: Option<f64>,
    /// How many more alerts there were than aimed at so far; 0 if one more is allowed.
    spent: f64,
}

impl Budgets {
    pub(super) fn new(settings: &RaritySettings) -> Self {
        let seconds = settings.interval.as_secs_f64();
        let allowed = match settings.limit {
            RarityLimit::Budget(allowed) => Some(AIM * allowed),
            RarityLimit::Surprise(_) => None,
        };
        let class = |class| match settings.limit {
            RarityLimit::Budget(_) => Budget::new(seconds, assumed_rate(class)),
            RarityLimit::Surprise(surprise) => Budget::fixed(surprise as f32),
        };
        let weights = Class::ALL.map(|class| settings.shares.weight(class.kind())).to_vec();
        let mut budgets = Self {
            classes: Class::ALL.map(class).to_vec(),
            weights,
            schedule: Schedule::new(seconds),
            last: 0,
            allowed,
            spent: 0.0,
        };
        budgets.calibrate();
        budgets
    }

    /// The same experience with other settings.
    pub(super) fn with(&self, settings: &RaritySettings) -> Self {
        let mut budgets = Self::new(settings);
        budgets.resume(self.experience(), schedule::Kept::default(), self.spent);
        Self { schedule: self.schedule.clone(), last: self.last, ..budgets }
    }

    /// Continues with the experience of an earlier run.
    pub(super) fn resume(
        &mut self,
        kept: Vec<(Class, Experience)>,
        schedule: schedule::Kept,
        spent: f64,
    ) {
        self.schedule.resume(schedule);
        for (class, experience) in kept {
            self.classes[class as usize].resume(experience);
        }
        self.spent = if spent.is_finite() { spent.max(0.0) } else { 0.0 };
        self.calibrate();
    }

    /// The experience so far.
    pub(super) fn experience(&self) -> Vec<(Class, Experience)> {
        let learned = Class::ALL.iter().zip(&self.classes);
        learned.map(|(class, budget)| (*class, budget.experience().clone())).collect()
    }

    /// The schedule, in the form that survives a restart.
    pub(super) fn schedule(&self) -> schedule::Kept {
        self.schedule.keep(self.last)
    }

    /// Skips intervals in which nobody was watching, before the first one.
    pub(super) fn catch_up(&mut self, intervals: i64) {
        self.schedule.catch_up(intervals);
    }

    pub(super) fn spent(&self) -> f64 {
        self.spent
    }

    /// The current threshold: a finding with this surprise is reported.
    pub(super) fn threshold(&self, class: Class) -> f32 {
        self.threshold_with(class, (1.0 - self.spent).clamp(0.0, 1.0) as f32)
    }

    /// The threshold if this share of an alert is unspent.
    fn threshold_with(&self, class: Class, unspent: f32) -> f32 {
        let budget = &self.classes[class as usize];
        if self.allowed.is_none() {
            return budget.threshold();
        }
        let relaxed = RELAXED + EARLY * (1.0 - budget.known()) as f32;
        (budget.threshold() - relaxed * unspent).max(FLOOR)
    }

    /// The expected frequency of findings of a class with this surprise: once in 10^expected intervals.
    pub(super) fn expected(&self, class: Class, surprise: f32) -> f32 {
        self.classes[class as usize].expected(surprise)
    }

    /// Whether a surprise that is not reported would be with a budget ten times as large.
    pub(super) fn is_near(&self, class: Class, surprise: f32) -> bool {
        let is_looked_for = self.allowed.is_some() && self.weights[class as usize] > 0.0;
        is_looked_for && surprise >= self.classes[class as usize].near()
    }

    /// The lowest surprise that is reported or learned from.
    pub(super) fn floor(&self) -> f32 {
        if self.allowed.is_some() { FLOOR } else { self.threshold(Class::Own) }
    }

    /// Whether a group's episode was reported and is not over.
    pub(super) fn is_reported(&self, class: Class, group: &FlowKey) -> bool {
        self.classes[class as usize].is_reported(group)
    }

    /// Whether `is_it` is true for the group of any reported episode that is not over.
    pub(super) fn has_reported(&self, class: Class, is_it: impl FnMut(&FlowKey) -> bool) -> bool {
        self.classes[class as usize].has_reported(is_it)
    }

    /// Records how surprising a group is in interval `index`. If it must be reported, returns the threshold
    /// that applies to it.
    ///
    /// # Errors
    /// If it is not reported: the reason why it is held back, or `None` if it is too ordinary to be counted.
    pub(super) fn observe(
        &mut self,
        class: Class,
        group: &FlowKey,
        surprise: f32,
        index: i64,
    ) -> Result<f32, Option<Reason>> {
        if self.weights[class as usize] == 0.0 {
            return Err(None);
        }
        let is_near = self.is_near(class, surprise);
        if is_near {
            let is_expected = self.schedule.expects(class, group, surprise, index);
            self.schedule.note(class, group, surprise, index);
            if is_expected && !self.is_reported_either_way(class, group) {
                return Err(Some(Reason::Schedule));
            }
        }
        // Both directions are one incident, whichever is judged first and by which test: the second uses no
        // budget, and inherits the threshold.
        let back = reversed(group);
        let is_answer = back != *group && self.classes.iter().any(|class| class.is_reported(&back));
        let threshold =
            if is_answer { self.threshold_with(class, 1.0) } else { self.threshold(class) };
        let observed = self.classes[class as usize].observe(group, surprise, threshold, index);
        let (threshold, is_new) = observed.ok_or_else(|| is_near.then_some(Reason::Budget))?;
        if is_new && !is_answer {
            self.spent += 1.0;
        }
        Ok(threshold)
    }

    /// Whether an episode of a group, or of the other direction, was reported and is not over.
    fn is_reported_either_way(&self, class: Class, group: &FlowKey) -> bool {
        self.is_reported(class, group)
            || self.classes.iter().any(|any| any.is_reported(&reversed(group)))
    }

    /// Ends an interval.
    pub(super) fn close(&mut self, index: i64) {
        self.last = index;
        self.classes.iter_mut().for_each(|class| class.close(index));
        self.refill(1);
        self.calibrate();
    }

    /// Ends this many intervals without surprises, the last of them `last`.
    pub(super) fn pass_quiet(&mut self, intervals: u64, last: i64) {
        self.last = last;
        self.classes.iter_mut().for_each(|class| class.pass_quiet(intervals, last));
        self.refill(intervals);
        self.calibrate();
    }

    /// Skips intervals in which nothing is judged, up to interval `last`.
    pub(super) fn skip(&mut self, intervals: u64, last: i64) {
        self.last = last;
        self.classes.iter_mut().for_each(|class| class.skip(intervals, last));
        self.refill(intervals);
        self.calibrate();
    }

    fn refill(&mut self, intervals: u64) {
        for _ in 0..intervals {
            self.spent = (self.spent - self.allowed.unwrap_or(0.0)).max(0.0);
            if self.spent == 0.0 {
                return;
            }
        }
    }

    /// Finds the highest common rate at which all classes together keep the budget.
    fn calibrate(&mut self) {
        let Some(allowed) = self.allowed else { return };
        self.classes.iter_mut().for_each(Budget::expect);
        let rate = |step: i32| allowed / tenths(step);
        let expected = |common: f64, classes: &[Budget], weights: &[f64]| -> f64 {
            let each = classes.iter().zip(weights);
            each.map(|(class, weight)| class.expected_within(common * weight)).sum()
        };
        let (mut low, mut high) = (0, STEPS);
        while low < high {
            let middle = (low + high) / 2;
            if expected(rate(middle), &self.classes, &self.weights) <= allowed {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let common = rate(low);
        for (class, weight) in self.classes.iter_mut().zip(&self.weights) {
            class.allow(common * weight);
        }
    }
}

/// The assumed frequency of findings of a class before any was observed, as in [`Budget::new`]. Every host
/// has groups with unusual intervals, but few hosts are scanned or flooded each day.
fn assumed_rate(class: Class) -> f64 {
    match class {
        Class::Own => 1.0,
        Class::Newcomer => 0.5,
        Class::Among => 0.25,
        _ => 0.1,
    }
}
