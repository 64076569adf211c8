//! How rare a finding has to be to be reported, from the options. Owns nothing but the translation.

use std::time::Duration;

use crate::detect::settings::{RarityLimit, RaritySettings};
use crate::options::cli::AlertArgs;

/// By the budget, or by a threshold where one is given.
pub(super) fn rarity(alert: &AlertArgs, interval: Duration) -> RaritySettings {
    let budget = alert.alert_budget.unwrap_or_default();
    let settings = RaritySettings::new(budget, &alert.alert_kinds, interval);
    let limit = alert.alert_threshold.map(|probability| {
        RarityLimit::Surprise(-(1.0 - probability).max(f64::MIN_POSITIVE).log10())
    });
    RaritySettings { limit: limit.unwrap_or(settings.limit), ..settings }
}
