//! The Go tool's seven methods behind the trait of the other detectors. Owns only the window.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::detect::detectors::{Detector, Verdict};
use crate::detect::methods::Anomalyzer;

/// Judges the last points of a series; the score is a probability.
pub(super) struct Lytics {
    /// Evaluations change its scratch memory, but this never changes a result.
    anomalyzer: RefCell<Anomalyzer>,
    capacity: usize,
}

impl Lytics {
    pub(super) fn new(anomalyzer: Anomalyzer, capacity: usize) -> Self {
        Self { anomalyzer: RefCell::new(anomalyzer), capacity }
    }
}

impl Detector for Lytics {
    type State = VecDeque<f64>;

    fn step(&self, window: &mut VecDeque<f64>, value: f64) -> Verdict {
        if window.len() == self.capacity {
            window.pop_front();
        }
        window.push_back(value);
        let score = self.anomalyzer.borrow_mut().score(window.make_contiguous());
        Verdict { score: score.probability as f32, ..Verdict::default() }
    }
}
