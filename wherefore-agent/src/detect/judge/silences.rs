//! Hosts that become silent. If a host stops sending to all of its peers, that is one event, which is found
//! sooner here than in any of its pairs. Owns the baseline of each host's silences; refuses to decide what is
//! reported.
//!
//! Only hosts that have sent for hours are judged: a pod that comes and goes is not missed. In intervals
//! without any traffic, hosts do not count as silent.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wherefore_common::flow::AddressWords;
use wherefore_common::{Counters, FlowKey};

use super::found::{LASTING, is_late};
use crate::detect::detectors::{Detector, FlowDetector, FlowState, Test, Verdict, believed, log2};
use crate::traffic::group::GroupBy;
use std::f32::consts::LOG10_2;

/// The most hosts, some 400 bytes each.
const MOST: usize = 1024;
/// Silent intervals after which a silence is not reported any more, and another host may take the slot: a day of 5 s.
const IDLE: u32 = 17_280;

/// The traffic that a host sent in an interval, to peers on one side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    pub(super) address: AddressWords,
    pub(super) family: u8,
    pub(super) ifindex: u32,
    pub(super) counters: Counters,
    /// Its largest flow.
    pub(super) most: FlowKey,
    /// Whether it has ever sent to more than one peer on that side.
    pub(super) has_peers: bool,
}

/// The hosts, and how long each has been silent.
#[derive(Debug, Clone, Default)]
pub(super) struct Silences {
    detector: FlowDetector,
    places: FxHashMap<(AddressWords, u8), usize>,
    hosts: Vec<Host>,
}

/// The state that survives a restart.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Kept(Vec<(AddressWords, u8, FlowState)>);

#[derive(Debug, Clone)]
struct Host {
    last: Sender,
    state: FlowState,
    /// In this interval.
    bytes: u64,
    quiet: u32,
    /// The highest surprise of this silence.
    highest: f32,
    has_peers: bool,
}

/// A host that is silent for longer than usual.
#[derive(Debug, Clone, Copy)]
pub(super) struct Silence {
    /// The host as a group of [`GroupBy::Src`].
    pub(super) group: FlowKey,
    /// The largest flow when it last sent something.
    pub(super) most: FlowKey,
    pub(super) surprise: f32,
    pub(super) verdict: Verdict,
    /// The number of intervals since the host was first seen.
    pub(super) lasted: i64,
    /// Whether it has lasted so long that it should have been reported earlier.
    pub(super) is_old: bool,
}

impl Silence {
    /// Whether a group is one of this host's.
    pub(super) fn covers(&self, group: &FlowKey) -> bool {
        covers(&self.group, group)
    }
}

/// Whether `host`, a group by source alone, is an end of the other group.
pub(super) fn covers(host: &FlowKey, group: &FlowKey) -> bool {
    let is_host = host.dst == AddressWords::default() && host.src != AddressWords::default();
    is_host && host.family == group.family && (group.src == host.src || group.dst == host.src)
}

impl Silences {
    /// Ends an interval in which these hosts sent something.
    pub(super) fn close(&mut self, senders: impl Iterator<Item = Sender>) -> Vec<Silence> {
        let mut is_anybody = false;
        for sender in senders {
            is_anybody = true;
            let Some(place) = self.place(&sender) else { continue };
            let host = &mut self.hosts[place];
            host.bytes = host.bytes.saturating_add(sender.counters.bytes);
            host.has_peers |= sender.has_peers;
            host.last = sender;
        }
        if !is_anybody {
            return Vec::new();
        }
        let lasting = self.hosts.iter().filter(|host| host.state.active() >= LASTING).count();
        let among = LOG10_2 * log2(lasting.max(1) as f32);
        let Self { detector, hosts, .. } = self;
        hosts.iter_mut().filter_map(|host| host.step(detector, among)).collect()
    }

    fn place(&mut self, sender: &Sender) -> Option<usize> {
        let name = (sender.address, sender.family);
        if let Some(place) = self.places.get(&name) {
            return Some(*place);
        }
        let host = Host::new(*sender);
        let place = if self.hosts.len() < MOST {
            self.hosts.push(host);
            self.hosts.len() - 1
        } else {
            let idle = self.hosts.iter().position(|host| host.quiet >= IDLE)?;
            let old = std::mem::replace(&mut self.hosts[idle], host);
            self.places.remove(&(old.last.address, old.last.family));
            idle
        };
        self.places.insert(name, place);
        Some(place)
    }

    /// Whether a host has sent nothing for some time. `None` if it is not tracked, such as hosts outside.
    pub(super) fn is_silent(&self, address: AddressWords, family: u8) -> Option<bool> {
        /// Intervals of silence that are more than a pause.
        const PAUSE: u32 = 2;
        let place = self.places.get(&(address, family))?;
        Some(self.hosts[*place].quiet >= PAUSE)
    }

    /// The highest surprise of this silence, which is `surprise` or an earlier one. A silence lasts until the host
    /// sends again, even if it becomes less surprising meanwhile because other hosts fall silent for good.
    pub(super) fn highest(&mut self, silence: &Silence, surprise: f32) -> f32 {
        let name = (silence.group.src, silence.group.family);
        let host = self.places.get(&name).and_then(|place| self.hosts.get_mut(*place));
        host.map_or(surprise, |host| {
            host.highest = host.highest.max(surprise);
            host.highest
        })
    }

    /// Forgets a host whose silence has lasted so long that it is no longer missed.
    pub(super) fn forget(&mut self, silence: &Silence) {
        let name = (silence.group.src, silence.group.family);
        if let Some(host) = self.places.get(&name).and_then(|place| self.hosts.get_mut(*place)) {
            host.state = FlowState::new();
        }
    }

    pub(super) fn keep(&self) -> Kept {
        let lasting = self.hosts.iter().filter(|host| host.state.active() >= LASTING);
        Kept(lasting.map(|host| (host.last.address, host.last.family, host.state)).collect())
    }

    pub(super) fn resume(&mut self, kept: Kept) {
        for (address, family, state) in kept.0.into_iter().take(MOST) {
            let counters = Counters::default();
            let most = FlowKey { src: address, family, ..FlowKey::default() };
            let sender = Sender { address, family, ifindex: 0, counters, most, has_peers: false };
            if let Some(place) = self.place(&sender) {
                self.hosts[place].state = state;
            }
        }
    }
}

impl Host {
    fn new(last: Sender) -> Self {
        let state = FlowState::new();
        Self { last, state, bytes: 0, quiet: 0, highest: 0.0, has_peers: false }
    }

    fn step(&mut self, detector: &FlowDetector, among: f32) -> Option<Silence> {
        let bytes = std::mem::take(&mut self.bytes);
        (self.quiet, self.highest) = match bytes {
            0 => (self.quiet.saturating_add(1), self.highest),
            _ => (0, 0.0),
        };
        let active = self.state.active();
        let age = self.state.age();
        let verdict = detector.step(&mut self.state, bytes as f64);
        let is_missed = bytes == 0 && active >= LASTING && self.has_peers;
        if !is_missed || verdict.test != Test::Gap {
            return None;
        }
        let Sender { address, family, ifindex, most, .. } = self.last;
        let of = FlowKey { src: address, family, ifindex, ..FlowKey::default() };
        Some(Silence {
            group: GroupBy::Src.key(&of),
            most,
            surprise: verdict.score.min(believed(age as f32)) - among,
            verdict,
            lasted: age.into(),
            is_old: is_late(&verdict, active) || self.quiet > IDLE,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(number: u64, has_peers: bool) -> Sender {
        let counters = Counters { packets: 1, bytes: 1000, ..Counters::default() };
        let most = FlowKey { src: [number, 0], dst: [99, 0], family: 4, ..FlowKey::default() };
        Sender { address: [number, 0], family: 4, ifindex: 1, counters, most, has_peers }
    }

    /// The silences found in each interval after both hosts have sent for long; then only the other does.
    fn found(intervals: u32, has_peers: bool, quiet: usize) -> Vec<Vec<Silence>> {
        let mut silences = Silences::default();
        for _ in 0..intervals {
            let both = [sender(1, has_peers), sender(2, true)];
            assert!(silences.close(both.into_iter()).is_empty());
        }
        (0..quiet).map(|_| silences.close([sender(2, true)].into_iter())).collect()
    }

    #[test]
    fn a_busy_host_is_missed_within_a_minute() {
        let found = found(2000, true, 12);
        let first = found.iter().flatten().next().expect("it is missed");
        assert_eq!((first.group.src, first.group.dst), ([1, 0], [0, 0]));
        assert!(first.surprise > 4.0, "{first:?}");
        assert!(first.covers(&sender(1, true).most) && !first.covers(&sender(2, true).most));
    }

    #[test]
    fn a_host_that_comes_and_goes_or_has_one_peer_is_not_missed() {
        assert!(found(500, true, 12).iter().all(Vec::is_empty), "it sent for minutes only");
        assert!(found(2000, false, 12).iter().all(Vec::is_empty), "the pair says it");
    }

    #[test]
    fn a_silence_stays_as_surprising_as_it_was_until_the_host_sends() {
        let mut silences = Silences::default();
        let both = || [sender(1, true), sender(2, true)].into_iter();
        (0..2000).for_each(|_| drop(silences.close(both())));
        let mut quiet = || silences.close([sender(2, true)].into_iter());
        let silence = (0..12).flat_map(|_| quiet()).last().expect("it is missed");
        assert_eq!(silences.highest(&silence, 5.0), 5.0);
        assert_eq!(silences.highest(&silence, 3.0), 5.0);
        drop(silences.close(both()));
        assert_eq!(silences.highest(&silence, 3.0), 3.0);
    }

    /// Its pauses are so long that twenty times as long would be two days.
    #[test]
    fn a_silence_of_more_than_a_day_is_no_news() {
        let mut silences = Silences::default();
        let mut step = |is_sending: bool| {
            let senders = [sender(2, true), sender(1, true)].into_iter();
            silences.close(senders.take(1 + usize::from(is_sending)))
        };
        for _ in 0..10 {
            (0..400).for_each(|_| drop(step(true)));
            (0..2000).for_each(|_| drop(step(false)));
        }
        drop(step(true));
        let is_old: Vec<_> =
            (0..=IDLE).map(|_| step(false).first().map(|silence| silence.is_old)).collect();
        assert!(is_old.contains(&Some(false)), "a longer pause than usual is news");
        assert_eq!(is_old.last(), Some(&Some(true)));
        assert!(
            !is_old[..IDLE as usize].contains(&Some(true)),
            "it is old after a day, not before"
        );
    }

    #[test]
    fn while_nobody_sends_nobody_is_missed() {
        let mut silences = Silences::default();
        (0..2000).for_each(|_| drop(silences.close([sender(1, true)].into_iter())));
        assert!((0..100).all(|_| silences.close(std::iter::empty()).is_empty()));
    }
}
