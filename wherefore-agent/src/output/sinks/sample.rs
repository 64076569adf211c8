//! A sample alert for testing sinks. Owns its content.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use wherefore_common::FlowKey;

use crate::attribute::Ends;
use crate::message::alert::{Alert, KeyScope, Kind, SCHEMA, Severity, Status};
use crate::message::owner::OwnerRecord;
use crate::text::rfc3339;
use crate::traffic::group::GroupBy;

/// A test alert.
#[cfg(test)]
pub(crate) fn sample(status: Status) -> Alert {
    of_host("this host", status)
}

/// A test alert of this host.
pub(super) fn of_host(host: &str, status: Status) -> Alert {
    let (now, host) = (rfc3339(now_ns()), host.to_owned());
    let text = format!("{now} {host}: a test of Wherefore's alerts, nothing has happened");
    Alert {
        status,
        key: format!("{:0>32}", "7e57"),
        kind: Kind::Test,
        severity: Severity::Info,
        started: now.clone(),
        time: now,
        host,
        interface: "test0".to_owned(),
        group_by: GroupBy::Pair,
        src: "192.0.2.1".to_owned(),
        dst: "198.51.100.1".to_owned(),
        ends: Ends::default(),
        bytes: 1_000_000,
        packets: 1000,
        interval_seconds: 5.0,
        bytes_per_second: 200_000.0,
        usual_bytes: 100_000.0,
        ratio: Some(10.0),
        probability: 0.9,
        threshold: 0.6,
        due_seconds: None,
        reason: String::new(),
        methods: BTreeMap::from([("magnitude".to_owned(), Some(0.9))]),
        protocol: 6,
        sport: 50_000,
        dport: 443,
        window: vec![100_000.0, 1_000_000.0],
        incident_seconds: 0.0,
        incident_bytes: 0,
        peak_bytes_per_second: 0.0,
        key_scope: KeyScope::Host,
        labels: BTreeMap::new(),
        others: Vec::new(),
        others_count: 0,
        others_bytes: 0,
        owner: OwnerRecord::default(),
        evidence: Vec::new(),
        headline: "test: 192.0.2.1 -> 198.51.100.1:443/tcp (outbound, test0)".to_owned(),
        text,
        schema: SCHEMA,
        group: FlowKey::default(),
    }
}

/// The current time, nanoseconds since 1970.
pub(super) fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
