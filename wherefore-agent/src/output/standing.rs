//! The current state of a target: its traffic in the last reading, its open incidents, and findings about it
//! that were held back. Owns these facts and their sentences; the history owns earlier traffic.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::message::alert::{Alert, Status};
use crate::message::held::{HeldRecord, summary};
use crate::output::reading::{Reading, Volume};
use crate::output::terminal::model::{Counts, Flow, TargetTraffic};
use crate::text::{self, Bytes};

/// The most flows in the answer.
const MOST_FLOWS: usize = 20;
/// The most flows in a sentence.
const SHOWN_FLOWS: usize = 3;
/// The most held back findings in the answer.
const MOST_HELD: usize = 20;

/// The current facts about a target.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Standing {
    /// End of the last reading, RFC 3339.
    pub time: String,
    /// Length of the last reading in seconds.
    pub seconds: f64,
    /// IP-layer bytes that were received in it.
    pub in_bytes: u64,
    /// IP-layer bytes that were sent in it.
    pub out_bytes: u64,
    /// Its largest flows.
    pub flows: Vec<LiveFlow>,
    /// Incidents about it that are not over.
    pub open: Vec<Alert>,
    /// The last findings about it that were held back, the newest first.
    pub held: Vec<HeldRecord>,
    /// The number of all findings that were held back since the start, by reason.
    pub held_back: BTreeMap<String, u64>,
}

/// A flow of the last reading.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LiveFlow {
    /// The sender, with its port if there is one.
    pub src: String,
    /// The receiver, with its port if there is one.
    pub dst: String,
    /// Name of the protocol.
    pub protocol: String,
    /// IP-layer bytes in the last reading.
    pub bytes: u64,
    /// Packets on the wire.
    pub packets: u64,
    /// The process of this host.
    pub owner: Option<String>,
}

/// What detection knows besides the last reading.
#[derive(Debug, Clone, Copy)]
pub struct Judgement<'a> {
    /// Messages about incidents.
    pub alerts: &'a [&'a Alert],
    /// The last findings held back, the newest first.
    pub held: &'a [&'a HeldRecord],
    /// The number of all findings that were held back, by reason.
    pub held_back: &'a BTreeMap<String, u64>,
}

impl Standing {
    /// The state of a target; without a target, of this host. `None` before the first reading.
    pub fn of(counts: &Counts, judged: Judgement<'_>, target: Option<&str>) -> Option<Self> {
        if counts.tick == 0 {
            return None;
        }
        let Reading { end_ns, .. } = *counts.last;
        let TargetTraffic { flows, volume: [received, sent] } = counts.target_traffic(target);
        let about = Names::new(target, &flows);
        let is_open = |alert: &&&Alert| alert.status != Status::Resolved && about.has_alert(alert);
        let is_held = |held: &&&HeldRecord| about.has([&held.src, &held.dst]);
        Some(Self {
            time: text::rfc3339(end_ns),
            seconds: counts.last.seconds(),
            in_bytes: received.bytes,
            out_bytes: sent.bytes,
            open: judged.alerts.iter().filter(is_open).map(|alert| Alert::clone(alert)).collect(),
            held: judged
                .held
                .iter()
                .filter(is_held)
                .take(MOST_HELD)
                .map(|held| HeldRecord::clone(held))
                .collect(),
            held_back: judged.held_back.clone(),
            flows: flows.iter().take(MOST_FLOWS).map(LiveFlow::of).collect(),
        })
    }

    /// The facts as sentences.
    pub fn sentences(&self) -> Vec<String> {
        let mut lines = vec![self.now()];
        lines.extend(self.largest_flows());
        match self.open.len() {
            0 => lines.push("The detector has no open incident about it.".to_owned()),
            1 => lines.push("The detector has an open incident about it:".to_owned()),
            many => lines.push(format!("The detector has {many} open incidents about it:")),
        }
        lines.extend(self.open.iter().map(|alert| format!("  {}", text::printable(&alert.text))));
        if !self.held.is_empty() {
            lines.push("Findings about it that were held back, so not reported:".to_owned());
            let line = |held: &HeldRecord| format!("  {}: {}", held.time, held.line());
            lines.extend(self.held.iter().take(SHOWN_FLOWS).map(line));
        }
        lines.push(match summary(&self.held_back) {
            Some(words) => format!("Since the agent started, {words}."),
            None => "The agent has held nothing back.".to_owned(),
        });
        lines
    }

    fn now(&self) -> String {
        let length = text::seconds(self.seconds);
        if self.in_bytes + self.out_bytes == 0 {
            return format!("In the last {length} it moved nothing.");
        }
        let rate = |bytes: u64| Bytes(bytes as f64 / self.seconds);
        let (received, sent) = (rate(self.in_bytes), rate(self.out_bytes));
        format!("In the last {length} it received {received}/s and sent {sent}/s.")
    }

    fn largest_flows(&self) -> Option<String> {
        let flow = |flow: &LiveFlow| {
            let owner =
                flow.owner.as_ref().map_or_else(String::new, |owner| format!(" by {owner}"));
            let LiveFlow { src, dst, protocol, bytes, .. } = flow;
            format!("{src} -> {dst} {protocol}{owner} ({})", Bytes(*bytes as f64))
        };
        let flows: Vec<_> = self.flows.iter().take(SHOWN_FLOWS).map(flow).collect();
        (!flows.is_empty()).then(|| format!("The largest flows now: {}.", flows.join(", ")))
    }
}

impl LiveFlow {
    fn of(flow: &Flow) -> Self {
        let Flow { key, volume: Volume { bytes, packets }, owner } = flow;
        let by = crate::traffic::group::GroupBy::Flow;
        Self {
            src: by.source(key),
            dst: by.destination(key),
            protocol: text::protocol(key.protocol),
            bytes: *bytes,
            packets: *packets,
            owner: owner.clone(),
        }
    }
}

/// The names by which messages refer to a target.
struct Names {
    /// `None` for this host, which every message is about.
    target: Option<String>,
    /// Addresses of its flows.
    addresses: Vec<String>,
}

impl Names {
    fn new(target: Option<&str>, flows: &[Flow]) -> Self {
        let target = target.map(str::trim).filter(|text| !text.is_empty() && *text != "now");
        let is_address = target.is_none_or(|text| text.parse::<std::net::IpAddr>().is_ok());
        let ends = |flow: &Flow| [flow.key.src_ip().to_string(), flow.key.dst_ip().to_string()];
        let mut addresses: Vec<_> = match is_address {
            true => Vec::new(),
            false => flows.iter().take(MOST_FLOWS).flat_map(ends).collect(),
        };
        // This host's own address is in all messages, so it would match everything.
        addresses.sort_unstable();
        addresses.dedup();
        let count =
            |address: &String| flows.iter().filter(|flow| ends(flow).contains(address)).count();
        addresses.retain(|address| flows.len() < 2 || count(address) < flows.len());
        Self { target: target.map(str::to_owned), addresses }
    }

    fn has(&self, sides: [&String; 2]) -> bool {
        let Some(target) = &self.target else { return true };
        let is_it = |side: &str, name: &str| {
            side == name || side.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'))
        };
        let names = self.addresses.iter().chain([target]);
        names.into_iter().any(|name| sides.into_iter().any(|side| is_it(side, name)))
    }

    fn has_alert(&self, alert: &Alert) -> bool {
        let owner = &alert.owner;
        let owners = [&owner.name, &owner.unit, &owner.container_name, &owner.pod_name];
        let owns = owners.into_iter().flatten().any(|name| Some(name) == self.target.as_ref());
        owns || self.has([&alert.src, &alert.dst])
    }
}
