//! The values of options that nobody has set and that depend on other options. Owns their spelling in a
//! configuration file; [`super::EngineSettings`] owns the values.

use std::time::Duration;

use super::{Defaults, Detector, EngineSettings, LIVE_MAX_GROUPS};
use crate::input::kernel::DEFAULT_CAPACITY;
use crate::message::alert::Kind;
use crate::options::cli::CommonArgs;

/// The option's name in the file, and its values.
type Default = (&'static str, Vec<String>);

/// All these values.
pub(super) fn defaults(common: &CommonArgs) -> Vec<Default> {
    let Ok(settings) = EngineSettings::new(common, LIVE_MAX_GROUPS) else { return Vec::new() };
    let mut defaults = vec![
        one("host_name", common.host()),
        one("max_flows", DEFAULT_CAPACITY),
        one("expire_after", settings.expire_after),
        one("anom_gv_cap", settings.window),
        one("alert_min_bytes", settings.min_bytes),
        one("alert_quiet_start", settings.quiet_start),
        one("alert_learn", settings.learn_anomalies),
    ];
    defaults.extend(of_alerts(common));
    if settings.rarity.is_some() {
        defaults.push(("alert_kinds", Kind::FOUND.map(share).to_vec()));
        // Only one of the two applies.
        if common.alert.alert_threshold.is_none() {
            defaults.push(one("alert_budget", "10/day"));
        }
    } else {
        defaults.push(one("alert_threshold", settings.threshold));
        defaults.extend(of_methods(&Detector::new(&common.detector)));
    }
    let archive = common.log_dir.as_ref().filter(|_| common.evidence.is_on());
    defaults.extend(archive.map(|directory| one("archive_dir", directory.display())));
    defaults
}

fn of_alerts(common: &CommonArgs) -> [Default; 3] {
    let default = Defaults::of(&common.detector);
    let limit = default.limit.map(|(count, per)| format!("{count}/{}", time(per)));
    [
        one("alert_repeat", time(default.repeat)),
        one("alert_cooldown", time(default.repeat)),
        one("alert_limit", limit.unwrap_or_else(|| "none".to_owned())),
    ]
}

fn of_methods(detector: &Detector) -> Vec<Default> {
    let options = &detector.options;
    let bound = options.lower_bound.map_or_else(|| "NA".to_owned(), |bound| bound.to_string());
    vec![
        ("anom_methods", options.methods.iter().map(ToString::to_string).collect()),
        one("anom_active_size", options.active_size),
        one("anom_n_seasons", options.n_seasons),
        one("anom_sensitivity", options.sensitivity),
        one("anom_lower_bound", bound),
        one("anom_upper_bound", options.upper_bound),
    ]
}

fn share(kind: Kind) -> String {
    format!("{}={}", kind.as_str(), kind.default_share())
}

fn one(name: &'static str, value: impl ToString) -> Default {
    (name, vec![value.to_string()])
}

fn time(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}
