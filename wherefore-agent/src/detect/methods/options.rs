//! The options of the seven methods, and their possible errors.
//!
//! Owns the options and their validation. Refuses to have defaults: the Go program's own default
//! (`sensitivity` 2 for a probability that never exceeds 1) suppressed every alert, so each option must be
//! set explicitly. Refuses to change a value: Go read `sensitivity` 0 as 0.1; here 0 is 0 and suppresses
//! nothing.

use super::method::Method;

/// The largest `active_size * n_seasons`: far more points than are kept of any flow, but few enough that
/// products of two sizes fit in every integer type used here.
const MAX_REFERENCE: usize = 10_000;
/// The most arrangements that one evaluation may sample; this takes about a second.
const MAX_PERMUTATIONS: u32 = 10_000_000;

/// How windows are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The number of points at the end of the window that are judged; at least 1.
    pub active_size: usize,
    /// The reference consists of this many times `active_size` points before them. The product must be at
    /// least 4.
    pub n_seasons: usize,
    /// If `magnitude` is among the methods and below this, the result is 0. It is a fraction of the reference
    /// mean: 0.1 asks for a change of 10 %. Because magnitude is capped to 1, any number above 1 suppresses
    /// every window that has a reference.
    pub sensitivity: f64,
    /// The lower bound of the fence, in the unit of the points; `None` for an upper bound only.
    pub lower_bound: Option<f64>,
    /// The upper bound of the fence, in the unit of the points.
    pub upper_bound: f64,
    /// The methods to run. Their order does not matter, nor does repetition.
    pub methods: Vec<Method>,
    /// Whether the result is 0 until a window has all its reference and active points.
    pub delay: bool,
    /// The number of arrangements that are sampled if counting all is too expensive: for `diff` with more
    /// than 8 points; for `ks` if a longer window has more than this many samples of the size of reference
    /// and active points together; for the ranks if several active points would take millions of additions.
    /// Go used 500.
    pub permutations: u32,
    /// The seed of this sampling, used again for every evaluation, so that a score depends only on the window
    /// and the options.
    pub seed: u64,
}

/// An error in [`Options`]: the option, its value, and what is allowed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OptionsError {
    /// `active_size` is 0.
    #[error("active_size is 0: at least 1 point must be judged")]
    NoActivePoints,
    /// The reference is shorter than 4 points.
    #[error(
        "n_seasons {n_seasons} times active_size {active_size} gives a reference of {} points: \
         it must have at least 4, so raise one of the two",
        n_seasons * active_size
    )]
    ReferenceTooSmall {
        /// The value given.
        n_seasons: usize,
        /// The value given.
        active_size: usize,
    },
    /// The reference is longer than the longest window.
    #[error(
        "n_seasons {n_seasons} times active_size {active_size} is too large: \
         the reference may have at most {MAX_REFERENCE} points"
    )]
    ReferenceTooLarge {
        /// The value given.
        n_seasons: usize,
        /// The value given.
        active_size: usize,
    },
    /// `sensitivity` is negative, infinite or NaN.
    #[error("sensitivity {0} is not allowed: it must be a finite number, 0 or more")]
    Sensitivity(f64),
    /// `methods` is empty.
    #[error(
        "no methods: name at least one of magnitude, diff, highrank, lowrank, cdf, fence and ks"
    )]
    NoMethods,
    /// A bound of the fence is infinite or NaN.
    #[error("{name} {value} is not allowed with the fence method: it must be a finite number")]
    BoundNotFinite {
        /// `lower_bound` or `upper_bound`.
        name: &'static str,
        /// The value given.
        value: f64,
    },
    /// There is no lower bound, and the upper one is not positive.
    #[error(
        "upper_bound {0} is not allowed with the fence method and no lower_bound: it must be \
         above 0, because the method divides by it"
    )]
    UpperNotPositive(f64),
    /// The lower bound is not below the upper one.
    #[error(
        "lower_bound {lower} is not below upper_bound {upper}: the fence method needs it to be"
    )]
    FenceInverted {
        /// The value of `lower_bound`.
        lower: f64,
        /// The value of `upper_bound`.
        upper: f64,
    },
    /// `permutations` is 0 or would take too long.
    #[error("permutations {0} is not allowed: it must be from 1 to {MAX_PERMUTATIONS}")]
    Permutations(u32),
}

impl Options {
    /// All errors in these options, in the order of their fields. The bounds are checked only if `fence` is
    /// among the methods.
    pub fn problems(&self) -> Vec<OptionsError> {
        let mut problems = Vec::new();
        problems.extend(self.size_problem());
        if !(self.sensitivity.is_finite() && self.sensitivity >= 0.0) {
            problems.push(OptionsError::Sensitivity(self.sensitivity));
        }
        if self.methods.contains(&Method::Fence) {
            problems.extend(self.fence_problems());
        }
        if self.methods.is_empty() {
            problems.push(OptionsError::NoMethods);
        }
        if !(1..=MAX_PERMUTATIONS).contains(&self.permutations) {
            problems.push(OptionsError::Permutations(self.permutations));
        }
        problems
    }

    /// `n_seasons * active_size`, the number of points of a complete reference.
    pub(super) fn reference_size(&self) -> usize {
        self.n_seasons.saturating_mul(self.active_size)
    }

    fn size_problem(&self) -> Option<OptionsError> {
        let Self { active_size, n_seasons, .. } = *self;
        match self.reference_size() {
            _ if active_size == 0 => Some(OptionsError::NoActivePoints),
            0..4 => Some(OptionsError::ReferenceTooSmall { n_seasons, active_size }),
            4..=MAX_REFERENCE => None,
            _ => Some(OptionsError::ReferenceTooLarge { n_seasons, active_size }),
        }
    }

    fn fence_problems(&self) -> Vec<OptionsError> {
        let bounds = [("lower_bound", self.lower_bound), ("upper_bound", Some(self.upper_bound))];
        let infinite = bounds.into_iter().filter_map(|(name, bound)| {
            let value = bound.filter(|bound| !bound.is_finite())?;
            Some(OptionsError::BoundNotFinite { name, value })
        });
        let problems: Vec<_> = infinite.collect();
        if problems.is_empty() { Vec::from_iter(self.fence_order_problem()) } else { problems }
    }

    fn fence_order_problem(&self) -> Option<OptionsError> {
        let upper = self.upper_bound;
        match self.lower_bound {
            Some(lower) if lower >= upper => Some(OptionsError::FenceInverted { lower, upper }),
            None if upper <= 0.0 => Some(OptionsError::UpperNotPositive(upper)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Options {
        Options {
            active_size: 1,
            n_seasons: 4,
            sensitivity: 0.1,
            lower_bound: None,
            upper_bound: 5.0,
            methods: Method::ALL.to_vec(),
            delay: false,
            permutations: 500,
            seed: 1,
        }
    }

    #[test]
    fn sound_options_have_no_problem() {
        assert_eq!(sound().problems(), []);
    }

    #[test]
    fn all_problems_are_reported_in_the_order_of_the_fields() {
        let options = Options {
            n_seasons: 3,
            sensitivity: -1.0,
            lower_bound: Some(5.0),
            permutations: 0,
            ..sound()
        };
        let texts: Vec<_> = options.problems().iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 4, "{texts:?}");
        for (text, part) in texts.iter().zip(["3 points", "-1", "lower_bound 5", "permutations 0"])
        {
            assert!(text.contains(part), "{text} should contain {part}");
        }
    }

    #[test]
    fn each_bad_value_is_named() {
        let bad = |change: fn(&mut Options)| {
            let mut options = sound();
            change(&mut options);
            options.problems()
        };
        assert_eq!(bad(|o| o.active_size = 0), [OptionsError::NoActivePoints]);
        assert_eq!(bad(|o| o.methods.clear()), [OptionsError::NoMethods]);
        assert_eq!(bad(|o| o.sensitivity = f64::INFINITY).len(), 1);
        assert_eq!(bad(|o| o.sensitivity = f64::NAN).len(), 1);
        assert_eq!(bad(|o| o.upper_bound = 0.0), [OptionsError::UpperNotPositive(0.0)]);
        assert_eq!(bad(|o| o.upper_bound = f64::NAN).len(), 1);
        assert_eq!(bad(|o| o.lower_bound = Some(f64::NEG_INFINITY)).len(), 1);
        assert_eq!(bad(|o| o.permutations = u32::MAX).len(), 1);
        let huge = |n_seasons, active_size| Options { n_seasons, active_size, ..sound() };
        for options in [huge(usize::MAX, 1), huge(2, usize::MAX), huge(usize::MAX, usize::MAX)] {
            let problems = options.problems();
            assert!(matches!(problems[..], [OptionsError::ReferenceTooLarge { .. }]));
        }
        let none = huge(0, usize::MAX).problems();
        assert!(matches!(none[..], [OptionsError::ReferenceTooSmall { .. }]));
    }

    #[test]
    fn bounds_do_not_matter_without_the_fence() {
        let methods = vec![Method::Magnitude];
        let options = Options { methods, upper_bound: f64::NAN, ..sound() };
        assert_eq!(options.problems(), []);
    }
}
