//! The eBPF object in the kernel: loading it, its maps, and switching between the flow maps. Owns the file
//! descriptors.

use std::os::fd::{AsFd, BorrowedFd};

use anyhow::{Context, Result};
use aya::maps::{
    ArrayOfMaps, HashMap, InnerMap, MapData, PerCpuArray, PerCpuHashMap, PerCpuValues,
};
use aya::programs::Program;
use aya::util::nr_cpus;
use aya::{Ebpf, EbpfLoader};
use aya_log::EbpfLogger;
use wherefore_common::abi::{REMAINDER_CAPACITY, global, map};
use wherefore_common::flow::RemainderKey;
use wherefore_common::table::gathered;
use wherefore_common::{Counters, Direction, FlowKey, Reason};

use super::batch::Drain;
use super::clock::Moment;
use super::control::Control;
use super::filters::Filters;
use super::maps::{WAKE_BYTES, dns_ring_bytes, pod, ring_bytes, take};
use super::offsets::Offsets;
use super::settings::KernelOptions;
use super::table::{FilteredCounts, FlowVisitor, Size, Table};
use crate::input::filter::Filter;
use crate::input::owners::Mode;

/// The object that `cargo xtask build-ebpf` builds from wherefore-ebpf; it is committed beside it. This crate
/// has a symbolic link to it, so that a package contains the object itself.
static BUILT_IN: &[u8] = aya::include_bytes_aligned!("../../../wherefore.bpf.o");

/// The default capacity in flows: 113 MB of kernel memory.
pub const DEFAULT_CAPACITY: u32 = 131_072;

type Flows = HashMap<MapData, PodKey, PodCounters>;

/// The object, loaded.
pub(super) struct Loaded {
    ebpf: Ebpf,
    active: ArrayOfMaps<MapData, Flows>,
    flows: [Flows; 2],
    control: Control,
    table: Table,
    remainders: PerCpuHashMap<MapData, PodRemainder, PodCounters>,
    unattributed: PerCpuArray<MapData, PodCounters>,
    drain: Drain,
    cpus: usize,
    capacity: u32,
    logger: Option<EbpfLogger<&'static dyn log::Log>>,
    filters: Filters,
    /// The reason why tracepoint programs cannot read kernel structures.
    no_offsets: Option<anyhow::Error>,
}

/// What was read at the end of an interval.
pub(super) struct Drained {
    /// When it ended, nanoseconds since 1970.
    pub(super) swapped: Moment,
    /// Frames that are in none of the kernel's counters of uncounted frames.
    pub(super) left_out: FilteredCounts,
}

impl Loaded {
    /// Loads the object and creates its maps. Programs are loaded when they are attached.
    pub(super) fn load(options: &KernelOptions, interfaces: usize) -> Result<Self> {
        let object = match &options.object {
            None => std::borrow::Cow::Borrowed(BUILT_IN),
            Some(path) => std::fs::read(path)
                .with_context(|| format!("cannot read the eBPF object {}", path.display()))?
                .into(),
        };
        let cpus = nr_cpus().map_err(|(file, error)| {
            anyhow::Error::new(error).context(format!("cannot read the number of CPUs from {file}"))
        })?;
        let capacity = options.max_flows.unwrap_or(DEFAULT_CAPACITY);
        let size = Size::fitting(capacity, cpus);
        let bytes = options.recorder.as_ref().map_or(0, |recorder| recorder.snaplen());
        let sizes = Sizes {
            capacity,
            table: size,
            remainders: remainders(interfaces),
            evidence: bytes,
            learns_names: options.learns_names,
        };
        let is_wanted = matches!(options.owners, Mode::Auto | Mode::Kernel);
        let offsets = if is_wanted { Offsets::read() } else { Ok(Offsets::default()) };
        let (offsets, no_offsets) = match offsets {
            Ok(offsets) => (offsets, None),
            Err(error) => (Offsets::default(), Some(error)),
        };
        let mut ebpf = load_object(&object, options.debug, sizes, &offsets)?;
        let [a, b] = map::FLOWS;
        let flows: [Flows; 2] = [take(&mut ebpf, a)?, take(&mut ebpf, b)?];
        let mut active: ArrayOfMaps<MapData, Flows> = take(&mut ebpf, map::ACTIVE_FLOWS)?;
        for (number, flows) in (0..).zip(&flows) {
            active.set(number, flows, 0).context("cannot set up the flow maps")?;
        }
        Ok(Self {
            active,
            flows,
            control: Control::new(&mut ebpf, size)?,
            table: Table::new(&mut ebpf, size, cpus)?,
            remainders: take(&mut ebpf, map::REMAINDERS)?,
            unattributed: take(&mut ebpf, map::UNATTRIBUTED)?,
            drain: Drain::new(),
            cpus,
            capacity,
            logger: if options.debug { start_logger(&mut ebpf) } else { None },
            filters: Filters::new(&mut ebpf)?,
            no_offsets,
            ebpf,
        })
    }

    /// Whether tracepoint programs know the offsets of the kernel's fields.
    ///
    /// # Errors
    /// If they do not.
    pub(super) fn has_offsets(&mut self) -> Result<()> {
        self.no_offsets.take().map_or(Ok(()), Err)
    }

    /// Takes a map of the object for another user.
    pub(super) fn map<T>(&mut self, name: &str) -> Result<T>
    where
        T: TryFrom<aya::maps::Map, Error = aya::maps::MapError>,
    {
        take(&mut self.ebpf, name)
    }

    /// The number of flows that an interval is expected to have at most, by earlier ones.
    pub(super) fn flows_expected(&self) -> usize {
        self.table.flows_expected()
    }

    /// The number of flows for which each of the two maps has space.
    pub(super) fn capacity(&self) -> u32 {
        self.capacity
    }

    /// A program of the object.
    pub(super) fn program(&mut self, name: &str) -> Result<&mut Program> {
        let found = self.ebpf.program_mut(name);
        found.with_context(|| format!("the eBPF object has no program {name}"))
    }

    /// All programs of the object, by name.
    pub(super) fn programs(&mut self) -> impl Iterator<Item = (&str, &mut Program)> {
        self.ebpf.programs_mut()
    }

    /// Switches the programs to the other map, waits until none writes to this map any more, and empties it
    /// and its half of the table. Each flow is returned once. Packets that devices counted earlier have
    /// passed their program by then, because a CPU between the two has no grace period.
    pub(super) fn flip_and_drain(&mut self, give: &mut FlowVisitor<'_>) -> Result<Drained> {
        settle(&mut self.active, &self.flows)?;
        let (quiet, epochs) = self.control.end_interval(self.table.slots_for_next())?;
        settle(&mut self.active, &self.flows)?;
        let swapped = Moment::now();
        let mut in_map = Vec::new();
        self.drain.take_all(descriptor(&self.flows[quiet as usize]), &mut in_map)?;
        let left_out = self.table.take(quiet, epochs, in_map, give)?;
        Ok(Drained { swapped, left_out })
    }

    /// Activates another filter; see [`Filters`].
    ///
    /// # Errors
    /// If the kernel refuses it or has no space; the old one then stays active.
    pub(super) fn set_filter(&mut self, filter: &Filter) -> Result<()> {
        let Self { filters, control, active, flows, .. } = self;
        filters.replace(filter, control, || settle(active, flows))
    }

    /// The reason for frames that the programs counted by this one, see [`Filters::reason`].
    pub(super) fn reason(&self, counted: Reason) -> Reason {
        self.filters.reason(counted)
    }

    /// Inserts the keys that the programs add to.
    pub(super) fn prepare_remainders(
        &mut self,
        ifindex: u32,
        directions: &[Direction],
    ) -> Result<()> {
        for direction in directions {
            for reason in Reason::IN_KERNEL {
                let key = PodRemainder(RemainderKey::new(ifindex, *direction, reason));
                let zeros = vec![PodCounters(Counters::default()); self.cpus];
                let zeros = PerCpuValues::try_from(zeros).context("no CPU")?;
                self.remainders
                    .insert(key, zeros, 0)
                    .context("cannot prepare the counters of uncounted frames")?;
            }
        }
        Ok(())
    }

    /// Removes the keys of an interface that no longer exists.
    pub(super) fn remove_remainders(&mut self, ifindex: u32, directions: &[Direction]) {
        for direction in directions {
            for reason in Reason::IN_KERNEL {
                let key = PodRemainder(RemainderKey::new(ifindex, *direction, reason));
                // A missing key needs no removal.
                let _ = self.remainders.remove(&key);
            }
        }
    }

    /// Uncounted frames of this key since loading, over all CPUs.
    pub(super) fn remainder(&self, key: &RemainderKey) -> Result<Counters> {
        let values = self.remainders.get(&PodRemainder(*key), 0);
        Ok(sum(&values.context("cannot read the counters of uncounted frames")?))
    }

    /// Frames of interfaces that have no such counters.
    pub(super) fn unattributed(&self) -> Result<Counters> {
        let values = self.unattributed.get(&0, 0);
        Ok(sum(&values.context("cannot read the counter of frames of unknown interfaces")?))
    }

    /// Passes the programs' messages to the log.
    pub(super) fn flush_log(&mut self) {
        if let Some(logger) = &mut self.logger {
            logger.flush();
        }
    }
}

/// Waits until every program that runs now has ended: replacing an inner map, even by itself, waits for an
/// RCU grace period (Linux 4.20).
fn settle(active: &mut ArrayOfMaps<MapData, Flows>, flows: &[Flows; 2]) -> Result<()> {
    active.set(0, &flows[0], 0).context("cannot wait until the programs have ended")
}

fn descriptor<M: InnerMap>(map: &M) -> BorrowedFd<'_> {
    map.fd().as_fd()
}

/// The sizes of maps that the agent chooses.
struct Sizes {
    /// The number of flows of each map.
    capacity: u32,
    table: Size,
    /// The number of counters of uncounted frames.
    remainders: u32,
    /// The number of bytes of each packet that are kept as evidence.
    evidence: u32,
    /// Whether DNS answers are kept.
    learns_names: bool,
}

/// The number of counters of uncounted frames for this many interfaces. Each takes a cache line for every
/// possible CPU.
fn remainders(interfaces: usize) -> u32 {
    let most = REMAINDER_CAPACITY as usize;
    (interfaces * 2 * Reason::IN_KERNEL.len()).min(most) as u32
}

fn load_object(object: &[u8], debug: bool, sizes: Sizes, offsets: &Offsets) -> Result<Ebpf> {
    let Sizes { capacity, table, remainders, evidence, learns_names } = sizes;
    let (debug, log_level) = if debug { (1u8, u8::MAX) } else { (0, 0) };
    let [a, b] = map::FLOWS;
    let mut loader = EbpfLoader::new();
    offsets.set(&mut loader);
    loader
        .map_max_entries(a, capacity)
        .map_max_entries(b, capacity)
        .map_max_entries(map::TABLE, 2 * table.rows)
        .map_max_entries(map::REMAINDERS, remainders)
        .override_global(global::DEBUG, &debug, true)
        .override_global(aya_log::LEVEL, &log_level, true)
        .override_global(global::DNS, &u32::from(learns_names), true)
        .map_max_entries(map::DNS_RING, dns_ring_bytes(learns_names))
        .override_global(global::EVIDENCE, &evidence, true)
        .override_global(global::EVIDENCE_WAKE, &WAKE_BYTES, true)
        .map_max_entries(map::EVIDENCE_RING, ring_bytes(evidence))
        .load(object)
        .with_context(|| {
            format!(
                "cannot load the eBPF object with room for {capacity} flows; it needs Linux 5.10 or \
                 later with BTF, and memory (--max-flows)"
            )
        })
}

fn start_logger(ebpf: &mut Ebpf) -> Option<EbpfLogger<&'static dyn log::Log>> {
    let started = EbpfLogger::init(ebpf);
    started.inspect_err(|error| tracing::warn!(%error, "kernel messages are not shown")).ok()
}

fn sum(values: &PerCpuValues<PodCounters>) -> Counters {
    let mut sum = Counters::default();
    for of_cpu in values.iter() {
        sum.merge(&gathered(&of_cpu.0));
    }
    sum
}

pod!(PodKey, FlowKey);
pod!(PodCounters, Counters);
pod!(PodRemainder, RemainderKey);
