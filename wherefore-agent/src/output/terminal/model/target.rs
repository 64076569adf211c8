//! Finds the flows of the last reading that a word is about: an address, a prefix, a process, a unit, a
//! country and so on. Owns the order in which meanings are tried, which is the same as the history's.

use std::net::IpAddr;

use ipnet::IpNet;
use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;

use super::counts::{Counts, Flow};
use super::subject::{Dimension, FlowSubjects, Subject, SubjectIndex};
use crate::output::reading::Volume;

/// The kinds of rows in which names are searched, in this order.
pub(crate) const NAMED: [Dimension; 9] = [
    Dimension::Process,
    Dimension::Unit,
    Dimension::Container,
    Dimension::Pod,
    Dimension::User,
    Dimension::Name,
    Dimension::Country,
    Dimension::As,
    Dimension::Interface,
];

/// What a word means in the current traffic.
#[derive(Debug, Clone, PartialEq)]
enum Meaning {
    All,
    Within(IpNet),
    Named(Dimension, String),
    Port(u16),
}

/// The traffic of a target in the last reading.
#[derive(Debug, Clone, Default)]
pub(crate) struct TargetTraffic {
    /// Its flows, the largest first.
    pub(crate) flows: Vec<Flow>,
    /// Their traffic, in and out.
    pub(crate) volume: [Volume; 2],
}

impl Counts {
    /// The flows of a target in the last reading; without a target, all flows.
    pub(crate) fn target_traffic(&self, target: Option<&str>) -> TargetTraffic {
        let reading = &self.last;
        let subjects = SubjectIndex::of(reading);
        let meaning = self.meaning(target.map(str::trim).filter(|text| !text.is_empty()));
        let mut traffic = TargetTraffic::default();
        let mut flows: FxHashMap<FlowKey, Flow> = FxHashMap::default();
        for moved in &reading.flows {
            let key = moved.key();
            let seen = FlowSubjects::new(key, &subjects, moved, &self.names);
            if self.is_meant(&meaning, &seen, &key) {
                traffic.volume[seen.side as usize].add(moved.volume);
                let flow = flows.entry(key).or_insert_with(|| Flow::new(key, reading, moved));
                flow.volume.add(moved.volume);
            }
        }
        if meaning == Meaning::All {
            traffic.volume.iter_mut().zip(reading.more).for_each(|(sum, more)| sum.add(more));
        }
        traffic.flows = flows.into_values().collect();
        traffic.flows.sort_by_key(|flow| (std::cmp::Reverse(flow.volume.bytes), flow.key));
        traffic
    }

    fn meaning(&self, target: Option<&str>) -> Meaning {
        let Some(text) = target.filter(|text| *text != "now") else { return Meaning::All };
        if let Ok(address) = text.parse::<IpAddr>() {
            return Meaning::Within(address.into());
        }
        if let Ok(prefix) = text.parse::<IpNet>() {
            return Meaning::Within(prefix);
        }
        let has =
            |by: Dimension| self.table(by).iter().any(|(subject, _)| self.calls(subject, by, text));
        let named = NAMED.into_iter().find(|by| has(*by));
        match (named, text.parse()) {
            (None, Ok(port)) => Meaning::Port(port),
            (by, _) => Meaning::Named(by.unwrap_or_default(), text.to_owned()),
        }
    }

    fn is_meant(&self, meaning: &Meaning, seen: &FlowSubjects<'_>, key: &FlowKey) -> bool {
        match meaning {
            Meaning::All => true,
            Meaning::Within(prefix) => {
                prefix.contains(&key.src_ip()) || prefix.contains(&key.dst_ip())
            }
            Meaning::Named(by, text) => self.calls(&seen.subject(*by), *by, text),
            Meaning::Port(port) => key.sport == *port || key.dport == *port,
        }
    }

    fn calls(&self, subject: &Subject, by: Dimension, text: &str) -> bool {
        let interface = |number: u32| {
            let known = self.interfaces.iter().find(|(known, _)| *known == number);
            known.map_or_else(String::new, |(_, name)| name.clone())
        };
        subject.is_called(by, text, &interface)
    }
}
