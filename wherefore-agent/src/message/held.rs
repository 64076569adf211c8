//! The record of something unusual that is not reported, and its line for people. Owns its record and its words.

use serde::Serialize;

use crate::detect::held::{HeldBack, Reason};
use crate::detect::kind::Kind;
use crate::text::{self, Bytes};
use crate::traffic::group::GroupBy;
use crate::traffic::interval::Interval;

/// Something unusual that is not reported.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeldRecord {
    /// End of the interval, RFC 3339.
    pub time: String,
    /// Why it is not reported.
    pub reason: Reason,
    /// What it is about.
    pub kind: Kind,
    /// How its group is named.
    pub group_by: GroupBy,
    /// Who sends.
    pub src: String,
    /// Who receives.
    pub dst: String,
    /// IP-layer bytes in the interval.
    pub bytes: u64,
    /// In how many seconds ordinary traffic of this host is due to show something as strange once.
    pub due_seconds: f64,
}

impl HeldRecord {
    /// Of what was held back in this interval.
    pub fn of(held: &HeldBack, interval: &Interval) -> Self {
        let subject = &held.subject;
        Self {
            time: text::rfc3339(interval.end_ns),
            reason: held.reason,
            kind: subject.kind,
            group_by: subject.group_by,
            src: subject.group_by.source(&subject.group),
            dst: subject.group_by.destination(&subject.group),
            bytes: held.bytes,
            due_seconds: 10f64.powf(f64::from(held.surprise)) * interval.seconds(),
        }
    }

    /// The same in one line, without the time.
    pub fn line(&self) -> String {
        let Self { src, dst, .. } = self;
        let why = match self.reason {
            Reason::Budget => "beyond the budget (--alert-budget)",
            Reason::Minimum => "too small (--alert-min-bytes)",
            Reason::WarmUp => "too early to judge",
            Reason::RateLimit => "too many at once (--alert-limit)",
            Reason::CoolDown => "just over (--alert-cooldown)",
        };
        let (kind, bytes) = (self.kind.as_str(), Bytes(self.bytes as f64));
        let due = text::seconds(self.due_seconds);
        format!("{kind} {src} -> {dst}, {bytes}, expected about once every {due}: {why}")
    }
}
