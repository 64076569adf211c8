//! `wherefore score`: the detectors as a filter, for people who tune them on their own history. Owns
//! the choice of the format, and one of them: numbers in, or CSV `timestamp,value`; one JSON object
//! a line out, judged by the seven methods. The others are in `score/`.

mod judge;
mod series;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::command::csv_text;
use crate::detect::detectors::{AggregateDetector, FlowDetector};
use crate::detect::methods::Anomalyzer;
use crate::options::cli::{Judge, ScoreArgs};
use crate::options::{self, UsageError, refuse};

/// One line of output.
#[derive(Serialize)]
struct ScoreRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    value: f64,
    probability: f64,
    methods: BTreeMap<&'static str, Option<f64>>,
}

/// Judges each number by those before it.
///
/// # Errors
/// Where options are wrong, a line is no number or a file can't be read.
pub fn score(args: &ScoreArgs) -> Result<()> {
    let detector = options::Detector::new(&args.detector);
    refuse(&detector.problems(&args.detector))?;
    let default = if args.series_per_line { Judge::Flow } else { Judge::Lytics };
    let anomalyzer = Anomalyzer::new(detector.options)?;
    match args.judge.unwrap_or(default) {
        Judge::Flow => series::score(args, &FlowDetector::default()),
        Judge::Aggregate => series::score(args, &AggregateDetector::default()),
        Judge::Lytics if args.series_per_line => {
            series::score(args, &judge::Lytics::new(anomalyzer, detector.window))
        }
        Judge::Lytics => score_numbers(args, anomalyzer, detector.window),
    }
}

fn score_numbers(args: &ScoreArgs, anomalyzer: Anomalyzer, capacity: usize) -> Result<()> {
    let mut scorer = Scorer { anomalyzer, capacity, window: VecDeque::new() };
    let mut output = BufWriter::new(io::stdout().lock());
    if args.files.is_empty() {
        scorer.score_lines(io::stdin().lock(), "standard input", &mut output)?;
    }
    for path in &args.files {
        scorer.window.clear();
        scorer.score_file(path, &mut output)?;
    }
    finish(output.flush())
}

struct Scorer {
    anomalyzer: Anomalyzer,
    capacity: usize,
    window: VecDeque<f64>,
}

impl Scorer {
    fn score_file(&mut self, path: &Path, output: &mut impl Write) -> Result<()> {
        let name = path.display().to_string();
        if name == "-" {
            return self.score_lines(io::stdin().lock(), "standard input", output);
        }
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        self.score_lines(BufReader::new(file), &name, output)
    }

    fn score_lines(
        &mut self,
        input: impl BufRead,
        name: &str,
        output: &mut impl Write,
    ) -> Result<()> {
        let mut lines = Text::new(input, name.to_owned());
        while lines.advance()? {
            let Some((timestamp, value)) = lines.point()? else { continue };
            let record = self.score_value(timestamp.as_deref(), value);
            serde_json::to_writer(&mut *output, &record).map_err(io::Error::from)?;
            // Each line at once: whoever follows a live series waits for it.
            if !is_open(output.write_all(b"\n").and_then(|()| output.flush()))? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn score_value<'a>(&mut self, timestamp: Option<&'a str>, value: f64) -> ScoreRecord<'a> {
        if self.window.len() == self.capacity {
            self.window.pop_front();
        }
        self.window.push_back(value);
        let score = self.anomalyzer.score(self.window.make_contiguous());
        let methods = score.methods().map(|(method, p)| (method.name(), p)).collect();
        ScoreRecord { timestamp, value, probability: score.probability, methods }
    }
}

/// The lines of an input as text: without ends, and a byte order mark.
struct Text<R> {
    input: R,
    name: String,
    number: usize,
    line: Vec<u8>,
}

impl<R: BufRead> Text<R> {
    fn new(input: R, name: String) -> Self {
        Self { input, name, number: 0, line: Vec::new() }
    }

    /// Reads a line; false at the end.
    fn advance(&mut self) -> Result<bool> {
        self.line.clear();
        self.number += 1;
        let read = self.input.read_until(b'\n', &mut self.line);
        Ok(read.with_context(|| format!("cannot read {}", self.name))? > 0)
    }

    fn text(&self) -> Result<&str> {
        csv_text::text(&self.line, self.number == 1).map_err(|problem| self.usage(&problem))
    }

    /// `value` or `timestamp,value`; `None` for empty lines and for a header.
    fn point(&self) -> Result<Option<(Option<Cow<'_, str>>, f64)>> {
        let line = self.text()?;
        if line.is_empty() || self.number == 1 && self.is_header(line)? {
            return Ok(None);
        }
        match csv_text::pair(line) {
            Ok((timestamp, value)) if value.is_finite() => Ok(Some((timestamp, value))),
            Ok((_, value)) => Err(self.usage(&format!("{value} is not a finite number"))),
            Err(problem) => {
                Err(self.usage(&format!("{problem}; each line is a number or \"timestamp,value\"")))
            }
        }
    }

    /// Whether the first line names columns; of several series it is another format.
    fn is_header(&self, line: &str) -> Result<bool> {
        if csv_text::is_long_header(line).map_err(|problem| self.usage(&problem))? {
            return Err(
                self.usage("these are several series: take --detector flow, or --series-per-line")
            );
        }
        let is_header = csv_text::is_header(line);
        if is_header {
            tracing::info!("{}: the first line, {line:?}, is taken for a header", self.name);
        }
        Ok(is_header)
    }

    fn usage(&self, problem: &str) -> anyhow::Error {
        UsageError(format!("{}, line {}: {problem}", self.name, self.number)).into()
    }
}

/// Whether the reader is still there: `head` closes its input when it has enough.
fn is_open(written: io::Result<()>) -> Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

fn finish(written: io::Result<()>) -> Result<()> {
    is_open(written).map(|_| ())
}
