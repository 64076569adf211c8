//! Judges by rarity: every group by its own past, young ones by what is usual among them, interfaces
//! as a whole. Owns what is remembered of each and each kind's budget of alerts; refuses to open
//! incidents.

use std::time::Duration;

use rustc_hash::FxHashMap;
use wherefore_common::{Counters, FlowKey};

use super::Circumstances;
use super::budget::Budget;
use super::snapshot::{Interfaces, KeptMember, MOST_GROUPS, Snapshot, WORTH_IT};
use super::totals::Totals;
use crate::alert::Kind;
use crate::config::{EngineSettings, RarityLimit, RaritySettings};
use crate::detect::{
    Detector, FlowDetector, FlowState, Population, Test, Verdict, YOUTH, believed, how_rare, level,
    octets,
};
use crate::group::GroupBy;
use crate::interval::Interval;
use crate::series::{Lesson, Series, Window};
use crate::state::KeptGroup;
use crate::text::Bytes;
use crate::wording::{Finding, Rareness};

/// A silence is news up to so many times what is usual,
const NEWS: f32 = 4.0;
/// and usual are at least so many intervals.
const LEAST_USUAL: f32 = 3.0;

/// What is remembered of groups, and how rare is rare enough.
#[derive(Debug)]
pub struct Rarity {
    settings: RaritySettings,
    detector: FlowDetector,
    /// By the group's slot.
    members: Vec<Member>,
    volumes: Population,
    totals: Totals,
    budgets: Vec<Budget>,
    rules: Rules,
    /// The past of groups of an earlier run that were not seen yet in this one.
    resumed: FxHashMap<FlowKey, FlowState>,
    has_past: bool,
}

/// What of the engine's settings matters here.
#[derive(Debug, Clone, Copy)]
struct Rules {
    group_by: GroupBy,
    /// Octets below which a volume is a trifle.
    min_bytes: f64,
    /// Whether what is told is learned all the same.
    is_learned: bool,
    /// Intervals after which a change is the usual.
    learn_after: u32,
}

/// What is remembered of a group.
#[derive(Debug, Clone, Default)]
struct Member {
    state: FlowState,
    /// Whether a lasting change was accepted as usual: until there is a new past, nothing is judged.
    is_accepted: bool,
    /// The rarest of what is told just now: intervals and octets.
    told: Option<(u32, f32)>,
}

impl Rarity {
    pub(super) fn new(settings: RaritySettings, engine: &EngineSettings) -> Self {
        Self {
            budgets: budgets(&settings),
            settings,
            detector: FlowDetector::default(),
            members: Vec::new(),
            volumes: Population::default(),
            totals: Totals::default(),
            rules: Rules::of(engine),
            resumed: FxHashMap::default(),
            has_past: false,
        }
    }

    /// Whether there is a past of an earlier run.
    pub(super) fn has_past(&self) -> bool {
        self.has_past
    }

    /// What is to outlive a restart; `name` names interfaces.
    pub(super) fn snapshot(&self, series: &Series, name: &dyn Fn(u32) -> String) -> Snapshot {
        let mut interfaces = Interfaces::default();
        let tracked = series.groups().map(|(slot, key)| (key, self.members[slot].state));
        let resumed = self.resumed.iter().map(|(key, state)| (*key, *state));
        let mut groups: Vec<_> =
            tracked.chain(resumed).filter(|(_, state)| state.active() >= WORTH_IT).collect();
        groups.sort_by(|(one, a), (other, b)| {
            b.active().total_cmp(&a.active()).then_with(|| one.cmp(other))
        });
        groups.truncate(MOST_GROUPS);
        let groups = groups.into_iter().map(|(key, state)| KeptMember {
            interface: interfaces.place(key.ifindex, name),
            group: KeptGroup::of(&key),
            state,
        });
        let groups = groups.collect();
        let totals = self.totals.keep(|ifindex| interfaces.place(ifindex, name));
        let experience = |kind: Kind| (kind, self.budgets[kind.place()].experience().clone());
        Snapshot {
            interval_ns: self.settings.interval.as_nanos() as u64,
            group_by: self.rules.group_by,
            groups,
            volumes: self.volumes.clone(),
            totals,
            budgets: Kind::FOUND.map(experience).to_vec(),
            interfaces,
        }
    }

    /// Goes on with what an earlier run left; `ifindex` finds interfaces by name.
    ///
    /// # Errors
    /// What it is of no use for.
    pub(super) fn resume(
        &mut self,
        past: Snapshot,
        ifindex: &dyn Fn(&str) -> Option<u32>,
    ) -> Result<(), &'static str> {
        if past.interval_ns != self.settings.interval.as_nanos() as u64 {
            return Err("it is of intervals of another length");
        }
        if past.group_by != self.rules.group_by {
            return Err("it is of flows grouped in another way");
        }
        let interfaces = past.interfaces.now(ifindex);
        let groups = past.groups.iter().take(MOST_GROUPS);
        let known = groups.filter_map(|kept| Some((kept.key(&interfaces)?, kept.state)));
        self.resumed = known.collect();
        self.totals.resume(&past.totals, &interfaces);
        self.volumes = past.volumes;
        for (kind, experience) in past.budgets {
            self.budgets[kind.place()].resume(experience);
        }
        self.has_past = true;
        Ok(())
    }

    /// Goes on with other settings; what was learned is kept.
    pub(super) fn reconfigure(&mut self, settings: RaritySettings, engine: &EngineSettings) {
        let mut budgets = budgets(&settings);
        for (next, now) in budgets.iter_mut().zip(&self.budgets) {
            next.resume(now.experience().clone());
        }
        (self.settings, self.budgets, self.rules) = (settings, budgets, Rules::of(engine));
    }

    pub(super) fn collect(&mut self, flow: &FlowKey, counters: &Counters) {
        self.totals.collect(flow, counters);
    }

    /// Takes in a group's interval. What is told of it teaches the group's past nothing, unless it
    /// lasts.
    pub(super) fn judge(
        &mut self,
        window: &Window<'_>,
        around: Circumstances,
    ) -> (Option<Finding>, Lesson) {
        let Some((found, threshold)) = self.look(window, around) else {
            return (None, Lesson::Usual);
        };
        let becomes_usual = window.unusual >= self.rules.learn_after;
        if becomes_usual {
            self.members[window.slot] = Member { is_accepted: true, ..Member::default() };
        }
        let lesson = match (becomes_usual, self.rules.is_learned) {
            (true, _) => Lesson::Usual,
            (false, true) => Lesson::Unusual,
            (false, false) => Lesson::Ignored,
        };
        let finding = Finding {
            kind: found.kind,
            group_by: self.rules.group_by,
            group: FlowKey { ifindex: 0, ..*window.key },
            ifindex: window.key.ifindex,
            counters: window.activity.counters,
            last_flow: window.activity.last_flow,
            points: window.points.to_vec(),
            probability: probability(found.surprise),
            threshold,
            rarity: Some(found.rarity(self.settings.interval)),
            becomes_usual,
        };
        (Some(finding), lesson)
    }

    /// Steps a group's detector, and gives what is to be told with the threshold it exceeds.
    fn look(&mut self, window: &Window<'_>, around: Circumstances) -> Option<(Found, f64)> {
        let value = window.points.last().copied().unwrap_or(0.0);
        let member = self.member(window);
        let (before, is_accepted) = (member.state, member.is_accepted);
        let mut after = before;
        let is_young = before.active() < YOUTH;
        let verdict = self.detector.step(&mut after, value);
        if !is_young {
            self.volumes.judged();
        }
        let found =
            if is_young { self.newcomer(value) } else { self.own(verdict, window, &before, value) };
        let is_settling = is_accepted && is_young;
        let found = found
            .filter(|found| around.is_judged && !is_settling && found.counts(value, self.rules));
        let told =
            found.filter(|found| self.tells(found.kind, window.key, found.surprise, around.index));
        let member = &mut self.members[window.slot];
        if told.is_some() && !self.rules.is_learned {
            FlowDetector::disown(&before, &mut after);
            let volume = told.and_then(Found::volume);
            member.told = if member.told > volume { member.told } else { volume };
        } else {
            // What was told is known from now on, once: should it come again, it is no news.
            if let Some((intervals, octets)) = member.told.take() {
                FlowDetector::teach(&mut after, intervals, octets);
                self.volumes.count(level(f64::from(octets)), is_young, false);
            }
            if value > 0.0 {
                self.volumes.count(level(value), is_young, is_young && around.is_judged);
            }
        }
        member.state = after;
        told.map(|found| (found, self.threshold(found.kind)))
    }

    /// Whether a surprise is to be told.
    fn tells(&mut self, kind: Kind, group: &FlowKey, surprise: f32, index: i64) -> bool {
        let is_on = self.settings.shares.of(kind) > 0.0;
        is_on && self.budgets[kind.place()].tells(group, surprise, index)
    }

    /// The probability from which a kind is told now.
    fn threshold(&self, kind: Kind) -> f64 {
        probability(self.budgets[kind.place()].threshold())
    }

    /// Ends an interval: interfaces as a whole, where no finding explains what passed.
    pub(super) fn close(
        &mut self,
        interval: &Interval,
        around: Circumstances,
        findings: &mut Vec<Finding>,
    ) {
        self.volumes.close();
        let mut rare = Vec::new();
        self.totals.close(|total, verdict, series| {
            let surprise = verdict.score - (series as f32).log10();
            let found = Found { kind: Kind::Volume, surprise, what: What::Own(verdict) };
            if surprise > 0.0 {
                rare.push((found, total.key, total.counters, total.last_flow));
            }
        });
        for (found, key, counters, last_flow) in rare {
            let is_explained = findings.iter().any(|finding| finding.ifindex == key.ifindex);
            let counts = found.counts(counters.bytes as f64, self.rules);
            if !around.is_judged || is_explained || !counts {
                continue;
            }
            if self.tells(found.kind, &key, found.surprise, around.index) {
                findings.push(self.total_finding(found, key, counters, last_flow));
            }
        }
        self.budgets.iter_mut().for_each(|budget| budget.close(interval.index));
    }

    fn total_finding(
        &self,
        found: Found,
        key: FlowKey,
        counters: Counters,
        last_flow: FlowKey,
    ) -> Finding {
        Finding {
            kind: found.kind,
            group_by: GroupBy::Interface,
            group: FlowKey { ifindex: 0, ..key },
            ifindex: key.ifindex,
            counters,
            last_flow,
            points: Vec::new(),
            probability: probability(found.surprise),
            threshold: self.threshold(found.kind),
            rarity: Some(found.rarity(self.settings.interval)),
            becomes_usual: false,
        }
    }

    fn member(&mut self, window: &Window<'_>) -> &Member {
        if self.members.len() <= window.slot {
            self.members.resize_with(window.slot + 1, Member::default);
        }
        let member = &mut self.members[window.slot];
        if window.is_fresh {
            let state = self.resumed.remove(window.key).unwrap_or_default();
            *member = Member { state, ..Member::default() };
            let is_known = state.active() > 0.0;
            let known = window.points.split_last().filter(|_| window.is_seeded && !is_known);
            for point in known.map_or(&[][..], |(_, before)| before) {
                self.detector.step(&mut member.state, *point);
            }
        }
        member
    }

    fn newcomer(&self, value: f64) -> Option<Found> {
        if value <= 0.0 {
            return None;
        }
        let found = self.volumes.newcomer(level(value));
        let (kind, surprise) = (Kind::Volume, found.surprise);
        let what = What::Newcomer { seen: value as f32, usual: octets(found.usual) };
        Some(Found { kind, surprise, what })
    }

    /// What is rare by the group's own past, or among all groups.
    fn own(
        &self,
        verdict: Verdict,
        window: &Window<'_>,
        before: &FlowState,
        value: f64,
    ) -> Option<Found> {
        let score = verdict.score.min(believed(before.age() as f32));
        let own = kind_of(verdict.test).map(|kind| Found {
            kind,
            surprise: self.volumes.among_all(score),
            what: What::Own(verdict),
        });
        let own = own.filter(|found| !self.is_old_news(found, window.key));
        let pooled = self.volumes.anyone(level(value));
        let what = What::Among { seen: value as f32, usual: octets(pooled.usual) };
        let pooled = Found { kind: Kind::Volume, surprise: pooled.surprise, what };
        let is_more = own.is_none_or(|own| pooled.surprise > own.surprise);
        if is_more && pooled.surprise > 0.0 { Some(pooled) } else { own }
    }

    /// Whether a silence lasts for so long that it would have been told before: what is over grows
    /// rarer with every interval, and is no news.
    fn is_old_news(&self, found: &Found, group: &FlowKey) -> bool {
        let What::Own(Verdict { test: Test::Gap, seen, usual, .. }) = found.what else {
            return false;
        };
        let is_late = seen > NEWS * usual.max(LEAST_USUAL);
        is_late && !self.budgets[Kind::Stop.place()].is_told(group)
    }
}

/// What is rare about a group's interval.
#[derive(Debug, Clone, Copy)]
struct Found {
    kind: Kind,
    surprise: f32,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// By the group's own past.
    Own(Verdict),
    /// By what is usual among all groups, in octets.
    Among { seen: f32, usual: f32 },
    /// By what is usual among young groups, in octets.
    Newcomer { seen: f32, usual: f32 },
}

impl Rules {
    fn of(engine: &EngineSettings) -> Self {
        Self {
            group_by: engine.group_by,
            min_bytes: engine.min_bytes,
            is_learned: engine.learn_anomalies,
            learn_after: engine.learn_after,
        }
    }
}

impl Found {
    /// Whether it is about more than trifles; `value` are the octets of the interval.
    fn counts(&self, value: f64, rules: Rules) -> bool {
        let (seen, usual) = match self.what {
            What::Newcomer { seen, .. } | What::Among { seen, .. } => (seen, 0.0),
            What::Own(verdict) => match verdict.test {
                Test::Frequent => (value as f32 * verdict.seen, 0.0),
                Test::Gap | Test::Regular { .. } => return true,
                Test::Distribution { .. } => (value as f32, 0.0),
                _ => (verdict.seen, verdict.usual),
            },
        };
        f64::from((seen - usual).abs()) >= rules.min_bytes
    }

    /// The volume that it is about, in how many intervals.
    fn volume(self) -> Option<(u32, f32)> {
        match self.what {
            What::Among { seen, .. } | What::Newcomer { seen, .. } => Some((1, seen)),
            What::Own(Verdict { test: Test::Volume { intervals }, seen, .. }) => {
                Some((intervals, seen))
            }
            What::Own(_) => None,
        }
    }

    fn rarity(self, interval: Duration) -> Rareness {
        let what = match self.what {
            What::Own(verdict) => verdict.what(interval),
            What::Among { seen, usual } => format!(
                "{}, where none moves more than {} as a rule",
                Bytes(f64::from(seen)),
                Bytes(f64::from(usual))
            ),
            What::Newcomer { seen, usual } => format!(
                "{} where nothing was before; what is new here moves {} at the most",
                Bytes(f64::from(seen)),
                Bytes(f64::from(usual))
            ),
        };
        let due_seconds = 10f64.powf(f64::from(self.surprise)) * interval.as_secs_f64();
        Rareness { due_seconds, reason: format!("{what}; {}", how_rare(self.surprise, interval)) }
    }
}

fn kind_of(test: Test) -> Option<Kind> {
    match test {
        Test::Ordinary => None,
        Test::Gap => Some(Kind::Stop),
        Test::Regular { .. } => Some(Kind::Beacon),
        _ => Some(Kind::Volume),
    }
}

/// The probability that an ordinary interval has nothing as surprising.
fn probability(surprise: f32) -> f64 {
    (1.0 - 10f64.powf(-f64::from(surprise))).max(0.0)
}

fn budgets(settings: &RaritySettings) -> Vec<Budget> {
    let seconds = settings.interval.as_secs_f64();
    let budget = |kind: Kind| match settings.limit {
        RarityLimit::Budget(allowed) => Budget::new(allowed * settings.shares.of(kind), seconds),
        RarityLimit::Surprise(surprise) => Budget::fixed(surprise as f32),
    };
    Kind::FOUND.into_iter().map(budget).collect()
}
