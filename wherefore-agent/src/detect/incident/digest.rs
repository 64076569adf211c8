//! The summary of incidents that the rate limit holds back. Owns which peer it names.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::detect::event::{DigestSum, Moment, Progress};
use crate::detect::finding::Finding;
use crate::detect::kind::Severity;

/// The most peers that are counted; further ones are not named.
const DIGEST_PEERS: usize = 1024;

/// The incidents that the rate limit holds back.
#[derive(Debug, Clone)]
pub(super) struct Digest {
    pub(super) sum: DigestSum,
    peers: FxHashMap<IpAddr, u32>,
    pub(super) last_fired: i64,
    pub(super) last_reported: i64,
}

impl DigestSum {
    fn add(&mut self, finding: &Finding) {
        self.count += 1;
        self.probability = self.probability.max(finding.probability);
        self.severity = self.severity.max(finding.severity());
        self.update(finding);
    }

    pub(super) fn update(&mut self, finding: &Finding) {
        self.progress.bytes = self.progress.bytes.saturating_add(finding.counters.bytes);
    }
}

impl Digest {
    pub(super) fn new(index: i64, at: Moment) -> Self {
        let progress = Progress::begin(at);
        let severity = Severity::Warning;
        let sum = DigestSum { progress, count: 0, probability: 0.0, severity, peer: None };
        Self { sum, peers: FxHashMap::default(), last_fired: index, last_reported: index }
    }

    pub(super) fn add(&mut self, finding: &Finding) {
        self.sum.add(finding);
        for address in [finding.group.src_ip(), finding.group.dst_ip()] {
            if self.peers.len() < DIGEST_PEERS || self.peers.contains_key(&address) {
                *self.peers.entry(address).or_default() += 1;
            }
        }
        // The lowest address of several with the same number, so that the same incidents give the same text.
        let most = self.peers.iter().max_by_key(|(address, count)| {
            (!address.is_unspecified(), **count, std::cmp::Reverse(**address))
        });
        self.sum.peer = most.map(|(address, count)| (*address, *count));
    }
}
