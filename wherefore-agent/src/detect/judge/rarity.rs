//! Judges by rarity: each group by its own history, young groups by a shared baseline, interfaces as a whole.
//! Owns the state of each, and the alert budgets; refuses to open incidents.

mod groups;
mod quiet;
mod wider;

use rustc_hash::FxHashMap;
use wherefore_common::{Counters, FlowKey};

use super::address_reports::AddressReports;
use super::budgets::Budgets;
use super::churn::Churn;
use super::circumstances::Circumstances;
use super::fast_path::FastPath;
use super::first_flows::FirstFlows;
use super::found::{Basis, probability};
use super::hosts::Hosts;
use super::newcomers::Newcomers;
use super::rules::Rules;
use super::silences::Silences;
use super::snapshot::{KeptMember, MOST_GROUPS, Snapshot, WORTH_IT};
use super::totals::Totals;
use crate::detect::addresses::Addresses;
use crate::detect::detectors::{FlowDetector, FlowState, FlowStates, Population};
use crate::detect::finding::Finding;
use crate::detect::held::{HeldBacks, Memory};
use crate::detect::kind::Class;
use crate::detect::series::{BaselineUpdate, Series, Window};
use crate::detect::settings::{EngineSettings, RaritySettings};
use crate::traffic::group::GroupBy;

/// The most addresses with a history, some 1,500 bytes each.
const MOST_ADDRESSES: usize = 16_384;
/// The most quiet intervals that are processed one by one: two days of 5 s.
const MOST_SKIPPED: u64 = 34_560;
/// Intervals between two runs that are caught up with at most: eight days of 5 s, after which a week is forgotten.
const MOST_MISSED: i64 = 138_240;
/// Intervals after which a group of an earlier run is no longer expected: a day of 5 s.
const WAITS: u32 = 17_280;
/// Intervals of silence after which a group is gone: a quarter of an hour of 5 s.
const ENDED: u32 = 180;
/// The score from which a volume is rare among all groups.
const RARE: f32 = 1.0;
/// The state of groups, and the thresholds of rarity.
#[derive(Debug, Clone)]
pub struct Rarity {
    settings: RaritySettings,
    detector: FlowDetector,
    /// The detector's state of each group, by its slot.
    members: FlowStates,
    /// Further state of the few groups that were reported.
    reported: FxHashMap<usize, ReportedGroup>,
    first_flows: FirstFlows,
    volumes: Population,
    fast_path: FastPath,
    totals: Totals,
    addresses: Addresses,
    address_reports: AddressReports,
    newcomers: Newcomers,
    hosts: Hosts,
    services: Hosts,
    silences: Silences,
    churn: Churn,
    /// Whether there was traffic in this interval.
    is_anything: bool,
    budgets: Budgets,
    held: Memory,
    rules: Rules,
    /// The histories of groups of an earlier run that had no traffic in this run yet.
    resumed: FxHashMap<FlowKey, FlowState>,
    /// The number of intervals for which these are still expected.
    waits: u32,
    /// The number of intervals of an earlier run in the baselines.
    past_intervals: usize,
    /// The end of the last interval; after a restart, that of the earlier run, until it has been caught up with.
    ended_ns: i64,
    is_resumed: bool,
}

/// The state of a group that was reported.
#[derive(Debug, Clone, Copy, Default)]
struct ReportedGroup {
    /// Whether a lasting change was accepted as the baseline. Nothing is judged until there is a new history.
    is_accepted: bool,
    /// The rarest finding of the current report: intervals and bytes.
    rarest: Option<(u32, f32)>,
}

impl Rarity {
    pub(super) fn new(settings: RaritySettings, engine: &EngineSettings) -> Self {
        Self {
            budgets: Budgets::new(&settings),
            held: Memory::default(),
            newcomers: Newcomers::default(),
            hosts: Hosts::new(settings.interval),
            services: Hosts::new(settings.interval),
            silences: Silences::default(),
            churn: Churn::default(),
            is_anything: false,
            detector: FlowDetector::default(),
            members: FlowStates::default(),
            reported: FxHashMap::default(),
            first_flows: FirstFlows::default(),
            volumes: Population::default(),
            fast_path: FastPath::default(),
            totals: Totals::default(),
            address_reports: AddressReports::default(),
            addresses: Addresses::new(MOST_ADDRESSES),
            settings,
            rules: Rules::of(engine),
            resumed: FxHashMap::default(),
            waits: 0,
            past_intervals: 0,
            ended_ns: 0,
            is_resumed: false,
        }
    }

    pub(super) fn past_intervals(&self) -> usize {
        self.past_intervals
    }

    /// The state that survives a restart; `name` names interfaces.
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
            ended_ns: self.ended_ns,
            group_by: self.rules.group_by,
            interfaces: interfaces.map(|ifindex| (ifindex, name(ifindex))).collect(),
            groups: groups.iter().map(|(key, state)| KeptMember::of(key, *state)).collect(),
            volumes: self.volumes.clone(),
            totals: self.totals.keep(),
            addresses: self.addresses.snapshot(),
            newcomers: self.newcomers.keep(),
            hosts: self.hosts.keep(),
            services: self.services.keep(),
            silences: self.silences.keep(),
            churn: self.churn.clone(),
            budgets: self.budgets.experience(),
            schedule: self.budgets.schedule(),
            spent: self.budgets.spent(),
        }
    }

    /// Continues with the state of an earlier run; `ifindex` finds interfaces by name.
    ///
    /// # Errors
    /// If the state cannot be used.
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
        (self.volumes, self.fast_path) = (past.volumes, FastPath::default());
        self.newcomers.resume(past.newcomers);
        self.hosts.resume(past.hosts);
        self.services.resume(past.services);
        self.silences.resume(past.silences);
        self.churn = past.churn.resumed();
        self.budgets.resume(past.budgets, past.schedule, past.spent);
        self.past_intervals = self.volumes.intervals() as usize;
        self.waits = WAITS;
        (self.ended_ns, self.is_resumed) = (past.ended_ns, true);
        Ok(())
    }

    /// Passes the time between an earlier run and this one in what is known by the time of day.
    pub(super) fn catch_up(&mut self, start_ns: i64) {
        if !std::mem::take(&mut self.is_resumed) {
            return;
        }
        let interval_ns = (self.settings.interval.as_nanos() as i64).max(1);
        let missed = start_ns.saturating_sub(self.ended_ns) / interval_ns;
        let missed = missed.clamp(0, MOST_MISSED);
        self.hosts.catch_up(missed as u64);
        self.services.catch_up(missed as u64);
        self.budgets.catch_up(missed);
    }

    /// Continues with other settings; everything learned is kept.
    pub(super) fn reconfigure(&mut self, settings: RaritySettings, engine: &EngineSettings) {
        let budgets = self.budgets.with(&settings);
        (self.settings, self.budgets, self.rules) = (settings, budgets, Rules::of(engine));
        self.fast_path = FastPath::default();
    }

    pub(super) fn collect(&mut self, flow: &FlowKey, counters: &Counters) {
        self.totals.collect(flow, counters);
        self.addresses.collect(flow, counters);
        self.hosts.collect(flow, counters);
        self.services.collect_service(flow, counters, &self.hosts);
        self.is_anything = true;
    }

    /// Skips intervals without traffic, up to interval `last`, after all groups were forgotten.
    pub(super) fn skip(&mut self, intervals: u64, last: i64) {
        self.addresses.skip_quiet(intervals);
        let passed = intervals.min(MOST_SKIPPED);
        self.volumes.pass(passed, 0);
        self.totals.pass_quiet(passed as u32);
        self.fast_path = FastPath::default();
        self.newcomers.pass(passed);
        self.hosts.pass(passed);
        self.services.pass(passed);
        self.churn.pass(passed);
        self.budgets.skip(passed, last);
    }

    /// Processes a group's interval. A reported interval does not update the group's history, unless the
    /// change lasts.
    pub(super) fn judge(
        &mut self,
        window: &Window<'_>,
        around: Circumstances,
    ) -> (Option<Finding>, BaselineUpdate) {
        let news = self.judge_group(window, around);
        self.newcomers.learn(window.slot, around.index, news.is_some());
        let Some((found, threshold)) = news else { return (None, BaselineUpdate::Learn) };
        self.newcomers.report(window.slot, &window.key());
        let becomes_usual = window.unusual >= self.rules.learn_after;
        if becomes_usual {
            self.members.pack(window.slot, &FlowState::new());
            self.reported.insert(window.slot, ReportedGroup { is_accepted: true, rarest: None });
            self.newcomers.accept(&window.key());
        }
        let update = match (becomes_usual, self.rules.is_learned) {
            (true, _) => BaselineUpdate::Learn,
            (false, true) => BaselineUpdate::LearnUnusual,
            (false, false) => BaselineUpdate::Freeze,
        };
        let finding = Finding {
            kind: found.kind,
            group_by: self.rules.group_by,
            group: FlowKey { ifindex: 0, ..window.key() },
            ifindex: window.key().ifindex,
            counters: window.activity.counters(),
            main_flow: self.main_flow(window),
            points: window.points.to_vec(),
            probability: probability(found.surprise),
            threshold,
            grounds: found.grounds(self.basis(found.class(), found.surprise)),
            becomes_usual,
        };
        (Some(finding), update)
    }

    fn basis(&self, class: Class, surprise: f32) -> Basis {
        let expected = self.budgets.expected(class, surprise);
        Basis { interval: self.settings.interval, watched: self.volumes.intervals(), expected }
    }

    /// The largest flow; for a silent pair, its first flow.
    fn main_flow(&self, window: &Window<'_>) -> FlowKey {
        if window.quiet > 0 && self.rules.group_by == GroupBy::Pair {
            return self.first_flows.flow(window.slot, &window.key());
        }
        window.activity.main_flow()
    }

    /// Takes everything that was held back since the last call.
    pub(super) fn take_held(&mut self) -> HeldBacks {
        self.held.take()
    }
}
