//! The `fence` method: how close the mean of the active points is to the bounds.
//!
//! Owns the distance and its exponential scale. Refuses to use reference points, and to return no verdict: an
//! empty window is undefined (NaN).

use super::options::Options;
use super::windows;

/// (10^d - 1) / 9, where d, from 0 to 1, is the part of the way to a bound that the active mean has gone:
/// from 0 if there is no lower bound, otherwise from the middle between both bounds.
pub(super) fn raw(window: &[f64], options: &Options) -> f64 {
    let active = &window[window.len().saturating_sub(options.active_size)..];
    let mean = windows::mean(active.iter().copied());
    let distance = match options.lower_bound {
        None => mean / options.upper_bound,
        Some(lower) => from_middle(mean, lower, options.upper_bound),
    };
    (10f64.powf(distance.clamp(0.0, 1.0)) - 1.0) / 9.0
}

fn from_middle(mean: f64, lower: f64, upper: f64) -> f64 {
    // Halved before subtraction, so that the width is finite even if the bounds span the whole range of f64.
    let half_width = upper / 2.0 - lower / 2.0;
    (mean - (lower + half_width)).abs() / half_width
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(lower_bound: Option<f64>, upper_bound: f64) -> Options {
        Options {
            active_size: 1,
            n_seasons: 4,
            sensitivity: 0.1,
            lower_bound,
            upper_bound,
            methods: vec![],
            delay: false,
            permutations: 1,
            seed: 0,
        }
    }

    #[test]
    fn the_distance_to_the_bound_is_scaled_and_clamped() {
        let upper_only = options(None, 10.0);
        assert_eq!(raw(&[99.0, 0.0], &upper_only), 0.0);
        assert_eq!(raw(&[10.0], &upper_only), 1.0);
        assert_eq!(raw(&[-10.0], &upper_only), 0.0);
        assert_eq!(raw(&[f64::INFINITY], &upper_only), 1.0);
        assert!(raw(&[], &upper_only).is_nan());
        let both = options(Some(10.0), 20.0);
        assert_eq!(raw(&[15.0], &both), 0.0);
        assert_eq!((raw(&[10.0], &both), raw(&[25.0], &both)), (1.0, 1.0));
        assert_eq!(raw(&[0.0], &options(Some(f64::MIN), f64::MAX)), 0.0);
    }
}
