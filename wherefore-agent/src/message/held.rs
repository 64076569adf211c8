//! The record of a finding that is not reported, and its line of text. Owns its fields and its words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::detect::held::{HeldBack, HeldBacks, Reason};
use crate::detect::kind::Kind;
use crate::text::{self, Bytes};
use crate::traffic::group::GroupBy;
use crate::traffic::interval::Interval;

/// A finding that is not reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HeldRecord {
    /// End of the interval, RFC 3339.
    pub time: String,
    /// The reason why it is not reported.
    #[schema(value_type = String)]
    pub reason: Reason,
    /// The kind of the finding.
    #[schema(value_type = String)]
    pub kind: Kind,
    /// The grouping of its group.
    pub group_by: GroupBy,
    /// The sender.
    pub src: String,
    /// The receiver.
    pub dst: String,
    /// IP-layer bytes in the interval.
    pub bytes: u64,
    /// Return period: ordinary traffic of this host is expected to show an event as rare once in this many
    /// seconds.
    pub due_seconds: f64,
}

impl HeldRecord {
    /// The record of a finding that was held back in this interval.
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

    /// The records of the findings that were held back in an interval, as far as these are named.
    pub fn all_of(held: &HeldBacks, interval: &Interval) -> Vec<Self> {
        held.named.iter().map(|held| Self::of(held, interval)).collect()
    }

    /// The finding as one line of text, without the time.
    pub fn line(&self) -> String {
        let Self { src, dst, .. } = self;
        let option = match self.reason {
            Reason::Budget => " (--alert-budget)",
            Reason::Minimum => " (--alert-min-bytes)",
            Reason::WarmUp | Reason::Schedule => "",
            Reason::RateLimit => " (--alert-limit)",
            Reason::CoolDown => " (--alert-cooldown)",
        };
        let why = why(self.reason);
        let (kind, bytes) = (self.kind.as_str(), Bytes(self.bytes as f64));
        let due = text::seconds(self.due_seconds);
        format!("{kind} {src} -> {dst}, {bytes}, expected about once every {due}: {why}{option}")
    }
}

/// The reason in a few words.
fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Budget => "beyond the budget",
        Reason::Minimum => "too small",
        Reason::WarmUp => "still in the warm-up",
        Reason::RateLimit => "too many at once",
        Reason::CoolDown => "just over",
        Reason::Schedule => "as at this time of another day",
    }
}

/// The number of findings that were held back, by reason: `2 held back: 1 beyond the budget, 1 too small`;
/// `None` if there are none.
pub fn summary(by_reason: &BTreeMap<String, u64>) -> Option<String> {
    let all: u64 = by_reason.values().sum();
    let reason = |(reason, count): (&String, &u64)| {
        let known = Reason::ALL.into_iter().find(|known| known.as_str() == reason);
        let words = known.map_or_else(|| reason.clone(), |known| why(known).to_owned());
        format!("{} {words}", text::grouped(*count))
    };
    let reasons: Vec<_> = by_reason.iter().map(reason).collect();
    (all > 0).then(|| format!("{} held back: {}", text::grouped(all), reasons.join(", ")))
}
