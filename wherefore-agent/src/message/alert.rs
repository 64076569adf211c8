//! An alert: the record about an incident that all outputs and sinks receive. Owns its fields, which are
//! stable; refuses to compose its text, to decide and to send.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wherefore_common::FlowKey;

use crate::attribute::Ends;
use crate::message::owner::{OwnerRecord, label};
use crate::traffic::group::GroupBy;
use crate::traffic::who::Owner;

pub use crate::detect::finding::{Kind, Severity, Status};

/// Which agents use the same key for the same incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Agents on one host: a transfer that two hosts see is two incidents.
    #[default]
    Host,
    /// All agents: a transfer that two hosts see is one incident.
    Network,
}

/// Version of the schema of all records (docs/schema.json). It increases when a field is renamed, removed or
/// changes its unit or meaning, but not when a field is added.
pub const SCHEMA: u32 = 1;

/// The schema version of records from before the field existed.
fn schema() -> u32 {
    SCHEMA
}

/// One message about an incident: that it begins, continues or is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Alert {
    /// State of the incident: firing, update or resolved.
    #[schema(value_type = String)]
    pub status: Status,
    /// Identifies the incident: the same in all messages about it, after a restart, and from every agent that
    /// sees it. 32 hexadecimal digits.
    pub key: String,
    /// Kind of the incident.
    #[schema(value_type = String)]
    pub kind: Kind,
    /// Severity of the incident.
    #[schema(value_type = String)]
    pub severity: Severity,
    /// Start of the first interval of the incident, RFC 3339.
    pub started: String,
    /// End of the interval, RFC 3339.
    pub time: String,
    /// Name of the host.
    pub host: String,
    /// Name of the interface.
    pub interface: String,
    /// How flows are grouped.
    pub group_by: GroupBy,
    /// The sender.
    pub src: String,
    /// The receiver.
    pub dst: String,
    /// Names and places of both ends.
    #[serde(flatten)]
    pub ends: Ends<'static>,
    /// IP-layer bytes in the interval.
    pub bytes: u64,
    /// Packets in the interval.
    pub packets: u64,
    /// Length of the interval in seconds.
    pub interval_seconds: f64,
    /// Bytes a second.
    pub bytes_per_second: f64,
    /// The median of the earlier points of the window, in bytes an interval.
    pub usual_bytes: f64,
    /// `bytes` divided by `usual_bytes`; absent if that is 0.
    pub ratio: Option<f64>,
    /// How unusual it is, 0 to 1.
    pub probability: f64,
    /// The probability above which it is reported.
    pub threshold: f64,
    /// Return period: ordinary traffic of this host is expected to show an event as rare once in this many
    /// seconds, as far as the history supports that; absent if the Go tool's methods judge.
    #[serde(default)]
    pub due_seconds: Option<f64>,
    /// What was seen, the baseline and how rare it is, in words; empty if the Go tool's methods judge.
    #[serde(default)]
    pub reason: String,
    /// Each method's probability; null if it has no verdict. Empty if detection is by rarity.
    pub methods: BTreeMap<String, Option<f64>>,
    /// IP protocol number of the largest flow; for a scan or a flood, of a typical flow.
    pub protocol: u8,
    /// Its source port.
    pub sport: u16,
    /// Its destination port.
    pub dport: u16,
    /// The points that were judged, in bytes an interval, oldest first.
    pub window: Vec<f64>,
    /// Time from the start of the incident to `time`, in seconds.
    #[serde(default)]
    pub incident_seconds: f64,
    /// IP-layer bytes in the unusual intervals of the incident.
    #[serde(default)]
    pub incident_bytes: u64,
    /// The highest rate in these intervals, in bytes a second.
    #[serde(default)]
    pub peak_bytes_per_second: f64,
    /// Which agents use the same key for the same incident.
    #[serde(default)]
    #[schema(value_type = String)]
    pub key_scope: KeyScope,
    /// Labels that the user sets for all alerts of this agent (`--alert-label`).
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The other groups that are part of the incident, the largest first; at most 64.
    #[serde(default)]
    pub others: Vec<OtherGroup>,
    /// The number of these groups.
    #[serde(default)]
    pub others_count: u64,
    /// IP-layer bytes in their unusual intervals; `incident_bytes` includes them, unless it is about a host.
    #[serde(default)]
    pub others_bytes: u64,
    /// The owner on this host with most of the traffic in the interval.
    #[serde(flatten)]
    pub owner: OwnerRecord,
    /// Files with the packets of the incident.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub evidence: Vec<PathBuf>,
    /// The subject as text: the same for the whole incident.
    #[serde(default)]
    pub headline: String,
    /// The whole alert as one line of text.
    pub text: String,
    /// Version of the schema.
    #[serde(default = "schema")]
    pub schema: u32,
    /// The group, without its interface: links the alert to its evidence. Not part of the output.
    #[serde(skip)]
    pub group: FlowKey,
}

/// Another group of an incident: several peers of one host are one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OtherGroup {
    /// The sender.
    pub src: String,
    /// The receiver.
    pub dst: String,
    /// IP-layer bytes in its unusual intervals.
    pub bytes: u64,
}

impl Alert {
    /// Sets the owner.
    pub(super) fn set_owner(&mut self, owner: &Owner) {
        self.owner = OwnerRecord::new(owner);
        if let Some(process) = owner.process() {
            self.text.push_str("; by ");
            self.text.push_str(&label(process));
        }
    }
}
