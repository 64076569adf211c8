//! The activity of each address as a source and as a destination. A spoofed flood, a reflection, a scan, a
//! sweep, an upload and a new network are events whose single pairs are not unusual. Owns the order of steps
//! within an interval. Refuses to decide what is reported: a [`Candidate`] has a surprise, and its receiver
//! has an alert budget.
//!
//! ```text
//! flow -> active (this interval: counters, sketches) -> judge -> Candidate -> slots (what is usual)
//! ```
//!
//! # Panic contract
//! No function here panics, whatever flows it gets, unless sums exceed 64 bits; nor
//! on any snapshot. The same flows in the same order give the same candidates.

mod active;
mod candidate;
mod judge;
mod networks;
mod requests;
mod sketch;
mod slots;
mod slow;

use serde::{Deserialize, Serialize};
use wherefore_common::{Counters, FlowKey};

use crate::detect::detectors::{Past, Population};
use crate::detect::kind::Kind;
use crate::detect::series::BaselineUpdate;
use crate::traffic::group::GroupBy;
use crate::traffic::hash_index::HashIndex;
use active::{ActiveAddresses, Address, Entry, NONE};
use judge::{AddressFinding, DestinationQuantities, Populations, SourceQuantities, level};
use networks::Networks;
use slots::{BLOCK, Block, Slots};
use slow::{SlowWindows, SourceWindow};

pub use networks::is_inside;
pub use requests::is_request;

pub use candidate::{Candidate, Observation, Quantity};

/// The surprise below which nothing is shown: an event that is expected more often than once in a hundred
/// intervals is not interesting on any host.
const FLOOR: f32 = 2.0;
/// An address with a single flow gets a history only if it has this many packets: a spoofed source has fewer.
const LEAST_PACKETS: u64 = 4;
/// Addresses in a snapshot: some 700 bytes each as JSON.
const SAVED: usize = 8_192;
/// The most consecutive quiet intervals that populations process, twice what they remember.
const QUIET: u64 = 34_560;

/// The activity of all addresses.
#[derive(Debug, Clone)]
pub struct Addresses {
    active: ActiveAddresses,
    slots: Slots,
    populations: Populations,
    networks: Networks,
    slow: SlowWindows,
    /// The interval in which the block began.
    block_start: u64,
}

/// The state that survives a restart.
#[derive(Debug, Serialize, Deserialize)]
pub struct Snapshot {
    intervals: u64,
    addresses: Vec<slots::Saved>,
    populations: Populations,
    networks: networks::Saved,
}

impl Addresses {
    /// Without any address, and with at most `max_addresses` histories.
    pub fn new(max_addresses: usize) -> Self {
        let most = max_addresses.clamp(1, HashIndex::MOST / 2);
        Self {
            active: ActiveAddresses::new(most),
            slots: Slots::new(most),
            populations: Populations::default(),
            networks: Networks::default(),
            slow: SlowWindows::default(),
            block_start: 0,
        }
    }

    /// Addresses with a history.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no address has a history.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds the counts of a flow in the interval being collected.
    pub fn collect(&mut self, flow: &FlowKey, counters: &Counters) {
        if counters.packets == 0 && counters.device_packets == 0 {
            return;
        }
        let wake = |address: &Address, hashed| self.slots.wake(address, hashed);
        self.active.collect(flow, counters, wake);
    }

    /// Closes the interval: judges every active address and shows surprising ones.
    /// The baseline is updated even by a finding, unless `visit` returns `Freeze`.
    pub fn close(&mut self, visit: &mut dyn FnMut(&Candidate<'_>) -> BaselineUpdate) {
        self.count_judged();
        for at in 0..self.active.entries().len() {
            self.close_address(self.active.entries()[at], visit);
        }
        self.close_block(visit);
        self.close_windows(visit);
        self.close_networks(visit);
        self.populations.close();
        self.active.clear();
        self.slots.now = self.slots.now.saturating_add(1);
    }

    /// How many intervals may end without anything to judge, if there is no traffic from now on: up to the
    /// end of a block with sent traffic, or of a window with requests.
    pub fn quiet_ahead(&self) -> u64 {
        let block = self.slots.blocks().next().map(|_| self.until_block_end());
        let ends = block.into_iter().chain(self.slow.until_end(self.slots.now));
        ends.min().map_or(u64::MAX, |first| first - 1)
    }

    /// Ends this many intervals without traffic, at most [`Self::quiet_ahead`]: the same as
    /// [`Self::close`] of each.
    pub fn pass_quiet(&mut self, intervals: u64) {
        let first_end = self.until_block_end();
        if let Some(after) = intervals.checked_sub(first_end) {
            self.block_start = self.slots.now + first_end + after / BLOCK * BLOCK;
            self.populations.upload.pass(1 + after / BLOCK, 0);
        }
        let ended = self.slow.ends_within(self.slots.now, intervals);
        for (populations, ended) in self.populations.slow.iter_mut().zip(ended) {
            populations.iter_mut().for_each(|population| population.pass(ended, 0));
        }
        self.slots.now = self.slots.now.saturating_add(intervals);
        self.populations.pass(intervals);
    }

    /// Intervals up to the end of the block, the one that is being collected included.
    fn until_block_end(&self) -> u64 {
        BLOCK.saturating_sub(self.slots.now.saturating_sub(self.block_start)).max(1)
    }

    /// Skips intervals without traffic.
    pub fn skip_quiet(&mut self, intervals: u64) {
        self.slots.now = self.slots.now.saturating_add(intervals);
        self.slow.clear();
        self.populations.pass(intervals.min(QUIET));
    }

    /// The number of judged addresses is set before any is judged: otherwise the first would be judged as
    /// if it were alone.
    fn count_judged(&mut self) {
        for entry in self.active.entries() {
            let slot = self.slots.get(entry.slot);
            let has_past = |pasts: &[Past]| pasts.first().is_some_and(|past| !past.is_young());
            if self.active.received(entry).is_some() && has_past(&slot.received) {
                self.populations.received.iter_mut().for_each(|population| population.judged());
            }
            if self.active.sent(entry).is_some() && has_past(&slot.sent) {
                self.populations.sent.iter_mut().for_each(|population| population.judged());
            }
        }
    }

    fn close_address(
        &mut self,
        mut entry: Entry,
        visit: &mut dyn FnMut(&Candidate<'_>) -> BaselineUpdate,
    ) {
        let is_newcomer = if entry.slot == NONE {
            self.slots.is_past_startup()
        } else {
            self.slots.get(entry.slot).is_newcomer
        };
        let received_quantities = self.judge_received(&entry, is_newcomer, visit);
        let sent_quantities = self.judge_sent(&entry, is_newcomer, visit);
        if entry.slot == NONE && self.is_worth_a_slot(&entry) {
            entry.slot = self.slots.claim(entry.address);
        }
        self.slots.count(entry.slot);
        self.learn(&entry, is_newcomer, received_quantities, sent_quantities);
        self.add_to_block(&entry);
        if let Some(sent) = self.active.sent(&entry).filter(|_| entry.slot != NONE) {
            self.slow.add(entry.address, sent, &self.active.pool);
        }
        self.observe_network(&entry);
    }

    /// Passes unusual traffic to an address to `visit`. Returns the quantities that update the baseline.
    fn judge_received(
        &self,
        entry: &Entry,
        is_newcomer: bool,
        visit: &mut dyn FnMut(&Candidate<'_>) -> BaselineUpdate,
    ) -> Option<DestinationQuantities> {
        let received = self.active.received(entry)?;
        let received_quantities =
            DestinationQuantities::of(received, self.active.sent(entry), &self.active.pool);
        let slot = self.slots.get(entry.slot);
        let ip = entry.address.ip();
        let found =
            received_quantities.judge(received, ip, slot, is_newcomer, &self.populations, FLOOR);
        let group = group(GroupBy::Dst, &entry.address);
        let main = match found {
            Some(AddressFinding { kind: Kind::Flood, .. }) => &received.service.flow,
            Some(AddressFinding { kind: Kind::Reflection, port: 1.., .. }) => {
                &received.reflected.flow
            }
            _ => &received.totals.main_flow,
        };
        let moved = (&received.totals.counters, main);
        let update = self.show(found, (GroupBy::Dst, group), moved, visit);
        (update != BaselineUpdate::Freeze).then_some(received_quantities)
    }

    /// Passes unusual targets of an address to `visit`. Returns the quantities that update the baseline.
    fn judge_sent(
        &self,
        entry: &Entry,
        is_newcomer: bool,
        visit: &mut dyn FnMut(&Candidate<'_>) -> BaselineUpdate,
    ) -> Option<SourceQuantities> {
        let sent = self.active.sent(entry)?;
        let sent_quantities =
            SourceQuantities::of(sent, self.active.received(entry), &self.active.pool);
        let slot = self.slots.get(entry.slot);
        let found =
            sent_quantities.judge(&slot.sent, is_newcomer, &self.populations.sent, (1, FLOOR));
        let group = group(GroupBy::Src, &entry.address);
        let main = match found {
            Some(AddressFinding { kind: Kind::Scan, .. }) => &sent.target.flow,
            Some(AddressFinding { kind: Kind::Sweep, .. }) => &sent.service.flow,
            _ => &sent.totals.main_flow,
        };
        let moved = (&sent.totals.counters, main);
        let update = self.show(found, (GroupBy::Src, group), moved, visit);
        (update != BaselineUpdate::Freeze).then_some(sent_quantities)
    }

    fn show(
        &self,
        found: Option<AddressFinding>,
        group: (GroupBy, FlowKey),
        moved: (&Counters, &FlowKey),
        visit: &mut dyn FnMut(&Candidate<'_>) -> BaselineUpdate,
    ) -> BaselineUpdate {
        let Some(found) = found.filter(|found| found.surprise >= FLOOR) else {
            return BaselineUpdate::Learn;
        };
        visit(&candidate(&found, group, moved))
    }

    fn is_worth_a_slot(&self, entry: &Entry) -> bool {
        let packets = self.active.totals(entry).map(|moved| moved.counters.packets);
        self.active.flows(entry) > 1 || packets.fold(0, u64::saturating_add) >= LEAST_PACKETS
    }

    fn learn(
        &mut self,
        entry: &Entry,
        is_newcomer: bool,
        received_quantities: Option<DestinationQuantities>,
        sent_quantities: Option<SourceQuantities>,
    ) {
        let Populations { received, sent, .. } = &mut self.populations;
        // Addresses without a slot update only the shared baselines.
        let mut blank = slots::Slot::default();
        let slot = self.slots.get_mut(entry.slot).unwrap_or(&mut blank);
        if let Some(received_quantities) = received_quantities {
            let members =
                received.iter_mut().zip(&mut slot.received).zip(received_quantities.levels());
            members.for_each(|((all, past), y)| all.learn(past, y, is_newcomer));
        }
        if let Some(sent_quantities) = sent_quantities {
            let members = sent.iter_mut().zip(&mut slot.sent).zip(sent_quantities.levels());
            members.for_each(|((all, past), y)| all.learn(past, y, is_newcomer));
        }
    }

    fn add_to_block(&mut self, entry: &Entry) {
        let Some(slot) = self.slots.get_mut(entry.slot) else { return };
        if let Some(sent) = self.active.sent(entry) {
            slot.block.sent.merge(&sent.totals.counters);
            slot.block.main_flow = sent.totals.main_flow;
        }
        if let Some(received) = self.active.received(entry) {
            let bytes = received.totals.counters.bytes;
            slot.block.received_bytes = slot.block.received_bytes.saturating_add(bytes);
        }
    }

    fn observe_network(&mut self, entry: &Entry) {
        if self.slots.get(entry.slot).is_settled {
            return;
        }
        let roles = [
            self.active.sent(entry).map(|sent| &sent.totals),
            self.active.received(entry).map(|received| &received.totals),
        ];
        let (now, is_past_startup) = (self.slots.now, self.slots.is_past_startup());
        let is_settled = self.networks.observe(&entry.address, roles, now, is_past_startup);
        if let Some(slot) = self.slots.get_mut(entry.slot) {
            slot.is_settled = is_settled;
        }
    }

    /// Judges the ratio of bytes sent to bytes received, at the end of a block.
    fn close_block(&mut self, visit: &mut dyn FnMut(&Candidate<'_>) -> BaselineUpdate) {
        let intervals = self.slots.now.saturating_sub(self.block_start).saturating_add(1);
        if intervals < BLOCK {
            return;
        }
        self.block_start = self.slots.now.saturating_add(1);
        let Self { slots, populations, .. } = self;
        let judged = slots.blocks().filter(|slot| !slot.upload.is_young()).count();
        (0..judged).for_each(|_| populations.upload.judged());
        slots.take_blocks(|address, slot, block| {
            let Some(level) = judge::ratio_level(&block) else { return };
            let found = judge::judge_upload(slot, &block, level, populations);
            let found = found
                .filter(|found| found.surprise >= FLOOR && networks::is_leaving(&block.main_flow));
            let update = found.map_or(BaselineUpdate::Learn, |found| {
                let group = (GroupBy::Src, group(GroupBy::Src, address));
                let Block { sent, main_flow, .. } = &block;
                visit(&candidate(&found, group, (sent, main_flow)))
            });
            if update != BaselineUpdate::Freeze {
                populations.upload.learn(&mut slot.upload, level, slot.is_newcomer);
            }
        });
        populations.upload.close();
    }

    /// Judges the targets in the windows that end.
    fn close_windows(&mut self, visit: &mut dyn FnMut(&Candidate<'_>) -> BaselineUpdate) {
        for (number, window) in self.slow.take_ended(self.slots.now) {
            let Self { slots, populations, .. } = self;
            let all = &mut populations.slow[number];
            let place = |asked: &SourceWindow| slots.find(&asked.address, asked.address.hashed());
            let places: Vec<_> = window.sources.iter().map(place).collect();
            let pasts = places.iter().flatten().map(|at| &slots.get(*at as u32).slow[number][0]);
            let judged = pasts.filter(|past| !past.is_young()).count();
            (0..judged).for_each(|_| all.iter_mut().for_each(Population::judged));
            for (asked, at) in window.sources.iter().zip(places) {
                let Some(slot) = at.and_then(|at| slots.get_mut(at as u32)) else { continue };
                let sent_quantities = SourceQuantities::of_window(asked, &window.pool);
                let pasts = &mut slot.slow[number];
                let limits = (window.length, FLOOR);
                let found = sent_quantities.judge(pasts, slot.is_newcomer, all, limits);
                let found = found.filter(|found| found.surprise >= FLOOR);
                let update = found.map_or(BaselineUpdate::Learn, |found| {
                    let group = (GroupBy::Src, group(GroupBy::Src, &asked.address));
                    let moved = (&asked.counters, &asked.main_flow);
                    let mut candidate = candidate(&found, group, moved);
                    candidate.observed.intervals = window.length as u32;
                    visit(&candidate)
                });
                if update != BaselineUpdate::Freeze {
                    let members = all.iter_mut().zip(pasts).zip(sent_quantities.levels());
                    members.for_each(|((all, past), y)| all.learn(past, y, slot.is_newcomer));
                }
            }
            all.iter_mut().for_each(Population::close);
        }
    }

    fn close_networks(&mut self, visit: &mut dyn FnMut(&Candidate<'_>) -> BaselineUpdate) {
        for network in self.networks.take_new() {
            let found = judge::judge_network(network.bytes, &self.populations);
            let group_by = if network.is_source { GroupBy::Src } else { GroupBy::Dst };
            let group = (group_by, group(group_by, &network.address));
            let moved = (&network.totals.counters, &network.totals.main_flow);
            let update = self.show(Some(found), group, moved, visit);
            if update != BaselineUpdate::Freeze {
                self.populations.networks.count(level(network.bytes / 100), true, true);
            }
        }
    }

    /// The state worth storing for a restart: the most established addresses first.
    pub fn snapshot(&self) -> Snapshot {
        let populations = self.populations.clone();
        Snapshot {
            intervals: self.slots.now,
            addresses: self.slots.saved(SAVED),
            populations,
            networks: self.networks.saved(),
        }
    }

    /// Continues with stored state; `ifindex` finds the current number of an interface, if it exists.
    pub fn resume(&mut self, snapshot: Snapshot, ifindex: &dyn Fn(u32) -> Option<u32>) {
        self.slots.now = self.slots.now.max(snapshot.intervals);
        self.block_start = self.slots.now;
        for saved in snapshot.addresses {
            let Some(ifindex) = ifindex(saved.ifindex()) else { continue };
            self.slots.restore(saved, ifindex);
        }
        self.populations = snapshot.populations;
        self.networks.restore(snapshot.networks);
    }
}

fn group(group_by: GroupBy, address: &Address) -> FlowKey {
    let Address { words, ifindex, family } = *address;
    group_by.key(&FlowKey { src: words, dst: words, ifindex, family, ..FlowKey::default() })
}

fn candidate<'a>(
    found: &AddressFinding,
    (group_by, group): (GroupBy, FlowKey),
    (counters, main_flow): (&'a Counters, &'a FlowKey),
) -> Candidate<'a> {
    let AddressFinding { kind, quantity, surprise, seen, usual, peers, port } = *found;
    let intervals = if kind == Kind::Upload { BLOCK as u32 } else { 1 };
    let observed = Observation { quantity, seen, usual, peers, port, intervals };
    Candidate { kind, group_by, group, surprise, counters, main_flow, observed }
}
