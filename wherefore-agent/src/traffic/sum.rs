//! The sum of several consecutive intervals. Owns how their parts are added; refuses to lose a byte, an
//! owner, or an interface that has disappeared.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use wherefore_common::flow::RemainderKey;
use wherefore_common::{Counters, FlowKey};

use crate::traffic::interval::{InterfaceReading, Interval};
use crate::traffic::who::{HostBytes, Owner, Owners};

/// The sum so far.
#[derive(Debug, Default)]
pub struct Sum {
    /// Everything except flows, owners and uncounted frames.
    rest: Option<Interval>,
    places: FxHashMap<FlowKey, usize>,
    flows: Vec<Flow>,
    remainders: FxHashMap<RemainderKey, Counters>,
    has_owners: bool,
    /// The host's traffic.
    host: HostBytes,
}

#[derive(Debug)]
struct Flow {
    key: FlowKey,
    counters: Counters,
    source: Owner,
    destination: Owner,
    /// Whether the source is the end on this host.
    is_source_local: bool,
}

impl Sum {
    /// Adds the next interval.
    pub fn add(&mut self, interval: &Interval) {
        self.has_owners |= !interval.owners.is_empty();
        self.host.add(&interval.owners.host);
        for (at, (key, counters)) in interval.flows.iter().enumerate() {
            self.add_flow(key, &counters, &interval.owners, at);
        }
        for (key, counters) in &interval.remainders {
            self.remainders.entry(*key).or_default().merge(counters);
        }
        match &mut self.rest {
            None => self.rest = Some(without_counts(interval)),
            Some(rest) => extend(rest, interval),
        }
    }

    fn add_flow(&mut self, key: FlowKey, counters: &Counters, owners: &Owners, at: usize) {
        let place = *self.places.entry(key).or_insert(self.flows.len());
        if place == self.flows.len() {
            let (source, destination) = (owners.source(at).clone(), owners.destination(at).clone());
            let is_source_local = owners.is_source_local(at);
            let counters = *counters;
            self.flows.push(Flow { key, counters, source, destination, is_source_local });
            return;
        }
        let flow = &mut self.flows[place];
        flow.counters.merge(counters);
        let was_known = flow.source.process().is_some() || flow.destination.process().is_some();
        if !was_known {
            flow.is_source_local = owners.is_source_local(at);
        }
        prefer_process(&mut flow.source, owners.source(at));
        prefer_process(&mut flow.destination, owners.destination(at));
    }

    /// Takes the sum; `None` if nothing was added.
    pub fn take(&mut self) -> Option<Interval> {
        let Self { rest, flows, remainders, has_owners, host, .. } = std::mem::take(self);
        let mut interval = rest?;
        interval.remainders = remainders.into_iter().collect();
        interval
            .remainders
            .sort_unstable_by_key(|(key, _)| (key.ifindex, key.direction, key.reason));
        if has_owners {
            interval.owners = owners_of(&flows);
            interval.owners.host = host;
        }
        for Flow { key, counters, .. } in &flows {
            interval.flows.push(key, counters);
        }
        Some(interval)
    }
}

/// An owner that was found before stays, unless another process has the socket now.
fn prefer_process(known: &mut Owner, now: &Owner) {
    if now.process().is_some() || known.process().is_none() {
        known.clone_from(now);
    }
}

fn owners_of(flows: &[Flow]) -> Owners {
    let mut owners = Owners::with_capacity(flows.len());
    let mut numbers = FxHashMap::default();
    for flow in flows {
        let mut number = |owner: &Owner| {
            *numbers.entry(identity(owner)).or_insert_with(|| owners.add_owner(owner.clone()))
        };
        let (source, destination) = (number(&flow.source), number(&flow.destination));
        owners.push(source, destination, if flow.is_source_local { source } else { destination });
    }
    owners
}

/// Identifies an owner without comparing its fields.
fn identity(owner: &Owner) -> (usize, u8) {
    match owner {
        Owner::Process(process) => (Arc::as_ptr(process) as usize, 0),
        Owner::Unattributed(why) => (0, *why as u8),
    }
}

fn without_counts(interval: &Interval) -> Interval {
    let Interval { index, start_ns, end_ns, late_packets, lost_packets, .. } = *interval;
    let Interval { is_partial, held_up_ns, stepped_ns, drain, .. } = *interval;
    Interval {
        index,
        start_ns,
        end_ns,
        late_packets,
        lost_packets,
        is_partial,
        held_up_ns,
        stepped_ns,
        drain,
        interfaces: interval.interfaces.clone(),
        answers: interval.answers.clone(),
        ..Interval::default()
    }
}

fn extend(rest: &mut Interval, next: &Interval) {
    rest.end_ns = next.end_ns;
    // The start must be in the new time as well.
    rest.start_ns = rest.start_ns.saturating_add(next.stepped_ns);
    rest.stepped_ns = rest.stepped_ns.saturating_add(next.stepped_ns);
    rest.held_up_ns = rest.held_up_ns.saturating_add(next.held_up_ns);
    // The maximum of both: either may have been delayed.
    rest.drain = rest.drain.max(next.drain);
    rest.late_packets += next.late_packets;
    rest.lost_packets += next.lost_packets;
    rest.is_partial |= next.is_partial;
    rest.answers.append(&next.answers);
    let mut interfaces = next.interfaces.clone();
    let is_there =
        |gone: &InterfaceReading| next.interfaces.iter().any(|one| one.interface == gone.interface);
    interfaces.extend(rest.interfaces.drain(..).filter(|one| one.gone && !is_there(one)));
    rest.interfaces = interfaces;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::who::{Process, Unattributed};

    fn part(second: i64, moved: &[(u16, u64)]) -> Interval {
        let mut interval = Interval {
            index: second,
            start_ns: second * 1_000_000_000,
            end_ns: (second + 1) * 1_000_000_000,
            ..Interval::default()
        };
        for (sport, bytes) in moved {
            let key = FlowKey { sport: *sport, family: 4, ..FlowKey::default() };
            let (bytes, frame_bytes) = (*bytes, *bytes + 14);
            let counters = Counters {
                packets: 1,
                bytes,
                frame_bytes,
                device_packets: 1,
                ..Counters::default()
            };
            interval.flows.push(&key, &counters);
            let key = RemainderKey::new(
                1,
                wherefore_common::Direction::Ingress,
                wherefore_common::Reason::NonIp,
            );
            interval.remainders.push((key, counters));
        }
        interval
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let mut sum = Sum::default();
        assert!(sum.take().is_none());
        sum.add(&part(0, &[(1, 10), (2, 20)]));
        sum.add(&Interval { stepped_ns: -500, held_up_ns: 3, ..part(1, &[]) });
        sum.add(&Interval { late_packets: 4, ..part(2, &[(2, 5), (3, 7)]) });
        let whole = sum.take().unwrap();
        assert_eq!((whole.start_ns, whole.end_ns), (-500, 3_000_000_000));
        assert_eq!((whole.stepped_ns, whole.held_up_ns, whole.late_packets), (-500, 3, 4));
        let bytes: Vec<_> =
            whole.flows.iter().map(|(key, moved)| (key.sport, moved.bytes)).collect();
        assert_eq!(bytes, [(1, 10), (2, 25), (3, 7)]);
        assert_eq!(whole.remainders.iter().map(|(_, moved)| moved.bytes).sum::<u64>(), 42);
        assert!(sum.take().is_none());
    }

    #[test]
    fn an_owner_that_was_found_stays() {
        let process = Process {
            pid: 7,
            started_ns: 0,
            name: "curl".into(),
            executable: None,
            arguments: None,
            uid: 0,
            user: None,
            unit: None,
            container: None,
            pod: None,
            is_shared: false,
        };
        let owned = |owner: Owner| {
            let mut part = part(0, &[(1, 10)]);
            let local = part.owners.add_owner(owner);
            let remote = part.owners.add_owner(Owner::Unattributed(Unattributed::Remote));
            part.owners.push(local, remote, local);
            part
        };
        let mut sum = Sum::default();
        sum.add(&owned(Owner::Unattributed(Unattributed::Unused)));
        sum.add(&owned(Owner::Process(process.clone().into())));
        sum.add(&owned(Owner::Unattributed(Unattributed::Overflow)));
        let whole = sum.take().unwrap();
        assert_eq!(whole.owners.owner(0).process(), Some(&process));
        assert_eq!(whole.owners.destination(0), &Owner::Unattributed(Unattributed::Remote));
    }
}
