//! The activity of each address in the interval that is being collected. Owns the table of active
//! addresses, its bound, and the counters of each role; refuses to remember and to judge.
//!
//! An address uses only the memory it needs: one half for each role that it has, and a sketch only if it has
//! more than a few peers. If a flood brings more addresses than fit, those without a history and
//! with a single flow are dropped. If there are too few of these, new addresses in the rest
//! of the interval are ignored. Addresses with a history always have room.

use std::net::IpAddr;

use wherefore_common::flow::{AddressWords, address};
use wherefore_common::{Counters, FlowKey};

use super::requests::{self, Reply, Request};
use super::sketch::{Distinct, Pool, hash};
use crate::traffic::hash_index::{HashIndex, Hashed};

/// No slot, no half.
pub(super) const NONE: u32 = u32::MAX;

/// The roles of an address.
const SOURCE: usize = 0;
const DESTINATION: usize = 1;

/// An address at an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) struct Address {
    pub words: AddressWords,
    pub ifindex: u32,
    pub family: u8,
}

impl Address {
    pub(super) fn ip(&self) -> IpAddr {
        address(self.family, &self.words)
    }

    pub(super) fn hashed(&self) -> Hashed {
        Hashed::of_address(&self.words, self.ifindex, self.family)
    }
}

/// An active address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub address: Address,
    /// Its history, or `NONE`.
    pub slot: u32,
    sent: u32,
    received: u32,
}

/// The counts of an address in one role.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RoleTotals {
    pub counters: Counters,
    /// The largest flow, and its counts.
    pub main_flow: FlowKey,
    most_bytes: u64,
    pub flows: u64,
}

/// The activity of an address as a source.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SourceActivity {
    pub totals: RoleTotals,
    /// Pairs of address and port that it contacted.
    pub ports: Distinct,
    /// Addresses that it contacted, except by ICMP.
    pub addresses: Distinct,
    /// Flows that begin a TCP connection, or try to.
    pub connections: u64,
    /// Packets to services that answer anybody.
    pub requests: u64,
    /// ICMP flows, one to each address, and the time of the first packet.
    icmp: Earliest,
    /// The flow to the address that it contacted most, and to the port.
    pub target: Majority,
    pub service: Majority,
}

/// The activity of an address as a destination.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DestinationActivity {
    pub totals: RoleTotals,
    pub sources: Distinct,
    /// A flow to the port that gets most flows.
    pub service: Majority,
    /// A flow from the source that sends most flows.
    pub source: Majority,
    pub reflected: Reflected,
    /// Flows that may be answered by ICMP.
    datagrams: Earliest,
}

/// Replies of services, requested or not.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reflected {
    /// Packets and bytes from ports of services that answer strangers.
    pub packets: u64,
    pub bytes: u64,
    /// Packets that show that a connection may begin.
    pub connections: u64,
    pub flows: u64,
    /// The largest flow of such a port, and its counts.
    pub flow: FlowKey,
    most_bytes: u64,
    /// One bit in 64 for each source, by hash.
    sources: u64,
}

/// A flow that represents most of many, if most have something in common (Boyer and Moore, MJRTY,
/// 1991).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Majority {
    pub flow: FlowKey,
    votes: u64,
}

impl Majority {
    /// Adds a flow. `is_alike` returns whether it has the relevant property in common with another flow.
    fn vote(&mut self, flow: &FlowKey, is_alike: impl FnOnce(&FlowKey) -> bool) {
        if self.votes == 0 {
            (self.flow, self.votes) = (*flow, 1);
        } else if is_alike(&self.flow) {
            self.votes += 1;
        } else {
            self.votes -= 1;
        }
    }

    /// Whether it surely represents more than half of this many flows: it has as many votes.
    pub(super) fn is_most_of(&self, flows: u64) -> bool {
        self.votes > flows / 2
    }
}

/// The number of flows, and the start of the first.
#[derive(Debug, Clone, Copy, Default)]
struct Earliest {
    flows: u64,
    first_ns: i64,
}

impl Earliest {
    fn add(&mut self, counters: &Counters) {
        let first_ns = counters.first_ns as i64;
        self.first_ns = if self.flows == 0 { first_ns } else { self.first_ns.min(first_ns) };
        self.flows += 1;
    }
}

impl RoleTotals {
    fn add(&mut self, flow: &FlowKey, counters: &Counters) {
        if self.flows == 0 || counters.bytes > self.most_bytes {
            (self.main_flow, self.most_bytes) = (*flow, counters.bytes);
        }
        self.counters.merge(counters);
        self.flows += 1;
    }
}

impl SourceActivity {
    fn add(&mut self, flow: &FlowKey, counters: &Counters, pool: &mut Pool) {
        self.totals.add(flow, counters);
        let asks = requests::request_of(flow, counters);
        if asks != Request::None {
            self.target.vote(flow, |other| other.dst == flow.dst);
            self.service.vote(flow, |other| is_same_service(other, flow));
        }
        match asks {
            Request::None => return,
            Request::Connection => self.connections += 1,
            Request::Reflector => self.requests = self.requests.saturating_add(counters.packets),
            Request::Port => {}
            Request::Address => return self.icmp.add(counters),
        }
        self.addresses.add(hash(&flow.dst, 0), pool);
        if flow.dport != 0 {
            self.ports.add(hash(&flow.dst, flow.dport), pool);
        }
    }

    /// Whether it sent no request.
    pub(super) fn has_no_requests(&self) -> bool {
        self.ports.is_none() && self.addresses.is_none()
    }

    /// Addresses that it sent requests to, without those that it seems to have answered by ICMP: it received
    /// as many flows, and before it sent the first.
    pub(super) fn contacted(&self, received: Option<&DestinationActivity>, pool: &Pool) -> u64 {
        let asked = self.addresses.count(pool).min(self.totals.flows);
        // A sweep may try each address in both ways.
        let is_answering = received.is_some_and(|received| {
            let Earliest { flows, first_ns } = received.datagrams;
            flows >= self.icmp.flows && first_ns <= self.icmp.first_ns
        });
        if is_answering { asked } else { asked.max(self.icmp.flows) }
    }
}

impl DestinationActivity {
    fn add(&mut self, flow: &FlowKey, counters: &Counters, pool: &mut Pool) {
        self.totals.add(flow, counters);
        self.service.vote(flow, |other| is_same_service(other, flow));
        self.source.vote(flow, |other| other.src == flow.src);
        let source = hash(&flow.src, 0);
        self.sources.add(source, pool);
        if requests::is_datagram(flow) {
            self.datagrams.add(counters);
        }
        let answers = requests::reply_of(flow, counters);
        if answers != Reply::None {
            self.reflected.add(flow, counters, answers, source);
        }
    }
}

impl Reflected {
    fn add(&mut self, flow: &FlowKey, counters: &Counters, answers: Reply, source: u32) {
        let Counters { packets, bytes, .. } = *counters;
        self.bytes = self.bytes.saturating_add(bytes);
        match answers {
            Reply::Connection => self.connections = self.connections.saturating_add(packets),
            Reply::Fragment | Reply::None => return,
            Reply::Reflector => {
                self.packets = self.packets.saturating_add(packets);
                if bytes > self.most_bytes {
                    (self.flow, self.most_bytes) = (*flow, bytes);
                }
            }
        }
        self.flows += 1;
        self.sources |= 1 << (source % u64::BITS);
    }

    /// The port that most came from; 0 if most came by TCP.
    pub(super) fn main_port(&self) -> u16 {
        if self.packets >= self.connections { self.flow.sport } else { 0 }
    }

    /// Sources at least, of up to 64.
    pub(super) fn sources(&self) -> u32 {
        self.sources.count_ones()
    }
}

/// The active addresses of this interval.
#[derive(Debug, Clone)]
pub(super) struct ActiveAddresses {
    /// The index of the addresses in `entries`.
    places: HashIndex,
    entries: Vec<Entry>,
    /// The entries of the last source and the last destination: one of the host's own addresses is one of
    /// them in nearly every flow.
    last: [usize; 2],
    sent: Vec<SourceActivity>,
    received: Vec<DestinationActivity>,
    /// Address halves that were dropped to make room.
    free_sent: Vec<u32>,
    free_received: Vec<u32>,
    pub pool: Pool,
    /// The most entries for addresses without a history.
    most: usize,
    is_crowded: bool,
}

impl ActiveAddresses {
    pub(super) fn new(most: usize) -> Self {
        Self {
            places: HashIndex::default(),
            entries: Vec::new(),
            last: [0; 2],
            sent: Vec::new(),
            received: Vec::new(),
            free_sent: Vec::new(),
            free_received: Vec::new(),
            pool: Pool::new((most / 4).clamp(64, 65_536)),
            most,
            is_crowded: false,
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn sent(&self, entry: &Entry) -> Option<&SourceActivity> {
        self.sent.get(entry.sent as usize)
    }

    pub(super) fn received(&self, entry: &Entry) -> Option<&DestinationActivity> {
        self.received.get(entry.received as usize)
    }

    /// Adds a flow to its source and to its destination; `slot` finds the history of an address
    /// that is seen for the first time in this interval.
    pub(super) fn collect(
        &mut self,
        flow: &FlowKey,
        counters: &Counters,
        mut slot: impl FnMut(&Address, Hashed) -> u32,
    ) {
        let FlowKey { src, dst, ifindex, family, .. } = *flow;
        if let Some(at) = self.entry(SOURCE, Address { words: src, ifindex, family }, &mut slot) {
            let half = &mut self.entries[at].sent;
            if *half == NONE {
                *half = claim(&mut self.sent, &mut self.free_sent);
            }
            self.sent[*half as usize].add(flow, counters, &mut self.pool);
        }
        if let Some(at) =
            self.entry(DESTINATION, Address { words: dst, ifindex, family }, &mut slot)
        {
            let half = &mut self.entries[at].received;
            if *half == NONE {
                *half = claim(&mut self.received, &mut self.free_received);
            }
            self.received[*half as usize].add(flow, counters, &mut self.pool);
        }
    }

    fn entry(
        &mut self,
        role: usize,
        address: Address,
        slot: &mut impl FnMut(&Address, Hashed) -> u32,
    ) -> Option<usize> {
        let last = self.last[role];
        if self.entries.get(last).is_some_and(|entry| entry.address == address) {
            return Some(last);
        }
        let at = self.find_or_add(address, slot)?;
        self.last[role] = at;
        Some(at)
    }

    fn find_or_add(
        &mut self,
        address: Address,
        slot: &mut impl FnMut(&Address, Hashed) -> u32,
    ) -> Option<usize> {
        let hashed = address.hashed();
        let known = self.places.find(hashed, |at| self.entries[at].address == address);
        if known.is_some() {
            return known;
        }
        let slot = slot(&address, hashed);
        if slot == NONE && self.entries.len() >= self.most && !self.make_room() {
            return None;
        }
        let at = self.entries.len();
        self.entries.push(Entry { address, slot, sent: NONE, received: NONE });
        let Self { places, entries, .. } = self;
        places.insert(hashed, at, |at| entries[at].address.hashed());
        Some(at)
    }

    /// Drops addresses without a history that have a single flow. It is worth its cost if it frees much
    /// room; otherwise it is not repeated in this interval.
    fn make_room(&mut self) -> bool {
        if self.is_crowded {
            return false;
        }
        let before = self.entries.len();
        let entries = std::mem::take(&mut self.entries);
        self.places.clear();
        for entry in entries {
            if entry.slot == NONE && self.flows(&entry) <= 1 {
                self.release(&entry);
            } else {
                let Self { places, entries, .. } = self;
                let hashed = entry.address.hashed();
                places.insert(hashed, entries.len(), |at| entries[at].address.hashed());
                entries.push(entry);
            }
        }
        self.is_crowded = before - self.entries.len() < before / 4;
        self.entries.len() < self.most
    }

    /// Flows of an address in both roles.
    pub(super) fn flows(&self, entry: &Entry) -> u64 {
        self.totals(entry).map(|moved| moved.flows).sum()
    }

    /// The bytes of an address in all its roles.
    pub(super) fn totals(&self, entry: &Entry) -> impl Iterator<Item = &RoleTotals> {
        let sent = self.sent(entry).map(|sent| &sent.totals);
        sent.into_iter().chain(self.received(entry).map(|received| &received.totals))
    }

    fn release(&mut self, entry: &Entry) {
        if let Some(sent) = self.sent.get_mut(entry.sent as usize) {
            *sent = SourceActivity::default();
            self.free_sent.push(entry.sent);
        }
        if let Some(received) = self.received.get_mut(entry.received as usize) {
            *received = DestinationActivity::default();
            self.free_received.push(entry.received);
        }
    }

    /// Ends the interval.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.entries.clear();
        self.sent.clear();
        self.received.clear();
        self.free_sent.clear();
        self.free_received.clear();
        self.pool.clear();
        self.is_crowded = false;
    }
}

fn is_same_service(one: &FlowKey, other: &FlowKey) -> bool {
    one.dport == other.dport && one.protocol == other.protocol
}

fn claim<T: Default>(halves: &mut Vec<T>, free: &mut Vec<u32>) -> u32 {
    free.pop().unwrap_or_else(|| {
        halves.push(T::default());
        (halves.len() - 1) as u32
    })
}
