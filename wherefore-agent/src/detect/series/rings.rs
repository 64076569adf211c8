//! The points of all groups in one block of memory. A point is the bytes of an interval, a whole number that
//! nearly always fits in 24 bits. Owns the rings of points; refuses to know their groups, and how many points
//! of a ring are in use.

use rustc_hash::FxHashMap;

/// A whole number in three bytes.
type Short = [u8; 3];
/// Marks a point that is not below this, or not a whole number.
const LARGE: u32 = (1 << 24) - 1;

/// A ring of points for each group, all of the same length. A point is identified by the number of newer
/// ones.
#[derive(Debug, Clone)]
pub(super) struct Rings {
    length: usize,
    /// The position of the newest point in each ring. It is the same for all groups, because all get a point
    /// at the same time.
    newest: usize,
    points: Vec<Short>,
    /// The values of points that are [`LARGE`], by their positions.
    large: FxHashMap<usize, f64>,
}

impl Rings {
    /// Without rings; each will have this many points, at least one.
    pub(super) fn new(length: usize) -> Self {
        Self { length: length.max(1), newest: 0, points: Vec::new(), large: FxHashMap::default() }
    }

    /// Adds a ring of zeros.
    pub(super) fn grow(&mut self) {
        self.points.resize(self.points.len() + self.length, Short::default());
    }

    /// Forgets all rings.
    pub(super) fn forget(&mut self) {
        self.points.clear();
        self.large.clear();
    }

    /// Sets all points of a ring to zero.
    pub(super) fn clear(&mut self, ring: usize) {
        (0..self.length).for_each(|back| self.set(ring, back, 0.0));
    }

    /// Makes every point older by one. The oldest becomes the newest.
    pub(super) fn turn(&mut self) {
        self.newest = (self.newest + 1) % self.length;
    }

    /// Makes every point older by this number.
    pub(super) fn turn_by(&mut self, times: usize) {
        self.newest = (self.newest + times % self.length) % self.length;
    }

    fn place(&self, ring: usize, back: usize) -> usize {
        let at = if back > self.newest { self.newest + self.length } else { self.newest } - back;
        ring * self.length + at
    }

    pub(super) fn get(&self, ring: usize, back: usize) -> f64 {
        self.value(self.place(ring, back))
    }

    fn value(&self, place: usize) -> f64 {
        match self.short(place) {
            LARGE => self.large.get(&place).copied().unwrap_or_default(),
            point => f64::from(point),
        }
    }

    fn short(&self, place: usize) -> u32 {
        let [low, middle, high] = self.points[place];
        u32::from_le_bytes([low, middle, high, 0])
    }

    /// The newest `count` points, the oldest of them first.
    pub(super) fn last(&self, ring: usize, count: usize) -> impl Iterator<Item = f64> + '_ {
        let (start, end) = (ring * self.length, (ring + 1) * self.length);
        // The points up to the newest are at the front of a ring, and the older ones at its end.
        let (of_newer, after) = (count.min(self.newest + 1), start + self.newest + 1);
        let older = end - (count - of_newer)..end;
        older.chain(after - of_newer..after).map(|place| self.value(place))
    }

    pub(super) fn set(&mut self, ring: usize, back: usize, point: f64) {
        let place = self.place(ring, back);
        if self.short(place) == LARGE {
            self.large.remove(&place);
        }
        // The conversion to an integer saturates.
        let whole = point as u32;
        let is_short = whole < LARGE && f64::from(whole) == point;
        let [low, middle, high, _] = if is_short { whole } else { LARGE }.to_le_bytes();
        self.points[place] = [low, middle, high];
        if !is_short {
            self.large.insert(place, point);
        }
    }

    /// Removes the newest point: the previous one becomes the newest, and `oldest` the oldest.
    pub(super) fn take_back(&mut self, ring: usize, oldest: f64) {
        for back in 0..self.length - 1 {
            self.set(ring, back, self.get(ring, back + 1));
        }
        self.set(ring, self.length - 1, oldest);
    }

    /// The same points in rings of another length, as far as they fit.
    pub(super) fn resized(&self, length: usize) -> Self {
        let mut resized = Self::new(length);
        for ring in 0..self.points.len() / self.length {
            resized.grow();
            for back in 0..self.length.min(resized.length) {
                resized.set(ring, back, self.get(ring, back));
            }
        }
        resized
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_any_size_are_kept() {
        let points =
            [0.0, 1.0, 16_777_214.0, 16_777_215.0, 16_777_216.0, 4_294_967_296.0, 1e18, 0.5];
        let mut rings = Rings::new(4);
        (0..2).for_each(|_| rings.grow());
        let mut kept = vec![0.0; 4];
        for point in points.into_iter().chain(points) {
            rings.turn();
            rings.set(1, 0, point);
            kept.insert(0, point);
            let now: Vec<_> = (0..4).map(|back| rings.get(1, back)).collect();
            assert_eq!(now, kept[..4]);
        }
        assert!((0..4).all(|back| rings.get(0, back) == 0.0));
        rings.take_back(1, 7.0);
        let now: Vec<_> = (0..4).map(|back| rings.get(1, back)).collect();
        assert_eq!(now, [kept[1], kept[2], kept[3], 7.0]);
        assert_eq!(rings.resized(6).get(1, 1), kept[2]);
        rings.clear(1);
        assert!(rings.large.is_empty());
    }
}
