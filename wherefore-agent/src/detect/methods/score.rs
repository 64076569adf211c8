//! Combines the verdicts of several methods into one probability.
//!
//! Owns the weights, the merging of the two ranks, and the content of a score. Refuses to evaluate anything:
//! it sees only verdicts that are already capped to [0, 1], or undefined.

use super::method::{Method, MethodSet};

/// Above this, `magnitude` and `fence` have ten times the weight of other methods.
const LOUD: f64 = 0.8;

/// The judgement of one window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The probability, in [0, 1], that the end of the window is anomalous.
    pub probability: f64,
    /// How `probability` was computed; a 0 has several possible reasons.
    pub outcome: Outcome,
    methods: MethodSet,
    verdicts: Verdicts,
}

/// How a probability was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is the weighted mean of the methods that had a verdict.
    Weighed,
    /// It is 0: `delay` is set and the window does not yet have all its points.
    Delayed,
    /// It is 0: `magnitude` is below `sensitivity`.
    BelowSensitivity,
    /// It is 0: the window is too short for every configured method.
    NoVerdict,
    /// It is 0: a method is undefined, because the window contains NaN, its sums overflow, or (for `fence`)
    /// it is empty.
    Undefined,
}

impl Score {
    pub(super) fn new(
        probability: f64,
        outcome: Outcome,
        methods: MethodSet,
        verdicts: Verdicts,
    ) -> Self {
        // Without NaN, which would make a score unequal to itself.
        let verdicts = Verdicts(verdicts.0.map(|verdict| verdict.filter(|p| !p.is_nan())));
        Self { probability, outcome, methods, verdicts }
    }

    /// Every configured method with its probability in [0, 1], in the order of [`Method::ALL`]; `None` if it
    /// has no verdict (the window is too short) or is undefined.
    pub fn methods(&self) -> impl Iterator<Item = (Method, Option<f64>)> {
        let Self { methods, verdicts, .. } = *self;
        methods.iter().map(move |method| (method, verdicts.of(method)))
    }

    /// One method's probability in [0, 1]; `None` if it is not configured or has no verdict.
    pub fn method(&self, method: Method) -> Option<f64> {
        self.verdicts.of(method)
    }
}

/// The result of each method, capped; `None` if it did not run or has no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Verdicts([Option<f64>; Method::ALL.len()]);

impl Verdicts {
    pub(super) fn set(&mut self, method: Method, verdict: Option<f64>) {
        self.0[method as usize] = verdict;
    }

    /// The verdict; NaN if the method is undefined.
    pub(super) fn of(&self, method: Method) -> Option<f64> {
        self.0[method as usize]
    }

    /// The larger rank stands for both. A window cannot be high and low at once, and the other side must not
    /// dilute the result.
    fn rank(&self) -> Option<f64> {
        match (self.of(Method::HighRank), self.of(Method::LowRank)) {
            // Not `f64::max`, which would hide an undefined side.
            (Some(high), Some(low)) => Some(if high < low { low } else { high }),
            (high, low) => high.or(low),
        }
    }
}

/// The weighted mean of all verdicts; 0 if there are none.
///
/// It is always in [0, 1]: the weights are exact in binary, so each partial sum of products is rounded to at
/// most the same partial sum of weights.
pub(super) fn weigh(verdicts: &Verdicts) -> (Outcome, f64) {
    let plain = |method| verdicts.of(method).map(|p| (p, 0.5));
    let dynamic = |method| verdicts.of(method).map(|p| (p, if p > LOUD { 5.0 } else { 0.5 }));
    let weighted = [
        dynamic(Method::Magnitude),
        plain(Method::Diff),
        verdicts.rank().map(|p| (p, 0.5)),
        plain(Method::Cdf),
        dynamic(Method::Fence),
        plain(Method::Ks),
    ];
    let (sum, weight) = weighted
        .into_iter()
        .flatten()
        .fold((0.0, 0.0), |(sum, weight), (p, w)| (sum + p * w, weight + w));
    match sum / weight {
        _ if weight == 0.0 => (Outcome::NoVerdict, 0.0),
        mean if mean.is_nan() => (Outcome::Undefined, 0.0),
        mean => (Outcome::Weighed, mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(said: &[(Method, f64)]) -> Verdicts {
        let mut verdicts = Verdicts::default();
        said.iter().for_each(|&(method, p)| verdicts.set(method, Some(p)));
        verdicts
    }

    #[test]
    fn ranks_merge_and_loud_methods_weigh_ten_times_as_much() {
        let quiet = [(Method::HighRank, 0.2), (Method::LowRank, 0.6), (Method::Magnitude, 0.8)];
        assert_eq!(weigh(&verdicts(&quiet)), (Outcome::Weighed, 0.7));
        let loud = [(Method::Fence, 1.0), (Method::Ks, 0.0)];
        assert_eq!(weigh(&verdicts(&loud)), (Outcome::Weighed, 5.0 / 5.5));
    }

    #[test]
    fn silence_and_invalid_values_are_distinguished() {
        assert_eq!(weigh(&Verdicts::default()), (Outcome::NoVerdict, 0.0));
        let undefined = [(Method::Fence, f64::NAN), (Method::Ks, 1.0)];
        assert_eq!(weigh(&verdicts(&undefined)), (Outcome::Undefined, 0.0));
        let sides = [(Method::HighRank, f64::NAN), (Method::LowRank, 1.0)];
        assert_eq!(weigh(&verdicts(&sides)), (Outcome::Undefined, 0.0));
    }
}
