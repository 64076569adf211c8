//! Rarity of a group: by its own history, among all groups, as a newcomer; and whether it is reported. Owns
//! the order of these steps; refuses to keep state.

use wherefore_common::FlowKey;

use super::super::calling::Persistence;
use super::super::circumstances::Circumstances;
use super::super::fast_path::FastPath;
use super::super::found::{Found, LASTING, border_bytes, class_of, is_late, probability};
use super::super::newcomers::Newcomer;
use super::super::silences::covers;
use super::super::snapshot::WORTH_IT;
use super::{ENDED, RARE, Rarity};
use crate::detect::detectors::{
    Detector, FlowDetector, FlowState, Verdict, YOUTH, believed, bytes_of_level, level,
};
use crate::detect::finding::{Observed, Subject};
use crate::detect::held::{HeldBack, Reason};
use crate::detect::kind::{Class, Kind};
use crate::detect::series::Window;
use crate::traffic::group::GroupBy;

impl Rarity {
    /// Steps a group's detector. Returns the finding to report, with the threshold that it exceeds.
    pub(super) fn judge_group(
        &mut self,
        window: &Window<'_>,
        around: Circumstances,
    ) -> Option<(Found, f64)> {
        let value = window.points.newest();
        self.add_group(window, around);
        self.count_ends(window, around.index);
        let newcomer = self.newcomers.judge(window.slot, value, around.index);
        if newcomer.is_none() && self.take_fast_path(window.slot, value) {
            return None;
        }
        let before = self.members.unpack(window.slot);
        let mut state = before;
        let is_young = before.active() < YOUTH;
        let verdict = self.detector.step(&mut state, value);
        if !is_young {
            self.volumes.judged();
        }
        let own =
            if is_young { None } else { self.judge_own(verdict, window, &before, around.index) };
        let moved = newcomer.map(|newcomer| self.newcomer(newcomer, is_young.then_some(value)));
        let needed = self.budgets.threshold(Class::Newcomer);
        let is_enough = moved.is_some_and(|moved| moved.surprise >= needed);
        let calls = self.newcomers.calls(window.slot, value, around.index);
        let calls = calls.filter(|_| !is_enough).map(found_calls);
        let new = calls.filter(|calls| calls.surprise >= self.budgets.threshold(Class::Calls));
        let new = new.or(moved);
        let found = match (own, new) {
            (Some(own), Some(new)) if own.kind != Kind::Stop && own.surprise < new.surprise => {
                Some(new)
            }
            (own, new) => own.or(new),
        };
        let is_settling = is_young
            && self.reported.get(&window.slot).is_some_and(|reported| reported.is_accepted);
        let found = found.filter(|_| !is_settling);
        let found = found.filter(|found| !self.is_of_silent_host(found, &window.key()));
        let news = found.and_then(|found| self.report(found, window, value, around));
        if news.is_some_and(|(found, _)| found.class() == Class::Calls) {
            self.newcomers.report_calls(window.slot);
        }
        if let Some((found, _)) = news.filter(|_| !self.rules.is_learned) {
            FlowDetector::freeze_baseline(&before, &mut state);
            let reported = self.reported.entry(window.slot).or_default();
            let volume = found.volume();
            reported.rarest = if reported.rarest > volume { reported.rarest } else { volume };
        } else {
            // A reported event belongs to the baseline from now on: if it recurs, it is not reported.
            let rarest =
                self.reported.get_mut(&window.slot).and_then(|reported| reported.rarest.take());
            if let Some((intervals, bytes)) = rarest {
                FlowDetector::learn_block(&mut state, intervals, bytes);
                self.volumes.count(level(f64::from(bytes)), is_young, false);
            }
            if value > 0.0 {
                self.volumes.count(level(value), is_young, is_young && around.is_judged);
            }
        }
        self.members.pack(window.slot, &state);
        news
    }

    /// Returns a finding about a group, with the threshold that it exceeds, if it must be reported. Otherwise
    /// counts it as held back.
    fn report(
        &mut self,
        found: Found,
        window: &Window<'_>,
        value: f64,
        around: Circumstances,
    ) -> Option<(Found, f64)> {
        let (class, group) = (found.class(), window.key());
        let is_rare = found.surprise >= self.budgets.threshold(class);
        let is_more = found.counts(value, border_of(window), self.rules);
        let threshold = if !around.is_judged {
            Err(is_rare.then_some(Reason::WarmUp))
        } else if !is_more {
            Err(is_rare.then_some(Reason::Minimum))
        } else {
            self.budgets.observe(class, &group, found.surprise, around.index)
        };
        match threshold {
            Ok(threshold) => Some((found, probability(threshold))),
            Err(reason) => {
                let subject = Subject::new(found.kind, self.rules.group_by, &group, group.ifindex);
                let surprise = self.budgets.expected(class, found.surprise);
                let bytes = window.activity.bytes();
                let held = reason.map(|reason| HeldBack { reason, subject, surprise, bytes });
                held.iter().for_each(|held| self.held.note(*held, around.index));
                None
            }
        }
    }

    /// If a group has been silent for so long that it is gone, counts those of its ends that send nothing as
    /// gone.
    fn count_ends(&mut self, window: &Window<'_>, index: i64) {
        let is_end = window.quiet == ENDED && self.is_anything;
        if is_end && self.members.active(window.slot) >= WORTH_IT {
            let group = window.key();
            let lasted = self.first_flows.end(window.slot, index);
            for side in [true, false] {
                if self.is_gone(&group, side) {
                    self.churn.count(&group, side, lasted);
                }
            }
        }
    }

    /// Whether an end of a group no longer sends anything, as far as this host sees.
    fn is_gone(&self, group: &FlowKey, is_source: bool) -> bool {
        let address = if is_source { group.src } else { group.dst };
        self.silences.is_silent(address, group.family).unwrap_or(true)
    }

    /// How surprising the end of a silent group's addresses is among similar addresses; infinite if none has
    /// ended.
    fn surprise_of_end(&self, group: &FlowKey, lasted: i64) -> f32 {
        let gone = [true, false].into_iter().filter(|side| self.is_gone(group, *side));
        gone.map(|side| self.churn.surprise(group, side, lasted)).fold(f32::INFINITY, f32::min)
    }

    /// Returns a silence only if the group is missed: not if a visitor leaves, and not if a reported event
    /// ends. `active` is the number of intervals with traffic.
    fn missed_group(
        &self,
        stop: Found,
        window: &Window<'_>,
        active: f32,
        index: i64,
    ) -> Option<Found> {
        let group = window.key();
        let lasted = self.first_flows.lasted(window.slot, index);
        let is_pair = self.rules.group_by == GroupBy::Pair;
        let is_visit = is_pair && self.first_flows.is_asked_from_outside(window.slot, &group);
        let surprise = stop.surprise.min(self.surprise_of_end(&group, lasted));
        let since = index.saturating_sub(lasted);
        let is_of_report = self.newcomers.is_reported(window.slot)
            || active < LASTING && self.address_reports.has_any_about(&group, since);
        let is_missed = (active >= LASTING || !is_visit) && !is_of_report;
        is_missed.then_some(Found { surprise, ..stop })
    }

    /// Whether a group's silence is part of a report about its host.
    fn is_of_silent_host(&self, found: &Found, group: &FlowKey) -> bool {
        found.kind == Kind::Stop
            && self.budgets.has_reported(Class::Stop, |host| covers(host, group))
    }

    /// Processes an interval on the fast path, if it cannot alert by the group's own history or among all
    /// groups at the start of the interval. This holds for most intervals and saves a copy of the state.
    /// Returns whether it did.
    fn take_fast_path(&mut self, slot: usize, value: f64) -> bool {
        let y = level(value);
        let FastPath { ordinary, level } = &self.fast_path;
        let is_usual = self.members.active(slot) >= YOUTH
            && self.reported.get(&slot).is_none_or(|reported| reported.rarest.is_none())
            && (y <= *level || self.volumes.anyone(y).surprise <= 0.0)
            && self.detector.step_ordinary(&mut self.members, slot, value, ordinary);
        if is_usual {
            self.volumes.judged();
            self.volumes.count(y, false, false);
        }
        is_usual
    }

    /// Adds a new group, with its history of an earlier run or of the series, if there is one.
    fn add_group(&mut self, window: &Window<'_>, around: Circumstances) {
        self.members.grow(window.slot + 1);
        if !window.is_fresh {
            return;
        }
        let (counters, flow) = (window.activity.counters(), window.activity.main_flow());
        let is_new = around.is_judged && !self.resumed.contains_key(&window.key());
        let Circumstances { index, .. } = around;
        self.newcomers.add(window.slot, &window.key(), (&flow, &counters), index, is_new);
        let mut state = self.resumed.remove(&window.key()).unwrap_or_default();
        let is_known = state.active() > 0.0;
        let since = index.saturating_sub(state.age().into());
        self.first_flows.insert(window.slot, &flow, &counters, since);
        if window.is_seeded && !is_known {
            for point in window.points.iter().take(window.points.len() - 1) {
                self.detector.step(&mut state, point);
            }
        }
        self.members.pack(window.slot, &state);
        self.reported.remove(&window.slot);
    }

    /// The rarity of a newcomer among similar ones. If these are few and it is young, its rarity is also that
    /// of its volume among all groups, together with how rarely newcomers appear in its pool. So a flood of
    /// newcomers elsewhere does not matter.
    fn newcomer(&self, newcomer: Newcomer, young: Option<f64>) -> Found {
        let Newcomer {
            mut surprise, bytes, mut usual, age, is_returning, among_few, again, ..
        } = newcomer;
        if let (Some(value), Some(seldom)) = (young, among_few) {
            let (score, most) = self.volumes.among_values(level(value));
            if score >= RARE && seldom + score > surprise {
                (surprise, usual) = (seldom + score, most);
            }
        }
        let surprise = again.map_or(surprise, |again| surprise.min(again));
        let what = Observed::Newcomer {
            seen: bytes as f32,
            usual: bytes_of_level(usual),
            age,
            is_returning,
        };
        Found { kind: Kind::Volume, surprise, what }
    }

    /// Rarity by the group's own history, or among all groups.
    fn judge_own(
        &self,
        verdict: Verdict,
        window: &Window<'_>,
        before: &FlowState,
        index: i64,
    ) -> Option<Found> {
        let value = window.points.newest();
        let score = verdict.score.min(believed(before.age() as f32));
        let own = class_of(verdict.test).map(|class| Found {
            kind: class.kind(),
            surprise: self.volumes.among_all(score),
            what: Observed::Own(verdict),
        });
        let own = own.filter(|found| !self.is_old_news(found, &window.key(), before.active()));
        let own = match own {
            Some(stop) if stop.kind == Kind::Stop => {
                self.missed_group(stop, window, before.active(), index)
            }
            own => own,
        };
        let pooled = self.volumes.anyone(level(value));
        let what = Observed::Among { seen: value as f32, usual: bytes_of_level(pooled.usual) };
        let pooled = Found { kind: Kind::Volume, surprise: pooled.surprise, what };
        let is_more = own.is_none_or(|own| pooled.surprise > own.surprise);
        if !is_more || pooled.surprise <= 0.0 {
            return own;
        }
        // The group's own baseline is more informative, if the group is rare enough by it.
        let needed = self.budgets.threshold(Class::Own);
        let own = own.filter(|own| own.kind == Kind::Volume && own.surprise >= needed);
        Some(own.map_or(pooled, |own| Found { surprise: pooled.surprise, ..own }))
    }

    /// Whether a silence has lasted so long that it should have been reported earlier. The silence of an
    /// ended group becomes rarer with every interval, which is no new event.
    pub(super) fn is_old_news(&self, found: &Found, group: &FlowKey, active: f32) -> bool {
        let Observed::Own(verdict) = found.what else { return false };
        is_late(&verdict, active) && !self.budgets.is_reported(Class::Stop, group)
    }
}

/// The finding about a newcomer that keeps calling or transfers without a break.
fn found_calls(Persistence { surprise, calls }: Persistence) -> Found {
    let kind = if calls.is_on_end { Kind::Volume } else { Kind::Beacon };
    Found { kind, surprise, what: Observed::Calls(calls) }
}

/// See [`border_bytes`]. If the interval is empty, the smallest point stands for one packet of each flow.
fn border_of(window: &Window<'_>) -> f32 {
    let flows = window.activity.flows();
    if flows > 0 {
        return border_bytes(flows, &window.activity.counters());
    }
    let moved = window.points.iter().filter(|point| *point > 0.0);
    moved.min_by(f64::total_cmp).unwrap_or_default() as f32
}
