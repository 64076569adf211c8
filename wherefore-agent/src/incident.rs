//! The life of incidents: opened by a finding, updated while it lasts, resolved when it was quiet
//! for long enough; and how much of that is told. Owns what is open and the rate limit; refuses to
//! judge groups, to read a clock and to do I/O.

use std::net::IpAddr;

use rustc_hash::FxHashMap;
use wherefore_common::Counters;

use crate::alert::{Alert, Status};
use crate::interval::Interval;
use crate::wording::{Course, DigestContent, Finding, Subject, Wording};

/// Peers that a digest tells apart; of the others only the number is known.
const DIGEST_PEERS: usize = 1024;

/// When incidents are told, in intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Between two messages about an incident that lasts, at the least.
    pub repeat_after: u32,
    /// Quiet ones after which an incident is over.
    pub resolve_after: u32,
    /// After an incident is over, the same group is not told anew for so long.
    pub cool_down: u32,
    /// New incidents that are told one by one; `None` for all.
    pub limit: Option<Limit>,
}

/// A rate limit as a bucket of tokens: full at first, one for each incident told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Tokens that the bucket holds.
    pub burst: u32,
    /// Tokens that come back each interval.
    pub per_interval: f64,
}

/// What is open.
#[derive(Debug)]
pub struct Incidents {
    rules: Rules,
    open: FxHashMap<Subject, Open>,
    /// When told incidents were over, as long as the cool-down lasts.
    over: FxHashMap<Subject, i64>,
    /// Told by an earlier run and not over then, by their key.
    restored: FxHashMap<String, Restored>,
    digest: Option<Digest>,
    tokens: f64,
    last_index: Option<i64>,
    /// Whether what is told to be open has changed since [`Incidents::take_changed`].
    is_changed: bool,
}

/// One incident.
#[derive(Debug)]
struct Open {
    course: Course,
    last_fired: i64,
    last_told: i64,
    /// What was told last; `None` where it was not to be told one by one.
    told: Option<Box<Alert>>,
    /// The interval from which on it may be told, if it lasts.
    cools_until: Option<i64>,
}

#[derive(Debug)]
struct Restored {
    alert: Alert,
    /// Since when its quiet counts: before it is judged, nothing is known to be quiet.
    since: Option<i64>,
}

/// The incidents that the rate limit kept from being told.
#[derive(Debug)]
struct Digest {
    content: DigestContent,
    peers: FxHashMap<IpAddr, u32>,
    last_fired: i64,
    last_told: i64,
    told: Box<Alert>,
}

impl Incidents {
    /// None open.
    pub fn new(rules: Rules) -> Self {
        let tokens = rules.limit.map_or(0.0, |limit| f64::from(limit.burst));
        Self {
            rules,
            open: FxHashMap::default(),
            over: FxHashMap::default(),
            restored: FxHashMap::default(),
            digest: None,
            tokens,
            last_index: None,
            is_changed: false,
        }
    }

    /// Other rules, from the next interval on.
    pub fn set_rules(&mut self, rules: Rules) {
        let most = rules.limit.map_or(0.0, |limit| f64::from(limit.burst));
        self.tokens = if self.rules.limit.is_some() { self.tokens.min(most) } else { most };
        self.rules = rules;
    }

    /// Goes on with incidents that an earlier run told and that were not over when it ended: they
    /// are not told anew, and resolved like others.
    pub fn restore(&mut self, told: Vec<Alert>) {
        let known = told.into_iter();
        let known = known.map(|alert| (alert.key.clone(), Restored { alert, since: None }));
        self.restored.extend(known);
    }

    /// The last message of each incident that was told and is not over, by key.
    pub fn told(&self) -> Vec<&Alert> {
        let open = self.open.values().filter_map(|open| open.told.as_deref());
        let restored = self.restored.values().map(|restored| &restored.alert);
        let digest = self.digest.iter().map(|digest| &*digest.told);
        let mut told: Vec<_> = open.chain(restored).chain(digest).collect();
        told.sort_by(|one, other| one.key.cmp(&other.key));
        told
    }

    /// Where the packets of an incident are, for what is told of it after a restart.
    pub fn remember_evidence(&mut self, alert: &Alert) {
        let told = self.open.get_mut(&Subject::of(alert)).and_then(|open| open.told.as_mut());
        if let Some(told) = told.filter(|told| told.key == alert.key) {
            told.evidence.clone_from(&alert.evidence);
        }
    }

    /// Whether [`Incidents::told`] has changed since the last call.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    /// Takes in what was found in an interval and says what is to be told, the weightiest first
    /// and what is over last. `judged` says of an incident of an earlier run whether it was looked
    /// for.
    pub fn step(
        &mut self,
        interval: &Interval,
        findings: Vec<Finding>,
        judged: impl Fn(&Alert) -> bool,
        wording: &mut Wording<'_>,
    ) -> Vec<Alert> {
        let index = interval.index;
        self.refill(index);
        for restored in self.restored.values_mut().filter(|one| judged(&one.alert)) {
            restored.since.get_or_insert(index);
        }
        let mut alerts = Vec::new();
        let (mut untold, mut lasting) = (Vec::new(), Vec::new());
        for finding in lead(merge(findings)) {
            if self.is_answer(&finding, index) {
                continue;
            }
            if self.open.contains_key(&finding.subject()) {
                alerts.extend(self.goes_on(&finding, index, wording));
                if self.open.get(&finding.subject()).is_some_and(|open| open.is_in_digest(index)) {
                    lasting.push(finding);
                }
            } else if let Some(alert) = self.begins(&finding, index, wording) {
                alerts.push(alert);
            } else if self.open.get(&finding.subject()).is_some_and(|open| open.is_in_digest(index))
            {
                untold.push(finding);
            }
        }
        alerts.extend(self.digest(index, &untold, &lasting, wording));
        alerts.extend(self.resolve(index, wording));
        self.is_changed |= !alerts.is_empty();
        alerts
    }

    /// Whether a finding is the other direction of what is open: two that talk are one incident. To
    /// the Go tool's methods they are two.
    fn is_answer(&mut self, finding: &Finding, index: i64) -> bool {
        let subject = finding.subject();
        let is_alone = finding.rarity.is_none() || subject == subject.reversed();
        if is_alone || self.open.contains_key(&subject) {
            return false;
        }
        let open = self.open.get_mut(&subject.reversed());
        open.map(|open| open.last_fired = index).is_some()
    }

    fn refill(&mut self, index: i64) {
        let passed = self.last_index.map_or(0, |last| index.saturating_sub(last).max(0));
        self.last_index = Some(index);
        if let Some(limit) = self.rules.limit {
            let grown = self.tokens + limit.per_interval * passed as f64;
            self.tokens = grown.min(f64::from(limit.burst));
        }
    }

    /// Whether one more may be told; takes a token.
    fn may_tell(&mut self) -> bool {
        if self.rules.limit.is_none() {
            return true;
        }
        let may = self.tokens >= 1.0;
        self.tokens -= if may { 1.0 } else { 0.0 };
        may
    }

    /// Opens an incident and tells it, unless an earlier run has or the rate limit forbids it.
    fn begins(
        &mut self,
        finding: &Finding,
        index: i64,
        wording: &mut Wording<'_>,
    ) -> Option<Alert> {
        let known = self.restored.remove(&wording.key(finding));
        let mut course = known
            .as_ref()
            .map_or_else(|| Course::begin(wording), |known| Course::resume(&known.alert, wording));
        course.add(finding, wording);
        let cools_until = self.over.remove(&finding.subject());
        let mut open =
            Open { course, last_fired: index, last_told: index, told: None, cools_until };
        let mut alert = None;
        if let Some(known) = known {
            open.told = Some(Box::new(known.alert));
        } else if open.is_cooling(index) {
            // Told when it is over, should it last.
        } else if self.may_tell() {
            alert = Some(wording.alert(Status::Firing, finding, &open.course));
            open.told = alert.clone().map(Box::new);
        }
        self.open.insert(finding.subject(), open);
        alert
    }

    fn goes_on(
        &mut self,
        finding: &Finding,
        index: i64,
        wording: &mut Wording<'_>,
    ) -> Option<Alert> {
        if finding.becomes_usual {
            return self.settles(finding, index, wording);
        }
        let open = self.open.get_mut(&finding.subject())?;
        open.last_fired = index;
        open.course.add(finding, wording);
        if open.told.is_none() {
            let is_cooling = open.is_cooling(index);
            return if is_cooling { None } else { self.comes_late(finding, index, wording) };
        }
        let is_due = index.saturating_sub(open.last_told) >= i64::from(self.rules.repeat_after);
        let told = open.told.as_mut().filter(|_| is_due)?;
        open.last_told = index;
        let mut alert = wording.alert(Status::Update, finding, &open.course);
        // Whatever was configured since: it is the same incident.
        alert.key.clone_from(&told.key);
        alert.key_scope = told.key_scope;
        alert.host.clone_from(&told.host);
        alert.evidence.clone_from(&told.evidence);
        **told = alert.clone();
        Some(alert)
    }

    /// Ends an incident that has become the usual; says so where it was told.
    fn settles(&mut self, finding: &Finding, index: i64, wording: &Wording<'_>) -> Option<Alert> {
        let mut open = self.open.remove(&finding.subject())?;
        open.course.add(finding, wording);
        let until = index.saturating_add(i64::from(self.rules.cool_down));
        self.over.insert(finding.subject(), until);
        open.told.map(|last| wording.settled(*last, &open.course))
    }

    /// Tells an incident that lasts beyond the cool-down of the one before, or until there is room
    /// again within the rate limit.
    fn comes_late(
        &mut self,
        finding: &Finding,
        index: i64,
        wording: &mut Wording<'_>,
    ) -> Option<Alert> {
        if !self.may_tell() {
            return None;
        }
        let open = self.open.get_mut(&finding.subject())?;
        open.last_told = index;
        let alert = wording.alert(Status::Firing, finding, &open.course);
        open.told = Some(Box::new(alert.clone()));
        Some(alert)
    }

    /// Adds what the rate limit holds back to the digest, which is told like an incident.
    fn digest(
        &mut self,
        index: i64,
        untold: &[Finding],
        lasting: &[Finding],
        wording: &mut Wording<'_>,
    ) -> Option<Alert> {
        if untold.is_empty() && lasting.is_empty() {
            return None;
        }
        let is_known = self.digest.is_some();
        let mut digest = self.digest.take().unwrap_or_else(|| Digest::new(index, wording));
        let known = if is_known { None } else { self.restored.remove(&digest.told.key) };
        if let Some(known) = &known {
            digest.content.resume(&known.alert, wording);
            digest.told = Box::new(known.alert.clone());
        }
        let is_new = !is_known && known.is_none();
        let since = index.saturating_sub(digest.last_told);
        digest.last_fired = index;
        untold.iter().for_each(|finding| digest.add(finding));
        lasting.iter().for_each(|finding| digest.content.goes_on(finding));
        let is_due = is_new || since >= i64::from(self.rules.repeat_after.max(1));
        let told = is_due.then(|| digest.tell(index, is_new, wording));
        self.digest = Some(digest);
        told
    }

    fn resolve(&mut self, index: i64, wording: &Wording<'_>) -> Vec<Alert> {
        let quiet = i64::from(self.rules.resolve_after.max(1));
        let is_over = |last_fired: i64| index.saturating_sub(last_fired) >= quiet;
        self.over.retain(|_, until| *until > index);
        let mut alerts = Vec::new();
        for (subject, open) in self.open.extract_if(|_, open| is_over(open.last_fired)) {
            let until = index.saturating_add(i64::from(self.rules.cool_down));
            let until = if open.told.is_some() { Some(until) } else { open.cools_until };
            self.over.extend(until.map(|until| (subject, until)));
            alerts.extend(open.told.map(|last| wording.resolved(*last, &open.course)));
        }
        // An incident of an earlier run is over when this one saw nothing of it for as long.
        let is_over_by_now = |since: Option<i64>| since.is_some_and(|since| is_over(since - 1));
        for (_, Restored { alert, .. }) in
            self.restored.extract_if(|_, restored| is_over_by_now(restored.since))
        {
            let course = Course::resume(&alert, wording);
            alerts.push(wording.resolved(alert, &course));
        }
        if self.digest.as_ref().is_some_and(|digest| is_over(digest.last_fired)) {
            let digest = self.digest.take();
            alerts.extend(digest.map(|one| wording.resolved(*one.told, one.content.course())));
        }
        alerts.sort_by(|one, other| one.key.cmp(&other.key));
        alerts
    }
}

impl Open {
    /// Whether the rate limit, and not the cool-down, keeps it from being told.
    fn is_in_digest(&self, index: i64) -> bool {
        self.told.is_none() && !self.is_cooling(index)
    }

    fn is_cooling(&self, index: i64) -> bool {
        self.cools_until.is_some_and(|until| index < until)
    }
}

impl Digest {
    fn new(index: i64, wording: &mut Wording<'_>) -> Self {
        let content = DigestContent::begin(wording);
        let told = Box::new(wording.digest(Status::Firing, &content));
        Self { content, peers: FxHashMap::default(), last_fired: index, last_told: index, told }
    }

    fn tell(&mut self, index: i64, is_new: bool, wording: &Wording<'_>) -> Alert {
        self.last_told = index;
        let status = if is_new { Status::Firing } else { Status::Update };
        *self.told = Alert {
            key: self.told.key.clone(),
            host: self.told.host.clone(),
            ..wording.digest(status, &self.content)
        };
        (*self.told).clone()
    }

    fn add(&mut self, finding: &Finding) {
        self.content.add(finding);
        for address in [finding.group.src_ip(), finding.group.dst_ip()] {
            if self.peers.len() < DIGEST_PEERS || self.peers.contains_key(&address) {
                *self.peers.entry(address).or_default() += 1;
            }
        }
        // Of equals the lowest address, so that the same incidents give the same text.
        let most = self.peers.iter().max_by_key(|(address, count)| {
            (!address.is_unspecified(), **count, std::cmp::Reverse(**address))
        });
        self.content.peer = most.map(|(address, count)| (*address, *count));
    }
}

/// Of two that are each other's answer, the one that speaks comes first: who moves twice as much, or
/// else began. The order is otherwise what it was.
fn lead(mut findings: Vec<Finding>) -> Vec<Finding> {
    let place: FxHashMap<Subject, usize> =
        findings.iter().enumerate().map(|(at, finding)| (finding.subject(), at)).collect();
    for at in 0..findings.len() {
        let answer = place.get(&findings[at].subject().reversed());
        let Some(&answer) = answer.filter(|answer| **answer > at) else { continue };
        if speaks(&findings[answer].counters, &findings[at].counters) {
            findings.swap(at, answer);
        }
    }
    findings
}

/// Whether one direction speaks for its conversation rather than the other.
fn speaks(one: &Counters, other: &Counters) -> bool {
    if one.bytes / 2 >= other.bytes || other.bytes / 2 >= one.bytes {
        return one.bytes > other.bytes;
    }
    (one.first_ns as i64) < other.first_ns as i64
}

/// One finding for each group, whatever the number of interfaces that it passed: the strongest. The
/// weightiest first, in an order without chance.
fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut strongest: FxHashMap<Subject, Finding> = FxHashMap::default();
    for finding in findings {
        match strongest.get_mut(&finding.subject()) {
            Some(known) if known.weight() >= finding.weight() => {}
            Some(known) => *known = finding,
            None => {
                strongest.insert(finding.subject(), finding);
            }
        }
    }
    let mut merged: Vec<_> = strongest.into_values().collect();
    merged.sort_by(|one, other| {
        other.weight().cmp(&one.weight()).then_with(|| one.subject().cmp(&other.subject()))
    });
    merged
}
