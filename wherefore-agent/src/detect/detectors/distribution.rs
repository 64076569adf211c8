//! The known distributions of a series. Owns how a window's values are compared with those of earlier
//! windows, by relative entropy; refuses to know their order or their unit.

use serde::{Deserialize, Serialize};

use super::number::log2;

/// The number of bins between the lowest and the highest known value.
pub(super) const BINS: usize = 8;
/// The number of values in a window.
pub(super) const WINDOW: usize = 52;
/// The most distributions that are remembered; the least used one is replaced.
const MOST: usize = 32;
/// A window is new if twice its relative entropy in nats, times the number of its values, is at least this.
/// If its values were independent, this would happen by chance once in 10,000 windows (chi squared, 7 degrees
/// of freedom).
const NEW: f32 = 30.0;
/// Added to each bin of a known distribution, so that a value that was never seen is not impossible.
const FLOOR: f32 = 0.01;

/// How many of a window's values are in each bin.
pub(super) type Counts = [u8; BINS];

/// Logarithms of all counts that are possible in a window.
#[derive(Debug, Clone)]
pub(super) struct Logarithms {
    /// c ln c.
    own: [f32; WINDOW + 1],
    /// ln (c + FLOOR).
    known: [f32; WINDOW + 1],
}

/// The distributions of windows: how many values were in each bin.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Distributions {
    known: [Counts; MOST],
    uses: [u16; MOST],
    count: u8,
    /// The index of the one that matched last.
    last: u8,
}

impl Logarithms {
    pub(super) fn new() -> Self {
        let ln = |x: f32| log2(x) * std::f32::consts::LN_2;
        Self {
            own: std::array::from_fn(|c| if c == 0 { 0.0 } else { c as f32 * ln(c as f32) }),
            known: std::array::from_fn(|c| ln(c as f32 + FLOOR)),
        }
    }

    /// Twice the relative entropy of `window` to `known`, times the window's values.
    fn divergence(&self, window: &Counts, known: &Counts) -> f32 {
        let constant = WINDOW as f32 * ((BINS as f32) * FLOOR / WINDOW as f32);
        let bins = window.iter().zip(known).map(|(&own, &known)| {
            let (own, known) = (usize::from(own), usize::from(known));
            let (own, known) = (own.min(WINDOW), known.min(WINDOW));
            self.own[own] - own as f32 * self.known[known]
        });
        2.0 * (bins.sum::<f32>() + constant)
    }
}

impl Distributions {
    pub(super) const fn new() -> Self {
        Self { known: [[0; BINS]; MOST], uses: [0; MOST], count: 0, last: 0 }
    }

    /// Whether a window differs from all before it. The first window does not.
    pub(super) fn is_new(&mut self, window: &Counts, logarithms: &Logarithms) -> bool {
        let count = usize::from(self.count).min(MOST);
        let last = usize::from(self.last);
        if last < count && logarithms.divergence(window, &self.known[last]) <= NEW {
            self.used(last);
            return false;
        }
        let fits =
            (0..count).find(|&place| logarithms.divergence(window, &self.known[place]) <= NEW);
        match fits {
            Some(place) => self.used(place),
            None => self.remember(window),
        }
        fits.is_none() && count > 0
    }

    /// Counts this many further windows like the last one.
    pub(super) fn pass(&mut self, windows: u32) {
        let uses = self.uses.get_mut(usize::from(self.last));
        let windows = windows.min(u16::MAX.into()) as u16;
        uses.into_iter().for_each(|uses| *uses = uses.saturating_add(windows));
    }

    fn used(&mut self, place: usize) {
        self.last = place as u8;
        self.uses[place] = self.uses[place].saturating_add(1);
    }

    fn remember(&mut self, window: &Counts) {
        let mut place = usize::from(self.count);
        if place < MOST {
            self.count += 1;
        } else {
            place = (0..MOST).min_by_key(|&place| self.uses[place]).unwrap_or(0);
        }
        self.known[place] = *window;
        self.uses[place] = 1;
        self.last = place as u8;
    }

    /// Moves counts to wider limits: from bins between the limits `from` to bins between `to`.
    pub(super) fn widen(&mut self, from: (f32, f32), to: (f32, f32)) {
        for known in &mut self.known[..usize::from(self.count).min(MOST)] {
            let mut wider = [0u8; BINS];
            for (bin, &count) in known.iter().enumerate() {
                let middle = from.0 + (from.1 - from.0) * (bin as f32 + 0.5) / BINS as f32;
                let count_there = &mut wider[bin_of(middle, to)];
                *count_there = count_there.saturating_add(count);
            }
            *known = wider;
        }
    }
}

/// The bin of a value between two limits.
pub(super) fn bin_of(value: f32, (low, high): (f32, f32)) -> usize {
    let width = high - low;
    if width > 0.0 {
        // The conversion to an integer saturates.
        ((value - low) / width * BINS as f32).min(BINS as f32 - 1.0) as usize
    } else {
        0
    }
}
