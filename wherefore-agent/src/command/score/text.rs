//! Reads and writes text. Owns the reading of lines, their numbers in errors, and the end of the output's
//! reader.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, BufRead};

use anyhow::{Context, Result};

use crate::command::csv_text;
use crate::usage::UsageError;

/// The lines of an input as text, without line ends and byte order mark.
pub(super) struct Text<R> {
    pub(super) input: R,
    name: String,
    number: usize,
    line: Vec<u8>,
    /// Whether a header names only one column.
    is_single: Cell<bool>,
    /// The time of the line before, if it is a number.
    last_time: Cell<f64>,
    /// Whether there was a number.
    has_numbers: Cell<bool>,
}

impl<R: BufRead> Text<R> {
    pub(super) fn new(input: R, name: String) -> Self {
        Self {
            input,
            name,
            number: 0,
            line: Vec::new(),
            is_single: Cell::new(false),
            last_time: Cell::new(f64::NEG_INFINITY),
            has_numbers: Cell::new(false),
        }
    }

    /// Reads a line; returns false at the end.
    pub(super) fn advance(&mut self) -> Result<bool> {
        self.line.clear();
        self.number += 1;
        let read = self.input.read_until(b'\n', &mut self.line);
        Ok(read.with_context(|| format!("cannot read {}", self.name))? > 0)
    }

    pub(super) fn text(&self) -> Result<&str> {
        csv_text::text(&self.line, self.number == 1).map_err(|problem| self.usage(&problem))
    }

    /// Reads `value` or `timestamp,value`; `None` for empty lines and for a header.
    pub(super) fn point(&self) -> Result<Option<(Option<Cow<'_, str>>, f64)>> {
        let line = self.text()?;
        if line.is_empty() || self.number == 1 && self.is_header(line)? {
            return Ok(None);
        }
        match csv_text::pair(line) {
            Ok((Some(_), _)) if self.is_single.get() => Err(self.usage(
                "2 fields, but the header names one column: decimals need a point, not a comma",
            )),
            Ok((timestamp, value)) if value.is_finite() => {
                self.check_order(timestamp.as_deref())?;
                self.note_numbers();
                Ok(Some((timestamp, value)))
            }
            Ok((_, value)) => Err(self.usage(&format!("{value} is not a finite number"))),
            Err(problem) => {
                Err(self.usage(&format!("{problem}; each line is a number or \"timestamp,value\"")))
            }
        }
    }

    /// Refuses times that go back: they are more likely the first part of numbers with decimal commas.
    fn check_order(&self, timestamp: Option<&str>) -> Result<()> {
        let Some(time) = timestamp.and_then(|time| time.parse::<f64>().ok()) else { return Ok(()) };
        let last = self.last_time.replace(time);
        if time < last {
            return Err(self.usage(&format!(
                "the time goes back from {last} to {time}: decimals need a point, not a comma; \
                 order the lines by time"
            )));
        }
        Ok(())
    }

    /// Notes that the input is not empty.
    pub(super) fn note_numbers(&self) {
        self.has_numbers.set(true);
    }

    /// Warns if the input has ended without any number.
    pub(super) fn warn_if_empty(&self) {
        if !self.has_numbers.get() {
            tracing::warn!("{} contains no numbers", self.name);
        }
    }

    /// Whether the first line is a header. The header of several series is an error, because that is another
    /// format.
    fn is_header(&self, line: &str) -> Result<bool> {
        if csv_text::is_long_header(line).map_err(|problem| self.usage(&problem))? {
            return Err(self
                .usage("the file has several series: use --detector flow, or --series-per-line"));
        }
        let is_header = csv_text::is_header(line);
        let columns = csv_text::columns(line);
        if is_header && columns > 2 {
            return Err(self.usage(&format!(
                "the header names {columns} columns: one series has the columns timestamp,value; \
                 several series have the header {}",
                csv_text::LONG
            )));
        }
        if is_header {
            self.is_single.set(columns == 1);
            tracing::info!("{}: skipping the first line, {line:?}, as a header", self.name);
        }
        Ok(is_header)
    }

    pub(super) fn usage(&self, problem: &str) -> anyhow::Error {
        UsageError(format!("{}, line {}: {problem}", self.name, self.number)).into()
    }
}

/// Whether the output still has a reader: `head` closes its input when it has enough.
pub(super) fn is_open(written: io::Result<()>) -> Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

/// The same after the last line.
pub(super) fn finish(written: io::Result<()>) -> Result<()> {
    is_open(written).map(|_| ())
}
