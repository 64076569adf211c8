//! Rings of points, and the relative changes between neighbours, which both forms of `diff` examine.

/// Up to this many points, every order is examined: 7! rings.
pub(super) const EXACT_POINTS: usize = 8;

/// Calls `examine` for every ring, by Heap's algorithm in its iterative form. The first point stays in place.
pub(super) fn every_ring<T>(ring: &mut [T], mut examine: impl FnMut(&[T])) {
    examine(ring);
    let mut turns = [0; EXACT_POINTS];
    let mut depth = 1;
    while depth + 1 < ring.len() {
        if turns[depth] == depth {
            turns[depth] = 0;
            depth += 1;
            continue;
        }
        let partner = if depth % 2 == 0 { 0 } else { turns[depth] };
        ring.swap(1 + partner, 1 + depth);
        turns[depth] += 1;
        depth = 1;
        examine(ring);
    }
}

/// |(to - from) / to|; NaN from 0 to 0 and between infinities.
pub(super) fn change(from: f64, to: f64) -> f64 {
    ((to - from) / to).abs()
}
