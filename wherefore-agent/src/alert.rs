//! What is told of an incident: one line for people, one JSON object with the same content. Owns
//! the wording and the key; refuses to decide and to send.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wherefore_common::FlowKey;

use crate::anomaly::Score;
use crate::config::EngineSettings;
use crate::group::GroupBy;
use crate::interval::Interval;
use crate::series::Window;
use crate::text::{self, Bytes};

/// Where the engine runs, for the text of alerts.
pub struct AlertContext<'a> {
    /// Name of this host.
    pub host: &'a str,
    /// The name of an interface by its number.
    pub interface_name: &'a dyn Fn(u32) -> String,
}

/// Where an incident is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It begins.
    Firing,
    /// It lasts.
    Update,
    /// It is over.
    Resolved,
}

/// What an incident is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A group moved an unusual amount.
    Volume,
    /// More incidents than may be told one by one.
    Digest,
    /// Somebody tries whether alerts arrive.
    Test,
}

impl Kind {
    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Digest => "digest",
            Self::Test => "test",
        }
    }
}

/// How urgent an alert is; the words of PagerDuty's Events API v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Above the threshold.
    Warning,
    /// As good as certain.
    Critical,
}

impl Severity {
    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// One message about an incident: it begins, lasts or is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Where the incident is in its life.
    pub status: Status,
    /// Names the incident: the same in all its messages, after a restart, and from every agent
    /// that sees it. 32 hexadecimal digits.
    pub key: String,
    /// What it is about.
    pub kind: Kind,
    /// How urgent it is.
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
    /// Each method's probability; null where it has no verdict.
    pub methods: BTreeMap<String, Option<f64>>,
    /// IP protocol number of the last packet.
    pub protocol: u8,
    /// Source port of the last packet.
    pub sport: u16,
    /// Destination port of the last packet.
    pub dport: u16,
    /// The points that were judged, octets an interval, oldest first.
    pub window: Vec<f64>,
    /// What the user says of all alerts of this agent (`--alert-label`).
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Files that hold the packets.
    #[serde(default)]
    pub evidence: Vec<PathBuf>,
    /// The same in one line for people.
    pub text: String,
    /// The group, its interface cleared; for what else is kept of it, and not told.
    #[serde(skip)]
    pub group: FlowKey,
}

impl Alert {
    /// Words what the engine found.
    pub fn new(
        settings: &EngineSettings,
        interval: &Interval,
        context: &AlertContext<'_>,
        window: &Window<'_>,
        score: &Score,
    ) -> Self {
        let counters = window.activity.counters;
        let usual_bytes = usual(window.points);
        let flow = window.activity.last_flow;
        let src = settings.group_by.source(window.key);
        let dst = settings.group_by.destination(window.key);
        let mut alert = Self {
            status: Status::Firing,
            key: key(Kind::Volume, [context.host, settings.group_by.name(), &src, &dst]),
            kind: Kind::Volume,
            severity: severity(score.probability),
            started: text::rfc3339(interval.start_ns),
            time: text::rfc3339(interval.end_ns),
            host: context.host.to_owned(),
            interface: (context.interface_name)(window.key.ifindex),
            group_by: settings.group_by,
            src,
            dst,
            bytes: counters.bytes,
            packets: counters.packets,
            interval_seconds: interval.seconds(),
            bytes_per_second: counters.bytes as f64 / interval.seconds().max(1e-9),
            usual_bytes,
            ratio: (usual_bytes > 0.0).then(|| counters.bytes as f64 / usual_bytes),
            probability: score.probability,
            threshold: settings.threshold,
            methods: score.methods().map(|(method, p)| (method.name().to_owned(), p)).collect(),
            protocol: flow.protocol,
            sport: flow.sport,
            dport: flow.dport,
            window: window.points.to_vec(),
            labels: BTreeMap::new(),
            evidence: Vec::new(),
            text: String::new(),
            group: FlowKey { ifindex: 0, ..*window.key },
        };
        alert.text = alert.line(&text::clock(interval.end_ns), &text::ports(&flow));
        alert
    }

    /// The most probable first, then the largest, then by name: an order without chance.
    pub fn by_weight(&self, other: &Self) -> Ordering {
        let probability = other.probability.total_cmp(&self.probability);
        let by_name = || (&self.src, &self.dst).cmp(&(&other.src, &other.dst));
        probability.then_with(|| other.bytes.cmp(&self.bytes)).then_with(by_name)
    }

    fn line(&self, time: &str, ports: &str) -> String {
        let methods: Vec<_> = self.methods.iter().map(|(name, p)| method_text(name, *p)).collect();
        let last = if self.packets == 0 { "no packet".to_owned() } else { ports.to_owned() };
        format!(
            "{time} {} {}: {} -> {} moved {} in {:.1} s ({}/s), {}; probability {:.2} ({}); last {last}",
            self.host,
            self.interface,
            self.src,
            self.dst,
            Bytes(self.bytes as f64),
            self.interval_seconds,
            Bytes(self.bytes_per_second),
            self.usually(),
            self.probability,
            methods.join(", "),
        )
    }

    fn usually(&self) -> String {
        match self.ratio {
            None => "usually nothing".to_owned(),
            Some(ratio) => {
                let usual = Bytes(self.usual_bytes);
                let decimals = if ratio < 10.0 { 1 } else { 0 };
                format!("usually {usual} ({ratio:.decimals$} times as much)")
            }
        }
    }
}

/// The name of an incident: a digest of what it is about, and of nothing that changes.
fn key(kind: Kind, about: [&str; 4]) -> String {
    let mut digest = Sha256::new_with_prefix("wherefore incident 1");
    for part in [kind.as_str()].into_iter().chain(about) {
        // No part can run into the next.
        digest.update([0]);
        digest.update(part);
    }
    digest.finalize()[..16].iter().map(|octet| format!("{octet:02x}")).collect()
}

fn severity(probability: f64) -> Severity {
    /// Probabilities from here on are as good as certain.
    const CERTAIN: f64 = 0.95;
    if probability >= CERTAIN { Severity::Critical } else { Severity::Warning }
}

fn method_text(name: &str, probability: Option<f64>) -> String {
    probability.map_or_else(|| format!("{name} none"), |p| format!("{name} {p:.2}"))
}

/// The median of all points but the newest; 0 where there is none.
fn usual(points: &[f64]) -> f64 {
    let mut before = points.split_last().map_or(Vec::new(), |(_, before)| before.to_vec());
    before.sort_by(f64::total_cmp);
    let middle = before.len() / 2;
    match (before.get(middle), middle.checked_sub(1).and_then(|at| before.get(at))) {
        (Some(upper), Some(lower)) if before.len().is_multiple_of(2) => (upper + lower) / 2.0,
        (Some(middle), _) => *middle,
        (None, _) => 0.0,
    }
}
