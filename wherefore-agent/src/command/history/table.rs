//! The answer as a table for people. Owns the layout; makes foreign names harmless.

use std::io::{self, Write};

use super::plot::sparkline;
use crate::history::Volume;
use crate::history::query::{Answer, Dimension, Line, Of, Question, Uncounted};
use crate::history::time::Clock;
use crate::text::{self, Bytes, grouped};

/// The columns that figures and the sparkline need.
const FIGURES: usize = 65;
const SPARKLINE: usize = 24;

/// Writes the table, at most `width` columns wide.
pub(super) fn write(
    output: &mut impl Write,
    by: Dimension,
    heading: &str,
    answer: &Answer,
    width: usize,
) -> io::Result<()> {
    writeln!(output, "{heading}")?;
    if answer.covered.is_none() {
        return Ok(());
    }
    let longest = answer.lines.iter().map(|line| shown(line).chars().count()).max().unwrap_or(0);
    let names = longest.max(20).min(width.saturating_sub(FIGURES).max(20));
    let title = format!("{:?}", by).to_uppercase();
    writeln!(
        output,
        "{title:<names$} {:>10} {:>10} {:>10} {:>6}  OVER TIME",
        "IN", "OUT", "TOTAL", "SHARE"
    )?;
    let mut table = Table { output, names, total: answer.total.bytes() };
    for line in &answer.lines {
        table.row(&shown(line), &line.volume, &sparkline(&line.columns, SPARKLINE))?;
    }
    if answer.left_out > 0 {
        table.row(&format!("{} others", grouped(answer.left_out as u64)), &answer.rest, "")?;
    }
    if answer.folded.packets() > 0 {
        table.row("(not kept in detail)", &answer.folded, "")?;
    }
    table.row("total", &answer.total, &sparkline(&answer.columns, SPARKLINE))?;
    for Uncounted { reason, volume } in &answer.uncounted {
        let packets = grouped(volume.packets());
        writeln!(output, "in no flow: {packets} packets, {reason}")?;
    }
    Ok(())
}

/// The heading of the table. `asked` is the start of the period that the user requested.
pub(super) fn heading(question: &Question, asked: i64, answer: &Answer, clock: &Clock) -> String {
    let (from, to) = (clock.shown(question.from), clock.shown(question.to));
    let Some((first, last)) = answer.covered else {
        return format!("{from} to {to}: the history has no data");
    };
    let exactness = match answer.coarsest {
        60 => "by the minute",
        3600 => "some of it by the hour",
        _ => "some of it by the day",
    };
    let from = if question.from > asked {
        format!("{from}, where the history begins, to {to}")
    } else if first > question.from + 60 {
        format!("{from} to {to} (kept from {} to {})", clock.brief(first), clock.brief(last))
    } else {
        format!("{from} to {to}")
    };
    format!("{from}, {exactness}")
}

/// The name of a line, without characters that control the terminal: others choose these names.
fn shown(line: &Line) -> String {
    match line.of {
        Of::Named => text::printable(&line.name),
        Of::Unnamed | Of::Folded => format!("({})", text::printable(&line.name)),
    }
}

struct Table<'a, W> {
    output: &'a mut W,
    names: usize,
    total: u64,
}

impl<W: Write> Table<'_, W> {
    fn row(&mut self, name: &str, volume: &Volume, columns: &str) -> io::Result<()> {
        let names = self.names;
        let name = shortened(name, names);
        let bytes = |bytes: u64| Bytes(bytes as f64).to_string();
        let share = volume.bytes() as f64 / self.total.max(1) as f64 * 100.0;
        let line = format!(
            "{name:<names$} {:>10} {:>10} {:>10} {share:>4.0} %  {columns}",
            bytes(volume.in_bytes),
            bytes(volume.out_bytes),
            bytes(volume.bytes()),
        );
        writeln!(self.output, "{}", line.trim_end())
    }
}

fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
