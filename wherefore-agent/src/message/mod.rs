//! Every sentence and every field of an alert: findings in, words out. Owns the text, the key and the record
//! of an incident, and the last message about each open incident; refuses to decide what is reported, to send
//! and to do I/O.

pub mod alert;
mod daily;
pub mod held;
mod line;
pub mod owner;
mod reason;
mod settings;
mod wording;

use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;

use crate::attribute::Directory;
use crate::detect::engine::{Engine, Step, TopGroup, Unfinished};
use crate::detect::event::{Event, EventKind, Moment, Progress, UnfinishedIncident};
use crate::detect::finding::Subject;
use crate::detect::held::HeldBacks;
use crate::detect::kind::Kind;
use crate::detect::settings::EngineSettings;
use crate::message::alert::{Alert, Status};
use crate::text;
use crate::traffic::interval::Interval;
use crate::traffic::who::Owner;
use daily::Daily;
use wording::Wording;

pub use reason::{of_address, of_verdict};
pub use settings::{AlertContext, Settings};

/// An engine, with the messages about its findings.
#[derive(Debug, Clone)]
pub struct Alerting {
    /// The engine that detects.
    pub engine: Engine,
    settings: Settings,
    /// The threshold and the grouping, for the daily summary of findings that were held back.
    threshold: f64,
    /// The last message about each open incident, by its subject.
    last: FxHashMap<Subject, Alert>,
    /// Whether `last` has changed since [`Alerting::take_changed`].
    is_changed: bool,
    daily: Daily,
}

/// The result of one interval.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Messages: first about incidents that begin or continue, by descending probability and then by volume;
    /// then about those that are over.
    pub alerts: Vec<Alert>,
    /// The largest groups, in descending order.
    pub top: Vec<TopGroup>,
    /// The owner with most of the traffic of each group in `top`; `None` if attribution is off.
    pub owners: Vec<Option<Owner>>,
    /// The number of groups that are tracked after the interval.
    pub groups: usize,
    /// The number of groups that were evicted because there were too many, since the start.
    pub evicted: u64,
    /// Groups that were forgotten in this interval, for any reason; empty unless [`Engine::record_forgotten`]
    /// was called.
    pub forgotten: Vec<FlowKey>,
    /// Findings that are not reported, one for each subject.
    pub held_back: HeldBacks,
}

impl Alerting {
    /// An engine without history.
    ///
    /// # Errors
    /// If options of the Go tool's methods contradict each other.
    pub fn new(engine: EngineSettings, settings: Settings) -> anyhow::Result<Self> {
        let threshold = engine.threshold;
        let engine = Engine::new(engine)?;
        let last = FxHashMap::default();
        let daily = Daily::default();
        Ok(Self { engine, settings, threshold, last, is_changed: false, daily })
    }

    /// Continues with other settings; see [`Engine::reconfigure`].
    ///
    /// # Errors
    /// If options of the Go tool's methods contradict each other; nothing is changed then.
    pub fn reconfigure(
        &mut self,
        engine: EngineSettings,
        settings: Settings,
    ) -> anyhow::Result<()> {
        let threshold = engine.threshold;
        self.engine.reconfigure(engine)?;
        (self.settings, self.threshold) = (settings, threshold);
        Ok(())
    }

    /// Continues the incidents of an earlier run from their last messages.
    pub fn restore(&mut self, last: Vec<Alert>, ifindex: impl Fn(&str) -> Option<u32>) {
        let unfinished = last.into_iter().map(|alert| {
            let unfinished = unfinished(&alert, ifindex(&alert.interface));
            self.last.insert(unfinished.incident.subject, alert);
            unfinished
        });
        let unfinished = unfinished.collect();
        self.engine.restore(unfinished);
    }

    /// The last message about each open incident, by key.
    pub fn open(&self) -> Vec<&Alert> {
        let mut open: Vec<_> = self.last.values().collect();
        open.sort_by(|one, other| one.key.cmp(&other.key));
        open
    }

    /// Whether [`Alerting::open`] has changed since the last call.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    /// Remembers the files with the packets of an incident, for its messages after a restart.
    pub fn remember_evidence(&mut self, alert: &Alert) {
        if let Some(last) = self.last.values_mut().find(|last| last.key == alert.key) {
            last.evidence.clone_from(&alert.evidence);
        }
    }

    /// Judges an interval, and words the incidents to report.
    pub fn step(&mut self, interval: &Interval, context: &AlertContext<'_>) -> Outcome {
        let Step { events, top, groups, evicted, forgotten, held_back } =
            self.engine.step(interval);
        self.is_changed |= !events.is_empty();
        let mut alerts = self.word(events, context);
        self.name_owners(interval, &mut alerts, context.directory);
        alerts.extend(self.daily_alert(interval, &held_back, &alerts, context));
        let group_by = self.engine.group_by();
        let groups_shown: Vec<_> = top.iter().map(|group| (group_by, group.key)).collect();
        let owners = owner::of_groups(interval, &groups_shown, context.directory);
        Outcome { alerts, top, owners, groups, evicted, forgotten, held_back }
    }

    /// The message about a day that is over, if anything was held back in it.
    fn daily_alert(
        &mut self,
        interval: &Interval,
        held_back: &HeldBacks,
        alerts: &[Alert],
        context: &AlertContext<'_>,
    ) -> Option<Alert> {
        let sums =
            self.daily.take(interval, alerts, held_back).filter(|_| self.settings.is_daily)?;
        let wording = Wording { settings: &self.settings, context, at: Moment::of(interval) };
        Some(wording.daily(&sums, self.engine.group_by()))
    }

    /// Sets the owner of each message: the one with most of the subject's traffic.
    fn name_owners(&mut self, interval: &Interval, alerts: &mut [Alert], directory: &Directory) {
        let is_about_groups =
            |alert: &&mut Alert| alert.kind != Kind::Digest && alert.status != Status::Resolved;
        if interval.owners.is_empty() {
            return;
        }
        let mut named: Vec<_> = alerts.iter_mut().filter(is_about_groups).collect();
        let groups: Vec<_> = named.iter().map(|alert| (alert.group_by, alert.group)).collect();
        let owners = owner::of_groups(interval, &groups, directory);
        for (alert, owner) in named.iter_mut().zip(owners) {
            let Some(owner) = owner else { continue };
            alert.set_owner(&owner);
            if let Some(last) = self.last.values_mut().find(|last| last.key == alert.key) {
                last.owner.clone_from(&alert.owner);
            }
        }
    }

    fn word(&mut self, events: Vec<Event>, context: &AlertContext<'_>) -> Vec<Alert> {
        let group_by = self.engine.group_by();
        let mut alerts = Vec::with_capacity(events.len());
        let mut over = Vec::new();
        let mut at_ns = None;
        for Event { at, kind } in events {
            // Incidents that end in an interval are sorted last in it, by key.
            if at_ns.replace(at.end_ns) != Some(at.end_ns) {
                flush(&mut over, &mut alerts);
            }
            let Self { settings, threshold, last, .. } = self;
            let wording = Wording { settings, context, at };
            match kind {
                EventKind::Incident { status, finding, progress, others } => {
                    let alert = wording.alert(status, &finding, &progress, &others);
                    alerts.push(keep(last, finding.subject(), alert));
                }
                EventKind::Digest { status, sum } => {
                    let alert = wording.digest(status, &sum, group_by, *threshold);
                    alerts.push(keep(last, Subject::digest(group_by), alert));
                }
                EventKind::Over { subject, progress, others, is_baseline } => {
                    let known = last.remove(&subject);
                    let end =
                        known.map(|known| wording.over(known, &progress, &others, is_baseline));
                    if is_baseline { alerts.extend(end) } else { over.extend(end) }
                }
            }
        }
        flush(&mut over, &mut alerts);
        alerts
    }
}

fn flush(over: &mut Vec<Alert>, alerts: &mut Vec<Alert>) {
    over.sort_by(|one, other| one.key.cmp(&other.key));
    alerts.append(over);
}

/// Stores a message as the last one about its incident. The fields that identify the incident stay, even if
/// the configuration changed meanwhile.
fn keep(last: &mut FxHashMap<Subject, Alert>, subject: Subject, mut alert: Alert) -> Alert {
    if let Some(before) = last.get(&subject).filter(|_| alert.status == Status::Update) {
        alert.key.clone_from(&before.key);
        alert.key_scope = before.key_scope;
        alert.host.clone_from(&before.host);
        alert.evidence.clone_from(&before.evidence);
    }
    last.insert(subject, alert.clone());
    alert
}

/// The facts that the engine needs about an incident of an earlier run.
fn unfinished(last: &Alert, ifindex: Option<u32>) -> Unfinished {
    let subject = match last.kind {
        Kind::Digest => Subject::digest(last.group_by),
        kind => Subject::new(kind, last.group_by, &last.group, ifindex.unwrap_or(0)),
    };
    let started_ns = text::nanoseconds(&last.started).unwrap_or(0);
    let (bytes, peak) = (last.incident_bytes, last.peak_bytes_per_second);
    let ended_ns = started_ns.saturating_add((last.incident_seconds * 1e9) as i64);
    let progress = Progress { started_ns, stepped_ns: 0, bytes, last_bytes: 0, peak, ended_ns };
    let usual = last.window.split_last().map_or(Vec::new(), |(_, usual)| usual.to_vec());
    Unfinished { incident: UnfinishedIncident { subject, progress }, ifindex, usual }
}
