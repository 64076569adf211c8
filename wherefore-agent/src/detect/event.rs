//! Events of incidents, as facts: they begin, last and are over, with their sums.

use std::net::IpAddr;

use crate::detect::finding::{Finding, Subject};
use crate::detect::kind::{Severity, Status};
use crate::traffic::interval::Interval;

/// An event to report, and when it happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// The interval in which it became known.
    pub at: Moment,
    /// The event.
    pub news: News,
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
pub enum News {
    /// It begins (`Firing`) or lasts (`Update`).
    Incident {
        /// Which of the two.
        status: Status,
        /// The finding of this interval.
        finding: Box<Finding>,
        /// The course of the incident so far.
        course: Course,
    },
    /// It is over.
    Over {
        /// The subject.
        subject: Subject,
        /// The whole course.
        course: Course,
        /// Whether it lasted so long that it became the baseline.
        is_baseline: bool,
    },
    /// The rate limit holds incidents back.
    Digest {
        /// Whether this is the first message about them, or an update.
        status: Status,
        /// Their sum.
        sum: DigestSum,
    },
}

/// The course of an incident so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// Start of its first interval, nanoseconds since 1970.
    pub started_ns: i64,
    /// Nanoseconds by which the clock was set since; forward is positive.
    pub stepped_ns: i64,
    /// Bytes in its unusual intervals.
    pub bytes: u64,
    /// The most bytes a second in one of them.
    pub peak: f64,
    /// End of the last of them, nanoseconds since 1970.
    pub ended_ns: i64,
}

/// The incidents that the rate limit holds back.
#[derive(Debug, Clone, Copy)]
pub struct DigestSum {
    /// Their sums.
    pub course: Course,
    /// How many.
    pub count: u64,
    /// The highest probability of one.
    pub probability: f64,
    /// The highest severity of one.
    pub severity: Severity,
    /// The address that most of them have in common, and how many those are.
    pub peer: Option<(IpAddr, u32)>,
}

/// An incident that an earlier run reported and did not see the end of.
#[derive(Debug, Clone)]
pub struct Known {
    /// The subject.
    pub subject: Subject,
    /// Its course until then.
    pub course: Course,
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

    /// The rate of this many bytes in it.
    pub fn rate(&self, bytes: u64) -> f64 {
        bytes as f64 / self.seconds().max(1e-9)
    }
}

impl Course {
    /// A course that begins with this interval, before anything is added.
    pub fn begin(at: Moment) -> Self {
        Self { started_ns: at.start_ns, stepped_ns: 0, bytes: 0, peak: 0.0, ended_ns: at.end_ns }
    }

    /// How long it was unusual, in seconds, without the quiet time after which it is over.
    pub fn seconds(&self) -> f64 {
        self.seconds_until(self.ended_ns)
    }

    /// The clock was set.
    pub(super) fn step(&mut self, stepped_ns: i64) {
        self.stepped_ns = self.stepped_ns.saturating_add(stepped_ns);
        self.ended_ns = self.ended_ns.saturating_add(stepped_ns);
    }

    /// How long it has lasted, in seconds, however the clock was set meanwhile.
    pub fn seconds_until(&self, end_ns: i64) -> f64 {
        let lasted_ns = end_ns.saturating_sub(self.started_ns).saturating_sub(self.stepped_ns);
        lasted_ns.max(0) as f64 / 1e9
    }

    pub(super) fn add(&mut self, bytes: u64, at: Moment) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.peak = self.peak.max(at.rate(bytes));
        self.ended_ns = at.end_ns;
    }

    /// Adds the traffic before the finding: this many bytes in this many intervals.
    pub(super) fn began_before(&mut self, bytes: u64, intervals: u32, at: Moment) {
        let length = at.end_ns.saturating_sub(at.start_ns);
        self.started_ns = at.start_ns.saturating_sub(length.saturating_mul(intervals.into()));
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl News {
    pub(super) fn incident(status: Status, finding: &Finding, course: Course) -> Self {
        Self::Incident { status, finding: Box::new(finding.clone()), course }
    }
}
