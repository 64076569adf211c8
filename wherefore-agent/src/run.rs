//! The loop: source, engine, outputs, sinks. Owns the order of events and the end of a run.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::alert::{Alert, AlertContext};
use crate::cli::{CommonArgs, DEFAULT_REORDER, ReplayArgs, RunArgs};
use crate::config::{EngineSettings, LIVE_MAX_GROUPS, REPLAY_MAX_GROUPS, UsageError};
use crate::engine::{Engine, Outcome};
use crate::evidence::Recorder;
use crate::export::{self, Event, FlowExport, JsonLines, TopRecord, TotalsRecord};
use crate::group::GroupBy;
use crate::interval::{InterfaceReading, Interval, Totals};
use crate::sink::{self, Sinks};
use crate::source::replay::ReplaySource;
use crate::source::{self, Source, Stop};
use crate::text::{self, Bytes, grouped};
use crate::top::{TopView, who};

/// Intervals in which an interface and our counts may differ before it is said: packets that are
/// on their way while both are read come right by then.
const DIFFERING_INTERVALS: u32 = 3;
/// Tables of the largest groups that the debug log shows together.
const TABLES_LOGGED: usize = 10;

/// Watches interfaces until a signal.
///
/// # Errors
/// Where options are wrong, a privilege is missing or an output breaks.
pub fn run(args: &RunArgs) -> Result<()> {
    if let Some(file) = &args.pcapfile {
        let files = std::slice::from_ref(file);
        return replay_files(files, &args.common, DEFAULT_REORDER, true);
    }
    let settings = EngineSettings::new(&args.common, LIVE_MAX_GROUPS)?;
    // Files are opened while there are privileges to.
    let outputs = Outputs::open(&args.common, &settings, true)?;
    let sinks = sink::open(&args.common)?;
    let recorder = Recorder::open_live(&args.common, args.snaplen)?;
    // A signal while the source opens must not end the process half attached.
    let signals = listen()?;
    // Privileges are given up while the source opens: threads that start later lack them too.
    let source = source::open_live(args, recorder.as_ref())?;
    outputs.begin()?;
    let deadline = args.duration.and_then(|duration| Instant::now().checked_add(duration));
    let stop = stop_on(signals, deadline)?;
    let sinks = Sinks::start(sinks)?;
    Agent { source, engine: Engine::new(settings)?, outputs, sinks, recorder }.run(&stop)
}

/// Replays capture files.
///
/// # Errors
/// Where options are wrong, a file can't be opened or an output breaks.
pub fn replay(args: &ReplayArgs) -> Result<()> {
    replay_files(&args.files, &args.common, args.reorder, !args.no_progress)
}

fn replay_files(
    files: &[PathBuf],
    common: &CommonArgs,
    reorder: u32,
    shows_progress: bool,
) -> Result<()> {
    let settings = EngineSettings::new(common, REPLAY_MAX_GROUPS)?;
    let shows_progress = shows_progress && io::stderr().is_terminal();
    let recorder = Recorder::open_replay(common)?;
    let source =
        Box::new(ReplaySource::open(files, common, reorder, shows_progress, recorder.clone())?);
    let outputs = Outputs::open(common, &settings, false)?;
    outputs.refuse_to_overwrite(files)?;
    outputs.begin()?;
    let stop = stop_on(listen()?, None)?;
    let sinks = Sinks::start(sink::open(common)?)?;
    Agent { source, engine: Engine::new(settings)?, outputs, sinks, recorder }.run(&stop)
}

/// Everything that a run needs.
struct Agent {
    source: Box<dyn Source>,
    engine: Engine,
    outputs: Outputs,
    sinks: Sinks,
    recorder: Option<Recorder>,
}

impl Agent {
    fn run(mut self, stop: &Stop) -> Result<()> {
        if let Some(recorder) = &self.recorder {
            recorder.start()?;
            self.engine.tell_forgotten();
        }
        tracing::info!(source = self.source.describe(), "counting");
        let host = host_name();
        let mut totals = Totals::default();
        let mut last_reading = Vec::new();
        let mut watch = DifferenceWatch::default();
        let ended = loop {
            let interval = match self.source.next(stop) {
                Ok(Some(interval)) => interval,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            totals.add(&interval);
            if let Err(error) = self.outputs.make_room_for_log() {
                break Err(error);
            }
            watch.look(&interval.interfaces);
            let name = |ifindex| self.source.interface_name(ifindex);
            let context = AlertContext { host: &host, interface_name: &name };
            let mut outcome = self.engine.step(&interval, &context);
            keep_evidence(self.recorder.as_ref(), &interval, &mut outcome);
            totals.evicted_groups = outcome.evicted;
            // First those who may be woken up: an output may be gone.
            outcome.alerts.iter().for_each(|alert| self.sinks.send(&Arc::new(alert.clone())));
            let written = self.outputs.write(&interval, &outcome, &name);
            last_reading = interval.interfaces;
            if let Err(error) = written {
                break Err(error);
            }
        };
        let finished = self.finish(&totals, &last_reading);
        ended.and(finished)
    }

    fn finish(mut self, totals: &Totals, interfaces: &[InterfaceReading]) -> Result<()> {
        let written = self.outputs.finish(totals, interfaces);
        if let Some(recorder) = &self.recorder {
            recorder.finish();
        }
        for warning in self.source.warnings() {
            tracing::warn!("{warning}");
        }
        self.sinks.finish();
        tracing::info!("{}", summary(totals));
        for reading in interfaces {
            report(reading);
        }
        written
    }
}

/// Alerts are given the paths of their evidence before anybody is told.
fn keep_evidence(recorder: Option<&Recorder>, interval: &Interval, outcome: &mut Outcome) {
    let Some(recorder) = recorder else { return };
    for alert in &mut outcome.alerts {
        recorder.report(alert, interval.end_ns);
    }
    recorder.expired(std::mem::take(&mut outcome.forgotten), interval.end_ns);
}

/// The sums of a run in a line.
fn summary(totals: &Totals) -> String {
    let line = format!(
        "{} packets, {} of IP, in {} {}",
        grouped(totals.frames),
        Bytes(totals.bytes as f64),
        grouped(totals.intervals),
        if totals.intervals == 1 { "interval" } else { "intervals" }
    );
    let remarks = text::remarks([
        (totals.non_ip, "not IP"),
        (totals.malformed_ip, "malformed"),
        (totals.filtered, "filtered"),
        (totals.overflow, "in no flow (table full)"),
        (totals.late_packets, "counted late"),
        (totals.lost_packets, "lost by the capture"),
        (totals.evicted_groups, "groups forgotten to make room"),
    ]);
    line + &remarks
}

fn report(reading: &InterfaceReading) {
    let InterfaceReading { interface, ingress, egress } = reading;
    let shown = |name, side: &crate::interval::Comparison| {
        // The view that is nearer to how this device counts.
        let views = [side.counted_bytes, side.wire_bytes];
        let device = side.interface_bytes;
        let counted = views.into_iter().min_by_key(|view| view.abs_diff(device)).unwrap_or(0);
        format!("{name} {} octets counted of {}", grouped(counted), grouped(device))
    };
    let (received, sent) = (shown("received", ingress), shown("sent", egress));
    if reading.is_equal() {
        tracing::info!(interface, received, sent, "counts equal the interface's");
    } else if reading.agrees() {
        let uncertain = ingress.uncertain_bytes + egress.uncertain_bytes;
        tracing::info!(
            interface,
            received,
            sent,
            uncertain,
            "counts agree with the interface's, but for what moved while it was read"
        );
    } else {
        tracing::warn!(interface, received, sent, "counts differ from the interface's");
    }
}

/// Says when counts stay away from the interface's.
#[derive(Default)]
struct DifferenceWatch {
    differing: u32,
}

impl DifferenceWatch {
    fn look(&mut self, interfaces: &[InterfaceReading]) {
        let differs = interfaces.iter().any(|reading| !reading.agrees());
        self.differing = if differs { self.differing + 1 } else { 0 };
        for reading in interfaces {
            let received = reading.ingress.difference_bytes();
            let sent = reading.egress.difference_bytes();
            let interface = &reading.interface;
            tracing::debug!(interface, received, sent, "octets that only the interface counted");
            if self.differing == DIFFERING_INTERVALS && !reading.agrees() {
                tracing::warn!(interface, received, sent, "counts differ from the interface's");
            }
        }
    }
}

/// Everything that is written besides alerts to sinks.
struct Outputs {
    group_by: GroupBy,
    flows: Option<FlowExport>,
    alerts: Option<JsonLines>,
    series: Option<JsonLines>,
    stdout: Stdout,
    tables: VecDeque<Vec<String>>,
    is_live: bool,
}

/// What standard output is for.
enum Stdout {
    /// A person.
    Terminal(TopView),
    /// A program.
    Pipe(JsonLines),
    /// One of the files, by `-`.
    Taken,
}

impl Outputs {
    fn open(args: &CommonArgs, settings: &EngineSettings, is_live: bool) -> Result<Self> {
        let open = |path: &Option<PathBuf>| path.as_deref().map(JsonLines::create).transpose();
        let targets = [&args.flows, &args.alerts, &args.series];
        let is_taken = targets.into_iter().flatten().any(|path| path.as_os_str() == "-");
        let stdout = if is_taken {
            Stdout::Taken
        } else if io::stdout().is_terminal() {
            Stdout::Terminal(TopView::new(settings.group_by))
        } else {
            Stdout::Pipe(JsonLines::create("-".as_ref())?)
        };
        Ok(Self {
            group_by: settings.group_by,
            flows: open(&args.flows)?
                .map(|lines| FlowExport::new(lines, is_live, settings.max_groups)),
            alerts: open(&args.alerts)?,
            series: open(&args.series)?,
            stdout,
            tables: VecDeque::new(),
            is_live,
        })
    }

    /// The outputs that are files.
    fn files(&self) -> impl Iterator<Item = &JsonLines> {
        let flows = self.flows.iter().map(FlowExport::lines);
        flows.chain(&self.alerts).chain(&self.series)
    }

    /// Refuses outputs that are one of the inputs.
    fn refuse_to_overwrite(&self, inputs: &[PathBuf]) -> Result<()> {
        for output in self.files() {
            let is_it = |input: &&PathBuf| output.is_file(input);
            if let Some(input) = inputs.iter().find(is_it) {
                let name = input.display();
                bail!(UsageError(format!("{name} is read: it cannot be written to as well")));
            }
        }
        Ok(())
    }

    /// Empties the files, once it is sure that there will be something to write.
    fn begin(&self) -> Result<()> {
        self.files().try_for_each(JsonLines::empty)
    }

    fn write(
        &mut self,
        interval: &Interval,
        outcome: &Outcome,
        name: &dyn Fn(u32) -> String,
    ) -> Result<()> {
        if let Some(flows) = &mut self.flows {
            flows.add(interval, name)?;
        }
        if let Some(series) = &mut self.series {
            export::write_series(series, interval, self.group_by)?;
        }
        if let Some(alerts) = &mut self.alerts {
            write_alerts(alerts, &outcome.alerts)?;
        }
        self.log_tables(interval, outcome);
        self.show(interval, outcome)
    }

    fn show(&mut self, interval: &Interval, outcome: &Outcome) -> Result<()> {
        match &mut self.stdout {
            // A replay is over in a moment: a person reads what alerted, not each interval.
            Stdout::Terminal(_) if !self.is_live => {
                let mut screen = io::stdout().lock();
                let mut show = |alert: &Alert| writeln!(screen, "ALERT {}", alert.text);
                outcome.alerts.iter().try_for_each(&mut show).context("cannot write alerts")
            }
            Stdout::Terminal(view) => {
                view.draw(interval, outcome).context("cannot draw on the terminal")
            }
            Stdout::Pipe(lines) => {
                log_alerts(outcome);
                write_events(lines, interval, outcome, self.group_by)
            }
            Stdout::Taken => {
                log_alerts(outcome);
                Ok(())
            }
        }
    }

    /// Takes the table off the screen, where the log may share it.
    fn make_room_for_log(&mut self) -> Result<()> {
        match &mut self.stdout {
            Stdout::Terminal(view) => {
                view.clear(&mut io::stdout().lock()).context("cannot draw on the terminal")
            }
            Stdout::Pipe(_) | Stdout::Taken => Ok(()),
        }
    }

    /// The debug log shows the largest groups of the last intervals together.
    fn log_tables(&mut self, interval: &Interval, outcome: &Outcome) {
        if !tracing::enabled!(tracing::Level::DEBUG) || !self.is_live {
            return;
        }
        let row = |row: &crate::engine::TopGroup| {
            format!("{} {}", who(self.group_by, &row.key), Bytes(row.counters.bytes as f64))
        };
        self.tables.push_back(outcome.top.iter().map(row).collect());
        if self.tables.len() > TABLES_LOGGED {
            self.tables.pop_front();
        }
        let end = crate::text::clock(interval.end_ns);
        for (ago, table) in self.tables.iter().rev().enumerate() {
            tracing::debug!(end, intervals_ago = ago, largest = ?table, "largest groups");
        }
    }

    fn finish(&mut self, totals: &Totals, interfaces: &[InterfaceReading]) -> Result<()> {
        if let Some(flows) = &mut self.flows {
            flows.finish(totals, interfaces)?;
        }
        if let Stdout::Pipe(lines) = &mut self.stdout {
            lines.write(&TotalsRecord { totals, interfaces })?;
            lines.flush()?;
        }
        Ok(())
    }
}

/// People read alerts in the log where standard output is for programs.
fn log_alerts(outcome: &Outcome) {
    outcome.alerts.iter().for_each(|alert| tracing::warn!("ALERT {}", alert.text));
}

fn write_alerts(lines: &mut JsonLines, alerts: &[Alert]) -> Result<()> {
    alerts.iter().try_for_each(|alert| lines.write(alert))?;
    lines.flush()
}

fn write_events(
    lines: &mut JsonLines,
    interval: &Interval,
    outcome: &Outcome,
    group_by: GroupBy,
) -> Result<()> {
    for alert in &outcome.alerts {
        lines.write(&Event::Alert(alert))?;
    }
    let mut totals = Box::new(Totals::default());
    totals.add(interval);
    let top = |row: &crate::engine::TopGroup| TopRecord {
        src: group_by.source(&row.key),
        dst: group_by.destination(&row.key),
        bytes: row.counters.bytes,
        packets: row.counters.packets,
    };
    lines.write(&Event::Interval {
        start: crate::text::rfc3339(interval.start_ns),
        end: crate::text::rfc3339(interval.end_ns),
        flows: interval.flows.len(),
        totals,
        interfaces: &interval.interfaces,
        top: outcome.top.iter().map(top).collect(),
    })?;
    lines.flush()
}

fn host_name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "this host".to_owned())
}

fn listen() -> Result<Signals> {
    Signals::new([SIGINT, SIGTERM]).context("cannot listen to signals")
}

/// Stops at SIGINT and SIGTERM; a second one ends the process at once, as ever.
fn stop_on(mut signals: Signals, deadline: Option<Instant>) -> Result<Stop> {
    let (sender, requests) = mpsc::channel();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for (nth, signal) in signals.forever().enumerate() {
                if nth > 0 {
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
                let _ = sender.send(());
            }
        })
        .context("cannot start the signal thread")?;
    Ok(Stop::new(requests, deadline))
}
