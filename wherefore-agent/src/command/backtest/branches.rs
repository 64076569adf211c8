//! One background with many continuations. The engines judge the background once, and are copied where each
//! branch begins; from there, each branch has its own stream. Owns this copying; a branch gives the same
//! result as a backtest of its background and its stream.

use std::ffi::OsStr;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;

use super::lines::Lines;
use super::records::RecordSource;
use super::report::Report;
use super::traffic::Traffic;
use super::{Trial, json, trials};
use crate::attribute::Directory;
use crate::input::Source;
use crate::input::replay::InputFile;
use crate::input::requests::{Requests, requests};
use crate::message::AlertContext;
use crate::options::cli::{BacktestArgs, Cli, Command, CommonArgs};
use crate::traffic::interval::Interval;

/// A continuation of the background.
#[derive(Debug, Clone)]
pub struct Branch {
    /// The interval of the background at which it begins.
    pub start: i64,
    /// Its flows, which replace those of the background.
    pub stream: PathBuf,
    /// The file for the result, in the format of `backtest --json`.
    pub answer: PathBuf,
}

/// The engines and their findings so far.
#[derive(Clone)]
struct Pass {
    trials: Vec<Trial>,
    traffic: Traffic,
}

/// The options and the directory of addresses, which all intervals share.
struct Around {
    common: CommonArgs,
    directory: Directory,
}

/// Judges the background to its end, and each branch from its start on, with the options of `backtest`.
/// `answer` is the file for the result of the background alone.
///
/// # Errors
/// If options are wrong, or a file cannot be read or written.
pub fn backtest_branches(
    background: &Path,
    options: &[String],
    branches: &[Branch],
    answer: &Path,
) -> Result<()> {
    let args = &parse(background, options)?;
    let mut source = open(args, background)?;
    let common = args.common(source.interval());
    let (trials, shown) = trials(args, args.common(source.interval()), false)?;
    let around = Around { directory: Directory::open(&common.places.replay())?, common };
    let mut pass = Pass { trials, traffic: Traffic::new(around.common.transfer_interval) };
    let (_requester, requests) = requests(None);
    let mut branches: Vec<_> = branches.iter().collect();
    branches.sort_by_key(|branch| branch.start);
    let mut branches = branches.into_iter().peekable();
    while let Some(interval) = source.next(&requests)? {
        while let Some(branch) = branches.next_if(|branch| branch.start <= interval.index) {
            let mut future = open(args, &branch.stream)?;
            future.go_on_from(&source, branch.start);
            let mut pass = pass.clone();
            pass.run(&mut future, &requests, &around)?;
            pass.write(&around.common, shown, &branch.answer)?;
        }
        pass.step(&interval, &source, &around);
    }
    pass.write(&around.common, shown, answer)
}

fn parse(background: &Path, options: &[String]) -> Result<BacktestArgs> {
    let words = ["wherefore", "backtest"].map(OsStr::new).into_iter();
    let words = words.chain(options.iter().map(OsStr::new)).chain([background.as_os_str()]);
    match Cli::try_parse_from(words)?.command {
        Some(Command::Backtest(args)) => Ok(*args),
        _ => bail!("the arguments must be those of `wherefore backtest`"),
    }
}

fn open(args: &BacktestArgs, path: &Path) -> Result<RecordSource> {
    let given = vec![InputFile { path: path.to_owned(), open: None }];
    RecordSource::open(Lines::open(given, false, false), args)
        .with_context(|| format!("cannot read {}", path.display()))
}

impl Pass {
    fn run(
        &mut self,
        source: &mut RecordSource,
        requests: &Requests,
        around: &Around,
    ) -> Result<()> {
        while let Some(interval) = source.next(requests)? {
            self.step(&interval, source, around);
        }
        Ok(())
    }

    fn step(&mut self, interval: &Interval, source: &RecordSource, around: &Around) {
        let name = |ifindex| source.interface_name(ifindex);
        let host = around.common.host_name.as_deref().unwrap_or("lab");
        let context = AlertContext { host, interface_name: &name, directory: &around.directory };
        let groups = self.trials.iter_mut().map(|trial| trial.step(interval, &context)).max();
        self.traffic.add(interval, groups.unwrap_or(0));
    }

    fn write(self, common: &CommonArgs, shown: usize, path: &Path) -> Result<()> {
        let end_ns = self.traffic.end_ns();
        let finished = self.trials.into_iter().map(|trial| trial.history.finished(end_ns));
        let report = Report {
            name: String::new(),
            interval_seconds: common.transfer_interval.as_secs_f64(),
            traffic: self.traffic,
            histories: finished.collect(),
            shown,
            threshold: 0.0,
        };
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        json::write(&mut BufWriter::new(file), &report)
    }
}
