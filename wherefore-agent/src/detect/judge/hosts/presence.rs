//! Which addresses are here to stay. Owns since when each has been seen without a long break; refuses to judge.
//!
//! The address of a pod is used again by another one hours later: what that does says nothing about the last one.
//! Only hosts that have been present for an hour are compared with their past.

use rustc_hash::FxHashMap;
use wherefore_common::flow::AddressWords;

use super::host::{DAY, HOUR, Key};

/// The addresses with traffic in the last day.
#[derive(Debug, Clone, Default)]
pub(super) struct Presence {
    stays: FxHashMap<(u8, AddressWords), Stay>,
    /// Slots of five minutes so far.
    slot: i64,
}

/// The first and the last slot of a stay.
#[derive(Debug, Clone, Copy)]
struct Stay {
    since: i64,
    last: i64,
}

impl Presence {
    /// Whether an address has been present for an hour, without a break as long.
    pub(super) fn is_settled(&self, key: &Key) -> bool {
        let hour = HOUR as i64;
        self.stays
            .get(&(key.family, key.address))
            .is_some_and(|stay| self.slot - stay.last <= hour && self.slot - stay.since >= hour)
    }

    /// An address had traffic in the current slot.
    pub(super) fn note(&mut self, key: &Key) {
        let slot = self.slot;
        let stay =
            self.stays.entry((key.family, key.address)).or_insert(Stay { since: slot, last: slot });
        if slot - stay.last > HOUR as i64 {
            stay.since = slot;
        }
        stay.last = slot;
    }

    /// An address that had traffic this many slots ago, for an hour or more.
    pub(super) fn resume(&mut self, key: &Key, ago: i64) {
        let last = self.slot - ago;
        let stay = Stay { since: last - HOUR as i64, last };
        let known = self.stays.entry((key.family, key.address)).or_insert(stay);
        known.last = known.last.max(last);
    }

    /// Ends this many slots.
    pub(super) fn pass(&mut self, slots: u64) {
        self.slot += slots as i64;
        let oldest = self.slot - DAY as i64;
        self.stays.retain(|_, stay| stay.last >= oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_comes_back_after_hours_is_not_settled() {
        let (mut presence, key) = (Presence::default(), Key::default());
        let mut after = |present: u64, absent: u64| {
            (0..present).for_each(|_| {
                presence.note(&key);
                presence.pass(1);
            });
            presence.pass(absent);
            presence.note(&key);
            presence.is_settled(&key)
        };
        assert!(!after(3, 0), "only a quarter of an hour");
        assert!(after(12, 0));
        assert!(after(12, 6), "half an hour is no long break");
        assert!(!after(12, 24), "two hours are");
    }
}
