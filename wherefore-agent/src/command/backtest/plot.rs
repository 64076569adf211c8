//! The plot in the terminal: bytes a second over time as bars, with the incidents below. Owns its characters;
//! [`super::axis`] owns the positions.

use std::io::{self, Write};

use crossterm::style::Stylize;

use super::axis::{Scale, lanes, span, times};
use super::report::Report;

/// Rows of bars.
const ROWS: usize = 10;
/// Columns of the labels.
const LABELS: usize = 12;
/// The most rows of incidents.
const LANES: usize = 6;
/// The columns of a time label, with the space beside it.
const TIME: usize = 12;
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws the plot, `width` columns wide.
pub(super) fn write(output: &mut impl Write, report: &Report, width: usize) -> io::Result<()> {
    let columns = width.saturating_sub(LABELS + 1).max(20);
    let rates = report.traffic.columns(columns, false);
    // The mean of a wide column would hide a burst, so the maximum of its intervals is used.
    let scale = Scale::of(&rates, |column| column.peak);
    let heights: Vec<_> = rates.iter().map(|column| scale.height(column.peak)).collect();
    let unit = if scale.is_log { ", logarithmic" } else { "" };
    writeln!(output, "bytes a second, the most of an interval in each column{unit}")?;
    let marks = scale.marks();
    for row in (0..ROWS).rev() {
        let is_in_row = |rate: f64| row_of(scale.height(rate)) == row;
        let label = marks.iter().rev().find(|(rate, _)| is_in_row(*rate));
        let label = label.map_or("", |(_, label)| label.as_str());
        let bars: String = heights.iter().map(|height| bar(*height, row)).collect();
        writeln!(output, "{label:>LABELS$} {}", bars.trim_end().cyan())?;
    }
    write_lanes(output, report, columns)?;
    let blank = " ".repeat(LABELS + 1);
    writeln!(output, "{blank}{}", time_labels(report, columns))
}

fn row_of(height: f64) -> usize {
    ((height * ROWS as f64) as usize).min(ROWS - 1)
}

/// The part of a bar in one row. Any traffic is visible.
fn bar(height: f64, row: usize) -> char {
    let eighths = (height * (ROWS * 8) as f64).round() as usize;
    let eighths = if height > 0.0 { eighths.max(1) } else { eighths };
    EIGHTHS[eighths.saturating_sub(row * 8).min(8)]
}

fn write_lanes(output: &mut impl Write, report: &Report, columns: usize) -> io::Result<()> {
    let incidents = &report.shown().incidents;
    let label = |number: usize| (number + 1).to_string();
    let spans: Vec<_> = incidents
        .iter()
        .enumerate()
        .map(|(number, incident)| {
            let (start, end) = span(incident, &report.traffic, columns);
            // Space for its number.
            (start, end.max(start + label(number).len() - 1))
        })
        .collect();
    let places = lanes(&spans, LANES);
    let taken = places.iter().flatten().max().map_or(0, |lane| lane + 1);
    let mut rows = vec![vec![' '; columns]; taken];
    for ((number, (start, end)), lane) in spans.iter().enumerate().zip(&places) {
        let Some(row) = lane.and_then(|lane| rows.get_mut(lane)) else { continue };
        let mark = label(number).chars().collect::<Vec<_>>();
        let mark = mark.into_iter().chain(std::iter::repeat('─'));
        row.iter_mut().take(end + 1).skip(*start).zip(mark).for_each(|(cell, c)| *cell = c);
    }
    for (lane, row) in rows.iter().enumerate() {
        let title = if lane == 0 { "incidents" } else { "" };
        let row: String = row.iter().collect();
        writeln!(output, "{title:>LABELS$} {}", row.trim_end().red().bold())?;
    }
    let hidden = places.iter().filter(|lane| lane.is_none()).count();
    if hidden > 0 {
        writeln!(output, "{:>LABELS$} and {hidden} more at the same times", "")?;
    }
    Ok(())
}

fn time_labels(report: &Report, columns: usize) -> String {
    let mut row = vec![' '; columns];
    let mut free_from = 0;
    for (time, label) in times(&report.traffic, columns / TIME) {
        let start = (report.traffic.place(time) * columns as f64) as usize;
        let text = format!("╵{label}");
        let end = start + text.chars().count();
        if start >= free_from && end <= columns {
            row.iter_mut().skip(start).zip(text.chars()).for_each(|(cell, c)| *cell = c);
            free_from = end + 1;
        }
    }
    row.into_iter().collect::<String>().trim_end().to_owned()
}
