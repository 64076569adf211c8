//! Collects one minute: who transferred how much to whom. Owns which end of a flow is the peer, which port
//! identifies the service, and how many rows a minute may have.

use std::net::IpAddr;

use rustc_hash::FxHashMap;
use wherefore_common::{Counters, Direction, FlowKey};

use super::fold::{Key, Rows, Volume};
use super::names::{Numbers, OwnerName};
use crate::traffic::group::is_private;
use crate::traffic::interval::Interval;
use crate::traffic::service::EPHEMERAL;

/// The most rows with addresses that one minute collects. Further traffic is collected without addresses.
const MOST_ROWS: usize = 1 << 16;
/// The number that stands for the port if both ports are high.
pub(super) const HIGH_PORTS: i32 = -1;
pub(super) const SECONDS: i64 = 60;
const NANOSECONDS: i64 = 1_000_000_000;

/// The service of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Service {
    pub(super) protocol: u8,
    /// 0 if the protocol has no ports, [`HIGH_PORTS`] if neither port identifies a service.
    pub(super) port: i32,
}

impl Service {
    pub(super) fn of(flow: &FlowKey) -> Self {
        let port = match flow.sport.min(flow.dport) {
            EPHEMERAL.. => HIGH_PORTS,
            0 => i32::from(flow.sport.max(flow.dport)),
            port => i32::from(port),
        };
        Self { protocol: flow.protocol, port }
    }
}

/// The key of a row. `None` and 0 stand for folded values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RowKey {
    pub(super) owner: u32,
    pub(super) local: Option<IpAddr>,
    pub(super) peer: Option<IpAddr>,
    pub(super) service: Option<Service>,
    pub(super) interface: u32,
}

impl Key for RowKey {
    fn without_addresses(self) -> Self {
        Self { local: None, peer: None, ..self }
    }

    fn without_owner(self) -> Self {
        Self { owner: 0, service: None, ..self.without_addresses() }
    }
}

/// A minute under construction.
#[derive(Debug, Default)]
pub(super) struct Minute {
    /// Its start, in seconds since 1970.
    pub(super) start: i64,
    pub(super) rows: Rows<RowKey>,
    pub(super) owners: Numbers<OwnerName>,
    pub(super) interfaces: Numbers<String>,
}

impl Minute {
    pub(super) fn new(start: i64) -> Self {
        Self { start, ..Self::default() }
    }

    /// Adds an interval. `names` are the names of its interfaces.
    pub(super) fn add(&mut self, interval: &Interval, names: &FxHashMap<u32, String>) {
        // During an interval, an owner is identified by its address in memory.
        let mut owners: FxHashMap<usize, u32> = FxHashMap::default();
        let mut interfaces: FxHashMap<u32, u32> = FxHashMap::default();
        for at in 0..interval.flows.len() {
            let (flow, counters) = interval.flows.get(at);
            let owner = interval.owners.owner(at);
            let owner = *owners
                .entry(std::ptr::from_ref(owner) as usize)
                .or_insert_with(|| self.owners.number(&OwnerName::of(owner)));
            let interface = *interfaces
                .entry(flow.ifindex)
                .or_insert_with(|| self.interfaces.number(&name_of(names, flow.ifindex)));
            let (key, volume) = row(&flow, &counters, owner, interface);
            self.add_row(key, &volume);
        }
    }

    pub(super) fn add_row(&mut self, key: RowKey, volume: &Volume) {
        let has_room = self.rows.len() < MOST_ROWS || self.rows.contains_key(&key);
        let coarse = key.without_addresses();
        let key = match (has_room, self.rows.len() < 2 * MOST_ROWS) {
            (true, _) => key,
            (false, true) => coarse,
            (false, false) if self.rows.contains_key(&coarse) => coarse,
            (false, false) => key.without_owner(),
        };
        self.rows.entry(key).or_default().add(volume);
    }

    /// Adds traffic of which only the sum is known.
    pub(super) fn add_sum(&mut self, interface: &String, volume: &Volume) {
        let interface = self.interfaces.number(interface);
        let key = RowKey { owner: 0, local: None, peer: None, service: None, interface };
        self.rows.entry(key).or_default().add(volume);
    }

    /// Keeps only the sums.
    pub(super) fn collapse(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        for (key, volume) in &rows {
            self.rows.entry(key.without_owner()).or_default().add(volume);
        }
        self.rows.shrink_to_fit();
        self.owners = Numbers::default();
    }
}

/// The start of the minute that contains this time, in seconds.
pub(super) fn minute_of(nanoseconds: i64) -> i64 {
    nanoseconds.div_euclid(SECONDS * NANOSECONDS) * SECONDS
}

pub(super) fn name_of(names: &FxHashMap<u32, String>, ifindex: u32) -> String {
    names.get(&ifindex).cloned().unwrap_or_default()
}

fn row(flow: &FlowKey, counters: &Counters, owner: u32, interface: u32) -> (RowKey, Volume) {
    let volume = volume(is_received(flow), counters);
    let (src, dst) = (Some(flow.src_ip()), Some(flow.dst_ip()));
    let (local, peer) = if is_received(flow) { (dst, src) } else { (src, dst) };
    (RowKey { owner, local, peer, service: Some(Service::of(flow)), interface }, volume)
}

/// The counters as traffic in one direction.
pub(super) fn volume(is_received: bool, counters: &Counters) -> Volume {
    let Counters { bytes, packets, .. } = *counters;
    if is_received {
        Volume { in_bytes: bytes, in_packets: packets, ..Volume::default() }
    } else {
        Volume { out_bytes: bytes, out_packets: packets, ..Volume::default() }
    }
}

/// Whether this host received the flow. Captures do not record the direction: there, a private address is
/// taken for this host's.
pub(super) fn is_received(flow: &FlowKey) -> bool {
    match flow.direction() {
        Direction::Ingress => true,
        Direction::Egress => false,
        Direction::Unknown => is_private(flow.dst_ip()) && !is_private(flow.src_ip()),
    }
}

#[cfg(test)]
mod tests {
    use wherefore_common::flow::address_words;

    use super::*;

    fn flow(src: &str, dst: &str, sport: u16, dport: u16, direction: Direction) -> FlowKey {
        let words = |text: &str| address_words(text.parse().unwrap());
        let ((family, src), (_, dst)) = (words(src), words(dst));
        let direction = direction as u8;
        FlowKey { src, dst, family, sport, dport, protocol: 6, direction, ..FlowKey::default() }
    }

    #[test]
    fn both_directions_of_a_connection_are_one_row() {
        let sent = flow("10.0.0.1", "8.8.8.8", 40_000, 443, Direction::Egress);
        let received = flow("8.8.8.8", "10.0.0.1", 443, 40_000, Direction::Ingress);
        let counters = Counters { bytes: 7, packets: 1, ..Counters::default() };
        let ((one, out), (other, back)) =
            (row(&sent, &counters, 1, 1), row(&received, &counters, 1, 1));
        assert_eq!(one, other);
        assert_eq!((out.out_bytes, out.in_bytes, back.in_bytes, back.out_bytes), (7, 0, 7, 0));
        assert_eq!(one.service, Some(Service { protocol: 6, port: 443 }));
        assert_eq!(one.peer, Some("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn ports_name_a_service_or_none() {
        let port = |sport, dport| {
            Service::of(&flow("1.1.1.1", "2.2.2.2", sport, dport, Direction::Egress)).port
        };
        assert_eq!(
            [port(0, 0), port(40_000, 50_000), port(22, 50_000), port(50_000, 80), port(0, 9)],
            [0, HIGH_PORTS, 22, 80, 9]
        );
    }

    #[test]
    fn a_minute_is_bounded_and_its_sum_is_not() {
        let mut minute = Minute::new(0);
        let counters = Counters { bytes: 1, packets: 1, ..Counters::default() };
        for number in 0..2 * MOST_ROWS as u32 {
            let peer = std::net::Ipv4Addr::from(number).to_string();
            let flow = flow(&peer, "10.0.0.1", 50_000, 80, Direction::Ingress);
            let (key, volume) = row(&flow, &counters, 1, 1);
            minute.add_row(key, &volume);
        }
        assert_eq!(minute.rows.len(), MOST_ROWS + 1);
        let sum = |minute: &Minute| minute.rows.values().map(|volume| volume.in_bytes).sum::<u64>();
        assert_eq!(sum(&minute), 2 * MOST_ROWS as u64);
        minute.collapse();
        assert_eq!((minute.rows.len(), sum(&minute)), (1, 2 * MOST_ROWS as u64));
    }
}
