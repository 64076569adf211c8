//! The baseline of each address. Owns the histories, their bound and their eviction; refuses to
//! judge.
//!
//! An address gets a slot once it did more than a spoofed source does. If all are taken, a quiet one
//! is evicted: first one that was quiet for an hour, otherwise one that was hardly ever seen. Established
//! or active addresses stay in any case: a flood of new addresses finds no slot then, and each
//! of them is judged as a newcomer.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use wherefore_common::flow::address_words;
use wherefore_common::{Counters, FlowKey};

use super::active::{Address, NONE};
use super::slow::WINDOWS;
use crate::detect::detectors::Past;
use crate::traffic::hash_index::{HashIndex, Hashed};

/// Quiet intervals after which an address may be evicted for any other: an hour of 5 s.
const FORGET_AFTER: u64 = 720;
/// Active intervals after which an address is established.
const ESTABLISHED: u32 = 8;
/// Intervals after which an address counts as new: those present at startup do not.
const STARTUP: u64 = 10;
/// The number of slots that are searched for one to evict.
const EVICTION_SCAN: usize = 64;

/// Length of a block whose upload is judged, in intervals: the replies often come in the
/// next interval.
pub(super) const BLOCK: u64 = 16;
/// Quantities of a destination.
pub(super) const RECEIVED: usize = 4;
/// Quantities of a source.
pub(super) const SENT: usize = 2;

/// The history of an address.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slot {
    address: Address,
    is_used: bool,
    pub is_newcomer: bool,
    /// Whether its network is known, and needs not be looked up.
    pub is_settled: bool,
    /// Intervals in which it was active.
    intervals: u32,
    last_active: u64,
    pub received: [Past; RECEIVED],
    pub sent: [Past; SENT],
    pub upload: Past,
    /// The histories of the windows of [`super::slow`].
    pub slow: [[Past; SENT]; WINDOWS],
    pub block: Block,
}

const _: () = assert!(size_of::<Slot>() <= 640);

/// The bytes that an address sent and received in the unfinished block of intervals.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Block {
    pub sent: Counters,
    pub received_bytes: u64,
    pub main_flow: FlowKey,
}

impl Block {
    fn is_used(&self) -> bool {
        self.sent.packets > 0 || self.received_bytes > 0
    }
}

/// The stored state of an address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Saved {
    address: IpAddr,
    ifindex: u32,
    is_newcomer: bool,
    intervals: u32,
    quiet: u64,
    received: [Past; RECEIVED],
    sent: [Past; SENT],
    upload: Past,
    #[serde(default)]
    slow: [[Past; SENT]; WINDOWS],
}

/// The histories of all addresses that have one.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    /// The index of the addresses in `slots`.
    places: HashIndex,
    slots: Vec<Slot>,
    most: usize,
    /// Where the search for an evictable slot continues.
    hand: usize,
    /// The state of an address without a slot.
    blank: Slot,
    /// Intervals closed.
    pub now: u64,
}

impl Slots {
    pub(super) fn new(most: usize) -> Self {
        Self {
            places: HashIndex::default(),
            slots: Vec::new(),
            most,
            hand: 0,
            blank: Slot::default(),
            now: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether an address that appears now is a newcomer.
    pub(super) fn is_past_startup(&self) -> bool {
        self.now >= STARTUP
    }

    /// Finds the slot of an address that is active in this interval, which protects it from eviction.
    pub(super) fn wake(&mut self, address: &Address, hashed: Hashed) -> u32 {
        let Some(at) = self.find(address, hashed) else { return NONE };
        self.slots[at].last_active = self.now;
        at as u32
    }

    /// The slot of an address, if it has one.
    pub(super) fn find(&self, address: &Address, hashed: Hashed) -> Option<usize> {
        self.places.find(hashed, |at| self.slots[at].address == *address)
    }

    /// A history, empty if there is none.
    pub(super) fn get(&self, at: u32) -> &Slot {
        self.slots.get(at as usize).unwrap_or(&self.blank)
    }

    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut Slot> {
        self.slots.get_mut(at as usize)
    }

    /// A slot for an address that has none, if there is room.
    pub(super) fn claim(&mut self, address: Address) -> u32 {
        let slot = Slot {
            address,
            is_used: true,
            is_newcomer: self.is_past_startup(),
            last_active: self.now,
            ..Slot::default()
        };
        self.place(slot)
    }

    fn place(&mut self, slot: Slot) -> u32 {
        let at = if self.slots.len() < self.most {
            self.slots.push(slot);
            self.slots.len() - 1
        } else {
            let Some(at) = self.evict() else { return NONE };
            self.slots[at] = slot;
            at
        };
        let Self { places, slots, .. } = self;
        places.insert(slot.address.hashed(), at, |at| slots[at].address.hashed());
        at as u32
    }

    /// Evicts one of the next few slots, if any may be evicted.
    fn evict(&mut self) -> Option<usize> {
        let len = self.slots.len();
        let nearby = (0..EVICTION_SCAN.min(len)).map(|step| (self.hand + step) % len);
        let best = nearby
            .map(|at| (self.eviction_order(&self.slots[at]), at))
            .max_by_key(|(eviction_order, at)| (*eviction_order, std::cmp::Reverse(*at)));
        self.hand = (self.hand + EVICTION_SCAN.min(len)) % len.max(1);
        let (eviction_order, at) = best?;
        eviction_order?;
        self.places.remove(self.slots[at].address.hashed(), at);
        Some(at)
    }

    /// How readily a slot is evicted; `None` if it is not.
    fn eviction_order(&self, slot: &Slot) -> Option<(bool, u64)> {
        let quiet = self.now.saturating_sub(slot.last_active);
        let is_expired = quiet >= FORGET_AFTER;
        let may_go = quiet > 0 && (is_expired || slot.intervals < ESTABLISHED);
        may_go.then_some((is_expired, quiet))
    }

    /// Counts an active interval of a slot.
    pub(super) fn count(&mut self, at: u32) {
        if let Some(slot) = self.get_mut(at) {
            slot.intervals = slot.intervals.saturating_add(1);
        }
    }

    /// Every slot with something in the block.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.block.is_used())
    }

    /// Every slot with something in the block, emptied.
    pub(super) fn take_blocks(&mut self, mut visit: impl FnMut(&Address, &mut Slot, Block)) {
        for slot in &mut self.slots {
            if slot.block.is_used() {
                let (address, block) = (slot.address, std::mem::take(&mut slot.block));
                visit(&address, slot, block);
            }
        }
    }

    /// The `most` established addresses.
    pub(super) fn saved(&self, most: usize) -> Vec<Saved> {
        let mut slots: Vec<_> = self.slots.iter().filter(|slot| slot.is_used).collect();
        slots.sort_unstable_by_key(|slot| (std::cmp::Reverse(slot.intervals), slot.address));
        slots.truncate(most);
        slots.into_iter().map(|slot| self.save(slot)).collect()
    }

    fn save(&self, slot: &Slot) -> Saved {
        let Slot { is_newcomer, intervals, received, sent, upload, slow, .. } = *slot;
        let quiet = self.now.saturating_sub(slot.last_active);
        let Address { ifindex, .. } = slot.address;
        let address = slot.address.ip();
        Saved { address, ifindex, is_newcomer, intervals, quiet, received, sent, upload, slow }
    }

    /// Continues with stored state, as far as there is room and the interface still exists.
    pub(super) fn restore(&mut self, saved: Saved, ifindex: u32) {
        let (family, words) = address_words(saved.address);
        let address = Address { words, ifindex, family };
        if self.find(&address, address.hashed()).is_some() || self.slots.len() >= self.most {
            return;
        }
        let Saved { is_newcomer, intervals, quiet, received, sent, upload, slow, .. } = saved;
        self.place(Slot {
            address,
            is_used: true,
            is_newcomer,
            intervals,
            last_active: self.now.saturating_sub(quiet),
            received,
            sent,
            upload,
            slow,
            ..Slot::default()
        });
    }
}

impl Saved {
    pub(super) fn ifindex(&self) -> u32 {
        self.ifindex
    }
}
