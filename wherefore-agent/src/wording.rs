//! The words and figures of alerts: from a finding to the record that is told. Owns the text, the
//! key and what of an incident is summed up; refuses to decide what is told.

use std::collections::BTreeMap;
use std::net::IpAddr;

use sha2::{Digest, Sha256};
use wherefore_common::{Counters, FlowKey};

use crate::alert::{Alert, KeyScope, Kind, Severity, Status};
use crate::anomaly::Score;
use crate::config::EngineSettings;
use crate::group::{ANY, GroupBy, reversed};
use crate::interval::Interval;
use crate::judge::Judge;
use crate::text::{self, Bytes};

/// Where the engine runs, for the text of alerts.
pub struct AlertContext<'a> {
    /// Name of this host.
    pub host: &'a str,
    /// The name of an interface by its number.
    pub interface_name: &'a dyn Fn(u32) -> String,
}

/// What is unusual in an interval.
#[derive(Debug, Clone)]
pub struct Finding {
    /// In what way.
    pub kind: Kind,
    /// How its group is named.
    pub group_by: GroupBy,
    /// The group, its interface cleared.
    pub group: FlowKey,
    /// The interface.
    pub ifindex: u32,
    /// What the group moved in the interval.
    pub counters: Counters,
    /// The flow of its last packet.
    pub last_flow: FlowKey,
    /// The points that were judged, oldest first.
    pub points: Vec<f64>,
    /// How unusual.
    pub probability: f64,
    /// The probability above which it is told.
    pub threshold: f64,
    /// How rare, where rarity is judged.
    pub rarity: Option<Rareness>,
    /// Whether it has lasted for so long that it is the usual from now on.
    pub becomes_usual: bool,
}

/// How rare a finding is.
#[derive(Debug, Clone, PartialEq)]
pub struct Rareness {
    /// In how many seconds the host is due to show something as strange once.
    pub due_seconds: f64,
    /// What was seen, what is usual and how rare it is, for a person.
    pub reason: String,
}

/// What an incident is about: no two that are open have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// In what way it is unusual.
    pub kind: Kind,
    /// How the group is named.
    pub group_by: GroupBy,
    /// What is, its interface cleared.
    pub group: FlowKey,
}

impl Subject {
    /// The same the other way round.
    pub fn reversed(&self) -> Self {
        Self { group: reversed(&self.group), ..*self }
    }

    /// What an alert is about.
    pub fn of(alert: &Alert) -> Self {
        Self { kind: alert.kind, group_by: alert.group_by, group: alert.group }
    }
}

impl Finding {
    /// What it is about.
    pub fn subject(&self) -> Subject {
        Subject { kind: self.kind, group_by: self.group_by, group: self.group }
    }

    /// Orders findings: first by probability, then by volume.
    pub fn weight(&self) -> (u64, u64) {
        // Of numbers that are not negative, the bits have the order of the numbers.
        (self.probability.max(0.0).to_bits(), self.counters.bytes)
    }
}

/// What an incident has come to so far.
#[derive(Debug, Clone)]
pub struct Course {
    /// Start of its first interval, RFC 3339.
    pub started: String,
    started_ns: i64,
    bytes: u64,
    peak: f64,
}

impl Course {
    /// One that begins with this interval.
    pub fn begin(wording: &Wording<'_>) -> Self {
        let started_ns = wording.interval.start_ns;
        Self { started: text::rfc3339(started_ns), started_ns, bytes: 0, peak: 0.0 }
    }

    /// One that an earlier run told of; what it moved then is in the message.
    pub fn resume(told: &Alert, wording: &Wording<'_>) -> Self {
        let started_ns = text::nanoseconds(&told.started).unwrap_or(wording.interval.start_ns);
        let (bytes, peak) = (told.incident_bytes, told.peak_bytes_per_second);
        Self { started: told.started.clone(), started_ns, bytes, peak }
    }

    /// Adds what was found in this interval.
    pub fn add(&mut self, finding: &Finding, wording: &Wording<'_>) {
        self.bytes = self.bytes.saturating_add(finding.counters.bytes);
        self.peak = self.peak.max(wording.rate(finding.counters.bytes));
    }
}

/// The incidents that were not told one by one.
#[derive(Debug, Clone)]
pub struct DigestContent {
    course: Course,
    /// How many.
    count: u64,
    probability: f64,
    severity: Severity,
    /// The address that most of them have in common, and how many those are.
    pub peer: Option<(IpAddr, u32)>,
}

impl DigestContent {
    /// None yet.
    pub fn begin(wording: &Wording<'_>) -> Self {
        Self {
            course: Course::begin(wording),
            count: 0,
            probability: 0.0,
            severity: Severity::Warning,
            peer: None,
        }
    }

    /// What it has come to.
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// Goes on with what an earlier run told.
    pub fn resume(&mut self, told: &Alert, wording: &Wording<'_>) {
        self.course = Course::resume(told, wording);
    }

    /// One more.
    pub fn add(&mut self, finding: &Finding) {
        self.count += 1;
        self.probability = self.probability.max(finding.probability);
        self.severity = self.severity.max(severity(finding));
        self.goes_on(finding);
    }

    /// One of them lasts.
    pub fn goes_on(&mut self, finding: &Finding) {
        self.course.bytes = self.course.bytes.saturating_add(finding.counters.bytes);
    }
}

/// Words what was found in one interval.
pub struct Wording<'a> {
    /// How groups are judged and named.
    pub settings: &'a EngineSettings,
    /// Tells what each method says.
    pub judge: &'a mut Judge,
    /// The interval.
    pub interval: &'a Interval,
    /// Where.
    pub context: &'a AlertContext<'a>,
}

impl Wording<'_> {
    /// The key of a finding's incident.
    pub fn key(&self, finding: &Finding) -> String {
        let Finding { kind, group_by, group, ifindex, .. } = finding;
        let (src, dst) = (group_by.source(group), group_by.destination(group));
        if *group_by == GroupBy::Interface {
            // All that passes an interface is told apart by it and by the direction.
            let interface = (self.context.interface_name)(*ifindex);
            return self.key_of(*kind, *group_by, &interface, group.direction().as_str());
        }
        self.key_of(*kind, *group_by, &src, &dst)
    }

    fn key_of(&self, kind: Kind, group_by: GroupBy, src: &str, dst: &str) -> String {
        let host = match self.settings.key_scope {
            KeyScope::Host => self.context.host,
            KeyScope::Network => "",
        };
        key(kind, [host, group_by.name(), src, dst])
    }

    fn rate(&self, bytes: u64) -> f64 {
        bytes as f64 / self.interval.seconds().max(1e-9)
    }

    /// That an incident begins or lasts.
    pub fn alert(&mut self, status: Status, finding: &Finding, course: &Course) -> Alert {
        let score = self.judge.score(&finding.points);
        let methods = score.iter().flat_map(Score::methods);
        let methods = methods.map(|(method, p)| (method.name().to_owned(), p)).collect();
        let (settings, interval) = (self.settings, self.interval);
        let Finding { kind, group_by, group, counters, last_flow, points, .. } = finding;
        let usual_bytes = usual(points) * interval.times_as_long();
        let (src, dst) = (group_by.source(group), group_by.destination(group));
        let mut alert = Alert {
            status,
            key: self.key(finding),
            kind: *kind,
            severity: severity(finding),
            started: course.started.clone(),
            time: text::rfc3339(interval.end_ns),
            host: self.context.host.to_owned(),
            interface: (self.context.interface_name)(finding.ifindex),
            group_by: *group_by,
            src,
            dst,
            bytes: counters.bytes,
            packets: counters.packets,
            interval_seconds: interval.seconds(),
            bytes_per_second: self.rate(counters.bytes),
            usual_bytes,
            ratio: (usual_bytes > 0.0).then(|| counters.bytes as f64 / usual_bytes),
            probability: finding.probability,
            threshold: finding.threshold,
            due_seconds: finding.rarity.as_ref().map(|rarity| rarity.due_seconds),
            reason: finding
                .rarity
                .as_ref()
                .map_or_else(String::new, |rarity| rarity.reason.clone()),
            methods,
            protocol: last_flow.protocol,
            sport: last_flow.sport,
            dport: last_flow.dport,
            window: points.clone(),
            incident_seconds: (interval.end_ns - course.started_ns) as f64 / 1e9,
            incident_bytes: course.bytes,
            peak_bytes_per_second: course.peak,
            key_scope: settings.key_scope,
            labels: settings.labels.clone(),
            evidence: Vec::new(),
            text: String::new(),
            group: *group,
        };
        alert.text = alert.line(&text::clock(interval.end_ns), &text::ports(last_flow));
        alert
    }

    /// That an incident is over, by what was told of it last.
    pub fn resolved(&self, last: Alert, course: &Course) -> Alert {
        let mut alert = Alert {
            status: Status::Resolved,
            time: text::rfc3339(self.interval.end_ns),
            incident_seconds: (self.interval.end_ns - course.started_ns) as f64 / 1e9,
            incident_bytes: course.bytes,
            peak_bytes_per_second: course.peak,
            ..last
        };
        alert.text = alert.farewell(&text::clock(self.interval.end_ns));
        alert
    }

    /// That an incident has lasted for so long that it is the usual from now on.
    pub fn settled(&self, last: Alert, course: &Course) -> Alert {
        let mut alert = self.resolved(last, course);
        alert.text.push_str("; it lasts, and counts as usual from now on");
        alert
    }

    /// That there is more than is told one by one.
    pub fn digest(&self, status: Status, content: &DigestContent) -> Alert {
        let (settings, interval) = (self.settings, self.interval);
        let DigestContent { course, count, probability, severity, peer } = content;
        let time = text::clock(interval.end_ns);
        let with =
            peer.map_or_else(String::new, |(peer, of)| format!(", {of} of them with {peer}"));
        let more = text::grouped(*count);
        let noun = if *count == 1 { "incident" } else { "incidents" };
        let host = self.context.host;
        Alert {
            status,
            key: self.key_of(Kind::Digest, settings.group_by, "", ""),
            kind: Kind::Digest,
            severity: *severity,
            started: course.started.clone(),
            time: text::rfc3339(interval.end_ns),
            host: host.to_owned(),
            interface: ANY.to_owned(),
            group_by: settings.group_by,
            src: ANY.to_owned(),
            // Not the peer, which may change: labels are made of this.
            dst: ANY.to_owned(),
            bytes: course.bytes,
            packets: 0,
            interval_seconds: interval.seconds(),
            bytes_per_second: self.rate(course.bytes),
            usual_bytes: 0.0,
            ratio: None,
            probability: *probability,
            threshold: settings.threshold,
            due_seconds: None,
            reason: String::new(),
            methods: BTreeMap::new(),
            protocol: 0,
            sport: 0,
            dport: 0,
            window: Vec::new(),
            incident_seconds: (interval.end_ns - course.started_ns) as f64 / 1e9,
            incident_bytes: course.bytes,
            peak_bytes_per_second: 0.0,
            key_scope: settings.key_scope,
            labels: settings.labels.clone(),
            evidence: Vec::new(),
            text: format!(
                "{time} {host}: and {more} more {noun}{with}; told in sum (--alert-limit)"
            ),
            group: FlowKey::default(),
        }
    }
}

impl Alert {
    fn line(&self, time: &str, ports: &str) -> String {
        let last = if self.packets == 0 { "no packet".to_owned() } else { ports.to_owned() };
        format!(
            "{time} {} {}: {}; {}; last {last}{}",
            self.host,
            self.interface,
            self.what_moved(),
            self.why(),
            self.so_far(),
        )
    }

    fn what_moved(&self) -> String {
        let moved = format!(
            "moved {} in {:.1} s ({}/s)",
            Bytes(self.bytes as f64),
            self.interval_seconds,
            Bytes(self.bytes_per_second),
        );
        let kind = if self.kind == Kind::Volume { "" } else { self.kind.as_str() };
        let kind = if kind.is_empty() { String::new() } else { format!("{kind}: ") };
        let is_compared = self.kind == Kind::Volume && !self.window.is_empty();
        let usually = if is_compared { format!(", {}", self.usually()) } else { String::new() };
        format!("{kind}{} -> {} {moved}{usually}", self.src, self.dst)
    }

    /// The reason, or what the methods say.
    fn why(&self) -> String {
        if !self.reason.is_empty() {
            return self.reason.clone();
        }
        let methods: Vec<_> = self.methods.iter().map(|(name, p)| method_text(name, *p)).collect();
        format!("probability {:.2} ({})", self.probability, methods.join(", "))
    }

    fn so_far(&self) -> String {
        if self.status != Status::Update {
            return String::new();
        }
        let lasts = text::seconds(self.incident_seconds);
        format!("; for {lasts} now, {} in all", Bytes(self.incident_bytes as f64))
    }

    fn farewell(&self, time: &str) -> String {
        let after = text::seconds(self.incident_seconds);
        let most = Bytes(self.peak_bytes_per_second);
        let (what, at_most) = match self.kind {
            Kind::Digest | Kind::Test => (String::from(":"), String::new()),
            _ => (
                format!(" {}: {} -> {}", self.interface, self.src, self.dst),
                format!(", at most {most}/s"),
            ),
        };
        let in_all = Bytes(self.incident_bytes as f64);
        format!("{time} {}{what} over after {after}; {in_all} in all{at_most}", self.host)
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

fn severity(finding: &Finding) -> Severity {
    /// Probabilities of methods from here on are as good as certain,
    const CERTAIN: f64 = 0.95;
    /// and what is due once in so many seconds: 30 days.
    const RARE: f64 = 30.0 * 24.0 * 3600.0;
    let is_certain = finding
        .rarity
        .as_ref()
        .map_or(finding.probability >= CERTAIN, |rarity| rarity.due_seconds >= RARE);
    if is_certain { Severity::Critical } else { Severity::Warning }
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
