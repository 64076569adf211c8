//! The record of how often each surprise was observed. Owns its bins and how it decays; refuses to know
//! thresholds.

use serde::{Deserialize, Serialize};

/// The lowest surprise that begins an episode or is reported within a budget.
pub const FLOOR: f32 = 2.0;
/// Width of a bin of surprises.
const WIDTH: f32 = 0.1;
/// Bins: up to 12, beyond which surprises are not distinguished.
pub(super) const BINS: usize = 100;
/// From this bin on, a surprise of 4, episodes can stand apart: once in 10,000 intervals is once in half a day.
const CAN_BE_APART: usize = 20;
/// Episodes stand apart if they are more than this fraction of those in the [`BELOW`] bins below them. Of
/// surprises that are taken literally, it is 1 in 30.
const APART: f64 = 0.5;
/// Bins below, 1.5 in surprise.
const BELOW: usize = 15;

/// The observed episodes by their highest surprise. This survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Experience {
    /// Episodes by their highest surprise, from [`FLOOR`] on.
    pub(super) episodes: Vec<f64>,
    /// The number of intervals observed.
    pub(super) intervals: f64,
}

impl Experience {
    /// The same, if all its numbers can be counts.
    pub(super) fn sound(mut self) -> Option<Self> {
        let is_sound = |number: &f64| number.is_finite() && *number >= 0.0;
        self.episodes.resize(BINS, 0.0);
        let are_sound = self.episodes.iter().chain([&self.intervals]).all(is_sound);
        are_sound.then_some(self)
    }

    /// The number of episodes in a bin.
    pub(super) fn episodes(&self, place: usize) -> f64 {
        self.episodes.get(place).copied().unwrap_or(0.0)
    }

    /// The lowest bin from which on episodes stand apart; [`BINS`] if none do.
    pub(super) fn apart(&self) -> usize {
        let mut above = [0.0; BINS + 1];
        for place in (0..BINS).rev() {
            above[place] = above[place + 1] + self.episodes(place);
        }
        let stands_apart = |&place: &usize| {
            above[place] > APART * (above[place.saturating_sub(BELOW)] - above[place])
        };
        (CAN_BE_APART..BINS).find(stands_apart).unwrap_or(BINS)
    }

    /// Passes this many intervals, all older ones decaying.
    pub(super) fn passes(&mut self, decay: f64, intervals: u64) {
        let left = decay.powf(intervals as f64);
        // Each interval counts 1 and decays with every interval after it.
        let passed = if decay < 1.0 { (1.0 - left) / (1.0 - decay) } else { intervals as f64 };
        self.intervals = self.intervals * left + passed;
        self.episodes.resize(BINS, 0.0);
        self.episodes.iter_mut().for_each(|count| *count *= left);
    }

    /// Decays step by step, so that the sums are bit for bit the same as after that many single steps.
    pub(super) fn passes_each(&mut self, decay: f64, intervals: u64) {
        self.episodes.resize(BINS, 0.0);
        for count in self.episodes.iter_mut().filter(|count| **count != 0.0) {
            (0..intervals).for_each(|_| *count *= decay);
        }
        (0..intervals).for_each(|_| self.intervals = self.intervals * decay + 1.0);
    }

    /// Adds episodes of a surprise.
    pub(super) fn counts(&mut self, surprise: f32, by: f64) {
        if let Some(count) = self.episodes.get_mut(place_of(surprise)) {
            *count = (*count + by).max(0.0);
        }
    }

    /// An episode's highest surprise has changed.
    pub(super) fn moves(&mut self, from: f32, to: f32) {
        self.counts(from, -1.0);
        self.counts(to, 1.0);
    }
}

/// The bin of a surprise of at least [`FLOOR`].
pub(super) fn place_of(surprise: f32) -> usize {
    // The conversion saturates.
    (((surprise - FLOOR) / WIDTH) as usize).min(BINS - 1)
}

/// The lowest surprise in a bin.
pub(super) fn lower_end(place: usize) -> f32 {
    FLOOR + place as f32 * WIDTH
}
