//! Judges by rarity: every group by its own past, young ones by what is usual among them, interfaces
//! as a whole. Owns what is remembered of each and each kind's budget of alerts; refuses to open
//! incidents.

mod quiet;

use rustc_hash::FxHashMap;
use wherefore_common::{Counters, FlowKey};

use super::budgets::Budgets;
use super::calm::Calm;
use super::circumstances::Circumstances;
use super::ends::Ends;
use super::found::{
    Found, border_bytes, class_of, explains, is_about, is_part, is_search, probability,
};
use super::hosts::{HostFound, Hosts};
use super::newcomers::{Newcomer, Newcomers, Stay};
use super::rules::Rules;
use super::silences::{Silence, Silences, covers};
use super::snapshot::{KeptMember, MOST_GROUPS, Snapshot, WORTH_IT};
use super::totals::Totals;
use super::wide::Wide;
use crate::detect::addresses::{Addresses, Candidate};
use crate::detect::detectors::{
    Detector, FlowDetector, FlowState, FlowStates, Population, Test, Verdict, YOUTH, believed,
    level, octets,
};
use crate::detect::finding::{self, Finding, Grounds, Observed, Subject};
use crate::detect::held::{HeldBack, HeldBacks, Memory, Reason};
use crate::detect::kind::{Class, Kind};
use crate::detect::series::{Lesson, Series, Window};
use crate::detect::settings::{EngineSettings, RaritySettings};
use crate::traffic::group::GroupBy;
use crate::traffic::interval::Interval;

/// Addresses with a history at the most: some 1,500 octets each.
const MOST_ADDRESSES: usize = 16_384;
/// Quiet intervals of which notice is taken one by one: two days of 5 s.
const MOST_SKIPPED: u64 = 34_560;
/// Intervals after which a group of an earlier run is not waited for any more: a day of 5 s.
const WAITS: u32 = 17_280;
/// A silence is news up to so many times what is usual: of a group that has moved something for hours,
/// and of others.
const NEWS: f32 = 20.0;
const EARLY_NEWS: f32 = 4.0;
/// Intervals of silence after which a group is gone: a quarter of an hour of 5 s.
const ENDED: u32 = 180;
/// The score from which a volume is rare among those of all.
const RARE: f32 = 1.0;
/// Intervals with bytes that make hours: two of 5 s.
const LASTING: f32 = 1440.0;
/// and usual are at least so many intervals.
const LEAST_USUAL: f32 = 3.0;

/// What is remembered of groups, and how rare is rare enough.
#[derive(Debug, Clone)]
pub struct Rarity {
    settings: RaritySettings,
    detector: FlowDetector,
    /// What is remembered of each group, by its slot.
    members: FlowStates,
    /// And of the few that alerts were about.
    told: FxHashMap<usize, Told>,
    volumes: Population,
    calm: Calm,
    totals: Totals,
    addresses: Addresses,
    wide: Wide,
    newcomers: Newcomers,
    hosts: Hosts,
    silences: Silences,
    ends: Ends,
    /// Whether anything moved in this interval.
    is_anything: bool,
    budgets: Budgets,
    held: Memory,
    rules: Rules,
    /// The past of groups of an earlier run that were not seen yet in this one.
    resumed: FxHashMap<FlowKey, FlowState>,
    /// Intervals for which they are waited for still.
    waits: u32,
    /// Intervals that an earlier run knew of.
    past_intervals: usize,
}

/// What is remembered of a group that an alert was about.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    /// Whether a lasting change was accepted as usual: until there is a new past, nothing is judged.
    is_accepted: bool,
    /// The rarest of what is told just now: intervals and octets.
    rarest: Option<(u32, f32)>,
}

impl Rarity {
    pub(super) fn new(settings: RaritySettings, engine: &EngineSettings) -> Self {
        Self {
            budgets: Budgets::new(&settings),
            held: Memory::default(),
            newcomers: Newcomers::default(),
            hosts: Hosts::new(settings.interval),
            silences: Silences::default(),
            ends: Ends::default(),
            is_anything: false,
            detector: FlowDetector::default(),
            members: FlowStates::default(),
            told: FxHashMap::default(),
            volumes: Population::default(),
            calm: Calm::default(),
            totals: Totals::default(),
            wide: Wide::default(),
            addresses: Addresses::new(MOST_ADDRESSES),
            settings,
            rules: Rules::of(engine),
            resumed: FxHashMap::default(),
            waits: 0,
            past_intervals: 0,
        }
    }

    pub(super) fn past_intervals(&self) -> usize {
        self.past_intervals
    }

    /// What is to outlive a restart; `name` names interfaces.
    pub(super) fn snapshot(&self, series: &Series, name: &dyn Fn(u32) -> String) -> Snapshot {
        let tracked = series.groups().filter(|(slot, _)| self.members.active(*slot) >= WORTH_IT);
        let resumed = self.resumed.iter().map(|(key, state)| (*key, *state));
        let resumed = resumed.filter(|(_, state)| state.active() >= WORTH_IT);
        let mut groups: Vec<_> =
            tracked.map(|(slot, key)| (key, self.members.unpack(slot))).chain(resumed).collect();
        groups.sort_by(|(one, a), (other, b)| {
            b.active().total_cmp(&a.active()).then_with(|| one.cmp(other))
        });
        groups.truncate(MOST_GROUPS);
        let interfaces = groups.iter().map(|(key, _)| key.ifindex).chain(self.totals.interfaces());
        Snapshot {
            interval_ns: self.settings.interval.as_nanos() as u64,
            group_by: self.rules.group_by,
            interfaces: interfaces.map(|ifindex| (ifindex, name(ifindex))).collect(),
            groups: groups.iter().map(|(key, state)| KeptMember::of(key, *state)).collect(),
            volumes: self.volumes.clone(),
            totals: self.totals.keep(),
            addresses: self.addresses.snapshot(),
            newcomers: self.newcomers.keep(),
            hosts: self.hosts.keep(),
            silences: self.silences.keep(),
            ends: self.ends.clone(),
            budgets: self.budgets.experience(),
            spent: self.budgets.spent(),
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
        let Snapshot { interfaces, groups, totals, addresses, .. } = past;
        let now = |before: u32| interfaces.get(&before).and_then(|name| ifindex(name));
        let groups = groups.iter().take(MOST_GROUPS);
        self.resumed = groups.filter_map(|kept| Some((kept.key(&now)?, kept.state))).collect();
        self.totals.resume(&totals, &now);
        self.addresses.resume(addresses, &now);
        (self.volumes, self.calm) = (past.volumes, Calm::default());
        self.newcomers.resume(past.newcomers);
        self.hosts.resume(past.hosts);
        self.silences.resume(past.silences);
        self.ends = past.ends.resumed();
        self.budgets.resume(past.budgets, past.spent);
        self.past_intervals = self.volumes.intervals() as usize;
        self.waits = WAITS;
        Ok(())
    }

    /// Goes on with other settings; what was learned is kept.
    pub(super) fn reconfigure(&mut self, settings: RaritySettings, engine: &EngineSettings) {
        let mut budgets = Budgets::new(&settings);
        budgets.resume(self.budgets.experience(), self.budgets.spent());
        (self.settings, self.budgets, self.rules) = (settings, budgets, Rules::of(engine));
        self.calm = Calm::default();
    }

    pub(super) fn collect(&mut self, flow: &FlowKey, counters: &Counters) {
        self.totals.collect(flow, counters);
        self.addresses.collect(flow, counters);
        self.hosts.collect(flow, counters);
        self.is_anything = true;
    }

    /// Lets intervals pass in which nothing moved, up to interval `last`, after all groups were forgotten.
    pub(super) fn skip(&mut self, intervals: u64, last: i64) {
        self.addresses.skip_quiet(intervals);
        let passed = intervals.min(MOST_SKIPPED);
        self.volumes.pass(passed, 0);
        self.totals.pass_quiet(passed as u32);
        self.calm = Calm::default();
        self.newcomers.pass(passed);
        self.hosts.pass(passed);
        self.ends.pass(passed);
        self.budgets.skip(passed, last);
    }

    /// Takes in a group's interval. What is told of it teaches the group's past nothing, unless it
    /// lasts.
    pub(super) fn judge(
        &mut self,
        window: &Window<'_>,
        around: Circumstances,
    ) -> (Option<Finding>, Lesson) {
        let news = self.look(window, around);
        self.newcomers.learn(window.slot, around.index, news.is_some());
        let Some((found, threshold)) = news else { return (None, Lesson::Usual) };
        let becomes_usual = window.unusual >= self.rules.learn_after;
        if becomes_usual {
            self.members.pack(window.slot, &FlowState::new());
            self.told.insert(window.slot, Told { is_accepted: true, rarest: None });
        }
        let lesson = match (becomes_usual, self.rules.is_learned) {
            (true, _) => Lesson::Usual,
            (false, true) => Lesson::Unusual,
            (false, false) => Lesson::Ignored,
        };
        let finding = Finding {
            kind: found.kind,
            group_by: self.rules.group_by,
            group: FlowKey { ifindex: 0, ..window.key() },
            ifindex: window.key().ifindex,
            counters: window.activity.counters(),
            main_flow: window.activity.main_flow(),
            points: window.points.to_vec(),
            probability: probability(found.surprise),
            threshold,
            grounds: found.grounds(self.settings.interval),
            becomes_usual,
        };
        (Some(finding), lesson)
    }

    /// Steps a group's detector, and gives what is to be told with the threshold it exceeds.
    fn look(&mut self, window: &Window<'_>, around: Circumstances) -> Option<(Found, f64)> {
        let value = window.points.newest();
        self.meet(window, around);
        self.count_ends(window);
        let newcomer = self.newcomers.judge(window.slot, value, around.index);
        if newcomer.is_none() && self.passes(window.slot, value) {
            return None;
        }
        let before = self.members.unpack(window.slot);
        let mut state = before;
        let is_young = before.active() < YOUTH;
        let verdict = self.detector.step(&mut state, value);
        if !is_young {
            self.volumes.judged();
        }
        let own = if is_young { None } else { self.own(verdict, window, &before, value) };
        let moved = newcomer.map(|newcomer| self.newcomer(newcomer, is_young.then_some(value)));
        let needed = self.budgets.threshold(Class::Newcomer);
        let is_enough = moved.is_some_and(|moved| moved.surprise >= needed);
        let calls = newcomer.filter(|_| !is_enough).and_then(calls);
        let new = calls.filter(|calls| calls.surprise >= self.budgets.threshold(Class::Calls));
        let new = new.or(moved);
        let found = match (own, new) {
            (Some(own), Some(new)) if own.kind != Kind::Stop && own.surprise < new.surprise => {
                Some(new)
            }
            (own, new) => own.or(new),
        };
        let is_settling =
            is_young && self.told.get(&window.slot).is_some_and(|told| told.is_accepted);
        let found = found.filter(|_| !is_settling);
        let found = found.filter(|found| !self.is_of_silent_host(found, &window.key()));
        let news = found.and_then(|found| self.tells(found, window, value, around));
        if let Some((found, _)) = news.filter(|_| !self.rules.is_learned) {
            FlowDetector::disown(&before, &mut state);
            let told = self.told.entry(window.slot).or_default();
            let volume = found.volume();
            told.rarest = if told.rarest > volume { told.rarest } else { volume };
        } else {
            // What was told is known from now on, once: should it come again, it is no news.
            let rarest = self.told.get_mut(&window.slot).and_then(|told| told.rarest.take());
            if let Some((intervals, octets)) = rarest {
                FlowDetector::teach(&mut state, intervals, octets);
                self.volumes.count(level(f64::from(octets)), is_young, false);
            }
            if value > 0.0 {
                self.volumes.count(level(value), is_young, is_young && around.is_judged);
            }
        }
        self.members.pack(window.slot, &state);
        news
    }

    /// Whether what was found of a group is told, with the threshold it exceeds; what is held back is
    /// counted.
    fn tells(
        &mut self,
        found: Found,
        window: &Window<'_>,
        value: f64,
        around: Circumstances,
    ) -> Option<(Found, f64)> {
        let (class, group) = (found.class(), window.key());
        let is_rare = found.surprise >= self.budgets.threshold(class);
        let is_more = found.counts(value, border_of(window), self.rules);
        let told = if !around.is_judged {
            Err(is_rare.then_some(Reason::WarmUp))
        } else if !is_more {
            Err(is_rare.then_some(Reason::Minimum))
        } else {
            let told = self.budgets.tells(class, &group, found.surprise, around.index);
            let is_near = self.budgets.is_near(class, found.surprise);
            told.ok_or_else(|| is_near.then_some(Reason::Budget))
        };
        match told {
            Ok(threshold) => Some((found, probability(threshold))),
            Err(reason) => {
                let subject = Subject::new(found.kind, self.rules.group_by, &group, group.ifindex);
                let bytes = window.activity.bytes();
                self.hold(reason, subject, found.surprise, bytes, around.index);
                None
            }
        }
    }

    /// Something unusual is not reported, for a reason if it is unusual enough.
    fn hold(
        &mut self,
        reason: Option<Reason>,
        subject: Subject,
        surprise: f32,
        bytes: u64,
        index: i64,
    ) {
        if let Some(reason) = reason {
            self.held.note(HeldBack { reason, subject, surprise, bytes }, index);
        }
    }

    /// What was held back since the last call.
    pub(super) fn take_held(&mut self) -> HeldBacks {
        self.held.take()
    }

    /// A group is silent for so long that it is gone: so are those of its ends that send nothing.
    fn count_ends(&mut self, window: &Window<'_>) {
        let is_end = window.quiet == ENDED && self.is_anything;
        if is_end && self.members.active(window.slot) >= WORTH_IT {
            let group = window.key();
            let gone = [true, false].into_iter().filter(|side| self.is_gone(&group, *side));
            gone.collect::<Vec<_>>().iter().for_each(|side| self.ends.count(&group, *side));
        }
    }

    /// Whether an end of a group sends nothing to anybody any more, as far as is known.
    fn is_gone(&self, group: &FlowKey, is_source: bool) -> bool {
        let address = if is_source { group.src } else { group.dst };
        self.silences.is_silent(address, group.family).unwrap_or(true)
    }

    /// Where an end of a silent group is gone, how surprising that is among those like it.
    fn surprise_of_end(&self, group: &FlowKey) -> f32 {
        let gone = [true, false].into_iter().filter(|side| self.is_gone(group, *side));
        gone.map(|side| self.ends.surprise(group, side)).fold(f32::INFINITY, f32::min)
    }

    /// Whether a group's silence is a part of what is told of its host.
    fn is_of_silent_host(&self, found: &Found, group: &FlowKey) -> bool {
        found.kind == Kind::Stop && self.budgets.tells_of(Class::Stop, |host| covers(host, group))
    }

    /// Takes in what leads to nothing, by the group's own past and, as of the interval's beginning, among
    /// all, as most of most groups does: this spares a copy of what is remembered. Whether it does.
    fn passes(&mut self, slot: usize, value: f64) -> bool {
        let y = level(value);
        let Calm { ordinary, level } = &self.calm;
        let is_usual = self.members.active(slot) >= YOUTH
            && self.told.get(&slot).is_none_or(|told| told.rarest.is_none())
            && (y <= *level || self.volumes.anyone(y).surprise <= 0.0)
            && self.detector.pass_ordinary(&mut self.members, slot, value, ordinary);
        if is_usual {
            self.volumes.judged();
            self.volumes.count(y, false, false);
        }
        is_usual
    }

    /// Ends an interval: addresses, and interfaces as a whole, where nothing narrower explains what
    /// they did.
    pub(super) fn close(
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

    /// Makes room for a group that is new, with what is known of it.
    fn meet(&mut self, window: &Window<'_>, around: Circumstances) {
        self.members.grow(window.slot + 1);
        if !window.is_fresh {
            return;
        }
        let (counters, flow) = (window.activity.counters(), window.activity.main_flow());
        let is_news = around.is_judged && !self.resumed.contains_key(&window.key());
        let Circumstances { index, .. } = around;
        self.newcomers.meet(window.slot, &window.key(), (&flow, &counters), index, is_news);
        let mut state = self.resumed.remove(&window.key()).unwrap_or_default();
        let is_known = state.active() > 0.0;
        if window.is_seeded && !is_known {
            for point in window.points.iter().take(window.points.len() - 1) {
                self.detector.step(&mut state, point);
            }
        }
        self.members.pack(window.slot, &state);
        self.told.remove(&window.slot);
    }

    /// A newcomer among its like; where these are few, while it is young, by how seldom anything new
    /// comes there and how much it is among what all groups move: a flood of newcomers elsewhere says
    /// nothing of it.
    fn newcomer(&self, newcomer: Newcomer, young: Option<f64>) -> Found {
        let Newcomer { mut surprise, bytes, mut usual, age, is_returning, among_few, .. } =
            newcomer;
        if let (Some(value), Some(seldom)) = (young, among_few) {
            let (score, most) = self.volumes.among_values(level(value));
            if score >= RARE && seldom + score > surprise {
                (surprise, usual) = (seldom + score, most);
            }
        }
        let what =
            Observed::Newcomer { seen: bytes as f32, usual: octets(usual), age, is_returning };
        Found { kind: Kind::Volume, surprise, what }
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
        let own = class_of(verdict.test).map(|class| Found {
            kind: class.kind(),
            surprise: self.volumes.among_all(score),
            what: Observed::Own(verdict),
        });
        let own = own.filter(|found| !self.is_old_news(found, &window.key(), before.active()));
        let own = own.map(|own| match own.kind {
            Kind::Stop => {
                let surprise = own.surprise.min(self.surprise_of_end(&window.key()));
                Found { surprise, ..own }
            }
            _ => own,
        });
        let pooled = self.volumes.anyone(level(value));
        let what = Observed::Among { seen: value as f32, usual: octets(pooled.usual) };
        let pooled = Found { kind: Kind::Volume, surprise: pooled.surprise, what };
        let is_more = own.is_none_or(|own| pooled.surprise > own.surprise);
        if !is_more || pooled.surprise <= 0.0 {
            return own;
        }
        // What the group itself usually does says more, where that is reason enough.
        let needed = self.budgets.threshold(Class::Own);
        let own = own.filter(|own| own.kind == Kind::Volume && own.surprise >= needed);
        Some(own.map_or(pooled, |own| Found { surprise: pooled.surprise, ..own }))
    }

    /// Whether a silence lasts for so long that it would have been told before: what is over grows
    /// rarer with every interval, and is no news.
    fn is_old_news(&self, found: &Found, group: &FlowKey, active: f32) -> bool {
        let Observed::Own(Verdict { test: Test::Gap, seen, usual, .. }) = found.what else {
            return false;
        };
        let news = if active >= LASTING { NEWS } else { EARLY_NEWS };
        let is_late = seen > news * usual.max(LEAST_USUAL);
        is_late && !self.budgets.is_told(Class::Stop, group)
    }
}

/// A newcomer that keeps calling.
fn calls(newcomer: Newcomer) -> Option<Found> {
    let Newcomer { age, stay, .. } = newcomer;
    let Stay { surprise, times, usual } = stay?;
    let what = Observed::Calls { seen: times, usual, age };
    Some(Found { kind: Kind::Beacon, surprise, what })
}

/// See [`border_bytes`]. Where the interval is empty, the flows sent no more than a packet each in
/// those around it.
fn border_of(window: &Window<'_>) -> f32 {
    let flows = window.activity.flows();
    if flows > 0 {
        return border_bytes(flows, &window.activity.counters());
    }
    let moved = window.points.iter().filter(|point| *point > 0.0);
    moved.min_by(f64::total_cmp).unwrap_or_default() as f32
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
