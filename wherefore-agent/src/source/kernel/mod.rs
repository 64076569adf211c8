//! eBPF as a source: two flow maps that take turns, cumulative remainders, and the interfaces' own
//! counters beside them. Owns the life of the kernel side, from loading to the last drain.
//!
//! Nothing is lost or counted twice at any time: programs write to one map while the other, which
//! no program can reach any more, is drained; at the end the programs are detached first.

mod attach;
mod batch;
pub mod clock;
mod loader;
mod privileges;
mod tap;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use wherefore_common::flow::RemainderKey;
use wherefore_common::{Counters, Direction, Reason};

use super::interfaces::{self, DeviceCounters, Interface};
use super::{Source, Stop};
use crate::cli::Attach;
use crate::evidence::Recorder;
use crate::filter::Filter;
use crate::interval::{Comparison, InterfaceReading, Interval};
use attach::Attachments;
use clock::Ticks;
use loader::Loaded;
use tap::Tap;

/// How the kernel side is set up.
#[derive(Debug, Clone)]
pub struct KernelOptions {
    /// Which hook.
    pub attach: Attach,
    /// Length of an interval.
    pub interval: Duration,
    /// Capacity of each flow map; by memory where nothing is said.
    pub max_flows: Option<u32>,
    /// Log frames that are in no flow.
    pub debug: bool,
    /// An object other than the built-in one.
    pub object: Option<PathBuf>,
    /// Who keeps packets.
    pub recorder: Option<Recorder>,
}

/// Counts in the kernel.
pub struct KernelSource {
    loaded: Loaded,
    attachments: Attachments,
    watched: Vec<Watched>,
    unattributed: Counters,
    ticks: Ticks,
    description: String,
    tap: Option<Tap>,
    is_over: bool,
}

/// What every interface counts, by name.
type AllCounters = std::collections::BTreeMap<String, DeviceCounters>;

/// One interface and what is known of it.
struct Watched {
    interface: Interface,
    directions: Vec<DirectionState>,
    /// The device's counters when the programs were attached.
    base: DeviceCounters,
}

/// One direction of one interface.
struct DirectionState {
    direction: Direction,
    /// Cumulative remainders at the last reading, by [`Reason::ALL`].
    remainders: [Counters; Reason::ALL.len()],
    /// What was counted in flows and remainders since attaching.
    counted: Tally,
    /// What the device counted while the programs were being attached.
    attach_gap: u64,
}

/// What was counted: at the hook, and on the wire.
#[derive(Debug, Default)]
struct Tally {
    packets: u64,
    bytes: u64,
    wire_packets: u64,
    wire_bytes: u64,
}

impl KernelSource {
    /// Loads the programs and attaches them.
    ///
    /// # Errors
    /// Where a privilege or a kernel feature is missing, or another program holds the hook.
    pub fn open(
        interfaces: Vec<Interface>,
        filter: &Filter,
        options: &KernelOptions,
    ) -> Result<Self> {
        privileges::check()?;
        let mut loaded = Loaded::load(options)?;
        loaded.set_filter(filter)?;
        let mut attachments = Attachments::new(options.attach);
        let mut watched = Vec::new();
        for interface in interfaces {
            watched.push(watch(&mut loaded, &mut attachments, interface)?);
        }
        privileges::drop_unneeded(attachments.need_net_admin());
        let recorder = options.recorder.clone();
        let tap = recorder.map(|recorder| Tap::start(&mut loaded, recorder)).transpose()?;
        Ok(Self {
            description: describe(&watched, &attachments, &loaded),
            loaded,
            attachments,
            watched,
            unattributed: Counters::default(),
            ticks: Ticks::new(options.interval),
            tap,
            is_over: false,
        })
    }

    /// What moved since the last drain; `before` is what the devices had counted before it, or
    /// before detaching.
    fn drain(&mut self, before: &AllCounters) -> Result<Interval> {
        let wall_minus_kernel = clock::wall_minus_monotonic_ns();
        let (swapped_ns, mut flows) =
            self.loaded.flip_and_drain().context("cannot drain the flow map")?;
        for (key, counters) in &mut flows {
            shift(counters, wall_minus_kernel);
            self.note(key.ifindex, key.direction(), counters);
        }
        if let Some(tap) = &self.tap {
            tap.catch_up();
        }
        let remainders = self.read_remainders(wall_minus_kernel)?;
        let after = interfaces::counters()?;
        self.loaded.flush_log();
        let (index, start_ns, end_ns) = self.ticks.close(swapped_ns);
        let interfaces =
            self.watched.iter().map(|watched| watched.reading(before, &after)).collect();
        Ok(Interval {
            index,
            start_ns,
            end_ns,
            flows,
            remainders,
            interfaces,
            is_partial: self.is_over,
            ..Interval::default()
        })
    }

    /// What the remainders grew by since the last reading.
    fn read_remainders(&mut self, shift_ns: i64) -> Result<Vec<(RemainderKey, Counters)>> {
        let mut grown = Vec::new();
        for watched in &mut self.watched {
            let ifindex = watched.interface.index;
            let interface = &watched.interface;
            for state in &mut watched.directions {
                for (reason, seen) in Reason::ALL.into_iter().zip(&mut state.remainders) {
                    let key = RemainderKey::new(ifindex, state.direction, reason);
                    let now = self.loaded.remainder(&key)?;
                    let mut delta = now.since(seen);
                    *seen = now;
                    if delta.device_packets == 0 {
                        continue;
                    }
                    state.counted.add(interface, &mut delta);
                    shift(&mut delta, shift_ns);
                    grown.push((key, delta));
                }
            }
        }
        grown.extend(self.read_unattributed(shift_ns)?);
        Ok(grown)
    }

    /// Frames of an interface without remainders: there are none, and if there were, they would
    /// not be hidden.
    fn read_unattributed(&mut self, shift_ns: i64) -> Result<Option<(RemainderKey, Counters)>> {
        let now = self.loaded.unattributed()?;
        let mut delta = now.since(&self.unattributed);
        self.unattributed = now;
        shift(&mut delta, shift_ns);
        let key = RemainderKey::new(0, Direction::Unknown, Reason::NonIp);
        Ok((delta.device_packets > 0).then_some((key, delta)))
    }

    fn note(&mut self, ifindex: u32, direction: Direction, counters: &mut Counters) {
        let found = self.watched.iter_mut().find(|watched| watched.interface.index == ifindex);
        let Some(Watched { interface, directions, .. }) = found else { return };
        if let Some(state) = directions.iter_mut().find(|state| state.direction == direction) {
            state.counted.add(interface, counters);
        }
    }
}

impl Tally {
    /// Brings counters to what the device counts, and sums them up.
    fn add(&mut self, interface: &Interface, counters: &mut Counters) {
        // The loopback takes the Ethernet header off before it counts.
        let hidden = if interface.is_loopback { 14 } else { 0 };
        counters.device_bytes -= (hidden * counters.device_packets).min(counters.device_bytes);
        self.packets += counters.device_packets;
        self.bytes += counters.device_bytes;
        self.wire_packets += counters.packets;
        self.wire_bytes += counters.frame_bytes;
    }
}

/// Attaches to one interface, with its counters read before and after.
fn watch(
    loaded: &mut Loaded,
    attachments: &mut Attachments,
    interface: Interface,
) -> Result<Watched> {
    let directions: &[Direction] = if interface.is_loopback {
        // What passes the loopback is sent and received at once: once is enough.
        &[Direction::Ingress]
    } else {
        &[Direction::Ingress, Direction::Egress]
    };
    let failed = || format!("cannot attach to {}", interface.name);
    loaded.prepare_remainders(interface.index, directions)?;
    attachments.prepare(loaded, &interface, directions).with_context(failed)?;
    let base = device_counters(&interface)?;
    attachments.attach(loaded, &interface, directions).with_context(failed)?;
    let after = device_counters(&interface)?;
    let state = |direction: &Direction| DirectionState {
        direction: *direction,
        remainders: Default::default(),
        counted: Tally::default(),
        attach_gap: bytes_of(&after, *direction).saturating_sub(bytes_of(&base, *direction)),
    };
    let directions = directions.iter().map(state).collect();
    Ok(Watched { interface, directions, base })
}

fn device_counters(interface: &Interface) -> Result<DeviceCounters> {
    Ok(interfaces::counters()?.get(&interface.name).copied().unwrap_or_default())
}

fn bytes_of(counters: &DeviceCounters, direction: Direction) -> u64 {
    if direction == Direction::Egress { counters.tx_bytes } else { counters.rx_bytes }
}

fn packets_of(counters: &DeviceCounters, direction: Direction) -> u64 {
    if direction == Direction::Egress { counters.tx_packets } else { counters.rx_packets }
}

impl Watched {
    fn reading(&self, before: &AllCounters, after: &AllCounters) -> InterfaceReading {
        let name = &self.interface.name;
        let at = |all: &AllCounters| all.get(name).copied().unwrap_or(self.base);
        let compare = |direction| self.compare(direction, &at(before), &at(after));
        InterfaceReading {
            interface: name.clone(),
            ingress: compare(Direction::Ingress),
            egress: compare(Direction::Egress),
        }
    }

    fn compare(
        &self,
        direction: Direction,
        before: &DeviceCounters,
        after: &DeviceCounters,
    ) -> Comparison {
        let Some(state) = self.directions.iter().find(|state| state.direction == direction) else {
            return Comparison::default();
        };
        let base = &self.base;
        let moved_meanwhile =
            bytes_of(after, direction).saturating_sub(bytes_of(before, direction));
        Comparison {
            watched: true,
            counted_packets: state.counted.packets,
            counted_bytes: state.counted.bytes,
            wire_packets: state.counted.wire_packets,
            wire_bytes: state.counted.wire_bytes,
            interface_packets: packets_of(after, direction)
                .saturating_sub(packets_of(base, direction)),
            interface_bytes: bytes_of(after, direction).saturating_sub(bytes_of(base, direction)),
            uncertain_bytes: state.attach_gap + moved_meanwhile,
        }
    }
}

/// From the kernel's clock to nanoseconds since 1970.
fn shift(counters: &mut Counters, by_ns: i64) {
    counters.first_ns = counters.first_ns.wrapping_add_signed(by_ns);
    counters.last_ns = counters.last_ns.wrapping_add_signed(by_ns);
}

fn describe(watched: &[Watched], attachments: &Attachments, loaded: &Loaded) -> String {
    let names: Vec<_> = watched.iter().map(|watched| watched.interface.name.as_str()).collect();
    format!(
        "eBPF ({}) on {}, room for {} flows an interval",
        attachments.describe(),
        names.join(", "),
        crate::text::grouped(u64::from(loaded.capacity()))
    )
}

impl Source for KernelSource {
    fn next(&mut self, stop: &Stop) -> Result<Option<Interval>> {
        if self.is_over {
            return Ok(None);
        }
        let is_last = stop.wait_until(self.ticks.next_end());
        let before = interfaces::counters()?;
        if is_last {
            self.is_over = true;
            self.attachments.detach(&mut self.loaded);
        }
        self.drain(&before).map(Some)
    }

    fn describe(&self) -> String {
        self.description.clone()
    }

    fn interface_name(&self, ifindex: u32) -> String {
        let found = self.watched.iter().find(|watched| watched.interface.index == ifindex);
        found.map_or_else(|| ifindex.to_string(), |watched| watched.interface.name.clone())
    }
}

impl Drop for KernelSource {
    fn drop(&mut self) {
        self.attachments.detach(&mut self.loaded);
    }
}
