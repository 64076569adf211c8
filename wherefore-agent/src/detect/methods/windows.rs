//! Splits a window into reference and active points.
//!
//! Owns the split with which every method begins, and the mean of both parts. Refuses to decide how much
//! reference a method needs, which each method does itself.

/// The most points whose arrangements are counted in `f64`: C(1000, 500), about 2.7e299, is nearly the
/// largest count that fits.
pub(super) const COUNTABLE_POINTS: usize = 1000;

/// Splits the end of `points` into reference and active points: the last `active_size`, and up to
/// `reference_size` before them. `None` if there are fewer than `minimum` reference points.
pub(super) fn split(
    points: &[f64],
    reference_size: usize,
    active_size: usize,
    minimum: usize,
) -> Option<(&[f64], &[f64])> {
    let (before, active) = points.split_at(points.len().saturating_sub(active_size));
    let reference = &before[before.len().saturating_sub(reference_size)..];
    (reference.len() >= minimum).then_some((reference, active))
}

/// The mean, added up from the oldest point on; NaN if there are no points.
pub(super) fn mean(points: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = points.len() as f64;
    points.fold(0.0, |sum, x| sum + x) / count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_window_gives_up_its_reference_first() {
        let points = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(split(&points, 2, 1, 1), Some((&points[1..3], &points[3..])));
        assert_eq!(split(&points, 8, 1, 1), Some((&points[..3], &points[3..])));
        assert_eq!(split(&points, 2, 9, 0), Some((&points[..0], &points[..])));
        assert_eq!(split(&points, 2, 9, 1), None);
        assert_eq!(split(&[], 2, 1, 1), None);
    }
}
