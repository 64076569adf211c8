//! The known range of a quantity. Owns what counts as leaving the range, and for how long it had held;
//! refuses to judge whether that matters.

use std::f32::consts::LOG10_2;

use serde::{Deserialize, Serialize};

use super::number::log2;

/// How far outside the range a value must be, as a share of the range's width.
const MARGIN: f32 = 0.05;
/// The narrowest width, as a share of the limits: a quantity that was always the same has no width.
const NARROWEST: f32 = 1e-6;

/// The lowest and the highest value so far.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct KnownRange {
    low: f32,
    high: f32,
    /// The number of points since it was last left, or since the start.
    since: u32,
}

/// A quantity outside its known range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Departure {
    /// log10 of the number of points for which the range had held, plus more the farther the value is
    /// outside.
    pub score: f32,
    /// The limit that was exceeded.
    pub limit: f32,
}

impl KnownRange {
    pub(super) const fn new() -> Self {
        Self { low: f32::INFINITY, high: f32::NEG_INFINITY, since: 0 }
    }

    pub(super) fn limits(&self) -> (f32, f32) {
        (self.low, self.high)
    }

    /// Counts this many further values inside the range.
    pub(super) fn pass(&mut self, values: u32) {
        self.since = self.since.saturating_add(values);
    }

    /// Adds a finite value; returns how far it left the range, if it did.
    pub(super) fn admit(&mut self, value: f32) -> Option<Departure> {
        if self.low > self.high {
            (self.low, self.high, self.since) = (value, value, 1);
            return None;
        }
        self.since = self.since.saturating_add(1);
        let limit = if value > self.high { self.high } else { self.low };
        let outside = (value - self.high).max(self.low - value);
        if outside <= 0.0 {
            return None;
        }
        let narrowest = NARROWEST * self.high.abs().max(self.low.abs()) + f32::MIN_POSITIVE;
        let margin = MARGIN * (self.high - self.low).max(narrowest);
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        if outside <= margin {
            return None;
        }
        let held = log2(std::mem::replace(&mut self.since, 1) as f32);
        // In double precision: the ratio may be too large for single precision.
        let ratio = (f64::from(outside) / f64::from(margin)).min(1e30) as f32;
        Some(Departure { score: LOG10_2 * (held + 0.5 * log2(1.0 + ratio)), limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_departure_is_the_rarer_the_longer_the_range_held() {
        let departs_after = |points: usize| {
            let mut range = KnownRange::new();
            (0..points)
                .for_each(|place| assert!(range.admit((place % 2) as f32).is_none() || place < 2));
            range.admit(1.5)
        };
        let (early, late) = (departs_after(20).unwrap(), departs_after(2000).unwrap());
        assert!((late.score - early.score - 2.0).abs() < 0.1, "{early:?} {late:?}");
        assert_eq!(late.limit, 1.0);
    }

    #[test]
    fn a_little_outside_is_inside() {
        let mut range = KnownRange::new();
        range.admit(0.0);
        range.admit(100.0);
        assert!(range.admit(104.0).is_none());
        assert_eq!(range.limits(), (0.0, 104.0));
        assert!(range.admit(-6.0).is_some_and(|departure| departure.limit == 0.0));
    }
}
