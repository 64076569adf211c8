//! Makes the record of an alert and its line of text from a finding. Owns the fields, the key and the frame
//! of the sentence; [`super::reason`] words the reason.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use wherefore_common::FlowKey;

use super::settings::{AlertContext, Settings};
use super::{line, reason};
use crate::attribute::Ends;
use crate::detect::event::{DigestSum, Moment, Other, Others, Progress};
use crate::detect::finding::{Finding, Grounds, Rarity};
use crate::detect::kind::{Kind, Severity, Status};
use crate::message::alert::{Alert, KeyScope, OtherGroup, SCHEMA};
use crate::message::daily::DaySums;
use crate::message::owner::OwnerRecord;
use crate::text;
use crate::traffic::group::{ANY, GroupBy};

/// Turns findings of one interval into words.
pub(super) struct Wording<'a> {
    pub(super) settings: &'a Settings,
    pub(super) context: &'a AlertContext<'a>,
    pub(super) at: Moment,
}

impl Wording<'_> {
    /// The key of a finding's incident.
    fn key(&self, finding: &Finding) -> String {
        let Finding { kind, group_by, group, ifindex, .. } = finding;
        let (src, dst) = (group_by.source(group), group_by.destination(group));
        if *group_by == GroupBy::Interface {
            // The traffic of an interface is identified by its name and the direction.
            let interface = (self.context.interface_name)(*ifindex);
            return self.key_of(*kind, *group_by, &interface, group.direction().as_str());
        }
        self.key_of(*kind, *group_by, &src, &dst)
    }

    /// Names and places of both ends.
    fn ends(&self, finding: &Finding) -> Ends<'static> {
        let addresses = match finding.grounds {
            Grounds::Place { peer } => [None, Some(peer)],
            _ => finding.group_by.addresses(&finding.group),
        };
        Ends::of(self.context.directory, addresses).into_owned()
    }

    fn key_of(&self, kind: Kind, group_by: GroupBy, src: &str, dst: &str) -> String {
        let host = match self.settings.key_scope {
            KeyScope::Host => self.context.host,
            KeyScope::Network => "",
        };
        key(kind, [host, group_by.name(), src, dst])
    }

    /// The alert about an incident that begins or continues.
    pub(super) fn alert(
        &self,
        status: Status,
        finding: &Finding,
        progress: &Progress,
        others: &Others,
    ) -> Alert {
        let methods = match &finding.grounds {
            Grounds::Methods(score) => {
                score.methods().map(|(method, p)| (method.name().to_owned(), p)).collect()
            }
            Grounds::Rarity(_) | Grounds::Place { .. } => BTreeMap::new(),
        };
        let (settings, at) = (self.settings, self.at);
        let Finding { kind, group_by, group, counters, main_flow, points, .. } = finding;
        let usual_bytes = finding.usual_bytes().unwrap_or_else(|| usual(points)) * at.times_as_long;
        let (src, dst) = (group_by.source(group), group_by.destination(group));
        let mut alert = Alert {
            status,
            key: self.key(finding),
            kind: *kind,
            severity: finding.severity(),
            started: text::rfc3339(progress.started_ns),
            time: text::rfc3339(at.end_ns),
            host: self.context.host.to_owned(),
            interface: (self.context.interface_name)(finding.ifindex),
            group_by: *group_by,
            src,
            dst,
            ends: self.ends(finding),
            bytes: counters.bytes,
            packets: counters.packets,
            interval_seconds: at.seconds(),
            bytes_per_second: self.at.rate(counters.bytes),
            usual_bytes,
            ratio: (usual_bytes > 0.0).then(|| counters.bytes as f64 / usual_bytes),
            probability: finding.probability,
            threshold: finding.threshold,
            due_seconds: finding.rarity().map(Rarity::expected_seconds),
            reason: String::new(),
            methods,
            protocol: main_flow.protocol,
            sport: main_flow.sport,
            dport: main_flow.dport,
            window: points.clone(),
            incident_seconds: progress.seconds_until(at.end_ns),
            incident_bytes: progress.bytes,
            peak_bytes_per_second: progress.peak,
            key_scope: settings.key_scope,
            labels: settings.labels.clone(),
            others: other_groups(others),
            others_count: others.count,
            others_bytes: others.bytes,
            owner: OwnerRecord::default(),
            evidence: Vec::new(),
            headline: String::new(),
            text: String::new(),
            schema: SCHEMA,
            group: *group,
        };
        alert.headline = line::headline(finding, &alert.ends, &alert.interface);
        alert.reason = reason::of(finding, &alert);
        alert.text = alert.line(&text::clock(at.end_ns));
        alert
    }

    /// The alert about an incident that is over, made from the last message about it.
    pub(super) fn over(
        &self,
        last: Alert,
        progress: &Progress,
        others: &Others,
        is_baseline: bool,
    ) -> Alert {
        let mut alert = Alert {
            others: other_groups(others),
            others_count: others.count,
            others_bytes: others.bytes,
            status: Status::Resolved,
            time: text::rfc3339(self.at.end_ns),
            incident_seconds: progress.seconds(),
            incident_bytes: progress.bytes,
            peak_bytes_per_second: progress.peak,
            ..last
        };
        alert.text = alert.farewell(&text::clock(self.at.end_ns));
        alert.text.push_str(match (is_baseline, alert.kind) {
            (true, _) => "; it continues, and is part of the baseline from now on",
            (false, Kind::Stop) => "; it is back",
            (false, _) => "; back to normal",
        });
        alert
    }

    /// The summary of a day. It has no duration, and is not urgent.
    pub(super) fn daily(&self, sums: &DaySums, group_by: GroupBy) -> Alert {
        let DaySums { reported, held_back } = sums;
        let by_reason: Vec<_> = held_back
            .iter()
            .map(|(reason, count)| {
                format!("{} {}", text::grouped(*count), reason.replace('_', " "))
            })
            .collect();
        let held = text::grouped(held_back.values().sum());
        let (reported, by_reason) = (text::grouped(*reported), by_reason.join(", "));
        let headline = format!("last day: {reported} reported, {held} held back ({by_reason})");
        let (time, host) = (text::clock(self.at.end_ns), self.context.host);
        let severity = Severity::Info;
        let progress = Progress::begin(self.at);
        let sum = DigestSum { progress, count: 0, probability: 0.0, severity, peer: None };
        Alert {
            key: self.key_of(Kind::Digest, group_by, "", "day"),
            text: format!("{time} {host}: {} {headline}", line::severity_label(severity)),
            headline,
            ..self.digest(Status::Resolved, &sum, group_by, 0.0)
        }
    }

    /// The summary of incidents beyond the limit of those that are reported one by one.
    pub(super) fn digest(
        &self,
        status: Status,
        sum: &DigestSum,
        group_by: GroupBy,
        threshold: f64,
    ) -> Alert {
        let (settings, at) = (self.settings, self.at);
        let DigestSum { progress, count, probability, severity, peer } = sum;
        let time = text::clock(at.end_ns);
        let with =
            peer.map_or_else(String::new, |(peer, of)| format!(", {of} of them with {peer}"));
        let more = text::grouped(*count);
        let noun = if *count == 1 { "incident" } else { "incidents" };
        let host = self.context.host;
        Alert {
            status,
            key: self.key_of(Kind::Digest, group_by, "", ""),
            kind: Kind::Digest,
            severity: *severity,
            started: text::rfc3339(progress.started_ns),
            time: text::rfc3339(at.end_ns),
            host: host.to_owned(),
            interface: ANY.to_owned(),
            group_by,
            src: ANY.to_owned(),
            // The peer may change, but labels made from this field must not.
            dst: ANY.to_owned(),
            ends: Ends::default(),
            bytes: progress.bytes,
            packets: 0,
            interval_seconds: at.seconds(),
            bytes_per_second: self.at.rate(progress.bytes),
            usual_bytes: 0.0,
            ratio: None,
            probability: *probability,
            threshold,
            due_seconds: None,
            reason: String::new(),
            methods: BTreeMap::new(),
            protocol: 0,
            sport: 0,
            dport: 0,
            window: Vec::new(),
            incident_seconds: progress.seconds_until(at.end_ns),
            incident_bytes: progress.bytes,
            peak_bytes_per_second: 0.0,
            key_scope: settings.key_scope,
            labels: settings.labels.clone(),
            others: Vec::new(),
            others_count: 0,
            others_bytes: 0,
            owner: OwnerRecord::default(),
            evidence: Vec::new(),
            schema: SCHEMA,
            headline: format!("{more} more {noun}{with}"),
            text: format!(
                "{time} {host}: {} {more} more {noun}{with}, reported together (--alert-limit)",
                line::severity_label(*severity),
            ),
            group: FlowKey::default(),
        }
    }
}

/// The key of an incident: a digest of the facts about its subject that do not change.
fn key(kind: Kind, about: [&str; 4]) -> String {
    let mut digest = Sha256::new_with_prefix("wherefore incident 1");
    for part in [kind.as_str()].into_iter().chain(about) {
        // A separator, so that different parts cannot give the same text.
        digest.update([0]);
        digest.update(part);
    }
    digest.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The other groups of an incident, the largest first.
fn other_groups(others: &Others) -> Vec<OtherGroup> {
    let mut groups: Vec<_> = others
        .named
        .iter()
        .map(|Other { subject, bytes }| OtherGroup {
            src: subject.group_by.source(&subject.group),
            dst: subject.group_by.destination(&subject.group),
            bytes: *bytes,
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.bytes));
    groups
}

/// The median of all points except the newest; 0 if there are none.
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
