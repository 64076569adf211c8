//! The kernel programs alone: one frame after another through BPF_PROG_TEST_RUN. Owns the reading of their
//! maps as bytes; refuses to judge.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::mem::offset_of;
use std::path::PathBuf;

use anyhow::{Context, Result};
use aya::maps::{Array, ArrayOfMaps, HashMap, MapData, PerCpuArray, PerCpuHashMap, PerCpuValues};
use aya::programs::{Program, ProgramError, SchedClassifier, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader, TestRun};
use wherefore_common::abi::{Control, Epoch, global, map};
use wherefore_common::filter::FilterRule;
use wherefore_common::flow::RemainderKey;
use wherefore_common::select;
use wherefore_common::table::{ColdFields, Row, SLOTS_TO_A_ROW, Slot, gathered};
use wherefore_common::{Counters, Direction, FlowKey, Reason};

/// A map key as bytes.
pub type KeyBytes = [u8; size_of::<FlowKey>()];
type CounterBytes = [u8; size_of::<Counters>()];
type ControlBytes = [u8; size_of::<Control>()];
type RowBytes = [u8; size_of::<Row>()];
type Flows = HashMap<MapData, KeyBytes, CounterBytes>;

/// The verdicts by which programs leave a frame to others (linux/pkt_cls.h, linux/bpf.h).
const TC_ACT_UNSPEC: i32 = -1;
const XDP_PASS: u32 = 2;
/// The number of bytes by which a frame may grow, so that a program that changes it is noticed.
const ROOM_TO_GROW: usize = 64;

/// The interface on which test runs take place: the loopback.
pub const TEST_IFINDEX: u32 = 1;

/// The counts of a key: packets, IP bytes, frame bytes, TCP flags.
pub type Sums = (u64, u64, u64, u64);

/// The content of the maps after a run of frames.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// By flow.
    pub flows: BTreeMap<KeyBytes, Sums>,
    /// By reason.
    pub remainders: BTreeMap<u8, Sums>,
}

/// The content of a slot.
struct InSlot {
    key: KeyBytes,
    counters: Counters,
    is_left_out: bool,
}

/// The loaded object.
pub struct Kernel {
    ebpf: Ebpf,
    active: ArrayOfMaps<MapData, Flows>,
    remainders: PerCpuHashMap<MapData, [u8; 8], CounterBytes>,
    flows: Flows,
    table: PerCpuArray<MapData, RowBytes>,
    rows: u32,
    control: Array<MapData, ControlBytes>,
    /// The control variable of the programs.
    written: Control,
    slots: u32,
    seen: BTreeMap<u8, Sums>,
    /// The number of the latest epoch.
    latest: u32,
    direction: Direction,
}

/// The committed object, or the one that WHEREFORE_BPF_OBJECT names.
pub fn object_path() -> PathBuf {
    let committed =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../wherefore-ebpf/wherefore.bpf.o");
    std::env::var_os("WHEREFORE_BPF_OBJECT").map_or(committed, PathBuf::from)
}

impl Kernel {
    /// Loads the object, with a slot for each of `capacity` flows on each CPU and as many places in
    /// the flow map, between two calls of [`Self::take`].
    ///
    /// # Errors
    /// If a privilege is missing or the kernel refuses the object.
    pub fn load(direction: Direction, capacity: u32) -> Result<Self> {
        Self::load_with_evidence(direction, capacity, 0)
    }

    /// The same, with this many bytes of each watched packet kept as evidence.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_with_evidence(direction: Direction, capacity: u32, bytes: u32) -> Result<Self> {
        let rows = capacity.div_ceil(SLOTS_TO_A_ROW as u32);
        let path = object_path();
        let object = std::fs::read(&path).with_context(|| format!("no {}", path.display()))?;
        let mut ebpf = EbpfLoader::new()
            .override_global("AYA_LOG_LEVEL", &0u8, true)
            .override_global(global::EVIDENCE, &bytes, true)
            .override_global(global::EVIDENCE_WAKE, &u32::MAX, true)
            .map_max_entries(map::EVIDENCE_RING, if bytes == 0 { 4096 } else { 16 << 20 })
            .map_max_entries(map::FLOWS[0], capacity)
            .map_max_entries(map::TABLE, 2 * rows)
            .load(&object)?;
        let flows = Flows::try_from(ebpf.take_map(map::FLOWS[0]).context("no map")?)?;
        let mut active =
            ArrayOfMaps::try_from(ebpf.take_map(map::ACTIVE_FLOWS).context("no map")?)?;
        active.set(0, &flows, 0)?;
        let remainders = ebpf.take_map(map::REMAINDERS).context("no map")?;
        let table = PerCpuArray::try_from(ebpf.take_map(map::TABLE).context("no map")?)?;
        let control = Array::try_from(ebpf.take_map(map::CONTROL).context("no map")?)?;
        let mut kernel = Self {
            ebpf,
            active,
            remainders: PerCpuHashMap::try_from(remainders)?,
            flows,
            table,
            rows,
            control,
            written: Control::default(),
            slots: capacity,
            seen: BTreeMap::new(),
            latest: 0,
            direction,
        };
        kernel.next_interval()?;
        for reason in Reason::IN_KERNEL {
            let cpus = aya::util::nr_cpus().map_err(|(_, error)| error)?;
            let zeros = PerCpuValues::try_from(vec![[0; size_of::<Counters>()]; cpus])?;
            kernel.remainders.insert(kernel.remainder_key(reason), zeros, 0)?;
        }
        Ok(kernel)
    }

    /// Activates a filter's program, alone.
    ///
    /// # Errors
    /// If the maps can't be written.
    pub fn set_program(&mut self, program: &select::Program) -> Result<()> {
        const SET: u32 = 1;
        let mut bytes = [0; size_of::<select::Program>()];
        for (place, test) in bytes.chunks_exact_mut(size_of::<select::Test>()).zip(program.tests) {
            for (word, number) in [test.field, test.mask, test.low, test.span].iter().enumerate() {
                place[word * 8..][..8].copy_from_slice(&number.to_ne_bytes());
            }
            (place[32], place[33]) = (test.then, test.otherwise);
        }
        let mut programs: Array<_, [u8; size_of::<select::Program>()]> =
            Array::try_from(self.ebpf.map_mut(map::FILTER_PROGRAMS).context("no map")?)?;
        programs.set(SET, bytes, 0)?;
        let mut rule = [0; size_of::<FilterRule>()];
        rule[offset_of!(FilterRule, has_program)] = 1;
        let mut rules: Array<_, [u8; size_of::<FilterRule>()]> =
            Array::try_from(self.ebpf.map_mut(map::FILTER_RULES).context("no map")?)?;
        rules.set(SET, rule, 0)?;
        self.latest += 1;
        self.written.write_filter(0, SET, self.latest);
        self.written.now = Control::place(0, SET) as u64;
        self.write_control()
    }

    /// Sets the number of slots that each processor uses.
    ///
    /// # Errors
    /// If the maps can't be written.
    pub fn use_slots(&mut self, slots: u32) -> Result<()> {
        self.slots = slots;
        self.next_interval()
    }

    /// A TC program, loaded.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub fn classifier(&mut self, name: &str) -> Result<&mut SchedClassifier> {
        let Some(Program::SchedClassifier(program)) = self.ebpf.program_mut(name) else {
            anyhow::bail!("no TC program {name}");
        };
        if program.fd().is_err() {
            despite_signals(|| program.load())?;
        }
        Ok(program)
    }

    /// An XDP program, loaded.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub fn xdp(&mut self, name: &str) -> Result<&mut Xdp> {
        let Some(Program::Xdp(program)) = self.ebpf.program_mut(name) else {
            anyhow::bail!("no XDP program {name}");
        };
        if program.fd().is_err() {
            despite_signals(|| program.load())?;
        }
        Ok(program)
    }

    /// Runs a frame through a program this many times. Each is a test run of its own, because a signal ends a
    /// run of several, after which the number is unknown (EINTR of bpf_test_timer_continue).
    ///
    /// # Errors
    /// If the kernel refuses the frame.
    ///
    /// # Panics
    /// If the program changes the frame, or does not pass it on.
    pub fn run(
        &mut self,
        name: &str,
        frame: &[u8],
        context: Option<&[u8]>,
        times: u32,
    ) -> Result<()> {
        let mut passed = vec![0; frame.len() + ROOM_TO_GROW];
        for _ in 0..times {
            let options = TestRunOptions {
                data_in: Some(frame),
                data_out: Some(&mut passed),
                ctx_in: context,
                repeat: 1,
                ..Default::default()
            };
            let (verdict, ran) = if name.contains("xdp") {
                (XDP_PASS, self.xdp(name)?.test_run(options)?)
            } else {
                (TC_ACT_UNSPEC as u32, self.classifier(name)?.test_run(options)?)
            };
            assert_eq!(ran.return_value, verdict, "{name} does not pass {frame:02x?} on");
            let passed = passed.get(..ran.data_size_out as usize);
            assert_eq!(passed, Some(frame), "{name} has changed the frame");
        }
        Ok(())
    }

    /// The counts since the last call; the flow map is empty afterwards.
    ///
    /// # Errors
    /// If the maps can't be read.
    pub fn take(&mut self) -> Result<Counted> {
        let mut counted = Counted::default();
        let keys: Vec<KeyBytes> = self.flows.keys().collect::<Result<_, _>>()?;
        for key in keys {
            let mut sums = Sums::default();
            add_counters(&mut sums, &counters(&self.flows.get(&key, 0)?));
            counted.flows.insert(key, sums);
            self.flows.remove(&key)?;
        }
        let mut left_out = Sums::default();
        for InSlot { key, counters, is_left_out } in self.in_table()? {
            let flow =
                if is_left_out { &mut left_out } else { counted.flows.entry(key).or_default() };
            add_counters(flow, &counters);
        }
        self.next_interval()?;
        for reason in Reason::IN_KERNEL {
            let now = sums(&self.remainders.get(&self.remainder_key(reason), 0)?);
            let before = self.seen.insert(reason as u8, now).unwrap_or_default();
            let mut grown = (now.0 - before.0, now.1 - before.1, now.2 - before.2, now.3);
            if reason == Reason::Filtered {
                let (packets, bytes, frame_bytes, flags) = left_out;
                grown.0 += packets;
                grown.1 += bytes;
                grown.2 += frame_bytes;
                grown.3 |= flags;
            }
            if grown.0 != 0 {
                counted.remainders.insert(reason as u8, grown);
            }
        }
        Ok(counted)
    }

    /// Packets that are counted in the table, since the last call of [`Self::take`].
    ///
    /// # Errors
    /// If the maps can't be read.
    pub fn packets_in_table(&self) -> Result<u64> {
        let mut sums = Sums::default();
        self.in_table()?.iter().for_each(|slot| add_counters(&mut sums, &slot.counters));
        Ok(sums.0)
    }

    /// Sets the number of frames of every taken slot; returns the packets that are in the table then.
    ///
    /// # Errors
    /// If the maps can't be read or written.
    pub fn pretend_frames(&mut self, frames: u32) -> Result<u64> {
        const FRAMES: usize = offset_of!(Slot, frames);
        let epochs = self.written.epoch().first..=self.latest;
        for number in 0..self.rows {
            let mut rows = self.table.get(&number, 0)?.to_vec();
            for row in &mut rows {
                let (slots, _) = row.split_at_mut(offset_of!(Row, cold_fields));
                for bytes in slots.as_chunks_mut().0 {
                    if epochs.contains(&slot(bytes).epoch()) {
                        bytes[FRAMES..FRAMES + 4].copy_from_slice(&frames.to_ne_bytes());
                    }
                }
            }
            self.table.set(number, PerCpuValues::try_from(rows)?, 0)?;
        }
        self.packets_in_table()
    }

    /// Nanoseconds from the first packet to the last one of all that is counted in the table.
    ///
    /// # Errors
    /// If the maps can't be read, or there is nothing in the table.
    pub fn nanoseconds_in_table(&self) -> Result<u64> {
        let slots = self.in_table()?;
        let first = slots.iter().map(|slot| slot.counters.first_ns).min();
        let last = slots.iter().map(|slot| slot.counters.last_ns).max();
        let (first, last) = first.zip(last).context("the table is empty")?;
        last.checked_sub(first).context("the last packet came before the first")
    }

    /// In the same half, so that the programs still write to the same map.
    fn next_interval(&mut self) -> Result<()> {
        self.latest += 1;
        self.written.write_half(0, self.latest, self.slots, 0);
        self.write_control()
    }

    fn write_control(&mut self) -> Result<()> {
        let mut bytes = self.written.now.to_ne_bytes().to_vec();
        for Epoch { number, first, slots, first_row } in self.written.epochs {
            bytes.extend([number, first, slots, first_row].map(u32::to_ne_bytes).as_flattened());
        }
        Ok(self.control.set(0, ControlBytes::try_from(&bytes[..])?, 0)?)
    }

    /// The flows in the table, for each processor.
    fn in_table(&self) -> Result<Vec<InSlot>> {
        let epochs = self.written.epoch().first..=self.latest;
        let mut taken = Vec::new();
        for number in 0..self.rows {
            for row in self.table.get(&number, 0)?.iter() {
                let (slots, cold_fields) = row.split_at(offset_of!(Row, cold_fields));
                let slots = slots.as_chunks().0.iter().map(slot);
                let cold_fields = cold_fields.as_chunks().0.iter().map(cold);
                for (slot, cold) in
                    slots.zip(cold_fields).filter(|(slot, _)| epochs.contains(&slot.epoch()))
                {
                    taken.push(InSlot {
                        key: key_bytes(&slot.key(&cold)),
                        counters: slot.counters(&cold),
                        is_left_out: slot.is_left_out(),
                    });
                }
            }
        }
        Ok(taken)
    }

    /// The number of instructions of a loaded program that were verified.
    ///
    /// # Errors
    /// If the kernel doesn't say.
    pub fn verified_instructions(&mut self, name: &str) -> Result<u32> {
        let info = if name.contains("xdp") {
            self.xdp(name)?.info()?
        } else {
            self.classifier(name)?.info()?
        };
        info.verified_instruction_count().context("the kernel does not say")
    }

    /// The array of flow maps, which the programs read.
    pub fn active(&self) -> &ArrayOfMaps<MapData, Flows> {
        &self.active
    }

    fn remainder_key(&self, reason: Reason) -> [u8; 8] {
        let RemainderKey { ifindex, direction, reason, .. } =
            RemainderKey::new(TEST_IFINDEX, self.direction, reason);
        let [a, b, c, d] = ifindex.to_ne_bytes();
        [a, b, c, d, direction, reason, 0, 0]
    }
}

/// A signal interrupts the verifier, which is no verdict (EAGAIN of bpf(2)).
fn despite_signals(mut load: impl FnMut() -> Result<(), ProgramError>) -> Result<(), ProgramError> {
    const ATTEMPTS: u32 = 5;
    let is_interrupted = |result: &Result<(), ProgramError>| match result {
        Err(ProgramError::LoadError { io_error, .. }) => io_error.kind() == ErrorKind::WouldBlock,
        _ => false,
    };
    let mut result = load();
    for _ in 1..ATTEMPTS {
        if !is_interrupted(&result) {
            break;
        }
        result = load();
    }
    result
}

/// A flow key as the map holds it.
pub fn key_bytes(key: &FlowKey) -> KeyBytes {
    let mut bytes = [0; size_of::<FlowKey>()];
    for (place, word) in key.src.iter().chain(&key.dst).enumerate() {
        bytes[place * 8..][..8].copy_from_slice(&word.to_ne_bytes());
    }
    bytes[32..36].copy_from_slice(&key.ifindex.to_ne_bytes());
    bytes[36..38].copy_from_slice(&key.sport.to_ne_bytes());
    bytes[38..40].copy_from_slice(&key.dport.to_ne_bytes());
    bytes[40..43].copy_from_slice(&[key.protocol, key.family, key.direction]);
    bytes
}

fn sums(values: &PerCpuValues<CounterBytes>) -> Sums {
    let mut sums = (0, 0, 0, 0);
    values.iter().for_each(|value| add_counters(&mut sums, &counters(value)));
    sums
}

fn add_counters(sums: &mut Sums, value: &Counters) {
    sums.0 += value.packets;
    sums.1 += value.bytes;
    sums.2 += value.frame_bytes;
    sums.3 |= value.tcp_flags;
}

fn counters(bytes: &CounterBytes) -> Counters {
    let [packets, bytes, frame_bytes, device_packets, device_bytes, first_ns, last_ns, tcp_flags] =
        words(bytes);
    gathered(&Counters {
        packets,
        bytes,
        frame_bytes,
        device_packets,
        device_bytes,
        first_ns,
        last_ns,
        tcp_flags,
    })
}

fn slot(raw: &[u8; size_of::<Slot>()]) -> Slot {
    let [addresses, ports, state, _, bytes, device_bytes, _, last_ns] = words(raw);
    let half = |at: usize| raw[at..].first_chunk().map_or(0, |half| u32::from_ne_bytes(*half));
    let (frames, tick) = (half(offset_of!(Slot, frames)), half(offset_of!(Slot, tick)));
    let (first, socket) = (half(offset_of!(Slot, first)), half(offset_of!(Slot, socket)));
    Slot { addresses, ports, state, frames, tick, bytes, device_bytes, first, socket, last_ns }
}

fn cold(bytes: &[u8; size_of::<ColdFields>()]) -> ColdFields {
    let [src0, src1, dst0, dst1, frames, segments, headers, reserved] = words(bytes);
    ColdFields { src: [src0, src1], dst: [dst0, dst1], frames, segments, headers, reserved }
}

fn words(bytes: &[u8; 64]) -> [u64; 8] {
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_ne_bytes(*bytes);
    }
    words
}
