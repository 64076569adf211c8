//! Daily sums, so that people who read only alerts learn how much was held back. Owns these sums;
//! [`super::wording`] owns the words.

use std::collections::BTreeMap;

use crate::detect::held::HeldBacks;
use crate::message::alert::{Alert, Status};
use crate::traffic::interval::Interval;

const DAY_NS: i64 = 24 * 3600 * 1_000_000_000;

/// The day so far, in UTC.
#[derive(Debug, Clone, Default)]
pub(super) struct Daily {
    day: Option<i64>,
    sums: DaySums,
}

/// The sums of a day.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct DaySums {
    /// Incidents that were reported.
    pub(super) reported: u64,
    /// Findings that were held back, by reason.
    pub(super) held_back: BTreeMap<String, u64>,
}

impl Daily {
    /// Adds an interval. Returns the sums of the day before, if it is over and anything was held back in it.
    pub(super) fn take(
        &mut self,
        interval: &Interval,
        alerts: &[Alert],
        held_back: &HeldBacks,
    ) -> Option<DaySums> {
        let day = interval.end_ns.div_euclid(DAY_NS);
        let is_over = self.day.replace(day).is_some_and(|before| before != day);
        let over = if is_over { std::mem::take(&mut self.sums) } else { DaySums::default() };
        let begun = alerts.iter().filter(|alert| alert.status == Status::Firing);
        self.sums.reported += begun.count() as u64;
        for (reason, count) in held_back.by_name() {
            *self.sums.held_back.entry(reason).or_default() += count;
        }
        (!over.held_back.is_empty()).then_some(over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_without_anything_held_back_is_silent() {
        let mut daily = Daily::default();
        let at = |day: i64| Interval { end_ns: day * DAY_NS + 5, ..Interval::default() };
        assert_eq!(daily.take(&at(0), &[], &HeldBacks::default()), None);
        assert_eq!(daily.take(&at(1), &[], &HeldBacks::default()), None);
        daily.sums.held_back.insert("budget".to_owned(), 3);
        let over = daily.take(&at(2), &[], &HeldBacks::default());
        assert_eq!(over.map(|sums| sums.held_back["budget"]), Some(3));
        assert_eq!(daily.take(&at(3), &[], &HeldBacks::default()), None);
    }
}
