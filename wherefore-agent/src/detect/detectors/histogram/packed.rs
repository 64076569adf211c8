//! A histogram packed into one byte for each bin from the first to the last with values, and three more. Owns
//! this form; `histogram` owns the meaning of counts.
//!
//! ```text
//! base | the lowest bin with values | bins from there on | their counts
//! 1    | 1                          | 1                  | 1 each
//! ```
//! An empty histogram has only the base, or nothing if no other one follows.

use std::ops::Range;

use super::{BINS, Count, Histogram, Limit, NOTHING, Tail, bin_of};

/// The number of bytes before the counts.
const HEADER: usize = 3;
/// The most bytes of a packed histogram.
pub(in crate::detect::detectors) const MOST: usize = HEADER + BINS;

impl Histogram {
    /// Writes it to the beginning of this memory; returns the rest of the memory.
    pub(in crate::detect::detectors) fn pack<'a>(&self, room: &'a mut [u8]) -> &'a mut [u8] {
        if self.base == NOTHING {
            let (base, room) = room.split_at_mut(1);
            base.fill(NOTHING);
            return room;
        }
        let bins = self.bins();
        let (header, room) = room.split_at_mut(HEADER);
        header.copy_from_slice(&[self.base, bins.start as u8, bins.len() as u8]);
        let (counts, room) = room.split_at_mut(bins.len());
        counts.copy_from_slice(&self.counts[bins]);
        room
    }

    /// The range from the first bin with values to the last.
    fn bins(&self) -> Range<usize> {
        let eights = self.counts.as_chunks::<8>().0;
        let has_values = |eight: &[u8; 8]| *eight != [0; 8];
        let first = eights.iter().position(has_values);
        let last = eights.iter().rposition(has_values);
        let (Some(first), Some(last)) = (first, last) else { return 0..0 };
        let before = u64::from_le_bytes(eights[first]).trailing_zeros() / u8::BITS;
        let behind = u64::from_le_bytes(eights[last]).leading_zeros() / u8::BITS;
        first * 8 + before as usize..(last + 1) * 8 - behind as usize
    }

    /// Reads the histogram at the beginning of these bytes, and advances them behind it.
    pub(in crate::detect::detectors) fn unpack(packed: &mut &[u8]) -> Self {
        let mut histogram = Self::new();
        let Some(Packed { base, lowest, counts, rest }) = split(packed) else {
            *packed = packed.get(1..).unwrap_or_default();
            return histogram;
        };
        histogram.base = base;
        histogram.counts[lowest..lowest + counts.len()].copy_from_slice(counts);
        *packed = rest;
        histogram
    }
}

/// The parts of a packed histogram, and the bytes after it.
struct Packed<'a> {
    base: u8,
    lowest: usize,
    counts: &'a [u8],
    rest: &'a [u8],
}

/// Splits off the first histogram; `None` if it is empty.
fn split(packed: &[u8]) -> Option<Packed<'_>> {
    let (&[base, lowest, bins], rest) = packed.split_first_chunk()?;
    let (counts, rest) = rest.split_at_checked(bins.into()).filter(|_| base != NOTHING)?;
    Some(Packed { base, lowest: lowest.into(), counts, rest })
}

/// The position of the count for `y` in the histogram at the beginning of these bytes; advances them behind
/// it. `None` if the score of `y` may reach the limit, or if counting it would change more than that count.
pub(in crate::detect::detectors) fn ordinary_place(
    packed: &mut &[u8],
    y: f32,
    tail: &Tail,
    limit: &Limit,
) -> Option<usize> {
    let Packed { base, lowest, counts, rest } = split(packed)?;
    let place = bin_of(y, base).checked_sub(lowest)?;
    let (below, here) = counts.split_at_checked(place)?;
    let (count, above) = here.split_first()?;
    let sum = |counts: &[u8]| counts.iter().map(|count| u32::from(*count)).sum::<u32>();
    let (count, above) = (u32::from(*count), sum(above));
    let is_below = || {
        let here = count + above;
        let judge = || Histogram::unpack(&mut &**packed).judge(y, tail);
        tail.is_below(here + sum(below), here, above, limit)
            || judge().is_none_or(|rarity| rarity.score < limit.score)
    };
    if count + 1 >= u8::FULL || !is_below() {
        return None;
    }
    *packed = rest;
    Some(HEADER + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: Tail =
        Tail { fraction: 0.04, least_values: 8.0, prior_octaves: 0.5, prior_weight: 2.0 };

    #[test]
    fn packing_preserves_content_and_counting() {
        let mut random = fastrand::Rng::with_seed(6);
        let (mut all, mut counted) = (0, 0);
        for _ in 0..2_000 {
            let mut histogram = Histogram::new();
            let spread = random.f32() * 12.0;
            for _ in 0..random.u32(0..600) {
                histogram.count(random.f32() * spread + f32::from(random.u8(..) / 255) * 30.0);
            }
            let mut room = [0; MOST + 1];
            let left = histogram.pack(&mut room).len();
            let packed = &mut room[..MOST + 1 - left];
            let mut rest = &*packed;
            assert_eq!(Histogram::unpack(&mut rest), histogram);
            assert!(rest.is_empty());
            let (y, limit) = (random.f32() * spread, Limit::below(3.0 * random.f32()));
            let rarity = histogram.judge(y, &TAIL);
            let is_ordinary = rarity.is_none_or(|rarity| rarity.score < limit.score);
            all += u32::from(is_ordinary);
            let mut rest = &*packed;
            let Some(place) = ordinary_place(&mut rest, y, &TAIL, &limit) else { continue };
            assert!(is_ordinary && rest.is_empty());
            histogram.count(y);
            packed[place] += 1;
            assert_eq!(Histogram::unpack(&mut &*packed), histogram);
            counted += 1;
        }
        assert!(counted > all / 2, "{counted} of {all}");
    }
}
