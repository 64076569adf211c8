//! The volumes that the members of a pool had moved by a certain age. Owns a histogram with a heavy tail;
//! refuses to know the pool.

use serde::{Deserialize, Serialize};

use super::histogram::{Histogram, Tail};
use super::number::exp2;
use std::f32::consts::LOG10_2;

/// Each pool has few values, so its tail is assumed to be heavy until more is known.
const TAIL: Tail = Tail { fraction: 0.1, least_values: 4.0, prior_octaves: 1.2, prior_weight: 4.0 };

/// A histogram of the values' logarithms to base 2.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Arrivals(Histogram);

impl Arrivals {
    /// Counts a value.
    pub fn count(&mut self, y: f32) {
        self.0.count(y);
    }

    /// The number of values, as far as they are remembered.
    pub fn total(&self) -> f32 {
        self.0.total()
    }

    /// The share of the values that are at least `y`, and the value that most do not exceed. Without values,
    /// the share is 1.
    pub fn part_above(&self, y: f32) -> (f32, f32) {
        let rarity = self.0.judge(y, &TAIL);
        rarity.map_or((1.0, y), |rarity| (1.0 / exp2(rarity.score / LOG10_2), rarity.usual))
    }
}
