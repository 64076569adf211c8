//! The table in which flows are counted. A flow has a slot in this CPU's own part, which needs one memory
//! access where the shared flow map needs four. If all slots that it may have are taken, it is counted in the
//! map.
//!
//! Nothing is refused or lost in the table: the counts of a flow that loses its slot are first added to the
//! map, and the agent adds up both when no program writes to them any more. A filtered flow may also have a
//! slot, so that not each of its packets is checked against the filter; its counts are added to the uncounted
//! frames. Owns the slots, the map's values, and the clock.

use aya_ebpf::helpers::{bpf_ktime_get_ns, generated::bpf_jiffies64};
use wherefore_common::table::{
    ColdFields, EXTENDED, LEFT_OUT, PACKETS_TO_A_SLOT, Row, SLOTS_TO_A_ROW, Slot, WAYS,
    gather_flags, spread_flags,
};
use wherefore_common::{Counters, Extent, FlowKey, Reason};

use crate::maps::{ACTIVE_FLOWS, CLOCK, Flows, Now, Scratch, TABLE, TAKEN_ROWS};
use crate::name::Name;
use crate::packet::{forget, scratch};
use crate::remainder;
use crate::shared::{Added, add_to_map};

/// Counts a packet if its flow has the first of its slots, assigned under the active filter; returns whether
/// it is watched. The frame has `frame_bytes` bytes as the device counts them.
#[inline(always)]
pub(crate) fn count_at_once(name: &Name<'_>, packet: &Extent, frame_bytes: u64) -> Option<bool> {
    let place = Place::of(name, Now::read());
    place.count_in(0, name, packet, frame_bytes)
}

/// The same as [`count_at_once`], for a flow in another of its slots. Many flows are there if the table is
/// nearly full.
#[inline(always)]
pub(crate) fn count_nearby(key: &FlowKey, packet: &Extent, frame_bytes: u64) -> Option<bool> {
    match nearby(key, packet, frame_bytes) {
        NOT_NEARBY => None,
        is_watched => Some(is_watched != 0),
    }
}

/// The result of [`nearby`] if the flow has no slot; otherwise the result is whether it is watched.
const NOT_NEARBY: u32 = 2;

/// [`count_nearby`], with a number as the result. A separate function, like the next ones, so that its stack
/// and registers do not burden the others.
#[inline(never)]
fn nearby(key: &FlowKey, packet: &Extent, frame_bytes: u64) -> u32 {
    let name = Name::of_key(key);
    let place = Place::of(&name, Now::read());
    for way in 0..WAYS {
        // One that is free has no slot of this flow behind it.
        // SAFETY: the reference ends here.
        if unsafe { place.slot(way) }.is_none_or(|slot| place.is_free(slot)) {
            break;
        }
        if let Some(is_watched) = place.count_in(way, &name, packet, frame_bytes) {
            return u32::from(is_watched);
        }
    }
    NOT_NEARBY
}

#[inline(always)]
fn add_packet(slot: &mut Slot, cold: Option<&mut ColdFields>, packet: &Extent, frame_bytes: u64) {
    let tick = tick();
    if slot.tick != tick as u32 {
        // SAFETY: of a reference. Volatile, or it is read for each packet.
        let frames = unsafe { (&raw const slot.frames).read_volatile() };
        if frames >= FULL
            && let Some(cold) = cold
        {
            move_many_frames(slot, cold);
        }
        slot.tick = tick as u32;
        slot.last_ns = now_ns(tick);
    }
    slot.frames += 1;
    slot.bytes += u64::from(packet.bytes);
    slot.device_bytes += frame_bytes;
    slot.state |= u64::from(packet.tcp_flags);
}

/// With more frames than this in a slot, they are moved to its cold fields. A timer tick cannot have more frames
/// than fit beyond this number, so checking once a tick is enough.
const FULL: u32 = 1 << 31;

/// [`move_frames`] as a separate function, because few packets need it.
#[inline(never)]
fn move_many_frames(slot: &mut Slot, cold: &mut ColdFields) {
    move_frames(slot, cold);
}

/// Moves the count of frames to the cold fields.
#[inline(always)]
fn move_frames(slot: &mut Slot, cold: &mut ColdFields) {
    extend(slot, cold);
    cold.frames += u64::from(slot.frames);
    slot.frames = 0;
}

/// Makes the cold fields valid.
#[inline(always)]
fn extend(slot: &mut Slot, cold: &mut ColdFields) {
    if slot.state & EXTENDED == 0 {
        clear([&mut cold.frames, &mut cold.segments, &mut cold.headers]);
        slot.state |= EXTENDED;
    }
}

/// The first slot of a flow.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    now: Now,
    /// The row; it always exists.
    row: Option<*mut Row>,
    /// The number of that row in its half.
    row_number: u32,
    slot: u32,
    /// The socket of the packet, if its flow may take a slot.
    socket: u32,
}

/// What is in a flow's slots: a number for it in the low bits, and the way in the bits above.
#[derive(Clone, Copy)]
pub(crate) struct Found(u32);

impl Found {
    /// The flow itself, excluded by the filter; without this bit, it is watched.
    const LEFT_OUT: u32 = 1;
    /// The flow itself, checked with an earlier filter.
    const BY_EARLIER_FILTER: u32 = 2;
    /// A free slot.
    const FREE: u32 = 4;
    /// Only other flows.
    const OTHERS: u32 = 5;

    const BITS: u32 = 3;

    #[inline(always)]
    fn what(self) -> u32 {
        self.0 & ((1 << Self::BITS) - 1)
    }

    #[inline(always)]
    fn way(self) -> usize {
        (self.0 >> Self::BITS) as usize % WAYS
    }

    /// Whether the active filter selects the flow; `None` if the flow was not checked.
    #[inline(always)]
    pub(crate) fn is_watched(self) -> Option<bool> {
        (self.what() < Self::BY_EARLIER_FILTER).then_some(self.what() & Self::LEFT_OUT == 0)
    }
}

impl Place {
    #[inline(always)]
    fn of(name: &Name<'_>, now: Now) -> Self {
        let epoch = now.epoch();
        // The highest bits depend most on the whole key.
        let slot = ((name.hash() >> 32) * u64::from(epoch.slots)) >> 32;
        let row_number = (slot / SLOTS_TO_A_ROW as u64) as u32;
        let row = TABLE.get_ptr_mut(epoch.first_row + row_number);
        Self { now, row, row_number, slot: slot as u32 % SLOTS_TO_A_ROW as u32, socket: 0 }
    }

    /// The place where a flow is counted now.
    #[inline(always)]
    pub(crate) fn of_key(key: &FlowKey, now: Now) -> Self {
        Self::of(&Name::of_key(key), now)
    }

    /// What is in the flow's slots.
    #[inline(always)]
    pub(crate) fn find(self, key: &FlowKey) -> Found {
        let found = find(&self, key) as usize;
        // One number for the verifier, instead of each that it might be.
        // SAFETY: keys that are looked for lie on the stack; nothing else is held here.
        Found(unsafe { forget(found) } as u32)
    }

    /// The same place, for a packet of this socket.
    #[inline(always)]
    pub(crate) fn with_socket(self, socket: u32) -> Self {
        Self { socket, ..self }
    }

    /// Counts the frame in the flow's slot or in a free one; returns whether there was space. Frames that are
    /// not watched have no space in the map.
    #[inline(always)]
    pub(crate) fn count(
        self,
        found: Found,
        key: &FlowKey,
        delta: &Counters,
        is_watched: bool,
    ) -> bool {
        count(&self, found.0, key, delta, u32::from(is_watched)) != 0
    }

    /// Whether no flow has taken the slot in this interval.
    #[inline(always)]
    fn is_free(self, slot: &Slot) -> bool {
        slot.epoch() < self.now.epoch().first
    }

    /// Counts the packet in this slot if the slot belongs to its flow under the active filter; returns
    /// whether the packet is watched.
    #[inline(always)]
    fn count_in(
        self,
        way: usize,
        name: &Name<'_>,
        packet: &Extent,
        frame_bytes: u64,
    ) -> Option<bool> {
        // SAFETY: callers hold no slot.
        let slot = unsafe { self.slot(way) }?;
        if !slot.is_of(&name.short, self.now.epoch().number) || self.is_of_others(way, name) {
            return None;
        }
        // SAFETY: that of `is_of_others` is gone.
        add_packet(slot, unsafe { self.cold_fields(way) }, packet, frame_bytes);
        Some(!slot.is_left_out())
    }

    /// Whether a slot with the same rest of the key has other IPv6 addresses.
    #[inline(always)]
    fn is_of_others(self, way: usize, name: &Name<'_>) -> bool {
        // SAFETY: callers hold slots, but no cold fields.
        let (Some([src, dst]), Some(cold)) = (name.addresses, unsafe { self.cold_fields(way) })
        else {
            return false;
        };
        // A single number at the end gives the verifier one path to follow.
        let sources = (cold.src[0] ^ src[0]) | (cold.src[1] ^ src[1]);
        (sources | (cold.dst[0] ^ dst[0]) | (cold.dst[1] ^ dst[1])) != 0
    }

    /// One of the flow's slots.
    ///
    /// # Safety
    /// No other reference to this slot may be used while this one is: each call returns the same memory.
    #[inline(always)]
    unsafe fn slot<'a>(self, way: usize) -> Option<&'a mut Slot> {
        // SAFETY: a slot of this CPU's own row, which lives as long as the program; no other program
        // runs on this CPU meanwhile, and this one uses no other reference, as the caller vouches.
        self.pointer(way).map(|slot| unsafe { &mut *slot })
    }

    /// The cold fields of the slot.
    ///
    /// # Safety
    /// No other reference to these cold fields may be used while this one is: each call returns the same memory.
    #[inline(always)]
    unsafe fn cold_fields<'a>(self, way: usize) -> Option<&'a mut ColdFields> {
        // From the slot's address, which is known: cold fields have the same size, and all are behind all slots.
        // SAFETY: in this CPU's own row, which outlives this run; the only one, as the caller vouches.
        self.pointer(way).map(|slot| unsafe { &mut *slot.cast::<ColdFields>().add(SLOTS_TO_A_ROW) })
    }

    #[inline(always)]
    fn pointer(self, way: usize) -> Option<*mut Slot> {
        // SAFETY: slots are what a row begins with, and the number is one of them.
        self.row.map(|row| unsafe {
            row.cast::<Slot>().add((self.slot as usize + way) % SLOTS_TO_A_ROW)
        })
    }

    /// Records that a slot of the row is taken.
    #[inline(always)]
    fn note_taken(self) {
        const WORDS: u32 = (wherefore_common::table::MAX_ROWS / 64) as u32;
        if let Some(rows) = TAKEN_ROWS.get_ptr_mut(self.now.half()) {
            // SAFETY: this CPU's own, on which no other program runs meanwhile; the only reference.
            let words = unsafe { &mut (*rows).words };
            words[(self.row_number / 64 % WORDS) as usize] |= 1 << (self.row_number % 64);
        }
    }
}

/// The timer tick (jiffies).
#[inline(always)]
pub(crate) fn tick() -> u64 {
    // SAFETY: it only reads a variable of the kernel.
    unsafe { bpf_jiffies64() }
}

/// The time, to the timer tick: the exact clock is read once a tick, because reading it costs as much as
/// everything else.
#[inline(always)]
pub(crate) fn now_ns(tick: u64) -> u64 {
    // SAFETY: the helper only reads a clock; the entry is this CPU's own, on which no other program
    // runs meanwhile, and this is the only reference.
    unsafe {
        let Some(clock) = CLOCK.get_ptr_mut(0).map(|clock| &mut *clock) else { return 0 };
        if clock.tick != tick {
            (clock.tick, clock.now_ns) = (tick, bpf_ktime_get_ns());
        }
        clock.now_ns
    }
}

/// [`Place::find`], with a number as the result.
#[inline(never)]
fn find(place: &Place, key: &FlowKey) -> u32 {
    let name = Name::of_key(key);
    for way in 0..WAYS {
        // SAFETY: that of the way before is gone.
        let Some(slot) = (unsafe { place.slot(way) }) else { break };
        let what = if place.is_free(slot) {
            Found::FREE
        } else if !slot.is_of(&name.short, slot.epoch()) || place.is_of_others(way, &name) {
            continue;
        } else {
            let is_earlier = slot.epoch() != place.now.epoch().number;
            (u32::from(is_earlier) * Found::BY_EARLIER_FILTER)
                | (u32::from(slot.is_left_out()) * Found::LEFT_OUT)
        };
        return (way as u32) << Found::BITS | what;
    }
    Found::OTHERS
}

/// [`Place::count`].
#[inline(never)]
fn count(place: &Place, found: u32, key: &FlowKey, delta: &Counters, is_watched: u32) -> u32 {
    let found = Found(found);
    // SAFETY: the only slot in use; what is called below is handed this one.
    let Some(slot) = (unsafe { place.slot(found.way()) }) else { return 0 };
    // SAFETY: the only cold fields in use; what is called below is handed this one.
    let Some(cold) = (unsafe { place.cold_fields(found.way()) }) else { return 0 };
    let left_out = if is_watched != 0 { 0 } else { LEFT_OUT };
    if found.what() == Found::FREE {
        place.note_taken();
        take(slot, cold, place, key, delta);
        slot.state |= left_out;
        add_to_slot(slot, cold, delta);
        return 1;
    }
    // All counts of a slot are of one kind, even if filters change.
    let is_its_own = found.what() != Found::OTHERS && slot.state & LEFT_OUT == left_out;
    if is_its_own {
        slot.set_epoch(place.now.epoch().number);
        add_to_slot(slot, cold, delta);
        return 1;
    }
    if left_out != 0 { 0 } else { count_in_map(place, slot, cold, key, delta) }
}

/// Assigns the slot to the flow, which is watched and has no counts yet.
#[inline(always)]
fn take(slot: &mut Slot, cold: &mut ColdFields, place: &Place, key: &FlowKey, delta: &Counters) {
    let name = Name::of_key(key);
    (slot.addresses, slot.ports) = (name.short.addresses, name.short.ports);
    slot.state = name.short.state(place.now.epoch().number);
    (slot.frames, slot.tick) = (0, tick() as u32);
    clear([&mut slot.bytes, &mut slot.device_bytes]);
    (slot.first, slot.socket) = (Slot::short_time(delta.first_ns), place.socket);
    slot.last_ns = delta.last_ns;
    if let Some([src, dst]) = name.addresses {
        (cold.src, cold.dst) = (*src, *dst);
    }
}

/// Clears word by word; otherwise this would become a call of memset, which BPF runs byte by byte.
#[inline(always)]
fn clear<const N: usize>(words: [&mut u64; N]) {
    for word in words {
        // SAFETY: of a reference.
        unsafe { core::ptr::from_mut(word).write_volatile(0) };
    }
}

/// Adds the counts of a frame to the flow.
#[inline(always)]
fn add_to_slot(slot: &mut Slot, cold: &mut ColdFields, delta: &Counters) {
    let segments = delta.packets - delta.device_packets;
    let headers = delta.frame_bytes - delta.device_bytes;
    if segments | headers != 0 {
        extend(slot, cold);
        cold.segments += segments;
        cold.headers += headers;
    }
    if slot.frames >= FULL {
        move_frames(slot, cold);
    }
    slot.frames += delta.device_packets as u32;
    slot.bytes += delta.bytes;
    slot.device_bytes += delta.device_bytes;
    slot.last_ns = delta.last_ns;
    slot.state |= gather_flags(delta.tcp_flags);
}

/// Counts in the map. When it is the flow's turn, assigns the slot to it, after writing back the counts of
/// the flow that had the slot.
#[inline(always)]
fn count_in_map(
    place: &Place,
    slot: &mut Slot,
    cold: &mut ColdFields,
    key: &FlowKey,
    delta: &Counters,
) -> u32 {
    let Some(flows) = ACTIVE_FLOWS.get(place.now.half()) else { return 0 };
    let is_its_turn = match add_to_map(flows, key, delta) {
        Added::No => return 0,
        Added::ToNew => false,
        Added::ToPackets(packets) => packets % PACKETS_TO_A_SLOT == 0,
    };
    if is_its_turn && write_back(flows, slot, cold) {
        take(slot, cold, place, key, delta);
    }
    1
}

/// Adds the counts of a slot to the map or the uncounted frames; returns whether there was space.
#[inline(always)]
fn write_back(flows: &Flows, slot: &Slot, cold: &ColdFields) -> bool {
    // Memory for data that does not fit on the stack.
    // SAFETY: no other is in use; what is called below is handed parts of this one.
    let Some(Scratch { key, counters, .. }) = (unsafe { scratch() }) else { return false };
    *key = slot.key(cold);
    *counters = slot.counters(cold);
    counters.tcp_flags = spread_flags(counters.tcp_flags);
    if slot.is_left_out() {
        remainder::count(Reason::Filtered, counters, key);
        return true;
    }
    !matches!(add_to_map(flows, key, counters), Added::No)
}
