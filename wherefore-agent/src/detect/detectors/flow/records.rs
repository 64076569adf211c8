//! Records of a few bytes, whose sizes change sometimes, in one block of memory: separate allocations would
//! cost as much again for each. Owns the memory and its waste; refuses to know the owners of records, which
//! keep their positions.

/// The space of a record grows by this many bytes.
const UNIT: usize = 4;
/// Records are moved together if the wasted bytes exceed one in this many of all bytes,
const LOST: usize = 4;
/// plus this many bytes.
const FEW: usize = 1 << 16;

/// The position and length of a record, in six bytes.
#[derive(Debug, Clone, Copy, Default)]
#[repr(Rust, packed(2))]
pub(super) struct Place {
    /// The position, in units.
    at: u32,
    length: u16,
}

/// The bytes of all records.
#[derive(Debug, Clone, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    /// The number of wasted bytes: those of records that were moved.
    lost: usize,
}

impl Place {
    fn start(self) -> usize {
        self.at as usize * UNIT
    }

    fn end(self) -> usize {
        self.start() + usize::from(self.length)
    }

    fn room(self) -> usize {
        usize::from(self.length).next_multiple_of(UNIT)
    }
}

impl Records {
    /// A record.
    pub(super) fn get(&self, place: Place) -> &[u8] {
        &self.bytes[place.start()..place.end()]
    }

    /// The same as [`Self::get`].
    pub(super) fn get_mut(&mut self, place: Place) -> &mut [u8] {
        &mut self.bytes[place.start()..place.end()]
    }

    /// Writes a record of less than 65,536 bytes, at its old position if it fits.
    pub(super) fn put(&mut self, place: &mut Place, record: &[u8]) {
        let (room, needed) = (place.room(), record.len().next_multiple_of(UNIT));
        if needed > room {
            place.at = (self.bytes.len() / UNIT) as u32;
            self.bytes.resize(self.bytes.len() + needed, 0);
            self.lost += room;
        } else {
            self.lost += room - needed;
        }
        place.length = record.len() as u16;
        self.get_mut(*place).copy_from_slice(record);
    }

    /// Whether so much is wasted that moving all records is worthwhile.
    pub(super) fn is_wasteful(&self) -> bool {
        self.lost > self.bytes.len() / LOST + FEW
    }

    /// Moves the records at these places, which must be all records, together in this order.
    pub(super) fn gather<'a>(&mut self, places: impl Iterator<Item = &'a mut Place>) {
        let room = self.bytes.len() - self.lost;
        let scattered = std::mem::replace(self, Self { bytes: Vec::with_capacity(room), lost: 0 });
        for place in places {
            let record = scattered.get(*place);
            *place = Place::default();
            self.put(place, record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_last_written_content() {
        let mut random = fastrand::Rng::with_seed(8);
        let mut records = Records::default();
        let mut places = vec![Place::default(); 2_000];
        let mut expected = vec![Vec::new(); places.len()];
        let mut gathered = 0;
        for _ in 0..100_000 {
            let which = random.usize(..places.len());
            let record: Vec<u8> = (0..random.usize(0..80)).map(|_| random.u8(..)).collect();
            records.put(&mut places[which], &record);
            expected[which] = record;
            if records.is_wasteful() {
                records.gather(places.iter_mut());
                gathered += 1;
                assert_eq!(records.lost, 0);
            }
            let used: usize = places.iter().map(|place| place.room()).sum();
            assert_eq!(records.bytes.len(), used + records.lost);
        }
        assert!(gathered > 10);
        let all = places.iter().map(|place| records.get(*place));
        assert!(all.eq(expected.iter().map(|record| &record[..])));
    }
}
