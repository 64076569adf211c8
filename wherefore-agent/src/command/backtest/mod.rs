//! `wherefore backtest`: what would have been reported, when, and at which budget. Owns the pass: one source,
//! and an engine for each budget. Refuses to send alerts: it has no sinks and no evidence.

mod axis;
mod branches;
mod history;
mod input;
mod json;
mod lines;
mod plot;
mod recorded;
mod records;
mod report;
mod series;
mod svg;
mod table;
mod traffic;

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result};

use crate::attribute::{Directory, grouping};
use crate::command::run::{answer_signals, listen};
use crate::input::Source;
use crate::input::requests::{Requests, requests};
use crate::message::{AlertContext, Alerting};
use crate::options::cli::{BacktestArgs, Budget, CommonArgs};
use crate::options::{EngineSettings, REPLAY_MAX_GROUPS, message_settings};
use crate::traffic::interval::Interval;
use history::History;
use input::Opened;
use report::Report;
use traffic::Traffic;

pub use branches::{Branch, backtest_branches};

/// One budget with its result.
#[derive(Clone)]
struct Trial {
    alerting: Alerting,
    history: History,
}

/// Judges recorded traffic and shows what would have been reported.
///
/// # Errors
/// If options are wrong, a file cannot be read or has an unknown kind, or an output breaks.
pub fn backtest(args: &BacktestArgs) -> Result<()> {
    let drawing =
        args.svg.as_deref().map(|path| svg::Target::open(path, &args.files)).transpose()?;
    let shows_progress = !args.no_progress && io::stderr().is_terminal();
    let opened = input::open(args, shows_progress)?;
    let (requester, requests) = requests(None);
    answer_signals(listen()?, requester, false)?;
    let report = judge(args, opened, &requests)?;
    if let Some(drawing) = drawing {
        drawing.write(&svg::draw(&report))?;
    }
    let mut output = io::BufWriter::new(io::stdout().lock());
    if args.json || !io::stdout().is_terminal() {
        json::write(&mut output, &report)?;
    } else {
        table::write(&mut output, &report, table::width()).context("cannot write the report")?;
    }
    output.flush().context("cannot write to standard output")
}

/// Judges likewise, but writes JSON and handles no signals: for programs with their own handlers.
///
/// # Errors
/// The same as [`backtest`].
pub fn backtest_as_json(args: &BacktestArgs, output: &mut impl Write) -> Result<()> {
    let opened = input::open(args, false)?;
    let (_requester, requests) = requests(None);
    json::write(output, &judge(args, opened, &requests)?)
}

fn judge(args: &BacktestArgs, opened: Opened, requests: &Requests) -> Result<Report> {
    let Opened { mut source, interval, is_series } = opened;
    let common = args.common(interval);
    let (trials, shown) = trials(args, common, is_series)?;
    let report = pass(&mut *source, trials, shown, &args.common(interval), requests)?;
    source.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok(Report { name: lines::names(&args.files), ..report })
}

/// An engine for each budget, and the index of the one that is shown in detail.
fn trials(
    args: &BacktestArgs,
    mut common: CommonArgs,
    is_series: bool,
) -> Result<(Vec<Trial>, usize)> {
    let (budgets, shown) = args.budgets();
    let mut trial = |budget: Option<Budget>| {
        // The same as if --alert-budget had been set.
        common.alert.alert_budget = budget.or(common.alert.alert_budget);
        let settings = EngineSettings::new(&common, REPLAY_MAX_GROUPS)?;
        let alerting = Alerting::new(settings, message_settings(&common))?;
        Ok(Trial { alerting, history: History::new(budget, is_series) })
    };
    let Some(shown) = shown else { return Ok((vec![trial(None)?], 0)) };
    let place = budgets.iter().position(|budget| budget.a_day() == shown.a_day());
    let trials = budgets.iter().map(|budget| trial(Some(*budget))).collect::<Result<_>>()?;
    Ok((trials, place.unwrap_or(0)))
}

/// Reads the source once, and lets every engine judge it.
fn pass(
    source: &mut dyn Source,
    mut trials: Vec<Trial>,
    shown: usize,
    common: &CommonArgs,
    requests: &Requests,
) -> Result<Report> {
    let host = common.host();
    let mut directory = Directory::open(&common.places.replay())?;
    for trial in &mut trials {
        trial.alerting.engine.use_geo(directory.geo());
    }
    let mut traffic = Traffic::new(common.transfer_interval);
    while let Some(mut interval) = source.next(requests)? {
        directory.learn(&interval);
        grouping::assign(common.group_by, &mut interval, &directory);
        let name = |ifindex| source.interface_name(ifindex);
        let context = AlertContext { host: &host, interface_name: &name, directory: &directory };
        let groups = trials.iter_mut().map(|trial| trial.step(&interval, &context)).max();
        traffic.add(&interval, groups.unwrap_or(0));
    }
    let end_ns = traffic.end_ns();
    let finished = trials.into_iter().map(|trial| trial.history.finished(end_ns));
    Ok(Report {
        name: String::new(),
        interval_seconds: common.transfer_interval.as_secs_f64(),
        traffic,
        histories: finished.collect(),
        shown,
        threshold: EngineSettings::new(common, REPLAY_MAX_GROUPS)?.threshold,
    })
}

impl Trial {
    /// Judges an interval; returns the number of tracked groups.
    fn step(&mut self, interval: &Interval, context: &AlertContext<'_>) -> usize {
        let outcome = self.alerting.step(interval, context);
        outcome.alerts.iter().for_each(|alert| self.history.add(alert));
        self.history.hold(&outcome.held_back, interval);
        outcome.groups
    }
}
