//! Every map and load-time constant: its capacity, why, and what happens when it is full.

use aya_ebpf::Global;
use aya_ebpf::btf_maps::lpm_trie::Key;
use aya_ebpf::btf_maps::{Array, ArrayOfMaps, HashMap, LpmTrie, PerCpuArray, PerCpuHashMap};
use aya_ebpf::macros::btf_map;
use wherefore_common::abi::{
    Control, EPOCHS, Epoch, FILTER_CAPACITY, FILTER_SETS, REMAINDER_CAPACITY, TrieV4, TrieV6,
};
use wherefore_common::filter::FilterRule;
use wherefore_common::flow::RemainderKey;
use wherefore_common::select::{Fields, Program};
use wherefore_common::table::{Clock, Row, TakenRows};
use wherefore_common::{Counters, Extent, FlowKey};

/// One map for all CPUs, so that its memory does not grow with their number: each CPU counts nearly all flows
/// in its part of [`TABLE`]. Preallocated, because allocation at run time fails under load long before the
/// map is full.
pub(crate) type Flows = HashMap<FlowKey, Counters, 1>;

/// The two flow maps, which are used in turn. The agent sets their capacity when it loads them. They are
/// part of the object because kernels before 6.3 refuse to combine a map that was made without BTF with
/// one that was made with it. If it is full, the frame is counted as
/// [`wherefore_common::Reason::Overflow`].
#[btf_map]
pub(crate) static FLOWS_A: Flows = Flows::new();

/// The same as `FLOWS_A`.
#[btf_map]
pub(crate) static FLOWS_B: Flows = Flows::new();

/// Both flow maps, by number.
#[btf_map]
pub(crate) static ACTIVE_FLOWS: ArrayOfMaps<Flows, 2> = ArrayOfMaps::new();

/// The tables of each CPU in front of the flow maps, see [`crate::table`]: first the rows for the first map,
/// then those for the second. The agent sets their number.
#[btf_map]
pub(crate) static TABLE: PerCpuArray<Row, 2> = PerCpuArray::new();

/// The rows with taken slots, for the first map and for the second. The agent clears them.
#[btf_map]
pub(crate) static TAKEN_ROWS: PerCpuArray<TakenRows, 2> = PerCpuArray::new();

/// When this CPU last counted.
#[btf_map]
pub(crate) static CLOCK: PerCpuArray<Clock, 1> = PerCpuArray::new();

/// The agent's control. It is a variable of the object, which is read without a look-up.
#[unsafe(no_mangle)]
static mut CONTROL: Control =
    Control { now: 0, epochs: [Epoch { number: 0, first: 0, slots: 0, first_row: 0 }; EPOCHS] };

/// The current epoch, see [`Control::now`].
#[derive(Clone, Copy)]
pub(crate) struct Now(u32);

impl Now {
    /// Read once for each packet, and once more for one that is not counted by the fast path, so that all its
    /// counting belongs to one interval and one filter.
    #[inline(always)]
    pub(crate) fn read() -> Self {
        // SAFETY: only the agent writes it. Volatile, so that it is read once.
        Self(unsafe { (&raw const CONTROL.now).read_volatile() } as u32 % EPOCHS as u32)
    }

    /// The current epoch.
    #[inline(always)]
    pub(crate) fn epoch(self) -> &'static Epoch {
        // SAFETY: one of the epochs, which the agent does not write as long as programs may read it:
        // it prepares one that is not in force, and waits for the programs that began before.
        unsafe {
            let epoch = &raw const CONTROL.epochs[self.0 as usize % EPOCHS];
            &*epoch
        }
    }

    /// The number of the flow map and of the half of the table.
    #[inline(always)]
    pub(crate) fn half(self) -> u32 {
        self.0 % 2
    }

    /// The set of the active filter, 0 for none.
    #[inline(always)]
    pub(crate) fn filter_set(self) -> u32 {
        self.0 / 2
    }
}

/// Cumulative. The agent inserts the keys before it attaches to an interface, so it is never full.
#[btf_map]
pub(crate) static REMAINDERS: PerCpuHashMap<
    RemainderKey,
    Counters,
    { REMAINDER_CAPACITY as usize },
> = PerCpuHashMap::new();

/// Used as a last resort if `REMAINDERS` lacks the key.
#[btf_map]
pub(crate) static UNATTRIBUTED: PerCpuArray<Counters, 1> = PerCpuArray::new();

/// The most bytes that one read of a non-linear frame can request.
pub(crate) const SCRATCH_LEN: usize = 40;

/// The destination of such a read.
#[repr(C, align(8))]
pub(crate) struct ReadBuffer(pub(crate) [u8; SCRATCH_LEN]);

/// Data that does not fit on the stack: a program and the functions it calls have only 512 bytes.
pub(crate) struct Scratch {
    pub(crate) buffer: ReadBuffer,
    pub(crate) extent: Extent,
    pub(crate) prefix_v4: Key<TrieV4>,
    pub(crate) prefix_v6: Key<TrieV6>,
    pub(crate) fields: Fields,
    /// The flow that is checked against the filter, or that loses its slot.
    pub(crate) key: FlowKey,
    /// The counters of a flow that loses its slot.
    pub(crate) counters: Counters,
}

/// Used only by the running program: nothing else runs on its CPU meanwhile.
#[btf_map]
pub(crate) static SCRATCH: PerCpuArray<Scratch, 1> = PerCpuArray::new();

/// The rule of each set; entry 0 is not used.
#[btf_map]
pub(crate) static FILTER_RULES: Array<FilterRule, { FILTER_SETS as usize + 1 }> = Array::new();

/// The program of each set; entry 0 is not used.
#[btf_map]
pub(crate) static FILTER_PROGRAMS: Array<Program, { FILTER_SETS as usize + 1 }> = Array::new();

/// Allocated prefix by prefix; the agent refuses more than the capacity. There is space for two sets.
#[btf_map]
pub(crate) static FILTER_V4: LpmTrie<TrieV4, u32, { (FILTER_SETS * FILTER_CAPACITY) as usize }> =
    LpmTrie::new();

/// The same as `FILTER_V4`.
#[btf_map]
pub(crate) static FILTER_V6: LpmTrie<TrieV6, u32, { (FILTER_SETS * FILTER_CAPACITY) as usize }> =
    LpmTrie::new();

/// 1: log frames that are in no flow. The verifier removes the code when it is 0.
#[unsafe(no_mangle)]
pub(crate) static DEBUG: Global<u8> = Global::new(0);
