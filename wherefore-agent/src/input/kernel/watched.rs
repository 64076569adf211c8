//! The watched interfaces: those that appear and disappear, and our counts of each beside the device's. Owns
//! following them; refuses to read flows.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use rustc_hash::FxHashMap;
use wherefore_common::{Counters, Direction, FlowKey, Reason};

use super::apart::DirectionCoverage;
use super::attach::Attachments;
use super::loader::Loaded;
use crate::descriptors;
use crate::input::chosen;
use crate::input::interfaces::{
    self, AllCounters, DeviceCounters, Interface, Queue, device_counters,
};
use crate::input::kinds::Counting;
use crate::input::selection::{MAX_INTERFACES, Selection};
use crate::traffic::flows::ETHERNET_HEADER;
use crate::traffic::interval::{Comparison, InterfaceReading};

/// The selected interfaces that exist.
pub(super) struct Watchlist {
    selection: Selection,
    watched: Vec<Watched>,
    /// Interfaces that could not be attached to, by number, so that each is logged once.
    refused: BTreeMap<u32, Refusal>,
    /// The number of the one that was tried again last.
    retried: u32,
}

/// An interface that could not be attached to.
#[derive(Clone)]
pub(super) struct Refusal {
    pub(super) interface: Interface,
    /// The device's counters when packets began to be missed.
    pub(super) since: DeviceCounters,
}

/// One watched interface.
pub(super) struct Watched {
    pub(super) interface: Interface,
    pub(super) directions: Vec<DirectionState>,
    /// The device's counters when the programs were attached.
    pub(super) base: DeviceCounters,
    /// The device's counters at the last reading.
    last: DeviceCounters,
    /// The drops of its queue when the programs were attached.
    queue_base: Queue,
    /// Set if it no longer exists. It stays for the interval in which it disappeared.
    pub(super) is_gone: bool,
}

/// One direction of one interface.
pub(super) struct DirectionState {
    pub(super) direction: Direction,
    /// Cumulative uncounted frames at the last reading, by [`Reason::IN_KERNEL`].
    pub(super) remainders: [Counters; Reason::IN_KERNEL.len()],
    /// Counts in flows and of uncounted frames since attaching.
    pub(super) counted: Tally,
    /// Bytes that the device counted while the programs were being attached.
    pub(super) attach_gap: u64,
    /// Bytes that the device counted without us: before we attached while other interfaces were already
    /// counted, and while our program was not attached or not reached.
    pub(super) missed: u64,
    pub(super) coverage: DirectionCoverage,
    /// IPsec packets among the counted ones.
    ipsec_packets: u64,
}

/// Counts as at the hook and as on the wire.
#[derive(Debug, Default)]
pub(super) struct Tally {
    packets: u64,
    bytes: u64,
    wire_packets: u64,
    wire_bytes: u64,
}

impl Watchlist {
    pub(super) fn new(selection: Selection) -> Self {
        Self { selection, watched: Vec::new(), refused: BTreeMap::new(), retried: 0 }
    }

    /// Attaches to all selected interfaces that exist.
    ///
    /// # Errors
    /// If a named interface cannot be attached to, or if none of several can.
    pub(super) fn begin(
        &mut self,
        loaded: &mut Loaded,
        attachments: &mut Attachments,
    ) -> Result<()> {
        let mut failure = None;
        for interface in self.missing(&interfaces::list()?) {
            let is_named = self.selection.names_it(&interface);
            match attach(loaded, attachments, interface.clone(), None) {
                Ok(watched) => self.watched.push(watched),
                Err(error) if is_named && !descriptors::is_exhausted(&error) => return Err(error),
                Err(error) => {
                    let since = device_counters(&interface).unwrap_or_default();
                    self.refuse(&interface, since, &error);
                    failure = Some(error);
                }
            }
        }
        match failure {
            Some(error) if self.watched.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// Checks which interfaces appeared and disappeared since the last check.
    pub(super) fn follow(&mut self, loaded: &mut Loaded, attachments: &mut Attachments) {
        let there = match interfaces::list() {
            Ok(there) => there,
            Err(error) => {
                tracing::warn!(
                    error = descriptors::explained(&error),
                    "cannot list the interfaces: changes of interfaces are not noticed now"
                );
                return;
            }
        };
        chosen::follow_default_route(&mut self.selection, &there);
        // A new interface of the default route was not selected before, so nothing of it was missed.
        let is_late = self.selection.default_route().is_none();
        let since = |interface: &Interface| match is_late {
            true => Some(DeviceCounters::default()),
            false => device_counters(interface).ok(),
        };
        for watched in self.watched.iter_mut().filter(|watched| !watched.is_gone) {
            if !watched.stays(&there, &self.selection) {
                attachments.forget(watched.interface.index);
            }
        }
        self.refresh_refused(&there);
        for interface in self.missing(&there) {
            match attach(loaded, attachments, interface.clone(), since(&interface)) {
                Ok(watched) => {
                    let missed: u64 = watched.directions.iter().map(|state| state.missed).sum();
                    let interface = watched.interface.name.as_str();
                    tracing::info!(
                        interface,
                        missed_bytes = missed,
                        "interface appeared: counting"
                    );
                    self.watched.push(watched);
                }
                // It disappeared at once, or has another name; each of these causes another notification.
                Err(_) if interfaces::index_of(&interface.name) != Some(interface.index) => {}
                Err(error) => {
                    let since = since(&interface).unwrap_or_default();
                    self.refuse(&interface, since, &error);
                }
            }
        }
    }

    /// The selected interfaces that exist but are not watched yet; as many as there is space for.
    fn missing(&mut self, there: &[Interface]) -> Vec<Interface> {
        let is_new = |interface: &&Interface| {
            self.selection.matches(interface)
                && !self.refused.contains_key(&interface.index)
                // Skip an interface with the number of one that disappeared: the counts of that one are still
                // to be read.
                && !self.watched.iter().any(|watched| watched.interface.index == interface.index)
        };
        let mut new: Vec<_> = there.iter().filter(is_new).cloned().collect();
        let room = MAX_INTERFACES - self.watched.len().min(MAX_INTERFACES);
        for interface in new.drain(room.min(new.len())..).collect::<Vec<_>>() {
            let error = anyhow::anyhow!("{MAX_INTERFACES} are watched already");
            self.refuse(&interface, DeviceCounters::default(), &error);
        }
        new
    }

    fn refuse(&mut self, interface: &Interface, since: DeviceCounters, error: &anyhow::Error) {
        let refusal = Refusal { interface: interface.clone(), since };
        self.refused.insert(interface.index, refusal);
        tracing::warn!(
            interface = interface.name,
            error = descriptors::explained(error),
            "interface is not counted"
        );
    }

    /// Removes refused interfaces that no longer exist or are not selected any more; updates names.
    fn refresh_refused(&mut self, there: &[Interface]) {
        self.refused.retain(|index, refusal| {
            let now = there.iter().find(|interface| interface.index == *index);
            let now = now.filter(|interface| self.selection.matches(interface));
            now.inspect(|interface| refusal.interface.clone_from(interface)).is_some()
        });
    }

    /// Some of the refused interfaces, others each time; none if there is no space for more.
    pub(super) fn next_refused(&mut self, most: usize) -> Vec<Refusal> {
        let room = MAX_INTERFACES.saturating_sub(self.watched.len());
        let (tried, next) = (..=self.retried, self.retried.saturating_add(1)..);
        let turn = self.refused.range(next).chain(self.refused.range(tried));
        let turn = turn.filter(|(_, refusal)| refusal.interface.framing.is_some());
        let turn: Vec<_> = turn.map(|(_, refusal)| refusal.clone()).take(most.min(room)).collect();
        self.retried = turn.last().map_or(0, |refusal| refusal.interface.index);
        turn
    }

    /// Watches an interface that was refused before.
    pub(super) fn accept(&mut self, watched: Watched) {
        self.refused.remove(&watched.interface.index);
        self.watched.push(watched);
    }

    /// Removes interfaces whose last interval was returned; returns whether there were any.
    pub(super) fn remove_vanished(&mut self, loaded: &mut Loaded) -> bool {
        let before = self.watched.len();
        for gone in self.watched.extract_if(.., |watched| watched.is_gone) {
            let directions: Vec<_> = gone.directions.iter().map(|state| state.direction).collect();
            loaded.remove_remainders(gone.interface.index, &directions);
        }
        self.watched.len() < before
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Watched> {
        self.watched.iter_mut()
    }

    /// The index of each interface in the list, by number.
    pub(super) fn places(&self) -> FxHashMap<u32, usize> {
        let numbers = self.watched.iter().map(|watched| watched.interface.index);
        numbers.enumerate().map(|(place, index)| (index, place)).collect()
    }

    /// Adds counters of a flow to those of its interface.
    pub(super) fn note(&mut self, place: usize, key: &FlowKey, counters: &mut Counters) {
        let direction = key.direction();
        let Some(Watched { interface, directions, .. }) = self.watched.get_mut(place) else {
            return;
        };
        if let Some(state) = directions.iter_mut().find(|state| state.direction == direction) {
            state.counted.add(interface, counters);
            if is_ipsec(key) {
                state.ipsec_packets += counters.packets;
            }
        }
    }

    /// The counts of devices and programs; `before` is the devices' counts before the drain.
    pub(super) fn readings(
        &mut self,
        before: &AllCounters,
        after: &AllCounters,
    ) -> Vec<InterfaceReading> {
        self.watched.iter_mut().map(|watched| watched.reading(before, after)).collect()
    }

    pub(super) fn name_of(&self, ifindex: u32) -> Option<&str> {
        let found = self.watched.iter().find(|watched| watched.interface.index == ifindex);
        found.map(|watched| watched.interface.name.as_str())
    }

    /// What is watched, as text.
    pub(super) fn describe(&self) -> String {
        /// More names would be too long to read.
        const SHOWN: usize = 8;
        let names = self.watched.iter().map(|watched| watched.interface.name.as_str());
        let mut text = names.take(SHOWN).collect::<Vec<_>>().join(", ");
        if self.watched.is_empty() {
            text.push_str("nothing yet");
        }
        if let more @ 1.. = self.watched.len().saturating_sub(SHOWN) {
            text.push_str(&format!(" and {more} more"));
        }
        if self.selection.is_open() {
            text.push_str(&format!(" (following {})", self.selection));
        }
        text
    }
}

/// Attaches to one interface; reads its counters before and after. Bytes that it counted while others were
/// already counted are missed bytes.
pub(super) fn attach(
    loaded: &mut Loaded,
    attachments: &mut Attachments,
    interface: Interface,
    since: Option<DeviceCounters>,
) -> Result<Watched> {
    let directions: &[Direction] = if interface.is_loopback {
        // Loopback packets are both sent and received, so counting in one direction is enough. Sent packets
        // still have their socket. XDP sees only received packets.
        if attachments.is_xdp() { &[Direction::Ingress] } else { &[Direction::Egress] }
    } else if interface.habits.of(Direction::Ingress) == Counting::Mirrored {
        &[Direction::Egress]
    } else {
        &[Direction::Ingress, Direction::Egress]
    };
    let attached = attach_to(loaded, attachments, &interface, directions);
    let [base, after] = match attached {
        Ok(counters) => counters,
        Err(error) => {
            attachments.forget(interface.index);
            loaded.remove_remainders(interface.index, directions);
            return Err(error.context(format!("cannot attach to {}", interface.name)));
        }
    };
    let state = |direction: &Direction| DirectionState {
        direction: *direction,
        remainders: Default::default(),
        counted: Tally::default(),
        attach_gap: bytes_of(&after, *direction).saturating_sub(bytes_of(&base, *direction)),
        missed: since.map_or(0, |since| {
            bytes_of(&base, *direction).saturating_sub(bytes_of(&since, *direction))
        }),
        coverage: DirectionCoverage::default(),
        ipsec_packets: 0,
    };
    let directions = directions.iter().map(state).collect();
    let queue_base = interfaces::queue_of(interface.index);
    Ok(Watched { interface, directions, base, last: after, queue_base, is_gone: false })
}

/// Attaches by name, which must still belong to the interface with this number.
fn attach_to(
    loaded: &mut Loaded,
    attachments: &mut Attachments,
    interface: &Interface,
    directions: &[Direction],
) -> Result<[DeviceCounters; 2]> {
    // Sinks and state must still get descriptors after the last interface is attached.
    descriptors::check_spare()?;
    loaded.prepare_remainders(interface.index, directions)?;
    attachments.prepare(loaded, interface, directions)?;
    let base = device_counters(interface)?;
    attachments.attach(loaded, interface, directions)?;
    let after = device_counters(interface)?;
    if interfaces::index_of(&interface.name) != Some(interface.index) {
        bail!("it was replaced meanwhile");
    }
    Ok([base, after])
}

pub(super) fn bytes_of(counters: &DeviceCounters, direction: Direction) -> u64 {
    if direction == Direction::Egress { counters.tx_bytes } else { counters.rx_bytes }
}

fn packets_of(counters: &DeviceCounters, direction: Direction) -> u64 {
    if direction == Direction::Egress { counters.tx_packets } else { counters.rx_packets }
}

impl Watched {
    /// Whether it still exists and is selected; logs changes.
    fn stays(&mut self, there: &[Interface], selection: &Selection) -> bool {
        let name = self.interface.name.clone();
        match there.iter().find(|interface| interface.index == self.interface.index) {
            Some(now) if selection.matches(now) => {
                if now.name != name {
                    tracing::info!(interface = name, name = now.name, "interface was renamed");
                    self.interface.name.clone_from(&now.name);
                }
                return true;
            }
            Some(now) if now.name == name => {
                tracing::info!(interface = name, "interface is not selected any more: not counted");
            }
            Some(now) => {
                tracing::info!(
                    interface = name,
                    name = now.name,
                    "interface was renamed: not counted any more"
                );
            }
            None => tracing::info!(interface = name, "interface is gone"),
        }
        self.is_gone = true;
        false
    }

    fn reading(&mut self, before: &AllCounters, after: &AllCounters) -> InterfaceReading {
        let Interface { name, index, .. } = &self.interface;
        // Another device may have its number by now; counting then starts again.
        let is_later = |now: &&DeviceCounters| {
            now.rx_bytes >= self.last.rx_bytes && now.tx_bytes >= self.last.tx_bytes
        };
        let now = after.get(index).filter(is_later).filter(|_| !self.is_gone).copied();
        let before = before.get(index).filter(is_later).copied().unwrap_or(self.last);
        self.last = now.unwrap_or(self.last);
        let compare = |direction| self.compare(direction, &before, &self.last);
        InterfaceReading {
            interface: name.clone(),
            gone: now.is_none(),
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
        let (header_bytes, not_comparable) = match self.interface.habits.of(direction) {
            Counting::Without(bytes) => (bytes.into(), None),
            Counting::Apart(reason) => (0, Some(reason)),
            Counting::Alike | Counting::Mirrored | Counting::Repeating => (0, None),
        };
        let may_repeat = self.interface.habits.of(direction) == Counting::Repeating;
        let multicast = after.rx_multicast.saturating_sub(base.rx_multicast);
        let comparison = Comparison {
            watched: true,
            counted_packets: state.counted.packets,
            counted_bytes: state.counted.bytes,
            wire_packets: state.counted.wire_packets,
            wire_bytes: state.counted.wire_bytes,
            interface_packets: packets_of(after, direction)
                .saturating_sub(packets_of(base, direction)),
            interface_bytes: bytes_of(after, direction).saturating_sub(bytes_of(base, direction)),
            uncertain_bytes: state.attach_gap + moved_meanwhile,
            missed_bytes: state.missed,
            not_comparable,
            header_bytes,
            repeated_headers: if may_repeat { multicast } else { 0 },
            dropped_packets: 0,
            ipsec_packets: if direction == Direction::Ingress { state.ipsec_packets } else { 0 },
        };
        if direction == Direction::Egress && !comparison.agrees() {
            let dropped_packets = self.dropped(after);
            return Comparison { dropped_packets, ..comparison };
        }
        comparison.judged()
    }

    /// Frames that should have been sent since the programs were attached but were not.
    fn dropped(&self, now: &DeviceCounters) -> u64 {
        let Queue { dropped, waiting } = interfaces::queue_of(self.interface.index);
        let by_queue = dropped.saturating_sub(self.queue_base.dropped) + waiting;
        let by_device = now.tx_dropped.saturating_sub(self.base.tx_dropped)
            + now.tx_errors.saturating_sub(self.base.tx_errors);
        by_device + by_queue
    }
}

/// Whether a flow carries encrypted packets: ESP, AH, or ESP in UDP.
fn is_ipsec(key: &FlowKey) -> bool {
    const IN_UDP: u16 = 4500;
    match key.protocol {
        50 | 51 => true,
        17 => key.sport == IN_UDP || key.dport == IN_UDP,
        _ => false,
    }
}

impl Tally {
    /// Converts counters to those that the device counts, and adds them.
    pub(super) fn add(&mut self, interface: &Interface, counters: &mut Counters) {
        // The loopback removes the Ethernet header before it counts, also from the segments of a packet that
        // was too large for it.
        let hidden = if interface.is_loopback { ETHERNET_HEADER } else { 0 };
        counters.device_bytes -= (hidden * counters.device_packets).min(counters.device_bytes);
        self.packets += counters.device_packets;
        self.bytes += counters.device_bytes;
        self.wire_packets += counters.packets;
        self.wire_bytes += counters.frame_bytes.saturating_sub(hidden * counters.packets);
    }
}
