//! How rare a finding has to be to be told: the budget of alerts, and each kind's share of it. Owns
//! the defaults; refuses to count alerts.

use std::time::Duration;

use crate::alert::Kind;
use crate::cli::{AlertArgs, Budget, KindShare};

/// How findings by rarity are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct RaritySettings {
    /// How rare is rare enough.
    pub limit: Limit,
    /// Incidents that ordinary traffic may cause in an interval; of those kinds that are looked
    /// for.
    pub shares: Shares,
    /// Length of an interval.
    pub interval: Duration,
}

/// How rare is rare enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// As rare as makes so many incidents in an interval.
    Budget(f64),
    /// So surprising, as log10 of the intervals in which the host is due to show it once.
    Surprise(f64),
}

/// The part of the budget of each kind, in the order of [`Kind::FOUND`]; they make 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares([f64; Kind::FOUND.len()]);

impl RaritySettings {
    pub(super) fn of(alert: &AlertArgs, interval: Duration) -> Self {
        let settings =
            Self::new(alert.alert_budget.unwrap_or_default(), &alert.alert_kinds, interval);
        let limit = alert.alert_threshold.map(|probability| {
            Limit::Surprise(-(1.0 - probability).max(f64::MIN_POSITIVE).log10())
        });
        Self { limit: limit.unwrap_or(settings.limit), ..settings }
    }

    /// So many incidents, by intervals of this length.
    pub fn new(budget: Budget, kinds: &[KindShare], interval: Duration) -> Self {
        let Budget { count, per } = budget;
        let limit = Limit::Budget(count * interval.as_secs_f64() / per.as_secs_f64());
        Self { limit, shares: Shares::new(kinds), interval }
    }
}

impl Shares {
    fn new(chosen: &[KindShare]) -> Self {
        // Who only leaves some out, or weighs them, wants the others.
        let names_all = chosen.iter().all(|one| one.share.is_some());
        let weight = |kind: Kind| {
            let default = kind.default_share();
            let named = chosen.iter().rev().find(|one| one.kind == kind);
            let unnamed = if names_all { default } else { 0.0 };
            named.map_or(unnamed, |one| one.share.unwrap_or(default))
        };
        let weights = Kind::FOUND.map(weight);
        let sum: f64 = weights.iter().sum();
        Self(weights.map(|weight| if sum > 0.0 { weight / sum } else { 0.0 }))
    }

    /// The share of a kind; 0 where it is not looked for.
    pub fn of(&self, kind: Kind) -> f64 {
        self.0[kind.place()]
    }
}
