//! Where a flow is counted: in a slot of the table that this CPU has for itself, found by one memory
//! access where the shared flow map needs four; or in that map, where all slots are taken that the
//! flow could have.
//!
//! Nothing is refused or lost in the table: a flow that gives its slot to another is added to the map
//! first, and the agent adds up both when no program writes to them any more. A flow that the filter
//! leaves out may have a slot too, so that it is not put to the filter packet by packet; what is counted
//! there is added to a remainder instead. Owns the slots, the map's values, and the clock.

use core::arch::asm;

use aya_ebpf::bindings::BPF_NOEXIST;
use aya_ebpf::helpers::{bpf_ktime_get_ns, generated::bpf_jiffies64};
use wherefore_common::abi::Epoch;
use wherefore_common::plain::Plain;
use wherefore_common::table::{
    LEFT_OUT, PACKETS_TO_A_SLOT, Row, SLOTS_TO_A_ROW, Slot, WAYS, spread_flags,
};
use wherefore_common::{Counters, Direction, Extent, FlowKey, Reason};

use crate::maps::{ACTIVE_FLOWS, CLOCK, Flows, Now, TABLE, TAKEN_ROWS};
use crate::packet::forget;
use crate::remainder::{self, add};

/// A flow key as words, with its parts where they are in memory.
pub(crate) type Words = [u64; size_of::<FlowKey>() / size_of::<u64>()];

/// Counts one packet, in a frame of so many octets as the device counts them, where its flow has the
/// first of its slots, which it got behind the filter in force, and says whether it is watched.
#[inline(always)]
pub(crate) fn count_at_once(words: &Words, packet: &Extent, frame_octets: u32) -> Option<bool> {
    let place = Place::of(words, Now::read());
    let slot = place.slot(0)?;
    if !place.is_in_epoch(slot) || !is_of(slot, words) {
        return None;
    }
    add_packet(slot, packet, frame_octets);
    Some(!slot.is_left_out())
}

/// As [`count_at_once`], of a flow that has another of its slots: as many have where the table is nearly
/// full.
#[inline(always)]
pub(crate) fn count_nearby(key: &FlowKey, packet: &Extent, frame_octets: u32) -> Option<bool> {
    let words = words(key);
    let place = Place::of(&words, Now::read());
    for way in 0..WAYS {
        let slot = place.slot(way)?;
        // One that is free has no slot of this flow behind it.
        if slot.interval != place.epoch.interval {
            break;
        }
        if place.is_in_epoch(slot) && is_of(slot, &words) {
            add_packet(slot, packet, frame_octets);
            return Some(!slot.is_left_out());
        }
    }
    None
}

#[inline(always)]
fn add_packet(slot: &mut Slot, packet: &Extent, frame_octets: u32) {
    let tick = tick();
    let counters = &mut slot.counters;
    if slot.tick != tick {
        slot.tick = tick;
        counters.last_ns = now_ns(tick);
    }
    counters.packets += 1;
    counters.bytes += u64::from(packet.bytes);
    counters.frame_bytes += u64::from(frame_octets);
    counters.device_packets += 1;
    counters.device_bytes += u64::from(frame_octets);
    counters.tcp_flags |= spread_flags(u64::from(packet.tcp_flags));
}

/// Where a flow's slots begin.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    now: Now,
    epoch: &'static Epoch,
    /// It always exists.
    row: Option<*mut Row>,
    /// The number of that row in its half.
    row_number: u32,
    slot: usize,
}

/// What is in a flow's slots: what a number says in its low bits, and the way in the bits above.
#[derive(Clone, Copy)]
pub(crate) struct Found(u32);

impl Found {
    /// The flow, which the filter leaves out; without this, one that it lets be counted.
    const LEFT_OUT: u32 = 1;
    /// The flow, of which an earlier filter said that.
    const BY_EARLIER_FILTER: u32 = 2;
    /// Not the flow, but a free slot.
    const FREE: u32 = 4;
    /// Other flows.
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

    /// Whether the filter in force lets the flow be counted, where it was asked.
    #[inline(always)]
    pub(crate) fn is_watched(self) -> Option<bool> {
        (self.what() < Self::BY_EARLIER_FILTER).then_some(self.what() & Self::LEFT_OUT == 0)
    }
}

impl Place {
    #[inline(always)]
    fn of(words: &Words, now: Now) -> Self {
        let epoch = now.epoch();
        // The highest bits are the best mixed.
        let slot = ((mix(words) >> 32) * u64::from(epoch.slots)) >> 32;
        let row_number = (slot / SLOTS_TO_A_ROW as u64) as u32;
        let row = TABLE.get_ptr_mut(epoch.first_row + row_number);
        Self { now, epoch, row, row_number, slot: slot as usize % SLOTS_TO_A_ROW }
    }

    /// Where a flow is counted now.
    #[inline(always)]
    pub(crate) fn of_key(key: &FlowKey, now: Now) -> Self {
        Self::of(&words(key), now)
    }

    /// What is in the slots of the flow.
    #[inline(always)]
    pub(crate) fn find(self, key: &FlowKey) -> Found {
        // One number for the verifier, instead of each that it might be.
        Found(forget(find(&self, key) as usize) as u32)
    }

    /// Counts the frame where its flow was found or could be; whether there was room. What is not
    /// watched has none in the map.
    #[inline(always)]
    pub(crate) fn count(
        self,
        found: Found,
        key: &FlowKey,
        delta: &Counters,
        is_watched: bool,
    ) -> bool {
        let filter = self.epoch.filter | if is_watched { 0 } else { LEFT_OUT };
        count(&self, found.0, key, delta, filter) != 0
    }

    /// Whether the slot was given away in this interval, behind the filter in force.
    #[inline(always)]
    fn is_in_epoch(self, slot: &Slot) -> bool {
        let name = |interval: u32, filter: u32| u64::from(interval) | u64::from(filter) << 32;
        let ours = name(slot.interval, slot.filter);
        // But for what that filter says, which is in the highest bit.
        (ours ^ name(self.epoch.interval, self.epoch.filter)) << 1 == 0
    }

    #[inline(always)]
    fn slot<'a>(self, way: usize) -> Option<&'a mut Slot> {
        // SAFETY: the row is this CPU's own, see `add`; it lives as long as the program.
        self.row.map(|row| unsafe { &mut (*row).slots[(self.slot + way) % SLOTS_TO_A_ROW] })
    }

    /// Says that a slot of the row is taken.
    #[inline(always)]
    fn note_taken(self) {
        const WORDS: u32 = (wherefore_common::table::MAX_ROWS / 64) as u32;
        if let Some(rows) = TAKEN_ROWS.get_ptr_mut(self.now.half()) {
            // SAFETY: this CPU's own, see `add`.
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

/// The time, to this timer tick: the exact clock is asked once a tick, because that costs as much as
/// all else.
#[inline(always)]
pub(crate) fn now_ns(tick: u64) -> u64 {
    // SAFETY: the helper only reads a clock; the entry is this CPU's own, see `add`.
    unsafe {
        let Some(clock) = CLOCK.get_ptr_mut(0).map(|clock| &mut *clock) else { return 0 };
        if clock.tick != tick {
            (clock.tick, clock.now_ns) = (tick, bpf_ktime_get_ns());
        }
        clock.now_ns
    }
}

/// A number whose high bits depend on all of a key, also where keys are neighbours. Each part has a
/// factor of its own, so that a flow and the one against it do not share a slot.
#[inline(always)]
fn mix(&[src0, src1, dst0, dst1, ports, rest]: &Words) -> u64 {
    let mixed = (src0 ^ src1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (dst0 ^ dst1).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
        ^ (ports ^ rest << 24).wrapping_mul(0x1656_67b1_9e37_79f9);
    (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// The key of a packet, each part read as wide as the parser wrote it: a wider read of what was just
/// written in parts waits until it has reached the cache.
#[inline(always)]
fn words(key: &FlowKey) -> Words {
    macro_rules! read {
        ($part:ident) => {
            // SAFETY: of a reference. Volatile, or reads become one again.
            u64::from(unsafe { (&raw const key.$part).read_volatile() })
        };
    }
    let ports = read!(ifindex) | read!(sport) << 32 | read!(dport) << 48;
    let rest = read!(protocol) | read!(family) << 8 | read!(direction) << 16;
    [key.src[0], key.src[1], key.dst[0], key.dst[1], ports, rest]
}

/// The key that these words are.
#[inline(always)]
pub(crate) fn key_of(words: &Words) -> FlowKey {
    // SAFETY: a key is integers without padding, of as many words.
    unsafe { core::ptr::from_ref(words).cast::<FlowKey>().read() }
}

/// The key of a plain packet, which never was in memory.
#[inline(always)]
pub(crate) fn words_of_plain(packet: &Plain, ifindex: u32, direction: Direction) -> Words {
    let (src, dst) = (packet.src, packet.dst);
    let ports = u64::from(ifindex) | u64::from(packet.sport) << 32 | u64::from(packet.dport) << 48;
    let rest =
        u64::from(packet.protocol) | u64::from(packet.family) << 8 | (direction as u64) << 16;
    [src[0], src[1], dst[0], dst[1], ports, rest]
}

/// The key of a slot.
#[inline(always)]
fn words_of_slot(slot: &Slot) -> &Words {
    // SAFETY: a key is integers without padding, aligned to a word.
    unsafe { &*core::ptr::from_ref(&slot.key).cast() }
}

/// Whether the slot is of this key. Plain comparison becomes a call of memcmp, which BPF runs octet by
/// octet; one in the end gives the verifier one way to follow.
#[inline(always)]
fn is_of(slot: &Slot, words: &Words) -> bool {
    let pairs = words_of_slot(slot).iter().zip(words);
    pairs.fold(0, |different, (a, b)| different | (a ^ b)) == 0
}

/// A [`Found`] as a number. A function of its own, as the next, so that its stack and registers do
/// not burden the common path.
#[inline(never)]
fn find(place: &Place, key: &FlowKey) -> u32 {
    for way in 0..WAYS {
        let Some(slot) = place.slot(way) else { break };
        let what = if slot.interval != place.epoch.interval {
            Found::FREE
        } else if !is_of(slot, &words(key)) {
            continue;
        } else {
            let is_earlier = slot.filter & !LEFT_OUT != place.epoch.filter;
            (u32::from(is_earlier) * Found::BY_EARLIER_FILTER)
                | (u32::from(slot.is_left_out()) * Found::LEFT_OUT)
        };
        return (way as u32) << Found::BITS | what;
    }
    Found::OTHERS
}

/// [`Place::count`], with what the slot is to know of the filter.
#[inline(never)]
fn count(place: &Place, found: u32, key: &FlowKey, delta: &Counters, filter: u32) -> u32 {
    let found = Found(found);
    let Some(slot) = place.slot(found.way()) else { return 0 };
    if found.what() == Found::FREE {
        place.note_taken();
        take(slot, place, key, filter);
        slot.counters = *delta;
        return 1;
    }
    // What is counted in a slot is of one kind, whatever filters say in turn.
    let is_its_own = found.what() != Found::OTHERS && (slot.filter ^ filter) & LEFT_OUT == 0;
    if is_its_own {
        slot.filter = filter;
        add(&mut slot.counters, delta);
        return 1;
    }
    if filter & LEFT_OUT != 0 { 0 } else { count_in_map(place, slot, key, delta) }
}

#[inline(always)]
fn take(slot: &mut Slot, place: &Place, key: &FlowKey, filter: u32) {
    slot.key = *key;
    slot.filter = filter;
    slot.interval = place.epoch.interval;
}

/// Word by word: else it becomes a call of memset, which BPF runs octet by octet.
#[inline(always)]
fn clear(counters: &mut Counters) {
    let words = core::ptr::from_mut(counters).cast::<u64>();
    for word in 0..size_of::<Counters>() / size_of::<u64>() {
        // SAFETY: counters are so many words.
        unsafe { words.add(word).write_volatile(0) };
    }
}

/// Counts in the map, and gives the flow the slot when it is its turn: what the other holds is
/// written back before.
#[inline(always)]
fn count_in_map(place: &Place, slot: &mut Slot, key: &FlowKey, delta: &Counters) -> u32 {
    let Some(flows) = ACTIVE_FLOWS.get(place.now.half()) else { return 0 };
    let is_its_turn = match add_to_map(flows, key, delta) {
        Added::No => return 0,
        Added::ToNew => false,
        Added::ToPackets(packets) => packets % PACKETS_TO_A_SLOT == 0,
    };
    if is_its_turn && write_back(flows, slot) {
        take(slot, place, key, place.epoch.filter);
        clear(&mut slot.counters);
        (slot.counters.first_ns, slot.counters.last_ns) = (delta.first_ns, delta.last_ns);
    }
    1
}

/// Adds what is counted in a slot to where it belongs; whether there was room.
#[inline(always)]
fn write_back(flows: &Flows, slot: &Slot) -> bool {
    if slot.is_left_out() {
        remainder::count(Reason::Filtered, &slot.counters, &slot.key);
        return true;
    }
    !matches!(add_to_map(flows, &slot.key, &slot.counters), Added::No)
}

/// Whether something was added to a flow.
enum Added {
    No,
    /// To one that was new.
    ToNew,
    /// To a flow that now has so many packets in the map.
    ToPackets(u64),
}

/// Adds to the flow, which is inserted where it is new. NOEXIST makes sure that an insert never
/// overwrites what another CPU inserted meanwhile; then the second look-up finds it.
#[inline(always)]
fn add_to_map(flows: &Flows, key: &FlowKey, delta: &Counters) -> Added {
    if let Some(counters) = flows.get_ptr_mut(key) {
        return Added::ToPackets(add_shared(counters, delta));
    }
    if flows.insert(key, delta, u64::from(BPF_NOEXIST)).is_ok() {
        return Added::ToNew;
    }
    match flows.get_ptr_mut(key) {
        Some(counters) => Added::ToPackets(add_shared(counters, delta)),
        None => Added::No,
    }
}

/// Adds to a value that other CPUs may add to at the same time; the packets in it. Sums are added to
/// by instructions that exclude each other, flags are set octet by octet, and of two CPUs that set
/// a time at once one wins.
#[inline(always)]
fn add_shared(counters: *mut Counters, delta: &Counters) -> u64 {
    // SAFETY: a map's value, aligned to words, which lives as long as the program.
    unsafe {
        add_atomically(&raw mut (*counters).packets, delta.packets);
        add_atomically(&raw mut (*counters).bytes, delta.bytes);
        add_atomically(&raw mut (*counters).frame_bytes, delta.frame_bytes);
        add_atomically(&raw mut (*counters).device_packets, delta.device_packets);
        add_atomically(&raw mut (*counters).device_bytes, delta.device_bytes);
        let (first, last) = (&raw mut (*counters).first_ns, &raw mut (*counters).last_ns);
        if delta.first_ns < first.read_volatile() {
            first.write_volatile(delta.first_ns);
        }
        if delta.last_ns > last.read_volatile() {
            last.write_volatile(delta.last_ns);
        }
        set_flags(&raw mut (*counters).tcp_flags, delta.tcp_flags);
        (&raw const (*counters).device_packets).read_volatile()
    }
}

#[inline(always)]
unsafe fn add_atomically(sum: *mut u64, number: u64) {
    // SAFETY: the caller's pointer is valid. The instruction without a result, which every kernel
    // has; core's atomics want the one with, which came with Linux 5.12.
    unsafe { asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) sum, in(reg) number, options(nostack)) };
}

/// Stores the octets that are new, and no others: another CPU may set them meanwhile.
#[inline(always)]
unsafe fn set_flags(flags: *mut u64, spread: u64) {
    // SAFETY: the caller's pointer is valid.
    let missing = spread & !unsafe { flags.read_volatile() };
    if missing == 0 {
        return;
    }
    for (at, octet) in missing.to_ne_bytes().into_iter().enumerate() {
        if octet != 0 {
            // SAFETY: one of the word's octets.
            unsafe { flags.cast::<u8>().add(at).write_volatile(octet) };
        }
    }
}
