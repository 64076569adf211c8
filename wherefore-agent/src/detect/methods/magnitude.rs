//! The `magnitude` method: how far the active mean is from the reference mean, in units of the latter.
//!
//! Owns the relative change and its two special cases for a reference of 0. Refuses to cap: a raw value may
//! be above 1, below 0 (for a negative reference) or NaN (if sums overflow).

use super::windows;

/// |A - R| / R of the two means; `None` without reference points.
///
/// If R is 0, the change is 0 if A is 0 too, and otherwise 1, which is "infinitely more" after capping.
pub(super) fn raw(window: &[f64], reference_size: usize, active_size: usize) -> Option<f64> {
    let (reference, active) = windows::split(window, reference_size, active_size, 1)?;
    let reference = windows::mean(reference.iter().copied());
    let active = windows::mean(active.iter().copied());
    Some(match (reference == 0.0, active == 0.0) {
        (true, true) => 0.0,
        (true, false) => 1.0,
        _ => (active - reference).abs() / reference,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_their_special_cases() {
        assert_eq!(raw(&[2.0, 2.0, 3.0], 4, 1), Some(0.5));
        assert_eq!(raw(&[0.0, 0.0], 4, 1), Some(0.0));
        assert_eq!(raw(&[0.0, 7.0], 4, 1), Some(1.0));
        assert_eq!(raw(&[-2.0, 7.0], 4, 1), Some(-4.5));
        assert_eq!(raw(&[7.0], 4, 1), None);
        assert_eq!(raw(&[9.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0], 4, 1), Some(0.0));
    }
}
