//! The main loop: source, alerting, outputs, sinks; and replays. Owns the order of events, reloads and the end of a
//! run; [`super::live`] starts agents that watch interfaces.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::attribute::{Directory, grouping};
use crate::command::service;
use crate::confine::Confined;
use crate::descriptors;
use crate::detect::engine::Engine;
use crate::evidence::{REPLAY_SNAPLEN, Recorder, members_of};
use crate::history::{self, Places, Writer};
use crate::input::Source;
use crate::input::ahead::Ahead;
use crate::input::filter::Filter;
use crate::input::recorder::SharedRecorder;
use crate::input::replay::ReplaySource;
use crate::input::requests::{Requester, Requests, requests};
use crate::log;
use crate::message::{self, AlertContext, Alerting, Outcome};
use crate::options::cli::{CommonArgs, DEFAULT_REORDER, ReplayArgs, RunArgs};
use crate::options::{self, EngineSettings, REPLAY_MAX_GROUPS, Reload, UsageError};
use crate::output::board::Board;
use crate::output::latest::{Latest, Queues};
use crate::output::outputs::Outputs;
use crate::output::report::{DifferenceWatch, report, summary};
use crate::output::sinks::{self, SinkSpec, Sinks};
use crate::output::state::{PastFile, State};
use crate::output::terminal;
use crate::traffic::interval::{InterfaceReading, Interval, Totals};
use crate::traffic::named;

/// How often baselines are written to disk.
const PAST_EVERY_NS: i64 = 600_000_000_000;

/// Replays capture files.
///
/// # Errors
/// If options are wrong, a file can't be opened, or an output cannot be written.
pub fn replay(args: &ReplayArgs) -> Result<()> {
    replay_files(&args.files, &args.common, args.reorder, !args.no_progress)
}

/// Replays one capture file, as `run` does with `--pcapfile`.
pub(super) fn replay_one(file: &PathBuf, common: &CommonArgs) -> Result<()> {
    replay_files(std::slice::from_ref(file), common, DEFAULT_REORDER, true)
}

fn replay_files(
    files: &[PathBuf],
    common: &CommonArgs,
    reorder: u32,
    shows_progress: bool,
) -> Result<()> {
    common.refuse_owners("a capture file")?;
    let settings = EngineSettings::new(common, REPLAY_MAX_GROUPS)?;
    let directory = Directory::open(&common.places.replay())?;
    let shows_progress = shows_progress && io::stderr().is_terminal();
    let recorder = Recorder::open_replay(&common.evidence(REPLAY_SNAPLEN))?;
    let how = common.replay(reorder, shows_progress);
    let source = ReplaySource::open(files, &how, recorder.clone().map(shared))?;
    let outputs = Outputs::open(&common.outputs(), &settings, false)?;
    let specs = options::sinks::specs(common)?;
    outputs.refuse_to_overwrite(files, &specs)?;
    outputs.begin()?;
    let (requester, requests) = requests(None);
    answer_signals(listen()?, requester, false)?;
    let sinks = Sinks::start(open_sinks(common, &specs)?, &[])?;
    let mut alerting = Alerting::new(settings, options::message_settings(common))?;
    alerting.engine.use_geo(directory.geo());
    let host = common.host();
    // Evidence contains the packets that were read until the alert, so reading must not run ahead of judging.
    let source: Box<dyn Source> = match recorder {
        Some(_) => Box::new(source),
        None => Box::new(Ahead::start(source)?),
    };
    let (state, past, reload, max_groups) = (None, None, None, REPLAY_MAX_GROUPS);
    let confined = Confined::default();
    let board = None;
    let history = start_history(open_history(common, false)?, common, &directory, false)?;
    Agent {
        source,
        alerting,
        directory,
        outputs,
        board,
        history,
        sinks,
        recorder,
        state,
        past,
        host,
        reload,
        confined,
        max_groups,
    }
    .run(&requests)
}

/// Opens the history. A live agent continues without it; a replay that cannot write it fails.
///
/// # Errors
/// If another agent writes to the file, or a replay cannot use it.
pub(super) fn open_history(common: &CommonArgs, is_live: bool) -> Result<Option<history::Opened>> {
    let Some(settings) = options::history_settings(common, is_live) else { return Ok(None) };
    match history::Opened::open(&settings) {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if !is_live || error.is::<UsageError>() => Err(error),
        Err(error) => {
            let error = descriptors::explained(&error);
            tracing::error!(error, "cannot use the history file: this run is not recorded in it");
            Ok(None)
        }
    }
}

/// The recorder in the form in which sources need it.
pub(super) fn shared(recorder: Recorder) -> SharedRecorder {
    Arc::new(recorder)
}

pub(super) fn start_history(
    opened: Option<history::Opened>,
    common: &CommonArgs,
    directory: &Directory,
    is_live: bool,
) -> Result<Option<Writer>> {
    let Some(opened) = opened else { return Ok(None) };
    let names = if is_live { common.places.live() } else { common.places.replay() }.names;
    let places = Places::open(directory.geo().clone(), &names)?;
    Writer::start(opened, places, is_live).map(Some)
}

/// Opens the state directory. If that fails, counting continues without it.
///
/// # Errors
/// If another agent uses the directory.
pub(super) fn open_state(directory: &Path) -> Result<Option<State>> {
    match State::open(directory) {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.is::<UsageError>() => Err(error),
        Err(error) => {
            tracing::error!(
                error = descriptors::explained(&error),
                "cannot use the state directory: a restart will lose the state of this run"
            );
            Ok(None)
        }
    }
}

pub(super) fn open_sinks(common: &CommonArgs, specs: &[SinkSpec]) -> Result<sinks::Opened> {
    let spool = common.state_dir.as_ref().map(|state| state.join("alerts"));
    sinks::open(specs, spool.as_deref())
}

/// Everything that a run needs.
pub(super) struct Agent {
    pub(super) source: Box<dyn Source>,
    pub(super) alerting: Alerting,
    pub(super) directory: Directory,
    pub(super) outputs: Outputs,
    /// The newest interval, for listeners.
    pub(super) board: Option<Arc<Board>>,
    pub(super) history: Option<Writer>,
    pub(super) sinks: Sinks,
    pub(super) recorder: Option<Recorder>,
    pub(super) state: Option<State>,
    pub(super) past: Option<PastFile>,
    pub(super) host: String,
    /// `None` in a replay.
    pub(super) reload: Option<Reload>,
    pub(super) confined: Confined,
    /// The default number of groups.
    pub(super) max_groups: u32,
}

impl Agent {
    pub(super) fn run(mut self, requests: &Requests) -> Result<()> {
        if let Some(recorder) = &self.recorder {
            recorder.start()?;
            self.alerting.engine.record_forgotten();
        }
        tracing::info!(source = self.source.describe(), "counting");
        service::ready(&self.source.describe());
        let mut totals = Totals::default();
        let mut last_reading = Vec::new();
        let mut watch = DifferenceWatch::default();
        let ended = loop {
            let interval = match self.source.next(requests) {
                Ok(Some(interval)) => Arc::new(self.complete(interval)),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            totals.add(&interval);
            watch.look(&interval.interfaces);
            let must_reload = requests.take_reload();
            if must_reload {
                // Before the interval is written, because programs that rotate files wait for that.
                self.outputs.reopen();
            }
            let recorded = self.record_interval(&interval, &mut totals);
            last_reading.clone_from(&interval.interfaces);
            if let Err(error) = recorded {
                break Err(error);
            }
            // Between two intervals, so that each is judged with one set of options.
            if must_reload {
                self.reload();
            }
        };
        service::stopping();
        let finished = self.finish(&totals, &last_reading);
        ended.and(finished)
    }

    /// Learns names from DNS answers, and assigns flows to groups that depend on names or owners.
    fn complete(&mut self, mut interval: Interval) -> Interval {
        self.directory.learn(&interval);
        grouping::assign(self.alerting.engine.group_by(), &mut interval, &self.directory);
        interval
    }

    fn record_interval(&mut self, interval: &Arc<Interval>, totals: &mut Totals) -> Result<()> {
        self.outputs.make_room_for_log()?;
        let name = |ifindex| self.source.interface_name(ifindex);
        let context =
            AlertContext { host: &self.host, interface_name: &name, directory: &self.directory };
        let mut outcome = self.alerting.step(interval, &context);
        let recorder = self.recorder.as_ref();
        keep_evidence(recorder, &mut self.alerting, interval, &self.directory, &mut outcome);
        totals.evicted_groups = outcome.evicted;
        for (reason, count) in outcome.held_back.by_name() {
            *totals.held_back.entry(reason).or_default() += count;
        }
        service::status(interval, self.alerting.open().len());
        // Send alerts first: they are urgent, and writing to an output may fail.
        outcome.alerts.iter().for_each(|alert| self.sinks.send(&Arc::new(alert.clone())));
        if let Some(board) = &self.board {
            let queues = Queues { sinks: self.sinks.counters(), exports: self.outputs.exported() };
            let (groups, directory) = (outcome.groups, &self.directory);
            let latest = Latest::new(interval, totals, groups, queues, directory, &name);
            board.put(latest, &outcome.alerts, &outcome.held_back);
        }
        if let Some(history) = &mut self.history {
            history.take(interval, &outcome.alerts, &name);
        }
        let written = self.outputs.write(interval, &outcome, totals, &name, &self.directory);
        self.remember_incidents();
        self.remember_places();
        if interval.end_ns / PAST_EVERY_NS != interval.start_ns / PAST_EVERY_NS {
            self.remember_past();
        }
        written
    }

    fn remember_past(&mut self) {
        let name = |ifindex| self.source.interface_name(ifindex);
        if let Some(file) = &mut self.past
            && let Some(past) = self.alerting.engine.snapshot(&name)
        {
            file.write(&(named::all(), past));
        }
    }

    fn remember_incidents(&mut self) {
        if let Some(state) = &mut self.state
            && self.alerting.take_changed()
        {
            state.keep(&self.alerting.open());
        }
    }

    fn remember_places(&mut self) {
        if let Some(state) = &mut self.state
            && let Some(seen) = self.alerting.engine.changed_places()
        {
            state.keep_places(seen);
        }
    }

    /// Reads the options again. If they contain any error, nothing changes.
    fn reload(&mut self) {
        let Some(reload) = &mut self.reload else { return };
        service::reloading();
        let done = reload.read().and_then(|args| self.apply(&args));
        match done {
            Ok(()) => tracing::info!("reloaded the configuration"),
            Err(error) => tracing::error!(
                error = self.confined.explained(&error),
                "cannot reload the configuration: the old one stays in force"
            ),
        }
        service::ready(&self.source.describe());
    }

    /// Applies new options. Steps that may fail come first, so that no change is half done.
    fn apply(&mut self, args: &RunArgs) -> Result<()> {
        let common = &args.common;
        let specs = options::sinks::specs(common)?;
        self.confined.check(&options::sandbox(args, &specs, None))?;
        let settings = EngineSettings::new(common, self.max_groups)?;
        let filter = Filter::new(&common.filter.settings())?;
        let directory = Directory::open(&common.places.live())?;
        let sinks = self.sinks.prepare(&specs)?;
        self.source.reload(&filter)?;
        self.sinks.commit(sinks);
        self.directory = directory.succeeding(&mut self.directory);
        let said = message::Settings { is_daily: true, ..options::message_settings(common) };
        let budget = options::alerts_a_day(&settings);
        self.alerting.reconfigure(settings, said)?;
        self.board.iter().for_each(|board| board.set_budget(budget));
        self.alerting.engine.use_geo(self.directory.geo());
        log::set_level(common.loglevel);
        Ok(())
    }

    fn finish(mut self, totals: &Totals, interfaces: &[InterfaceReading]) -> Result<()> {
        let written = self.outputs.finish(totals, interfaces, &self.directory);
        if let Some(recorder) = &self.recorder {
            recorder.finish();
        }
        self.remember_past();
        self.state.iter_mut().for_each(State::finish);
        self.past.iter_mut().for_each(PastFile::finish);
        for warning in self.source.warnings() {
            tracing::warn!("{warning}");
        }
        // Detach programs from interfaces before the agent waits for sinks.
        drop(self.source);
        self.history.iter_mut().for_each(Writer::finish);
        self.sinks.finish();
        tracing::info!("{}", summary(totals));
        interfaces.iter().for_each(report);
        written
    }
}

/// Continues with the baselines of an earlier run, if there are any and they can be used.
pub(super) fn resume(
    engine: &mut Engine,
    past: Option<&PastFile>,
    ifindex: &dyn Fn(&str) -> Option<u32>,
) {
    let Some((names, past)) = past.and_then(PastFile::read::<(Vec<String>, _)>) else { return };
    for name in &names {
        named::key_of(name);
    }
    match engine.resume(past, ifindex) {
        Ok(()) => tracing::info!("read the baselines of the last run"),
        Err(reason) => {
            tracing::info!(reason, "cannot use the baselines of the last run: learning them again")
        }
    }
}

/// Adds the paths of evidence files to alerts before these are sent.
fn keep_evidence(
    recorder: Option<&Recorder>,
    alerting: &mut Alerting,
    interval: &Interval,
    directory: &Directory,
    outcome: &mut Outcome,
) {
    let Some(recorder) = recorder else { return };
    for alert in &mut outcome.alerts {
        let members = members_of(alert, interval, directory);
        recorder.report(alert, members, interval.end_ns);
        alerting.remember_evidence(alert);
    }
    recorder.expired(std::mem::take(&mut outcome.forgotten), interval.end_ns);
}

pub(crate) fn listen() -> Result<Signals> {
    Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen to signals")
}

/// Handles signals. SIGINT and SIGTERM stop the run; a second one ends the process at once, as usual. SIGHUP
/// reads the options again; it stops a replay, whose options cannot change.
pub(crate) fn answer_signals(
    mut signals: Signals,
    requester: Requester,
    can_reload: bool,
) -> Result<()> {
    let answer = move || {
        let mut is_stopping = false;
        for signal in signals.forever() {
            if signal == SIGHUP && can_reload {
                requester.reload();
                continue;
            }
            if std::mem::replace(&mut is_stopping, true) {
                terminal::restore();
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
            requester.stop();
        }
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    thread.spawn(answer).context("cannot start the signal thread").map(drop)
}
