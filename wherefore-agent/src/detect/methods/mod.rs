//! The Go tool's seven methods: how unusual are the last points of a window, from 0 to 1, computed exactly.
//!
//! Owns the [`Anomalyzer`]: which methods judge a window, with which scratch memory, and when a verdict is
//! known early. Refuses to keep series, to read a clock, to do I/O and to remember anything between two
//! evaluations: the same window and the same [`Options`] give the same score, in any order and in any
//! process.
//!
//! The semantics are those of the Go library `lytics/anomalyzer` (methods, windows, the rule for ties,
//! weights), but its 500 shuffles are replaced by what they estimate: exact values where these are
//! affordable, and otherwise a seeded sample. A window is a slice, the oldest point first; the last
//! `active_size` points are judged by the `n_seasons * active_size` points before them.
//!
//! # Panic contract
//! No function here panics, whatever the window contains: no points, NaN, infinities, negative numbers. If it
//! contains NaN, every method is undefined and the result is 0.

mod cdf;
mod diff;
mod fence;
mod ks;
mod last_change;
mod magnitude;
mod method;
mod options;
mod random;
mod rank;
mod rings;
mod score;
mod windows;

pub use method::{Method, ParseMethodError};
pub use options::{Options, OptionsError};
pub use score::{Outcome, Score};

use method::MethodSet;
use random::Sampling;
use score::Verdicts;

/// Judges windows with fixed [`Options`].
///
/// It has scratch memory that grows to the longest window it has judged; after that, an evaluation allocates
/// nothing. One `Anomalyzer` serves any number of series, one evaluation at a time.
///
/// # Example
/// ```
/// use wherefore_agent::detect::methods::{Anomalyzer, Method, Options, OptionsError};
///
/// let mut anomalyzer = Anomalyzer::new(Options {
///     active_size: 1,
///     n_seasons: 4,
///     sensitivity: 0.1,
///     lower_bound: None,
///     upper_bound: 1e7,
///     methods: vec![Method::Magnitude, Method::Diff, Method::HighRank],
///     delay: true,
///     permutations: 500,
///     seed: 0,
/// })?;
/// // The last point is judged by the four before it.
/// assert_eq!(anomalyzer.probability(&[10.0, 12.0, 11.0, 10.0, 11.0]), 0.0, "a small change");
/// assert!(anomalyzer.probability(&[10.0, 12.0, 11.0, 10.0, 900.0]) > 0.6, "a burst");
/// # Ok::<(), OptionsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Anomalyzer {
    options: Options,
    methods: MethodSet,
    reference_size: usize,
    rank: rank::Scratch,
    diff: diff::Scratch,
    ks: ks::Scratch,
}

impl Anomalyzer {
    /// Builds an anomalyzer.
    ///
    /// # Errors
    /// The first of [`Options::problems`], if there is any.
    pub fn new(options: Options) -> Result<Self, OptionsError> {
        if let Some(problem) = options.problems().into_iter().next() {
            return Err(problem);
        }
        Ok(Self {
            methods: options.methods.iter().copied().collect(),
            reference_size: options.reference_size(),
            options,
            rank: rank::Scratch::default(),
            diff: diff::Scratch::default(),
            ks: ks::Scratch::default(),
        })
    }

    /// The options of this anomalyzer.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The probability, from 0 to 1, that the end of `window` is anomalous.
    ///
    /// It is equal to the `probability` of [`Anomalyzer::score`] to the last bit, but the costly methods do
    /// not run if `delay` or `sensitivity` already decides that the result is 0. For most windows, only one
    /// mean over `reference_size + active_size` points is left to compute.
    pub fn probability(&mut self, window: &[f64]) -> f64 {
        let gate = self.methods.contains(Method::Magnitude).then(|| self.magnitude(window));
        if self.silence(window.len(), gate.flatten().map(cap)).is_some() {
            return 0.0;
        }
        score::weigh(&self.verdicts(window)).1
    }

    /// The probability, with the result of every configured method.
    ///
    /// Runs all configured methods even if `delay` or `sensitivity` makes the result 0, so that a reader can
    /// see what was suppressed; [`Score::outcome`] has the reason.
    pub fn score(&mut self, window: &[f64]) -> Score {
        let verdicts = self.verdicts(window);
        let silence = self.silence(window.len(), verdicts.of(Method::Magnitude));
        let (outcome, probability) = match silence {
            Some(outcome) => (outcome, 0.0),
            None => score::weigh(&verdicts),
        };
        Score::new(probability, outcome, self.methods, verdicts)
    }

    /// The result of one method before it is capped to [0, 1]; the method need not be configured.
    ///
    /// `None` means that there is no verdict, because the window is too short for this method. NaN means that
    /// the result is undefined: the arithmetic overflowed, the window contains NaN, or (`fence`) it is empty.
    pub fn raw(&mut self, method: Method, window: &[f64]) -> Option<f64> {
        if window.iter().any(|x| x.is_nan()) {
            return Some(f64::NAN);
        }
        match method {
            Method::Magnitude => self.magnitude(window),
            Method::Diff => self.diff(window),
            Method::HighRank => self.ranks(window).map(|tails| tails.high),
            Method::LowRank => self.ranks(window).map(|tails| tails.low),
            Method::Cdf => cdf::raw(window, self.reference_size, self.options.active_size),
            Method::Fence => Some(fence::raw(window, &self.options)),
            Method::Ks => self.ks(window),
        }
    }

    /// The reason why the result is 0 whatever the other methods return, if there is one.
    fn silence(&self, points: usize, magnitude: Option<f64>) -> Option<Outcome> {
        // Options limit both sizes, so this sum cannot overflow.
        if self.options.delay && points < self.reference_size + self.options.active_size {
            return Some(Outcome::Delayed);
        }
        // A comparison with NaN is false: an undefined magnitude is weighed later, and gives 0.
        let gated = magnitude.is_some_and(|p| p < self.options.sensitivity);
        gated.then_some(Outcome::BelowSensitivity)
    }

    fn verdicts(&mut self, window: &[f64]) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for method in self.methods.iter().filter(|method| !method.is_rank()) {
            verdicts.set(method, self.raw(method, window).map(cap));
        }
        self.rank_verdicts(window, &mut verdicts);
        verdicts
    }

    /// Computes both ranks at once, because they are two sides of the same count.
    fn rank_verdicts(&mut self, window: &[f64], verdicts: &mut Verdicts) {
        if !self.methods.iter().any(Method::is_rank) {
            return;
        }
        let undefined = window.iter().any(|x| x.is_nan());
        let tails = if undefined { Some(rank::Tails::UNDEFINED) } else { self.ranks(window) };
        for (method, side) in [
            (Method::HighRank, tails.map(|tails| tails.high)),
            (Method::LowRank, tails.map(|tails| tails.low)),
        ] {
            if self.methods.contains(method) {
                verdicts.set(method, side);
            }
        }
    }

    fn magnitude(&self, window: &[f64]) -> Option<f64> {
        magnitude::raw(window, self.reference_size, self.options.active_size)
    }

    fn ranks(&mut self, window: &[f64]) -> Option<rank::Tails> {
        let (active_size, sampling) = (self.options.active_size, self.sampling());
        self.rank.tails(window, self.reference_size, active_size, sampling)
    }

    fn diff(&mut self, window: &[f64]) -> Option<f64> {
        let (active_size, sampling) = (self.options.active_size, self.sampling());
        self.diff.raw(window, self.reference_size, active_size, sampling)
    }

    fn ks(&mut self, window: &[f64]) -> Option<f64> {
        let (active_size, sampling) = (self.options.active_size, self.sampling());
        self.ks.raw(window, self.reference_size, active_size, sampling)
    }

    fn sampling(&self) -> Sampling {
        Sampling { permutations: self.options.permutations, seed: self.options.seed }
    }
}

/// Limits a result to [0, 1]. NaN stays NaN, so that the weighing sees an undefined method.
fn cap(raw: f64) -> f64 {
    raw.clamp(0.0, 1.0)
}
