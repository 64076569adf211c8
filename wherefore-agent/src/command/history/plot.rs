//! Traffic over time, as bars and as sparklines. Owns the characters; refuses to query.

use std::io::{self, Write};

use crossterm::terminal;

use crate::history::query::Question;
use crate::history::time::Clock;
use crate::text::{self, Bytes};

/// The columns of the labels on the left.
pub(crate) const LABELS: usize = 12;
/// The fewest columns of a plot.
const LEAST: usize = 60;
const ROWS: usize = 8;
const USUAL_WIDTH: u16 = 100;
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The width of the terminal, in columns.
pub(crate) fn width() -> usize {
    usize::from(terminal::size().map_or(USUAL_WIDTH, |(columns, _)| columns.max(40)))
}

/// Draws at most `most` columns as one row of bars.
pub(crate) fn sparkline(columns: &[f32], most: usize) -> String {
    let points: Vec<f64> = joined(columns, most);
    text::sparkline(&points)
}

fn joined(columns: &[f32], most: usize) -> Vec<f64> {
    let most = most.clamp(1, columns.len().max(1));
    let sum = |at: usize| {
        let bounds = (at * columns.len() / most, (at + 1) * columns.len() / most);
        columns[bounds.0..bounds.1].iter().map(|bytes| f64::from(*bytes)).sum()
    };
    (0..most).map(sum).collect()
}

/// Draws bytes a second over time.
pub(crate) fn bars(
    output: &mut impl Write,
    columns: &[f32],
    question: &Question,
    clock: &Clock,
) -> io::Result<()> {
    let seconds = (question.to - question.from).max(1) as f64 / columns.len().max(1) as f64;
    let rates: Vec<f64> = columns.iter().map(|bytes| f64::from(*bytes) / seconds).collect();
    let most = rates.iter().copied().fold(0.0, f64::max);
    // If there are few columns, each is drawn wider.
    let least = LEAST.min(width().saturating_sub(LABELS + 1));
    let wide = (least / columns.len().max(1)).max(1);
    for row in (0..ROWS).rev() {
        let label = match row {
            7 => format!("{}/s", Bytes(most)),
            0 => "0".to_owned(),
            _ => String::new(),
        };
        let bars = rates.iter().map(|rate| bar(*rate, most, row));
        let bars: String = bars.flat_map(|bar| std::iter::repeat_n(bar, wide)).collect();
        writeln!(output, "{label:>LABELS$} {}", bars.trim_end())?;
    }
    let (from, to) = (clock.shown(question.from), clock.shown(question.to));
    let gap = (columns.len() * wide).saturating_sub(from.len()).max(to.len() + 1);
    writeln!(output, "{:>LABELS$} {from}{to:>gap$}\n", "")
}

/// The part of a bar in one row. Any traffic is visible.
fn bar(rate: f64, most: f64, row: usize) -> char {
    let eighths = (rate / most.max(1e-9) * (ROWS * 8) as f64).round() as usize;
    let eighths = if rate > 0.0 { eighths.max(1) } else { 0 };
    EIGHTHS[eighths.saturating_sub(row * 8).min(8)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_reach_as_high_as_the_most() {
        assert_eq!([bar(1.0, 1.0, 7), bar(0.5, 1.0, 4), bar(0.001, 1.0, 0)], ['█', ' ', '▁']);
        assert_eq!(joined(&[1.0, 2.0, 3.0, 4.0, 5.0], 2), [3.0, 12.0]);
        assert_eq!(sparkline(&[0.0, 7.0], 9), "▁█");
    }
}
