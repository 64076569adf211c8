//! Options of `backtest`: those of a replay that affect alerts, and what is shown. Owns their spelling. There
//! are none for sinks, evidence and output files, so that a backtest cannot disturb anybody.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};

use super::{
    AlertArgs, Budget, Cli, Command, CommonArgs, DEFAULT_REORDER, DetectorArgs, EvidenceArgs,
    ExportArgs, FilterArgs, KeepArgs, LogLevel, PlaceArgs, SlackArgs, duration,
};
use crate::input::filter::Filter;
use crate::options::{DEFAULT_INTERVAL, EngineSettings, budgets_problem};
use crate::traffic::group::GroupBy;

/// The budgets that are compared if none is given.
const COMPARED: [f64; 3] = [1.0, 10.0, 100.0];

/// Options of `backtest`.
#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// The traffic: captures (pcap, pcapng); flows of each interval, as a live agent writes them with
    /// `--flows`; series, as `--series` writes them; or CSV with the header `series,timestamp,value`, ordered
    /// by time, values in bytes. Files may be compressed by gzip or zstd. All must be of one kind, the oldest
    /// first; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Show what would have alerted at this budget; may be repeated. The first is shown in detail.
    /// Default: 1/day, 10/day and 100/day, the second in detail.
    #[arg(long, value_name = "NUMBER/hour|day|week")]
    pub at_budget: Vec<Budget>,
    /// Draw traffic and incidents to this file, as SVG.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Write JSON Lines, which is the default if standard output is not a terminal.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub json: bool,
    /// Number of intervals of a capture that stay open, as in `replay`.
    #[arg(long, value_name = "INTERVALS", default_value_t = DEFAULT_REORDER,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub reorder: u32,
    /// Do not show progress.
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value_t = false, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub no_progress: bool,
    /// Judge with the options of this configuration file; those of sinks, evidence and outputs are
    /// ignored. Default: none.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The name of the host in alerts. Default: that of this host.
    #[arg(long, value_name = "NAME")]
    pub host_name: Option<String>,
    /// Length of an interval: how often traffic is judged. Default: for flows and CSV, the difference
    /// of the first two times; for captures 5s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub transfer_interval: Option<Duration>,
    /// What forms one group for detection.
    #[arg(long, value_enum, default_value_t)]
    pub group_by: GroupBy,
    /// The most flows in an interval, and the most groups with a history. Default: 4,194,304.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub max_flows: Option<u32>,
    /// Intervals without traffic after which a group is forgotten. Default: 720; with the Go tool's methods 60.
    #[arg(long, value_name = "INTERVALS", value_parser = clap::value_parser!(u32).range(1..))]
    pub expire_after: Option<u32>,
    /// The lowest severity that is logged: debug, info, warn, error.
    #[arg(long, value_enum, default_value_t, ignore_case = true)]
    pub loglevel: LogLevel,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub filter: FilterArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub detector: DetectorArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub alert: AlertArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub places: PlaceArgs,
}

impl BacktestArgs {
    /// The same settings as options of a replay that sends no alerts. `found` is the length of the intervals
    /// unless `--transfer-interval` is given.
    pub fn common(&self, found: Duration) -> CommonArgs {
        CommonArgs {
            config: None,
            host_name: self.host_name.clone(),
            transfer_interval: self.transfer_interval.unwrap_or(found),
            group_by: self.group_by,
            max_flows: self.max_flows,
            expire_after: self.expire_after,
            top: 0,
            flows: None,
            alerts: None,
            series: None,
            log_dir: None,
            sinks: Vec::new(),
            state_dir: None,
            loglevel: self.loglevel,
            filter: self.filter.clone(),
            detector: self.detector.clone(),
            alert: self.alert.clone(),
            places: self.places.clone(),
            slack: SlackArgs::none(),
            evidence: EvidenceArgs::none(),
            export: ExportArgs::default(),
            keep: KeepArgs::none(),
        }
    }

    /// The budgets to compare, the smallest first, and the one to show in detail; no budgets if a threshold
    /// decides.
    pub fn budgets(&self) -> (Vec<Budget>, Option<Budget>) {
        if self.alert.alert_threshold.is_some() || self.detector.names_methods() {
            return (Vec::new(), None);
        }
        let mut budgets = self.at_budget.clone();
        if budgets.is_empty() {
            budgets.extend(COMPARED.map(|count| Budget { count, ..Budget::default() }));
        }
        let shown = match self.at_budget.first() {
            Some(first) => *first,
            None => self.alert.alert_budget.unwrap_or_default(),
        };
        budgets.push(shown);
        budgets.sort_by(|one, other| one.a_day().total_cmp(&other.a_day()));
        budgets.dedup_by(|one, other| one.a_day() == other.a_day());
        (budgets, Some(shown))
    }

    /// All errors in these options, as sentences for the user.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = EngineSettings::problems(&self.common(DEFAULT_INTERVAL));
        problems.extend(Filter::new(&self.filter.settings()).err().map(|error| error.to_string()));
        if !self.at_budget.is_empty() && self.budgets().0.is_empty() {
            problems.push(budgets_problem("--at-budget"));
        }
        problems
    }
}

impl Budget {
    /// Incidents a day.
    pub fn a_day(&self) -> f64 {
        self.count * 86_400.0 / self.per.as_secs_f64()
    }
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let per = match self.per.as_secs() {
            3600 => "hour",
            604_800 => "week",
            _ => "day",
        };
        f.pad(&format!("{}/{per}", self.count))
    }
}

impl Cli {
    /// The lowest severity that is logged.
    pub fn loglevel(&self) -> LogLevel {
        match &self.command {
            Some(Command::Backtest(args)) => args.loglevel,
            _ => self.common().map_or(LogLevel::Info, |common| common.loglevel),
        }
    }
}
