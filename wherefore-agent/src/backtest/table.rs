//! What a person reads of a backtest: what was read, the budgets side by side, the incidents of one
//! of them, and the plot. Owns the layout; names from outside are shown harmless.

use std::io::{self, Write};

use crossterm::style::Stylize;
use crossterm::terminal;

use super::history::{History, Incident};
use super::{Report, plot};
use crate::alert::Kind;
use crate::text::{self, Bytes, grouped, printable};

/// Where the terminal does not say how wide it is.
const USUAL_WIDTH: u16 = 100;
/// Incidents listed at the most: the rest is for `--json`.
const LISTED: usize = 100;
/// Below an hour, what would come in a day is a guess.
const SHORTEST: f64 = 3600.0;

/// Columns of the terminal.
pub(super) fn width() -> usize {
    usize::from(terminal::size().map_or(USUAL_WIDTH, |(columns, _)| columns))
}

/// Writes all of it.
pub(super) fn write(output: &mut impl Write, report: &Report, width: usize) -> io::Result<()> {
    write_header(output, report)?;
    writeln!(output)?;
    write_budgets(output, report)?;
    writeln!(output)?;
    write_incidents(output, report)?;
    if report.traffic.intervals > 0 {
        writeln!(output)?;
        plot::write(output, report, width)?;
    }
    Ok(())
}

fn write_header(output: &mut impl Write, report: &Report) -> io::Result<()> {
    let traffic = &report.traffic;
    writeln!(output, "{}", printable(&report.name).bold())?;
    writeln!(
        output,
        "{} to {} ({}), {} intervals of {} s with traffic, {} groups at a time, {} packets, {}",
        text::clock(traffic.start_ns()),
        text::clock(traffic.end_ns()),
        text::seconds(traffic.seconds()),
        grouped(traffic.intervals),
        report.interval_seconds,
        grouped(traffic.groups as u64),
        grouped(traffic.packets),
        Bytes(traffic.bytes as f64),
    )
}

fn write_budgets(output: &mut impl Write, report: &Report) -> io::Result<()> {
    let title = if report.shown().budget.is_some() { "BUDGET" } else { "THRESHOLD" };
    let header = format!("{title:<20} {:>9} {:>9}  OF THESE", "INCIDENTS", "A DAY");
    writeln!(output, "{}", header.bold())?;
    for history in &report.histories {
        let days = report.traffic.seconds() / 86_400.0;
        let is_long = report.traffic.seconds() >= SHORTEST;
        let a_day = is_long.then(|| format!("{:.1}", history.count() as f64 / days));
        let kinds: Vec<_> = history.by_kind.iter().map(kind_count).collect();
        writeln!(
            output,
            "{:<20} {:>9} {:>9}  {}",
            history.label(report.threshold),
            grouped(history.count()),
            a_day.as_deref().unwrap_or("-"),
            kinds.join(", "),
        )?;
    }
    Ok(())
}

fn kind_count((kind, count): (&Kind, &u64)) -> String {
    format!("{} {}", kind.as_str(), grouped(*count))
}

fn write_incidents(output: &mut impl Write, report: &Report) -> io::Result<()> {
    let history = report.shown();
    let label = history.label(report.threshold);
    if history.incidents.is_empty() {
        return writeln!(output, "At {label} nothing would have been told.");
    }
    writeln!(output, "{}", format!("At {label}:").bold())?;
    for (number, incident) in history.incidents.iter().take(LISTED).enumerate() {
        write_incident(output, number + 1, incident)?;
    }
    let more = unlisted(history);
    if more > 0 {
        writeln!(output, "and {} more (--json)", grouped(more))?;
    }
    Ok(())
}

fn unlisted(history: &History) -> u64 {
    history.count().saturating_sub(LISTED as u64)
}

fn write_incident(output: &mut impl Write, number: usize, incident: &Incident) -> io::Result<()> {
    let lasted = if incident.is_over { "for" } else { "to the end," };
    let line = format!(
        "{number:>3}  {} {lasted} {}  {}  {}  {}, at most {}/s  probability {:.2}",
        text::clock(incident.began_ns),
        text::seconds(incident.seconds),
        incident.kind.as_str(),
        printable(&incident.who()),
        Bytes(incident.bytes as f64),
        Bytes(incident.peak_bytes_per_second),
        incident.probability,
    );
    writeln!(output, "{}", line.red())?;
    writeln!(output, "     {}", printable(&incident.text))
}
