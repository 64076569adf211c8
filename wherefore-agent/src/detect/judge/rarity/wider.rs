//! What is judged at the end of an interval, wider than groups: addresses, hosts, interfaces. Owns which of
//! several views of one event is told; refuses to remember.

use wherefore_common::{Counters, FlowKey};

use super::super::calm::Calm;
use super::super::circumstances::Circumstances;
use super::super::found::{Found, explains, is_about, is_part, is_search, probability};
use super::super::hosts::HostFound;
use super::super::silences::Silence;
use super::Rarity;
use crate::detect::addresses::Candidate;
use crate::detect::finding::{self, Finding, Grounds, Observed, Subject};
use crate::detect::held::{HeldBack, Reason};
use crate::detect::kind::{Class, Kind};
use crate::detect::series::Lesson;
use crate::detect::settings::RaritySettings;
use crate::traffic::group::GroupBy;
use crate::traffic::interval::Interval;
use rustc_hash::FxHashMap;

impl Rarity {
    /// Ends an interval: addresses, and interfaces as a whole, where nothing narrower explains what
    /// they did.
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
        self.newcomers.close();
        self.calm = Calm::of(&self.volumes, self.budgets.floor());
        self.close_addresses(around, findings);
        self.close_silences(around, findings);
        self.close_hosts(around, findings);
        self.close_totals(around, findings);
        self.budgets.close(interval.index);
        self.ends.pass(1);
        self.is_anything = false;
    }

    fn close_addresses(&mut self, around: Circumstances, findings: &mut Vec<Finding>) {
        let Self { addresses, settings, budgets, rules, wide, held, .. } = self;
        let mut found: Vec<Finding> = Vec::new();
        // Of a longer interval nobody knows how many flows or sources are usual.
        let is_judged = around.is_judged && around.times_as_long == 1.0;
        addresses.close(&mut |candidate| {
            let kind = candidate.kind;
            let intervals = candidate.observed.intervals;
            let since = around.index.saturating_sub(i64::from(intervals));
            if intervals > 1 && is_search(kind) && wide.searched(&candidate.group, since) {
                return Lesson::Ignored;
            }
            let is_explained = findings.iter().any(|finding| explains(finding, candidate))
                || matches!(kind, Kind::Upload | Kind::NewNetwork)
                    && [Class::Own, Class::Among, Class::Newcomer, Class::Host]
                        .iter()
                        .any(|class| budgets.tells_of(*class, |pair| is_about(pair, candidate)));
            let told = if is_judged && budgets.is_on(kind) && !is_explained {
                budgets.tells(Class::of(kind), &candidate.group, candidate.surprise, around.index)
            } else {
                None
            };
            let Some(threshold) = told else {
                if !is_explained && budgets.is_near(Class::of(kind), candidate.surprise) {
                    let reason = if is_judged { Reason::Budget } else { Reason::WarmUp };
                    held.note(held_address(candidate, reason), around.index);
                }
                return Lesson::Usual;
            };
            let course =
                wide.course(kind, &candidate.group, (around.index, intervals), rules.learn_after);
            let finding = address_finding(candidate, threshold, settings, course.becomes_usual);
            found.push(finding);
            if rules.is_learned { Lesson::Usual } else { course.lesson }
        });
        // Many pairs that hit one address are one flood.
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
            let told = self.budgets.tells(Class::Interface, &key, found.surprise, around.index);
            findings.extend(
                told.map(|threshold| {
                    self.total_finding(found, threshold, key, counters, main_flow)
                }),
            );
        }
    }

    /// Hosts that fell silent: what their pairs do is a part of that.
    fn close_silences(&mut self, around: Circumstances, findings: &mut Vec<Finding>) {
        for silence in self.silences.close(self.hosts.senders()) {
            let is_told = self.budgets.is_told(Class::Stop, &silence.group);
            if !around.is_judged || silence.is_old && !is_told {
                continue;
            }
            let surprise = silence.surprise.min(self.ends.surprise(&silence.group, true));
            let silence = Silence { surprise, ..silence };
            let told =
                self.budgets.tells(Class::Stop, &silence.group, silence.surprise, around.index);
            let Some(threshold) = told else {
                let reason = self.budgets.is_near(Class::Stop, silence.surprise);
                let subject = Subject::new(Kind::Stop, GroupBy::Src, &silence.group, 0);
                let reason = reason.then_some(Reason::Budget);
                self.hold(reason, subject, silence.surprise, 0, around.index);
                continue;
            };
            findings
                .retain(|finding| finding.kind != Kind::Stop || !silence.covers(&finding.group));
            let mut finding = self.silence_finding(&silence, threshold);
            let course = self.wide.course(
                Kind::Stop,
                &silence.group,
                (around.index, 1),
                self.rules.learn_after,
            );
            finding.becomes_usual = course.becomes_usual;
            if course.becomes_usual {
                self.silences.forget(&silence);
            }
            findings.push(finding);
        }
    }

    fn silence_finding(&self, silence: &Silence, threshold: f32) -> Finding {
        let Silence { group, most, surprise, verdict, .. } = *silence;
        let found = Found { kind: Kind::Stop, surprise, what: Observed::Own(verdict) };
        Finding {
            kind: Kind::Stop,
            group_by: GroupBy::Src,
            group: FlowKey { ifindex: 0, ..group },
            ifindex: group.ifindex,
            counters: Counters::default(),
            main_flow: most,
            points: Vec::new(),
            probability: probability(surprise),
            threshold: probability(threshold),
            grounds: found.grounds(self.settings.interval),
            becomes_usual: false,
        }
    }

    /// Hosts whose minutes are rare by the hour and by the time of day, where nothing narrower says so.
    fn close_hosts(&mut self, around: Circumstances, findings: &mut Vec<Finding>) {
        let rare = self.hosts.close(self.floor());
        for found in rare {
            let is_explained = findings
                .iter()
                .any(|finding| finding.kind != Kind::Stop && found.is_about(&finding.main_flow))
                || [Class::Own, Class::Among, Class::Newcomer, Class::Flood, Class::Reflection]
                    .iter()
                    .any(|class| self.budgets.tells_of(*class, |group| found.is_about(group)));
            if !around.is_judged || is_explained {
                continue;
            }
            let key = found.subject();
            let told = self.budgets.tells(Class::Host, &key, found.surprise, around.index);
            let Some(threshold) = told else {
                let reason = self.budgets.is_near(Class::Host, found.surprise);
                let reason = reason.then_some(Reason::Budget);
                let subject = Subject::new(Kind::Volume, found.group_by(), &key, key.ifindex);
                self.hold(reason, subject, found.surprise, found.counters.bytes, around.index);
                continue;
            };
            self.hosts.report(&found);
            findings.push(self.host_finding(&found, threshold));
        }
    }

    /// Bytes below which a volume is a trifle.
    fn floor(&self) -> f32 {
        self.rules.min_bytes as f32
    }

    fn host_finding(&self, found: &HostFound, threshold: f32) -> Finding {
        let key = found.subject();
        Finding {
            kind: Kind::Volume,
            group_by: found.group_by(),
            group: FlowKey { ifindex: 0, ..key },
            ifindex: key.ifindex,
            counters: found.counters,
            main_flow: found.most,
            points: Vec::new(),
            probability: probability(found.surprise),
            threshold: probability(threshold),
            grounds: Grounds::Rarity(finding::Rarity {
                surprise: found.surprise,
                interval: self.settings.interval,
                observed: Observed::Host { seen: found.seen, usual: found.usual },
            }),
            becomes_usual: false,
        }
    }

    fn total_finding(
        &self,
        found: Found,
        threshold: f32,
        key: FlowKey,
        counters: Counters,
        main_flow: FlowKey,
    ) -> Finding {
        Finding {
            kind: found.kind,
            group_by: GroupBy::Interface,
            group: FlowKey { ifindex: 0, ..key },
            ifindex: key.ifindex,
            counters,
            main_flow,
            points: Vec::new(),
            probability: probability(found.surprise),
            threshold: probability(threshold),
            grounds: found.grounds(self.settings.interval),
            becomes_usual: false,
        }
    }
}
fn held_address(candidate: &Candidate<'_>, reason: Reason) -> HeldBack {
    let Candidate { kind, group_by, group, surprise, counters, .. } = *candidate;
    let subject = Subject::new(kind, group_by, &group, group.ifindex);
    HeldBack { reason, subject, surprise, bytes: counters.bytes }
}

fn address_finding(
    candidate: &Candidate<'_>,
    threshold: f32,
    settings: &RaritySettings,
    becomes_usual: bool,
) -> Finding {
    Finding {
        kind: candidate.kind,
        group_by: candidate.group_by,
        group: FlowKey { ifindex: 0, ..candidate.group },
        ifindex: candidate.group.ifindex,
        counters: *candidate.counters,
        main_flow: *candidate.main_flow,
        points: Vec::new(),
        probability: probability(candidate.surprise),
        threshold: probability(threshold),
        grounds: Grounds::Rarity(finding::Rarity {
            surprise: candidate.surprise,
            interval: settings.interval,
            observed: Observed::Address(candidate.observed),
        }),
        becomes_usual,
    }
}
