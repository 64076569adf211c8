//! Judges subjects wider than a group at the end of an interval: addresses, hosts, interfaces. Owns which of
//! several views of one event is reported; refuses to keep state.

use rustc_hash::FxHashMap;
use wherefore_common::{Counters, FlowKey};

use super::super::circumstances::Circumstances;
use super::super::fast_path::FastPath;
use super::super::found::{Basis, Found, explains, is_about, is_part, is_search, probability};
use super::super::hosts::{HostFound, Missing};
use super::super::silences::Silence;
use super::Rarity;
use crate::detect::addresses::Candidate;
use crate::detect::finding::{Finding, Observed, Subject};
use crate::detect::held::{HeldBack, Reason};
use crate::detect::kind::{Class, Kind};
use crate::detect::series::BaselineUpdate;
use crate::traffic::group::GroupBy;
use crate::traffic::interval::Interval;

/// If one of these classes reported a host, its five-minute totals are not reported as well.
const SAY_THE_SAME: [Class; 7] = [
    Class::Own,
    Class::Among,
    Class::Newcomer,
    Class::Host,
    Class::Service,
    Class::Flood,
    Class::Reflection,
];

impl Rarity {
    /// Ends an interval. Judges addresses, hosts and interfaces, unless a narrower finding explains them.
    pub(in super::super) fn close(
        &mut self,
        interval: &Interval,
        around: Circumstances,
        findings: &mut Vec<Finding>,
    ) {
        self.waits = self.waits.saturating_sub(1);
        if self.waits == 0 {
            self.resumed = FxHashMap::default();
        }
        self.volumes.close();
        self.newcomers.close(around.index);
        self.fast_path = FastPath::of(&self.volumes, self.budgets.floor());
        self.close_addresses(around, findings);
        self.close_silences(around, findings);
        self.close_hosts(around, findings);
        self.close_missing(around, findings);
        self.close_totals(around, findings);
        self.budgets.close(interval.index);
        self.ended_ns = interval.end_ns;
        self.churn.pass(1);
        self.is_anything = false;
    }

    fn close_addresses(&mut self, around: Circumstances, findings: &mut Vec<Finding>) {
        let (interval, watched) = (self.settings.interval, self.volumes.intervals());
        let Self { addresses, budgets, rules, address_reports, held, .. } = self;
        let mut found: Vec<Finding> = Vec::new();
        // For a longer interval, the usual number of flows or sources is not known.
        let is_judged = around.is_judged && around.times_as_long == 1.0;
        addresses.close(&mut |candidate| {
            let kind = candidate.kind;
            let intervals = candidate.observed.intervals;
            let since = around.index.saturating_sub(i64::from(intervals));
            if intervals > 1
                && is_search(kind)
                && address_reports.has_search(&candidate.group, since)
            {
                return BaselineUpdate::Freeze;
            }
            let is_explained = findings.iter().any(|finding| explains(finding, candidate))
                || matches!(kind, Kind::Upload | Kind::NewNetwork)
                    && [Class::Own, Class::Among, Class::Newcomer, Class::Host, Class::Service]
                        .iter()
                        .any(|class| {
                            budgets.has_reported(*class, |pair| is_about(pair, candidate))
                        });
            let expected = budgets.expected(Class::of(kind), candidate.surprise);
            let reportable = if is_explained {
                Err(None)
            } else if is_judged {
                budgets.observe(Class::of(kind), &candidate.group, candidate.surprise, around.index)
            } else {
                let is_near = budgets.is_near(Class::of(kind), candidate.surprise);
                Err(is_near.then_some(Reason::WarmUp))
            };
            let threshold = match reportable {
                Ok(threshold) => threshold,
                Err(reason) => {
                    let held_back = |reason| Wider::of_address(candidate).held(reason, expected);
                    reason.into_iter().for_each(|why| held.note(held_back(why), around.index));
                    return BaselineUpdate::Learn;
                }
            };
            let treatment = address_reports.record(
                kind,
                &candidate.group,
                (around.index, intervals),
                rules.learn_after,
            );
            let wider = Wider::of_address(candidate);
            let finding = wider.finding(threshold, Basis { interval, watched, expected });
            found.push(Finding { becomes_usual: treatment.becomes_usual, ..finding });
            if rules.is_learned { BaselineUpdate::Learn } else { treatment.update }
        });
        // Many pairs with the same target are one flood.
        findings.retain(|finding| !found.iter().any(|wider| is_part(finding, wider)));
        findings.append(&mut found);
    }

    fn close_totals(&mut self, around: Circumstances, findings: &mut Vec<Finding>) {
        let mut rare = Vec::new();
        self.totals.close(around.times_as_long, |total, verdict, series| {
            let surprise = verdict.score - (series as f32).log10();
            let found = Found { kind: Kind::Volume, surprise, what: Observed::Own(verdict) };
            if surprise > 0.0 {
                rare.push((found, total.key, total.counters, total.main_flow, total.border));
            }
        });
        for (found, key, counters, main_flow, border) in rare {
            let is_explained = findings.iter().any(|finding| finding.ifindex == key.ifindex);
            let counts = found.counts(counters.bytes as f64, border, self.rules);
            if !around.is_judged || is_explained || !counts {
                continue;
            }
            let wider = Wider { group_by: GroupBy::Interface, key, found, counters, main_flow };
            findings.extend(self.report_wider(Class::Interface, &wider, around.index));
        }
    }

    /// Judges hosts that became silent. The silences of their pairs are part of that event.
    fn close_silences(&mut self, around: Circumstances, findings: &mut Vec<Finding>) {
        for silence in self.silences.close(self.hosts.senders()) {
            let is_reported = self.budgets.is_reported(Class::Stop, &silence.group);
            if !around.is_judged || silence.is_old && !is_reported {
                continue;
            }
            let of_end = self.churn.surprise(&silence.group, true, silence.lasted);
            let surprise = self.silences.highest(&silence, silence.surprise.min(of_end));
            let wider = Wider::of_silence(&silence, surprise);
            let finding = self.report_wider(Class::Stop, &wider, around.index);
            let Some(mut finding) = finding else { continue };
            findings
                .retain(|finding| finding.kind != Kind::Stop || !silence.covers(&finding.group));
            let treatment = self.address_reports.record(
                Kind::Stop,
                &silence.group,
                (around.index, 1),
                self.rules.learn_after,
            );
            finding.becomes_usual = treatment.becomes_usual;
            if treatment.becomes_usual {
                self.silences.forget(&silence);
            }
            findings.push(finding);
        }
    }

    /// Judges the five-minute totals of hosts and then of their services, unless another report covers the
    /// same event.
    fn close_hosts(&mut self, around: Circumstances, findings: &mut Vec<Finding>) {
        let mut rare = self.hosts.close(self.floor());
        rare.append(&mut self.services.close_services(&self.hosts, self.floor()));
        for found in rare {
            let class = found.class();
            let is_said = findings.iter().any(|finding| {
                finding.kind != Kind::Stop && found.is_covered_by(&finding.main_flow)
            }) || SAY_THE_SAME
                .iter()
                .filter(|other| **other != class)
                .any(|other| self.budgets.has_reported(*other, |group| found.is_covered_by(group)));
            if !around.is_judged || is_said {
                continue;
            }
            let finding = self.report_wider(class, &Wider::of_host(&found), around.index);
            if let Some(finding) = finding {
                let hosts = if class == Class::Host { &mut self.hosts } else { &mut self.services };
                hosts.report(&found);
                self.address_reports.add(Kind::Volume, &found.subject(), around.index);
                findings.push(finding);
            }
        }
    }

    /// Jobs that did not come at their time of day, until they come or a day has passed.
    fn close_missing(&mut self, around: Circumstances, findings: &mut Vec<Finding>) {
        for missing in self.services.missing(&self.hosts, self.floor()) {
            let wider = Wider::of_missing(&missing);
            let finding = if missing.is_reported {
                let class = Class::Missing;
                let basis = self.basis(class, missing.surprise);
                Some(wider.finding(self.budgets.threshold(class), basis))
            } else if around.is_judged {
                self.report_wider(Class::Missing, &wider, around.index)
            } else {
                None
            };
            let Some(finding) = finding else { continue };
            self.services.report_missing(&missing);
            findings.push(Finding { becomes_usual: missing.is_old, ..finding });
        }
    }

    /// The finding to report about a host or an interface. `None` if it is too ordinary, or if the budget
    /// holds it back, which is counted.
    fn report_wider(&mut self, class: Class, wider: &Wider, index: i64) -> Option<Finding> {
        let surprise = wider.found.surprise;
        match self.budgets.observe(class, &wider.key, surprise, index) {
            Ok(threshold) => Some(wider.finding(threshold, self.basis(class, surprise))),
            Err(reason) => {
                let expected = self.budgets.expected(class, surprise);
                let held = reason.map(|reason| wider.held(reason, expected));
                held.iter().for_each(|held| self.held.note(*held, index));
                None
            }
        }
    }

    /// Bytes below which a volume is ignored.
    fn floor(&self) -> f32 {
        self.rules.min_bytes as f32
    }
}

/// A rare event of a subject wider than a group.
struct Wider {
    group_by: GroupBy,
    /// The address, or the interface, as a group of that grouping.
    key: FlowKey,
    found: Found,
    counters: Counters,
    main_flow: FlowKey,
}

impl Wider {
    fn of_address(candidate: &Candidate<'_>) -> Self {
        let Candidate { kind, group_by, group: key, surprise, counters, main_flow, observed } =
            *candidate;
        let found = Found { kind, surprise, what: Observed::Address(observed) };
        Self { group_by, key, found, counters: *counters, main_flow: *main_flow }
    }

    fn of_silence(silence: &Silence, surprise: f32) -> Self {
        let Silence { group: key, most: main_flow, verdict, .. } = *silence;
        let found = Found { kind: Kind::Stop, surprise, what: Observed::Own(verdict) };
        Self { group_by: GroupBy::Src, key, found, counters: Counters::default(), main_flow }
    }

    fn of_missing(missing: &Missing) -> Self {
        let Missing { group_by, group: key, most: main_flow, surprise, observed, .. } = *missing;
        let found = Found { kind: Kind::Stop, surprise, what: observed };
        Self { group_by, key, found, counters: Counters::default(), main_flow }
    }

    fn of_host(host: &HostFound) -> Self {
        let HostFound { surprise, counters, most: main_flow, seen, usual, .. } = *host;
        let what = Observed::Host { seen, usual, host: host.side() };
        let found = Found { kind: Kind::Volume, surprise, what };
        Self { group_by: host.group_by(), key: host.subject(), found, counters, main_flow }
    }

    /// A record that this is held back. Such an event is expected once in 10^`surprise` intervals.
    fn held(&self, reason: Reason, surprise: f32) -> HeldBack {
        let subject = Subject::new(self.found.kind, self.group_by, &self.key, self.key.ifindex);
        HeldBack { reason, subject, surprise, bytes: self.counters.bytes }
    }

    fn finding(&self, threshold: f32, basis: Basis) -> Finding {
        let Self { group_by, key, found, counters, main_flow } = *self;
        Finding {
            kind: found.kind,
            group_by,
            group: FlowKey { ifindex: 0, ..key },
            ifindex: key.ifindex,
            counters,
            main_flow,
            points: Vec::new(),
            probability: probability(found.surprise),
            threshold: probability(threshold),
            grounds: found.grounds(basis),
            becomes_usual: false,
        }
    }
}
