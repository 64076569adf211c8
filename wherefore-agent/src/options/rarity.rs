//! How rare a finding must be to be reported, according to the options. Owns only this translation.

use std::time::Duration;

use crate::detect::settings::{EngineSettings, RarityLimit, RaritySettings};
use crate::options::cli::AlertArgs;

/// By the threshold if one is given, otherwise by the budget.
pub(super) fn rarity(alert: &AlertArgs, interval: Duration) -> RaritySettings {
    let budget = alert.alert_budget.unwrap_or_default();
    let settings = RaritySettings::new(budget, &alert.alert_kinds, interval);
    let limit = alert.alert_threshold.map(|probability| {
        RarityLimit::Surprise(-(1.0 - probability).max(f64::MIN_POSITIVE).log10())
    });
    RaritySettings { limit: limit.unwrap_or(settings.limit), ..settings }
}

/// The number of alerts a day that the budget allows; `None` if there is no budget.
pub fn alerts_a_day(settings: &EngineSettings) -> Option<f64> {
    let rarity = settings.rarity.as_ref()?;
    let RarityLimit::Budget(in_interval) = rarity.limit else { return None };
    Some(in_interval * 24.0 * 3600.0 / rarity.interval.as_secs_f64())
}
