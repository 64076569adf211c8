//! Events of incidents, as facts: they begin, continue and end, with their sums. Owns these types; refuses
//! words.

use std::net::IpAddr;

use crate::detect::finding::{Finding, Subject};
use crate::detect::kind::{Severity, Status};
use crate::traffic::interval::Interval;

/// An event to report, with its interval.
#[derive(Debug, Clone)]
pub struct Event {
    /// The interval in which it became known.
    pub at: Moment,
    /// What happened.
    pub kind: EventKind,
}

/// An interval, as far as an event needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Its start, nanoseconds since 1970.
    pub start_ns: i64,
    /// Its end, nanoseconds since 1970.
    pub end_ns: i64,
    /// See [`Interval::times_as_long`].
    pub times_as_long: f64,
}

/// The kinds of events.
#[derive(Debug, Clone)]
pub enum EventKind {
    /// An incident begins (`Firing`) or continues (`Update`).
    Incident {
        /// Which of the two.
        status: Status,
        /// The finding of this interval.
        finding: Box<Finding>,
        /// The incident so far.
        progress: Progress,
        /// The other groups that are part of it.
        others: Others,
    },
    /// An incident is over.
    Over {
        /// The subject.
        subject: Subject,
        /// The whole incident.
        progress: Progress,
        /// The other groups that were part of it.
        others: Others,
        /// Whether it is over because it lasted so long that it became the baseline.
        is_baseline: bool,
    },
    /// There are incidents that the rate limit holds back.
    Digest {
        /// Whether this is the first message about them, or an update.
        status: Status,
        /// Their sum.
        sum: DigestSum,
    },
}

/// The sums of an incident so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Start of its first interval, nanoseconds since 1970.
    pub started_ns: i64,
    /// Nanoseconds by which the clock was set since then; forward is positive.
    pub stepped_ns: i64,
    /// Bytes in its unusual intervals.
    pub bytes: u64,
    /// The bytes in the last of them.
    pub last_bytes: u64,
    /// The highest rate in one of them, in bytes a second.
    pub peak: f64,
    /// End of the last of them, nanoseconds since 1970.
    pub ended_ns: i64,
}

/// The other groups of an incident: several peers of one host are one event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Others {
    /// The first of them.
    pub named: Vec<Other>,
    /// Their number.
    pub count: u64,
    /// The bytes in their unusual intervals.
    pub bytes: u64,
}

/// Another group of an incident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Other {
    /// The subject.
    pub subject: Subject,
    /// The bytes in its unusual intervals.
    pub bytes: u64,
}

/// The incidents that the rate limit holds back.
#[derive(Debug, Clone, Copy)]
pub struct DigestSum {
    /// Their sums.
    pub progress: Progress,
    /// Their number.
    pub count: u64,
    /// The highest of their probabilities.
    pub probability: f64,
    /// The highest of their severities.
    pub severity: Severity,
    /// The address that most of them have in common, and the number of those.
    pub peer: Option<(IpAddr, u32)>,
}

/// An incident that an earlier run reported and that had not ended.
#[derive(Debug, Clone)]
pub struct UnfinishedIncident {
    /// The subject.
    pub subject: Subject,
    /// Its sums so far.
    pub progress: Progress,
}

impl Moment {
    /// The time of an interval.
    pub fn of(interval: &Interval) -> Self {
        let Interval { start_ns, end_ns, .. } = *interval;
        Self { start_ns, end_ns, times_as_long: interval.times_as_long() }
    }

    /// Its length in seconds.
    pub fn seconds(&self) -> f64 {
        (self.end_ns - self.start_ns) as f64 / 1e9
    }

    /// The rate of this many bytes in the interval.
    pub fn rate(&self, bytes: u64) -> f64 {
        bytes as f64 / self.seconds().max(1e-9)
    }
}

impl Progress {
    /// The sums of an incident that begins with this interval, before anything is added.
    pub fn begin(at: Moment) -> Self {
        let (started_ns, ended_ns) = (at.start_ns, at.end_ns);
        Self { started_ns, stepped_ns: 0, bytes: 0, last_bytes: 0, peak: 0.0, ended_ns }
    }

    /// How long it was unusual, in seconds, without the quiet time at its end.
    pub fn seconds(&self) -> f64 {
        self.seconds_until(self.ended_ns)
    }

    /// Adjusts to a change of the clock.
    pub(super) fn step(&mut self, stepped_ns: i64) {
        self.stepped_ns = self.stepped_ns.saturating_add(stepped_ns);
        self.ended_ns = self.ended_ns.saturating_add(stepped_ns);
    }

    /// How long it has lasted, in seconds, independent of changes of the clock.
    pub fn seconds_until(&self, end_ns: i64) -> f64 {
        let lasted_ns = end_ns.saturating_sub(self.started_ns).saturating_sub(self.stepped_ns);
        lasted_ns.max(0) as f64 / 1e9
    }

    /// Adds the bytes of an interval, or those of another group in the same interval.
    pub(super) fn add(&mut self, bytes: u64, at: Moment) {
        let before = if self.ended_ns == at.end_ns { self.last_bytes } else { 0 };
        self.last_bytes = before.saturating_add(bytes);
        self.bytes = self.bytes.saturating_add(bytes);
        self.peak = self.peak.max(at.rate(self.last_bytes));
        self.ended_ns = at.end_ns;
    }

    /// Adds traffic from before the finding: this many bytes in this many intervals.
    pub(super) fn began_before(&mut self, bytes: u64, intervals: u32, at: Moment) {
        let length = at.end_ns.saturating_sub(at.start_ns);
        self.started_ns = at.start_ns.saturating_sub(length.saturating_mul(intervals.into()));
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl Others {
    /// The most that are named.
    const MOST_NAMED: usize = 64;

    /// Adds bytes of another group; it is new if it `begins`.
    pub(super) fn add(&mut self, subject: Subject, bytes: u64, begins: bool) {
        self.count += u64::from(begins);
        self.bytes = self.bytes.saturating_add(bytes);
        if let Some(known) = self.named.iter_mut().find(|other| other.subject == subject) {
            known.bytes = known.bytes.saturating_add(bytes);
        } else if self.named.len() < Self::MOST_NAMED {
            self.named.push(Other { subject, bytes });
        }
    }
}
