//! Jobs that fail to come: a service of a host that moved much at this time on each of the last days, and
//! little today. Owns when a job is missed and when it is back; refuses to decide what is reported.
//!
//! Only a week is remembered, so that a job counts if it came on each of six days. These include a day of a
//! weekend: what is done on working days is not missed on Saturday.

use std::cmp::Ordering;
use std::net::IpAddr;

use rustc_hash::FxHashSet;
use wherefore_common::FlowKey;
use wherefore_common::flow::address;

use super::Hosts;
use super::host::{DAY, GRAIN, HOUR, Host, STEPS, octaves};
use super::job::{Missed, Missing};
use crate::detect::detectors::exp2;
use crate::detect::finding::{HostSide, Observed};
use crate::traffic::group::GroupBy;

/// The days on each of which it came.
const DAYS: usize = 6;
/// Octaves below the least of these days, from which on it is missed: an eighth.
const DROP: f32 = 3.0;
/// The surprise of a job that did not come, after it came on each of six days: once in eight days of 5 s, by the
/// rule of succession.
const SURPRISE: f32 = 5.14;
/// What each further octave adds, and the most that all add.
const SURPRISE_PER_OCTAVE: f32 = 0.1;
const MOST_ADDED_SURPRISE: f32 = 2.0;

impl Host {
    /// The least that it moved on one of the last days between two hours ago and an hour ago, if it moved little
    /// from an hour before to an hour after that time today.
    fn misses(&self) -> Option<f32> {
        if self.age < (DAYS * DAY + 2 * HOUR) as u64 {
            return None;
        }
        let most = |from: usize, to: usize| {
            f32::from((from..=to).map(|back| self.slot(back)).max().unwrap_or(0)) / GRAIN
        };
        let days = (1..=DAYS).map(|day| most(day * DAY + HOUR + 1, day * DAY + 2 * HOUR));
        let least = days.fold(f32::INFINITY, f32::min);
        (most(1, 3 * HOUR) < least - DROP).then_some(least)
    }

    /// Updates whether a job is missed, at the end of a slot.
    fn miss(&mut self, least_octaves: f32) {
        let now = f32::from(self.slot(1)) / GRAIN;
        let (age, day) = (self.age, DAY as u64);
        self.missed = match self.missed {
            Some(missed) => {
                Some(missed).filter(|it| now < it.least - DROP && age - it.since <= day)
            }
            None => self.misses().filter(|least| *least >= least_octaves).map(|least| Missed {
                since: age,
                least,
                is_reported: false,
            }),
        };
    }
}

impl Hosts {
    /// The services that are missed: at the end of each five minutes, those that are new, and those that were
    /// reported and have not come. Only the largest is returned for each service, because both of its ends have a
    /// record, and for each host, because several services that stop together are one event. Jobs of a host that is
    /// itself silent are not returned.
    pub(crate) fn missing(&mut self, hosts: &Self, floor: f32) -> Vec<Missing> {
        let ends_slot = self.passed == 0 && self.steps.is_multiple_of(STEPS as u64);
        // A job may have run while the agent was down.
        let watched = (self.steps - self.watched_since) / STEPS as u64;
        if !ends_slot || watched <= 3 * HOUR as u64 {
            return Vec::new();
        }
        let mut due = Vec::new();
        for (place, host) in self.hosts.iter_mut().enumerate() {
            let Some(service) = host.key.service else { continue };
            host.miss(octaves(floor));
            let is_due = |missed: &Missed| missed.is_reported || missed.since == host.age;
            let is_present = |it: &Missed| it.is_reported || hosts.presence.is_settled(&host.key);
            if let Some(missed) = host.missed.filter(is_due).filter(is_present) {
                due.push((missed.is_reported, missed.least, place, service, host.key.address));
            }
        }
        // Those that were reported come first, then the largest.
        due.sort_unstable_by(|one, other| {
            let of = |due: &(bool, f32, usize, _, _)| (due.0, due.1);
            of(other).partial_cmp(&of(one)).unwrap_or(Ordering::Equal).then(one.2.cmp(&other.2))
        });
        let (mut services, mut addresses) = (FxHashSet::default(), FxHashSet::default());
        due.retain(|(.., service, address)| {
            services.insert(*service) && addresses.insert(*address)
        });
        due.into_iter().filter_map(|(_, _, place, ..)| self.missing_at(place)).collect()
    }

    fn missing_at(&self, place: usize) -> Option<Missing> {
        let host = &self.hosts[place];
        let Missed { since, least, is_reported } = host.missed?;
        let key = host.key;
        let group_by = if key.is_sender { GroupBy::Src } else { GroupBy::Dst };
        let flow = FlowKey { src: key.address, dst: key.address, family: key.family, ..host.most };
        let group = FlowKey { ifindex: host.ifindex, ..group_by.key(&flow) };
        let address: IpAddr = address(key.family, &key.address);
        let service = key.service;
        let (is_sender, is_peer_inside) = (key.is_sender, key.is_peer_inside);
        let side = HostSide { address, is_sender, is_peer_inside, service };
        let every = (self.step * STEPS as u64) as u32;
        let observed =
            Observed::Missed { host: side, least: exp2(least), days: DAYS as u32, every };
        let added = (SURPRISE_PER_OCTAVE * (least - DROP)).clamp(0.0, MOST_ADDED_SURPRISE);
        let (surprise, is_old) = (SURPRISE + added, host.age - since >= DAY as u64);
        // After a restart its last flow is not known.
        let most = if host.most.family == 0 { flow } else { host.most };
        Some(Missing { place, group_by, group, most, surprise, observed, is_reported, is_old })
    }

    /// A missing job was reported.
    pub(crate) fn report_missing(&mut self, missing: &Missing) {
        if let Some(missed) = &mut self.hosts[missing.place].missed {
            missed.is_reported = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use wherefore_common::Counters;
    use wherefore_common::flow::address_words;

    use super::*;

    const DAY_MINUTES: u64 = 24 * 60;
    const GIGABYTE: u64 = 1_000_000_000;

    /// Minutes in which a missing job was returned, of a backup that runs on these days from 02:00 on, a few
    /// minutes earlier or later each day; it is reported. `late` is a further run.
    fn missing(days: std::ops::Range<u64>, until: u64, late: Option<u64>) -> Vec<u64> {
        let words = |last| address_words(IpAddr::V4(Ipv4Addr::new(10, 0, 1, last))).1;
        let flow = |dport| FlowKey {
            src: words(20),
            dst: words(50),
            sport: 40_000,
            dport,
            protocol: 6,
            family: 4,
            ..FlowKey::default()
        };
        let moved =
            |bytes| Counters { bytes, packets: 1, device_packets: 1, ..Counters::default() };
        let (mut hosts, mut services) =
            (Hosts::new(Duration::from_secs(60)), Hosts::new(Duration::from_secs(60)));
        let mut found = Vec::new();
        for minute in 0..until * DAY_MINUTES {
            let (day, of_day) = (minute / DAY_MINUTES, minute % DAY_MINUTES);
            let start = 120 + day * 7 % 20;
            let is_job = days.contains(&day) && (start..start + 20).contains(&of_day)
                || late.is_some_and(|late| (late..late + 20).contains(&minute));
            let job = is_job.then(|| (flow(873), moved(GIGABYTE)));
            for (flow, counters) in [(flow(443), moved(50_000))].into_iter().chain(job) {
                hosts.collect(&flow, &counters);
                services.collect_service(&flow, &counters, &hosts);
            }
            hosts.close(100_000.0);
            services.close_services(&hosts, 100_000.0);
            for missing in services.missing(&hosts, 100_000.0) {
                services.report_missing(&missing);
                assert_eq!(missing.group.src, words(20), "the sender");
                found.push(minute);
            }
        }
        found
    }

    #[test]
    fn a_job_that_came_on_each_of_six_days_is_missed_for_a_day_or_until_it_comes() {
        let from = 6 * DAY_MINUTES;
        let all = missing(0..6, 8, None);
        let first = all[0] - from;
        assert!((170..240).contains(&first), "within about an hour of its end: {first}");
        let (step, last) = (all[1] - all[0], all.last().copied().unwrap());
        assert_eq!((step, last), (5, all[0] + DAY_MINUTES), "each five minutes, for a day");
        let late = from + 400;
        let until_late = missing(0..6, 8, Some(late));
        let last = until_late.last().copied().unwrap();
        assert!((late - 5..late + 5).contains(&last), "until it came: {last}");
    }

    #[test]
    fn a_job_is_not_missed_if_it_comes_or_is_not_known_for_six_days() {
        assert_eq!(missing(0..8, 8, None), [0; 0]);
        assert_eq!(missing(1..6, 8, None), [0; 0], "it came on five days only");
    }
}
