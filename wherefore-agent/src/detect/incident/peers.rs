//! Findings that belong to an open incident: the other direction, another view of the same two addresses, the
//! sum over a host or an interface, and other peers of the same host. Owns which open incident a finding joins,
//! and what is reported about that; refuses to judge.
//!
//! Whoever copies files from five machines, or sends to eight new addresses, causes a finding for each pair.
//! The first one that is reported leads; the others join it, and its updates name them.

use wherefore_common::Counters;

use super::order::{actors, endpoints, is_of_pair};
use super::{Incidents, Open, SOON};
use crate::detect::event::{EventKind, Moment};
use crate::detect::finding::{Finding, Subject};
use crate::detect::kind::{Kind, Status};
use crate::traffic::group::GroupBy;
use crate::traffic::interval::Interval;

/// A finding joins an incident that began at most this many intervals before: a quarter of an hour of 5 s.
const JOINS_WITHIN: i64 = 180;

impl Incidents {
    /// Whether a finding without an incident of its own says only what an open incident says.
    pub(super) fn is_part_of_open(&mut self, finding: &Finding, index: i64) -> bool {
        self.is_answer(finding, index)
            || self.is_same_event(finding, index)
            || self.is_sum_of_open(finding, index)
    }

    /// Whether a finding is the reverse direction of an open incident, because both directions are one
    /// incident. With the Go tool's methods they are two.
    fn is_answer(&mut self, finding: &Finding, index: i64) -> bool {
        let subject = finding.subject();
        if finding.rarity().is_none() || subject == subject.reversed() {
            return false;
        }
        let open = self.open.get_mut(&subject.reversed());
        open.map(|open| open.others_fired = index).is_some()
    }

    /// Whether a finding is another view of an open, reported incident. For example, it is one event that two
    /// addresses transfer too much, that one of them is new, and that the other sends more than it receives.
    fn is_same_event(&mut self, finding: &Finding, index: i64) -> bool {
        let known = endpoints(finding).and_then(|endpoints| self.by_endpoints.get(&endpoints));
        let Some(known) = known else { return false };
        let open =
            self.open.get_mut(known).filter(|open| open.is_reported || open.leader.is_some());
        open.map(|open| {
            open.others_fired = index;
            open.holds = open.holds.max(finding.holds());
        })
        .is_some()
    }

    /// The open incident that a finding joins: that of another peer of the same host, unless the finding is
    /// worse, which is reported on its own.
    pub(super) fn leader(&self, finding: &Finding, index: i64) -> Option<Subject> {
        let subject = finding.subject();
        let joins = |leader: &Subject| {
            self.open.get(leader).is_some_and(|open| {
                let is_recent = index.saturating_sub(open.first) <= JOINS_WITHIN;
                is_recent && !open.has_grown(finding)
            })
        };
        let mut leaders = actors(finding).filter_map(|actor| self.actors.get(&actor));
        leaders.find(|leader| is_of_pair(&subject) && joins(leader)).copied()
    }

    /// Whether a finding is about the sum of what open incidents are about: the interface, or all peers of a
    /// host.
    fn is_sum_of_open(&mut self, finding: &Finding, index: i64) -> bool {
        let is_interface = finding.group_by == GroupBy::Interface && finding.kind == Kind::Volume;
        let usual = finding.usual_bytes().unwrap_or(0.0);
        let explains = |open: &Open| {
            let is_there =
                open.finding.as_ref().is_some_and(|known| known.ifindex == finding.ifindex);
            let excess = finding.counters.bytes as f64 - usual;
            is_interface && is_there && 2.0 * open.progress.last_bytes as f64 >= excess
        };
        let is_of_host = !is_of_pair(&finding.subject());
        let of_host = actors(finding).filter(|_| is_of_host).find_map(|actor| {
            let leader = self.actors.get(&actor)?;
            let is_worse = self.open.get(leader).is_none_or(|open| open.has_grown(finding));
            (!is_worse).then_some(*leader)
        });
        let is_part = |(subject, open): &(&Subject, &mut Open)| {
            of_host.is_some_and(|leader| leader == **subject) || explains(open)
        };
        let parts = self.open.iter_mut().filter(is_part);
        parts.map(|(_, open)| open.others_fired = index).count() > 0
    }

    /// From now on, others may join the incident of a reported finding.
    pub(super) fn accept_others(&mut self, finding: &Finding) {
        self.actors.extend(actors(finding).map(|actor| (actor, finding.subject())));
        if let Some(open) = self.open.get_mut(&finding.subject()) {
            open.finding = Some(Box::new(finding.clone()));
        }
    }

    /// Adds the bytes of a group to the incident that it joined; an update is due if it has just joined, or grown.
    pub(super) fn add_to_leader(
        &mut self,
        subject: Subject,
        (bytes, at): (u64, Moment),
        index: i64,
        (begins, is_due): (bool, bool),
    ) {
        let Some(leader) = self.open.get(&subject).and_then(|open| open.leader) else { return };
        let is_sum = !is_of_pair(&leader);
        let Some(leader) = self.open.get_mut(&leader) else { return };
        if !is_sum {
            leader.progress.add(bytes, at);
        }
        leader.others.add(subject, bytes, begins);
        leader.others_fired = index;
        leader.has_update |= is_due;
    }

    /// Updates about incidents that others have joined: at once for the first, and then once a minute.
    pub(super) fn report_joined(&mut self, interval: &Interval) -> Vec<EventKind> {
        let (index, mut events) = (interval.index, Vec::new());
        for (subject, open) in self.open.iter_mut().filter(|(_, open)| open.has_update) {
            let since = index.saturating_sub(open.last_reported);
            let is_due = open.others_reported == 0 || since >= SOON;
            let Some(finding) = open.finding.as_mut().filter(|_| is_due) else { continue };
            finding.counters = traffic(interval, subject);
            let (finding, others) = (finding.clone(), open.others.clone());
            (open.has_update, open.last_reported, open.others_reported) =
                (false, index, others.count);
            let status = Status::Update;
            events.push((
                *subject,
                EventKind::Incident { status, finding, progress: open.progress, others },
            ));
        }
        events.sort_unstable_by_key(|(subject, _)| *subject);
        events.into_iter().map(|(_, event)| event).collect()
    }
}

/// The traffic of a group in an interval.
fn traffic(interval: &Interval, subject: &Subject) -> Counters {
    let Subject { kind, group_by, group } = subject;
    let mut sum = Counters::default();
    for (flow, counters) in interval.flows.iter() {
        let key = group_by.key(&flow);
        if Subject::new(*kind, *group_by, &key, flow.ifindex).group == *group {
            sum.merge(&counters);
        }
    }
    sum
}
