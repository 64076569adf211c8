//! Starting an agent that watches interfaces. Owns the order of opening files, attaching, giving up privileges
//! and starting threads; the loop itself is in [`super::run`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use signal_hook::iterator::Signals;

use super::run::{
    Agent, answer_signals, listen, open_history, open_sinks, open_state, replay_one, resume,
    shared, start_history,
};
use crate::attribute::{Attributed, Directory, Mode};
use crate::command::{service, watch};
use crate::confine::{self, Confined};
use crate::descriptors;
use crate::evidence::Recorder;
use crate::history;
use crate::input::memory::{Limit, Plan};
use crate::input::requests::{Requester, Requests, requests};
use crate::input::{self, links};
use crate::message::alert::Alert;
use crate::message::{self, Alerting};
use crate::options::cli::RunArgs;
use crate::options::{self, EngineSettings, Reload};
use crate::output::board::Board;
use crate::output::outputs::Outputs;
use crate::output::sinks::{self, SinkSpec, Sinks};
use crate::output::state::State;
use crate::output::web::Listener;

/// Watches interfaces until a signal ends it.
///
/// # Errors
/// If options are wrong, a privilege is missing, or an output cannot be written.
pub fn run(args: &RunArgs, reload: Reload) -> Result<()> {
    if let Some(file) = &args.pcapfile {
        return replay_one(file, &args.common);
    }
    descriptors::raise_limit();
    service::keep_no_core();
    let limit = Limit::of_process();
    let plan = Plan::new(args.memory(), limit);
    plan.log(limit);
    let settings = EngineSettings::new(&args.common, plan.max_groups)?;
    if args.attribution.attribution == Mode::Off {
        args.common.refuse_owners("an agent with --attribution off")?;
    }
    args.attribution.refuse_without_kernel(args.daq)?;
    let opened = Opened::open(args, &settings)?;
    descriptors::keep_reserve();
    // Handle signals first: one that arrives while the source opens must not end the process half attached.
    let signals = listen()?;
    let (source, confined) = opened.attach(args, &plan, &reload)?;
    opened.start(args, settings, signals, source, (reload, confined, plan.max_groups))
}

/// What is opened while the process has its privileges.
struct Opened {
    outputs: Outputs,
    directory: Directory,
    state: Option<State>,
    history: Option<history::Opened>,
    listener: Option<Listener>,
    specs: Vec<SinkSpec>,
    sinks: sinks::Opened,
    socket: watch::Bound,
    recorder: Option<Recorder>,
}

impl Opened {
    fn open(args: &RunArgs, settings: &EngineSettings) -> Result<Self> {
        let common = &args.common;
        let outputs = Outputs::open(&common.outputs(), settings, true)?;
        let specs = options::sinks::specs(common)?;
        outputs.refuse_to_overwrite(&[], &specs)?;
        Ok(Self {
            outputs,
            directory: Directory::open(&common.places.live())?,
            state: common.state_dir.as_deref().map(open_state).transpose()?.flatten(),
            history: open_history(common, true)?,
            listener: options::web_settings(args).as_ref().map(Listener::open).transpose()?,
            sinks: open_sinks(common, &specs)?,
            specs,
            socket: watch::bind(args)?,
            recorder: Recorder::open_live(&common.evidence(args.snaplen))?,
        })
    }

    /// Attaches to the interfaces. Threads that start from here on have only the rights that counting needs.
    fn attach(
        &self,
        args: &RunArgs,
        plan: &Plan,
        reload: &Reload,
    ) -> Result<(Box<dyn input::Source>, Confined)> {
        let kept = self.recorder.clone().map(shared);
        let source = input::open_live(&args.input(), plan, kept.as_ref())?;
        let (source, looks_into_processes) = Attributed::open(source, &args.attribution.settings());
        let sandbox = options::sandbox(args, &self.specs, Some(reload));
        let confined = confine::enter(&confine::Settings { looks_into_processes, ..sandbox });
        Ok((source, confined))
    }

    /// Starts everything else, and runs until the agent ends.
    fn start(
        mut self,
        args: &RunArgs,
        settings: EngineSettings,
        signals: Signals,
        source: Box<dyn input::Source>,
        (reload, confined, max_groups): (Reload, Confined, u32),
    ) -> Result<()> {
        self.outputs.begin()?;
        let (requester, requests) = take_requests(args, signals)?;
        let budget = options::alerts_a_day(&settings);
        let still_open = self.state.as_ref().map(State::incidents).unwrap_or_default();
        let known: Vec<_> = still_open.iter().cloned().map(Arc::new).collect();
        let mut alerting = self.alerting(args, settings)?;
        let sinks = Sinks::start(self.sinks, &known)?;
        let ifindex = |name: &str| nix::net::if_::if_nametoindex(name).ok();
        alerting.restore(still_open, ifindex);
        let past = self.state.as_ref().map(State::past);
        resume(&mut alerting.engine, past.as_ref(), &ifindex);
        let history = start_history(self.history, &args.common, &self.directory, true)?;
        let (host, interval) = (args.common.host(), args.common.transfer_interval);
        let serve = |listener| serve(listener, &host, interval, budget, &known);
        let board = self.listener.map(serve).transpose()?;
        let (socket, geo) = (self.socket, self.directory.geo());
        let source = watch::watched(source, &mut self.outputs, args, socket, requester, geo)?;
        Agent {
            source,
            alerting,
            directory: self.directory,
            outputs: self.outputs,
            board,
            history,
            sinks,
            recorder: self.recorder,
            state: self.state,
            past,
            host,
            reload: Some(reload),
            confined,
            max_groups,
        }
        .run(&requests)
    }

    fn alerting(&self, args: &RunArgs, settings: EngineSettings) -> Result<Alerting> {
        let said = message::Settings { is_daily: true, ..options::message_settings(&args.common) };
        let mut alerting = Alerting::new(settings, said)?;
        alerting.engine.use_geo(self.directory.geo());
        if let Some(state) = &self.state {
            alerting.engine.resume_places(state.seen_places());
        }
        Ok(alerting)
    }
}

/// Requests to the source, from signals, changes of interfaces and `--duration`.
fn take_requests(args: &RunArgs, signals: Signals) -> Result<(Requester, Requests)> {
    let deadline = args.duration.and_then(|duration| Instant::now().checked_add(duration));
    let (requester, mut requests) = requests(deadline);
    requests.beat(service::watchdog());
    if let Err(error) = links::listen(requester.clone(), args.interfaces.is_empty()) {
        tracing::warn!(
            error = descriptors::explained(&error),
            "cannot watch for changes of interfaces: they are checked once an interval"
        );
    }
    answer_signals(signals, requester.clone(), true)?;
    Ok((requester, requests))
}

/// Serves the newest interval, and incidents that are still open from the run before.
fn serve(
    listener: Listener,
    host: &str,
    interval: Duration,
    budget: Option<f64>,
    known: &[Arc<Alert>],
) -> Result<Arc<Board>> {
    let board = Arc::new(Board::new(host.to_owned(), interval));
    board.set_budget(budget);
    board.restore(known);
    listener.serve(board.clone()).map(|()| board)
}
