//! The settings of detection, in its own terms. Owns their types and notation; refuses defaults that
//! depend on how the agent was started.

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
    /// How rarity is judged; `None` if the seven methods do.
    pub rarity: Option<RaritySettings>,
    /// The seven methods and their parameters.
    pub anomalyzer: Options,
    /// Points kept of each group.
    pub window: usize,
    /// Points of the reference.
    pub reference: usize,
    /// Groups kept at most.
    pub max_groups: usize,
    /// Quiet intervals after which a group is forgotten.
    pub expire_after: u32,
    /// Whether new groups start with a history of zeros.
    pub assume_quiet_before: bool,
    /// The probability above which it alerts.
    pub threshold: f64,
    /// The change below which is not, bytes an interval.
    pub min_bytes: f64,
    /// When incidents are reported.
    pub rules: Rules,
    /// Warm-up: whether nothing is judged before as many intervals have passed as a window has points.
    pub quiet_start: bool,
    /// Whether unusual points become part of the history.
    pub learn_anomalies: bool,
    /// Consecutive unusual intervals after which they do in any case.
    pub learn_after: u32,
    /// Countries and AS that the user named.
    pub places: PlaceRules,
    /// Traffic that is not judged.
    pub allow: Vec<Allowed>,
    /// Rows of the table of the largest groups.
    pub top: usize,
}

/// How findings by rarity are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct RaritySettings {
    /// How rare is rare enough.
    pub limit: RarityLimit,
    /// Incidents that ordinary traffic may cause in an interval; for the enabled
    /// kinds.
    pub shares: Shares,
    /// Length of an interval.
    pub interval: Duration,
}

/// How rare is rare enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RarityLimit {
    /// As rare as causes this many incidents in an interval.
    Budget(f64),
    /// With this surprise, as log10 of the intervals in which the host is expected to show it once.
    Surprise(f64),
}

/// The weight of each kind in the budget, in the order of [`Kind::FOUND`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares([f64; Kind::FOUND.len()]);

impl RaritySettings {
    /// This many incidents, with intervals of this length.
    pub fn new(budget: Budget, kinds: &[KindShare], interval: Duration) -> Self {
        let Budget { count, per } = budget;
        let limit = RarityLimit::Budget(count * interval.as_secs_f64() / per.as_secs_f64());
        Self { limit, shares: Shares::new(kinds), interval }
    }
}

impl Shares {
    fn new(chosen: &[KindShare]) -> Self {
        // If kinds are only excluded or weighted, all others are wanted.
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

/// Incidents in a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// How many.
    pub count: f64,
    /// In how long.
    pub per: Duration,
}

impl Default for Budget {
    /// As many as one person reads with a cup of coffee.
    fn default() -> Self {
        Self { count: 10.0, per: Duration::from_secs(24 * 3600) }
    }
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = || "not a number in an hour, a day or a week, such as 10/day".to_owned();
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

/// A kind of finding with its share of the budget; 0 if it is not looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KindShare {
    /// Which.
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
        kind.map(|kind| Self { kind, share }).ok_or_else(|| format!("not one of {}", known()))
    }
}

fn weight(text: &str) -> Result<f64, String> {
    let share = text.trim().parse().ok().filter(|share| (0.0..=1e6).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1,000,000".to_owned())
}
