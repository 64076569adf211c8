//! The `cdf` method: the position of the latest absolute change among the earlier ones.
//!
//! Owns this percentile and its distance from one half. Refuses to correct the method: windows without
//! changes score 1.0, because the difference of the two mean changes is then 0 or less, and so below almost
//! every change. The Go library does the same, which is why the method is not recommended.

use super::windows;

/// 2 * |0.5 - F(A - R)|, where A and R are the mean absolute changes of the active and the reference points,
/// and F is the empirical distribution of the reference changes. `None` if there are fewer reference changes
/// than active ones.
pub(super) fn raw(window: &[f64], reference_size: usize, active_size: usize) -> Option<f64> {
    // There is one change fewer than points: an active change starts at the last reference point.
    let first_active = window.len().checked_sub(active_size + 1)?;
    let count = first_active.min(reference_size - 1);
    if count < active_size {
        return None;
    }
    let reference = &window[first_active - count..=first_active];
    let moved = windows::mean(changes(&window[first_active..])) - windows::mean(changes(reference));
    // Counts changes above: if the difference is NaN, no change is above it and F is 1, as in Go.
    let above = changes(reference).filter(|&change| moved < change).count();
    let percentile = (count - above) as f64 / count as f64;
    Some(2.0 * (0.5 - percentile).abs())
}

fn changes(points: &[f64]) -> impl ExactSizeIterator<Item = f64> {
    points.windows(2).map(|pair| (pair[1] - pair[0]).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_series_scores_one_and_a_change_in_the_middle_zero() {
        assert_eq!(raw(&[5.0; 6], 4, 1), Some(1.0));
        // Reference changes 1, 3 (mean 2); active change 4: the difference 2 is above one of two.
        assert_eq!(raw(&[0.0, 1.0, 4.0, 8.0], 4, 1), Some(0.0));
    }

    #[test]
    fn too_few_changes_give_no_verdict() {
        assert_eq!(raw(&[], 4, 1), None);
        assert_eq!(raw(&[1.0, 2.0], 4, 1), None);
        assert_eq!(raw(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 9, 3), None);
        assert_eq!(raw(&[1.0; 20], 4, 4), None);
    }
}
