//! The settings of detection, in its own terms. Owns their types and syntax; refuses defaults that depend on
//! how the agent was started.

use std::str::FromStr;
use std::time::Duration;

use crate::detect::allow::Allowed;
use crate::detect::incident::Rules;
use crate::detect::kind::Kind;
use crate::detect::methods::Options;
use crate::detect::places::PlaceRules;
use crate::traffic::group::GroupBy;

/// How groups are judged and alerted about.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineSettings {
    /// How flows are grouped.
    pub group_by: GroupBy,
    /// How rarity is judged; `None` if the Go tool's methods judge.
    pub rarity: Option<RaritySettings>,
    /// The parameters of the Go tool's methods.
    pub anomalyzer: Options,
    /// The number of points that are kept of each group.
    pub window: usize,
    /// The number of points of the reference.
    pub reference: usize,
    /// The most groups.
    pub max_groups: usize,
    /// The number of quiet intervals after which a group is forgotten.
    pub expire_after: u32,
    /// Whether new groups start with a history of zeros.
    pub assume_quiet_before: bool,
    /// The probability above which it alerts.
    pub threshold: f64,
    /// Smaller changes are not reported, in bytes an interval.
    pub min_bytes: f64,
    /// When incidents are reported.
    pub rules: Rules,
    /// Warm-up: whether nothing is judged until as many intervals have passed as a window has points.
    pub quiet_start: bool,
    /// Whether unusual points become part of the baseline.
    pub learn_anomalies: bool,
    /// The number of unusual intervals in a row after which they always become part of the baseline.
    pub learn_after: u32,
    /// Countries and AS that the user named.
    pub places: PlaceRules,
    /// Traffic that is not judged.
    pub allow: Vec<Allowed>,
    /// The number of rows in the table of the largest groups.
    pub top: usize,
}

/// How findings by rarity are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct RaritySettings {
    /// How rare a finding must be to be reported.
    pub limit: RarityLimit,
    /// How many incidents ordinary traffic may cause in an interval, by kind.
    pub shares: Shares,
    /// Length of an interval.
    pub interval: Duration,
}

/// How rare a finding must be to be reported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RarityLimit {
    /// As rare as needed for this many incidents in an interval.
    Budget(f64),
    /// This surprise: log10 of the number of intervals in which the host is expected to show it once.
    Surprise(f64),
}

/// The weight of each kind in the budget, in the order of [`Kind::FOUND`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares([f64; Kind::FOUND.len()]);

impl RaritySettings {
    /// The weights of these kinds, for a budget and this length of an interval.
    pub fn new(budget: Budget, kinds: &[KindShare], interval: Duration) -> Self {
        let Budget { count, per } = budget;
        let limit = RarityLimit::Budget(count * interval.as_secs_f64() / per.as_secs_f64());
        Self { limit, shares: Shares::new(kinds), interval }
    }
}

impl Shares {
    fn new(chosen: &[KindShare]) -> Self {
        // If kinds are only excluded or weighted, all others stay enabled.
        let names_all = chosen.iter().all(|one| one.share.is_some());
        let weight = |kind: Kind| {
            let default = kind.default_share();
            let named = chosen.iter().rev().find(|one| one.kind == kind);
            let unnamed = if names_all { default } else { 0.0 };
            named.map_or(unnamed, |one| one.share.unwrap_or(default))
        };
        Self(Kind::FOUND.map(weight))
    }

    /// The weight of a kind; 0 if it is not looked for.
    pub fn weight(&self, kind: Kind) -> f64 {
        self.0[kind.place()]
    }
}

/// A number of incidents in a given time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// The number.
    pub count: f64,
    /// The time.
    pub per: Duration,
}

impl Default for Budget {
    /// As many as one person can read without effort.
    fn default() -> Self {
        Self { count: 10.0, per: Duration::from_secs(24 * 3600) }
    }
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = || "must be a number in an hour, a day or a week, such as 10/day".to_owned();
        let (count, per) = text.split_once('/').ok_or_else(wanted)?;
        let count: f64 = count.trim().parse().map_err(|_| wanted())?;
        let hours = match per.trim() {
            "h" | "hour" => 1,
            "d" | "day" => 24,
            "w" | "week" => 24 * 7,
            _ => return Err(wanted()),
        };
        if !(1e-3..=1e6).contains(&count) {
            return Err("must be from 0.001 to 1,000,000".to_owned());
        }
        Ok(Self { count, per: Duration::from_secs(hours * 3600) })
    }
}

/// A kind of finding with its weight in the budget; 0 if it is not looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KindShare {
    /// The kind.
    pub kind: Kind,
    /// Its weight; `None` for the default.
    pub share: Option<f64>,
}

impl FromStr for KindShare {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (name, share) = match (text.strip_prefix('-'), text.split_once('=')) {
            (Some(name), _) => (name, Some(0.0)),
            (None, Some((name, share))) => (name, Some(weight(share)?)),
            (None, None) => (text, None),
        };
        let kind = Kind::FOUND.into_iter().find(|kind| kind.as_str() == name);
        let known = || Kind::FOUND.map(Kind::as_str).join(", ");
        kind.map(|kind| Self { kind, share }).ok_or_else(|| format!("must be one of {}", known()))
    }
}

fn weight(text: &str) -> Result<f64, String> {
    let share = text.trim().parse().ok().filter(|share| (0.0..=1e6).contains(share));
    share.ok_or_else(|| "the share must be a number from 0 to 1,000,000".to_owned())
}
