//! The output of a backtest for people: the input, the budgets side by side, the incidents at one of them,
//! and the plot. Owns the layout; makes foreign names harmless.

use std::io::{self, Write};

use crossterm::style::Stylize;
use crossterm::terminal;

use super::history::{History, Incident};
use super::plot;
use super::report::Report;
use crate::message::alert::Kind;
use crate::text::{self, Bytes, grouped, printable};

/// The width if the terminal does not report one.
const USUAL_WIDTH: u16 = 100;
/// The most incidents that are listed; `--json` has all.
const LISTED: usize = 100;
/// Shorter inputs show no daily rate, because it would be a guess.
const SHORTEST: f64 = 3600.0;

/// The width of the terminal, in columns.
pub(super) fn width() -> usize {
    usize::from(terminal::size().map_or(USUAL_WIDTH, |(columns, _)| columns))
}

/// Writes the whole result.
pub(super) fn write(output: &mut impl Write, report: &Report, width: usize) -> io::Result<()> {
    write_header(output, report)?;
    writeln!(output)?;
    write_budgets(output, report)?;
    writeln!(output)?;
    write_incidents(output, report)?;
    write_held_back(output, report)?;
    if report.traffic.intervals > 0 {
        writeln!(output)?;
        plot::write(output, report, width)?;
    }
    Ok(())
}

fn write_header(output: &mut impl Write, report: &Report) -> io::Result<()> {
    let traffic = &report.traffic;
    writeln!(output, "{}", printable(&report.name).bold())?;
    if traffic.intervals == 0 {
        return writeln!(output, "Nothing moved.");
    }
    let noun = if traffic.intervals == 1 { "interval" } else { "intervals" };
    writeln!(
        output,
        "{} to {} ({}), {} {noun} of {} s with traffic, {} groups at a time, {} packets, {}",
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
    let header =
        format!("{title:<20} {:>9} {:>9} {:>9}  OF THESE", "INCIDENTS", "A DAY", "HELD BACK");
    writeln!(output, "{}", header.bold())?;
    for history in &report.histories {
        let days = report.traffic.seconds() / 86_400.0;
        let is_long = report.traffic.seconds() >= SHORTEST;
        let a_day = is_long.then(|| format!("{:.1}", history.count() as f64 / days));
        let kinds: Vec<_> = history.by_kind.iter().map(kind_count).collect();
        writeln!(
            output,
            "{:<20} {:>9} {:>9} {:>9}  {}",
            history.label(report.threshold),
            grouped(history.count()),
            a_day.as_deref().unwrap_or("-"),
            grouped(history.held_back.values().sum()),
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
        return writeln!(output, "At {label} nothing would have been reported.");
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

/// Findings that were held back, and why.
fn write_held_back(output: &mut impl Write, report: &Report) -> io::Result<()> {
    /// The most lines.
    const SHOWN: usize = 20;
    let history = report.shown();
    if history.held.is_empty() {
        return Ok(());
    }
    writeln!(output, "{}", "Held back:".bold())?;
    for held in history.held.iter().take(SHOWN) {
        let time = text::nanoseconds(&held.time).map_or_else(String::new, text::clock);
        writeln!(output, "     {time} {}", printable(&held.line()))?;
    }
    let all: u64 = history.held_back.values().sum();
    let more = all.saturating_sub(history.held.len().min(SHOWN) as u64);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::command::backtest::traffic::Traffic;
    use crate::message::alert::Severity;
    use crate::options::cli::Budget;
    use crate::traffic::interval::Interval;
    use wherefore_common::{Counters, FlowKey};

    const SECOND: i64 = 1_000_000_000;

    fn interval(index: i64, bytes: u64) -> Interval {
        let counters = Counters { bytes, packets: 1, device_packets: 1, ..Counters::default() };
        Interval {
            index,
            start_ns: index * 5 * SECOND,
            end_ns: (index + 1) * 5 * SECOND,
            flows: vec![(FlowKey::default(), counters)].into(),
            ..Interval::default()
        }
    }

    fn incident(name: &str) -> Incident {
        Incident {
            key: String::new(),
            kind: Kind::Volume,
            severity: Severity::Warning,
            began_ns: 300 * SECOND,
            reported_ns: 305 * SECOND,
            seconds: 60.0,
            is_over: true,
            interface: name.to_owned(),
            src: name.to_owned(),
            dst: None,
            bytes: 1,
            peak_bytes_per_second: 1.0,
            usual_bytes: 0.0,
            probability: 0.9,
            text: format!("{name} moved"),
        }
    }

    /// A report of 100 intervals, without the colours.
    fn shown(incidents: Vec<Incident>, width: usize) -> String {
        let mut traffic = Traffic::new(Duration::from_secs(5));
        (0..100).for_each(|index| traffic.add(&interval(index, 100 + index as u64), 1));
        let mut history = History::new(Some(Budget::default()), true);
        history.by_kind.insert(Kind::Volume, incidents.len() as u64);
        history.incidents = incidents;
        let report = Report {
            name: "\u{1b}]0;title\u{7}.csv".to_owned(),
            interval_seconds: 5.0,
            traffic,
            histories: vec![history],
            shown: 0,
            threshold: 0.6,
        };
        let mut output = Vec::new();
        write(&mut output, &report, width).expect("memory takes it");
        let text = String::from_utf8(output).expect("it is text");
        let colour = |part: &str| part.split_once('m').map_or("", |(_, rest)| rest).to_owned();
        let mut parts = text.split("\u{1b}[");
        parts.next().unwrap_or_default().to_owned() + &parts.map(colour).collect::<String>()
    }

    #[test]
    fn control_characters_in_names_are_escaped() {
        let text = shown(vec![incident("\u{1b}[2J\u{202e}evil\r")], 100);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(text.contains("\\u{1b}[2J\\u{202e}evil\\u{d}"), "{text}");
    }

    #[test]
    fn the_plot_is_as_wide_as_the_terminal_and_marks_the_time() {
        for width in [60, 100, 213] {
            let text = shown(vec![incident("a")], width);
            let plot = text.split("bytes a second").nth(1).unwrap_or_default();
            let widest = plot.lines().skip(1).map(|line| line.chars().count()).max();
            assert_eq!(widest, Some(width), "{text}");
            let lane = plot.lines().find(|line| line.contains("incidents")).unwrap_or_default();
            let at = lane.chars().position(|c| c == '1').unwrap_or(0);
            // 300 s of 500 s.
            assert_eq!(at, 13 + (width - 13) * 3 / 5, "{text}");
        }
    }

    #[test]
    fn nothing_is_said_so() {
        let text = shown(Vec::new(), 80);
        assert!(text.contains("At 10/day nothing would have been reported."), "{text}");
    }
}
