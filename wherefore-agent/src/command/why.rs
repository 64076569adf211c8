//! `wherefore why`: what a target moved, in plain sentences. Owns the order on the screen; facts and
//! words are the history's.

use std::io::{self, Write};

use anyhow::{Context, Result};

use crate::command::history::{LABELS, bars, width};
use crate::history::query::Question;
use crate::history::time::Clock;
use crate::history::{explain, find, schema, why};
use crate::options::cli::WhyArgs;

/// The longest line of text.
const LINE: usize = 100;
/// Columns of the plot at the most.
const COLUMNS: usize = 100;

/// Asks the history and answers.
///
/// # Errors
/// Where nothing is known of the target, the file can't be read or nobody reads the answer.
pub fn why(args: &WhyArgs) -> Result<()> {
    let clock = Clock::now();
    let (from, to) = clock.span(&args.since, &args.to)?;
    let mut connection = schema::open_to_read(&args.file.file())?;
    let target = find::find(&connection, args.target.as_deref())?;
    let minutes = usize::try_from((to - from) / 60).unwrap_or(usize::MAX);
    let columns = width().saturating_sub(LABELS + 1).clamp(20, COLUMNS).min(minutes.max(1));
    let facts = why::why(&mut connection, &target, from, to, columns)?;
    let output = io::stdout();
    let mut output = io::BufWriter::new(output.lock());
    let written = if args.json {
        serde_json::to_writer(&mut output, &facts)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(output))
    } else {
        let question = Question { from, to, top: 0, columns, only: Vec::new() };
        show(&mut output, &facts, &question, &clock)
    };
    written.and_then(|()| output.flush()).context("cannot write to standard output")
}

fn show(
    output: &mut impl Write,
    facts: &why::Why,
    question: &Question,
    clock: &Clock,
) -> io::Result<()> {
    if facts.total.packets() > 0 {
        bars(output, &facts.columns, question, clock)?;
    }
    let options = textwrap::Options::new(width().min(LINE)).subsequent_indent("  ");
    for sentence in explain::sentences(facts, clock) {
        let lines = textwrap::wrap(&sentence, &options);
        lines.iter().try_for_each(|line| writeln!(output, "{line}"))?;
    }
    Ok(())
}
