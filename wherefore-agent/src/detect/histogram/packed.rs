//! A histogram in as many octets as it has bins with values, and five. Owns that form; what counts mean
//! is said in `histogram`.
//!
//! ```text
//! base | which bins have values, one bit each | their counts, the lowest bin first
//! 1    | 4                                    | 1 each
//! ```
//! Of one that holds nothing there is the base alone, or nothing where no other follows.

use super::{BINS, Count, Histogram, NOTHING, Tail, bin_of};

/// Octets that one takes at the most.
pub(in crate::detect) const MOST: usize = 1 + size_of::<u32>() + BINS;

impl Histogram {
    /// Writes it into the beginning of this room; what is left of it.
    pub(in crate::detect) fn pack<'a>(&self, room: &'a mut [u8]) -> &'a mut [u8] {
        let (base, room) = room.split_at_mut(1);
        base.fill(self.base);
        if self.base == NOTHING {
            return room;
        }
        let mut used = self.used();
        let (bins, room) = room.split_at_mut(size_of::<u32>());
        bins.copy_from_slice(&used.to_le_bytes());
        let (counts, room) = room.split_at_mut(used.count_ones() as usize);
        for count in counts {
            *count = self.counts[used.trailing_zeros() as usize % BINS];
            used &= used - 1;
        }
        room
    }

    /// Which bins have values.
    fn used(&self) -> u32 {
        let eights = self.counts.as_chunks().0.iter().rev();
        eights.fold(0, |used, eight| used << 8 | not_zero(u64::from_le_bytes(*eight)))
    }

    /// The one at the beginning of these octets, which are those after it then.
    pub(in crate::detect) fn unpack(packed: &mut &[u8]) -> Self {
        let mut histogram = Self::new();
        let Some((base, mut used, counts)) = split(packed) else {
            *packed = packed.get(1..).unwrap_or_default();
            return histogram;
        };
        let (counts, rest) = counts.split_at(used.count_ones() as usize);
        histogram.base = base;
        for count in counts {
            histogram.counts[used.trailing_zeros() as usize % BINS] = *count;
            used &= used - 1;
        }
        *packed = rest;
        histogram
    }
}

/// Base, bins and what follows; `None` where the first histogram holds nothing.
fn split(packed: &[u8]) -> Option<(u8, u32, &[u8])> {
    let (base, rest) = packed.split_first().filter(|(base, _)| **base != NOTHING)?;
    let (bins, rest) = rest.split_first_chunk()?;
    Some((*base, u32::from_le_bytes(*bins), rest))
}

/// Where the histogram at the beginning of these octets, which are those after it then, has the count of
/// the bin of `y`; `None` where the score of `y` and `more` are not below 1 for certain, or counting it
/// takes more than adding to that count.
pub(in crate::detect) fn ordinary_place(
    packed: &mut &[u8],
    y: f32,
    tail: &Tail,
    more: f32,
) -> Option<usize> {
    let (base, used, counts) = split(packed)?;
    let place = bin_of(y, base);
    if place >= BINS || used >> place & 1 == 0 {
        return None;
    }
    let lower = (used & ((1 << place) - 1)).count_ones() as usize;
    let (counts, rest) = counts.split_at(used.count_ones() as usize);
    let (lowest, here) = counts.split_at(lower);
    let sum = |counts: &[u8]| counts.iter().map(|count| u32::from(*count)).sum::<u32>();
    let (count, above) = (u32::from(here[0]), sum(&here[1..]));
    let is_ordinary = || {
        let here = count + above;
        let is_at_once = more <= 0.0 && tail.is_ordinary(here + sum(lowest), here, above);
        let judge = || Histogram::unpack(&mut &**packed).judge(y, tail);
        is_at_once || judge().is_none_or(|rarity| rarity.score + more < 1.0)
    };
    if count + 1 >= u8::FULL || !is_ordinary() {
        return None;
    }
    *packed = rest;
    Some(1 + size_of::<u32>() + lower)
}

/// Which of eight octets are not 0, one bit each, the lowest octet's first.
fn not_zero(eight: u64) -> u32 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let highest = (((eight & LOW) + LOW) | eight) & !LOW;
    // Each factor brings one of the bits to where it belongs, and no two sums meet elsewhere.
    ((highest >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: Tail =
        Tail { fraction: 0.04, least_values: 8.0, prior_octaves: 0.5, prior_weight: 2.0 };

    #[test]
    fn what_is_packed_is_what_it_was_and_counts_as_it_did() {
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
            let (y, more) = (random.f32() * spread, [0.0, 0.6, 1.2][random.usize(..3)]);
            let rarity = histogram.judge(y, &TAIL);
            let is_ordinary = rarity.is_none_or(|rarity| rarity.score + more < 1.0);
            all += u32::from(is_ordinary);
            let mut rest = &*packed;
            let Some(place) = ordinary_place(&mut rest, y, &TAIL, more) else { continue };
            assert!(is_ordinary && rest.is_empty());
            histogram.count(y);
            packed[place] += 1;
            assert_eq!(Histogram::unpack(&mut &*packed), histogram);
            counted += 1;
        }
        assert!(counted > all / 2, "{counted} of {all}");
    }

    #[test]
    fn octets_that_are_not_zero() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..1_000 {
            let octets: [u8; 8] = std::array::from_fn(|_| random.u8(..) * u8::from(random.bool()));
            let expected =
                octets.iter().rev().fold(0, |bits, octet| bits << 1 | u32::from(*octet != 0));
            assert_eq!(not_zero(u64::from_le_bytes(octets)), expected, "{octets:?}");
        }
    }
}
