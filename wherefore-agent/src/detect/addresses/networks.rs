//! Networks that this host has contacted: /24 of IPv4, /48 of IPv6, of public addresses. Owns the
//! set and its bound; refuses to judge.
//!
//! A network is on trial for a minute after its first packets, and reported if it transfers enough in that
//! time: a transfer may begin at the end of an interval. If the set is full, no further network counts as
//! new, because on a host that contacts so many, a new one is normal.

use std::net::IpAddr;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wherefore_common::flow::{AddressWords, address_words};
use wherefore_common::{Counters, Direction, FlowKey};

use super::active::{Address, RoleTotals};
use crate::traffic::group::{is_private, network};

/// Networks that are remembered.
const MOST: usize = 65_536;
/// Intervals of a trial.
const TRIAL: u64 = 12;
/// The fewest bytes of a new network that is reported: more than a few pages or queries.
const LEAST_BYTES: u64 = 100_000;
/// Addresses with fewer packets are ignored: spoofed sources would fill the set.
const LEAST_PACKETS: u64 = 4;

/// A network by its family and first address.
type Network = (u8, AddressWords);

/// The state of a network.
#[derive(Debug, Clone, Copy)]
enum NetworkState {
    /// It is no longer new.
    Settled,
    /// Since an interval, and the bytes that it moved since then.
    Trial { since: u64, bytes: u64 },
}

/// A new network that moved enough.
#[derive(Debug, Clone)]
pub(super) struct NewNetwork {
    pub address: Address,
    /// Whether it mostly sent.
    pub is_source: bool,
    /// Since its first packets.
    pub bytes: u64,
    /// The bytes of that address in this interval, in the role in which it moved most.
    pub totals: RoleTotals,
}

/// The networks so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Networks {
    known: FxHashMap<Network, NetworkState>,
    new: Vec<NewNetwork>,
}

/// The first addresses of networks, in order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Saved(Vec<IpAddr>);

impl Networks {
    /// Adds the traffic of an address. `is_past_startup` is whether networks can be new now. Returns whether
    /// the address needs no further observation.
    pub(super) fn observe(
        &mut self,
        address: &Address,
        roles: [Option<&RoleTotals>; 2],
        now: u64,
        is_past_startup: bool,
    ) -> bool {
        let ip = address.ip();
        if !is_public(ip) || is_here(roles) {
            return true;
        }
        let sum = |of: fn(&Counters) -> u64| {
            roles.iter().flatten().fold(0u64, |sum, moved| sum.saturating_add(of(&moved.counters)))
        };
        if sum(|counters| counters.packets) < LEAST_PACKETS {
            return false;
        }
        let network = (address.family, network(ip));
        let bytes = sum(|counters| counters.bytes);
        let Some(bytes) = self.advance(network, bytes, now, is_past_startup) else { return false };
        if bytes < LEAST_BYTES {
            return true;
        }
        let larger = roles.iter().flatten().max_by_key(|moved| moved.counters.bytes);
        let Some(&&moved) = larger else { return true };
        let is_source = roles[0].is_some_and(|sent| sent.counters.bytes == moved.counters.bytes);
        self.new.push(NewNetwork { address: *address, is_source, bytes, totals: moved });
        true
    }

    /// Adds bytes of a network. `None` while it is on trial; its bytes since its first
    /// packets when it is reported as new, 0 if it is not.
    fn advance(
        &mut self,
        network: Network,
        more: u64,
        now: u64,
        is_past_startup: bool,
    ) -> Option<u64> {
        if self.known.len() >= MOST {
            return Some(0);
        }
        let first = if is_past_startup {
            NetworkState::Trial { since: now, bytes: 0 }
        } else {
            NetworkState::Settled
        };
        let known = self.known.entry(network).or_insert(first);
        let NetworkState::Trial { since, bytes } = known else { return Some(0) };
        *bytes = bytes.saturating_add(more);
        let (moved, is_over) = (*bytes, now.saturating_sub(*since) >= TRIAL);
        if moved < LEAST_BYTES && !is_over {
            return None;
        }
        *known = NetworkState::Settled;
        Some(if is_over { 0 } else { moved })
    }

    /// The news of this interval.
    pub(super) fn take_new(&mut self) -> Vec<NewNetwork> {
        std::mem::take(&mut self.new)
    }

    pub(super) fn saved(&self) -> Saved {
        let mut networks: Vec<_> = self.known.keys().copied().collect();
        networks.sort_unstable();
        let address = |(family, words): Network| Address { words, family, ifindex: 0 }.ip();
        Saved(networks.into_iter().map(address).collect())
    }

    /// Continues with stored state: all networks in it are known.
    pub(super) fn restore(&mut self, saved: Saved) {
        for address in saved.0.into_iter().take(MOST) {
            let (family, words) = address_words(address);
            self.known.insert((family, words), NetworkState::Settled);
        }
    }
}

/// Whether an address is on this side of the interface: sent packets come from it, or received
/// packets are for it. Captures do not record that.
fn is_here([sent, received]: [Option<&RoleTotals>; 2]) -> bool {
    let direction = |moved: &RoleTotals| moved.main_flow.direction();
    sent.is_some_and(|sent| direction(sent) == Direction::Egress)
        || received.is_some_and(|received| direction(received) == Direction::Ingress)
}

/// Whether an address is one of the Internet's: global unicast.
pub(super) fn is_public(ip: IpAddr) -> bool {
    let is_special = match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            // 0/8, 100.64/10 of carriers, multicast, and reserved addresses.
            a == 0 || (a == 100 && b & 0xc0 == 64) || a >= 224
        }
        // Outside 2000::/3 nothing is assigned.
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 != 0x2000,
    };
    !is_special && !is_private(ip)
}

/// Whether an address is that of many: multicast or broadcast.
pub(super) fn is_shared(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_multicast(),
    }
}

/// Whether the source of a flow, or its destination, is on this side: one of a site's own addresses, or
/// that of the host.
pub fn is_inside(flow: &FlowKey, is_source: bool) -> bool {
    let (address, here) = if is_source {
        (flow.src_ip(), Direction::Egress)
    } else {
        (flow.dst_ip(), Direction::Ingress)
    };
    flow.direction() == here || is_private(address)
}

/// Whether a flow takes data away from here: this host sends it, or an address of the site does,
/// and not to this host.
pub(super) fn is_leaving(flow: &FlowKey) -> bool {
    match flow.direction() {
        Direction::Egress => true,
        Direction::Ingress => is_private(flow.src_ip()) && !is_private(flow.dst_ip()),
        Direction::Unknown => is_private(flow.src_ip()),
    }
}
