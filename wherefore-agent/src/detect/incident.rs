//! The life cycle of incidents: a finding opens one, further findings update it, and it is resolved after
//! enough quiet intervals. Owns the open incidents, which of these events are reported, and the rate limit;
//! refuses to judge groups, to compose text, to read a clock and to do I/O.

mod digest;
mod order;
mod past;
mod peers;

use rustc_hash::FxHashMap;

use crate::detect::event::{Event, EventKind, Moment, Others, Progress, UnfinishedIncident};
use crate::detect::finding::{Finding, Subject};
use crate::detect::held::{HeldBack, HeldBacks, Reason};
use crate::detect::kind::Status;
use crate::traffic::group::GroupBy;
use crate::traffic::interval::Interval;
use digest::Digest;
use order::{Actor, Endpoints, endpoints, first_progress, leading_direction_first, merge};
use past::{PastReports, RecurrenceKey, ReportHistory, Reported, is_worse};

/// When incidents are reported, in intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The least number between two messages about an incident that continues, unless it has grown much.
    pub repeat_after: u32,
    /// Quiet intervals after which an incident is over.
    pub resolve_after: u32,
    /// After an incident is over, the same group is not reported again for this many intervals.
    pub cool_down: u32,
    /// The limit on new incidents that are reported one by one; `None` if all are.
    pub limit: Option<Limit>,
}

/// A rate limit as a token bucket: it starts full, and each reported incident takes a token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// The most tokens in the bucket.
    pub burst: u32,
    /// The tokens that are added in each interval.
    pub per_interval: f64,
}

/// The open incidents.
#[derive(Debug, Clone)]
pub struct Incidents {
    rules: Rules,
    group_by: GroupBy,
    open: FxHashMap<Subject, Open>,
    /// Reported incidents that are over.
    history: ReportHistory,
    /// The open incident between two addresses.
    by_endpoints: FxHashMap<Endpoints, Subject>,
    /// The open incident of a host that findings about its other peers join.
    actors: FxHashMap<Actor, Subject>,
    /// Incidents that an earlier run reported and that had not ended.
    restored: FxHashMap<Subject, Restored>,
    digest: Option<Digest>,
    tokens: f64,
    last_index: Option<i64>,
    /// The number of intervals after which a lasting change becomes the baseline.
    settles_after: u32,
    /// If less than this many bytes an interval remain, they may be only the end of an incident.
    min_bytes: f64,
    /// Incidents that began and were not reported, since the last call of [`Self::take_held`].
    held: HeldBacks,
}

/// An incident that has grown is reported again after this number of intervals: a minute of 5 s.
const SOON: i64 = 12;

/// One incident.
#[derive(Debug, Clone)]
struct Open {
    progress: Progress,
    last_fired: i64,
    last_reported: i64,
    /// Whether it was reported one by one.
    is_reported: bool,
    /// Its key among recurring incidents, and the earlier reports with that key.
    key: RecurrenceKey,
    before: Option<PastReports>,
    /// The interval from which on it may be reported, if it still continues.
    cools_until: Option<i64>,
    /// If it is about bytes: the baseline in bytes an interval when it began. While there are more bytes, it
    /// is not over, whatever the baseline has become since.
    usual: Option<f64>,
    first: i64,
    /// The number of intervals for which a finding holds if nothing more is found.
    holds: u32,
    /// The two addresses of the incident.
    endpoints: Option<Endpoints>,
    /// The severity and the bytes of an interval in its last message.
    reported: Reported,
    /// The incident that it has joined; then it is not reported itself.
    leader: Option<Subject>,
    /// Its last reported finding, if others may join it.
    finding: Option<Box<Finding>>,
    /// The groups that have joined it, their number in its last message, and whether there is something to report
    /// about them.
    others: Others,
    others_reported: u64,
    has_update: bool,
    /// The last interval with a finding about one of them, or with another view of the same.
    others_fired: i64,
}

impl Open {
    /// Whether it is worse than in its last message.
    fn has_grown(&self, finding: &Finding) -> bool {
        is_worse(self.reported, finding)
    }
}

#[derive(Debug, Clone)]
struct Restored {
    progress: Progress,
    /// When its quiet time began; `None` until it is judged for the first time.
    since: Option<i64>,
}

impl Incidents {
    /// Without open incidents.
    pub fn new(rules: Rules, group_by: GroupBy, settles_after: u32, min_bytes: f64) -> Self {
        let tokens = rules.limit.map_or(0.0, |limit| f64::from(limit.burst));
        Self {
            rules,
            group_by,
            open: FxHashMap::default(),
            by_endpoints: FxHashMap::default(),
            actors: FxHashMap::default(),
            history: ReportHistory::default(),
            restored: FxHashMap::default(),
            digest: None,
            tokens,
            last_index: None,
            settles_after,
            min_bytes,
            held: HeldBacks::default(),
        }
    }

    /// Sets other rules, from the next interval on.
    pub fn set_rules(&mut self, rules: Rules, settles_after: u32, min_bytes: f64) {
        (self.settles_after, self.min_bytes) = (settles_after, min_bytes);
        let most = rules.limit.map_or(0.0, |limit| f64::from(limit.burst));
        self.tokens = if self.rules.limit.is_some() { self.tokens.min(most) } else { most };
        self.rules = rules;
    }

    /// Continues incidents that an earlier run reported and that had not ended. They are not reported again,
    /// and are resolved like others.
    pub fn restore(&mut self, known: impl Iterator<Item = UnfinishedIncident>) {
        let restored = known.map(|UnfinishedIncident { subject, progress }| {
            (subject, Restored { progress, since: None })
        });
        self.restored.extend(restored);
    }

    /// Adds the findings of an interval. Returns the events to report, the most unusual first and incidents
    /// that are over last. `judged` returns whether an incident of an earlier run was looked for.
    pub fn step(
        &mut self,
        interval: &Interval,
        findings: Vec<Finding>,
        judged: impl Fn(&Subject) -> bool,
    ) -> Vec<Event> {
        let (index, at) = (interval.index, Moment::of(interval));
        self.follow_clock(interval.stepped_ns);
        self.refill(index);
        for (_, restored) in self.restored.iter_mut().filter(|(subject, _)| judged(subject)) {
            restored.since.get_or_insert(index);
        }
        let mut events = Vec::new();
        let (mut held_back, mut lasting) = (Vec::new(), Vec::new());
        for finding in leading_direction_first(merge(findings)) {
            let is_open = self.open.contains_key(&finding.subject());
            if !is_open && self.is_part_of_open(&finding, index) {
                continue;
            }
            events.extend(if is_open {
                self.update(&finding, index, at)
            } else {
                self.start(&finding, index, at)
            });
            if self.open.get(&finding.subject()).is_some_and(|open| open.is_in_digest(index)) {
                let kept = if is_open { &mut lasting } else { &mut held_back };
                kept.push(finding);
            }
        }
        events.extend(self.digest(index, at, &held_back, &lasting));
        events.extend(self.continue_without_finding(interval));
        events.extend(self.report_joined(interval));
        events.extend(self.resolve(index));
        events.into_iter().map(|kind| Event { at, kind }).collect()
    }

    /// Takes the incidents that began and were not reported since the last call.
    pub fn take_held(&mut self) -> HeldBacks {
        std::mem::take(&mut self.held)
    }

    /// Whether nothing is open, so that intervals without findings change nothing.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty() && self.restored.is_empty() && self.digest.is_none()
    }

    /// Ends this many intervals without findings and open incidents, the last of them `last`.
    pub fn pass_idle(&mut self, intervals: u32, last: i64) {
        for back in (0..i64::from(intervals)).rev() {
            self.refill(last.saturating_sub(back));
        }
        self.history.forget(last);
    }

    /// Adjusts to a changed time of day: open incidents keep their durations.
    fn follow_clock(&mut self, stepped_ns: i64) {
        if stepped_ns != 0 {
            let digest = self.digest.iter_mut().map(|digest| &mut digest.sum.progress);
            let open = self.open.values_mut().map(|open| &mut open.progress);
            open.chain(digest).for_each(|progress| progress.step(stepped_ns));
        }
    }

    fn refill(&mut self, index: i64) {
        let passed = self.last_index.map_or(0, |last| index.saturating_sub(last).max(0));
        self.last_index = Some(index);
        if let Some(limit) = self.rules.limit {
            let grown = self.tokens + limit.per_interval * passed as f64;
            self.tokens = grown.min(f64::from(limit.burst));
        }
    }

    /// Whether the rate limit allows another report; takes a token.
    fn may_report(&mut self) -> bool {
        if self.rules.limit.is_none() {
            return true;
        }
        let may = self.tokens >= 1.0;
        self.tokens -= if may { 1.0 } else { 0.0 };
        may
    }

    /// Opens an incident. Reports it, unless an earlier run has done so or the rate limit forbids it.
    fn start(&mut self, finding: &Finding, index: i64, at: Moment) -> Option<EventKind> {
        let subject = finding.subject();
        let known = self.restored.remove(&subject);
        let mut progress =
            known.as_ref().map_or_else(|| first_progress(finding, at), |known| known.progress);
        progress.add(finding.counters.bytes, at);
        let key = RecurrenceKey::of(finding);
        let before = self.history.take(&key);
        let covers = before.filter(|before| before.suppress(finding, index));
        let (last_fired, last_reported) = (index, index);
        let is_reported = known.is_some();
        let usual = finding.usual_bytes();
        let mut open = Open {
            progress,
            last_fired,
            last_reported,
            is_reported,
            key,
            before,
            cools_until: covers.map(|before| before.quiet_until),
            usual,
            first: index,
            holds: finding.holds(),
            endpoints: endpoints(finding),
            reported: (finding.severity(), finding.counters.bytes),
            leader: self.leader(finding, index).filter(|_| known.is_none()),
            finding: None,
            others: Others::default(),
            others_reported: 0,
            has_update: false,
            others_fired: index,
        };
        let has_leader = open.leader.is_some();
        // During the cool-down it is not reported; if it still continues after that, it is.
        let is_cooling = open.is_cooling(index);
        let is_due = !is_reported && !is_cooling && !has_leader && self.may_report();
        open.is_reported |= is_due;
        if !open.is_reported && !has_leader {
            let reason = if is_cooling { Reason::CoolDown } else { Reason::RateLimit };
            let surprise = finding.rarity().map_or(0.0, |rarity| rarity.expected);
            self.held.add(HeldBack { reason, subject, surprise, bytes: finding.counters.bytes });
        }
        if let Some(endpoints) = open.endpoints {
            self.by_endpoints.insert(endpoints, subject);
        }
        self.open.insert(subject, open);
        if has_leader {
            self.add_to_leader(subject, (finding.counters.bytes, at), index, (true, true));
        }
        is_due.then(|| self.event(Status::Firing, finding, progress))
    }

    /// The event to report about an incident that begins or continues.
    fn event(&mut self, status: Status, finding: &Finding, progress: Progress) -> EventKind {
        self.accept_others(finding);
        let open = self.open.get_mut(&finding.subject());
        let others = open.map_or_else(Others::default, |open| {
            (open.has_update, open.others_reported) = (false, open.others.count);
            open.others.clone()
        });
        EventKind::Incident { status, finding: Box::new(finding.clone()), progress, others }
    }

    fn update(&mut self, finding: &Finding, index: i64, at: Moment) -> Option<EventKind> {
        if finding.becomes_usual {
            return self.accept(finding, index, at);
        }
        let repeat_after = i64::from(self.rules.repeat_after);
        let leader = self.open.get(&finding.subject()).and_then(|open| open.leader);
        let is_led = leader.is_some_and(|leader| self.open.contains_key(&leader));
        let open = self.open.get_mut(&finding.subject())?;
        open.last_fired = index;
        open.holds = open.holds.max(finding.holds());
        open.progress.add(finding.counters.bytes, at);
        let has_grown = open.has_grown(finding);
        // If the other one is over, it is known from its messages, unless it has grown since.
        open.leader = open.leader.filter(|_| is_led || !has_grown);
        if open.leader.is_some() {
            if has_grown {
                open.reported = (finding.severity(), finding.counters.bytes);
            }
            let moved = (finding.counters.bytes, at);
            self.add_to_leader(finding.subject(), moved, index, (false, has_grown));
            return None;
        }
        let (progress, is_cooling) = (open.progress, open.is_cooling(index));
        let status = if open.is_reported { Status::Update } else { Status::Firing };
        let since = index.saturating_sub(open.last_reported);
        let is_due = match status {
            Status::Update => since >= repeat_after || since >= SOON && has_grown,
            // It continues after the cool-down of the previous one, or until the rate limit allows a report.
            _ => !is_cooling && self.may_report(),
        };
        let open = self.open.get_mut(&finding.subject()).filter(|_| is_due)?;
        (open.last_reported, open.is_reported) = (index, true);
        open.reported = (finding.severity(), finding.counters.bytes);
        Some(self.event(status, finding, progress))
    }

    /// Ends an incident that has become the baseline. Reports its end if its beginning was reported.
    fn accept(&mut self, finding: &Finding, index: i64, at: Moment) -> Option<EventKind> {
        let subject = finding.subject();
        let mut open = self.open.remove(&subject)?;
        open.progress.add(finding.counters.bytes, at);
        self.open.insert(subject, open);
        self.end_as_baseline(subject, index)
    }

    /// Adds an incident that the rate limit holds back to the summary, which is reported like an incident.
    fn digest(
        &mut self,
        index: i64,
        at: Moment,
        held_back: &[Finding],
        lasting: &[Finding],
    ) -> Option<EventKind> {
        if held_back.is_empty() && lasting.is_empty() {
            return None;
        }
        let is_known = self.digest.is_some();
        let mut digest = self.digest.take().unwrap_or_else(|| Digest::new(index, at));
        let subject = Subject::digest(self.group_by);
        let known = if is_known { None } else { self.restored.remove(&subject) };
        if let Some(known) = &known {
            digest.sum.progress = known.progress;
        }
        let is_new = !is_known && known.is_none();
        let since = index.saturating_sub(digest.last_reported);
        digest.last_fired = index;
        held_back.iter().for_each(|finding| digest.add(finding));
        lasting.iter().for_each(|finding| digest.sum.update(finding));
        let is_due = is_new || since >= i64::from(self.rules.repeat_after.max(1));
        digest.last_reported = if is_due { index } else { digest.last_reported };
        let sum = digest.sum;
        self.digest = Some(digest);
        let status = if is_new { Status::Firing } else { Status::Update };
        is_due.then_some(EventKind::Digest { status, sum })
    }

    /// Continues open incidents without a finding in this interval if they had more bytes than the baseline
    /// when they began. One that continues for too long becomes the baseline.
    fn continue_without_finding(&mut self, interval: &Interval) -> Vec<EventKind> {
        let (index, at) = (interval.index, Moment::of(interval));
        let is_silent = |open: &Open| open.usual.is_some() && open.last_fired < index;
        let mut moved: FxHashMap<Subject, u64> = FxHashMap::default();
        moved.extend(self.open.iter().filter(|(_, open)| is_silent(open)).map(|(s, _)| (*s, 0)));
        if moved.is_empty() {
            return Vec::new();
        }
        let mut kinds: Vec<_> = moved.keys().map(|of| (of.kind, of.group_by)).collect();
        kinds.sort_unstable_by_key(|(kind, group_by)| (*kind, group_by.name()));
        kinds.dedup();
        for (flow, counters) in interval.flows.iter() {
            for (kind, group_by) in &kinds {
                let group = group_by.key(&flow);
                let subject = Subject::new(*kind, *group_by, &group, flow.ifindex);
                if let Some(bytes) = moved.get_mut(&subject) {
                    *bytes = bytes.saturating_add(counters.bytes);
                }
            }
        }
        let mut settled = Vec::new();
        for (subject, bytes) in moved {
            let Some(open) = self.open.get_mut(&subject) else { continue };
            if open.is_above_baseline(bytes, at, self.min_bytes) {
                open.last_fired = index;
                open.progress.add(bytes, at);
                if index.saturating_sub(open.first) >= i64::from(self.settles_after) {
                    settled.push(subject);
                }
                self.add_to_leader(subject, (bytes, at), index, (false, false));
            }
        }
        settled.sort_unstable();
        settled.into_iter().filter_map(|subject| self.end_as_baseline(subject, index)).collect()
    }

    fn end_as_baseline(&mut self, subject: Subject, index: i64) -> Option<EventKind> {
        let Open { progress, is_reported, endpoints, others, key, before, reported, .. } =
            self.open.remove(&subject)?;
        if let Some(endpoints) = endpoints {
            self.by_endpoints.remove(&endpoints);
        }
        self.actors.retain(|_, leader| *leader != subject);
        let cool_down = self.rules.cool_down;
        self.history.add(key, PastReports::after_settling(before, reported, index, cool_down));
        is_reported.then_some(EventKind::Over { subject, progress, others, is_baseline: true })
    }

    fn resolve(&mut self, index: i64) -> Vec<EventKind> {
        let quiet = i64::from(self.rules.resolve_after.max(1));
        let is_over = |last_fired: i64| index.saturating_sub(last_fired) >= quiet;
        let over = |subject, progress, others| EventKind::Over {
            subject,
            progress,
            others,
            is_baseline: false,
        };
        self.history.forget(index);
        let mut events = Vec::new();
        let is_past = |open: &Open| {
            let last = open.last_fired.max(open.others_fired);
            is_over(last) && index.saturating_sub(last) >= open.holds.into()
        };
        for (subject, open) in self.open.extract_if(|_, open| is_past(open)) {
            if let Some(endpoints) = open.endpoints {
                self.by_endpoints.remove(&endpoints);
            }
            self.actors.retain(|_, leader| *leader != subject);
            let Open { key, before, reported, .. } = open;
            let reports = || PastReports::after(before, reported, index, self.rules.cool_down);
            let is_known = open.is_reported || open.leader.is_some();
            if let Some(reports) = if is_known { Some(reports()) } else { before } {
                self.history.add(key, reports);
            }
            events.extend(open.is_reported.then(|| over(subject, open.progress, open.others)));
        }
        // An incident of an earlier run is over if this run saw nothing of it for as long.
        let is_over_by_now = |since: Option<i64>| since.is_some_and(|since| is_over(since - 1));
        let restored = self.restored.extract_if(|_, restored| is_over_by_now(restored.since));
        events.extend(
            restored.map(|(subject, restored)| over(subject, restored.progress, Others::default())),
        );
        if let Some(digest) = self.digest.take_if(|digest| is_over(digest.last_fired)) {
            events.push(over(
                Subject::digest(self.group_by),
                digest.sum.progress,
                Others::default(),
            ));
        }
        events
    }
}

impl Open {
    /// Whether the rate limit, and not the cool-down, keeps it from being reported.
    fn is_in_digest(&self, index: i64) -> bool {
        !self.is_reported && self.leader.is_none() && !self.is_cooling(index)
    }

    /// Whether this many bytes are above the baseline when it began, and more than only its end, which is
    /// small.
    fn is_above_baseline(&self, bytes: u64, at: Moment, min_bytes: f64) -> bool {
        /// Less than this share of the peak is only the end of the incident.
        const REST: f64 = 0.1;
        let is_more = |usual: f64| bytes as f64 > 1.5 * usual * at.times_as_long;
        let is_trifle = (bytes as f64) < min_bytes * at.times_as_long;
        let is_rest = is_trifle && at.rate(bytes) <= REST * self.progress.peak;
        self.usual.is_some_and(is_more) && !is_rest
    }

    fn is_cooling(&self, index: i64) -> bool {
        self.cools_until.is_some_and(|until| index < until)
    }
}
