//! Flows as Kafka's records: JSON as in files, and a key for each conversation. Owns the key and what the JSON has
//! beyond that of files; refuses to choose which flows have a record.

use rustc_hash::FxHashMap;
use serde::Serialize;
use wherefore_common::{Counters, FlowKey};

use super::batch::Batch;
use crate::output::flow_record::{FlowRecord, LiveFields};
use crate::output::owners::OwnerFields;
use crate::text::rfc3339;

/// A record.
#[cfg_attr(not(feature = "kafka"), allow(dead_code, reason = "only the producer reads it"))]
pub(super) struct Record {
    pub(super) key: String,
    /// JSON.
    pub(super) value: Vec<u8>,
}

/// A flow with the name of the host that counted it.
#[derive(Serialize)]
struct Flow<'a> {
    host: &'a str,
    #[serde(flatten)]
    flow: FlowRecord<'a>,
}

/// The sum of flows without records of their own.
#[derive(Serialize)]
struct Other<'a> {
    host: &'a str,
    /// Always true.
    other: bool,
    flows: u32,
    ip_version: u8,
    packets: u64,
    bytes: u64,
    frame_bytes: u64,
    first: String,
    last: String,
    #[serde(flatten)]
    live: LiveFields<'a>,
}

/// The records of an interval.
pub(super) struct Records<'a> {
    host: &'a str,
    batch: &'a Batch,
    interfaces: FxHashMap<u32, &'a str>,
    owners: OwnerFields,
    start: String,
    end: String,
}

impl<'a> Records<'a> {
    pub(super) fn new(host: &'a str, batch: &'a Batch) -> Self {
        let names = batch.names.iter().map(|(ifindex, name)| (*ifindex, name.as_str()));
        let (start, end) = (rfc3339(batch.interval.start_ns), rfc3339(batch.interval.end_ns));
        let owners = OwnerFields::default();
        Self { host, batch, interfaces: names.collect(), owners, start, end }
    }

    /// The record of the flow at this index, and its counts.
    ///
    /// # Errors
    /// None in practice: memory is written to.
    pub(super) fn flow(&mut self, at: usize) -> serde_json::Result<(Record, Counters)> {
        let (key, counters) = self.batch.interval.flows.get(at);
        let live = Some(live(&key, &self.interfaces, &self.start, &self.end));
        let owners = self.owners.of_flow(&self.batch.interval, at);
        let flow = FlowRecord::new(&key, &counters, &self.batch.directory, live, owners);
        let value = serde_json::to_vec(&Flow { host: self.host, flow })?;
        Ok((Record { key: conversation(&key), value }, counters))
    }

    /// The record of flows without records of their own.
    ///
    /// # Errors
    /// None in practice: memory is written to.
    pub(super) fn other(
        &self,
        key: &FlowKey,
        counters: &Counters,
        flows: u32,
    ) -> serde_json::Result<Record> {
        let live = live(key, &self.interfaces, &self.start, &self.end);
        let name = format!("other {} {}", self.host, live.interface);
        let value = serde_json::to_vec(&Other {
            host: self.host,
            other: true,
            flows,
            ip_version: key.family,
            packets: counters.packets,
            bytes: counters.bytes,
            frame_bytes: counters.frame_bytes,
            first: rfc3339(counters.first_ns as i64),
            last: rfc3339(counters.last_ns as i64),
            live,
        })?;
        Ok(Record { key: name, value })
    }
}

fn live<'a>(
    key: &FlowKey,
    interfaces: &FxHashMap<u32, &'a str>,
    start: &'a str,
    end: &'a str,
) -> LiveFields<'a> {
    LiveFields {
        interface: interfaces.get(&key.ifindex).copied().unwrap_or_default(),
        direction: key.direction().as_str(),
        interval_start: start,
        interval_end: end,
    }
}

/// The same for both directions and on both hosts: `6 192.0.2.1 443 198.51.100.2 51000`, the smaller end first.
fn conversation(key: &FlowKey) -> String {
    let mut ends = [(key.src_ip(), key.sport), (key.dst_ip(), key.dport)];
    ends.sort_unstable();
    let [(one, one_port), (other, other_port)] = ends;
    format!("{} {one} {one_port} {other} {other_port}", key.protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_have_one_key() {
        let there = FlowKey {
            src: [1, 0],
            dst: [2, 0],
            sport: 50_000,
            dport: 443,
            protocol: 6,
            family: 6,
            ..FlowKey::default()
        };
        let back = FlowKey {
            src: there.dst,
            dst: there.src,
            sport: 443,
            dport: 50_000,
            ifindex: 7,
            direction: 1,
            ..there
        };
        assert_eq!(conversation(&there), conversation(&back));
        let other = FlowKey { sport: 50_001, ..there };
        assert_ne!(conversation(&there), conversation(&other));
    }
}
