//! `wherefore history`: who transferred what, and when. Owns the output; [`crate::history::query`] owns the
//! sums.

mod csv;
mod plot;
mod table;

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result};

use crate::history::document::Document;
use crate::history::query::{self, Answer, Question, RowFilter};
use crate::history::schema;
use crate::history::time::Clock;
use crate::options::cli::HistoryArgs;
pub(crate) use plot::{LABELS, bars, width};

/// The columns of the sparkline in each line.
const COLUMNS: usize = 24;
const MINUTE: i64 = 60;

/// Queries the history file and prints the answer.
///
/// # Errors
/// If a time is invalid, the file cannot be read, or the output cannot be written.
pub fn history(args: &HistoryArgs) -> Result<()> {
    let clock = Clock::now();
    let (from, to) = clock.span(["--since", "--to"], &args.since, &args.to)?;
    let width = width();
    let columns = if args.plot { width.saturating_sub(LABELS + 1).max(COLUMNS) } else { COLUMNS };
    let mut connection = schema::open_to_read(&args.file.file())?;
    let interface = args.interface.as_ref();
    let interface = interface.map(|name| query::interface(&connection, name)).transpose()?;
    let only = interface.map(RowFilter::Interface).into_iter().collect();
    let (asked, is_shown) = (from, !args.json && !args.csv);
    // A plot covers only the recorded period.
    let begin = query::begin(&connection)?.filter(|_| is_shown).unwrap_or(from);
    let from = from.max(begin.min(to - MINUTE));
    let question = Question { from, to, top: args.top as usize, columns, only };
    let answer = query::ask(&mut connection, &question, &[args.by])?.remove(0);
    let heading = table::heading(&question, asked, &answer, &clock);
    let output = io::stdout();
    let mut output = io::BufWriter::new(output.lock());
    let written = match is_shown {
        true => show(&mut output, args, &question, &answer, &heading, &clock),
        false => write(&mut output, args, &question, &answer),
    };
    written.and_then(|()| output.flush()).context("cannot write to standard output")
}

/// Writes the answer for programs.
fn write(
    output: &mut impl Write,
    args: &HistoryArgs,
    question: &Question,
    answer: &Answer,
) -> io::Result<()> {
    if args.csv {
        return csv::write(output, answer);
    }
    let document = Document::new(args.by, args.interface.as_deref(), question, answer);
    serde_json::to_writer(&mut *output, &document)?;
    writeln!(output)
}

/// Writes the answer for people.
fn show(
    output: &mut impl Write,
    args: &HistoryArgs,
    question: &Question,
    answer: &Answer,
    heading: &str,
    clock: &Clock,
) -> io::Result<()> {
    if args.plot {
        bars(output, &answer.columns, question, clock)?;
    }
    let width = if io::stdout().is_terminal() { width() } else { usize::MAX };
    table::write(output, args.by, heading, answer, width)
}
