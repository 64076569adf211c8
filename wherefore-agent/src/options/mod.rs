//! Turns options into validated settings for each part of the agent, with defaults resolved. Owns the
//! defaults that depend on other options, and every check across options; refuses to run anything.

pub mod attribution;
pub mod cli;
pub mod command;
pub(crate) mod file;
pub mod generate;
mod here;
mod in_force;
mod load;
mod man_of_file;
mod nearest;
mod origin;
mod problem;
mod rarity;
pub mod reference;
mod reload;
mod sandbox;
mod settings;
pub mod sinks;

use std::time::Duration;

use anyhow::Result;

use crate::detect::incident::{Limit, Rules};
use crate::detect::methods::{Method, Options, OptionsError};
use crate::history;
use crate::input::filter::Filter;
use crate::message;
use crate::options::cli::{AlertArgs, Cli, Command, CommonArgs, DetectorArgs, KeepArgs, RunArgs};
use crate::output::web;

pub use crate::detect::settings::{EngineSettings, RarityLimit, RaritySettings, Shares};
pub use crate::input::memory::LIVE_MAX_GROUPS;
pub(crate) use crate::usage::usage_error;
pub use crate::usage::{UsageError, refuse};
pub use here::ProblemsHere;
pub use load::{LoadError, Loaded, Request, load};
pub(crate) use nearest::nearest;
pub use origin::Origin;
pub use rarity::alerts_a_day;
pub use reload::Reload;
pub(crate) use sandbox::sandbox;

/// Default length of an interval.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// The most points that are kept for a group.
const MAX_WINDOW: usize = 10_000;
/// Default number of groups with a history in a replay.
pub const REPLAY_MAX_GROUPS: u32 = 4_194_304;
/// Number of arrangements that are sampled if counting all is too expensive, as in the Go tool.
const PERMUTATIONS: u32 = 500;
/// The shortest interval: with a shorter one, the agent would mostly drain tables.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// The longest interval: it is also the longest delay of an alert.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);

impl EngineSettings {
    /// Resolves and checks the options; `max_groups` is the default number of groups.
    ///
    /// # Errors
    /// All errors at once, each with the option, its value and what is allowed.
    pub fn new(common: &CommonArgs, max_groups: u32) -> Result<Self> {
        refuse(&Self::problems(common))?;
        let detector = Detector::new(&common.detector);
        let (alert, default) = (&common.alert, Defaults::of(&common.detector));
        let intervals = |time: Duration| {
            (time.as_secs_f64() / common.transfer_interval.as_secs_f64()).ceil() as u32
        };
        let limit = alert.alert_limit.map_or(default.limit, |limit| limit.0);
        let is_eager = !detector.options.delay;
        let least = if is_eager { 0.0 } else { default.min_bytes };
        let min_bytes = alert.alert_min_bytes.unwrap_or(least);
        Ok(Self {
            group_by: common.group_by,
            rarity: detector.judges_rarity.then(|| rarity::rarity(alert, common.transfer_interval)),
            window: detector.window,
            reference: detector.options.n_seasons * detector.options.active_size,
            max_groups: common.max_flows.unwrap_or(max_groups) as usize,
            expire_after: common.expire_after.unwrap_or(detector.expire_after()),
            assume_quiet_before: !detector.is_compat,
            threshold: alert.threshold(),
            min_bytes,
            places: alert.places(min_bytes),
            rules: Rules {
                repeat_after: intervals(alert.alert_repeat.unwrap_or(default.repeat)),
                resolve_after: alert.alert_resolve,
                cool_down: intervals(alert.alert_cooldown.unwrap_or(default.repeat)),
                limit: limit.map(|(burst, per)| Limit {
                    burst,
                    per_interval: f64::from(burst) / f64::from(intervals(per).max(1)),
                }),
            },
            quiet_start: alert.alert_quiet_start.unwrap_or(!is_eager),
            learn_anomalies: alert.alert_learn.unwrap_or(detector.is_compat),
            learn_after: intervals(alert.alert_learn_after),
            allow: alert.alert_allow.clone(),
            top: usize::from(common.top),
            anomalyzer: detector.options,
        })
    }

    /// All errors in these options, as sentences for the user.
    pub fn problems(common: &CommonArgs) -> Vec<String> {
        let mut problems = Detector::new(&common.detector).problems(&common.detector);
        let interval = common.transfer_interval;
        if !(SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(&interval) {
            problems.push(format!(
                "--transfer-interval {interval:?}: must be from {SHORTEST_INTERVAL:?} to \
                 {LONGEST_INTERVAL:?}"
            ));
        }
        problems.extend(common.alert.problems());
        if common.detector.names_methods() && common.alert.asks_for_rarity() {
            problems.push(budgets_problem("--alert-budget and --alert-kinds"));
        }
        problems.extend(common.evidence.problems(common.log_dir.as_deref()));
        if common.evidence.log_packets && !common.group_by.is_of_flows() {
            problems.push(format!(
                "--log-packets: packets do not say which {} they belong to (--group-by); \
                 --evidence-ring keeps them beside alerts",
                common.group_by.name()
            ));
        }
        problems
    }
}

/// The settings of the history. A live agent keeps one in the state directory by default; otherwise a file
/// must be named.
pub fn history_settings(common: &CommonArgs, is_live: bool) -> Option<history::Settings> {
    let state_dir = common.state_dir.as_deref().filter(|_| is_live);
    let KeepArgs { history_keep: keep, history_size: most_bytes, .. } = common.keep;
    Some(history::Settings { path: common.keep.file(state_dir)?, keep, most_bytes })
}

/// The settings of the listener, if it is enabled.
pub fn web_settings(args: &RunArgs) -> Option<web::Settings> {
    let history = history_settings(&args.common, true).map(|settings| settings.path);
    let token_file = args.listener.listen_token_file.clone();
    Some(web::Settings { listen: args.listener.listen?, token_file, history })
}

/// The settings of messages, besides those of incidents.
pub fn message_settings(common: &CommonArgs) -> message::Settings {
    message::Settings {
        key_scope: common.alert.alert_key_scope,
        labels: common.alert.alert_label.iter().cloned().collect(),
        is_daily: false,
    }
}

impl AlertArgs {
    fn asks_for_rarity(&self) -> bool {
        self.alert_budget.is_some() || !self.alert_kinds.is_empty()
    }

    fn threshold(&self) -> f64 {
        self.alert_threshold.unwrap_or(0.6)
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let threshold = self.threshold();
        if !(0.0..=1.0).contains(&threshold) {
            problems.push(format!("--alert-threshold {threshold}: must be from 0 to 1"));
        }
        if self.alert_budget.is_some() && self.alert_threshold.is_some() {
            problems.push("--alert-budget and --alert-threshold: use only one of them".to_owned());
        }
        let min_bytes = self.alert_min_bytes.unwrap_or(0.0);
        if !(min_bytes.is_finite() && min_bytes >= 0.0) {
            problems.push(format!("--alert-min-bytes {min_bytes}: must be 0 or more"));
        }
        problems
    }
}

/// The options of the Go tool's methods, with their defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector {
    /// Parameters of the methods.
    pub options: Options,
    /// Number of points kept and tested.
    pub window: usize,
    /// Whether the Go tool's defaults are in force.
    pub is_compat: bool,
    /// Whether detection is by rarity, because no option of the seven methods was given.
    pub judges_rarity: bool,
}

impl Detector {
    /// Fills in the defaults: the Go tool's with `--compat`, otherwise our own.
    pub fn new(args: &DetectorArgs) -> Self {
        let default = Defaults::of(args);
        let methods = match args.anom_methods.as_slice() {
            [] => default.methods.to_vec(),
            chosen => chosen.to_vec(),
        };
        let options = Options {
            active_size: args.anom_active_size.unwrap_or(1),
            n_seasons: args.anom_n_seasons.unwrap_or(4),
            sensitivity: args.anom_sensitivity.unwrap_or(default.sensitivity),
            lower_bound: args.anom_lower_bound.and_then(|bound| bound.0),
            upper_bound: args.anom_upper_bound.unwrap_or(default.upper_bound),
            // A fixed bound needs no history, and whoever sets one wants every alert above it.
            delay: !args.compat && !methods.contains(&Method::Fence),
            methods,
            permutations: PERMUTATIONS,
            seed: 0,
        };
        let window = args.anom_gv_cap.unwrap_or(10);
        Self { options, window, is_compat: args.compat, judges_rarity: !args.names_methods() }
    }

    /// Detection by rarity needs a long memory; the Go tool's methods look back only as far as a window.
    fn expire_after(&self) -> u32 {
        if self.judges_rarity { 720 } else { 60 }
    }

    /// All errors in these options, as sentences for the user.
    pub fn problems(&self, args: &DetectorArgs) -> Vec<String> {
        let mut problems: Vec<String> = self.options.problems().iter().map(option_first).collect();
        let needed =
            self.options.active_size.saturating_mul(self.options.n_seasons.saturating_add(1));
        if self.window < needed.min(MAX_WINDOW) || self.window > MAX_WINDOW {
            problems.push(format!(
                "--anom-gv-cap {}: must be from {needed} (the active points and their reference) \
                 to {MAX_WINDOW}",
                self.window
            ));
        }
        problems.extend(self.disabled_detectors(args));
        problems
    }

    /// The warning that a sensitivity above 1 suppresses every alert about groups with a history. It is given
    /// only if the user set the sensitivity.
    fn disabled_detectors(&self, args: &DetectorArgs) -> Option<String> {
        let sensitivity = args.anom_sensitivity.filter(|sensitivity| *sensitivity > 1.0)?;
        let is_gated = self.options.methods.contains(&Method::Magnitude);
        (is_gated && !args.compat).then(|| {
            format!(
                "--anom-sensitivity {sensitivity}: the magnitude method never exceeds 1, so that \
                 nothing would ever alert; use 1 or less, or leave magnitude out of \
                 --anom-methods (with --compat it is accepted, as the Go tool did)"
            )
        })
    }
}

impl DetectorArgs {
    /// Whether the Go tool's methods, or options that only they have, were given.
    pub(crate) fn names_methods(&self) -> bool {
        self.compat
            || !self.anom_methods.is_empty()
            || self.anom_active_size.is_some()
            || self.anom_n_seasons.is_some()
            || self.anom_sensitivity.is_some()
            || self.anom_lower_bound.is_some()
            || self.anom_upper_bound.is_some()
    }
}

/// The error that a budget was given where none applies.
pub(crate) fn budgets_problem(options: &str) -> String {
    format!(
        "{options}: a threshold, and the Go tool's methods (--anom-methods and others, --compat), \
         have no budget; use --alert-threshold, or leave those out"
    )
}

/// Replaces a parameter's name in an error by the name of its option.
fn option_first(problem: &OptionsError) -> String {
    let text = problem.to_string();
    let (name, rest) = text.split_once(' ').unwrap_or((&text, ""));
    match name {
        "no" => format!("--anom-methods: {text}"),
        "permutations" => text,
        _ => format!("--anom-{} {rest}", name.replace('_', "-")),
    }
}

impl Cli {
    /// All errors that concern several options. `origin` returns the origin of a sink, or of one of its keys.
    pub fn problems(&self, origin: &dyn Fn(usize, &str) -> Option<Origin>) -> Vec<String> {
        if let Some(Command::Backtest(args)) = &self.command {
            return args.problems();
        }
        self.common().map_or_else(Vec::new, |common| {
            let mut problems = EngineSettings::problems(common);
            problems.extend(
                Filter::new(&common.filter.settings()).err().map(|error| format!("{error:#}")),
            );
            problems.extend(sinks::problems(common, origin));
            problems.extend(self.run_args().and_then(|args| args.listener.problem()));
            problems
        })
    }
}

struct Defaults {
    methods: &'static [Method],
    sensitivity: f64,
    upper_bound: f64,
    min_bytes: f64,
    repeat: Duration,
    limit: Option<(u32, Duration)>,
}

impl Defaults {
    fn of(args: &DetectorArgs) -> Self {
        if args.compat { Self::SEED } else { Self::OURS }
    }

    /// Our own defaults: report changes to at least twice the reference, or to zero, but not of small
    /// volumes.
    const OURS: Self = Self {
        methods: &[Method::Magnitude, Method::Diff, Method::HighRank, Method::LowRank],
        sensitivity: 1.0,
        upper_bound: 1e7,
        min_bytes: 1e5,
        repeat: Duration::from_secs(300),
        limit: Some((20, Duration::from_secs(600))),
    };

    /// The Go tool's defaults.
    const SEED: Self = Self {
        methods: &[
            Method::Diff,
            Method::Fence,
            Method::HighRank,
            Method::LowRank,
            Method::Magnitude,
        ],
        sensitivity: 2.0,
        upper_bound: 5.0,
        min_bytes: 0.0,
        repeat: Duration::ZERO,
        limit: None,
    };
}
