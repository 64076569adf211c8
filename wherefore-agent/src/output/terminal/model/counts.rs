//! Counts: rows of every kind, rates, and the readings from which details come. Owns the sums; refuses to
//! know what the user has selected.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;

use super::incidents::Incidents;
use super::rows::{HISTORY, Moving, Rates, Table};
use super::subject::{Dimension, FlowSubjects, Names, Subject, SubjectIndex};
use crate::message::held::HeldRecord;
use crate::output::reading::{FlowReading, Judged, Reading, Side, Volume};
use crate::traffic::interval::Totals;

/// The most flows of earlier readings that are kept for details.
const MOST_KEPT: usize = 300_000;

/// All counts.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    tables: [Table; Dimension::ALL.len()],
    /// The number of readings so far.
    pub tick: u64,
    /// The totals so far.
    pub totals: Totals,
    /// The rates of all traffic.
    pub rates: Rates,
    /// The last reading.
    pub last: Arc<Reading>,
    /// Earlier readings, the newest last.
    kept: VecDeque<Arc<Reading>>,
    kept_flows: usize,
    /// When counting began, nanoseconds since 1970.
    pub since_ns: i64,
    /// The names of interfaces, by index.
    pub interfaces: Vec<(u32, String)>,
    /// For each kind of rows, whether there is any.
    has: [bool; Dimension::ALL.len()],
    /// Names of addresses.
    pub(super) names: Names,
    /// Alerts.
    pub incidents: Incidents,
    /// The number of held back findings, by reason.
    pub held_back: BTreeMap<String, u64>,
    /// The last held back findings, the newest first.
    pub held: VecDeque<HeldRecord>,
    /// The number of groups with a history, and of evicted groups.
    pub groups: [u64; 2],
    /// Readings that did not reach this view.
    pub missed: u64,
}

impl Counts {
    /// The counts of one reading; `names` are those of its peers.
    pub fn of(reading: Reading, names: Vec<(IpAddr, String)>) -> Self {
        let mut counts = Self::default();
        counts.learn(names);
        counts.add(Arc::new(reading), None);
        counts
    }

    /// The rows of this kind.
    pub fn table(&self, by: Dimension) -> &Table {
        &self.tables[by.place()]
    }

    /// The rates of the last reading, in and out.
    pub fn now(&self) -> [f32; 2] {
        self.rates.now(self.tick)
    }

    /// Whether there are rows of this kind.
    pub fn has(&self, by: Dimension) -> bool {
        match by {
            Dimension::Name => !self.names.is_empty(),
            by if by.is_owner() || matches!(by, Dimension::Country | Dimension::As) => {
                self.has[by.place()]
            }
            _ => true,
        }
    }

    pub(super) fn learn(&mut self, names: Vec<(IpAddr, String)>) {
        /// The most names. Beyond that, all are forgotten and learned again.
        const MOST: usize = 200_000;
        if self.names.len() > MOST {
            self.names.clear();
        }
        self.names.extend(names.into_iter().map(|(address, name)| (address, name.into())));
    }

    pub(super) fn judge(&mut self, judged: Judged) {
        /// The most held back findings that are kept.
        const MOST: usize = 200;
        let Judged { alerts, groups, evicted, held_back, held } = judged;
        self.groups = [groups, evicted];
        for (reason, count) in held_back {
            *self.held_back.entry(reason).or_default() += count;
        }
        held.into_iter().for_each(|held| self.held.push_front(held));
        self.held.truncate(MOST);
        alerts.into_iter().for_each(|alert| self.incidents.add(alert));
    }

    pub(super) fn add(&mut self, reading: Arc<Reading>, interface: Option<u32>) {
        for (number, name) in &reading.names {
            match self.interfaces.iter_mut().find(|(known, _)| known == number) {
                Some((_, known)) => known.clone_from(name),
                None => self.interfaces.push((*number, name.clone())),
            }
        }
        self.totals.merge(&reading.totals);
        self.count(&reading, interface);
        self.keep(reading);
    }

    fn count(&mut self, reading: &Reading, interface: Option<u32>) {
        if self.tick == 0 {
            self.since_ns = reading.start_ns;
        }
        self.tick += 1;
        // A second without traffic has a point, too.
        self.rates.at(self.tick);
        let seconds = reading.seconds();
        self.see_kinds(reading);
        let names = std::mem::take(&mut self.names);
        let subjects = SubjectIndex::of(reading);
        for moved in &reading.flows {
            let key = moved.key();
            if interface.is_none_or(|wanted| wanted == key.ifindex) {
                self.count_flow(
                    &FlowSubjects::new(key, &subjects, moved, &names),
                    moved.volume,
                    seconds,
                );
            }
        }
        self.names = names;
        for (side, volume) in [Side::In, Side::Out].into_iter().zip(reading.more) {
            if volume.packets > 0 {
                self.count_more(&Moving { side, volume, seconds, owner: None, place: None });
            }
        }
        let tick = self.tick;
        self.tables.iter_mut().for_each(|table| table.tidy(tick));
    }

    /// Notes which kinds of rows the reading has.
    fn see_kinds(&mut self, reading: &Reading) {
        let mut see = |by: Dimension, is_known: bool| self.has[by.place()] |= is_known;
        for who in &reading.owners {
            see(Dimension::Process, who.process.is_some());
            see(Dimension::Unit, who.unit.is_some());
            see(Dimension::Container, who.container.is_some());
            see(Dimension::Pod, who.pod.is_some());
            see(Dimension::User, who.user.is_some());
        }
        for place in &reading.places {
            see(Dimension::Country, place.country.is_some());
            see(Dimension::As, place.asn.is_some());
        }
    }

    fn count_flow(&mut self, seen: &FlowSubjects<'_>, volume: Volume, seconds: f64) {
        let has = Dimension::ALL.map(|by| by == Dimension::Name || self.has(by));
        let Self { tables, tick, rates, .. } = self;
        let side = seen.side;
        rates.at(*tick)[side as usize] += (volume.bytes as f64 / seconds) as f32;
        let (owner, place) = (seen.owned.label.as_ref(), seen.placed.label.as_ref());
        let moving = Moving { side, volume, seconds, owner, place };
        for by in Dimension::ALL {
            if has[by.place()] {
                tables[by.place()].add(seen.subject(by), *tick, &moving);
            }
        }
    }

    /// Adds the flows that the reading leaves out.
    fn count_more(&mut self, moving: &Moving<'_>) {
        let Self { tables, tick, rates, .. } = self;
        rates.at(*tick)[moving.side as usize] +=
            (moving.volume.bytes as f64 / moving.seconds) as f32;
        tables.iter_mut().for_each(|table| table.add(Subject::Other, *tick, moving));
    }

    fn keep(&mut self, reading: Arc<Reading>) {
        self.kept_flows += reading.flows.len();
        self.kept.push_back(reading.clone());
        while self.kept.len() > HISTORY || (self.kept_flows > MOST_KEPT && self.kept.len() > 1) {
            let dropped = self.kept.pop_front();
            self.kept_flows -= dropped.map_or(0, |reading| reading.flows.len());
        }
        self.last = reading;
    }

    /// Counts the kept readings again, for one interface or for all.
    pub(super) fn count_anew(&mut self, interface: Option<u32>) {
        let kept = std::mem::take(&mut self.kept);
        self.tables = Default::default();
        (self.tick, self.rates) = (0, Rates::default());
        kept.iter().for_each(|reading| self.count(reading, interface));
        self.kept = kept;
    }

    /// The flows of a subject in the last readings, the largest first, and the length of these readings in
    /// seconds.
    pub fn flows_of(
        &self,
        subject: &Subject,
        by: Dimension,
        interface: Option<u32>,
    ) -> (Vec<Flow>, f64) {
        /// The number of readings that are used.
        const LOOK: usize = 10;
        let mut flows: FxHashMap<FlowKey, Flow> = FxHashMap::default();
        let readings = self.kept.iter().rev().take(LOOK);
        let mut seconds = 0.0;
        for reading in readings {
            seconds += reading.seconds();
            let subjects = SubjectIndex::of(reading);
            for moved in &reading.flows {
                let key = moved.key();
                let seen = FlowSubjects::new(key, &subjects, moved, &self.names);
                let is_meant = interface.is_none_or(|wanted| wanted == key.ifindex);
                if is_meant && seen.subject(by) == *subject {
                    let flow = flows.entry(key).or_insert_with(|| Flow::new(key, reading, moved));
                    flow.volume.add(moved.volume);
                }
            }
        }
        let mut flows: Vec<_> = flows.into_values().collect();
        flows.sort_by_key(|flow| (std::cmp::Reverse(flow.volume.bytes), flow.key));
        (flows, seconds)
    }
}

/// A flow of the last readings.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Its key.
    pub key: FlowKey,
    /// Its traffic in these readings.
    pub volume: Volume,
    /// Its process.
    pub owner: Option<String>,
}

impl Flow {
    pub(super) fn new(key: FlowKey, reading: &Reading, moved: &FlowReading) -> Self {
        let who = reading.owner(moved);
        let process = who.and_then(|who| who.process.as_ref());
        let owner = process.map(|(pid, name)| format!("{name} ({pid})"));
        Self { key, volume: Volume::default(), owner }
    }
}
