//! An alert in one line, for a person who is woken up by it: severity, kind, source and destination
//! (direction, interface), how much, compared with what, since when. Owns the pattern and which ends it
//! names; [`super::reason`] explains why it is unusual.

use std::net::{IpAddr, SocketAddr};

use wherefore_common::{Direction, FlowKey};

use crate::attribute::Ends;
use crate::detect::addresses::{Observation, is_inside};
use crate::detect::finding::{Finding, Observed};
use crate::detect::kind::{Kind, Severity, Status};
use crate::message::alert::{Alert, OtherGroup};
use crate::text::{self, Bytes, grouped};
use crate::traffic::group::{ANY, GroupBy};

/// The subject of an alert: `unusual upload: 10.0.0.1 -> 198.51.100.7:5201/tcp (outbound, eth0)`.
pub(super) fn headline(finding: &Finding, ends: &Ends<'_>, interface: &str) -> String {
    let direction = direction(&finding.main_flow);
    let (name, who) = (name(finding, direction), who(finding, ends));
    if finding.group_by == GroupBy::Interface {
        return format!("{name}: all of {interface} ({direction})");
    }
    format!("{name}: {who} ({direction}, {interface})")
}

/// The direction of a flow, seen from the host. Capture files do not record it; there, private addresses
/// count as inside.
fn direction(flow: &FlowKey) -> &'static str {
    match flow.direction() {
        Direction::Ingress => "inbound",
        Direction::Egress => "outbound",
        Direction::Unknown => match (is_inside(flow, true), is_inside(flow, false)) {
            (true, false) => "outbound",
            (false, true) => "inbound",
            (true, true) => "internal",
            (false, false) => "passing",
        },
    }
}

fn name(finding: &Finding, direction: &str) -> &'static str {
    match finding.kind {
        Kind::Volume if finding.group_by == GroupBy::Interface => "unusual traffic",
        Kind::Volume => match direction {
            "outbound" => "unusual upload",
            "inbound" => "unusual download",
            _ => "unusual transfer",
        },
        Kind::Flood => "flood",
        Kind::Reflection => "reflection attack",
        Kind::Scan => "port scan",
        Kind::Sweep => "address sweep",
        Kind::Upload => "one-sided upload",
        Kind::Beacon => "beacon",
        Kind::Stop => "silence",
        Kind::NewNetwork => "new network",
        Kind::NewCountry => "new country",
        Kind::NewAsn => "new AS",
        Kind::Country => "watched country",
        Kind::Asn => "watched AS",
        Kind::Digest => "more incidents",
        Kind::Test => "test",
    }
}

/// Source and destination, with the facts about both.
fn who(finding: &Finding, ends: &Ends<'_>) -> String {
    let Finding { group_by, group, main_flow, .. } = finding;
    let (source, target) = (main_flow.src_ip(), main_flow.dst_ip());
    if let Some(Observed::Address(observed)) = finding.rarity().map(|rarity| rarity.observed) {
        return of_address(finding.kind, &observed, main_flow, ends);
    }
    match group_by {
        GroupBy::Pair if main_flow.family == 0 => {
            format!(
                "{} -> {}",
                ends.source(&source_of(finding)),
                ends.destination(&target_of(finding))
            )
        }
        GroupBy::Pair => {
            let (source, target) = with_service(source, target, main_flow);
            format!("{} -> {}", ends.source(&source), ends.destination(&target))
        }
        GroupBy::Src if finding.kind == Kind::Stop => ends.source(&group_by.source(group)),
        GroupBy::Dst if finding.kind == Kind::Stop => ends.destination(&target_of(finding)),
        GroupBy::Src => {
            format!(
                "{}, most to {}",
                ends.source(&source_of(finding)),
                endpoint(target, main_flow.dport, main_flow)
            )
        }
        GroupBy::Dst => {
            format!(
                "{}, most from {}",
                ends.destination(&target_of(finding)),
                endpoint(source, main_flow.sport, main_flow)
            )
        }
        GroupBy::Country | GroupBy::Asn => {
            format!("{} -> {}", source_of(finding), target_of(finding))
        }
        _ => format!(
            "{} -> {}",
            ends.source(&source_of(finding)),
            ends.destination(&target_of(finding))
        ),
    }
}

fn source_of(finding: &Finding) -> String {
    finding.group_by.source(&finding.group)
}

fn target_of(finding: &Finding) -> String {
    finding.group_by.destination(&finding.group)
}

/// The address that scans, floods or is new, and its target.
fn of_address(kind: Kind, observed: &Observation, flow: &FlowKey, ends: &Ends<'_>) -> String {
    let (source, target) = (flow.src_ip(), flow.dst_ip());
    let service = endpoint(target, flow.dport, flow);
    match kind {
        Kind::Scan if observed.peers <= 1 => {
            format!("{} -> {target}", ends.source(&source.to_string()))
        }
        Kind::Scan => {
            let many = grouped(observed.peers);
            format!("{} -> {many} addresses, most to {target}", ends.source(&source.to_string()))
        }
        Kind::Sweep => format!("{} -> many addresses", ends.source(&source.to_string())),
        Kind::Flood => format!("many sources -> {service}"),
        Kind::Reflection => {
            format!("many servers -> {}", ends.destination(&target.to_string()))
        }
        _ => {
            let (source, target) = with_service(source, target, flow);
            format!("{source} -> {target}")
        }
    }
}

/// Both ends. The end that offers the service gets its port; it is usually the end with the lower port.
fn with_service(source: IpAddr, target: IpAddr, flow: &FlowKey) -> (String, String) {
    if flow.sport == 0 && flow.dport == 0 {
        return (source.to_string(), target.to_string());
    }
    if flow.dport <= flow.sport {
        (source.to_string(), endpoint(target, flow.dport, flow))
    } else {
        (endpoint(source, flow.sport, flow), target.to_string())
    }
}

/// An address with port and protocol: `198.51.100.7:5201/tcp`.
fn endpoint(address: IpAddr, port: u16, flow: &FlowKey) -> String {
    let protocol = text::protocol(flow.protocol);
    if flow.sport == 0 && flow.dport == 0 {
        return format!("{address} ({protocol})");
    }
    format!("{}/{protocol}", SocketAddr::new(address, port))
}

/// The severity as a word in capitals.
pub(super) fn severity_label(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "CRITICAL",
        Severity::Warning => "WARNING",
        Severity::Info => "INFO",
    }
}

impl Alert {
    /// The line for an incident that begins or continues; `time` is the end of the interval.
    pub(super) fn line(&self, time: &str) -> String {
        let (severity, host) = (severity_label(self.severity), &self.host);
        let (headline, why, others) = (&self.headline, self.why(), self.others_named());
        format!("{time} {host}: {severity} {headline}, {why}{others}{}", self.so_far())
    }

    /// The other groups: `; also to 10.0.0.5, 10.0.0.6 and 3 more`.
    fn others_named(&self) -> String {
        /// The most that are named in a line.
        const NAMED: usize = 3;
        let named: Vec<_> = self.others.iter().take(NAMED).map(|other| self.other(other)).collect();
        match (named.as_slice(), self.others_count.saturating_sub(named.len() as u64)) {
            ([], _) => String::new(),
            ([one], 0) => format!("; also {one}"),
            ([first @ .., last], 0) => format!("; also {} and {last}", first.join(", ")),
            (all, more) => format!("; also {} and {} more", all.join(", "), grouped(more)),
        }
    }

    /// Another group, by the end that differs from the subject's.
    fn other(&self, other: &OtherGroup) -> String {
        let OtherGroup { src, dst, .. } = other;
        let is_known = |end: &str| end == ANY || end == self.src || end == self.dst;
        match (is_known(src), is_known(dst)) {
            (true, false) => format!("to {dst}"),
            (false, true) => format!("from {src}"),
            _ => format!("{src} -> {dst}"),
        }
    }

    /// The reason, or the volume and the methods' probabilities.
    fn why(&self) -> String {
        if !self.reason.is_empty() {
            return self.reason.clone();
        }
        let moved = if self.packets == 0 {
            format!("nothing moved in {:.1} s", self.interval_seconds)
        } else {
            let (bytes, rate) = (Bytes(self.bytes as f64), Bytes(self.bytes_per_second));
            format!("{bytes} in {:.1} s ({rate}/s)", self.interval_seconds)
        };
        let methods: Vec<_> = self.methods.iter().map(|(name, p)| method_text(name, *p)).collect();
        let (usually, methods) = (self.usually(), methods.join(", "));
        format!("{moved}; {usually}; probability {:.2} ({methods})", self.probability)
    }

    fn usually(&self) -> String {
        match self.ratio {
            None => "normally nothing".to_owned(),
            Some(ratio) => {
                let usual = Bytes(self.usual_bytes);
                let decimals = if ratio < 10.0 { 1 } else { 0 };
                format!("normally {usual} ({ratio:.decimals$} times as much)")
            }
        }
    }

    fn so_far(&self) -> String {
        if self.status != Status::Update {
            return String::new();
        }
        let lasts = text::seconds(self.incident_seconds);
        format!("; {} in {lasts} and continuing", Bytes(self.incident_bytes as f64))
    }

    /// The line for an incident that is over.
    pub(super) fn farewell(&self, time: &str) -> String {
        let host = &self.host;
        let in_all = Bytes(self.incident_bytes as f64);
        let after = text::seconds(self.incident_seconds);
        let at_most = match self.kind {
            Kind::Digest | Kind::Test => String::new(),
            _ => format!(", at most {}/s", Bytes(self.peak_bytes_per_second)),
        };
        let (headline, others) = (&self.headline, self.others_named());
        format!("{time} {host}: OVER {headline}{others}, {in_all} in {after}{at_most}")
    }
}

fn method_text(name: &str, probability: Option<f64>) -> String {
    probability.map_or_else(|| format!("{name} none"), |p| format!("{name} {p:.2}"))
}
