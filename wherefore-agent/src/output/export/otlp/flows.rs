//! Flows as log records. Owns their attributes, by OpenTelemetry's semantic conventions where these have a
//! name; refuses to choose which flows have a record.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use rustc_hash::FxHashMap;
use wherefore_common::flow::Direction;
use wherefore_common::{Counters, FlowKey};

use super::attributes::{attribute, number, of_json, text, time, transport};
use super::batch::Batch;
use crate::attribute::geo::GeoRecord;
use crate::output::owners::of;
use crate::text::ports;

/// The name of the events.
const FLOW: &str = "wherefore.flow";

/// The records of an interval.
pub(super) struct FlowRecords<'a> {
    batch: &'a Batch,
    interfaces: FxHashMap<u32, &'a str>,
    /// The attributes of all combinations of owners: there are far fewer than flows.
    owners: FxHashMap<[u32; 3], Vec<KeyValue>>,
}

impl<'a> FlowRecords<'a> {
    pub(super) fn new(batch: &'a Batch) -> Self {
        let names = batch.names.iter().map(|(ifindex, name)| (*ifindex, name.as_str()));
        Self { batch, interfaces: names.collect(), owners: FxHashMap::default() }
    }

    /// The record of the flow at this index.
    pub(super) fn record(&mut self, at: usize) -> LogRecord {
        let (key, counters) = self.batch.interval.flows.get(at);
        let mut attributes = self.common(&key, &counters);
        attributes.extend(transport(key.protocol));
        for (end, address, port) in
            [("source", key.src_ip(), key.sport), ("destination", key.dst_ip(), key.dport)]
        {
            attributes.push(text(&format!("{end}.address"), address.to_string()));
            attributes.push(number(&format!("{end}.port"), port.into()));
            attributes.extend(place(end, &self.batch.geo.find(address)));
        }
        attributes.push(number("wherefore.flow.tcp_flags", counters.tcp_flags));
        attributes.extend(self.owner(at).iter().cloned());
        let body =
            format!("{} {}, {}, {}", key.src_ip(), key.dst_ip(), ports(&key), moved(&counters));
        self.event(&counters, attributes, body)
    }

    /// The record of flows without records of their own.
    pub(super) fn other(&self, key: &FlowKey, counters: &Counters, flows: u32) -> LogRecord {
        let mut attributes = self.common(key, counters);
        attributes.push(attribute("wherefore.flow.other", Value::BoolValue(true)));
        attributes.push(number("wherefore.flow.count", flows.into()));
        self.event(counters, attributes, format!("{flows} other flows, {}", moved(counters)))
    }

    fn common(&self, key: &FlowKey, counters: &Counters) -> Vec<KeyValue> {
        let family = if key.family == 6 { "ipv6" } else { "ipv4" };
        let interface = self.interfaces.get(&key.ifindex).copied().unwrap_or_default();
        let mut attributes = vec![
            text("network.type", family),
            text("network.interface.name", interface),
            number("wherefore.flow.bytes", counters.bytes),
            number("wherefore.flow.packets", counters.packets),
            number("wherefore.flow.start_unix_nano", time(counters.first_ns as i64)),
        ];
        let direction = match key.direction() {
            Direction::Ingress => Some("receive"),
            Direction::Egress => Some("transmit"),
            Direction::Unknown => None,
        };
        attributes.extend(direction.map(|direction| text("network.io.direction", direction)));
        attributes
    }

    /// The owner on this host by OpenTelemetry's names; a process at the other end has a prefix.
    fn owner(&mut self, at: usize) -> &[KeyValue] {
        let owners = &self.batch.interval.owners;
        let Some(ends) = owners.ends(at) else { return &[] };
        self.owners.entry(ends).or_insert_with(|| {
            let peer = match owners.is_source_local(at) {
                true => owners.destination(at),
                false => owners.source(at),
            };
            let peer = Some(peer).filter(|peer| peer.process().is_some());
            let peer = peer.map(of).unwrap_or_default().into_iter();
            let peer = peer.map(|(name, value)| (format!("wherefore.peer.{name}"), value));
            let fields = of(owners.owner(at)).into_iter().chain(peer);
            fields.filter_map(|(name, value)| Some(attribute(&name, of_json(&value)?))).collect()
        })
    }

    fn event(&self, counters: &Counters, attributes: Vec<KeyValue>, body: String) -> LogRecord {
        LogRecord {
            time_unix_nano: time(counters.last_ns as i64),
            observed_time_unix_nano: time(self.batch.interval.end_ns),
            severity_number: SeverityNumber::Info.into(),
            severity_text: "info".to_owned(),
            body: Some(AnyValue { value: Some(Value::StringValue(body)) }),
            attributes,
            event_name: FLOW.to_owned(),
            ..LogRecord::default()
        }
    }
}

fn moved(counters: &Counters) -> String {
    format!("{} bytes in {} packets", counters.bytes, counters.packets)
}

/// Country and AS of one end.
fn place(end: &str, found: &GeoRecord<'_>) -> impl Iterator<Item = KeyValue> {
    let name = |what| format!("wherefore.{end}.{what}");
    let country = found.country.as_ref().map(|country| text(&name("country"), country.as_str()));
    let asn = found.asn.map(|asn| number(&name("asn"), asn.into()));
    let as_name = found.as_name.map(|as_name| text(&name("as_name"), as_name));
    [country, asn, as_name].into_iter().flatten()
}
