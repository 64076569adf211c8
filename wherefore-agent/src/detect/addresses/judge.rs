//! How rare the activity of an address is. Owns the definition of each quantity, the minimums below which
//! nothing is reported, and which of several explanations of one event is reported; refuses to remember.
//!
//! One event is one finding. A flood of replies without requests is a reflection. Traffic
//! from few sources is no flood, but the volume of those pairs. Traffic from as many as were contacted is
//! their replies. A source that contacts more ports of an address than addresses scans, else it sweeps.

use std::f32::consts::LOG10_2;

use serde::{Deserialize, Serialize};

use super::active::{DestinationActivity, SourceActivity};
use super::candidate::Quantity;
use super::networks::is_shared;
use super::sketch::Pool;
use super::slots::{BLOCK, Block, RECEIVED, SENT, Slot};
use super::slow::{SourceWindow, WINDOWS};
use crate::detect::detectors::{Past, Population, exp2, log2};
use crate::detect::kind::Kind;
use std::net::IpAddr;

/// Sources, ports or addresses below which there is no flood, scan or sweep: a browser or a
/// small network has as many at any time.
const LEAST_DISTINCT: u64 = 64;
/// Packets below which there is no flood or reflection by packets: fewer are harmless.
const LEAST_PACKETS: u64 = 1_000;
/// Flows likewise.
const LEAST_FLOWS: u64 = 256;
/// Contacted ports of each address above which it is a scan, and not only several services in use.
const PORTS_OF_EACH: u64 = 4;
/// Flows of each source, and packets of each flow, below which these mean no more than the sources.
const MANY_OF_EACH: u64 = 2;
/// Sources below which flows and packets belong to pairs, and are judged there.
const SEVERAL: u64 = 8;
/// Sources, of which up to 64 are distinguished, below which replies are no reflection.
const SEVERAL_REFLECTORS: u32 = 12;
/// Replies that one request may have.
const ANSWERS_A_REQUEST: u64 = 2;
/// Bytes sent in a block below which there is no upload.
const LEAST_UPLOAD: u64 = 1_000_000;
/// With fewer bytes than this in both directions of a block, its ratio is meaningless.
const LEAST_BLOCK: u64 = 10_000;
/// Bytes added to both sides of a ratio, so that it is one.
const SMOOTHING: f32 = 1_000.0;
/// Added to the logarithm of a ratio: histograms hold no negative numbers.
const RATIO_OFFSET: f32 = 20.0;

/// The baseline of each quantity, over all addresses.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Populations {
    pub received: [Population; RECEIVED],
    pub sent: [Population; SENT],
    pub upload: Population,
    pub networks: Population,
    /// The baselines of the windows of [`super::slow`].
    #[serde(default)]
    pub slow: [[Population; SENT]; WINDOWS],
}

/// The best finding about an address in one role, even if it is not rare.
#[derive(Debug, Clone, Copy)]
pub(super) struct AddressFinding {
    pub kind: Kind,
    pub quantity: Quantity,
    pub surprise: f32,
    pub seen: f64,
    pub usual: f64,
    pub peers: u64,
    pub port: u16,
}

/// The logarithm in which counts are compared.
pub(super) fn level(count: u64) -> f32 {
    log2(1.0 + count as f32)
}

fn count(level: f32) -> f64 {
    f64::from(exp2(level)) - 1.0
}

impl Populations {
    pub(super) fn close(&mut self) {
        // The baseline of uploads ends with a block.
        let Self { received, sent, networks, .. } = self;
        received.iter_mut().chain(sent).chain([networks]).for_each(Population::close);
    }

    /// Ends this many intervals without active addresses.
    pub(super) fn pass(&mut self, intervals: u64) {
        let Self { received, sent, networks, .. } = self;
        let all = received.iter_mut().chain(sent).chain([networks]);
        all.for_each(|population| population.pass(intervals, 0));
    }
}

/// The quantities of a destination.
#[derive(Debug, Clone, Copy)]
pub(super) struct DestinationQuantities {
    sources: u64,
    flows: u64,
    packets: u64,
    unrequested: u64,
    /// Whether most of its sources get replies from it.
    is_asked: bool,
    /// Whether most of its flows come from one source: that is a scan by that source, and no flood.
    is_of_one: bool,
}

impl DestinationQuantities {
    pub(super) fn of(
        received: &DestinationActivity,
        sent: Option<&SourceActivity>,
        pool: &Pool,
    ) -> Self {
        let flows = received.totals.flows;
        let sources = received.sources.count(pool).min(flows);
        let asked = sent.map_or(0, |sent| sent.contacted(Some(received), pool));
        Self {
            sources,
            flows,
            packets: received.totals.counters.packets,
            unrequested: unrequested(received, sent),
            is_asked: asked.saturating_mul(2) > sources,
            is_of_one: received.source.is_most_of(flows),
        }
    }

    pub(super) fn levels(&self) -> [f32; RECEIVED] {
        [self.sources, self.flows, self.packets, self.unrequested].map(level)
    }

    /// The best explanation of the traffic to an address; a reflection is narrower than a flood.
    pub(super) fn judge(
        &self,
        received: &DestinationActivity,
        ip: IpAddr,
        slot: &Slot,
        is_newcomer: bool,
        populations: &Populations,
        floor: f32,
    ) -> Option<AddressFinding> {
        let levels = self.levels();
        let found = |at: usize, kind, quantity, tests: f32| {
            let judged =
                populations.received[at].judge(&slot.received[at], levels[at], is_newcomer);
            AddressFinding {
                kind,
                quantity,
                surprise: judged.surprise - LOG10_2 * log2(tests),
                seen: count(levels[at]),
                usual: count(judged.usual),
                peers: self.sources,
                port: 0,
            }
        };
        if self.is_reflection(received, ip) {
            let peers = self.sources.min(received.reflected.flows);
            let port = received.reflected.main_port();
            let reflection = found(3, Kind::Reflection, Quantity::Unasked, 1.0);
            if reflection.surprise >= floor {
                return Some(AddressFinding { peers, port, ..reflection });
            }
        }
        let is_flood = [
            (self.sources >= LEAST_DISTINCT, Quantity::Sources),
            (self.flows >= least(LEAST_FLOWS, self.sources) && !self.is_of_one, Quantity::Flows),
            (self.packets >= least(LEAST_PACKETS, self.flows), Quantity::Packets),
        ];
        let may_be = !self.is_asked && self.sources >= SEVERAL;
        let floods = is_flood.into_iter().enumerate().filter(|(_, (is_so, _))| *is_so && may_be);
        let floods = floods.map(|(at, (_, quantity))| found(at, Kind::Flood, quantity, 3.0));
        rarest(floods, floor)
    }

    fn is_reflection(&self, received: &DestinationActivity, ip: IpAddr) -> bool {
        self.unrequested >= LEAST_PACKETS
            && received.reflected.sources() >= SEVERAL_REFLECTORS
            && !is_shared(ip)
    }
}

/// Packets of services that an address did not contact in this interval.
fn unrequested(received: &DestinationActivity, sent: Option<&SourceActivity>) -> u64 {
    let (requests, connections) = sent.map_or((0, 0), |sent| (sent.requests, sent.connections));
    let beyond =
        |answers: u64, asked: u64| answers.saturating_sub(asked.saturating_mul(ANSWERS_A_REQUEST));
    let reflected = &received.reflected;
    beyond(reflected.packets, requests).saturating_add(beyond(reflected.connections, connections))
}

/// The quantities of a source.
#[derive(Debug, Clone, Copy)]
pub(super) struct SourceQuantities {
    ports: u64,
    addresses: u64,
}

impl SourceQuantities {
    pub(super) fn of(
        sent: &SourceActivity,
        received: Option<&DestinationActivity>,
        pool: &Pool,
    ) -> Self {
        let ports = sent.ports.count(pool).min(sent.totals.flows);
        Self { ports, addresses: sent.contacted(received, pool) }
    }

    pub(super) fn levels(&self) -> [f32; SENT] {
        [self.ports, self.addresses].map(level)
    }

    /// The ports and addresses that a source contacted in a window.
    pub(super) fn of_window(asked: &SourceWindow, pool: &Pool) -> Self {
        let addresses = asked.addresses.count(pool);
        // Each port belongs to an address, although the sketches may count differently.
        Self { ports: asked.ports.count(pool).max(addresses.min(1)), addresses }
    }

    /// The best explanation of the targets of an address in this many intervals, by its own baseline and
    /// that of all.
    pub(super) fn judge(
        &self,
        pasts: &[Past; SENT],
        is_newcomer: bool,
        populations: &[Population; SENT],
        (intervals, floor): (u64, f32),
    ) -> Option<AddressFinding> {
        let levels = self.levels();
        let once_in = LOG10_2 * log2(intervals as f32);
        let found = |at: usize, kind, quantity| {
            let judged = populations[at].judge(&pasts[at], levels[at], is_newcomer);
            AddressFinding {
                kind,
                quantity,
                surprise: judged.surprise + once_in - LOG10_2,
                seen: count(levels[at]),
                usual: count(judged.usual),
                peers: self.addresses,
                port: 0,
            }
        };
        let are_many = self.ports >= self.addresses.saturating_mul(PORTS_OF_EACH);
        let scan = (self.ports >= LEAST_DISTINCT && are_many)
            .then(|| found(0, Kind::Scan, Quantity::Ports))
            .filter(|found| found.surprise >= floor);
        let sweep = (self.addresses >= LEAST_DISTINCT)
            .then(|| found(1, Kind::Sweep, Quantity::Addresses))
            .filter(|found| found.surprise >= floor);
        // More ports of each address than addresses.
        let targets_ports = self.ports > self.addresses.saturating_mul(self.addresses);
        if targets_ports { scan.or(sweep) } else { sweep.or(scan) }
    }
}

/// The least value of a quantity at which it means more than another one.
fn least(floor: u64, other: u64) -> u64 {
    floor.max(other.saturating_mul(MANY_OF_EACH))
}

fn rarest(found: impl Iterator<Item = AddressFinding>, floor: f32) -> Option<AddressFinding> {
    let rare = found.filter(|found| found.surprise >= floor);
    rare.max_by(|a, b| a.surprise.total_cmp(&b.surprise))
}

/// The logarithm of the ratio of a block, if it is meaningful.
pub(super) fn ratio_level(block: &Block) -> Option<f32> {
    let (sent, received) = (block.sent.bytes, block.received_bytes);
    if sent.saturating_add(received) < LEAST_BLOCK {
        return None;
    }
    let ratio = (sent as f32 + SMOOTHING) / (received as f32 + SMOOTHING);
    Some((log2(ratio) + RATIO_OFFSET).max(0.0))
}

fn ratio(level: f32) -> f64 {
    f64::from(exp2(level)) / f64::from(exp2(RATIO_OFFSET))
}

/// Bytes that an address sent, compared with those it received. Only addresses with a history are judged: a
/// new one that sends much is a volume.
pub(super) fn judge_upload(
    slot: &Slot,
    block: &Block,
    level: f32,
    populations: &Populations,
) -> Option<AddressFinding> {
    if block.sent.bytes < LEAST_UPLOAD || slot.upload.is_young() {
        return None;
    }
    let judged = populations.upload.judge(&slot.upload, level, slot.is_newcomer);
    Some(AddressFinding {
        kind: Kind::Upload,
        quantity: Quantity::Ratio,
        surprise: judged.surprise + LOG10_2 * log2(BLOCK as f32),
        seen: ratio(level),
        usual: ratio(judged.usual),
        peers: 0,
        port: 0,
    })
}

/// How rare a new network with this many bytes is.
pub(super) fn judge_network(bytes: u64, populations: &Populations) -> AddressFinding {
    let judged = populations.networks.newcomer(level(bytes / 100));
    AddressFinding {
        kind: Kind::NewNetwork,
        quantity: Quantity::NewNetwork,
        surprise: judged.surprise,
        seen: bytes as f64,
        usual: 0.0,
        peers: 0,
        port: 0,
    }
}
