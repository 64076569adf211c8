//! What is told of an incident: the record that all outputs and sinks get. Owns its fields, which
//! are stable; refuses to word it, to decide and to send.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wherefore_common::FlowKey;

use crate::attribute::Ends;
use crate::message::owner::{OwnerRecord, label};
use crate::traffic::group::GroupBy;
use crate::traffic::who::Owner;

pub use crate::detect::finding::{Kind, Severity, Status};

/// Whose incidents are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Those of agents on one host: what two hosts see of a transfer are two incidents.
    #[default]
    Host,
    /// Those of all agents: what two hosts see of a transfer is one incident.
    Network,
}

/// One message about an incident: it begins, lasts or is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Alert {
    /// Where the incident is in its life.
    #[schema(value_type = String)]
    pub status: Status,
    /// Names the incident: the same in all its messages, after a restart, and from every agent
    /// that sees it. 32 hexadecimal digits.
    pub key: String,
    /// What it is about.
    #[schema(value_type = String)]
    pub kind: Kind,
    /// How urgent it is.
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
    /// Who sends.
    pub src: String,
    /// Who receives.
    pub dst: String,
    /// What is known of both.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub ends: Ends<'static>,
    /// IP-layer octets in the interval.
    pub bytes: u64,
    /// Packets in the interval.
    pub packets: u64,
    /// Length of the interval in seconds.
    pub interval_seconds: f64,
    /// Octets a second.
    pub bytes_per_second: f64,
    /// The median of the window's earlier points, in octets an interval.
    pub usual_bytes: f64,
    /// `bytes` over `usual_bytes`; absent where that is 0.
    pub ratio: Option<f64>,
    /// How unusual, 0 to 1.
    pub probability: f64,
    /// The probability above which is alerted.
    pub threshold: f64,
    /// In how many seconds ordinary traffic of this host is expected to show something as rare once, as
    /// far as can be claimed; absent where the seven methods judge.
    #[serde(default)]
    pub due_seconds: Option<f64>,
    /// What was seen, what is usual and how rare it is, in words; empty where the seven methods
    /// judge.
    #[serde(default)]
    pub reason: String,
    /// Each method's probability; null where it has no verdict. Empty where rarity is judged.
    pub methods: BTreeMap<String, Option<f64>>,
    /// IP protocol number of the flow that moved most; of a scan or a flood, of one like most.
    pub protocol: u8,
    /// Its source port.
    pub sport: u16,
    /// Its destination port.
    pub dport: u16,
    /// The points that were judged, octets an interval, oldest first.
    pub window: Vec<f64>,
    /// From the start of the incident to `time`.
    #[serde(default)]
    pub incident_seconds: f64,
    /// IP-layer octets in the unusual intervals of the incident.
    #[serde(default)]
    pub incident_bytes: u64,
    /// The most octets a second in one of them.
    #[serde(default)]
    pub peak_bytes_per_second: f64,
    /// Whose incidents have the same key.
    #[serde(default)]
    #[schema(value_type = String)]
    pub key_scope: KeyScope,
    /// What the user says of all alerts of this agent (`--alert-label`).
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Who of this host moved the most of it in the interval.
    #[serde(flatten)]
    pub owner: OwnerRecord,
    /// Files that hold the packets.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub evidence: Vec<PathBuf>,
    /// What it is about, for people: the same as long as the incident lasts.
    #[serde(default)]
    pub headline: String,
    /// All of it in one line, for people.
    pub text: String,
    /// The group, its interface cleared; for what else is kept of it, and not told.
    #[serde(skip)]
    pub group: FlowKey,
}

impl Alert {
    /// Says whose it is.
    pub(super) fn set_owner(&mut self, owner: &Owner) {
        self.owner = OwnerRecord::new(owner);
        if let Some(process) = owner.process() {
            self.text.push_str("; by ");
            self.text.push_str(&label(process));
        }
    }
}
