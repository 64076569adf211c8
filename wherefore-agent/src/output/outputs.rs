//! All outputs except sinks: the terminal, standard output, files. Owns which data goes to which output;
//! [`crate::output::jsonl`] and [`crate::output::terminal`] own the formats.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::attribute::{Directory, Ends};
use crate::console::Screen;
use crate::descriptors;
use crate::detect::settings::EngineSettings;
use crate::message::Outcome;
use crate::message::alert::{Alert, SCHEMA};
use crate::message::held::HeldRecord;
use crate::message::owner::OwnerRecord;
use crate::output::export::{self, Exporter, Exports, kafka, otlp};
use crate::output::jsonl::{self, Event, FlowExport, JsonLines, TopRecord, TotalsRecord};
use crate::output::known_names::KnownNames;
use crate::output::reading::{Judged, ViewMessage};
use crate::output::sinks::SinkSpec;
use crate::output::socket::Hub;
use crate::output::terminal::View;
use crate::output::terminal::plain::{TopView, who};
use crate::text::Bytes;
use crate::traffic::group::GroupBy;
use crate::traffic::interval::{InterfaceReading, Interval, Totals};
use crate::usage::UsageError;

/// The number of intervals whose tables of the largest groups the debug log shows.
const TABLES_LOGGED: usize = 10;

/// Files of JSON Lines (`-` is standard output), and destinations of flow records.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// File for flows.
    pub flows: Option<PathBuf>,
    /// File for alerts.
    pub alerts: Option<PathBuf>,
    /// File for the traffic of each group.
    pub series: Option<PathBuf>,
    /// Collectors of flow records.
    pub export: export::Settings,
}

/// All outputs except sinks.
pub(crate) struct Outputs {
    group_by: GroupBy,
    flows: Option<FlowExport>,
    alerts: Option<JsonLines>,
    series: Option<JsonLines>,
    exporters: Vec<Exporter>,
    otlp: Option<otlp::Exporter>,
    kafka: Option<kafka::Exporter>,
    stdout: Stdout,
    /// The views that are attached through the socket.
    hub: Option<Hub>,
    /// The names that were already sent to these views.
    names: KnownNames,
    tables: VecDeque<Vec<String>>,
    is_live: bool,
}

/// How standard output is used.
enum Stdout {
    /// For the live view on a terminal.
    View(View),
    /// For the plain table, on a terminal that can only print.
    Terminal(TopView),
    /// For JSON Lines to another program.
    Pipe(JsonLines),
    /// For one of the files, which is named `-`.
    Taken,
}

impl Outputs {
    pub(crate) fn open(files: &Settings, settings: &EngineSettings, is_live: bool) -> Result<Self> {
        let create = |path: &Path| {
            if is_live {
                return anyhow::Ok(JsonLines::append(path)?.without_waiting());
            }
            JsonLines::create(path)
        };
        let open = |path: &Option<PathBuf>| path.as_deref().map(create).transpose();
        let targets = [&files.flows, &files.alerts, &files.series];
        let is_taken = targets.into_iter().flatten().any(|path| path.as_os_str() == "-");
        let stdout = if is_taken {
            Stdout::Taken
        } else if io::stdout().is_terminal() {
            Stdout::Terminal(TopView::new(settings.group_by))
        } else {
            Stdout::Pipe(create("-".as_ref())?)
        };
        Ok(Self {
            group_by: settings.group_by,
            flows: open(&files.flows)?
                .map(|lines| FlowExport::new(lines, is_live, settings.max_groups)),
            alerts: open(&files.alerts)?,
            series: open(&files.series)?,
            exporters: exporters(&files.export, is_live),
            otlp: open_otlp(&files.export, is_live)?,
            kafka: open_kafka(&files.export, is_live)?,
            stdout,
            hub: None,
            names: KnownNames::default(),
            tables: VecDeque::new(),
            is_live,
        })
    }

    /// Whether a person may be watching standard output.
    pub(crate) fn is_for_a_person(&self) -> bool {
        self.is_live && matches!(self.stdout, Stdout::Terminal(_))
    }

    /// Also sends readings to the views that attach through the socket.
    pub(crate) fn publish(&mut self, hub: Hub) {
        self.hub = Some(hub);
    }

    /// Shows the live view instead of the plain table.
    pub(crate) fn show(&mut self, view: View) {
        self.stdout = Stdout::View(view);
    }

    /// The outputs that are files.
    fn files(&self) -> impl Iterator<Item = &JsonLines> {
        let flows = self.flows.iter().map(FlowExport::lines);
        flows.chain(&self.alerts).chain(&self.series)
    }

    /// Refuses an output that is also an input or another output, such as the file of a sink.
    pub(crate) fn refuse_to_overwrite(&self, inputs: &[PathBuf], sinks: &[SinkSpec]) -> Result<()> {
        // A device or a pipe may have two writers.
        let of_sinks = || sinks.iter().filter_map(SinkSpec::file).filter(|path| path.is_file());
        for (at, output) in self.files().enumerate() {
            let is_shared = self.files().skip(at + 1).any(|other| other.is_same_file(output))
                || of_sinks().any(|path| output.is_file(path));
            if is_shared {
                let name = output.name();
                let text =
                    format!("{name} is the file of two outputs: give each output its own file");
                bail!(UsageError(text));
            }
            let is_it = |input: &&PathBuf| output.is_file(input);
            if let Some(input) = inputs.iter().find(is_it) {
                let is_stdin = input.as_os_str() == "-";
                let name = if is_stdin { "standard input" } else { &*input.to_string_lossy() };
                bail!(UsageError(format!("{name} is an input: it cannot also be an output")));
            }
        }
        let is_input = |path: &&Path| inputs.iter().any(|input| jsonl::is_same_file(path, input));
        if let Some(path) = of_sinks().find(is_input) {
            let name = path.display();
            bail!(UsageError(format!("{name} is an input: it cannot also be the file of a sink")));
        }
        Ok(())
    }

    /// Truncates the files of a replay; called once it is certain that there is something to write. A live
    /// agent appends to its files.
    pub(crate) fn begin(&self) -> Result<()> {
        if self.is_live {
            return Ok(());
        }
        self.files().try_for_each(JsonLines::empty)
    }

    /// Reopens files by their paths, because rotation renames files. If one cannot be opened, the old file
    /// stays in use.
    pub(crate) fn reopen(&mut self) {
        let flows = self.flows.iter_mut().map(FlowExport::lines_mut);
        for lines in flows.chain(&mut self.alerts).chain(&mut self.series) {
            match lines.reopen() {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!(file = lines.name(), "the output continues in a new file")
                }
                Err(error) => tracing::warn!(
                    error = descriptors::explained(&error),
                    "cannot reopen an output: the old file stays in use"
                ),
            }
        }
    }

    pub(crate) fn write(
        &mut self,
        interval: &Arc<Interval>,
        outcome: &Outcome,
        totals: &Totals,
        name: &dyn Fn(u32) -> String,
        directory: &Directory,
    ) -> Result<()> {
        self.export(interval, outcome, totals, name, directory)?;
        if let Some(flows) = &mut self.flows {
            flows.add(interval, name, directory)?;
        }
        if let Some(series) = &mut self.series {
            jsonl::write_series(series, interval, self.group_by, directory)?;
        }
        if let Some(alerts) = &mut self.alerts {
            write_alerts(alerts, &outcome.alerts)?;
        }
        self.log_held_back(interval, outcome);
        self.log_tables(interval, outcome);
        self.hub.iter().for_each(|hub| hub.judged(outcome, interval));
        self.send_names(interval, directory);
        self.print(interval, outcome, directory)
    }

    /// Passes the interval to the exporters of flow records.
    fn export(
        &mut self,
        interval: &Arc<Interval>,
        outcome: &Outcome,
        totals: &Totals,
        name: &dyn Fn(u32) -> String,
        directory: &Directory,
    ) -> Result<()> {
        if self.exporters.is_empty() && self.otlp.is_none() && self.kafka.is_none() {
            return Ok(());
        }
        let mut names: Vec<_> = interval.names(name).into_iter().collect();
        names.sort_unstable();
        let names = Arc::new(names);
        if let Some(otlp) = &mut self.otlp {
            otlp.take(interval, &outcome.alerts, totals, &names, directory.geo())?;
        }
        if let Some(kafka) = &mut self.kafka {
            kafka.take(interval, &outcome.alerts, &names, directory)?;
        }
        self.exporters.iter_mut().try_for_each(|exporter| exporter.take(interval, &names))
    }

    /// What became of flow records, for each collector.
    pub(crate) fn exported(&self) -> Exports {
        Exports {
            ipfix: self.exporters.iter().map(Exporter::counters).collect(),
            otlp: self.otlp.as_ref().map(otlp::Exporter::counters),
            kafka: self.kafka.as_ref().map(kafka::Exporter::counters),
        }
    }

    /// Sends new names of addresses to views.
    fn send_names(&mut self, interval: &Interval, directory: &Directory) {
        let view = match &self.stdout {
            Stdout::View(view) => Some(view.feed()),
            _ => None,
        };
        if view.is_none() && self.hub.is_none() {
            return;
        }
        let news = ViewMessage::Names(self.names.new_ones(interval, directory));
        self.hub.iter().for_each(|hub| hub.names(&news));
        view.iter().for_each(|view| view.push(news.clone()));
    }

    fn print(
        &mut self,
        interval: &Interval,
        outcome: &Outcome,
        directory: &Directory,
    ) -> Result<()> {
        match &mut self.stdout {
            // A replay is fast: show a person the alerts only, not each interval.
            Stdout::Terminal(_) if !self.is_live => {
                let mut screen = io::stdout().lock();
                let mut show = |alert: &Alert| writeln!(screen, "ALERT {}", alert.text);
                outcome.alerts.iter().try_for_each(&mut show).context("cannot write alerts")
            }
            Stdout::View(view) => {
                view.feed().push(ViewMessage::Judged(Box::new(Judged::of(outcome, interval))));
                Ok(())
            }
            Stdout::Terminal(view) => {
                view.draw(interval, outcome, directory).context("cannot draw on the terminal")
            }
            Stdout::Pipe(lines) => {
                log_alerts(outcome);
                write_events(lines, interval, outcome, self.group_by, directory)
            }
            Stdout::Taken => {
                log_alerts(outcome);
                Ok(())
            }
        }
    }

    /// Clears the table from the screen, because the log may be on the same terminal.
    pub(crate) fn make_room_for_log(&mut self) -> Result<()> {
        match &mut self.stdout {
            Stdout::Terminal(view) => {
                view.clear(&mut Screen::default()).context("cannot draw on the terminal")
            }
            Stdout::View(_) | Stdout::Pipe(_) | Stdout::Taken => Ok(()),
        }
    }

    /// Writes findings that are not reported to the debug log.
    fn log_held_back(&self, interval: &Interval, outcome: &Outcome) {
        for held in &outcome.held_back.named {
            tracing::debug!("held back: {}", HeldRecord::of(held, interval).line());
        }
    }

    /// Writes the tables of the largest groups of the last intervals to the debug log.
    fn log_tables(&mut self, interval: &Interval, outcome: &Outcome) {
        if !tracing::enabled!(tracing::Level::DEBUG) || !self.is_live {
            return;
        }
        let row = |row: &crate::detect::engine::TopGroup| {
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

    pub(crate) fn finish(
        &mut self,
        totals: &Totals,
        interfaces: &[InterfaceReading],
        directory: &Directory,
    ) -> Result<()> {
        let mut sent = self.exporters.iter().map(Exporter::finish).collect::<Vec<_>>();
        sent.extend(self.otlp.as_ref().map(otlp::Exporter::finish));
        sent.extend(self.kafka.as_ref().map(kafka::Exporter::finish));
        let exports = self.exported();
        if let Some(flows) = &mut self.flows {
            flows.finish(totals, interfaces, &exports, directory)?;
        }
        self.hub.iter().for_each(Hub::finish);
        if let Stdout::View(view) = &mut self.stdout {
            view.finish();
        }
        if let Stdout::Pipe(lines) = &mut self.stdout {
            lines.write(&TotalsRecord {
                schema: SCHEMA,
                totals,
                attribution: totals.attribution.as_ref(),
                interfaces,
                exports: &exports,
            })?;
            lines.finish()?;
        }
        self.alerts.iter_mut().chain(&mut self.series).try_for_each(JsonLines::finish)?;
        sent.into_iter().collect()
    }
}

fn exporters(settings: &export::Settings, is_live: bool) -> Vec<Exporter> {
    let exporter = |collector| Exporter::new(collector, settings.rate, is_live);
    settings.collectors.iter().map(exporter).collect()
}

fn open_otlp(settings: &export::Settings, is_live: bool) -> Result<Option<otlp::Exporter>> {
    let open = |settings| otlp::Exporter::open(settings, is_live);
    settings.otlp.as_ref().map(open).transpose()
}

fn open_kafka(settings: &export::Settings, is_live: bool) -> Result<Option<kafka::Exporter>> {
    let open = |settings| kafka::Exporter::open(settings, is_live);
    settings.kafka.as_ref().map(open).transpose()
}

/// Writes alerts to the log if standard output is for programs.
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
    directory: &Directory,
) -> Result<()> {
    for alert in &outcome.alerts {
        lines.write(&Event::Alert(alert))?;
    }
    let mut totals = Box::new(Totals::default());
    totals.add(interval);
    totals.held_back = outcome.held_back.by_name();
    let mut owners = outcome.owners.iter().map(Option::as_ref);
    let mut top = |row: &crate::detect::engine::TopGroup| TopRecord {
        src: group_by.source(&row.key),
        dst: group_by.destination(&row.key),
        bytes: row.counters.bytes,
        packets: row.counters.packets,
        ends: Ends::of(directory, group_by.addresses(&row.key)),
        owner: owners.next().flatten().map(OwnerRecord::new).unwrap_or_default(),
    };
    lines.write(&Event::Interval {
        schema: SCHEMA,
        start: crate::text::rfc3339(interval.start_ns),
        end: crate::text::rfc3339(interval.end_ns),
        flows: interval.flows.len(),
        attribution: totals.attribution.clone(),
        totals,
        interfaces: &interval.interfaces,
        top: outcome.top.iter().map(&mut top).collect(),
    })?;
    lines.flush()
}
