//! The order in which the findings of an interval are handled, whom each is about, and when each incident began. Owns
//! that one event is reported once; refuses to know the open incidents.

use rustc_hash::FxHashMap;
use wherefore_common::flow::AddressWords;
use wherefore_common::{Counters, FlowKey};

use crate::detect::addresses::is_inside;
use crate::detect::event::{Moment, Progress};
use crate::detect::finding::{Finding, Observed, Rarity, Subject};
use crate::detect::kind::Kind;
use crate::traffic::group::GroupBy;

/// Two addresses, the lower one first.
pub(super) type Endpoints = [AddressWords; 2];

/// The two addresses of a finding, if they identify the event.
pub(super) fn endpoints(finding: &Finding) -> Option<Endpoints> {
    let is_of_pair = !matches!(
        finding.kind,
        Kind::Stop | Kind::NewCountry | Kind::NewAsn | Kind::Country | Kind::Asn
    );
    let is_of_addresses =
        matches!(finding.group_by, GroupBy::Pair | GroupBy::Flow | GroupBy::Src | GroupBy::Dst);
    let FlowKey { src, dst, .. } = finding.main_flow;
    let is_wanted = is_of_pair && is_of_addresses && finding.rarity().is_some();
    is_wanted.then(|| [src.min(dst), src.max(dst)])
}

/// A host in one of its two roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Actor {
    address: AddressWords,
    family: u8,
    is_sender: bool,
}

/// Whether a finding is about what one pair transfers, or one new address.
pub(super) fn is_of_pair(subject: &Subject) -> bool {
    matches!(subject.group_by, GroupBy::Pair | GroupBy::Flow) || subject.kind == Kind::NewNetwork
}

/// The inside ends of a finding about what addresses transfer.
pub(super) fn actors(finding: &Finding) -> impl Iterator<Item = Actor> {
    let is_transfer = matches!(finding.kind, Kind::Volume | Kind::Upload | Kind::NewNetwork)
        && finding.rarity().is_some()
        && finding.group_by != GroupBy::Interface;
    let flow = finding.main_flow;
    [(flow.src, true), (flow.dst, false)]
        .into_iter()
        .filter(move |(_, is_sender)| is_transfer && is_inside(&flow, *is_sender))
        .map(move |(address, is_sender)| Actor { address, family: flow.family, is_sender })
}

/// The sums of a new incident. That of a newcomer began when it appeared.
pub(super) fn first_progress(finding: &Finding, at: Moment) -> Progress {
    let mut progress = Progress::begin(at);
    if let Some(Rarity { observed: Observed::Newcomer { seen, age, .. }, .. }) = finding.rarity() {
        let before = (*seen as u64).saturating_sub(finding.counters.bytes);
        progress.began_before(before, age.saturating_sub(1), at);
    }
    progress
}

/// Of two findings that are each other's reverse direction, puts one first: the one with at least twice the
/// bytes, otherwise the one that began the conversation. The rest of the order does not change.
pub(super) fn leading_direction_first(mut findings: Vec<Finding>) -> Vec<Finding> {
    let place: FxHashMap<Subject, usize> =
        findings.iter().enumerate().map(|(at, finding)| (finding.subject(), at)).collect();
    for at in 0..findings.len() {
        let answer = place.get(&findings[at].subject().reversed());
        let Some(&answer) = answer.filter(|answer| **answer > at) else { continue };
        if represents(&findings[answer].counters, &findings[at].counters) {
            findings.swap(at, answer);
        }
    }
    findings
}

/// Whether one direction represents the conversation better than the other.
fn represents(one: &Counters, other: &Counters) -> bool {
    if one.bytes / 2 >= other.bytes || other.bytes / 2 >= one.bytes {
        return one.bytes > other.bytes;
    }
    (one.first_ns as i64) < other.first_ns as i64
}

/// Keeps one finding for each group, the strongest, however many interfaces it passed. Sorts the most unusual
/// first, in a deterministic order.
pub(super) fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut strongest: FxHashMap<Subject, Finding> = FxHashMap::default();
    for finding in findings {
        match strongest.get_mut(&finding.subject()) {
            Some(known) if known.weight() >= finding.weight() => {}
            Some(known) => *known = finding,
            None => {
                strongest.insert(finding.subject(), finding);
            }
        }
    }
    let mut merged: Vec<_> = strongest.into_values().collect();
    merged.sort_by(|one, other| {
        other.weight().cmp(&one.weight()).then_with(|| one.subject().cmp(&other.subject()))
    });
    merged
}
